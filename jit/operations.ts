/**
 * One operation in translated code: operands into locals, the operation's function pasted or
 * called, the result, the flags. The twin of isa/generate/interpreter.ts, from the same rows.
 *
 * Order matters where something can leave the region: every access is checked before anything the
 * guest could see has changed, locals included.
 */
import {
  EFLAGS_SYSTEM,
  FPU_BLOCKED,
  FPU_REGS,
  SSE_BLOCKED,
  XMM,
} from '../assembly/shared/layout.ts';
import {
  KIND_ADC,
  KIND_ADD,
  KIND_BITS,
  KIND_CO,
  KIND_SBB,
  KIND_SUB,
} from '../assembly/shared/flags.ts';
import type { Code } from '../isa/codes.ts';
import { parseCall } from '../isa/functions.ts';
import type { Context } from './context.ts';
import { ALL_STATE, FLAGS_BIT } from './context.ts';
import { KIND_LOGIC } from './fuse.ts';
import { arithmeticFlags, carry, condition, setKind } from './flags.ts';
import { address, check, loadLane, loadValue, storeValue, TLB_READ, TLB_WRITE } from './memory.ts';
import { get, maskOf, put } from './registers.ts';
import { CONSTANT } from './splice.ts';
import * as O from './wasm/opcodes.ts';
import { V128_LOAD, V128_STORE } from './wasm/simd.ts';

const SLOT_EAX = 0;
const SLOT_ECX = 4;
const SLOT_EDX = 8;
const SLOT_ESP = 16;
const SLOT_EBP = 20;

const FLAG_KINDS: Record<string, number> = {
  ADD: KIND_ADD,
  ADC: KIND_ADC,
  SUB: KIND_SUB,
  SBB: KIND_SBB,
};

const KNOWN_SOURCES = new Set([
  'r1', 'r2', 'r1:8', 'r2:8', 'r1:16', 'r2:16', 'm', 'm:8', 'm:16', 'm:32', 'm:64', 'm:128', 'm:32x', 'm:64x',
  'imm', 'ea', 'rp', 'cf', 'eflags', 'cc', 'acc', 'acc:8', 'acc:16', 'ecx', 'AX', 'DX:AX', 'EDX:EAX', 'pop', 'leave',
  'eflags32', 'x1', 'x2', 'mm1', 'mm2',
]); // prettier-ignore
const KNOWN_SINKS = new Set([
  'r1', 'r2', 'r1:16', 'r1:32', 'm', 'm:8', 'm:16', 'm:32', 'm:64', 'm:128', 'x1', 'mm1', 'push', 'acc', 'AH', 'AX', 'DX:AX',
  'EDX:EAX', 'EDX', 'EBP',
]); // prettier-ignore

/** Can translated code execute this, or must it leave to the interpreter? */
export function isTranslatable(code: Code): boolean {
  const { operation, form } = code;
  if (operation.ends || operation.control) return false;
  if (!form.args.every((token) => KNOWN_SOURCES.has(token))) return false;
  return form.result === null || KNOWN_SINKS.has(form.result);
}

/** What stateOf() must look at, by code: most records are decided by a few bits. */
interface Facts {
  implicit: boolean;
  /** used << 16 | written of named registers and flags. */
  fixed: number;
  r1Used: boolean;
  r1Written: boolean;
  r2Used: boolean;
  r2Written: boolean;
  address: boolean;
}

const factsByCode = new Map<number, Facts>();

function factsOf(code: Code): Facts {
  let facts = factsByCode.get(code.code);
  if (!facts) factsByCode.set(code.code, (facts = makeFacts(code)));
  return facts;
}

