/**
 * The core behind an interface of objects: instantiates it, gives it its imports, catches what it
 * throws, and hands out state, memory and counters. What the pins are wired to is the machine's.
 */
import {
  BUDGET,
  COUNTERS,
  COUNTER_SPAN,
  COUNT_CURRENT,
  EXCHANGE,
  EXCHANGE_SIZE,
  FACE,
  HOT_ENTRY,
  HYPERVISOR_LEAVES,
  HYPERVISOR_LEAVES_MAX,
  INSTRUCTIONS,
  INTR,
  NMI,
  PAGE_INFO,
  RAM_BASE,
  RAM_MAX,
  SLICE,
  SPACES_KEPT,
  STATIC_BASE,
  STOP,
  VMI_COUNTS,
  VMI_TRACED,
} from '../assembly/shared/layout.ts';
import { COUNTERS_END } from '../assembly/shared/counters.ts';
import { EXIT_FLUSHED } from '../assembly/shared/exits.ts';
import { PAGE_RAM, PAGE_ROM } from '../assembly/shared/paging.ts';
import type { CpuidLeaf } from './paravirt/face.ts';
import { CpuState, type StateExports } from './state.ts';

/** What the machine is to the processor. Addresses and values are unsigned; sizes 1, 2, 4 bytes. */
export interface CpuHost {
  portIn(port: number, size: number): number;
  portOut(port: number, size: number, value: number): void;
  mmioRead(address: number, size: number): number;
  mmioWrite(address: number, size: number, value: number): void;
  /** The INTA cycle: a vector, or -1 when the request has gone. */
  interruptVector(): number;
  /** The time-stamp counter, a whole number below 2^53. */
  timestamp(): number;
  /** A model-specific register the core does not own; undefined or false: #GP. */
  readMsr(index: number): bigint | undefined;
  writeMsr(index: number, value: bigint): boolean;
  /** VMCALL where FACE says KVM: arguments and result in the registers. */
  hypercall?(): void;
  /** A VMI call that the machine serves: arguments as unsigned words; gives EAX, or EDX:EAX. */
  vmiCall?(number: number, ...given: number[]): bigint;
  /** A VMI call is about to be made; `frame` is the linear address of its stack arguments. */
  vmiTrace?(number: number, frame: number): void;
}

/** What the translator is to the processor. */
export interface CpuTranslator {
  /** The interpreter entered this block often. May translate it at once. */
  blockHot(block: number): void;
  /** A region entered at this descriptor hardly gets anywhere. May translate it anew. */
  regionMisses?(descriptor: number, short: boolean): void;
  /** A region is entered at this descriptor very often. May make a larger one around it. */
  regionHot?(descriptor: number): void;
  /** Decoded code of a page with translations was written: drop what was made of it. */
  codeInvalidated(page: number): void;
  /** All decoded blocks go: drop everything. */
  blocksFlushed(): void;
}

export interface CpuOptions {
  core: WebAssembly.Module;
  /** Bytes of RAM, a multiple of 4096. */
  ram: number;
  host: CpuHost;
}

/** Exports of the core as assembly/index.ts lists them. */
export interface CoreExports extends StateExports, WebAssembly.Exports {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
  run(): number;
  start(budget: number): void;
  reset(): void;
  flushBlocks(): void;
  setHeatLimit(limit: number): void;
  findNext(linear: number, physical: number, mode: number): number;
  nextPhysical(linear: number): number;
  findBlock(physical: number, mode: number): number;
  newGeneration(): void;
  peekFetch(linear: number): number;
  setSavedHeat(heat: number): void;
  invalidateCode(physical: number, size: number): void;
  hideFeatures(bits: number): void;
}

/** What the core throws through its import `fault`: made once, so that throwing stays cheap. */
const FAULT = { fault: true };

export class Cpu {
  readonly memory: WebAssembly.Memory;
  readonly exports: CoreExports;
  readonly state: CpuState;
  readonly ramSize: number;
  readonly instance: WebAssembly.Instance;
  readonly #words: Int32Array;
  readonly #longs: BigUint64Array;
  readonly #ram: Uint8Array;
  private translator: CpuTranslator | undefined;
  #throws = 0;

