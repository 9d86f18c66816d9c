/**
 * A machine whose guest is a program of a test: a flat kernel with Linux's selectors, paging, the
 * first 16 MiB mapped where they lie and at C0000000h, a gate for every vector. A program ends by
 * HLT with interrupts off, where the test reads what it left.
 *
 * One machine serves many programs: it is reset in between, which costs less than a new one.
 */
import { Machine, type MachineOptions, type Outcome } from '../../host/machine.ts';
import type { RegisterName } from '../../host/state.ts';
import { CALLS, callNamed } from '../../host/vmi/calls.ts';
import { ROM_ADDRESS, routineOffset } from '../../host/vmi/rom.ts';
import { coreBytes, coreModule, translatedInstructions } from '../lib/tiers.ts';
import { kernel } from '../lib/kernels.ts';
import { Assembler, CLI, dword, HLT, PUSHA } from './assembler.ts';

export const MEMORY = 16 << 20;

/** Selectors of the GDT, as in Linux 2.6.32. */
export const KERNEL_CS = 0x60;
export const KERNEL_DS = 0x68;
export const USER_CS = 0x73;
export const USER_DS = 0x7b;
export const TSS_SELECTOR = 0x80;
export const LDT_SELECTOR = 0x88;
/** A second task state segment, for SetTR. */
export const TSS2_SELECTOR = 0x90;

// Physical memory; mapped where it lies.
export const PROGRAM = 0x101000;
export const GDT = 0x200000;
export const IDT = 0x201000;
export const TSS = 0x202000;
export const TSS2 = 0x202800;
export const LDT = 0x203000;
const HANDLERS = 0x204000;
/** Pointers to the routines, by call number, for CALL [pointer]. */
export const POINTERS = 0x206000;
const FAULT = 0x207000;
/** A page for the program's own variables, and one for what it reports. */
export const VARIABLES = 0x208000;
export const REPORT = 0x209000;
/** Top of the stack: a page below it, and the stack of ring 0 when it is entered from ring 3. */
export const STACK = 0x20c000;
export const ENTRY_STACK = 0x20e000;
const TABLES = 0x220000;
const DESCRIPTORS = 0x20f000;
/** Two MiB that nothing else uses. */
export const DATA = 0x400000;
export const DATA_END = 0x600000;

/** Where the lowest memory is mapped a second time, as Linux maps it. */
export const HIGH = 0xc0000000;
/** What ring 3 may touch: a page of code, a page of data, and the ROM. */
export const USER_CODE = 0x8000000;
export const USER_DATA = 0x8001000;
export const USER_ROM = 0x9000000;
export const USER_PHYSICAL = 0x380000;
const APIC = 0xfee00000;

export const PRESENT = 1;
export const WRITABLE = 2;
export const USER = 4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;
export const GLOBAL = 0x100;

/** Linear address of a call's routine, where a Linux kernel sees the ROM. */
export function routine(name: string, base = HIGH + ROM_ADDRESS): number {
  return base + routineOffset(callNamed(name));
}

export type Paging = '32-bit' | 'PAE';

export interface GuestOptions extends Partial<MachineOptions> {
  paging?: Paging;
}

/** How a program ended. */
export interface Ending {
  kind: Outcome['kind'];
  /** Of the exception nobody expected; undefined: the program came to its own HLT. */
  vector: number | undefined;
  /** The words of its frame: error code, if there is one, EIP, CS, EFLAGS. */
  frame: number[];
  cr2: number;
}

/** Writes to memory before the start; the assembler knows where the labels are. */
export type Prepare = (guest: Guest, a: Assembler) => void;

export class Guest {
  private constructor(
    readonly machine: Machine,
    private readonly paging: Paging,
  ) {}

  static async create({ paging = '32-bit', ...options }: GuestOptions = {}): Promise<Guest> {
    const machine = await Machine.create({
      core: coreModule(),
      coreBytes: coreBytes(),
      kernel: kernel(CLI, 0xe9, dword(PROGRAM - 0x100026)),
      memory: MEMORY,
      clock: 'virtual',
      jit: false,
      // Not before it has run once: where a branch through a register goes is seen then.
      translator: { heatLimit: 2, batch: 1 },
      hostNow: () => performance.now() * 1e6,
      paravirt: 'vmi',
      ...options,
    });
    return new Guest(machine, paging);
  }

