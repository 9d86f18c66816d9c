// Packed shifts of MMX and SSE2. Leaves. wasm takes its shift counts modulo the lane's width, x86
// does not: a count of the width or more gives zeros, or signs for the arithmetic shifts. A count in
// a register or memory is all 64 bits of it; one in the instruction is a byte.

// --- By a register: count in the low quadword ----------------------------------------------------

export function psllw(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 15 ? i64x2.splat(0) : i16x8.shl(a, <i32>count);
}
export function pslld(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 31 ? i64x2.splat(0) : i32x4.shl(a, <i32>count);
}
export function psllq(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 63 ? i64x2.splat(0) : i64x2.shl(a, <i32>count);
}
export function psrlw(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 15 ? i64x2.splat(0) : i16x8.shr_u(a, <i32>count);
}
export function psrld(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 31 ? i64x2.splat(0) : i32x4.shr_u(a, <i32>count);
}
export function psrlq(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return count > 63 ? i64x2.splat(0) : i64x2.shr_u(a, <i32>count);
}
export function psraw(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return i16x8.shr_s(a, count > 15 ? 15 : <i32>count);
}
export function psrad(a: v128, b: v128): v128 {
  const count: u64 = i64x2.extract_lane(b, 0);
  return i32x4.shr_s(a, count > 31 ? 31 : <i32>count);
}
export function psllw_mm(a: u64, b: u64): u64 {
  if (b > 15) return 0;
  return i64x2.extract_lane(i16x8.shl(i64x2.splat(a), <i32>b), 0);
}
export function pslld_mm(a: u64, b: u64): u64 {
  if (b > 31) return 0;
  return i64x2.extract_lane(i32x4.shl(i64x2.splat(a), <i32>b), 0);
}
export function psllq_mm(a: u64, b: u64): u64 {
  return b > 63 ? 0 : a << (<u64>b);
}
export function psrlw_mm(a: u64, b: u64): u64 {
  if (b > 15) return 0;
  return i64x2.extract_lane(i16x8.shr_u(i64x2.splat(a), <i32>b), 0);
}
export function psrld_mm(a: u64, b: u64): u64 {
  if (b > 31) return 0;
  return i64x2.extract_lane(i32x4.shr_u(i64x2.splat(a), <i32>b), 0);
}
export function psrlq_mm(a: u64, b: u64): u64 {
  return b > 63 ? 0 : a >> (<u64>b);
}
export function psraw_mm(a: u64, b: u64): u64 {
  const count = b > 15 ? 15 : <i32>b;
  return i64x2.extract_lane(i16x8.shr_s(i64x2.splat(a), count), 0);
}
export function psrad_mm(a: u64, b: u64): u64 {
  const count = b > 31 ? 31 : <i32>b;
  return i64x2.extract_lane(i32x4.shr_s(i64x2.splat(a), count), 0);
}

// --- By an immediate ------------------------------------------------------------------------------

export function psllw_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 15 ? i64x2.splat(0) : i16x8.shl(a, <i32>count);
}
export function pslld_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 31 ? i64x2.splat(0) : i32x4.shl(a, <i32>count);
}
export function psllq_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 63 ? i64x2.splat(0) : i64x2.shl(a, <i32>count);
}
export function psrlw_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 15 ? i64x2.splat(0) : i16x8.shr_u(a, <i32>count);
}
export function psrld_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 31 ? i64x2.splat(0) : i32x4.shr_u(a, <i32>count);
}
export function psrlq_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return count > 63 ? i64x2.splat(0) : i64x2.shr_u(a, <i32>count);
}
export function psraw_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return i16x8.shr_s(a, count > 15 ? 15 : <i32>count);
}
export function psrad_imm(a: v128, imm: i32): v128 {
  const count: u32 = imm & 0xff;
  return i32x4.shr_s(a, count > 31 ? 31 : <i32>count);
}
export function psllw_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  if (count > 15) return 0;
  return i64x2.extract_lane(i16x8.shl(i64x2.splat(a), <i32>count), 0);
}
export function pslld_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  if (count > 31) return 0;
  return i64x2.extract_lane(i32x4.shl(i64x2.splat(a), <i32>count), 0);
}
export function psllq_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  return count > 63 ? 0 : a << (<u64>count);
}
export function psrlw_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  if (count > 15) return 0;
  return i64x2.extract_lane(i16x8.shr_u(i64x2.splat(a), <i32>count), 0);
}
export function psrld_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  if (count > 31) return 0;
  return i64x2.extract_lane(i32x4.shr_u(i64x2.splat(a), <i32>count), 0);
}
export function psrlq_mm_imm(a: u64, imm: i32): u64 {
  const count: u32 = imm & 0xff;
  return count > 63 ? 0 : a >> (<u64>count);
}
export function psraw_mm_imm(a: u64, imm: i32): u64 {
  const byte: u32 = imm & 0xff;
  const count = byte > 15 ? 15 : <i32>byte;
  return i64x2.extract_lane(i16x8.shr_s(i64x2.splat(a), count), 0);
}
export function psrad_mm_imm(a: u64, imm: i32): u64 {
  const byte: u32 = imm & 0xff;
  const count = byte > 31 ? 31 : <i32>byte;
  return i64x2.extract_lane(i32x4.shr_s(i64x2.splat(a), count), 0);
}

/** The whole register by bytes: positions from outside are out of swizzle's range, which gives 0. */
export function pslldq(a: v128, imm: i32): v128 {
  const bytes = min<u32>(imm & 0xff, 16);
  const identity = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return i8x16.swizzle(a, i8x16.sub(identity, i8x16.splat(<i8>bytes)));
}
export function psrldq(a: v128, imm: i32): v128 {
  const bytes = min<u32>(imm & 0xff, 16);
  const identity = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return i8x16.swizzle(a, i8x16.add(identity, i8x16.splat(<i8>bytes)));
}
