/**
 * A PC: processor, memory, board and clock, from loading a kernel to power-off.
 *
 * Owns the run loop: how long the processor runs, when time passes without it, what ends the
 * machine. Waits for nothing and reads no host time but through the injected counter: whoever calls
 * `runSlice` decides what to do with idle time.
 */

import {
  EXIT_BUDGET,
  EXIT_FLUSHED,
  EXIT_HALT,
  EXIT_REQUEST,
  EXIT_SHUTDOWN,
} from '../assembly/shared/exits';
import { IF } from '../assembly/shared/flags';
import { RAM_MAX } from '../assembly/shared/layout';
import {
  FACE_VMI,
  SPACES_DROPPED,
  SPACES_OFFERED,
  SPACES_TRACKED,
} from '../assembly/shared/paravirt';
import { placeAcpiTables } from './acpi/tables';
import { Board } from './board';
import { isBzImage, loadBzImage } from './boot/bzimage';
import { isElf } from './boot/elf';
import { enter, type Entry } from './boot/entry';
import { tablesStart, writeBiosData } from './boot/memory-map';
import { findMultibootHeader, loadMultiboot } from './boot/multiboot';
import { unpackKernel } from './boot/unpack';
import { Clock } from './clock';
import { Translator, type Translated, type TranslatorOptions } from '../jit/translator';
import { printModule } from '../jit/wasm/print';
import { Cpu } from './cpu';
import type { DiskBacking } from './devices/disk';
import type { DmaMemory } from './devices/ide';
import type { Screen } from './devices/vga';
import { UserError } from './errors';
import { FaultLoop } from './fault-loop';
import { FACE_DEFAULT, FaceCounts, type Face, type FaceName } from './paravirt/face';
import { createFace } from './paravirt/faces';
import { StealClock, timeHooks } from './paravirt/time';
import { directCallAt } from './vmi/direct';
import type { VmiOptions } from './vmi/options';
import { countCalls, describeCall } from './vmi/trace';
import { prepareTranslations, type TranslationOptions } from './translations';
import { hex, NO_TRACE, type Trace, type TraceLine } from './trace';

const MIB = 2 ** 20;
const MEMORY_MIN = 16 * MIB;
/** Video memory and the BIOS's area: text memory is plain RAM, the planes' window is nothing. */
const VIDEO_PLANES = [0xa0000, 0xb8000] as const;

/** Host nanoseconds after which runSlice returns although the guest is busy. */
const SLICE_NS = 10_000_000;
/** Instructions per call of the core: engines replace code only between calls. */
const BUDGET_MAX = 400_000;
const BUDGET_MIN = 500;
/** At least, while guest time catches up with the host's: enough to handle a timer interrupt. */
const BUDGET_BEHIND = 20_000;
/**
 * Of what the guest would run in a stretch of time, what it may run in it while it catches up. With
 * much less a kernel that calibrates its delay loop meanwhile takes the processor for a slow one,
 * and its delays are too short ever after (2.6.26: "IO-APIC + timer doesn't work").
 */
const BEHIND_SHARE = 0.5;
/** Instructions, a few microseconds of them. */
const COUNTER_SPAN = 4096;
/** On the virtual clock calls end at multiples of this, whatever the host does. */
const VIRTUAL_STRIDE = 2 ** 19;
/** A port access on an ISA bus. Loops that poll a port for milliseconds turn less often for it. */
const PORT_NS = 1000;
/**
 * A guest that only ticks while it idles (Debian's i386 kernel: 250 times a second) is let sleep
 * through several ticks at a time, since waking costs the host more than handling a tick; guest
 * time catches up tick by tick. So: after that many halts in a row, each after so few instructions:
 * that kernel's housekeeping takes 31,000 now and then.
 */
