// Arithmetic and logic: values, and the flags that no lazy kind covers. Leaves.
// 8- and 16-bit operands come sign-extended; the glue cuts results to size and sign-extends them.
import { AF, CF, OF } from '../shared/flags';

export function add(a: i32, b: i32): i32 {
  return a + b;
}
export function adc(a: i32, b: i32, cf: i32): i32 {
  return a + b + cf;
}
export function sub(a: i32, b: i32): i32 {
  return a - b;
}
export function sbb(a: i32, b: i32, cf: i32): i32 {
  return a - b - cf;
}
export function and(a: i32, b: i32): i32 {
  return a & b;
}
export function or(a: i32, b: i32): i32 {
  return a | b;
}
export function xor(a: i32, b: i32): i32 {
  return a ^ b;
}
export function inc(a: i32): i32 {
  return a + 1;
}
export function dec(a: i32): i32 {
  return a - 1;
}
export function not(a: i32): i32 {
  return ~a;
}
export function neg(a: i32): i32 {
  return -a;
}
/** INC leaves CF as it was. */
export function inc_co(a: i32, r: i32, cf: i32): i32 {
  return cf | ((a ^ r) & AF) | (((~a & r) >>> 31) << 11);
}
export function dec_co(a: i32, r: i32, cf: i32): i32 {
  return cf | ((a ^ r) & AF) | (((a & ~r) >>> 31) << 11);
}

// --- Multiplication: CF and OF say that the high half matters ----------------------------------

export function imul(a: i32, b: i32): i32 {
  return a * b;
}
export function imul_co16(a: i32, b: i32): i32 {
  const product = a * b;
  return select<i32>(CF | OF, 0, product != <i32>(<i16>product));
}
export function imul_co32(a: i32, b: i32): i32 {
  const product = <i64>a * <i64>b;
  return select<i32>(CF | OF, 0, product != <i64>(<i32>product));
}

// --- Moves that change --------------------------------------------------------------------------

export function zero_extend8(a: i32): i32 {
  return a & 0xff;
}
export function zero_extend16(a: i32): i32 {
  return a & 0xffff;
}
export function bswap32(a: i32): i32 {
  return bswap<u32>(a);
}
/** Undefined by the manual; the processors that were tried clear the register. */
export function bswap16(a: i32): i32 {
  return 0;
}
export function cbw(a: i32): i32 {
  return a;
}
export function sign32(a: i32): i32 {
  return a >> 31;
}
