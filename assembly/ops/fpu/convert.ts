// Between the memory formats and 80 bits: widening is exact, narrowing and integers round by RC
// and never by PC. BCD is in bcd.ts.
import { FPU_CONTROL } from '../../shared/layout';
import {
  C1,
  DE,
  EXCEPTIONS,
  IE,
  INDEFINITE,
  OE,
  PE,
  QUIET_BIT,
  RC_CHOP,
  RC_DOWN,
  RC_UP,
  ROUNDING,
  SF,
  TOP_BIT,
  UE,
} from './words';
import {
  addFlags80,
  classOf,
  INFINITE,
  isNormal,
  isSignalling,
  NAN,
  setFlags80,
  setResultSE,
  UNSUPPORTED,
  ZERO,
} from './value';
import { normalExponent, normalMantissa } from './arithmetic';
import { low, shiftRightSticky } from './wide';

/** Widens as it is: a signalling NaN stays one. `flags` becomes DE for a denormal, else nothing. */
export function widen32(v: u32): u64 {
  setFlags80(0);
  const e = (v >> 23) & 0xff;
  const sign = (v >> 16) & 0x8000;
  const m = (<u64>v) << 40;
  if (<u32>(e - 1) < 0xfe) {
    setResultSE(sign | (e + 0x3f80));
    return m | TOP_BIT;
  }
  return widenRest(sign, e, (m << 1) >> 1, 0x3f81);
}

export function widen64(v: u64): u64 {
  setFlags80(0);
  const e = (<u32>(v >> 52)) & 0x7ff;
  const sign = (<u32>(v >> 48)) & 0x8000;
  const m = v << 11;
  if (<u32>(e - 1) < 0x7fe) {
    setResultSE(sign | (e + 0x3c00));
    return m | TOP_BIT;
  }
  return widenRest(sign, e, (m << 1) >> 1, 0x3c01);
}

function widenRest(sign: u32, e: u32, m: u64, least: u32): u64 {
  if (e) {
    setResultSE(sign | 0x7fff);
    return m | TOP_BIT;
  }
  if (m == 0) {
    setResultSE(sign);
    return 0;
  }
  setFlags80(DE);
  const shift = <u32>clz(m);
  setResultSE(sign | (least - shift));
  return m << shift;
}

export function widenInteger(v: i64): u64 {
  setFlags80(0);
  if (v == 0) {
    setResultSE(0);
    return 0;
  }
  const m = <u64>(v < 0 ? -v : v);
  const shift = <u32>clz(m);
  setResultSE((v < 0 ? 0x8000 : 0) | (0x403e - shift));
  return m << shift;
}

/** Does RC round away from zero, given what is cut off (its top bit weighs a half ulp)? */
export function roundsUp(sign: u32, odd: bool, rest: u64): bool {
  const rc = load<u32>(FPU_CONTROL) & ROUNDING;
  if (rc == 0) return rest > TOP_BIT - <u64>odd;
  if (rc == RC_CHOP || rest == 0) return false;
  return (rc == RC_UP) == (sign == 0);
}

export function narrow64(m: u64, se: u32): u64 {
  const e = <i32>(se & 0x7fff) - 0x3c00;
  if (isNormal(m, se) & (<u32>(e - 1) < 0x7fd)) {
    const rest = m << 53;
    const odd = (m & 0x800) != 0;
    const up = roundsUp(se & 0x8000, odd, rest);
    setFlags80(rest ? (up ? PE | C1 : PE) : 0);
    return ((<u64>(se & 0x8000)) << 48) + ((<u64>(e - 1)) << 52) + (m >> 11) + <u64>up;
  }
  return narrowSlow(m, se, 53, 0x3c00, 0x7ff);
}

export function narrow32(m: u64, se: u32): u32 {
  const e = <i32>(se & 0x7fff) - 0x3f80;
  if (isNormal(m, se) & (<u32>(e - 1) < 0xfd)) {
    const rest = m << 24;
    const odd = (m & 0x10000000000) != 0;
    const up = roundsUp(se & 0x8000, odd, rest);
    setFlags80(rest ? (up ? PE | C1 : PE) : 0);
    return ((se & 0x8000) << 16) + ((<u32>(e - 1)) << 23) + <u32>(m >> 40) + <u32>up;
  }
  return <u32>narrowSlow(m, se, 24, 0x3f80, 0xff);
}

