/**
 * How each code is translated, as far as that depends on the code alone: the rows of isa/, whose
 * operands are text, as small numbers. Made once a code, at first use; emitting an instruction reads
 * no text.
 */
import {
  KIND_ADC,
  KIND_ADD,
  KIND_BITS,
  KIND_CO,
  KIND_SBB,
  KIND_SUB,
} from '../assembly/shared/flags.ts';
import { CODES, type Code } from '../isa/codes.ts';
import { parseCall } from '../isa/functions.ts';
import { ALL_STATE, FLAGS_BIT } from './context.ts';
import { KIND_LOGIC } from './fuse.ts';
import * as O from './wasm/opcodes.ts';

// Where an argument comes from: isa/operation.ts Source.
export const R1 = 0;
export const R2 = 1;
export const MEMORY = 2;
export const LANE = 3;
export const IMM = 4;
export const ADDRESS = 5;
export const RECORD = 6;
export const CARRY = 7;
export const EFLAGS = 8;
export const EFLAGS32 = 9;
export const CC = 10;
export const ACC = 11;
export const ECX = 12;
export const AX = 13;
export const DX_AX = 14;
export const EDX_EAX = 15;
export const STACK = 16;
export const X1 = 17;
export const X2 = 18;
export const MM1 = 19;
export const MM2 = 20;
// Only sinks.
export const NOWHERE = 21;
export const PUSH = 22;
export const AH = 23;
export const EDX = 24;
export const EBP = 25;

const SOURCES: Record<string, number> = {
  r1: R1, r2: R2, m: MEMORY, imm: IMM, ea: ADDRESS, rp: RECORD, cf: CARRY, eflags: EFLAGS,
  eflags32: EFLAGS32, cc: CC, acc: ACC, ecx: ECX, AX, 'DX:AX': DX_AX, 'EDX:EAX': EDX_EAX,
  pop: STACK, leave: STACK, x1: X1, x2: X2, mm1: MM1, mm2: MM2,
}; // prettier-ignore
const SINKS: Record<string, number> = {
  r1: R1, r2: R2, m: MEMORY, x1: X1, mm1: MM1, push: PUSH, acc: ACC, AH, AX, 'DX:AX': DX_AX,
  'EDX:EAX': EDX_EAX, EDX, EBP,
}; // prettier-ignore

// What becomes of the flags.
export const FLAGS_NONE = 0;
/** Result, first and second argument, kind. */
export const FLAGS_OPERANDS = 1;
export const FLAGS_LOGIC = 2;
export const FLAGS_NEG = 3;
/** Difference of two arguments. */
export const FLAGS_DIFFERENCE = 4;
/** FLAG_B, or all bits, from a function. */
export const FLAGS_FUNCTION = 5;

const KINDS: Record<string, number> = {
  ADD: KIND_ADD,
  ADC: KIND_ADC,
  SUB: KIND_SUB,
  SBB: KIND_SBB,
  LOGIC: KIND_LOGIC,
  NEG: KIND_SUB,
};

// Arguments of flag functions: 0 to 3 are the operation's own.
export const FLAG_RESULT = 4;
export const FLAG_CARRY = 5;
export const FLAG_EFLAGS = 6;
export const FLAG_AH = 7;

// What must be checked before the instruction.
export const UNIT_NONE = 0;
export const UNIT_X87 = 1;
export const UNIT_MMX = 2;
export const UNIT_SSE = 3;

// What an instruction makes of a register whose old value, or another's, is in the new one.
export const MOVES_NOTHING = 0;
export const MOVES_ADD = 1;
export const MOVES_SUB = 2;
export const MOVES_INC = 3;
export const MOVES_DEC = 4;
export const MOVES_COPY = 5;
export const MOVES_LEA = 6;
/** The sum of two registers; a constant; a byte; cut by AND, or by a shift to the right. */
export const MOVES_SUM = 7;
export const MOVES_CONSTANT = 8;
export const MOVES_BYTE = 9;
export const MOVES_MASK = 10;
export const MOVES_RIGHT = 11;

/** Functions of the core by small numbers; a number is the same for all translators. */
const functionNumbers = new Map<string, number>();
export const FUNCTION_NAMES: string[] = [];

export function functionNumber(name: string): number {
  let number = functionNumbers.get(name);
  if (number === undefined) {
    number = FUNCTION_NAMES.push(name) - 1;
    functionNumbers.set(name, number);
  }
  return number;
}

const NO_FUNCTION = -1;

export class Recipe {
  readonly size: number;
  readonly cc: number;
  readonly unit: number;
  readonly align: number;

  /** Sources and their bits; LANE's are the lane's. */
  readonly sources: Uint8Array;
  readonly bits: Uint8Array;
  /** The sink and its bits. */
  readonly sink: number;
  readonly sinkBits: number;
  /** A second sink, and the argument that goes there; NOWHERE when there is none. */
  readonly second: number = NOWHERE;
  readonly secondBits: number = 0;
  readonly secondArgument: number = 0;

