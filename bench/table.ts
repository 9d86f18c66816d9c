// What the bench prints: medians, ratios to a reference engine, geometric means by section; targets.

import type { Target } from './targets';
import type { Upkeep } from './upkeep';

export interface Cell {
  /** One a repetition. */
  seconds: number[];
  /** The better of two more right after, where that was measured; as many as `seconds`. */
  again?: number[];
  /** Guest instructions, of the last repetition that counted them. */
  instructions?: number;
}

export interface Results {
  /** Titles of the columns in order, by key. */
  engines: { key: string; title: string }[];
  /** The rows of a section are together. */
  rows: { name: string; section: string; cells: Record<string, Cell> }[];
  /** Of the JIT's machines that ran all rows of a whole system, one a repetition. */
  upkeep?: Upkeep[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Times as multiples of others of the same repetitions. The machine is another from minute to minute: the median
 * of ratios of what was measured one behind the other, not the ratio of medians.
 */
export function medianRatio(
  a: readonly number[] | undefined,
  b: readonly number[] | undefined,
): number | undefined {
  if (!a?.length || !b?.length) return undefined;
  if (a.length !== b.length) return median(a) / median(b);
  return median(a.map((value, i) => value / b[i]!));
}

export function geometricMean(values: number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Ratios in one row are to the engine with the key `reference`: 2.0x takes twice as long. */
export function formatTable(results: Results, reference: string): string {
  const { engines, rows } = results;
  const counting = engines.filter(({ key }) => rows.some((row) => row.cells[key]?.instructions));
  const head = ['', ...engines.map((engine) => engine.title)];
  for (const { key, title } of engines) if (key !== reference) head.push(`${title}/${label()}`);
  if (counting.length) head.push('M instructions', ...counting.map(({ title }) => `${title} M/s`));

  const seconds = (row: Results['rows'][number], key: string): number | undefined => {
    const cell = row.cells[key];
    return cell?.seconds.length ? median(cell.seconds) : undefined;
  };
  const ratio = (row: Results['rows'][number], key: string): number | undefined =>
    medianRatio(row.cells[key]?.seconds, row.cells[reference]?.seconds);
  const others = engines.filter(({ key }) => key !== reference);

  const line = (row: Results['rows'][number]): string[] => {
    const cells = [row.name];
    for (const { key } of engines) cells.push(format(seconds(row, key)));
    for (const { key } of others) cells.push(formatRatio(ratio(row, key)));
    if (counting.length) {
      const counts = counting.map(({ key }) => row.cells[key]?.instructions);
      cells.push(millions(counts.findLast((count) => count !== undefined)));
      counting.forEach(({ key }, i) => cells.push(millions(counts[i], seconds(row, key))));
    }
    return cells;
  };
  const sections = [...new Set(rows.map((row) => row.section))];
  const blocks = sections.map((section) => {
    const members = rows.filter((row) => row.section === section);
    const means = [`geometric mean, ${section}`, ...engines.map(() => '')];
    for (const { key } of others) {
      const values = members.map((row) => ratio(row, key)).filter((value) => value !== undefined);
      means.push(formatRatio(values.length ? geometricMean(values) : undefined));
    }
    if (counting.length) means.push('', ...counting.map(() => ''));
    return [...members.map(line), ...(members.length > 1 ? [means] : [])];
  });
  return align([[head], ...blocks]);

  function label(): string {
    return engines.find((engine) => engine.key === reference)?.title ?? reference;
  }
}

function millions(count: number | undefined, seconds: number | undefined = 1): string {
  return count === undefined ? '-' : (count / seconds / 1e6).toFixed(0);
}

function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined) return '-';
  return `${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)}x`;
}

function format(seconds: number | undefined): string {
  return seconds === undefined ? '-' : `${seconds.toFixed(seconds < 10 ? 3 : 1)} s`;
}

export function formatTargets(targets: Target[]): string {
  const lines = targets.map(({ measure, goal, value, row, met }) => [
    measure,
    goal,
    value === undefined ? '-' : value < 100 ? value.toFixed(2) : value.toFixed(0),
    value === undefined
      ? 'not measured'
      : met === undefined
        ? 'part of the rows'
        : met
          ? 'met'
          : 'NOT MET',
    row ?? '',
  ]);
  return align([[['target', 'to reach', 'reached', '', 'row']], lines], ['', '', 'right']);
}

type Side = 'right' | '';

/** Blocks of lines with a rule between them; the first column to the left, the others as `sides`. */
function align(blocks: string[][][], sides?: Side[]): string {
  const widths = blocks[0]![0]!.map((_, column) =>
    Math.max(...blocks.flat().map((line) => line[column]!.length)),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const side = (i: number): Side => (sides ? (sides[i] ?? '') : i === 0 ? '' : 'right');
  const text = (line: string[]): string =>
    line
      .map((cell, i) => (side(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return blocks.map((lines) => lines.map(text).join('\n')).join(`\n${rule}\n`);
}
