// The ordinary case of what x87 code does most, for translated code to paste: leaves, which call
// nothing and touch no global. Operands are values: mantissa, and sign and exponent as in memory. A
// result goes into the register `d`, named by its offset from FPU_REGS.
//
// Arithmetic: normal operands, a result in the normal range, and the control word that Linux gives
// a program (nearest, 64 bits, all masked). Stores and comparisons also know zero, stores also any
// rounding, but rely on the caller for the masks: all set. Each returns the bits that the operation
// leaves in the status word (PE, C1, or the condition code), or UNDONE, and has then changed
// nothing: masked.ts does everything. Tags, pointers and the status word are the caller's.
// A leaf is what the optimizer leaves one: helpers are few and small enough to be inlined.
import { FPU_CONTROL, FPU_REGS } from '../../shared/layout';
import { C0, C1, C3, COMMON, COMMON_SET, PE, RC_CHOP, RC_UP, ROUNDING, TOP_BIT } from './words';

const UNDONE = -1;

function set(p: u32, m: u64, se: u32): void {
  store<u64>(p, m, FPU_REGS);
  store<u16>(p, se, FPU_REGS + 8);
}

/** Is it a normal number? Unnormals are none. */
function normal(m: u64, se: u32): bool {
  return (((se + 1) & 0x7ffe) != 0) & (<i64>m < 0);
}

function zero(m: u64, se: u32): bool {
  return (m | (se & 0x7fff)) == 0;
}

function usual(): bool {
  return (load<u32>(FPU_CONTROL) & COMMON) == COMMON_SET;
}

/** d = x + y, the sign of y changed by `flip` (0 or 8000h). */
export function quick_add(d: u32, x: u64, xse: u32, y: u64, yse: u32, flip: u32): i32 {
  yse ^= flip;
  if (!usual()) return UNDONE;
  if (<i64>(x & y) >= 0) return UNDONE;
  if (((xse + 1) & 0x7ffe) == 0) return UNDONE;
  if (((yse + 1) & 0x7ffe) == 0) return UNDONE;
  let shift = <i32>(xse & 0x7fff) - <i32>(yse & 0x7fff);
  if (shift < 0 || (shift == 0 && y > x)) {
    const m = x;
    x = y;
    y = m;
    const se = xse;
    xse = yse;
    yse = se;
    shift = -shift;
  }
  if (shift >= 64) return UNDONE;
  let e = <i32>(xse & 0x7fff);
  let hi = y >> shift;
  let lo = (y << 1) << (63 - shift);
  if (((xse ^ yse) & 0x8000) == 0) {
    hi += x;
    if (hi < x) {
      lo = (hi << 63) | (lo >> 1) | (lo & 1);
      hi = (hi >> 1) | TOP_BIT;
      e++;
    }
  } else {
    hi = x - hi - <u64>(lo != 0);
    lo = 0 - lo;
    if (hi == 0) {
      if (lo == 0) {
        set(d, 0, 0);
        return 0;
      }
      hi = lo;
      lo = 0;
      e -= 64;
    }
    const z = <i32>clz(hi);
    hi = (hi << z) | ((lo >> 1) >> (63 - z));
    lo <<= z;
    e -= z;
  }
  const up = lo > TOP_BIT - (hi & 1);
  hi += <u64>up;
  if (hi == 0) {
    hi = TOP_BIT;
    e++;
  }
  if (<u32>(e - 1) >= 0x7ffe) return UNDONE;
  set(d, hi, (xse & 0x8000) | e);
  return lo ? (up ? PE | C1 : PE) : 0;
}

/** d = x * y. */
export function quick_mul(d: u32, x: u64, xse: u32, y: u64, yse: u32): i32 {
  // Four branches that are never taken cost less than one of four conditions: the matrix product takes 0.89.
  if (!usual()) return UNDONE;
  if (<i64>(x & y) >= 0) return UNDONE;
  if (((xse + 1) & 0x7ffe) == 0) return UNDONE;
  if (((yse + 1) & 0x7ffe) == 0) return UNDONE;
  const xl = x & 0xffffffff;
  const xh = x >> 32;
  const yl = y & 0xffffffff;
  const yh = y >> 32;
  const mid = xh * yl + ((xl * yl) >> 32);
  const mid2 = xl * yh + (mid & 0xffffffff);
  let hi = xh * yh + (mid >> 32) + (mid2 >> 32);
  let lo = x * y;
  let e = <i32>(xse & 0x7fff) + <i32>(yse & 0x7fff) - 0x3ffe;
  // Without a branch: which of the two it is cannot be foretold.
  const short = clz(hi);
  hi = (hi << short) | ((lo >> 1) >> (63 - short));
  lo <<= short;
  e -= <i32>short;
  const up = lo > TOP_BIT - (hi & 1);
  hi += <u64>up;
  if (hi == 0) {
    hi = TOP_BIT;
    e++;
  }
  if (<u32>(e - 1) >= 0x7ffe) return UNDONE;
  set(d, hi, ((xse ^ yse) & 0x8000) | e);
  return lo ? (up ? PE | C1 : PE) : 0;
}

