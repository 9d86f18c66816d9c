/**
 * Address spaces that are switched between and changed while away: a guest that works off a list
 * of small operations on its page tables, and what makes such lists. Every change is announced as
 * the ABI asks for, and the current space's entries are flushed as hardware asks for, so what the
 * guest sees may not depend on whether TLB entries are kept across SetCR3.
 */
import { IRET, NOT_EQUAL, type Assembler } from './assembler.ts';
import {
  DATA,
  DATA_END,
  PRESENT,
  ROOT,
  routine,
  STACK,
  USER,
  USER_CODE,
  USER_CS,
  USER_DATA,
  USER_DS,
  USER_PHYSICAL,
  VARIABLES,
  WRITABLE,
  type Guest,
  type Paging,
} from './guest.ts';

// --- The guest -----------------------------------------------------------------------------------

/** What the operations are to do, three words each; see `operations`. */
export type Operation = readonly [name: OperationName, a?: number, b?: number, c?: number];

const OPERATIONS = 0x140000;
const NEXT = VARIABLES;
const LOG_END = VARIABLES + 4;
/** What operations read, one word each, and what faults were, in order. */
export const LOG = DATA;
export const LOG_LIMIT = DATA_END;
/** Where in a page a probe reads, writes and (0) runs code. */
const READ_AT = 0x100;
const WRITE_AT = 0x200;

/** Code of each; EBX, ECX, EDX are the operands. It ends by RET, or by a fault that is logged. */
const CODE = {
  switchTo: (a) => a.emit(0x89, 0xd8).call(routine('SetCR3')),
  switchNatively: (a) => a.emit(0x0f, 0x22, 0xdb),
  /** Entry EBX at ECX, flags EDX. */
  set: (a) => a.emit(0x89, 0xd8, 0x87, 0xca).call(routine('SetPxE')),
  setLong: (a) =>
    a.emit(0x52, 0x89, 0xd8, 0x31, 0xd2).call(routine('SetPxELong')).emit(0x83, 0xc4, 4),
  update: (a) => a.emit(0x89, 0xc8).call(routine('UpdatePxE')),
  updateLong: (a) => a.emit(0x89, 0xc8).call(routine('UpdatePxELong')),
  store: (a) => a.emit(0x89, 0x19),
  invalidate: (a) => a.emit(0x89, 0xd8).call(routine('InvalPage')),
  invalidateNatively: (a) => a.emit(0x0f, 0x01, 0x3b),
  flush: (a) => a.emit(0x89, 0xd8).call(routine('FlushTLB')),
  allocate: (a) =>
    a
      .push(0)
      .push(0)
      .emit(0x89, 0xd8, 0x87, 0xca)
      .call(routine('AllocatePage'))
      .emit(0x83, 0xc4, 8),
  release: (a) => a.emit(0x89, 0xd8, 0x89, 0xca).call(routine('ReleasePage')),
  lazy: (a) => a.emit(0x89, 0xd8).call(routine('SetLazyMode')),
  setCr0: (a) => a.emit(0x89, 0xd8).call(routine('SetCR0')),
  setCr0Natively: (a) => a.emit(0x0f, 0x22, 0xc3),
  setCr4Natively: (a) => a.emit(0x0f, 0x22, 0xe3),
  setCr4: (a) => a.emit(0x89, 0xd8).call(routine('SetCR4')),
  zero: (a) => a.emit(0x89, 0xdf, 0x31, 0xc0).mov('ecx', 1024).emit(0xf3, 0xab),
  read: (a) => a.emit(0x8b, 0x83, READ_AT & 0xff, READ_AT >> 8, 0, 0).call('log'),
  write: (a) => a.emit(0x89, 0x8b, WRITE_AT & 0xff, WRITE_AT >> 8, 0, 0),
  run: (a) => a.emit(0xff, 0xd3).call('log'),
  /** Reads ECX pages from EBX on. */
  touch: (a) =>
    a
      .emit(0x31, 0xc0)
      .label('touching')
      .emit(0x03, 0x83, READ_AT & 0xff, READ_AT >> 8, 0, 0, 0x81, 0xc3, 0, 0x10, 0, 0, 0x49)
      .jumpIf(NOT_EQUAL, 'touching')
      .call('log'),
  userRead: (a) => user(a, 0),
  userWrite: (a) => user(a, 0x10),
  userRun: (a) => user(a, 0x20),
} satisfies Record<string, (a: Assembler) => unknown>;

export type OperationName = keyof typeof CODE;

function user(a: Assembler, offset: number): Assembler {
  a.push(USER_DS)
    .push(USER_DATA + 0x800)
    .push(2)
    .push(USER_CS)
    .push(USER_CODE + offset);
  return a.emit(IRET);
}

const USER_PROGRAM = [
  [0x8b, 0x83, READ_AT & 0xff, READ_AT >> 8, 0, 0, 0xcd, 0x80],
  [0x89, 0x8b, WRITE_AT & 0xff, WRITE_AT >> 8, 0, 0, 0xcd, 0x80],
  [0xff, 0xd3, 0xcd, 0x80],
];

function program(a: Assembler): void {
  a.jump('begin');
  a.label('log').load('edi', LOG_END).emit(0xab).store(LOG_END, 'edi').emit(0xc3);
  for (const [name, code] of Object.entries(CODE)) {
    a.label(name);
    code(a);
    a.emit(0xc3);
  }
  // INT 80h of ring 3: what it read.
  a.label('back').call('log').jump('next');
  a.label('fault').emit(0x58).call('log').emit(0x0f, 0x20, 0xd0).call('log').jump('next');
  a.label('begin').set(NEXT, OPERATIONS).set(LOG_END, LOG);
  a.label('next').mov('esp', STACK).load('esi', NEXT);
  // lodsd; and the operands into EBX, ECX, EDX
  a.emit(0xad, 0x8b, 0x1e, 0x8b, 0x4e, 4, 0x8b, 0x56, 8, 0x83, 0xc6, 12).store(NEXT, 'esi');
  a.emit(0x85, 0xc0).jumpIf(4, 'end').emit(0xff, 0xd0).jump('next');
  a.label('end');
}

