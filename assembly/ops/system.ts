// System instructions: descriptor-table registers, segment queries and loads, interrupts, far
// control transfers, and other operations that act through the register file. The work behind
// them is in assembly/cpu.
import {
  CPL,
  CR0,
  EAX,
  EBX,
  ECX,
  EDX,
  EFLAGS_SYSTEM,
  EIP,
  ESP,
  GDTR_BASE,
  GDTR_LIMIT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  INHIBIT,
  INTR,
  MODE,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  NMI,
  REGS,
  SHADOW,
  STOP,
} from '../shared/layout';
import { RECORD_DISP, RECORD_IMM, RECORD_R1, RECORD_R2 } from '../shared/records';
import { BP, BR, DB, GP, NP, OF_VECTOR } from '../shared/faults';
import { IF, OF, RF, VM, ZF } from '../shared/flags';
import {
  probeWrite,
  read16,
  read32,
  requireAligned,
  write16,
  write32,
  writeSystem8,
} from '../mem/access';
import { flushTlbPage } from '../mem/tlb';
import {
  clearTaskSwitched,
  loadStatusWord,
  moveFromControl,
  moveFromDebug,
  moveToControl,
  moveToDebug,
} from '../cpu/control';
import { debugging, INHIBIT_STACK } from '../cpu/debug';
import { farCall, farJump, farReturn } from '../cpu/far';
import { raise, raiseGP, raiseUD } from '../cpu/faults';
import { enterLevel } from '../cpu/flat';
import { deliverSoftware, deliverTrap } from '../cpu/interrupts';
import { isProtected, isV86, requireIopl, requireRing0, requireV86Iopl } from '../cpu/privilege';
import {
  CONFORMING,
  CS,
  descriptor,
  descriptorLimit,
  dplOf,
  DS,
  ES,
  FS,
  GS,
  high,
  LDTR,
  loadSegment,
  low,
  PRESENT,
  raiseSelector,
  selectorOf,
  setCpl,
  setFromDescriptor,
  setNull,
  setSegment,
  SS,
  TR,
  tryDescriptor,
  fetchDescriptor,
  typeOf,
  updateMode,
} from '../cpu/segments';
import { vmcall, vmmcall } from '../paravirt/vmcall';
import { getFlags, setFlags } from './flags';

function registerOf(rp: u32): u32 {
  return REGS + <u32>load<u8>(rp, RECORD_R1);
}

/** Number of a segment, control or debug register in the first or second operand's place. */
function first(rp: u32): u32 {
  return load<u8>(rp, RECORD_R1);
}

function second(rp: u32): u32 {
  return load<u8>(rp, RECORD_R2);
}

function setZero(zero: bool): void {
  setFlags((getFlags() & ~ZF) | (zero ? ZF : 0));
}

// --- Segment registers ---------------------------------------------------------------------------

export function mov_from_seg(rp: u32): i32 {
  const segment = second(rp);
  if (segment > GS) raiseUD();
  return selectorOf(segment);
}

export function mov_to_seg(rp: u32, selector: i32): void {
  const segment = first(rp);
  if (segment > GS || segment == CS) raiseUD();
  loadSegment(segment, selector);
  if (segment == SS) store<u32>(INHIBIT, INHIBIT_STACK);
}

function loadFar(rp: u32, ea: u32, segment: u32, wide: bool): void {
  const offset = wide ? read32(ea) : read16(ea);
  loadSegment(segment, read16(ea + (wide ? 4 : 2)));
  if (wide) store<u32>(registerOf(rp), offset);
  else store<u16>(registerOf(rp), offset);
}

export function les16(rp: u32, ea: i32): void {
  loadFar(rp, ea, ES, false);
}
export function les32(rp: u32, ea: i32): void {
  loadFar(rp, ea, ES, true);
}
export function lds16(rp: u32, ea: i32): void {
  loadFar(rp, ea, DS, false);
}
export function lds32(rp: u32, ea: i32): void {
  loadFar(rp, ea, DS, true);
}
export function lss16(rp: u32, ea: i32): void {
  loadFar(rp, ea, SS, false);
}
export function lss32(rp: u32, ea: i32): void {
  loadFar(rp, ea, SS, true);
}
export function lfs16(rp: u32, ea: i32): void {
  loadFar(rp, ea, FS, false);
}
export function lfs32(rp: u32, ea: i32): void {
  loadFar(rp, ea, FS, true);
}
export function lgs16(rp: u32, ea: i32): void {
  loadFar(rp, ea, GS, false);
}
export function lgs32(rp: u32, ea: i32): void {
  loadFar(rp, ea, GS, true);
}

