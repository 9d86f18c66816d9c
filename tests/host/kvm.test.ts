import { describe, expect, test } from 'vitest';
import { tscScale } from '../../host/kvm/pvclock';
import type { Machine } from '../../host/machine';
import type { FaceName } from '../../host/paravirt/face';
import { StealClock, timeHooks } from '../../host/paravirt/time';
import {
  CLI,
  type Code,
  CPUID,
  HLT,
  mov,
  RDMSR,
  RDTSC,
  repeat,
  store,
  writeMsr,
} from '../lib/instructions';
import { FOREVER, POWER_OFF } from '../lib/kernels';
import { FACE_TIERS, faceMachine, memory, runOut } from './faces';
import { TestClock } from './support';

const MSRS = {
  oldWallClock: 0x11,
  oldSystemTime: 0x12,
  wallClock: 0x4b564d00,
  systemTime: 0x4b564d01,
  steal: 0x4b564d03,
  eoi: 0x4b564d04,
};
const RECORD = 0x9000;
const AT = 0x8000;

/** What a guest computes from a time record. */
function pvclock(view: DataView, at: number, tsc: bigint): bigint {
  const shift = view.getInt8(at + 28);
  const passed = BigInt.asUintN(64, tsc - view.getBigUint64(at + 8, true));
  const shifted = shift < 0 ? passed >> BigInt(-shift) : passed << BigInt(shift);
  const scaled = (shifted * BigInt(view.getUint32(at + 24, true))) >> 32n;
  return view.getBigUint64(at + 16, true) + scaled;
}

async function finished(face: FaceName, jit: boolean, ...code: Code): Promise<Machine> {
  const machine = await faceMachine(face, [CLI, ...code, POWER_OFF, HLT], { jit });
  expect(runOut(machine)).toBe('poweroff');
  return machine;
}

/** Enough of something for a translator to have had its part. */
const warm = repeat(20, 0x90);

describe('the scale of the counter', () => {
  test('is exact at 1 GHz, and the guest derives 1,000,000 kHz from it', () => {
    const { mul, shift } = tscScale(1e6);
    expect({ mul, shift }).toEqual({ mul: 2 ** 31, shift: 1 });
    expect(((1_000_000n << 32n) / BigInt(mul)) >> BigInt(shift)).toBe(1_000_000n);
  });

  test.each([1000, 33_333, 799_999, 999_999, 1_000_001, 2_400_000, 5_000_000])(
    'has 31 bits at %d kHz',
    (khz) => {
      const { mul, shift } = tscScale(khz);
      expect(mul).toBeGreaterThanOrEqual(2 ** 31);
      expect(mul).toBeLessThan(2 ** 32);
      expect(((mul / 2 ** 32) * 2 ** shift * khz) / 1e6).toBeCloseTo(1, 9);
    },
  );
});

