/**
 * What translated code pastes (assembly/ops/fpu/quick.ts) against the whole operations, which
 * x87.test.ts compares with the processor: the same result and status bits, or nothing done. And
 * that it can be pasted. FPU_CASES and VMI86_SEED as there, a thousand cases for each of those.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as L from '../../assembly/shared/layout.ts';
import { Splicer } from '../../jit/splice.ts';
import { readModule } from '../../jit/wasm/reader.ts';
import { SEED as seed } from '../lib/seed.ts';
import { Random, writeOperand, writeReal, type Style } from './cases.ts';
import { compileUnit, OPERAND_AT, Unit } from './unit.ts';

const count = Number(process.env['FPU_CASES'] ?? 100) * 1000;

/** Offsets of registers, and of the ninth. */
const [RESULT, A, B] = [0, 16, 32];
const UNDONE = -1;
const USUAL = 0x37f;
const SIGN = 0x8000;

const STYLES: Style[] = [
  { wild: false, spread: 0 },
  { wild: false, spread: 3 },
  { wild: false, spread: 40 },
  { wild: false, spread: 0x3fff },
  { wild: true },
];

describe(`what is pasted of the x87 (seed ${seed})`, () => {
  let unit: Unit;
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await compileUnit();
    unit = new Unit(bytes);
  });

  const call = (name: string, ...args: unknown[]) => unit.exports[name]!(...args) as number;
  const value = (offset: number): [bigint, number] => {
    const at = L.FPU_REGS + offset;
    return [unit.view.getBigUint64(at, true), unit.view.getUint16(at + 8, true)];
  };
  const values = () => [...value(A), ...value(B)];
  const control = (word: number) => unit.view.setUint32(L.FPU_CONTROL, word, true);

  /** Runs both on random values; the share of cases that the quick one did. */
  function compare(
    random: Random,
    style: Style,
    quick: () => number,
    whole: () => number,
    outcome: () => unknown[],
  ): number {
    let done = 0;
    for (let i = 0; i < count / STYLES.length; i++) {
      writeReal(unit.view, L.FPU_REGS + A, random, style);
      writeReal(unit.view, L.FPU_REGS + B, random, style);
      const before = outcome();
      const bits = quick();
      const result = outcome();
      if (bits === UNDONE) {
        expect(result).toEqual(before);
        continue;
      }
      done++;
      const expected = whole();
      const right = outcome();
      if (bits !== expected || result.some((part, j) => part !== right[j])) {
        expect.fail(
          `of ${values().map((part) => part.toString(16))}: ${result} ${bits.toString(16)}, ` +
            `not ${right} ${expected.toString(16)}`,
        );
      }
    }
    return done / (count / STYLES.length);
  }

  const pairs: [string, number, () => number][] = [
    ['quick_add', 0, () => call('quick_add', RESULT, ...values(), 0)],
    ['quick_mul', 1, () => call('quick_mul', RESULT, ...values())],
    ['quick_add with a sign changed', 4, () => call('quick_add', RESULT, ...values(), SIGN)],
    ['quick_div', 6, () => call('quick_div', RESULT, ...values())],
    ['quick_com', 2, () => call('quick_com', ...values())],
  ];
  it.each(pairs)('%s', (_name, operation, quick) => {
    control(USUAL);
    const random = new Random(seed);
    const whole = () => call('masked_registers', operation, RESULT, A, B);
    const shares = STYLES.map((style) =>
      compare(random, style, quick, whole, () => (operation === 2 ? [] : value(RESULT))),
    );
    // Of two in a row of the ordinary kind, few have a fraction or an exponent that stops it.
    expect(shares[1]).toBeGreaterThan(0.6);
  });

  it('quick_sqrt', () => {
    control(USUAL);
    const random = new Random(seed);
    const quick = () => call('quick_sqrt', RESULT, ...value(A));
    const whole = () => {
      const at = L.FPU_REGS;
      unit.bytes.copyWithin(at + RESULT, at + A, at + A + 10);
      return call('masked_sqrt', RESULT);
    };
    for (const style of STYLES) compare(random, style, quick, whole, () => value(RESULT));
  });

  it('quick_sqrt and quick_div of squares and products, and what is next to them', () => {
    control(USUAL);
    const random = new Random(seed);
    const masked = { div: 6 };
    for (let i = 0; i < count / 10; i++) {
      // Half the bits: the product is exact.
      const root = BigInt(random.next() | 0x80000000) & 0xffffffffn;
      const other = BigInt(random.next() | 0x80000000) & 0xffffffffn;
      let product = root * other;
      let square = root * root;
      let exponent = 0x3fff + 63;
      if (product >> 63n === 0n) product <<= 1n;
      if (square >> 63n === 0n) {
        square <<= 2n;
        exponent -= 2;
        if (square >> 64n) {
          square >>= 1n;
          exponent++;
        }
      }
      const near = BigInt(random.below(5) - 2);
      const top = (1n << 64n) - 1n;
      const clamp = (m: bigint) => (m > top ? top : m >> 63n === 0n ? 1n << 63n : m);
      unit.view.setBigUint64(L.FPU_REGS + A, clamp(product + near), true);
      unit.view.setUint16(L.FPU_REGS + A + 8, 0x3fff, true);
      unit.view.setBigUint64(L.FPU_REGS + B, root << 32n, true);
      unit.view.setUint16(L.FPU_REGS + B + 8, 0x3fff, true);
      let bits = call('quick_div', RESULT, ...values());
      if (bits !== UNDONE) {
        const result = value(RESULT);
        expect(bits).toBe(call('masked_registers', masked.div, RESULT, A, B));
        expect(result).toEqual(value(RESULT));
      }
      unit.view.setBigUint64(L.FPU_REGS + A, clamp(square + near), true);
      unit.view.setUint16(L.FPU_REGS + A + 8, exponent, true);
      bits = call('quick_sqrt', RESULT, ...value(A));
      if (bits === UNDONE) continue;
      const result = value(RESULT);
      unit.bytes.copyWithin(L.FPU_REGS + RESULT, L.FPU_REGS + A, L.FPU_REGS + A + 10);
      expect(bits).toBe(call('masked_sqrt', RESULT));
      expect(result).toEqual(value(RESULT));
    }
  });

  it('quick_div of neighbours', () => {
    control(USUAL);
    const random = new Random(seed);
    const top = (1n << 64n) - 1n;
    for (let i = 0; i < count; i++) {
      const ends = [1n << 63n, top, BigInt(random.next()) << 32n, 0n];
      let b = ends[random.below(4)]! ^ BigInt(random.next() >>> random.below(32));
      b |= (1n << 63n) | (random.chance(30) ? BigInt(random.next()) << 31n : 0n);
      const away = BigInt(random.next()) >> BigInt(random.below(32));
      const a = random.chance(80) ? b - away : b + away;
      unit.view.setBigUint64(L.FPU_REGS + A, (a & top) | (1n << 63n), true);
      unit.view.setUint16(L.FPU_REGS + A + 8, 0x3fff, true);
      unit.view.setBigUint64(L.FPU_REGS + B, b & top, true);
      unit.view.setUint16(L.FPU_REGS + B + 8, 0x3fff, true);
      const bits = call('quick_div', RESULT, ...values());
      if (bits === UNDONE) continue;
      const [quotient] = value(RESULT);
      if (bits === call('masked_registers', 6, RESULT, A, B) && quotient === value(RESULT)[0])
        continue;
      expect.fail(`${a.toString(16)} / ${b.toString(16)}: ${quotient.toString(16)}`);
    }
  });

  const TO = OPERAND_AT;
  const stores: [string, (to: number) => number, (to: number) => number][] = [
    ['32', (to) => call('quick_store32', ...value(A), to), (to) => call('masked_store32', A, to)],
    ['64', (to) => call('quick_store64', ...value(A), to), (to) => call('masked_store64', A, to)],
    ...[16, 32, 64].map((bits): [string, (to: number) => number, (to: number) => number] => [
      `integer ${bits}`,
      (to) => call('quick_store_integer', ...value(A), to, bits),
      (to) => call('masked_integer', A, to, bits),
    ]),
  ];
  it.each(stores)('stores %s, all roundings', (_name, quick, whole) => {
    const random = new Random(seed);
    for (const style of STYLES) {
      for (const rounding of [0, 0x400, 0x800, 0xc00]) {
        control(USUAL | rounding);
        unit.view.setBigUint64(TO, 0x5555555555555555n, true);
        compare(
          random,
          style,
          () => quick(TO),
          () => {
            unit.view.setBigUint64(TO, 0x5555555555555555n, true);
            return whole(TO);
          },
          () => {
            const stored = unit.view.getBigUint64(TO, true);
            unit.view.setBigUint64(TO, 0x5555555555555555n, true);
            return [stored];
          },
        );
      }
    }
  });

  it('quick_integer', () => {
    const random = new Random(seed);
    const view = new DataView(new ArrayBuffer(16));
    for (let i = 0; i < count / 10; i++) {
      writeOperand(view, 0, random, { wild: true });
      const given = view.getBigInt64(0, true) >> BigInt(random.below(64));
      call('quick_integer', RESULT, given);
      unit.view.setUint32(L.FPU_TAGS, 0, true);
      unit.view.setUint32(L.FPU_TOP, 2, true);
      call('fild_m64', given, 0);
      expect(value(RESULT)).toEqual(value(16));
    }
  });

  it('leaves', () => {
    const splicer = new Splicer(readModule(bytes));
    const names = Object.keys(unit.exports).filter((name) => name.startsWith('quick_'));
    expect(names.length).toBeGreaterThan(8);
    expect(names.map((name) => splicer.reason(name)).filter((reason) => reason)).toEqual([]);
  });
});
