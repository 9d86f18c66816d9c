/**
 * Floating-point instructions of SSE and SSE2 in translated code. wasm's arithmetic is theirs, and
 * no flag of MXCSR changes, when
 *
 * - exceptions are masked, rounding is to nearest, FTZ and DAZ are off, and PE is sticky already,
 *   which is tested once in a node (checkMxcsr() in vectors.ts);
 * - no operand is a denormal or a NaN, of which a node remembers what it has found out; and
 * - a result that is rounded is well inside the normal numbers.
 *
 * All else is a call of the operation's function in assembly/ops/sse, which cannot raise #XM: with
 * an exception unmasked the region is left before the first of them. After a call that gives what
 * would be known of the fast path's result the limit is 0, and the rest of the node calls, too.
 */
import { KIND_BITS, ZF } from '../assembly/shared/flags.ts';
import type { Context } from './context.ts';
import { setKind } from './flags.ts';
import { FUNCTION_NAMES, type Recipe } from './recipes.ts';
import { put } from './registers.ts';
import * as K from './sse-rows.ts';
import type { Row } from './sse-rows.ts';
import { CONSTANT } from './splice.ts';
import {
  checkMxcsr,
  DOUBLES,
  HIGH_DOUBLE,
  HIGH_SINGLES,
  LOW_DOUBLE,
  LOW_SINGLE,
  putVector,
  SINGLES,
} from './vectors.ts';
import * as O from './wasm/opcodes.ts';
import * as S from './wasm/simd.ts';

/** The arguments of an instruction as its recipe has them: locals, or CONSTANT. */
export interface Bound {
  readonly count: number;
  readonly bound: ArrayLike<number>;
  readonly constants: ArrayLike<number>;
}

/** Emits the instruction and says true, or leaves it to sse-lanes.ts or to its recipe. */
export function emitSse(
  c: Context,
  row: Row,
  recipe: Recipe,
  record: number,
  args: Bound,
  needFlags: boolean,
): boolean {
  if (row.kind < K.CALLS || row.kind > K.NARROW) return false;
  checkMxcsr(c);
  const slot = c.decoded.r1(record);
  const a = args.bound[0]!;
  const b = args.bound[args.count > 1 && args.bound[1] !== CONSTANT ? 1 : 0]!;
  const way = { c, row, recipe, record, args, a, b };
  switch (row.kind) {
    case K.CALLS:
      callSlow(way);
      putVector(c, slot, 0);
      return true;
    case K.ARITHMETIC:
      if (row.packed) packedArithmetic(way, slot);
      else scalarArithmetic(way, slot);
      return true;
    case K.COMPARE:
      compare(way, slot);
      return true;
    case K.COMPARE_EFLAGS:
      compareEflags(way, needFlags);
      return true;
    case K.TO_INTEGER:
      toInteger(way);
      return true;
    default:
      convert(way, slot);
      return true;
  }
}

/** An instruction on its way; `a` and `b` are the locals of its first and last operand. */
interface Way {
  c: Context;
  row: Row;
  recipe: Recipe;
  record: number;
  args: Bound;
  a: number;
  b: number;
}

// --- Fast and slow ---------------------------------------------------------------------------------------

/** Pushes what the operation's own function gives. */
function callSlow({ c, row, args }: Way): void {
  const { e } = c;
  for (let i = 0; i < args.count; i++) {
    if (args.bound[i] === CONSTANT) e.i32Const(args.constants[i]!);
    else e.localGet(args.bound[i]!);
  }
  e.call(c.imports.functionIndex(FUNCTION_NAMES[row.fn]!));
}

/**
 * `fast` does it, or branches to the label it is given; then the slow path does. Both end with the
 * value on the stack, which `sink` pops; `after` follows on the slow path.
 */
function orSlow(
  way: Way,
  fast: (slow: number) => void,
  sink: () => void,
  after: () => void = NOTHING,
): void {
  const { c } = way;
  const { e } = c;
  const done = e.block();
  const slow = e.block();
  fast(slow);
  sink();
  e.br(done);
  e.end();
  callSlow(way);
  sink();
  after();
  e.end();
}

const NOTHING = () => {};

/** The limit is 0 unless those lanes of both registers are plain. */
function keepLimit({ e, imports, vectors }: Context, plain: string, x: number, y: number): void {
  e.localGet(x);
  e.localGet(y);
  e.call(imports.functionIndex(plain));
  e.localGet(vectors.limitLocal);
  e.op(O.I32_AND);
  e.localSet(vectors.limitLocal);
}