describe.each(FACE_TIERS)('the KVM face in the %s', (_tier, jit) => {
  test('its leaves', async () => {
    const cpuid = async (leaf: number): Promise<number[]> => {
      const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;
      const saved = registers.map((register, i) => store(AT + 4 * i, register));
      const machine = await finished('kvm', jit, repeat(20, mov('eax', leaf), CPUID, ...saved));
      return registers.map((_, i) => memory(machine).getUint32(AT + 4 * i, true));
    };
    const [last, ...signed] = await cpuid(0x40000000);
    expect(last).toBe(0x40000001);
    expect(Buffer.from(Uint32Array.from(signed).buffer).toString('latin1')).toBe('KVMKVMKVM\0\0\0');
    // Bits 0, 1, 3: clocks; 5 steal time, 6 PV EOI, 11 IPIs, 13 yield, 24 stable.
    expect(await cpuid(0x40000001)).toEqual([0x0100286b, 0, 0, 0]);
    expect(await cpuid(0x40000002)).toEqual(await cpuid(2));
    expect((await cpuid(1))[2]! >>> 31).toBe(1);
  });

  test.each([
    ['first', MSRS.oldSystemTime],
    ['second', MSRS.systemTime],
  ])('the clock of the %s generation is the guest’s time', async (_generation, msr) => {
    const machine = await finished(
      'kvm',
      jit,
      ...[warm, writeMsr(msr, RECORD | 1), RDTSC, store(AT, 'eax'), store(AT + 4, 'edx')],
      ...[mov('ecx', msr), RDMSR, store(AT + 8, 'eax')],
    );
    const view = memory(machine);
    expect(view.getUint32(RECORD, true)).toBe(2); // even, and not what it was
    expect(view.getUint8(RECORD + 29)).toBe(1);
    const tsc = view.getBigUint64(AT, true);
    expect(pvclock(view, RECORD, tsc)).toBe(tsc); // both count from the start of the machine
    expect(view.getUint32(AT + 8, true)).toBe(RECORD | 1);
  });

  test('the record follows a guest that sets its counter', async () => {
    const machine = await finished(
      'kvm',
      jit,
      ...[warm, writeMsr(MSRS.systemTime, RECORD | 1), writeMsr(0x10, 0x89abcdef, 0xff234567)],
      ...[RDTSC, store(AT, 'eax'), store(AT + 4, 'edx')],
    );
    const view = memory(machine);
    expect(view.getUint32(RECORD, true)).toBe(4);
    const tsc = view.getBigUint64(AT, true);
    expect(tsc >> 32n).toBe(0xff234567n);
    const time = pvclock(view, RECORD, tsc);
    expect(Number(time)).toBeGreaterThan(10);
    expect(Number(time)).toBeLessThan(machine.clock.now());
  });

  test.each([
    ['first', MSRS.oldWallClock],
    ['second', MSRS.wallClock],
  ])('the wall clock of the %s generation', async (_generation, msr) => {
    const code = [CLI, warm, writeMsr(msr, RECORD), POWER_OFF, HLT];
    const machine = await faceMachine('kvm', code, { jit, date: 1_700_000_000_123 });
    runOut(machine);
    const view = memory(machine);
    expect(view.getUint32(RECORD, true)).toBe(2);
    expect(view.getUint32(RECORD + 4, true)).toBe(1_700_000_000);
    expect(view.getUint32(RECORD + 8, true)).toBe(123_000_000);
  });

  test.each([
    ['no RAM', MSRS.systemTime, 0xf0000001, 0],
    ['the end of RAM', MSRS.systemTime, 0xfffff1, 0],
    ['beyond 4 GiB', MSRS.steal, 1, 0x80000000],
    ['beyond 4 GiB', MSRS.wallClock, 0, 0xffffffff],
    ['no RAM', MSRS.eoi, 0xfee00001, 0],
  ])('a record in %s is none (%i)', async (_where, msr, low, high) => {
    await finished('kvm', jit, warm, writeMsr(msr, low, high));
  });

  test.each([
    ['reserved bits of steal time', MSRS.steal, 0x9003],
    ['a misaligned word for EOI', MSRS.eoi, 0x9003],
    ['asynchronous page faults', 0x4b564d02, 0x9001],
    ['poll control', 0x4b564d05, 0],
  ])('#GP: %s', async (_what, msr, value) => {
    const machine = await faceMachine('kvm', [CLI, writeMsr(msr, value), POWER_OFF, HLT], { jit });
    expect(runOut(machine)).toBe('dead');
  });

  test.each(Object.values(MSRS))('#GP for MSR %i in every other face', async (msr) => {
    for (const face of ['none', 'vmi', 'vmware'] as const) {
      for (const code of [writeMsr(msr, RECORD | 1), [...mov('ecx', msr), ...RDMSR]]) {
        const machine = await faceMachine(face, [CLI, code, POWER_OFF, HLT], { jit });
        expect(runOut(machine)).toBe('dead');
      }
    }
  });
});

describe.each(FACE_TIERS)('VMCALL in the %s', (_tier, jit) => {
  const OPCODES: [string, number[]][] = [
    ['VMCALL', [0x0f, 0x01, 0xc1]],
    ['VMMCALL', [0x0f, 0x01, 0xd9]],
  ] as [string, number[]][];

  test.each(OPCODES)('%s is a hypercall', async (_name, opcode) => {
    const machine = await finished(
      'kvm',
      jit,
      repeat(50, mov('eax', 9), mov('ebx', RECORD), mov('ecx', 0), opcode, store(AT, 'eax')),
      ...[mov('eax', 77), opcode, store(AT + 4, 'eax'), store(AT + 8, 'ebx')],
    );
    const view = memory(machine);
    expect(view.getUint32(AT, true)).toBe(0);
    expect(view.getBigUint64(RECORD + 16, true)).toBeGreaterThan(0n);
    expect(view.getInt32(AT + 4, true)).toBe(-1000);
    expect(view.getUint32(AT + 8, true)).toBe(RECORD);
    expect(machine.stats()['paravirt']).toMatchObject({
      calls: { KVM_HC_CLOCK_PAIRING: 50, 'unknown hypercall': 1 },
    });
  });

  test.each(OPCODES)('%s is undefined with none and vmware', async (_name, opcode) => {
    for (const face of ['none', 'vmware'] as const) {
      const machine = await faceMachine(face, [CLI, mov('eax', 9), opcode, POWER_OFF], { jit });
      expect(runOut(machine)).toBe('dead');
    }
  });
});

