// Packing, unpacking, shuffling, and single words in and out. Leaves.
// An immediate that chooses lanes becomes the index vector of a swizzle: multiplying it by powers
// of two brings its two-bit fields to the same place of each lane.

// --- Packing: lanes narrowed with saturation, a's below b's --------------------------------------

export function packsswb(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_s(a, b);
}
export function packuswb(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(a, b);
}
export function packssdw(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_s(a, b);
}
export function packsswb_mm(a: u64, b: u64): u64 {
  const both = i64x2.replace_lane(i64x2.splat(a), 1, b);
  return i64x2.extract_lane(i8x16.narrow_i16x8_s(both, both), 0);
}
export function packuswb_mm(a: u64, b: u64): u64 {
  const both = i64x2.replace_lane(i64x2.splat(a), 1, b);
  return i64x2.extract_lane(i8x16.narrow_i16x8_u(both, both), 0);
}
export function packssdw_mm(a: u64, b: u64): u64 {
  const both = i64x2.replace_lane(i64x2.splat(a), 1, b);
  return i64x2.extract_lane(i16x8.narrow_i32x4_s(both, both), 0);
}

// --- Unpacking: lanes of the low or high half, a's and b's in turn --------------------------------

// prettier-ignore
export function punpcklbw(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
// prettier-ignore
export function punpckhbw(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
export function punpcklwd(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
export function punpckhwd(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
export function punpckldq(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 4, 1, 5);
}
export function punpckhdq(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 2, 6, 3, 7);
}
export function punpcklqdq(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 0, 2);
}
export function punpckhqdq(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 1, 3);
}

// prettier-ignore
export function punpcklbw_mm(a: u64, b: u64): u64 {
  const mixed = i8x16.shuffle(
    i64x2.splat(a), i64x2.splat(b), 0, 16, 1, 17, 2, 18, 3, 19, 0, 16, 1, 17, 2, 18, 3, 19,
  );
  return i64x2.extract_lane(mixed, 0);
}
// prettier-ignore
export function punpckhbw_mm(a: u64, b: u64): u64 {
  const mixed = i8x16.shuffle(
    i64x2.splat(a), i64x2.splat(b), 4, 20, 5, 21, 6, 22, 7, 23, 4, 20, 5, 21, 6, 22, 7, 23,
  );
  return i64x2.extract_lane(mixed, 0);
}
export function punpcklwd_mm(a: u64, b: u64): u64 {
  const mixed = i16x8.shuffle(i64x2.splat(a), i64x2.splat(b), 0, 8, 1, 9, 0, 8, 1, 9);
  return i64x2.extract_lane(mixed, 0);
}
export function punpckhwd_mm(a: u64, b: u64): u64 {
  const mixed = i16x8.shuffle(i64x2.splat(a), i64x2.splat(b), 2, 10, 3, 11, 2, 10, 3, 11);
  return i64x2.extract_lane(mixed, 0);
}
export function punpckldq_mm(a: u64, b: u64): u64 {
  return (a & 0xffffffff) | (b << 32);
}
export function punpckhdq_mm(a: u64, b: u64): u64 {
  return (a >> 32) | (b & 0xffffffff00000000);
}

// The low unpacks read 32 bits of memory, not 64.

// prettier-ignore
export function punpcklbw_m32(a: u64, b: i32): u64 {
  const mixed = i8x16.shuffle(
    i64x2.splat(a), i32x4.splat(b), 0, 16, 1, 17, 2, 18, 3, 19, 0, 16, 1, 17, 2, 18, 3, 19,
  );
  return i64x2.extract_lane(mixed, 0);
}
export function punpcklwd_m32(a: u64, b: i32): u64 {
  const mixed = i16x8.shuffle(i64x2.splat(a), i32x4.splat(b), 0, 8, 1, 9, 0, 8, 1, 9);
  return i64x2.extract_lane(mixed, 0);
}
export function punpckldq_m32(a: u64, b: i32): u64 {
  return (a & 0xffffffff) | ((<u64>b) << 32);
}

