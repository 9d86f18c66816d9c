// Moves that are more than a copy: parts of registers, and between register files. Leaves but for the last two.
import { mmx_wait } from './state';

export function movss(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 4, 1, 2, 3);
}
export function movsd(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 2, 1);
}
/** The low quadword, zero above. */
export function movq(b: v128): v128 {
  return i64x2.shuffle(b, i64x2.splat(0), 0, 2);
}
/** MOVHLPS: b's high half becomes a's low half. */
export function movhlps(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 3, 1);
}
/** MOVLHPS: b's low half becomes a's high half. */
export function movlhps(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 0, 2);
}

// MOVLPS, MOVHPS and their PD twins with memory.

export function movlps_load(a: v128, b: u64): v128 {
  return i64x2.replace_lane(a, 0, b);
}
export function movhps_load(a: v128, b: u64): v128 {
  return i64x2.replace_lane(a, 1, b);
}
export function low_quadword(a: v128): u64 {
  return i64x2.extract_lane(a, 0);
}
export function high_quadword(a: v128): u64 {
  return i64x2.extract_lane(a, 1);
}
export function low_doubleword(a: v128): i32 {
  return i32x4.extract_lane(a, 0);
}

// Between general, MMX and XMM registers.

export function movd_x(a: i32): v128 {
  return i32x4.replace_lane(i64x2.splat(0), 0, a);
}
export function movd_mm(a: i32): u64 {
  return <u64>(<u32>a);
}
export function movd_from_mm(a: u64): i32 {
  return <i32>a;
}
export function movq2dq(a: u64): v128 {
  mmx_wait();
  return i64x2.replace_lane(i64x2.splat(0), 0, a);
}
export function movdq2q(a: v128): u64 {
  mmx_wait();
  return i64x2.extract_lane(a, 0);
}
