/**
 * Keeps a machine running: slices, turns for everybody else between them, sleep while the guest
 * idles. What happens with the output and with the end is the caller's business.
 */

import { Sleeper, type Platform } from './platform/platform';

/** What ends or interrupts a slice, as far as it matters here (Outcome of machine.ts). */
type Slice = { kind: 'running' | 'reset' | 'poweroff' | 'dead' } | IdleSlice;
interface IdleSlice {
  kind: 'idle';
  milliseconds: number;
}

/** Milliseconds. Below, timers oversleep more than the wait is worth. */
const SHORTEST_SLEEP = 1;

export class Driver<T extends Slice> {
  private readonly sleeper: Sleeper;
  private stopped = false;

  /**
   * @param slice runs the machine for some milliseconds
   * @param deliver called after each slice; the guest waits for what it promises
   */
  constructor(
    private readonly platform: Pick<Platform, 'setTimer' | 'yieldToEvents'>,
    private readonly slice: () => T,
    private readonly deliver: (outcome: T) => Promise<void> | undefined | void,
  ) {
    this.sleeper = new Sleeper(platform);
  }

  /**
   * Runs until the guest ends, until stop(), or for so many milliseconds. Gives the slice that ended
   * it; `undefined` after stop() or when the time is over.
   */
  async run(milliseconds = Infinity): Promise<T | undefined> {
    const limit = performance.now() + milliseconds;
    this.stopped = false;
    while (!this.stopped) {
      const outcome = this.slice();
      await this.deliver(outcome);
      if (this.stopped) break;
      const left = limit - performance.now();
      switch (outcome.kind) {
        case 'poweroff':
        case 'dead':
          return outcome;
        case 'idle': {
          const wait = (outcome as IdleSlice).milliseconds;
          if (wait < SHORTEST_SLEEP) await this.platform.yieldToEvents();
          // Timers count whole milliseconds and cut the rest off, which would be waited for awake.
          else await this.sleeper.sleep(Math.min(Math.ceil(wait), Math.max(left, 0)));
          break;
        }
        default:
          await this.platform.yieldToEvents();
      }
      if (left <= 0) break;
    }
    return undefined;
  }

  /** Ends run() before its next slice. */
  stop(): void {
    this.stopped = true;
    this.sleeper.wake();
  }

  /** Input has come for a guest that may sleep. */
  wake(): void {
    this.sleeper.wake();
  }
}
