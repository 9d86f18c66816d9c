/**
 * One operation in translated code: operands into locals, the operation's function pasted or
 * called, the result, the flags. The twin of isa/generate/interpreter.ts, from the same rows, which
 * recipes.ts has made numbers of.
 *
 * Order matters where something can leave the region: every access is checked before anything the
 * guest could see has changed, locals included.
 */
import { EFLAGS_SYSTEM, FPU_BLOCKED, FPU_REGS, SSE_BLOCKED } from '../assembly/shared/layout.ts';
import { KIND_CO } from '../assembly/shared/flags.ts';
import type { Context } from './context.ts';
import { KIND_LOGIC } from './fuse.ts';
import { arithmeticFlags, carry, condition, setKind } from './flags.ts';
import {
  address,
  closeAccesses,
  loadLane,
  loadUnsigned,
  loadValue,
  openOperand,
  openStack,
  storeValue,
  type Place,
} from './memory.ts';
import * as R from './recipes.ts';
import type { Recipe } from './recipes.ts';
import { get, getUnsigned, put } from './registers.ts';
import { emitLanes, knownResult } from './sse-lanes.ts';
import { RESETS, rowOf } from './sse-rows.ts';
import { emitSse } from './sse.ts';
import { CONSTANT } from './splice.ts';
import { putVector, reloadVectors, vectorLocal } from './vectors.ts';
import * as O from './wasm/opcodes.ts';
import { emitX87 } from './x87.ts';

const SLOT_EAX = 0;
const SLOT_ECX = 4;
const SLOT_EDX = 8;
const SLOT_ESP = 16;
const SLOT_EBP = 20;

const ESP = SLOT_ESP >> 2;
const EBP = SLOT_EBP >> 2;

/** Arguments at most: of an operation, and of its flag function. */
const ARGUMENTS = 8;

/**
 * Where arguments are: each a local or a constant (as splice() takes them). Temporary locals are
 * given back in the opposite order.
 */
class Arguments {
  count = 0;
  readonly bound = new Int32Array(ARGUMENTS);
  readonly constants = new Int32Array(ARGUMENTS);
  private readonly temporary = new Int32Array(ARGUMENTS);
  private temporaries = 0;

  begin(): void {
    this.count = 0;
    this.temporaries = 0;
  }
  local(local: number): void {
    this.bound[this.count++] = local;
  }
  constant(value: number): void {
    this.bound[this.count] = CONSTANT;
    this.constants[this.count++] = value;
  }
  /** Pops the stack into a temporary of `type`. */
  pop(c: Context, type: number): void {
    const local = c.locals.take(type);
    c.e.localSet(local);
    this.temporary[this.temporaries++] = local;
    this.bound[this.count++] = local;
  }
  /** Argument `i` of other ones. */
  copy(other: Arguments, i: number): void {
    this.bound[this.count] = other.bound[i]!;
    this.constants[this.count++] = other.constants[i]!;
  }
  push(c: Context, i: number): void {
    if (this.bound[i] === CONSTANT) c.e.i32Const(this.constants[i]!);
    else c.e.localGet(this.bound[i]!);
  }
  release(c: Context): void {
    while (this.temporaries > 0) c.locals.give(this.temporary[--this.temporaries]!);
  }
}

// Of the instruction being emitted, used again for the next.
const args = new Arguments();
const flagArgs = new Arguments();
const operand: Place = { host: -1, distance: 0 };
const stack: Place = { host: -1, distance: 0 };

/** No local: the result is the constant that argument `last` is. */
const RESULT_NONE = -1;

