// Far JMP, CALL and RET: real mode, direct, through call gates with a stack switch and parameters,
// and to task gates and TSSs, which tasks.ts carries out (SDM vol. 2A CALL, JMP, RET).
import { CPL, EIP, ESP } from '../shared/layout';
import { GP, NP } from '../shared/faults';
import { raise } from './faults';
import { fetchInnerStack, innerPointer, innerSelector } from './interrupts';
import { checkReturnCode, checkReturnStack, commitOuter } from './iret';
import { isProtected, isV86 } from './privilege';
import {
  CONFORMING,
  CS,
  descriptorLimit,
  dplOf,
  fetchDescriptor,
  high,
  isCode,
  limitOf,
  low,
  markAccessed,
  PRESENT,
  raiseSelector,
  selectorOf,
  setCpl,
  setFromDescriptor,
  setReal,
  setV86,
  SS,
  updateMode,
} from './segments';
import { commitPointer, openInner, openStack, peek, pointer, pop, push, release } from './stack';
import { fetchTask, JUMPED, CALLED, switchTask } from './tasks';

function setCode(selector: u32): void {
  if (isV86()) setV86(CS, selector);
  else setReal(CS, selector);
}

function isFlatProtected(): bool {
  return isProtected() && !isV86();
}

// --- JMP -----------------------------------------------------------------------------------------

export function farJump(selector: u32, offset: u32): void {
  selector &= 0xffff;
  if (!isFlatProtected()) {
    if (offset > limitOf(CS)) raise(GP, 0);
    setCode(selector);
    store<u32>(EIP, offset);
    updateMode();
    return;
  }
  if (!(selector & 0xfffc)) raise(GP, 0);
  fetchDescriptor(selector, GP);
  if (isCode(high)) {
    checkDirect(selector);
  } else {
    const gate = checkGate(selector);
    if (gate == TASK) {
      switchTask(fetchedTask, JUMPED, 0, false, 0);
      return;
    }
    selector = gateSelector;
    offset = gateOffset;
    const dpl = dplOf(high);
    const cpl = load<u32>(CPL);
    // A jump never changes CPL, gate or not.
    if (high & CONFORMING ? dpl > cpl : dpl != cpl) raiseSelector(GP, selector);
    if (!(high & PRESENT)) raiseSelector(NP, selector);
  }
  if (offset > descriptorLimit(low, high)) raise(GP, 0);
  markAccessed();
  setFromDescriptor(CS, (selector & 0xfffc) | load<u32>(CPL), low, high);
  store<u32>(EIP, offset);
  updateMode();
}

/** A code segment named directly: same privilege, or conforming. */
function checkDirect(selector: u32): void {
  const cpl = load<u32>(CPL);
  const dpl = dplOf(high);
  if (high & CONFORMING) {
    if (dpl > cpl) raiseSelector(GP, selector);
  } else if ((selector & 3) > cpl || dpl != cpl) {
    raiseSelector(GP, selector);
  }
  if (!(high & PRESENT)) raiseSelector(NP, selector);
}

const TASK = 0;
const GATE16 = 1;
const GATE32 = 2;

let gateSelector: u32 = 0;
let gateOffset: u32 = 0;
let gateCount: u32 = 0;
let fetchedTask: u32 = 0;

/**
 * The descriptor in low and high is a system one: a TSS or task gate (TASK, fetchedTask is the
 * TSS's selector), or a call gate, whose code segment's descriptor is left in low and high.
 */
function checkGate(selector: u32): u32 {
  const type = (high >>> 8) & 0x1f;
  const dpl = dplOf(high);
  if (type != 1 && type != 9 && type != 4 && type != 5 && type != 12) raiseSelector(GP, selector);
  if (dpl < load<u32>(CPL) || dpl < (selector & 3)) raiseSelector(GP, selector);
  if (type == 1 || type == 9) {
    fetchTask(selector, false);
    fetchedTask = selector;
    return TASK;
  }
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  gateSelector = low >>> 16;
  if (type == 5) {
    fetchTask(gateSelector, false);
    fetchedTask = gateSelector;
    return TASK;
  }
  gateOffset = low & 0xffff;
  if (type == 12) gateOffset |= high & 0xffff0000;
  gateCount = high & 0x1f;
  if (!(gateSelector & 0xfffc)) raise(GP, 0);
  fetchDescriptor(gateSelector, GP);
  if (!isCode(high) || dplOf(high) > load<u32>(CPL)) raiseSelector(GP, gateSelector);
  return type == 12 ? GATE32 : GATE16;
}

