// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// Indices into COUNTERS (u32 each, wrapping; the host widens them by difference).

export const COUNT_BLOCKS_DECODED = 0;
export const COUNT_TLB_FILLS = 1;
export const COUNT_TLB_FLUSHES = 2;
export const COUNT_TLB_PAGE_FLUSHES = 3;
export const COUNT_FAULTS = 4;
export const COUNT_INTERRUPTS = 5;
export const COUNT_SINGLES = 6;
export const COUNT_BLOCKS_INVALIDATED = 7;
export const COUNT_RECORD_FLUSHES = 8;
export const COUNT_REGION_ENTRIES = 9;
/** u64 (two words): instructions retired by translated code. */
export const COUNT_TRANSLATED = 10;
/** Returns to an address space of which TLB entries were kept, and such entries used again. */
export const COUNT_SPACE_RETURNS = 12;
export const COUNT_SPACE_ENTRIES = 13;
/** Exceptions and interrupts by vector: 256 words. */
export const COUNT_VECTORS = 64;
export const COUNTERS_END = 320;