/** Narrowing to `bits` of mantissa; the exponent becomes e - `rebias`, all ones is `top`. */
function narrowSlow(m: u64, se: u32, bits: i32, rebias: i32, top: i32): u64 {
  setFlags80(0);
  const fraction = bits - 1;
  const sign = se & 0x8000;
  const signBit = (<u64>(sign >> 15)) << (bits == 53 ? 63 : 31);
  const infinity = signBit | ((<u64>top) << fraction);
  const c = classOf(m, se);
  if (c == ZERO) return signBit;
  if (c == INFINITE) return infinity;
  if (c == UNSUPPORTED) {
    setFlags80(IE);
    const negative: u64 = bits == 53 ? TOP_BIT : 0x80000000;
    return negative | ((<u64>top) << fraction) | ((<u64>1) << (fraction - 1));
  }
  if (c == NAN) {
    if (isSignalling(m)) setFlags80(IE);
    return infinity | (((m | QUIET_BIT) << 1) >> (65 - bits));
  }
  const masks = load<u32>(FPU_CONTROL) & EXCEPTIONS;
  let e = normalExponent(m, se) - rebias;
  m = normalMantissa(m);
  let rest = m << bits;
  let kept = m >> (64 - bits);
  let up = roundsUp(sign, (kept & 1) != 0, rest);
  const rounded = kept + <u64>up;
  const carried = rounded >> bits != 0;
  if (e + <i32>carried < 1) {
    if ((masks & UE) == 0) {
      setFlags80(UE);
      return 0;
    }
    kept = shiftRightSticky(kept, rest, 1 - e);
    rest = low;
    up = roundsUp(sign, (kept & 1) != 0, rest);
    if (rest) setFlags80(up ? UE | PE | C1 : UE | PE);
    // A carry into the hidden bit makes the least normal number by itself.
    return signBit | (kept + <u64>up);
  }
  if (e + <i32>carried >= top) {
    if ((masks & OE) == 0) {
      setFlags80(OE);
      return 0;
    }
    const rc = load<u32>(FPU_CONTROL) & ROUNDING;
    if (rc == RC_CHOP || rc == (sign ? RC_UP : RC_DOWN)) {
      setFlags80(OE | PE);
      return infinity - 1;
    }
    setFlags80(OE | PE | C1);
    return infinity;
  }
  if (rest) setFlags80(up ? PE | C1 : PE);
  return signBit | (((<u64>(e - 1)) << fraction) + kept + <u64>up);
}

/** False: it does not fit 64 bits, or is no number. */
export let fits: bool = false;

/** The magnitude rounded to an integer by RC; PE and C1 in `flags`. */
export function integerMagnitude(m: u64, se: u32): u64 {
  setFlags80(0);
  fits = true;
  const e = <i32>(se & 0x7fff) - 0x3ffe;
  let kept: u64 = 0;
  let rest: u64 = 0;
  if (e <= 0) {
    if (m == 0) {
      if (se & 0x7fff) fits = false;
      return 0;
    }
    if (<i64>m >= 0 && se & 0x7fff) {
      fits = false;
      return 0;
    }
    rest = e == 0 ? m : 1;
  } else if (<i64>m >= 0 || e > 64) {
    fits = false;
    return 0;
  } else {
    kept = m >> (64 - e);
    if (e == 64) return m;
    rest = m << e;
  }
  if (rest) {
    const up = roundsUp(se & 0x8000, (kept & 1) != 0, rest);
    addFlags80(up ? PE | C1 : PE);
    kept += <u64>up;
  }
  return kept;
}

/** To a signed integer of `bits`; out of range: IE and the least integer. */
export function toInteger(m: u64, se: u32, bits: i32): i64 {
  const magnitude = integerMagnitude(m, se);
  const limit = TOP_BIT >> (64 - bits);
  const negative = (se & 0x8000) != 0;
  if (!fits || magnitude > limit - <u64>!negative) {
    setFlags80(IE);
    return -(<i64>limit);
  }
  return negative ? -(<i64>magnitude) : <i64>magnitude;
}
