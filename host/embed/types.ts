/**
 * The package's interface: everything that `import { createMachine } from 'vmi86'` gives, as types.
 * docs/api.md is made of these comments.
 */

/**
 * A file for the guest: a URL (a string or `URL`), a `Blob` or `File`, bytes, or in Node a path.
 * In Node a string is a URL when it starts with `http:`, `https:`, `file:`, `data:` or `blob:`. In a
 * browser strings are relative to the page.
 */
export type Image = string | URL | Blob | ArrayBuffer | Uint8Array;

/** Where `core.wasm`, the emulator's processor, comes from. */
export type CoreSource =
  | string
  | URL
  | ArrayBuffer
  | Uint8Array
  /** Compiled already: saves compiling for each of many machines. The translator needs the bytes, too. */
  | { bytes: ArrayBuffer | Uint8Array; module: object };

/** A disk image and what becomes of the guest's writes. */
export interface DiskOptions {
  image: Image;
  /** The disk refuses writes. */
  readonly?: boolean;
  /**
   * In Node, for a path: writes go into the file. Otherwise they stay in memory and are gone with the
   * machine.
   */
  persist?: boolean;
}

/** What the guest is told it runs on. */
export type ParavirtFace = 'none' | 'vmi' | 'kvm' | 'vmware';

export interface CreateOptions {
  /** A Linux bzImage, or a multiboot ELF. */
  kernel: Image;
  /** Its initial root file system, or the multiboot module. */
  initrd?: Image;
  /** Its command line. `console=ttyS0` puts a Linux guest on `machine.serial`. */
  append?: string;
  /**
   * `false` lets a Linux guest unpack its kernel itself, which takes seconds of booting. Without it the
   * host does, of kernels packed by gzip or xz that do not place themselves at random: before Linux 3.14,
   * or with `nokaslr` in `append`.
   */
  unpack?: boolean;
  /** MiB of memory, 16 to 2816; 256 without it. */
  memory?: number;
  /** A raw image as the first IDE disk; whole 512-byte sectors. */
  disk?: Image | DiskOptions;
  /** The paravirtual interface the guest is offered; `vmi` without it. */
  paravirt?: ParavirtFace;
  /**
   * `host`: guest time follows the host's. `virtual`: it follows executed instructions, so that two
   * runs are identical. `host` without it.
   */
  clock?: 'host' | 'virtual';
  /** `false` interprets everything: slower, otherwise the same. */
  jit?: boolean;
  /**
   * Runs the machine in a worker (a worker thread in Node), with the same interface. A page then
   * stays responsive whatever the guest does. A URL says where `worker.js` is, when a bundler moved
   * it; a worker made by you of that script is taken as it is.
   */
  worker?: boolean | URL | object;
  /** Where `core.wasm` is, if it is not beside the module. */
  core?: CoreSource;
  /** Listeners that are there from the start: `progress` happens before there is a machine. */
  on?: { [Name in keyof Events]?: (event: Events[Name]) => void };
  /** Gives up loading. */
  signal?: AbortSignal;
  /** Milliseconds without a byte after which a download has failed; 30,000 without it. */
  stallTimeout?: number;
  /**
   * Translations of earlier runs of the same guest, which spare it most of what warming up costs: a
   * file of `machine.translations()`, of `vmi86 --translations` or of `vmi86 bundle`. What does not fit
   * is ignored (`stats().translations` says so). `true` begins without and keeps what is translated.
   */
  translations?: Image | true;
  /** Keeps what `machine.translator` shows: costs memory, for people who want to look. */
  inspect?: boolean;
}

/** `off` after the guest powered off, `failed` after it died; `reset()` leads out of both. */
export type State = 'paused' | 'running' | 'off' | 'failed' | 'destroyed';

/** How much of an image is here. */
export interface Progress {
  image: 'core' | 'kernel' | 'initrd' | 'disk' | 'translations';
  /** Bytes. */
  loaded: number;
  /** Bytes in all, if that is known. */
  total?: number;
}

/** A guest that cannot go on. */
export interface Failure {
  /** In a few words: `triple fault`. */
  reason: string;
  /** Registers, code and stack as text. */
  registers: string;
}

export interface Events {
  /** An image is being loaded. */
  progress: Progress;
  /** The state has changed. */
  state: State;
  /** Bytes the guest sent on its first serial port. */
  serial: Uint8Array;
  /** The guest powered off. */
  poweroff: void;
  /** The guest reset the machine; it boots again. */
  reset: void;
  /** The guest died (triple fault, HLT with interrupts off). */
  failure: Failure;
}

/** Something that was waited for in the serial output. */
export interface SerialMatch {
  /** The output from the last match up to the end of this one. */
  text: string;
  /** The match and its groups. */
  match: string[];
}

