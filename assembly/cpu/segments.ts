// Segment registers: fetching descriptors, checking them, loading them, and what follows from
// them (MODE, CPL, the TLB in use). Which descriptor an instruction may load into CS is decided by
// far.ts, interrupts.ts and tasks.ts; everything here is what they share.
import {
  CPL,
  CR0,
  EFLAGS_SYSTEM,
  GDTR_BASE,
  GDTR_LIMIT,
  LDTR_BASE,
  MODE,
  SEGMENT_ACCESS,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SELECTOR,
  TLB_CURRENT,
  TLB_KERNEL,
  TLB_USER,
  TR_BASE,
} from '../shared/layout';
import { GP, NP, SS_VECTOR } from '../shared/faults';
import { VM } from '../shared/flags';
import {
  MODE_CODE32,
  MODE_FLAT,
  MODE_FS_OPEN,
  MODE_GS_OPEN,
  MODE_MIDDLE,
  MODE_PROTECTED,
  MODE_STACK32,
  MODE_USER,
  MODE_V86,
} from '../shared/modes';
import { readSystem64, writeSystem8 } from '../mem/access';
import { raise } from './faults';

// Numbers of the segment registers, as in instructions and in SELECTOR.
export const ES: u32 = 0;
export const CS: u32 = 1;
export const SS: u32 = 2;
export const DS: u32 = 3;
export const FS: u32 = 4;
export const GS: u32 = 5;
export const LDTR: u32 = 6;
export const TR: u32 = 7;

// Bits of a descriptor's second word (SDM vol. 3A 3.4.5).
export const ACCESSED = 0x100;
export const WRITABLE = 0x200; // data; for code: readable
export const EXPAND_DOWN = 0x400; // data; for code: conforming
export const CONFORMING = 0x400;
export const CODE = 0x800;
export const NOT_SYSTEM = 0x1000;
export const PRESENT = 0x8000;
export const BIG = 0x400000; // D or B
export const GRANULAR = 0x800000;
/** What SEGMENT_ACCESS keeps of the second word. */
export const ATTRIBUTES = 0xf0ff00;

const KIND = PRESENT | NOT_SYSTEM | CODE | EXPAND_DOWN | WRITABLE;
const OPEN_DATA = PRESENT | NOT_SYSTEM | WRITABLE;

/** Attributes of every segment in virtual-8086 mode: present, DPL 3, writable, accessed. */
export const V86_ACCESS = 0xf300;

// The descriptor last fetched: its two words and where it stands.
export let low: u32 = 0;
export let high: u32 = 0;
export let descriptor: u32 = 0;

/** The EXT bit of error codes: 1 while an event that is no INT instruction is delivered. */
export let external: u32 = 0;

export function setExternal(bit: u32): void {
  external = bit;
}

// --- The parts of a descriptor -----------------------------------------------------------------

export function descriptorBase(low: u32, high: u32): u32 {
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
}

export function descriptorLimit(low: u32, high: u32): u32 {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return high & GRANULAR ? (limit << 12) | 0xfff : limit;
}

export function dplOf(high: u32): u32 {
  return (high >>> 13) & 3;
}

/** S and type: 0 to 15 system descriptors, 16 to 31 data and code. */
export function typeOf(high: u32): u32 {
  return (high >>> 8) & 0x1f;
}

export function isCode(high: u32): bool {
  return (high & (NOT_SYSTEM | CODE)) == (NOT_SYSTEM | CODE);
}

export function isWritableData(high: u32): bool {
  return (high & (NOT_SYSTEM | CODE | WRITABLE)) == (NOT_SYSTEM | WRITABLE);
}

// --- Fetching ----------------------------------------------------------------------------------

/** Fetches the descriptor of a selector that is not null; false when it is beyond its table. */
export function tryDescriptor(selector: u32): bool {
  let base = load<u32>(GDTR_BASE);
  let limit = load<u32>(GDTR_LIMIT);
  if (selector & 4) {
    if (!(load<u32>(SEGMENT_ACCESS + LDTR * 4) & PRESENT)) return false;
    base = load<u32>(LDTR_BASE);
    limit = load<u32>(SEGMENT_LIMIT + LDTR * 4);
  }
  if ((selector | 7) > limit) return false;
  base += selector & 0xfff8;
  const words = readSystem64(base);
  low = <u32>words;
  high = <u32>(words >> 32);
  descriptor = base;
  return true;
}

export function fetchDescriptor(selector: u32, vector: u32): void {
  if (!tryDescriptor(selector)) raiseSelector(vector, selector);
}

/** An exception whose error code is a selector. */
export function raiseSelector(vector: u32, selector: u32): void {
  raise(vector, (selector & 0xfffc) | external);
}

