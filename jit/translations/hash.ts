/**
 * A hash of 64 bits, as two words: of guest code, of the core, of files. Each word by itself is
 * different if one stretch of four bytes is. Nobody is kept from making two texts of one hash.
 */

export type Hash = readonly [number, number];

/** Of bytes[start, end). */
export function hashOf(bytes: Uint8Array, start = 0, end = bytes.length): Hash {
  let a = 0x9747b28c ^ (end - start);
  let b = 0x3c6ef372 + (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    b = (Math.imul((b << 13) | (b >>> 19), 5) + word) | 0;
    b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ bytes[at]!, 0x85ebca6b);
    a ^= a >>> 15;
    b = (Math.imul((b << 13) | (b >>> 19), 5) + bytes[at]!) | 0;
    b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
  }
  return [a >>> 0, b >>> 0];
}

const straddling = new Uint8Array(16);

/** Of guest code that lies on two pages: the first page's bytes are [start, end), `rest` follow at `next`. */
export function hashOfTwo(
  bytes: Uint8Array,
  start: number,
  end: number,
  next: number,
  rest: number,
): Hash {
  for (let i = start; i < end; i++) straddling[i - start] = bytes[i]!;
  for (let i = 0; i < rest; i++) straddling[end - start + i] = bytes[next + i]!;
  return hashOf(straddling, 0, end - start + rest);
}

export function sameHash(a: Hash, b: Hash): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
