// FCOM, FUCOM, FICOM, FTST, FXAM and the forms that set EFLAGS.
import { FPU_STATUS } from '../../shared/layout';
import { CF, PF, ZF } from '../../shared/flags';
import { widen32, widen64, widenInteger } from './convert';
import {
  get,
  here,
  hereMemory,
  isFull,
  fpuPop,
  report,
  reportKeepingC1,
  st,
  unmasked,
} from './stack';
import {
  addFlags80,
  classOf,
  DENORMAL,
  flags,
  INFINITE,
  isNormal,
  isSignalling,
  NAN,
  resultSE,
  setFlags80,
  UNSUPPORTED,
  ZERO,
} from './value';
import { C0, C1, C2, C3, DE, IE, SF } from './words';

const CONDITIONS: u32 = C0 | C1 | C2 | C3;
const UNORDERED: u32 = C0 | C2 | C3;
const EQUAL: u32 = C3;
const LESS: u32 = C0;
const GREATER: u32 = 0;

/** How a stands to b, as condition bits; exceptions to `flags`. Quiet: only SNaNs are invalid. */
export function relation(am: u64, ase: u32, bm: u64, bse: u32, quiet: bool): u32 {
  if (!(isNormal(am, ase) & isNormal(bm, bse))) {
    const ac = classOf(am, ase);
    const bc = classOf(bm, bse);
    if (ac >= NAN || bc >= NAN) {
      const raises =
        !quiet ||
        ac == UNSUPPORTED ||
        bc == UNSUPPORTED ||
        (ac == NAN && isSignalling(am)) ||
        (bc == NAN && isSignalling(bm));
      setFlags80(raises ? IE : 0);
      return UNORDERED;
    }
    if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
    if (ac == ZERO && bc == ZERO) return EQUAL;
  }
  const negative = (ase & 0x8000) != 0;
  if ((ase ^ bse) & 0x8000) return negative ? LESS : GREATER;
  let ae = ase & 0x7fff;
  let be = bse & 0x7fff;
  // A pseudo-denormal is worth what exponent 1 makes of it.
  ae += <u32>(ae == 0);
  be += <u32>(be == 0);
  if (ae == be && am == bm) return EQUAL;
  const smaller = ae < be || (ae == be && am < bm);
  return smaller != negative ? LESS : GREATER;
}

/** Puts the outcome into C0 C2 C3; false when an unmasked exception forbids pops. */
function conclude(outcome: u32): bool {
  const f = flags;
  store<u32>(FPU_STATUS, (load<u32>(FPU_STATUS) & ~CONDITIONS) | outcome);
  if (f == 0) return true;
  report(f);
  return unmasked(f) == 0;
}

function conditionUnderflow(): bool {
  setFlags80(IE | SF);
  return conclude(UNORDERED);
}

function withMemory(ea: u32, m: u64): bool {
  hereMemory(ea);
  const p = st(0);
  if (!isFull(p)) return conditionUnderflow();
  return conclude(relation(load<u64>(p), load<u16>(p, 8), m, resultSE, false));
}

function withRegister(i: u32, quiet: bool): bool {
  here();
  const p = st(0);
  const q = st(i);
  if (!isFull(p) || !isFull(q)) return conditionUnderflow();
  setFlags80(0);
  const ase = load<u16>(p, 8);
  return conclude(relation(load<u64>(p), ase, load<u64>(q), load<u16>(q, 8), quiet));
}

export function fcom_m32(v: u32, ea: u32): void {
  withMemory(ea, widen32(v));
}

export function fcomp_m32(v: u32, ea: u32): void {
  if (withMemory(ea, widen32(v))) fpuPop();
}

export function fcom_m64(v: u64, ea: u32): void {
  withMemory(ea, widen64(v));
}

export function fcomp_m64(v: u64, ea: u32): void {
  if (withMemory(ea, widen64(v))) fpuPop();
}

export function ficom_m16(v: i32, ea: u32): void {
  withMemory(ea, widenInteger(v));
}

export function ficomp_m16(v: i32, ea: u32): void {
  if (withMemory(ea, widenInteger(v))) fpuPop();
}

export function ficom_m32(v: i32, ea: u32): void {
  withMemory(ea, widenInteger(v));
}

export function ficomp_m32(v: i32, ea: u32): void {
  if (withMemory(ea, widenInteger(v))) fpuPop();
}

export function fcom_st(i: u32): void {
  withRegister(i, false);
}

export function fcomp_st(i: u32): void {
  if (withRegister(i, false)) fpuPop();
}

export function fcompp(): void {
  if (withRegister(1, false)) {
    fpuPop();
    fpuPop();
  }
}

export function fucom(i: u32): void {
  withRegister(i, true);
}

export function fucomp(i: u32): void {
  if (withRegister(i, true)) fpuPop();
}

export function fucompp(): void {
  if (withRegister(1, true)) {
    fpuPop();
    fpuPop();
  }
}

export function ftst(): void {
  here();
  const p = st(0);
  if (!isFull(p)) {
    conditionUnderflow();
    return;
  }
  setFlags80(0);
  conclude(relation(load<u64>(p), load<u16>(p, 8), 0, 0, false));
}

/** C3 C2 C0 by class, C1 the sign, also of an empty register's remains. */
export function fxam(): void {
  here();
  const p = st(0);
  const se = load<u16>(p, 8);
  let bits: u32 = se & 0x8000 ? C1 : 0;
  if (!isFull(p)) bits |= C3 | C0;
  else {
    const c = classOf(load<u64>(p), se);
    if (c == ZERO) bits |= C3;
    else if (c == DENORMAL) bits |= C3 | C2;
    else if (c == INFINITE) bits |= C2 | C0;
    else if (c == NAN) bits |= C0;
    else if (c != UNSUPPORTED) bits |= C2;
  }
  store<u32>(FPU_STATUS, (load<u32>(FPU_STATUS) & ~CONDITIONS) | bits);
}

// --- To EFLAGS: ZF PF CF; OF SF AF become 0. An unmasked invalid operation prevents the fpuPop, not the
// flags; C1 stays but for a stack fault.

let popsNow: bool = false;

function toEflags(i: u32, quiet: bool): u32 {
  here();
  const p = st(0);
  const q = st(i);
  let outcome: u32 = UNORDERED;
  if (!isFull(p) || !isFull(q)) setFlags80(IE | SF);
  else {
    setFlags80(0);
    const ase = load<u16>(p, 8);
    outcome = relation(load<u64>(p), ase, load<u64>(q), load<u16>(q, 8), quiet);
  }
  const f = flags;
  if (f & SF) report(f);
  else if (f) reportKeepingC1(f);
  popsNow = unmasked(f) == 0;
  return (outcome & C3 ? ZF : 0) | (outcome & C2 ? PF : 0) | (outcome & C0 ? CF : 0);
}

export function fcomi(i: u32): u32 {
  return toEflags(i, false);
}

export function fucomi(i: u32): u32 {
  return toEflags(i, true);
}

export function fcomip(i: u32): u32 {
  const bits = toEflags(i, false);
  if (popsNow) fpuPop();
  return bits;
}

export function fucomip(i: u32): u32 {
  const bits = toEflags(i, true);
  if (popsNow) fpuPop();
  return bits;
}

/** The value is EFLAGS already: what the rows name as flag function. */
export function fcomi_bits(r: u32): u32 {
  return r;
}