/** Added to a small number it leaves the nearest whole one in its low bits: 1.5 * 2^52. */
const ROUNDER: f64 = 6755399441055744.0;
/** The same for the nearest half. */
const HALF_ROUNDER: f64 = 3377699720527872.0;

/** The whole number nearest to v, less than 2^51: as exact as the engine's conversion, which checks its range. */
function rounded(v: f64): i64 {
  return reinterpret<i64>(v + ROUNDER) - 0x4338000000000000;
}

/** Half a divisor less what a remainder may be off: 2^-19 of the divisor, and as much again. */
const OFF: u64 = 0x400000000000;

/**
 * d = x / y in two digits of 32 bits, each by f64, rounded to nearest and off by less than 2^-19, so that what
 * is left of the dividend is at most a little more than half the divisor and fits 64 bits with its sign. The
 * second digit is the nearest unless what is left is that close to half the divisor. It cannot be half: the
 * quotient would need 65 bits, and times the divisor more than 128.
 */
export function quick_div(d: u32, x: u64, xse: u32, y: u64, yse: u32): i32 {
  if (!usual()) return UNDONE;
  if (<i64>(x & y) >= 0) return UNDONE;
  if (((xse + 1) & 0x7ffe) == 0) return UNDONE;
  if (((yse + 1) & 0x7ffe) == 0) return UNDONE;
  const small = <u64>(x < y);
  const e = <i32>(xse & 0x7fff) - <i32>(yse & 0x7fff) + 0x3fff - <i32>small;
  if (<u32>(e - 1) >= 0x7ffe) return UNDONE;
  const divisor = <f64>(<i64>(y >> 1));
  const dividend = <f64>(<i64>(x >> 1)) * (small ? 4294967296.0 : 2147483648.0);
  // Two divisions side by side: the first digit does not wait for a multiplication.
  const first = rounded(dividend / divisor);
  const reciprocal = 2147483648.0 / divisor;
  const rest = <i64>((x << (31 + small)) - <u64>first * y);
  const second = rounded(<f64>rest * reciprocal);
  const r = <i64>(((<u64>rest) << 32) - <u64>second * y);
  const size = <u64>(r < 0 ? -r : r);
  if ((size >= (y >> 1) - OFF) | (<u64>(rest < 0 ? -rest : rest) >= 0x8000000000000000 - OFF))
    return UNDONE;
  set(d, <u64>((first << 32) + second), ((xse ^ yse) & 0x8000) | e);
  return r == 0 ? 0 : r < 0 ? PE | C1 : PE;
}

/**
 * d = the root of x, in the same way: its first 32 bits by f64, then what their square lacks, divided by the sum of
 * them and the root, which is the rest of it. No root is half way: (q + 1/2) squared is no whole number.
 */
export function quick_sqrt(d: u32, x: u64, xse: u32): i32 {
  if (!(usual() & normal(x, xse) & (xse < 0x8000))) return UNDONE;
  // The radicand in [2^126, 2^128), so that its root has 64 bits.
  const half = <u64>(xse & 1);
  const hi = x >> half;
  const odd = half & x;
  // Half the root, which is rounded to halves.
  const root = sqrt<f64>(<f64>(<i64>(hi >> 2)));
  const sum = root + HALF_ROUNDER;
  const first = reinterpret<i64>(sum) - 0x4328000000000000;
  // Divided by twice the root, which does not wait for its digits, and put right for what they are more.
  const reciprocal = 536870912.0 / root;
  const more = (sum - HALF_ROUNDER - root) * 9.313225746154785e-10;
  const left = <f64>(((<i64>hi - first * first) << 1) + <i64>odd);
  const lacks = left * reciprocal * (1.0 - more * reciprocal);
  const whole = lacks + ROUNDER;
  const rest = lacks - (whole - ROUNDER);
  if (abs<f64>(rest) > 0.49999) return UNDONE;
  const second = reinterpret<i64>(whole) - 0x4338000000000000;
  // What the square of q lacks has 65 bits and a sign: as 64 bits it says enough if q is near.
  const r = <i64>(odd << 63) - ((first << 33) + second) * second;
  const near = abs<f64>(rest) < 0.125;
  const up = near ? r < 0 : rest < 0.0;
  set(d, <u64>((first << 32) + second), ((<i32>xse - 0x3fff) >> 1) + 0x3fff);
  return near & (r == 0) ? 0 : up ? PE | C1 : PE;
}

