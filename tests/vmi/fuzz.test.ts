// Whatever a guest calls the ROM with: nothing throws, hangs, or reaches outside guest memory; every
// tier does the same; and ring 3 gets what its privilege gives it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CPU,
  PAGE_INFO,
  RAM_BASE,
  TLB_END,
  TLB_KERNEL,
  VMI_COUNTS,
} from '../../assembly/shared/layout.ts';
import { PAGE_RAM, PAGE_ROM } from '../../assembly/shared/paging.ts';
import { HEADER_MODE } from '../../assembly/shared/records.ts';
import type { Outcome } from '../../host/machine.ts';
import { CALLS } from '../../host/vmi/calls.ts';
import { ROM_ADDRESS, ROM_SIZE, routineOffset } from '../../host/vmi/rom.ts';
import { snapshot } from '../lib/snapshot.ts';
import { Random } from '../native/random.ts';
import { Assembler } from './assembler.ts';
import {
  isString,
  loadFuzz,
  LOG,
  LOG_LIMIT,
  randomCall,
  randomCalls,
  type FuzzCall,
} from './fuzz.ts';
import { HIGH, MEMORY, USER_CODE, USER_CS, USER_ROM, type Guest } from './guest.ts';
import { SEED } from '../lib/seed.ts';
import { COUNT } from './count.ts';
import { guestOf, VMI_TIER_NAMES, type VmiTier } from './tiers.ts';

const LISTS = COUNT ?? 24;
const CALLS_EACH = 60;
/** Instructions of a list: a guest that runs wild is stopped there. */
const LIMIT = 40_000;
/** Guest time at which every list begins. */
const EPOCH = 3_600e9;
/** Slices without an instruction after which a guest is taken to be halted for good. */
const STILL = 20;
/** No run is nearly as long as that on the host, in milliseconds. */
const HANG = 60_000;

interface Left {
  kind: Outcome['kind'];
  registers: Record<string, string>;
  log: Uint8Array;
}

function run(
  guest: Guest,
  calls: readonly FuzzCall[],
  user: Uint8Array | undefined,
  limit: number,
): Left {
  const { machine } = guest;
  const { cpu } = machine;
  const start = cpu.retired();
  // Results that are time are to be the same whatever ran before; the reset makes all timers anew.
  machine.clock.state.offset = EPOCH - start;
  loadFuzz(guest, calls, user);
  const began = performance.now();
  let kind: Outcome['kind'] = 'running';
  let still = 0;
  for (let last = start; kind === 'running' && last < start + limit; last = cpu.retired()) {
    ({ kind } = machine.runSlice(start + limit));
    expect(performance.now() - began).toBeLessThan(HANG);
    // Halted for good: time goes on, and nothing comes.
    if (cpu.retired() > last) still = 0;
    else if (++still > STILL) kind = 'idle';
  }
  const registers = Object.fromEntries(snapshot(machine));
  registers['retired'] = String(cpu.retired() - start);
  delete registers['clock'];
  return { kind, registers, log: machine.cpu.ram().slice(LOG, LOG_LIMIT) };
}

/** Memory that is not the guest's is as it must be. */
function checkHost({ machine }: Guest): void {
  const { buffer } = machine.cpu.memory;
  const words = new Uint32Array(buffer);
  // Below the processor's state is nothing but the mode of no block.
  const guard = (word: number, i: number) => word === (i === HEADER_MODE >> 2 ? 0xffffffff : 0);
  expect(words.subarray(0, CPU >> 2).every(guard)).toBe(true);
  // Nothing is RAM that was not.
  const info = words.subarray((PAGE_INFO >> 2) + MEMORY / 4096, (PAGE_INFO >> 2) + 2 ** 20);
  const odd = info.findIndex((word) => (word & (PAGE_RAM | PAGE_ROM)) !== 0);
  expect([odd, odd < 0 ? 0 : info[odd]]).toEqual([-1, 0]);
  for (let at = TLB_KERNEL >> 2; at < TLB_END >> 2; at += 4) {
    const tag = words[at]!;
    if (tag === 0) continue;
    const physical = words[at + 3]! & ~0xfff;
    const sound =
      (tag & 0xfff) === 0xfff &&
      (words[at + 1] === 0 || words[at + 1] === tag) &&
      physical >>> 0 < MEMORY &&
      words[at + 2] === (RAM_BASE + physical - (tag - 0xfff)) >>> 0;
    expect([at, sound]).toEqual([at, true]);
  }
  const rom = machine.cpu.ram().subarray(ROM_ADDRESS, ROM_ADDRESS + ROM_SIZE);
  const sum = rom.reduce((total, byte) => (total + byte) & 0xff, 0);
  if (rom[0] === 0x55) expect(sum).toBe(0);
}