const DOZE_AFTER_HALTS = 25;
const DOZE_INSTRUCTIONS = 50_000;
const DOZE_MS = 30;
/** A wait that is too short to sleep is not spent awake any more. */
const SLEEP_AFTER_HALTS = 8;
const SLEEP_MS = 1;
/** Some seconds later nobody is waiting for anything: a wake-up costs most with cold caches. */
const DEEP_AFTER_HALTS = 250;
const DEEP_DOZE_MS = 100;
/** A date for machines whose runs must be alike: 2024-01-01. */
const VIRTUAL_DATE = Date.UTC(2024, 0, 1);

export type TranslatorTuning = Partial<Omit<TranslatorOptions, 'bytes' | 'core'>>;

export interface MachineOptions {
  /** The compiled core. */
  core: WebAssembly.Module;
  /** The core's bytes, which the translator takes functions from; without them nothing is translated. */
  coreBytes?: Uint8Array | undefined;
  kernel: Uint8Array;
  initrd?: Uint8Array | undefined;
  commandLine?: string | undefined;
  /** A bzImage's kernel is unpacked by the host where that is possible (boot/unpack.ts); true without it. */
  unpack?: boolean | undefined;
  /** Bytes of RAM. */
  memory: number;
  disk?: DiskBacking | undefined;
  jit?: boolean | undefined;
  /** What earlier runs have translated, and whether this one is to keep what it does. */
  translations?: TranslationOptions | undefined;
  /** The translator's options, for tests and scripts. */
  translator?: TranslatorTuning | undefined;
  clock?: 'host' | 'virtual' | undefined;
  /** Monotonic host time in nanoseconds. */
  hostNow: () => number;
  /** Unix time in milliseconds for the RTC. The virtual clock's default is a constant. */
  date?: number | undefined;
  /** The paravirtual interface that the guest is offered; FACE_DEFAULT without it. */
  paravirt?: FaceName | undefined;
  /** TLB entries of address spaces are kept across loads of CR3; true without it. */
  keepSpaces?: boolean | undefined;
  /** What the VMI face offers and does; all of it without this. */
  vmi?: VmiOptions | undefined;
  trace?: Trace | undefined;
}

export type Outcome =
  | { kind: 'running' }
  /** Nothing to do for so long, or until input comes. */
  | { kind: 'idle'; milliseconds: number }
  | { kind: 'poweroff' }
  | { kind: 'reset' }
  | { kind: 'dead'; reason: string; report: string };

export class Machine {
  /** Receives what the guest sends on its first serial port. */
  onSerial: (bytes: Uint8Array) => void = () => {};
  readonly clock: Clock;
  cpu!: Cpu;
  translator: Translator | undefined;
  board!: Board;
  face!: Face;
  private readonly trace: Trace;
  private readonly date: number;
  private readonly faceName: FaceName;
  private readonly sent: number[] = [];
  private request: 'poweroff' | 'reset' | undefined;
  private over: Outcome | undefined;
  private unpacked: Uint8Array | undefined;
  private halted = false;
  private nmi = false;
  /** Halts in a row with hardly anything done between, and the instructions retired at the last. */
  private quietHalts = 0;
  private lastHalt = 0;
  /** Guest instructions per host nanosecond, as last measured. */
  private speed = 0.05;
  /** Guest time when a budget was last given. */
  private lastBudget = 0;
  private readonly faultLoop = new FaultLoop();
  private readonly exits: Record<string, number> = {};
  private resets = 0;
  private readonly faceCounts = new FaceCounts();
  private steal!: StealClock;

