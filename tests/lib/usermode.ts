/**
 * A tiny kernel around user-mode code, so that a code sequence can run in the emulated CPU as it
 * runs in a process of the native harness: flat segments with Linux's selectors, privilege 3, the
 * same pages at the same addresses, every exception caught. Knows the CPU only through Processor.
 *
 * The kernel talks to this file through one port: a write says that a case has ended and its state
 * has been saved, a read asks whether another one is loaded. It uses architectural means alone
 * (FXRSTOR and IRET to enter, gates and FXSAVE to leave), so every tier can be under it.
 */
import {
  CODE,
  CODE_SIZE,
  DATA,
  FIXED,
  LOW,
  REGIONS,
  STACK,
  TRAP_TIMEOUT,
  USER_CODE,
  USER_DATA,
  fillWords,
  type Case,
  type Outcome,
} from '../native/layout.ts';
import { little } from '../native/random.ts';

/** 32-bit paging cannot forbid execution, and so does not report fetches in a page fault's code. */
export type Paging = 'PAE' | '32-bit';

/** A way to run the guest's code: interpreter, translator... */
export interface Tier {
  name: string;
  paging: Paging;
  run(c: Case): Promise<Outcome>;
  /** Of the instructions that should have run translated, how many did: 0 to 1. */
  share?(): number;
}

/** What the fixture needs of a CPU. */
export interface Processor {
  /** Guest physical memory. */
  ram: Uint8Array;
  /** Puts the CPU into flat 32-bit protected mode without paging, at privilege 0. */
  start(eip: number): void;
  /** Runs about so many instructions, or fewer when the port says stop. */
  run(budget: number): void | Promise<void>;
  requestStop(): void;
  codeWritten(start: number, end: number): void;
  /** A case is about to run; again: the one that ran last. */
  prepare?(again: boolean): void;
}

export interface Ports {
  portIn(port: number, size: number): number;
  portOut(port: number, size: number, value: number): void;
}

export const RAM_SIZE = 0x800000;
/** A trap in the fixture's own kernel; the vector is added. */
export const TRAP_KERNEL = 0x300;

// Physical memory. The kernel is mapped where it lies.
const DIRECTORY = 0x610000; // with PAE, four pages
const TABLES = 0x614000;
const KERNEL = 0x600000; // mapped from here
const KERNEL_SIZE = 0x10000;
const POINTER_TABLE = 0x601000;
const GDT = 0x607000;
const IDT = 0x607800;
const TSS = 0x608000;
const STUBS = 0x609000; // the kernel's code
const HANDLERS = 0x60c000; // 16 bytes a vector
const KERNEL_STACK = 0x60b000; // grows down from here
const OUT_FPU = 0x60e000;
const OUT_SEGMENTS = 0x60e200;
const OUT_CR2 = 0x60e218;
const OUT_VECTOR = 0x60e21c;
const OUT_ESP = 0x60e220;
const IN_FPU = 0x60e400;
const IN_FRAME = 0x60e800;
const POINTERS = 0x60ef00;
const PHYSICAL: Record<number, number> = {
  [LOW]: 0x700000,
  [CODE]: 0x702000,
  [DATA]: 0x704000,
  [FIXED]: 0x706000,
  [STACK]: 0x707000,
};

const PORT = 0xf4;
const KERNEL_CODE = 0x08;
const KERNEL_DATA = 0x10;
const TSS_SELECTOR = 0x18;
/** PG AM WP NE ET MP PE. */
const CR0 = 0x80050033;
/** OSXMMEXCPT OSFXSR. */
const CR4 = 0x600;
const CR4_PAE = 0x20;
const EFER = 0xc0000080;
const EFER_NXE = 0x800;
const SLICE = 20_000;
const SLICES = 50;

export class UserMode {
  private processor: Processor | null = null;
  private words: Uint32Array<ArrayBufferLike> = new Uint32Array(0);
  private loaded = false;
  private ended = false;
  private readonly initial = new Uint32Array(REGIONS.reduce((n, r) => n + r.size, 0) / 4);

