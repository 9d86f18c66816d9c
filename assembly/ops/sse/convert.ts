// Conversions between single, double and integers. To integers only IE (a NaN or out of range,
// either giving 80000000h) and PE exist; from integers only PE; between the formats all but ZE.
// Those with an MMX register take the register file from the x87 (mmx_wait), even when #XM is
// raised; with memory in its place they do not.
import {
  DOUBLE,
  isDenormal,
  isNaNBits,
  narrow,
  operand,
  propagate,
  roundToSingle,
  SINGLE,
  widen,
} from './exact';
import {
  finite32x4,
  GREATEST32,
  large32x4,
  LEAST32,
  plain32,
  plain32x4,
  plain64,
  plain64x2,
} from './lanes';
import {
  DE,
  DOWN,
  IE,
  isNearestNoted,
  isNoted,
  NEAREST,
  PE,
  roundingControl,
  settle,
  signal,
  TO_ZERO,
} from './mxcsr';
import { mmx_wait } from './state';

// --- To integers ---------------------------------------------------------------------------------

const INDEFINITE: i32 = 0x80000000;
const TWO_TO_31: f32 = 2147483648.0;

function integerOf(x: f64, mode: u32): i32 {
  let y: f64;
  if (mode == TO_ZERO) y = trunc<f64>(x);
  else if (mode == NEAREST) y = nearest<f64>(x);
  else if (mode == DOWN) y = floor<f64>(x);
  else y = ceil<f64>(x);
  if (!(y >= -2147483648.0 && y <= 2147483647.0)) {
    signal(IE);
    return INDEFINITE;
  }
  if (y != x) signal(PE);
  return <i32>y;
}

function integerOf32(bits: u32, mode: u32): i32 {
  return integerOf(reinterpret<f64>(operand(widen(bits), SINGLE)), mode);
}

function integerOf64(bits: u64, mode: u32): i32 {
  return integerOf(reinterpret<f64>(operand(bits, DOUBLE)), mode);
}

function integers32x4(b: v128, mode: u32): v128 {
  const first = integerOf32(i32x4.extract_lane(b, 0), mode);
  const second = integerOf32(i32x4.extract_lane(b, 1), mode);
  const third = integerOf32(i32x4.extract_lane(b, 2), mode);
  const fourth = integerOf32(i32x4.extract_lane(b, 3), mode);
  settle();
  let r = i32x4.splat(first);
  r = i32x4.replace_lane(r, 1, second);
  r = i32x4.replace_lane(r, 2, third);
  return i32x4.replace_lane(r, 3, fourth);
}

function pair(low: i32, high: i32): u64 {
  return (<u64>(<u32>low)) | ((<u64>high) << 32);
}

function integers64x2(b: v128, mode: u32): u64 {
  const low = integerOf64(i64x2.extract_lane(b, 0), mode);
  const high = integerOf64(i64x2.extract_lane(b, 1), mode);
  settle();
  return pair(low, high);
}

function integers32x2(b: v128, mode: u32): u64 {
  const low = integerOf32(i32x4.extract_lane(b, 0), mode);
  const high = integerOf32(i32x4.extract_lane(b, 1), mode);
  settle();
  return pair(low, high);
}

function inRange(b: v128): bool {
  return i32x4.all_true(f32x4.lt(f32x4.abs(b), f32x4.splat(TWO_TO_31)));
}

export function cvtps2dq(b: v128): v128 {
  // A value below 2^31 rounds to one below 2^31: singles have no fraction there.
  if (isNearestNoted() && inRange(b)) return i32x4.trunc_sat_f32x4_s(f32x4.nearest(b));
  return integers32x4(b, roundingControl());
}
export function cvttps2dq(b: v128): v128 {
  if (isNoted() && inRange(b)) return i32x4.trunc_sat_f32x4_s(b);
  return integers32x4(b, TO_ZERO);
}
export function cvtpd2dq(b: v128): v128 {
  return i64x2.replace_lane(i64x2.splat(0), 0, integers64x2(b, roundingControl()));
}
export function cvttpd2dq(b: v128): v128 {
  return i64x2.replace_lane(i64x2.splat(0), 0, integers64x2(b, TO_ZERO));
}
export function cvtps2pi(b: v128): u64 {
  mmx_wait();
  return integers32x2(b, roundingControl());
}
export function cvttps2pi(b: v128): u64 {
  mmx_wait();
  return integers32x2(b, TO_ZERO);
}
export function cvtpd2pi(b: v128): u64 {
  mmx_wait();
  return integers64x2(b, roundingControl());
}
export function cvttpd2pi(b: v128): u64 {
  mmx_wait();
  return integers64x2(b, TO_ZERO);
}
export function cvtss2si(b: v128): i32 {
  const r = integerOf32(i32x4.extract_lane(b, 0), roundingControl());
  settle();
  return r;
}
export function cvttss2si(b: v128): i32 {
  const r = integerOf32(i32x4.extract_lane(b, 0), TO_ZERO);
  settle();
  return r;
}
export function cvtsd2si(b: v128): i32 {
  const r = integerOf64(i64x2.extract_lane(b, 0), roundingControl());
  settle();
  return r;
}
export function cvttsd2si(b: v128): i32 {
  const r = integerOf64(i64x2.extract_lane(b, 0), TO_ZERO);
  settle();
  return r;
}

