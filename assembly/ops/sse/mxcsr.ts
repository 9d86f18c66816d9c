// MXCSR: its bits, the exceptions that an instruction collects while it computes, and what becomes
// of them at its end (SDM vol. 1 11.5). An instruction on several lanes signals for each lane and
// settles once; nothing of its result may be stored before that.
import { CR4, MXCSR } from '../../shared/layout';
import { GP, UD, XM } from '../../shared/faults';
import { raise } from '../../cpu/faults';

// Sticky flags. The mask of each stands seven bits higher.
export const IE: u32 = 0x01;
export const DE: u32 = 0x02;
export const ZE: u32 = 0x04;
export const OE: u32 = 0x08;
export const UE: u32 = 0x10;
export const PE: u32 = 0x20;
export const OM: u32 = OE << 7;
export const UM: u32 = UE << 7;
export const PM: u32 = PE << 7;
/** Denormal operands are zeros. */
export const DAZ: u32 = 0x40;
/** Tiny results are zeros, as long as underflow is masked. */
export const FTZ: u32 = 0x8000;
export const RC: u32 = 0x6000;
export const RC_SHIFT: u32 = 13;

// Values of the rounding control.
export const NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const TO_ZERO: u32 = 3;

/** What may be set: MXCSR_MASK of the FXSAVE image. */
export const MXCSR_WRITABLE: u32 = 0xffff;
/** After reset: everything masked, round to nearest. */
export const MXCSR_DEFAULT: u32 = 0x1f80;

/** Exceptions that come before the computation, and suppress the others when unmasked. */
const BEFORE = IE | DE | ZE;
const CR4_OSXMMEXCPT: u32 = 0x400;

let raised: u32 = 0;

/** Notes exceptions of one lane. */
export function signal(flags: u32): void {
  raised |= flags;
}

/** Ends an instruction: makes its exceptions sticky, raises #XM when one is not masked. */
export function settle(): void {
  let flags = raised;
  if (!flags) return;
  raised = 0;
  const mxcsr = load<u32>(MXCSR);
  const unmasked = flags & ~(mxcsr >> 7);
  if (unmasked & BEFORE) flags &= BEFORE;
  store<u32>(MXCSR, mxcsr | flags);
  if (unmasked) raise(load<u32>(CR4) & CR4_OSXMMEXCPT ? XM : UD, 0);
}

/** Rounding to nearest, and PE masked: wasm's own arithmetic gives the value. */
export function isNearest(): bool {
  return (load<u32>(MXCSR) & (RC | PM)) == PM;
}

/** isNearest(), and PE sticky already: between normal numbers nothing is left to note. */
export function isNearestNoted(): bool {
  return (load<u32>(MXCSR) & (RC | PM | PE)) == (PM | PE);
}

/** PE masked and sticky already, whatever the rounding. */
export function isNoted(): bool {
  return (load<u32>(MXCSR) & (PM | PE)) == (PM | PE);
}

export function roundingControl(): u32 {
  return (load<u32>(MXCSR) & RC) >> RC_SHIFT;
}

/** LDMXCSR. */
export function ldmxcsr(value: i32): void {
  if (value & ~MXCSR_WRITABLE) raise(GP, 0);
  store<u32>(MXCSR, value);
}

/** STMXCSR. */
export function stmxcsr(): i32 {
  return load<i32>(MXCSR);
}
