// Loads and stores of reals and integers, FXCH, FCMOVcc, FCHS, FABS and the constants. FBLD and
// FBSTP are in bcd.ts.
import { FPU_CONTROL, FPU_TOP } from '../../shared/layout';
import { probeWrite, read16, read64, requireAligned, write16, write64 } from '../../mem/access';
import { narrow32, narrow64, toInteger, widen32, widen64, widenInteger } from './convert';
import {
  checkStore,
  clearC1,
  fpu_stored_pop,
  get,
  here,
  hereMemory,
  isFull,
  fpuPop,
  fpuPush,
  pushIndefinite,
  report,
  setEmpty,
  setFull,
  setRegister,
  st,
  storing,
  underflow,
  unmasked,
} from './stack';
import { addFlags80, resultSE, setFlags80, setResultSE } from './value';
import { IE, INDEFINITE, INDEFINITE_SE, QUIET_BIT, RC_UP, ROUNDING, SF } from './words';

/** A signalling NaN from memory: invalid, and quiet from here on. */
export function quieted(m: u64): u64 {
  if ((resultSE & 0x7fff) == 0x7fff && m << 1 != 0 && (m & QUIET_BIT) == 0) {
    addFlags80(IE);
    return m | QUIET_BIT;
  }
  return m;
}

export function fld_m32(v: u32, ea: u32): void {
  hereMemory(ea);
  fpuPush(quieted(widen32(v)));
}

export function fld_m64(v: u64, ea: u32): void {
  hereMemory(ea);
  fpuPush(quieted(widen64(v)));
}

/** No exception but a stack fault: 80 bits are loaded as they are. */
export function fld_m80(ea: u32): void {
  const m = read64(ea);
  const se = read16(ea + 8);
  hereMemory(ea);
  setFlags80(0);
  setResultSE(se);
  fpuPush(m);
}

export function fild_m16(v: i32, ea: u32): void {
  hereMemory(ea);
  fpuPush(widenInteger(v));
}

export function fild_m32(v: i32, ea: u32): void {
  hereMemory(ea);
  fpuPush(widenInteger(v));
}

export function fild_m64(v: u64, ea: u32): void {
  hereMemory(ea);
  fpuPush(widenInteger(<i64>v));
}

export function fld_st(i: u32): void {
  here();
  const p = st(i);
  if (isFull(p)) {
    fpuPush(get(p));
    return;
  }
  // Underflow, also where the push would overflow: C1 stays 0.
  report(IE | SF);
  if (unmasked(IE)) return;
  pushIndefinite();
}

// --- Stores: the rows name fpu_stored or fpu_stored_pop for afterwards.

export function fst_m32(ea: u32): u32 {
  const p = storing(ea);
  if (!p) return 0xffc00000;
  const v = narrow32(load<u64>(p), load<u16>(p, 8));
  checkStore();
  return v;
}

export function fst_m64(ea: u32): u64 {
  const p = storing(ea);
  if (!p) return 0xfff8000000000000;
  const v = narrow64(load<u64>(p), load<u16>(p, 8));
  checkStore();
  return v;
}

function integerToStore(ea: u32, bits: i32): i64 {
  const p = storing(ea);
  if (!p) return (<i64>-1) << (bits - 1);
  const v = toInteger(load<u64>(p), load<u16>(p, 8), bits);
  checkStore();
  return v;
}

export function fist_m16(ea: u32): i32 {
  return <i32>integerToStore(ea, 16);
}

export function fist_m32(ea: u32): i32 {
  return <i32>integerToStore(ea, 32);
}

export function fist_m64(ea: u32): u64 {
  return <u64>integerToStore(ea, 64);
}

export function fstp_m80(ea: u32): void {
  requireAligned(ea, 8);
  probeWrite(ea, 10);
  const p = storing(ea);
  setFlags80(p ? 0 : IE | SF);
  write64(ea, p ? load<u64>(p) : INDEFINITE);
  write16(ea + 8, p ? load<u16>(p, 8) : INDEFINITE_SE);
  fpu_stored_pop();
}

