/**
 * x87 instructions in translated code. A stretch of them within a node, other instructions between,
 * is emitted so:
 *
 * - At its beginning one test: no exception waits, all are masked, the tags are such that no
 *   instruction of the stretch meets a stack fault. Else the region is left: the interpreter knows
 *   everything.
 * - Registers stay in memory, at addresses from TOP, which is read once (x87-stack.ts). Arithmetic
 *   is the core's quick.ts, pasted; what that leaves undone is a call of masked.ts.
 * - TOP, tags and status bits are written at the stretch's end. What leaves the region within it
 *   sets one local that says what to write (x87_leave in masked.ts).
 *
 * Instructions on registers alone that are not here are called with what they need in memory: not
 * the general registers and flags, which they cannot touch.
 */
import { EIP_CURRENT, FPU_CONTROL, FPU_OPERAND, FPU_REGS } from '../assembly/shared/layout.ts';
import { KIND_BITS } from '../assembly/shared/flags.ts';
import type { Context } from './context.ts';
import { condition, setKind } from './flags.ts';
import {
  address,
  check,
  closeAccesses,
  loadValue,
  openOperand,
  TLB_READ,
  TLB_WRITE,
  type Place,
} from './memory.ts';
import type { Recipe } from './recipes.ts';
import { CONSTANT, splice } from './splice.ts';
import * as O from './wasm/opcodes.ts';
import * as R from './x87-rows.ts';
import { rowOf, type Row } from './x87-rows.ts';
import {
  addStatus,
  beginX87,
  C1,
  clearC1,
  closeX87,
  fetch,
  forget,
  here,
  hereMemory,
  MASKS,
  pushBlocked,
  register,
  remember,
  storeRegister,
} from './x87-stretch.ts';

const CONDITIONS = 0x4700;
const SIGN = 0x8000;
/** Of 1.0. */
const ONE_EXPONENT = 0x3fff;
const EXPONENT_32 = 0xff;
const EXPONENT_64 = 0x7ff;
const REBIAS_32 = 0x3f80;
const REBIAS_64 = 0x3c00;
const OPERAND = FPU_OPERAND - FPU_REGS;
/** A 16-bit control word as FLDCW keeps it: assembly/ops/fpu/control.ts. */
const CONTROL_SETTABLE = 0x1f3f;
const CONTROL_ONES = 0x40;

const place: Place = { host: -1, distance: 0 };

/** Emits the instruction and says true, or leaves it to its recipe. */
export function emitX87(c: Context, recipe: Recipe, record: number, needFlags: boolean): boolean {
  const { x87 } = c;
  const row = rowOf(c.decoded.code(record));
  const { kind } = row;
  if (kind === R.PASSES) return false;
  if (kind <= R.CALLS || (x87.open && record >= x87.until)) closeX87(c);
  if (kind === R.CLOSES) return false;
  if (kind === R.CALLS) {
    callOnly(c, recipe, record);
    return true;
  }
  if (!x87.open && !beginX87(c, record)) return false;
  c.accesses.begin(record);
  emitRow(c, row, recipe, record, needFlags);
  closeAccesses(c, record);
  x87.stack.step(row, c.decoded.imm(record));
  return true;
}

/** An instruction on x87 registers that is not here: its function, no general register in memory. */
function callOnly(c: Context, recipe: Recipe, record: number): void {
  const { e } = c;
  c.prepareLeave();
  pushBlocked(c);
  c.leaveIf();
  e.i32Const(0);
  e.i32Const(c.eip);
  e.store(O.I32_STORE, EIP_CURRENT, 2);
  c.applyBound(
    recipe.fn,
    recipe.sources.length,
    [CONSTANT, CONSTANT],
    [c.decoded.imm(record), c.decoded.imm(record)],
  );
}

// --- Functions of quick.ts and masked.ts -----------------------------------------------------------------

/** Bytes of quick.ts pasted in one region; what comes after is called. */
const PASTED_BYTES = 16_000;