// --- Descriptor-table registers ------------------------------------------------------------------

/** The base is stored whole whatever the operand size (SDM vol. 2B SGDT, 386 and later). */
function storeTable(ea: u32, limit: u32, base: u32): void {
  requireAligned(ea, 4);
  probeWrite(ea, 6);
  write16(ea, limit);
  write16(ea + 2, base & 0xffff);
  write16(ea + 4, base >>> 16);
}

export function sgdt(ea: i32): void {
  storeTable(ea, load<u32>(GDTR_LIMIT), load<u32>(GDTR_BASE));
}

export function sidt(ea: i32): void {
  storeTable(ea, load<u32>(IDTR_LIMIT), load<u32>(IDTR_BASE));
}

function loadTable(ea: u32, limitRegister: usize, baseRegister: usize, mask: u32): void {
  requireRing0();
  const limit = read16(ea);
  const base = read32(ea + 2) & mask;
  store<u32>(limitRegister, limit);
  store<u32>(baseRegister, base);
}

export function lgdt16(ea: i32): void {
  loadTable(ea, GDTR_LIMIT, GDTR_BASE, 0xffffff);
}
export function lgdt32(ea: i32): void {
  loadTable(ea, GDTR_LIMIT, GDTR_BASE, 0xffffffff);
}
export function lidt16(ea: i32): void {
  loadTable(ea, IDTR_LIMIT, IDTR_BASE, 0xffffff);
}
export function lidt32(ea: i32): void {
  loadTable(ea, IDTR_LIMIT, IDTR_BASE, 0xffffffff);
}

/** #UD in real and virtual-8086 mode. */
function requireSegments(): void {
  if (!isProtected() || isV86()) raiseUD();
}

export function sldt(): i32 {
  requireSegments();
  return selectorOf(LDTR);
}

export function str(): i32 {
  requireSegments();
  return selectorOf(TR);
}

