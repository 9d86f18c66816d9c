// FSIN FCOS FSINCOS FPTAN FPATAN. Angles are reduced by the 66-bit pi that processors have used
// since the 387 (SDM vol. 1 8.3.8): large arguments give what they give on hardware.
import { FPU_STATUS } from '../../shared/layout';
import { normalExponent, normalMantissa } from './arithmetic';
import {
  finish,
  fpuPop,
  fpuPush,
  get,
  here,
  isFull,
  pushIndefinite,
  report,
  setFull,
  setRegister,
  st,
  underflow,
  unmasked,
} from './stack';
import {
  addFlags80,
  classOf,
  DENORMAL,
  flags,
  INFINITE,
  invalid,
  NAN,
  propagateNaN,
  quietNaN,
  resultSE,
  roundPack,
  setFlags80,
  setResultSE,
  ZERO,
} from './value';
import {
  alternating,
  fraction,
  numberExponent,
  numberHigh,
  numberLow,
  packNumber,
  setNumber,
} from './series';
import { divideFraction, low, multiply, multiplyHigh } from './wide';
import { BIAS, C1, C2, DE, IE, INDEFINITE, INDEFINITE_SE, SF, TOP_BIT } from './words';

/** 1/3! 1/5! 1/7! ... */
const SINE: usize = memory.data<u64>([
  0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab, 0x0222222222222222, 0x2222222222222222,
  0x000d00d00d00d00d, 0x00d00d00d00d00d0, 0x00002e3bc74aad8e, 0x671f5583911ca003,
  0x0000006b99159fd5, 0x138e3f9d1f92e0df, 0x00000000b092309d, 0x43684be51c198e92,
  0x0000000000d73f9f, 0x399dc0f88ec32b58, 0x000000000000ca96, 0x3b81856a53593029,
  0x0000000000000097, 0xa4da340a0ab92651, 0x0000000000000000, 0x5c6e3bdb73d5c630,
  0x0000000000000000, 0x002ec368262c7034, 0x0000000000000000, 0x000013f3ccdd1660,
  0x0000000000000000, 0x0000000746ac70b7, 0x0000000000000000, 0x00000000024b3f31,
  0x0000000000000000, 0x000000000000a1a7,
]);

/** 1/2! 1/4! 1/6! ... */
const COSINE: usize = memory.data<u64>([
  0x8000000000000000, 0x0000000000000000, 0x0aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab,
  0x005b05b05b05b05b, 0x05b05b05b05b05b0, 0x0001a01a01a01a01, 0xa01a01a01a01a01a,
  0x0000049f93edde27, 0xd71cbbc05b4fa99a, 0x00000008f76c77fc, 0x6c4bdaa26d4c3d68,
  0x000000000c9cba54, 0x603e4e905d6f8a2f, 0x00000000000d73f9, 0xf399dc0f88ec32b6,
  0x0000000000000b41, 0x3c31dcbecbbdd802, 0x0000000000000007, 0x950ae900808941ea,
  0x0000000000000000, 0x04338e5b6dfe14a5, 0x0000000000000000, 0x0001f2cf01972f57,
  0x0000000000000000, 0x000000c4742fe352, 0x0000000000000000, 0x0000000042862899,
  0x0000000000000000, 0x000000000013932c, 0x0000000000000000, 0x000000000000050d,
]);

/** 1/3 1/5 1/7 ... */
const ARCTANGENT: usize = memory.data<u64>([
  0x5555555555555555, 0x5555555555555555, 0x3333333333333333, 0x3333333333333333,
  0x2492492492492492, 0x4924924924924925, 0x1c71c71c71c71c71, 0xc71c71c71c71c71c,
  0x1745d1745d1745d1, 0x745d1745d1745d17, 0x13b13b13b13b13b1, 0x3b13b13b13b13b14,
  0x1111111111111111, 0x1111111111111111, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f,
  0x0d79435e50d79435, 0xe50d79435e50d794, 0x0c30c30c30c30c30, 0xc30c30c30c30c30c,
  0x0b21642c8590b216, 0x42c8590b21642c86, 0x0a3d70a3d70a3d70, 0xa3d70a3d70a3d70a,
]);

