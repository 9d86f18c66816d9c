/** Where branches whose targets are not in the code probably lead belongs to their region. */
import { expect, it } from 'vitest';
import { EXIT_BUDGET, EXIT_HALT } from '../../assembly/shared/exits.ts';
import { COUNT_REGION_ENTRIES } from '../../assembly/shared/counters.ts';
import { attachTranslator, bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;
const POINTER = 0x20000;
const ADDS_ONE = 0x11000;
const ADDS_THREE = 0x11800;
const ROUNDS = 400_000;

it.each([
  ['through memory', 'ff13'],
  ['through a register', '8b03ffd0'],
])('a call %s, until it goes elsewhere', async (_, call) => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  attachTranslator(cpu, { batch: 1, heatLimit: 100 });
  // the call; dec ecx; jnz to the first; hlt
  const code = Buffer.from(`${call}497500f4`, 'hex');
  code.writeInt8(-(code.length - 1), code.length - 2);
  const ram = cpu.ram();
  ram.set(code, CODE);
  // inc edx; ret - lea edx, [edx+3]; ret
  ram.set(Buffer.from('42c3', 'hex'), ADDS_ONE);
  ram.set(Buffer.from('8d5203c3', 'hex'), ADDS_THREE);
  const point = (to: number) => Buffer.from(ram.buffer, ram.byteOffset + POINTER).writeUInt32LE(to);
  point(ADDS_ONE);
  enterFlat(cpu, CODE);
  cpu.state.setRegister('esp', 0x30000);
  cpu.state.setRegister('ebx', POINTER);
  cpu.state.setRegister('ecx', ROUNDS);
  cpu.state.setRegister('edx', 0);
  const entries = () => cpu.counters()[COUNT_REGION_ENTRIES]!;

  expect(cpu.run(1_000_000)).toBe(EXIT_BUDGET);
  const ones = ROUNDS - cpu.state.register('ecx');
  expect(ones).toBeGreaterThan(ROUNDS / 4);
  expect(ones).toBeLessThan(ROUNDS);
  expect(entries()).toBeLessThan(ones / 100);

  point(ADDS_THREE);
  const before = entries();
  let exit = EXIT_BUDGET;
  while (exit === EXIT_BUDGET) exit = cpu.run(1_000_000);
  expect(exit).toBe(EXIT_HALT);
  // At most one call was under way with the old pointer.
  const sum = ones + 3 * (ROUNDS - ones);
  expect([sum - 2, sum, sum + 2]).toContain(cpu.state.register('edx'));
  expect(entries() - before).toBeGreaterThan(ROUNDS - ones - 200);
});

it('a call by hand, as Linux switches processes: the address to return to is put into memory', async () => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  attachTranslator(cpu, { batch: 1, heatLimit: 100 });
  const switching = CODE + 16;
  const after = switching + 13;
  const code = Buffer.alloc(32);
  // again: call switching; dec ecx; jnz again; hlt
  code.set([0xe8, 11, 0, 0, 0, 0x49, 0x75, -8, 0xf4]);
  // switching: mov dword [ebx], after; push dword [ebx]; jmp ADDS_ONE; after: ret
  code.set([0xc7, 0x03, 0, 0, 0, 0, 0xff, 0x33, 0xe9], 16);
  code.writeUInt32LE(after, 18);
  code.writeInt32LE(ADDS_ONE - after, 25);
  code[29] = 0xc3;
  cpu.ram().set(code, CODE);
  cpu.ram().set(Buffer.from('42c3', 'hex'), ADDS_ONE); // inc edx; ret
  enterFlat(cpu, CODE);
  cpu.state.setRegister('esp', 0x30000);
  cpu.state.setRegister('ebx', POINTER);
  cpu.state.setRegister('ecx', ROUNDS);
  cpu.state.setRegister('edx', 0);
  let exit = EXIT_BUDGET;
  while (exit === EXIT_BUDGET) exit = cpu.run(1_000_000);
  expect(exit).toBe(EXIT_HALT);
  expect(cpu.state.register('edx')).toBe(ROUNDS);
  expect(cpu.state.register('esp')).toBe(0x30000);
  expect(cpu.counters()[COUNT_REGION_ENTRIES]).toBeLessThan(ROUNDS / 100);
});
