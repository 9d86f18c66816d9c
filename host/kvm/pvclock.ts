/**
 * The records in guest memory from which a guest computes time (Linux's asm/pvclock-abi.h).
 *
 * Time is  system_time + ((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32  in
 * nanoseconds. Writers make the version odd, write, and make it even: a reader that saw an odd
 * version or two different ones reads again.
 */

import { NS_PER_SECOND } from '../clock';

/** struct pvclock_vcpu_time_info. */
export const TIME_INFO_SIZE = 32;
const TIME_VERSION = 0;
const TIME_TSC = 8;
const TIME_SYSTEM = 16;
const TIME_MUL = 24;
const TIME_SHIFT = 28;
const TIME_FLAGS = 29;
/** The records of all processors count alike: readers need not guard against steps back. */
const PVCLOCK_TSC_STABLE_BIT = 1;

/** struct pvclock_wall_clock. */
export const WALL_CLOCK_SIZE = 12;
const WALL_VERSION = 0;
const WALL_SECONDS = 4;
const WALL_NANOSECONDS = 8;

/** How to turn ticks into nanoseconds; the multiplier is a fraction of 2^32, at least a half. */
export function tscScale(khz: number): { mul: number; shift: number } {
  let ratio = 1e6 / khz;
  let shift = 0;
  for (; ratio >= 1; ratio /= 2) shift++;
  for (; ratio < 0.5; ratio *= 2) shift--;
  return { mul: Math.floor(ratio * 2 ** 32), shift };
}

/** The version of a record while it is written: odd, and none that a reader has seen. */
export function nextOdd(version: number): number {
  return ((version + 1) | 1) >>> 0;
}

/** One moment: nanoseconds, and the guest's counter. */
export interface Moment {
  now: number;
  tsc: bigint;
}

/**
 * Of a counter that is the time in nanoseconds and an offset.
 * @param offset modulo 2^64
 */
export function moment(now: number, offset: bigint): Moment {
  return { now, tsc: BigInt.asUintN(64, BigInt(now) + offset) };
}

/** Writes a time record, which stays right for as long as the counter runs evenly. */
export function writeTimeInfo(bytes: Uint8Array, { now, tsc }: Moment, khz: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TIME_INFO_SIZE);
  const { mul, shift } = tscScale(khz);
  const version = nextOdd(view.getUint32(TIME_VERSION, true));
  view.setUint32(TIME_VERSION, version, true);
  view.setBigUint64(TIME_TSC, tsc, true);
  view.setBigUint64(TIME_SYSTEM, BigInt(now), true);
  view.setUint32(TIME_MUL, mul, true);
  view.setInt8(TIME_SHIFT, shift);
  view.setUint8(TIME_FLAGS, PVCLOCK_TSC_STABLE_BIT);
  view.setUint32(TIME_VERSION, version + 1, true);
}

/** Writes the wall clock's record. @param start nanoseconds since 1970 when system_time was 0 */
export function writeWallClock(bytes: Uint8Array, start: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WALL_CLOCK_SIZE);
  const version = nextOdd(view.getUint32(WALL_VERSION, true));
  view.setUint32(WALL_VERSION, version, true);
  view.setUint32(WALL_SECONDS, Number(start / BigInt(NS_PER_SECOND)), true);
  view.setUint32(WALL_NANOSECONDS, Number(start % BigInt(NS_PER_SECOND)), true);
  view.setUint32(WALL_VERSION, version + 1, true);
}
