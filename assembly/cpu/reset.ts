// The processor's state after RESET (SDM vol. 3A table 9-1).
import {
  CR0,
  CR3,
  CR4,
  CR2,
  DR,
  EDX,
  EFLAGS_SYSTEM,
  EIP,
  EAX,
  FAULT_PENDING,
  FLAG_B,
  FLAG_KIND,
  FPU,
  FPU_BLOCKED,
  FPU_CONTROL,
  GDTR_BASE,
  GDTR_LIMIT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  INHIBIT,
  SHADOW,
  MSR_EFER,
  MSR_PAT,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  MXCSR,
  NMI,
  SINGLE,
  TSC_OFFSET,
  XMM,
} from '../shared/layout';
import { HEADER_MODE } from '../shared/records';
import { flushTlb } from '../mem/tlb';
import { updateUnits } from './control';
import { SIGNATURE } from './cpuid';
import { clearDelivery } from './interrupts';
import { CS, LDTR, setCpl, setSegment, TR, updateMode } from './segments';

/** Present, writable, accessed data; also what CS has after RESET. */
const REAL_DATA = 0x9300;

export function resetProcessor(): void {
  // What leads to no block leads to address 0: its mode is none that the processor can be in.
  store<u32>(HEADER_MODE, 0xffffffff);
  for (let i: u32 = 0; i < 8; i++) store<u32>(EAX + (i << 2), 0);
  store<u32>(EDX, SIGNATURE);
  store<u32>(FLAG_KIND, 0);
  store<u32>(FLAG_B, 0);
  store<u32>(EFLAGS_SYSTEM, 2);
  for (let i: u32 = 0; i < 6; i++) setSegment(i, 0, 0, 0xffff, REAL_DATA);
  setSegment(CS, 0xf000, 0xffff0000, 0xffff, REAL_DATA);
  setSegment(LDTR, 0, 0, 0xffff, 0x8200);
  setSegment(TR, 0, 0, 0xffff, 0x8b00);
  store<u32>(EIP, 0xfff0);
  store<u32>(CR0, 0x60000010);
  store<u32>(CR2, 0);
  store<u32>(CR3, 0);
  store<u32>(CR4, 0);
  for (let i: u32 = 0; i < 6; i++) store<u32>(DR + (i << 2), 0);
  store<u32>(DR + 24, 0xffff0ff0);
  store<u32>(DR + 28, 0x400);
  store<u32>(GDTR_BASE, 0);
  store<u32>(GDTR_LIMIT, 0xffff);
  store<u32>(IDTR_BASE, 0);
  store<u32>(IDTR_LIMIT, 0xffff);
  store<u32>(MSR_SYSENTER_CS, 0);
  store<u32>(MSR_SYSENTER_ESP, 0);
  store<u32>(MSR_SYSENTER_EIP, 0);
  store<u32>(MSR_EFER, 0);
  store<u64>(MSR_PAT, 0x0007040600070406);
  store<u64>(TSC_OFFSET, 0);
  store<u32>(NMI, 0);
  store<u32>(INHIBIT, 0);
  store<u32>(SHADOW, 0);
  store<u32>(HALTED, 0);
  store<u32>(SINGLE, 0);
  store<u32>(FAULT_PENDING, 0);
  // x87: as after RESET (control word 0040H, all registers empty); SSE cleared.
  memory.fill(FPU, 0, XMM - FPU);
  store<u32>(FPU_CONTROL, 0x40);
  // No exception waits: updateUnits() keeps the bit that says so.
  store<u32>(FPU_BLOCKED, 0);
  memory.fill(XMM, 0, 128);
  store<u32>(MXCSR, 0x1f80);
  clearDelivery();
  setCpl(0);
  updateUnits();
  flushTlb(true);
  updateMode();
}
