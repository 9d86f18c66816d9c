// TLB entries of address spaces that were left, for when the guest comes back to them. Hardware
// flushes them, since a page table may have changed in between; here every change is known, in one
// of two ways (SPACES_KEPT in shared/layout.ts):
//
// tracked    Tables that kept entries were found through lose their write tags in the TLB, as code
//            pages do. The first write to one lets go of it and dates it. Entries whose tables were
//            not tracked all the time are compared with the tables before they are kept.
// announced  A VMI guest says what it changes (SetPxE, UpdatePxE, AllocatePage, ReleasePage), which
//            dates the table. What Linux changes without a word does no harm: accessed and dirty bits
//            are set by the walk itself; tables cleared when an address space dies are released before
//            they or their root serve again.
//
// An entry is good as long as its tables have no later date than itself. A PDPTE cleared or replaced
// is compared when the root is loaded. Any flush of global entries forgets all that is kept.
import {
  CR0,
  CR3,
  CR4,
  PAGE_INFO,
  PDPTE,
  SPACES,
  SPACES_END,
  SPACES_KEPT,
  TAG_INVALID,
  TLB_CURRENT,
  TLB_PHYSICAL,
  TLB_READ,
  TLB_USER,
  TLB_WRITE,
  TLB_FILLED,
  TLB_FILLED_ROOM,
  USER_GENERATION,
  FAULT_PENDING,
} from '../shared/layout';
import { COUNT_SPACE_ENTRIES, COUNT_SPACE_RETURNS } from '../shared/counters';
import { PF_USER } from '../shared/faults';
import { PAGE_TABLE, TLB_NO_EXECUTE } from '../shared/paging';
import { SPACES_ANNOUNCED, SPACES_DROPPED } from '../shared/paravirt';
import { loadPointers } from '../cpu/control';
import { isRam } from './physical';
import {
  walk,
  walkDirectory,
  walkDirty,
  walkGlobal,
  walkNoExecute,
  walkPage,
  walkTable,
  walkWritable,
} from './walk';
import {
  count,
  countBy,
  entryOf,
  filled,
  flushEntry,
  flushTlb,
  freshGeneration,
  generationEpoch,
  newLocalGeneration,
  PAGE_SLOW_WRITE,
  protections,
  protectTables,
  setFilled,
  translate,
  translated,
} from './tlb';

const CR0_PG: u32 = 0x80000000;
const CR4_PAE: u32 = 0x20;

// When a table was last announced to have changed: by a hash of its page number. Two tables that
// share a stamp only age each other.
const STAMPS: u32 = SPACES;
const STAMP_MASK: u32 = 0x3fff;

/** Where each entry of TLB_FILLED was found: u32 table, u32 directory (page numbers), u32 time. */
const SOURCES: u32 = STAMPS + 0x10000;
const SOURCE_SIZE: u32 = 12;

// Kept spaces: u32 root, u32 entries, u32 leaves, u32 USER_GENERATION, u32 epoch of it, u32 now, four
// u64 PDPTE, u32 protections, all when it was left; then entries: the TLB's four words, u32 address in
// the TLB, table, directory, time.
const SLOTS: u32 = 8;
const SLOT_FIRST: u32 = SOURCES + TLB_FILLED_ROOM * SOURCE_SIZE;
const SLOT_SIZE: u32 = ((SPACES_END - SLOT_FIRST) >>> 3) & ~63;
const SLOT_NOW: u32 = 20;
const SLOT_PDPTE: u32 = 24;
const SLOT_PROTECTIONS: u32 = 56;
const SLOT_ENTRIES: u32 = 64;
const ENTRY: u32 = 32;
const ENTRY_TLB: u32 = 16;
const ENTRY_SOURCE: u32 = 20;
const ENTRY_TIME: u32 = 28;
const ENTRIES_MAX: u32 = (SLOT_SIZE - SLOT_ENTRIES) / ENTRY;

/**
 * The first entries of TLB_FILLED, this many, came from this slot and stand in it in the same order, with
 * where they were found: what a process uses goes to and fro, and is not copied again each time.
 */
let restored: u32 = 0;
let restoredFrom: u32 = 0;

/** Counts announcements; an entry's time is its value when the entry was filled. */
let now: u32 = 1;

/** Notes where the entry that will be the `index`th of TLB_FILLED was found. */
export function noteSource(index: u32, table: u32, directory: u32): void {
  const source = SOURCES + index * SOURCE_SIZE;
  store<u32>(source, table >>> 12);
  store<u32>(source, directory >>> 12, 4);
  store<u32>(source, now, 8);
}

/** The next announcement makes times no longer comparable, and drops everything. */
export function isLastTime(): bool {
  return now == 0xffffffff;
}

/** A page-table page (number) changed. */
export function noteTable(page: u32): void {
  if (++now == 0) {
    now = 1;
    flushTlb(true);
    memory.fill(STAMPS, 0, (STAMP_MASK + 1) << 2);
  }
  store<u32>(STAMPS + ((page & STAMP_MASK) << 2), now);
}

