/**
 * Calls into a paravirtual ROM from translated code. The routine is not executed: the function of
 * the core that serves the call is called, or the operation stands inline. What is observable is
 * the routine's (assembly/paravirt/vmcall.ts), down to the instructions that retire, but for the
 * stack below ESP, where the routine would have left its return address.
 *
 * Knows calls as a face describes them, not what they are for.
 */
import {
  BUDGET,
  CODE_GENERATION,
  COUNT_CURRENT,
  EFLAGS_SYSTEM,
  EIP,
  KERNEL_GENERATION,
  VMI_COUNTS,
} from '../assembly/shared/layout.ts';
import { IF } from '../assembly/shared/flags.ts';
import { REGION_CHECK } from '../assembly/shared/regions.ts';
import type { Context } from './context.ts';
import { pushWaiting, storeFlags } from './interrupts.ts';
import { check, loadValue, TLB_READ } from './memory.ts';
import * as O from './wasm/opcodes.ts';

const EAX = 0;
const ECX = 1;
const EDX = 2;
const ESP = 4;
const REGISTER = { eax: EAX, edx: EDX, ecx: ECX };
const STACK = { stack0: 0, stack1: 4 };

/** A call that translated code makes by itself. */
export interface DirectCall {
  number: number;
  /** Export of the core. */
  function: string;
  /** Arguments in order: a register, a word of the stack, or a constant. */
  arguments: readonly (keyof typeof REGISTER | keyof typeof STACK | number)[];
  /** What becomes of the function's result; `registers`: it changed them in memory. */
  result: 'none' | 'eax' | 'edx:eax' | 'registers';
  /** The function gives an i64 whatever the result is. */
  wide: boolean;
  /**
   * nothing  it only reads
   * code     decoded code or mappings may have changed
   * events   the host was called: an interrupt may wait
   * leaves   control goes where EIP says, or the processor halts
   */
  after: 'nothing' | 'code' | 'events' | 'leaves';
  /** It raises nothing. */
  neverFaults?: boolean | undefined;
  /**
   * Export of the core with the same arguments that makes the call and gives 1 when nothing has to be looked
   * at, before or after; 0: nothing has been done.
   */
  quick?: string | undefined;
  /** The operation on EFLAGS.IF that stands here instead of a call, or nothing at all. */
  inline?: 'enable' | 'disable' | 'get' | 'set' | 'nothing' | undefined;
}

/** The call whose routine begins at this physical address. */
export type FindDirectCall = (physical: number) => DirectCall | undefined;

/** Instructions of every routine: what says the number, and what enters the hypervisor. */
const ROUTINE_LENGTH = 2;

/** May a JMP lead to the call? A fault would be the routine's: only what raises none, or leaves before it would. */
export function canBeJumpedTo({ neverFaults, quick }: DirectCall): boolean {
  return neverFaults === true || quick !== undefined;
}

/** Registers read and written, as stateOf() gives them; `tail`: it is jumped to. */
export function directState(call: DirectCall, tail: boolean): number {
  if (call.result === 'registers' || call.after === 'leaves') return 0x00ff00ff;
  const used = (1 << EAX) | (1 << EDX) | (1 << ECX) | (1 << ESP);
  const written = call.result === 'none' ? 0 : (1 << EAX) | (1 << EDX);
  return (used << 16) | written | (tail ? 1 << ESP : 0);
}

/**
 * Emits the call at c.eip, whose CALL is the `instructions`th instruction of its node. Where it
 * leaves the region the next instruction is at `next`; undefined: it is a JMP, and goes on where the
 * stack says, which is in c.targetLocal then.
 */
export function emitDirect(
  c: Context,
  call: DirectCall,
  instructions: number,
  next: number | undefined,
): void {
  const { e } = c;
  // The interpreter looks at the budget after CALL and after VMCALL: it makes a call that may not
  // be made whole, or behind which there would be nothing left of it. So nobody asks there.
  e.localGet(c.budgetLocal);
  e.i32Const(instructions + ROUTINE_LENGTH);
  e.op(O.I32_LE_S);
  e.if();
  c.leaveHere();
  e.end();
  const tail = next === undefined;
  if (tail) {
    e.localGet(c.registers[ESP]);
    e.localSet(c.targetLocal);
    check(c, c.targetLocal, 4, TLB_READ);
    loadValue(c, 32);
    e.localSet(c.targetLocal);
  }
  if (call.inline) {
    inline(c, call, instructions, next);
    return;
  }
  const given = call.arguments.map((at) => {
    if (typeof at === 'number' || !(at in STACK)) return -1;
    const pointer = c.locals.take(O.I32);
    e.localGet(c.registers[ESP]);
    e.i32Const(STACK[at as keyof typeof STACK] + (tail ? 4 : 0));
    e.op(O.I32_ADD);
    e.localSet(pointer);
    check(c, pointer, 4, TLB_READ);
    loadValue(c, 32);
    e.localSet(pointer);
    return pointer;
  });
  if (call.quick !== undefined) {
    c.prepareLeave();
    pushArguments(c, call, given);
    e.call(c.imports.functionIndex(call.quick));
    e.op(O.I32_EQZ);
    c.leaveIf();
    for (const local of given) if (local >= 0) c.locals.give(local);
    count(c, call);
    c.retire(instructions + ROUTINE_LENGTH);
    if (tail) popTarget(c);
    return;
  }
  count(c, call);
  c.retire(instructions);
  // What neither faults nor asks for the time has no use for the state in memory.
  if (!call.neverFaults || call.after === 'events') syncInRoutine(c);
  const generations = [0, 0];
  if (call.after === 'leaves') {
    c.storeWord(EIP, () => e.i32Const(next!));
  } else if (call.after !== 'nothing') {
    [KERNEL_GENERATION, CODE_GENERATION].forEach((address, i) => {
      generations[i] = c.locals.take(O.I32);
      c.pushWord(address);
      e.localSet(generations[i]);
    });
  }
  pushArguments(c, call, given);
  e.call(c.imports.functionIndex(call.function));
  for (const local of given) if (local >= 0) c.locals.give(local);
  if (call.after === 'leaves') {
    if (call.wide) e.drop();
    c.storeWord(BUDGET, () => {
      e.localGet(c.budgetLocal);
      e.i32Const(ROUTINE_LENGTH);
      e.op(O.I32_SUB);
    });
    c.storeWord(COUNT_CURRENT, () => e.i32Const(0));
    e.i32Const(REGION_CHECK);
    e.return();
    return;
  }
  takeResult(c, call);
  if (tail) popTarget(c);
  c.retire(ROUTINE_LENGTH);
  if (call.after === 'nothing') return;
  [KERNEL_GENERATION, CODE_GENERATION].forEach((address, i) => {
    c.pushWord(address);
    e.localGet(generations[i]);
    e.op(O.I32_NE);
    if (i) e.op(O.I32_OR);
    c.locals.give(generations[i]);
  });
  if (call.after === 'events') {
    e.call(c.imports.functionIndex('mustLook'));
    e.op(O.I32_OR);
  }
  e.if();
  leaveBehind(c, next);
  e.end();
}

