/** A node longer than any that its translator has seen: its flags are the instructions' own. */
import { expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { enterFlat, translatedInstructions } from '../lib/tiers.ts';
import { CODE, translate } from './region.ts';

it('keeps carries over a hundred instructions', async () => {
  // add eax, ebx; adc edx, 0; then add ecx, 0, again and again
  const hex = '01d883d200' + '83c100'.repeat(100);
  const { cpu } = await translate(Buffer.from(hex, 'hex'));
  cpu.exports.reset();
  enterFlat(cpu, CODE);
  cpu.state.cr0 = 0x31;
  cpu.state.setRegister('eax', 0xffffffff);
  cpu.state.setRegister('ebx', 1);
  cpu.state.setRegister('edx', 0);
  const before = translatedInstructions(cpu);
  expect(cpu.run(1000)).toBe(EXIT_HALT);
  expect(translatedInstructions(cpu) - before).toBeGreaterThan(100);
  expect(cpu.state.register('edx')).toBe(1);
});