/** The same of the page that holds the entry at this linear address; one that is not mapped is ignored. */
export function noteTableAt(linear: u32): void {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  let physical = load<u32>(entry, TLB_PHYSICAL);
  if (load<u32>(entry, TLB_READ) != (linear | 0xfff)) {
    if (!translate(linear, 0)) {
      store<u32>(FAULT_PENDING, 0);
      return;
    }
    physical = translated;
  }
  noteTable(physical >>> 12);
}

/** A page begins or ceases to be a page table, of whatever level. */
export function replaceTable(page: u32): void {
  noteTable(page);
  for (let i: u32 = 0; i < SLOTS; i++) {
    const slot = SLOT_FIRST + i * SLOT_SIZE;
    if (load<u32>(slot) >>> 12 == page) store<u32>(slot, 0, 4);
  }
}

/** A tracked table is about to be written; it is not tracked any more. */
export function untrack(physical: u32): void {
  const word = infoWord(physical >>> 12);
  store<u32>(word, load<u32>(word) & ~PAGE_TABLE);
  noteTable(physical >>> 12);
}

/** The TLB was emptied of what is not global. */
export function forgetRestored(): void {
  restored = 0;
}

/** Forgets what is kept of all spaces. */
export function dropSpaces(): void {
  for (let i: u32 = 0; i < SLOTS; i++) store<u32>(SLOT_FIRST + i * SLOT_SIZE, 0, 4);
}

/** MOV CR3, of another root than the current one. Raises #GP for malformed PDPTEs. */
export function switchSpace(root: u32): void {
  const paging = (load<u32>(CR0) & CR0_PG) != 0;
  const pae = paging && (load<u32>(CR4) & CR4_PAE) != 0;
  // Without paging there are no tables: what CR3 points at must not even be walked.
  const how = paging ? load<u32>(SPACES_KEPT) : SPACES_DROPPED;
  if (how) {
    const slot = slotFor(load<u32>(CR3));
    memory.copy(slot + SLOT_PDPTE, PDPTE, 32);
    save(slot, load<u32>(CR3), how != SPACES_ANNOUNCED);
  }
  if (pae) loadPointers(root);
  store<u32>(CR3, root);
  if (how) restore(root, pae);
  else flushTlb(false);
}

/** The slot of a root, or the one to give up for it. */
function slotFor(root: u32): u32 {
  let oldest: u32 = 0;
  for (let i: u32 = 0; i < SLOTS; i++) {
    const slot = SLOT_FIRST + i * SLOT_SIZE;
    if (load<u32>(slot) == root) return slot;
    if (!oldest || load<u32>(slot, 8) < load<u32>(oldest, 8)) oldest = slot;
  }
  return oldest;
}

let leaves: u32 = 0;

/**
 * Moves the entries that are not global from the TLB into the slot: what came from it and is unchanged where
 * it is already, behind that the rest, the newest first.
 */
function save(slot: u32, root: u32, tracked: bool): void {
  const first = slot + SLOT_ENTRIES;
  let whole = true;
  // With more than there is room for the newest are worth most.
  const old = slot == restoredFrom && filled <= ENTRIES_MAX ? restored : 0;
  let kept = old;
  for (let i = filled; i-- > old;) {
    const entry = load<u32>(TLB_FILLED + (i << 2));
    // Dropped since, or refilled and so met already.
    if (load<u32>(entry, TLB_READ) == TAG_INVALID) continue;
    const source = SOURCES + i * SOURCE_SIZE;
    if (i < restored) {
      whole = false;
    } else if (kept < ENTRIES_MAX && (!tracked || isTracked(source) || confirm(entry))) {
      const to = first + kept++ * ENTRY;
      v128.store(to, v128.load(entry));
      store<u32>(to, entry, ENTRY_TLB);
      copySource(to + ENTRY_SOURCE, source);
      if (tracked) store<u32>(to, now, ENTRY_TIME);
    } else {
      whole = false;
    }
    flushEntry(entry);
  }
  let same: u32 = 0;
  for (let i: u32 = 0; i < old; i++) {
    const from = first + i * ENTRY;
    const entry = load<u32>(from, ENTRY_TLB);
    const words = v128.load(entry);
    if (v128.extract_lane<u32>(words, 0) == TAG_INVALID) continue;
    if (!tracked || isTracked(from + ENTRY_SOURCE) || confirm(entry)) {
      const to = first + same++ * ENTRY;
      if (to != from) v128.store(to, v128.load(from, ENTRY_TLB), ENTRY_TLB);
      v128.store(to, words);
      if (tracked) store<u32>(to, now, ENTRY_TIME);
    } else {
      whole = false;
    }
    flushEntry(entry);
  }
  if (same < old) {
    memory.copy(first + same * ENTRY, first + old * ENTRY, (kept - old) * ENTRY);
    kept -= old - same;
  }
  setFilled(0);
  restored = 0;
  store<u32>(slot, protections, SLOT_PROTECTIONS);
  if (tracked) trackTables(first, kept);
  store<u32>(slot, root);
  store<u32>(slot, kept, 4);
  store<u32>(slot, ++leaves, 8);
  // What was not kept may have been executed from: its generation must not come back.
  store<u32>(slot, whole ? load<u32>(USER_GENERATION) : 0, 12);
  store<u32>(slot, generationEpoch, 16);
  store<u32>(slot, now, SLOT_NOW);
}