/** Pushes the value of a function of quick.ts. */
function quick(c: Context, name: string, bound: number[], constants: number[] = []): void {
  const { e, x87 } = c;
  const leaf = c.splicer.leaf(name);
  if (leaf !== null && x87.pasted + leaf.size <= PASTED_BYTES) {
    x87.pasted += leaf.size;
    splice(e, c.locals, leaf, bound, constants);
    return;
  }
  bound.forEach((local, i) => {
    if (local === CONSTANT) e.i32Const(constants[i]!);
    else e.localGet(local);
  });
  e.call(c.imports.functionIndex(name));
}

/**
 * What quick.ts did not do is called: `result` holds the status bits, or UNDONE, and `masked` pushes
 * the status bits.
 */
function orMasked(c: Context, result: number, masked: () => void): void {
  const { e } = c;
  e.localGet(result);
  e.i32Const(0);
  e.op(O.I32_LT_S);
  e.unlikely();
  e.if();
  masked();
  e.localSet(result);
  e.end();
}

/** A value in locals. */
interface Value {
  mantissa: number;
  rest: number;
}

function valueOf(c: Context, i: number): Value {
  const name = fetch(c, i);
  return { mantissa: c.x87.mantissas[name]!, rest: c.x87.exponents[name]! };
}

/** Pushes the status bits of d = a `operation` b, or UNDONE; `d` is a local with an offset. */
function quickOperation(c: Context, operation: number, d: number, a: Value, b: Value): void {
  const reversed = operation === R.SUBR || operation === R.DIVR;
  const x = reversed ? b : a;
  const y = reversed ? a : b;
  const values = [x.mantissa, x.rest, y.mantissa, y.rest];
  if (operation === R.ADD || operation === R.SUB || operation === R.SUBR) {
    const flip = operation === R.ADD ? 0 : SIGN;
    quick(c, 'quick_add', [d, ...values, CONSTANT], [0, 0, 0, 0, 0, flip]);
  } else if (operation === R.MUL) quick(c, 'quick_mul', [d, ...values]);
  else if (operation === R.DIV || operation === R.DIVR) quick(c, 'quick_div', [d, ...values]);
  else quick(c, 'quick_com', values);
}

/** Leaves the status bits of ST(to) = ST(to) `operation` ST(from) in a local, which it gives. */
function operate(c: Context, operation: number, to: number, from: number): number {
  const { e } = c;
  const d = register(c, to);
  const second = register(c, from);
  const result = c.locals.take(O.I32);
  quickOperation(c, operation, d, valueOf(c, to), valueOf(c, from));
  e.localSet(result);
  orMasked(c, result, () => {
    e.i32Const(operation);
    e.localGet(d);
    e.localGet(d);
    e.localGet(second);
    e.call(c.imports.functionIndex('masked_registers'));
  });
  if (!isComparison(operation)) forget(c, c.x87.stack.name(to));
  return result;
}

function isComparison(operation: number): boolean {
  return operation === R.COM || operation === R.UCOM;
}

// --- Rows ----------------------------------------------------------------------------------------------

