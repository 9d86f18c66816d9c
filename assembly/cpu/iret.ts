// IRET in all its forms (SDM vol. 2A IRET): real mode, virtual-8086 mode, to the same or an outer
// level, back into virtual-8086 mode; a nested task's return is tasks.ts's.
import { CPL, EFLAGS_SYSTEM, EIP, ESP } from '../shared/layout';
import { GP, NP, SS_VECTOR } from '../shared/faults';
import { IOPL, NT, RF, VIF, VIP, VM } from '../shared/flags';
import { raise } from './faults';
import { returnFlat } from './flat';
import {
  changeFlags,
  flagMask,
  isProtected,
  isV86,
  replaceFlags,
  requireV86Iopl,
  resumeFlag,
} from './privilege';
import {
  accessOf,
  CODE,
  CONFORMING,
  CS,
  descriptorLimit,
  DS,
  dplOf,
  ES,
  fetchDescriptor,
  FS,
  GS,
  high,
  isCode,
  isWritableData,
  limitOf,
  low,
  markAccessed,
  NOT_SYSTEM,
  PRESENT,
  raiseSelector,
  setCpl,
  setFromDescriptor,
  setNull,
  setReal,
  setV86,
  SS,
  updateMode,
} from './segments';
import { commitPointer, openStack, pop, pop32, setStackPointer } from './stack';
import { returnFromTask } from './tasks';

export function iret16(): void {
  interruptReturn(false);
}

export function iret32(): void {
  interruptReturn(true);
}

function interruptReturn(wide: bool): void {
  if (wide && returnFlat(iretMask(0, true))) return;
  if (!isProtected() || isV86()) {
    returnReal(wide);
    return;
  }
  if (load<u32>(EFLAGS_SYSTEM) & NT) {
    returnFromTask();
    return;
  }
  openStack();
  const eip = pop(wide);
  const selector = pop(wide) & 0xffff;
  const flags = pop(wide);
  const cpl = load<u32>(CPL);
  if (wide && flags & VM && cpl == 0) {
    returnToV86(eip, selector, flags);
    return;
  }
  checkReturnCode(selector);
  const csLow = low;
  const csHigh = high;
  const rpl = selector & 3;
  if (rpl > cpl) {
    const esp = pop(wide);
    const ss = pop(wide) & 0xffff;
    if (eip > descriptorLimit(csLow, csHigh)) raise(GP, 0);
    checkReturnStack(ss, rpl);
    changeFlags(flags, iretMask(cpl, wide));
    commitOuter(eip, selector, csLow, csHigh, esp, ss, wide);
    return;
  }
  if (eip > descriptorLimit(csLow, csHigh)) raise(GP, 0);
  commitPointer();
  changeFlags(flags, iretMask(cpl, wide));
  setFromDescriptor(CS, selector, csLow, csHigh);
  store<u32>(EIP, eip);
  updateMode();
}

/** Leaves in low and high the descriptor of the code segment a return may go to. */
export function checkReturnCode(selector: u32): void {
  if (!(selector & 0xfffc)) raise(GP, 0);
  fetchDescriptor(selector, GP);
  const rpl = selector & 3;
  if (!isCode(high) || rpl < load<u32>(CPL)) raiseSelector(GP, selector);
  const dpl = dplOf(high);
  if (high & CONFORMING ? dpl > rpl : dpl != rpl) raiseSelector(GP, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  markAccessed();
}

/** Leaves in low and high the descriptor of the outer level's stack segment. */
export function checkReturnStack(selector: u32, rpl: u32): void {
  if (!(selector & 0xfffc)) raise(GP, 0);
  fetchDescriptor(selector, GP);
  if ((selector & 3) != rpl || dplOf(high) != rpl || !isWritableData(high)) {
    raiseSelector(GP, selector);
  }
  if (!(high & PRESENT)) raiseSelector(SS_VECTOR, selector);
  markAccessed();
}

/** Goes to an outer level; SS's descriptor is in low and high. */
export function commitOuter(
  eip: u32,
  selector: u32,
  csLow: u32,
  csHigh: u32,
  esp: u32,
  ss: u32,
  wide: bool,
): void {
  setFromDescriptor(CS, selector, csLow, csHigh);
  setFromDescriptor(SS, ss, low, high);
  // A 16-bit stack segment takes SP only: the rest of ESP stays the inner level's.
  if (wide) setStackPointer(esp);
  else store<u16>(ESP, esp);
  store<u32>(EIP, eip);
  setCpl(selector & 3);
  dropInner(ES);
  dropInner(DS);
  dropInner(FS);
  dropInner(GS);
  updateMode();
}

/** A data segment register that the outer level may not use becomes null. */
function dropInner(segment: u32): void {
  const access = accessOf(segment);
  if (!(access & PRESENT)) return;
  if ((access & (NOT_SYSTEM | CODE | CONFORMING)) == (NOT_SYSTEM | CODE | CONFORMING)) return;
  if (dplOf(access) < load<u32>(CPL)) setNull(segment, 0);
}

function iretMask(cpl: u32, wide: bool): u32 {
  let mask = flagMask(cpl, wide);
  if (!wide) return mask;
  if (resumeFlag(RF)) mask |= RF;
  return cpl == 0 ? mask | VIF | VIP : mask;
}

function returnReal(wide: bool): void {
  requireV86Iopl();
  openStack();
  const eip = pop(wide);
  const selector = pop(wide) & 0xffff;
  const flags = pop(wide);
  if (eip > limitOf(CS)) raise(GP, 0);
  commitPointer();
  if (isV86()) {
    changeFlags(flags, iretMask(3, wide) & ~IOPL);
    setV86(CS, selector);
  } else {
    changeFlags(flags, iretMask(0, wide) & ~(VIF | VIP));
    setReal(CS, selector);
  }
  store<u32>(EIP, eip);
  updateMode();
}

function returnToV86(eip: u32, selector: u32, flags: u32): void {
  const esp = pop32();
  const ss = pop32() & 0xffff;
  const es = pop32() & 0xffff;
  const ds = pop32() & 0xffff;
  const fs = pop32() & 0xffff;
  const gs = pop32() & 0xffff;
  if (eip > 0xffff) raise(GP, 0);
  replaceFlags(flags);
  setV86(CS, selector);
  setV86(SS, ss);
  setV86(ES, es);
  setV86(DS, ds);
  setV86(FS, fs);
  setV86(GS, gs);
  store<u32>(ESP, esp);
  store<u32>(EIP, eip);
  setCpl(3);
  updateMode();
}