  get view(): DataView {
    const ram = this.machine.cpu.ram();
    return new DataView(ram.buffer, ram.byteOffset, ram.length);
  }
  word(address: number): number {
    return this.view.getUint32(address, true);
  }
  register(name: RegisterName): number {
    return this.machine.cpu.state.register(name);
  }
  /** Instructions that translated code has retired since the machine was made. */
  get translated(): number {
    return translatedInstructions(this.machine.cpu);
  }

  /**
   * Resets the machine, builds the kernel around the program and runs it to its end.
   * @param prepare writes more to memory before the start
   */
  run(program: (a: Assembler) => void, prepare: Prepare = () => {}): Ending {
    this.load(program, prepare);
    return this.go();
  }

  load(program: (a: Assembler) => void, prepare: Prepare = () => {}): void {
    const { machine } = this;
    machine.pressReset();
    const ram = machine.cpu.ram();
    const a = new Assembler(PROGRAM);
    this.build();
    this.prologue(a);
    program(a);
    a.emit(CLI, HLT);
    ram.set(a.finish(), PROGRAM);
    prepare(this, a);
    machine.cpu.codeWritten(0, ram.length);
  }

  go(slices = 2000): Ending {
    for (let i = 0; i < slices; i++) {
      const { kind } = this.machine.runSlice();
      if (kind === 'running' || kind === 'idle') continue;
      const vector = this.word(FAULT + 8) || undefined;
      const at = this.word(FAULT);
      const frame = vector === undefined ? [] : [0, 1, 2, 3, 4].map((i) => this.word(at + 4 * i));
      return { kind, vector: vector && vector - 1, frame, cr2: this.word(FAULT + 4) };
    }
    throw new Error(`runs on and on at ${this.machine.cpu.state.eip.toString(16)}`);
  }

  /** Maps a page in the tables that the prologue loads, as one that has been used already. */
  map(linear: number, physical: number, flags: number): void {
    const pae = this.paging === 'PAE';
    const [shift, size] = pae ? [21, 8] : [22, 4];
    const directory = TABLES + (pae ? 0x1000 : 0) + size * (linear >>> shift);
    if (this.word(directory) === 0) {
      this.view.setUint32(directory, this.nextTable | ACCESSED | 7, true);
      this.nextTable += 0x1000;
    }
    const table = this.word(directory) & ~0xfff;
    const index = (linear >>> 12) & (pae ? 511 : 1023);
    this.view.setUint32(table + size * index, physical | ACCESSED | DIRTY | flags, true);
  }

  /** Linear address, in the first 16 MiB, of the entry that maps a page. */
  entryOf(linear: number): number {
    const pae = this.paging === 'PAE';
    const [shift, size] = pae ? [21, 8] : [22, 4];
    const directory = TABLES + (pae ? 0x1000 : 0) + size * (linear >>> shift);
    const index = (linear >>> 12) & (pae ? 511 : 1023);
    return (this.word(directory) & ~0xfff) + size * index;
  }

  private nextTable = 0;

