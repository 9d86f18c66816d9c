// Floating-point arithmetic exactly as the processor does it, on integers: every rounding mode,
// DAZ, FTZ, all six exceptions, NaN payloads (SDM vol. 1 4.8 and 11.5; appendix E for unmasked
// exceptions). The slow path of everything: arithmetic.ts comes here when wasm's own arithmetic
// might differ or a flag might change.
//
// One routine serves both formats: operands are the bits of an f64, single precision widened
// without loss, and `precision`, 24 or 53, says what they were and what the result is rounded to.
// Between the steps a number is sign (in bit 63), exponent, and a significand with its leading bit
// at bit 63, of which the lowest bit is sticky: value = significand * 2^(exponent - 63).
import { MXCSR } from '../../shared/layout';
import {
  DAZ,
  DE,
  DOWN,
  FTZ,
  IE,
  NEAREST,
  OE,
  OM,
  PE,
  RC,
  RC_SHIFT,
  signal,
  TO_ZERO,
  UE,
  UM,
  UP,
  ZE,
} from './mxcsr';

export const SINGLE: i32 = 24;
export const DOUBLE: i32 = 53;

const SIGN: u64 = 0x8000000000000000;
const MAGNITUDE: u64 = 0x7fffffffffffffff;
const INFINITY: u64 = 0x7ff0000000000000;
const QUIET: u64 = 0x0008000000000000;
const DEFAULT_NAN: u64 = 0xfff8000000000000;
const ONE_HALF: u64 = 0x8000000000000000;
/** 2^-126 and 2^-1022. */
const LEAST_NORMAL_SINGLE: u64 = 0x3810000000000000;
const LEAST_NORMAL_DOUBLE: u64 = 0x0010000000000000;
const GREATEST_SINGLE: u64 = 0x47efffffe0000000;
const GREATEST_DOUBLE: u64 = 0x7fefffffffffffff;
/** The smallest denormal of single precision, 2^-149. */
const UNIT_SINGLE = reinterpret<f64>((<u64>(1023 - 149)) << 52);

// --- Formats -------------------------------------------------------------------------------------

export function widen(bits: u32): u64 {
  if ((bits & 0x7fffffff) <= 0x7f800000) return reinterpret<u64>(<f64>reinterpret<f32>(bits));
  return ((<u64>(bits >>> 31)) << 63) | INFINITY | ((<u64>(bits & 0x7fffff)) << 29);
}

/** Back to single precision, of a value that it holds; of a NaN the upper payload. */
export function narrow(bits: u64): u32 {
  if ((bits & MAGNITUDE) <= INFINITY) return reinterpret<u32>(<f32>reinterpret<f64>(bits));
  return ((<u32>(bits >> 63)) << 31) | 0x7f800000 | ((<u32>(bits >> 29)) & 0x7fffff);
}

export function isNaNBits(x: u64): bool {
  return (x & MAGNITUDE) > INFINITY;
}

export function isSignaling(x: u64): bool {
  return isNaNBits(x) && (x & QUIET) == 0;
}

export function isDenormal(x: u64, precision: i32): bool {
  const least = precision == SINGLE ? LEAST_NORMAL_SINGLE : LEAST_NORMAL_DOUBLE;
  return (x & MAGNITUDE) - 1 < least - 1;
}

/** DAZ: a denormal operand becomes a zero of its sign. */
export function operand(x: u64, precision: i32): u64 {
  return load<u32>(MXCSR) & DAZ && isDenormal(x, precision) ? x & SIGN : x;
}

/** The NaN that an operation on a and b (at least one a NaN) gives: the first one, made quiet. */
export function propagate(a: u64, b: u64): u64 {
  if (isSignaling(a) || isSignaling(b)) signal(IE);
  return (isNaNBits(a) ? a : b) | QUIET;
}

function invalid(): u64 {
  signal(IE);
  return DEFAULT_NAN;
}

function noteDenormals(a: u64, b: u64, precision: i32): void {
  if (isDenormal(a, precision) || isDenormal(b, precision)) signal(DE);
}

/** Of a finite number other than zero. */
function exponentOf(x: u64): i32 {
  const biased = <i32>((x & MAGNITUDE) >> 52);
  return biased ? biased - 1023 : -1011 - <i32>clz(x & MAGNITUDE);
}

