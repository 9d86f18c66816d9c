/**
 * One call of the ROM, or the instructions it stands for, in a loop that is run often enough to be
 * translated: registers are loaded from memory before, and stored there behind.
 */
import type { RegisterName } from '../../host/state.ts';
import { callNamed } from '../../host/vmi/calls.ts';
import {
  CLI,
  dword,
  NOP,
  NOT_EQUAL,
  POPA,
  POPF,
  PUSHA,
  PUSHF,
  REGISTERS,
  type Assembler,
  type Target,
} from './assembler.ts';
import { POINTERS, REPORT, routine, STACK, VARIABLES, type Ending, type Guest } from './guest.ts';

/** How a routine is called: a near CALL by its address, or through a pointer. */
export type Form = 'E8' | 'FF 15';
export const FORMS: readonly Form[] = ['E8', 'FF 15'];

export type Registers = Record<RegisterName, number>;

export interface CallCase {
  /** What it is about, where a call has several. */
  title?: string;
  /** Set before the call; the others hold values of no meaning. */
  registers?: Partial<Registers>;
  eflags?: number;
  /** What is on the stack, [ESP] first; a label of the loop is an address. */
  stack?: Target[];
  /** The instructions that the call stands for; none: nothing happens, or only `changes`. */
  native?: number[];
  /** Runs before each call; may change any register. */
  before?: (a: Assembler) => void;
  /** What differs from what the native instructions leave, or from the registers before. */
  changes?: { registers?: Partial<Registers>; eflags?: number };
  /** Writes to memory before the start. */
  prepare?: (guest: Guest, a: Assembler) => void;
  /** Looks at what is not in registers, memory and devices. */
  check?: (guest: Guest) => void;
  /**
   * Whether the ROM's routine was run does not show under the stack pointer: the call itself writes
   * there, or drops the TLB entry of the ROM, which translation wants to know.
   */
  unseen?: boolean;
  /** A REP that does not fit into one turn is made again, so that instructions do not count. */
  again?: boolean;
}

/** CF PF AF ZF SF OF: a call must leave them as they are. */
export const FLAGS = 0x8d7;
export const IF = 0x200;

const ROUNDS = 40;
const COUNT = VARIABLES;
/** As POPA and POPF take them. */
const IN = VARIABLES + 0x10;
const OUT_SEGMENTS = REPORT;
const OUT_ESP = REPORT + 0x20;
const OUT = REPORT + 0x40;
/** Left under the stack pointer, where the ROM's routine pushes. */
const UNTOUCHED = 0x0badcafe;

const DEFAULTS: Registers = {
  eax: 0x11111111,
  ecx: 0x22222222,
  edx: 0x33333333,
  ebx: 0x44444444,
  esp: 0,
  ebp: 0x55555555,
  esi: 0x66666666,
  edi: 0x77777777,
};

export interface Result {
  ending: Ending;
  registers: Registers;
  eflags: number;
  segments: number[];
  /** Who made the last call: the ROM's routine, which pushes, or nobody that does. */
  pushed: boolean;
  /** Instructions of the loop. */
  retired: number;
}

export function runLoop(guest: Guest, name: string, c: CallCase, how: Form | 'native'): Result {
  const { stack = [], eflags = FLAGS, before } = c;
  const registers = { ...DEFAULTS, ...c.registers };
  const under = STACK - 4 * stack.length - 8;
  guest.load(
    (a) => {
      a.label('loop');
      before?.(a);
      a.set(under, UNTOUCHED);
      a.mov('esp', IN).emit(POPA, POPF).mov('esp', STACK);
      for (const value of [...stack].reverse()) a.push(value);
      // The forms are alike in what lies behind.
      if (how === 'E8') a.emit(NOP);
      const site = a.here;
      if (how === 'E8') a.call(routine(name));
      else if (how === 'FF 15') a.callThrough(POINTERS + 4 * callNamed(name).number);
      else a.emit(c.native ?? []);
      if (how === 'native') while (a.here - site < 6) a.emit(NOP);
      a.label('behind');
      a.store(OUT_ESP, 'esp')
        .mov('esp', OUT + 36)
        .emit(PUSHF, PUSHA, CLI, 0xfc);
      a.mov('esp', STACK);
      for (let i = 0; i < 6; i++) a.emit(0x8c, 0x05 | (i << 3), dword(OUT_SEGMENTS + 4 * i));
      a.dec(COUNT).jumpIf(NOT_EQUAL, 'loop');
    },
    (_, a) => {
      const { view } = guest;
      view.setUint32(COUNT, ROUNDS, true);
      [...REGISTERS].reverse().forEach((register, i) => {
        view.setUint32(IN + 4 * i, registers[register], true);
      });
      view.setUint32(IN + 32, eflags | 2, true);
      c.prepare?.(guest, a);
    },
  );
  const before0 = guest.machine.cpu.retired();
  const ending = guest.go();
  const saved = (i: number) => guest.word(OUT + 4 * i);
  return {
    ending,
    registers: {
      ...(Object.fromEntries(
        REGISTERS.map((register, i) => [register, saved(7 - i)]),
      ) as Registers),
      esp: guest.word(OUT_ESP),
    },
    eflags: saved(8),
    segments: [0, 1, 2, 3, 4, 5].map((i) => guest.word(OUT_SEGMENTS + 4 * i) & 0xffff),
    pushed: guest.word(under) !== UNTOUCHED,
    retired: guest.machine.cpu.retired() - before0,
  };
}

/** What the registers must be behind the call, given what the native instructions left. */
export function expected(
  native: Result,
  { changes = {} }: CallCase,
): Pick<Result, 'registers' | 'eflags'> {
  return {
    registers: { ...native.registers, ...changes.registers },
    eflags: changes.eflags ?? native.eflags,
  };
}
