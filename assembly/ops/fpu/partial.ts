// Exact operations on the parts of a number: FRNDINT, FSCALE, FXTRACT, FPREM and FPREM1.
import { FPU_STATUS } from '../../shared/layout';
import { normalExponent, normalMantissa } from './arithmetic';
import { roundsUp, widenInteger } from './convert';
import {
  finish,
  get,
  here,
  isFull,
  fpuPush,
  pushIndefinite,
  report,
  setFull,
  setRegister,
  st,
  underflow,
  unmasked,
} from './stack';
import {
  addFlags80,
  classOf,
  DENORMAL,
  INFINITE,
  invalid,
  NAN,
  normalizePack,
  propagateNaN,
  quietNaN,
  resultSE,
  roundPack,
  setFlags80,
  setResultSE,
  ZERO,
} from './value';
import {
  BIAS,
  C0,
  C1,
  C2,
  C3,
  DE,
  IE,
  INDEFINITE,
  INDEFINITE_SE,
  PE,
  SF,
  TOP_BIT,
  ZE,
} from './words';

function roundInteger(m: u64, se: u32): u64 {
  const c = classOf(m, se);
  if (c >= NAN) return quietNaN(m, se);
  setResultSE(se);
  if (c == ZERO || c == INFINITE) return m;
  if (c == DENORMAL) addFlags80(DE);
  const sign = se & 0x8000;
  // Bits before the point.
  const whole = normalExponent(m, se) - (BIAS - 1);
  if (whole >= 64) return m;
  m = normalMantissa(m);
  let kept: u64 = 0;
  let rest: u64 = 1;
  if (whole == 0) rest = m;
  else if (whole > 0) {
    kept = m >> (64 - whole);
    rest = m << whole;
  }
  if (rest) {
    const up = roundsUp(sign, (kept & 1) != 0, rest);
    kept += <u64>up;
    addFlags80(up ? PE | C1 : PE);
  }
  return normalizePack(sign, BIAS + 63, kept, 0, 64);
}

export function frndint(): void {
  here();
  const p = st(0);
  if (isFull(p)) finish(p, roundInteger(get(p), resultSE));
  else underflow(p);
}

// --- FSCALE

/** a * 2^b, b rounded towards zero. */
function scale(am: u64, ase: u32, bm: u64, bse: u32): u64 {
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  if (ac >= NAN || bc >= NAN) return propagateNaN(am, ase, bm, bse);
  const sign = ase & 0x8000;
  const down = (bse & 0x8000) != 0;
  if (bc == INFINITE) {
    if (ac == (down ? INFINITE : ZERO)) return invalid();
    if (ac == DENORMAL) addFlags80(DE);
    setResultSE(down ? sign : sign | 0x7fff);
    return down ? 0 : TOP_BIT;
  }
  if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
  setResultSE(ase);
  if (ac == ZERO || ac == INFINITE) return am;
  let by: i32 = 0;
  const whole = normalExponent(bm, bse) - (BIAS - 1);
  if (bc != ZERO && whole > 0) {
    // More than any exponent can take and still come back.
    by = whole > 17 ? 0x20000 : <i32>(bm >> (64 - whole));
    if (down) by = -by;
  }
  return roundPack(sign, normalExponent(am, ase) + by, normalMantissa(am), 0, 64);
}

export function fscale(): void {
  here();
  const p = st(0);
  const q = st(1);
  if (!isFull(p) || !isFull(q)) {
    underflow(p);
    return;
  }
  const m = get(p);
  finish(p, scale(m, resultSE, load<u64>(q), load<u16>(q, 8)));
}

// --- FXTRACT: the exponent replaces ST(0), the significand is pushed.