  constructor(
    private readonly create: (ports: Ports) => Promise<Processor>,
    private readonly paging: Paging = 'PAE',
  ) {}

  /** @param again the case that ran last: what the processor made of its code stays */
  async run(c: Case, again = false): Promise<Outcome> {
    const processor = (this.processor ??= await this.boot());
    this.load(processor, c, again);
    processor.prepare?.(again);
    this.loaded = true;
    this.ended = false;
    for (let i = 0; i < SLICES && !this.ended; i++) {
      const pending = processor.run(SLICE);
      if (pending) await pending;
    }
    const outcome = this.outcome();
    if (!this.ended) {
      // It may be anywhere: the next case gets a new machine.
      this.processor = null;
      outcome.trap = TRAP_TIMEOUT;
    } else if (outcome.trap >= TRAP_KERNEL) {
      this.processor = null;
    }
    return outcome;
  }

  private async boot(): Promise<Processor> {
    const processor = await this.create({
      portIn: (port) => {
        if (port !== PORT) return 0xff;
        if (!this.loaded) {
          this.processor?.requestStop();
          return 0;
        }
        this.loaded = false;
        return 1;
      },
      portOut: (port) => {
        if (port === PORT) {
          this.ended = true;
          processor.requestStop();
        }
      },
    });
    this.words = new Uint32Array(processor.ram.buffer, processor.ram.byteOffset, RAM_SIZE / 4);
    this.build(processor.ram);
    processor.codeWritten(0, RAM_SIZE);
    processor.start(STUBS);
    return processor;
  }

  private build(ram: Uint8Array): void {
    const word = (address: number, value: number) => {
      this.words[address >> 2] = value;
    };
    this.pages(word);

    const descriptor = (selector: number, base: number, limit: number, access: number) => {
      word(GDT + (selector & ~7), (limit & 0xffff) | (base << 16));
      word(
        GDT + (selector & ~7) + 4,
        (base & 0xff000000) | (limit & 0xf0000) | ((base >> 16) & 0xff) | access,
      );
    };
    const flat = 0x00c00000;
    descriptor(KERNEL_CODE, 0, 0xfffff, flat | 0x9b00);
    descriptor(KERNEL_DATA, 0, 0xfffff, flat | 0x9300);
    descriptor(TSS_SELECTOR, TSS, 0x67, 0x8900);
    descriptor(USER_CODE, 0, 0xfffff, flat | 0xfb00);
    descriptor(USER_DATA, 0, 0xfffff, flat | 0xf300);
    word(TSS + 4, KERNEL_STACK);
    word(TSS + 8, KERNEL_DATA);
    word(TSS + 0x64, 0x68 << 16); // no I/O bitmap
    const gates = 256;
    for (let v = 0; v < gates; v++) {
      const handler = HANDLERS + 16 * v;
      // INT3 and INTO may be called from privilege 3, as on Linux.
      const access = v === 3 || v === 4 ? 0xee00 : 0x8e00;
      word(IDT + 8 * v, (KERNEL_CODE << 16) | (handler & 0xffff));
      word(IDT + 8 * v + 4, (handler & 0xffff0000) | access);
    }
    ram.set([...little(0x2f, 2), ...little(GDT, 4)], POINTERS);
    ram.set([...little(8 * gates - 1, 2), ...little(IDT, 4)], POINTERS + 8);
    this.code(ram, gates);
  }

