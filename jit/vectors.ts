/**
 * XMM registers of a region in locals, as the general registers are (context.ts): read in the
 * prologue, written back in the epilogue and before what looks at them in memory. Also what is
 * known of their values within a node, and MXCSR as far as sse.ts asks for it.
 */
import { MXCSR, XMM } from '../assembly/shared/layout.ts';
import type { Context } from './context.ts';
import type { Decoded } from './decoded.ts';
import { UNIT_SSE, type Recipe } from './recipes.ts';
import * as O from './wasm/opcodes.ts';
import { V128_LOAD, V128_STORE } from './wasm/simd.ts';

export const VECTORS = 8;

// What is known of a register: lanes that are plain, no denormal and no NaN, as doubles and as
// singles. All of it holds only while `limitLocal` is not 0.
export const LOW_DOUBLE = 1;
export const HIGH_DOUBLE = 2;
export const LOW_SINGLE = 4;
/** The three above. */
export const HIGH_SINGLES = 8;
export const DOUBLES = LOW_DOUBLE | HIGH_DOUBLE;
export const SINGLES = LOW_SINGLE | HIGH_SINGLES;

// MXCSR (assembly/ops/sse/mxcsr.ts).
const MASKS = 0x1f80;
const PE = 0x20;
const DAZ = 0x40;
const RC_AND_FTZ = 0xe000;

/** Of the exponents 2 to 7FEh, the least that sse.ts takes for safe subtracted. */
export const LIMIT = 0x7fd;

const NONE = -1;

export class Vectors {
  /** Locals by register number; NONE: not of this region. */
  readonly locals = new Int32Array(VECTORS).fill(NONE);
  /** Masks of the region: what it reads or writes at all, what it writes. */
  used = 0;
  written = 0;
  /** Registers whose locals may differ from memory. */
  dirty = 0;
  readonly plain = new Uint8Array(VECTORS);
  /**
   * A local of the region, 0 at first: LIMIT, or 0 when exceptions or rounding are the slow path's
   * to see to. In a node of which `checked` is true.
   */
  limitLocal = NONE;
  checked = false;

  beginNode(): void {
    this.dirty = this.written;
    this.forget();
  }

  /** MXCSR, and what was said of values under it, may be another. */
  forget(): void {
    this.plain.fill(0);
    this.checked = false;
  }
}

/** Of a region that has SSE instructions. */
export const HAS_SSE = 1 << 16;

/** Registers a record reads or writes: used << 8 | written; and HAS_SSE. */
export function vectorsOf(decoded: Decoded, recipe: Recipe, record: number): number {
  let mask = recipe.unit === UNIT_SSE ? HAS_SSE : 0;
  if (recipe.usesX1) mask |= 0x100 << (decoded.r1(record) >> 4);
  if (recipe.writesX1) mask |= 0x101 << (decoded.r1(record) >> 4);
  if (recipe.usesX2) mask |= 0x100 << (decoded.r2(record) >> 4);
  return mask;
}

/** Begins a region with what vectorsOf() gives for its records. */
export function beginVectors(c: Context, mask: number): void {
  const { vectors } = c;
  const used = (mask >> 8) & 0xff;
  const written = mask & 0xff;
  vectors.used = used | written;
  vectors.written = written;
  // Before any node: what writes MXCSR may stand before what looks at it.
  vectors.limitLocal = mask & HAS_SSE ? c.locals.add(O.I32) : NONE;
  for (let i = 0; i < VECTORS; i++) {
    vectors.locals[i] = vectors.used & (1 << i) ? c.locals.add(O.V128) : NONE;
  }
  loadVectors(c, vectors.used);
}

function loadVectors({ e, vectors }: Context, mask: number): void {
  for (let i = 0; i < VECTORS; i++) {
    if ((mask & (1 << i)) === 0) continue;
    e.i32Const(0);
    e.simdMemory(V128_LOAD, XMM + 16 * i, 4);
    e.localSet(vectors.locals[i]!);
  }
}

export function storeVectors({ e, vectors }: Context, mask: number): void {
  for (let i = 0; i < VECTORS; i++) {
    if ((mask & (1 << i)) === 0) continue;
    e.i32Const(0);
    e.localGet(vectors.locals[i]!);
    e.simdMemory(V128_STORE, XMM + 16 * i, 4);
  }
}

/** The register of a slot as a number and as a local. */
export function vectorOf(slot: number): number {
  return slot >> 4;
}

export function vectorLocal({ vectors }: Context, slot: number): number {
  return vectors.locals[slot >> 4]!;
}

/** Pops the stack into a register, of which then `plain` is known. */
export function putVector({ e, vectors }: Context, slot: number, plain: number): void {
  const i = slot >> 4;
  e.localSet(vectors.locals[i]!);
  vectors.dirty |= 1 << i;
  vectors.plain[i] = plain;
}

/**
 * Before the first instruction of a node that may set flags in MXCSR: with an exception unmasked
 * the region is left, so that none raises #XM; then the limit. It stays what it is until
 * something writes MXCSR or the slow path of sse.ts has been taken.
 */
export function checkMxcsr(c: Context): void {
  const { e, vectors } = c;
  if (vectors.checked) return;
  vectors.checked = true;
  e.localGet(vectors.limitLocal);
  e.op(O.I32_EQZ);
  e.unlikely();
  e.if();
  c.prepareLeave();
  c.pushWord(MXCSR);
  e.i32Const(MASKS);
  e.op(O.I32_AND);
  e.i32Const(MASKS);
  e.op(O.I32_NE);
  c.leaveIf();
  e.i32Const(LIMIT);
  e.i32Const(0);
  c.pushWord(MXCSR);
  e.i32Const(RC_AND_FTZ | DAZ | PE);
  e.op(O.I32_AND);
  e.i32Const(PE);
  e.op(O.I32_EQ);
  e.select();
  e.localSet(vectors.limitLocal);
  e.end();
}

/** MXCSR may be another, and registers in memory. */
export function reloadVectors(c: Context): void {
  const { e, vectors } = c;
  loadVectors(c, vectors.used);
  vectors.forget();
  if (vectors.limitLocal === NONE) return;
  e.i32Const(0);
  e.localSet(vectors.limitLocal);
}
