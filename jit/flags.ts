/**
 * Lazy flags in locals: setting them, and conditions out of them. Where the kind is known at
 * translation the condition is one or two instructions on the operands (fuse.ts lists them); else a
 * core function of assembly/ops/flags.ts decides by the kind.
 */
import {
  KIND_ADC,
  KIND_ADD,
  KIND_BITS,
  KIND_CO,
  KIND_SBB,
  KIND_SUB,
} from '../assembly/shared/flags.ts';
import { FLAGS_BIT, type Context } from './context.ts';
import { fusedCondition, KIND_LOGIC } from './fuse.ts';
import * as O from './wasm/opcodes.ts';

/** The kind as it stands in memory. */
function stored(kind: number): number {
  return kind === KIND_LOGIC ? KIND_CO : kind;
}

/** The kind changed, operands and result have been set. */
export function setKind(c: Context, kind: number): void {
  c.e.i32Const(stored(kind));
  c.e.localSet(c.kindLocal);
  c.kind = kind;
  c.dirty |= FLAGS_BIT;
}

const CARRY = new Map([
  [KIND_ADD, 'cf_add'],
  [KIND_ADC, 'cf_adc'],
  [KIND_SUB, 'cf_sub'],
  [KIND_SBB, 'cf_sbb'],
]);

/** Pushes a core function of (r, a, b). */
function ofOperands(c: Context, name: string): void {
  c.applyBound(name, [c.resultLocal, c.aLocal, c.bLocal], []);
}

/** Pushes a core function of (kind, r, a, b). */
function ofAny(c: Context, name: string): void {
  if (c.kind >= 0) {
    c.applyBound(name, [-2, c.resultLocal, c.aLocal, c.bLocal], [stored(c.kind)]);
  } else {
    c.applyBound(name, [c.kindLocal, c.resultLocal, c.aLocal, c.bLocal], []);
  }
}

function bitOfB(c: Context, bit: number): void {
  const { e } = c;
  e.localGet(c.bLocal);
  if (bit) {
    e.i32Const(bit);
    e.op(O.I32_SHR_U);
  }
  e.i32Const(1);
  e.op(O.I32_AND);
}

/** Pushes CF as 0 or 1. */
export function carry(c: Context): void {
  const name = CARRY.get(c.kind);
  if (name !== undefined) ofOperands(c, name);
  else if (c.kind === KIND_LOGIC) c.e.i32Const(0);
  else if (c.kind === KIND_CO || c.kind === KIND_BITS) bitOfB(c, 0);
  else ofAny(c, 'cf_any');
}

/** Pushes all six flags at their EFLAGS places. */
export function arithmeticFlags(c: Context): void {
  if (c.kind === KIND_BITS) c.e.localGet(c.bLocal);
  else ofAny(c, 'flags_any');
}

const GENERIC = ['of_any', 'cf_any', 'zf_any', '', 'sf_any', 'pf_any', 'lt_any', ''];

/** Pushes condition `cc` (0 to 15) as an i32 that is zero or not. */
export function condition(c: Context, cc: number): void {
  if (fusedCondition(c, cc)) return;
  const { e } = c;
  const base = cc >> 1;
  if (base === 3 || base === 7) {
    ofAny(c, base === 3 ? 'cf_any' : 'lt_any');
    ofAny(c, 'zf_any');
    e.op(O.I32_OR);
  } else {
    ofAny(c, GENERIC[base]);
  }
  if (cc & 1) e.op(O.I32_EQZ);
}
