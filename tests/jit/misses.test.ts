/** Regions that miss the TLB wherever they are entered are left to the interpreter, until they do no more. */
import { expect, it } from 'vitest';
import { COUNT_REGION_ENTRIES } from '../../assembly/shared/counters.ts';
import { EXIT_BUDGET } from '../../assembly/shared/exits.ts';
import { attachTranslator, bareCpu, enterFlat, translatedInstructions } from '../lib/tiers.ts';

const CODE = 0x10000;
const DATA = 0x100000;
const PAGES = 16;
/** Instructions: a turn of the outer loop, 16 of the inner. */
const TURN = 4 + 4 * PAGES;

it('gives an entry up that only ever leads to a miss, and takes it back', async () => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  const translator = attachTranslator(cpu, { batch: 1, heatLimit: 1000 });
  // outer: mov cr3, eax (or three NOPs); mov esi, DATA; mov ecx, PAGES
  // inner: add edx, [esi]; add esi, 4160; dec ecx; jnz inner; jmp outer
  const code = Buffer.from('0f22d8be00000000b900000000031681c640100000' + '4975f5ebe4', 'hex');
  code.writeUInt32LE(DATA, 4);
  code.writeUInt32LE(PAGES, 9);
  cpu.ram().set(code, CODE);
  enterFlat(cpu, CODE);
  cpu.state.setRegister('eax', 0);
  const entries = () => cpu.counters()[COUNT_REGION_ENTRIES]!;
  const turns = (count: number) => expect(cpu.run(count * TURN)).toBe(EXIT_BUDGET);

  turns(500);
  expect(translator.size).toBeGreaterThan(0);
  // Each time it must have asked twice as often before it is tried again.
  turns(20_000);
  expect(translator.counts.givenUp).toBeGreaterThan(0);
  const before = entries();
  turns(2000);
  // One a page and one a turn otherwise.
  expect(entries() - before).toBeLessThan((2000 * (PAGES + 1)) / 2);

  // Nothing misses any more: it is translated again.
  cpu.ram().fill(0x90, CODE, CODE + 3);
  cpu.codeWritten(CODE, CODE + 3);
  turns(10_000);
  const translated = translatedInstructions(cpu);
  turns(1000);
  expect(translatedInstructions(cpu) - translated).toBeGreaterThan(0.9 * 1000 * TURN);
});
