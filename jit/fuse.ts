/**
 * Conditions written by hand where the kind of the flags is known: the exceptions to "x86 is
 * written down once". Each is what assembly/ops/flags.ts computes, simplified for one kind; with
 * `fusing.enabled` false the general functions are used and nothing else may change.
 */
import { CF, KIND_BITS, KIND_SUB, OF, PF, SF, ZF } from '../assembly/shared/flags.ts';
import type { Context } from './context.ts';
import * as O from './wasm/opcodes.ts';

export const fusing = { enabled: true };

/** Kind CO whose B is known to be zero: AND, OR, XOR, TEST. Only the translator tells it apart. */
export const KIND_LOGIC = 16;

/** cc >> 1 -> comparison of A and B after a subtraction, and of its opposite. */
const AFTER_SUB: Record<number, [number, number]> = {
  1: [O.I32_LT_U, O.I32_GE_U],
  2: [O.I32_EQ, O.I32_NE],
  3: [O.I32_LE_U, O.I32_GT_U],
  6: [O.I32_LT_S, O.I32_GE_S],
  7: [O.I32_LE_S, O.I32_GT_S],
};

/** cc >> 1 -> comparison of the result with zero after a logic operation. */
const AFTER_LOGIC: Record<number, [number, number]> = {
  2: [O.I32_EQ, O.I32_NE],
  3: [O.I32_EQ, O.I32_NE],
  4: [O.I32_LT_S, O.I32_GE_S],
  6: [O.I32_LT_S, O.I32_GE_S],
  7: [O.I32_LE_S, O.I32_GT_S],
};

/** Zero and sign come from the result whatever wrote it, but for kind BITS. */
const FROM_RESULT: Record<number, [number, number]> = {
  2: [O.I32_EQ, O.I32_NE],
  4: [O.I32_LT_S, O.I32_GE_S],
};

/** Kind BITS: cc >> 1 -> flags of which one must be set. */
const OF_BITS = [OF, CF, ZF, CF | ZF, SF, PF];

/** Pushes the condition and says true, when there is a form for the kind at hand. */
export function fusedCondition(c: Context, cc: number): boolean {
  if (!fusing.enabled || c.kind < 0) return false;
  const { e } = c;
  if (c.kind === KIND_BITS) {
    const bits = OF_BITS[cc >> 1];
    if (!bits) return false;
    e.localGet(c.bLocal);
    e.i32Const(bits);
    e.op(O.I32_AND);
    if (cc & 1) e.op(O.I32_EQZ);
    return true;
  }
  if (c.kind === KIND_SUB && AFTER_SUB[cc >> 1]) {
    e.localGet(c.aLocal);
    e.localGet(c.bLocal);
    e.op(AFTER_SUB[cc >> 1][cc & 1]);
    return true;
  }
  const table = c.kind === KIND_LOGIC ? AFTER_LOGIC : FROM_RESULT;
  const comparison = table[cc >> 1];
  if (!comparison) return false;
  e.localGet(c.resultLocal);
  if (comparison[cc & 1] === O.I32_EQ) {
    e.op(O.I32_EQZ);
  } else {
    e.i32Const(0);
    e.op(comparison[cc & 1]);
  }
  return true;
}