export function fxtract(): void {
  here();
  const p = st(0);
  const above = st(7);
  if (!isFull(p) || isFull(above)) {
    report(isFull(p) ? IE | SF | C1 : IE | SF);
    if (unmasked(IE)) return;
    setRegister(p, INDEFINITE, INDEFINITE_SE);
    setFull(p);
    pushIndefinite();
    return;
  }
  const m = get(p);
  const se = resultSE;
  const c = classOf(m, se);
  let significand = m;
  let significandSE = se;
  let exponent = m;
  if (c >= NAN) {
    exponent = quietNaN(m, se);
    significand = exponent;
    significandSE = resultSE;
  } else if (c == INFINITE) setResultSE(0x7fff);
  else if (c == ZERO) {
    setFlags80(ZE);
    setResultSE(0xffff);
    exponent = TOP_BIT;
  } else {
    exponent = widenInteger(normalExponent(m, se) - BIAS);
    if (c == DENORMAL) setFlags80(DE);
    significand = normalMantissa(m);
    significandSE = (se & 0x8000) | BIAS;
  }
  if (!finish(p, exponent)) return;
  setFlags80(0);
  setResultSE(significandSE);
  fpuPush(significand);
}

// --- FPREM and FPREM1

/** C2 always, C0 and C3 where there is a quotient: what changes, and what it becomes. */
let changed: u32 = 0;
let conditions: u32 = 0;

/** The remainder of a by b, or a step towards it when more than 63 quotient bits are missing. */
function remainder(am: u64, ase: u32, bm: u64, bse: u32, nearest: bool): u64 {
  changed = C2;
  conditions = 0;
  const ac = classOf(am, ase);
  const bc = classOf(bm, bse);
  if (ac >= NAN || bc >= NAN) return propagateNaN(am, ase, bm, bse);
  if (ac == INFINITE || bc == ZERO) return invalid();
  if (ac == DENORMAL || bc == DENORMAL) addFlags80(DE);
  changed = C0 | C2 | C3;
  setResultSE(ase);
  if (ac == ZERO) return am;
  let sign = ase & 0x8000;
  const ae = normalExponent(am, ase);
  const x = normalMantissa(am);
  if (bc == INFINITE) return roundPack(sign, ae, x, 0, 64);
  let be = normalExponent(bm, bse);
  const y = normalMantissa(bm);
  let steps = ae - be;
  if (steps < 0) {
    if (nearest && steps == -1 && x > y) {
      conditions = C1;
      return normalizePack(sign ^ 0x8000, ae, (y << 1) - x, 0, 64);
    }
    return roundPack(sign, ae, x, 0, 64);
  }
  let partial = false;
  if (steps >= 64) {
    partial = true;
    // Between 32 and 63 bits at a time, so that the rest is a multiple of 32.
    const now = (steps & 31) | 32;
    be += steps - now;
    steps = now;
  }
  let q: u64 = 0;
  let r = x;
  if (r >= y) {
    r -= y;
    q = 1;
  }
  for (; steps > 0; steps--) {
    const carry = <i64>r < 0;
    r <<= 1;
    q <<= 1;
    if (carry || r >= y) {
      r -= y;
      q |= 1;
    }
  }
  if (partial) conditions = C2;
  else {
    if (nearest) {
      const twice = r << 1;
      if (<i64>r < 0 || twice > y || (twice == y && (q & 1) != 0)) {
        r = y - r;
        q++;
        sign ^= 0x8000;
      }
    }
    conditions = (q & 1 ? C1 : 0) | (q & 2 ? C3 : 0) | (q & 4 ? C0 : 0);
  }
  return normalizePack(r ? sign : ase & 0x8000, be, r, 0, 64);
}

function remainderToStack(nearest: bool): void {
  here();
  const p = st(0);
  const q = st(1);
  if (!isFull(p) || !isFull(q)) {
    store<u32>(FPU_STATUS, load<u32>(FPU_STATUS) & ~C2);
    underflow(p);
    return;
  }
  const m = get(p);
  const r = remainder(m, resultSE, load<u64>(q), load<u16>(q, 8), nearest);
  if (!finish(p, r)) {
    changed = C2;
    conditions = 0;
  }
  store<u32>(FPU_STATUS, (load<u32>(FPU_STATUS) & ~changed) | conditions);
}

export function fprem(): void {
  remainderToStack(false);
}

export function fprem1(): void {
  remainderToStack(true);
}
