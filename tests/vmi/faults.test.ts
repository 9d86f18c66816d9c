// A call that faults does so as the CALL itself would: EIP at the CALL, ESP as before it, nothing
// else changed; and when the handler has mended the cause, the CALL is made again.

import { beforeAll, describe, expect, test } from 'vitest';
import { AP_STATE_SIZE } from '../../assembly/shared/paravirt.ts';
import { callNamed } from '../../host/vmi/calls.ts';
import { dword, IRET, NOT_EQUAL, PUSHA, POPA, type Assembler, type Target } from './assembler.ts';
import {
  DATA,
  GDT,
  KERNEL_CS,
  POINTERS,
  PRESENT,
  PROGRAM,
  routine,
  STACK,
  VARIABLES,
  WRITABLE,
  type Guest,
} from './guest.ts';
import { guestOf, VMI_TIER_NAMES } from './tiers.ts';

/** The page that is not there, until the handler maps it. */
const WILD = 0x700000;
const COUNT = VARIABLES;
const FAULTS = VARIABLES + 4;
/** What the last fault looked like: EIP, ESP, CR2, error code, EFLAGS; then registers as PUSHA. */
const SEEN = VARIABLES + 0x10;
const SEEN_REGISTERS = VARIABLES + 0x40;
const ROUNDS = 30;
const REGISTER_WORDS = 8;

/** Every way a compiler or Linux's patcher writes a near CALL of a routine. */
const SITES: Record<string, { length: number; emit: (a: Assembler, name: string) => unknown }> = {
  'E8 rel32': { length: 5, emit: (a, name) => a.call(routine(name)) },
  'FF 15 [address]': { length: 6, emit: (a, name) => a.callThrough(pointerOf(name)) },
  '2E FF 15 [address]': { length: 7, emit: (a, name) => a.emit(0x2e).callThrough(pointerOf(name)) },
  'FF D6: ESI': {
    length: 2,
    emit: (a, name) => a.mov('esi', routine(name)).label('site').emit(0xff, 0xd6),
  },
  'FF 56 disp8: [ESI+8]': {
    length: 3,
    emit: (a, name) =>
      a
        .mov('esi', pointerOf(name) - 8)
        .label('site')
        .emit(0xff, 0x56, 8),
  },
  'FF 97 disp32: [EDI+address]': {
    length: 6,
    emit: (a, name) =>
      a
        .mov('edi', 4)
        .label('site')
        .emit(0xff, 0x97, dword(pointerOf(name) - 4)),
  },
};
const pointerOf = (name: string): number => POINTERS + 4 * callNamed(name).number;

/** Notes what it finds, mends it, and goes back. Every exception here has an error code. */
function handler(a: Assembler, mend: (a: Assembler) => void): void {
  a.jump('start').label('handler').emit(PUSHA, 0xfc).inc(FAULTS);
  a.emit(0x8b, 0x44, 0x24, 0x24).store(SEEN, 'eax'); // mov eax, [esp+24h]: EIP
  a.emit(0x8d, 0x44, 0x24, 0x30).store(SEEN + 4, 'eax'); // lea eax, [esp+30h]: ESP before
  a.emit(0x0f, 0x20, 0xd0).store(SEEN + 8, 'eax'); // CR2
  a.emit(0x8b, 0x44, 0x24, 0x20).store(SEEN + 12, 'eax'); // error code
  a.emit(0x8b, 0x44, 0x24, 0x2c).store(SEEN + 16, 'eax'); // EFLAGS
  a.emit(0x89, 0xe6).mov('edi', SEEN_REGISTERS); // mov esi, esp
  a.mov('ecx', REGISTER_WORDS).emit(0xf3, 0xa5); // rep movsd
  mend(a);
  a.emit(POPA, 0x83, 0xc4, 4, IRET).label('start');
}

interface Setup {
  name: string;
  vector: number;
  registers?: Partial<Record<'eax' | 'ecx' | 'edx', number>>;
  stack?: Target[];
  site?: string;
  /** Before each call. */
  before?: (a: Assembler) => void;
  mend: (a: Assembler) => void;
}

const FLAGS = 0x8d7;

