/** Branches to addresses that are known only when they are made, looked up in the region's own table. */
import { expect, it } from 'vitest';
import { EXIT_BUDGET, EXIT_HALT } from '../../assembly/shared/exits.ts';
import { COUNT_REGION_ENTRIES } from '../../assembly/shared/counters.ts';
import { SCRATCH, SCRATCH_END } from '../../assembly/shared/layout.ts';
import { lookupPlace, NONE, planLookup, strangerTo } from '../../jit/lookup.ts';
import { SEED } from '../lib/seed.ts';
import { attachTranslator, bareCpu, enterFlat, translatedInstructions } from '../lib/tiers.ts';
import { Random } from './random.ts';

const CODE = 0x10000;
const STACK = 0x14000;
const NEVER = -1;
const TURNS = 100_000;

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

/** Entries that the code would find, out of those it was made for. */
function found(eips: readonly number[]): { found: number; behind: number; places: number } {
  const lookup = planLookup(eips);
  const { places } = lookup;
  let behind = 0;
  const all = eips.filter((eip, i) => {
    const place = lookupPlace(eip, lookup);
    if (places[place] === i) return true;
    behind++;
    return places[place + 1] === i;
  });
  return { found: all.length, behind, places: places.length };
}

it.each([2, 10, 40, 150, 400])('finds %i entries in one place or two', (count) => {
  const random = new Random(SEED + count);
  for (let round = 0; round < 20; round++) {
    // Some pages here and there, as the code of a region is.
    const pages = Array.from({ length: 1 + random.below(8) }, () => random.next() & ~0xfff);
    const eips = new Set<number>();
    while (eips.size < count) {
      eips.add((pages[random.below(pages.length)] | random.below(0x1000)) >>> 0);
    }
    const result = found([...eips]);
    const seed = `seed ${SEED}, round ${round}`;
    if (count <= 40) expect(result, seed).toMatchObject({ found: count });
    // What is lost is entered through the run loop.
    expect(result.found, seed).toBeGreaterThan(0.99 * count);
    expect(result.behind, seed).toBeLessThan(0.1 * count + 1);
    expect(result.places, seed).toBeLessThanOrEqual(Math.max(128, 32 * count + 2));
  }
});

it('has nothing in its free places that would be found there', () => {
  const lookup = planLookup([0x1000, 0xfffffff0, 0, 1, 0xffffffff]);
  lookup.places.forEach((entry, place) => {
    if (entry !== NONE) return;
    const first = lookupPlace(strangerTo(place, lookup), lookup);
    expect([first, first + 1]).not.toContain(place);
  });
});

it.each([
  ['behind its place', 1, 10],
  // Once a turn through the run loop.
  ['nowhere', 2, TURNS],
])('an entry that stands %s is jumped to', async (_, far, entries) => {
  const FAR = 0x400000;
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} }, 4 * FAR);
  attachTranslator(cpu, { batch: 1, heatLimit: 100 });
  // mov eax, where to; jmp eax: as far as that no hash tells addresses apart. There the same, or
  // dec ecx; jnz to the start; hlt
  const starts = Array.from({ length: far + 1 }, (_, i) => CODE + i * FAR);
  const lookup = planLookup(starts);
  expect(new Set(starts.map((eip) => lookupPlace(eip, lookup))).size).toBe(1);
  const ram = cpu.ram();
  starts.forEach((start, i) => {
    const jump = Buffer.from('b800000000ffe0', 'hex');
    jump.writeUInt32LE(start + FAR, 1);
    const loop = Buffer.from('490f8500000000f4', 'hex');
    loop.writeInt32LE(CODE - (start + 7), 3);
    ram.set(i < far ? jump : loop, start);
  });
  enterFlat(cpu, CODE);
  cpu.state.setRegister('ecx', TURNS);
  let exit = EXIT_BUDGET;
  while (exit === EXIT_BUDGET) exit = cpu.run(1_000_000);
  expect(exit).toBe(EXIT_HALT);
  expect(cpu.state.register('ecx')).toBe(0);
  expect(cpu.state.eip).toBe(starts[far]! + 8);
  expect(cpu.counters()[COUNT_REGION_ENTRIES]).toBeLessThan(entries);
});
