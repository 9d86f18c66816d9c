// Bit tests and scans. Leaves, but for the memory forms by register (bit strings).
import { CF, ZF } from '../shared/flags';

export function bt_bits16(a: i32, b: i32, eflags: i32): i32 {
  return (eflags & ~CF) | ((a >>> (b & 15)) & 1);
}
export function bt_bits32(a: i32, b: i32, eflags: i32): i32 {
  return (eflags & ~CF) | ((a >>> (b & 31)) & 1);
}
export function bts16(a: i32, b: i32): i32 {
  return a | (1 << (b & 15));
}
export function bts32(a: i32, b: i32): i32 {
  return a | (1 << (b & 31));
}
export function btr16(a: i32, b: i32): i32 {
  return a & ~(1 << (b & 15));
}
export function btr32(a: i32, b: i32): i32 {
  return a & ~(1 << (b & 31));
}
export function btc16(a: i32, b: i32): i32 {
  return a ^ (1 << (b & 15));
}
export function btc32(a: i32, b: i32): i32 {
  return a ^ (1 << (b & 31));
}

/** A zero source leaves the destination as it was, as the processors do. */
export function bsf16(a: i32, b: i32): i32 {
  return b & 0xffff ? ctz(b) : a;
}
export function bsf32(a: i32, b: i32): i32 {
  return b ? ctz(b) : a;
}
export function bsr16(a: i32, b: i32): i32 {
  return b & 0xffff ? 31 - clz(b & 0xffff) : a;
}
export function bsr32(a: i32, b: i32): i32 {
  return b ? 31 - clz(b) : a;
}
export function bs_bits(b: i32, eflags: i32): i32 {
  return (eflags & ~ZF) | (i32(b == 0) << 6);
}
