// A conversation with a guest (or with a native shell) over a child process's stdin and stdout.

import { spawn, type ChildProcess } from 'node:child_process';

export interface Match {
  /** The text up to and including the match. */
  text: string;
  /** Seconds on the host's clock when the match was complete. */
  at: number;
}

export class Session {
  started = now();
  private mark = '';
  /** Ended by closing its input, not at once. */
  private gentle = false;
  private readonly child: ChildProcess;
  private text = '';
  private errors = '';
  private ended = false;
  private changed: () => void = () => {};

  constructor(program: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout!.setEncoding('latin1').on('data', (data: string) => {
      this.text += data;
      this.look();
      this.changed();
    });
    this.child.stderr!.on('data', (data) => (this.errors = (this.errors + data).slice(-4000)));
    this.child.stdin!.on('error', () => {});
    const end = (): void => {
      this.ended = true;
      this.changed();
    };
    this.child.on('error', (error) => {
      this.errors += error.message;
      end();
    });
    this.child.on('close', end);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The session starts when this text comes, and with what follows it. */
  startAt(mark: string): void {
    this.mark = mark;
    this.gentle = true;
  }

  private look(): void {
    const at = this.mark ? this.text.indexOf(this.mark) : -1;
    if (at < 0) return;
    this.text = this.text.slice(at + this.mark.length);
    this.mark = '';
    this.started = now();
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  /** Waits for the pattern in what came since the last match. */
  async waitFor(pattern: RegExp, seconds: number): Promise<Match> {
    const limit = now() + seconds;
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) {
        const at = now();
        const end = match.index + match[0].length;
        const text = this.text.slice(0, end);
        this.text = this.text.slice(end);
        return { text, at };
      }
      if (this.ended) throw new Error(`ended early: ${this.lastWords()}`);
      if (now() > limit) throw new Error(`nothing for ${seconds} s: ${this.lastWords()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends a signal that the process ends of, and waits until it has. */
  async finish(signal: NodeJS.Signals): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.kill(signal);
    await gone;
  }

  /** Ends the process and resolves when it is gone. */
  async close(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.stdin!.end();
    // A program that has others to end gets a moment for it.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), this.gentle ? 3000 : 0);
    await gone;
    clearTimeout(timer);
  }

  private lastWords(): string {
    const text = (this.errors.trim() || this.text.trim()).split('\n').at(-1) ?? '';
    return text.slice(-200) || 'no output';
  }
}

/** Seconds on a clock that only runs forward. */
export function now(): number {
  return performance.now() / 1000;
}
