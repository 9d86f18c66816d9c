// Delivery of exceptions, external interrupts and INT through the interrupt table, and what
// happens when that faults itself (SDM vol. 3A chapter 6). Returning is iret.ts's, task gates end
// in tasks.ts.
import {
  COUNT_CURRENT,
  COUNTERS,
  CPL,
  CR2,
  EFLAGS_SYSTEM,
  EIP,
  EIP_CURRENT,
  ESP,
  FAULT_ADDRESS,
  FAULT_CODE,
  FAULT_PENDING,
  FAULT_VECTOR,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  SINGLE,
} from '../shared/layout';
import { COUNT_FAULTS, COUNT_INTERRUPTS, COUNT_VECTORS } from '../shared/counters';
import { AC_VECTOR, DB, DE, DF_VECTOR, GP, NP, PF_VECTOR, SS_VECTOR, TS } from '../shared/faults';
import {
  EVENT_DOUBLED,
  EVENT_FAULT,
  EVENT_INTERRUPT,
  EVENT_NOTHING,
  EVENT_SHUTDOWN,
  EVENT_SOFTWARE,
} from '../shared/history';
import { AC, IF, NT, RF, TF, VM } from '../shared/flags';
import { endFaultRun, noteEvent } from '../interp/history';
import { readSystem16, readSystem32 } from '../mem/access';
import { getEflags } from '../ops/flags';
import { enterDebugHandler, forgetStep } from './debug';
import { raise } from './faults';
import { deliverFlat } from './flat';
import { isProtected } from './privilege';
import {
  accessOf,
  baseOf,
  checkStackSegment,
  CONFORMING,
  CS,
  DS,
  dplOf,
  ES,
  external,
  fetchDescriptor,
  FS,
  GS,
  high,
  isCode,
  limitOf,
  low,
  markAccessed,
  PRESENT,
  raiseSelector,
  descriptorLimit,
  selectorOf,
  setCpl,
  setExternal,
  setFromDescriptor,
  setNull,
  setReal,
  SS,
  TR,
  typeOf,
  updateMode,
} from './segments';
import { commitPointer, openInner, openStack, push, push16 } from './stack';
import { switchThroughGate } from './tasks';

// Kinds of events: what decides privilege checks, the EXT bit and single-stepping.
export const EXCEPTION = 0;
export const EXTERNAL = 1;
/** INT n, INT3, INTO: the gate's DPL must allow it, error codes have no EXT bit. */
export const SOFTWARE = 2;

// Classes of SDM vol. 3A table 6-5.
const NOTHING = -1;
const BENIGN = 0;
const CONTRIBUTORY = 1;
const PAGE_FAULT = 2;
const DOUBLE_FAULT = 3;

/** Class of the event whose delivery has begun and is not complete. */
let delivering: i32 = NOTHING;
/** Its vector. */
let deliveringVector: u32 = 0;
/** The processor shut down (triple fault); only RESET clears it. */
export let shutdown: bool = false;

export function clearDelivery(): void {
  delivering = NOTHING;
  shutdown = false;
  endFaultRun();
  setExternal(0);
}

function classOf(vector: i32): i32 {
  if (vector == PF_VECTOR) return PAGE_FAULT;
  if (vector == DF_VECTOR) return DOUBLE_FAULT;
  if (vector == DE || (vector >= TS && vector <= GP)) return CONTRIBUTORY;
  return BENIGN;
}

function hasErrorCode(vector: i32): bool {
  return vector == DF_VECTOR || (vector >= TS && vector <= PF_VECTOR) || vector == AC_VECTOR;
}

/** Delivers the exception in FAULT_*; EIP_CURRENT is the instruction it belongs to. May throw. */
export function deliverPending(): void {
  let vector = load<u32>(FAULT_VECTOR);
  let code = load<u32>(FAULT_CODE);
  store<u32>(FAULT_PENDING, 0);
  const second = classOf(vector);
  const during: u32 = delivering == NOTHING ? EVENT_NOTHING : deliveringVector;
  const event: u32 = EVENT_FAULT | (vector << 8) | (during << 16);
  if (delivering == DOUBLE_FAULT && second != BENIGN) {
    noteEvent(event | (EVENT_SHUTDOWN << 24), code);
    delivering = NOTHING;
    shutdown = true;
    return;
  }
  // A page fault during the delivery of a contributory exception is simply next.
  const doubled =
    (delivering == CONTRIBUTORY && second == CONTRIBUTORY) ||
    (delivering == PAGE_FAULT && (second == CONTRIBUTORY || second == PAGE_FAULT));
  noteEvent(doubled ? event | (EVENT_DOUBLED << 24) : event, code);
  if (second == PAGE_FAULT) store<u32>(CR2, load<u32>(FAULT_ADDRESS));
  if (doubled) {
    vector = DF_VECTOR;
    code = 0;
  }
  count(COUNT_FAULTS);
  store<u32>(EIP, load<u32>(EIP_CURRENT));
  if (vector == DB) enterDebugHandler();
  deliver(vector, EXCEPTION, hasErrorCode(vector), code);
}

/** An interrupt from outside, between two instructions. */
export function deliverExternal(vector: u32): void {
  store<u32>(EIP_CURRENT, load<u32>(EIP));
  store<u32>(COUNT_CURRENT, 0);
  count(COUNT_INTERRUPTS);
  noteEvent(EVENT_INTERRUPT | (vector << 8), 0);
  deliver(vector, EXTERNAL, false, 0);
}

/** INT n and its relatives; EIP is the next instruction's, EIP_CURRENT this one's. */
export function deliverSoftware(vector: u32): void {
  noteEvent(EVENT_SOFTWARE | (vector << 8), 0);
  deliver(vector, SOFTWARE, false, 0);
}