/** atan(k/16), k from 0 to 16. */
const ANGLES: usize = memory.data<u64>([
  0x0000000000000000, 0x0000000000000000, 0x0ffaaddb967ef4e3, 0x6cb2792dc0e2e0d5,
  0x1fd5ba9aac2f6dc6, 0x5912f313e7d111df, 0x2f72f6979cb6044d, 0x1ec2d3e207271d22,
  0x3eb6ebf25901bac5, 0x5b71e7bd7de885f9, 0x4d89dcdc1faf2f34, 0xe2d5da4c693d7994,
  0x5bd86507937bc239, 0xc55190916e7f2242, 0x6993bb0f308ff2db, 0x213e4af4800f389b,
  0x76b19c1586ed3da2, 0xb7f222f65e1d4682, 0x832bf4a6d9867e2a, 0x4b6a09cb61a515c1,
  0x8f005d5ef7f59f9b, 0x5c835e1665c43748, 0x9a2f80e671bdda20, 0x4226f8e2204ff3bd,
  0xa4bc7d1934f70924, 0x19a87f2a457dac9f, 0xaeac4c38b4d8c080, 0x14725e2f3e52070a,
  0xb8053e2bc2319e73, 0xcb2da55210a4443d, 0xc0ce85b8ac526640, 0x89dd62c46e92fa25,
  0xc90fdaa22168c234, 0xc4c6628b80dc1cd1,
]);
const SINE_TERMS = 15;
const COSINE_TERMS = 16;
const ARCTANGENT_TERMS = 12;

/** pi/4 as a fraction. */
const QUARTER_HIGH: u64 = 0xc90fdaa22168c234;
const QUARTER_LOW: u64 = 0xc4c6628b80dc1cd1;

// --- The angle: quadrant, and the rest between -pi/4 and pi/4 ----------------------------------

/** pi to 66 bits, in units of 2^-64; and pi/2 in units of 2^-65. */
const PI_HIGH: u64 = 3;
const PI_LOW: u64 = 0x243f6a8885a308d3;

let quadrant: u32 = 0;
let angleNegative: bool = false;
let angleHigh: u64 = 0;
let angleLow: u64 = 0;
let angleExponent: i32 = 0;
/** The angle's square as a fraction. */
let squareHigh: u64 = 0;
let squareLow: u64 = 0;

/** Reduces m * 2^(e - 63), m normalised and e below 63. */
function reduce(m: u64, e: i32): void {
  quadrant = 0;
  angleNegative = false;
  if (e < -1) setNumber(m, 0, e + 1);
  else {
    let hi: u64 = 0;
    let lo = m;
    for (let steps = e + 2; steps > 0; steps--) {
      hi = (hi << 1) | (lo >> 63);
      lo <<= 1;
      quadrant <<= 1;
      if (hi > PI_HIGH || (hi == PI_HIGH && lo >= PI_LOW)) {
        hi -= PI_HIGH + <u64>(lo < PI_LOW);
        lo -= PI_LOW;
        quadrant |= 1;
      }
    }
    // Nearer to the next multiple? The middle cannot be met: pi's 66 bits are odd.
    if (hi > 1 || (hi == 1 && lo > 0x921fb54442d18469)) {
      hi = PI_HIGH - hi - <u64>(PI_LOW < lo);
      lo = PI_LOW - lo;
      quadrant++;
      angleNegative = true;
    }
    setNumber(hi, lo, 63);
  }
  angleHigh = numberHigh;
  angleLow = numberLow;
  angleExponent = numberExponent;
  const hi = fraction();
  const lo = low;
  squareHigh = multiplyHigh(hi, lo, hi, lo);
  squareLow = low;
}

/** The number becomes the sine of the reduced angle's magnitude. */
function sineOfAngle(): void {
  const t = alternating(SINE, SINE_TERMS, squareHigh, squareLow);
  const hi = multiplyHigh(angleHigh, angleLow, t, low);
  const borrow = low + 1;
  setNumber(
    angleHigh - hi - <u64>(angleLow < borrow || borrow == 0),
    angleLow - borrow,
    angleExponent,
  );
}

/** The number becomes its cosine. */
function cosineOfAngle(): void {
  const hi = alternating(COSINE, COSINE_TERMS, squareHigh, squareLow);
  const lo = low | 1;
  setNumber(~hi, 0 - lo, 0);
}

/** sin(angle + n pi/2), packed. */
function sineInQuadrant(n: u32, negative: bool): u64 {
  const q = quadrant + n;
  if (q & 1) cosineOfAngle();
  else {
    sineOfAngle();
    if (angleNegative) negative = !negative;
  }
  if (q & 2) negative = !negative;
  return packNumber(negative ? 0x8000 : 0);
}

/** The number becomes the tangent's magnitude; the result is whether it is negative. */
function tangentOfAngle(): bool {
  // A little more than the angle: closer than the quotient below can tell.
  if (angleExponent < -60 && quadrant == 0) return angleNegative;
  sineOfAngle();
  const sh = numberHigh;
  const sl = numberLow;
  const se = numberExponent;
  cosineOfAngle();
  if (quadrant & 1) ratio(numberHigh, numberLow, numberExponent, sh, sl, se);
  else ratio(sh, sl, se, numberHigh, numberLow, numberExponent);
  return angleNegative != ((quadrant & 1) != 0);
}