function emitRow(c: Context, row: Row, recipe: Recipe, record: number, needFlags: boolean): void {
  const { e, locals } = c;
  const i = c.decoded.imm(record);
  switch (row.kind) {
    case R.ARITHMETIC_ST:
    case R.ARITHMETIC_TO:
    case R.COMPARE_ST: {
      here(c);
      const second = row.needsSecond ? 1 : i;
      const to = row.kind === R.ARITHMETIC_TO ? second : 0;
      const result = operate(c, row.operation, to, second - to);
      e.localGet(result);
      addStatus(c, row.kind === R.COMPARE_ST ? CONDITIONS : C1);
      locals.give(result);
      return;
    }
    case R.COMPARE_EFLAGS: {
      here(c);
      const result = operate(c, row.operation, 0, i);
      // C1 stays; exceptions are added.
      e.localGet(result);
      e.i32Const(MASKS);
      e.op(O.I32_AND);
      addStatus(c, 0);
      if (needFlags) {
        // C0, C2 and C3 have the order of CF, PF and ZF.
        e.localGet(result);
        e.i32Const(8);
        e.op(O.I32_SHR_U);
        e.i32Const(0x45);
        e.op(O.I32_AND);
        e.localSet(c.bLocal);
        setKind(c, KIND_BITS);
      }
      locals.give(result);
      return;
    }
    case R.ARITHMETIC_REAL:
    case R.COMPARE_REAL:
      emitRealOperand(c, row, record);
      return;
    case R.ARITHMETIC_INTEGER:
    case R.COMPARE_INTEGER:
      emitIntegerOperand(c, row, record);
      return;
    case R.LOAD_INTEGER: {
      const value = emitIntegerValue(c, row, record);
      quick(c, 'quick_integer', [register(c, -1), value]);
      forget(c, c.x87.stack.name(-1));
      locals.give(value);
      clearC1(c);
      return;
    }
    case R.LOAD_REAL:
      if (row.bits === 80) emitLoad80(c, record);
      else emitLoadReal(c, row, record);
      return;
    case R.STORE_REAL:
      if (row.bits === 80) emitStore80(c, record);
      else emitStore(c, row, record);
      return;
    case R.STORE_INTEGER:
      emitStore(c, row, record);
      return;
    case R.LOAD_ST:
      here(c);
      copy(c, -1, i);
      clearC1(c);
      return;
    case R.STORE_ST:
      here(c);
      if (i !== 0) copy(c, i, 0);
      clearC1(c);
      return;
    case R.LOAD_CONSTANT: {
      here(c);
      const name = c.x87.stack.name(-1);
      remember(c, name);
      e.i64Const(0, row.operation ? 0x80000000 : 0);
      e.localSet(c.x87.mantissas[name]!);
      e.i32Const(row.operation ? ONE_EXPONENT : 0);
      e.localSet(c.x87.exponents[name]!);
      storeRegister(c, register(c, -1), c.x87.mantissas[name]!, c.x87.exponents[name]!);
      clearC1(c);
      return;
    }
    case R.EXCHANGE:
      here(c);
      if (i !== 0) exchange(c, i);
      clearC1(c);
      return;
    case R.CHANGE_SIGN:
    case R.CLEAR_SIGN: {
      here(c);
      const { rest } = valueOf(c, 0);
      e.localGet(rest);
      e.i32Const(row.kind === R.CHANGE_SIGN ? SIGN : SIGN - 1);
      e.op(row.kind === R.CHANGE_SIGN ? O.I32_XOR : O.I32_AND);
      e.localSet(rest);
      e.localGet(register(c, 0));
      e.localGet(rest);
      e.store(O.I32_STORE16, FPU_REGS + 8, 1);
      clearC1(c);
      return;
    }
    case R.MOVE_IF: {
      here(c);
      const { mantissa, rest } = valueOf(c, i);
      const top = register(c, 0);
      condition(c, recipe.cc);
      e.if();
      storeRegister(c, top, mantissa, rest);
      e.end();
      forget(c, c.x87.stack.name(0));
      return;
    }
    case R.SQUARE_ROOT: {
      here(c);
      const top = register(c, 0);
      const { mantissa, rest } = valueOf(c, 0);
      const result = locals.take(O.I32);
      quick(c, 'quick_sqrt', [top, mantissa, rest]);
      e.localSet(result);
      orMasked(c, result, () => {
        e.localGet(top);
        e.call(c.imports.functionIndex('masked_sqrt'));
      });
      forget(c, c.x87.stack.name(0));
      e.localGet(result);
      addStatus(c, C1);
      locals.give(result);
      return;
    }
    case R.NOTHING:
      here(c);
      return;
    case R.LOAD_CONTROL:
      emitLoadControl(c, record);
      return;
  }
}

