/**
 * A stretch of x87 instructions within a node, as far as it is not the instructions themselves: its
 * beginning and end, what an exit within it has to write, where registers are, the pointers to the
 * last instruction, the status bits.
 */
import {
  FPU_BLOCKED,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_REGS,
  FPU_STATUS,
  FPU_TAGS,
  FPU_TOP,
  SELECTOR,
} from '../assembly/shared/layout.ts';
import type { Context } from './context.ts';
import * as O from './wasm/opcodes.ts';
import { CALLS, CLOSES, PASSES, rowOf } from './x87-rows.ts';
import { Stack } from './x87-stack.ts';

const CS_INDEX = 1;
const DS_INDEX = 3;
/** Of the control word: all exceptions masked. */
export const MASKS = 0x3f;
export const C1 = 0x200;
/** In the local for exits, see x87_leave(): the status local counts. */
const STATUS_SET = 1 << 19;

/** No local yet. */
const NONE = -1;

/** The stretch at hand; one a context. */
export class Stretch {
  open = false;
  /** The node's last record, which the stretch does not go beyond, and the first that is not its. */
  nodeEnd = 0;
  until = 0;
  readonly stack = new Stack();
  readonly ahead = new Stack();
  /** Locals of the region: TOP * 16, status bits, what an exit has to write (0: nothing). */
  topLocal = NONE;
  statusLocal = NONE;
  movedLocal = NONE;
  /** Locals with TOP * 16 of registers by name, within the stretch. */
  readonly offsets = new Int32Array(8);
  /** Locals with mantissa and sign/exponent of registers by name, as memory has them; NONE. */
  readonly mantissas = new Int32Array(8);
  readonly exponents = new Int32Array(8);
  /** Status bits that are not as memory has them. */
  gone = 0;
  /** The status local has been set in this stretch; its C1 is to be cleared. */
  live = false;
  stale = false;
  /** What `movedLocal` holds. */
  noted = 0;
  /** Address of the last instruction, while FPU_IP does not say so; NONE. */
  pointer = NONE;
  segmentsNoted = 0;
  /** Bytes pasted in the region. */
  pasted = 0;

  beginRegion(): void {
    this.open = false;
    this.topLocal = this.statusLocal = this.movedLocal = NONE;
    this.pasted = 0;
  }
}

/** Writes what the stretch at hand has not written, if there is one. */
export function closeX87(c: Context): void {
  const { x87 } = c;
  if (!x87.open) return;
  x87.open = false;
  const { e } = c;
  const { stack } = x87;
  writePointer(c);
  for (let name = 7; name >= 0; name--) {
    forget(c, name);
    if (name && x87.offsets[name] !== NONE) c.locals.give(x87.offsets[name]!);
  }
  if (stack.moved) {
    e.i32Const(0);
    pushTop(c);
    e.i32Const(stack.moved);
    e.op(O.I32_ADD);
    e.i32Const(7);
    e.op(O.I32_AND);
    e.store(O.I32_STORE, FPU_TOP, 2);
  }
  const filled = stack.full & ~stack.wasFull;
  const emptied = stack.empty & ~stack.wasEmpty;
  if (filled | emptied) {
    e.i32Const(0);
    e.i32Const(0);
    e.load(O.I32_LOAD, FPU_TAGS, 2);
    if (emptied) {
      pushPhysical(c, emptied);
      e.i32Const(-1);
      e.op(O.I32_XOR);
      e.op(O.I32_AND);
    }
    if (filled) {
      pushPhysical(c, filled);
      e.op(O.I32_OR);
    }
    e.store(O.I32_STORE, FPU_TAGS, 2);
  }
  if (x87.gone || x87.live) {
    e.i32Const(0);
    e.i32Const(0);
    e.load(O.I32_LOAD, FPU_STATUS, 2);
    e.i32Const(~x87.gone);
    e.op(O.I32_AND);
    if (x87.live) {
      e.localGet(x87.statusLocal);
      if (x87.stale) {
        e.i32Const(~C1);
        e.op(O.I32_AND);
      }
      e.op(O.I32_OR);
    }
    e.store(O.I32_STORE, FPU_STATUS, 2);
  }
  if (x87.noted) {
    e.i32Const(0);
    e.localSet(x87.movedLocal);
  }
}