  private constructor(instance: WebAssembly.Instance, ramSize: number) {
    this.instance = instance;
    this.exports = instance.exports as unknown as CoreExports;
    this.ramSize = ramSize;
    this.memory = this.exports.memory;
    const pages = (RAM_BASE + ramSize) / 65536 - this.memory.buffer.byteLength / 65536;
    if (pages > 0) this.memory.grow(Math.ceil(pages));
    this.#words = new Int32Array(this.memory.buffer, 0, STATIC_BASE >> 2);
    this.#longs = new BigUint64Array(this.memory.buffer, 0, (EXCHANGE + 0x1000) >> 3);
    this.#ram = new Uint8Array(this.memory.buffer, RAM_BASE, ramSize);
    this.state = new CpuState(this.memory, this.exports);
    this.setMapping(0, ramSize, 'ram');
    this.exports.reset();
  }

  /** @throws RangeError when the engine cannot give that much memory. */
  static async create({ core, ram, host }: CpuOptions): Promise<Cpu> {
    if (ram > RAM_MAX || ram % 4096 !== 0) throw new RangeError(`${ram} bytes of RAM`);
    // The imports are made before the instance that they will serve.
    const made: { cpu?: Cpu } = {};
    const longs = () => made.cpu!.#longs;
    const translator = () => made.cpu?.translator;
    const imports: Record<string, (...args: number[]) => number | void> = {
      fault: () => {
        throw FAULT;
      },
      portIn: (port, size) => host.portIn(port! & 0xffff, size!),
      portOut: (port, size, value) => host.portOut(port! & 0xffff, size!, value! >>> 0),
      mmioRead: (address, size) => host.mmioRead(address! >>> 0, size!),
      mmioWrite: (address, size, value) => host.mmioWrite(address! >>> 0, size!, value! >>> 0),
      interruptVector: () => host.interruptVector(),
      timestamp: () => host.timestamp(),
      readMsr: (index) => {
        const value = host.readMsr(index! >>> 0);
        if (value === undefined) return 0;
        longs()[EXCHANGE >> 3] = BigInt.asUintN(64, value);
        return 1;
      },
      writeMsr: (index) => (host.writeMsr(index! >>> 0, longs()[EXCHANGE >> 3]!) ? 1 : 0),
      hypercall: () => host.hypercall?.(),
      vmiHost: (number, ...given) => {
        const result = host.vmiCall?.(number!, ...given.map((word) => word >>> 0)) ?? 0n;
        longs()[EXCHANGE >> 3] = result;
      },
      vmiTrace: (number, frame) => host.vmiTrace?.(number!, frame! >>> 0),
      blockHot: (block) => translator()?.blockHot(block! >>> 0),
      regionMisses: (descriptor, short) =>
        translator()?.regionMisses?.(descriptor! >>> 0, short !== 0),
      codeInvalidated: (page) => translator()?.codeInvalidated(page! >>> 0),
    };
    // asc names an import's module after the file that declares it.
    const byModule: Record<string, Record<string, (...args: number[]) => number | void>> = {};
    for (const { module, name } of WebAssembly.Module.imports(core)) {
      const given = imports[name];
      if (!given) throw new Error(`the core imports ${module}.${name}, which nobody gives`);
      (byModule[module] ??= {})[name] = given;
    }
    made.cpu = new Cpu(await WebAssembly.instantiate(core, byModule), ram);
    return made.cpu;
  }

  /** View of guest physical memory from address 0; stays valid (memory never grows later). */
  ram(): Uint8Array {
    return this.#ram;
  }

  /** Gives [start, end) of the physical address space to RAM, ROM (reads as RAM, ignores writes) or devices. */
  setMapping(start: number, end: number, kind: 'ram' | 'rom' | 'mmio'): void {
    const bits = kind === 'ram' ? PAGE_RAM : kind === 'rom' ? PAGE_RAM | PAGE_ROM : 0;
    for (let page = start >>> 12; page < Math.ceil(end / 4096); page++) {
      if (bits && (page + 1) * 4096 > this.ramSize) throw new RangeError('mapping beyond RAM');
      new DataView(this.memory.buffer).setUint32(PAGE_INFO + page * 4, bits, true);
    }
    this.exports.flushTlb(1);
  }