const guests = {} as Record<VmiTier, Guest>;
beforeAll(async () => {
  for (const tier of VMI_TIER_NAMES) guests[tier] = await guestOf(tier);
});
/** A look at all of the TLB takes longer than a list. */
const CHECKED_EACH = 10;
let tests = 0;
afterEach(() => {
  if (++tests % CHECKED_EACH === 0) for (const tier of VMI_TIER_NAMES) checkHost(guests[tier]);
});
afterAll(() => {
  for (const tier of VMI_TIER_NAMES) checkHost(guests[tier]);
});

function difference(a: Uint8Array, b: Uint8Array): string {
  if (Buffer.compare(a, b) === 0) return '';
  const at = a.findIndex((byte, i) => byte !== b[i]) & ~3;
  const words = (log: Uint8Array) =>
    Array.from({ length: 12 }, (_, i) =>
      Buffer.from(log.subarray(at + 4 * (i - 4), at + 4 * (i - 3)))
        .reverse()
        .toString('hex'),
    ).join(' ');
  return `${at.toString(16)}: ${words(a)}, not ${words(b)}`;
}

interface Comparison {
  /** Code of ring 3. */
  user?: Uint8Array;
  counted?: boolean;
  limit?: number;
}

/**
 * Runs the list in every tier; what is left is the same. `counted`: also where the call is made
 * directly, which counts instructions as the routine's unless an access takes a turn of its own.
 */
function compare(
  calls: readonly FuzzCall[],
  { user, counted = true, limit = LIMIT }: Comparison = {},
): Left {
  const left = VMI_TIER_NAMES.map((tier) => run(guests[tier], calls, user, limit));
  const [first] = left;
  left.forEach((other, i) => {
    const tier = VMI_TIER_NAMES[i]!;
    if (!counted && tier === 'translated, the call made directly') return;
    expect({ tier, ...other.registers, kind: other.kind }).toEqual({
      ...{ tier, ...first!.registers, kind: first!.kind },
    });
    expect([tier, difference(other.log, first!.log)]).toEqual([tier, '']);
  });
  return first!;
}

describe(`arguments at random: VMI86_SEED=${SEED}`, () => {
  test.each([...new Array(LISTS).keys()])('list %i', (number) => {
    const wild = number % 2 === 1;
    const random = new Random(SEED, `vmi fuzz ${number}`);
    compare(randomCalls(random, CALLS_EACH, wild), { counted: !wild });
  });

  test('a guest that goes from fault to fault without a branch lets the host go on', () => {
    // Real mode, with the ROM out of reach: handlers are where the gates’ halves point, in zeros.
    const calls = [0x43a880, 0].map((eax) => ({
      name: 'SetCR0',
      words: [eax, 0, 0, 0, 0, 0, 0, 0, 0],
    }));
    expect(compare(calls, { limit: 1000 }).kind).toBe('running');
  });

  test.each([...CALLS.map(({ name }) => name), 'vmcall', 'vmcall without a stack'])(
    '%s, again and again',
    (name) => {
      const random = new Random(SEED, `vmi fuzz ${name}`);
      for (const wild of [false, true]) {
        const calls = Array.from({ length: 30 }, () => randomCall(random, name, wild));
        compare(calls, { counted: !wild && !isString(name) });
      }
    },
  );
});

