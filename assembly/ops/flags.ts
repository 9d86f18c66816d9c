// The six arithmetic flags out of their lazy form (the table in shared/flags.ts).
// flag functions with parameters (kind, r, a, b) are leaves: the translator splices them with the
// kind a constant where it knows it.
import {
  AF,
  ARITHMETIC,
  CF,
  DF,
  KIND_ADC,
  KIND_ADD,
  KIND_BITS,
  KIND_CO,
  KIND_SBB,
  KIND_SUB,
  OF,
  PF,
  SF,
  ZF,
} from '../shared/flags';
import { EFLAGS_SYSTEM, FLAG_A, FLAG_B, FLAG_KIND, FLAG_RESULT } from '../shared/layout';

// --- One kind, one flag -----------------------------------------------------------------------

export function cf_add(r: i32, a: i32, b: i32): i32 {
  return i32(<u32>r < <u32>a);
}
export function cf_adc(r: i32, a: i32, b: i32): i32 {
  return ((a & b) | ((a | b) & ~r)) >>> 31;
}
export function cf_sub(r: i32, a: i32, b: i32): i32 {
  return i32(<u32>a < <u32>b);
}
export function cf_sbb(r: i32, a: i32, b: i32): i32 {
  return ((~a & b) | (~(a ^ b) & r)) >>> 31;
}
export function of_add(r: i32, a: i32, b: i32): i32 {
  return ((a ^ r) & (b ^ r)) >>> 31;
}
export function of_sub(r: i32, a: i32, b: i32): i32 {
  return ((a ^ b) & (a ^ r)) >>> 31;
}
/** 1 when the low byte has an even number of ones. */
export function parity(r: i32): i32 {
  return ~popcnt(r & 0xff) & 1;
}

// --- Whatever the kind ------------------------------------------------------------------------

export function cf_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  if (kind == KIND_SUB) return i32(<u32>a < <u32>b);
  if (kind == KIND_ADD) return i32(<u32>r < <u32>a);
  if (kind == KIND_ADC) return ((a & b) | ((a | b) & ~r)) >>> 31;
  if (kind == KIND_SBB) return ((~a & b) | (~(a ^ b) & r)) >>> 31;
  return b & CF;
}
export function zf_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  return kind == KIND_BITS ? (b >>> 6) & 1 : i32(r == 0);
}
export function sf_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  return kind == KIND_BITS ? (b >>> 7) & 1 : r >>> 31;
}
export function pf_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  return kind == KIND_BITS ? (b >>> 2) & 1 : ~popcnt(r & 0xff) & 1;
}
export function of_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  if (kind == KIND_SUB || kind == KIND_SBB) return ((a ^ b) & (a ^ r)) >>> 31;
  if (kind == KIND_ADD || kind == KIND_ADC) return ((a ^ r) & (b ^ r)) >>> 31;
  return (b >>> 11) & 1;
}
export function lt_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  if (kind == KIND_SUB) return i32(a < b);
  if (kind == KIND_BITS) return ((b >>> 7) ^ (b >>> 11)) & 1;
  if (kind == KIND_CO) return (r >>> 31) ^ ((b >>> 11) & 1);
  return (r >>> 31) ^ of_any(kind, r, a, b);
}

// --- From the CPU's state ---------------------------------------------------------------------

export function carry(): i32 {
  return cf_any(load<i32>(FLAG_KIND), load<i32>(FLAG_RESULT), load<i32>(FLAG_A), load<i32>(FLAG_B));
}

/** All six flags at their EFLAGS places. */
export function flags_any(kind: i32, r: i32, a: i32, b: i32): i32 {
  if (kind == KIND_BITS) return b;
  const zsp = (i32(r == 0) << 6) | ((r >>> 24) & SF) | ((~popcnt(r & 0xff) & 1) << 2);
  if (kind == KIND_CO) return zsp | b;
  return zsp | cf_any(kind, r, a, b) | (of_any(kind, r, a, b) << 11) | ((a ^ b ^ r) & AF);
}

export function getFlags(): u32 {
  return flags_any(
    load<i32>(FLAG_KIND),
    load<i32>(FLAG_RESULT),
    load<i32>(FLAG_A),
    load<i32>(FLAG_B),
  );
}

export function setFlags(bits: u32): void {
  store<u32>(FLAG_KIND, KIND_BITS);
  store<u32>(FLAG_B, bits & ARITHMETIC);
}

/** CF and OF of a rotation, at their EFLAGS places; the others stay what they are. */
export function setRotated(cfOf: i32): void {
  const kind = load<i32>(FLAG_KIND);
  const b = load<i32>(FLAG_B);
  if (kind == KIND_BITS) {
    store<i32>(FLAG_B, (b & ~(CF | OF)) | cfOf);
    return;
  }
  const af = (kind == KIND_CO ? b : load<i32>(FLAG_A) ^ b ^ load<i32>(FLAG_RESULT)) & AF;
  store<i32>(FLAG_KIND, KIND_CO);
  store<i32>(FLAG_B, af | cfOf);
}

/** The whole of EFLAGS. */
export function getEflags(): u32 {
  return load<u32>(EFLAGS_SYSTEM) | getFlags();
}

/** Replaces all of EFLAGS; the caller has masked what may change, and updates the mode. */
export function setEflags(value: u32): void {
  setFlags(value);
  store<u32>(EFLAGS_SYSTEM, (value & ~ARITHMETIC & 0x3f7fd7) | 2);
}

/** Condition codes 0 to 15 as in Jcc (SDM vol. 2 appendix B table B-10). */
export function condition_any(cc: i32, kind: i32, r: i32, a: i32, b: i32): i32 {
  let value: i32;
  switch (cc >>> 1) {
    case 0:
      value = of_any(kind, r, a, b);
      break;
    case 1:
      value = cf_any(kind, r, a, b);
      break;
    case 2:
      value = zf_any(kind, r, a, b);
      break;
    case 3:
      value = cf_any(kind, r, a, b) | zf_any(kind, r, a, b);
      break;
    case 4:
      value = sf_any(kind, r, a, b);
      break;
    case 5:
      value = pf_any(kind, r, a, b);
      break;
    case 6:
      value = lt_any(kind, r, a, b);
      break;
    default:
      value = lt_any(kind, r, a, b) | zf_any(kind, r, a, b);
  }
  return value ^ (cc & 1);
}

export function condition(cc: i32): i32 {
  return condition_any(
    cc,
    load<i32>(FLAG_KIND),
    load<i32>(FLAG_RESULT),
    load<i32>(FLAG_A),
    load<i32>(FLAG_B),
  );
}

// --- Operations on flags ----------------------------------------------------------------------

export function cmc_bits(eflags: i32): i32 {
  return eflags ^ CF;
}
export function clc_bits(eflags: i32): i32 {
  return eflags & ~CF;
}
export function stc_bits(eflags: i32): i32 {
  return eflags | CF;
}
export function sahf_bits(ah: i32, eflags: i32): i32 {
  return (eflags & OF) | (ah & (SF | ZF | AF | PF | CF));
}
export function lahf(eflags: i32): i32 {
  return (eflags & (SF | ZF | AF | PF | CF)) | 2;
}
export function cld(): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) & ~DF);
}
export function std(): void {
  store<u32>(EFLAGS_SYSTEM, load<u32>(EFLAGS_SYSTEM) | DF);
}
