// The usual ways between ring 0 and ring 3: events and IRET under a 32-bit kernel with flat segments,
// when all that they touch is in the TLB. A system call through INT takes a third of the time so.
// Whatever is otherwise is left as it was, for the general functions, which check and fault: both do
// the same where both can (tests/system/flat.test.ts).
import {
  CPL,
  EFLAGS_SYSTEM,
  EIP,
  ESP,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
  MODE,
  TLB_CURRENT,
  TLB_KERNEL,
  TLB_USER,
} from '../shared/layout';
import { IF, NT, RF, TF, VM } from '../shared/flags';
import {
  MODE_CODE32,
  MODE_FLAT,
  MODE_FS_OPEN,
  MODE_GS_OPEN,
  MODE_MIDDLE,
  MODE_PROTECTED,
  MODE_STACK32,
  MODE_USER,
  MODE_V86,
} from '../shared/modes';
import { toRead, toWrite } from '../mem/tlb';
import { changeFlags } from './privilege';
import {
  accessOf,
  ATTRIBUTES,
  baseOf,
  CS,
  DS,
  dplOf,
  ES,
  FS,
  GS,
  limitOf,
  openMode,
  PRESENT,
  selectorOf,
  setSegment,
  SS,
  TR,
} from './segments';

const FLAT_MODE: u32 = MODE_PROTECTED | MODE_FLAT | MODE_CODE32 | MODE_STACK32;
const OTHER_MODES: u32 = MODE_V86 | MODE_MIDDLE;

// A flat descriptor: base 0 and limit 4 GiB, present, accessed, of 32 bits.
const FLAT_LOW: u32 = 0xffff;
/** Code that is not conforming; whether it can be read does not matter. */
const CODE_MASK: u32 = 0xffcffdff;
const FLAT_CODE: u32 = 0xcf9900;
/** Data that can be written and expands up. */
const DATA_MASK: u32 = 0xffcfffff;
const FLAT_DATA: u32 = 0xcf9300;
const DPL_SHIFT: u32 = 13;

/** A present interrupt or trap gate of 32 bits. */
const GATE_MASK: u32 = 0x9e00;
const GATE: u32 = 0x8e00;
const TRAP_GATE: u32 = 0x100;

/** A 32-bit TSS: its type's bit 3. Where it has ESP0 and SS0, and where these end. */
const WIDE_TSS: u32 = 0x800;
const TSS_ESP0: u32 = 4;
const TSS_SS0_END: u32 = 9;

/** The second word of a flat descriptor in the GDT with DPL and RPL `level`, or 0. */
function flatDescriptor(selector: u32, level: u32, mask: u32, value: u32): u32 {
  if ((selector & 7) != level || selector < 8 || (selector | 7) > load<u32>(GDTR_LIMIT)) return 0;
  const at = toRead(load<u32>(GDTR_BASE) + (selector & 0xfff8), 8);
  if (!at || load<u32>(at) != FLAT_LOW) return 0;
  const high = load<u32>(at, 4);
  return (high & mask) == (value | (level << DPL_SHIFT)) ? high : 0;
}

function setFlatSegment(segment: u32, selector: u32, high: u32): void {
  setSegment(segment, selector, 0, 0xffffffff, high & ATTRIBUTES);
}

/** updateMode(), where CS and SS are flat and nothing else that it looks at changes but CPL: to 0 or 3. */
function setLevel(mode: u32, cpl: u32): void {
  store<u32>(CPL, cpl);
  mode = (mode & ~(MODE_FS_OPEN | MODE_GS_OPEN)) | openMode(cpl != 0);
  if (cpl) {
    store<u32>(MODE, mode | MODE_USER);
    store<u32>(TLB_CURRENT, TLB_USER);
  } else {
    store<u32>(MODE, mode & ~MODE_USER);
    store<u32>(TLB_CURRENT, TLB_KERNEL);
  }
}