describe('steal time', () => {
  test('is what passes between runs, not while halted', () => {
    const clock = new TestClock();
    const steal = new StealClock(clock);
    expect(steal.resumes()).toBe(0);
    clock.advance(1000);
    steal.stopped(false);
    clock.advance(300);
    expect(steal.resumes()).toBe(300);
    clock.advance(1000);
    expect(steal.resumes()).toBe(0);
    steal.stopped(true);
    clock.advance(5000);
    expect(steal.resumes()).toBe(0);
    expect(timeHooks(clock, steal, 0).steal_clock()).toBe(300);
  });

  /** A guest that spins, on a host that takes it off the processor for so long. */
  async function deprived(ns: number, ...setUp: Code): Promise<DataView> {
    let now = 0;
    const machine = await faceMachine('kvm', [CLI, ...setUp, FOREVER], {
      clock: 'host',
      hostNow: () => (now += 10),
    });
    machine.runSlice(1); // one call of the core
    now += ns;
    machine.runSlice(1);
    return memory(machine);
  }

  test('reaches the guest’s record', async () => {
    const view = await deprived(7_000_000, writeMsr(MSRS.steal, RECORD | 1));
    const stolen = Number(view.getBigUint64(RECORD, true));
    expect(stolen).toBeGreaterThanOrEqual(7_000_000);
    expect(stolen).toBeLessThan(7_010_000);
    expect(view.getUint32(RECORD + 8, true)).toBe(2);
  });

  test('is nobody’s before the guest has said where', async () => {
    const view = await deprived(7_000_000);
    expect(view.getUint32(RECORD, true)).toBe(0);
  });

  test('is none on the virtual clock', async () => {
    const machine = await faceMachine('kvm', [CLI, writeMsr(MSRS.steal, RECORD | 1), FOREVER]);
    for (let slices = 0; slices < 5; slices++) machine.runSlice();
    expect(memory(machine).getBigUint64(RECORD, true)).toBe(0n);
  });
});

describe('time', () => {
  test('the wall clock keeps a date’s nanoseconds', () => {
    const clock = new TestClock();
    const hooks = timeHooks(clock, new StealClock(clock), 1_700_000_000_123.25);
    clock.advance(5_000_000_001);
    expect(hooks.get_wallclock()).toBe(1_700_000_005_123_250_001n);
    expect(hooks.sched_clock()).toBe(5_000_000_001);
  });
});

