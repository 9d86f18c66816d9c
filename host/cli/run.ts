// One run of a machine on a terminal: slices, sleeps, input, output, and how it ends.
// Knows the machine and the platform's terminal; not the command line's words.

import { Driver } from '../drive';
import { NodePlatform } from '../platform/node';
import { EXIT_DEAD, EXIT_TIMEOUT } from './arguments';
import { Expect } from './expect';
import { Keys, KEYS_HELP } from './keys';

export type Outcome =
  | { kind: 'running' | 'poweroff' | 'reset' }
  /** HLT: nothing happens for so long, except by a key. */
  | { kind: 'idle'; milliseconds: number }
  | { kind: 'dead'; report: string };

/** What a run needs of a machine. */
export interface RunMachine {
  onSerial: (data: Uint8Array) => void;
  runSlice(): Outcome;
  sendSerial(data: Uint8Array): void;
}

/** What a run needs of a terminal. */
export interface RunTerminal {
  onInput: (data: Uint8Array) => void;
  onBroken: () => void;
  /** A promise when the reader is slow. */
  write(data: Uint8Array): Promise<void> | undefined;
  say(line: string): void;
}

export interface RunOptions {
  machine: RunMachine;
  terminal: RunTerminal;
  expect?: RegExp;
  /** Seconds. */
  timeout?: number;
}

/** How a run ended: the exit status, and what to tell the user. */
export interface End {
  status: number;
  reason: string;
  message?: string;
}

/** The status a shell gives a program that a signal ended. */
export const signalStatus = (number: number): number => 128 + number;
const SIGPIPE = 13;

/** Runs until the guest, the user or the options end it. `interrupt` ends it from outside. */
export class Run {
  private end: End | undefined;
  private readonly driver: Driver<Outcome>;
  private readonly output: Uint8Array[] = [];
  private readonly expect: Expect | undefined;
  private readonly keys = new Keys();

  constructor(private readonly options: RunOptions) {
    const { machine, terminal } = options;
    this.expect = options.expect && new Expect(options.expect);
    this.driver = new Driver(
      new NodePlatform(),
      () => machine.runSlice(),
      () => this.deliver(),
    );
    machine.onSerial = (data) => this.output.push(data.slice());
    terminal.onInput = (data) => this.typed(data);
    terminal.onBroken = () =>
      this.interrupt({ status: signalStatus(SIGPIPE), reason: 'output closed' });
  }

  interrupt(end: End): void {
    this.end ??= end;
    this.driver.stop();
  }

  async run(): Promise<End> {
    const { timeout } = this.options;
    if (this.end) return this.end;
    const outcome = await this.driver.run(timeout === undefined ? Infinity : timeout * 1000);
    if (this.end) return this.end;
    switch (outcome?.kind) {
      case 'poweroff':
        return { status: 0, reason: 'power-off' };
      case 'dead':
        return { status: EXIT_DEAD, reason: 'guest died', message: outcome.report };
      default:
        return {
          status: EXIT_TIMEOUT,
          reason: 'timeout',
          message: `timeout after ${timeout} s`,
        };
    }
  }

  private async deliver(): Promise<void> {
    if (this.output.length === 0) return;
    const data = concatenate(this.output.splice(0));
    if (this.expect?.feed(data)) {
      this.interrupt({ status: 0, reason: 'expected output' });
    }
    await this.options.terminal.write(data);
  }

  private typed(bytes: Uint8Array): void {
    const { machine, terminal } = this.options;
    const { data, commands } = this.keys.feed(bytes);
    if (data.length) machine.sendSerial(data);
    for (const command of commands) {
      if (command === 'quit') this.interrupt({ status: 0, reason: 'quit by the user' });
      else terminal.say(`\n${KEYS_HELP.join('\n')}`);
    }
    this.driver.wake();
  }
}

function concatenate(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