  /** What the core hands over besides words. */
  exchange(): Uint8Array {
    return new Uint8Array(this.memory.buffer, EXCHANGE, EXCHANGE_SIZE);
  }

  /** VMI calls made, by number: u32, wrapping. */
  vmiCounts(): Uint32Array {
    return new Uint32Array(this.memory.buffer, VMI_COUNTS, 128);
  }

  /** How TLB entries of address spaces that are left stay true: SPACES_* (shared/paravirt.ts). */
  setSpaces(how: number): void {
    this.#words[SPACES_KEPT >> 2] = how;
  }

  /** For so many instructions the time-stamp counter may go on without CpuHost.timestamp(). */
  setCounterSpan(instructions: number): void {
    this.#words[COUNTER_SPAN >> 2] = instructions;
  }

  /** CpuHost.vmiTrace is told of every call. */
  setVmiTraced(traced: boolean): void {
    this.#words[VMI_TRACED >> 2] = traced ? 1 : 0;
  }

  /**
   * Says what VMCALL is (FACE_*) and what CPUID answers from leaf 40000000h; without a leaf it shows
   * no hypervisor.
   */
  setFace(code: number, leaves: readonly CpuidLeaf[]): void {
    if (leaves.length > HYPERVISOR_LEAVES_MAX) throw new RangeError(`${leaves.length} leaves`);
    const words = leaves.flatMap(({ leaf, eax, ebx, ecx, edx }) => [leaf, eax, ebx, ecx, edx]);
    const memory = new Uint32Array(this.memory.buffer);
    memory[FACE >> 2] = code;
    memory.set([leaves.length, ...words], HYPERVISOR_LEAVES >> 2);
  }

  /** Drops decoded code in [start, end), which the host wrote. */
  codeWritten(start: number, end: number): void {
    for (let at = start; at < end;) {
      const next = Math.min(end, (Math.floor(at / 4096) + 1) * 4096);
      this.exports.invalidateCode(at, next - at);
      at = next;
    }
  }

  /**
   * Runs about `budget` instructions (less after an early exit, more up to the next place where the
   * budget is looked at). Gives EXIT_*.
   */
  run(budget: number): number {
    this.exports.start(budget);
    const exit = this.resume();
    const hot = this.#words[HOT_ENTRY >> 2]! >>> 0;
    if (hot) {
      this.#words[HOT_ENTRY >> 2] = 0;
      this.translator?.regionHot?.(hot);
    }
    return exit;
  }

  private resume(): number {
    for (;;) {
      try {
        const exit = this.exports.run();
        if (exit !== EXIT_FLUSHED) return exit;
        this.translator?.blocksFlushed();
        this.exports.flushBlocks();
      } catch (thrown) {
        if (thrown !== FAULT) throw thrown;
        this.#throws++;
      }
    }
  }

  /** Makes run() return at the next place where the budget is looked at. */
  requestStop(): void {
    this.#words[STOP >> 2] = 1;
  }

  setInterrupt(level: boolean): void {
    this.#words[INTR >> 2] = level ? 1 : 0;
  }

  raiseNmi(): void {
    this.#words[NMI >> 2] = 1;
  }

  /** Guest instructions retired; exact in CpuHost's functions and after run(). */
  retired(): number {
    const words = this.#words;
    return (
      // In words: a BigInt each time cost more than the rest of RDTSC.
      (words[INSTRUCTIONS >> 2]! >>> 0) +
      words[(INSTRUCTIONS >> 2) + 1]! * 2 ** 32 +
      words[SLICE >> 2]! -
      words[BUDGET >> 2]! +
      words[COUNT_CURRENT >> 2]!
    );
  }

  /** The state RESET leaves; memory stays. */
  reset(): void {
    this.translator?.blocksFlushed();
    this.exports.flushBlocks();
    this.exports.reset();
  }

  /** @param heat entries by the interpreter that make a block hot */
  attach(translator: CpuTranslator, heat: number): void {
    this.translator = translator;
    this.exports.setHeatLimit(heat);
  }

  /** The core's counters (assembly/shared/counters.ts), as they are: u32, wrapping. */
  counters(): Uint32Array {
    return new Uint32Array(this.memory.buffer, COUNTERS, COUNTERS_END);
  }

  /** Faults that unwound through a throw. */
  get throws(): number {
    return this.#throws;
  }
}
