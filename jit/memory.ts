/**
 * Guest memory from translated code: the operand's address, and accesses through the TLB. What
 * misses leaves the region before the instruction, which the interpreter then executes (a rejoining
 * miss measured 15 to 20 % of everything, hit or not).
 */
import {
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_SIZE,
  TLB_READ,
  TLB_WRITE,
} from '../assembly/shared/layout.ts';
import type { Context } from './context.ts';
import type { Page } from './pages.ts';
import { getSlot, SLOT_ZERO } from './registers.ts';
import * as O from './wasm/opcodes.ts';
import { V128_LOAD, V128_LOAD32_ZERO, V128_LOAD64_ZERO, V128_STORE } from './wasm/simd.ts';

/** Pushes the record's operand address, moved by `distance`. */
function pushAddress(c: Context, record: number, distance: number): void {
  const { e, decoded } = c;
  const base = decoded.base(record);
  const index = decoded.index(record);
  const disp = (decoded.disp(record) + distance) | 0;
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
}

/** Puts the record's operand address into a fresh local; the caller gives it back. */
export function address(c: Context, record: number): number {
  pushAddress(c, record, 0);
  const local = c.locals.take(O.I32);
  c.e.localSet(local);
  return local;
}

/**
 * Emits the TLB compare for [local, + bytes) and leaves the region where it misses. The address in
 * this memory is left on the wasm stack.
 */
export function check(c: Context, local: number, bytes: number, tag: number, page?: Page): void {
  c.prepareLeave();
  c.e.localGet(local);
  if (page) compareWithPage(c, local, bytes, tag, page);
  else compareAndLeave(c, local, bytes, tag);
}

/** The tag of the TLB entry for the address on the wasm stack; the entry into its local. */
function pushTag({ e, tlb }: Context, entry: number, tag: number): void {
  e.i32Const(12);
  e.op(O.I32_SHR_U);
  e.i32Const(4);
  e.op(O.I32_SHL);
  e.localTee(entry);
  e.load(O.I32_LOAD, tlb + tag, 2);
}

/** The same, `local` having been pushed behind prepareLeave(). */
function compareAndLeave(c: Context, local: number, bytes: number, tag: number): void {
  const { e } = c;
  const entry = c.locals.take(O.I32);
  pushTag(c, entry, tag);
  e.localGet(local);
  if (bytes > 1) {
    e.i32Const(bytes - 1);
    e.op(O.I32_ADD);
  }
  e.i32Const(0xfff);
  e.op(O.I32_OR);
  e.op(O.I32_NE);
  c.leaveIf();
  e.localGet(local);
  e.localGet(entry);
  e.load(O.I32_LOAD, c.tlb + TLB_ADDEND, 2);
  e.op(O.I32_ADD);
  c.locals.give(entry);
}

/** The same, if the page is not the one that the access found last (pages.ts). */
function compareWithPage(c: Context, local: number, bytes: number, tag: number, page: Page): void {
  const { e } = c;
  const last = c.locals.take(O.I32);
  const entry = c.locals.take(O.I32);
  if (bytes > 1) {
    e.i32Const(bytes - 1);
    e.op(O.I32_ADD);
  }
  e.i32Const(0xfff);
  e.op(O.I32_OR);
  e.localTee(last);
  e.localGet(page.tag);
  e.op(O.I32_NE);
  e.unlikely();
  e.if();
  e.localGet(local);
  pushTag(c, entry, tag);
  e.localGet(last);
  e.op(O.I32_NE);
  c.leaveIf();
  e.localGet(entry);
  e.load(O.I32_LOAD, c.tlb + TLB_ADDEND, 2);
  e.localSet(page.addend);
  e.localGet(last);
  e.localSet(page.tag);
  e.end();
  e.localGet(local);
  e.localGet(page.addend);
  e.op(O.I32_ADD);
  c.locals.give(entry);
  c.locals.give(last);
}

