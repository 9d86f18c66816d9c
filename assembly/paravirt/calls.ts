// The VMI calls that the core serves, each a function of its arguments: what vmcall.ts does for the
// interpreter, and what translated code calls. They act as the native instruction would, raise its
// faults before anything has changed, and leave the arithmetic flags alone. Their names are
// `vmi_` and the call's (host/vmi/calls.ts).
import {
  CR3,
  EFLAGS_SYSTEM,
  EXCHANGE,
  HALTED,
  MSR_SYSENTER_CS,
  SPACES_KEPT,
  STOLEN,
  TR_BASE,
} from '../shared/layout';
import { IF, IOPL } from '../shared/flags';
import { AP_STATE_SIZE, SPACES_ANNOUNCED, SPACES_OFFERED } from '../shared/paravirt';
import {
  clearTaskSwitched,
  moveFromControl,
  moveFromDebug,
  moveToControl,
  moveToDebug,
  reloadRoot,
} from '../cpu/control';
import { cpuid } from '../cpu/cpuid';
import { iret32 } from '../cpu/iret';
import { counter, rdmsr, rdpmc, wrmsr } from '../cpu/msr';
import { isProtected } from '../cpu/privilege';
import { accessOf, DS, PRESENT, selectorOf, TR } from '../cpu/segments';
import { raiseGP } from '../cpu/faults';
import {
  probeSystemWrite,
  read32,
  write32,
  write64,
  writeSystem16,
  writeSystem32,
} from '../mem/access';
import { flushTlb, flushTlbPage } from '../mem/tlb';
import { dropSpaces, noteTableAt, replaceTable, switchSpace } from '../mem/spaces';
import { vmiHost } from './machine';
import { in_dx16, in_dx32, in_dx8, out_dx16, out_dx32, out_dx8 } from '../ops/io';
import { rep_ins16, rep_ins32, rep_ins8, rep_outs16, rep_outs32, rep_outs8 } from '../ops/string';
import { lgdt32, lidt32, lldt, ltr, sgdt, sidt, sldt, str, sysexit } from '../ops/system';

// --- Processor -----------------------------------------------------------------------------------

export function vmi_CPUID(leaf: u32): void {
  cpuid();
}
export function vmi_WRMSR(): void {
  wrmsr();
}
export function vmi_RDMSR(): void {
  rdmsr();
}
export function vmi_SetGDT(descriptor: u32): void {
  lgdt32(descriptor);
}
export function vmi_SetLDT(selector: u32): void {
  lldt(selector);
}
export function vmi_SetIDT(descriptor: u32): void {
  lidt32(descriptor);
}
export function vmi_SetTR(selector: u32): void {
  ltr(selector);
}
export function vmi_GetGDT(buffer: u32): void {
  sgdt(buffer);
}
export function vmi_GetLDT(): u32 {
  return sldt();
}
export function vmi_GetIDT(buffer: u32): void {
  sidt(buffer);
}
export function vmi_GetTR(): u32 {
  return str();
}

function writeDescriptor(table: u32, index: u32, low: u32, high: u32): void {
  write64(table + (index << 3), (<u64>low) | ((<u64>high) << 32));
}
export function vmi_WriteGDTEntry(table: u32, index: u32, low: u32, high: u32): void {
  writeDescriptor(table, index, low, high);
}
export function vmi_WriteLDTEntry(table: u32, index: u32, low: u32, high: u32): void {
  writeDescriptor(table, index, low, high);
}
export function vmi_WriteIDTEntry(table: u32, index: u32, low: u32, high: u32): void {
  writeDescriptor(table, index, low, high);
}

/** A 32-bit task state segment is loaded, busy or not. */
export function hasTask(): bool {
  const access = accessOf(TR);
  return selectorOf(TR) != 0 && (access & PRESENT) != 0 && (access & 0xd00) == 0x900;
}

/**
 * SS0 and ESP0 of the 32-bit task state segment (SDM vol. 3A 7.2.1). Linux makes this call before
 * its first SetTR, when TR is as a reset leaves it: present, at address 0.
 */
export function vmi_UpdateKernelStack(ss: u32, esp: u32): void {
  if (!hasTask()) return;
  const segment = load<u32>(TR_BASE);
  probeSystemWrite(segment + 4, 6);
  writeSystem32(segment + 4, esp);
  writeSystem16(segment + 8, ss);
}

export function vmi_SetCR0(value: u32): void {
  moveToControl(0, value);
}
export function vmi_SetCR2(value: u32): void {
  moveToControl(2, value);
}
export function vmi_SetCR3(value: u32): void {
  if (load<u32>(SPACES_KEPT) == SPACES_OFFERED) {
    dropSpaces();
    store<u32>(SPACES_KEPT, SPACES_ANNOUNCED);
  }
  if (value == load<u32>(CR3)) reloadRoot(value);
  else switchSpace(value);
}
export function vmi_SetCR4(value: u32): void {
  moveToControl(4, value);
}
export function vmi_GetCR0(): u32 {
  return moveFromControl(0);
}
export function vmi_GetCR2(): u32 {
  return moveFromControl(2);
}
export function vmi_GetCR3(): u32 {
  return moveFromControl(3);
}
export function vmi_GetCR4(): u32 {
  return moveFromControl(4);
}
export function vmi_WBINVD(): void {}
export function vmi_SetDR(register: u32, value: u32): void {
  if (register < 8) moveToDebug(register, value);
}
export function vmi_GetDR(register: u32): u32 {
  return register < 8 ? moveFromDebug(register) : 0;
}
export function vmi_RDPMC(index: u32): void {
  rdpmc();
}
export function vmi_RDTSC(): u64 {
  return counter();
}
export function vmi_CLTS(): void {
  clearTaskSwitched();
}
export function vmi_SetIOPLMask(mask: u32): void {
  store<u32>(EFLAGS_SYSTEM, (load<u32>(EFLAGS_SYSTEM) & ~IOPL) | (mask & IOPL));
}

