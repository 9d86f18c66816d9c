/**
 * Guest memory from translated code: the operand's address, and accesses through the TLB. What
 * misses leaves the region before the instruction, which the interpreter then executes (a rejoining
 * miss measured 15 to 20 % of everything, hit or not).
 */
import { TLB_ADDEND, TLB_READ, TLB_WRITE } from '../assembly/shared/layout.ts';
import type { Context } from './context.ts';
import { getSlot, SLOT_ZERO } from './registers.ts';
import * as O from './wasm/opcodes.ts';
import { V128_LOAD, V128_LOAD32_ZERO, V128_LOAD64_ZERO, V128_STORE } from './wasm/simd.ts';

/** Puts the record's operand address into a fresh local; the caller gives it back. */
export function address(c: Context, record: number): number {
  const { e, decoded } = c;
  const base = decoded.base(record);
  const index = decoded.index(record);
  const disp = decoded.disp(record);
  let pushed = false;
  if (base !== SLOT_ZERO) {
    getSlot(c, base);
    pushed = true;
  }
  if (index !== SLOT_ZERO) {
    getSlot(c, index);
    const scale = decoded.scale(record);
    if (scale) {
      e.i32Const(scale);
      e.op(O.I32_SHL);
    }
    if (pushed) e.op(O.I32_ADD);
    pushed = true;
  }
  if (disp !== 0 || !pushed) {
    e.i32Const(disp);
    if (pushed) e.op(O.I32_ADD);
  }
  const local = c.locals.take(O.I32);
  e.localSet(local);
  return local;
}

/**
 * Emits the TLB compare for [local, + bytes) and leaves the region where it misses. The address in
 * this memory is left on the wasm stack.
 */
export function check(c: Context, local: number, bytes: number, tag: number): void {
  const { e } = c;
  const entry = c.locals.take(O.I32);
  e.localGet(local);
  e.i32Const(8);
  e.op(O.I32_SHR_U);
  e.i32Const(0xfffff0);
  e.op(O.I32_AND);
  e.localTee(entry);
  e.load(O.I32_LOAD, c.tlb + tag, 2);
  e.localGet(local);
  if (bytes > 1) {
    e.i32Const(bytes - 1);
    e.op(O.I32_ADD);
  }
  e.i32Const(0xfff);
  e.op(O.I32_OR);
  e.op(O.I32_NE);
  e.if();
  c.leaveHere();
  e.end();
  e.localGet(local);
  e.localGet(entry);
  e.load(O.I32_LOAD, c.tlb + TLB_ADDEND, 2);
  e.op(O.I32_ADD);
  c.locals.give(entry);
}

/** Pushes the value at the host address on the stack: 8, 16 sign-extended, 32, 64, 128 bits. */
export function loadValue(c: Context, bits: number): void {
  const { e } = c;
  switch (bits) {
    case 8:
      e.load(O.I32_LOAD8_S, 0);
      break;
    case 16:
      e.load(O.I32_LOAD16_S, 0);
      break;
    case 32:
      e.load(O.I32_LOAD, 0);
      break;
    case 64:
      e.load(O.I64_LOAD, 0);
      break;
    default:
      e.simdMemory(V128_LOAD, 0);
  }
}

/** The same into the low lane of a vector. */
export function loadLane(c: Context, bits: number): void {
  c.e.simdMemory(bits === 32 ? V128_LOAD32_ZERO : V128_LOAD64_ZERO, 0);
}

/** Stores the value on the stack at the host address below it. */
export function storeValue(c: Context, bits: number): void {
  const { e } = c;
  switch (bits) {
    case 8:
      e.store(O.I32_STORE8, 0);
      break;
    case 16:
      e.store(O.I32_STORE16, 0);
      break;
    case 32:
      e.store(O.I32_STORE, 0);
      break;
    case 64:
      e.store(O.I64_STORE, 0);
      break;
    default:
      e.simdMemory(V128_STORE, 0);
  }
}

export { TLB_READ, TLB_WRITE };
