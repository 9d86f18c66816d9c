// FADD FSUB FSUBR FMUL FDIV FDIVR with a memory operand, with ST(i), to ST(i), and popping; FSQRT.
import { add80, div80, mul80, sqrt80, sub80 } from './arithmetic';
import { widen32, widen64, widenInteger } from './convert';
import { finish, get, here, hereMemory, isFull, fpuPop, st, underflow } from './stack';
import { resultSE } from './value';

/** ST(0) as the target of an operation with memory; 0: it was empty, and that is dealt with. */
function target(ea: u32): u32 {
  hereMemory(ea);
  const p = st(0);
  if (isFull(p)) return p;
  underflow(p);
  return 0;
}

/** ST(to) as the target of an operation with ST(from); 0: a stack fault, dealt with. */
function pair(to: u32, from: u32, pops: bool): u32 {
  here();
  const p = st(to);
  if (isFull(p) && isFull(st(from))) return p;
  if (underflow(p) && pops) fpuPop();
  return 0;
}

// The register at p and the operand (m, resultSE), result to p. True: the pop happens.

function addTo(p: u32, m: u64): bool {
  return finish(p, add80(load<u64>(p), load<u16>(p, 8), m, resultSE));
}

function subTo(p: u32, m: u64): bool {
  return finish(p, sub80(load<u64>(p), load<u16>(p, 8), m, resultSE));
}

function subrTo(p: u32, m: u64): bool {
  return finish(p, sub80(m, resultSE, load<u64>(p), load<u16>(p, 8)));
}

function mulTo(p: u32, m: u64): bool {
  return finish(p, mul80(load<u64>(p), load<u16>(p, 8), m, resultSE));
}

function divTo(p: u32, m: u64): bool {
  return finish(p, div80(load<u64>(p), load<u16>(p, 8), m, resultSE));
}

function divrTo(p: u32, m: u64): bool {
  return finish(p, div80(m, resultSE, load<u64>(p), load<u16>(p, 8)));
}

// --- FADD

export function fadd_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) addTo(p, widen32(v));
}

export function fadd_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) addTo(p, widen64(v));
}

export function fiadd_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) addTo(p, widenInteger(v));
}

export function fiadd_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) addTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fadd_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) addTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fadd_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) addTo(p, get(st(0)));
}

export function faddp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && addTo(p, get(st(0)))) fpuPop();
}

// --- FSUB

export function fsub_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) subTo(p, widen32(v));
}

export function fsub_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) subTo(p, widen64(v));
}

export function fisub_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) subTo(p, widenInteger(v));
}

export function fisub_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) subTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fsub_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) subTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fsub_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) subTo(p, get(st(0)));
}

export function fsubp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && subTo(p, get(st(0)))) fpuPop();
}

// --- FSUBR

export function fsubr_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) subrTo(p, widen32(v));
}

export function fsubr_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) subrTo(p, widen64(v));
}

export function fisubr_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) subrTo(p, widenInteger(v));
}

export function fisubr_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) subrTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fsubr_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) subrTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fsubr_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) subrTo(p, get(st(0)));
}

export function fsubrp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && subrTo(p, get(st(0)))) fpuPop();
}

// --- FMUL

export function fmul_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) mulTo(p, widen32(v));
}

export function fmul_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) mulTo(p, widen64(v));
}

export function fimul_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) mulTo(p, widenInteger(v));
}

export function fimul_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) mulTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fmul_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) mulTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fmul_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) mulTo(p, get(st(0)));
}

export function fmulp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && mulTo(p, get(st(0)))) fpuPop();
}

// --- FDIV

export function fdiv_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) divTo(p, widen32(v));
}

export function fdiv_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) divTo(p, widen64(v));
}

export function fidiv_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) divTo(p, widenInteger(v));
}

export function fidiv_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) divTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fdiv_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) divTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fdiv_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) divTo(p, get(st(0)));
}

export function fdivp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && divTo(p, get(st(0)))) fpuPop();
}

// --- FDIVR

export function fdivr_m32(v: u32, ea: u32): void {
  const p = target(ea);
  if (p) divrTo(p, widen32(v));
}

export function fdivr_m64(v: u64, ea: u32): void {
  const p = target(ea);
  if (p) divrTo(p, widen64(v));
}

export function fidivr_m32(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) divrTo(p, widenInteger(v));
}

export function fidivr_m16(v: i32, ea: u32): void {
  const p = target(ea);
  if (p) divrTo(p, widenInteger(v));
}

/** ST(0) and ST(i) to ST(0). */
export function fdivr_st(i: u32): void {
  const p = pair(0, i, false);
  if (p) divrTo(p, get(st(i)));
}

/** ST(i) and ST(0) to ST(i). */
export function fdivr_to_st(i: u32): void {
  const p = pair(i, 0, false);
  if (p) divrTo(p, get(st(0)));
}

export function fdivrp(i: u32): void {
  const p = pair(i, 0, true);
  if (p && divrTo(p, get(st(0)))) fpuPop();
}

// --- FSQRT

export function fsqrt(): void {
  const p = pair(0, 0, false);
  if (p) finish(p, sqrt80(get(p), resultSE));
}
