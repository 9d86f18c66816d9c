// Everything of the machine that touches a browser: turns of the event loop, timers that a hidden
// tab does not stretch, workers. The only place of host/ that may.

import type { Platform, Port } from './platform';

/** What is used of a Worker, and of the inside of one. */
interface MessageTarget {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror?: ((event: { message?: string; preventDefault?(): void }) => void) | null;
  onmessageerror?: (() => void) | null;
  terminate?(): void;
  close?(): void;
}

/** Runs in a worker of its own: a number asks for a message after so many milliseconds. */
const TIMER_SOURCE = `onmessage=({data:[id,ms]})=>setTimeout(()=>postMessage(id),ms)`;
/** Waits shorter than a hidden tab's shortest (1 s) are worth the detour; longer ones, too. */
const CONSTANT_TICK = 1;

export class BrowserPlatform implements Platform {
  readonly base: string | undefined;
  private readonly channel = new MessageChannel();
  private readonly turns: (() => void)[] = [];
  private timerWorker: Worker | undefined;
  private readonly timers = new Map<number, () => void>();
  private nextTimer = 1;

  constructor() {
    this.base = globalThis.document?.baseURI ?? globalThis.location?.href;
    this.channel.port1.onmessage = () => this.turns.shift()?.();
  }

  hostNow(): number {
    return performance.now() * 1e6;
  }

  /** By a message to oneself: timers would cost 4 ms each. */
  yieldToEvents(): Promise<void> {
    return new Promise((resolve) => {
      this.turns.push(resolve);
      this.channel.port2.postMessage(0);
    });
  }

  setTimer(milliseconds: number, callback: () => void): () => void {
    const worker = this.hidden() ? this.timeKeeper() : undefined;
    if (!worker) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    }
    const id = this.nextTimer++;
    this.timers.set(id, callback);
    worker.postMessage([id, Math.max(CONSTANT_TICK, milliseconds)]);
    return () => this.timers.delete(id);
  }

  /** Hidden pages get a timer a second, or one a minute; workers get theirs in time. */
  private hidden(): boolean {
    return globalThis.document?.visibilityState === 'hidden';
  }

  private timeKeeper(): Worker | undefined {
    if (this.timerWorker) return this.timerWorker;
    try {
      const url = URL.createObjectURL(new Blob([TIMER_SOURCE], { type: 'text/javascript' }));
      this.timerWorker = new Worker(url);
      URL.revokeObjectURL(url);
    } catch {
      return undefined; // a content security policy without worker-src blob:
    }
    this.timerWorker.onmessage = ({ data }: MessageEvent<number>) => {
      const callback = this.timers.get(data);
      this.timers.delete(data);
      callback?.();
    };
    return this.timerWorker;
  }

  /** Ends what would outlive the machine. */
  close(): void {
    this.timerWorker?.terminate();
    this.timerWorker = undefined;
    this.channel.port1.close();
  }

  startWorker(source: URL | object): Promise<Port> {
    if (!(source instanceof URL)) return Promise.resolve(portOf(source as MessageTarget));
    const here = globalThis.location?.origin;
    if (here === undefined || source.origin === here || source.protocol === 'blob:') {
      return Promise.resolve(portOf(startModule(source)));
    }
    // Scripts of another origin (a CDN) may be imported, not started as a worker.
    const text = `import ${JSON.stringify(source.href)};`;
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    return Promise.resolve(portOf(startModule(url)));
  }
}

function startModule(url: URL | string): MessageTarget {
  return new Worker(url, { type: 'module' }) as unknown as MessageTarget;
}

/** Either end: a Worker from outside, the global object inside one. */
export function portOf(target: MessageTarget): Port {
  return {
    post: (message, transfer) => target.postMessage(message, transfer ?? []),
    listen: (onMessage, onError) => {
      target.onmessage = ({ data }) => onMessage(data);
      if (!target.terminate) return;
      target.onerror = (event) => {
        event.preventDefault?.();
        onError(event.message ?? 'its script could not be loaded');
      };
      target.onmessageerror = () => onError('a message could not be read');
    },
    close: () => (target.terminate ?? target.close)?.call(target),
    keepAlive: () => {},
  };
}

/** The port of the worker that this runs in. */
export function workerPort(): Port {
  return portOf(globalThis as unknown as MessageTarget);
}