  /** The memory operand is accessed: read, or written as well, so many bytes. */
  readonly accesses: boolean;
  readonly writes: boolean;
  readonly bytes: number;
  /** The address itself is an argument. */
  readonly addressed: boolean;
  /** The stack is read (POP, or LEAVE through EBP) or written (PUSH). */
  readonly pops: boolean;
  readonly leaves: boolean;
  readonly pushes: boolean;

  /** Functions, by number. */
  readonly fn: number;
  readonly guard: number;
  readonly after: number;
  /** State must be in memory for fn, which may throw or look at it. */
  readonly complex: boolean;
  /** fn may change registers in memory. */
  readonly implicit: boolean;
  readonly conditional: boolean;
  /** A result is kept, of this type; cut to the operation's size by this opcode, if not 0. */
  readonly keeps: boolean;
  readonly resultType: number;
  readonly cut: number;
  /** MOVZX: the operand is fetched zero-extended, and all is done; fn is none. */
  readonly zeroExtends: boolean;
  /** fn has no effect but its value. */
  readonly pure: boolean;

  readonly flags: number = FLAGS_NONE;
  readonly kind: number = 0;
  readonly flagFunction: number = NO_FUNCTION;
  readonly flagArguments: Uint8Array = new Uint8Array();
  /** The flag function looks at the flags before. */
  readonly flagsOfFlags: boolean = false;

  // --- For the passes before emission
  /** used << 16 | written of named registers and flags. */
  readonly state: number;
  readonly usesR1: boolean;
  readonly writesR1: boolean;
  readonly usesR2: boolean;
  readonly writesR2: boolean;
  readonly usesAddress: boolean;
  /** The same of XMM registers. */
  readonly usesX1: boolean;
  readonly writesX1: boolean;
  readonly usesX2: boolean;
  /**
   * Looks at flags, or may leave the region otherwise than by a memory access. What a flag function
   * looks at does not count: it is not called when nothing wants its flags.
   */
  readonly needsFlags: boolean;
  readonly moves: number;

  constructor({ name, operation, form, size }: Code) {
    const { args, result, second } = form;
    const named = (text: string | null | undefined) =>
      text == null ? NO_FUNCTION : functionNumber(text.replace('%', String(size)));
    this.size = size;
    this.cc = operation.cc ?? 0;
    this.unit = unitOf(operation.unit);
    this.align = operation.align ?? 0;

    this.sources = Uint8Array.from(args, (token) =>
      /:\d+x$/.test(token) ? LANE : (SOURCES[nameOf(token)] ?? NOWHERE),
    );
    this.bits = Uint8Array.from(args, (token) => bitsOf(token, size));
    this.sink = result === null ? NOWHERE : (SINKS[nameOf(result)] ?? NOWHERE);
    this.sinkBits = result === null ? 0 : bitsOf(result, size);
    if (second) {
      this.second = SINKS[nameOf(second.sink)] ?? NOWHERE;
      this.secondBits = bitsOf(second.sink, size);
      this.secondArgument = LETTERS.indexOf(second.source);
    }

    const memory = args.find(isMemory) ?? (isMemory(result) ? result : null);
    this.accesses = memory !== null;
    this.writes = isMemory(result);
    this.bytes = memory === null ? 0 : bitsOf(memory, size) / 8;
    this.addressed = args.includes('ea');
    this.pops = args.includes('pop');
    this.leaves = args.includes('leave');
    this.pushes = result === 'push';

    this.zeroExtends = operation.fn?.startsWith('zero_extend') ?? false;
    this.fn = this.zeroExtends ? NO_FUNCTION : named(operation.fn);
    this.guard = named(operation.guard);
    this.after = named(operation.after);
    this.implicit = !!operation.implicit;
    this.complex = !!operation.throws || this.implicit;
    this.conditional = operation.when !== undefined;
    this.keeps = result !== null || (!!operation.flags && operation.fn !== null);
    this.resultType = resultTypeOf(result);
    this.cut =
      this.resultType === O.I32 && needsCut(operation.flags, result, size)
        ? size === 8
          ? O.I32_EXTEND8_S
          : O.I32_EXTEND16_S
        : 0;
    this.pure = operation.leaf && !this.complex && !operation.after;

    const { flags } = operation;
    let usesAh = false;
    if (typeof flags === 'string') {
      this.flags = flags === 'LOGIC' ? FLAGS_LOGIC : flags === 'NEG' ? FLAGS_NEG : FLAGS_OPERANDS;
      this.kind = KINDS[flags]!;
    } else if (flags && 'sub' in flags) {
      this.flags = FLAGS_DIFFERENCE;
      this.kind = KIND_SUB;
      this.flagArguments = Uint8Array.from(flags.sub, (letter) => LETTERS.indexOf(letter));
    } else if (flags) {
      const call = parseCall('co' in flags ? flags.co : flags.bits, size);
      this.flags = FLAGS_FUNCTION;
      this.kind = 'co' in flags ? KIND_CO : KIND_BITS;
      this.flagFunction = functionNumber(call.name);
      this.flagArguments = Uint8Array.from(call.args, (token) => flagArgument(token, name));
      usesAh = call.args.includes('ah');
      this.flagsOfFlags = call.args.includes('cf') || call.args.includes('eflags');
    }

    // --- Registers and flags read and written
    let used = usesAh ? 1 : 0;
    let written = 0;
    for (const token of args) {
      used |= registersOf(token);
      if (/^(cf|eflags|eflags32|cc)$/.test(token)) used |= FLAGS_BIT;
      if (token === 'pop' || token === 'leave') written |= registersOf(token);
    }
    const sinks = [result, second?.sink].filter((sink) => sink != null);
    for (const sink of sinks) written |= registersOf(sink);
    if (operation.when) used |= FLAGS_BIT;
    if (operation.flags) written |= FLAGS_BIT;
    this.state = this.implicit ? (ALL_STATE << 16) | ALL_STATE : ((used | written) << 16) | written;
    this.writesR1 = sinks.some((sink) => nameOf(sink) === 'r1');
    this.writesR2 = sinks.some((sink) => nameOf(sink) === 'r2');
    this.usesR1 = this.writesR1 || args.some((token) => nameOf(token) === 'r1');
    this.usesR2 = this.writesR2 || args.some((token) => nameOf(token) === 'r2');
    this.usesX1 = args.includes('x1');
    this.writesX1 = result === 'x1';
    this.usesX2 = args.includes('x2');
    this.usesAddress = memory !== null || this.addressed || args.includes('rp');
    this.needsFlags =
      this.complex ||
      !!operation.unit ||
      !!operation.guard ||
      this.align > 0 ||
      args.some((token) => /^(cf|eflags|eflags32|cc|rp)$/.test(token)) ||
      this.conditional;
    this.moves = MOVES[name] ?? MOVES_NOTHING;
  }
}