// --- From integers -------------------------------------------------------------------------------

function singleOf(value: i32): i32 {
  return narrow(roundToSingle(reinterpret<u64>(<f64>value)));
}

export function cvtdq2ps(b: v128): v128 {
  if (isNearestNoted()) return f32x4.convert_i32x4_s(b);
  const first = singleOf(i32x4.extract_lane(b, 0));
  const second = singleOf(i32x4.extract_lane(b, 1));
  const third = singleOf(i32x4.extract_lane(b, 2));
  const fourth = singleOf(i32x4.extract_lane(b, 3));
  settle();
  let r = i32x4.splat(first);
  r = i32x4.replace_lane(r, 1, second);
  r = i32x4.replace_lane(r, 2, third);
  return i32x4.replace_lane(r, 3, fourth);
}
export function cvtpi2ps_m64(a: v128, b: u64): v128 {
  const low = singleOf(<i32>b);
  const high = singleOf(<i32>(b >> 32));
  settle();
  return i64x2.replace_lane(a, 0, pair(low, high));
}
export function cvtpi2ps(a: v128, b: u64): v128 {
  mmx_wait();
  return cvtpi2ps_m64(a, b);
}
export function cvtsi2ss(a: v128, b: i32): v128 {
  if (isNearestNoted()) return f32x4.replace_lane(a, 0, <f32>b);
  const r = singleOf(b);
  settle();
  return i32x4.replace_lane(a, 0, r);
}
// A double holds every integer: no exceptions.
export function cvtdq2pd(b: v128): v128 {
  return f64x2.convert_low_i32x4_s(b);
}
export function cvtpi2pd(b: u64): v128 {
  mmx_wait();
  return f64x2.convert_low_i32x4_s(i64x2.splat(b));
}
export function cvtpi2pd_m64(b: u64): v128 {
  return f64x2.convert_low_i32x4_s(i64x2.splat(b));
}
export function cvtsi2sd(a: v128, b: i32): v128 {
  return f64x2.replace_lane(a, 0, <f64>b);
}

// --- Between single and double -------------------------------------------------------------------

function doubleOf(bits: u32): u64 {
  let x = widen(bits);
  if (isNaNBits(x)) return propagate(x, x);
  x = operand(x, SINGLE);
  if (isDenormal(x, SINGLE)) signal(DE);
  return x;
}

function singleOfDouble(bits: u64): i32 {
  if (isNaNBits(bits)) return narrow(propagate(bits, bits));
  const x = operand(bits, DOUBLE);
  if (isDenormal(x, DOUBLE)) signal(DE);
  return narrow(roundToSingle(x));
}

export function cvtps2pd(b: v128): v128 {
  // The upper lanes take no part: they may hold anything.
  const low = i64x2.shuffle(b, b, 0, 0);
  if (i32x4.all_true(plain32x4(low))) return f64x2.promote_low_f32x4(b);
  const first = doubleOf(i32x4.extract_lane(b, 0));
  const second = doubleOf(i32x4.extract_lane(b, 1));
  settle();
  return i64x2.replace_lane(i64x2.splat(first), 1, second);
}
export function cvtss2sd(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(b, 0);
  if (plain32(x)) return f64x2.replace_lane(a, 0, <f64>x);
  const r = doubleOf(i32x4.extract_lane(b, 0));
  settle();
  return i64x2.replace_lane(a, 0, r);
}
export function cvtpd2ps(b: v128): v128 {
  const r = f32x4.demote_f64x2_zero(b);
  const low = i64x2.shuffle(r, r, 0, 0);
  if (i64x2.all_true(plain64x2(b)) && isNearestNoted()) {
    if (i32x4.all_true(v128.and(finite32x4(low), large32x4(low)))) return r;
  }
  const first = singleOfDouble(i64x2.extract_lane(b, 0));
  const second = singleOfDouble(i64x2.extract_lane(b, 1));
  settle();
  return i64x2.replace_lane(i64x2.splat(0), 0, pair(first, second));
}
export function cvtsd2ss(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(b, 0);
  const r = <f32>x;
  if (plain64(x) && isNearestNoted() && abs(r) > LEAST32 && abs(r) <= GREATEST32) {
    return f32x4.replace_lane(a, 0, r);
  }
  const exact = singleOfDouble(i64x2.extract_lane(b, 0));
  settle();
  return i32x4.replace_lane(a, 0, exact);
}