  static async create(options: MachineOptions): Promise<Machine> {
    checkMemory(options.memory);
    const machine = new Machine(options);
    const unpacking =
      options.unpack === false
        ? undefined
        : unpackKernel(options.kernel, options.commandLine ?? '');
    machine.cpu = await Cpu.create({
      core: options.core,
      ram: options.memory,
      host: {
        portIn: (port, size) => {
          machine.clock.charge(PORT_NS);
          return machine.board.bus.portIn(port, size);
        },
        portOut: (port, size, value) => {
          machine.clock.charge(PORT_NS);
          machine.board.bus.portOut(port, size, value);
        },
        mmioRead: (address, size) => machine.board.bus.mmioRead(address, size),
        mmioWrite: (address, size, value) => machine.board.bus.mmioWrite(address, size, value),
        interruptVector: () => machine.board.interrupts.acknowledge(),
        timestamp: () => machine.clock.now(),
        readMsr: (index) => machine.board.msrs.read(index) ?? machine.face.readMsr?.(index),
        writeMsr: (index, value) =>
          machine.board.msrs.write(index, value) ||
          (machine.face.writeMsr?.(index, value) ?? false),
        hypercall: () => machine.face.hypercall?.(),
        vmiCall: (number, ...given) => machine.face.call?.(number, ...given) ?? 0n,
        vmiTrace: (number, frame) => {
          machine.trace.vmi?.(describeCall(number, machine.cpu, frame));
        },
      },
    });
    if (options.jit !== false && options.coreBytes) {
      machine.translator = new Translator({
        bytes: options.coreBytes,
        ...(await prepareTranslations(options.translations, options.coreBytes)),
        core: machine.cpu.exports,
        now: () => options.hostNow() / 1e6,
        ...(machine.trace.jit && { onRegion: tracer(machine.trace.jit) }),
        ...(machine.faceName === 'vmi' &&
          options.vmi?.direct !== false &&
          !machine.trace.vmi && { findDirect: directCallAt }),
        ...options.translator,
      });
      machine.cpu.attach(machine.translator, machine.translator.heatLimit);
    }
    machine.cpu.setMapping(VIDEO_PLANES[0], VIDEO_PLANES[1], 'mmio');
    machine.clock.retired = () => machine.cpu.retired();
    machine.clock.onEarlier = () => machine.cpu.requestStop();
    machine.unpacked = await unpacking;
    machine.powerOn(true);
    return machine;
  }

  private constructor(private readonly options: MachineOptions) {
    this.trace = options.trace ?? NO_TRACE;
    this.faceName = options.paravirt ?? FACE_DEFAULT;
    const kind = options.clock ?? 'host';
    this.clock = new Clock({ kind, hostNow: options.hostNow });
    this.date = options.date ?? (kind === 'virtual' ? VIRTUAL_DATE : Date.now());
  }

  // --- Host side --------------------------------------------------------------------------------

  /** Types bytes into the first serial port. */
  sendSerial(bytes: Uint8Array): void {
    this.quietHalts = 0;
    this.board.uart.send(bytes);
  }

  /** Types text on the PS/2 keyboard. */
  type(text: string): void {
    this.quietHalts = 0;
    this.board.i8042.type(text);
  }

  pressPowerButton(): void {
    this.board.acpi.pressPowerButton();
  }

  /** Presses the reset button, between two slices; also leads out of power-off and death. */
  pressReset(): void {
    this.over = undefined;
    this.finish('reset');
  }

  /** The text screen. */
  screen(): Screen {
    return this.board.vga.screen(this.cpu.ram());
  }

  /** The file of what this run and those before it translated; undefined if nothing was to be kept. */
  translations(): Uint8Array<ArrayBuffer> | undefined {
    return this.translator?.translations();
  }

  /** Counts for --stats. */
  stats(): Record<string, unknown> {
    const { board } = this;
    return {
      guestSeconds: this.clock.now() / 1e9,
      instructions: this.cpu.retired(),
      resets: this.resets,
      exits: { ...this.exits },
      cpu: this.cpu.counters(),
      interruptLines: Object.fromEntries(
        board.interrupts.counts.map((count, line) => [line, count]).filter(([, count]) => count),
      ),
      timers: this.clock.firings(),
      devices: board.bus.statistics(),
      translator: this.translator && {
        live: this.translator.size,
        ...this.translator.counts,
      },
      translations: this.translator?.saved && { ...this.translator.saved.counts },
      disk: board.channels[0]!.counts,
      serialBytes: board.uart.sent,
      paravirt: {
        face: this.face.name,
        ...this.faceUse(),
      },
    };
  }

