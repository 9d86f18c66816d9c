// The bench's table and targets, of figures made up.

import { expect, it } from 'vitest';
import { MICRO_ROWS } from '../../bench/micro-rows.ts';
import { BOOT, ROWS, SECOND_BOOT } from '../../bench/rows.ts';
import { formatTable, formatTargets, type Results } from '../../bench/table.ts';
import { targets } from '../../bench/targets.ts';

const engines = ['interpreter', 'jit', 'v86', 'qemu'].map((key) => ({ key, title: key }));

/** Every row the same: the JIT takes a second the first time and the second. */
function figures(): Results {
  const cells = () => ({
    interpreter: { seconds: [5, 4, 9], instructions: 2_500e6 },
    jit: { seconds: [1, 1, 1], again: [1, 1, 1] },
    v86: { seconds: [3, 3, 3] },
    qemu: { seconds: [4, 4, 4] },
  });
  const rows = [BOOT, ...ROWS.map(({ name }) => name)].map((name) => ({
    name,
    section: 'whole system',
    cells: cells(),
  }));
  const second = { jit: { seconds: [0.5, 0.6, 0.4] } } as ReturnType<typeof cells>;
  rows.push({ name: SECOND_BOOT, section: 'whole system', cells: second });
  for (const { name, group } of MICRO_ROWS) rows.push({ name, section: group, cells: cells() });
  const upkeep = [4, 2, 3].map((translator) => ({ translator, memory: 200, idle: 1.5 }));
  return { engines, rows, upkeep };
}

const find = (results: Results, measure: RegExp) =>
  targets(results).find((target) => measure.test(target.measure))!;

it('has a name of its own for each row', () => {
  const names = [BOOT, ...[...ROWS, ...MICRO_ROWS].map(({ name }) => name)];
  expect(new Set(names).size).toBe(names.length);
});

it('takes medians, and meets what is met', () => {
  for (const target of targets(figures())) expect(target.met, target.measure).toBe(true);
  expect(find(figures(), /interpreter, M instructions/).value).toBeCloseTo(500);
  expect(find(figures(), /whole system.*mean/).value).toBeCloseTo(0.25);
  expect(find(figures(), /translator/).value).toBe(3);
});

it('compares what was measured one behind the other', () => {
  const results = figures();
  const row = results.rows.find(({ name }) => name === 'quicksort')!;
  // The machine is half as fast in the second repetition, and a third in what comes last of the third.
  row.cells['jit'] = { seconds: [1, 2, 1], again: [0.9, 1.8, 0.9] };
  row.cells['qemu'] = { seconds: [4, 8, 12] };
  expect(find(results, /compiled.*worst/).value).toBeCloseTo(0.25);
  expect(find(results, /first run/).value).toBeCloseTo(1 / 0.9);
  expect(formatTable(results, 'jit')).toMatch(/^quicksort .* 1\.000 s .* 8\.000 s .* 4\.00x /m);
});

it('names the row that misses', () => {
  const results = figures();
  const row = results.rows.find(({ name }) => name === 'quicksort')!;
  row.cells['jit'] = { seconds: [3.8], again: [1.9] };
  expect(find(results, /compiled.*worst/)).toMatchObject({ row: 'quicksort', met: false });
  expect(find(results, /compiled.*mean/).met).toBe(true);
  expect(find(results, /v86.*worst/)).toMatchObject({ row: 'quicksort', met: false });
  expect(find(results, /first run/)).toMatchObject({ row: 'quicksort', value: 2, met: false });
  expect(formatTargets(targets(results))).toMatch(
    /compiled integer code.*0\.95 +NOT MET +quicksort/,
  );
});

it('misses what costs too much, and does not know what was not measured', () => {
  const results = figures();
  results.upkeep = [{ translator: 5.1, memory: 251, idle: 2 }];
  for (const measure of [/translator/, /memory/, /idle/]) {
    expect(find(results, measure).met).toBe(false);
  }
  results.upkeep = [];
  expect(find(results, /idle/).met).toBeUndefined();
  expect(formatTargets(targets(results))).toMatch(/idle guest.*not measured/);
});

it('leaves the copy by one instruction out of computing', () => {
  const results = figures();
  results.rows.find(({ name }) => name.includes('REP MOVS'))!.cells['interpreter'] = {
    seconds: [1],
    instructions: 1,
  };
  expect(find(results, /interpreter \/ JIT, worst/).met).toBe(true);
  expect(find(results, /interpreter, M instructions/).met).toBe(true);
});

it('meets nothing with part of the rows or engines', () => {
  const results = figures();
  results.rows = results.rows.filter(({ name }) => name !== 'sieve');
  const worst = find(results, /compiled.*worst/);
  expect(worst.value).toBeCloseTo(0.25);
  expect(worst.met).toBeUndefined();
  expect(formatTargets(targets(results))).toMatch(/compiled.*part of the rows/);
  expect(find(results, /x87/).met).toBe(true);

  for (const row of results.rows) delete row.cells['qemu'];
  expect(find(results, /x87/)).toEqual({
    measure: 'x87, JIT / QEMU, worst row',
    goal: 'at most 0.3',
  });
});

it('prints a mean for each section, and a dash for what is not there', () => {
  const results = figures();
  for (const row of results.rows) delete row.cells['v86'];
  const text = formatTable(results, 'jit');
  expect(text).toMatch(/^sieve +5\.000 s +1\.000 s +- +4\.000 s +5\.00x +- +4\.00x +2500 +500$/m);
  for (const section of new Set(results.rows.map((row) => row.section))) {
    expect(text).toMatch(new RegExp(`^geometric mean, ${section} +5\\.00x +- +4\\.00x$`, 'm'));
  }
});
