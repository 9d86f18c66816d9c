// ADD, SUB, MUL, DIV, SQRT of single and double precision, packed and scalar.
//
// wasm's arithmetic is IEEE 754's to nearest. With operands that are plain (no denormal, no NaN)
// and a result that is finite and not tiny, it is the processor's, and PE is the only exception
// there can be. When PE is masked and sticky already, or the result is exact, nothing is left to
// note; all else goes through exact.ts. A finite result has finite operands, but for x / infinity.
import {
  ADD,
  DIV,
  exactPD,
  exactPS,
  exactSD,
  exactSS,
  finite32x4,
  finite64x2,
  GREATEST32,
  GREATEST64,
  large32x4,
  large64x2,
  LEAST32,
  LEAST64,
  MUL,
  plain32,
  plain32x4,
  plain64,
  plain64x2,
  product32x4,
  product64x2,
  SQRT,
  SUB,
} from './lanes';
import { isNearest, isNearestNoted } from './mxcsr';

// --- Is a rounded result exact? ------------------------------------------------------------------

/** r = x + y rounded to nearest; the error of a sum is a number itself (Moller, Knuth). */
function sumIsExact32(x: f32, y: f32, r: f32): bool {
  const z = r - x;
  return x - (r - z) + (y - z) == 0;
}
function sumIsExact64(x: f64, y: f64, r: f64): bool {
  const z = r - x;
  return x - (r - z) + (y - z) == 0;
}
/** 24 by 24 bits fit in 53. */
function productIsExact32(x: f32, y: f32, r: f32): bool {
  return <f64>x * <f64>y == <f64>r;
}
/** By the length of the product of the significands without trailing zeros; 105 or 106 with them. */
function productIsExact64(x: f64, y: f64, r: f64): bool {
  if (r == 0) return true;
  const a = reinterpret<u64>(x);
  const b = reinterpret<u64>(y);
  const zeros = ctz(a | 0x10000000000000) + ctz(b | 0x10000000000000);
  const carry =
    ((reinterpret<u64>(r) >> 52) & 0x7ff) - ((a >> 52) & 0x7ff) - ((b >> 52) & 0x7ff) + 1023;
  return 105 + carry - zeros <= 53;
}

function sumsAreExact32x4(x: v128, y: v128, r: v128): bool {
  const z = f32x4.sub(r, x);
  const error = f32x4.add(f32x4.sub(x, f32x4.sub(r, z)), f32x4.sub(y, z));
  return i32x4.all_true(f32x4.eq(error, f32x4.splat(0)));
}
function sumsAreExact64x2(x: v128, y: v128, r: v128): bool {
  const z = f64x2.sub(r, x);
  const error = f64x2.add(f64x2.sub(x, f64x2.sub(r, z)), f64x2.sub(y, z));
  return i64x2.all_true(f64x2.eq(error, f64x2.splat(0)));
}
function productsAreExact32x4(x: v128, y: v128, r: v128): bool {
  const low = f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
  if (!i64x2.all_true(f64x2.eq(low, f64x2.promote_low_f32x4(r)))) return false;
  x = i64x2.shuffle(x, x, 1, 1);
  y = i64x2.shuffle(y, y, 1, 1);
  r = i64x2.shuffle(r, r, 1, 1);
  const high = f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
  return i64x2.all_true(f64x2.eq(high, f64x2.promote_low_f32x4(r)));
}
/** Also that r is the product at all: it is not when it is the dividend or the radicand. */
function productsAreExact64x2(x: v128, y: v128, r: v128): bool {
  if (!i64x2.all_true(f64x2.eq(f64x2.mul(x, y), r))) return false;
  return (
    productIsExact64(
      f64x2.extract_lane(x, 0),
      f64x2.extract_lane(y, 0),
      f64x2.extract_lane(r, 0),
    ) &&
    productIsExact64(f64x2.extract_lane(x, 1), f64x2.extract_lane(y, 1), f64x2.extract_lane(r, 1))
  );
}

