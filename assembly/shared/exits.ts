// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// Why run() returned to the host.

/** The budget is used up. */
export const EXIT_BUDGET = 0;
/** HLT with nothing pending: wait for an interrupt. */
export const EXIT_HALT = 1;
/** Triple fault: the processor shut down. */
export const EXIT_SHUTDOWN = 2;
/** Room for decoded blocks ran out and all were dropped; just call again. */
export const EXIT_FLUSHED = 4;
/** The host asked for it (stopRequest). */
export const EXIT_REQUEST = 6;
