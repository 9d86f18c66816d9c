/**
 * A generated program: instructions that can be taken out one by one, an initial state, and what
 * linking makes of them (bytes, and the masks that hold before each instruction).
 */
import type { Case, Patch } from './layout.ts';
import { effects, type Detail } from './masks.ts';

/** Lands `skip` items further on; 0 is the next item, -1 the item itself. */
export interface Jump {
  /** Where in the bytes the displacement or address stands. */
  at: number;
  size: 1 | 2 | 4;
  skip: number;
  absolute?: boolean;
}

export interface Item {
  /** A row of MASKS. */
  op: string;
  bytes: number[];
  detail?: Detail;
  jump?: Jump;
  /** Memory whose content after this item the manual leaves to the implementation. */
  ignore?: { address: number; length: number }[];
  /** Writes in several steps: what is in memory after a page fault is up to the implementation. */
  partial?: boolean;
  /** Pushes a segment register (masks.ts, SELECTOR_PUSHES). */
  selectors?: boolean;
}

/** Results that only have to be close: the last item's. */
export type Closeness = 'x87' | 'sse';

export interface Program {
  group: string;
  index: number;
  items: Item[];
  initial: Omit<Case, 'code' | 'entry' | 'patches'> & { patches: Patch[] };
  /** Where the first byte is, given the length of the code. */
  place: (length: number) => number;
  close?: Closeness;
}

export interface Linked {
  case: Case;
  /** Offset of each item, and of the end. */
  offsets: number[];
  /** EFLAGS and FPU condition codes that are undefined before each item, and at the end. */
  flags: number[];
  codes: number[];
  items: Item[];
}

/** cmp eax, ecx: defines the six flags, changes nothing else. */
const DEFINE_FLAGS = [0x39, 0xc8];
/** fxam: defines C0 to C3, changes nothing else. */
const DEFINE_CODES = [0xd9, 0xe5];

export function link(program: Program): Linked {
  const { items } = program;
  const n = items.length;
  const flags = new Array<number>(n + 1).fill(0);
  const codes = new Array<number>(n + 1).fill(0);
  const prefix: number[][] = items.map(() => []);
  const target = (i: number) => Math.max(0, Math.min(n, i + 1 + items[i].jump!.skip));
  // Twice, for what comes back around loops; an item fixed in the first round stays fixed.
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < n; i++) {
      const e = effects(items[i].op, items[i].detail);
      let f = flags[i];
      let c = codes[i];
      prefix[i] = [];
      if (f & e.reads) {
        prefix[i].push(...DEFINE_FLAGS);
        f = 0;
      }
      if (c & e.fpuReads) {
        prefix[i].push(...DEFINE_CODES);
        c = 0;
      }
      f = (f & ~e.writes) | e.undefined;
      c = (c & ~e.fpuWrites) | e.fpuUndefined;
      flags[i + 1] |= f;
      codes[i + 1] |= c;
      if (items[i].jump) {
        flags[target(i)] |= f;
        codes[target(i)] |= c;
      }
    }
  }
  const offsets = [0];
  for (let i = 0; i < n; i++) offsets.push(offsets[i] + prefix[i].length + items[i].bytes.length);
  const code = new Uint8Array(offsets[n]);
  const entry = program.place(code.length);
  for (let i = 0; i < n; i++) {
    const { bytes, jump } = items[i];
    const start = offsets[i] + prefix[i].length;
    code.set(prefix[i], offsets[i]);
    code.set(bytes, start);
    if (!jump) continue;
    const to = offsets[target(i)];
    const value = jump.absolute ? entry + to : to - offsets[i + 1];
    for (let b = 0; b < jump.size; b++) code[start + jump.at + b] = value >> (8 * b);
  }
  return { case: { ...program.initial, code, entry }, offsets, flags, codes, items };
}
