// The exact operations of exact.ts applied lane by lane, and what makes the lanes safe for wasm's
// own arithmetic: no denormals, nothing beyond the normal range.
import {
  DOUBLE,
  exactAdd,
  exactDiv,
  exactMul,
  exactSqrt,
  exactSub,
  narrow,
  SINGLE,
  widen,
} from './exact';
import { settle } from './mxcsr';

export const ADD: i32 = 0;
export const SUB: i32 = 1;
export const MUL: i32 = 2;
export const DIV: i32 = 3;
export const SQRT: i32 = 4;

export const LEAST32: f32 = reinterpret<f32>(0x00800000);
export const GREATEST32: f32 = reinterpret<f32>(0x7f7fffff);
export const LEAST64: f64 = reinterpret<f64>(0x0010000000000000);
export const GREATEST64: f64 = reinterpret<f64>(0x7fefffffffffffff);

// --- Exactly, lane by lane -----------------------------------------------------------------------

function exact(operation: i32, a: u64, b: u64, precision: i32): u64 {
  switch (operation) {
    case ADD:
      return exactAdd(a, b, precision);
    case SUB:
      return exactSub(a, b, precision);
    case MUL:
      return exactMul(a, b, precision);
    case DIV:
      return exactDiv(a, b, precision);
    default:
      return exactSqrt(b, precision);
  }
}

function exact32(operation: i32, a: u32, b: u32): i32 {
  return narrow(exact(operation, widen(a), widen(b), SINGLE));
}

export function exactPS(operation: i32, a: v128, b: v128): v128 {
  let r = i64x2.splat(0);
  r = i32x4.replace_lane(
    r,
    0,
    exact32(operation, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)),
  );
  r = i32x4.replace_lane(
    r,
    1,
    exact32(operation, i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)),
  );
  r = i32x4.replace_lane(
    r,
    2,
    exact32(operation, i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)),
  );
  r = i32x4.replace_lane(
    r,
    3,
    exact32(operation, i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)),
  );
  settle();
  return r;
}

export function exactSS(operation: i32, a: v128, b: v128): v128 {
  const r = exact32(operation, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0));
  settle();
  return i32x4.replace_lane(a, 0, r);
}

export function exactPD(operation: i32, a: v128, b: v128): v128 {
  const low = exact(operation, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE);
  const high = exact(operation, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), DOUBLE);
  settle();
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

export function exactSD(operation: i32, a: v128, b: v128): v128 {
  const r = exact(operation, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE);
  settle();
  return i64x2.replace_lane(a, 0, r);
}

// --- Which values are plain ----------------------------------------------------------------------

/** Zero, normal or infinite: no exception because of the operand. */
export function plain32(x: f32): bool {
  return abs(x) >= LEAST32 || x == 0;
}
export function plain64(x: f64): bool {
  return abs(x) >= LEAST64 || x == 0;
}
/** The same of each lane, as a mask. */
export function plain32x4(v: v128): v128 {
  return v128.or(f32x4.ge(f32x4.abs(v), f32x4.splat(LEAST32)), f32x4.eq(v, f32x4.splat(0)));
}
export function plain64x2(v: v128): v128 {
  return v128.or(f64x2.ge(f64x2.abs(v), f64x2.splat(LEAST64)), f64x2.eq(v, f64x2.splat(0)));
}

export function finite32x4(v: v128): v128 {
  return f32x4.le(f32x4.abs(v), f32x4.splat(GREATEST32));
}
export function finite64x2(v: v128): v128 {
  return f64x2.le(f64x2.abs(v), f64x2.splat(GREATEST64));
}
/** Beyond the least normal number: a result there was not tiny before its rounding. */
export function large32x4(v: v128): v128 {
  return f32x4.gt(f32x4.abs(v), f32x4.splat(LEAST32));
}
export function large64x2(v: v128): v128 {
  return f64x2.gt(f64x2.abs(v), f64x2.splat(LEAST64));
}
/** That, or the product of a and b, or their quotient, is a zero because a factor, or a, is one. */
export function product32x4(r: v128, a: v128, b: v128): v128 {
  const zero = f32x4.splat(0);
  return v128.or(large32x4(r), v128.and(f32x4.eq(r, zero), zeros32x4(a, b)));
}
export function product64x2(r: v128, a: v128, b: v128): v128 {
  const zero = f64x2.splat(0);
  return v128.or(large64x2(r), v128.and(f64x2.eq(r, zero), zeros64x2(a, b)));
}
function zeros32x4(a: v128, b: v128): v128 {
  const zero = f32x4.splat(0);
  return v128.or(f32x4.eq(a, zero), f32x4.eq(b, zero));
}
function zeros64x2(a: v128, b: v128): v128 {
  const zero = f64x2.splat(0);
  return v128.or(f64x2.eq(a, zero), f64x2.eq(b, zero));
}

// For jit/sse.ts, which wants to know what its slow path gave: -1, or 0.

export function low_doubles_plain(x: v128, y: v128): i32 {
  return -i32(plain64(f64x2.extract_lane(x, 0)) && plain64(f64x2.extract_lane(y, 0)));
}
export function low_singles_plain(x: v128, y: v128): i32 {
  return -i32(plain32(f32x4.extract_lane(x, 0)) && plain32(f32x4.extract_lane(y, 0)));
}
export function doubles_plain(x: v128, y: v128): i32 {
  return -i32(i64x2.all_true(v128.and(plain64x2(x), plain64x2(y))));
}
export function singles_plain(x: v128, y: v128): i32 {
  return -i32(i32x4.all_true(v128.and(plain32x4(x), plain32x4(y))));
}