/** Leaves the fast path when the limit is 0. */
function needLimit(c: Context, slow: number): void {
  c.e.localGet(c.vectors.limitLocal);
  c.e.op(O.I32_EQZ);
  c.e.unlikely();
  c.e.brIf(slow);
}

/** What is known of the register at a slot, or of the one that a local is. */
function knownOf(c: Context, local: number): number {
  const { locals, plain } = c.vectors;
  for (let i = 0; i < locals.length; i++) if (locals[i] === local) return plain[i]!;
  return 0;
}

/** Once the fast path is through an operand is known, too. */
function learn(c: Context, local: number, plain: number): void {
  const { vectors } = c;
  for (let i = 0; i < vectors.locals.length; i++) {
    if (vectors.locals[i] === local) vectors.plain[i]! |= plain;
  }
}

// --- Scalars -----------------------------------------------------------------------------------------------

function pushScalar(c: Context, local: number, single: boolean): void {
  c.e.localGet(local);
  c.e.simdLane(single ? S.F32X4_EXTRACT_LANE : S.F64X2_EXTRACT_LANE, 0);
}

/**
 * To the slow path with a denormal in the low lane, or a zero: telling them apart costs all others
 * a jump, and is for instructions that are given zeros more often (`zeros`).
 */
function refuseDenormal(
  c: Context,
  local: number,
  single: boolean,
  slow: number,
  zeros = false,
): void {
  const { e } = c;
  if (knownOf(c, local) & (single ? LOW_SINGLE : LOW_DOUBLE)) return;
  pushScalar(c, local, single);
  if (single) {
    e.op(O.I32_REINTERPRET_F32);
    e.i32Const(EXPONENT_32);
    e.op(O.I32_AND);
    e.op(O.I32_EQZ);
  } else {
    e.op(O.I64_REINTERPRET_F64);
    e.i64Const(0, EXPONENT_64 << 20);
    e.op(O.I64_AND);
    e.op(O.I64_EQZ);
  }
  if (!zeros) {
    e.unlikely();
    e.brIf(slow);
    return;
  }
  e.if();
  pushScalar(c, local, single);
  if (single) e.f32ConstBits(0);
  else e.f64Const(0);
  e.op(single ? O.F32_NE : O.F64_NE);
  e.unlikely();
  e.brIf(slow);
  e.end();
}

const EXPONENT_64 = 0x7ff;
const EXPONENT_32 = 0x7f800000;
const LOW_BIT_32 = 0x00800000;

/** With a NaN there. */
function refuseNaN(c: Context, local: number, single: boolean, slow: number): void {
  if (knownOf(c, local) & (single ? LOW_SINGLE : LOW_DOUBLE)) return;
  pushScalar(c, local, single);
  pushScalar(c, local, single);
  c.e.op(single ? O.F32_NE : O.F64_NE);
  c.e.unlikely();
  c.e.brIf(slow);
}

/**
 * With a result, a float in a local, that is not well inside the normal numbers: a biased exponent
 * of 2 up to the greatest. Tininess is detected after rounding, so the least is not enough.
 */
function refuseResult(c: Context, result: number, single: boolean, slow: number): void {
  const { e } = c;
  if (single) {
    needLimit(c, slow);
    e.localGet(result);
    e.op(O.I32_REINTERPRET_F32);
    e.i32Const(EXPONENT_32);
    e.op(O.I32_AND);
    e.i32Const(2 * LOW_BIT_32);
    e.op(O.I32_SUB);
    e.i32Const(EXPONENT_32 - 2 * LOW_BIT_32);
  } else {
    e.localGet(result);
    e.op(O.I64_REINTERPRET_F64);
    e.i64Const(52);
    e.op(O.I64_SHR_U);
    e.op(O.I32_WRAP_I64);
    e.i32Const(EXPONENT_64);
    e.op(O.I32_AND);
    e.i32Const(2);
    e.op(O.I32_SUB);
    e.localGet(c.vectors.limitLocal);
  }
  e.op(O.I32_GE_U);
  e.unlikely();
  e.brIf(slow);
}

const SCALAR_64 = [O.F64_ADD, O.F64_SUB, O.F64_MUL, O.F64_DIV, O.F64_SQRT];
const SCALAR_32 = [O.F32_ADD, O.F32_SUB, O.F32_MUL, O.F32_DIV, O.F32_SQRT];

function replaceLow(c: Context, single: boolean): void {
  c.e.simdLane(single ? S.F32X4_REPLACE_LANE : S.F64X2_REPLACE_LANE, 0);
}

