// Alignment checks (SDM vol. 3A 6.15, interrupt 17). While they are on, instructions run alone
// (debugging(), cpu/debug.ts) and the user TLB stays empty (tlb.ts), so that every access comes by
// the slow paths of access.ts, which ask here: checks that are off cost nothing.
import { CPL, CR0, EFLAGS_SYSTEM, TLB_USER } from '../shared/layout';
import { AC_VECTOR } from '../shared/faults';
import { AC } from '../shared/flags';
import { note } from '../cpu/faults';

const CR0_AM: u32 = 0x40000;

export function alignmentChecked(): bool {
  return (
    (load<u32>(EFLAGS_SYSTEM) & AC) != 0 && (load<u32>(CR0) & CR0_AM) != 0 && load<u32>(CPL) == 3
  );
}

/** True: #AC is noted. Accesses with supervisor rights, to descriptors or a TSS, are not checked. */
export function misaligned(tlb: u32, linear: u32, alignment: u32): bool {
  if ((linear & (alignment - 1)) == 0 || tlb != TLB_USER || !alignmentChecked()) return false;
  note(AC_VECTOR, 0);
  return true;
}