/** Emits one instruction's operation. `needFlags`: whether anything can see its flags. */
export function emitOperation(
  c: Context,
  recipe: Recipe,
  record: number,
  needFlags: boolean,
): void {
  const { e, locals } = c;
  if (emitX87(c, recipe, record, needFlags)) return;
  if (recipe.unit !== R.UNIT_NONE) checkUnit(c, recipe.unit);

  // --- Memory: addresses, checks ---------------------------------------------------------------------
  let ea = -1;
  if (recipe.addressed || recipe.align) {
    ea = address(c, record);
    if (recipe.align) {
      c.prepareLeave();
      e.localGet(ea);
      e.i32Const(recipe.align - 1);
      e.op(O.I32_AND);
      c.leaveIf();
    }
  }
  c.accesses.begin(record);
  if (recipe.accesses) openOperand(c, record, operand);
  if (recipe.pops) openStack(c, ESP, 0, stack);
  else if (recipe.leaves) openStack(c, EBP, 0, stack);
  else if (recipe.pushes) openStack(c, ESP, -4, stack);

  // --- Arguments -------------------------------------------------------------------------------------
  args.begin();
  const { sources } = recipe;
  for (let i = 0; i < sources.length; i++) {
    pushArgument(c, recipe, record, sources[i]!, recipe.bits[i]!, ea);
  }

  if (recipe.conditional) {
    // CMOVcc: the operand is read whatever the condition.
    const slot = c.decoded.r1(record);
    args.push(c, 0);
    get(c, slot, recipe.size);
    condition(c, recipe.cc);
    e.select();
    put(c, slot, recipe.size);
  } else {
    const row = rowOf(c.decoded.code(record));
    if (
      !emitSse(c, row, recipe, record, args, needFlags) &&
      !emitLanes(c, row, record, args, operand)
    ) {
      const known = recipe.writesX1 ? knownResult(c, row, record) : 0;
      execute(c, recipe, record, needFlags);
      if (recipe.writesX1) c.vectors.plain[c.decoded.r1(record) >> 4] = known;
      if (row.kind === RESETS) reloadVectors(c);
    }
  }

  args.release(c);
  closeAccesses(c, record);
  if (ea >= 0) locals.give(ea);
}

/** Puts one argument where it can be bound. */
function pushArgument(
  c: Context,
  recipe: Recipe,
  record: number,
  source: number,
  bits: number,
  ea: number,
): void {
  const { e, decoded } = c;
  switch (source) {
    case R.R1:
    case R.R2: {
      const slot = source === R.R1 ? decoded.r1(record) : decoded.r2(record);
      // With a second sink the first may be this register.
      if (bits === 32 && recipe.second === R.NOWHERE) args.local(c.registers[slot >> 2]!);
      else {
        if (recipe.zeroExtends) getUnsigned(c, slot, bits);
        else get(c, slot, bits);
        args.pop(c, O.I32);
      }
      return;
    }
    case R.MEMORY:
      e.localGet(operand.host);
      if (recipe.zeroExtends) loadUnsigned(c, bits, operand.distance);
      else loadValue(c, bits, operand.distance);
      args.pop(c, bits === 128 ? O.V128 : bits === 64 ? O.I64 : O.I32);
      return;
    case R.LANE:
      e.localGet(operand.host);
      loadLane(c, bits, operand.distance);
      args.pop(c, O.V128);
      return;
    case R.IMM:
      args.constant(decoded.imm(record));
      return;
    case R.ADDRESS:
      args.local(ea);
      return;
    case R.RECORD:
      c.pushRecord();
      break;
    case R.CARRY:
      carry(c);
      break;
    case R.EFLAGS:
      arithmeticFlags(c);
      break;
    case R.EFLAGS32:
      arithmeticFlags(c);
      e.i32Const(0);
      e.load(O.I32_LOAD, EFLAGS_SYSTEM, 2);
      e.i32Const(0xfcffff);
      e.op(O.I32_AND);
      e.op(O.I32_OR);
      break;
    case R.CC:
      condition(c, recipe.cc);
      // A stored condition is 0 or 1.
      e.i32Const(0);
      e.op(O.I32_NE);
      break;
    case R.ACC:
      get(c, SLOT_EAX, bits);
      break;
    case R.ECX:
      args.local(c.registers[SLOT_ECX >> 2]!);
      return;
    case R.AX:
      get(c, SLOT_EAX, 16);
      break;
    case R.DX_AX:
      e.localGet(c.registers[SLOT_EDX >> 2]!);
      e.i32Const(16);
      e.op(O.I32_SHL);
      e.localGet(c.registers[SLOT_EAX >> 2]!);
      e.i32Const(0xffff);
      e.op(O.I32_AND);
      e.op(O.I32_OR);
      break;
    case R.EDX_EAX:
      e.localGet(c.registers[SLOT_EDX >> 2]!);
      e.op(O.I64_EXTEND_I32_U);
      e.i64Const(32);
      e.op(O.I64_SHL);
      e.localGet(c.registers[SLOT_EAX >> 2]!);
      e.op(O.I64_EXTEND_I32_U);
      e.op(O.I64_OR);
      args.pop(c, O.I64);
      return;
    case R.STACK:
      e.localGet(stack.host);
      loadValue(c, 32, stack.distance);
      break;
    case R.X1:
    case R.X2:
      args.local(vectorLocal(c, source === R.X1 ? decoded.r1(record) : decoded.r2(record)));
      return;
    case R.MM1:
    case R.MM2:
      e.i32Const(0);
      e.load(
        O.I64_LOAD,
        FPU_REGS + (source === R.MM1 ? decoded.r1(record) : decoded.r2(record)),
        3,
      );
      args.pop(c, O.I64);
      return;
  }
  args.pop(c, O.I32);
}

