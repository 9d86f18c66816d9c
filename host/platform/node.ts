// Everything of the machine and the command line that touches Node: files, disk images, the
// terminal, waiting. Beside host/cli, the only place of host/ that may.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parentPort, Worker } from 'node:worker_threads';
import type { Platform, Port } from './platform';

/** The operating system's reason in words, for one-line messages. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'is a folder';
    case 'EROFS':
      return 'on a read-only file system';
    case 'ENOSPC':
      return 'no space left';
    default:
      return code ?? (error instanceof Error ? error.message : String(error));
  }
}

export function readBytes(path: string): Uint8Array {
  const data = readFileSync(path);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export const SECTOR = 512;

/** A raw disk image on a file. Reads and writes are synchronous: the guest sees an instant disk. */
export class FileDisk {
  private dirty = false;

  private constructor(
    private readonly file: number,
    /** Bytes, a whole number of sectors. */
    readonly size: number,
    readonly readonly: boolean,
  ) {}

  static open(path: string | URL, readonly: boolean): FileDisk {
    const file = openSync(path, readonly ? constants.O_RDONLY : constants.O_RDWR);
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size < SECTOR || stat.size % SECTOR) {
      throw new Error(`its size of ${stat.size} bytes is no whole number of 512-byte sectors`);
    }
    return new FileDisk(file, stat.size, readonly);
  }

  /** Fills `target` from the byte offset. */
  read(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length;) {
      const count = readSync(this.file, target, done, target.length - done, offset + done);
      if (count === 0) throw new Error('the disk image became shorter');
      done += count;
    }
  }

  write(offset: number, source: Uint8Array): void {
    this.dirty = true;
    for (let done = 0; done < source.length;) {
      done += writeSync(this.file, source, done, source.length - done, offset + done);
    }
  }

  flush(): void {
    if (!this.dirty) return;
    fsyncSync(this.file);
    this.dirty = false;
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }
}

/** Standard input and output as the far end of the serial line. */
export class Terminal {
  private raw = false;
  private started = false;
  private closed = false;

  /** Called with the bytes typed. */
  onInput: (data: Uint8Array) => void = () => {};
  /** Called once when nobody reads our output any more. */
  onBroken: () => void = () => {};

  get interactive(): boolean {
    return process.stdin.isTTY === true;
  }

  start(): void {
    this.started = true;
    process.stdout.on('error', () => this.broken());
    process.stdin.on('data', (data: Buffer) => this.onInput(data));
    process.stdin.on('error', () => {}); // a terminal that hung up: SIGHUP tells
    if (this.interactive) {
      this.setRaw(true);
      // Stopped and continued by the shell's job control: it has set its own mode meanwhile.
      process.on('SIGCONT', () => this.started && this.setRaw(true));
    }
    process.on('exit', () => this.stop());
  }

  /** Puts the terminal back as it was; may be called any number of times. */
  stop(): void {
    if (this.raw) this.setRaw(false);
    if (this.started) process.stdin.pause();
    this.started = false;
  }

  /** Resolves when the output was taken, so that a slow reader slows the guest. */
  write(data: Uint8Array): Promise<void> | undefined {
    if (this.closed || process.stdout.write(data)) return undefined;
    return new Promise((resolve) => {
      process.stdout.once('drain', resolve);
      process.stdout.once('error', () => resolve());
    });
  }

  /** A line from vmi86 itself; in raw mode a newline alone does not return the cursor. */
  say(line: string): void {
    const text = line.replaceAll('\n', this.raw ? '\r\n' : '\n');
    try {
      writeSync(2, text + (this.raw ? '\r\n' : '\n'));
    } catch {
      // stderr is gone, too; there is nobody left to tell.
    }
  }

  private setRaw(on: boolean): void {
    try {
      process.stdin.setRawMode(on);
      this.raw = on;
    } catch {
      // The terminal is gone (its window was closed): nothing to restore.
      this.raw = false;
    }
  }

  private broken(): void {
    if (this.closed) return;
    this.closed = true;
    this.onBroken();
  }
}

/** The global is a getter, which costs a fifth of a look at the clock. */
const { performance } = globalThis;

/** Monotonic nanoseconds; a double holds 104 days of them exactly. */
export function hostNow(): number {
  return performance.now() * 1e6;
}

/** Lets Node handle input, timers and signals once. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The machine's platform in Node. */
export class NodePlatform implements Platform {
  hostNow = hostNow;
  yieldToEvents = yieldToEvents;

  setTimer(milliseconds: number, callback: () => void): () => void {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  }

  async readFile(path: string | URL): Promise<Uint8Array> {
    const data = await readFile(path);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  openDisk(path: string | URL, readonly: boolean): FileDisk {
    return FileDisk.open(path, readonly);
  }

  startWorker(source: URL | object): Promise<Port> {
    const worker = source instanceof URL ? new Worker(source) : (source as Worker);
    return Promise.resolve({
      post: (message, transfer) => worker.postMessage(message, transfer ?? []),
      listen: (onMessage, onError) => {
        worker.on('message', onMessage);
        worker.on('error', (error: Error) => onError(error.message));
        worker.on('exit', (status) => onError(`it ended with status ${status}`));
      },
      close: () => void worker.terminate(),
      keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    });
  }
}

/** The port of the worker thread that this runs in. */
export function workerPort(): Port {
  const port = parentPort!;
  return {
    post: (message, transfer) => port.postMessage(message, transfer ?? []),
    listen: (onMessage) => void port.on('message', onMessage),
    close: () => process.exit(0),
    keepAlive: () => {},
  };
}