/** The same for a constant address. */
function checkConstant(c: Context, linear: number, bytes: number, tag: number): void {
  const { e } = c;
  const entry = c.tlb + ((linear >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_SIZE;
  c.prepareLeave();
  e.i32Const(0);
  e.load(O.I32_LOAD, entry + tag, 2);
  e.i32Const((linear + bytes - 1) | 0xfff);
  e.op(O.I32_NE);
  c.leaveIf();
  e.i32Const(0);
  e.load(O.I32_LOAD, entry + TLB_ADDEND, 2);
  e.i32Const(linear);
  e.op(O.I32_ADD);
}

// --- Accesses in the order of accesses.ts ------------------------------------------------------------

/** A checked access: the local with an address in this memory, and the distance from there. */
export interface Place {
  host: number;
  distance: number;
}

/** Goes on to the next access; true: a check before covers it, and `place` is where it is. */
function isOpen({ accesses }: Context, place: Place): boolean {
  accesses.next();
  place.distance = accesses.distance;
  place.host = accesses.hostLocal;
  return place.host >= 0;
}

/** Pops the address that a check has left, for this access and those that share the check. */
function keepOpen(c: Context, place: Place): void {
  place.host = c.locals.take(O.I32);
  c.e.localSet(place.host);
  c.accesses.setHostLocal(place.host);
}

/** Checks the record's memory operand unless a check before covers it. */
export function openOperand(c: Context, record: number, place: Place): void {
  const { accesses, decoded } = c;
  if (isOpen(c, place)) return;
  const { distance } = place;
  const tag = accesses.writes ? TLB_WRITE : TLB_READ;
  const base = decoded.base(record);
  if (base === SLOT_ZERO && decoded.index(record) === SLOT_ZERO) {
    checkConstant(c, (decoded.disp(record) - distance) | 0, accesses.range, tag);
  } else if (
    base < SLOT_ZERO &&
    decoded.index(record) === SLOT_ZERO &&
    decoded.disp(record) === distance
  ) {
    check(c, c.registers[base >> 2]!, accesses.range, tag, c.pages.of(record));
  } else {
    c.prepareLeave();
    pushAddress(c, record, -distance);
    checkPushed(c, accesses.range, tag, c.pages.of(record));
  }
  keepOpen(c, place);
}

/** The same for the four bytes at `register` + `offset`: the stack. */
export function openStack(c: Context, register: number, offset: number, place: Place): void {
  const { accesses, e } = c;
  if (isOpen(c, place)) return;
  const { distance } = place;
  const tag = accesses.writes ? TLB_WRITE : TLB_READ;
  if (offset === distance) check(c, c.registers[register]!, accesses.range, tag);
  else {
    c.prepareLeave();
    e.localGet(c.registers[register]!);
    e.i32Const(offset - distance);
    e.op(O.I32_ADD);
    checkPushed(c, accesses.range, tag);
  }
  keepOpen(c, place);
}

function checkPushed(c: Context, bytes: number, tag: number, page?: Page): void {
  const local = c.locals.take(O.I32);
  c.e.localTee(local);
  if (page) compareWithPage(c, local, bytes, tag, page);
  else compareAndLeave(c, local, bytes, tag);
  c.locals.give(local);
}

/** The record is done: gives back the locals that no access after it needs. */
export function closeAccesses(c: Context, record: number): void {
  const { accesses } = c;
  for (let i = 1; i >= 0; i--) {
    const local = accesses.expired(record, i);
    if (local >= 0) c.locals.give(local);
  }
}

/** Pushes the value at the host address on the stack: 8, 16 sign-extended, 32, 64, 128 bits. */
export function loadValue(c: Context, bits: number, offset = 0): void {
  const { e } = c;
  switch (bits) {
    case 8:
      e.load(O.I32_LOAD8_S, offset);
      break;
    case 16:
      e.load(O.I32_LOAD16_S, offset);
      break;
    case 32:
      e.load(O.I32_LOAD, offset);
      break;
    case 64:
      e.load(O.I64_LOAD, offset);
      break;
    default:
      e.simdMemory(V128_LOAD, offset);
  }
}

/** The same of 8 or 16 bits, zero-extended. */
export function loadUnsigned(c: Context, bits: number, offset: number): void {
  c.e.load(bits === 8 ? O.I32_LOAD8_U : O.I32_LOAD16_U, offset);
}

/** The same into the low lane of a vector. */
export function loadLane(c: Context, bits: number, offset = 0): void {
  c.e.simdMemory(bits === 32 ? V128_LOAD32_ZERO : V128_LOAD64_ZERO, offset);
}

/** Stores the value on the stack at the host address below it. */
export function storeValue(c: Context, bits: number, offset = 0): void {
  const { e } = c;
  switch (bits) {
    case 8:
      e.store(O.I32_STORE8, offset);
      break;
    case 16:
      e.store(O.I32_STORE16, offset);
      break;
    case 32:
      e.store(O.I32_STORE, offset);
      break;
    case 64:
      e.store(O.I64_STORE, offset);
      break;
    default:
      e.simdMemory(V128_STORE, offset);
  }
}

export { TLB_READ, TLB_WRITE };
