/** Thresholds of the translator. None of them has an effect on what a guest computes. */

/**
 * Entries of a block by the interpreter before it is worth a region. Seconds of processor time on
 * the main thread (and of all threads), boot, shell loop, 300 fork+execs, sort of 40,000 lines:
 *    2,000   8.8 (14.2)   2.3 (4.2)   3.9 (7.3)   2.7 (4.8)
 *    4,000   7.8 (11.9)   2.3 (3.8)   3.7 (5.8)   2.9 (5.1)
 *    5,000   7.5 (11.0)   2.0 (3.8)   3.2 (4.5)   2.3 (4.2)   with the two limits below as they are
 *   10,000   8.2 (11.3)   2.5 (4.4)   3.4 (4.3)   2.6 (4.5)
 * Translating and compiling costs 2.5 to 5.5 us an instruction, the engine's optimizing compiler,
 * in the background, another 40.
 */
export const HEAT_LIMIT = 5_000;

/** Guest instructions in one region (V8 11 changes register allocator in functions beyond about 1,000). */
export const REGION_INSTRUCTIONS = 400;

/** Regions in one module: with 16 compiling takes 1.0 us an instruction, with 8 it took 1.6. */
export const MODULE_REGIONS = 16;

/**
 * Share of the hot block's entries that a block must have had to be taken into its region: what is
 * entered less is an exit. At 1/64 and at 1/16 a boot enters regions 15 million times, at 1/4 18
 * million times.
 */
export const HEAT_SHARE = 1 / 16;

/** Bytes of wasm in one function after which the rest of the region is left to the interpreter. */
export const REGION_BYTES = 60_000;

/**
 * Bytes that one TLB check covers for several accesses of a node. A range that crosses a page leaves
 * the region each time it is come to; with 256 the code is 1.5 % shorter and no faster.
 */
export const SHARED_CHECK_BYTES = 64;

/** Table slots: as many regions as may live at once; the coldest go when they are used up. */
export const REGIONS = 8192;

/** Share of the regions that is evicted at once, the coldest first. */
export const EVICTED_SHARE = 1 / 8;
