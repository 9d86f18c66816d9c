// The VMI calls that a kernel makes in each switch and each fork, for translated code: done at once when all
// that they touch is in the TLB, no code and in one page, with nothing of the state in memory. 0: nothing has
// been done, and the interpreter makes the call (calls.ts, which these do as). Translated code runs in ring 0 here.
import { TLB_KERNEL, TLB_PHYSICAL, TLB_READ, TR_BASE } from '../shared/layout';
import { entryOf, toWrite } from '../mem/tlb';
import { isLastTime, noteTable } from '../mem/spaces';
import { hasTask } from './calls';

/** Where the task state segment has ESP0; SS0 follows. */
const TSS_ESP0: u32 = 4;

/** The table that the entry at `at`, which is in the TLB, belongs to has changed. */
function noteAt(at: u32): void {
  noteTable(load<u32>(entryOf(TLB_KERNEL, at), TLB_PHYSICAL) >>> 12);
}

function updated(at: u32): i32 {
  if (load<u32>(entryOf(TLB_KERNEL, at), TLB_READ) != (at | 0xfff) || isLastTime()) return 0;
  noteAt(at);
  return 1;
}

export function vmi_quick_SetPxE(entry: u32, at: u32, flags: u32): i32 {
  const to = toWrite(at, 4);
  if (!to || isLastTime()) return 0;
  store<u32>(to, entry);
  noteAt(at);
  return 1;
}

export function vmi_quick_SetPxELong(low: u32, high: u32, at: u32, flags: u32): i32 {
  const to = toWrite(at, 8);
  if (!to || isLastTime()) return 0;
  store<u64>(to, (<u64>low) | ((<u64>high) << 32));
  noteAt(at);
  return 1;
}

export function vmi_quick_UpdatePxE(at: u32, flags: u32): i32 {
  return updated(at);
}

export function vmi_quick_UpdatePxELong(at: u32, flags: u32): i32 {
  return updated(at);
}

export function vmi_quick_WriteGDTEntry(table: u32, index: u32, low: u32, high: u32): i32 {
  const to = toWrite(table + (index << 3), 8);
  if (!to) return 0;
  store<u64>(to, (<u64>low) | ((<u64>high) << 32));
  return 1;
}

export function vmi_quick_UpdateKernelStack(ss: u32, esp: u32): i32 {
  if (!hasTask()) return 0;
  const to = toWrite(load<u32>(TR_BASE) + TSS_ESP0, 6);
  if (!to) return 0;
  store<u32>(to, esp);
  store<u16>(to, ss, 4);
  return 1;
}