/** `given` has the local of each argument that is on the guest's stack. */
function pushArguments(c: Context, call: DirectCall, given: readonly number[]): void {
  const { e } = c;
  call.arguments.forEach((at, i) => {
    if (typeof at === 'number') e.i32Const(at);
    else e.localGet(given[i] >= 0 ? given[i] : c.registers[REGISTER[at as keyof typeof REGISTER]]);
  });
}

/**
 * What the core sees is the routine's second instruction, at the place of the CALL, in no record: if
 * it has to run alone, all begins again with the CALL (settleFault() in run.ts).
 */
function syncInRoutine(c: Context): void {
  const { before, record } = c;
  c.before = 1;
  c.record = 0;
  c.sync();
  c.before = before;
  c.record = record;
}

/** The return address that a JMP left for the routine to drop. */
function popTarget(c: Context): void {
  const { e } = c;
  e.localGet(c.registers[ESP]);
  e.i32Const(4);
  e.op(O.I32_ADD);
  e.localSet(c.registers[ESP]);
  c.dirty |= 1 << ESP;
}

function leaveBehind(c: Context, next: number | undefined): void {
  if (next !== undefined) {
    c.leaveTo(next, true);
    return;
  }
  c.e.localGet(c.targetLocal);
  c.leaveToStack(true);
}

function takeResult(c: Context, call: DirectCall): void {
  const { e } = c;
  if (call.result === 'registers') {
    c.loadState(c.used & 0xff);
  } else if (call.result === 'eax') {
    if (call.wide) e.op(O.I32_WRAP_I64);
    e.localSet(c.registers[EAX]);
    c.dirty |= 1 << EAX;
  } else if (call.result === 'edx:eax') {
    const pair = c.locals.take(O.I64);
    e.localTee(pair);
    e.op(O.I32_WRAP_I64);
    e.localSet(c.registers[EAX]);
    e.localGet(pair);
    e.i64Const(32);
    e.op(O.I64_SHR_U);
    e.op(O.I32_WRAP_I64);
    e.localSet(c.registers[EDX]);
    c.locals.give(pair);
    c.dirty |= (1 << EAX) | (1 << EDX);
  } else if (call.wide) e.drop();
}

/** EFLAGS.IF, which is no part of the arithmetic flags and in memory always. */
function inline(
  c: Context,
  call: DirectCall,
  instructions: number,
  next: number | undefined,
): void {
  const { e } = c;
  count(c, call);
  if (next === undefined) popTarget(c);
  c.retire(instructions + ROUTINE_LENGTH);
  switch (call.inline!) {
    case 'nothing':
      return;
    case 'get':
      c.pushWord(EFLAGS_SYSTEM);
      e.i32Const(IF);
      e.op(O.I32_AND);
      e.localSet(c.registers[EAX]);
      c.dirty |= 1 << EAX;
      return;
    case 'disable':
      storeFlags(c, () => {
        e.i32Const(~IF);
        e.op(O.I32_AND);
      });
      return;
    case 'enable':
      storeFlags(c, () => {
        e.i32Const(IF);
        e.op(O.I32_OR);
      });
      pushWaiting(c);
      break;
    case 'set':
      storeFlags(c, () => {
        e.i32Const(~IF);
        e.op(O.I32_AND);
        e.localGet(c.registers[EAX]);
        e.i32Const(IF);
        e.op(O.I32_AND);
        e.op(O.I32_OR);
      });
      pushWaiting(c);
      e.localGet(c.registers[EAX]);
      e.i32Const(IF);
      e.op(O.I32_AND);
      e.i32Const(0);
      e.op(O.I32_NE);
      e.op(O.I32_AND);
      break;
  }
  e.if();
  leaveBehind(c, next);
  e.end();
}

function count(c: Context, { number }: DirectCall): void {
  const counter = VMI_COUNTS + 4 * number;
  c.storeWord(counter, () => {
    c.pushWord(counter);
    c.e.i32Const(1);
    c.e.op(O.I32_ADD);
  });
}