// --- CALL ----------------------------------------------------------------------------------------

/** `wide`: 32-bit operand size, which decides what is pushed unless a gate does. */
export function farCall(selector: u32, offset: u32, wide: bool): void {
  selector &= 0xffff;
  if (!isFlatProtected()) {
    if (offset > limitOf(CS)) raise(GP, 0);
    pushReturn(wide);
    commitPointer();
    setCode(selector);
    store<u32>(EIP, offset);
    updateMode();
    return;
  }
  if (!(selector & 0xfffc)) raise(GP, 0);
  fetchDescriptor(selector, GP);
  if (isCode(high)) {
    checkDirect(selector);
  } else {
    const gate = checkGate(selector);
    if (gate == TASK) {
      switchTask(fetchedTask, CALLED, 0, false, 0);
      return;
    }
    selector = gateSelector;
    offset = gateOffset;
    wide = gate == GATE32;
    if (!(high & PRESENT)) raiseSelector(NP, selector);
    if (!(high & CONFORMING) && dplOf(high) < load<u32>(CPL)) {
      callInner(selector, offset, wide);
      return;
    }
  }
  if (offset > descriptorLimit(low, high)) raise(GP, 0);
  pushReturn(wide);
  markAccessed();
  commitPointer();
  setFromDescriptor(CS, (selector & 0xfffc) | load<u32>(CPL), low, high);
  store<u32>(EIP, offset);
  updateMode();
}

function pushReturn(wide: bool): void {
  openStack();
  push(selectorOf(CS), wide);
  push(load<u32>(EIP), wide);
}

/** Through a call gate to an inner level: the TSS's stack, with the parameters copied. */
function callInner(selector: u32, offset: u32, wide: bool): void {
  markAccessed();
  const csLow = low;
  const csHigh = high;
  const dpl = dplOf(high);
  fetchInnerStack(dpl);
  const oldPointer = load<u32>(ESP);
  openInner(low, high, innerPointer, innerSelector);
  push(selectorOf(SS), wide);
  push(oldPointer, wide);
  const top = pointer;
  // Last parameter first, each read from the old stack and pushed onto the new one.
  for (let i = gateCount; i > 0; i--) {
    openStack();
    const value = peek((i - 1) << (wide ? 2 : 1), wide);
    openInner(low, high, top - ((gateCount - i) << (wide ? 2 : 1)), innerSelector);
    push(value, wide);
  }
  push(selectorOf(CS), wide);
  push(load<u32>(EIP), wide);
  if (offset > descriptorLimit(csLow, csHigh)) raise(GP, 0);
  setFromDescriptor(SS, innerSelector, low, high);
  store<u32>(ESP, innerPointer);
  commitPointer();
  setFromDescriptor(CS, (selector & 0xfffc) | dpl, csLow, csHigh);
  setCpl(dpl);
  store<u32>(EIP, offset);
  updateMode();
}

// --- RET -----------------------------------------------------------------------------------------

/** RET far, letting `bytes` of parameters go. */
export function farReturn(wide: bool, bytes: u32): void {
  openStack();
  const eip = pop(wide);
  const selector = pop(wide) & 0xffff;
  if (!isFlatProtected()) {
    if (eip > limitOf(CS)) raise(GP, 0);
    release(bytes);
    commitPointer();
    setCode(selector);
    store<u32>(EIP, eip);
    updateMode();
    return;
  }
  checkReturnCode(selector);
  const csLow = low;
  const csHigh = high;
  const rpl = selector & 3;
  release(bytes);
  if (rpl > load<u32>(CPL)) {
    const esp = pop(wide);
    const ss = pop(wide) & 0xffff;
    if (eip > descriptorLimit(csLow, csHigh)) raise(GP, 0);
    checkReturnStack(ss, rpl);
    // The outer stack holds the same parameters.
    commitOuter(eip, selector, csLow, csHigh, esp + bytes, ss, wide);
    return;
  }
  if (eip > descriptorLimit(csLow, csHigh)) raise(GP, 0);
  commitPointer();
  setFromDescriptor(CS, selector, csLow, csHigh);
  store<u32>(EIP, eip);
  updateMode();
}