/** Runs a call that faults, ROUNDS times; gives the address of the CALL. */
function run(guest: Guest, setup: Setup): { site: number; behind: number } {
  const { name, vector, registers = {}, stack = [], site = 'E8 rel32' } = setup;
  const { emit, length } = SITES[site]!;
  let behind = 0;
  const ending = guest.run(
    (a) => {
      handler(a, setup.mend);
      a.set(COUNT, ROUNDS).label('again');
      setup.before?.(a);
      a.mov('esp', STACK);
      for (const value of [...stack].reverse()) a.push(value);
      a.mov('ebx', 0xb0b0b0b0).mov('ebp', 0xebebebeb);
      a.push(FLAGS).emit(0x9d);
      for (const [register, value] of Object.entries(registers)) {
        a.mov(register as 'eax', value);
      }
      emit(a, name);
      a.label('behind').dec(COUNT).jumpIf(NOT_EQUAL, 'again');
    },
    (_, a) => {
      behind = a.addressOf('behind');
      guest.gate(vector, a.addressOf('handler'));
    },
  );
  expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
  expect(guest.word(FAULTS)).toBe(ROUNDS);
  expect(guest.word(SEEN)).toBe(behind - length);
  expect(guest.word(SEEN + 4)).toBe(STACK - 4 * stack.length);
  expect(guest.word(SEEN + 16) & 0xcd5).toBe(FLAGS & 0xcd5);
  const saved = (i: number) => guest.word(SEEN_REGISTERS + 4 * i);
  expect([saved(2), saved(4)]).toEqual([0xebebebeb, 0xb0b0b0b0]);
  for (const [register, value] of Object.entries(registers)) {
    expect([register, saved({ eax: 7, ecx: 6, edx: 5 }[register]!)]).toEqual([register, value]);
  }
  return { site: behind - length, behind };
}

interface Wild {
  name: string;
  registers: Partial<Record<'eax' | 'ecx' | 'edx', number>>;
  stack?: number[];
  /** First address that misses; does it write? */
  at: number;
  writes: boolean;
  /** What is in memory afterwards. */
  left?: Record<number, number>;
}

const EDGE = WILD - 2;
const POINTER_CALLS: Wild[] = [
  { name: 'SetGDT', registers: { eax: WILD + 0x10 }, at: WILD + 0x10, writes: false },
  { name: 'SetIDT', registers: { eax: WILD + 0x20 }, at: WILD + 0x20, writes: false },
  {
    name: 'GetGDT',
    registers: { eax: WILD + 0x30 },
    at: WILD + 0x30,
    writes: true,
    left: { [WILD + 0x32]: GDT },
  },
  { name: 'GetIDT', registers: { eax: WILD + 0x40 }, at: WILD + 0x40, writes: true },
  ...['WriteGDTEntry', 'WriteLDTEntry', 'WriteIDTEntry'].flatMap((name): Wild[] => [
    {
      name,
      registers: { eax: WILD, edx: 3, ecx: 0x11112222 },
      stack: [0x33334444],
      at: WILD + 0x18,
      writes: true,
      left: { [WILD + 0x18]: 0x11112222, [WILD + 0x1c]: 0x33334444 },
    },
    {
      name,
      registers: { eax: WILD - 4, edx: 0, ecx: 0x55556666 },
      stack: [0x77778888],
      at: WILD,
      writes: true,
      left: { [WILD - 4]: 0x55556666, [WILD]: 0x77778888 },
    },
  ]),
  {
    name: 'SetPxE',
    registers: { eax: 0x345067, edx: WILD + 4, ecx: 1 },
    at: WILD + 4,
    writes: true,
    left: { [WILD + 4]: 0x345067 },
  },
  {
    name: 'SetPxELong',
    registers: { eax: 0x345067, edx: 1, ecx: WILD + 8 },
    stack: [1],
    at: WILD + 8,
    writes: true,
    left: { [WILD + 8]: 0x345067, [WILD + 12]: 1 },
  },
  {
    name: 'SetInitialAPState',
    registers: { eax: WILD - AP_STATE_SIZE + 4, edx: 1 },
    at: WILD,
    writes: false,
  },
];

