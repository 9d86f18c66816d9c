// Control and debug registers: MOV CR, MOV DR, LMSW, SMSW, CLTS, and what follows from them:
// TLB flushes, blocked units, PAE's pointer registers (SDM vol. 3A 2.5, vol. 3B 17.2).
import {
  CR0,
  CR2,
  CR3,
  CR4,
  DR,
  FPU_BLOCKED,
  PDPTE,
  SPACES_KEPT,
  SSE_BLOCKED,
} from '../shared/layout';
import { DB, GP } from '../shared/faults';
import { SPACES_ANNOUNCED } from '../shared/paravirt';
import { dropSpaces, switchSpace } from '../mem/spaces';
import { flushTlb } from '../mem/tlb';
import { readPhysical64 } from '../mem/physical';
import { DR6_BD } from './debug';
import { raise, raiseUD } from './faults';
import { requireRing0 } from './privilege';
import { updateMode } from './segments';

export const CR0_PE: u32 = 1;
const CR0_MP: u32 = 2;
const CR0_EM: u32 = 4;
const CR0_TS: u32 = 8;
const CR0_ET: u32 = 0x10;
const CR0_NE: u32 = 0x20;
const CR0_WP: u32 = 0x10000;
const CR0_AM: u32 = 0x40000;
const CR0_NW: u32 = 0x20000000;
const CR0_CD: u32 = 0x40000000;
const CR0_PG: u32 = 0x80000000;
const CR0_ALL: u32 =
  CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;

const CR4_TSD: u32 = 4;
const CR4_DE: u32 = 8;
const CR4_PSE: u32 = 0x10;
const CR4_PAE: u32 = 0x20;
const CR4_MCE: u32 = 0x40;
const CR4_PGE: u32 = 0x80;
const CR4_PCE: u32 = 0x100;
const CR4_OSFXSR: u32 = 0x200;
const CR4_OSXMMEXCPT: u32 = 0x400;
/** What cpuid.ts announces; any other bit is #GP. */
const CR4_ALL: u32 =
  CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

const DR6: usize = DR + 24;
const DR7: usize = DR + 28;
const DR7_GD: u32 = 0x2000;

/** PAE pointer entries: what must be clear in a present one, with 36 physical address bits. */
const PDPTE_RESERVED: u64 = 0xfffffff0000001e6;

// --- What follows from the control registers -----------------------------------------------------

/** FPU_BLOCKED bit 0 and SSE_BLOCKED, after any change of CR0 or CR4. */
export function updateUnits(): void {
  const cr0 = load<u32>(CR0);
  const blocked: u32 = cr0 & (CR0_EM | CR0_TS) ? 1 : 0;
  store<u32>(FPU_BLOCKED, (load<u32>(FPU_BLOCKED) & ~1) | blocked);
  store<u32>(SSE_BLOCKED, blocked | (load<u32>(CR4) & CR4_OSFXSR ? 0 : 1));
}

/** Reads PAE's four pointers for the table at `root`; #GP(0) when one is malformed. */
export function loadPointers(root: u32): void {
  const table = root & ~0x1f;
  for (let i: u32 = 0; i < 4; i++) {
    const entry = readPhysical64(table + (i << 3));
    if (entry & 1 && entry & PDPTE_RESERVED) raise(GP, 0);
  }
  for (let i: u32 = 0; i < 4; i++) store<u64>(PDPTE + (i << 3), readPhysical64(table + (i << 3)));
}

/** CR3 was written other than by switching spaces: what is not global is gone. */
export function loadRoot(): void {
  flushTlb(false);
}

// --- MOV CR --------------------------------------------------------------------------------------

function setCr0(value: u32): void {
  value = (value & CR0_ALL) | CR0_ET;
  if (value & CR0_PG && !(value & CR0_PE)) raise(GP, 0);
  if (value & CR0_NW && !(value & CR0_CD)) raise(GP, 0);
  const changed = value ^ load<u32>(CR0);
  if (changed & CR0_PG && value & CR0_PG && load<u32>(CR4) & CR4_PAE) loadPointers(load<u32>(CR3));
  store<u32>(CR0, value);
  // The TLB holds write permissions as WP gave them.
  if (changed & (CR0_PG | CR0_WP | CR0_PE)) flushTlb(true);
  updateUnits();
  updateMode();
}

function setCr3(value: u32): void {
  // A guest that announces changes does so for SetCR3 only.
  if (load<u32>(SPACES_KEPT) == SPACES_ANNOUNCED) {
    dropSpaces();
    reloadRoot(value);
  } else if (value == load<u32>(CR3)) {
    reloadRoot(value);
  } else {
    switchSpace(value);
  }
}

/** A root, or the current one again: flushes what is not global. */
export function reloadRoot(value: u32): void {
  if ((load<u32>(CR4) & CR4_PAE) != 0 && (load<u32>(CR0) & CR0_PG) != 0) loadPointers(value);
  store<u32>(CR3, value);
  loadRoot();
}

function setCr4(value: u32): void {
  if (value & ~CR4_ALL) raise(GP, 0);
  const changed = value ^ load<u32>(CR4);
  const paging = changed & (CR4_PSE | CR4_PAE | CR4_PGE);
  if (paging && value & CR4_PAE && load<u32>(CR0) & CR0_PG) loadPointers(load<u32>(CR3));
  store<u32>(CR4, value);
  if (paging) flushTlb(true);
  updateUnits();
}

export function moveFromControl(index: u32): u32 {
  requireRing0();
  if (index == 0) return load<u32>(CR0);
  if (index == 2) return load<u32>(CR2);
  if (index == 3) return load<u32>(CR3);
  if (index == 4) return load<u32>(CR4);
  raiseUD();
  return 0;
}

export function moveToControl(index: u32, value: u32): void {
  requireRing0();
  if (index == 0) {
    setCr0(value);
  } else if (index == 2) {
    store<u32>(CR2, value);
  } else if (index == 3) {
    setCr3(value);
  } else if (index == 4) {
    setCr4(value);
  } else {
    raiseUD();
  }
}

/** LMSW: PE can be set, not cleared. */
export function loadStatusWord(value: u32): void {
  requireRing0();
  const cr0 = load<u32>(CR0);
  setCr0((cr0 & ~(CR0_MP | CR0_EM | CR0_TS)) | (value & 0xf));
}

export function clearTaskSwitched(): void {
  requireRing0();
  store<u32>(CR0, load<u32>(CR0) & ~CR0_TS);
  updateUnits();
}

// --- MOV DR --------------------------------------------------------------------------------------

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE makes them undefined; GD traps every access. */
function debugRegister(index: u32): u32 {
  if (index == 4 || index == 5) {
    if (load<u32>(CR4) & CR4_DE) raiseUD();
    index += 2;
  }
  requireRing0();
  if (load<u32>(DR7) & DR7_GD) {
    store<u32>(DR6, load<u32>(DR6) | DR6_BD);
    raise(DB, 0);
  }
  return index;
}

export function moveFromDebug(index: u32): u32 {
  return load<u32>(DR + (debugRegister(index) << 2));
}

export function moveToDebug(index: u32, value: u32): void {
  index = debugRegister(index);
  if (index == 6) value = (value & 0xe00f) | 0xffff0ff0;
  if (index == 7) value = (value & 0xffff23ff) | 0x400;
  const old = load<u32>(DR7) & 0xff;
  store<u32>(DR + (index << 2), value);
  // Pages with data breakpoints must miss in the TLB, others need not any more.
  if ((load<u32>(DR7) & 0xff) | old) flushTlb(true);
}