/** ST(to) = ST(from). */
function copy(c: Context, to: number, from: number): void {
  const { e, x87 } = c;
  const { mantissa, rest } = valueOf(c, from);
  storeRegister(c, register(c, to), mantissa, rest);
  const name = x87.stack.name(to);
  remember(c, name);
  e.localGet(mantissa);
  e.localSet(x87.mantissas[name]!);
  e.localGet(rest);
  e.localSet(x87.exponents[name]!);
}

/** ST(0) and ST(i). */
function exchange(c: Context, i: number): void {
  const { x87 } = c;
  const top = valueOf(c, 0);
  const other = valueOf(c, i);
  storeRegister(c, register(c, 0), other.mantissa, other.rest);
  storeRegister(c, register(c, i), top.mantissa, top.rest);
  const first = x87.stack.name(0);
  const second = x87.stack.name(i);
  x87.mantissas[first] = other.mantissa;
  x87.exponents[first] = other.rest;
  x87.mantissas[second] = top.mantissa;
  x87.exponents[second] = top.rest;
}

// --- Memory operands --------------------------------------------------------------------------------------

/** The memory operand checked, the pointers noted; the value as an integer or a bit pattern. */
function emitValue(c: Context, record: number, bits: number): number {
  const { e, locals } = c;
  const ea = address(c, record);
  openOperand(c, record, place);
  hereMemory(c, ea);
  locals.give(ea);
  const value = locals.take(bits === 64 ? O.I64 : O.I32);
  e.localGet(place.host);
  loadValue(c, bits, place.distance);
  e.localSet(value);
  return value;
}

/** An integer operand in a local of 64 bits, sign-extended. */
function emitIntegerValue(c: Context, row: Row, record: number): number {
  const { e, locals } = c;
  const value = emitValue(c, record, row.bits);
  if (row.bits === 64) return value;
  const wide = locals.take(O.I64);
  e.localGet(value);
  e.op(O.I64_EXTEND_I32_S);
  e.localSet(wide);
  locals.give(value);
  return wide;
}

/**
 * Sets `mantissa` and `rest` to what the m32 or m64 in `value` is if it is a normal number. The top
 * bit of the mantissa is the one that `top` pushes.
 */
function widen(
  c: Context,
  value: number,
  bits: number,
  mantissa: number,
  rest: number,
  top: () => void,
): void {
  const { e } = c;
  e.localGet(value);
  if (bits === 32) e.op(O.I64_EXTEND_I32_U);
  e.i64Const(bits === 32 ? 41 : 12);
  e.op(O.I64_SHL);
  e.i64Const(1);
  e.op(O.I64_SHR_U);
  top();
  e.op(O.I64_OR);
  e.localSet(mantissa);
  // Sign and exponent at the low end, the sign at bit 15.
  pushHead(c, value, bits);
  e.i32Const(SIGN);
  e.op(O.I32_AND);
  pushExponent(c, value, bits);
  e.i32Const(bits === 32 ? REBIAS_32 : REBIAS_64);
  e.op(O.I32_ADD);
  e.op(O.I32_OR);
  e.localSet(rest);
}

/** The sixteen bits at the top. */
function pushHead(c: Context, value: number, bits: number): void {
  const { e } = c;
  e.localGet(value);
  if (bits === 64) {
    e.i64Const(48);
    e.op(O.I64_SHR_U);
    e.op(O.I32_WRAP_I64);
  } else {
    e.i32Const(16);
    e.op(O.I32_SHR_U);
  }
}

function pushExponent(c: Context, value: number, bits: number): void {
  const { e } = c;
  pushHead(c, value, bits);
  e.i32Const(bits === 64 ? 4 : 7);
  e.op(O.I32_SHR_U);
  e.i32Const(bits === 64 ? EXPONENT_64 : EXPONENT_32);
  e.op(O.I32_AND);
}

