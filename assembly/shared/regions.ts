// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
//
// Translated regions as the run loop sees them. HEADER_ENTRY of a block that a region can be
// entered at is the address of an entry descriptor. A region holds linear addresses as constants,
// so it serves one mapping: the run loop compares EIP before it enters, and the region compares a
// page's generation word before it goes on into another page of its own.

export const ENTRY_SIZE = 32;
/** Slot in the core's table. */
export const ENTRY_SLOT = 0;
/** What the region's function is called with. */
export const ENTRY_LABEL = 4;
/** EIP the entry was translated for. */
export const ENTRY_EIP = 8;
/**
 * Address of the word that holds the mode's generation under which this entry's page was last
 * seen mapped as it was when the region was translated.
 */
export const ENTRY_GENERATION = 12;
/**
 * Entries, u32: what eviction goes by. The run loop counts each; of those by the chain (jit/chain.ts)
 * about one in CHAIN_SAMPLE counts for all, as the descriptor is out of the first cache mostly.
 */
export const ENTRY_COUNT = 16;
export const CHAIN_SAMPLE = 16;
/**
 * From so many on the translator is told by HOT_ENTRY: a larger region may be worth it. First runs of shell
 * loop, forks, dd, sort: with 65,536 1.72, 1.23, 2.84, 1.63 s, with 262,144 1.50, 1.07, 2.29, 1.81.
 */
export const REGION_HOT = 0x40000;
/**
 * It is told at each multiple of this: regions that lead to each other in a circle get there together, and one
 * slice tells of one of them. First runs of the shell loop take 1.2 times as long with 16,384, of others the same.
 */
export const REGION_HOT_STEP = 0x10000;
/** How often that ended in REGION_MISS, u32; at each multiple of MISSES_TOLD the translator is told. */
export const ENTRY_MISSES = 20;
export const MISSES_TOLD = 2048;
/** Instructions: a region that gets no further before it misses had better not been entered. */
export const SHORT_RUN = 16;
/** Physical address of the entry's code. */
export const ENTRY_PHYSICAL = 24;
/**
 * Address of the tables of the entry's region, which its function is called with: the code itself
 * names no address that another run of the machine would not give it.
 */
export const ENTRY_TABLES = 28;

// The run loop's cache of entries: EIP; the generation and MODE it was noted under; the descriptor, and
// what the chain needs of it; and generationEpoch (mem/tlb.ts), for another address space with the same
// mapping. As long as the generation is the current one, the word at ENTRY_GENERATION is, too. Of a block that
// is not translated SLOT is the interpreter's and LABEL the block (interp/run.ts rememberBlock()).
export const JUMP_SHIFT = 5;
export const JUMP_EIP = 0;
export const JUMP_GENERATION = 4;
export const JUMP_MODE = 8;
export const JUMP_ENTRY = 12;
export const JUMP_EPOCH = 16;
export const JUMP_SLOT = 20;
export const JUMP_LABEL = 24;
export const JUMP_TABLES = 28;
/** An entry's place: (EIP ^ (EIP >>> JUMP_FOLD)) modulo JUMP_CACHE_ENTRIES. */
export const JUMP_FOLD = 13;

/** What a region's function returns, and interpret() too: interp/step.ts LEAVE_*. */
export const REGION_NEXT = 0;
export const REGION_CHECK = 1;
/** The instruction at EIP is the interpreter's, even if a region can be entered there. */
export const REGION_MISS = 2;

/** What quickSegment() (interp/segments.ts) returns: the load is the interpreter's; */
export const SEGMENT_NOT = 0;
export const SEGMENT_LOADED = 1;
/** the mode is another: what follows is not this region's. */
export const SEGMENT_ELSEWHERE = 2;

/** Heat of a block that has an entry: above every limit, so that the interpreter leaves at it. */
export const HEAT_TRANSLATED = 0x80000000;