  /** Instructions, time, chips: what a snapshot holds besides memory and processor. */
  deviceState(): Record<string, unknown> {
    return {
      clock: { ...this.clock.state },
      deadlines: this.clock.deadlines(),
      ...this.board.state(),
      steal: this.steal.state,
      face: this.face.state,
    };
  }

  // --- Running ----------------------------------------------------------------------------------

  /**
   * Runs the guest until it is idle, ends, or about 10 ms of host time have passed; on a virtual
   * clock also not beyond `limit` retired instructions (give or take a block).
   */
  runSlice(limit = Infinity): Outcome {
    if (this.over !== undefined) return this.over;
    const outcome = this.slice(limit);
    if (this.sent.length > 0) this.onSerial(Uint8Array.from(this.sent.splice(0)));
    if (outcome.kind === 'poweroff' || outcome.kind === 'dead') {
      this.over = outcome;
      this.options.disk?.flush();
    }
    return outcome;
  }

  private slice(limit: number): Outcome {
    const { clock, cpu } = this;
    const until = this.options.hostNow() + SLICE_NS;
    do {
      clock.runDue();
      if (this.halted && !this.wakes()) {
        const idle = this.idle();
        if (idle !== undefined) return idle;
        continue;
      }
      const budget = this.budget(limit);
      const stolen = this.steal.resumes();
      if (stolen > 0) this.face.stolen?.(stolen);
      const exit = this.runCpu(budget);
      this.count(exit);
      this.halted = exit === EXIT_HALT;
      this.steal.stopped(this.halted);
      if (this.request !== undefined) return this.finish(this.request);
      if (exit === EXIT_SHUTDOWN) return this.dead('triple fault');
      const loop = this.faultLoop.check(
        cpu,
        () => clock.now(),
        () => this.board.bus.accesses(),
      );
      if (loop !== undefined) return this.dead(loop);
    } while (this.options.hostNow() < until && cpu.retired() < limit);
    return { kind: 'running' };
  }

  /** Whether a halted processor has a reason to go on. */
  private wakes(): boolean {
    if (this.nmi) return true;
    return this.board.interrupts.state.intr && (this.cpu.state.eflags & IF) !== 0;
  }

  /** The processor is halted: passes the time, or says how long it will last. */
  private idle(): Outcome | undefined {
    if ((this.cpu.state.eflags & IF) === 0) return this.dead('halted with interrupts off');
    const { clock } = this;
    const next = clock.nextDeadline();
    if (next === Infinity) return { kind: 'idle', milliseconds: Infinity };
    if (clock.virtual) {
      clock.skipTo(next);
      return undefined;
    }
    const retired = this.cpu.retired();
    // Asked again while it still halts, as it is for waits too short to sleep, is no halt more.
    if (retired !== this.lastHalt) {
      this.quietHalts = retired - this.lastHalt < DOZE_INSTRUCTIONS ? this.quietHalts + 1 : 0;
      this.lastHalt = retired;
    }
    const wait = (next - clock.now()) / 1e6;
    if (wait <= 0) return undefined;
    return { kind: 'idle', milliseconds: Math.max(wait, leastSleep(this.quietHalts)) };
  }

