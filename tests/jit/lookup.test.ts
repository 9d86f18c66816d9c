/** Branches to addresses that are known only when they are made, looked up in the region's own table. */
import { expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { SCRATCH, SCRATCH_END } from '../../assembly/shared/layout.ts';
import { attachTranslator, bareCpu, enterFlat, translatedInstructions } from '../lib/tiers.ts';

const CODE = 0x10000;
const STACK = 0x14000;
const NEVER = -1;

it.each([
  ['its own', 6],
  ['another', 0x1000],
])('finds no place at the address that marks a free one, from %s page', async (_, routine) => {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  // What tables that were given back may hold.
  new Uint32Array(cpu.memory.buffer).fill(0xc00c82b0, SCRATCH >> 2, SCRATCH_END >> 2);
  const translator = attachTranslator(cpu, { batch: 1 });
  // call routine; hlt. The routine: or [esp], ebx; ret
  const code = Buffer.from('e800000000f4', 'hex');
  code.writeInt32LE(routine - 5, 1);
  cpu.ram().set(code, CODE);
  cpu.ram().set(Buffer.from('091c24c3', 'hex'), CODE + routine);
  const run = (ebx: number): number[] => {
    cpu.exports.reset();
    enterFlat(cpu, CODE);
    cpu.state.setRegister('esp', STACK);
    cpu.state.setRegister('ebx', ebx);
    return [cpu.run(1000), cpu.state.eip, cpu.state.register('esp')];
  };
  cpu.attach(translator, NEVER);
  expect(run(0)).toEqual([EXIT_HALT, CODE + 6, STACK]);
  const interpreted = run(0xffffffff);
  cpu.attach(translator, 0);
  expect(run(0)).toEqual([EXIT_HALT, CODE + 6, STACK]);
  // The CALL misses the TLB, which the reset has emptied.
  const before = translatedInstructions(cpu);
  expect(run(0xffffffff)).toEqual(interpreted);
  expect(translatedInstructions(cpu) - before).toBeGreaterThanOrEqual(2);
});