  /** Page tables: user regions writable or not, the kernel for privilege 0 only; with PAE, NX. */
  private pages(word: (address: number, value: number) => void): void {
    const pae = this.paging === 'PAE';
    const shift = pae ? 21 : 22;
    const entrySize = pae ? 8 : 4;
    let table = TABLES;
    const tables = new Map<number, number>();
    const map = (linear: number, physical: number, size: number, bits: number, code = false) => {
      for (let at = 0; at < size; at += 0x1000) {
        const page = linear + at;
        const span = page >>> shift;
        if (!tables.has(span)) {
          tables.set(span, table);
          word(DIRECTORY + entrySize * span, table | 7);
          table += 0x1000;
        }
        const index = (page >>> 12) & (pae ? 511 : 1023);
        const entry = tables.get(span)! + entrySize * index;
        word(entry, (physical + at) | bits);
        if (pae && !code) word(entry + 4, 0x80000000);
      }
    };
    if (pae) {
      // The four directories follow each other, so that one index reaches over all of them.
      for (let i = 0; i < 4; i++) word(POINTER_TABLE + 8 * i, (DIRECTORY + 0x1000 * i) | 1);
    }
    map(KERNEL, KERNEL, KERNEL_SIZE, 3, true);
    for (const region of REGIONS)
      map(region.start, PHYSICAL[region.start], region.size, region.writable ? 7 : 5);
    map(CODE, PHYSICAL[CODE], CODE_SIZE, 7, true);
  }

  /** The kernel's code, by hand: start, enter a case, leave it. */
  private code(ram: Uint8Array, gates: number): void {
    const at32 = (address: number) => little(address, 4);
    const pae = this.paging === 'PAE';
    const start = [
      [0x0f, 0x01, 0x15, ...at32(POINTERS)], // lgdt
      [0x0f, 0x01, 0x1d, ...at32(POINTERS + 8)], // lidt
      [0xb8, ...at32(pae ? POINTER_TABLE : DIRECTORY), 0x0f, 0x22, 0xd8], // mov cr3
      [0xb8, ...at32(pae ? CR4 | CR4_PAE : CR4), 0x0f, 0x22, 0xe0], // mov cr4
      pae ? [0xb9, ...at32(EFER), 0xb8, ...at32(EFER_NXE), 0x31, 0xd2, 0x0f, 0x30] : [], // wrmsr
      [0xb8, ...at32(CR0), 0x0f, 0x22, 0xc0], // mov cr0
    ].flat();
    // The jump reloads CS and lands after itself.
    const next = STUBS + start.length + 7;
    start.push(0xea, ...at32(next), ...little(KERNEL_CODE, 2));
    start.push(0x66, 0xb8, ...little(KERNEL_DATA, 2), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0); // ds es ss
    start.push(0xbc, ...at32(KERNEL_STACK)); // mov esp
    start.push(0x66, 0xb8, ...little(TSS_SELECTOR, 2), 0x0f, 0x00, 0xd8); // ltr ax
    start.push(0x31, 0xc0, 0x0f, 0x00, 0xd0); // xor eax, eax; lldt ax
    const wait = STUBS + start.length;
    const enter = [
      [0xe4, PORT, 0x84, 0xc0, 0x74, 0xfa], // in al, PORT; test al, al; jz back
      [0x66, 0xb8, ...little(USER_DATA, 2), 0x8e, 0xd8, 0x8e, 0xc0], // ds, es
      [0x31, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8], // fs, gs: null
      [0x0f, 0xae, 0x0d, ...at32(IN_FPU)], // fxrstor
      [0xbc, ...at32(IN_FRAME), 0x61, 0xcf], // mov esp; popad; iret
    ].flat();
    ram.set([...start, ...enter], STUBS);
    const leave = STUBS + 0x200;
    const store = (segment: number) => [
      0x36,
      0x8c,
      0x05 | (segment << 3),
      ...at32(OUT_SEGMENTS + 4 * segment),
    ];
    const code = [
      [0x60], // pushad
      [0x36, 0x89, 0x25, ...at32(OUT_ESP)], // mov ss:[], esp
      [0, 3, 4, 5].flatMap(store),
      [0x36, 0x0f, 0xae, 0x05, ...at32(OUT_FPU)], // fxsave ss:[]
      [0x0f, 0x20, 0xd0, 0x36, 0xa3, ...at32(OUT_CR2)], // mov eax, cr2; mov ss:[], eax
      [0xe6, PORT], // out PORT, al
    ].flat();
    code.push(0xe9, ...at32(wait - (leave + code.length + 5)));
    ram.set(code, leave);
    for (let v = 0; v < gates; v++) {
      const here = HANDLERS + 16 * v;
      ram.set([0x36, 0xc7, 0x05, ...at32(OUT_VECTOR), v, 0, 0, 0], here); // mov dword ss:[], v
      ram.set([0xe9, ...at32(leave - (here + 16))], here + 11);
    }
  }