// --- Shuffling by an immediate -------------------------------------------------------------------

export function pshufd(a: v128, imm: i32): v128 {
  const spread = i32x4.mul(i32x4.splat(imm), i32x4(64, 16, 4, 1));
  const lane = v128.and(i32x4.shr_u(spread, 6), i32x4.splat(3));
  const bytes = i32x4.add(i32x4.mul(lane, i32x4.splat(0x04040404)), i32x4.splat(0x03020100));
  return i8x16.swizzle(a, bytes);
}
export function pshuflw(a: v128, imm: i32): v128 {
  const spread = i16x8.mul(i16x8.splat(<i16>imm), i16x8(64, 16, 4, 1, 0, 0, 0, 0));
  const field = v128.and(i16x8.shr_u(spread, 6), i16x8.splat(3));
  const lane = i16x8.add(field, i16x8(0, 0, 0, 0, 4, 5, 6, 7));
  const bytes = i16x8.add(i16x8.mul(lane, i16x8.splat(0x0202)), i16x8.splat(0x0100));
  return i8x16.swizzle(a, bytes);
}
export function pshufhw(a: v128, imm: i32): v128 {
  const spread = i16x8.mul(i16x8.splat(<i16>imm), i16x8(0, 0, 0, 0, 64, 16, 4, 1));
  const field = v128.and(i16x8.shr_u(spread, 6), i16x8.splat(3));
  const lane = i16x8.add(field, i16x8(0, 1, 2, 3, 4, 4, 4, 4));
  const bytes = i16x8.add(i16x8.mul(lane, i16x8.splat(0x0202)), i16x8.splat(0x0100));
  return i8x16.swizzle(a, bytes);
}
export function pshufw_mm(a: u64, imm: i32): u64 {
  const spread = i16x8.mul(i16x8.splat(<i16>imm), i16x8(64, 16, 4, 1, 0, 0, 0, 0));
  const lane = v128.and(i16x8.shr_u(spread, 6), i16x8.splat(3));
  const bytes = i16x8.add(i16x8.mul(lane, i16x8.splat(0x0202)), i16x8.splat(0x0100));
  return i64x2.extract_lane(i8x16.swizzle(i64x2.splat(a), bytes), 0);
}
/** Two lanes of a, then two of b. */
export function shufps(a: v128, b: v128, imm: i32): v128 {
  const spread = i32x4.mul(i32x4.splat(imm), i32x4(64, 16, 4, 1));
  const lane = v128.and(i32x4.shr_u(spread, 6), i32x4.splat(3));
  const bytes = i32x4.add(i32x4.mul(lane, i32x4.splat(0x04040404)), i32x4.splat(0x03020100));
  return i64x2.shuffle(i8x16.swizzle(a, bytes), i8x16.swizzle(b, bytes), 0, 3);
}
export function shufpd(a: v128, b: v128, imm: i32): v128 {
  const low = imm & 1 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0);
  const high = imm & 2 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0);
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

// --- One word ------------------------------------------------------------------------------------

export function pextrw(a: v128, imm: i32): i32 {
  const at = i16x8.splat(<i16>(((imm & 7) * 0x0202) | 0x0100));
  return i16x8.extract_lane_u(i8x16.swizzle(a, at), 0);
}
export function pinsrw(a: v128, b: i32, imm: i32): v128 {
  const there = i16x8.eq(i16x8.splat(<i16>(imm & 7)), i16x8(0, 1, 2, 3, 4, 5, 6, 7));
  return v128.bitselect(i16x8.splat(<i16>b), a, there);
}
export function pextrw_mm(a: u64, imm: i32): i32 {
  return (<i32>(a >> ((<u64>(imm & 3)) << 4))) & 0xffff;
}
export function pinsrw_mm(a: u64, b: i32, imm: i32): u64 {
  const shift = (<u64>(imm & 3)) << 4;
  return (a & ~((<u64>0xffff) << shift)) | ((<u64>(b & 0xffff)) << shift);
}