/** What is known of a register of which the low lane is plain now. */
function withLow(c: Context, slot: number, single: boolean): number {
  const plain = c.vectors.plain[slot >> 4]!;
  return single
    ? LOW_SINGLE | (plain & (HIGH_SINGLES | HIGH_DOUBLE))
    : LOW_DOUBLE | (plain & HIGH_DOUBLE);
}

function scalarArithmetic(way: Way, slot: number): void {
  const { c, row, a, b } = way;
  const { e } = c;
  const { single, operation } = row;
  const known = withLow(c, slot, single);
  const to = c.vectors.locals[slot >> 4]!;
  const result = c.locals.take(single ? O.F32 : O.F64);
  orSlow(
    way,
    (slow) => {
      const extreme = operation === K.MIN || operation === K.MAX;
      if (operation !== K.SQRT) refuseDenormal(c, a, single, slow, extreme);
      if (b !== a || operation === K.SQRT) refuseDenormal(c, b, single, slow, extreme);
      if (extreme) {
        needLimit(c, slow);
        refuseNaN(c, a, single, slow);
        if (b !== a) refuseNaN(c, b, single, slow);
        // The second operand is given when neither is less: wasm's with the operands exchanged.
        e.localGet(a);
        e.localGet(b);
        e.localGet(a);
        e.simd(PSEUDO[operation === K.MIN ? 0 : 1][single ? 1 : 0]);
        e.simdLane(single ? S.F32X4_EXTRACT_LANE : S.F64X2_EXTRACT_LANE, 0);
        replaceLow(c, single);
        return;
      }
      if (operation !== K.SQRT) pushScalar(c, a, single);
      pushScalar(c, b, single);
      e.op((single ? SCALAR_32 : SCALAR_64)[operation]!);
      e.localSet(result);
      refuseResult(c, result, single, slow);
      e.localGet(a);
      e.localGet(result);
      replaceLow(c, single);
    },
    () => e.localSet(to),
    () => keepLimit(c, single ? 'low_singles_plain' : 'low_doubles_plain', to, b),
  );
  c.locals.give(result);
  learn(c, b, single ? LOW_SINGLE : LOW_DOUBLE);
  setKnown(c, slot, known);
}

const PSEUDO = [
  [S.F64X2_PMIN, S.F32X4_PMIN],
  [S.F64X2_PMAX, S.F32X4_PMAX],
] as const;

/** The register has been set otherwise. */
function setKnown(c: Context, slot: number, plain: number): void {
  c.vectors.dirty |= 1 << (slot >> 4);
  c.vectors.plain[slot >> 4] = plain;
}

// --- Vectors -----------------------------------------------------------------------------------------------

const LEAST_64 = splat64(0x00100000);
const INFINITY_64 = splat64(0x7ff00000);
const LEAST_32 = splat32(0x00800000);
const INFINITY_32 = splat32(0x7f800000);
const TWO_TO_31 = splat32(0x4f000000);
const ZERO = splat32(0);

function splat64(high: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(0, high, 0, high).buffer);
}

function splat32(bits: number): Uint8Array {
  return new Uint8Array(new Uint32Array(4).fill(bits).buffer);
}

/** Opcodes on vectors of doubles, of singles. */
const ABS = [S.F64X2_ABS, S.F32X4_ABS] as const;
const EQ = [S.F64X2_EQ, S.F32X4_EQ] as const;
const LT = [S.F64X2_LT, S.F32X4_LT] as const;
const LE = [S.F64X2_LE, S.F32X4_LE] as const;
const BITMASK = [S.I64X2_BITMASK, S.I32X4_BITMASK] as const;
const PACKED_64 = [S.F64X2_ADD, S.F64X2_SUB, S.F64X2_MUL, S.F64X2_DIV, S.F64X2_SQRT];
const PACKED_32 = [S.F32X4_ADD, S.F32X4_SUB, S.F32X4_MUL, S.F32X4_DIV, S.F32X4_SQRT];

function constant(c: Context, bytes: Uint8Array): void {
  c.e.simdBytes(S.V128_CONST, bytes);
}

/** Pushes a mask of the lanes that are neither denormals nor NaNs. */
function pushPlain(c: Context, local: number, s: 0 | 1): void {
  const { e } = c;
  constant(c, s ? LEAST_32 : LEAST_64);
  e.localGet(local);
  e.simd(ABS[s]);
  e.simd(LE[s]);
  e.localGet(local);
  constant(c, ZERO);
  e.simd(EQ[s]);
  e.simd(S.V128_OR);
}

