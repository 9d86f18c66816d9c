// What IOPL, CPL and virtual-8086 mode allow: flag images, I/O ports, privileged instructions.
import { CPL, CR0, DR, EFLAGS_SYSTEM, MODE } from '../shared/layout';
import { AC, ARITHMETIC, DF, ID, IF, IOPL, NT, RF, TF, VIF, VIP, VM } from '../shared/flags';
import { MODE_PROTECTED, MODE_V86 } from '../shared/modes';
import { readSystem16 } from '../mem/access';
import { getEflags, setFlags } from '../ops/flags';
import { accessOf, baseOf, limitOf, PRESENT, TR } from './segments';
import { raiseGP } from './faults';

export function isProtected(): bool {
  return (load<u32>(MODE) & MODE_PROTECTED) != 0;
}

export function isV86(): bool {
  return (load<u32>(MODE) & MODE_V86) != 0;
}

export function ioPrivilege(): u32 {
  return (load<u32>(EFLAGS_SYSTEM) & IOPL) >>> 12;
}

/** #GP(0) unless CPL is 0. */
export function requireRing0(): void {
  if (load<u32>(CPL)) raiseGP(0);
}

/** #GP(0) unless CPL <= IOPL; in virtual-8086 mode, where CPL is 3, unless IOPL is 3. */
export function requireIopl(): void {
  if (load<u32>(CR0) & 1 && load<u32>(CPL) > ioPrivilege()) raiseGP(0);
}

/** #GP(0) for PUSHF, POPF, INT n and IRET in virtual-8086 mode with IOPL below 3. */
export function requireV86Iopl(): void {
  if (isV86() && ioPrivilege() != 3) raiseGP(0);
}

/** May this code use ports port to port + size - 1? (SDM vol. 1 19.5) */
export function checkPort(port: u32, size: u32): void {
  if (!isProtected()) return;
  if (!isV86() && load<u32>(CPL) <= ioPrivilege()) return;
  const access = accessOf(TR);
  const limit = limitOf(TR);
  // Only a 32-bit TSS, available or busy, has a bit map.
  if (!(access & PRESENT) || (access & 0xd00) != 0x900 || limit < 0x67) {
    raiseGP(0);
  }
  const offset = readSystem16(baseOf(TR) + 0x66) + (port >>> 3);
  // Two bytes are read always: a port's bits may lie across a byte boundary.
  if (offset + 1 > limit) raiseGP(0);
  const bits = readSystem16(baseOf(TR) + offset) >>> (port & 7);
  if (bits & ((1 << size) - 1)) raiseGP(0);
}

// --- Flag images ---------------------------------------------------------------------------------

/** The bits of EFLAGS_SYSTEM that POPF or IRET at this CPL may change. */
export function flagMask(cpl: u32, wide: bool): u32 {
  let mask: u32 = TF | DF | NT;
  if (wide) mask |= AC | ID;
  if (cpl <= ioPrivilege()) mask |= IF;
  if (cpl == 0) mask |= IOPL;
  return mask;
}

/** Arithmetic flags from `value`, and of the others those in `mask`. */
export function changeFlags(value: u32, mask: u32): void {
  setFlags(value & ARITHMETIC);
  const old = load<u32>(EFLAGS_SYSTEM);
  store<u32>(EFLAGS_SYSTEM, (old & ~mask) | (value & mask) | 2);
}

/** All of EFLAGS, as a task switch or a return to virtual-8086 mode loads them. */
export function replaceFlags(value: u32): void {
  const mask: u32 = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;
  changeFlags((value & ~RF) | resumeFlag(value), mask);
}

/**
 * RF of a flag image, where it can matter: with breakpoints enabled. It would otherwise stay set,
 * since nobody looks after single instructions then, and show in later images.
 */
export function resumeFlag(value: u32): u32 {
  return load<u32>(DR + 28) & 0xff ? value & RF : 0;
}

/** The image PUSHF pushes: RF and VM read as clear. */
export function pushedFlags(): u32 {
  return getEflags() & ~(RF | VM);
}
