/** Thresholds of the translator. None of them has an effect on what a guest computes. */

/** Entries of a block by the interpreter before it is worth a region. */
export const HEAT_LIMIT = 1000;

/** Guest instructions in one region (V8 11 changes register allocator in functions beyond about 1,000). */
export const REGION_INSTRUCTIONS = 400;

/** Bytes of wasm in one function after which the rest of the region is left to the interpreter. */
export const REGION_BYTES = 60_000;

/** Table slots: as many regions as may live at once; the coldest go when they are used up. */
export const REGIONS = 8192;

/** Share of the regions that is evicted at once, the coldest first. */
export const EVICTED_SHARE = 1 / 8;