/** By hand: the engine calls out for memory.copy, which was most of a switch's time. */
function copySource(to: u32, from: u32): void {
  store<u64>(to, load<u64>(from));
  store<u32>(to, load<u32>(from, 8), 8);
}

function infoWord(page: u32): u32 {
  return PAGE_INFO + (page << 2);
}

function isTracked(source: u32): bool {
  return (
    (load<u32>(infoWord(load<u32>(source))) &
      load<u32>(infoWord(load<u32>(source, 4))) &
      PAGE_TABLE) !=
    0
  );
}

/** Do the tables still say what the entry does? */
function confirm(entry: u32): bool {
  const user = entry >= <u32>TLB_USER;
  const linear = load<u32>(entry, TLB_READ) & ~0xfff;
  if (!walk(linear, user ? PF_USER : 0)) {
    store<u32>(FAULT_PENDING, 0);
    return false;
  }
  const physical = load<u32>(entry, TLB_PHYSICAL);
  if ((physical & ~0xfff) != walkPage || walkGlobal) return false;
  if (!isRam(walkTable) || !isRam(walkDirectory)) return false;
  if (((physical & TLB_NO_EXECUTE) != 0) != walkNoExecute) return false;
  return load<u32>(entry, TLB_WRITE) == TAG_INVALID || (walkWritable && walkDirty);
}

/** Takes the write tags of all tables that these entries were found through away. */
function trackTables(entries: u32, count: u32): void {
  let fresh = false;
  for (let i: u32 = 0; i < count; i++) {
    const source = entries + i * ENTRY + ENTRY_SOURCE;
    fresh = track(load<u32>(source)) || fresh;
    fresh = track(load<u32>(source, 4)) || fresh;
  }
  if (fresh) protectTables();
}

/** True: the page was not tracked before. */
function track(page: u32): bool {
  const word = infoWord(page);
  const info = load<u32>(word);
  if (info & PAGE_TABLE) return false;
  store<u32>(word, info | PAGE_TABLE);
  return true;
}

/** Fills the TLB, which has global entries only, with what was kept of a space and still holds. */
function restore(root: u32, pae: bool): void {
  const slot = slotFor(root);
  const entries: u32 = load<u32>(slot) == root ? load<u32>(slot, 4) : 0;
  let good: u32 = 0;
  if (entries && (!pae || memory.compare(slot + SLOT_PDPTE, PDPTE, 32) == 0)) {
    const untouched =
      load<u32>(slot, SLOT_NOW) == now && load<u32>(slot, SLOT_PROTECTIONS) == protections;
    good = untouched ? fillAll(slot, entries) : fillGood(slot, entries);
    setFilled(good);
    restored = good;
    restoredFrom = slot;
    count(COUNT_SPACE_RETURNS);
    countBy(COUNT_SPACE_ENTRIES, good);
  }
  const generation = load<u32>(slot, 12);
  const same = entries && good == entries && load<u32>(slot, 16) == generationEpoch;
  newLocalGeneration(same && generation ? generation : freshGeneration());
  if (load<u32>(slot) == root) store<u32>(slot, 0, 4);
}

/** No table has changed since, and no page has lost its write tags. */
function fillAll(slot: u32, entries: u32): u32 {
  let from = slot + SLOT_ENTRIES;
  for (let i: u32 = 0; i < entries; i++) {
    const entry = load<u32>(from, ENTRY_TLB);
    v128.store(entry, v128.load(from));
    store<u32>(TLB_FILLED + (i << 2), entry);
    from += ENTRY;
  }
  return entries;
}

/** Gives how many still hold, which stand together in the slot then. */
function fillGood(slot: u32, entries: u32): u32 {
  let good: u32 = 0;
  for (let i: u32 = 0; i < entries; i++) {
    const from = slot + SLOT_ENTRIES + i * ENTRY;
    const time = load<u32>(from, ENTRY_TIME);
    if (stamp(load<u32>(from, ENTRY_SOURCE)) > time) continue;
    if (stamp(load<u32>(from, ENTRY_SOURCE + 4)) > time) continue;
    const to = slot + SLOT_ENTRIES + good * ENTRY;
    if (to != from) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, ENTRY_TLB), ENTRY_TLB);
    }
    const entry = load<u32>(to, ENTRY_TLB);
    v128.store(entry, v128.load(to));
    // It may have become a code page in the meantime.
    const info = load<u32>(infoWord(load<u32>(entry, TLB_PHYSICAL) >>> 12));
    if (info & PAGE_SLOW_WRITE) store<u32>(entry, TAG_INVALID, TLB_WRITE);
    store<u32>(TLB_FILLED + (good << 2), entry);
    good++;
  }
  return good;
}

function stamp(page: u32): u32 {
  return load<u32>(STAMPS + ((page & STAMP_MASK) << 2));
}
