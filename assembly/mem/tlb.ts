// The translation look-aside buffers: one for supervisor accesses, one for CPL 3 (a kernel page
// must miss from user mode, and a tag compare is all that a hit may cost). Layout in layout.ts.
import {
  CR0,
  COUNTERS,
  DR,
  KERNEL_GENERATION,
  PAGE_INFO,
  RAM_BASE,
  TAG_INVALID,
  TLB_ADDEND,
  TLB_CURRENT,
  TLB_ENTRIES,
  TLB_FILLED,
  TLB_FILLED_GLOBAL,
  TLB_FILLED_ROOM,
  TLB_KERNEL,
  TLB_PHYSICAL,
  TLB_READ,
  TLB_USER,
  TLB_WRITE,
  USER_GENERATION,
} from '../shared/layout';
import { COUNT_TLB_FILLS, COUNT_TLB_FLUSHES, COUNT_TLB_PAGE_FLUSHES } from '../shared/counters';
import { PF_FETCH, PF_USER, PF_WRITE } from '../shared/faults';
import { MODE_USER } from '../shared/modes';
import {
  PAGE_ATTRIBUTES,
  PAGE_RAM,
  PAGE_ROM,
  PAGE_TABLE,
  TLB_GLOBAL,
  TLB_NO_EXECUTE,
} from '../shared/paging';
import { watched } from '../cpu/debug';
import { alignmentChecked } from './alignment';
import { dropSpaces, forgetRestored, noteSource, untrack } from './spaces';
import {
  peekPage,
  walk,
  walkDirectory,
  walkDirty,
  walkGlobal,
  walkLarge,
  walkNoExecute,
  walkPage,
  walkTable,
  walkWritable,
} from './walk';

const CR0_PG: u32 = 0x80000000;
const DR7: usize = DR + 28;
/** One byte for 2 MiB of linear space: entries of large pages were made there since the last flush of all. */
const LARGE: usize = memory.data(2048);

/** Attributes of pages to which no write may hit: code pages, ROM, tracked page tables. */
export const PAGE_SLOW_WRITE: u32 = PAGE_ROM | PAGE_TABLE | ~PAGE_ATTRIBUTES;

/** No entry of the user TLB has been filled since the last flush of all. */
let userEmpty: bool = true;

/** Entries in the two lists; one that is refilled may be in its list twice. */
export let filled: u32 = 0;
let filledGlobal: u32 = 0;

export function setFilled(count: u32): void {
  filled = count;
}

/** The generations were this at most. */
let lastGeneration: u32 = 0;
/** Counts changes of mappings that may concern every address space, or of what regions there are. */
export let generationEpoch: u32 = 0;
/**
 * Supervisor code was fetched through an entry that is not global, since the last flush of all. As
 * long as none was, what changes or flushes entries that are not global concerns no supervisor code.
 */
export let localCode: bool = false;

/** The generation that code of this mode is confirmed under. */
export function generationOf(mode: u32): u32 {
  return load<u32>(KERNEL_GENERATION + (mode & MODE_USER));
}

/** A value that no generation ever had. */
export function freshGeneration(): u32 {
  return ++lastGeneration;
}

/** Translations of executable pages may have changed. */
export function newGeneration(): void {
  generationEpoch++;
  store<u32>(USER_GENERATION, ++lastGeneration);
  store<u32>(KERNEL_GENERATION, ++lastGeneration);
}

/** The same of pages that are not global; `user` is the generation of user code from now on. */
export function newLocalGeneration(user: u32): void {
  store<u32>(USER_GENERATION, user);
  if (localCode) store<u32>(KERNEL_GENERATION, ++lastGeneration);
}

export function count(index: u32): void {
  countBy(index, 1);
}

export function countBy(index: u32, by: u32): void {
  const counter: usize = COUNTERS + (index << 2);
  store<u32>(counter, load<u32>(counter) + by);
}

/** The entry of a linear address in the TLB at `tlb`. */
export function entryOf(tlb: u32, linear: u32): u32 {
  return tlb + ((linear >>> 8) & ((TLB_ENTRIES - 1) << 4));
}

/** Host address of supervisor memory, or 0: not in the TLB, no RAM, or in two pages. */
export function toRead(linear: u32, bytes: u32): u32 {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_READ) != ((linear + bytes - 1) | 0xfff)) return 0;
  return linear + load<u32>(entry, TLB_ADDEND);
}

