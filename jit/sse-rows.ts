/**
 * Which SSE rows are translated by sse.ts and sse-lanes.ts and how: the names of isa/sse.ts as small
 * numbers. Made once a code, at first use.
 */
import { CODES } from '../isa/codes.ts';
import * as R from './recipes.ts';
import { DOUBLES, HIGH_DOUBLE, HIGH_SINGLES, LOW_DOUBLE } from './vectors.ts';
import * as S from './wasm/simd.ts';

// How a code is emitted.
/** As its recipe says. */
export const PASSES = 0;
/** Changes MXCSR, and XMM registers in memory. */
export const RESETS = 1;
/** May set flags in MXCSR: its function is called, nothing being in memory. */
export const CALLS = 2;
/** ADD SUB MUL DIV SQRT MIN MAX. */
export const ARITHMETIC = 3;
/** CMPPS and so on. */
export const COMPARE = 4;
/** COMIS, UCOMIS. */
export const COMPARE_EFLAGS = 5;
/** CVTSD2SI, CVTTSD2SI, and of singles. */
export const TO_INTEGER = 6;
/** CVTSI2SS. */
export const SINGLE_OF_INTEGER = 7;
/** CVTDQ2PS. */
export const SINGLES_OF_INTEGERS = 8;
/** CVTPS2DQ, CVTTPS2DQ. */
export const INTEGERS_OF_SINGLES = 9;
/** CVTSS2SD, CVTPS2PD. */
export const WIDEN = 10;
/** CVTSD2SS. */
export const NARROW = 11;
// From here on nothing of MXCSR takes part.
/** Of two registers or a memory operand, an i8x16.shuffle that the immediate says. */
export const SHUFFLE = 12;
export const SHIFT_IMMEDIATE = 13;
export const INSERT = 14;
export const EXTRACT = 15;
/** A half or a quarter of a register to memory. */
export const STORE_LANE = 16;
/** XOR, ANDN and the like with itself: zero. */
export const DIFFERENCE = 17;
/** A scalar load: the operand is the result. */
export const LOAD_LANE = 18;

// What is known of the result, of rows that pass.
export const KNOWN = 0;
/** As much as of the operand. */
export const KNOWN_COPY = 1;
/** Low lane from the operand, the rest from the destination. */
export const KNOWN_LOW_DOUBLE = 2;
export const KNOWN_LOW_SINGLE = 3;
/** High double from the operand's low one. */
export const KNOWN_HIGH = 4;

export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;
export const SQRT = 4;
export const MIN = 5;
export const MAX = 6;

const OPERATIONS: Record<string, number> = { ADD, SUB, MUL, DIV, SQRT, MIN, MAX };

export interface Row {
  kind: number;
  /** ARITHMETIC: which; the rest: what the kind makes of it. */
  operation: number;
  single: boolean;
  packed: boolean;
  /** The function of the slow path. */
  fn: number;
  /** KNOWN_*, and lanes that are plain whatever the operands. */
  known: number;
  plain: number;
}

/** The shuffle of an immediate: index of each result byte in the two operands. */
export type ShuffleBytes = (imm: number, at: number) => number;

const ZERO_BYTE = 16;

/** By Row.operation. With one operand the second is the first; PSLLDQ's and PSRLDQ's is zero. */
export const SHUFFLES: ShuffleBytes[] = [
  // PSHUFD, PSHUFLW, PSHUFHW
  (imm, at) => (((imm >> (2 * (at >> 2))) & 3) << 2) | (at & 3),
  (imm, at) => (at >= 8 ? at : (((imm >> (2 * (at >> 1))) & 3) << 1) | (at & 1)),
  (imm, at) => (at < 8 ? at : (8 + (((imm >> (2 * ((at - 8) >> 1))) & 3) << 1)) | (at & 1)),
  // SHUFPS, SHUFPD
  (imm, at) => (((imm >> (2 * (at >> 2))) & 3) << 2) | (at & 3) | (at >= 8 ? 16 : 0),
  (imm, at) => (((imm >> (at >> 3)) & 1) << 3) | (at & 7) | (at >= 8 ? 16 : 0),
  // PSLLDQ, PSRLDQ
  (imm, at) => (at - (imm & 0xff) >= 0 ? at - (imm & 0xff) : ZERO_BYTE),
  (imm, at) => (at + (imm & 0xff) < 16 ? at + (imm & 0xff) : ZERO_BYTE),
];
const SHUFFLE_NAMES = ['PSHUFD', 'PSHUFLW', 'PSHUFHW', 'SHUFPS', 'SHUFPD', 'PSLLDQ', 'PSRLDQ'];
export const FIRST_OF_TWO = 3;
export const FIRST_WITH_ZERO = 5;

/** By Row.operation: opcode, bits of a lane, whether signs are shifted in. */
export const SHIFTS: [opcode: number, bits: number, arithmetic: boolean][] = [
  [S.I16X8_SHL, 16, false],
  [S.I32X4_SHL, 32, false],
  [S.I64X2_SHL, 64, false],
  [S.I16X8_SHR_U, 16, false],
  [S.I32X4_SHR_U, 32, false],
  [S.I64X2_SHR_U, 64, false],
  [S.I16X8_SHR_S, 16, true],
  [S.I32X4_SHR_S, 32, true],
];
const SHIFT_NAMES = ['PSLLW', 'PSLLD', 'PSLLQ', 'PSRLW', 'PSRLD', 'PSRLQ', 'PSRAW', 'PSRAD'];