describe.each(VMI_TIER_NAMES)('%s', (tier) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await guestOf(tier);
  });

  const entry = () => guest.entryOf(WILD);
  const unmap = (a: Assembler) => a.set(entry(), 0).mov('eax', WILD).emit(0x0f, 0x01, 0x38);
  const map = (a: Assembler) => a.set(entry(), WILD | PRESENT | WRITABLE | 0x60);

  /** For LGDT and LIDT: what they are to load lies in the page. */
  const descriptors = (a: Assembler): void => {
    a.emit(0x66, 0xc7, 0x05, dword(WILD + 0x10), 0xff, 0).set(WILD + 0x12, GDT);
    a.emit(0x66, 0xc7, 0x05, dword(WILD + 0x20), 0xff, 7).set(WILD + 0x22, 0x201000);
  };

  describe.each(Object.keys(SITES))('a page that is missing, the call by %s', (site) => {
    test.each(POINTER_CALLS.map((c, i) => [`${c.name} (${i})`, c] as const))('%s', (_, c) => {
      const { name, registers, stack } = c;
      run(guest, {
        ...{ name, vector: 14, registers, stack, site },
        before: (a) => {
          descriptors(a);
          unmap(a);
        },
        mend: map,
      });
      expect(guest.word(SEEN + 8)).toBe(c.at);
      expect(guest.word(SEEN + 12)).toBe(c.writes ? 2 : 0);
      for (const [at, value] of Object.entries(c.left ?? {})) {
        expect([at, guest.word(Number(at))]).toEqual([at, value]);
      }
      expect(guest.machine.cpu.state.gdtr).toEqual({ base: GDT, limit: 0xff });
    });
  });

  test('a page that is missing under a port’s string', () => {
    guest.run(
      (a) => {
        handler(a, map);
        a.set(COUNT, ROUNDS).label('again');
        unmap(a);
        a.mov('edx', 0xcf8).mov('eax', 0x80001234).emit(0xef); // out dx, eax
        a.mov('edi', EDGE).mov('ecx', 3).call(routine('INSL'));
        a.dec(COUNT).jumpIf(NOT_EQUAL, 'again');
      },
      (_, a) => guest.gate(14, a.addressOf('handler')),
    );
    expect(guest.word(FAULTS)).toBe(ROUNDS);
    expect([guest.word(EDGE), guest.word(EDGE + 4), guest.word(EDGE + 8)]).toEqual(
      new Array(3).fill(0x80001234),
    );
    expect(guest.register('edi')).toBe(EDGE + 12);
    expect(guest.register('ecx')).toBe(0);
  });

  /** Skips the call. */
  const skip = (a: Assembler) => a.emit(0xc7, 0x44, 0x24, 0x24).emitAddress('behind');

  test.each([
    ['IRET to no segment', 'IRET', ['behind', 0x50, 2], 0x50],
    ['IRET to a null selector', 'IRET', ['behind', 0, 2], 0],
    ['IRET to a data segment', 'IRET', ['behind', 0x68, 2], 0x68],
    ['IRET to ring 3 with a stack of ring 0', 'IRET', [0, 0x73, 2, 0, 0x68], 0x68],
  ] as [string, string, Target[], number][])('#GP at the site: %s', (_, name, stack, code) => {
    run(guest, { name, vector: 13, stack, mend: skip });
    expect(guest.word(SEEN + 12)).toBe(code);
  });

  test('IRET from a frame that is not mapped', () => {
    let site = 0;
    guest.run(
      (a) => {
        handler(a, map);
        a.set(COUNT, ROUNDS).label('again').mov('esp', STACK);
        a.set(WILD + 0xff4, 'behind')
          .set(WILD + 0xff8, KERNEL_CS)
          .set(WILD + 0xffc, 2);
        // The first word is in the page before: the return address can be pushed.
        a.set(WILD + 0x1000 - 0x1004, 'behind')
          .set(WILD, KERNEL_CS)
          .set(WILD + 4, 2);
        unmap(a)
          .mov('esp', WILD - 4)
          .call(routine('IRET'));
        site = a.here - 5;
        a.label('behind').mov('esp', STACK).dec(COUNT).jumpIf(NOT_EQUAL, 'again');
      },
      (_, a) => guest.gate(14, a.addressOf('handler')),
    );
    expect(guest.word(FAULTS)).toBe(ROUNDS);
    expect(guest.word(SEEN)).toBe(site);
    expect(guest.word(SEEN + 4)).toBe(WILD - 4);
    expect(guest.word(SEEN + 8)).toBe(WILD);
  });

  const noSysenter = (a: Assembler) =>
    a.mov('ecx', 0x174).mov('eax', 0).mov('edx', 0).emit(0x0f, 0x30);

  test.each([
    ['SYSEXIT without SYSENTER_CS', 'SYSEXIT', { ecx: DATA, edx: DATA }, 0],
    ['SetCR0: PG without PE', 'SetCR0', { eax: 0x80000010 }, 0],
    ['SetCR4: a bit that does not exist', 'SetCR4', { eax: 0x80000690 }, 0],
    ['RDMSR of no register', 'RDMSR', { ecx: 0x12345678 }, 0],
    ['WRMSR of no register', 'WRMSR', { ecx: 0x12345678, eax: 1, edx: 2 }, 0],
    ['RDPMC of no counter', 'RDPMC', { ecx: 77 }, 0],
    ['SetLDT of a code segment', 'SetLDT', { eax: KERNEL_CS }, KERNEL_CS],
    ['SetTR of the busy segment', 'SetTR', { eax: 0x80 }, 0x80],
    ['SetTR beyond the table', 'SetTR', { eax: 0x7f8 }, 0x7f8],
  ] as [string, string, Setup['registers'], number][])(
    '#GP at the site: %s',
    (_, name, registers, code) => {
      run(guest, { name, vector: 13, registers: registers!, mend: skip, before: noSysenter });
      expect(guest.word(SEEN + 12)).toBe(code);
    },
  );

  test('the CALL’s page mapped elsewhere meanwhile, and not flushed: it is where it was fetched', () => {
    let site = 0;
    const { vector, frame } = guest.run((a) => {
      a.set(guest.entryOf(PROGRAM), DATA | PRESENT | WRITABLE).mov('ecx', 0x12345678);
      site = a.here;
      a.call(routine('WRMSR'));
    });
    expect([vector, frame.slice(0, 2)]).toEqual([13, [0, site]]);
  });
});