/** Pushes whether the m32 or m64 in `value` is a normal number. */
function pushIsNormal(c: Context, value: number, bits: number): void {
  const { e } = c;
  pushExponent(c, value, bits);
  e.i32Const(1);
  e.op(O.I32_SUB);
  e.i32Const((bits === 64 ? EXPONENT_64 : EXPONENT_32) - 1);
  e.op(O.I32_LT_U);
}

/** ST(0) and an m32 or m64. */
function emitRealOperand(c: Context, row: Row, record: number): void {
  const { e, locals, x87 } = c;
  const value = emitValue(c, record, row.bits);
  const top = register(c, 0);
  const a = valueOf(c, 0);
  const result = locals.take(O.I32);
  const b = { mantissa: locals.take(O.I64), rest: locals.take(O.I32) };
  // Without its top bit it is no normal number, and left undone.
  widen(c, value, row.bits, b.mantissa, b.rest, () => {
    pushIsNormal(c, value, row.bits);
    e.op(O.I64_EXTEND_I32_U);
    e.i64Const(63);
    e.op(O.I64_SHL);
  });
  quickOperation(c, row.operation, top, a, b);
  e.localSet(result);
  locals.give(b.rest);
  locals.give(b.mantissa);
  orMasked(c, result, () => {
    e.i32Const(row.operation);
    e.localGet(top);
    e.localGet(value);
    e.call(c.imports.functionIndex(`masked_memory${row.bits}`));
  });
  if (!isComparison(row.operation)) forget(c, x87.stack.name(0));
  e.localGet(result);
  addStatus(c, row.kind === R.COMPARE_REAL ? CONDITIONS : C1);
  locals.give(result);
  locals.give(value);
}

/** ST(0) and an m16 or m32 of an integer. */
function emitIntegerOperand(c: Context, row: Row, record: number): void {
  const { e, locals, x87 } = c;
  const value = emitIntegerValue(c, row, record);
  quick(c, 'quick_integer', [CONSTANT, value], [OPERAND, 0]);
  locals.give(value);
  const top = register(c, 0);
  const a = valueOf(c, 0);
  const b = { mantissa: locals.take(O.I64), rest: locals.take(O.I32) };
  e.i32Const(OPERAND);
  e.load(O.I64_LOAD, FPU_REGS, 3);
  e.localSet(b.mantissa);
  e.i32Const(OPERAND);
  e.load(O.I32_LOAD16_U, FPU_REGS + 8, 1);
  e.localSet(b.rest);
  const result = locals.take(O.I32);
  quickOperation(c, row.operation, top, a, b);
  e.localSet(result);
  orMasked(c, result, () => {
    e.i32Const(row.operation);
    e.localGet(top);
    e.localGet(top);
    e.i32Const(OPERAND);
    e.call(c.imports.functionIndex('masked_registers'));
  });
  if (!isComparison(row.operation)) forget(c, x87.stack.name(0));
  e.localGet(result);
  addStatus(c, row.kind === R.COMPARE_INTEGER ? CONDITIONS : C1);
  locals.give(result);
  locals.give(b.rest);
  locals.give(b.mantissa);
}

function emitLoadReal(c: Context, row: Row, record: number): void {
  const { e, locals, x87 } = c;
  const value = emitValue(c, record, row.bits);
  const d = register(c, -1);
  const name = x87.stack.name(-1);
  remember(c, name);
  const mantissa = x87.mantissas[name]!;
  const rest = x87.exponents[name]!;
  const result = locals.take(O.I32);
  e.i32Const(0);
  e.localSet(result);
  widen(c, value, row.bits, mantissa, rest, () => e.i64Const(0, 0x80000000));
  pushIsNormal(c, value, row.bits);
  e.op(O.I32_EQZ);
  e.unlikely();
  e.if();
  e.localGet(d);
  e.localGet(value);
  e.call(c.imports.functionIndex(`masked_load${row.bits}`));
  e.localSet(result);
  e.localGet(d);
  e.load(O.I64_LOAD, FPU_REGS, 3);
  e.localSet(mantissa);
  e.localGet(d);
  e.load(O.I32_LOAD16_U, FPU_REGS + 8, 1);
  e.localSet(rest);
  e.end();
  storeRegister(c, d, mantissa, rest);
  e.localGet(result);
  addStatus(c, C1);
  locals.give(result);
  locals.give(value);
}