/** Masks pushed one after the other become one, which must be of all lanes of `wanted`. */
class Masks {
  private count = 0;
  constructor(
    private readonly c: Context,
    private readonly s: 0 | 1,
  ) {}
  joined(): void {
    if (this.count++) this.c.e.simd(S.V128_AND);
  }
  refuse(slow: number, wanted = this.s ? 15 : 3): void {
    const { e } = this.c;
    if (!this.count) return;
    e.simd(BITMASK[this.s]);
    if (wanted !== (this.s ? 15 : 3)) {
      e.i32Const(wanted);
      e.op(O.I32_AND);
    }
    e.i32Const(wanted);
    e.op(O.I32_NE);
    e.unlikely();
    e.brIf(slow);
  }
}

function packedArithmetic(way: Way, slot: number): void {
  const { c, row, a, b } = way;
  const { e } = c;
  const { operation } = row;
  const s = row.single ? 1 : 0;
  const all = s ? SINGLES : DOUBLES;
  const to = c.vectors.locals[slot >> 4]!;
  const result = c.locals.take(O.V128);
  orSlow(
    way,
    (slow) => {
      needLimit(c, slow);
      const masks = new Masks(c, s);
      const operand = (local: number) => {
        if ((knownOf(c, local) & all) === all) return;
        pushPlain(c, local, s);
        masks.joined();
      };
      if (operation === K.SQRT) {
        operand(b);
        e.localGet(b);
        e.simd(PACKED(s)[operation]!);
        e.localSet(result);
      } else {
        operand(a);
        if (b !== a) operand(b);
        if (operation === K.MIN || operation === K.MAX) {
          e.localGet(b);
          e.localGet(a);
          e.simd(PSEUDO[operation === K.MIN ? 0 : 1][s]);
          e.localSet(result);
          masks.refuse(slow);
          e.localGet(result);
          return;
        }
        e.localGet(a);
        e.localGet(b);
        e.simd(PACKED(s)[operation]!);
        e.localSet(result);
        // Not tiny: a sum of normal numbers may be zero, and is exact then.
        if (operation === K.ADD || operation === K.SUB) pushPlain(c, result, s);
        else {
          constant(c, s ? LEAST_32 : LEAST_64);
          e.localGet(result);
          e.simd(ABS[s]);
          e.simd(LT[s]);
        }
        masks.joined();
      }
      e.localGet(result);
      e.simd(ABS[s]);
      constant(c, s ? INFINITY_32 : INFINITY_64);
      e.simd(LT[s]);
      masks.joined();
      masks.refuse(slow);
      e.localGet(result);
    },
    () => e.localSet(to),
    () => keepLimit(c, s ? 'singles_plain' : 'doubles_plain', to, b),
  );
  c.locals.give(result);
  learn(c, b, all);
  setKnown(c, slot, all);
}

function PACKED(s: 0 | 1): number[] {
  return s ? PACKED_32 : PACKED_64;
}

// --- Comparisons --------------------------------------------------------------------------------------------

const UNORDERED = 3;

function compare(way: Way, slot: number): void {
  const { c, row, args, a, b } = way;
  const { e } = c;
  const s = row.single ? 1 : 0;
  const predicate = args.constants[args.count - 1]! & 7;
  const all = row.packed ? (s ? SINGLES : DOUBLES) : s ? LOW_SINGLE : LOW_DOUBLE;
  orSlow(
    way,
    (slow) => {
      needLimit(c, slow);
      const masks = new Masks(c, s);
      for (const local of b === a ? [a] : [a, b]) {
        if ((knownOf(c, local) & all) === all) continue;
        pushPlain(c, local, s);
        masks.joined();
      }
      masks.refuse(slow, row.packed ? undefined : 1);
      if (!row.packed) e.localGet(a);
      const kind = predicate & 3;
      if (kind === UNORDERED) constant(c, ZERO);
      else {
        e.localGet(a);
        e.localGet(b);
        e.simd([EQ, LT, LE][kind]![s]);
      }
      if (predicate >= 4) e.simd(S.V128_NOT);
      if (!row.packed) {
        e.simdLane(s ? S.I32X4_EXTRACT_LANE : S.I64X2_EXTRACT_LANE, 0);
        e.simdLane(s ? S.I32X4_REPLACE_LANE : S.I64X2_REPLACE_LANE, 0);
      }
    },
    () => e.localSet(c.vectors.locals[slot >> 4]!),
  );
  setKnown(c, slot, 0);
}

