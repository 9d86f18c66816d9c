// Model-specific registers, the time-stamp counter and the performance counters (SDM vol. 4).
// The core owns what its own instructions need; the host answers for the rest (APIC base, MTRRs..).
import {
  BUDGET,
  COUNT_CURRENT,
  COUNTER_SPAN,
  CPL,
  CR4,
  EAX,
  ECX,
  EDX,
  EXCHANGE,
  INSTRUCTIONS,
  MSR_EFER,
  MSR_PAT,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  TSC_OFFSET,
} from '../shared/layout';
import { flushTlb } from '../mem/tlb';
import { raiseGP } from './faults';
import { isProtected, requireRing0 } from './privilege';

/** 1 when the host knows the register; the value passes through EXCHANGE. */
export declare function readMsr(index: u32): u32;
export declare function writeMsr(index: u32): u32;
/** The time-stamp counter, a whole number. */
export declare function timestamp(): f64;

const IA32_TSC = 0x10;
const IA32_SYSENTER_CS = 0x174;
const IA32_SYSENTER_ESP = 0x175;
const IA32_SYSENTER_EIP = 0x176;
const IA32_PAT = 0x277;
const IA32_EFER = 0xc0000080;
const EFER_NXE: u64 = 0x800;

const CR4_TSD: u32 = 4;
const CR4_PCE: u32 = 0x100;

/** Readings after which the host is asked: a loop that waits for the counter must see its time. */
const READINGS: u32 = 8;
/** What the host said last, when in instructions, and in which slice; the greatest that the guest was told. */
let told: u64 = 0;
let toldAt: i64 = 0;
let toldIn: u64 = 0;
let readings: u32 = READINGS;
let greatest: u64 = 0;

/**
 * The next reading asks the host: the guest has looked at a device, and may compare its clock with the counter.
 * Kernels up to 2.6.36 count how long readings of the PIT take, and give the counter up if these differ tenfold.
 */
export function askForTime(): void {
  readings = READINGS;
}

/**
 * The time-stamp counter. Asking the host takes 0.1 us, and a scheduler asks several times in a
 * microsecond: for some readings and instructions it goes on at one instruction a nanosecond. A slice begins with
 * the host's time: between slices it sleeps and timers fire.
 */
export function counter(): u64 {
  return time() + load<u64>(TSC_OFFSET);
}

function time(): u64 {
  const slice = load<u64>(INSTRUCTIONS);
  const at: i64 = <i64>load<i32>(COUNT_CURRENT) - load<i32>(BUDGET);
  const passed = at - toldAt;
  if (
    toldIn == slice &&
    readings < READINGS &&
    passed >= 0 &&
    passed < <i64>load<u32>(COUNTER_SPAN)
  ) {
    readings++;
    greatest = max(greatest, told + passed);
    return greatest;
  }
  told = <u64>timestamp();
  toldAt = at;
  toldIn = slice;
  readings = 0;
  // The host's clock may have waited for a timer, or been slower than the instructions.
  greatest = load<u32>(COUNTER_SPAN) ? max(greatest, told) : told;
  return greatest;
}

function setPair(value: u64): void {
  store<u32>(EAX, <u32>value);
  store<u32>(EDX, <u32>(value >> 32));
}

export function rdmsr(): void {
  requireRing0();
  const index = load<u32>(ECX);
  if (index == IA32_TSC) {
    setPair(counter());
  } else if (index == IA32_SYSENTER_CS) {
    setPair(load<u32>(MSR_SYSENTER_CS));
  } else if (index == IA32_SYSENTER_ESP) {
    setPair(load<u32>(MSR_SYSENTER_ESP));
  } else if (index == IA32_SYSENTER_EIP) {
    setPair(load<u32>(MSR_SYSENTER_EIP));
  } else if (index == IA32_PAT) {
    setPair(load<u64>(MSR_PAT));
  } else if (index == IA32_EFER) {
    setPair(load<u32>(MSR_EFER));
  } else {
    if (!readMsr(index)) raiseGP(0);
    setPair(load<u64>(EXCHANGE));
  }
}

export function wrmsr(): void {
  requireRing0();
  const index = load<u32>(ECX);
  const value = (<u64>load<u32>(EAX)) | ((<u64>load<u32>(EDX)) << 32);
  if (index == IA32_TSC) {
    store<u64>(TSC_OFFSET, value - <u64>timestamp());
    // For a hypervisor that has told the guest how to compute time from the counter.
    store<u64>(EXCHANGE, value);
    writeMsr(index);
  } else if (index == IA32_SYSENTER_CS) {
    store<u32>(MSR_SYSENTER_CS, <u32>value);
  } else if (index == IA32_SYSENTER_ESP) {
    store<u32>(MSR_SYSENTER_ESP, <u32>value);
  } else if (index == IA32_SYSENTER_EIP) {
    store<u32>(MSR_SYSENTER_EIP, <u32>value);
  } else if (index == IA32_PAT) {
    setPat(value);
  } else if (index == IA32_EFER) {
    if (value & ~EFER_NXE) raiseGP(0);
    store<u32>(MSR_EFER, <u32>value);
    flushTlb(true);
  } else {
    store<u64>(EXCHANGE, value);
    if (!writeMsr(index)) raiseGP(0);
  }
}

/** Memory types 2 and 3 and those above 7 are reserved in each byte (SDM vol. 3A 11.12.2). */
function setPat(value: u64): void {
  for (let i: u64 = 0; i < 64; i += 8) {
    const type = (<u32>(value >> i)) & 0xff;
    if (type == 2 || type == 3 || type > 7) raiseGP(0);
  }
  store<u64>(MSR_PAT, value);
}

export function rdtsc(): void {
  if (load<u32>(CR4) & CR4_TSD && isProtected() && load<u32>(CPL)) raiseGP(0);
  setPair(counter());
}

/** Two counters, as on a P6; they do not count. */
export function rdpmc(): void {
  if (!(load<u32>(CR4) & CR4_PCE) && isProtected() && load<u32>(CPL)) raiseGP(0);
  if (load<u32>(ECX) > 1) raiseGP(0);
  setPair(0);
}
