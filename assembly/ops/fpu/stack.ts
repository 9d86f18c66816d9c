// The register stack and the status word: tags, stack faults, the response to exceptions, the
// pointers to the last instruction. Every x87 instruction begins and ends here.
//
// An exception whose mask is clear leaves its operands alone when it is found before the operation
// (IE DE ZE) or when memory is the destination; ES is set, and the next waiting instruction raises
// #MF (SDM vol. 1 8.6): FPU_BLOCKED bit 1 says so to the glue.
import {
  EIP_CURRENT,
  FPU_BLOCKED,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_REGS,
  FPU_STATUS,
  FPU_TAGS,
  FPU_TOP,
  SEGMENT_BASE,
  SELECTOR,
} from '../../shared/layout';
import { read8 } from '../../mem/access';
import { skipRest } from '../../cpu/faults';
import {
  BEFORE,
  BUSY,
  C1,
  ES,
  EXCEPTIONS,
  IE,
  INDEFINITE,
  INDEFINITE_SE,
  OE,
  SF,
  UE,
} from './words';
import { flags, resultSE, setFlags80, setResultSE } from './value';

const CS_INDEX = 1;
const DS_INDEX = 3;
/** FPU_BLOCKED: an unmasked exception waits. */
export const BLOCKED_PENDING: u32 = 2;

/** Notes this instruction as the last non-control one (SDM vol. 1 8.1.8). */
export function here(): void {
  store<u32>(FPU_IP, load<u32>(EIP_CURRENT));
  store<u32>(FPU_CS, load<u32>(SELECTOR + 4 * CS_INDEX));
}

/**
 * The same with a memory operand. The operand's segment is not known here: its base is taken to
 * be that of DS.
 */
export function hereMemory(ea: u32): void {
  here();
  store<u32>(FPU_DP, ea - load<u32>(SEGMENT_BASE + 4 * DS_INDEX));
  store<u32>(FPU_DS, load<u32>(SELECTOR + 4 * DS_INDEX));
}

/** Address of ST(i). */
export function st(i: u32): u32 {
  return FPU_REGS + (((load<u32>(FPU_TOP) + i) & 7) << 4);
}

/** Is the register at this address full? */
export function isFull(p: u32): bool {
  return ((load<u32>(FPU_TAGS) >> ((p - FPU_REGS) >> 4)) & 1) != 0;
}

export function setFull(p: u32): void {
  store<u32>(FPU_TAGS, load<u32>(FPU_TAGS) | (1 << ((p - FPU_REGS) >> 4)));
}

export function setEmpty(p: u32): void {
  store<u32>(FPU_TAGS, load<u32>(FPU_TAGS) & ~(1 << ((p - FPU_REGS) >> 4)));
}

export function setRegister(p: u32, m: u64, se: u32): void {
  store<u64>(p, m);
  store<u16>(p, se, 8);
}

/** Frees ST(0) and lets TOP pass it. */
export function fpuPop(): void {
  const top = load<u32>(FPU_TOP);
  store<u32>(FPU_TAGS, load<u32>(FPU_TAGS) & ~(1 << top));
  store<u32>(FPU_TOP, (top + 1) & 7);
}

/** ES, B and FPU_BLOCKED from the exceptions and their masks. */
export function summarize(): void {
  const status = load<u32>(FPU_STATUS) & ~(ES | BUSY);
  const blocked = load<u32>(FPU_BLOCKED) & ~BLOCKED_PENDING;
  if (status & ~load<u32>(FPU_CONTROL) & EXCEPTIONS) {
    store<u32>(FPU_STATUS, status | ES | BUSY);
    store<u32>(FPU_BLOCKED, blocked | BLOCKED_PENDING);
  } else {
    store<u32>(FPU_STATUS, status);
    store<u32>(FPU_BLOCKED, blocked);
  }
}

/** The unmasked exceptions among these. */
export function unmasked(bits: u32): u32 {
  return bits & ~load<u32>(FPU_CONTROL) & EXCEPTIONS;
}

/** ORs exceptions into the status word; C1 becomes what `bits` says. */
export function report(bits: u32): void {
  clearC1();
  reportKeepingC1(bits);
}