const LETTERS = 'abcd';

const MOVES: Record<string, number> = {
  ADD32_RI: MOVES_ADD,
  SUB32_RI: MOVES_SUB,
  INC32_R: MOVES_INC,
  DEC32_R: MOVES_DEC,
  MOV32_RR: MOVES_COPY,
  LEA32_RM: MOVES_LEA,
  ADD32_RR: MOVES_SUM,
  MOV32_RI: MOVES_CONSTANT,
  MOVZX832_RR: MOVES_BYTE,
  MOVZX832_RM: MOVES_BYTE,
  AND32_RI: MOVES_MASK,
  SHR32_RI: MOVES_RIGHT,
};

function nameOf(token: string): string {
  return /^[A-Z]/.test(token) ? token : token.split(':')[0]!;
}

function bitsOf(token: string, size: number): number {
  return parseInt(/:(\d+)/.exec(token)?.[1] ?? '') || size;
}

function isMemory(token: string | null): boolean {
  return token !== null && nameOf(token) === 'm';
}

function unitOf(unit: string | undefined): number {
  if (unit === undefined) return UNIT_NONE;
  return unit === 'sse' ? UNIT_SSE : unit === 'mmx' ? UNIT_MMX : UNIT_X87;
}

function resultTypeOf(sink: string | null): number {
  if (sink === 'x1' || sink === 'm:128') return O.V128;
  if (sink === 'mm1' || sink === 'm:64' || sink === 'EDX:EAX') return O.I64;
  return O.I32;
}

function needsCut(flags: unknown, result: string | null, size: number): boolean {
  if (result === 'AX' || result === 'DX:AX' || result === 'EDX:EAX') return false;
  return (size === 8 || size === 16) && !!flags && flags !== 'LOGIC';
}

function flagArgument(token: string, name: string): number {
  const own = LETTERS.indexOf(token);
  if (own >= 0) return own;
  const number = { r: FLAG_RESULT, cf: FLAG_CARRY, eflags: FLAG_EFLAGS, ah: FLAG_AH }[token];
  if (number === undefined) throw new Error(`jit: flag argument ${token} of ${name}`);
  return number;
}

/** General registers that a token names by itself, as a mask. */
function registersOf(token: string): number {
  switch (token.split(':')[0]) {
    case 'acc':
    case 'AX':
    case 'AH':
      return 1;
    case 'ecx':
      return 2;
    case 'DX':
    case 'EDX':
      return 1 | 4;
    case 'pop':
    case 'push':
      return 16;
    case 'leave':
    case 'EBP':
      return 16 | 32;
    default:
      return 0;
  }
}

const recipes: (Recipe | undefined)[] = new Array(CODES.length + 1).fill(undefined);

/** The recipe of a code; branches and operations that end a block have one as well. */
export function recipeOf(code: number): Recipe {
  return (recipes[code] ??= new Recipe(CODES[code - 1]!));
}

/** Widths that loads, stores and register accesses are made for; 0: the operation's. */
const WIDTHS = [0, 8, 16, 32, 64, 128];

/** Can translated code execute this, or must it leave to the interpreter? */
export function isTranslatable(code: Code): boolean {
  const { operation, form } = code;
  if (operation.ends || operation.control) return false;
  const known = (token: string, names: object) =>
    nameOf(token) in names && WIDTHS.includes(bitsOf(token, 0));
  if (!form.args.every((token) => known(token, SOURCES))) return false;
  return form.result === null || known(form.result, SINKS);
}