/** The number becomes n / d, both normalised. */
function ratio(nh: u64, nl: u64, ne: i32, dh: u64, dl: u64, de: i32): void {
  let e = ne - de;
  if (nh > dh || (nh == dh && nl >= dl)) {
    nl = (nl >> 1) | (nh << 63);
    nh >>= 1;
    e++;
  }
  const q = divideFraction(nh, nl, dh, dl);
  setNumber(q, low, e);
}

// --- The instructions --------------------------------------------------------------------------

function clearC2(): void {
  store<u32>(FPU_STATUS, load<u32>(FPU_STATUS) & ~C2);
}

/** True: |ST(0)| is 2^63 or more, and only C2 is set. */
function outOfRange(m: u64, se: u32): bool {
  const e = <i32>(se & 0x7fff);
  if (e < BIAS + 63 || e == 0x7fff || <i64>m >= 0) return false;
  store<u32>(FPU_STATUS, (load<u32>(FPU_STATUS) & ~C1) | C2);
  return true;
}

function sine(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  if (c == INFINITE) return invalid();
  setResultSE(se);
  if (c == ZERO) return m;
  if (c == DENORMAL) addFlags80(DE);
  reduce(normalMantissa(m), normalExponent(m, se) - BIAS);
  return sineInQuadrant(0, (se & 0x8000) != 0);
}

function cosine(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  if (c == INFINITE) return invalid();
  if (c == ZERO) {
    setResultSE(BIAS);
    return TOP_BIT;
  }
  if (c == DENORMAL) addFlags80(DE);
  reduce(normalMantissa(m), normalExponent(m, se) - BIAS);
  return sineInQuadrant(1, false);
}

function tangent(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  if (c == INFINITE) return invalid();
  setResultSE(se);
  if (c == ZERO) return m;
  if (c == DENORMAL) addFlags80(DE);
  reduce(normalMantissa(m), normalExponent(m, se) - BIAS);
  const negative = tangentOfAngle();
  return packNumber((se & 0x8000) ^ (negative ? 0x8000 : 0));
}

export function fsin(): void {
  here();
  const p = st(0);
  clearC2();
  if (!isFull(p)) {
    underflow(p);
    return;
  }
  const m = get(p);
  if (outOfRange(m, resultSE)) return;
  finish(p, sine(m, resultSE));
}

export function fcos(): void {
  here();
  const p = st(0);
  clearC2();
  if (!isFull(p)) {
    underflow(p);
    return;
  }
  const m = get(p);
  if (outOfRange(m, resultSE)) return;
  finish(p, cosine(m, resultSE));
}

/** The stack faults of the instructions that replace ST(0) and push. True: dealt with. */
function pushFault(p: u32): bool {
  const full = isFull(p);
  if (full && !isFull(st(7))) return false;
  report(full ? IE | SF | C1 : IE | SF);
  if (unmasked(IE)) return true;
  setRegister(p, INDEFINITE, INDEFINITE_SE);
  setFull(p);
  pushIndefinite();
  return true;
}

export function fsincos(): void {
  here();
  const p = st(0);
  clearC2();
  if (pushFault(p)) return;
  const m = get(p);
  const se = resultSE;
  if (outOfRange(m, se)) return;
  const c = cosine(m, se);
  const cse = resultSE;
  const cflags = flags & ~C1;
  setFlags80(0);
  const s = sine(m, se);
  // C1 is that of the sine.
  const up = flags & C1;
  addFlags80(cflags);
  if (!finish(p, s)) return;
  setFlags80(up);
  setResultSE(cse);
  fpuPush(c);
}

export function fptan(): void {
  here();
  const p = st(0);
  clearC2();
  if (pushFault(p)) return;
  const m = get(p);
  const se = resultSE;
  if (outOfRange(m, se)) return;
  const t = tangent(m, se);
  const isNumber = (resultSE & 0x7fff) != 0x7fff;
  const f = flags;
  const tse = resultSE;
  if (!finish(p, t)) return;
  setFlags80(f & C1);
  setResultSE(isNumber ? BIAS : tse);
  fpuPush(isNumber ? TOP_BIT : t);
}

// --- FPATAN ------------------------------------------------------------------------------------

/** quarters * pi/4 with a sign, packed; quarters is 1 to 4. */
function piResult(sign: u32, quarters: u64): u64 {
  const carry = multiply((QUARTER_LOW >> 2) | (QUARTER_HIGH << 62), quarters);
  setNumber((QUARTER_HIGH >> 2) * quarters + carry, low, 2);
  return packNumber(sign);
}

