// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// What the run loop did last, for the report of a guest that cannot go on: a word that counts
// events, then a ring of entries. Interpreter and regions go from block to block by themselves, so
// this is where they were entered, not every block.

/** Events so far, u32, wrapping; the next one goes to entry (count & (HISTORY_ENTRIES - 1)). */
export const HISTORY_COUNT = 0;
/** Faults in a row, each at most RUN_INSTRUCTIONS after the last; and those with none between. */
export const FAULT_RUN = 4;
export const FAULT_RUN_BARE = 8;
export const HISTORY_FIRST = 32;
export const HISTORY_ENTRIES = 32;
export const HISTORY_ENTRY_SIZE = 32;

/** u8 kind. */
export const EVENT_KIND = 0;
/** u8 vector of a fault or interrupt. */
export const EVENT_VECTOR = 1;
/** u8 vector whose delivery raised this fault; EVENT_NOTHING: none. */
export const EVENT_DURING = 2;
/** u8 what became of a fault: EVENT_DOUBLED or EVENT_SHUTDOWN. */
export const EVENT_FATE = 3;
/** EIP of the instruction; of a block, of its first. */
export const EVENT_EIP = 4;
/** CS's base. */
export const EVENT_BASE = 8;
/** MODE (shared/modes.ts). */
export const EVENT_MODE = 12;
// Of faults and interrupts only:
export const EVENT_CS = 16;
/** Error code. */
export const EVENT_CODE = 20;
/** Linear address of a page fault. */
export const EVENT_ADDRESS = 24;
/** EIP of the block that the instruction is in. */
export const EVENT_START = 28;

// Kinds.
export const EVENT_INTERPRETED = 1;
export const EVENT_TRANSLATED = 2;
export const EVENT_FAULT = 3;
/** From outside. */
export const EVENT_INTERRUPT = 4;
/** INT n and its relatives. */
export const EVENT_SOFTWARE = 5;
/** A branch to where no instruction can be fetched; EVENT_EIP is the branch's. */
export const EVENT_BRANCH = 6;

export const EVENT_NOTHING = 0xff;
export const EVENT_DOUBLED = 1;
export const EVENT_SHUTDOWN = 2;

// A run of faults. A kernel's handler takes hundreds of instructions.
export const RUN_INSTRUCTIONS = 64;
/** From this many on, a run's deliveries are charged as instructions, so many each. */
export const RUN_CHARGED = 256;
export const FAULT_CHARGE = 64;