/** The same for writing; not where there is code either. */
export function toWrite(linear: u32, bytes: u32): u32 {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_WRITE) != ((linear + bytes - 1) | 0xfff)) return 0;
  return linear + load<u32>(entry, TLB_ADDEND);
}

/** Physical address of what translate() found last. */
export let translated: u32 = 0;

/**
 * Translates a linear address by walking the tables, and fills the entry of `tlb`.
 * `access`: PF_WRITE or PF_FETCH or 0; the privilege is the TLB's. False: a fault is noted.
 */
export function translateIn(tlb: u32, linear: u32, access: u32): bool {
  const page = linear & ~0xfff;
  let physical = page;
  let writable = true;
  let bits: u32 = 0;
  if (load<u32>(CR0) & CR0_PG) {
    if (!walk(linear, access | (tlb == TLB_USER ? PF_USER : 0))) return false;
    physical = walkPage;
    writable = walkWritable && walkDirty;
    if (walkLarge) store<u8>(LARGE + (linear >>> 21), 1);
    bits = (walkGlobal ? TLB_GLOBAL : 0) | (walkNoExecute ? TLB_NO_EXECUTE : 0);
  }
  translated = physical | (linear & 0xfff);
  let info = load<u32>(PAGE_INFO + ((physical >>> 12) << 2));
  if ((info & PAGE_RAM) == 0) return true;
  // Whether or not an entry is filled: the write will be made.
  if (info & PAGE_TABLE && access & PF_WRITE) {
    untrack(physical);
    info &= ~PAGE_TABLE;
  }
  // Accesses to a page with a data breakpoint must all be seen.
  if (load<u32>(DR7) & 0xff && watched(page)) return true;
  if (tlb == TLB_USER) {
    if (alignmentChecked()) return true;
    userEmpty = false;
  }
  count(COUNT_TLB_FILLS);
  const entry = entryOf(tlb, linear);
  if (info & PAGE_SLOW_WRITE) writable = false;
  // Refilled after the table was changed: what was fetched through the entry is no longer confirmed.
  if (load<u32>(entry, TLB_READ) != TAG_INVALID) {
    const old = load<u32>(entry, TLB_PHYSICAL);
    if (((old ^ physical) & ~0xfff) | (old & ~bits & TLB_GLOBAL)) newGeneration();
  }
  // An entry that is refilled may have come through other tables.
  if ((bits & TLB_GLOBAL) == 0) noteSource(noteFilled(entry, bits), walkTable, walkDirectory);
  else if (load<u32>(entry, TLB_READ) == TAG_INVALID) noteFilled(entry, bits);
  store<u32>(entry, page | 0xfff, TLB_READ);
  store<u32>(entry, writable ? page | 0xfff : TAG_INVALID, TLB_WRITE);
  store<u32>(entry, RAM_BASE + physical - page, TLB_ADDEND);
  store<u32>(entry, physical | bits, TLB_PHYSICAL);
  return true;
}

/** translateIn() at the current privilege. */
export function translate(linear: u32, access: u32): bool {
  return translateIn(load<u32>(TLB_CURRENT), linear, access);
}

/** Physical address an instruction is fetched from; 0xFFFFFFFF: a fault is noted. */
export function translateFetch(linear: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_READ) == (linear | 0xfff)) {
    const physical = load<u32>(entry, TLB_PHYSICAL);
    if ((physical & TLB_NO_EXECUTE) == 0) {
      if (!(physical & TLB_GLOBAL) && tlb == TLB_KERNEL) localCode = true;
      return (physical & ~0xfff) | (linear & 0xfff);
    }
  }
  if (!translate(linear, PF_FETCH)) return 0xffffffff;
  if (tlb == TLB_KERNEL && !isGlobal(entry, linear)) localCode = true;
  return translated;
}

function isGlobal(entry: u32, linear: u32): bool {
  return (
    load<u32>(entry, TLB_READ) == (linear | 0xfff) &&
    (load<u32>(entry, TLB_PHYSICAL) & TLB_GLOBAL) != 0
  );
}

/**
 * Where an instruction would be fetched from, as far as can be told without a fault, an entry filled
 * or an accessed bit set; else 0xFFFFFFFF.
 */
export function peekFetch(linear: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  let page = linear & ~0xfff;
  if (load<u32>(entry, TLB_READ) == (linear | 0xfff)) {
    page = load<u32>(entry, TLB_PHYSICAL);
    if (page & TLB_NO_EXECUTE) return 0xffffffff;
    page &= ~0xfff;
  } else if (load<u32>(CR0) & CR0_PG) {
    page = peekPage(linear, tlb == TLB_USER);
    if (page == 0xffffffff) return page;
  }
  if ((load<u32>(PAGE_INFO + ((page >>> 12) << 2)) & PAGE_RAM) == 0) return 0xffffffff;
  return page | (linear & 0xfff);
}

