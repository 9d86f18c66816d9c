/**
 * The locals of the function being emitted: which index has which type, and a pool of scratch
 * locals by type that emitters borrow and give back. Writes the declaration of a code body.
 *
 *   locals.begin([I32]);                parameters first
 *   const eax = locals.add(I32);        for the whole function
 *   const t = locals.take(I64); ... locals.give(t);
 *
 * A scratch local's content is undefined when taken: it may have been used before.
 */
import { I32, V128 } from './opcodes.ts';
import type { Encoder } from './encoder.ts';

/** Value types are 0x7b (v128) to 0x7f (i32). */
const FIRST_TYPE = V128;
const TYPES = I32 - V128 + 1;

export class Locals {
  /** Types of all locals, parameters included. */
  private types = new Uint8Array(256);
  private parameters = 0;
  count = 0;
  /** Free scratch locals as one linked list a type: head by type, next by local. */
  private head = new Int32Array(TYPES);
  private next = new Int32Array(256);

  begin(parameters: ArrayLike<number>): void {
    this.head.fill(-1);
    this.count = 0;
    for (let i = 0; i < parameters.length; i++) this.add(parameters[i]);
    this.parameters = parameters.length;
  }

  add(type: number): number {
    const index = this.count++;
    if (index === this.types.length) {
      const types = new Uint8Array(index * 2);
      types.set(this.types);
      this.types = types;
      const next = new Int32Array(index * 2);
      next.set(this.next);
      this.next = next;
    }
    this.types[index] = type;
    return index;
  }

  typeOf(local: number): number {
    return this.types[local];
  }

  take(type: number): number {
    const local = this.head[type - FIRST_TYPE];
    if (local < 0) return this.add(type);
    this.head[type - FIRST_TYPE] = this.next[local];
    return local;
  }

  give(local: number): void {
    const type = this.types[local] - FIRST_TYPE;
    this.next[local] = this.head[type];
    this.head[type] = local;
  }

  /** Writes the vector of (count, type) runs that begins a code body. */
  encode(e: Encoder): void {
    let runs = 0;
    for (let i = this.parameters; i < this.count; i++) {
      if (i === this.parameters || this.types[i] !== this.types[i - 1]) runs++;
    }
    e.u32(runs);
    for (let i = this.parameters; i < this.count;) {
      let end = i + 1;
      while (end < this.count && this.types[end] === this.types[i]) end++;
      e.u32(end - i);
      e.byte(this.types[i]);
      i = end;
    }
  }
}
