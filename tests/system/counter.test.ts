// The time-stamp counter between two looks at the host's clock (cpu/msr.ts).

import { expect, it } from 'vitest';
import { HALTED } from '../../assembly/shared/layout.ts';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;
const TIMES = 0x20000;
const READINGS = 100;
const SPAN = 4096;

// mov edi, TIMES; mov ecx, READINGS; again: rdtsc; stosd; loop again; hlt
const LOOP = 'bf00000200b9640000000f31abe2fbf4';
// The same with a look at a port before each reading: in al, 42h
const POLL = 'bf00000200b964000000e4420f31abe2f9f4';
// The same with a loop of 8,192 instructions before each reading: mov edx, 4096; dec edx; jnz $-1
const SLOW = 'bf00000200b964000000ba001000004a75fd0f31abe2f3f4';

async function run(code: string, span: number, host: () => number): Promise<number[]> {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {}, timestamp: host });
  cpu.setCounterSpan(span);
  cpu.ram().set(Buffer.from(code, 'hex'), CODE);
  enterFlat(cpu, CODE);
  new Uint32Array(cpu.memory.buffer)[HALTED >> 2] = 0;
  expect(cpu.run(100_000_000)).toBe(EXIT_HALT);
  const ram = cpu.ram();
  return [...new Uint32Array(ram.buffer, ram.byteOffset + TIMES, READINGS)];
}

it('asks the host each time when it may not go on by itself', async () => {
  let time = 1000;
  const times = await run(LOOP, 0, () => (time += 7));
  expect(times).toEqual(times.map((_, i) => 1007 + 7 * i));
});

it('goes on by an instruction a nanosecond for a few readings', async () => {
  let asked = 0;
  // A host that is slower than one instruction a nanosecond.
  const times = await run(LOOP, SPAN, () => 5000 + 100 * asked++);
  expect(asked).toBeGreaterThan(READINGS / 10);
  expect(asked).toBeLessThan(READINGS / 5);
  for (let i = 1; i < READINGS; i++) expect(times[i]).toBeGreaterThan(times[i - 1]!);
  expect(times.at(-1)! - times[0]!).toBeLessThan(100 * asked + 3 * 9);
});

it('asks the host after each look at a device', async () => {
  let asked = 0;
  await run(POLL, SPAN, () => 5000 + 100 * asked++);
  expect(asked).toBe(READINGS);
});

it('never steps back when the host is behind', async () => {
  const times = await run(LOOP, SPAN, () => 5000);
  for (let i = 1; i < READINGS; i++) expect(times[i]).toBeGreaterThanOrEqual(times[i - 1]!);
  expect(times.at(-1)! - 5000).toBeLessThan(100);
});

it('asks the host after many instructions', async () => {
  let asked = 0;
  const times = await run(SLOW, SPAN, () => 1_000_000 * ++asked);
  expect(asked).toBe(READINGS);
  expect(times[9]).toBe(10_000_000);
});