/** Drops all entries, or those whose page is not global. */
export function flushTlb(all: bool): void {
  count(COUNT_TLB_FLUSHES);
  if (all) {
    memory.fill(LARGE, 0, 2048);
    dropSpaces();
  }
  flushLocal();
  if (all) {
    flushList(TLB_FILLED_GLOBAL, filledGlobal);
    filledGlobal = 0;
    newGeneration();
    localCode = false;
  }
}

function flushLocal(): void {
  flushList(TLB_FILLED, filled);
  filled = 0;
  forgetRestored();
  newLocalGeneration(freshGeneration());
}

/** Alignment is checked from now on: no access of privilege 3 may hit. */
export function emptyUserTlb(): void {
  if (userEmpty) return;
  flushTlb(true);
  userEmpty = true;
}

/**
 * INVLPG: one entry in each TLB, or everything of a large page that had entries. What was confirmed stays so
 * unless code may have been fetched through one of these: a fork and exec has a dozen of INVLPG, and to
 * confirm all code anew after each was a fifth of its time.
 */
export function flushTlbPage(linear: u32): void {
  count(COUNT_TLB_PAGE_FLUSHES);
  if (load<u8>(LARGE + (linear >>> 21))) {
    flushTlb(true);
    return;
  }
  const kernel = entryOf(TLB_KERNEL, linear);
  const user = entryOf(TLB_USER, linear);
  const kernelCode = mayRun(kernel) && (localCode || isGlobal(kernel, linear));
  const userCode = mayRun(user);
  flushEntry(kernel);
  flushEntry(user);
  if (kernelCode || !allFilled()) newGeneration();
  else if (userCode) store<u32>(USER_GENERATION, ++lastGeneration);
}

/** May code have been confirmed through the entry? */
function mayRun(entry: u32): bool {
  if (load<u32>(entry, TLB_READ) == TAG_INVALID) return false;
  const info = load<u32>(PAGE_INFO + ((load<u32>(entry, TLB_PHYSICAL) >>> 12) << 2));
  return (info & ~PAGE_ATTRIBUTES) != 0;
}

/** Does every fetch leave an entry? */
function allFilled(): bool {
  return (load<u32>(DR7) & 0xff) == 0;
}

/** Puts an entry into its list, of which a full one is emptied first; gives its place there. */
function noteFilled(entry: u32, bits: u32): u32 {
  if (bits & TLB_GLOBAL) {
    if (filledGlobal == TLB_FILLED_ROOM) {
      flushList(TLB_FILLED_GLOBAL, filledGlobal);
      filledGlobal = 0;
      newGeneration();
    }
    store<u32>(TLB_FILLED_GLOBAL + (filledGlobal << 2), entry);
    return filledGlobal++;
  }
  if (filled == TLB_FILLED_ROOM) flushLocal();
  store<u32>(TLB_FILLED + (filled << 2), entry);
  return filled++;
}

function flushList(list: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) flushEntry(load<u32>(list + (i << 2)));
}

/** Counts the times that pages lost their write tags. */
export let protections: u32 = 0;

/** Takes the write tags of a physical page away: it has become a code page. */
export function protectPage(page: u32): void {
  protections++;
  protectList(TLB_FILLED, filled, page);
  protectList(TLB_FILLED_GLOBAL, filledGlobal, page);
}

function protectList(list: u32, count: u32, page: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u32>(list + (i << 2));
    if ((load<u32>(entry, TLB_PHYSICAL) & ~0xfff) == page) {
      store<u32>(entry, TAG_INVALID, TLB_WRITE);
    }
  }
}

/** The same for every page that is a tracked page table, where only global entries are filled. */
export function protectTables(): void {
  protections++;
  for (let i: u32 = 0; i < filledGlobal; i++) {
    const entry = load<u32>(TLB_FILLED_GLOBAL + (i << 2));
    const info = load<u32>(PAGE_INFO + ((load<u32>(entry, TLB_PHYSICAL) >>> 12) << 2));
    if (info & PAGE_TABLE) store<u32>(entry, TAG_INVALID, TLB_WRITE);
  }
}

/** Both tags at once: they are neighbours. */
export function flushEntry(entry: u32): void {
  store<u64>(entry, TAG_INVALID, TLB_READ);
}
