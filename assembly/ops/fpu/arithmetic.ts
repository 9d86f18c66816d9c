// Addition, multiplication, division and square root of 80-bit values. Each has a fast path for
// normal operands under the usual control word (nearest, 64 bits, all masked) whose result is in
// the normal range; everything else is in the second half.
import { FPU_CONTROL } from '../../shared/layout';
import { C1, COMMON, COMMON_SET, DE, PE, RC_DOWN, ROUNDING, TOP_BIT, ZE } from './words';
import {
  addFlags80,
  classOf,
  DENORMAL,
  INFINITE,
  invalid,
  isNormal,
  NAN,
  normalizePack,
  precisionBits,
  propagateNaN,
  quietNaN,
  roundPack,
  setFlags80,
  setResultSE,
  ZERO,
} from './value';
import { divide, low, multiply, shiftRightSticky } from './wide';

function usual(): bool {
  return (load<u32>(FPU_CONTROL) & COMMON) == COMMON_SET;
}

/** a + b. `flags` holds what converting the operands met. */
export function add80(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  if (usual() & isNormal(am, ase) & isNormal(bm, bse)) {
    let x = am;
    let y = bm;
    let xse = ase;
    let d = <i32>(ase & 0x7fff) - <i32>(bse & 0x7fff);
    if (d < 0 || (d == 0 && bm > am)) {
      x = bm;
      y = am;
      xse = bse;
      d = -d;
    }
    if (d < 64) {
      let e = <i32>(xse & 0x7fff);
      let hi = y >> d;
      let lo = (y << 1) << (63 - d);
      if (((ase ^ bse) & 0x8000) == 0) {
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
            setResultSE(0);
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
      if (<u32>(e - 1) < 0x7ffe) {
        setResultSE((xse & 0x8000) | e);
        if (lo) addFlags80(up ? PE | C1 : PE);
        return hi;
      }
    }
  }
  return addSlow(am, ase, bm, bse);
}

/** a - b. The sign of a NaN is no part of the subtraction. */
export function sub80(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  if (isNormal(bm, bse)) return add80(am, ase, bm, bse ^ 0x8000);
  if (classOf(bm, bse) >= NAN) return propagateNaN(am, ase, bm, bse);
  return addSlow(am, ase, bm, bse ^ 0x8000);
}

export function mul80(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  if (usual() & isNormal(am, ase) & isNormal(bm, bse)) {
    let hi = multiply(am, bm);
    let lo = low;
    let e = <i32>(ase & 0x7fff) + <i32>(bse & 0x7fff) - 0x3ffe;
    if (<i64>hi >= 0) {
      hi = (hi << 1) | (lo >> 63);
      lo <<= 1;
      e--;
    }
    const up = lo > TOP_BIT - (hi & 1);
    hi += <u64>up;
    if (hi == 0) {
      hi = TOP_BIT;
      e++;
    }
    if (<u32>(e - 1) < 0x7ffe) {
      setResultSE(((ase ^ bse) & 0x8000) | e);
      if (lo) addFlags80(up ? PE | C1 : PE);
      return hi;
    }
  }
  return mulSlow(am, ase, bm, bse);
}

/** a / b. */
export function div80(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  if (usual() & isNormal(am, ase) & isNormal(bm, bse)) {
    let e = <i32>(ase & 0x7fff) - <i32>(bse & 0x7fff) + 0x3ffe;
    let q: u64;
    if (am >= bm) {
      q = divide(am >> 1, am << 63, bm);
      e++;
    } else q = divide(am, 0, bm);
    const r = low;
    // A tie cannot be: the quotient would need 65 bits, and times the divisor more than 128.
    const up = r > (bm - 1) >> 1;
    q += <u64>up;
    if (q == 0) {
      q = TOP_BIT;
      e++;
    }
    if (<u32>(e - 1) < 0x7ffe) {
      setResultSE(((ase ^ bse) & 0x8000) | e);
      if (r) addFlags80(up ? PE | C1 : PE);
      return q;
    }
  }
  return divSlow(am, ase, bm, bse);
}

// --- Everything else --------------------------------------------------------------------------

/** Exponent of the mantissa that `normalMantissa` gives. */
export function normalExponent(m: u64, se: u32): i32 {
  const e = <i32>(se & 0x7fff);
  return e ? e : 1 - <i32>clz(m);
}

/** The mantissa with its top bit set; m is not zero. */
export function normalMantissa(m: u64): u64 {
  return m << clz(m);
}

function addSlow(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  if (ac >= NAN || bc >= NAN) return propagateNaN(am, ase, bm, bse);
  if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
  if (ac == INFINITE || bc == INFINITE) {
    if (ac == bc && (ase ^ bse) & 0x8000) return invalid();
    setResultSE(ac == INFINITE ? ase : bse);
    return TOP_BIT;
  }
  let asign = ase & 0x8000;
  const bsign = bse & 0x8000;
  const zeroSign: u32 = (load<u32>(FPU_CONTROL) & ROUNDING) == RC_DOWN ? 0x8000 : 0;
  const bits = precisionBits();
  if (ac == ZERO || bc == ZERO) {
    if (ac == bc) {
      setResultSE(asign == bsign ? asign : zeroSign);
      return 0;
    }
    const m = ac == ZERO ? bm : am;
    const se = ac == ZERO ? bse : ase;
    return roundPack(se & 0x8000, normalExponent(m, se), normalMantissa(m), 0, bits);
  }
  let ae = normalExponent(am, ase);
  let be = normalExponent(bm, bse);
  am = normalMantissa(am);
  bm = normalMantissa(bm);
  if (be > ae || (be == ae && bm > am)) {
    const m = am;
    am = bm;
    bm = m;
    const e = ae;
    ae = be;
    be = e;
    asign = bsign;
  }
  let hi = shiftRightSticky(bm, 0, ae - be);
  let lo = low;
  if (((ase ^ bse) & 0x8000) == 0) {
    hi += am;
    if (hi < am) {
      lo = (hi << 63) | (lo >> 1) | (lo & 1);
      hi = (hi >> 1) | TOP_BIT;
      ae++;
    }
    return roundPack(asign, ae, hi, lo, bits);
  }
  hi = am - hi - <u64>(lo != 0);
  lo = 0 - lo;
  return normalizePack((hi | lo) == 0 ? zeroSign : asign, ae, hi, lo, bits);
}

function mulSlow(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  const sign = (ase ^ bse) & 0x8000;
  if (ac >= NAN || bc >= NAN) return propagateNaN(am, ase, bm, bse);
  if (ac == INFINITE || bc == INFINITE) {
    if (ac == ZERO || bc == ZERO) return invalid();
    if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
  if (ac == ZERO || bc == ZERO) {
    setResultSE(sign);
    return 0;
  }
  const hi = multiply(normalMantissa(am), normalMantissa(bm));
  const e = normalExponent(am, ase) + normalExponent(bm, bse) - 0x3ffe;
  return normalizePack(sign, e, hi, low, precisionBits());
}

function divSlow(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  const sign = (ase ^ bse) & 0x8000;
  if (ac >= NAN || bc >= NAN) return propagateNaN(am, ase, bm, bse);
  if (ac == bc && (ac == INFINITE || ac == ZERO)) return invalid();
  if (bc == ZERO && ac != INFINITE) {
    setFlags80(ZE);
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
  if (ac == INFINITE) {
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (ac == ZERO || bc == INFINITE) {
    setResultSE(sign);
    return 0;
  }
  const x = normalMantissa(am);
  const y = normalMantissa(bm);
  let e = normalExponent(am, ase) - normalExponent(bm, bse) + 0x3ffe;
  let q: u64;
  if (x >= y) {
    q = divide(x >> 1, x << 63, y);
    e++;
  } else q = divide(x, 0, y);
  const r = low;
  // The rest of the quotient: its first bit, and whether anything follows.
  const half = r > (y - 1) >> 1;
  const rest = (half ? TOP_BIT : 0) | (<u64>(r != 0 && (!half || r << 1 != y)));
  return roundPack(sign, e, q, rest, precisionBits());
}

export function sqrt80(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  setResultSE(se);
  if (c == ZERO) return m;
  if (se & 0x8000) return invalid();
  if (c == INFINITE) return m;
  if (c == DENORMAL) addFlags80(DE);
  const e = normalExponent(m, se);
  m = normalMantissa(m);
  // Radicand (hi, lo) in [2^126, 2^128), so that its root has 64 bits.
  const odd = ((e - 0x3fff) & 1) != 0;
  const hi = odd ? m : m >> 1;
  const lo = odd ? 0 : m << 63;
  const root = rootOf(hi, lo);
  // rest = radicand - root^2, in (0, 2 root]: 65 bits.
  const square = multiply(root, root);
  const restLow = lo - low;
  const restHigh = hi - square - <u64>(lo < low);
  let more: u64 = 0;
  if (restHigh | restLow) {
    // Above the middle exactly when rest > root (root + 1/2 squared is root^2 + root + 1/4).
    more = restHigh != 0 || restLow > root ? TOP_BIT | 1 : 1;
  }
  return roundPack(0, ((e - 0x3fff) >> 1) + 0x3fff, root, more, precisionBits());
}

/** floor(sqrt(hi, lo)) for hi >= 2^62. */
function rootOf(hi: u64, lo: u64): u64 {
  // 53 bits from the f64 root, the other 11 from one Newton step, the last by trial.
  const guess = Math.sqrt(<f64>hi) * 4294967296.0;
  let root: u64 = guess >= 18446744073709551615.0 ? ~(<u64>0) : <u64>guess;
  const square = multiply(root, root);
  const rest = <f64>(<i64>(hi - square - <u64>(lo < low))) * 18446744073709551616.0;
  const step = <i64>((rest + <f64>(lo - low)) / (<f64>root * 2.0));
  const stepped = root + <u64>step;
  root = step > 0 && stepped < root ? ~(<u64>0) : stepped;
  for (;;) {
    const top = multiply(root, root);
    if (hi < top || (hi == top && lo < low)) {
      root--;
      continue;
    }
    // Too small when the rest exceeds 2 root, a number of 65 bits.
    const restLow = lo - low;
    const restHigh = hi - top - <u64>(lo < low);
    if (restHigh < 1 || (restHigh == 1 && restLow <= root << 1)) break;
    root++;
  }
  return root;
}