/** Sets the accessed bit of the descriptor just fetched, in memory and in `high`. */
export function markAccessed(): void {
  if (high & ACCESSED) return;
  high |= ACCESSED;
  writeSystem8(descriptor + 5, high >>> 8);
}

// --- Writing a segment register ----------------------------------------------------------------

export function selectorOf(segment: u32): u32 {
  return load<u32>(SELECTOR + (segment << 2));
}

export function accessOf(segment: u32): u32 {
  return load<u32>(SEGMENT_ACCESS + (segment << 2));
}

export function limitOf(segment: u32): u32 {
  return load<u32>(SEGMENT_LIMIT + (segment << 2));
}

export function baseOf(segment: u32): u32 {
  return load<u32>(baseAddress(segment));
}

function baseAddress(segment: u32): u32 {
  if (segment < LDTR) return SEGMENT_BASE + (segment << 2);
  return segment == LDTR ? LDTR_BASE : TR_BASE;
}

export function setSegment(segment: u32, selector: u32, base: u32, limit: u32, access: u32): void {
  store<u32>(SELECTOR + (segment << 2), selector);
  store<u32>(baseAddress(segment), base);
  store<u32>(SEGMENT_LIMIT + (segment << 2), limit);
  store<u32>(SEGMENT_ACCESS + (segment << 2), access);
}

/** Fills a register from descriptor words. The caller calls updateMode when all are in place. */
export function setFromDescriptor(segment: u32, selector: u32, low: u32, high: u32): void {
  const base = descriptorBase(low, high);
  setSegment(segment, selector, base, descriptorLimit(low, high), high & ATTRIBUTES);
}

/** A null selector in DS to GS or LDTR: loadable, but any use faults, since P is clear. */
export function setNull(segment: u32, selector: u32): void {
  setSegment(segment, selector, 0, 0, 0);
}

/** Virtual-8086 mode: everything follows from the selector. */
export function setV86(segment: u32, selector: u32): void {
  setSegment(segment, selector, selector << 4, 0xffff, V86_ACCESS);
}

/** Real mode keeps limit and attributes ("unreal" mode); CS becomes usable as data. */
export function setReal(segment: u32, selector: u32): void {
  store<u32>(SELECTOR + (segment << 2), selector);
  store<u32>(SEGMENT_BASE + (segment << 2), selector << 4);
}

export function setCpl(cpl: u32): void {
  store<u32>(CPL, cpl);
}

// --- Loading a data segment register -----------------------------------------------------------

/** MOV, POP and LxS into ES, SS, DS, FS, GS with all checks; the mode is up to date after it. */
export function loadSegment(segment: u32, selector: u32): void {
  selector &= 0xffff;
  const mode = load<u32>(MODE);
  if (!(mode & MODE_PROTECTED)) {
    setReal(segment, selector);
  } else if (mode & MODE_V86) {
    setV86(segment, selector);
  } else if (segment == SS) {
    loadStackSegment(selector);
  } else {
    const before = usable(segment);
    if (!(selector & 0xfffc)) {
      setNull(segment, selector);
    } else {
      checkDataSegment(selector, load<u32>(CPL), GP);
      setFromDescriptor(segment, selector, low, high);
    }
    if (usable(segment) == before) return;
  }
  updateMode();
}

/** What MODE says of ES, DS, FS or GS. */
export function usable(segment: u32): bool {
  return segment < FS ? isFlat(segment) : isOpen(segment);
}

/** Leaves a descriptor in low and high that DS to GS may hold at this CPL. */
export function checkDataSegment(selector: u32, cpl: u32, vector: u32): void {
  fetchDescriptor(selector, vector);
  const type = typeOf(high);
  // Data, or readable code.
  if (type < 16 || (type & 0xa) == 8) raiseSelector(vector, selector);
  if ((type & 0xc) != 0xc) {
    // Not conforming code: both CPL and RPL must reach it.
    const dpl = dplOf(high);
    if (dpl < cpl || dpl < (selector & 3)) raiseSelector(vector, selector);
  }
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  markAccessed();
}

/** Leaves a descriptor in low and high that SS may hold at privilege `cpl`. */
export function checkStackSegment(selector: u32, cpl: u32, vector: u32): void {
  if (!(selector & 0xfffc)) raise(vector, external);
  fetchDescriptor(selector, vector);
  if ((selector & 3) != cpl || dplOf(high) != cpl || !isWritableData(high)) {
    raiseSelector(vector, selector);
  }
  if (!(high & PRESENT)) raiseSelector(SS_VECTOR, selector);
  markAccessed();
}

function loadStackSegment(selector: u32): void {
  checkStackSegment(selector, load<u32>(CPL), GP);
  setFromDescriptor(SS, selector, low, high);
}

