// CMP, COMIS, UCOMIS, MIN, MAX. Rounding plays no part: between plain numbers wasm's comparisons
// are the processor's and no exception is possible; denormals (DE, DAZ) and NaNs (IE) go lane by
// lane. The second operand's part in MIN and MAX (SDM vol. 2: both zeros, or a NaN, give it) is
// what wasm's pseudo-minimum does with the operands exchanged.
import { CF, PF, ZF } from '../../shared/flags';
import {
  DOUBLE,
  isDenormal,
  isNaNBits,
  isSignaling,
  narrow,
  operand,
  SINGLE,
  widen,
} from './exact';
import { plain32, plain32x4, plain64, plain64x2 } from './lanes';
import { DE, IE, settle, signal } from './mxcsr';

// --- Two values of either format, as exact.ts has them -------------------------------------------

const LESS: u32 = 1;
const EQUAL: u32 = 2;
const GREATER: u32 = 4;
const UNORDERED: u32 = 8;

/** How a stands to b. A quiet NaN is invalid only where `quietInvalid`. */
function relation(a: u64, b: u64, precision: i32, quietInvalid: bool): u32 {
  if (isNaNBits(a) || isNaNBits(b)) {
    if (quietInvalid || isSignaling(a) || isSignaling(b)) signal(IE);
    return UNORDERED;
  }
  a = operand(a, precision);
  b = operand(b, precision);
  if (isDenormal(a, precision) || isDenormal(b, precision)) signal(DE);
  const x = reinterpret<f64>(a);
  const y = reinterpret<f64>(b);
  return x < y ? LESS : x > y ? GREATER : EQUAL;
}

/** MIN (wanted = LESS) and MAX (wanted = GREATER). */
function extreme(a: u64, b: u64, precision: i32, wanted: u32): u64 {
  const first = relation(a, b, precision, true) == wanted;
  return operand(first ? a : b, precision);
}

// --- CMP -----------------------------------------------------------------------------------------
// Predicates 0 to 7: EQ LT LE UNORD NEQ NLT NLE ORD. LT and LE and their negations are invalid on
// quiet NaNs.

function holds(predicate: i32, a: u64, b: u64, precision: i32): i32 {
  const kind = predicate & 3;
  const is = relation(a, b, precision, kind == 1 || kind == 2);
  let wanted: u32 = UNORDERED;
  if (kind == 0) wanted = EQUAL;
  else if (kind == 1) wanted = LESS;
  else if (kind == 2) wanted = LESS | EQUAL;
  return ((is & wanted) != 0) == predicate < 4 ? -1 : 0;
}

function holds32(predicate: i32, a: u32, b: u32): i32 {
  return holds(predicate, widen(a), widen(b), SINGLE);
}

export function cmpps(a: v128, b: v128, imm: i32): v128 {
  const predicate = imm & 7;
  let r: v128;
  if (i32x4.all_true(v128.and(plain32x4(a), plain32x4(b)))) {
    const kind = predicate & 3;
    if (kind == 0) r = f32x4.eq(a, b);
    else if (kind == 1) r = f32x4.lt(a, b);
    else if (kind == 2) r = f32x4.le(a, b);
    else r = i64x2.splat(0);
    return predicate < 4 ? r : v128.not(r);
  }
  r = i32x4.splat(holds32(predicate, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)));
  const second = holds32(predicate, i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1));
  const third = holds32(predicate, i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2));
  const fourth = holds32(predicate, i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3));
  settle();
  r = i32x4.replace_lane(r, 1, second);
  r = i32x4.replace_lane(r, 2, third);
  return i32x4.replace_lane(r, 3, fourth);
}

export function cmppd(a: v128, b: v128, imm: i32): v128 {
  const predicate = imm & 7;
  if (i64x2.all_true(v128.and(plain64x2(a), plain64x2(b)))) {
    const kind = predicate & 3;
    let r: v128;
    if (kind == 0) r = f64x2.eq(a, b);
    else if (kind == 1) r = f64x2.lt(a, b);
    else if (kind == 2) r = f64x2.le(a, b);
    else r = i64x2.splat(0);
    return predicate < 4 ? r : v128.not(r);
  }
  const low = holds(predicate, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE);
  const high = holds(predicate, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), DOUBLE);
  settle();
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

export function cmpss(a: v128, b: v128, imm: i32): v128 {
  const r = holds32(imm & 7, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0));
  settle();
  return i32x4.replace_lane(a, 0, r);
}

export function cmpsd(a: v128, b: v128, imm: i32): v128 {
  const r = holds(imm & 7, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE);
  settle();
  return i64x2.replace_lane(a, 0, r);
}