function row(kind: number, more: Partial<Row> = {}): Row {
  return {
    kind,
    operation: 0,
    single: false,
    packed: false,
    fn: -1,
    known: KNOWN,
    plain: 0,
    ...more,
  };
}

/** By the operation's name and form; undefined: the general rule decides. */
function byName(name: string, form: string): Row | undefined {
  const arithmetic = /^(ADD|SUB|MUL|DIV|SQRT|MIN|MAX)([PS])([SD])$/.exec(name);
  if (arithmetic) {
    const [, what, p, s] = arithmetic;
    const operation = OPERATIONS[what!]!;
    return row(ARITHMETIC, { operation, packed: p === 'P', single: s === 'S' });
  }
  const compare = /^CMP([PS])([SD])$/.exec(name);
  if (compare) return row(COMPARE, { packed: compare[1] === 'P', single: compare[2] === 'S' });
  if (/^U?COMIS/.test(name)) return row(COMPARE_EFLAGS, { single: name.endsWith('SS') });
  const integer = /^CVT(T?)S([SD])2SI$/.exec(name);
  if (integer) {
    return row(TO_INTEGER, { operation: integer[1] ? 1 : 0, single: integer[2] === 'S' });
  }
  const shuffle = SHUFFLE_NAMES.indexOf(name);
  if (shuffle >= 0) return row(SHUFFLE, { operation: shuffle });
  if (name.endsWith('_IMM') && SHIFT_NAMES.includes(name.slice(0, -4))) {
    return row(SHIFT_IMMEDIATE, { operation: SHIFT_NAMES.indexOf(name.slice(0, -4)) });
  }
  switch (name) {
    case 'LDMXCSR':
    case 'FXRSTOR':
      return row(RESETS);
    case 'CVTSI2SS':
      return row(SINGLE_OF_INTEGER, { single: true });
    case 'CVTDQ2PS':
      return row(SINGLES_OF_INTEGERS, { single: true, packed: true });
    case 'CVTPS2DQ':
    case 'CVTTPS2DQ':
      return row(INTEGERS_OF_SINGLES, { operation: name === 'CVTTPS2DQ' ? 1 : 0 });
    case 'CVTSS2SD':
    case 'CVTPS2PD':
      return row(WIDEN, { packed: name === 'CVTPS2PD' });
    case 'CVTSD2SS':
      return row(NARROW, { single: true });
    case 'CVTSI2SD':
      return row(PASSES, { known: KNOWN_LOW_DOUBLE, plain: LOW_DOUBLE });
    case 'CVTDQ2PD':
      return row(PASSES, { plain: DOUBLES });
    case 'MOVAPS':
    case 'MOVUPS':
      return row(PASSES, { known: form === 'rr' ? KNOWN_COPY : KNOWN });
    case 'MOVSD':
      return row(PASSES, { known: KNOWN_LOW_DOUBLE });
    case 'MOVSS':
      return row(PASSES, { known: KNOWN_LOW_SINGLE });
    case 'MOVQ':
      if (form === 'rm') return row(LOAD_LANE, { plain: HIGH_DOUBLE });
      return row(PASSES, { plain: HIGH_DOUBLE });
    case 'MOVSS_LOAD':
      return row(LOAD_LANE, { plain: HIGH_DOUBLE | HIGH_SINGLES });
    case 'PUNPCKLQDQ':
    case 'MOVLHPS':
      return row(PASSES, { known: form === 'rr' ? KNOWN_HIGH : KNOWN });
    case 'PXOR':
    case 'PANDN':
    case 'PSUBB':
    case 'PSUBW':
    case 'PSUBD':
    case 'PSUBQ':
      return form === 'rr' ? row(DIFFERENCE) : undefined;
    case 'PINSRW':
      return row(INSERT);
    case 'PEXTRW':
      return row(EXTRACT);
    case 'MOVSS_STORE':
    case 'MOVQ_STORE':
    case 'MOVHPS_STORE':
      return row(STORE_LANE, {
        operation: name === 'MOVHPS_STORE' ? 1 : 0,
        single: name === 'MOVSS_STORE',
      });
  }
  return undefined;
}

const PASSING = row(PASSES);

function makeRow(code: number): Row {
  const { operation, form } = CODES[code - 1]!;
  const recipe = R.recipeOf(code);
  const fn = recipe.fn >= 0 ? recipe.fn : recipe.flagFunction;
  const known = recipe.unit === R.UNIT_SSE || operation.name === 'FXRSTOR';
  const found = known ? byName(operation.name, form.name) : undefined;
  if (found) return { ...found, fn };
  // With an MMX register it takes the register file from the x87 and may raise #MF.
  const vectors =
    recipe.unit === R.UNIT_SSE &&
    recipe.complex &&
    !recipe.implicit &&
    recipe.sink === R.X1 &&
    recipe.sources.every((source) => source !== R.MM1 && source !== R.MM2);
  return vectors ? row(CALLS, { fn }) : PASSING;
}

const rows: (Row | undefined)[] = new Array(CODES.length + 1).fill(undefined);

export function rowOf(code: number): Row {
  return (rows[code] ??= makeRow(code));
}
