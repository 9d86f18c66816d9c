// What vmi86 is to reach, each as one line: the figure, and whether it is met.

import { isComputing, MICRO_ROWS, type MicroRow } from './micro-rows';
import { BOOT, ROWS, SECOND_BOOT } from './rows';
import { geometricMean, median, medianRatio, type Cell, type Results } from './table';
import type { Upkeep } from './upkeep';

export interface Target {
  measure: string;
  /** What to reach, in words. */
  goal: string;
  /** The figure; undefined where this run has not what it takes. */
  value?: number;
  /** The row that the figure is of, where it is one row's. */
  row?: string;
  /** Undefined, too, where rows are missing that the figure is over. */
  met?: boolean;
}

/** One figure a row. */
interface Figures {
  rows: { name: string; value: number }[];
  /** Whether all rows are there that should be. */
  complete: boolean;
}

const ALL = [BOOT, ...[...ROWS, ...MICRO_ROWS].map(({ name }) => name)];

export function targets(results: Results): Target[] {
  const micro = new Map(MICRO_ROWS.map((row) => [row.name, row]));
  const named = (test: (row: MicroRow) => boolean) => (name: string) =>
    micro.has(name) && test(micro.get(name)!);
  const whole = (name: string): boolean => ALL.includes(name) && !micro.has(name);
  const inGroup = (group: MicroRow['group']) => named((row) => row.group === group);
  const computing = named((row) => isComputing(row) && !row.bulk);
  const integer = named(
    (row) => (row.group === 'compiled' || row.group === 'integer') && !row.bulk,
  );

  /** One figure of each row that has it. */
  const each = (
    rows: (name: string) => boolean,
    figure: (cells: Record<string, Cell>) => number | undefined,
  ): Figures => {
    const found = results.rows.flatMap(({ name, cells }) => {
      const value = rows(name) ? figure(cells) : undefined;
      return value === undefined ? [] : [{ name, value }];
    });
    return { rows: found, complete: found.length === ALL.filter(rows).length };
  };
  /** Seconds of one engine as multiples of another's. */
  const ratios = (rows: (name: string) => boolean, a: string, b: string): Figures =>
    each(rows, (cells) => medianRatio(cells[a]?.seconds, cells[b]?.seconds));
  const toQemu = (rows: (name: string) => boolean): Figures => ratios(rows, 'jit', 'qemu');
  const v86 = ratios((name) => ALL.includes(name), 'v86', 'jit');
  const interpreter = ratios(computing, 'interpreter', 'jit');
  const rate = each(integer, ({ interpreter: cell }) =>
    cell?.instructions && cell.seconds.length
      ? cell.instructions / median(cell.seconds)
      : undefined,
  );
  const first = each(
    computing,
    ({ jit }) => jit?.again && medianRatio(jit.seconds, bestOf(jit.seconds, jit.again)),
  );

  const [boot, second] = [BOOT, SECOND_BOOT].map(
    (name) => results.rows.find((row) => row.name === name)?.cells['jit']?.seconds,
  );
  const secondToFirst = medianRatio(second, boot);
  const again: Found =
    secondToFirst === undefined ? undefined : { value: secondToFirst, complete: true };

  const { upkeep = [] } = results;
  const spent = (what: keyof Upkeep): Found =>
    upkeep.length
      ? { value: median(upkeep.map((figures) => figures[what])), complete: true }
      : undefined;

  return [
    atMost('whole system, JIT / QEMU, geometric mean', mean(toQemu(whole)), 0.8),
    atMost('whole system, JIT / QEMU, worst row', highest(toQemu(whole)), 1.3),
    moreThan('v86 / JIT, worst row', lowest(v86), 1),
    atLeast('v86 / JIT, geometric mean of all rows', mean(v86), 2.5),
    atMost('compiled integer code, JIT / QEMU, geometric mean', mean(toQemu(inGroup('compiled'))), 0.6), // prettier-ignore
    atMost('compiled integer code, JIT / QEMU, worst row', highest(toQemu(inGroup('compiled'))), 0.9), // prettier-ignore
    atMost('x87, JIT / QEMU, worst row', highest(toQemu(inGroup('x87'))), 0.3),
    atMost('SSE2, JIT / QEMU, worst row', highest(toQemu(inGroup('SSE2'))), 0.5),
    atLeast('computing, interpreter / JIT, worst row', lowest(interpreter), 4),
    atLeast('computing, interpreter / JIT, geometric mean', mean(interpreter), 4),
    atLeast('integer, interpreter, M instructions/s, geometric mean', scale(mean(rate), 1e-6), 400),
    atMost('translator, us a guest instruction', spent('translator'), 5),
    atMost('computing, JIT, first run / best, worst row', highest(first), 1.3),
    atMost('boot to prompt, JIT, with saved translations / without', again, 0.6),
    atMost("memory beyond the guest's after all rows, MiB", spent('memory'), 250),
    lessThan('idle guest, % of a core', spent('idle'), 2),
  ];
}

type Found = { value: number; row?: string; complete: boolean } | undefined;

function atMost(measure: string, found: Found, limit: number): Target {
  return target(measure, `at most ${limit}`, found, (value) => value <= limit);
}

function atLeast(measure: string, found: Found, limit: number): Target {
  return target(measure, `at least ${limit}`, found, (value) => value >= limit);
}

function lessThan(measure: string, found: Found, limit: number): Target {
  return target(measure, `less than ${limit}`, found, (value) => value < limit);
}

function moreThan(measure: string, found: Found, limit: number): Target {
  return target(measure, `more than ${limit}`, found, (value) => value > limit);
}

function target(
  measure: string,
  goal: string,
  found: Found,
  test: (value: number) => boolean,
): Target {
  if (!found) return { measure, goal };
  const { complete, ...figure } = found;
  return { measure, goal, ...figure, ...(complete && { met: test(figure.value) }) };
}

/** Of two runs right behind each other, the better. */
function bestOf(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => Math.min(value, b[i] ?? value));
}

function mean({ rows, complete }: Figures): Found {
  if (!rows.length) return undefined;
  return { value: geometricMean(rows.map(({ value }) => value)), complete };
}

function highest({ rows, complete }: Figures): Found {
  const [worst] = [...rows].sort((a, b) => b.value - a.value);
  return worst && { value: worst.value, row: worst.name, complete };
}

function lowest({ rows, complete }: Figures): Found {
  const [worst] = [...rows].sort((a, b) => a.value - b.value);
  return worst && { value: worst.value, row: worst.name, complete };
}

function scale(found: Found, factor: number): Found {
  return found && { ...found, value: found.value * factor };
}
