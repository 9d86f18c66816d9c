/**
 * Guest registers by slot and size, as locals. A slot is a byte offset in the register file
 * (shared/layout.ts): registers are 4 apart, AH CH DH BH are the second bytes of the first four.
 */
import { REGS, SLOT_ADDRESS, SLOT_ZERO } from '../assembly/shared/layout.ts';
import type { Context } from './context.ts';
import type { Decoded } from './decoded.ts';
import type { Recipe } from './recipes.ts';
import * as O from './wasm/opcodes.ts';

export function numberOf(slot: number): number {
  return slot >> 2;
}

/** Bit of a slot in register masks; 0 for slots that are no general register. */
export function maskOf(slot: number): number {
  return slot < SLOT_ZERO ? 1 << (slot >> 2) : 0;
}

/** Registers and flags a record reads or writes: used << 16 | written. */
export function stateOf(decoded: Decoded, recipe: Recipe, record: number): number {
  let { state } = recipe;
  if (recipe.usesR1) {
    const mask = maskOf(decoded.r1(record));
    state |= mask << 16;
    if (recipe.writesR1) state |= mask;
  }
  if (recipe.usesR2) {
    const mask = maskOf(decoded.r2(record));
    state |= mask << 16;
    if (recipe.writesR2) state |= mask;
  }
  if (recipe.usesAddress) {
    state |= (maskOf(decoded.base(record)) | maskOf(decoded.index(record))) << 16;
  }
  return state;
}

/** Pushes a register of `size` bits, sign-extended. */
export function get(c: Context, slot: number, size: number): void {
  const { e } = c;
  e.localGet(c.registers[slot >> 2]);
  if (size === 32) return;
  if (slot & 1) {
    e.i32Const(8);
    e.op(O.I32_SHR_U);
  }
  e.op(size === 8 ? O.I32_EXTEND8_S : O.I32_EXTEND16_S);
}

/** Pushes a register of 8 or 16 bits, zero-extended. */
export function getUnsigned(c: Context, slot: number, size: number): void {
  const { e } = c;
  e.localGet(c.registers[slot >> 2]);
  if (slot & 1) {
    e.i32Const(8);
    e.op(O.I32_SHR_U);
  }
  e.i32Const(size === 8 ? 0xff : 0xffff);
  e.op(O.I32_AND);
}

/** Pops a value into a register of `size` bits; bits above are cut. */
export function put(c: Context, slot: number, size: number): void {
  const { e } = c;
  const local = c.registers[slot >> 2];
  c.dirty |= 1 << (slot >> 2);
  if (size === 32) {
    e.localSet(local);
    return;
  }
  const mask = size === 16 ? 0xffff : 0xff;
  e.i32Const(mask);
  e.op(O.I32_AND);
  if (slot & 1) {
    e.i32Const(8);
    e.op(O.I32_SHL);
  }
  e.localGet(local);
  e.i32Const(~(slot & 1 ? mask << 8 : mask));
  e.op(O.I32_AND);
  e.op(O.I32_OR);
  e.localSet(local);
}

/** Pushes an address slot: a register, a segment base, or the address an EA record left. */
export function getSlot(c: Context, slot: number): void {
  if (slot < SLOT_ZERO) {
    c.e.localGet(c.registers[slot >> 2]);
    return;
  }
  c.e.i32Const(0);
  c.e.load(O.I32_LOAD, REGS + slot, 2);
}

export { SLOT_ADDRESS, SLOT_ZERO };