function significandOf(x: u64): u64 {
  const magnitude = x & MAGNITUDE;
  return magnitude >> 52 ? (x << 11) | ONE_HALF : magnitude << clz(magnitude);
}

// --- Rounding ------------------------------------------------------------------------------------

let inexact: bool = false;

/** The significand without its `drop` low bits, rounded; 11 <= drop. Sets `inexact`. */
function roundAt(significand: u64, drop: i32, sign: u64, mode: u32): u64 {
  let kept: u64 = 0;
  let rest: u64 = 1;
  let half: u64 = ONE_HALF;
  if (drop < 64) {
    kept = significand >> drop;
    rest = significand & (((<u64>1) << drop) - 1);
    half = (<u64>1) << (drop - 1);
  } else if (drop == 64) {
    rest = significand;
  }
  inexact = rest != 0;
  if (mode == NEAREST) {
    if (rest > half || (rest == half && kept & 1)) kept++;
  } else if (inexact && mode == (sign ? DOWN : UP)) {
    kept++;
  }
  return kept;
}

/** Rounds, with overflow, underflow and precision exceptions. */
function round(sign: u64, exponent: i32, significand: u64, precision: i32): u64 {
  const mxcsr = load<u32>(MXCSR);
  const mode = (mxcsr & RC) >> RC_SHIFT;
  const least = precision == SINGLE ? -126 : -1022;
  const drop = 64 - precision;
  let kept = roundAt(significand, drop, sign, mode);
  let reached = exponent;
  if (kept >> precision) {
    kept >>= 1;
    reached++;
  }
  // Tininess is detected after rounding: `reached` is what an unbounded exponent would give.
  if (reached < least) {
    if (!(mxcsr & UM)) {
      signal(inexact ? UE | PE : UE);
      return sign;
    }
    if (mxcsr & FTZ) {
      signal(UE | PE);
      return sign;
    }
    kept = roundAt(significand, drop + least - exponent, sign, mode);
    if (inexact) signal(UE | PE);
    if (precision == SINGLE) return sign | reinterpret<u64>(<f64>kept * UNIT_SINGLE);
    return sign | kept;
  }
  if (reached > 1 - least) {
    if (!(mxcsr & OM)) {
      signal(inexact ? OE | PE : OE);
      return sign;
    }
    signal(OE | PE);
    if (mode == TO_ZERO || mode == (sign ? UP : DOWN)) {
      return sign | (precision == SINGLE ? GREATEST_SINGLE : GREATEST_DOUBLE);
    }
    return sign | INFINITY;
  }
  if (inexact) signal(PE);
  return sign | (((<u64>(reached + 1022)) << 52) + (kept << (53 - precision)));
}

/** Rounds an f64 that is no NaN to single precision: CVTSD2SS, and integers. */
export function roundToSingle(x: u64): u64 {
  const magnitude = x & MAGNITUDE;
  if (magnitude == 0 || magnitude == INFINITY) return x;
  return round(x & SIGN, exponentOf(x), significandOf(x), SINGLE);
}

// --- Operations ----------------------------------------------------------------------------------

export function exactAdd(a: u64, b: u64, precision: i32): u64 {
  if (isNaNBits(a) || isNaNBits(b)) return propagate(a, b);
  a = operand(a, precision);
  b = operand(b, precision);
  if ((a & MAGNITUDE) < (b & MAGNITUDE)) {
    const other = a;
    a = b;
    b = other;
  }
  const opposite = ((a ^ b) & SIGN) != 0;
  if ((a & MAGNITUDE) == INFINITY && (b & MAGNITUDE) == INFINITY && opposite) return invalid();
  noteDenormals(a, b, precision);
  if ((a & MAGNITUDE) == INFINITY) return a;
  const zero = (load<u32>(MXCSR) & RC) >> RC_SHIFT == DOWN ? SIGN : 0;
  if ((a & MAGNITUDE) == 0) return opposite ? zero : a;
  const sign = a & SIGN;
  const exponent = exponentOf(a);
  if ((b & MAGNITUDE) == 0) return round(sign, exponent, significandOf(a), precision);
  const x = significandOf(a) >> 1;
  let y = significandOf(b) >> 1;
  const shift = exponent - exponentOf(b);
  if (shift > 63) y = 1;
  else if (shift) y = (y >> shift) | u64(y << (64 - shift) != 0);
  const sum = opposite ? x - y : x + y;
  if (!sum) return zero;
  const leading = <i32>clz(sum);
  return round(sign, exponent + 1 - leading, sum << leading, precision);
}