function makeFacts({ operation, form }: Code): Facts {
  let used = 0;
  let written = 0;
  const named = (token: string): number => {
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
  };
  for (const token of form.args) {
    used |= named(token);
    if (/^(cf|eflags|eflags32|cc)$/.test(token)) used |= FLAGS_BIT;
    if (token === 'pop' || token === 'leave') written |= named(token);
  }
  const sinks = [form.result, form.second?.sink].filter((sink) => sink != null);
  for (const sink of sinks) written |= named(sink);
  if (operation.when) used |= FLAGS_BIT;
  if (operation.flags) {
    written |= FLAGS_BIT;
    used |= FLAGS_BIT;
    const { flags } = operation;
    if (typeof flags === 'object' && 'bits' in flags && /\bah\b/.test(flags.bits)) used |= 1;
  }
  const general = (token: string, name: string) => token === name || token.startsWith(`${name}:`);
  return {
    implicit: !!operation.implicit,
    fixed: ((used | written) << 16) | written,
    r1Used: form.args.some((token) => general(token, 'r1')),
    r1Written: sinks.some((sink) => general(sink, 'r1')),
    r2Used: form.args.some((token) => general(token, 'r2')),
    r2Written: sinks.some((sink) => general(sink, 'r2')),
    address:
      form.args.some((token) => isMemory(token) || token === 'ea' || token === 'rp') ||
      isMemory(form.result),
  };
}

/** Registers and flags a record reads or writes: used << 16 | written. */
export function stateOf(c: Context['decoded'], code: Code, record: number): number {
  const facts = factsOf(code);
  if (facts.implicit) return (ALL_STATE << 16) | ALL_STATE;
  let state = facts.fixed;
  if (facts.r1Used || facts.r1Written) state |= maskOf(c.r1(record)) << 16;
  if (facts.r1Written) state |= maskOf(c.r1(record));
  if (facts.r2Used || facts.r2Written) state |= maskOf(c.r2(record)) << 16;
  if (facts.r2Written) state |= maskOf(c.r2(record));
  if (facts.address) state |= (maskOf(c.base(record)) | maskOf(c.index(record))) << 16;
  return state;
}

function isMemory(token: string | null): boolean {
  return token !== null && /^m(:|$)/.test(token);
}

const flagsBefore = new Map<number, boolean>();

/** May leave the region, or looks at flags: the flags before it must be right. */
export function needsFlagsBefore(code: Code): boolean {
  let needs = flagsBefore.get(code.code);
  if (needs === undefined) flagsBefore.set(code.code, (needs = decideFlagsBefore(code)));
  return needs;
}

function decideFlagsBefore({ operation, form }: Code): boolean {
  if (operation.implicit || operation.throws || operation.unit || operation.guard) return true;
  if (operation.when || !operation.leaf) return true;
  const reads = /^(cf|eflags|eflags32|cc|pop|leave|ea|rp)$/;
  if (form.args.some((token) => isMemory(token) || reads.test(token))) return true;
  if (isMemory(form.result) || form.result === 'push') return true;
  const { flags } = operation;
  if (typeof flags !== 'object' || 'sub' in flags) return false;
  return /eflags|cf/.test('co' in flags ? flags.co : flags.bits);
}

export function writesAllFlags(code: Code): boolean {
  return code.operation.flags !== undefined;
}

/** Where an argument is: a local (temporary ones are given back), or a constant. */
class Arguments {
  readonly bound: number[] = [];
  readonly constants: number[] = [];
  private readonly temporary: number[] = [];

  local(local: number): void {
    this.bound.push(local);
    this.constants.push(0);
  }
  /** Pops the stack into a temporary of `type`. */
  pop(c: Context, type: number): void {
    const local = c.locals.take(type);
    c.e.localSet(local);
    this.temporary.push(local);
    this.local(local);
  }
  constant(value: number): void {
    this.bound.push(CONSTANT);
    this.constants.push(value);
  }
  push(c: Context, i: number): void {
    if (this.bound[i] === CONSTANT) c.e.i32Const(this.constants[i]);
    else c.e.localGet(this.bound[i]);
  }
  release(c: Context): void {
    for (const local of this.temporary.reverse()) c.locals.give(local);
  }
}

