// F2XM1 FYL2X FYL2XP1. Series of 128 bits, rounded once (SDM vol. 1 8.3.9 and 8.3.10).
import { normalExponent, normalMantissa } from './arithmetic';
import { finish, fpuPop, get, here, isFull, st, underflow } from './stack';
import {
  addFlags80,
  classOf,
  DENORMAL,
  INFINITE,
  invalid,
  NAN,
  normalizePack,
  propagateNaN,
  quietNaN,
  resultSE,
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
  scaleNumber,
  series,
  setNumber,
} from './series';
import { divideFraction, low, multiply, multiplyHigh, shiftRightSticky } from './wide';
import { BIAS, DE, PE, TOP_BIT, ZE } from './words';

/** 1/2! 1/3! 1/4! ... */
const EXPONENTIAL: usize = memory.data<u64>([
  0x8000000000000000, 0x0000000000000000, 0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab,
  0x0aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaab, 0x0222222222222222, 0x2222222222222222,
  0x005b05b05b05b05b, 0x05b05b05b05b05b0, 0x000d00d00d00d00d, 0x00d00d00d00d00d0,
  0x0001a01a01a01a01, 0xa01a01a01a01a01a, 0x00002e3bc74aad8e, 0x671f5583911ca003,
  0x0000049f93edde27, 0xd71cbbc05b4fa99a, 0x0000006b99159fd5, 0x138e3f9d1f92e0df,
  0x00000008f76c77fc, 0x6c4bdaa26d4c3d68, 0x00000000b092309d, 0x43684be51c198e92,
  0x000000000c9cba54, 0x603e4e905d6f8a2f, 0x0000000000d73f9f, 0x399dc0f88ec32b58,
  0x00000000000d73f9, 0xf399dc0f88ec32b6, 0x000000000000ca96, 0x3b81856a53593029,
  0x0000000000000b41, 0x3c31dcbecbbdd802, 0x0000000000000097, 0xa4da340a0ab92651,
  0x0000000000000007, 0x950ae900808941ea,
]);

/** 1/3 1/5 1/7 ... */
const LOGARITHM: usize = memory.data<u64>([
  0x5555555555555555, 0x5555555555555555, 0x3333333333333333, 0x3333333333333333,
  0x2492492492492492, 0x4924924924924925, 0x1c71c71c71c71c71, 0xc71c71c71c71c71c,
  0x1745d1745d1745d1, 0x745d1745d1745d17, 0x13b13b13b13b13b1, 0x3b13b13b13b13b14,
  0x1111111111111111, 0x1111111111111111, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f,
  0x0d79435e50d79435, 0xe50d79435e50d794, 0x0c30c30c30c30c30, 0xc30c30c30c30c30c,
  0x0b21642c8590b216, 0x42c8590b21642c86, 0x0a3d70a3d70a3d70, 0xa3d70a3d70a3d70a,
  0x097b425ed097b425, 0xed097b425ed097b4, 0x08d3dcb08d3dcb08, 0xd3dcb08d3dcb08d4,
  0x0842108421084210, 0x8421084210842108, 0x07c1f07c1f07c1f0, 0x7c1f07c1f07c1f08,
  0x0750750750750750, 0x7507507507507507, 0x06eb3e45306eb3e4, 0x5306eb3e45306eb4,
  0x0690690690690690, 0x6906906906906907, 0x063e7063e7063e70, 0x63e7063e7063e706,
  0x05f417d05f417d05, 0xf417d05f417d05f4, 0x05b05b05b05b05b0, 0x5b05b05b05b05b06,
  0x0572620ae4c415c9, 0x882b9310572620ae, 0x05397829cbc14e5e, 0x0a72f05397829cbc,
]);
const EXPONENTIAL_TERMS = 19;
const LOGARITHM_TERMS = 24;

/** ln 2 as a fraction, and 2 / ln 2 divided by four. */
const LN2_HIGH: u64 = 0xb17217f7d1cf79ab;
const LN2_LOW: u64 = 0xc9e3b39803f2f6af;
const SCALE_HIGH: u64 = 0xb8aa3b295c17f0bb;
const SCALE_LOW: u64 = 0xbe87fed0691d3e89;

// --- F2XM1 -------------------------------------------------------------------------------------

