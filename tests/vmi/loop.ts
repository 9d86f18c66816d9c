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

/**
 * How a routine is called: a near CALL by its address, through a pointer or a register; or a CALL of
 * code that jumps there.
 */
export const FORMS = ['E8', 'FF 15', 'FF D5', 'E8, E9', 'E8, FF 25', 'E8, FF E5'] as const;
export type Form = (typeof FORMS)[number];

/** A JMP leads to the routine. */
export function isTail(form: Form): boolean {
  return form.startsWith('E8, ');
}

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
  /** Nothing that a quick form (host/vmi/calls.ts) does: the routine makes it. */
  slow?: boolean;
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

/** Of the longest form, with what stands in front of it. */
const CALL_LENGTH = 10;

const pointerOf = (name: string): number => POINTERS + 4 * callNamed(name).number;

/** No call has an argument or a result in EBP, which is given its value again behind it. */
function emitCall(a: Assembler, name: string, form: Form): void {
  const end = a.here + CALL_LENGTH;
  const throughEbp = form.endsWith('D5') || form.endsWith('E5');
  if (throughEbp) a.mov('ebp', routine(name));
  const length = form === 'FF 15' ? 6 : form === 'FF D5' ? 2 : 5;
  while (a.here + length < end) a.emit(NOP);
  if (form === 'E8') a.call(routine(name));
  else if (form === 'FF 15') a.callThrough(pointerOf(name));
  else if (form === 'FF D5') a.emit(0xff, 0xd5);
  else a.call('jump');
}

/** In every form of the same length, so that the loop stays where it is. */
function emitJump(a: Assembler, name: string, form: Form | 'native'): void {
  a.jump('loop').label('jump');
  const start = a.here;
  if (form === 'E8, E9') a.jump(routine(name));
  else if (form === 'E8, FF 25') a.emit(0xff, 0x25, dword(pointerOf(name)));
  else if (form === 'E8, FF E5') a.emit(0xff, 0xe5);
  while (a.here < start + 6) a.emit(NOP);
}

export function runLoop(guest: Guest, name: string, c: CallCase, how: Form | 'native'): Result {
  const { stack = [], eflags = FLAGS, before } = c;
  const registers = { ...DEFAULTS, ...c.registers };
  const under = STACK - 4 * stack.length - 8;
  guest.load(
    (a) => {
      emitJump(a, name, how);
      a.label('loop');
      before?.(a);
      a.set(under, UNTOUCHED);
      a.mov('esp', IN).emit(POPA, POPF).mov('esp', STACK);
      for (const value of [...stack].reverse()) a.push(value);
      const site = a.here;
      if (how === 'native') a.emit(c.native ?? []);
      else emitCall(a, name, how);
      // The forms are alike in what lies behind.
      if (how === 'native') while (a.here - site < CALL_LENGTH) a.emit(NOP);
      a.label('behind');
      a.mov('ebp', DEFAULTS.ebp);
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
