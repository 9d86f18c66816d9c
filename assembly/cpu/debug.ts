// Debug exceptions: instruction and data breakpoints, single-step, and DR6, which says which
// (SDM vol. 3B chapter 17). While debugging() the run loop executes one instruction at a time,
// between debugBefore and debugAfter. MOV DR is in control.ts.
import { COUNT_CURRENT, DR, EFLAGS_SYSTEM, EIP, EIP_CURRENT, INHIBIT } from '../shared/layout';
import { DB } from '../shared/faults';
import { AC, RF, TF } from '../shared/flags';
import { alignmentChecked } from '../mem/alignment';
import { emptyUserTlb } from '../mem/tlb';
import { note } from './faults';
import { baseOf, CS } from './segments';

const DR6: usize = DR + 24;
const DR7: usize = DR + 28;

export const DR6_BD = 0x2000;
const DR6_BS: u32 = 0x4000;
const DR6_BT: u32 = 0x8000;
const DR7_GD: u32 = 0x2000;

/** INHIBIT after a load of SS: debug exceptions wait too (SDM vol. 3A 6.8.3). */
export const INHIBIT_STACK = 2;

/** TF was set when the instruction began. */
let stepping: bool = false;
/** It began in the shadow of a load of SS. */
let shadowed: bool = false;
/** DR6 bits gathered during the instruction. */
let hits: u32 = 0;
/** A task was entered whose TSS has the T bit set. */
let taskTrap: bool = false;

/** Must instructions run one at a time? Alignment checks want it too. */
export function debugging(): bool {
  const flags = load<u32>(EFLAGS_SYSTEM);
  if (flags & (TF | AC) && (flags & TF || alignmentChecked())) return true;
  return (load<u32>(DR7) & 0xff) != 0 || taskTrap;
}

/** Is breakpoint `index` enabled, for this R/W field? */
function enabled(dr7: u32, index: u32, kind: u32): bool {
  return (dr7 & (3 << (index << 1))) != 0 && ((dr7 >>> (16 + (index << 2))) & 3) == kind;
}

/** Before each instruction; true: a #DB is noted instead of it. */
export function debugBefore(): bool {
  const flags = load<u32>(EFLAGS_SYSTEM);
  if (alignmentChecked()) emptyUserTlb();
  if (taskTrap) {
    taskTrap = false;
    hits = DR6_BT;
    report();
    return true;
  }
  stepping = (flags & TF) != 0;
  shadowed = load<u32>(INHIBIT) == INHIBIT_STACK;
  hits = 0;
  if (flags & RF) {
    // RF holds for one instruction; IRET may set it again.
    store<u32>(EFLAGS_SYSTEM, flags & ~RF);
    return false;
  }
  const dr7 = load<u32>(DR7);
  if (!(dr7 & 0xff) || shadowed) return false;
  const linear = baseOf(CS) + load<u32>(EIP);
  for (let i: u32 = 0; i < 4; i++) {
    if (enabled(dr7, i, 0) && load<u32>(DR + (i << 2)) == linear) hits |= 1 << i;
  }
  if (!hits) return false;
  report();
  return true;
}

/** After each instruction that completed; true: a #DB is noted. */
export function debugAfter(): bool {
  // A load of SS holds the trap back; a step is lost then, data hits come after the next one.
  if (!shadowed && load<u32>(INHIBIT) == INHIBIT_STACK) return false;
  if (stepping) hits |= DR6_BS;
  stepping = false;
  if (!hits) return false;
  report();
  return true;
}

function report(): void {
  store<u32>(DR6, load<u32>(DR6) | hits);
  hits = 0;
  store<u32>(EIP_CURRENT, load<u32>(EIP));
  store<u32>(COUNT_CURRENT, 0);
  note(DB, 0);
}

/** Tells of a data access while debugging(); called by the memory access functions. */
export function debugAccess(linear: u32, size: u32, write: bool): void {
  const dr7 = load<u32>(DR7);
  for (let i: u32 = 0; i < 4; i++) {
    if (!enabled(dr7, i, 3) && !(write && enabled(dr7, i, 1))) continue;
    // LEN: 1, 2, (8, here 1), 4 bytes; its low address bits do not count.
    const length = (dr7 >>> (18 + (i << 2))) & 3;
    const start = load<u32>(DR + (i << 2)) & ~length;
    if (linear <= start + length && linear + size - 1 >= start) hits |= 1 << i;
  }
}

/** Does a data breakpoint lie in this page? Accesses to it must not hit the TLB then. */
export function watched(page: u32): bool {
  const dr7 = load<u32>(DR7);
  if (!(dr7 & 0xff)) return false;
  for (let i: u32 = 0; i < 4; i++) {
    if (!enabled(dr7, i, 1) && !enabled(dr7, i, 3)) continue;
    if ((load<u32>(DR + (i << 2)) & ~0xfff) == page) return true;
  }
  return false;
}

/** The TSS just entered has its T bit set: #DB before the task's first instruction. */
export function debugTask(): void {
  taskTrap = true;
}

/** #DB is about to be delivered: GD would hit the handler itself. */
export function enterDebugHandler(): void {
  store<u32>(DR7, load<u32>(DR7) & ~DR7_GD);
}

/**
 * An interrupt or exception is taken: TF is clear, and the step it came into is gone. One that stayed
 * would end at the next instruction that runs alone, in the handler.
 */
export function forgetStep(): void {
  stepping = false;
}