/** How x stands to y: C3 equal, C0 less, nothing greater. */
export function quick_com(x: u64, xse: u32, y: u64, yse: u32): i32 {
  if (!((normal(x, xse) | zero(x, xse)) & (normal(y, yse) | zero(y, yse)))) return UNDONE;
  if ((xse ^ yse) & 0x8000) {
    if ((x | y) == 0) return C3;
    return xse & 0x8000 ? C0 : 0;
  }
  if (xse == yse) {
    if (x == y) return C3;
    return x < y != ((xse & 0x8000) != 0) ? C0 : 0;
  }
  // Of two with the same sign, that sign is in both words: they compare as the exponents do.
  return xse < yse != ((xse & 0x8000) != 0) ? C0 : 0;
}

// --- From memory ---------------------------------------------------------------------------------

/** d = the integer `v`; it is always done. */
export function quick_integer(d: u32, v: i64): void {
  const negative = v >> 63;
  const m = <u64>((v ^ negative) - negative);
  const shift = clz(m);
  set(d, m << shift, ((<u32>negative) & 0x8000) | (m ? 0x403e - <u32>shift : 0));
}

// --- To memory: the value to the address `to` in this memory ------------------------------------------------

/** Does RC round away from zero, given what is cut off (its top bit weighs a half ulp)? */
function roundsUp(sign: u32, odd: u64, rest: u64): bool {
  const rc = load<u32>(FPU_CONTROL) & ROUNDING;
  if (rc == 0) return rest > TOP_BIT - odd;
  return (rc != RC_CHOP) & (rest != 0) & ((rc == RC_UP) == (sign == 0));
}

export function quick_store64(m: u64, se: u32, to: u32): i32 {
  const sign = se & 0x8000;
  const e = (se & 0x7fff) - 0x3c00;
  if (!((<i64>m < 0) & (e - 1 < 0x7fd))) {
    if (!zero(m, se)) return UNDONE;
    store<u64>(to, (<u64>sign) << 48);
    return 0;
  }
  const rest = m << 53;
  const up = roundsUp(sign, (m >> 11) & 1, rest);
  store<u64>(to, ((<u64>sign) << 48) + ((<u64>(e - 1)) << 52) + (m >> 11) + <u64>up);
  return rest ? (up ? PE | C1 : PE) : 0;
}

export function quick_store32(m: u64, se: u32, to: u32): i32 {
  const sign = se & 0x8000;
  const e = (se & 0x7fff) - 0x3f80;
  if (!((<i64>m < 0) & (e - 1 < 0xfd))) {
    if (!zero(m, se)) return UNDONE;
    store<u32>(to, sign << 16);
    return 0;
  }
  const rest = m << 24;
  const up = roundsUp(sign, (m >> 40) & 1, rest);
  store<u32>(to, (sign << 16) + ((e - 1) << 23) + <u32>(m >> 40) + <u32>up);
  return rest ? (up ? PE | C1 : PE) : 0;
}

/** An integer of `bits`; of 64 bits the greatest power of two is left to masked.ts. */
export function quick_store_integer(m: u64, se: u32, to: u32, bits: i32): i32 {
  const sign = se & 0x8000;
  const e = <i32>(se & 0x7fff) - 0x3ffe;
  let kept: u64 = 0;
  let rest: u64 = 0;
  if ((<i64>m < 0) & (<u32>(e - 1) < <u32>(bits - 1))) {
    kept = m >> (64 - e);
    rest = m << e;
  } else if ((<i64>m < 0) & (e <= 0) & (e > -0x3ffe)) rest = e ? 1 : m;
  else if (!zero(m, se)) return UNDONE;
  const up = roundsUp(sign, kept & 1, rest);
  kept += <u64>up;
  if (kept >> (<u64>(bits - 1))) return UNDONE;
  const v = sign ? 0 - kept : kept;
  if (bits == 16) store<u16>(to, <u16>v);
  else if (bits == 32) store<u32>(to, <u32>v);
  else store<u64>(to, v);
  return rest ? (up ? PE | C1 : PE) : 0;
}