function emitStore(c: Context, row: Row, record: number): void {
  const { e, locals } = c;
  const ea = address(c, record);
  openOperand(c, record, place);
  hereMemory(c, ea);
  locals.give(ea);
  const to = locals.take(O.I32);
  e.localGet(place.host);
  if (place.distance) {
    e.i32Const(place.distance);
    e.op(O.I32_ADD);
  }
  e.localSet(to);
  const top = register(c, 0);
  const { mantissa, rest } = valueOf(c, 0);
  const result = locals.take(O.I32);
  const integer = row.kind === R.STORE_INTEGER;
  const operands = [mantissa, rest, to];
  if (integer) quick(c, 'quick_store_integer', [...operands, CONSTANT], [0, 0, 0, row.bits]);
  else quick(c, `quick_store${row.bits}`, operands);
  e.localSet(result);
  orMasked(c, result, () => {
    e.localGet(top);
    e.localGet(to);
    if (integer) e.i32Const(row.bits);
    e.call(c.imports.functionIndex(integer ? 'masked_integer' : `masked_store${row.bits}`));
  });
  e.localGet(result);
  addStatus(c, C1);
  locals.give(result);
  locals.give(to);
}

const BYTES_80 = 10;

function emitLoad80(c: Context, record: number): void {
  const { e, locals, x87 } = c;
  const ea = address(c, record);
  check(c, ea, BYTES_80, TLB_READ);
  const host = locals.take(O.I32);
  e.localSet(host);
  hereMemory(c, ea);
  const name = x87.stack.name(-1);
  remember(c, name);
  e.localGet(host);
  e.load(O.I64_LOAD, 0);
  e.localSet(x87.mantissas[name]!);
  e.localGet(host);
  e.load(O.I32_LOAD16_U, 8);
  e.localSet(x87.exponents[name]!);
  storeRegister(c, register(c, -1), x87.mantissas[name]!, x87.exponents[name]!);
  clearC1(c);
  locals.give(host);
  locals.give(ea);
}

/** FSTP m80. */
function emitStore80(c: Context, record: number): void {
  const { e, locals } = c;
  const ea = address(c, record);
  check(c, ea, BYTES_80, TLB_WRITE);
  const host = locals.take(O.I32);
  e.localSet(host);
  hereMemory(c, ea);
  const { mantissa, rest } = valueOf(c, 0);
  e.localGet(host);
  e.localGet(mantissa);
  e.store(O.I64_STORE, 0);
  e.localGet(host);
  e.localGet(rest);
  e.store(O.I32_STORE16, 8);
  clearC1(c);
  locals.give(host);
  locals.give(ea);
}

/** FLDCW: one that unmasks an exception is the interpreter's. */
function emitLoadControl(c: Context, record: number): void {
  const { e, locals } = c;
  openOperand(c, record, place);
  const word = locals.take(O.I32);
  e.localGet(place.host);
  loadValue(c, 16, place.distance);
  e.localSet(word);
  c.prepareLeave();
  e.localGet(word);
  e.i32Const(MASKS);
  e.op(O.I32_AND);
  e.i32Const(MASKS);
  e.op(O.I32_NE);
  c.leaveIf();
  e.i32Const(0);
  e.localGet(word);
  e.i32Const(CONTROL_SETTABLE);
  e.op(O.I32_AND);
  e.i32Const(CONTROL_ONES);
  e.op(O.I32_OR);
  e.store(O.I32_STORE, FPU_CONTROL, 2);
  locals.give(word);
}
