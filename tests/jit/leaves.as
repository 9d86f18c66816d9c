// Compiled by asc in splice.test.ts: functions of the shapes that operations of the core have.

export function add(a: i32, b: i32): i32 {
  return a + b;
}

export function first(a: i32, b: i32): i32 {
  return a;
}

export function second(a: i32, b: i32): i32 {
  return b;
}

export function reversed(a: i32, b: i32): i32 {
  return b - a;
}

export function twice(a: i32, b: i32): i32 {
  return (a - b) * (a ^ (b << 3));
}

export function adc(x: i32, y: i32, carry: i32): i32 {
  const sum = x + y + carry;
  return sum ^ ((x ^ y ^ sum) & 0x10) ^ (<i32>(<u32>sum < <u32>x) << 7);
}

/** An early return, and a loop. */
export function rcl(value: i32, count: i32, carry: i32): i32 {
  count &= 31;
  if (count === 0) return value;
  do {
    const out = value >>> 31;
    value = (value << 1) | carry;
    carry = out;
  } while (--count);
  return value;
}

export function classify(a: i32, b: i32): i32 {
  if (a < 0) return 1;
  for (let i = 0; i < 32; i++) {
    if ((a >> i) & 1) {
      if ((b >> i) & 1) return i * 3;
    } else if (i > (b & 31)) return -i;
  }
  return b;
}

export function select8(kind: i32, a: i32, b: i32): i32 {
  switch (kind & 7) {
    case 0:
      return a + b;
    case 1:
      return a - b;
    case 2:
      return a & b;
    case 3:
      return a | b;
    case 4:
      return a ^ b;
    case 5:
      return a << b;
    case 6:
      return a >>> b;
    default:
      return a;
  }
}

export function multiplyHigh(a: i64, b: i64): i64 {
  const a0 = a & 0xffffffff;
  const a1 = a >>> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >>> 32;
  const p = a0 * b0;
  const q = a1 * b0 + (p >>> 32);
  const r = (q & 0xffffffff) + a0 * b1;
  return a1 * b1 + (q >>> 32) + (r >>> 32);
}

export function widen(a: i32, b: i64): i64 {
  let total: i64 = 0;
  while (a) {
    total += b;
    b = (b << 1) ^ a;
    a = a & (a - 1);
  }
  return total;
}

export function mixed(a: f64, b: i32): f64 {
  let x = a;
  if (b & 1) x = -x;
  return x * 0.5 + <f64>b;
}

/** May fall to its end without a value ever written: the local starts at zero. */
export function zeroStart(n: i32): i32 {
  let found = 0;
  for (let i = 0; i < 8; i++) {
    if (n & (1 << i)) {
      found = found * 5 + i;
      n ^= 3 << i;
    }
  }
  return found;
}

export function fetch(address: i32): i32 {
  return load<i32>(address & 0xfffc) + load<u8>((address & 0xff) + 1024, 5);
}

export function storeAt(address: i32, value: i32): void {
  if (address < 0) return;
  store<i32>(address & 0xfffc, value);
  memory.fill(address & 0xfffc, <u8>value, 3);
}

export function packed(address: i32, n: i32): i32 {
  const a = v128.load(address & 0xfff0);
  const b = i32x4.splat(n);
  let s = i8x16.add_sat_u(a, b);
  if (n & 4) {
    s = v128.shuffle<u8>(s, a, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31);
    if (n & 8) return i8x16.bitmask(s);
  }
  return i32x4.extract_lane(v128.xor(s, i32x4.mul(a, b)), 2);
}

export function vector(address: i32, n: i32): v128 {
  const a = v128.load(address & 0xfff0);
  return n < 0 ? v128.not(a) : i64x2.shl(a, n);
}

export function traps(a: i32): i32 {
  if (a & 1) return a;
  return unreachable();
}

let state = 0;

export function global(a: i32): i32 {
  state += a;
  return state;
}

@inline
function helper(a: i32): i32 {
  return a * 3;
}

export function inlined(a: i32): i32 {
  return helper(a) + helper(a + 1);
}

export function recursive(a: i32): i32 {
  return a < 2 ? a : recursive(a - 1) + recursive(a - 2);
}

export function indirect(a: i32): i32 {
  return call_indirect<i32>(a, a);
}
