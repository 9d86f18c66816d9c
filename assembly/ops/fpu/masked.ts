// Whole x87 operations for translated code, where quick.ts left one undone: any operands, any
// rounding and precision, but every exception masked. Registers are named by their offset from
// FPU_REGS. Each returns what it reports in the status word: exceptions, C1, the condition code.
// Tags, pointers and the status word are the caller's, which has looked at the tags before.
import { FPU_REGS, FPU_STATUS, FPU_TAGS, FPU_TOP } from '../../shared/layout';
import { add80, div80, mul80, sqrt80, sub80 } from './arithmetic';
import { relation } from './compare';
import { narrow32, narrow64, toInteger, widen32, widen64 } from './convert';
import { quieted } from './move';
import { setRegister } from './stack';
import { flags, resultSE, setFlags80, setResultSE } from './value';

/** Operations by ModRM.reg of D8; 3, FCOMP there, is FUCOM here. */
const ADD = 0;
const MUL = 1;
const COM = 2;
const UCOM = 3;
const SUB = 4;
const SUBR = 5;
const DIV = 6;

/** Register d = a `operation` the operand (m, resultSE), whose widening left `flags`. */
function operate(operation: u32, d: u32, a: u32, m: u64): u32 {
  const am = load<u64>(a);
  const ase = load<u16>(a, 8);
  let result: u64;
  if (operation == ADD) result = add80(am, ase, m, resultSE);
  else if (operation == MUL) result = mul80(am, ase, m, resultSE);
  else if (operation == COM || operation == UCOM) {
    const outcome = relation(am, ase, m, resultSE, operation == UCOM);
    return outcome | flags;
  } else if (operation == SUB) result = sub80(am, ase, m, resultSE);
  else if (operation == SUBR) result = sub80(m, resultSE, am, ase);
  else if (operation == DIV) result = div80(am, ase, m, resultSE);
  else result = div80(m, resultSE, am, ase);
  setRegister(d, result, resultSE);
  return flags;
}

/** d = a `operation` b. */
export function masked_registers(operation: u32, d: u32, a: u32, b: u32): u32 {
  setFlags80(0);
  setResultSE(load<u16>(b, FPU_REGS + 8));
  return operate(operation, FPU_REGS + d, FPU_REGS + a, load<u64>(b, FPU_REGS));
}

/** p = p `operation` the m32 `v`. */
export function masked_memory32(operation: u32, p: u32, v: u32): u32 {
  return operate(operation, FPU_REGS + p, FPU_REGS + p, widen32(v));
}

/** p = p `operation` the m64 `v`. */
export function masked_memory64(operation: u32, p: u32, v: u64): u32 {
  return operate(operation, FPU_REGS + p, FPU_REGS + p, widen64(v));
}

export function masked_load32(d: u32, v: u32): u32 {
  setRegister(FPU_REGS + d, quieted(widen32(v)), resultSE);
  return flags;
}

export function masked_load64(d: u32, v: u64): u32 {
  setRegister(FPU_REGS + d, quieted(widen64(v)), resultSE);
  return flags;
}

export function masked_store32(p: u32, to: u32): u32 {
  store<u32>(to, narrow32(load<u64>(p, FPU_REGS), load<u16>(p, FPU_REGS + 8)));
  return flags;
}

export function masked_store64(p: u32, to: u32): u32 {
  store<u64>(to, narrow64(load<u64>(p, FPU_REGS), load<u16>(p, FPU_REGS + 8)));
  return flags;
}

export function masked_integer(p: u32, to: u32, bits: i32): u32 {
  const v = toInteger(load<u64>(p, FPU_REGS), load<u16>(p, FPU_REGS + 8), bits);
  if (bits == 16) store<u16>(to, <u16>v);
  else if (bits == 32) store<u32>(to, <u32>v);
  else store<u64>(to, v);
  return flags;
}

export function masked_sqrt(p: u32): u32 {
  setFlags80(0);
  const m = sqrt80(load<u64>(p, FPU_REGS), load<u16>(p, FPU_REGS + 8));
  setRegister(FPU_REGS + p, m, resultSE);
  return flags;
}

/** A mask of ST(0) to ST(7) as one of physical registers. */
function physical(mask: u32): u32 {
  return (((mask * 0x101) << load<u32>(FPU_TOP)) >> 8) & 0xff;
}

/**
 * Writes what a run of x87 instructions that ends here has not written yet. `moved`: how far TOP
 * moves (bits 0 to 2), registers that became full and empty (3 to 10, 11 to 18, as ST(i) before the
 * move), whether `status` has the bits that were set (19; else it is what an earlier run left
 * there), status bits that are gone (the second byte of the status word, 20 to 26).
 */
export function x87_leave(moved: u32, status: u32): void {
  const tags = load<u32>(FPU_TAGS) & ~physical((moved >> 11) & 0xff);
  store<u32>(FPU_TAGS, tags | physical((moved >> 3) & 0xff));
  store<u32>(FPU_TOP, (load<u32>(FPU_TOP) + moved) & 7);
  const set = (moved >> 19) & 1 ? status : 0;
  store<u32>(FPU_STATUS, (load<u32>(FPU_STATUS) & ~((moved >> 12) & 0x7f00)) | set);
}
