/** Thresholds of the translator. None of them has an effect on what a guest computes. */

/**
 * Entries of a block by the interpreter before it is worth a region. Translating and compiling costs
 * some 20 us an instruction: at 1,000 a boot spent 5 of 16 s on it and 300 fork+execs took three
 * times as long as interpreted; at 16,000 computing rows start later.
 */
export const HEAT_LIMIT = 10_000;

/** Guest instructions in one region (V8 11 changes register allocator in functions beyond about 1,000). */
export const REGION_INSTRUCTIONS = 400;

/** Regions in one module: compiling and instantiating costs about 0.5 ms a module. */
export const MODULE_REGIONS = 8;

/**
 * Share of the hot block's entries that a block must have had to be taken into its region: what is
 * entered less is an exit.
 */
export const HEAT_SHARE = 1 / 64;

/** Bytes of wasm in one function after which the rest of the region is left to the interpreter. */
export const REGION_BYTES = 60_000;

/** Table slots: as many regions as may live at once; the coldest go when they are used up. */
export const REGIONS = 8192;

/** Share of the regions that is evicted at once, the coldest first. */
export const EVICTED_SHARE = 1 / 8;