/** The function, the result and the flags, the arguments being in place. */
function execute(c: Context, recipe: Recipe, record: number, needFlags: boolean): void {
  const { e, locals } = c;
  const { flags, sink } = recipe;
  const setsFlags = needFlags && flags !== R.FLAGS_NONE;
  if (recipe.unit === R.UNIT_MMX && !recipe.writes) c.apply(MMX_ENTER);
  if (recipe.guard >= 0) {
    c.prepareLeave();
    c.applyBound(recipe.guard, args.count, args.bound, args.constants);
    e.op(O.I32_EQZ);
    c.leaveIf();
  }
  // A comparison whose flags nothing sees.
  if (sink === R.NOWHERE && recipe.pure && !setsFlags) return;

  if (recipe.complex) c.sync();
  // A result that is used once stays on the stack, or goes where the flags want it.
  const last = args.count - 1;
  const moved = recipe.fn < 0;
  const constant = moved && recipe.keeps && last >= 0 && args.bound[last] === CONSTANT;
  const direct =
    !setsFlags &&
    isRegister(sink) &&
    recipe.second === R.NOWHERE &&
    !recipe.pops &&
    !recipe.leaves &&
    !recipe.implicit;
  let result = RESULT_NONE;
  let taken = false;
  if (!moved) {
    c.applyBound(recipe.fn, args.count, args.bound, args.constants);
    if (recipe.keeps) {
      if (recipe.cut) e.op(recipe.cut);
      if (direct) {
        putSink(c, sink, recipe.sinkBits, record, recipe.size);
        if (recipe.after >= 0) c.apply(recipe.after);
        return;
      }
      if (setsFlags && recipe.resultType === O.I32 && keepsResult(recipe)) {
        result = c.resultLocal;
      } else {
        result = locals.take(recipe.resultType);
        taken = true;
      }
      e.localSet(result);
    }
  } else if (recipe.keeps && last >= 0 && !constant) {
    result = args.bound[last]!;
  }
  if (recipe.implicit) {
    c.loadState(c.used);
    c.kind = -1;
  }

  // Flag functions look at operands and old flags: before either is gone.
  const flagWord = setsFlags && flags === R.FLAGS_FUNCTION ? applyFlags(c, recipe, result) : -1;

  if (recipe.writes) {
    e.localGet(operand.host);
    pushResult(c, result, last);
    storeValue(c, recipe.sinkBits, operand.distance);
    if (recipe.unit === R.UNIT_MMX) c.apply(MMX_ENTER);
  } else if (recipe.pushes) {
    e.localGet(stack.host);
    pushResult(c, result, last);
    storeValue(c, 32, stack.distance);
    moveStack(c, SLOT_ESP, -4);
  }
  if (setsFlags) setFlags(c, recipe, result, flagWord);

  // --- Register results
  if (recipe.second !== R.NOWHERE) {
    args.push(c, recipe.secondArgument);
    putSink(c, recipe.second, recipe.secondBits, record, recipe.size);
  }
  if (recipe.pops) moveStack(c, SLOT_ESP, 4);
  else if (recipe.leaves) moveStack(c, SLOT_EBP, 4);
  if (sink !== R.NOWHERE && !recipe.writes && !recipe.pushes) {
    putResult(c, recipe, record, result, last);
  }
  if (recipe.after >= 0) c.apply(recipe.after);
  if (flagWord >= 0) locals.give(flagWord);
  if (taken) locals.give(result);
}

