// CPUID: a family 6 model with exactly what this core executes (SDM vol. 2A CPUID).
import { EAX, EBX, ECX, EDX, HYPERVISOR_LEAVES, HYPERVISOR_LEAVES_MAX } from '../shared/layout';

const FPU: u32 = 1 << 0;
const DE: u32 = 1 << 2;
const PSE: u32 = 1 << 3;
const TSC: u32 = 1 << 4;
const MSR: u32 = 1 << 5;
const PAE: u32 = 1 << 6;
const MCE: u32 = 1 << 7;
const CX8: u32 = 1 << 8;
const APIC: u32 = 1 << 9;
const SEP: u32 = 1 << 11;
const MTRR: u32 = 1 << 12;
const PGE: u32 = 1 << 13;
const MCA: u32 = 1 << 14;
const CMOV: u32 = 1 << 15;
const PAT: u32 = 1 << 16;
const PSE36: u32 = 1 << 17;
const CLFSH: u32 = 1 << 19;
const MMX: u32 = 1 << 23;
const FXSR: u32 = 1 << 24;
const SSE: u32 = 1 << 25;
const SSE2: u32 = 1 << 26;
const NX: u32 = 1 << 20;

const FEATURES: u32 =
  FPU |
  DE |
  PSE |
  TSC |
  MSR |
  PAE |
  MCE |
  CX8 |
  APIC |
  SEP |
  MTRR |
  PGE |
  MCA |
  CMOV |
  PAT |
  PSE36 |
  CLFSH |
  MMX |
  FXSR |
  SSE |
  SSE2;

/**
 * Family 6, model 28, stepping 10. That model executes in order, and so does this core: systems
 * that know the model know that nothing here runs speculatively and spare themselves the
 * countermeasures (Linux's retpolines). Later steppings than 2 lack its erratum with large pages.
 */
export const SIGNATURE = 0x106ca;

/** Leaf 1 ECX: a hypervisor is present and has leaves of its own from 40000000h. */
const HYPERVISOR: u32 = 1 << 31;
const FIRST_HYPERVISOR_LEAF: u32 = 0x40000000;
/** Hypervisors that show several interfaces space them by this. */
const HYPERVISOR_RANGE: u32 = 0x100;
const LEAF_SIZE = 20;

/** Feature bits (leaf 1 EDX) that the machine takes away. */
let hidden: u32 = 0;

export function hideFeatures(bits: u32): void {
  hidden = bits;
}

/** 'vmi86', and zeros to 48 bytes. */
const BRAND: usize = memory.data<u8>([
  0x76, 0x6d, 0x69, 0x38, 0x36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

function answer(eax: u32, ebx: u32, ecx: u32, edx: u32): void {
  store<u32>(EAX, eax);
  store<u32>(EBX, ebx);
  store<u32>(ECX, ecx);
  store<u32>(EDX, edx);
}

/**
 * Answers from what the host wrote, if it wrote anything: leaves it left out, up to the last one it
 * names in the first one's EAX, are zero. False: this leaf is the processor's to answer.
 */
function hypervisorLeaf(leaf: u32): bool {
  if (leaf - FIRST_HYPERVISOR_LEAF >= HYPERVISOR_RANGE) return false;
  const count = min(load<u32>(HYPERVISOR_LEAVES), HYPERVISOR_LEAVES_MAX);
  const table: usize = HYPERVISOR_LEAVES + 4;
  for (let i: u32 = 0; i < count; i++) {
    const at = table + <usize>i * LEAF_SIZE;
    if (load<u32>(at) != leaf) continue;
    answer(load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12), load<u32>(at, 16));
    return true;
  }
  if (!count || leaf > load<u32>(table, 4)) return false;
  answer(0, 0, 0, 0);
  return true;
}

export function cpuid(): void {
  const leaf = load<u32>(EAX);
  if (leaf == 0) {
    answer(2, 0x756e6547, 0x6c65746e, 0x49656e69); // GenuineIntel
  } else if (leaf == 1) {
    // CLFLUSH of 8 quadwords; the initial APIC's number is 0.
    const ecx = load<u32>(HYPERVISOR_LEAVES) ? HYPERVISOR : 0;
    answer(SIGNATURE, 0x800, ecx, FEATURES & ~hidden);
  } else if (hypervisorLeaf(leaf)) {
    return;
  } else if (leaf == 0x80000000) {
    answer(0x80000008, 0, 0, 0);
  } else if (leaf == 0x80000001) {
    answer(0, 0, 0, NX);
  } else if (leaf - 0x80000002 < 3) {
    const part = BRAND + ((leaf - 0x80000002) << 4);
    answer(load<u32>(part), load<u32>(part, 4), load<u32>(part, 8), load<u32>(part, 12));
  } else if (leaf == 0x80000006) {
    answer(0, 0, 0x02006040, 0); // 512 KiB of level 2, 8 ways, 64-byte lines
  } else if (leaf == 0x80000008) {
    answer(36, 0, 0, 0); // physical address bits
  } else if (leaf == 0x80000005 || leaf == 0x80000007) {
    answer(0, 0, 0, 0);
  } else {
    // Leaf 2, and what Intel processors answer beyond the last one:
    // 4 KiB and 4 MiB TLBs, 32 KiB of code and data each, 512 KiB of level 2.
    answer(0x02b3b001, 0, 0, 0x2c043086);
  }
}