  private load(processor: Processor, c: Case, again: boolean): void {
    const { ram } = processor;
    fillWords(c.fill, this.initial);
    let at = 0;
    for (const region of REGIONS) {
      this.words.set(this.initial.subarray(at, at + region.size / 4), PHYSICAL[region.start] >> 2);
      at += region.size / 4;
    }
    for (const p of c.patches) {
      const region = REGIONS.find((r) => p.address >= r.start && p.address < r.start + r.size)!;
      ram.set(p.bytes, PHYSICAL[region.start] + p.address - region.start);
    }
    at = 0;
    for (const region of REGIONS) {
      const from = PHYSICAL[region.start] >> 2;
      this.initial.set(this.words.subarray(from, from + region.size / 4), at);
      at += region.size / 4;
    }
    if (!again || !this.holds(ram, c)) {
      const code = PHYSICAL[CODE];
      ram.fill(0xcc, code, code + CODE_SIZE);
      ram.set(c.code, code + c.entry - CODE);
      processor.codeWritten(code, code + CODE_SIZE);
    }
    ram.set(c.fpu, IN_FPU);
    const [eax, ecx, edx, ebx, esp, ebp, esi, edi] = c.regs;
    this.words.set(
      [edi, esi, ebp, 0, ebx, edx, ecx, eax, c.entry, USER_CODE, c.eflags, esp, USER_DATA],
      IN_FRAME >> 2,
    );
  }

  /** Is the code there as it was loaded? A program may have written to it. */
  private holds(ram: Uint8Array, c: Case): boolean {
    const code = PHYSICAL[CODE];
    const from = code + c.entry - CODE;
    for (let at = code; at < code + CODE_SIZE; at++) {
      if (ram[at] !== (c.code[at - from] ?? 0xcc)) return false;
    }
    return true;
  }

  private outcome(): Outcome {
    const { words } = this;
    const get = (address: number) => words[address >> 2];
    const saved = get(OUT_ESP) >>> 0;
    const frame = saved + 32;
    // With an error code the frame is a word longer.
    const hasCode = KERNEL_STACK - frame === 24;
    const at = hasCode ? frame + 4 : frame;
    const pushed = (i: number) => get(saved + 4 * i);
    const vector = get(OUT_VECTOR);
    const user = (get(at + 4) & 3) === 3;
    const changes = new Map<number, number>();
    let index = 0;
    for (const region of REGIONS) {
      const from = PHYSICAL[region.start] >> 2;
      for (let i = 0; i < region.size / 4; i++, index++)
        if (words[from + i] !== this.initial[index])
          changes.set(region.start + 4 * i, words[from + i]);
    }
    const segment = (n: number) => get(OUT_SEGMENTS + 4 * n) & 0xffff;
    const bytes = new Uint8Array(words.buffer, words.byteOffset);
    return {
      trap: user ? vector : TRAP_KERNEL + vector,
      error: hasCode ? get(frame) : 0,
      cr2: vector === 14 ? get(OUT_CR2) : 0,
      regs: Uint32Array.of(
        pushed(7),
        pushed(6),
        pushed(5),
        pushed(4),
        get(at + 12),
        pushed(2),
        pushed(1),
        pushed(0),
      ),
      eip: get(at),
      eflags: get(at + 8),
      segments: Uint32Array.of(
        segment(0),
        get(at + 4) & 0xffff,
        get(at + 16) & 0xffff,
        segment(3),
        segment(4),
        segment(5),
      ),
      fpu: bytes.slice(OUT_FPU, OUT_FPU + 512),
      changes,
    };
  }
}
