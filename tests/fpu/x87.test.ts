/**
 * Every x87 instruction against the processor under the tests: results, status word, tags,
 * pointers, memory, EFLAGS. FPU_CASES sets the cases an encoding gets, VMI86_SEED the seed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { SEED as seed } from '../lib/seed.ts';
import { makeCases } from './cases.ts';
import { compare, compareLoosely } from './compare.ts';
import { unavailable } from './native.ts';
import { compileUnit, everyInstruction, Unit } from './unit.ts';

const reason = unavailable();
const count = Number(process.env['FPU_CASES'] ?? 300);

/** What pushes: these have room in most cases. */
const PUSHES = /FLD|FILD|FBLD|FPTAN|FSINCOS|FXTRACT/;
/** Not rounded correctly by any processor: the last unit and C1 may differ. */
const TRANSCENDENTAL = /^(F2XM1|FYL2X|FYL2XP1|FPTAN|FPATAN|FSIN|FCOS|FSINCOS) /;

/** Vitest's worker must get to talk between tests that never wait. */
const pause = () => new Promise((resolve) => setImmediate(resolve));

const instructions = everyInstruction([0, 1 + (seed % 7)]);

describe.skipIf(reason)(`x87 on the processor (seed ${seed}) ${reason ?? ''}`, () => {
  let unit: Unit;
  beforeAll(async () => {
    unit = new Unit(await compileUnit());
  });

  for (const insn of instructions.filter(({ name }) => !TRANSCENDENTAL.test(name))) {
    it(insn.name, async () => {
      await pause();
      for (const wild of [false, true]) {
        const cases = makeCases(count, seed + insn.bytes.at(-1)!, { wild }, PUSHES.test(insn.name));
        const { different, shown } = compare(unit, insn, cases);
        expect(different, `seed ${seed}\n${shown.join('\n')}`).toBe(0);
      }
    });
  }

  for (const insn of instructions.filter(({ name }) => TRANSCENDENTAL.test(name))) {
    it(`${insn.name} within one unit`, async () => {
      await pause();
      for (const style of [{ wild: false, spread: 6 }, { wild: true }]) {
        const cases = makeCases(count * 4, seed, style, PUSHES.test(insn.name));
        const { different, off, shown } = compareLoosely(unit, insn, cases);
        expect(different, `seed ${seed}\n${shown.join('\n')}`).toBe(0);
        expect(off / cases.length).toBeLessThan(0.05);
      }
    });
  }
});
