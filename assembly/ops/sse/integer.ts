// Packed integer arithmetic, comparison and logic of SSE2 on whole XMM registers. Leaves.
// The MMX forms are in mmx.ts; shifts in shift.ts; packing and shuffling in shuffle.ts.

// Sums and differences: wrapping, then saturating.

export function paddb(a: v128, b: v128): v128 {
  return i8x16.add(a, b);
}
export function paddw(a: v128, b: v128): v128 {
  return i16x8.add(a, b);
}
export function paddd(a: v128, b: v128): v128 {
  return i32x4.add(a, b);
}
export function psubb(a: v128, b: v128): v128 {
  return i8x16.sub(a, b);
}
export function psubw(a: v128, b: v128): v128 {
  return i16x8.sub(a, b);
}
export function psubd(a: v128, b: v128): v128 {
  return i32x4.sub(a, b);
}
export function paddsb(a: v128, b: v128): v128 {
  return i8x16.add_sat_s(a, b);
}
export function paddsw(a: v128, b: v128): v128 {
  return i16x8.add_sat_s(a, b);
}
export function paddusb(a: v128, b: v128): v128 {
  return i8x16.add_sat_u(a, b);
}
export function paddusw(a: v128, b: v128): v128 {
  return i16x8.add_sat_u(a, b);
}
export function psubsb(a: v128, b: v128): v128 {
  return i8x16.sub_sat_s(a, b);
}
export function psubsw(a: v128, b: v128): v128 {
  return i16x8.sub_sat_s(a, b);
}
export function psubusb(a: v128, b: v128): v128 {
  return i8x16.sub_sat_u(a, b);
}
export function psubusw(a: v128, b: v128): v128 {
  return i16x8.sub_sat_u(a, b);
}
// Averages, minima, maxima.

export function pavgb(a: v128, b: v128): v128 {
  return i8x16.avgr_u(a, b);
}
export function pavgw(a: v128, b: v128): v128 {
  return i16x8.avgr_u(a, b);
}
export function pminub(a: v128, b: v128): v128 {
  return i8x16.min_u(a, b);
}
export function pmaxub(a: v128, b: v128): v128 {
  return i8x16.max_u(a, b);
}
export function pminsw(a: v128, b: v128): v128 {
  return i16x8.min_s(a, b);
}
export function pmaxsw(a: v128, b: v128): v128 {
  return i16x8.max_s(a, b);
}
// Comparisons: all ones or all zeros.

export function pcmpeqb(a: v128, b: v128): v128 {
  return i8x16.eq(a, b);
}
export function pcmpeqw(a: v128, b: v128): v128 {
  return i16x8.eq(a, b);
}
export function pcmpeqd(a: v128, b: v128): v128 {
  return i32x4.eq(a, b);
}
export function pcmpgtb(a: v128, b: v128): v128 {
  return i8x16.gt_s(a, b);
}
export function pcmpgtw(a: v128, b: v128): v128 {
  return i16x8.gt_s(a, b);
}
export function pcmpgtd(a: v128, b: v128): v128 {
  return i32x4.gt_s(a, b);
}
// Products.

export function pmullw(a: v128, b: v128): v128 {
  return i16x8.mul(a, b);
}
export function pmaddwd(a: v128, b: v128): v128 {
  return i32x4.dot_i16x8_s(a, b);
}
export function pmulhw(a: v128, b: v128): v128 {
  return i16x8.shuffle(
    i32x4.extmul_low_i16x8_s(a, b),
    i32x4.extmul_high_i16x8_s(a, b),
    1,
    3,
    5,
    7,
    9,
    11,
    13,
    15,
  );
}
export function pmulhuw(a: v128, b: v128): v128 {
  return i16x8.shuffle(
    i32x4.extmul_low_i16x8_u(a, b),
    i32x4.extmul_high_i16x8_u(a, b),
    1,
    3,
    5,
    7,
    9,
    11,
    13,
    15,
  );
}
/** The even doublewords, unsigned. */
export function pmuludq(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_u(i32x4.shuffle(a, a, 0, 2, 0, 2), i32x4.shuffle(b, b, 0, 2, 0, 2));
}
export function paddq(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}
export function psubq(a: v128, b: v128): v128 {
  return i64x2.sub(a, b);
}

/** |a - b| of unsigned bytes summed over each half. */
export function psadbw(a: v128, b: v128): v128 {
  const fours = i32x4.extadd_pairwise_i16x8_u(
    i16x8.extadd_pairwise_i8x16_u(i8x16.sub(i8x16.max_u(a, b), i8x16.min_u(a, b))),
  );
  return i64x2.add(i64x2.shr_u(fours, 32), v128.and(fours, i64x2.splat(0xffffffff)));
}

// Logic. ANDPS, ANDPD and PAND are one operation, and so the others.

export function pand(a: v128, b: v128): v128 {
  return v128.and(a, b);
}
export function pandn(a: v128, b: v128): v128 {
  return v128.andnot(b, a);
}
export function por(a: v128, b: v128): v128 {
  return v128.or(a, b);
}
export function pxor(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

// Masks of sign bits.

export function pmovmskb(a: v128): i32 {
  return i8x16.bitmask(a);
}
export function movmskps(a: v128): i32 {
  return i32x4.bitmask(a);
}
export function movmskpd(a: v128): i32 {
  return i64x2.bitmask(a);
}
