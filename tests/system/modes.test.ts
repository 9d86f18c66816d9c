// What code does not use makes no difference to it: it is decoded once for all states of FS and GS, until
// some of its privilege goes through one of them.

import { expect, it } from 'vitest';
import { COUNT_BLOCKS_DECODED } from '../../assembly/shared/counters.ts';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { HALTED, MODE } from '../../assembly/shared/layout.ts';
import { MODE_GS_OPEN } from '../../assembly/shared/modes.ts';
import type { Cpu } from '../../host/cpu.ts';
import { bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;
const OTHER = 0x11000;
const DATA = 0x20000;

/** Data segments as the kernel finds them in GS: of thread-local storage, and none. */
const LOCAL = { selector: 0x33, base: DATA, limit: 0xffffffff, access: 0xc0f300 };
const NONE = { selector: 0, base: 0, limit: 0, access: 0 };

function run(cpu: Cpu, eip: number, gs: typeof LOCAL): number {
  // RESET would forget all blocks.
  new Uint32Array(cpu.memory.buffer)[HALTED >> 2] = 0;
  enterFlat(cpu, eip);
  cpu.state.setSegment('gs', gs);
  const before = cpu.counters()[COUNT_BLOCKS_DECODED];
  expect(cpu.run(100)).toBe(EXIT_HALT);
  expect(cpu.state.eip).toBeGreaterThan(eip);
  return cpu.counters()[COUNT_BLOCKS_DECODED] - before;
}

it('decodes code without GS once for all that GS may be', async () => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  const mode = () => new Uint32Array(cpu.memory.buffer)[MODE >> 2] & MODE_GS_OPEN;
  cpu.ram().set(Buffer.from('40f4', 'hex'), CODE); // inc eax; hlt
  cpu.ram().set(Buffer.from('65a104000000f4', 'hex'), OTHER); // mov eax, gs:[4]; hlt
  cpu.ram().set([1, 2, 3, 4], DATA + 4);
  expect(run(cpu, CODE, NONE)).toBeGreaterThan(0);
  expect(run(cpu, CODE, LOCAL)).toBe(0);
  expect(mode()).toBe(0);

  // From the first use on it does make a difference, also for the block that is being decoded.
  expect(run(cpu, OTHER, LOCAL)).toBeGreaterThan(0);
  expect(cpu.state.register('eax')).toBe(0x04030201);
  expect(mode()).toBe(MODE_GS_OPEN);
  run(cpu, OTHER, LOCAL);
  expect(cpu.state.register('eax')).toBe(0x04030201);
  run(cpu, CODE, NONE);
  expect(mode()).toBe(0);
});
