/** Compares two outcomes of one program, leaving out what masks.ts says is undefined. */
import { ARITHMETIC, IF, RF } from '../../assembly/shared/flags.ts';
import {
  REGIONS,
  REGISTER_NAMES,
  SEGMENT_NAMES,
  TRAP_BREAKPOINT,
  TRAP_PAGE_FAULT,
  fillWords,
  type Outcome,
} from './layout.ts';
import type { Paging } from '../lib/usermode.ts';
import {
  EITHER_ADDRESS,
  EITHER_ALIGNMENT,
  EITHER_FLAGS,
  EITHER_MMX,
  sameClass,
  TRAP_ALIGNMENT,
  wraps,
} from './masks.ts';
import type { Item, Linked, Program } from './program.ts';

export interface Difference {
  what: string;
  native: string;
  emulated: string;
}

/** Vectors with an error code (SDM vol. 3A table 6-1). */
const WITH_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
const TRAP_SIMD = 19;
/** Page-fault code bit 4 says "fetch" only where NX is enabled (SDM vol. 3A 4.7). */
const FETCH = 16;
/** Fetched from a page that is there. */
const NX_FAULT = FETCH | 1;

export const hex = (value: number | bigint, digits = 8) =>
  (typeof value === 'number' ? value >>> 0 : value).toString(16).padStart(digits, '0');

/** The item the outcome stopped before or in, and the undefined bits that hold there. */
function position(linked: Linked, native: Outcome) {
  const at = native.eip - (native.trap === TRAP_BREAKPOINT ? 1 : 0) - linked.case.entry;
  const { offsets, flags, codes } = linked;
  const n = offsets.length - 1;
  let i = 0;
  while (i < n && offsets[i + 1] <= at) i++;
  // Outside the code (a jump to nowhere) or inside an item: anything before may hold.
  if (at < 0 || at > offsets[n])
    return { item: n, flags: flags.reduce((a, b) => a | b), codes: codes.reduce((a, b) => a | b) };
  const within = at !== offsets[i] && i < n;
  return {
    item: i,
    flags: flags[i] | (within ? flags[i + 1] : 0),
    codes: codes[i] | (within ? codes[i + 1] : 0),
  };
}

export function compare(
  program: Program,
  linked: Linked,
  native: Outcome,
  emulated: Outcome,
  paging: Paging,
): Difference[] {
  const out: Difference[] = [];
  const check = (what: string, a: number, b: number, mask = 0xffffffff, digits = 8) => {
    if (((a ^ b) & mask) !== 0)
      out.push({ what, native: hex(a, digits), emulated: hex(b, digits) });
  };
  // Without NX, data is code.
  if (
    paging === '32-bit' &&
    native.trap === TRAP_PAGE_FAULT &&
    (native.error & NX_FAULT) === NX_FAULT
  )
    return out;
  if (wraps(native.trap, emulated.trap, emulated.cr2)) return out;
  if (wraps(emulated.trap, native.trap, native.cr2)) return out;
  if (sameClass(native.trap, emulated.trap) && native.eip === emulated.eip) return out;
  const where = position(linked, native);
  const early = (native.trap === TRAP_ALIGNMENT) !== (emulated.trap === TRAP_ALIGNMENT);
  if (early) {
    const first = native.trap === TRAP_ALIGNMENT ? native : emulated;
    if (EITHER_ALIGNMENT.has(linked.items[position(linked, first).item]?.op)) return out;
  }
  check('trap', native.trap, emulated.trap, 0xff, 2);
  check('EIP', native.eip, emulated.eip);
  if (WITH_CODE.has(native.trap) && native.trap === emulated.trap)
    check('error code', native.error, emulated.error, paging === '32-bit' ? ~FETCH : -1, 4);
  const stopped: Item | undefined = linked.items[where.item];
  if (native.trap === TRAP_PAGE_FAULT && !EITHER_ADDRESS.has(stopped?.op))
    check('CR2', native.cr2, emulated.cr2);
  for (let i = 0; i < 8; i++) check(REGISTER_NAMES[i], native.regs[i], emulated.regs[i]);
  if (native.trap === TRAP_PAGE_FAULT && EITHER_FLAGS.has(stopped?.op)) where.flags |= ARITHMETIC;
  check('EFLAGS', native.eflags, emulated.eflags, ~(where.flags | RF | IF));
  for (let i = 0; i < 6; i++)
    check(SEGMENT_NAMES[i], native.segments[i], emulated.segments[i], 0xffff, 4);
  if (!(native.trap === TRAP_PAGE_FAULT && stopped?.partial))
    compareMemory(linked, native, emulated, out);
  const eitherMmx = native.trap === TRAP_SIMD && EITHER_MMX.has(stopped?.op);
  compareFpu(program, where.codes, native.fpu, emulated.fpu, eitherMmx, out);
  return out;
}

