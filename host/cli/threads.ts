// The engine's own threads beside the one that runs the guest.

import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Enough to wait for a thread that has work, not so much that a free core is left to others. */
const NICE = 10;

/**
 * Lets the guest's thread go before those that V8 has started, which compile what the translator
 * makes: on two cores, four of them at once took the guest's core away for a tenth of a boot. Linux
 * alone has priorities for threads (setpriority(2), "C library/kernel differences"); elsewhere the
 * scheduler shares as it likes.
 */
export function preferThisThread(): void {
  if (process.platform !== 'linux') return;
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      if (Number(thread) !== process.pid) setPriority(Number(thread), NICE);
    }
  } catch {
    // No /proc, or a thread that has just ended: slower at worst.
  }
}