/**
 * The number, below one, becomes its arctangent: atan q = atan c + atan((q - c) / (1 + q c)) with c
 * the nearest multiple of 1/16.
 */
function arctangentOfNumber(): void {
  const qh = fraction();
  const ql = low;
  const k = (qh >> 60) + ((qh >> 59) & 1);
  if (k == 0) {
    const square = multiplyHigh(qh, ql, qh, ql);
    const t = alternating(ARCTANGENT, ARCTANGENT_TERMS, square, low);
    const hi = multiplyHigh(numberHigh, numberLow, t, low);
    const less = low + 1;
    setNumber(
      numberHigh - hi - <u64>(numberLow < less || less == 0),
      numberLow - less,
      numberExponent,
    );
    return;
  }
  // (hi, lo) = |q - c|; c = 1 is the fraction's overflow, and that is right.
  let hi = qh - (k << 60);
  let lo = ql;
  const below = k == 16 || <i64>hi < 0;
  if (below) {
    hi = ~hi + <u64>(lo == 0);
    lo = 0 - lo;
  }
  let th: u64 = 0;
  let tl: u64 = 0;
  if (hi | lo) {
    const ch = (qh >> 4) * k + multiply((ql >> 4) | (qh << 60), k);
    const z = divideFraction(
      hi >> 1,
      (lo >> 1) | (hi << 63),
      TOP_BIT | (ch >> 1),
      (low >> 1) | (ch << 63),
    );
    const zl = low;
    const square = multiplyHigh(z, zl, z, zl);
    const t = alternating(ARCTANGENT, ARCTANGENT_TERMS, square, low);
    const less = multiplyHigh(z, zl, t, low);
    th = z - less - <u64>(zl < low);
    tl = zl - low;
  }
  const entry = ANGLES + ((<usize>k) << 4);
  const ah = load<u64>(entry);
  const al = load<u64>(entry, 8);
  if (below) setNumber(ah - th - <u64>(al < tl), al - tl, 0);
  else {
    const sum = al + tl;
    setNumber(ah + th + <u64>(sum < al), sum, 0);
  }
}

/** atan(y / x) in the quadrant of (x, y). */
function arctangent(ym: u64, yse: u32, xm: u64, xse: u32): u64 {
  const yc = classOf(ym, yse);
  const xc = classOf(xm, xse);
  if (yc >= NAN || xc >= NAN) return propagateNaN(ym, yse, xm, xse);
  if (yc == DENORMAL || xc == DENORMAL) addFlags80(DE);
  const sign = yse & 0x8000;
  const left = (xse & 0x8000) != 0;
  if (yc == INFINITE) return piResult(sign, xc == INFINITE ? (left ? 3 : 1) : 2);
  if (xc == INFINITE || yc == ZERO) {
    if (left) return piResult(sign, 4);
    setResultSE(sign);
    return 0;
  }
  if (xc == ZERO) return piResult(sign, 2);
  let yh = normalMantissa(ym);
  let ye = normalExponent(ym, yse);
  let xh = normalMantissa(xm);
  let xe = normalExponent(xm, xse);
  const steep = ye > xe || (ye == xe && yh > xh);
  if (steep) {
    const h = yh;
    yh = xh;
    xh = h;
    const e = ye;
    ye = xe;
    xe = e;
  }
  if (yh == xh && ye == xe) return piResult(sign, left ? 3 : 1);
  ratio(yh, 0, ye, xh, 0, xe);
  arctangentOfNumber();
  if (!steep && !left) return packNumber(sign);
  // From pi/2 or pi: in quarters, pi is 4 * QUARTER.
  setNumber(numberHigh, numberLow, numberExponent - 2);
  let hi = fraction();
  let lo = low;
  const baseHigh = steep ? QUARTER_HIGH >> 1 : QUARTER_HIGH;
  const baseLow = steep ? (QUARTER_LOW >> 1) | (QUARTER_HIGH << 63) : QUARTER_LOW;
  if (steep && left) {
    lo += baseLow;
    hi += baseHigh + <u64>(lo < baseLow);
  } else {
    hi = baseHigh - hi - <u64>(baseLow < lo);
    lo = baseLow - lo;
  }
  setNumber(hi, lo, 2);
  return packNumber(sign);
}

export function fpatan(): void {
  here();
  const p = st(0);
  const q = st(1);
  if (!isFull(p) || !isFull(q)) {
    if (underflow(q)) fpuPop();
    return;
  }
  const m = get(q);
  if (finish(q, arctangent(m, resultSE, load<u64>(p), load<u16>(p, 8)))) fpuPop();
}