/** Delivers an event to ring 0 (interrupts.ts deliver); false: nothing has been done. */
export function deliverFlat(
  vector: u32,
  software: bool,
  hasCode: bool,
  code: u32,
  flags: u32,
): bool {
  const mode = load<u32>(MODE);
  if ((mode & (FLAT_MODE | OTHER_MODES)) != FLAT_MODE) return false;
  if ((vector << 3) + 7 > load<u32>(IDTR_LIMIT)) return false;
  const gate = toRead(load<u32>(IDTR_BASE) + (vector << 3), 8);
  if (!gate) return false;
  const gateHigh = load<u32>(gate, 4);
  if ((gateHigh & GATE_MASK) != GATE) return false;
  const outer = (mode & MODE_USER) != 0;
  if (software && outer && dplOf(gateHigh) != 3) return false;
  // A gate's RPL is ignored.
  const selector: u32 = load<u16>(gate, 2) & 0xfffc;
  const csHigh = flatDescriptor(selector, 0, CODE_MASK, FLAT_CODE);
  if (!csHigh) return false;
  const words: u32 = hasCode ? 4 : 3;
  let frame: u32;
  let esp: u32;
  if (outer) {
    const access = accessOf(TR);
    if (!(access & PRESENT) || !(access & WIDE_TSS) || limitOf(TR) < TSS_SS0_END) return false;
    const tss = toRead(baseOf(TR) + TSS_ESP0, 6);
    if (!tss) return false;
    const ss: u32 = load<u16>(tss, 4);
    const ssHigh = flatDescriptor(ss, 0, DATA_MASK, FLAT_DATA);
    if (!ssHigh) return false;
    const bytes = (words + 2) << 2;
    esp = load<u32>(tss) - bytes;
    frame = toWrite(esp, bytes);
    if (!frame) return false;
    const old = frame + (words << 2);
    store<u32>(old, load<u32>(ESP));
    store<u32>(old, selectorOf(SS), 4);
    setFlatSegment(SS, ss, ssHigh);
  } else {
    esp = load<u32>(ESP) - (words << 2);
    frame = toWrite(esp, words << 2);
    if (!frame) return false;
  }
  if (hasCode) {
    store<u32>(frame, code);
    frame += 4;
  }
  store<u32>(frame, load<u32>(EIP));
  store<u32>(frame, selectorOf(CS), 4);
  store<u32>(frame, flags, 8);
  store<u32>(ESP, esp);
  store<u32>(EIP, load<u16>(gate) | (gateHigh & 0xffff0000));
  setFlatSegment(CS, selector, csHigh);
  const cleared: u32 = gateHigh & TRAP_GATE ? TF | NT | RF | VM : TF | NT | RF | VM | IF;
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~cleared);
  setLevel(mode, 0);
  return true;
}

/** May ring 3 keep what the register holds? */
function keeps(segment: u32): bool {
  const access = accessOf(segment);
  return !(access & PRESENT) || dplOf(access) == 3;
}

/** IRET of 32 bits from ring 0 to ring 0 or 3 (iret.ts); `mask` is what it may change of the flags. */
export function returnFlat(mask: u32): bool {
  const mode = load<u32>(MODE);
  if ((mode & (FLAT_MODE | OTHER_MODES | MODE_USER)) != FLAT_MODE) return false;
  if (load<u32>(EFLAGS_SYSTEM) & NT) return false;
  const esp = load<u32>(ESP);
  const frame = toRead(esp, 12);
  if (!frame) return false;
  const flags = load<u32>(frame, 8);
  if (flags & VM) return false;
  const selector: u32 = load<u16>(frame, 4);
  const level = selector & 3;
  const csHigh = flatDescriptor(selector, level, CODE_MASK, FLAT_CODE);
  if (!csHigh) return false;
  if (level == 0) {
    store<u32>(ESP, esp + 12);
  } else {
    if (level != 3 || !toRead(esp, 20)) return false;
    const ss: u32 = load<u16>(frame, 16);
    const ssHigh = flatDescriptor(ss, 3, DATA_MASK, FLAT_DATA);
    if (!ssHigh || !keeps(ES) || !keeps(DS) || !keeps(FS) || !keeps(GS)) return false;
    store<u32>(ESP, load<u32>(frame, 12));
    setFlatSegment(SS, ss, ssHigh);
  }
  store<u32>(EIP, load<u32>(frame));
  changeFlags(flags, mask);
  setFlatSegment(CS, selector, csHigh);
  setLevel(mode, level);
  return true;
}

/** What is left of SYSENTER and SYSEXIT (ops/system.ts) once CS and SS are flat by definition; false: updateMode(). */
export function enterLevel(cpl: u32): bool {
  const mode = load<u32>(MODE);
  if ((mode & (MODE_PROTECTED | MODE_FLAT | OTHER_MODES)) != (MODE_PROTECTED | MODE_FLAT))
    return false;
  setLevel(mode | MODE_CODE32 | MODE_STACK32, cpl);
  return true;
}
