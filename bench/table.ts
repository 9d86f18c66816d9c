// The table that the bench prints: medians, ratios to a reference engine, geometric means.

export interface Cell {
  /** One a repetition. */
  seconds: number[];
  /** Guest instructions, of the last repetition that counted them. */
  instructions?: number;
}

export interface Results {
  /** Titles of the columns in order, by key. */
  engines: { key: string; title: string }[];
  rows: { name: string; cells: Record<string, Cell> }[];
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
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

  const ratios: Record<string, number[]> = {};
  const lines = rows.map((row) => {
    const seconds = (key: string): number | undefined => {
      const cell = row.cells[key];
      return cell?.seconds.length ? median(cell.seconds) : undefined;
    };
    const line = [row.name];
    for (const { key } of engines) line.push(format(seconds(key)));
    for (const { key } of engines) {
      if (key === reference) continue;
      const mine = seconds(key);
      const base = seconds(reference);
      if (mine === undefined || base === undefined) line.push('-');
      else {
        (ratios[key] ??= []).push(mine / base);
        line.push(formatRatio(mine / base));
      }
    }
    if (counting.length) {
      const counts = counting.map(({ key }) => row.cells[key]?.instructions);
      line.push(millions(counts.findLast((count) => count !== undefined)));
      counting.forEach(({ key }, i) => line.push(millions(counts[i], seconds(key))));
    }
    return line;
  });

  const means = ['geometric mean', ...engines.map(() => '')];
  for (const { key } of engines) {
    if (key === reference) continue;
    const values = ratios[key];
    means.push(values ? formatRatio(geometricMean(values)) : '-');
  }
  if (counting.length) means.push('', ...counting.map(() => ''));
  return align([head, ...lines, means]);

  function label(): string {
    return engines.find((engine) => engine.key === reference)?.title ?? reference;
  }
}

function millions(count: number | undefined, seconds: number | undefined = 1): string {
  return count === undefined ? '-' : (count / seconds / 1e6).toFixed(0);
}

function formatRatio(ratio: number): string {
  return `${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)}x`;
}

function format(seconds: number | undefined): string {
  return seconds === undefined ? '-' : `${seconds.toFixed(seconds < 10 ? 3 : 1)} s`;
}

function align(lines: string[][]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const text = lines.map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  text.splice(1, 0, rule);
  text.splice(-1, 0, rule);
  return text.join('\n');
}