function bitsOf(token: string, size: number): number {
  const width = token.split(':')[1];
  return width ? parseInt(width) : size;
}

function typeOfBits(bits: number): number {
  return bits === 128 ? O.V128 : bits === 64 ? O.I64 : O.I32;
}

/** Emits one instruction's operation. `needFlags`: whether anything can see its flags. */
export function emitOperation(c: Context, code: Code, record: number, needFlags: boolean): void {
  const { e, locals, decoded } = c;
  const { operation, form, size } = code;
  if (operation.unit) checkUnit(c, operation.unit);

  // --- Memory: address, checks ---------------------------------------------------------------------
  const memorySource = form.args.find(isMemory);
  const memorySink = isMemory(form.result) ? form.result! : undefined;
  const needsAddress =
    memorySource !== undefined || memorySink !== undefined || form.args.includes('ea');
  let ea = -1;
  let host = -1;
  if (needsAddress) {
    ea = address(c, record);
    if (operation.align) {
      e.localGet(ea);
      e.i32Const(operation.align - 1);
      e.op(O.I32_AND);
      e.if();
      c.leaveHere();
      e.end();
    }
    if (memorySource !== undefined || memorySink !== undefined) {
      const bits = bitsOf(memorySource ?? memorySink!, size);
      check(c, ea, bits / 8, memorySink !== undefined ? TLB_WRITE : TLB_READ);
      host = locals.take(O.I32);
      e.localSet(host);
    }
  }
  let stack = -1;
  if (form.args.includes('pop') || form.args.includes('leave')) {
    const pointer = form.args.includes('pop') ? SLOT_ESP : SLOT_EBP;
    check(c, c.registers[pointer >> 2], 4, TLB_READ);
    stack = locals.take(O.I32);
    e.localSet(stack);
  }
  let pushed = -1;
  if (form.result === 'push') {
    pushed = locals.take(O.I32);
    e.localGet(c.registers[SLOT_ESP >> 2]);
    e.i32Const(-4);
    e.op(O.I32_ADD);
    e.localSet(pushed);
    check(c, pushed, 4, TLB_WRITE);
    stack = locals.take(O.I32);
    e.localSet(stack);
  }

  // --- Arguments -----------------------------------------------------------------------------------
  const args = new Arguments();
  for (const token of form.args) {
    const bits = bitsOf(token, size);
    switch (token.split(':')[0]) {
      case 'r1':
      case 'r2': {
        const slot = token.startsWith('r1') ? decoded.r1(record) : decoded.r2(record);
        if (bits === 32 && !form.second) args.local(c.registers[slot >> 2]);
        else {
          get(c, slot, bits);
          args.pop(c, O.I32);
        }
        break;
      }
      case 'm':
        e.localGet(host);
        if (token.endsWith('x')) {
          loadLane(c, bits);
          args.pop(c, O.V128);
        } else {
          loadValue(c, bits);
          args.pop(c, typeOfBits(bits));
        }
        break;
      case 'imm':
        args.constant(decoded.imm(record));
        break;
      case 'ea':
        args.local(ea);
        break;
      case 'rp':
        args.constant(record);
        break;
      case 'cf':
        carry(c);
        args.pop(c, O.I32);
        break;
      case 'eflags':
        arithmeticFlags(c);
        args.pop(c, O.I32);
        break;
      case 'eflags32':
        arithmeticFlags(c);
        e.i32Const(0);
        e.load(O.I32_LOAD, EFLAGS_SYSTEM, 2);
        e.i32Const(0xfcffff);
        e.op(O.I32_AND);
        e.op(O.I32_OR);
        args.pop(c, O.I32);
        break;
      case 'cc':
        condition(c, operation.cc!);
        // A stored condition is 0 or 1.
        e.i32Const(0);
        e.op(O.I32_NE);
        args.pop(c, O.I32);
        break;
      case 'acc':
        get(c, SLOT_EAX, bits);
        args.pop(c, O.I32);
        break;
      case 'ecx':
        args.local(c.registers[SLOT_ECX >> 2]);
        break;
      case 'AX':
        get(c, SLOT_EAX, 16);
        args.pop(c, O.I32);
        break;
      case 'DX':
        e.localGet(c.registers[SLOT_EDX >> 2]);
        e.i32Const(16);
        e.op(O.I32_SHL);
        e.localGet(c.registers[SLOT_EAX >> 2]);
        e.i32Const(0xffff);
        e.op(O.I32_AND);
        e.op(O.I32_OR);
        args.pop(c, O.I32);
        break;
      case 'EDX':
        e.localGet(c.registers[SLOT_EDX >> 2]);
        e.op(O.I64_EXTEND_I32_U);
        e.i64Const(32);
        e.op(O.I64_SHL);
        e.localGet(c.registers[SLOT_EAX >> 2]);
        e.op(O.I64_EXTEND_I32_U);
        e.op(O.I64_OR);
        args.pop(c, O.I64);
        break;
      case 'pop':
      case 'leave':
        e.localGet(stack);
        loadValue(c, 32);
        args.pop(c, O.I32);
        break;
      case 'x1':
      case 'x2':
        e.i32Const(0);
        e.simdMemory(
          V128_LOAD,
          XMM + (token === 'x1' ? decoded.r1(record) : decoded.r2(record)),
          4,
        );
        args.pop(c, O.V128);
        break;
      case 'mm1':
      case 'mm2':
        e.i32Const(0);
        e.load(
          O.I64_LOAD,
          FPU_REGS + (token === 'mm1' ? decoded.r1(record) : decoded.r2(record)),
          3,
        );
        args.pop(c, O.I64);
        break;
    }
  }

  // --- CMOVcc: the operand is read whatever the condition -------------------------------------------
  if (operation.when) {
    const slot = decoded.r1(record);
    args.push(c, 0);
    get(c, slot, size);
    condition(c, operation.cc!);
    e.select();
    put(c, slot, size);
    args.release(c);
    if (host >= 0) locals.give(host);
    if (ea >= 0) locals.give(ea);
    return;
  }

  if (operation.unit === 'mmx' && memorySink === undefined) c.apply('mmx_enter');
  if (operation.guard) {
    c.applyBound(named(operation.guard, size), args.bound, args.constants);
    e.op(O.I32_EQZ);
    e.if();
    c.leaveHere();
    e.end();
  }

  // --- The function ----------------------------------------------------------------------------------
  const complex =
    operation.throws || (operation.implicit !== undefined && operation.implicit !== '');
  if (complex) c.sync();
  const keeps = form.result !== null || (!!operation.flags && operation.fn !== null);
  let result = -1;
  let resultType = 0;
  let resultConstant: number | null = null;
  if (operation.fn !== null) {
    c.applyBound(named(operation.fn, size), args.bound, args.constants);
    if (keeps) {
      resultType = resultTypeOf(form.result);
      if (resultType === O.I32 && needsCut(code))
        e.op(size === 8 ? O.I32_EXTEND8_S : O.I32_EXTEND16_S);
      result = locals.take(resultType);
      e.localSet(result);
    }
  } else if (keeps && form.args.length) {
    const last = args.bound.length - 1;
    if (args.bound[last] === CONSTANT) resultConstant = args.constants[last];
    else {
      resultType = resultTypeOf(form.result);
      result = locals.take(resultType);
      args.push(c, last);
      e.localSet(result);
    }
  }
  const pushResult = () => {
    if (resultConstant !== null) e.i32Const(resultConstant);
    else e.localGet(result);
  };
  if (operation.implicit) {
    c.loadState(c.used);
    c.kind = -1;
  }

  // --- Flag functions look at operands and old flags: before either is gone ---------------------------
  const { flags } = operation;
  let flagWord = -1;
  if (needFlags && typeof flags === 'object' && !('sub' in flags)) {
    const call = parseCall('co' in flags ? flags.co : flags.bits, size);
    const more = new Arguments();
    const letters = 'abcd';
    for (const token of call.args) {
      if (token === 'r') more.local(result);
      else if (token.length === 1) {
        const i = letters.indexOf(token);
        more.bound.push(args.bound[i]);
        more.constants.push(args.constants[i]);
      } else if (token === 'cf') {
        carry(c);
        more.pop(c, O.I32);
      } else if (token === 'eflags') {
        arithmeticFlags(c);
        more.pop(c, O.I32);
      } else if (token === 'ah') {
        e.localGet(c.registers[SLOT_EAX >> 2]);
        e.i32Const(8);
        e.op(O.I32_SHR_U);
        e.i32Const(0xff);
        e.op(O.I32_AND);
        more.pop(c, O.I32);
      } else throw new Error(`jit: flag argument ${token} of ${code.name}`);
    }
    c.applyBound(call.name, more.bound, more.constants);
    flagWord = locals.take(O.I32);
    e.localSet(flagWord);
    more.release(c);
  }

  // --- Memory result ---------------------------------------------------------------------------------
  if (memorySink !== undefined) {
    e.localGet(host);
    pushResult();
    storeValue(c, bitsOf(memorySink, size));
    if (operation.unit === 'mmx') c.apply('mmx_enter');
  } else if (form.result === 'push') {
    e.localGet(stack);
    pushResult();
    storeValue(c, 32);
    e.localGet(pushed);
    put(c, SLOT_ESP, 32);
  }

  // --- Flags -----------------------------------------------------------------------------------------
  if (needFlags && flags !== undefined) {
    if (flagWord >= 0) {
      e.localGet(flagWord);
      e.localSet(c.bLocal);
      if ('co' in (flags as object)) {
        e.localGet(result);
        if (resultType === O.I64) e.op(O.I32_WRAP_I64);
        e.localSet(c.resultLocal);
        setKind(c, KIND_CO);
      } else setKind(c, KIND_BITS);
    } else if (flags === 'LOGIC') {
      e.localGet(result);
      e.localSet(c.resultLocal);
      e.i32Const(0);
      e.localSet(c.bLocal);
      setKind(c, KIND_LOGIC);
    } else if (flags === 'NEG') {
      e.localGet(result);
      e.localSet(c.resultLocal);
      args.push(c, 0);
      e.localSet(c.bLocal);
      e.i32Const(0);
      e.localSet(c.aLocal);
      setKind(c, KIND_SUB);
    } else if (typeof flags === 'string') {
      e.localGet(result);
      e.localSet(c.resultLocal);
      args.push(c, 0);
      e.localSet(c.aLocal);
      args.push(c, 1);
      e.localSet(c.bLocal);
      setKind(c, FLAG_KINDS[flags]);
    } else if ('sub' in flags) {
      const [x, y] = flags.sub.map((letter) => 'abcd'.indexOf(letter));
      args.push(c, x);
      args.push(c, y);
      e.op(O.I32_SUB);
      if (size !== 32) e.op(size === 8 ? O.I32_EXTEND8_S : O.I32_EXTEND16_S);
      e.localSet(c.resultLocal);
      args.push(c, x);
      e.localSet(c.aLocal);
      args.push(c, y);
      e.localSet(c.bLocal);
      setKind(c, KIND_SUB);
    }
  }

  // --- Register results ------------------------------------------------------------------------------
  if (form.second) {
    args.push(c, 'abcd'.indexOf(form.second.source));
    putSink(c, form.second.sink, record, size);
  }
  if (form.args.includes('pop')) {
    e.localGet(c.registers[SLOT_ESP >> 2]);
    e.i32Const(4);
    e.op(O.I32_ADD);
    put(c, SLOT_ESP, 32);
  } else if (form.args.includes('leave')) {
    e.localGet(c.registers[SLOT_EBP >> 2]);
    e.i32Const(4);
    e.op(O.I32_ADD);
    put(c, SLOT_ESP, 32);
  }
  if (form.result !== null && memorySink === undefined && form.result !== 'push') {
    pushRegisterResult(c, form.result, record, size, pushResult);
  }
  if (operation.after) c.apply(named(operation.after, size));

  if (flagWord >= 0) locals.give(flagWord);
  if (result >= 0) locals.give(result);
  args.release(c);
  if (stack >= 0) locals.give(stack);
  if (pushed >= 0) locals.give(pushed);
  if (host >= 0) locals.give(host);
  if (ea >= 0) locals.give(ea);
}