/** 2^x - 1 for |x| up to one. */
function powerLessOne(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  const sign = se & 0x8000;
  setResultSE(se);
  if (c == ZERO) return m;
  if (c == INFINITE) {
    if (sign) setResultSE(0x8000 | BIAS);
    return m;
  }
  if (c == DENORMAL) addFlags80(DE);
  let e = normalExponent(m, se) - BIAS;
  m = normalMantissa(m);
  // Outside of its range the instruction leaves its operand, as if rounded.
  if (e > 0 || (e == 0 && m != TOP_BIT)) {
    addFlags80(PE);
    return m;
  }
  if (e == 0) {
    addFlags80(PE);
    setResultSE(sign ? 0xbffe : BIAS);
    return TOP_BIT;
  }
  // t = |x| ln 2, an eighth of it where it is large: e^2t - 1 = (e^t - 1)(e^t - 1 + 2).
  const halvings = e >= -3 ? 3 : 0;
  setNumber(m, 0, e + 1 - halvings);
  scaleNumber(LN2_HIGH, LN2_LOW);
  const th = fraction();
  const tl = low;
  // e^t - 1 = t (1 + v), 1 - e^-t = t (1 - v).
  if (sign) {
    const v = alternating(EXPONENTIAL, EXPONENTIAL_TERMS, th, tl);
    const hi = multiplyHigh(numberHigh, numberLow, v, low);
    const less = low + 1;
    setNumber(
      numberHigh - hi - <u64>(numberLow < less || less == 0),
      numberLow - less,
      numberExponent,
    );
  } else {
    const v = series(EXPONENTIAL, EXPONENTIAL_TERMS, th, tl);
    const hi = multiplyHigh(numberHigh, numberLow, v, low);
    // Half of each, so that the sum fits.
    const half = (numberLow >> 1) | (numberHigh << 63);
    const lo = half + ((low >> 1) | (hi << 63)) + 1;
    setNumber((numberHigh >> 1) + (hi >> 1) + <u64>(lo <= half), lo, numberExponent + 1);
  }
  if (halvings) {
    let hi = fraction();
    let lo = low;
    for (let i = 0; i < halvings; i++) {
      const square = multiplyHigh(hi, lo, hi, lo);
      hi = (hi << 1) | (lo >> 63);
      lo <<= 1;
      if (sign) {
        hi -= square + <u64>(lo < low);
        lo -= low;
      } else {
        lo += low;
        hi += square + <u64>(lo < low);
      }
    }
    setNumber(hi, lo, 0);
  }
  return packNumber(sign);
}

export function f2xm1(): void {
  here();
  const p = st(0);
  if (isFull(p)) finish(p, powerLessOne(get(p), resultSE));
  else underflow(p);
}

// --- Logarithms --------------------------------------------------------------------------------

/** The number becomes 2 atanh(n / d) / ln 2, for n / d normalised and below 0.18. */
function logarithmOfRatio(nh: u64, nl: u64, ne: i32, dh: u64, dl: u64, de: i32): void {
  let e = ne - de;
  if (nh > dh || (nh == dh && nl >= dl)) {
    nl = (nl >> 1) | (nh << 63);
    nh >>= 1;
    e++;
  }
  const q = divideFraction(nh, nl, dh, dl);
  setNumber(q, low, e);
  const f = fraction();
  const fl = low;
  const square = multiplyHigh(f, fl, f, fl);
  const more = series(LOGARITHM, LOGARITHM_TERMS, square, low);
  const moreLow = low;
  scaleNumber(SCALE_HIGH, SCALE_LOW);
  // s (1 + more), in halves so that the sum fits.
  const hi = multiplyHigh(numberHigh, numberLow, more, moreLow);
  const half = (numberLow >> 1) | (numberHigh << 63);
  const lo = half + ((low >> 1) | (hi << 63));
  setNumber((numberHigh >> 1) + (hi >> 1) + <u64>(lo < half), lo, numberExponent + 3);
}

/** The number becomes |log2 of (hi, lo) / 2^127 * 2^e|, normalised, not one; true: negative. */
function logarithm(hi: u64, lo: u64, e: i32): bool {
  // m between sqrt(1/2) and sqrt 2; n = |m - 1| and d = m + 1 in units of m's last place.
  const above = hi < 0xb504f333f9de6484;
  let dh: u64;
  let dl: u64;
  if (above) {
    // m - 1 and m + 1 in units of 2^-127, d halved.
    dh = (hi >> 1) + 0x4000000000000000;
    dl = (lo >> 1) | (hi << 63);
    hi ^= TOP_BIT;
  } else {
    // m is half of what it was: 1 - m and m + 1 in units of 2^-128, d halved.
    e++;
    dh = (hi >> 1) | TOP_BIT;
    dl = (lo >> 1) | (hi << 63);
    hi = ~hi + <u64>(lo == 0);
    lo = 0 - lo;
  }
  if ((hi | lo) == 0) {
    setNumber((<u64>(e < 0 ? -e : e)) << 48, 0, 16);
    return e < 0;
  }
  setNumber(hi, lo, above ? 1 : 0);
  const nh = numberHigh;
  const nl = numberLow;
  const ne = numberExponent;
  setNumber(dh, dl, above ? 2 : 1);
  logarithmOfRatio(nh, nl, ne, numberHigh, numberLow, numberExponent);
  if (e == 0) return !above;
  // e + log2 m with 16 bits before the point.
  const fh = shiftRightSticky(numberHigh, numberLow, 16 - numberExponent);
  const fl = low;
  const whole = (<u64>(e < 0 ? -e : e)) << 48;
  if (above == e > 0) setNumber(whole + fh, fl, 16);
  else setNumber(whole - fh - <u64>(fl != 0), 0 - fl, 16);
  return e < 0;
}

/** Packs the number times y. */
function timesY(sign: u32, ym: u64, yse: u32): u64 {
  const e = numberExponent + normalExponent(ym, yse) - (BIAS - 1);
  const hi = multiplyHigh(numberHigh, numberLow, normalMantissa(ym), 0);
  setNumber(hi, low, e);
  return packNumber(sign);
}