// --- Addresses ---------------------------------------------------------------------------------

/** True when bytes offset to offset + size - 1 lie inside the segment (SDM vol. 3A 5.3). */
export function withinLimit(offset: u32, size: u32, limit: u32, access: u32): bool {
  const last = offset + size - 1;
  if ((access & (CODE | EXPAND_DOWN)) == EXPAND_DOWN) {
    const top: u32 = access & BIG ? 0xffffffff : 0xffff;
    return offset > limit && last <= top && last >= offset;
  }
  return last <= limit && (last >= offset || limit == 0xffffffff);
}

/** Linear address of segment:offset after type and limit checks, #SS(0) or #GP(0). */
export function linearAddress(segment: u32, offset: u32, size: u32, write: bool): u32 {
  const mode = load<u32>(MODE);
  if (segment < FS) {
    // Through CS nothing may be written, flat or not.
    if (mode & MODE_FLAT && !(segment == CS && write)) return offset;
  } else if (openSegments & openBit(segment)) {
    return baseOf(segment) + offset;
  }
  const access = accessOf(segment);
  let allowed: bool = (access & PRESENT) != 0;
  if (mode & MODE_PROTECTED && !(mode & MODE_V86)) {
    if (write) allowed = allowed && isWritableData(access);
    else if (access & CODE) allowed = allowed && (access & WRITABLE) != 0;
  }
  if (!allowed || !withinLimit(offset, size, limitOf(segment), access)) {
    raise(segment == SS ? SS_VECTOR : GP, 0);
  }
  return baseOf(segment) + offset;
}

/** linearAddress's limit check as a question, for an offset in a segment it has let through. */
export function covers(segment: u32, offset: u32, size: u32): bool {
  if (segment < FS && load<u32>(MODE) & MODE_FLAT) return true;
  return withinLimit(offset, size, limitOf(segment), accessOf(segment));
}

// --- What follows from the segments --------------------------------------------------------------

function isFlat(segment: u32): bool {
  return baseOf(segment) == 0 && isOpen(segment);
}

function isOpen(segment: u32): bool {
  return limitOf(segment) == 0xffffffff && (accessOf(segment) & KIND) == OPEN_DATA;
}

/** Which of FS and GS may be used unchecked: MODE_FS_OPEN, MODE_GS_OPEN. */
let openSegments: u32 = 0;
// Through which of them code has been found to go, in CPL 3 and elsewhere. What nobody uses makes no
// difference: a kernel keeps a process's GS, open or not, and all of it would be translated twice.
let usedByUser: u32 = 0;
let usedBySystem: u32 = 0;

/** The mode bit that says that the segment, FS or GS, may be used unchecked. */
export function openBit(segment: u32): u32 {
  return segment == FS ? MODE_FS_OPEN : MODE_GS_OPEN;
}

/** The bits of MODE for FS and GS. */
export function openMode(user: bool): u32 {
  return openSegments & (user ? usedByUser : usedBySystem);
}

/** Code of `mode` was found to go through FS or GS: from now on it is decoded for these as they are. */
export function useSegment(segment: u32, mode: u32): void {
  const bit = openBit(segment);
  if (mode & MODE_USER) {
    if (usedByUser & bit) return;
    usedByUser |= bit;
  } else {
    if (usedBySystem & bit) return;
    usedBySystem |= bit;
  }
  updateMode();
}

/** Recomputes MODE and TLB_CURRENT; to be called after CS, SS, DS.., CPL, CR0.PE or VM changed. */
export function updateMode(): void {
  let mode: u32 = 0;
  if (load<u32>(CR0) & 1) mode |= MODE_PROTECTED;
  if (load<u32>(EFLAGS_SYSTEM) & VM) mode |= MODE_V86;
  const cpl = load<u32>(CPL);
  if (cpl == 3) {
    mode |= MODE_USER;
    store<u32>(TLB_CURRENT, TLB_USER);
  } else {
    if (cpl) mode |= MODE_MIDDLE;
    store<u32>(TLB_CURRENT, TLB_KERNEL);
  }
  if (accessOf(CS) & BIG) mode |= MODE_CODE32;
  if (accessOf(SS) & BIG) mode |= MODE_STACK32;
  if (baseOf(CS) == 0 && limitOf(CS) == 0xffffffff && isFlat(SS) && isFlat(DS) && isFlat(ES)) {
    mode |= MODE_FLAT;
  }
  openSegments = (isOpen(FS) ? MODE_FS_OPEN : 0) | (isOpen(GS) ? MODE_GS_OPEN : 0);
  store<u32>(MODE, mode | openMode(cpl == 3));
}