function named(name: string, size: number): string {
  return name.replace('%', String(size));
}

function resultTypeOf(sink: string | null): number {
  if (sink === null) return O.I32;
  if (sink === 'x1' || sink === 'm:128') return O.V128;
  if (sink === 'mm1' || sink === 'm:64' || sink === 'EDX:EAX') return O.I64;
  return O.I32;
}

function needsCut({ operation, form, size }: Code): boolean {
  if (/^(AX|DX:AX|EDX:EAX)$/.test(form.result ?? '')) return false;
  return (size === 8 || size === 16) && !!operation.flags && operation.flags !== 'LOGIC';
}

function checkUnit(c: Context, unit: string): void {
  const { e } = c;
  e.i32Const(0);
  e.load(O.I32_LOAD, unit === 'sse' ? SSE_BLOCKED : FPU_BLOCKED, 2);
  e.if();
  c.leaveHere();
  e.end();
}

/** Pops the stack into a register sink. */
function putSink(c: Context, sink: string, record: number, size: number): void {
  const bits = bitsOf(sink, size);
  switch (sink.split(':')[0]) {
    case 'r1':
      put(c, c.decoded.r1(record), bits);
      break;
    case 'r2':
      put(c, c.decoded.r2(record), bits);
      break;
    case 'acc':
      put(c, SLOT_EAX, bits);
      break;
    case 'AH':
      put(c, SLOT_EAX + 1, 8);
      break;
    case 'AX':
      put(c, SLOT_EAX, 16);
      break;
    case 'EDX':
      put(c, SLOT_EDX, size);
      break;
    case 'EBP':
      put(c, SLOT_EBP, 32);
      break;
    default:
      throw new Error(`jit: sink ${sink}`);
  }
}