describe('hypercalls', () => {
  interface Call {
    number: number;
    ebx?: number;
    ecx?: number;
    edx?: number;
    esi?: number;
  }

  async function machine(): Promise<Machine> {
    return faceMachine('kvm', [CLI, FOREVER], { date: 1_700_000_000_000 });
  }

  function call(on: Machine, { number, ebx = 0, ecx = 0, edx = 0, esi = 0 }: Call): number {
    const { state } = on.cpu;
    const registers = { eax: number, ebx, ecx, edx, esi };
    for (const [name, value] of Object.entries(registers)) {
      state.setRegister(name as keyof typeof registers, value);
    }
    on.face.hypercall!();
    for (const name of ['ebx', 'ecx', 'edx', 'esi'] as const) {
      expect(state.register(name)).toBe(registers[name]);
    }
    return state.register('eax') | 0;
  }

  test('unknown and obsolete ones are -1000', async () => {
    const on = await machine();
    for (const number of [0, 1, 2, 3, 4, 5, 12, 0x7fffffff, 0xffffffff]) {
      expect(call(on, { number, ebx: 0xffffffff, ecx: 0xffffffff })).toBe(-1000);
    }
    expect(on.stats()['paravirt']).toMatchObject({
      calls: { KVM_HC_MMU_OP: 1, KVM_HC_KICK_CPU: 1, 'unknown hypercall': 5 },
    });
  });

  test('any of them is -1 outside ring 0', async () => {
    const on = await machine();
    on.cpu.state.cpl = 3;
    for (const number of [2, 9, 10, 11, 99]) expect(call(on, { number })).toBe(-1);
  });

  test('SCHED_YIELD is done', async () => {
    expect(call(await machine(), { number: 11 })).toBe(0);
  });

  test('SEND_IPI reaches the processor whose number the bitmap has', async () => {
    const on = await machine();
    const { lapic } = on.board;
    expect(call(on, { number: 10, ebx: 2, ecx: 1, esi: 0x51 })).toBe(0);
    expect(call(on, { number: 10, ebx: 1, edx: 1, esi: 0x51 })).toBe(0);
    expect(lapic.pending()).toBe(false);
    expect(call(on, { number: 10, ebx: 1, esi: 0x51 })).toBe(1);
    expect(lapic.acknowledge()).toBe(0x51);
    expect(call(on, { number: 10, ebx: 1, esi: 0x551 })).toBe(-22); // INIT
    expect(call(on, { number: 10, ebx: 1, esi: 0x40051 })).toBe(-22); // a shorthand
    lapic.write(0x20, 40 << 24);
    expect(call(on, { number: 10, ecx: 1 << 8, esi: 0x52 })).toBe(1);
  });

  test('CLOCK_PAIRING gives one moment on both clocks', async () => {
    const on = await machine();
    on.runSlice();
    expect(call(on, { number: 9, ebx: RECORD })).toBe(0);
    const view = memory(on);
    const now = on.clock.now();
    expect(view.getBigInt64(RECORD, true)).toBe(1_700_000_000n + BigInt(Math.floor(now / 1e9)));
    expect(view.getBigInt64(RECORD + 8, true)).toBe(BigInt(now % 1e9));
    expect(view.getBigUint64(RECORD + 16, true)).toBe(BigInt(now));
    expect(call(on, { number: 9, ebx: RECORD, ecx: 1 })).toBe(-95);
    expect(call(on, { number: 9, ebx: 0xfffffff0 })).toBe(-14);
  });
});

test('nothing that a guest passes throws or leaves guest memory', async () => {
  const machine = await faceMachine('kvm', [CLI, FOREVER]);
  const { state } = machine.cpu;
  const { face } = machine;
  let seed = 2024;
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
  const size = machine.cpu.ram().length;
  const outside = new Uint8Array(machine.cpu.memory.buffer, 0x10000, 0x30000).slice();
  // Any address, one near the end of RAM, or a small number.
  const word = (): number =>
    [random(), size - 128 + (random() >>> 24), random() >>> 28][random() >>> 30] ?? 0;
  for (let i = 0; i < 20_000; i++) {
    for (const name of ['ebx', 'ecx', 'edx', 'esi'] as const) state.setRegister(name, word());
    state.setRegister('eax', random() >>> 28);
    face.hypercall!();
    const index = Object.values(MSRS)[(random() >>> 16) % 6]!;
    const high = random() >>> 31 ? 0n : BigInt(random()) << 32n;
    face.writeMsr!(index, high | BigInt(word()));
    face.stolen!(1 + (random() >>> 12));
    machine.board.lapic.accept(0x40 + (random() >>> 26), false);
    if (machine.board.lapic.pending()) machine.board.lapic.acknowledge();
    machine.board.lapic.write(0xb0, 0);
  }
  expect(new Uint8Array(machine.cpu.memory.buffer, 0x10000, 0x30000)).toEqual(outside);
});

test('counts outlive a reset, what the guest set does not', async () => {
  const reset = [0xb0, 0xfe, 0xe6, 0x64]; // mov al, FEh; out 64h, al
  const code = [CLI, writeMsr(MSRS.systemTime, RECORD | 1), reset, FOREVER];
  const machine = await faceMachine('kvm', code);
  for (let resets = 0; resets < 2;) if (machine.runSlice().kind === 'reset') resets++;
  expect(machine.stats()['paravirt']).toMatchObject({ hooks: { 'time.sched_clock': 2 } });
  expect(machine.face.readMsr!(MSRS.systemTime)).toBe(0n);
});
