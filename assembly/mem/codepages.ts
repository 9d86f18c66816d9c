// Which physical pages hold decoded code, and dropping it when the bytes change.
// PAGE_INFO's high bits head a list of the page's blocks, through HEADER_NEXT. A page with a list
// has no write tag in any TLB entry, so every write to it comes past access.ts and through here.
import {
  BLOCK_HASH,
  BLOCK_HASH_ENTRIES,
  CODE_GENERATION,
  COUNTERS,
  PAGE_INFO,
} from '../shared/layout';
import {
  HEADER_BYTES,
  HEADER_COMPANION,
  HEADER_ENTRY,
  HEADER_MODE,
  HEADER_NEXT,
  HEADER_PHYSICAL,
} from '../shared/records';
import { PAGE_ATTRIBUTES, PAGE_TABLE, PAGE_TRANSLATED } from '../shared/paging';
import { untrack } from './spaces';
import { protectPage } from './tlb';
import { COUNT_BLOCKS_INVALIDATED } from '../shared/counters';

/** HEADER_MODE of a header that is to be forgotten: no lookup has it. */
const DEAD: u32 = 0xffffffff;

/** The translator drops its regions over this page (physical address of the page). */
export declare function codeInvalidated(physical: u32): void;

/**
 * Where (physical, mode) may stand in BLOCK_HASH: a place for every four bytes of code, so that blocks side by
 * side share a cache line. With a place a byte each look in seldom code was a miss of its own.
 */
export function hashSlot(physical: u32, mode: u32): u32 {
  const key = (physical >>> 2) ^ (physical >>> 19) ^ (mode << 6);
  return BLOCK_HASH + ((key & (BLOCK_HASH_ENTRIES - 1)) << 3);
}

/**
 * The block at (physical, mode) in its page's list, or 0. It moves to the list's head: whoever comes
 * here (two blocks share a slot of the hash, or a block crosses pages) will come again.
 */
export function findBlock(physical: u32, mode: u32): u32 {
  const word = PAGE_INFO + ((physical >>> 12) << 2);
  const info = load<u32>(word);
  let before: u32 = 0;
  let block = info & ~PAGE_ATTRIBUTES;
  while (block) {
    if (load<u32>(block, HEADER_PHYSICAL) == physical && load<u32>(block, HEADER_MODE) == mode) {
      if (before) {
        store<u32>(before, load<u32>(block, HEADER_NEXT), HEADER_NEXT);
        store<u32>(block, info & ~PAGE_ATTRIBUTES, HEADER_NEXT);
        store<u32>(word, block | (info & PAGE_ATTRIBUTES));
      }
      return block;
    }
    before = block;
    block = load<u32>(block, HEADER_NEXT);
  }
  return 0;
}

/** Puts a block into its page's list and takes the page's write tags away. */
export function addBlock(block: u32): void {
  const physical = load<u32>(block, HEADER_PHYSICAL);
  const word = PAGE_INFO + ((physical >>> 12) << 2);
  const info = load<u32>(word);
  store<u32>(block, info & ~PAGE_ATTRIBUTES, HEADER_NEXT);
  store<u32>(word, block | (info & PAGE_ATTRIBUTES));
  if ((info & ~PAGE_ATTRIBUTES) == 0) protectPage(physical & ~0xfff);
}

/** Does [physical, physical + size), within one page, hold bytes of a decoded block? */
export function codeOverlaps(physical: u32, size: u32): bool {
  let block = load<u32>(PAGE_INFO + ((physical >>> 12) << 2)) & ~PAGE_ATTRIBUTES;
  while (block) {
    const start = load<u32>(block, HEADER_PHYSICAL);
    if (start < physical + size && start + load<u16>(block, HEADER_BYTES) > physical) return true;
    block = load<u32>(block, HEADER_NEXT);
  }
  return false;
}

// Data beside code: a write that hits no block still takes the slow way. A page that sees many of
// them has become data (memory that was freed and given out again), so its blocks go; each time
// round it takes longer, in case the page really is both.
const STRIKES: usize = memory.data(256 * 8);
const STRIKES_OUT: i32 = 256;
const STRIKES_BACK: i32 = -0x4000;

/** A write to a page with blocks hit none of them; true: drop them all. */
function strike(page: u32): bool {
  const entry = STRIKES + (((page >>> 12) & 255) << 3);
  if (load<u32>(entry) != page) {
    store<u32>(entry, page);
    store<i32>(entry, 0, 4);
  }
  const count = load<i32>(entry, 4) + 1;
  store<i32>(entry, count < STRIKES_OUT ? count : STRIKES_BACK, 4);
  return count >= STRIKES_OUT;
}

/** Drops the blocks over [physical, physical + size), which lies within one page. */
export function invalidateCode(physical: u32, size: u32): void {
  const word = PAGE_INFO + ((physical >>> 12) << 2);
  // Devices write page tables, too.
  if (load<u32>(word) & PAGE_TABLE) untrack(physical);
  const page = physical & ~0xfff;
  if (!dropBlocks(physical, size) && strike(page)) dropBlocks(page, 0x1000);
}

/** Drops the blocks over [physical, physical + size); false: that page has blocks, but none there. */
function dropBlocks(physical: u32, size: u32): bool {
  const word = PAGE_INFO + ((physical >>> 12) << 2);
  const info = load<u32>(word);
  let block = info & ~PAGE_ATTRIBUTES;
  let kept: u32 = 0;
  let dropped = false;
  while (block) {
    const next = load<u32>(block, HEADER_NEXT);
    const start = load<u32>(block, HEADER_PHYSICAL);
    if (load<u32>(block, HEADER_MODE) == DEAD) {
      // The half of a block that went with its other half: out of this list, too.
    } else if (start < physical + size && start + load<u16>(block, HEADER_BYTES) > physical) {
      dropped = true;
      forget(block);
      const companion = load<u32>(block, HEADER_COMPANION);
      // The other half's list keeps a dead header until it is walked.
      if (companion) forget(companion);
    } else {
      store<u32>(block, kept, HEADER_NEXT);
      kept = block;
    }
    block = next;
  }
  // The walk has turned the list round, so its head is another one even where nothing was dropped.
  if (!dropped) {
    store<u32>(word, kept | (info & PAGE_ATTRIBUTES));
    return kept == 0;
  }
  store<u32>(CODE_GENERATION, load<u32>(CODE_GENERATION) + 1);
  store<u32>(word, kept | (info & PAGE_ATTRIBUTES & ~PAGE_TRANSLATED));
  if (info & PAGE_TRANSLATED) codeInvalidated(physical & ~0xfff);
  return true;
}

function forget(block: u32): void {
  const physical = load<u32>(block, HEADER_PHYSICAL);
  const slot = hashSlot(physical, load<u32>(block, HEADER_MODE));
  if (load<u32>(slot, 4) == block) store<u64>(slot, 0);
  // No physical address has this one's low bits and a zero length overlaps nothing.
  store<u32>(block, DEAD, HEADER_MODE);
  store<u16>(block, 0, HEADER_BYTES);
  store<u32>(block, 0, HEADER_ENTRY);
  const counter: usize = COUNTERS + (COUNT_BLOCKS_INVALIDATED << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}
