/**
 * The pointers to the last x87 instruction, and all else of the x87 that FXSAVE shows: translated
 * code against the interpreter. The processor is no measure: kernels lose the pointers at times.
 */
import { describe, expect, it } from 'vitest';
import { SEED as seed } from '../lib/seed.ts';
import { TIERS } from '../lib/tiers.ts';
import { makeProgram } from '../native/generator.ts';
import { GROUPS } from '../native/groups/all.ts';
import { link } from '../native/program.ts';

const count = Number(process.env['FPU_CASES'] ?? 300);

describe(`x87 state in translated code (seed ${seed})`, () => {
  it.each(['x87 code', 'x87', 'mmx and x87'])('%s', async (name) => {
    const group = GROUPS.find((candidate) => candidate.name === name)!;
    const [interpreter, translated] = [TIERS[0]!, TIERS.find((tier) => tier.share)!];
    for (let i = 0; i < count; i++) {
      const { case: program } = link(makeProgram(group, seed, i));
      const expected = await interpreter.run(program);
      const actual = await translated.run(program);
      const hex = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 160)).toString('hex');
      expect(hex(actual.fpu), `seed ${seed}, program ${i}`).toBe(hex(expected.fpu));
    }
  });
});
