// The translation look-aside buffers: one for supervisor accesses, one for CPL 3 (a kernel page
// must miss from user mode, and a tag compare is all that a hit may cost). Layout in layout.ts.
import {
  CR0,
  COUNTERS,
  DR,
  MAPPING_GENERATION,
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
} from '../shared/layout';
import { COUNT_TLB_FILLS, COUNT_TLB_FLUSHES, COUNT_TLB_PAGE_FLUSHES } from '../shared/counters';
import { PF_FETCH, PF_USER, PF_WRITE } from '../shared/faults';
import { PAGE_ATTRIBUTES, PAGE_RAM, PAGE_ROM, TLB_GLOBAL, TLB_NO_EXECUTE } from '../shared/paging';
import { watched } from '../cpu/debug';
import { alignmentChecked } from './alignment';
import {
  walk,
  walkDirty,
  walkGlobal,
  walkLarge,
  walkNoExecute,
  walkPage,
  walkWritable,
} from './walk';

const CR0_PG: u32 = 0x80000000;
const DR7: usize = DR + 28;
/** One byte for 2 MiB of linear space: entries of large pages were made there since the last flush of all. */
const LARGE: usize = memory.data(2048);

/** No entry of the user TLB has been filled since the last flush of all. */
let userEmpty: bool = true;

/** Entries in the two lists. */
let filled: u32 = 0;
let filledGlobal: u32 = 0;

export function count(index: u32): void {
  const counter: usize = COUNTERS + (index << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** The entry of a linear address in the TLB at `tlb`. */
export function entryOf(tlb: u32, linear: u32): u32 {
  return tlb + ((linear >>> 8) & ((TLB_ENTRIES - 1) << 4));
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
  const info = load<u32>(PAGE_INFO + ((physical >>> 12) << 2));
  if ((info & PAGE_RAM) == 0) return true;
  // Accesses to a page with a data breakpoint must all be seen.
  if (load<u32>(DR7) & 0xff && watched(page)) return true;
  if (tlb == TLB_USER) {
    if (alignmentChecked()) return true;
    userEmpty = false;
  }
  count(COUNT_TLB_FILLS);
  const entry = entryOf(tlb, linear);
  // Code pages and ROM take every write the slow way.
  if (info & (PAGE_ROM | ~PAGE_ATTRIBUTES)) writable = false;
  if (load<u32>(entry, TLB_READ) == TAG_INVALID) noteFilled(entry, bits);
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
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_READ) == (linear | 0xfff)) {
    const physical = load<u32>(entry, TLB_PHYSICAL);
    if ((physical & TLB_NO_EXECUTE) == 0) return (physical & ~0xfff) | (linear & 0xfff);
  }
  return translate(linear, PF_FETCH) ? translated : 0xffffffff;
}

/** Drops all entries, or those whose page is not global. */
export function flushTlb(all: bool): void {
  count(COUNT_TLB_FLUSHES);
  if (all) memory.fill(LARGE, 0, 2048);
  flushList(TLB_FILLED, filled);
  filled = 0;
  if (all) {
    flushList(TLB_FILLED_GLOBAL, filledGlobal);
    filledGlobal = 0;
  }
  store<u32>(MAPPING_GENERATION, load<u32>(MAPPING_GENERATION) + 1);
}

/** Alignment is checked from now on: no access of privilege 3 may hit. */
export function emptyUserTlb(): void {
  if (userEmpty) return;
  flushTlb(true);
  userEmpty = true;
}

/** INVLPG: one entry in each TLB, or everything of a large page that had entries. */
export function flushTlbPage(linear: u32): void {
  count(COUNT_TLB_PAGE_FLUSHES);
  if (load<u8>(LARGE + (linear >>> 21))) {
    flushTlb(true);
    return;
  }
  flushEntry(entryOf(TLB_KERNEL, linear));
  flushEntry(entryOf(TLB_USER, linear));
  store<u32>(MAPPING_GENERATION, load<u32>(MAPPING_GENERATION) + 1);
}

/** Puts an entry that was empty into its list; a list that is full is emptied first. */
function noteFilled(entry: u32, bits: u32): void {
  if (bits & TLB_GLOBAL) {
    if (filledGlobal == TLB_FILLED_ROOM) {
      flushList(TLB_FILLED_GLOBAL, filledGlobal);
      filledGlobal = 0;
    }
    store<u32>(TLB_FILLED_GLOBAL + (filledGlobal++ << 2), entry);
  } else {
    if (filled == TLB_FILLED_ROOM) {
      flushList(TLB_FILLED, filled);
      filled = 0;
    }
    store<u32>(TLB_FILLED + (filled++ << 2), entry);
  }
}

function flushList(list: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) flushEntry(load<u32>(list + (i << 2)));
}

/** Takes the write tags of a physical page away: it has become a code page. */
export function protectPage(page: u32): void {
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

function flushEntry(entry: u32): void {
  store<u32>(entry, TAG_INVALID, TLB_READ);
  store<u32>(entry, TAG_INVALID, TLB_WRITE);
}