export function exactSub(a: u64, b: u64, precision: i32): u64 {
  return exactAdd(a, isNaNBits(b) ? b : b ^ SIGN, precision);
}

export function exactMul(a: u64, b: u64, precision: i32): u64 {
  if (isNaNBits(a) || isNaNBits(b)) return propagate(a, b);
  a = operand(a, precision);
  b = operand(b, precision);
  const sign = (a ^ b) & SIGN;
  const infinite = (a & MAGNITUDE) == INFINITY || (b & MAGNITUDE) == INFINITY;
  const zero = (a & MAGNITUDE) == 0 || (b & MAGNITUDE) == 0;
  if (infinite && zero) return invalid();
  noteDenormals(a, b, precision);
  if (infinite) return sign | INFINITY;
  if (zero) return sign;
  const x = significandOf(a);
  const y = significandOf(b);
  const low = (x & 0xffffffff) * (y & 0xffffffff);
  const middle = (x >> 32) * (y & 0xffffffff) + (low >> 32);
  const middle2 = (x & 0xffffffff) * (y >> 32) + (middle & 0xffffffff);
  let high = (x >> 32) * (y >> 32) + (middle >> 32) + (middle2 >> 32);
  if ((low & 0xffffffff) | (middle2 & 0xffffffff)) high |= 1;
  const exponent = exponentOf(a) + exponentOf(b);
  if (high >> 63) return round(sign, exponent + 1, high, precision);
  // At least ten bits stay below what is kept, so a sticky bit may move up.
  return round(sign, exponent, high << 1, precision);
}

export function exactDiv(a: u64, b: u64, precision: i32): u64 {
  if (isNaNBits(a) || isNaNBits(b)) return propagate(a, b);
  a = operand(a, precision);
  b = operand(b, precision);
  const sign = (a ^ b) & SIGN;
  const infinite = (a & MAGNITUDE) == INFINITY;
  if (infinite && (b & MAGNITUDE) == INFINITY) return invalid();
  if ((b & MAGNITUDE) == 0) {
    if ((a & MAGNITUDE) == 0) return invalid();
    // ZE comes instead of DE.
    if (!infinite) signal(ZE);
    return sign | INFINITY;
  }
  noteDenormals(a, b, precision);
  if (infinite) return sign | INFINITY;
  if ((a & MAGNITUDE) == 0 || (b & MAGNITUDE) == INFINITY) return sign;
  let exponent = exponentOf(a) - exponentOf(b);
  let x = significandOf(a) >> 11;
  const y = significandOf(b) >> 11;
  if (x < y) {
    x <<= 1;
    exponent--;
  }
  // f64 gives 53 bits of the quotient, in [1, 2); the remainder, which fits in 64 bits though its
  // terms do not, corrects the last and gives eleven more.
  let quotient = <u64>((<f64>x / <f64>y) * 4503599627370496.0);
  let remainder = (x << 52) - quotient * y;
  if (<i64>remainder < 0) {
    quotient--;
    remainder += y;
  }
  const more = (remainder << 11) / y;
  const sticky = u64(remainder << 11 != more * y);
  return round(sign, exponent, (quotient << 11) | more | sticky, precision);
}

export function exactSqrt(b: u64, precision: i32): u64 {
  if (isNaNBits(b)) return propagate(b, b);
  b = operand(b, precision);
  if ((b & MAGNITUDE) == 0) return b;
  if (b & SIGN) return invalid();
  noteDenormals(b, b, precision);
  if (b == INFINITY) return b;
  const exponent = exponentOf(b);
  const x = (significandOf(b) >> 11) << (exponent & 1);
  // As in the division: f64's root in [1, 2), corrected by the remainder.
  let root = <u64>(sqrt<f64>(<f64>x * (1.0 / 4503599627370496.0)) * 4503599627370496.0);
  let remainder = (x << 52) - root * root;
  if (<i64>remainder < 0) {
    root--;
    remainder += 2 * root + 1;
  }
  const half: u64 = remainder > root ? 0x400 : 0;
  return round(0, exponent >> 1, (root << 11) | half | u64(remainder != 0), precision);
}