const MMX_ENTER = R.functionNumber('mmx_enter');

/** Can the result be put where the flags keep it before the old flags have been looked at? */
function keepsResult({ flags, kind, flagsOfFlags }: Recipe): boolean {
  if (flags === R.FLAGS_FUNCTION) return kind === KIND_CO && !flagsOfFlags;
  return flags !== R.FLAGS_DIFFERENCE;
}

function isRegister(sink: number): boolean {
  return sink === R.R1 || sink === R.R2 || sink === R.ACC || sink === R.X1;
}

function pushResult(c: Context, result: number, last: number): void {
  if (result === RESULT_NONE) c.e.i32Const(args.constants[last]!);
  else c.e.localGet(result);
}

/** ESP = register + distance. */
function moveStack(c: Context, slot: number, distance: number): void {
  c.e.localGet(c.registers[slot >> 2]!);
  c.e.i32Const(distance);
  c.e.op(O.I32_ADD);
  put(c, SLOT_ESP, 32);
}

// --- Flags -------------------------------------------------------------------------------------------

/** Calls the flag function; its value is in the local. */
function applyFlags(c: Context, recipe: Recipe, result: number): number {
  const { e } = c;
  const { flagArguments } = recipe;
  flagArgs.begin();
  for (let i = 0; i < flagArguments.length; i++) {
    const token = flagArguments[i]!;
    if (token < R.FLAG_RESULT) flagArgs.copy(args, token);
    else if (token === R.FLAG_RESULT) flagArgs.local(result);
    else {
      if (token === R.FLAG_CARRY) carry(c);
      else if (token === R.FLAG_EFLAGS) arithmeticFlags(c);
      else {
        e.localGet(c.registers[SLOT_EAX >> 2]!);
        e.i32Const(8);
        e.op(O.I32_SHR_U);
        e.i32Const(0xff);
        e.op(O.I32_AND);
      }
      flagArgs.pop(c, O.I32);
    }
  }
  c.applyBound(recipe.flagFunction, flagArgs.count, flagArgs.bound, flagArgs.constants);
  const flagWord = c.locals.take(O.I32);
  e.localSet(flagWord);
  flagArgs.release(c);
  return flagWord;
}