export function lldt(selector: i32): void {
  requireSegments();
  requireRing0();
  selector &= 0xffff;
  if (!(selector & 0xfffc)) {
    setNull(LDTR, selector);
    return;
  }
  if (selector & 4) raiseSelector(GP, selector);
  fetchDescriptor(selector, GP);
  if (typeOf(high) != 2) raiseSelector(GP, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  setFromDescriptor(LDTR, selector, low, high);
}

export function ltr(selector: i32): void {
  requireSegments();
  requireRing0();
  selector &= 0xffff;
  if (!(selector & 0xfffc)) raiseGP(0);
  if (selector & 4) raiseSelector(GP, selector);
  fetchDescriptor(selector, GP);
  const type = typeOf(high);
  if (type != 1 && type != 9) raiseSelector(GP, selector);
  if (!(high & PRESENT)) raiseSelector(NP, selector);
  const busy = high | 0x200;
  writeSystem8(descriptor + 5, busy >>> 8);
  setFromDescriptor(TR, selector, low, busy);
}

// --- Queries of descriptors ----------------------------------------------------------------------

/** Is the segment visible at this CPL and RPL? Its descriptor is in low and high then. */
function visible(selector: u32): bool {
  if (!(selector & 0xfffc) || !tryDescriptor(selector)) return false;
  if ((typeOf(high) & 0x1c) == 0x1c) return true; // conforming code
  const dpl = dplOf(high);
  return dpl >= load<u32>(CPL) && dpl >= (selector & 3);
}

export function verr(selector: i32): void {
  requireSegments();
  const type = visible(selector & 0xffff) ? typeOf(high) : 0;
  setZero(type >= 16 && (type & 0xa) != 8);
}

export function verw(selector: i32): void {
  requireSegments();
  const type = visible(selector & 0xffff) ? typeOf(high) : 0;
  setZero(type >= 16 && (type & 0xa) == 2);
}

function writeRegister(rp: u32, value: u32, wide: bool): void {
  if (wide) store<u32>(registerOf(rp), value);
  else store<u16>(registerOf(rp), value);
}

/** TSSs, LDTs, and for LAR call and task gates (SDM vol. 2A table 3-53, 3-56). */
const LAR_TYPES: u32 = 0x1a3e;
const LSL_TYPES: u32 = 0x0a0e;

function lar(rp: u32, selector: u32, wide: bool): void {
  requireSegments();
  const found = visible(selector) && (typeOf(high) >= 16 || (LAR_TYPES >>> typeOf(high)) & 1);
  // Bits 16 to 19 are undefined; processors give the limit's.
  if (found) writeRegister(rp, high & 0xffff00, wide);
  setZero(found);
}

export function lar16(rp: u32, selector: i32): void {
  lar(rp, selector & 0xffff, false);
}
export function lar32(rp: u32, selector: i32): void {
  lar(rp, selector & 0xffff, true);
}

function lsl(rp: u32, selector: u32, wide: bool): void {
  requireSegments();
  const found = visible(selector) && (typeOf(high) >= 16 || (LSL_TYPES >>> typeOf(high)) & 1);
  if (found) writeRegister(rp, descriptorLimit(low, high), wide);
  setZero(found);
}

export function lsl16(rp: u32, selector: i32): void {
  lsl(rp, selector & 0xffff, false);
}
export function lsl32(rp: u32, selector: i32): void {
  lsl(rp, selector & 0xffff, true);
}

export function arpl_r(rp: u32, selector: i32, floor: i32): void {
  requireSegments();
  const raise = (selector & 3) < (floor & 3);
  if (raise) store<u16>(registerOf(rp), (selector & ~3) | (floor & 3));
  setZero(raise);
}

export function arpl_m(ea: i32, floor: i32): void {
  requireSegments();
  const selector = read16(ea);
  const raise = (selector & 3) < <u32>(floor & 3);
  if (raise) write16(ea, (selector & ~3) | (floor & 3));
  setZero(raise);
}

// --- Control and debug registers, caches ---------------------------------------------------------

export function mov_from_cr(rp: u32): i32 {
  return moveFromControl(second(rp));
}

export function mov_to_cr(rp: u32, value: i32): void {
  moveToControl(first(rp), value);
}

export function mov_from_dr(rp: u32): i32 {
  return moveFromDebug(second(rp));
}

export function mov_to_dr(rp: u32, value: i32): void {
  moveToDebug(first(rp), value);
}

export function smsw(): i32 {
  return load<u32>(CR0);
}

export function lmsw(value: i32): void {
  loadStatusWord(value & 0xffff);
}

export function clts(): void {
  clearTaskSwitched();
}

export function invlpg(ea: i32): void {
  requireRing0();
  flushTlbPage(ea);
}

/** INVD and WBINVD: there is no cache to write back. */
export function cache_control(): void {
  requireRing0();
}

// --- Interrupt flag, HLT, INT --------------------------------------------------------------------

export function cli(): void {
  requireIopl();
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~IF);
}

export function sti(): void {
  requireIopl();
  const flags = load<u32>(EFLAGS_SYSTEM);
  if (flags & IF) return;
  store<u32>(EFLAGS_SYSTEM, flags | IF);
  // Where something waits, the next instruction must run alone; it costs as much as a hundred others.
  if (load<u32>(INTR) | load<u32>(NMI) | load<u32>(STOP) || debugging()) store<u32>(INHIBIT, 1);
  else store<u32>(SHADOW, 1);
}

export function hlt(): void {
  requireRing0();
  store<u32>(HALTED, 1);
}

export function int_imm(vector: i32): void {
  requireV86Iopl();
  deliverSoftware(vector & 0xff);
}

export function int3(): void {
  deliverSoftware(BP);
}

export function into(): void {
  if (getFlags() & OF) deliverSoftware(OF_VECTOR);
}

export function int1(): void {
  deliverTrap(DB);
}