function compareEflags(way: Way, needFlags: boolean): void {
  const { c, row, a, b } = way;
  const { e } = c;
  const { single } = row;
  orSlow(
    way,
    (slow) => {
      needLimit(c, slow);
      for (const local of b === a ? [a] : [a, b]) {
        refuseDenormal(c, local, single, slow, true);
        refuseNaN(c, local, single, slow);
      }
      pushScalar(c, a, single);
      pushScalar(c, b, single);
      e.op(single ? O.F32_LT : O.F64_LT);
      // CF is bit 0.
      pushScalar(c, a, single);
      pushScalar(c, b, single);
      e.op(single ? O.F32_EQ : O.F64_EQ);
      e.i32Const(Math.log2(ZF));
      e.op(O.I32_SHL);
      e.op(O.I32_OR);
    },
    () => {
      if (needFlags) e.localSet(c.bLocal);
      else e.drop();
    },
  );
  if (needFlags) setKind(c, KIND_BITS);
}

// --- Conversions --------------------------------------------------------------------------------------------

/** Below it a number, rounded or cut, is one of 32 bits. */
const SAFE_INTEGER = 2147483520;

function toInteger(way: Way): void {
  const { c, row, recipe, record, a } = way;
  const { e } = c;
  const { single } = row;
  const result = c.locals.take(O.I32);
  orSlow(
    way,
    (slow) => {
      needLimit(c, slow);
      pushScalar(c, a, single);
      // Nearer than half an integer to the bound there is no single.
      if (single) e.op(O.F64_PROMOTE_F32);
      e.op(O.F64_ABS);
      e.f64Const(SAFE_INTEGER);
      e.op(O.F64_LT);
      e.op(O.I32_EQZ);
      e.unlikely();
      e.brIf(slow);
      pushScalar(c, a, single);
      if (row.operation === 0) e.op(single ? O.F32_NEAREST : O.F64_NEAREST);
      e.fc(single ? O.I32_TRUNC_SAT_F32_S : O.I32_TRUNC_SAT_F64_S);
    },
    () => e.localSet(result),
  );
  e.localGet(result);
  put(c, c.decoded.r1(record), recipe.sinkBits);
  c.locals.give(result);
}

function convert(way: Way, slot: number): void {
  const { c, row, a, b } = way;
  const { e } = c;
  const result = c.locals.take(row.kind === K.NARROW ? O.F32 : O.V128);
  const to = c.vectors.locals[slot >> 4]!;
  let known = 0;
  orSlow(
    way,
    (slow) => {
      needLimit(c, slow);
      switch (row.kind) {
        case K.SINGLE_OF_INTEGER:
          e.localGet(a);
          e.localGet(b);
          e.op(O.F32_CONVERT_I32_S);
          replaceLow(c, true);
          known = withLow(c, slot, true);
          return;
        case K.SINGLES_OF_INTEGERS:
          e.localGet(b);
          e.simd(S.F32X4_CONVERT_I32X4_S);
          known = SINGLES;
          return;
        case K.INTEGERS_OF_SINGLES: {
          const masks = new Masks(c, 1);
          e.localGet(b);
          e.simd(S.F32X4_ABS);
          constant(c, TWO_TO_31);
          e.simd(S.F32X4_LT);
          masks.joined();
          masks.refuse(slow);
          e.localGet(b);
          if (row.operation === 0) e.simd(S.F32X4_NEAREST);
          e.simd(S.I32X4_TRUNC_SAT_F32X4_S);
          return;
        }
        case K.WIDEN:
          if (row.packed) {
            const masks = new Masks(c, 1);
            pushPlain(c, b, 1);
            masks.joined();
            masks.refuse(slow, 3);
            e.localGet(b);
            e.simd(S.F64X2_PROMOTE_LOW_F32X4);
            known = DOUBLES;
          } else {
            refuseDenormal(c, b, true, slow, true);
            refuseNaN(c, b, true, slow);
            e.localGet(a);
            pushScalar(c, b, true);
            e.op(O.F64_PROMOTE_F32);
            replaceLow(c, false);
            known = withLow(c, slot, false);
          }
          return;
        default:
          refuseDenormal(c, b, false, slow);
          pushScalar(c, b, false);
          e.op(O.F32_DEMOTE_F64);
          e.localSet(result);
          refuseResult(c, result, true, slow);
          e.localGet(a);
          e.localGet(result);
          replaceLow(c, true);
          known = withLow(c, slot, true);
      }
    },
    () => e.localSet(to),
    () => {
      // Integers are plain however they are rounded, and of others nothing is known.
      if (row.kind === K.NARROW) keepLimit(c, 'low_singles_plain', to, to);
      else if (row.kind === K.WIDEN) {
        keepLimit(c, row.packed ? 'doubles_plain' : 'low_doubles_plain', to, to);
      }
    },
  );
  c.locals.give(result);
  setKnown(c, slot, known);
}
