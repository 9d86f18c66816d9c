/**
 * The memory accesses of one node, and which of them share one TLB check. An analysis before
 * emission; memory.ts emits.
 *
 * Accesses that differ by a constant share a check of the whole range when the first of them is
 * reached, if the range is short: stack frames, fields of structures, PUSH after PUSH. The address
 * found there serves them all. A range that runs over a page's end, or that is only partly mapped,
 * misses: the interpreter then executes the rest of the node, whose own accesses may well hit.
 *
 * Values are numbered to find the constants: each register is a number and a difference from it.
 * Nothing in a node changes the TLB in a way that matters: what was mapped stays mapped until an
 * operation that ends a node, or until something throws and leaves the node.
 */
import { EAX, REGS, SLOT_ADDRESS, SLOT_ZERO } from '../assembly/shared/layout.ts';
import type { Decoded } from './decoded.ts';
import {
  MOVES_ADD,
  MOVES_COPY,
  MOVES_DEC,
  MOVES_INC,
  MOVES_LEA,
  MOVES_NOTHING,
  MOVES_SUB,
  recipeOf,
  type Recipe,
} from './recipes.ts';
import { stateOf } from './registers.ts';
import { SHARED_CHECK_BYTES } from './tuning.ts';

const REGISTERS = (SLOT_ZERO - (EAX - REGS)) >> 2;
const ESP = 4;
const EBP = 5;

/** What the node's last record accesses, besides its records before: a mask. */
export const END_OPERAND = 1;
export const END_PUSH = 2;
export const END_POP = 4;

/** Number of the value "no register": absolute addresses are differences from it. */
const NOTHING = -1;
/** Numbers of segment bases, which no operation within a node changes. */
const SLOTS = 0x1000;
const PAGE = 12;

export class Accesses {
  /** Whether accesses that differ share checks; those of the same bytes always do. */
  sharing = true;

  private first = 0;
  /** By record of the node: its first access; by access: its group, and its place there. */
  private firstOf = new Int32Array(64);
  private group = new Int32Array(64);
  private offset = new Int32Array(64);
  private count = 0;

  // Groups: the value that their addresses differ from, by base, index and scale; their range
  // [low, high); their first and last access. `host` is the local with the address of `low` in this memory,
  // -1 before the check.
  private base = new Int32Array(64);
  private index = new Int32Array(64);
  private scale = new Int32Array(64);
  private low = new Int32Array(64);
  private high = new Int32Array(64);
  private write = new Uint8Array(64);
  private opening = new Int32Array(64);
  private last = new Int32Array(64);
  private host = new Int32Array(64);
  private groups = 0;

  // Values of the registers.
  private readonly value = new Int32Array(REGISTERS);
  private readonly plus = new Int32Array(REGISTERS);
  private values = 0;

  /** The access that comes next, and the one that next() gave. */
  private cursor = 0;
  private at = 0;

  /** Looks at the records [first, last) and at what `end` says of the record `last`. */
  analyse(decoded: Decoded, first: number, last: number, end: number): void {
    this.reset(first, ((last - first) >> 4) + 1);
    for (let record = first; record < last; record += 16) {
      const recipe = recipeOf(decoded.code(record));
      this.firstOf[(record - first) >> 4] = this.count;
      if (recipe.accesses) this.addOperand(decoded, record, recipe.bytes, recipe.writes);
      if (recipe.pops) this.addStack(ESP, 0, false);
      else if (recipe.leaves) this.addStack(EBP, 0, false);
      else if (recipe.pushes) this.addStack(ESP, -4, true);
      this.execute(decoded, recipe, record);
    }
    this.firstOf[(last - first) >> 4] = this.count;
    if (end & END_OPERAND) this.addOperand(decoded, last, 4, false);
    if (end & END_PUSH) this.addStack(ESP, -4, true);
    if (end & END_POP) this.addStack(ESP, 0, false);
  }

  /** Whether the record's accesses check anything, and so may leave. */
  checks(record: number): boolean {
    const i = (record - this.first) >> 4;
    const end = this.firstOf[i + 1];
    for (let access = this.firstOf[i]; access < end; access++) {
      if (this.opening[this.group[access]] === access) return true;
    }
    return false;
  }

  /** Whether the record's first access checks anything: 1 for writing, 0 for reading, -1 if not. */
  opens(record: number): number {
    const access = this.firstOf[(record - this.first) >> 4];
    const group = this.group[access];
    if (access === this.firstOf[((record - this.first) >> 4) + 1]) return -1;
    return this.opening[group] === access ? this.write[group] : -1;
  }

  // --- For emission: the accesses in order -----------------------------------------------------------

  /** Emission has come to this record. */
  begin(record: number): void {
    this.cursor = this.firstOf[(record - this.first) >> 4];
  }

  /** The record's next access; what follows is about it. */
  next(): void {
    this.at = this.cursor++;
  }

  /** The local with the address of the group's range in this memory; -1: not checked yet. */
  get hostLocal(): number {
    return this.host[this.group[this.at]];
  }

  setHostLocal(local: number): void {
    this.host[this.group[this.at]] = local;
  }

  /** Bytes from there to the access. */
  get distance(): number {
    return this.offset[this.at] - this.low[this.group[this.at]];
  }

  /** Bytes that the check must cover. */
  get range(): number {
    const group = this.group[this.at];
    return this.high[group] - this.low[group];
  }

  get writes(): boolean {
    return this.write[this.group[this.at]] !== 0;
  }