  /** Instructions to run: up to the next deadline. Tells the clock where the slice ends. */
  private budget(limit: number): number {
    const { clock, cpu } = this;
    const now = clock.now();
    const next = clock.nextDeadline();
    const step = now - this.lastBudget;
    this.lastBudget = now;
    if (clock.virtual) {
      const stride = (Math.floor(now / VIRTUAL_STRIDE) + 1) * VIRTUAL_STRIDE;
      clock.sliceEnd = Math.min(next, stride);
      return Math.max(1, Math.min(clock.sliceEnd - now, limit - cpu.retired()));
    }
    clock.sliceEnd = next;
    clock.catchingUp = now >= next;
    if (clock.catchingUp) {
      const share = Math.floor(step * this.speed * BEHIND_SHARE);
      return Math.max(BUDGET_BEHIND, Math.min(BUDGET_MAX, share));
    }
    const wanted = Math.floor((next - now) * this.speed);
    return Math.max(BUDGET_MIN, Math.min(BUDGET_MAX, wanted));
  }

  private runCpu(budget: number): number {
    const { clock, cpu } = this;
    if (clock.virtual) {
      const exit = cpu.run(budget);
      clock.sliceEnd = -Infinity;
      return exit;
    }
    const started = this.options.hostNow();
    const before = cpu.retired();
    clock.running = true;
    const exit = cpu.run(budget);
    clock.sliceEnd = -Infinity;
    // Halted, it does not see how time passes.
    clock.running = exit !== EXIT_HALT;
    clock.seamless = !this.face.tellsStolen;
    const passed = this.options.hostNow() - started;
    if (passed > 1000) {
      const speed = (cpu.retired() - before) / passed;
      this.speed += (Math.min(10, Math.max(0.001, speed)) - this.speed) / 8;
    }
    return exit;
  }

  private finish(request: 'poweroff' | 'reset'): Outcome {
    this.request = undefined;
    if (request === 'poweroff') return { kind: 'poweroff' };
    this.resets++;
    this.options.disk?.flush();
    this.powerOn();
    return { kind: 'reset' };
  }

  private dead(reason: string): Outcome {
    return { kind: 'dead', reason, report: `the guest cannot go on: ${reason}` };
  }

  private count(exit: number): void {
    const name = EXIT_NAMES[exit] ?? String(exit);
    this.exits[name] = (this.exits[name] ?? 0) + 1;
  }

  // --- Power-on ---------------------------------------------------------------------------------

  /** Resets everything and loads the kernel again. Memory that is `fresh` is left alone: it costs nothing until used. */
  private powerOn(fresh = false): void {
    const { cpu, clock, options } = this;
    this.halted = false;
    this.nmi = false;
    cpu.reset();
    clock.dropTimers();
    const ram = cpu.ram();
    if (!fresh) ram.fill(0);
    cpu.codeWritten(0, ram.length);
    const typed = this.board?.uart.state.input ?? [];
    const memory: DmaMemory = {
      bytes: (address, length) =>
        address + length <= ram.length ? ram.subarray(address, address + length) : undefined,
      written: (address, length) => cpu.codeWritten(address, address + length),
    };
    this.board = new Board({
      clock,
      trace: this.trace,
      ramBytes: ram.length,
      memory,
      disk: options.disk,
      date: this.date + clock.now() / 1e6,
      setIntr: (asserted) => cpu.setInterrupt(asserted),
      nmi: () => {
        this.nmi = true;
        cpu.raiseNmi();
      },
      serial: (byte) => this.sent.push(byte),
      powerOff: () => this.ask('poweroff'),
      reset: () => this.ask('reset'),
    });
    this.board.uart.send(typed);
    this.steal = new StealClock(clock);
    this.face = createFace(this.faceName, {
      cpu: cpu.state,
      memory,
      bus: this.board.bus,
      lapic: this.board.lapic,
      interrupts: this.board.interrupts,
      clock,
      time: timeHooks(clock, this.steal, this.date),
      power: { reboot: () => this.ask('reset'), power_off: () => this.ask('poweroff') },
      counts: this.faceCounts,
      exchange: cpu.exchange(),
      installRom: (address, bytes) => {
        ram.set(bytes, address);
        cpu.setMapping(address, address + bytes.length, 'rom');
      },
      vmi: options.vmi,
    });
    cpu.setFace(this.face.code, this.face.leaves);
    cpu.setSpaces(this.spaces());
    cpu.setCounterSpan(this.clock.virtual ? 0 : COUNTER_SPAN);
    cpu.setVmiTraced(this.trace.vmi !== undefined);
    writeBiosData(ram);
    const tables = placeAcpiTables(ram, tablesStart(ram.length), ram.length);
    const entry = this.load(ram);
    enter(cpu, entry);
    if (this.trace.boot) {
      this.trace.boot(entry.description);
      for (const [name, at] of Object.entries(tables)) {
        this.trace.boot(`ACPI ${name} at 0x${at.toString(16)}`);
      }
    }
  }

