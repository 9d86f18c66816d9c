/** Random x87 states and operands, thick with the values where implementations go wrong. */
import { CASE, EFLAGS, IMAGE, MEMORY } from './native.ts';

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** A 32-bit number. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    // The multiplication hides xorshift's linearity from sums of its outputs.
    return Math.imul(x, 0x9e3779b1) >>> 0;
  }

  below(n: number): number {
    return Math.floor((this.next() / 4294967296) * n);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** How a batch of cases is chosen. */
export interface Style {
  /** Every control word, masks cleared and stack faults in; else the usual control word only. */
  wild: boolean;
  /** Exponents of random values: this far from 3FFF, or everywhere. */
  spread?: number;
}

const MANTISSAS = [
  [0, 0x80000000],
  [1, 0x80000000],
  [0xffffffff, 0xffffffff],
  [0xfffffffe, 0xffffffff],
  [0, 0xc0000000],
  [1, 0xc0000000],
  [0, 0],
  [1, 0],
  [0xffffffff, 0x7fffffff],
  [0, 0x40000000],
  [0xfffff800, 0xffffffff],
  [0x400, 0x80000000],
  [0xc00, 0x80000000],
  [0, 0xffffff00],
  [0, 0x80000080],
  [0, 0x80000180],
  [0xfffffbff, 0xffffffff],
  [0xfffffc00, 0xffffffff],
  [0xffffffff, 0xbfffffff],
  [0, 0xa0000000],
] as const;

// prettier-ignore
const EXPONENTS = [
  0, 1, 2, 0x7fff, 0x7ffe, 0x7ffd, 0x3fff, 0x3ffe, 0x4000, 0x3fbf, 0x3fc0, 0x403e, 0x403d, 0x403f, 0x401e, 0x401d,
  0x400e, 0x400d, 0x400f, 0x3c01, 0x3c00, 0x3bff, 0x3bcd, 0x3bcc, 0x43fe, 0x43ff, 0x3f81, 0x3f80, 0x3f6a, 0x3f69, 0x407e, 0x407f,
];

/** Writes one 80-bit value. */
export function writeReal(view: DataView, at: number, random: Random, style: Style): void {
  const kind = random.below(16);
  let low = random.next();
  let high = random.next() | 0x80000000;
  let exponent: number;
  if (style.spread !== undefined && kind < 14)
    exponent = 0x3fff - style.spread + random.below(2 * style.spread + 1);
  else if (kind < 4) exponent = random.next() & 0x7fff;
  else if (kind < 10) exponent = 0x3fff - 70 + random.below(140);
  else
    exponent =
      EXPONENTS[random.below(EXPONENTS.length)]! + (random.chance(20) ? random.below(5) - 2 : 0);
  const shape = random.below(16);
  if (shape < 3) [low, high] = MANTISSAS[random.below(MANTISSAS.length)]!;
  else if (shape < 5) {
    low = 0;
    if (random.chance(50)) high &= 0x80000000 | (random.next() & random.next() & random.next());
  } else if (shape < 6) low &= 0xfffff800;
  else if (shape < 7) {
    low = 0xffffffff << random.below(32);
    high = 0xffffffff;
  } else if (shape === 7 && kind >= 14) high = random.next();
  view.setUint32(at, low >>> 0, true);
  view.setUint32(at + 4, high >>> 0, true);
  view.setUint16(at + 8, (exponent & 0x7fff) | (random.next() & 0x8000), true);
}

const INTEGERS = [
  0n,
  1n,
  -1n,
  0x7fffn,
  -0x8000n,
  0x7fffffffn,
  -0x80000000n,
  1n << 62n,
  -(1n << 63n),
  (1n << 63n) - 1n,
];

/** Sixteen bytes that make sense as m32, m64, m80, integer or BCD, whichever the instruction takes. */
export function writeOperand(view: DataView, at: number, random: Random, style: Style): void {
  const kind = random.below(8);
  if (kind < 3) {
    writeReal(view, at, random, style);
    return;
  }
  for (let i = 0; i < 16; i += 4) view.setUint32(at + i, random.next(), true);
  if (kind === 3) view.setBigInt64(at, INTEGERS[random.below(INTEGERS.length)]!, true);
  else if (kind === 4) {
    // A double (or, in its high half, nothing in particular) near one.
    const exponent = random.chance(70)
      ? 0x3ff - 40 + random.below(80)
      : [0, 1, 0x7fe, 0x7ff][random.below(4)]!;
    const fraction = random.chance(30) ? 0 : random.next() & 0xfffff;
    view.setUint32(
      at + 4,
      ((random.next() & 0x80000000) | (exponent << 20) | fraction) >>> 0,
      true,
    );
    if (random.chance(30)) view.setUint32(at, 0, true);
  } else if (kind === 5) {
    const exponent = random.chance(70)
      ? 0x7f - 30 + random.below(60)
      : [0, 1, 0xfe, 0xff][random.below(4)]!;
    const fraction = random.chance(30) ? 0 : random.next() & 0x7fffff;
    view.setUint32(at, ((random.next() & 0x80000000) | (exponent << 23) | fraction) >>> 0, true);
  } else if (kind === 6) {
    for (let i = 0; i < 9; i++) view.setUint8(at + i, random.below(10) | (random.below(10) << 4));
    view.setUint8(at + 9, random.next() & 0x80);
  }
}

/** One case at `at`. */
export function writeCase(view: DataView, at: number, random: Random, style: Style): void {
  let control = 0x37f;
  let status = random.next() & 0x4700;
  let full = 0xff;
  if (style.wild) {
    control = 0x40 | (random.next() & 0xf00) | (random.chance(60) ? 0x3f : random.next() & 0x3f);
    // Nothing unmasked may be pending: the instruction would fault.
    if (random.chance(30)) status |= random.next() & control & 0x3f;
    if (random.chance(10)) status |= 0x40;
    full = random.chance(70) ? 0xff : random.next() & 0xff;
  }
  const top = random.below(8);
  let tags = 0;
  for (let i = 0; i < 8; i++) if (!((full >> i) & 1)) tags |= 3 << (2 * i);
  const image = at + IMAGE;
  view.setUint32(image, control | 0xffff0000, true);
  view.setUint32(image + 4, (status | (top << 11) | 0xffff0000) >>> 0, true);
  view.setUint32(image + 8, (tags | 0xffff0000) >>> 0, true);
  for (let i = 0; i < 8; i++) writeReal(view, image + 28 + 10 * i, random, style);
  view.setUint32(at + EFLAGS, 0x202 | (random.next() & 0x8d5), true);
  writeOperand(view, at + MEMORY, random, style);
}

/** `count` cases; pushes need room, so those have the register under TOP empty most of the time. */
export function makeCases(count: number, seed: number, style: Style, pushes: boolean): Uint8Array {
  const cases = new Uint8Array(count * CASE);
  const view = new DataView(cases.buffer);
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const at = i * CASE;
    writeCase(view, at, random, style);
    if (pushes && !random.chance(style.wild ? 20 : 0)) {
      const top = (view.getUint32(at + 4, true) >> 11) & 7;
      const tags = view.getUint16(at + 8, true) | (3 << (2 * ((top + 7) & 7)));
      view.setUint16(at + 8, tags, true);
    }
  }
  return cases;
}
