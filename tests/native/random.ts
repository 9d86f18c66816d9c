/** The random numbers of the generated tests: seeded, and leaning towards values where things break. */

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** The stream is fixed by the seed and the label, so that one program can be made alone. */
  constructor(seed: number, label = '') {
    let h = 0x811c9dc5 ^ seed;
    for (const ch of label) h = Math.imul(h ^ ch.charCodeAt(0), 0x01000193);
    const next = () => {
      h = (h + 0x9e3779b9) | 0;
      let t = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
      t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
      return t ^ (t >>> 15);
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next() | 1;
  }

  /** 32 random bits, unsigned (the sfc32 generator). */
  bits(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    return t >>> 0;
  }

  /** 0 to n - 1. */
  int(n: number): number {
    return Math.floor((this.bits() / 0x100000000) * n);
  }

  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  chance(p: number): boolean {
    return this.bits() < p * 0x100000000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)];
  }

  /** An integer of so many bits, unsigned: half of them near a place where carries and signs change. */
  edge(bits: number): number {
    const mask = bits === 32 ? 0xffffffff : (1 << bits) - 1;
    let value: number;
    switch (this.int(8)) {
      case 0:
        value = this.pick([0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff]);
        break;
      case 1:
        value = this.pick([0xffffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0x80000001]);
        break;
      case 2:
        value = 1 << this.int(bits);
        break;
      case 3:
        value = (1 << this.int(bits)) - 1;
        break;
      case 4:
        value = -(1 << this.int(bits));
        break;
      case 5:
        value = this.bits() >>> this.int(32);
        break;
      default:
        value = this.bits();
    }
    return (value & mask) >>> 0;
  }

  bytes(n: number): number[] {
    return Array.from({ length: n }, () => this.int(256));
  }
}

/** Little-endian bytes of an integer. */
export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);
}

function little64(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function bits64(r: Random): bigint {
  return (BigInt(r.bits()) << 32n) | BigInt(r.bits());
}

/** A mantissa field of so many bits: random, sparse, all ones, nearly a tie. */
function mantissa(r: Random, bits: number): bigint {
  const mask = (1n << BigInt(bits)) - 1n;
  switch (r.int(7)) {
    case 0:
      return 0n;
    case 1:
      return mask;
    case 2:
      return 1n << BigInt(r.int(bits));
    case 3:
      return mask ^ ((1n << BigInt(r.int(bits))) - 1n);
    case 4:
      return (bits64(r) << BigInt(r.int(bits))) & mask;
    default:
      return bits64(r) & mask;
  }
}

/** Bytes of a float with the given exponent and fraction widths: all classes, ordinary ones most often. */
function ieee(r: Random, exponentBits: number, fractionBits: number): bigint {
  const top = (1 << exponentBits) - 1;
  const bias = top >> 1;
  let exponent: number;
  let fraction = mantissa(r, fractionBits);
  switch (r.int(14)) {
    case 0: // zero
      exponent = 0;
      fraction = 0n;
      break;
    case 1: // denormal
      exponent = 0;
      break;
    case 2: // infinity or NaN
      exponent = top;
      if (r.chance(0.4)) fraction = 0n;
      break;
    case 3: // smallest or largest normal numbers
      exponent = r.pick([1, 2, 3, top - 1, top - 2]);
      break;
    case 4:
      exponent = r.int(top + 1);
      break;
    case 5: // small integers, and what becomes large ones
      return encodeInteger(r, exponentBits, fractionBits, bias);
    default:
      exponent = bias + r.between(-6, 6);
      if (r.chance(0.2)) exponent = bias + r.between(-70, 70);
  }
  const sign = BigInt(r.int(2));
  exponent = Math.max(0, Math.min(top, exponent));
  return (((sign << BigInt(exponentBits)) | BigInt(exponent)) << BigInt(fractionBits)) | fraction;
}

function encodeInteger(
  r: Random,
  exponentBits: number,
  fractionBits: number,
  bias: number,
): bigint {
  const value = BigInt(r.pick([1, 2, 3, 5, 10, 127, 128, 255, 32767, 32768, 65535, 0x7fffffff]));
  const length = value.toString(2).length;
  const sign = BigInt(r.int(2));
  let fraction = (value << BigInt(64 - length)) & ((1n << 63n) - 1n);
  fraction = fractionBits > 63 ? fraction : fraction >> BigInt(63 - fractionBits);
  return (
    (((sign << BigInt(exponentBits)) | BigInt(bias + length - 1)) << BigInt(fractionBits)) |
    fraction
  );
}

export function float32(r: Random): number[] {
  return little64(ieee(r, 8, 23)).slice(0, 4);
}

export function float64(r: Random): number[] {
  return little64(ieee(r, 11, 52));
}

/** An 80-bit x87 number, with the encodings that only memory can hold: pseudo-denormals, unnormals... */
export function float80(r: Random): number[] {
  let image = ieee(r, 15, 63);
  const fraction = image & ((1n << 63n) - 1n);
  const head = image >> 63n;
  const exponent = head & 0x7fffn;
  let integer = exponent === 0n ? 0n : 1n;
  if (r.chance(0.04)) integer ^= 1n;
  image = (head << 64n) | (integer << 63n) | fraction;
  return [...little64(image & 0xffffffffffffffffn), ...little(Number(head), 2)];
}

/** A packed decimal of 18 digits; the digits beyond nine are undefined by the manual and left out. */
export function packedDecimal(r: Random): number[] {
  const digits = r.int(19);
  const bytes = Array.from({ length: 9 }, (_, i) => {
    const low = 2 * i < digits ? r.int(10) : 0;
    const high = 2 * i + 1 < digits ? r.int(10) : 0;
    return low | (high << 4);
  });
  return [...bytes, r.chance(0.5) ? 0x80 : 0];
}

/** Two's-complement integers as x87 loads them, of 2, 4 or 8 bytes. */
export function integer(r: Random, bytes: number): number[] {
  if (bytes < 8) return little(r.edge(8 * bytes), bytes);
  const low = little(r.edge(32), 4);
  return [...low, ...little(r.chance(0.4) ? (low[3] & 0x80 ? -1 : 0) : r.edge(32), 4)];
}
