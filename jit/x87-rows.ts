/**
 * Which x87 rows are translated by x87.ts and how: the names of isa/x87.ts as small numbers, and
 * what each does to the register stack. Made once a code, at first use.
 */
import { CODES } from '../isa/codes.ts';
import { FLAGS_NONE, IMM, NOWHERE, recipeOf, UNIT_MMX, UNIT_X87 } from './recipes.ts';

// How a code is emitted.
/** Nothing of the x87, and nothing that could see its state: a stretch goes on over it. */
export const PASSES = 0;
/** Everything must be in memory before it. */
export const CLOSES = 1;
/** Registers of the x87 only: the row's function is called with nothing else in memory. */
export const CALLS = 2;
/** ST(0) `operation` ST(i), to either. */
export const ARITHMETIC_ST = 3;
export const ARITHMETIC_TO = 4;
export const ARITHMETIC_REAL = 5;
export const ARITHMETIC_INTEGER = 6;
export const COMPARE_ST = 7;
export const COMPARE_REAL = 8;
export const COMPARE_INTEGER = 9;
export const COMPARE_EFLAGS = 10;
export const LOAD_REAL = 11;
export const LOAD_INTEGER = 12;
export const LOAD_ST = 13;
export const LOAD_CONSTANT = 14;
export const STORE_REAL = 15;
export const STORE_INTEGER = 16;
export const STORE_ST = 17;
export const EXCHANGE = 18;
export const CHANGE_SIGN = 19;
export const CLEAR_SIGN = 20;
export const MOVE_IF = 21;
export const SQUARE_ROOT = 22;
export const NOTHING = 23;
export const LOAD_CONTROL = 24;
/** FWAIT. */
export const WAIT = 25;

export interface Row {
  kind: number;
  /** Of arithmetic and comparisons: ModRM.reg of D8; 3 is an unordered comparison. */
  operation: number;
  /** Of the memory operand. */
  bits: number;
  /** Registers popped, pushed, needed full beside the ones that are popped: ST(0), ST(i), ST(1). */
  pops: number;
  pushes: boolean;
  needsTop: boolean;
  needsIndexed: boolean;
  needsSecond: boolean;
}

export const ADD = 0;
export const MUL = 1;
export const COM = 2;
export const UCOM = 3;
export const SUB = 4;
export const SUBR = 5;
export const DIV = 6;
export const DIVR = 7;

const OPERATIONS: Record<string, number> = { ADD, MUL, SUB, SUBR, DIV, DIVR };

function row(kind: number, more: Partial<Row> = {}): Row {
  return {
    kind,
    operation: 0,
    bits: 0,
    pops: 0,
    pushes: false,
    needsTop: false,
    needsIndexed: false,
    needsSecond: false,
    ...more,
  };
}

const TOP = { needsTop: true };
const BOTH = { needsTop: true, needsIndexed: true };

/** By the operation's name; undefined: the general rule decides. */
function byName(name: string): Row | undefined {
  const arithmetic = /^F(I?)(ADD|MUL|SUBR?|DIVR?)(P$|_ST$|_TO_ST$|_M(16|32|64)$)/.exec(name);
  if (arithmetic) {
    const [, integer, what, form, bits] = arithmetic;
    const operation = OPERATIONS[what!]!;
    if (bits !== undefined) {
      const kind = integer ? ARITHMETIC_INTEGER : ARITHMETIC_REAL;
      return row(kind, { ...TOP, operation, bits: Number(bits) });
    }
    if (form === '_ST') return row(ARITHMETIC_ST, { ...BOTH, operation });
    return row(ARITHMETIC_TO, { ...BOTH, operation, pops: form === 'P' ? 1 : 0 });
  }
  const memory = /^F(I?)(COM|LD|ST)(P?)_M(16|32|64|80)$/.exec(name);
  if (memory) {
    const [, integer, what, p, text] = memory;
    const bits = Number(text);
    const pops = p ? 1 : 0;
    if (what === 'COM') {
      const kind = integer ? COMPARE_INTEGER : COMPARE_REAL;
      return row(kind, { ...TOP, operation: COM, bits, pops });
    }
    if (what === 'LD') return row(integer ? LOAD_INTEGER : LOAD_REAL, { bits, pushes: true });
    return row(integer ? STORE_INTEGER : STORE_REAL, { ...TOP, bits, pops });
  }
  const compare = /^F(U?)COM(I?)(P?)(P?)(_ST)?$/.exec(name);
  if (compare) {
    const [, unordered, eflags, once, twice] = compare;
    const operation = unordered ? UCOM : COM;
    if (eflags) return row(COMPARE_EFLAGS, { ...BOTH, operation, pops: once ? 1 : 0 });
    if (twice) return row(COMPARE_ST, { ...TOP, needsSecond: true, operation, pops: 2 });
    return row(COMPARE_ST, { ...BOTH, operation, pops: once ? 1 : 0 });
  }
  if (/^FCMOV/.test(name)) return row(MOVE_IF, BOTH);
  switch (name) {
    case 'FLD_ST':
      return row(LOAD_ST, { needsIndexed: true, pushes: true });
    case 'FLDZ':
    case 'FLD1':
      return row(LOAD_CONSTANT, { pushes: true, operation: name === 'FLD1' ? 1 : 0 });
    case 'FST_ST':
      return row(STORE_ST, TOP);
    case 'FSTP_ST':
      return row(STORE_ST, { ...TOP, pops: 1 });
    case 'FXCH':
      return row(EXCHANGE, BOTH);
    case 'FCHS':
      return row(CHANGE_SIGN, TOP);
    case 'FABS':
      return row(CLEAR_SIGN, TOP);
    case 'FSQRT':
      return row(SQUARE_ROOT, TOP);
    case 'FNOP':
      return row(NOTHING);
    case 'FLDCW':
      return row(LOAD_CONTROL);
    case 'FWAIT':
      return row(WAIT);
    case 'FNSTCW':
      return row(PASSES);
  }
  return undefined;
}

const PASSING = row(PASSES);
const CLOSING = row(CLOSES);
const CALLED = row(CALLS);

function makeRow(code: number): Row {
  const { operation } = CODES[code - 1]!;
  const recipe = recipeOf(code);
  if (recipe.unit !== UNIT_X87) {
    if (operation.name === 'FWAIT') return row(WAIT);
    if (recipe.unit === UNIT_MMX || recipe.complex) return CLOSING;
    return recipe.fn < 0 || recipe.pure ? PASSING : CLOSING;
  }
  const known = byName(operation.name);
  if (known) return known;
  const registersOnly =
    operation.unit === 'x87' &&
    recipe.fn >= 0 &&
    recipe.after < 0 &&
    recipe.sink === NOWHERE &&
    recipe.flags === FLAGS_NONE &&
    recipe.sources.every((source) => source === IMM);
  return registersOnly ? CALLED : CLOSING;
}

const rows: (Row | undefined)[] = new Array(CODES.length + 1).fill(undefined);

export function rowOf(code: number): Row {
  return (rows[code] ??= makeRow(code));
}