/** Before an exit is prepared: what it would have to write. */
export function noteX87(c: Context): void {
  const { x87 } = c;
  const { e } = c;
  const { stack } = x87;
  writePointer(c);
  clearStale(c);
  const filled = stack.full & ~stack.wasFull;
  const emptied = stack.empty & ~stack.wasEmpty;
  const word =
    stack.moved |
    (filled << 3) |
    (emptied << 11) |
    (x87.live ? STATUS_SET : 0) |
    ((x87.gone >> 8) << 20);
  if (word === x87.noted) return;
  x87.noted = word;
  e.i32Const(word);
  e.localSet(x87.movedLocal);
}

/** In the region's epilogue. */
export function leaveX87(c: Context): void {
  const { x87 } = c;
  const { e } = c;
  if (x87.topLocal === NONE) return;
  e.localGet(x87.movedLocal);
  e.if();
  e.localGet(x87.movedLocal);
  e.localGet(x87.statusLocal);
  e.call(c.imports.functionIndex('x87_leave'));
  e.end();
}

/** Begins a stretch with the instruction at `record`; false: that one alone is a stack fault. */
export function beginX87(c: Context, record: number): boolean {
  const { e, decoded, x87 } = c;
  const { ahead } = x87;
  ahead.begin();
  let at = record;
  for (; at < x87.nodeEnd; at += 16) {
    const row = rowOf(decoded.code(at));
    if (row.kind === CLOSES || row.kind === CALLS) break;
    if (row.kind !== PASSES && !ahead.step(row, decoded.imm(at))) break;
  }
  if (at === record) return false;
  x87.until = at;
  if (x87.topLocal === NONE) {
    x87.topLocal = c.locals.add(O.I32);
    x87.statusLocal = c.locals.add(O.I32);
    x87.movedLocal = c.locals.add(O.I32);
  }
  c.prepareLeave();
  pushBlocked(c);
  e.i32Const(0);
  e.load(O.I32_LOAD, FPU_TOP, 2);
  e.localSet(x87.topLocal);
  const touched = ahead.wasFull | ahead.wasEmpty;
  if (touched) {
    e.i32Const(0);
    e.load(O.I32_LOAD, FPU_TAGS, 2);
    e.i32Const(0x101);
    e.op(O.I32_MUL);
    e.localGet(x87.topLocal);
    e.op(O.I32_SHR_U);
    e.i32Const(touched);
    e.op(O.I32_AND);
    if (ahead.wasFull) {
      e.i32Const(ahead.wasFull);
      e.op(O.I32_XOR);
    }
    e.op(O.I32_OR);
  }
  c.leaveIf();
  e.localGet(x87.topLocal);
  e.i32Const(4);
  e.op(O.I32_SHL);
  e.localSet(x87.topLocal);
  x87.open = true;
  x87.stack.begin();
  x87.offsets.fill(NONE);
  x87.mantissas.fill(NONE);
  x87.exponents.fill(NONE);
  x87.offsets[0] = x87.topLocal;
  x87.gone = x87.noted = x87.segmentsNoted = 0;
  x87.live = x87.stale = false;
  x87.pointer = NONE;
  return true;
}

/** Pushes what is not zero when an exception waits or one is not masked. */
export function pushBlocked({ e }: Context): void {
  e.i32Const(0);
  e.load(O.I32_LOAD, FPU_BLOCKED, 2);
  e.i32Const(0);
  e.load(O.I32_LOAD, FPU_CONTROL, 2);
  e.i32Const(MASKS);
  e.op(O.I32_AND);
  e.i32Const(MASKS);
  e.op(O.I32_XOR);
  e.op(O.I32_OR);
}

function pushTop(c: Context): void {
  c.e.localGet(c.x87.topLocal);
  c.e.i32Const(4);
  c.e.op(O.I32_SHR_U);
}

/** Pushes a mask of names as one of physical registers. */
function pushPhysical(c: Context, mask: number): void {
  const { e } = c;
  e.i32Const(mask * 0x101);
  pushTop(c);
  e.op(O.I32_SHL);
  e.i32Const(8);
  e.op(O.I32_SHR_U);
  e.i32Const(0xff);
  e.op(O.I32_AND);
}

