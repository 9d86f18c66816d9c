/**
 * CLI and STI at CPL 0: a bit in memory. Written by hand, because a kernel executes them as often as
 * calls, and the core's functions want all state in memory.
 */
import { EFLAGS_SYSTEM, INTR, NMI, STOP } from '../assembly/shared/layout.ts';
import { IF } from '../assembly/shared/flags.ts';
import { MODE_MIDDLE, MODE_PROTECTED, MODE_USER } from '../assembly/shared/modes.ts';
import { CODES } from '../isa/codes.ts';
import type { Context } from './context.ts';
import * as O from './wasm/opcodes.ts';

export function isRing0(mode: number): boolean {
  return (mode & (MODE_PROTECTED | MODE_USER | MODE_MIDDLE)) === MODE_PROTECTED;
}

/** The name by code, where it is one of the two: every instruction is asked for it. */
const names = [
  '',
  ...CODES.map(({ operation: { name } }) => (name === 'CLI' || name === 'STI' ? name : '')),
];

/** Emits CLI and says true, or says that the operation is another. */
export function clearsInterrupts(c: Context, code: number): boolean {
  if (names[code] !== 'CLI') return false;
  storeFlags(c, () => {
    c.e.i32Const(~IF);
    c.e.op(O.I32_AND);
  });
  return true;
}

/**
 * Emits STI and says true, or says that the operation is another. Where something waits it is the
 * interpreter's, which runs the next instruction alone; else that instruction follows as any other,
 * since nothing can begin to wait before it.
 */
export function setsInterrupts(c: Context, code: number): boolean {
  if (names[code] !== 'STI') return false;
  const { e } = c;
  pushWaiting(c);
  e.if();
  c.leaveHere();
  e.end();
  storeFlags(c, () => {
    e.i32Const(IF);
    e.op(O.I32_OR);
  });
  return true;
}

/** Pushes 1 when an interrupt or the host waits to be looked at, else 0. */
export function pushWaiting(c: Context): void {
  const { e } = c;
  [INTR, NMI, STOP].forEach((address, i) => {
    c.pushWord(address);
    if (i) e.op(O.I32_OR);
  });
  e.i32Const(0);
  e.op(O.I32_NE);
}

/** EFLAGS_SYSTEM, on the stack for `change`, and stored as what that leaves there. */
export function storeFlags(c: Context, change: () => void): void {
  c.storeWord(EFLAGS_SYSTEM, () => {
    c.pushWord(EFLAGS_SYSTEM);
    change();
  });
}
