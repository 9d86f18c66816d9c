/** The serial line as users have it: text that is waited for, and web streams on both ways. */

import { VmError } from './errors';
import type { Serial, SerialMatch } from './types';

/** Characters of output that are kept. */
const WINDOW = 2 ** 20;
/** A reader of the stream may be so many bytes behind before the guest waits for it. */
const BEHIND = 256 * 1024;
/** Of the output, in the message when it ended without what was waited for. */
const LAST_WORDS = 200;

interface Waiter {
  pattern: RegExp;
  resolve: (match: SerialMatch) => void;
  reject: (error: Error) => void;
}

export interface SerialEnds {
  /** Bytes for the guest. */
  send(bytes: Uint8Array): void;
  /** The reader is behind, or no longer. */
  hold(on: boolean): void;
  setTimer(milliseconds: number, callback: () => void): () => void;
}

export class SerialLine implements Serial {
  private all = '';
  /** Where in `all` the next match is looked for. */
  private from = 0;
  private over: string | undefined;
  private readonly waiters: Waiter[] = [];
  private readonly decoder = new TextDecoder();
  private readonly encoder = new TextEncoder();
  private output: ReadableStream<Uint8Array> | undefined;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  private input: WritableStream<Uint8Array | string> | undefined;
  private held = false;

  constructor(private readonly ends: SerialEnds) {}

  get text(): string {
    return this.all;
  }

  get readable(): ReadableStream<Uint8Array> {
    this.output ??= new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
          if (this.over !== undefined) this.closeOutput();
        },
        pull: () => this.setHeld(false),
        cancel: () => {
          this.controller = undefined;
          this.setHeld(false);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BEHIND }),
    );
    return this.output;
  }

  get writable(): WritableStream<Uint8Array | string> {
    this.input ??= new WritableStream({ write: (data) => this.write(data) });
    return this.input;
  }

  write(data: string | Uint8Array): void {
    this.ends.send(typeof data === 'string' ? this.encoder.encode(data) : data);
  }

  waitFor(pattern: RegExp | string, { timeout }: { timeout?: number } = {}): Promise<SerialMatch> {
    // Global and sticky expressions would remember where they were.
    const expression =
      typeof pattern === 'string'
        ? new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
        : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return new Promise<SerialMatch>((resolve, reject) => {
      let cancel = (): void => {};
      const waiter: Waiter = {
        pattern: expression,
        resolve: (match) => (cancel(), resolve(match)),
        reject: (error) => (cancel(), reject(error)),
      };
      this.waiters.push(waiter);
      if (timeout !== undefined) {
        cancel = this.ends.setTimer(timeout, () => {
          this.waiters.splice(this.waiters.indexOf(waiter), 1);
          const why = `nothing in ${timeout / 1000} s matched ${String(expression)}`;
          reject(new VmError('timeout', `${why}; the last output was: ${this.lastWords()}`));
        });
      }
      this.search();
      if (this.over !== undefined) this.rejectAll();
    });
  }

  /** Bytes from the guest. */
  receive(bytes: Uint8Array): void {
    this.all += this.decoder.decode(bytes, { stream: true });
    const excess = this.all.length - WINDOW;
    if (excess > 0) {
      this.all = this.all.slice(excess);
      this.from = Math.max(0, this.from - excess);
    }
    if (this.controller) {
      this.controller.enqueue(bytes);
      if (this.controller.desiredSize! < 0) this.setHeld(true);
    }
    this.search();
  }

  /** No more will come until the machine starts again. */
  end(why: string): void {
    this.over = why;
    this.rejectAll();
  }

  /** The machine runs again. */
  again(): void {
    this.over = undefined;
  }

  /** No more will ever come. */
  close(why: string): void {
    this.end(why);
    this.closeOutput();
  }

  /** Waiters are served in the order they came: one match each, what follows for the next. */
  private search(): void {
    while (this.waiters.length > 0) {
      const { pattern, resolve } = this.waiters[0]!;
      const match = pattern.exec(this.all.slice(this.from));
      if (!match) return;
      this.waiters.shift();
      const end = match.index + match[0].length;
      const text = this.all.slice(this.from, this.from + end);
      this.from += end;
      resolve({ text, match: [...match].map((group) => group ?? '') });
    }
  }

  private rejectAll(): void {
    for (const { reject, pattern } of this.waiters.splice(0)) {
      const what = `${this.over} before ${String(pattern)} came`;
      reject(new VmError('ended', `${what}; the last output was: ${this.lastWords()}`));
    }
  }

  private closeOutput(): void {
    this.controller?.close();
    this.controller = undefined;
  }

  private setHeld(on: boolean): void {
    if (this.held === on) return;
    this.held = on;
    this.ends.hold(on);
  }

  private lastWords(): string {
    return JSON.stringify(this.all.slice(-LAST_WORDS));
  }
}