describe('ring 3', () => {
  const TIMES = 12;
  /** Between two pieces of code. */
  const STRIDE = 32;
  const served = CALLS.filter((call) => call.served !== 'nobody');

  /**
   * Runs pieces of code in ring 3, each TIMES times; gives what the handlers logged: vector, error
   * code, EIP and CS, of the first of each when all its times are alike.
   */
  const outcomes = (pieces: ((a: Assembler) => unknown)[]): number[][] => {
    const code = new Uint8Array(STRIDE * pieces.length);
    pieces.forEach((piece, i) => {
      const a = new Assembler(USER_CODE + STRIDE * i);
      piece(a);
      code.set(a.emit(0xcd, 0x80).finish(), STRIDE * i);
    });
    const calls = pieces.flatMap((_, i) =>
      new Array<FuzzCall>(TIMES).fill({
        name: 'user',
        words: [USER_CODE + STRIDE * i, 0xcf8, 3, 4, 5, 6, 7, 8, 9],
      }),
    );
    const before = VMI_TIER_NAMES.map((tier) => made(guests[tier]));
    const { log, kind } = compare(calls, { user: code, limit: 10 * LIMIT });
    expect(kind).toBe('dead');
    expect(VMI_TIER_NAMES.map((tier) => made(guests[tier]))).toEqual(before);
    const words = new Uint32Array(log.buffer, log.byteOffset, log.length / 4);
    return pieces.map((_, i) => {
      const each = Array.from({ length: TIMES }, (_, j) => {
        const at = 5 * (TIMES * i + j);
        return [...words.subarray(at, at + 4)];
      });
      for (const other of each) expect(other).toEqual(each[0]);
      return each[0]!;
    });
  };
  const made = (guest: Guest) => {
    const counts = new Uint32Array(guest.machine.cpu.memory.buffer, VMI_COUNTS, 128);
    return counts.reduce((sum, count) => sum + count, 0);
  };

  test('each routine, by a mapping of the ROM that it may use: #GP at VMCALL', () => {
    const at = served.map((call) => USER_ROM + routineOffset(call));
    // PUSH imm8 is two bytes.
    expect(outcomes(at.map((address) => (a) => a.call(address)))).toEqual(
      at.map((address) => [13, 0, address + 2, USER_CS]),
    );
  });

  test('each routine, by the kernel’s mapping: #PF', () => {
    const at = served.map((call) => HIGH + ROM_ADDRESS + routineOffset(call));
    expect(outcomes(at.map((address) => (a) => a.call(address)))).toEqual(
      at.map((address) => [14, 5, address, USER_CS]),
    );
  });

  test('VMCALL by itself, with any number: #GP', () => {
    const numbers = [0, 29, 33, 37, 38, 73, 74, 0xff, 0xffffffff];
    const pieces = numbers.map(
      (number) => (a: Assembler) => a.push(0).push(number).emit(0x0f, 0x01, 0xc1),
    );
    expect(outcomes(pieces)).toEqual(
      numbers.map((_, i) => [13, 0, USER_CODE + STRIDE * i + 10, USER_CS]),
    );
  });

  test('the entry points answer: they are code like any other', () => {
    const [[vector] = []] = outcomes([
      (a) =>
        a
          .mov('eax', 29)
          .call(USER_ROM + 0x88)
          .emit(0x83, 0xfa, 1)
          .jumpIf(5, USER_CODE),
    ]);
    expect(vector).toBe(0x80);
  });

  test('the ROM cannot be written', () => {
    outcomes([(a) => a.set(USER_ROM + 0x200, 0x90909090)]);
    for (const tier of VMI_TIER_NAMES) {
      expect(guests[tier].machine.cpu.ram()[ROM_ADDRESS + 0x200]).toBe(0x6a);
    }
  });
});
