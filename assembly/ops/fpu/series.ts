// What the transcendental functions share: numbers of 128 bits and their power series.
//
// A number is (high, low) / 2^128 * 2^exponent with the top bit of high set, and a sign; one lives
// in the variables here at a time. A fraction is 128 bits after the point and never one or more.
import { normalizePack } from './value';
import { low, multiplyHigh, shiftLeft, shiftRightSticky } from './wide';

export let numberHigh: u64 = 0;
export let numberLow: u64 = 0;
export let numberExponent: i32 = 0;

/** Makes (hi, lo) / 2^128 * 2^exponent the number, normalised; it is not zero. */
export function setNumber(hi: u64, lo: u64, exponent: i32): void {
  const shift: i32 = hi ? <i32>clz(hi) : 64 + <i32>clz(lo);
  if (shift) {
    hi = shiftLeft(hi, lo, shift);
    lo = low;
  }
  numberHigh = hi;
  numberLow = lo;
  numberExponent = exponent - shift;
}

/** The number as a fraction; its exponent is not positive. The low half is in `low`. */
export function fraction(): u64 {
  return shiftRightSticky(numberHigh, numberLow, -numberExponent);
}

/** The number times (hi, lo) as a fraction. */
export function scaleNumber(hi: u64, lo: u64): void {
  const product = multiplyHigh(numberHigh, numberLow, hi, lo);
  setNumber(product, low, numberExponent);
}

/** Rounds and packs the number: inexact always. */
export function packNumber(sign: u32): u64 {
  return normalizePack(sign, numberExponent + 0x3ffe, numberHigh, numberLow | 1, 64);
}

/** x (c0 + x (c1 + x (c2 ...))) over `count` coefficients at `table`, a fraction. */
export function series(table: usize, count: i32, xh: u64, xl: u64): u64 {
  let at = table + ((<usize>count) << 4) - 16;
  let hi = load<u64>(at);
  let lo = load<u64>(at, 8);
  while (at > table) {
    at -= 16;
    hi = multiplyHigh(hi, lo, xh, xl);
    const sum = low + load<u64>(at, 8);
    hi += load<u64>(at) + <u64>(sum < low);
    lo = sum;
  }
  return multiplyHigh(hi, lo, xh, xl);
}

/** x (c0 - x (c1 - x (c2 ...))). */
export function alternating(table: usize, count: i32, xh: u64, xl: u64): u64 {
  let at = table + ((<usize>count) << 4) - 16;
  let hi = load<u64>(at);
  let lo = load<u64>(at, 8);
  while (at > table) {
    at -= 16;
    hi = multiplyHigh(hi, lo, xh, xl);
    const difference = load<u64>(at, 8) - low;
    hi = load<u64>(at) - hi - <u64>(load<u64>(at, 8) < low);
    lo = difference;
  }
  return multiplyHigh(hi, lo, xh, xl);
}