// --- ADD ------------------------------------------------------------------------------------------

export function addps(a: v128, b: v128): v128 {
  const r = f32x4.add(a, b);
  const operands = v128.and(plain32x4(a), plain32x4(b));
  const result = v128.and(finite32x4(r), plain32x4(r));
  if (i32x4.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && sumsAreExact32x4(a, b, r))) return r;
  }
  return exactPS(ADD, a, b);
}
export function addpd(a: v128, b: v128): v128 {
  const r = f64x2.add(a, b);
  const operands = v128.and(plain64x2(a), plain64x2(b));
  const result = v128.and(finite64x2(r), plain64x2(r));
  if (i64x2.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && sumsAreExact64x2(a, b, r))) return r;
  }
  return exactPD(ADD, a, b);
}
export function addss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  const r = x + y;
  if (plain32(x) && plain32(y) && abs(r) <= GREATEST32 && plain32(r)) {
    if (isNearestNoted() || (isNearest() && sumIsExact32(x, y, r))) {
      return f32x4.replace_lane(a, 0, r);
    }
  }
  return exactSS(ADD, a, b);
}
export function addsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  const r = x + y;
  if (plain64(x) && plain64(y) && abs(r) <= GREATEST64 && plain64(r)) {
    if (isNearestNoted() || (isNearest() && sumIsExact64(x, y, r))) {
      return f64x2.replace_lane(a, 0, r);
    }
  }
  return exactSD(ADD, a, b);
}

// --- SUB ------------------------------------------------------------------------------------------

export function subps(a: v128, b: v128): v128 {
  const r = f32x4.sub(a, b);
  const operands = v128.and(plain32x4(a), plain32x4(b));
  const result = v128.and(finite32x4(r), plain32x4(r));
  if (i32x4.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && sumsAreExact32x4(a, f32x4.neg(b), r))) return r;
  }
  return exactPS(SUB, a, b);
}
export function subpd(a: v128, b: v128): v128 {
  const r = f64x2.sub(a, b);
  const operands = v128.and(plain64x2(a), plain64x2(b));
  const result = v128.and(finite64x2(r), plain64x2(r));
  if (i64x2.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && sumsAreExact64x2(a, f64x2.neg(b), r))) return r;
  }
  return exactPD(SUB, a, b);
}
export function subss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  const r = x - y;
  if (plain32(x) && plain32(y) && abs(r) <= GREATEST32 && plain32(r)) {
    if (isNearestNoted() || (isNearest() && sumIsExact32(x, -y, r))) {
      return f32x4.replace_lane(a, 0, r);
    }
  }
  return exactSS(SUB, a, b);
}
export function subsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  const r = x - y;
  if (plain64(x) && plain64(y) && abs(r) <= GREATEST64 && plain64(r)) {
    if (isNearestNoted() || (isNearest() && sumIsExact64(x, -y, r))) {
      return f64x2.replace_lane(a, 0, r);
    }
  }
  return exactSD(SUB, a, b);
}

// --- MUL ------------------------------------------------------------------------------------------

export function mulps(a: v128, b: v128): v128 {
  const r = f32x4.mul(a, b);
  const operands = v128.and(plain32x4(a), plain32x4(b));
  const result = v128.and(finite32x4(r), product32x4(r, a, b));
  if (i32x4.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && productsAreExact32x4(a, b, r))) return r;
  }
  return exactPS(MUL, a, b);
}
export function mulpd(a: v128, b: v128): v128 {
  const r = f64x2.mul(a, b);
  const operands = v128.and(plain64x2(a), plain64x2(b));
  const result = v128.and(finite64x2(r), product64x2(r, a, b));
  if (i64x2.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && productsAreExact64x2(a, b, r))) return r;
  }
  return exactPD(MUL, a, b);
}
export function mulss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  const r = x * y;
  if (plain32(x) && plain32(y) && abs(r) <= GREATEST32 && (abs(r) > LEAST32 || x == 0 || y == 0)) {
    if (isNearestNoted() || (isNearest() && productIsExact32(x, y, r))) {
      return f32x4.replace_lane(a, 0, r);
    }
  }
  return exactSS(MUL, a, b);
}
export function mulsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  const r = x * y;
  if (plain64(x) && plain64(y) && abs(r) <= GREATEST64 && (abs(r) > LEAST64 || x == 0 || y == 0)) {
    if (isNearestNoted() || (isNearest() && productIsExact64(x, y, r))) {
      return f64x2.replace_lane(a, 0, r);
    }
  }
  return exactSD(MUL, a, b);
}

