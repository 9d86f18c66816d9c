/** Thresholds of the translator. None of them has an effect on what a guest computes. */

/**
 * Entries of a block by the interpreter before it is worth a region. Seconds of processor time on
 * the main thread (and of all threads), boot, shell loop, 300 fork+execs, dd of single bytes, sort of
 * 40,000 lines, busy machine; first with all that a region reaches copied into it, then with 200
 * instructions:
 *    1,000   5.3 (10.4)   1.5 (3.0)   2.5 (6.5)   3.3 (4.2)   1.5 (1.9)
 *    2,500   5.4 (8.8)    1.4 (2.6)   2.0 (4.0)   2.4 (3.3)   1.2 (1.6)
 *    5,000   5.4 (8.3)    1.7 (3.2)   1.5 (2.4)   2.5 (3.7)   1.3 (1.6)
 *    3,000   5.4 (8.3)    1.3 (2.2)   2.1 (3.5)   3.2 (3.7)   1.4 (1.8)
 *    5,000   5.4 (7.9)    1.4 (2.2)   1.9 (2.7)   2.8 (3.5)   1.4 (1.7)
 *    8,000   5.5 (7.9)    1.5 (2.4)   1.9 (2.5)   2.9 (3.5)   1.4 (1.7)
 * With an interpreter that is quicker in cold code, seconds on a quiet machine, boot, shell loop, forks, dd, sort:
 *    5,000   5.3   1.39   1.22   2.32   1.23
 *    6,500   5.4   1.41   1.13   2.32   1.15
 *    8,000   5.4   1.43   1.18   2.37   1.21
 * Translating and compiling costs 2.5 to 5.5 us an instruction, the engine's optimizing compiler,
 * in the background, another 40.
 */
export const HEAT_LIMIT = 6_500;

/** Runs of a block by the interpreter before a saved translation is looked for. */
export const SAVED_RUNS = 8;

/**
 * Guest instructions in one region, and of them such that are in other regions already: what is called often
 * by many would else be in up to 100 of them. Seconds of the main thread, boot, shell loop, 300 fork+execs,
 * dd, sort, each but the boot once warm:
 *      400, 200     5.49   0.85   0.74   2.05   1.07
 *      700, 350     5.43   0.90   0.72   1.90   0.98
 *      900, 500     5.15   0.77   0.64   1.75   0.84
 *    1,200, 600     5.10   0.77   0.65   1.69   0.77
 *    1,500, 1,000   4.93   0.72   0.83   1.68   0.78
 *    3,000, 2,500   4.83   1.21   0.95   2.02   0.84
 * But the first time that something runs, what is larger takes longer to translate and to compile: shell loop, forks, dd,
 * sort 1.28, 0.96, 2.31, 1.39 with 400 at first and 1,200 where it is worth it, 1.55, 1.19, 2.28, 1.36 with 1,000 at once.
 */
export const REGION = { instructions: 400, copied: 200 };

/**
 * The same of a region around an entry that was taken REGION_HOT times (shared/regions.ts). 1,500 and 1,200 against
 * 1,200 and 700, first and later runs together: boot 0.96, shell loop 0.87, dd 0.93, sort 0.97; 2,500 and 2,200 gain
 * nothing more. Node 20 allocates the registers of functions as large worse unless it is told not to
 * (host/cli/engine.ts).
 */
export const LARGE_REGION = { instructions: 1_500, copied: 1_200 };

/**
 * Instructions of a routine of which a call has a copy of its own, and of all such in a region. Calls
 * within a page 0.46, across pages 0.50, shell loop 0.85, awk 0.92, bzip2 and sort 0.95; a twentieth more is
 * translated. With 40 and 160 nothing is faster.
 */
export const ROUTINE_INSTRUCTIONS = 16;
export const ROUTINES_INSTRUCTIONS = 100;

/** Regions in one module: with 16 compiling takes 1.0 us an instruction, with 8 it took 1.6. */
export const MODULE_REGIONS = 16;

/**
 * Share of the hot block's entries that a block must have had to be taken into its region: what is
 * entered less is an exit. At 1/64 and at 1/16 a boot enters regions 15 million times, at 1/4 18
 * million times.
 */
export const HEAT_SHARE = 1 / 16;

/** Bytes of wasm in one function; a region that takes more is made anew with half of the instructions. */
export const REGION_BYTES = 60_000;

/**
 * Bytes that one TLB check covers for several accesses of a node. A range that crosses a page leaves
 * the region each time it is come to; with 256 the code is 1.5 % shorter and no faster.
 */
export const SHARED_CHECK_BYTES = 64;

/** Instructions of a loop (without loops in it) whose pointers have their pages in locals, not only its tables. */
export const SMALL_LOOP = 16;

/** Pages in locals, of the accesses of one loop and of a region: pages.ts. */
export const PAGES_IN_LOOP = 4;
export const PAGES_IN_REGION = 8;

/** Table slots: as many regions as may live at once; the coldest go when they are used up. */
export const REGIONS = 8192;

/** Share of the regions that is evicted at once, the coldest first. */
export const EVICTED_SHARE = 1 / 8;

/**
 * An entry whose region has been found to miss after hardly an instruction so often, without shared checks, is
 * given up: the interpreter goes on where it fills the TLB. It is translated again when it has asked twice,
 * then four times, up to SHORT_ASKS. A loop over pages that are new each time takes 0.45 of the time.
 */
export const SHORT_TELLS = 3;
export const SHORT_ASKS = 256;