function setFlags(c: Context, recipe: Recipe, result: number, flagWord: number): void {
  const { e } = c;
  if (recipe.flags === R.FLAGS_DIFFERENCE) {
    const x = recipe.flagArguments[0]!;
    const y = recipe.flagArguments[1]!;
    args.push(c, x);
    args.push(c, y);
    e.op(O.I32_SUB);
    if (recipe.size !== 32) e.op(recipe.size === 8 ? O.I32_EXTEND8_S : O.I32_EXTEND16_S);
    e.localSet(c.resultLocal);
    args.push(c, x);
    e.localSet(c.aLocal);
    args.push(c, y);
    e.localSet(c.bLocal);
    setKind(c, recipe.kind);
    return;
  }
  if (recipe.flags === R.FLAGS_FUNCTION) {
    e.localGet(flagWord);
    e.localSet(c.bLocal);
    if (recipe.kind !== KIND_CO) {
      setKind(c, recipe.kind);
      return;
    }
  }
  if (result !== c.resultLocal) {
    e.localGet(result);
    if (recipe.resultType === O.I64) e.op(O.I32_WRAP_I64);
    e.localSet(c.resultLocal);
  }
  switch (recipe.flags) {
    case R.FLAGS_LOGIC:
      if (c.kind !== KIND_LOGIC) {
        e.i32Const(0);
        e.localSet(c.bLocal);
      }
      break;
    case R.FLAGS_NEG:
      args.push(c, 0);
      e.localSet(c.bLocal);
      e.i32Const(0);
      e.localSet(c.aLocal);
      break;
    case R.FLAGS_OPERANDS:
      args.push(c, 0);
      e.localSet(c.aLocal);
      args.push(c, 1);
      e.localSet(c.bLocal);
      break;
  }
  setKind(c, recipe.kind);
}

function checkUnit(c: Context, unit: number): void {
  // Within a node only x87 instructions change what blocks, and only for x87 and MMX.
  if (unit === R.UNIT_SSE && c.checkedUnits & (1 << unit)) return;
  c.checkedUnits |= 1 << unit;
  c.prepareLeave();
  c.e.i32Const(0);
  c.e.load(O.I32_LOAD, unit === R.UNIT_SSE ? SSE_BLOCKED : FPU_BLOCKED, 2);
  c.leaveIf();
}

// --- Sinks -------------------------------------------------------------------------------------------

/** Pops the stack into a register sink. */
function putSink(c: Context, sink: number, bits: number, record: number, size: number): void {
  switch (sink) {
    case R.R1:
      put(c, c.decoded.r1(record), bits);
      break;
    case R.R2:
      put(c, c.decoded.r2(record), bits);
      break;
    case R.ACC:
      put(c, SLOT_EAX, bits);
      break;
    case R.X1:
      putVector(c, c.decoded.r1(record), 0);
      break;
    case R.AH:
      put(c, SLOT_EAX + 1, 8);
      break;
    case R.AX:
      put(c, SLOT_EAX, 16);
      break;
    case R.EDX:
      put(c, SLOT_EDX, size);
      break;
    case R.EBP:
      put(c, SLOT_EBP, 32);
      break;
    default:
      throw new Error(`jit: sink ${sink}`);
  }
}

function putResult(c: Context, recipe: Recipe, record: number, result: number, last: number): void {
  const { e } = c;
  switch (recipe.sink) {
    case R.X1:
      pushResult(c, result, last);
      putVector(c, c.decoded.r1(record), 0);
      return;
    case R.MM1:
      e.i32Const(0);
      pushResult(c, result, last);
      e.store(O.I64_STORE, FPU_REGS + c.decoded.r1(record), 3);
      e.i32Const(0);
      e.i32Const(0xffff);
      e.store(O.I32_STORE16, FPU_REGS + c.decoded.r1(record) + 8, 1);
      return;
    case R.EDX_EAX:
      pushResult(c, result, last);
      e.op(O.I32_WRAP_I64);
      put(c, SLOT_EAX, 32);
      pushResult(c, result, last);
      e.i64Const(32);
      e.op(O.I64_SHR_U);
      e.op(O.I32_WRAP_I64);
      put(c, SLOT_EDX, 32);
      return;
    case R.DX_AX:
      pushResult(c, result, last);
      put(c, SLOT_EAX, 16);
      pushResult(c, result, last);
      e.i32Const(16);
      e.op(O.I32_SHR_U);
      put(c, SLOT_EDX, 16);
      return;
  }
  pushResult(c, result, last);
  putSink(c, recipe.sink, recipe.sinkBits, record, recipe.size);
}