/** The guest's first serial port: a Linux console with `console=ttyS0`. */
export interface Serial {
  /** What the guest sends. Reading slower than it sends slows the guest. Made once, at the first use. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the guest receives. Made once, at the first use. */
  readonly writable: WritableStream<Uint8Array | string>;
  /** Types text or bytes into the guest. A line ends with `\n`. */
  write(data: string | Uint8Array): void;
  /**
   * Resolves as soon as the output since the last match matches.
   * @throws VmError `timeout` after `timeout` milliseconds, `ended` when the guest ends first
   */
  waitFor(pattern: RegExp | string, options?: { timeout?: number }): Promise<SerialMatch>;
  /** The last of the output, up to a million characters. */
  readonly text: string;
}

/** The VGA text screen: 80 by 25 characters as a rule. */
export interface ScreenText {
  /** Rows from the top, without trailing blanks. */
  lines: string[];
  cursor: { row: number; column: number; visible: boolean };
}

/** What a shell command printed, and its exit status. */
export interface ExecResult {
  /** With `\n` at the ends of lines. */
  output: string;
  status: number;
}

/** Counts since the machine was created; docs/stats.md explains each. */
export interface Statistics {
  guestSeconds: number;
  /** Guest instructions retired. */
  instructions: { total: number; interpreted: number; compiled: number };
  blocks: { decoded: number; invalidated: number; flushes: number };
  core: { regionEntries: number; singleSteps: number; throws: number };
  tlb: Record<'fills' | 'flushes' | 'pageFlushes' | 'spaceReturns' | 'spaceEntries', number>;
  exceptions: Record<string, number>;
  interrupts: Record<string, number>;
  interruptLines: Record<string, number>;
  exits: Record<string, number>;
  timers: Record<string, number>;
  resets: number;
  /** Absent when everything is interpreted. */
  translator?: Record<string, number>;
  /** Of the file of translations: its regions, how many were used, and why not. */
  translations?: Record<string, number | string>;
  /** Calls of the guest by name, and the machine's hooks that they became. */
  paravirt: { face: ParavirtFace; calls: Record<string, number>; hooks: Record<string, number> };
  disk: { sectorsRead: number; sectorsWritten: number };
  serialBytes: number;
  /** What else this version counts. */
  [more: string]: unknown;
}

/** A region of translated code. */
export interface RegionSummary {
  id: number;
  /** Linear address of the block it grew from. */
  address: number;
  /** Guest instructions. */
  instructions: number;
  /** Of WebAssembly. */
  bytes: number;
  /** Times that it was entered from outside. */
  entered: number;
}

export interface RegionDetail extends RegionSummary {
  /** The WebAssembly module it is in, exported there as `r` and its id. */
  module: Uint8Array;
  /** Its guest code by address, in stretches; `text` is a line an instruction. */
  code: { address: number; bytes: Uint8Array; text: string }[];
}

/** One PC. All machines of a program are independent of each other. */
export interface VirtualMachine {
  readonly state: State;
  readonly serial: Serial;
  readonly screen: {
    /** What is on the text screen now. */
    read(): Promise<ScreenText>;
  };
  readonly keyboard: {
    /** Types on the PS/2 keyboard, as a US keyboard would. */
    type(text: string): void;
  };
  readonly translator: {
    /** Translated regions, the most entered first. Needs the option `inspect`. */
    regions(): Promise<RegionSummary[]>;
    /** One of them, or undefined when it is gone. */
    region(id: number): Promise<RegionDetail | undefined>;
  };
  /** Starts, or goes on after pause(). Does nothing to a machine that runs. */
  run(): void;
  /** Stops the guest and its time. */
  pause(): void;
  /** Boots anew: memory is lost, the disk stays. A paused machine stays paused, an ended one runs. */
  reset(): void;
  /** Presses the power button: a Linux guest shuts down if it listens. */
  powerButton(): void;
  /** Ends the machine and frees its memory. Afterwards everything but this throws. */
  destroy(): Promise<void>;
  /** Resolves when the guest has powered off; rejects when it died or was destroyed. */
  finished(): Promise<void>;
  /** Listens to an event; call what is returned to stop. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void;
  /**
   * Runs a command in the shell that waits on the serial line, and gives what it printed. The shell
   * must be at its prompt: wait for that with `serial.waitFor`. The command may have several lines, but
   * not more characters than the shell's line editor takes (BusyBox: about 1,000).
   */
  exec(command: string, options?: { timeout?: number }): Promise<ExecResult>;
  /**
   * A file of what this machine and those before it have translated, for the option `translations` of
   * the next. Needs that option, if only as `true`.
   */
  translations(): Promise<Uint8Array>;
  /** What the machine has done so far. */
  stats(): Promise<Statistics>;
  /** Registers, code and stack as text. */
  registers(): Promise<string>;
}