function compareMemory(linked: Linked, native: Outcome, emulated: Outcome, out: Difference[]) {
  const ignored = linked.items.flatMap((item) => item.ignore ?? []);
  const selectors = linked.items.some((item) => item.selectors);
  const words = new Set([...native.changes.keys(), ...emulated.changes.keys()]);
  for (const address of [...words].sort((a, b) => a - b)) {
    if (native.changes.get(address) === emulated.changes.get(address)) continue;
    const before = initialWord(linked, address);
    const a = native.changes.get(address) ?? before;
    const b = emulated.changes.get(address) ?? before;
    let mask = 0xffffffff;
    for (const { address: start, length } of ignored)
      for (let i = 0; i < 4; i++)
        if (address + i >= start && address + i < start + length) mask &= ~(0xff << (8 * i));
    if (selectors)
      for (let byte = 0xff; byte !== 0; byte <<= 8)
        if ((b & byte) === 0 && (a & byte) === (before & byte)) mask &= ~byte;
    if ((a ^ b) & mask) out.push({ what: `[${hex(address)}]`, native: hex(a), emulated: hex(b) });
  }
}

/** The memory words a case starts with, patches included. */
export function initialMemory(linked: Linked): Map<number, Uint32Array> {
  const { fill, patches } = linked.case;
  const all = new Uint32Array(REGIONS.reduce((sum, r) => sum + r.size, 0) / 4);
  fillWords(fill, all);
  const memory = new Map<number, Uint32Array>();
  let at = 0;
  for (const region of REGIONS) {
    const words = all.slice(at, at + region.size / 4);
    at += region.size / 4;
    for (const p of patches)
      if (p.address >= region.start && p.address < region.start + region.size)
        new Uint8Array(words.buffer).set(p.bytes, p.address - region.start);
    memory.set(region.start, words);
  }
  return memory;
}

function initialWord(linked: Linked, address: number): number {
  for (const [start, words] of initialMemory(linked))
    if (address >= start && address < start + 4 * words.length)
      return words[(address - start) >> 2];
  return 0;
}

const EXCEPTION_PE = 0x20;
const EXCEPTION_UE = 0x10;
const C1 = 0x200;

function compareFpu(
  program: Program,
  undefinedCodes: number,
  native: Uint8Array,
  emulated: Uint8Array,
  eitherMmx: boolean,
  out: Difference[],
) {
  const a = new DataView(native.buffer, native.byteOffset);
  const b = new DataView(emulated.buffer, emulated.byteOffset);
  const both = (what: string, x: number, y: number, mask: number, digits: number) => {
    if ((x ^ y) & mask) out.push({ what, native: hex(x, digits), emulated: hex(y, digits) });
  };
  const close = program.close;
  both('FCW', a.getUint16(0, true), b.getUint16(0, true), 0xffff, 4);
  // An approximation may be exact where another is not, and rounded the other way.
  const loose = close === 'x87' ? EXCEPTION_PE | EXCEPTION_UE | C1 : 0;
  if (!eitherMmx) {
    both('FSW', a.getUint16(2, true), b.getUint16(2, true), 0xffff & ~(undefinedCodes | loose), 4);
    both('FTW', native[4], emulated[4], 0xff, 2);
  }
  both('MXCSR', a.getUint32(24, true), b.getUint32(24, true), 0xffff, 4);
  for (let i = 0; i < 8 && !eitherMmx; i++) {
    const x = extended(a, 32 + 16 * i);
    const y = extended(b, 32 + 16 * i);
    if (x !== y && !(close === 'x87' && nearExtended(x, y)))
      out.push({ what: `ST${i}`, native: hex(x, 20), emulated: hex(y, 20) });
  }
  for (let i = 0; i < 8; i++) {
    const at = 160 + 16 * i;
    let same = true;
    for (let lane = 0; lane < 16; lane += 4) {
      const x = a.getUint32(at + lane, true);
      const y = b.getUint32(at + lane, true);
      if (x !== y && !(close === 'sse' && nearEstimate(x, y))) same = false;
    }
    if (!same) out.push({ what: `XMM${i}`, native: vector(a, at), emulated: vector(b, at) });
  }
}

function extended(view: DataView, at: number): bigint {
  return (BigInt(view.getUint16(at + 8, true)) << 64n) | view.getBigUint64(at, true);
}

function vector(view: DataView, at: number): string {
  return hex((view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true), 32);
}

/** Each may be one unit away from the exact value (SDM vol. 1 8.3.10), so they may be two apart. */
function nearExtended(x: bigint, y: bigint): boolean {
  if (x >> 79n !== y >> 79n) return false;
  // The integer bit is redundant: without it the encodings are in order and without gaps.
  const order = (v: bigint) => (((v >> 64n) & 0x7fffn) << 63n) | (v & ((1n << 63n) - 1n));
  const distance = order(x) - order(y);
  return distance <= 2n && distance >= -2n;
}

/** Two estimates, each within 1.5 * 2^-12 of the exact value. */
function nearEstimate(x: number, y: number): boolean {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, x);
  view.setUint32(4, y);
  const a = view.getFloat32(0);
  const b = view.getFloat32(4);
  return Number.isFinite(a) && a !== 0 && Math.abs(a - b) <= 3 * 2 ** -12 * Math.abs(a);
}