  /** How TLB entries of address spaces are kept. */
  private spaces(): number {
    const { keepSpaces, vmi } = this.options;
    const announced = this.face.code === FACE_VMI;
    if (keepSpaces === false || (announced && vmi?.spaces === false)) return SPACES_DROPPED;
    return announced ? SPACES_OFFERED : SPACES_TRACKED;
  }

  private load(ram: Uint8Array): Entry {
    const { kernel, initrd, commandLine = '' } = this.options;
    const image = { kernel, unpacked: this.unpacked, initrd, commandLine };
    if (kernel.length === 0) throw new UserError('--kernel', 'is empty; give a kernel');
    if (isBzImage(kernel)) return loadBzImage(ram, image);
    if (findMultibootHeader(kernel) !== undefined) return loadMultiboot(ram, image);
    if (isElf(kernel)) {
      throw new UserError(
        '--kernel',
        'is an ELF file without a multiboot header; of Linux, give the bzImage instead of vmlinux',
      );
    }
    return loadBzImage(ram, image); // says what is missing
  }

  /** Calls and hooks by name: those that the machine served and those that the core counts. */
  private faceUse(): Pick<FaceCounts, 'calls' | 'hooks'> {
    const use = new FaceCounts();
    Object.assign(use.calls, this.faceCounts.calls);
    Object.assign(use.hooks, this.faceCounts.hooks);
    countCalls(this.cpu.vmiCounts(), use);
    return use;
  }

  private ask(request: 'poweroff' | 'reset'): void {
    this.request ??= request;
    this.cpu.requestStop();
  }
}

const EXIT_NAMES: Record<number, string> = {
  [EXIT_BUDGET]: 'budget',
  [EXIT_HALT]: 'halt',
  [EXIT_SHUTDOWN]: 'shutdown',
  [EXIT_FLUSHED]: 'flushed',
  [EXIT_REQUEST]: 'request',
};

/** --trace jit: each region when it is made, numbered as scripts/jit-bisect.mjs numbers them. */
function tracer(line: TraceLine): (region: Translated, module: Uint8Array) => void {
  let made = 0;
  return ({ slot, eip, instructions, entries, pages, bytes: size }, module) => {
    const text = printModule(module, `r${slot}`);
    line(
      `region ${++made} at ${hex(eip, 8)} (page ${hex(pages[0]!, 8)}): ${instructions} instructions, ` +
        `${entries.length} entries, ${size} bytes of wasm\n${text}`,
    );
  };
}

/** Milliseconds that an idle guest sleeps at least, after so many quiet halts. */
function leastSleep(quietHalts: number): number {
  if (quietHalts > DEEP_AFTER_HALTS) return DEEP_DOZE_MS;
  if (quietHalts > DOZE_AFTER_HALTS) return DOZE_MS;
  return quietHalts > SLEEP_AFTER_HALTS ? SLEEP_MS : 0;
}

function checkMemory(bytes: number): void {
  if (!(bytes >= MEMORY_MIN)) throw new UserError('--memory', 'too small; give 16 or more MiB');
  if (bytes > RAM_MAX) {
    throw new UserError('--memory', `too large; give at most ${RAM_MAX / MIB} MiB`);
  }
}
