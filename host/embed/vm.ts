/** The machine as users have it: one interface over an engine, wherever that runs. */

import type { Platform } from '../platform/platform';
import type { Engine, EngineEvents } from './engine';
import { VmError } from './errors';
import { SerialLine } from './serial';
import type {
  Events,
  ExecResult,
  RegionDetail,
  RegionSummary,
  ScreenText,
  State,
  Statistics,
  VirtualMachine,
} from './types';

type Listeners = { [Name in keyof Events]: Set<(event: Events[Name]) => void> };

export function listeners(): Listeners {
  return {
    progress: new Set(),
    state: new Set(),
    serial: new Set(),
    poweroff: new Set(),
    reset: new Set(),
    failure: new Set(),
  };
}

interface Parts {
  engine: Engine & { events?: EngineEvents | undefined };
  platform: Platform & { close?(): void };
  listeners: Listeners;
}

export class Vm implements VirtualMachine {
  readonly serial: SerialLine;
  readonly screen = { read: (): Promise<ScreenText> => this.alive().screen() };
  readonly keyboard = { type: (text: string): void => this.alive().type(text) };
  readonly translator = {
    regions: (): Promise<RegionSummary[]> => this.alive().regions(),
    region: (id: number): Promise<RegionDetail | undefined> => this.alive().region(id),
  };
  private current: State = 'paused';
  private readonly waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  private ended: Error | 'poweroff' | undefined;
  private commands = 0;
  /** exec() one after the other: there is one shell. */
  private shell: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: Parts) {
    const { engine, platform } = parts;
    this.serial = new SerialLine({
      send: (bytes) => this.alive().send(bytes),
      hold: (on) => {
        if (this.current !== 'destroyed') engine.hold(on);
      },
      setTimer: (milliseconds, callback) => platform.setTimer(milliseconds, callback),
    });
    engine.events = {
      serial: (bytes) => {
        this.serial.receive(bytes);
        this.emit('serial', bytes);
      },
      reset: () => this.emit('reset', undefined),
      poweroff: () => {
        this.end('off', 'poweroff', 'the guest powered off');
        this.emit('poweroff', undefined);
      },
      failure: (failure) => {
        const error = new VmError('ended', `the guest cannot go on: ${failure.reason}`);
        this.end('failed', error, error.message);
        this.emit('failure', failure);
      },
      broken: (error) => {
        this.end('failed', error, error.message);
        this.emit('failure', { reason: error.message, registers: '' });
      },
    };
  }

  get state(): State {
    return this.current;
  }

  run(): void {
    const engine = this.alive();
    if (this.current !== 'paused') return;
    this.become('running');
    engine.run();
  }

  pause(): void {
    const engine = this.alive();
    if (this.current !== 'running') return;
    this.become('paused');
    engine.pause();
  }

  reset(): void {
    const engine = this.alive();
    this.ended = undefined;
    this.serial.again();
    const ended = this.current === 'off' || this.current === 'failed';
    engine.reset();
    if (ended) this.become('running');
  }

  powerButton(): void {
    this.alive().powerButton();
  }

  async destroy(): Promise<void> {
    if (this.current === 'destroyed') return;
    const { engine, platform } = this.parts;
    this.become('destroyed');
    const error = new VmError('state', 'the machine was destroyed');
    this.serial.close(error.message);
    this.settle(error);
    await engine.close();
    platform.close?.();
  }

  finished(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      if (this.ended) this.settle(this.ended);
    });
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const set = this.parts.listeners[name];
    if (!set) {
      const names = Object.keys(this.parts.listeners).join(', ');
      throw new VmError('option', `there is no event ${name}; there are ${names}`);
    }
    set.add(listener);
    return () => set.delete(listener);
  }

  exec(command: string, { timeout }: { timeout?: number } = {}): Promise<ExecResult> {
    const result = this.shell.then(() => this.execute(command, timeout));
    this.shell = result.catch(() => {});
    return result;
  }

  private async execute(command: string, timeout: number | undefined): Promise<ExecResult> {
    const number = ++this.commands;
    const quoted = `'${command.replaceAll("'", `'\\''`)}'`;
    // The shell's sum keeps the markers out of what the terminal echoes.
    this.serial.write(
      `echo "vmi86-$((${number}))-begin"; eval ${quoted}; echo "vmi86-$((${number}))-$?"\n`,
    );
    const wait = timeout === undefined ? {} : { timeout };
    await this.serial.waitFor(new RegExp(`vmi86-${number}-begin\\r?\\n`), wait);
    const end = await this.serial.waitFor(new RegExp(`vmi86-${number}-(\\d+)\\r?\\n`), wait);
    const output = end.text.slice(0, -end.match[0]!.length).replaceAll('\r\n', '\n');
    return { output, status: Number(end.match[1]) };
  }

  async translations(): Promise<Uint8Array> {
    return this.alive().translations();
  }

  async stats(): Promise<Statistics> {
    return this.alive().stats();
  }

  async registers(): Promise<string> {
    return this.alive().registers();
  }

  private alive(): Engine {
    if (this.current === 'destroyed') {
      throw new VmError('state', 'the machine was destroyed; make a new one with createMachine');
    }
    return this.parts.engine;
  }

  private become(state: State): void {
    this.current = state;
    this.emit('state', state);
  }

  private end(state: 'off' | 'failed', how: Error | 'poweroff', why: string): void {
    if (this.current === 'destroyed') return;
    this.ended = how;
    this.serial.end(why);
    this.become(state);
    this.settle(how);
  }

  private settle(how: Error | 'poweroff'): void {
    for (const { resolve, reject } of this.waiters.splice(0)) {
      if (how === 'poweroff') resolve();
      else reject(how);
    }
  }

  private emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.parts.listeners[name]) listener(event);
  }
}