  /** The local of the record's access number `i` if nothing after needs it, else -1. */
  expired(record: number, i: number): number {
    const access = this.firstOf[(record - this.first) >> 4] + i;
    const group = this.group[access];
    return access < this.cursor && this.last[group] === access ? this.host[group] : -1;
  }

  // --- Analysis ----------------------------------------------------------------------------------------

  private reset(first: number, records: number): void {
    this.first = first;
    this.count = 0;
    this.groups = 0;
    this.values = REGISTERS;
    for (let i = 0; i < REGISTERS; i++) {
      this.value[i] = i;
      this.plus[i] = 0;
    }
    // Two accesses a record at most.
    const room = 2 * records + 2;
    if (room <= this.group.length) return;
    this.firstOf = new Int32Array(2 * room);
    this.group = new Int32Array(2 * room);
    this.offset = new Int32Array(2 * room);
    this.base = new Int32Array(2 * room);
    this.index = new Int32Array(2 * room);
    this.scale = new Int32Array(2 * room);
    this.low = new Int32Array(2 * room);
    this.high = new Int32Array(2 * room);
    this.opening = new Int32Array(2 * room);
    this.last = new Int32Array(2 * room);
    this.host = new Int32Array(2 * room);
    this.write = new Uint8Array(2 * room);
  }

  private addOperand(decoded: Decoded, record: number, bytes: number, write: boolean): void {
    let base = NOTHING;
    let index = NOTHING;
    let scale = 0;
    let offset = decoded.disp(record);
    const baseSlot = decoded.base(record);
    const indexSlot = decoded.index(record);
    if (baseSlot < SLOT_ZERO) {
      base = this.value[baseSlot >> 2];
      offset += this.plus[baseSlot >> 2];
    } else if (baseSlot === SLOT_ADDRESS) base = this.values++;
    else if (baseSlot !== SLOT_ZERO) base = SLOTS + baseSlot;
    if (indexSlot < SLOT_ZERO) {
      scale = decoded.scale(record);
      index = this.value[indexSlot >> 2];
      offset += this.plus[indexSlot >> 2] << scale;
    } else if (indexSlot === SLOT_ADDRESS) index = this.values++;
    else if (indexSlot !== SLOT_ZERO) {
      scale = decoded.scale(record);
      index = SLOTS + indexSlot;
    }
    this.add(base, index, scale, offset | 0, bytes, write);
  }

  private addStack(register: number, offset: number, write: boolean): void {
    this.add(this.value[register], NOTHING, 0, (this.plus[register] + offset) | 0, 4, write);
  }

  private add(
    base: number,
    index: number,
    scale: number,
    offset: number,
    bytes: number,
    write: boolean,
  ): void {
    const access = this.count++;
    this.offset[access] = offset;
    const group = this.find(base, index, scale, offset, offset + bytes);
    this.group[access] = group;
    this.last[group] = access;
    if (write) this.write[group] = 1;
  }

  /** The group that [from, to) can join, which it then covers, or a new one. */
  private find(base: number, index: number, scale: number, from: number, to: number): number {
    for (let group = this.groups - 1; group >= 0; group--) {
      if (this.base[group] !== base || this.index[group] !== index || this.scale[group] !== scale) {
        continue;
      }
      const low = Math.min(this.low[group], from);
      const high = Math.max(this.high[group], to);
      // Of absolute addresses the page is known.
      const near =
        base === NOTHING && index === NOTHING
          ? low >> PAGE === (high - 1) >> PAGE
          : high - low <= (this.sharing ? SHARED_CHECK_BYTES : to - from);
      if (!near) continue;
      this.low[group] = low;
      this.high[group] = high;
      return group;
    }
    const group = this.groups++;
    this.base[group] = base;
    this.index[group] = index;
    this.scale[group] = scale;
    this.low[group] = from;
    this.high[group] = to;
    this.write[group] = 0;
    this.host[group] = -1;
    this.opening[group] = this.count - 1;
    return group;
  }

  /** What the record does to the values of the registers. */
  private execute(decoded: Decoded, recipe: Recipe, record: number): void {
    const { value, plus } = this;
    const to = decoded.r1(record) >> 2;
    switch (recipe.moves) {
      case MOVES_NOTHING:
        break;
      case MOVES_ADD:
        plus[to] += decoded.imm(record);
        return;
      case MOVES_SUB:
        plus[to] -= decoded.imm(record);
        return;
      case MOVES_INC:
        plus[to]++;
        return;
      case MOVES_DEC:
        plus[to]--;
        return;
      case MOVES_COPY: {
        const from = decoded.r2(record) >> 2;
        value[to] = value[from];
        plus[to] = plus[from];
        return;
      }
      case MOVES_LEA: {
        const base = decoded.base(record);
        if (base >= SLOT_ZERO || decoded.index(record) !== SLOT_ZERO) break;
        value[to] = value[base >> 2];
        plus[to] = plus[base >> 2] + decoded.disp(record);
        return;
      }
    }
    if (recipe.pushes) {
      plus[ESP] -= 4;
      return;
    }
    if (recipe.pops) plus[ESP] += 4;
    else if (recipe.leaves) {
      value[ESP] = value[EBP];
      plus[ESP] = plus[EBP] + 4;
    }
    let written = stateOf(decoded, recipe, record) & 0xff;
    if (recipe.pops || recipe.leaves) {
      written &= ~(1 << ESP);
      // POP ESP.
      if (recipe.writesR1 && to === ESP) written |= 1 << ESP;
    }
    for (let register = 0; written !== 0; register++, written >>= 1) {
      if ((written & 1) === 0) continue;
      value[register] = this.values++;
      plus[register] = 0;
    }
  }
}