// --- DIV ------------------------------------------------------------------------------------------

export function divps(a: v128, b: v128): v128 {
  const r = f32x4.div(a, b);
  const operands = v128.and(plain32x4(a), plain32x4(b));
  const result = v128.and(finite32x4(r), product32x4(r, a, a));
  if (i32x4.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && productsAreExact32x4(r, b, a))) return r;
  }
  return exactPS(DIV, a, b);
}
export function divpd(a: v128, b: v128): v128 {
  const r = f64x2.div(a, b);
  const operands = v128.and(plain64x2(a), plain64x2(b));
  const result = v128.and(finite64x2(r), product64x2(r, a, a));
  if (i64x2.all_true(v128.and(operands, result))) {
    if (isNearestNoted() || (isNearest() && productsAreExact64x2(r, b, a))) return r;
  }
  return exactPD(DIV, a, b);
}
export function divss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  const r = x / y;
  if (plain32(x) && plain32(y) && abs(r) <= GREATEST32 && (abs(r) > LEAST32 || x == 0)) {
    if (isNearestNoted() || (isNearest() && productIsExact32(r, y, x))) {
      return f32x4.replace_lane(a, 0, r);
    }
  }
  return exactSS(DIV, a, b);
}
export function divsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  const r = x / y;
  if (plain64(x) && plain64(y) && abs(r) <= GREATEST64 && (abs(r) > LEAST64 || x == 0)) {
    if (isNearestNoted() || (isNearest() && r * y == x && productIsExact64(r, y, x))) {
      return f64x2.replace_lane(a, 0, r);
    }
  }
  return exactSD(DIV, a, b);
}

// --- SQRT: the root of a plain number is never tiny and never too large --------------------------

export function sqrtps(b: v128): v128 {
  const r = f32x4.sqrt(b);
  if (i32x4.all_true(v128.and(plain32x4(b), finite32x4(r)))) {
    if (isNearestNoted() || (isNearest() && productsAreExact32x4(r, r, b))) return r;
  }
  return exactPS(SQRT, b, b);
}
export function sqrtpd(b: v128): v128 {
  const r = f64x2.sqrt(b);
  if (i64x2.all_true(v128.and(plain64x2(b), finite64x2(r)))) {
    if (isNearestNoted() || (isNearest() && productsAreExact64x2(r, r, b))) return r;
  }
  return exactPD(SQRT, b, b);
}
export function sqrtss(a: v128, b: v128): v128 {
  const y = f32x4.extract_lane(b, 0);
  const r = sqrt<f32>(y);
  if (plain32(y) && r <= GREATEST32) {
    if (isNearestNoted() || (isNearest() && productIsExact32(r, r, y))) {
      return f32x4.replace_lane(a, 0, r);
    }
  }
  return exactSS(SQRT, a, b);
}
export function sqrtsd(a: v128, b: v128): v128 {
  const y = f64x2.extract_lane(b, 0);
  const r = sqrt<f64>(y);
  if (plain64(y) && r <= GREATEST64) {
    if (isNearestNoted() || (isNearest() && r * r == y && productIsExact64(r, r, y))) {
      return f64x2.replace_lane(a, 0, r);
    }
  }
  return exactSD(SQRT, a, b);
}
