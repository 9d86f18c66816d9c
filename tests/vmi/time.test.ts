// The counters, the wall clock, and the calls that end a machine.

import { beforeAll, describe, expect, test } from 'vitest';
import { dword, NOT_EQUAL, type Assembler } from './assembler.ts';
import { REPORT, routine, VARIABLES, type Guest } from './guest.ts';
import { guestOf, VMI_TIER_NAMES } from './tiers.ts';

const COUNT = VARIABLES;
const ROUNDS = 50;
/** Instructions between two counters that are compared, at most. */
const BETWEEN = 12;
/** Guest time 0 of the virtual clock. */
const START = BigInt(Date.UTC(2024, 0, 1)) * 1_000_000n;

describe.each(VMI_TIER_NAMES)('%s', (tier) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await guestOf(tier);
  });

  const pair = (at: number): bigint => BigInt(guest.word(at)) | (BigInt(guest.word(at + 4)) << 32n);
  const storePair = (a: Assembler, at: number) => a.store(at, 'eax').store(at + 4, 'edx');

  /** RDTSC, the call, and RDTSC again, in every round; the last round's are left. */
  const between = (call: (a: Assembler) => void, before: (a: Assembler) => void = () => {}) => {
    const ending = guest.run((a) => {
      before(a);
      a.set(COUNT, ROUNDS).label('again');
      storePair(a.emit(0x0f, 0x31), REPORT);
      call(a);
      storePair(a, REPORT + 8);
      storePair(a.emit(0x0f, 0x31), REPORT + 16);
      a.dec(COUNT).jumpIf(NOT_EQUAL, 'again');
    });
    expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
    const [first, called, last] = [pair(REPORT), pair(REPORT + 8), pair(REPORT + 16)];
    expect(last - first).toBeLessThan(BETWEEN);
    return { first, called, last };
  };

  /** Sets the counter to 1122334400000000h. */
  const ahead = (a: Assembler): void =>
    void a.mov('ecx', 0x10).mov('eax', 0).mov('edx', 0x11223344).emit(0x0f, 0x30);
  const nothing = (): void => {};

  test.each([
    ['RDTSC', 0, nothing],
    ['RDTSC after WRMSR of the counter', 0, ahead],
    ['GetCycleCounter, real', 0, nothing],
    ['GetCycleCounter, real, after WRMSR of the counter', 0, ahead],
    ['GetCycleCounter, available', 1, ahead],
  ])('%s is the time-stamp counter', (title, counter, before) => {
    const call = routine(title.split(/[ ,]/)[0]!);
    const { first, called, last } = between((a) => a.mov('eax', counter).call(call), before);
    expect(called).toBeGreaterThan(first);
    expect(called).toBeLessThan(last);
    if (before === ahead) expect(first >> 32n).toBe(0x11223344n);
  });

  test.each([2, 3, 255, 0x80000000])('GetCycleCounter %i: 0', (counter) => {
    const { called } = between((a) => a.mov('eax', counter).call(routine('GetCycleCounter')));
    expect(called).toBe(0n);
  });

  test('available is real less stolen', () => {
    const stolen = 0x1_2345_6789n;
    guest.load((a) => {
      a.set(COUNT, ROUNDS).label('again');
      for (const counter of [0, 1, 2]) {
        a.mov('eax', counter).call(routine('GetCycleCounter'));
        storePair(a, REPORT + 8 * counter);
      }
      a.dec(COUNT).jumpIf(NOT_EQUAL, 'again');
    });
    guest.machine.cpu.state.stolenCycles = stolen;
    guest.go();
    guest.machine.cpu.state.stolenCycles = 0n;
    const [real, available, stole] = [pair(REPORT), pair(REPORT + 8), pair(REPORT + 16)];
    expect(stole).toBe(stolen);
    const later = BigInt.asIntN(64, available + stolen - real);
    expect(later).toBeGreaterThan(0n);
    expect(later).toBeLessThan(BETWEEN);
  });

  test('GetCycleFrequency is the frequency of the counter, 1 GHz', () => {
    const { called } = between((a) => a.call(routine('GetCycleFrequency')));
    expect(called).toBe(1_000_000_000n);
  });

  test('GetWallclockTime is nanoseconds since 1970', () => {
    const { called, first } = between((a) => a.call(routine('GetWallclockTime')));
    // The counter is guest time.
    expect(called - START - first).toBeGreaterThan(0);
    expect(called - START - first).toBeLessThan(BETWEEN);
  });

  test.each([
    ['Reboot', 0, 'reset'],
    ['Reboot', 1, 'reset'],
    ['Shutdown', 0, 'poweroff'],
  ])('%s(%i) ends in %s', async (name, eax, kind) => {
    // Translated before it first runs: it runs once.
    const once = await guestOf(tier, { translator: { heatLimit: 0, batch: 1 } });
    const { translated } = once;
    const ending = once.run((a) => {
      a.mov('eax', eax).call(routine(name)).emit(0x0f, 0x0b, dword(0));
    });
    expect(ending).toMatchObject({ kind, vector: undefined });
    if (tier !== 'interpreted') expect(once.translated).toBeGreaterThan(translated);
  });
});
