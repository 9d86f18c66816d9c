// MUL and DIV: the one-operand forms with a double-width accumulator. Leaves.
// Divisions have a guard: zero divisor, or a quotient that does not fit, is #DE.
import { CF, OF } from '../shared/flags';

// Results: 8 bits AX as i32, 16 bits DX:AX as i32, 32 bits EDX:EAX as i64.
export function mul8(a: i32, b: i32): i32 {
  return (a & 0xff) * (b & 0xff);
}
export function mul16(a: i32, b: i32): i32 {
  return (a & 0xffff) * (b & 0xffff);
}
export function mul32(a: i32, b: i32): i64 {
  return <i64>(<u64>(<u32>a) * <u64>(<u32>b));
}
export function mul_co8(r: i32): i32 {
  return select<i32>(CF | OF, 0, r >>> 8 != 0);
}
export function mul_co16(r: i32): i32 {
  return select<i32>(CF | OF, 0, r >>> 16 != 0);
}
export function mul_co32(r: i64): i32 {
  return select<i32>(CF | OF, 0, (<u64>r) >> 32 != 0);
}
export function imul1_8(a: i32, b: i32): i32 {
  return a * b;
}
export function imul1_16(a: i32, b: i32): i32 {
  return a * b;
}
export function imul1_32(a: i32, b: i32): i64 {
  return <i64>a * <i64>b;
}
export function imul1_co8(r: i32): i32 {
  return select<i32>(CF | OF, 0, r != <i32>(<i8>r));
}
export function imul1_co16(r: i32): i32 {
  return select<i32>(CF | OF, 0, r != <i32>(<i16>r));
}
export function imul1_co32(r: i64): i32 {
  return select<i32>(CF | OF, 0, r != <i64>(<i32>r));
}

// Dividend first. Results: remainder in the high half, quotient in the low.
export function div8_ok(n: i32, d: i32): i32 {
  return i32((n & 0xffff) >>> 8 < (d & 0xff));
}
export function div8(n: i32, d: i32): i32 {
  const dividend = n & 0xffff;
  const divisor = d & 0xff;
  return ((dividend % divisor) << 8) | (dividend / divisor);
}
export function div16_ok(n: i32, d: i32): i32 {
  return i32((<u32>n) >>> 16 < <u32>(d & 0xffff));
}
export function div16(n: i32, d: i32): i32 {
  const divisor: u32 = d & 0xffff;
  return <i32>(((<u32>n % divisor) << 16) | (<u32>n / divisor));
}
export function div32_ok(n: i64, d: i32): i32 {
  return i32(<u32>((<u64>n) >> 32) < <u32>d);
}
export function div32(n: i64, d: i32): i64 {
  const divisor = <u64>(<u32>d);
  const quotient = <u64>n / divisor;
  return <i64>(((<u64>n - quotient * divisor) << 32) | quotient);
}
// Signed: the quotient must fit. Division by -1 of the smallest number traps in wasm, so the guard
// works on magnitudes.
export function idiv8_ok(n: i32, d: i32): i32 {
  const dividend = <i32>(<i16>n);
  if (d == 0) return 0;
  const quotient = dividend / d;
  return i32(quotient == <i32>(<i8>quotient));
}
export function idiv8(n: i32, d: i32): i32 {
  const dividend = <i32>(<i16>n);
  return ((dividend % d) << 8) | ((dividend / d) & 0xff);
}
export function idiv16_ok(n: i32, d: i32): i32 {
  if (d == 0) return 0;
  const quotient = <i64>n / <i64>d;
  return i32(quotient == <i64>(<i16>quotient));
}
export function idiv16(n: i32, d: i32): i32 {
  return ((n % d) << 16) | ((n / d) & 0xffff);
}
export function idiv32_ok(n: i64, d: i32): i32 {
  if (d == 0) return 0;
  if (d == -1) return i32(n >= -0x7fffffff && n <= 0x80000000);
  const quotient = n / <i64>d;
  return i32(quotient == <i64>(<i32>quotient));
}
export function idiv32(n: i64, d: i32): i64 {
  const divisor = <i64>d;
  return ((n % divisor) << 32) | ((n / divisor) & 0xffffffff);
}

export function cmpxchg(a: i32, b: i32, acc: i32): i32 {
  return a == acc ? b : a;
}
