// What an 80-bit value is: classes, NaN rules, rounding and packing. A value travels as mantissa
// (u64) and sign/exponent (u16 as in memory); a function that makes one returns the mantissa and
// leaves the rest in `resultSE`, and the exceptions it met, with C1, in `flags`.
// What is not here: registers, the stack, the status word (stack.ts).
import { FPU_CONTROL } from '../../shared/layout';
import {
  C1,
  EXCEPTIONS,
  IE,
  INDEFINITE,
  INDEFINITE_SE,
  OE,
  PE,
  PC_DOUBLE,
  PC_SINGLE,
  PRECISION,
  QUIET_BIT,
  RC_CHOP,
  RC_DOWN,
  RC_UP,
  ROUNDING,
  TOP_BIT,
  UE,
  WRAP,
} from './words';
import { low, shiftLeft, shiftRightSticky } from './wide';

export let resultSE: u32 = 0;
export let flags: u32 = 0;

export function setResultSE(se: u32): void {
  resultSE = se;
}

export function setFlags80(bits: u32): void {
  flags = bits;
}

export function addFlags80(bits: u32): void {
  flags |= bits;
}

export const ZERO = 0;
export const DENORMAL = 1;
export const NORMAL = 2;
export const INFINITE = 3;
export const NAN = 4;
/** Encodings the 387 and later refuse: unnormals, pseudo-infinities, pseudo-NaNs (SDM vol. 1 8.2.2). */
export const UNSUPPORTED = 5;

export function isNormal(m: u64, se: u32): bool {
  return (((se + 1) & 0x7ffe) != 0) & (<i64>m < 0);
}

export function classOf(m: u64, se: u32): i32 {
  const e = se & 0x7fff;
  if (e == 0) return m == 0 ? ZERO : DENORMAL;
  if (<i64>m >= 0) return UNSUPPORTED;
  if (e < 0x7fff) return NORMAL;
  return m << 1 == 0 ? INFINITE : NAN;
}

export function isSignalling(m: u64): bool {
  return (m & QUIET_BIT) == 0;
}

/** IE and the default NaN. */
export function invalid(): u64 {
  flags = IE;
  resultSE = INDEFINITE_SE;
  return INDEFINITE;
}

/** The result when a or b is a NaN or unsupported; other exceptions are dropped (SDM vol. 1 table 4-7). */
export function propagateNaN(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  if (ac == UNSUPPORTED || bc == UNSUPPORTED) return invalid();
  const aSignals = ac == NAN && isSignalling(am);
  const bSignals = bc == NAN && isSignalling(bm);
  flags = aSignals || bSignals ? IE : 0;
  let takeA: bool;
  if (bc != NAN) takeA = true;
  else if (ac != NAN) takeA = false;
  else if (aSignals != bSignals) takeA = bSignals;
  else if (am != bm) takeA = am > bm;
  else takeA = (ase & 0x8000) == 0;
  resultSE = takeA ? ase : bse;
  return (takeA ? am : bm) | QUIET_BIT;
}

/** The result when the only operand is a NaN or unsupported. */
export function quietNaN(m: u64, se: u32): u64 {
  if (<i64>m >= 0) return invalid();
  flags = isSignalling(m) ? IE : 0;
  resultSE = se;
  return m | QUIET_BIT;
}

/** Significant bits that PC asks for; the reserved value acts as 64. */
export function precisionBits(): i32 {
  const pc = load<u32>(FPU_CONTROL) & PRECISION;
  return pc == PC_SINGLE ? 24 : pc == PC_DOUBLE ? 53 : 64;
}

let roundedUp: bool = false;
let inexact: bool = false;
let carried: bool = false;

/** Rounds (hi, lo) to its `bits` high bits by RC; a carry out leaves TOP_BIT and `carried`. */
function roundTo(sign: u32, hi: u64, lo: u64, bits: i32): u64 {
  let rest = lo;
  let ulp: u64 = 1;
  if (bits < 64) {
    rest = (hi << bits) | (<u64>(lo != 0));
    ulp = (<u64>1) << (64 - bits);
    hi &= 0 - ulp;
  }
  const rc = load<u32>(FPU_CONTROL) & ROUNDING;
  inexact = rest != 0;
  if (rc == 0) roundedUp = rest > TOP_BIT - <u64>((hi & ulp) != 0);
  else if (rc == RC_CHOP) roundedUp = false;
  else roundedUp = inexact && (rc == RC_UP) == (sign == 0);
  carried = false;
  if (!roundedUp) return hi;
  hi += ulp;
  if (hi == 0) {
    carried = true;
    return TOP_BIT;
  }
  return hi;
}

/**
 * Rounds and packs sign (0 or 0x8000), exponent (biased, any size) and the mantissa (hi, lo), whose
 * top bit is set; lo's bit 0 may stand for all that is below. ORs OE UE PE C1 into `flags`.
 */
export function roundPack(sign: u32, exponent: i32, hi: u64, lo: u64, bits: i32): u64 {
  const masks = load<u32>(FPU_CONTROL) & EXCEPTIONS;
  let m = roundTo(sign, hi, lo, bits);
  let e = exponent + <i32>carried;
  if (e <= 0) {
    // Tiny after rounding at the given precision with an unbounded exponent (SDM vol. 1 4.9.1.5).
    if ((masks & UE) == 0) {
      e += WRAP;
      flags |= UE;
      if (e <= 0) {
        resultSE = sign;
        flags |= PE;
        return 0;
      }
    } else {
      hi = shiftRightSticky(hi, lo, 1 - exponent);
      // The rounding position is that of the field, not of the first significant bit.
      m = roundTo(sign, hi, low, bits);
      e = <i32>(m >> 63);
      if (inexact) flags |= UE;
    }
  } else if (e >= 0x7fff) {
    flags |= OE;
    if (masks & OE) {
      flags |= PE;
      const rc = load<u32>(FPU_CONTROL) & ROUNDING;
      if (rc == RC_CHOP || rc == (sign ? RC_UP : RC_DOWN)) {
        resultSE = sign | 0x7ffe;
        return bits < 64 ? 0 - ((<u64>1) << (64 - bits)) : ~(<u64>0);
      }
      flags |= C1;
      resultSE = sign | 0x7fff;
      return TOP_BIT;
    }
    e -= WRAP;
    if (e >= 0x7fff) {
      flags |= PE | C1;
      resultSE = sign | 0x7fff;
      return TOP_BIT;
    }
  }
  if (inexact) flags |= PE;
  if (roundedUp) flags |= C1;
  resultSE = sign | (<u32>e);
  return m;
}

/** roundPack for a mantissa that need not be normalised; zero stays zero of that sign. */
export function normalizePack(sign: u32, exponent: i32, hi: u64, lo: u64, bits: i32): u64 {
  if ((hi | lo) == 0) {
    resultSE = sign;
    return 0;
  }
  let shift: i32 = hi ? <i32>clz(hi) : 64 + <i32>clz(lo);
  if (shift) {
    hi = shiftLeft(hi, lo, shift);
    lo = low;
    exponent -= shift;
  }
  return roundPack(sign, exponent, hi, lo, bits);
}