  private build(): void {
    const word = (address: number, value: number) => this.view.setUint32(address, value, true);
    const descriptor = (selector: number, base: number, limit: number, access: number) => {
      const at = GDT + (selector & ~7);
      word(at, (limit & 0xffff) | (base << 16));
      word(at + 4, (base & 0xff000000) | (limit & 0xf0000) | ((base >> 16) & 0xff) | access);
    };
    const flat = 0x00c00000;
    descriptor(KERNEL_CS, 0, 0xfffff, flat | 0x9b00);
    descriptor(KERNEL_DS, 0, 0xfffff, flat | 0x9300);
    descriptor(USER_CS, 0, 0xfffff, flat | 0xfb00);
    descriptor(USER_DS, 0, 0xfffff, flat | 0xf300);
    descriptor(TSS_SELECTOR, TSS, 0x67, 0x8900);
    descriptor(TSS2_SELECTOR, TSS2, 0x67, 0x8900);
    descriptor(LDT_SELECTOR, LDT, 0xff, 0x8200);
    for (const at of [TSS, TSS2]) {
      word(at + 4, ENTRY_STACK);
      word(at + 8, KERNEL_DS);
      word(at + 0x64, 0x68 << 16); // no I/O bitmap
    }
    for (let vector = 0; vector < 256; vector++) this.gate(vector, HANDLERS + 16 * vector);
    this.handlers();
    for (const { number, name } of CALLS) word(POINTERS + 4 * number, routine(name));

    const pae = this.paging === 'PAE';
    this.nextTable = TABLES + (pae ? 0x5000 : 0x1000);
    if (pae) for (let i = 0; i < 4; i++) word(TABLES + 8 * i, (TABLES + 0x1000 * (i + 1)) | 1);
    for (let at = 0; at < MEMORY; at += 0x1000) {
      this.map(at, at, PRESENT | WRITABLE);
      this.map(HIGH + at, at, PRESENT | WRITABLE | GLOBAL);
    }
    this.map(POINTERS, POINTERS, PRESENT | WRITABLE | GLOBAL);
    this.map(USER_CODE, USER_PHYSICAL, PRESENT | WRITABLE | USER);
    this.map(USER_DATA, USER_PHYSICAL + 0x1000, PRESENT | WRITABLE | USER);
    this.map(USER_ROM, ROM_ADDRESS, PRESENT | WRITABLE | USER);
    this.map(APIC, APIC, PRESENT | WRITABLE);
  }

  /** Points an interrupt gate at code. Ring 3 may call vector 80h. */
  gate(vector: number, handler: number): void {
    const access = vector === 0x80 ? 0xee00 : 0x8e00;
    this.view.setUint32(IDT + 8 * vector, (KERNEL_CS << 16) | (handler & 0xffff), true);
    this.view.setUint32(IDT + 8 * vector + 4, (handler & 0xffff0000) | access, true);
  }

  /** What is not expected: notes where and stops. */
  private handlers(): void {
    const ram = this.machine.cpu.ram();
    const common = HANDLERS + 16 * 256;
    for (let vector = 0; vector < 256; vector++) {
      const a = new Assembler(HANDLERS + 16 * vector);
      ram.set(
        a
          .set(FAULT + 8, vector + 1)
          .jump(common)
          .finish(),
        a.origin,
      );
    }
    const a = new Assembler(common);
    a.store(FAULT, 'esp')
      .emit(PUSHA)
      .emit(0x0f, 0x20, 0xd0)
      .store(FAULT + 4, 'eax');
    ram.set(a.emit(HLT).finish(), common);
  }

  private prologue(a: Assembler): void {
    const pae = this.paging === 'PAE';
    const ram = this.machine.cpu.ram();
    ram.set([0xff, 0, ...dword(GDT)], DESCRIPTORS);
    ram.set([0xff, 7, ...dword(IDT)], DESCRIPTORS + 8);
    a.emit(0x0f, 0x01, 0x15, dword(DESCRIPTORS)); // lgdt
    a.emit(0x0f, 0x01, 0x1d, dword(DESCRIPTORS + 8)); // lidt
    a.mov('eax', TABLES).emit(0x0f, 0x22, 0xd8); // mov cr3, eax
    a.mov('eax', pae ? 0x6b0 : 0x690).emit(0x0f, 0x22, 0xe0); // PSE PGE OSFXSR OSXMMEXCPT
    a.mov('eax', 0x80050033).emit(0x0f, 0x22, 0xc0); // PG AM WP NE ET MP PE
    a.jumpFar(KERNEL_CS, 'flat').label('flat');
    a.loadSegment(2, KERNEL_DS).mov('esp', STACK);
    for (const segment of [0, 3]) a.loadSegment(segment, USER_DS);
    a.emit(0x31, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8); // FS, GS: null
    a.emit(0x66, 0xb8, TSS_SELECTOR, 0, 0x0f, 0x00, 0xd8); // ltr
    a.out(0x21, 0xff).out(0xa1, 0xff); // no interrupts but those that the program asks for
  }
}

/** The root of the tables that the prologue loads. */
export const ROOT = TABLES;
