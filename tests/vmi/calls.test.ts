// Every call of the table, in each tier: as the instructions it stands for, and as the table says.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { snapshot } from '../lib/snapshot.ts';
import { REGISTER_NAMES } from '../../host/state.ts';
import { CALLS, type Call } from '../../host/vmi/calls.ts';
import { CASES } from './cases.ts';
import { PROGRAM, REPORT, STACK, type Guest } from './guest.ts';
import { expected, FORMS, isTail, runLoop, type CallCase, type Result } from './loop.ts';
import { guestOf, VMI_TIER_NAMES, type VmiTier } from './tiers.ts';

/** Calls whose tests are in another file, because they take time or do not come back. */
const ELSEWHERE: Record<string, string> = {
  RDTSC: 'time.test.ts',
  Halt: 'interrupts.test.ts',
  Reboot: 'time.test.ts',
  Shutdown: 'time.test.ts',
  GetCycleCounter: 'time.test.ts',
  SetAlarm: 'interrupts.test.ts',
  GetWallclockTime: 'time.test.ts',
};

test('every row of the table has its test', () => {
  const tested = new Set([...Object.keys(CASES), ...Object.keys(ELSEWHERE)]);
  expect(CALLS.filter(({ name }) => !tested.has(name)).map(({ name }) => name)).toEqual([]);
  expect(tested.size).toBe(CALLS.length);
});

/** Devices that a call may reach; what depends on the time of day is left out. */
const DEVICES = ['pic', 'uart', 'acpi', 'pci', 'lapic', 'msrs'];

interface Left {
  result: Result;
  registers: Map<string, string>;
  memory: Uint8Array;
  devices: string;
}

/**
 * What the loop left, without the code itself, what lies under the stack pointer, and the general
 * registers and flags, which are compared by themselves.
 */
function left(guest: Guest, result: Result): Left {
  const { machine } = guest;
  const ram = machine.cpu.ram();
  ram.fill(0, PROGRAM, PROGRAM + 0x1000);
  ram.fill(0, STACK - 0x80, STACK);
  ram.fill(0, REPORT, REPORT + 0x1000);
  const registers = snapshot(machine);
  for (const name of [...REGISTER_NAMES, 'retired', 'clock', 'eip', 'eflags']) {
    registers.delete(name);
  }
  const state = machine.deviceState();
  const devices = JSON.stringify(DEVICES.map((name) => [name, state[name]]));
  return { result, registers, memory: ram, devices };
}

function firstDifference(a: Uint8Array, b: Uint8Array): string {
  if (Buffer.compare(a, b) === 0) return '';
  const at = a.findIndex((byte, i) => byte !== b[i]);
  const bytes = (ram: Uint8Array) => Buffer.from(ram.subarray(at, at + 8)).toString('hex');
  return `at ${at.toString(16)}: ${bytes(a)}, not ${bytes(b)}`;
}

const guests = {} as Record<VmiTier | 'native', Guest>;

beforeAll(async () => {
  for (const tier of VMI_TIER_NAMES) guests[tier] = await guestOf(tier);
  guests.native = await guestOf('interpreted');
});
afterAll(() => {
  for (const key of Object.keys(guests)) delete guests[key as VmiTier];
});

const ROWS = Object.entries(CASES).flatMap(([name, cases]) =>
  cases.map((c) => [c.title ? `${name}: ${c.title}` : name, name, c] as const),
);

describe.each(ROWS)('%s', (_, name: string, c: CallCase) => {
  const call: Call = CALLS.find((row) => row.name === name)!;
  let native: Left;
  /** By form, what the interpreter did. */
  const interpreted: Record<string, { retired: number }> = {};

  beforeAll(() => {
    native = left(guests.native, runLoop(guests.native, name, c, 'native'));
    expect(native.result.ending).toMatchObject({ kind: 'dead', vector: undefined });
  });

  describe.each(VMI_TIER_NAMES)('%s', (tier) => {
    test.each(FORMS)('by %s', (form) => {
      const guest = guests[tier];
      const { translated } = guest;
      const made = guest.machine.cpu.vmiCounts()[call.number]!;
      const result = runLoop(guest, name, c, form);
      const { ending, pushed } = result;
      expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
      expect({ registers: result.registers, eflags: result.eflags }).toEqual(
        expected(native.result, c),
      );
      expect(result.segments).toEqual(native.result.segments);
      const after = left(guest, result);
      c.check?.(guest);
      expect(after.registers).toEqual(native.registers);
      expect(after.devices).toBe(native.devices);
      expect(firstDifference(after.memory, native.memory)).toBe('');

      // Who did it, how often, and in how many instructions.
      const served = call.served !== 'nobody';
      const calls = guest.machine.cpu.vmiCounts()[call.number]! - made;
      if (c.again) expect(calls).toBeGreaterThanOrEqual(40);
      else expect(calls).toBe(served ? 40 : 0);
      interpreted[form] ??= result;
      if (!c.again) expect(result.retired).toBe(interpreted[form].retired);
      if (tier === 'interpreted') return;
      expect(guest.translated - translated).toBeGreaterThan(100);
      if (served && !c.unseen) {
        // What may fault is made by the routine itself where a JMP leads to it, unless it has a quick form; what is
        // unusual everywhere.
        const direct = tier === 'translated, the call made directly';
        const byRoutine =
          (isTail(form) && !call.neverFaults && !call.quick) || (call.quick && c.slow);
        expect(pushed).toBe(!direct || (byRoutine ?? false));
      }
    });
  });
});

test.each(FORMS)(
  'an access that takes a turn of its own, by %s: instructions are the same',
  (form) => {
    // The window of the video memory's planes.
    const device = { registers: { eax: 0xa0000, edx: 4, ecx: 0x1234 }, stack: [0x5678] };
    const retired = VMI_TIER_NAMES.map(
      (tier) => runLoop(guests[tier], 'WriteIDTEntry', device, form).retired,
    );
    expect(retired).toEqual(retired.map(() => retired[0]));
  },
);
