// Packed integer arithmetic, comparison and logic on MMX registers (and the few SSE added to
// them). A u64 goes through both halves of a v128, so that wasm's own lanes do the work; only the
// low half comes back. Leaves.
// Tags, TOP and the exponents of written registers are the glue's business: state.ts.

// Sums and differences: wrapping, then saturating.

export function paddb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.add(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.add(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddd_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i32x4.add(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.sub(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.sub(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubd_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i32x4.sub(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddsb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.add_sat_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddsw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.add_sat_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddusb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.add_sat_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function paddusw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.add_sat_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubsb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.sub_sat_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubsw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.sub_sat_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubusb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.sub_sat_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function psubusw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.sub_sat_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
// Averages, minima, maxima.

export function pavgb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.avgr_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pavgw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.avgr_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pminub_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.min_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pmaxub_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.max_u(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pminsw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.min_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pmaxsw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.max_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
// Comparisons: all ones or all zeros.

export function pcmpeqb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.eq(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pcmpeqw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.eq(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pcmpeqd_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i32x4.eq(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pcmpgtb_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i8x16.gt_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pcmpgtw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.gt_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pcmpgtd_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i32x4.gt_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
// Products.

export function pmullw_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i16x8.mul(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pmaddwd_mm(a: u64, b: u64): u64 {
  return i64x2.extract_lane(i32x4.dot_i16x8_s(i64x2.splat(a), i64x2.splat(b)), 0);
}
export function pmulhw_mm(a: u64, b: u64): u64 {
  const products = i32x4.extmul_low_i16x8_s(i64x2.splat(a), i64x2.splat(b));
  return i64x2.extract_lane(i16x8.shuffle(products, products, 1, 3, 5, 7, 1, 3, 5, 7), 0);
}
export function pmulhuw_mm(a: u64, b: u64): u64 {
  const products = i32x4.extmul_low_i16x8_u(i64x2.splat(a), i64x2.splat(b));
  return i64x2.extract_lane(i16x8.shuffle(products, products, 1, 3, 5, 7, 1, 3, 5, 7), 0);
}
export function pmuludq_mm(a: u64, b: u64): u64 {
  return (a & 0xffffffff) * (b & 0xffffffff);
}
export function paddq_mm(a: u64, b: u64): u64 {
  return a + b;
}
export function psubq_mm(a: u64, b: u64): u64 {
  return a - b;
}

/** |a - b| of unsigned bytes, summed. */
export function psadbw_mm(a: u64, b: u64): u64 {
  const x = i64x2.splat(a);
  const y = i64x2.splat(b);
  const fours = i32x4.extadd_pairwise_i16x8_u(
    i16x8.extadd_pairwise_i8x16_u(i8x16.sub(i8x16.max_u(x, y), i8x16.min_u(x, y))),
  );
  return <u64>(i32x4.extract_lane(fours, 0) + i32x4.extract_lane(fours, 1));
}

// Logic.

export function pand_mm(a: u64, b: u64): u64 {
  return a & b;
}
export function pandn_mm(a: u64, b: u64): u64 {
  return ~a & b;
}
export function por_mm(a: u64, b: u64): u64 {
  return a | b;
}
export function pxor_mm(a: u64, b: u64): u64 {
  return a ^ b;
}

/** The sign bits of the bytes. */
export function pmovmskb_mm(a: u64): i32 {
  return i8x16.bitmask(i64x2.splat(a)) & 0xff;
}