/** Cycles: 0 real, 1 available, 2 stolen. */
export function vmi_GetCycleCounter(which: u32): u64 {
  if (which == 0) return counter();
  if (which == 1) return counter() - load<u64>(STOLEN);
  return which == 2 ? load<u64>(STOLEN) : 0;
}

// --- Interrupt flag, returns, halt ---------------------------------------------------------------

export function vmi_EnableInterrupts(): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) | IF);
}
export function vmi_DisableInterrupts(): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~IF);
}
export function vmi_GetInterruptMask(): u32 {
  return load<u32>(EFLAGS_SYSTEM) & IF;
}
export function vmi_SetInterruptMask(flags: u32): void {
  store<u32>(EFLAGS_SYSTEM, (load<u32>(EFLAGS_SYSTEM) & ~IF) | (flags & IF));
}

/** ESP is at the frame: the return address is dropped. */
export function vmi_IRET(): void {
  iret32();
}

export function vmi_SYSEXIT(): void {
  if (!isProtected() || !(load<u32>(MSR_SYSENTER_CS) & 0xfffc)) raiseGP(0);
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) | IF);
  sysexit();
}

export function vmi_Halt(): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) | IF);
  store<u32>(HALTED, 1);
}

// --- Page tables and the TLB ---------------------------------------------------------------------

export function vmi_SetPxE(entry: u32, at: u32, flags: u32): void {
  write32(at, entry);
  noteTableAt(at);
}

/** One 64-bit store: no half of a present entry is ever seen. */
export function vmi_SetPxELong(low: u32, high: u32, at: u32, flags: u32): void {
  write64(at, (<u64>low) | ((<u64>high) << 32));
  noteTableAt(at);
}

export function vmi_UpdatePxE(at: u32, flags: u32): void {
  noteTableAt(at);
}
export function vmi_UpdatePxELong(at: u32, flags: u32): void {
  noteTableAt(at);
}

export function vmi_MachineToPhysical(address: u32): u32 {
  return address;
}
export function vmi_PhysicalToMachine(address: u32): u32 {
  return address;
}

/**
 * Both are hints: the page may be live already, and neither the level nor "zeroed" can be relied
 * on. What was kept of an earlier life of the page is forgotten.
 */
export function vmi_AllocatePage(page: u32, flags: u32, clone: u32, first: u32, count: u32): void {
  replaceTable(page);
}
export function vmi_ReleasePage(page: u32, flags: u32): void {
  replaceTable(page);
}

export function vmi_InvalPage(address: u32): void {
  flushTlbPage(address);
}

const FLUSH_GLOBAL: u32 = 2;
export function vmi_FlushTLB(flags: u32): void {
  flushTlb((flags & FLUSH_GLOBAL) != 0);
}

/** Nothing waits: an update is made when it is told. */
export function vmi_SetLazyMode(mode: u32): void {}

// --- Other processors ------------------------------------------------------------------------------

const SET_INITIAL_AP_STATE: u32 = 62;
const STATE_SIZE: u32 = AP_STATE_SIZE;

/** Copied at the call: Linux has it on its stack. */
export function vmi_SetInitialAPState(at: u32, id: u32): void {
  for (let i: u32 = 0; i < STATE_SIZE; i += 4) store<u32>(EXCHANGE + i, read32(at + i));
  vmiHost(SET_INITIAL_AP_STATE, at, id, 0, 0, 0);
}

// --- Ports ---------------------------------------------------------------------------------------

/** REP with 32-bit addresses, the source in DS (isa/maps.ts X). */
const CONTEXT: i32 = 1 | (DS << 4);

export function vmi_INL(port: u32): void {
  in_dx32();
}
export function vmi_INB(port: u32): void {
  in_dx8();
}
export function vmi_INW(port: u32): void {
  in_dx16();
}
export function vmi_INSL(port: u32, count: u32): void {
  rep_ins32(CONTEXT);
}
export function vmi_INSB(port: u32, count: u32): void {
  rep_ins8(CONTEXT);
}
export function vmi_INSW(port: u32, count: u32): void {
  rep_ins16(CONTEXT);
}
export function vmi_OUTL(port: u32, value: u32): void {
  out_dx32();
}
export function vmi_OUTB(port: u32, value: u32): void {
  out_dx8();
}
export function vmi_OUTW(port: u32, value: u32): void {
  out_dx16();
}
export function vmi_OUTSL(port: u32, count: u32): void {
  rep_outs32(CONTEXT);
}
export function vmi_OUTSB(port: u32, count: u32): void {
  rep_outs8(CONTEXT);
}
export function vmi_OUTSW(port: u32, count: u32): void {
  rep_outs16(CONTEXT);
}
