// Hardware task switches (SDM vol. 3A chapter 7): 32-bit and 16-bit TSSs, nesting, busy bits, the
// T bit. Who may switch (gate and descriptor privileges) is the business of far.ts, iret.ts and
// interrupts.ts.
import { CR0, CR3, CR4, EAX, EIP, EIP_CURRENT, GDTR_BASE } from '../shared/layout';
import { GP, NP, TS } from '../shared/faults';
import { NT, VM } from '../shared/flags';
import {
  probeSystemWrite,
  readSystem16,
  readSystem32,
  writeSystem16,
  writeSystem32,
  writeSystem8,
} from '../mem/access';
import { getEflags } from '../ops/flags';
import { loadPointers, loadRoot, updateUnits } from './control';
import { debugTask } from './debug';
import { raise } from './faults';
import { replaceFlags } from './privilege';
import {
  accessOf,
  baseOf,
  checkDataSegment,
  checkStackSegment,
  CONFORMING,
  CS,
  descriptor,
  descriptorBase,
  descriptorLimit,
  dplOf,
  DS,
  ES,
  external,
  fetchDescriptor,
  FS,
  GS,
  high,
  isCode,
  LDTR,
  limitOf,
  low,
  markAccessed,
  PRESENT,
  raiseSelector,
  selectorOf,
  setCpl,
  setFromDescriptor,
  setNull,
  setV86,
  SS,
  TR,
  typeOf,
  updateMode,
} from './segments';
import { commitPointer, openWithCode, push } from './stack';

// Why a task is switched to.
export const JUMPED = 0;
export const CALLED = 1;
export const RETURNED = 2;
export const INTERRUPTED = 3;

const BUSY = 0x200;
const CR0_TS: u32 = 8;
const CR0_PG: u32 = 0x80000000;

// Where a 16-bit TSS (SDM vol. 3A figure 7-10) and a 32-bit one (7-2) hold what.
const IP16 = 0x0e;
const REGISTERS16 = 0x12;
const SEGMENTS16 = 0x22;
const LDT16 = 0x2a;
const CR3_32 = 0x1c;
const EIP32 = 0x20;
const REGISTERS32 = 0x28;
const SEGMENTS32 = 0x48;
const LDT32 = 0x60;
const TRAP32 = 0x64;

