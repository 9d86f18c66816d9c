/**
 * What a machine needs of the system it runs on, and nothing that only one of them has: Node's side
 * is node.ts, the browser's browser.ts.
 */

import type { DiskBacking } from '../devices/disk';

/** A disk that holds on to something until it is closed. */
export interface ClosableDisk extends DiskBacking {
  close(): void;
}

/** The other end of a worker: the same on both sides. */
export interface Port {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Called once: what becomes of messages, and of an other side that cannot be started or died. */
  listen(onMessage: (message: unknown) => void, onError: (reason: string) => void): void;
  close(): void;
  /** Whether the process lives on for this worker's sake; nothing in a browser. */
  keepAlive(on: boolean): void;
}

export interface Platform {
  /** Monotonic nanoseconds. */
  hostNow(): number;
  /** Lets input, timers and drawing have their turn; resolves in well under a millisecond. */
  yieldToEvents(): Promise<void>;
  /** Calls back once after so many milliseconds; gives what takes that back. */
  setTimer(milliseconds: number, callback: () => void): () => void;
  /** What relative URLs are relative to; none where a relative string is a path. */
  readonly base?: string | undefined;
  /** Bytes of a file by its path or file: URL. Absent where there are no files. */
  readFile?(path: string | URL): Promise<Uint8Array>;
  /** A disk image that is read and written in place. */
  openDisk?(path: string | URL, readonly: boolean): ClosableDisk;
  /** Wraps a worker made by the user, or makes one of a module's URL. */
  startWorker(source: URL | object): Promise<Port>;
}

/** Timers count more than this as nothing at all. */
const TIMER_MAX = 2 ** 31 - 1;

/** Waits that can be cut short: an idle guest sleeps until its next timer or until a key. */
export class Sleeper {
  private wakeUp: (() => void) | undefined;
  /** A wake() that came while nobody slept: the next sleep is over at once, or a key would wait. */
  private woken = false;

  constructor(private readonly platform: Pick<Platform, 'setTimer' | 'yieldToEvents'>) {}

  /** Resolves after so many milliseconds, or at wake(). */
  async sleep(milliseconds: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.platform.setTimer(Math.min(milliseconds, TIMER_MAX), () => this.wake());
        this.wakeUp = () => {
          cancel();
          this.wakeUp = undefined;
          resolve();
        };
      });
    }
    this.woken = false;
    // Browsers stretch timers that are set from within timers to 4 ms; from here they are not.
    await this.platform.yieldToEvents();
  }

  wake(): void {
    if (this.wakeUp) this.wakeUp();
    else this.woken = true;
  }
}