/** Physical memory that the spaces use. */
export const POOL = 0x600000;
export const POOL_PAGES = 64;
export const TABLE_PAGES = 0x800000;

export function load(guest: Guest, spaces: Spaces, operations: readonly Operation[]): void {
  guest.load(program, (_, a) => {
    const { view } = guest;
    guest.gate(14, a.addressOf('fault'));
    guest.gate(0x80, a.addressOf('back'));
    const ram = guest.machine.cpu.ram();
    USER_PROGRAM.forEach((code, i) => ram.set(code, USER_PHYSICAL + 0x10 * i));
    for (let i = 0; i < POOL_PAGES; i++) writePoolPage(view, POOL + 0x1000 * i, 0x1000 + i);
    // What the large page maps.
    for (let i = 0; i < 1024; i++) writePoolPage(view, LARGE + 0x1000 * i, 0x8000 + i);
    spaces.build(guest);
    operations.forEach(([name, x = 0, y = 0, z = 0], i) => {
      [a.addressOf(name), x, y, z].forEach((word, j) =>
        view.setUint32(OPERATIONS + 16 * i + 4 * j, word, true),
      );
    });
  });
}

/** A word to read, and code that gives it: mov eax, value; ret. */
function writePoolPage(view: DataView, at: number, value: number): void {
  view.setUint8(at, 0xb8);
  view.setUint32(at + 1, value, true);
  view.setUint8(at + 5, 0xc3);
  view.setUint32(at + READ_AT, value, true);
}

// --- The spaces ----------------------------------------------------------------------------------

/** Where every space has its own pages, of several tables. */
export const AREA = 0x40000000;
export const TABLES_EACH = 3;
/** Kernel pages that every space has through the same table. */
export const SHARED = 0xf80000;
/** A large page maps this; it also holds SHARED's pages. */
export const LARGE = 0xc00000;
const PS = 0x80;
const ROOT_FLAGS = 0x42;
const TABLE_FLAGS = 0x41;

export interface Space {
  root: number;
  /** PAE: the page directory of AREA. */
  directory: number;
  tables: number[];
}

/** The model of the guest's tables: which page serves as what. */
export class Spaces {
  readonly all: Space[] = [];
  private free: number[] = [];
  readonly pae: boolean;
  readonly entrySize: number;
  /** Linear memory that one table maps. */
  readonly span: number;

  constructor(paging: Paging, count: number) {
    this.pae = paging === 'PAE';
    this.entrySize = this.pae ? 8 : 4;
    this.span = this.pae ? 0x200000 : 0x400000;
    for (let i = 0; i < 300; i++) this.free.push(TABLE_PAGES + 0x1000 * i);
    for (let i = 0; i < count; i++) {
      const root = this.take();
      const directory = this.pae ? this.take() : root;
      const tables = Array.from({ length: TABLES_EACH }, () => this.take());
      this.all.push({ root, directory, tables });
    }
  }

  /** A page that serves as nothing. The ones given back last come first: pages change their roles. */
  take(): number {
    return this.free.pop()!;
  }
  give(page: number): void {
    this.free.push(page);
  }

  address(table: number, page: number): number {
    return AREA + table * this.span + 0x1000 * page;
  }
  /** Of a table, in physical memory, which is mapped where it lies. */
  entry(table: number, page: number): number {
    return table + this.entrySize * page;
  }
  /** The directory's entry of a table of AREA. */
  directoryEntry(space: Space, table: number): number {
    const first = this.pae ? 0 : AREA >>> 22;
    return space.directory + this.entrySize * (first + table);
  }
  pointerEntry(space: Space): number {
    return space.root + 8 * (AREA >>> 30);
  }

  /** Words of a root that maps the kernel as the prologue's tables do. */
  kernelPart(guest: Guest): [offset: number, value: number][] {
    const words: [number, number][] = [];
    for (let at = 0; at < (this.pae ? 32 : 4096); at += 4) {
      const value = guest.word(ROOT + at);
      if (value !== 0 && !(this.pae && at >>> 3 === AREA >>> 30)) words.push([at, value]);
    }
    return words;
  }

  build(guest: Guest): void {
    const { view } = guest;
    for (const space of this.initial) {
      for (const [at, value] of this.kernelPart(guest))
        view.setUint32(space.root + at, value, true);
      if (this.pae) view.setUint32(this.pointerEntry(space), space.directory | PRESENT, true);
      space.tables.forEach((table, t) => {
        view.setUint32(this.directoryEntry(space, t), table | LINK, true);
        for (let p = 0; p < PAGES_EACH; p++) {
          const pool = POOL + 0x1000 * ((this.initial.indexOf(space) * 7 + t * 5 + p) % POOL_PAGES);
          view.setUint32(this.entry(table, p), pool | LINK, true);
        }
      });
    }
  }

  /** As they are built; `all` is as they are after the operations so far. */
  private initial: Space[] = [];
  start(): void {
    this.initial = this.all.map((space) => ({ ...space, tables: [...space.tables] }));
  }
}

export const PAGES_EACH = 6;
export const LINK = PRESENT | WRITABLE | USER;
export const LARGE_ENTRY = LARGE | LINK | PS;
export { ROOT_FLAGS, TABLE_FLAGS };