// --- COMIS, UCOMIS: EFLAGS -----------------------------------------------------------------------

function flagsOf(is: u32): i32 {
  settle();
  if (is == UNORDERED) return ZF | PF | CF;
  if (is == LESS) return CF;
  return is == EQUAL ? ZF : 0;
}

function flags32(a: v128, b: v128, quietInvalid: bool): i32 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  if (plain32(x) && plain32(y)) return x < y ? CF : x == y ? ZF : 0;
  const first = widen(i32x4.extract_lane(a, 0));
  return flagsOf(relation(first, widen(i32x4.extract_lane(b, 0)), SINGLE, quietInvalid));
}

function flags64(a: v128, b: v128, quietInvalid: bool): i32 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  if (plain64(x) && plain64(y)) return x < y ? CF : x == y ? ZF : 0;
  const first = i64x2.extract_lane(a, 0);
  return flagsOf(relation(first, i64x2.extract_lane(b, 0), DOUBLE, quietInvalid));
}

export function comiss(a: v128, b: v128): i32 {
  return flags32(a, b, true);
}
export function comisd(a: v128, b: v128): i32 {
  return flags64(a, b, true);
}
export function ucomiss(a: v128, b: v128): i32 {
  return flags32(a, b, false);
}
export function ucomisd(a: v128, b: v128): i32 {
  return flags64(a, b, false);
}

// --- MIN, MAX ------------------------------------------------------------------------------------

function extreme32(a: u32, b: u32, wanted: u32): i32 {
  return narrow(extreme(widen(a), widen(b), SINGLE, wanted));
}

function extremePS(a: v128, b: v128, wanted: u32): v128 {
  let r = i32x4.splat(extreme32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), wanted));
  const second = extreme32(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), wanted);
  const third = extreme32(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), wanted);
  const fourth = extreme32(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), wanted);
  settle();
  r = i32x4.replace_lane(r, 1, second);
  r = i32x4.replace_lane(r, 2, third);
  return i32x4.replace_lane(r, 3, fourth);
}

function extremePD(a: v128, b: v128, wanted: u32): v128 {
  const low = extreme(i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE, wanted);
  const high = extreme(i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), DOUBLE, wanted);
  settle();
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

function extremeSS(a: v128, b: v128, wanted: u32): v128 {
  const r = extreme32(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), wanted);
  settle();
  return i32x4.replace_lane(a, 0, r);
}

function extremeSD(a: v128, b: v128, wanted: u32): v128 {
  const r = extreme(i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), DOUBLE, wanted);
  settle();
  return i64x2.replace_lane(a, 0, r);
}

export function minps(a: v128, b: v128): v128 {
  if (i32x4.all_true(v128.and(plain32x4(a), plain32x4(b)))) return f32x4.pmin(b, a);
  return extremePS(a, b, LESS);
}
export function maxps(a: v128, b: v128): v128 {
  if (i32x4.all_true(v128.and(plain32x4(a), plain32x4(b)))) return f32x4.pmax(b, a);
  return extremePS(a, b, GREATER);
}
export function minpd(a: v128, b: v128): v128 {
  if (i64x2.all_true(v128.and(plain64x2(a), plain64x2(b)))) return f64x2.pmin(b, a);
  return extremePD(a, b, LESS);
}
export function maxpd(a: v128, b: v128): v128 {
  if (i64x2.all_true(v128.and(plain64x2(a), plain64x2(b)))) return f64x2.pmax(b, a);
  return extremePD(a, b, GREATER);
}
export function minss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  if (plain32(x) && plain32(y)) return f32x4.replace_lane(a, 0, x < y ? x : y);
  return extremeSS(a, b, LESS);
}
export function maxss(a: v128, b: v128): v128 {
  const x = f32x4.extract_lane(a, 0);
  const y = f32x4.extract_lane(b, 0);
  if (plain32(x) && plain32(y)) return f32x4.replace_lane(a, 0, x > y ? x : y);
  return extremeSS(a, b, GREATER);
}
export function minsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  if (plain64(x) && plain64(y)) return f64x2.replace_lane(a, 0, x < y ? x : y);
  return extremeSD(a, b, LESS);
}
export function maxsd(a: v128, b: v128): v128 {
  const x = f64x2.extract_lane(a, 0);
  const y = f64x2.extract_lane(b, 0);
  if (plain64(x) && plain64(y)) return f64x2.replace_lane(a, 0, x > y ? x : y);
  return extremeSD(a, b, GREATER);
}