export function reportKeepingC1(bits: u32): void {
  store<u32>(FPU_STATUS, load<u32>(FPU_STATUS) | bits);
  if (unmasked(bits)) {
    noteOpcode();
    summarize();
  }
}

/**
 * The opcode is kept for instructions with an unmasked exception only, as processors without
 * "fopcode compatibility" do (SDM vol. 1 8.1.9.1); it is read again from the code.
 */
function noteOpcode(): void {
  let at = load<u32>(SEGMENT_BASE + 4 * CS_INDEX) + load<u32>(EIP_CURRENT);
  for (let i = 0; i < 14; i++) {
    const byte = read8(at++);
    if ((byte & 0xf8) != 0xd8) continue;
    store<u32>(FPU_OPCODE, ((byte & 7) << 8) | read8(at));
    return;
  }
}

/** C1 = 0 and nothing else: how most instructions without exceptions end. */
export function clearC1(): void {
  store<u32>(FPU_STATUS, load<u32>(FPU_STATUS) & ~C1);
}

/**
 * Ends an operation on registers: reports `flags` and, unless an exception found beforehand is
 * unmasked, puts the result into the register at p. Returns whether the instruction's pop happens.
 */
export function finish(p: u32, m: u64): bool {
  let f = flags;
  if (f == 0) clearC1();
  else {
    if (unmasked(f) & BEFORE) {
      report(f & (BEFORE | SF));
      return false;
    }
    report(f);
  }
  store<u64>(p, m);
  store<u16>(p, resultSE, 8);
  return true;
}

/** Stack underflow: the default NaN goes to p, where masked. Returns whether the pop happens. */
export function underflow(p: u32): bool {
  report(IE | SF);
  if (unmasked(IE)) return false;
  setRegister(p, INDEFINITE, INDEFINITE_SE);
  setFull(p);
  return true;
}

/** Mantissa of the register at p, the rest in `resultSE`; no exception so far. */
export function get(p: u32): u64 {
  setFlags80(0);
  setResultSE(load<u16>(p, 8));
  return load<u64>(p);
}

/** Pushes mantissa m and `resultSE`, with the exceptions of `flags`. */
export function fpuPush(m: u64): void {
  const top = (load<u32>(FPU_TOP) - 1) & 7;
  const p: u32 = FPU_REGS + (top << 4);
  if (isFull(p)) {
    setFlags80(IE | SF | C1);
    setResultSE(INDEFINITE_SE);
    m = INDEFINITE;
  }
  const f = flags;
  if (f == 0) clearC1();
  else {
    report(f);
    // A denormal from memory is loaded although DE is unmasked.
    if (unmasked(f) & IE) return;
  }
  setRegister(p, m, resultSE);
  setFull(p);
  store<u32>(FPU_TOP, top);
}

/** The masked answer to a stack fault that has been reported. */
export function pushIndefinite(): void {
  store<u32>(FPU_TOP, (load<u32>(FPU_TOP) - 1) & 7);
  const p = st(0);
  setRegister(p, INDEFINITE, INDEFINITE_SE);
  setFull(p);
}

// --- Stores to memory: the function that makes the value leaves `flags`; it is reported only when
// the value is stored (`after` in the rows), so that a page fault leaves the x87 state as it was.

let storeAddress: u32 = 0;

/** Begins a store of ST(0): its register, or 0 when it is empty and the indefinite is stored. */
export function storing(ea: u32): u32 {
  storeAddress = ea;
  const p = st(0);
  if (isFull(p)) return p;
  setFlags80(IE | SF);
  checkStore();
  return 0;
}

/** Gives up the store when an exception that prevents it is unmasked. */
export function checkStore(): void {
  const f = flags;
  if (unmasked(f) & (BEFORE | OE | UE)) {
    hereMemory(storeAddress);
    report(f);
    skipRest();
  }
}

export function fpu_stored(): void {
  hereMemory(storeAddress);
  const f = flags;
  if (f) report(f);
  else clearC1();
}

export function fpu_stored_pop(): void {
  fpu_stored();
  fpuPop();
}
