/** Operands and MXCSR values for the kernels, leaning towards where floating point breaks. */
import type { Random } from '../native/random.ts';
import { AT, IN_MXCSR, IN_USE_MMX } from './driver.ts';
import { IN_SIZE } from './native.ts';

/** A float of the format as an integer; exponents near `center` (biased) unless special. */
function float(random: Random, exponentBits: number, fractionBits: number, center: number): bigint {
  const sign = BigInt(random.int(2)) << BigInt(exponentBits + fractionBits);
  const top = (1 << exponentBits) - 1;
  const fraction = someFraction(random, fractionBits);
  let exponent: number;
  switch (random.int(12)) {
    case 0:
      return sign; // zero
    case 1:
      return sign | (BigInt(top) << BigInt(fractionBits)); // infinity
    case 2: // NaN, quiet or not
      return sign | (BigInt(top) << BigInt(fractionBits)) | fraction;
    case 3: // denormal, or zero
      return sign | (random.chance(0.5) ? fraction : fraction >> BigInt(random.int(fractionBits)));
    case 4:
      exponent = random.pick([1, 2, 3, top - 1, top - 2]);
      break;
    case 5:
      exponent = random.between(1, top - 1);
      break;
    case 6: // where single precision ends, seen from double; where integers end
      exponent = exponentBits === 11 ? random.pick([873, 874, 896, 897, 1150, 1151]) : 158;
      break;
    case 7:
      exponent = (top >> 1) + random.between(15, 34);
      break;
    default:
      exponent = center + random.between(-3, 3);
  }
  return (
    sign | (BigInt(Math.min(Math.max(exponent, 1), top - 1)) << BigInt(fractionBits)) | fraction
  );
}

/** All bits random, a few leading ones only (exact results, ties), runs of ones, nearly nothing. */
function someFraction(random: Random, bits: number): bigint {
  const mask = (1n << BigInt(bits)) - 1n;
  const any = ((BigInt(random.bits()) << 32n) | BigInt(random.bits())) & mask;
  switch (random.int(6)) {
    case 0:
      return 0n;
    case 1:
      return mask ^ (any & BigInt(random.int(4)));
    case 2:
      return BigInt(random.int(4));
    case 3:
      return any & ~(mask >> BigInt(random.int(bits)));
    default:
      return any;
  }
}

function write(
  view: DataView,
  at: number,
  bytes: number,
  random: Random,
  width: number,
  centers: number[],
): void {
  for (let k = 0; k < bytes; k += width) {
    if (width === 8) view.setBigUint64(at + k, float(random, 11, 52, centers[0]!), true);
    else view.setUint32(at + k, Number(float(random, 8, 23, centers[1]!)), true);
  }
}

function integers(view: DataView, at: number, bytes: number, random: Random): void {
  const width = random.pick([1, 2, 4]);
  for (let k = 0; k < bytes; k += width) {
    const value = random.edge(width * 8);
    if (width === 1) view.setUint8(at + k, value);
    else if (width === 2) view.setUint16(at + k, value, true);
    else view.setUint32(at + k, value, true);
  }
}

/** Two numbers near one whose product just fits in the format, or just does not. */
function fittingPair(view: DataView, random: Random, width: number): void {
  const [bits, bias] = width === 8 ? [52, 1023] : [23, 127];
  const first = random.int(bits);
  const second = Math.max(0, Math.min(bits - 1, bits - first + random.between(-2, 2)));
  const odd = (length: number) => {
    const any = (BigInt(random.bits()) << 32n) | BigInt(random.bits());
    return (any & ((1n << BigInt(length)) - 1n)) | 1n;
  };
  const store = (at: number, length: number) => {
    const fraction = length ? odd(length) << BigInt(bits - length) : 0n;
    const value = (BigInt(bias + random.between(-2, 2)) << BigInt(bits)) | fraction;
    for (let k = 0; k < 16; k += width) {
      if (width === 8) view.setBigUint64(at + k, value, true);
      else view.setUint32(at + k, Number(value), true);
    }
  };
  store(AT.xmm0, first);
  store(AT.xmm1, second);
  store(AT.memory, second);
}

export function someMxcsr(random: Random): number {
  let value = 0x1f80;
  if (random.chance(0.5)) value |= random.int(4) << 13;
  if (random.chance(0.25)) value |= 0x40;
  if (random.chance(0.25)) value |= 0x8000;
  if (random.chance(0.5)) value |= 0x20;
  if (random.chance(0.1)) value |= random.int(64);
  // Unmasked exceptions.
  if (random.chance(0.15)) value ^= random.int(64) << 7;
  return value;
}

/** Records for one instruction. `format`: 4 or 8 bytes a float, 0 integers. */
export function operands(
  random: Random,
  count: number,
  format: number,
  usesMmx: boolean,
): Uint8Array {
  const inputs = new Uint8Array(count * IN_SIZE);
  for (let i = 0; i < count; i++) {
    const view = new DataView(inputs.buffer, i * IN_SIZE, IN_SIZE);
    const centers = [random.between(1, 2046), random.between(1, 254)];
    if (random.chance(0.5)) {
      centers[0] = 1023;
      centers[1] = 127;
    }
    for (const [at, bytes] of [
      [AT.xmm0, 16],
      [AT.xmm1, 16],
      [AT.memory, 16],
      [AT.mm0, 8],
      [AT.mm1, 8],
    ] as const) {
      if (format && random.chance(0.95)) write(view, at, bytes, random, format, centers);
      else integers(view, at, bytes, random);
    }
    if (format && random.chance(0.25)) fittingPair(view, random, format);
    // Shift counts and the like: small numbers in the source.
    if (!format && random.chance(0.5)) {
      const small = BigInt(random.int(70));
      for (const at of [AT.xmm1, AT.memory, AT.mm1]) view.setBigUint64(at, small, true);
    }
    // MXCSR bit 17 is AMD's own (misaligned operands allowed).
    view.setUint8(AT.memory + 2, view.getUint8(AT.memory + 2) & ~2);
    view.setUint32(AT.eax, random.edge(32), true);
    view.setUint32(AT.ecx, random.edge(32), true);
    view.setUint32(IN_MXCSR, someMxcsr(random), true);
    view.setUint16(IN_USE_MMX, usesMmx ? 1 : 0, true);
  }
  return inputs;
}