export function bound16(index: i32, ea: i32): void {
  const lower = <i32>(<i16>read16(ea));
  const upper = <i32>(<i16>read16(ea + 2));
  if (index < lower || index > upper) raise(BR, 0);
}

export function bound32(index: i32, ea: i32): void {
  const lower = <i32>read32(ea);
  const upper = <i32>read32(ea + 4);
  if (index < lower || index > upper) raise(BR, 0);
}

// --- SYSENTER, SYSEXIT (SDM vol. 2B) -------------------------------------------------------------

// Flat segments, whatever the descriptors say: present, DPL 0 or 3, accessed, 4 GiB.
const FLAT_CODE: u32 = 0xc09b00;
const FLAT_DATA: u32 = 0xc09300;
const DPL3: u32 = 0x6000;

function setFlat(codeSelector: u32, cpl: u32): void {
  const dpl: u32 = cpl ? DPL3 : 0;
  setSegment(CS, (codeSelector & 0xfffc) | cpl, 0, 0xffffffff, FLAT_CODE | dpl);
  setSegment(SS, ((codeSelector + 8) & 0xfffc) | cpl, 0, 0xffffffff, FLAT_DATA | dpl);
  setCpl(cpl);
}

export function sysenter(): void {
  const selector = load<u32>(MSR_SYSENTER_CS);
  if (!isProtected() || !(selector & 0xfffc)) raiseGP(0);
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~(VM | IF | RF));
  setFlat(selector, 0);
  store<u32>(ESP, load<u32>(MSR_SYSENTER_ESP));
  store<u32>(EIP, load<u32>(MSR_SYSENTER_EIP));
  if (!enterLevel(0)) updateMode();
}

export function sysexit(): void {
  const selector = load<u32>(MSR_SYSENTER_CS);
  if (!isProtected() || !(selector & 0xfffc) || load<u32>(CPL)) raiseGP(0);
  setFlat(selector + 16, 3);
  store<u32>(ESP, load<u32>(ECX));
  store<u32>(EIP, load<u32>(EDX));
  if (!enterLevel(3)) updateMode();
}

// --- VMCALL, VMMCALL -----------------------------------------------------------------------------

/** ModRM.rm of both. */
const CALL_RM: u32 = 1;

export function vmx(rp: u32): void {
  if (first(rp) >>> 2 != CALL_RM) raiseUD();
  vmcall();
}

export function svm(rp: u32): void {
  if (first(rp) >>> 2 != CALL_RM) raiseUD();
  vmmcall();
}

// --- CMPXCHG8B -----------------------------------------------------------------------------------

export function cmpxchg8b(ea: i32): void {
  probeWrite(ea, 8);
  const lower = read32(ea);
  const upper = read32(ea + 4);
  const equal = lower == load<u32>(EAX) && upper == load<u32>(EDX);
  // The destination is written either way.
  write32(ea, equal ? load<u32>(EBX) : lower);
  write32(ea + 4, equal ? load<u32>(ECX) : upper);
  if (!equal) {
    store<u32>(EAX, lower);
    store<u32>(EDX, upper);
  }
  setZero(equal);
}

// --- Far control transfers -----------------------------------------------------------------------

export function jmp_far(rp: u32): void {
  farJump(load<u32>(rp, RECORD_DISP), load<u32>(rp, RECORD_IMM));
}

export function call_far16(rp: u32): void {
  farCall(load<u32>(rp, RECORD_DISP), load<u32>(rp, RECORD_IMM), false);
}
export function call_far32(rp: u32): void {
  farCall(load<u32>(rp, RECORD_DISP), load<u32>(rp, RECORD_IMM), true);
}

export function jmp_far_ind16(ea: i32): void {
  farJump(read16(ea + 2), read16(ea));
}
export function jmp_far_ind32(ea: i32): void {
  farJump(read16(ea + 4), read32(ea));
}

export function call_far_ind16(ea: i32): void {
  farCall(read16(ea + 2), read16(ea), false);
}
export function call_far_ind32(ea: i32): void {
  farCall(read16(ea + 4), read32(ea), true);
}

export function ret_far16(bytes: i32): void {
  farReturn(false, bytes & 0xffff);
}
export function ret_far32(bytes: i32): void {
  farReturn(true, bytes & 0xffff);
}