function copyTo(i: u32): bool {
  here();
  const q = st(i);
  const p = st(0);
  if (!isFull(p)) return underflow(q);
  clearC1();
  setRegister(q, load<u64>(p), load<u16>(p, 8));
  setFull(q);
  return true;
}

export function fst_st(i: u32): void {
  copyTo(i);
}

export function fstp_st(i: u32): void {
  if (copyTo(i)) fpuPop();
}

/** Undocumented D9 D8+i: FSTP that knows no stack underflow; from an empty ST(0) it only pops. */
export function fstpnce(i: u32): void {
  here();
  if (isFull(st(0))) copyTo(i);
  else clearC1();
  fpuPop();
}

export function fxch(i: u32): void {
  here();
  const p = st(0);
  const q = st(i);
  if (isFull(p) && isFull(q)) clearC1();
  else {
    report(IE | SF);
    if (unmasked(IE)) return;
    if (!isFull(p)) setRegister(p, INDEFINITE, INDEFINITE_SE);
    if (!isFull(q)) setRegister(q, INDEFINITE, INDEFINITE_SE);
    setFull(p);
    setFull(q);
  }
  const m = load<u64>(p);
  const se = load<u16>(p, 8);
  setRegister(p, load<u64>(q), load<u16>(q, 8));
  setRegister(q, m, se);
}

/** ST(0) = ST(i) if `holds`; both must be full either way. */
export function fcmov(i: u32, holds: u32): void {
  here();
  const p = st(0);
  const q = st(i);
  if (!isFull(p) || !isFull(q)) {
    underflow(p);
    return;
  }
  if (holds) setRegister(p, load<u64>(q), load<u16>(q, 8));
}

export function fchs(): void {
  here();
  const p = st(0);
  if (!isFull(p)) {
    underflow(p);
    return;
  }
  clearC1();
  store<u16>(p, load<u16>(p, 8) ^ 0x8000, 8);
}

export function fabs(): void {
  here();
  const p = st(0);
  if (!isFull(p)) {
    underflow(p);
    return;
  }
  clearC1();
  store<u16>(p, load<u16>(p, 8) & 0x7fff, 8);
}

export function ffree(i: u32): void {
  here();
  clearC1();
  setEmpty(st(i));
}

/** Undocumented: FFREE and a pop. */
export function ffreep(i: u32): void {
  ffree(i);
  fpuPop();
}

export function fincstp(): void {
  here();
  clearC1();
  store<u32>(FPU_TOP, (load<u32>(FPU_TOP) + 1) & 7);
}

export function fdecstp(): void {
  here();
  clearC1();
  store<u32>(FPU_TOP, (load<u32>(FPU_TOP) - 1) & 7);
}

export function fnop(): void {
  here();
}

// --- Constants: truncated mantissas, one up where RC says so (SDM vol. 1 8.3.8).

function constant(se: u32, m: u64, upNearest: bool): void {
  here();
  setFlags80(0);
  setResultSE(se);
  const rc = load<u32>(FPU_CONTROL) & ROUNDING;
  fpuPush(m + <u64>(rc == RC_UP || (rc == 0 && upNearest)));
}

export function fld1(): void {
  here();
  setFlags80(0);
  setResultSE(0x3fff);
  fpuPush(0x8000000000000000);
}

export function fldz(): void {
  here();
  setFlags80(0);
  setResultSE(0);
  fpuPush(0);
}

export function fldl2t(): void {
  constant(0x4000, 0xd49a784bcd1b8afe, false);
}

export function fldl2e(): void {
  constant(0x3fff, 0xb8aa3b295c17f0bb, true);
}

export function fldpi(): void {
  constant(0x4000, 0xc90fdaa22168c234, true);
}

export function fldlg2(): void {
  constant(0x3ffd, 0x9a209a84fbcff798, true);
}

export function fldln2(): void {
  constant(0x3ffe, 0xb17217f7d1cf79ab, true);
}
