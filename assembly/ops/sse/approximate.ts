// RCP and RSQRT: the approximations with a relative error of at most 1.5 * 2^-12 that the manual
// promises and leaves open otherwise. As processors do: eleven bits of the operand choose an
// interval (ten and the exponent's parity for the root), the value in its middle is computed and
// rounded to thirteen bits; 1.0 gives 0.99975586 as on hardware. No exceptions, no rounding
// control; denormal operands are zeros and tiny results too, whatever MXCSR says.

const QUIET_BIT: u32 = 0x400000;
const INFINITY_BITS: u32 = 0x7f800000;
const LEAST_NORMAL: u32 = 0x00800000;
const SIGN_BIT: u32 = 0x80000000;

function shorten(x: f64): u32 {
  return (reinterpret<u32>(<f32>x) + 0x400) & ~0x7ff;
}

function reciprocal(x: u32): u32 {
  const magnitude = x & ~SIGN_BIT;
  const sign = x & SIGN_BIT;
  if (magnitude > INFINITY_BITS) return x | QUIET_BIT;
  if (magnitude == INFINITY_BITS) return sign;
  if (magnitude < LEAST_NORMAL) return sign | INFINITY_BITS;
  const r = shorten(1.0 / <f64>reinterpret<f32>((magnitude & ~0xfff) | 0x800));
  return r < LEAST_NORMAL ? sign : sign | r;
}

function reciprocalRoot(x: u32): u32 {
  const magnitude = x & ~SIGN_BIT;
  if (magnitude > INFINITY_BITS) return x | QUIET_BIT;
  if (magnitude < LEAST_NORMAL) return (x & SIGN_BIT) | INFINITY_BITS;
  if (x & SIGN_BIT) return 0xffc00000;
  if (magnitude == INFINITY_BITS) return 0;
  return shorten(1.0 / sqrt<f64>(<f64>reinterpret<f32>((magnitude & ~0x1fff) | 0x1000)));
}

export function rcpps(b: v128): v128 {
  let r = i32x4.splat(reciprocal(i32x4.extract_lane(b, 0)));
  r = i32x4.replace_lane(r, 1, reciprocal(i32x4.extract_lane(b, 1)));
  r = i32x4.replace_lane(r, 2, reciprocal(i32x4.extract_lane(b, 2)));
  return i32x4.replace_lane(r, 3, reciprocal(i32x4.extract_lane(b, 3)));
}
export function rcpss(a: v128, b: v128): v128 {
  return i32x4.replace_lane(a, 0, reciprocal(i32x4.extract_lane(b, 0)));
}
export function rsqrtps(b: v128): v128 {
  let r = i32x4.splat(reciprocalRoot(i32x4.extract_lane(b, 0)));
  r = i32x4.replace_lane(r, 1, reciprocalRoot(i32x4.extract_lane(b, 1)));
  r = i32x4.replace_lane(r, 2, reciprocalRoot(i32x4.extract_lane(b, 2)));
  return i32x4.replace_lane(r, 3, reciprocalRoot(i32x4.extract_lane(b, 3)));
}
export function rsqrtss(a: v128, b: v128): v128 {
  return i32x4.replace_lane(a, 0, reciprocalRoot(i32x4.extract_lane(b, 0)));
}
