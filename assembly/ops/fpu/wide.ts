// 128-bit pieces: the high half is returned, the low half left in `low`.

export let low: u64 = 0;

/** a * b. */
export function multiply(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const mid = ah * bl + ((al * bl) >> 32);
  const mid2 = al * bh + (mid & 0xffffffff);
  low = a * b;
  return ah * bh + (mid >> 32) + (mid2 >> 32);
}

/** (hi, lo) / d, for hi < d and the top bit of d set; the quotient is returned, `low` = remainder. */
export function divide(hi: u64, lo: u64, d: u64): u64 {
  const dh = d >> 32;
  const dl = d & 0xffffffff;
  let q = hi / dh;
  let r = hi - q * dh;
  let next = lo >> 32;
  while (q >> 32 || q * dl > ((r << 32) | next)) {
    q--;
    r += dh;
    if (r >> 32) break;
  }
  hi = ((hi << 32) | next) - q * d;
  let q2 = hi / dh;
  r = hi - q2 * dh;
  next = lo & 0xffffffff;
  while (q2 >> 32 || q2 * dl > ((r << 32) | next)) {
    q2--;
    r += dh;
    if (r >> 32) break;
  }
  low = ((hi << 32) | next) - q2 * d;
  return (q << 32) | q2;
}

/** (hi, lo) << n for n below 128. */
export function shiftLeft(hi: u64, lo: u64, n: i32): u64 {
  if (n >= 64) {
    low = 0;
    return lo << (n - 64);
  }
  low = lo << n;
  return (hi << n) | ((lo >> 1) >> (63 - n));
}

/** (hi, lo) >> n with what falls out ORed into bit 0 of the low half; any n from 0. */
export function shiftRightSticky(hi: u64, lo: u64, n: i32): u64 {
  if (n >= 128) {
    low = <u64>((hi | lo) != 0);
    return 0;
  }
  if (n >= 64) {
    n -= 64;
    low = (hi >> n) | (<u64>((lo | ((hi << 1) << (63 - n))) != 0));
    return 0;
  }
  low = (lo >> n) | ((hi << 1) << (63 - n)) | (<u64>((lo << 1) << (63 - n) != 0));
  return hi >> n;
}

/** The high 128 bits of (ah, al) * (bh, bl), a unit or two too small. */
export function multiplyHigh(ah: u64, al: u64, bh: u64, bl: u64): u64 {
  const one = multiply(ah, bl);
  const other = multiply(al, bh);
  const hi = multiply(ah, bh);
  const lo = low + one;
  const sum = lo + other;
  low = sum;
  return hi + <u64>(lo < one) + <u64>(sum < lo);
}

/** (nh, nl) / (dh, dl) as a fraction of 128 bits, for n < d and the top bit of d set; a few units off. */
export function divideFraction(nh: u64, nl: u64, dh: u64, dl: u64): u64 {
  // Two digits of 64 bits; each estimate from the divisor's high half is at most two too large.
  const q = digit(nh, nl, 0, dh, dl);
  const q2 = digit(restHigh, restLow, 0, dh, dl);
  low = q2;
  return q;
}

let restHigh: u64 = 0;
let restLow: u64 = 0;

/** One base 2^64 digit of (n2, n1, n0) / (dh, dl), n2:n1 < d; the remainder in restHigh, restLow. */
function digit(n2: u64, n1: u64, n0: u64, dh: u64, dl: u64): u64 {
  let q: u64;
  let r: u64;
  let over = false;
  if (n2 >= dh) {
    q = ~(<u64>0);
    r = n1 + dh;
    over = r < dh;
  } else {
    q = divide(n2, n1, dh);
    r = low;
  }
  // q is right when q * dl <= r : n0.
  let top = multiply(q, dl);
  while (!over && (top > r || (top == r && low > n0))) {
    q--;
    r += dh;
    over = r < dh;
    top = multiply(q, dl);
  }
  restLow = n0 - low;
  restHigh = r - top - <u64>(n0 < low);
  return q;
}