function pushRegisterResult(
  c: Context,
  sink: string,
  record: number,
  size: number,
  pushResult: () => void,
): void {
  const { e } = c;
  if (sink === 'x1') {
    e.i32Const(0);
    pushResult();
    e.simdMemory(V128_STORE, XMM + c.decoded.r1(record), 4);
  } else if (sink === 'mm1') {
    e.i32Const(0);
    pushResult();
    e.store(O.I64_STORE, FPU_REGS + c.decoded.r1(record), 3);
    e.i32Const(0);
    e.i32Const(0xffff);
    e.store(O.I32_STORE16, FPU_REGS + c.decoded.r1(record) + 8, 1);
  } else if (sink === 'EDX:EAX') {
    pushResult();
    e.op(O.I32_WRAP_I64);
    put(c, SLOT_EAX, 32);
    pushResult();
    e.i64Const(32);
    e.op(O.I64_SHR_U);
    e.op(O.I32_WRAP_I64);
    put(c, SLOT_EDX, 32);
  } else if (sink === 'DX:AX') {
    pushResult();
    put(c, SLOT_EAX, 16);
    pushResult();
    e.i32Const(16);
    e.op(O.I32_SHR_U);
    put(c, SLOT_EDX, 16);
  } else {
    pushResult();
    putSink(c, sink, record, size);
  }
}
