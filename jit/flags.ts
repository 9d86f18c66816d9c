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
import { functionNumber } from './recipes.ts';
import { CONSTANT } from './splice.ts';
import * as O from './wasm/opcodes.ts';

const CF_ANY = functionNumber('cf_any');
const ZF_ANY = functionNumber('zf_any');
const LT_ANY = functionNumber('lt_any');
const FLAGS_ANY = functionNumber('flags_any');

/** The kind as it stands in memory. */
function stored(kind: number): number {
  return kind === KIND_LOGIC ? KIND_CO : kind;
}

/** The kind changed, operands and result have been set. */
export function setKind(c: Context, kind: number): void {
  if (c.kind < 0 || stored(c.kind) !== stored(kind)) {
    c.e.i32Const(stored(kind));
    c.e.localSet(c.kindLocal);
  }
  c.kind = kind;
  c.dirty |= FLAGS_BIT;
}

/** Functions of (r, a, b) by kind. */
const CARRY = new Map([
  [KIND_ADD, functionNumber('cf_add')],
  [KIND_ADC, functionNumber('cf_adc')],
  [KIND_SUB, functionNumber('cf_sub')],
  [KIND_SBB, functionNumber('cf_sbb')],
]);

const bound = new Int32Array(4);
const constants = new Int32Array(4);

/** Pushes a core function of (r, a, b). */
function ofOperands(c: Context, number: number): void {
  bound[0] = c.resultLocal;
  bound[1] = c.aLocal;
  bound[2] = c.bLocal;
  c.applyBound(number, 3, bound, constants);
}

/** Pushes a core function of (kind, r, a, b). */
function ofAny(c: Context, number: number): void {
  bound[0] = c.kind >= 0 ? CONSTANT : c.kindLocal;
  constants[0] = c.kind >= 0 ? stored(c.kind) : 0;
  bound[1] = c.resultLocal;
  bound[2] = c.aLocal;
  bound[3] = c.bLocal;
  c.applyBound(number, 4, bound, constants);
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
  const number = CARRY.get(c.kind);
  if (number !== undefined) ofOperands(c, number);
  else if (c.kind === KIND_LOGIC) c.e.i32Const(0);
  else if (c.kind === KIND_CO || c.kind === KIND_BITS) bitOfB(c, 0);
  else ofAny(c, CF_ANY);
}

/** Pushes all six flags at their EFLAGS places. */
export function arithmeticFlags(c: Context): void {
  if (c.kind === KIND_BITS) c.e.localGet(c.bLocal);
  else ofAny(c, FLAGS_ANY);
}

/** By cc >> 1; those above and below are made of two. */
const GENERIC = [
  functionNumber('of_any'),
  CF_ANY,
  ZF_ANY,
  -1,
  functionNumber('sf_any'),
  functionNumber('pf_any'),
  LT_ANY,
  -1,
];

/** Pushes condition `cc` (0 to 15) as an i32 that is zero or not. */
export function condition(c: Context, cc: number): void {
  if (fusedCondition(c, cc)) return;
  const { e } = c;
  const base = cc >> 1;
  if (base === 3 || base === 7) {
    ofAny(c, base === 3 ? CF_ANY : LT_ANY);
    ofAny(c, ZF_ANY);
    e.op(O.I32_OR);
  } else {
    ofAny(c, GENERIC[base]!);
  }
  if (cc & 1) e.op(O.I32_EQZ);
}
