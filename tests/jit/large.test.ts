/** Code that takes more room translated than a region may have. */
import { expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { REGION_BYTES } from '../../jit/tuning.ts';
import { enterFlat, translatedInstructions } from '../lib/tiers.ts';
import { CODE, translate } from './region.ts';

it('is made into smaller regions, each of which goes on to the next', async () => {
  // inc edx; repeated: rcr byte [ebx], 3; jz $+2; then dec ecx; jnz to the first
  const blocks = 150;
  const body = '42' + 'c01b037400'.repeat(blocks);
  const loop = Buffer.from(body + '490f8500000000', 'hex');
  loop.writeInt32LE(-loop.length, loop.length - 4);
  const { cpu, region } = await translate(loop);
  expect(region.bytes).toBeLessThan(REGION_BYTES * 1.1);
  expect(region.instructions).toBeLessThan(2 * blocks);
  const run = () => {
    cpu.exports.reset();
    enterFlat(cpu, CODE);
    const { state } = cpu;
    for (const [name, value] of [
      ['ecx', 20],
      ['edx', 0],
      ['ebx', 0x11000],
    ] as const)
      state.setRegister(name, value);
    const before = translatedInstructions(cpu);
    expect(cpu.run(100_000)).toBe(EXIT_HALT);
    expect(state.register('edx')).toBe(20);
    return translatedInstructions(cpu) - before;
  };
  run();
  expect(run()).toBeGreaterThan(20 * 2 * blocks);
});

it('is made as one block where already that is too large', async () => {
  // rcr byte [ebx], 3 again and again; call $+1: nop; ret, which hlt follows
  const hex = 'c01b03'.repeat(400) + 'e801000000' + 'f4' + 'c3';
  const { cpu } = await translate(Buffer.from(hex, 'hex'));
  expect(cpu.retired()).toBeGreaterThan(800);
});
