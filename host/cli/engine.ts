// What vmi86, as the process's owner, asks of the engine under it.

import { readdirSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/** Enough to wait for a thread that has work, not so much that a free core is left to others. */
const NICE = 10;
/** Before V8's workers: the guest's thread and the one that keeps time for delayed tasks. */
const OTHERS = 2;

/**
 * Lets the guest's thread go before those that V8 has started, which compile what the translator
 * makes: on two cores, four of them at once took the guest's core away for a tenth of a boot. As many
 * as there are other cores compete as before: with all of them behind, a busy machine compiled so
 * late that the shell loop took 1.5 times as long. Linux alone has priorities for threads
 * (setpriority(2), "C library/kernel differences"); elsewhere the scheduler shares as it likes.
 */
export function preferThisThread(): void {
  if (process.platform !== 'linux') return;
  const first = OTHERS + Math.max(1, availableParallelism() - 1);
  try {
    const threads = readdirSync('/proc/self/task').map(Number);
    for (const thread of threads.sort((a, b) => a - b).slice(first)) setPriority(thread, NICE);
  } catch {
    // No /proc, or a thread that has just ended: slower at worst.
  }
}

/** V8's major version from which branch hints of modules count without being asked for. */
const HINTS_HEEDED = 14;

/**
 * Lets the engine heed what modules say of branches (jit/wasm/module.ts): scalar SSE2 takes 0.7 of the time.
 * To be called before the first module is compiled.
 */
export function heedBranchHints(): void {
  if (parseInt(process.versions.v8) < HINTS_HEEDED)
    setFlagsFromString('--experimental-wasm-branch-hinting');
}

/** V8's major version whose compiler has a second allocator of registers, for large functions. */
const TWO_ALLOCATORS = 11;

/**
 * Has the registers of large functions allocated like those of others: awk's divisions take 0.75 of the time.
 * To be called when the core has been compiled: `interpret` is such a function, and 1.3 times slower so.
 */
export function allocateAllRegistersWell(): void {
  if (parseInt(process.versions.v8) === TWO_ALLOCATORS)
    setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions');
}

/** V8's major versions that have been asked for it. */
const CHECKS_FROM = 11;
const CHECKS_TO = 14;

/**
 * Has WebAssembly compiled without a look at the stack's limit in each function and each round of a loop: compiled
 * integer rows take 0.92 of the time, interpreted ones 0.94. There is nothing to be found there: the core calls
 * nothing in circles (tests/cli/engine.test.ts), a region is left every 10,000 rounds, and JavaScript looks.
 * To be called before the first module is compiled.
 */
export function leaveOutStackChecks(): void {
  const major = parseInt(process.versions.v8);
  if (major >= CHECKS_FROM && major <= CHECKS_TO) setFlagsFromString('--no-wasm-stack-checks');
}