/** The local with the offset of ST(i) from FPU_REGS. */
export function register(c: Context, i: number): number {
  const { e, x87 } = c;
  const name = x87.stack.name(i);
  if (x87.offsets[name] === NONE) {
    const local = c.locals.take(O.I32);
    e.localGet(x87.topLocal);
    e.i32Const(name << 4);
    e.op(O.I32_ADD);
    e.i32Const(0x70);
    e.op(O.I32_AND);
    e.localSet(local);
    x87.offsets[name] = local;
  }
  return x87.offsets[name]!;
}

// --- Values -----------------------------------------------------------------------------------------------

/** Sees to it that the value of ST(i) is in locals; gives its name, by which they are found. */
export function fetch(c: Context, i: number): number {
  const { e, x87 } = c;
  const name = x87.stack.name(i);
  if (x87.mantissas[name] !== NONE) return name;
  const offset = register(c, i);
  remember(c, name);
  e.localGet(offset);
  e.load(O.I64_LOAD, FPU_REGS, 3);
  e.localSet(x87.mantissas[name]!);
  e.localGet(offset);
  e.load(O.I32_LOAD16_U, FPU_REGS + 8, 1);
  e.localSet(x87.exponents[name]!);
  return name;
}

/** Locals for the value of a register, which the caller sets. */
export function remember(c: Context, name: number): void {
  const { locals, x87 } = c;
  forget(c, name);
  x87.mantissas[name] = locals.take(O.I64);
  x87.exponents[name] = locals.take(O.I32);
}

/** The register has been written otherwise. */
export function forget(c: Context, name: number): void {
  const { locals, x87 } = c;
  if (x87.mantissas[name] === NONE) return;
  locals.give(x87.exponents[name]!);
  locals.give(x87.mantissas[name]!);
  x87.mantissas[name] = x87.exponents[name] = NONE;
}

/** Writes the register at `offset` from locals. */
export function storeRegister(c: Context, offset: number, mantissa: number, rest: number): void {
  const { e } = c;
  e.localGet(offset);
  e.localGet(mantissa);
  e.store(O.I64_STORE, FPU_REGS, 3);
  e.localGet(offset);
  e.localGet(rest);
  e.store(O.I32_STORE16, FPU_REGS + 8, 1);
}

// --- Pointers and status --------------------------------------------------------------------------------

function writePointer(c: Context): void {
  const { e, x87 } = c;
  if (x87.pointer === NONE) return;
  e.i32Const(0);
  e.i32Const(x87.pointer);
  e.store(O.I32_STORE, FPU_IP, 2);
  x87.pointer = NONE;
}

/** This instruction is the last non-control one. */
export function here(c: Context): void {
  c.x87.pointer = c.eip;
  noteSegment(c, CS_INDEX, FPU_CS);
}

/** The same, with a memory operand; flat segments have base 0. */
export function hereMemory(c: Context, ea: number): void {
  const { e } = c;
  here(c);
  e.i32Const(0);
  e.localGet(ea);
  e.store(O.I32_STORE, FPU_DP, 2);
  noteSegment(c, DS_INDEX, FPU_DS);
}

/** Segment registers do not change within a stretch. */
function noteSegment(c: Context, index: number, to: number): void {
  const { e, x87 } = c;
  if (x87.segmentsNoted & (1 << index)) return;
  x87.segmentsNoted |= 1 << index;
  e.i32Const(0);
  e.i32Const(0);
  e.load(O.I32_LOAD, SELECTOR + 4 * index, 2);
  e.store(O.I32_STORE, to, 2);
}

/** C1 = 0, sooner or later. */
export function clearC1(c: Context): void {
  c.x87.gone |= C1;
  c.x87.stale = c.x87.live;
}

function clearStale(c: Context): void {
  const { e, x87 } = c;
  if (!x87.stale) return;
  x87.stale = false;
  e.localGet(x87.statusLocal);
  e.i32Const(~C1);
  e.op(O.I32_AND);
  e.localSet(x87.statusLocal);
}

/** Adds the status bits on the wasm stack; those of `gone` are no more but for these. */
export function addStatus(c: Context, gone: number): void {
  const { e, x87 } = c;
  if (x87.live) {
    e.localGet(x87.statusLocal);
    if (gone) {
      e.i32Const(~gone);
      e.op(O.I32_AND);
    }
    e.op(O.I32_OR);
  }
  e.localSet(x87.statusLocal);
  x87.gone |= gone;
  x87.live = true;
  if (gone) x87.stale = false;
}
