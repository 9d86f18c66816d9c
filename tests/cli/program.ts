// Starts the built program as a user would, and talks to it.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const PROGRAM = join(root, 'dist', 'vmi86.js');

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  errors: string;
}

export class Program {
  output = '';
  errors = '';
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private over = false;
  private changed: () => void = () => {};

  constructor(args: string[], command: string[] = [process.execPath, PROGRAM]) {
    if (!existsSync(PROGRAM)) throw new Error('dist/vmi86.js is not there: npm run build');
    this.child = spawn(command[0]!, [...command.slice(1), ...args], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (data: string) => {
      this.output += data;
      this.changed();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (data: string) => (this.errors += data));
    this.child.stdin!.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (status, signal) => {
        this.over = true;
        this.changed();
        resolve({ status, signal, output: this.output, errors: this.errors });
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  closeOutput(): void {
    this.child.stdout!.destroy();
  }

  /** Resolves when the output has the pattern; fails with the last lines when it ends without. */
  async see(pattern: RegExp, seconds = 120): Promise<RegExpExecArray> {
    const limit = performance.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      const late = performance.now() > limit;
      if (this.over || late) {
        const tail = (this.output + this.errors).slice(-1500);
        throw new Error(
          `${pattern} not seen ${late ? `in ${seconds} s` : 'before the end'}:\n${tail}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 250);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (!this.over) this.child.kill(signal);
  }
}

/** The program run to its end. */
export function vmi86(...args: string[]): Promise<Ended> {
  return new Program(args).ended;
}