/** y log2 x. */
function yLog2(ym: u64, yse: u32, xm: u64, xse: u32): u64 {
  const yc = classOf(ym, yse);
  const xc = classOf(xm, xse);
  if (yc >= NAN || xc >= NAN) return propagateNaN(ym, yse, xm, xse);
  const ySign = yse & 0x8000;
  if (xc == ZERO) {
    if (yc == ZERO) return invalid();
    if (yc != INFINITE) setFlags80(ZE);
    setResultSE((ySign ^ 0x8000) | 0x7fff);
    return TOP_BIT;
  }
  if (xse & 0x8000) return invalid();
  if (xc == INFINITE) {
    if (yc == ZERO) return invalid();
    if (yc == DENORMAL) addFlags80(DE);
    setResultSE(ySign | 0x7fff);
    return TOP_BIT;
  }
  const e = normalExponent(xm, xse) - BIAS;
  const m = normalMantissa(xm);
  const power = m == TOP_BIT;
  const one = power && e == 0;
  if (yc == INFINITE && one) return invalid();
  if (yc == DENORMAL || xc == DENORMAL) addFlags80(DE);
  const sign = e < 0 ? ySign ^ 0x8000 : ySign;
  if (yc == INFINITE) {
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (yc == ZERO || one) {
    setResultSE(sign);
    return 0;
  }
  if (power) {
    // An exact product, y times a whole number,
    // which the processor calls inexact all the same.
    addFlags80(PE);
    const hi = multiply(normalMantissa(ym), (<u64>(e < 0 ? -e : e)) << 48);
    return normalizePack(sign, normalExponent(ym, yse) + 16, hi, low, 64);
  }
  const negative = logarithm(m, 0, e);
  return timesY(ySign ^ (negative ? 0x8000 : 0), ym, yse);
}

/** y log2(x + 1). */
function yLog2Plus1(ym: u64, yse: u32, xm: u64, xse: u32): u64 {
  const yc = classOf(ym, yse);
  const xc = classOf(xm, xse);
  if (yc >= NAN || xc >= NAN) return propagateNaN(ym, yse, xm, xse);
  const sign = (yse ^ xse) & 0x8000;
  const negative = (xse & 0x8000) != 0;
  if (xc == INFINITE) {
    if (negative || yc == ZERO) return invalid();
    if (yc == DENORMAL) addFlags80(DE);
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (xc == ZERO && yc == INFINITE) return invalid();
  if (yc == DENORMAL || xc == DENORMAL) addFlags80(DE);
  if (yc == INFINITE) {
    setResultSE(sign | 0x7fff);
    return TOP_BIT;
  }
  if (xc == ZERO || yc == ZERO) {
    setResultSE(sign);
    return 0;
  }
  const e = normalExponent(xm, xse) - BIAS;
  const m = normalMantissa(xm);
  if (e < -2 || (e == -2 && m < 0x95f619980c4336f7)) {
    // n = x, d = 2 + x, in units of 2^-126.
    const small = shiftRightSticky(m, 0, 1 - e);
    const smallLow = low;
    if (negative) setNumber(TOP_BIT - small - <u64>(smallLow != 0), 0 - smallLow, 2);
    else setNumber(TOP_BIT + small, smallLow, 2);
    const dh = numberHigh;
    const dl = numberLow;
    logarithmOfRatio(m, 0, e + 1, dh, dl, numberExponent);
    return timesY(sign, ym, yse);
  }
  if (negative && e >= 0) {
    // Below minus one: the operand itself, as if rounded.
    addFlags80(PE);
    setResultSE(xse);
    return xm;
  }
  // x + 1 itself.
  if (e >= 0) {
    const one = shiftRightSticky(TOP_BIT, 0, e);
    const sum = m + one;
    if (sum < m) setNumber((sum >> 1) | TOP_BIT, (low >> 1) | (sum << 63), e + 2);
    else setNumber(sum, low, e + 1);
  } else {
    const part = shiftRightSticky(m, 0, -e);
    if (negative) setNumber(TOP_BIT - part - <u64>(low != 0), 0 - low, 1);
    else setNumber(TOP_BIT + part, low, 1);
  }
  logarithm(numberHigh, numberLow, numberExponent - 1);
  return timesY(sign, ym, yse);
}

export function fyl2x(): void {
  here();
  const p = st(0);
  const q = st(1);
  if (!isFull(p) || !isFull(q)) {
    if (underflow(q)) fpuPop();
    return;
  }
  const m = get(q);
  if (finish(q, yLog2(m, resultSE, load<u64>(p), load<u16>(p, 8)))) fpuPop();
}

export function fyl2xp1(): void {
  here();
  const p = st(0);
  const q = st(1);
  if (!isFull(p) || !isFull(q)) {
    if (underflow(q)) fpuPop();
    return;
  }
  const m = get(q);
  if (finish(q, yLog2Plus1(m, resultSE, load<u64>(p), load<u16>(p, 8)))) fpuPop();
}