/** INT1: like an exception for privilege, but the handler returns behind it. */
export function deliverTrap(vector: u32): void {
  deliver(vector, EXTERNAL, false, 0);
}

function count(index: u32): void {
  const counter: usize = COUNTERS + (index << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Pushes the return frame with EIP as return address and goes to the handler. */
export function deliver(vector: u32, kind: u32, hasCode: bool, code: u32): void {
  delivering = kind == EXCEPTION ? classOf(vector) : BENIGN;
  deliveringVector = vector;
  setExternal(kind == SOFTWARE ? 0 : 1);
  // Stacks may be MMIO or lie beside decoded code; nothing here can run again alone.
  const single = load<u32>(SINGLE);
  store<u32>(SINGLE, 1);
  count(COUNT_VECTORS + vector);
  // Faults push RF set, so that the instruction's own breakpoint does not repeat (17.3.1.1).
  let flags = getEflags();
  if (kind == EXCEPTION && vector != DB) flags |= RF;
  if (!deliverFlat(vector, kind == SOFTWARE, hasCode, code, flags)) {
    if (isProtected()) deliverGate(vector, kind, hasCode, code, flags);
    else deliverReal(vector, flags);
  }
  store<u32>(SINGLE, single);
  store<u32>(HALTED, 0);
  forgetStep();
  setExternal(0);
  delivering = NOTHING;
}

function deliverReal(vector: u32, flags: u32): void {
  const index = vector << 2;
  if (index + 3 > load<u32>(IDTR_LIMIT)) raise(GP, 0);
  const address = load<u32>(IDTR_BASE) + index;
  const ip = readSystem16(address);
  const selector = readSystem16(address + 2);
  openStack();
  push16(flags);
  push16(selectorOf(CS));
  push16(load<u32>(EIP));
  commitPointer();
  clearFlags(IF | TF | AC | RF);
  setReal(CS, selector);
  updateMode();
  store<u32>(EIP, ip);
}

function clearFlags(bits: u32): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~bits);
}

function deliverGate(vector: u32, kind: u32, hasCode: bool, code: u32, flags: u32): void {
  const index = vector << 3;
  if (index + 7 > load<u32>(IDTR_LIMIT)) raise(GP, index | 2 | external);
  const address = load<u32>(IDTR_BASE) + index;
  const gateLow = readSystem32(address);
  const gateHigh = readSystem32(address + 4);
  const type = typeOf(gateHigh);
  // 5 task gate; 6, 7 interrupt and trap gate of 16 bits; 14, 15 of 32 bits.
  if (type != 5 && (type & ~9) != 6) raise(GP, index | 2 | external);
  const cpl = load<u32>(CPL);
  if (kind == SOFTWARE && dplOf(gateHigh) < cpl) raise(GP, index | 2);
  if (!(gateHigh & PRESENT)) raise(NP, index | 2 | external);
  const selector = gateLow >>> 16;
  if (type == 5) {
    switchThroughGate(selector, flags, hasCode, code);
    return;
  }
  const wide = (type & 8) != 0;
  let offset = gateLow & 0xffff;
  if (wide) offset |= gateHigh & 0xffff0000;
  if (!(selector & 0xfffc)) raise(GP, external);
  fetchDescriptor(selector, GP);
  const dpl = dplOf(high);
  if (!isCode(high) || dpl > cpl) raiseSelector(GP, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  markAccessed();
  const csLow = low;
  const csHigh = high;
  const v86 = (flags & VM) != 0;
  const inner = !(csHigh & CONFORMING) && dpl < cpl;
  // From virtual-8086 mode only ring 0 can be entered.
  if (v86 && (!inner || dpl != 0)) raiseSelector(GP, selector);
  let newCpl = cpl;
  if (inner) {
    newCpl = dpl;
    fetchInnerStack(dpl);
    openInner(low, high, innerPointer, innerSelector);
    if (v86) {
      push(selectorOf(GS), wide);
      push(selectorOf(FS), wide);
      push(selectorOf(DS), wide);
      push(selectorOf(ES), wide);
    }
    push(selectorOf(SS), wide);
    push(load<u32>(ESP), wide);
  } else {
    openStack();
  }
  push(flags, wide);
  push(selectorOf(CS), wide);
  push(load<u32>(EIP), wide);
  if (hasCode) push(code, wide);
  if (offset > descriptorLimit(csLow, csHigh)) raise(GP, external);
  // Nothing faults from here on.
  if (inner) {
    setFromDescriptor(SS, innerSelector, low, high);
    store<u32>(ESP, innerPointer);
  }
  commitPointer();
  setFromDescriptor(CS, (selector & 0xfffc) | newCpl, csLow, csHigh);
  setCpl(newCpl);
  store<u32>(EIP, offset);
  clearFlags(type & 1 ? TF | NT | RF | VM : TF | NT | RF | VM | IF);
  if (v86) {
    setNull(ES, 0);
    setNull(DS, 0);
    setNull(FS, 0);
    setNull(GS, 0);
  }
  updateMode();
}

/** SS and ESP that the TSS holds for an inner level; SS's descriptor stays in low and high. */
export let innerSelector: u32 = 0;
export let innerPointer: u32 = 0;

export function fetchInnerStack(dpl: u32): void {
  const wide = (accessOf(TR) & 0x800) != 0;
  const offset = wide ? (dpl << 3) + 4 : (dpl << 2) + 2;
  if (offset + (wide ? 5 : 3) > limitOf(TR)) raiseSelector(TS, selectorOf(TR));
  const address = baseOf(TR) + offset;
  innerPointer = wide ? readSystem32(address) : readSystem16(address);
  innerSelector = readSystem16(address + (wide ? 4 : 2));
  checkStackSegment(innerSelector, dpl, TS);
}
