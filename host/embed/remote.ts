/** An engine whose machine is in a worker: calls go out as messages, events come back. */

import type { Platform, Port } from '../platform/platform';
import type { Engine, EngineEvents, EngineOptions } from './engine';
import { VmError } from './errors';
import type { CoreSource, Image, Progress, RegionDetail, RegionSummary } from './types';
import type { DiskOptions, ScreenText, Statistics } from './types';
import { fromWire, type WireError } from './wire';

/** To the worker: `id` asks for an answer. */
export interface Call {
  id?: number;
  method: string;
  args: unknown[];
}

/** From the worker. */
export type Reply =
  | { id: number; result: unknown }
  | { id: number; error: WireError }
  | { event: string; value: unknown };

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export interface RemoteSetting {
  options: EngineOptions;
  core: CoreSource | undefined;
  worker: URL | object;
  platform: Platform;
  progress: (progress: Progress) => void;
  signal?: AbortSignal | undefined;
}

export class RemoteEngine implements Engine {
  /** Set by whoever has the engine. */
  events: EngineEvents | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private broken: Error | undefined;
  private closed = false;
  private running = false;

  static async create(setting: RemoteSetting): Promise<RemoteEngine> {
    const { platform, signal } = setting;
    signal?.throwIfAborted();
    let port: Port;
    try {
      port = await platform.startWorker(setting.worker);
    } catch (error) {
      throw workerError(error instanceof Error ? error.message : String(error));
    }
    const engine = new RemoteEngine(port, setting.progress);
    const options = { ...setting.options } as Record<string, unknown>;
    if (options['core'] === undefined) options['core'] = setting.core;
    const abort = (): void => engine.fail(signal!.reason as Error);
    signal?.addEventListener('abort', abort);
    try {
      await engine.ask('create', portable(options, platform));
    } catch (error) {
      port.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return engine;
  }

  private constructor(
    private readonly port: Port,
    private readonly progress: (progress: Progress) => void,
  ) {
    port.listen(
      (message) => this.receive(message as Reply),
      (why) => {
        if (!this.closed) this.fail(workerError(why));
      },
    );
  }

  private receive(reply: Reply): void {
    if ('event' in reply) {
      this.event(reply.event, reply.value);
      return;
    }
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    this.updateLife();
    if ('error' in reply) waiting?.reject(fromWire(reply.error));
    else waiting?.resolve(reply.result);
  }

  private event(name: string, value: unknown): void {
    switch (name) {
      case 'progress':
        this.progress(value as Progress);
        break;
      case 'serial':
        this.events?.serial(value as Uint8Array);
        break;
      case 'reset':
        this.events?.reset();
        break;
      case 'poweroff':
        this.setRunning(false);
        this.events?.poweroff();
        break;
      case 'failure':
        this.setRunning(false);
        this.events?.failure(value as Parameters<EngineEvents['failure']>[0]);
        break;
      case 'broken':
        this.fail(fromWire(value as WireError));
        break;
    }
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    this.updateLife();
    this.events?.broken(error);
  }

  private ask<T>(method: string, ...args: unknown[]): Promise<T> {
    if (this.broken) return Promise.reject(this.broken);
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.updateLife();
      try {
        this.tell({ id, method, args });
      } catch (error) {
        this.waiting.delete(id);
        reject(new VmError('option', `an option cannot be sent to the worker: ${String(error)}`));
      }
    });
  }

  /** A process must not end while it waits for an answer, or while the guest runs. */
  private updateLife(): void {
    this.port.keepAlive(this.running || this.waiting.size > 0);
  }

  private setRunning(on: boolean): void {
    this.running = on;
    this.updateLife();
  }

  private tell(call: Call): void {
    this.port.post(call);
  }

  run(): void {
    this.setRunning(true);
    this.tell({ method: 'run', args: [] });
  }
  pause(): void {
    this.setRunning(false);
    this.tell({ method: 'pause', args: [] });
  }
  reset(): void {
    // An ended guest runs again, a paused one does not; the guest's next event corrects it.
    this.tell({ method: 'reset', args: [] });
  }
  powerButton(): void {
    this.tell({ method: 'powerButton', args: [] });
  }
  send(bytes: Uint8Array): void {
    this.tell({ method: 'send', args: [bytes] });
  }
  type(text: string): void {
    this.tell({ method: 'type', args: [text] });
  }
  hold(on: boolean): void {
    this.tell({ method: 'hold', args: [on] });
  }
  screen(): Promise<ScreenText> {
    return this.ask('screen');
  }
  stats(): Promise<Statistics> {
    return this.ask('stats');
  }
  registers(): Promise<string> {
    return this.ask('registers');
  }
  translations(): Promise<Uint8Array> {
    return this.ask('translations');
  }
  regions(): Promise<RegionSummary[]> {
    return this.ask('regions');
  }
  region(id: number): Promise<RegionDetail | undefined> {
    return this.ask('region', id);
  }
  async close(): Promise<void> {
    try {
      if (!this.broken) await this.ask('close');
    } catch {
      // It died before it could answer, which is as good.
    }
    this.closed = true;
    this.port.close();
  }
}

function workerError(why: string): VmError {
  return new VmError(
    'worker',
    `the worker: ${why}; if a bundler moved worker.js, give its URL as the option worker`,
  );
}

/** Options as a worker can receive them: URLs become absolute strings. */
function portable(options: Record<string, unknown>, platform: Platform): Record<string, unknown> {
  const image = (value: unknown): unknown => {
    if (value instanceof URL) return value.href;
    if (typeof value !== 'string' || platform.base === undefined) return value;
    try {
      return new URL(value, platform.base).href;
    } catch {
      return value; // the worker says what is wrong with it
    }
  };
  const result = { ...options };
  for (const name of ['kernel', 'initrd', 'core', 'translations'])
    result[name] = image(result[name]);
  const disk = result['disk'] as Image | DiskOptions | undefined;
  if (typeof disk === 'object' && 'image' in disk) {
    result['disk'] = { ...disk, image: image(disk.image) };
  } else result['disk'] = image(disk);
  return result;
}
