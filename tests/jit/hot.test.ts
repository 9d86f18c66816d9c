/** A region that is entered again and again makes room for a larger one, which holds what the first went on to. */
import { expect, it } from 'vitest';
import { EXIT_BUDGET, EXIT_HALT } from '../../assembly/shared/exits.ts';
import { COUNT_REGION_ENTRIES } from '../../assembly/shared/counters.ts';
import { REGION_HOT } from '../../assembly/shared/regions.ts';
import { LARGE_REGION, REGION } from '../../jit/tuning.ts';
import { attachTranslator, bareCpu, enterFlat } from '../lib/tiers.ts';

const CODE = 0x10000;

it.each([
  ['by tail calls', true],
  ['by the run loop', false],
])('goes on inside it instead of from region to region %s', async (_, tailCalls) => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  const sizes: number[] = [];
  const translator = attachTranslator(cpu, {
    batch: 1,
    tailCalls,
    onRegion: ({ instructions }) => sizes.push(instructions),
  });
  // inc edx; repeated: test eax, eax; js $+2; then dec ecx; jnz to the first; hlt
  const pairs = REGION.instructions * 0.75;
  expect(2 * pairs).toBeLessThan(LARGE_REGION.instructions);
  const code = Buffer.from('42' + '85c07800'.repeat(pairs) + '490f8500000000f4', 'hex');
  code.writeInt32LE(-(code.length - 1), code.length - 5);
  cpu.ram().set(code, CODE);
  const rounds = 2 * REGION_HOT;
  enterFlat(cpu, CODE);
  cpu.state.setRegister('ecx', rounds);
  cpu.state.setRegister('edx', 0);
  const entries = () => cpu.counters()[COUNT_REGION_ENTRIES]!;
  let hot = 0;
  let exit = EXIT_BUDGET;
  while (exit === EXIT_BUDGET) {
    exit = cpu.run(500_000);
    if (Math.max(...sizes) < 2 * pairs) hot = entries();
  }
  expect(exit).toBe(EXIT_HALT);
  expect(cpu.state.register('edx')).toBe(rounds);
  expect(translator.counts.regions).toBe(sizes.length);
  // Once for each slice, and not twice for each round.
  expect(hot).toBeGreaterThan(REGION_HOT);
  expect(entries() - hot).toBeLessThan(REGION_HOT / 8);
});