/** Leaves a TSS's descriptor in low and high; it must be available, or busy for IRET. */
export function fetchTask(selector: u32, busy: bool): void {
  // IRET finds its TSS in the back link, where everything wrong is #TS.
  const vector: u32 = busy ? TS : GP;
  if (!(selector & 0xfffc) || selector & 4) raiseSelector(vector, selector);
  fetchDescriptor(selector, vector);
  const type = typeOf(high);
  if ((type & ~8) != (busy ? 3 : 1)) raiseSelector(vector, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
}

/** An event through a task gate; `flags` is what an interrupt frame would hold. */
export function switchThroughGate(selector: u32, flags: u32, hasCode: bool, code: u32): void {
  fetchTask(selector, false);
  switchTask(selector, INTERRUPTED, flags, hasCode, code);
}

/** IRET with NT set: back to the task in the link field. */
export function returnFromTask(): void {
  const selector = readSystem16(baseOf(TR));
  fetchTask(selector, true);
  switchTask(selector, RETURNED, 0, false, 0);
}

/** Switches to the TSS whose descriptor is in low and high; EIP is where the old one goes on. */
export function switchTask(
  selector: u32,
  reason: u32,
  oldFlags: u32,
  hasCode: bool,
  code: u32,
): void {
  const newHigh = high;
  const newLow = low;
  const newDescriptor = descriptor;
  const wide = (newHigh & 0x800) != 0;
  if (descriptorLimit(newLow, newHigh) < <u32>(wide ? 0x67 : 0x2b)) raiseSelector(TS, selector);
  const oldWide = (accessOf(TR) & 0x800) != 0;
  const oldBase = baseOf(TR);
  const oldSelector = selectorOf(TR);
  const oldDescriptor = load<u32>(GDTR_BASE) + (oldSelector & 0xfff8);
  const base = descriptorBase(newLow, newHigh);
  if (limitOf(TR) < <u32>(oldWide ? 0x5f : 0x29)) raiseSelector(TS, oldSelector);
  // Page faults come now, in the old task.
  const oldStart = oldBase + (oldWide ? EIP32 : IP16);
  probeSystemWrite(oldStart, oldWide ? 0x40 : 0x1c);
  probeSystemWrite(base, 2);
  readSystem16(base + (wide ? TRAP32 : LDT16));
  probeSystemWrite(newDescriptor + 5, 1);
  probeSystemWrite(oldDescriptor + 5, 1);

  if (reason != INTERRUPTED) oldFlags = getEflags();
  if (reason == RETURNED) oldFlags &= ~NT;
  if (reason == JUMPED || reason == RETURNED) {
    writeSystem8(oldDescriptor + 5, (accessOf(TR) & ~BUSY) >>> 8);
  }
  saveState(oldBase, oldWide, oldFlags);
  // Read before the link is written: the two TSSs may be one.
  const root = wide ? readSystem32(base + CR3_32) : 0;
  const eip = wide ? readSystem32(base + EIP32) : readSystem16(base + IP16);
  let flags = wide ? readSystem32(base + EIP32 + 4) : readSystem16(base + IP16 + 2);
  for (let i: u32 = 0; i < 8; i++) {
    if (wide) store<u32>(EAX + (i << 2), readSystem32(base + REGISTERS32 + (i << 2)));
    else store<u16>(EAX + (i << 2), readSystem16(base + REGISTERS16 + (i << 1)));
  }
  for (let i: u32 = 0; i < 6; i++) {
    let segment: u32 = 0;
    if (wide) segment = readSystem16(base + SEGMENTS32 + (i << 2));
    else if (i < 4) segment = readSystem16(base + SEGMENTS16 + (i << 1));
    setNull(i, segment);
  }
  setNull(LDTR, readSystem16(base + (wide ? LDT32 : LDT16)));
  const trap = wide && (readSystem16(base + TRAP32) & 1) != 0;
  if (reason == CALLED || reason == INTERRUPTED) {
    writeSystem16(base, oldSelector);
    flags |= NT;
  }
  if (reason != RETURNED) writeSystem8(newDescriptor + 5, (newHigh | BUSY) >>> 8);
  setFromDescriptor(TR, selector, newLow, newHigh | BUSY);
  store<u32>(CR0, load<u32>(CR0) | CR0_TS);
  updateUnits();
  replaceFlags(wide ? flags : flags & 0xffff);
  store<u32>(EIP, eip);
  // The new task runs from here: what faults now, faults at its first instruction.
  store<u32>(EIP_CURRENT, eip);
  setCpl(flags & VM && wide ? 3 : selectorOf(CS) & 3);
  if (wide && load<u32>(CR0) & CR0_PG) {
    updateMode();
    if (load<u32>(CR4) & 0x20) loadPointers(root);
    store<u32>(CR3, root);
    loadRoot();
  }
  if (trap) debugTask();
  loadSegments((flags & VM) != 0 && wide);
  if (hasCode) {
    openWithCode(external);
    push(code, wide);
    commitPointer();
  }
  if (eip > limitOf(CS)) raise(GP, external);
}

function saveState(base: u32, wide: bool, flags: u32): void {
  if (wide) {
    writeSystem32(base + EIP32, load<u32>(EIP));
    writeSystem32(base + EIP32 + 4, flags);
    for (let i: u32 = 0; i < 8; i++) {
      writeSystem32(base + REGISTERS32 + (i << 2), load<u32>(EAX + (i << 2)));
    }
    for (let i: u32 = 0; i < 6; i++) writeSystem16(base + SEGMENTS32 + (i << 2), selectorOf(i));
  } else {
    writeSystem16(base + IP16, load<u32>(EIP));
    writeSystem16(base + IP16 + 2, flags);
    for (let i: u32 = 0; i < 8; i++) {
      writeSystem16(base + REGISTERS16 + (i << 1), load<u32>(EAX + (i << 2)));
    }
    for (let i: u32 = 0; i < 4; i++) writeSystem16(base + SEGMENTS16 + (i << 1), selectorOf(i));
  }
}

/** Loads the registers whose selectors are in place; each that fails leaves the rest null. */
function loadSegments(v86: bool): void {
  const cpl: u32 = v86 ? 3 : selectorOf(CS) & 3;
  updateMode();
  loadLdt(selectorOf(LDTR));
  if (v86) {
    for (let i: u32 = 0; i < 6; i++) setV86(i, selectorOf(i));
    updateMode();
    return;
  }
  const selector = selectorOf(CS);
  if (!(selector & 0xfffc)) raise(TS, external);
  fetchDescriptor(selector, TS);
  const dpl = dplOf(high);
  if (!isCode(high) || (high & CONFORMING ? dpl > cpl : dpl != cpl)) raiseSelector(TS, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  markAccessed();
  setFromDescriptor(CS, selector, low, high);
  checkStackSegment(selectorOf(SS), cpl, TS);
  setFromDescriptor(SS, selectorOf(SS), low, high);
  updateMode();
  loadData(ES, cpl);
  loadData(DS, cpl);
  loadData(FS, cpl);
  loadData(GS, cpl);
  updateMode();
}

function loadData(segment: u32, cpl: u32): void {
  const selector = selectorOf(segment);
  if (!(selector & 0xfffc)) return;
  checkDataSegment(selector, cpl, TS);
  setFromDescriptor(segment, selector, low, high);
}

function loadLdt(selector: u32): void {
  if (!(selector & 0xfffc)) return;
  if (selector & 4) raiseSelector(TS, selector);
  fetchDescriptor(selector, TS);
  if (typeOf(high) != 2 || !(high & PRESENT)) raiseSelector(TS, selector);
  setFromDescriptor(LDTR, selector, low, high);
}
