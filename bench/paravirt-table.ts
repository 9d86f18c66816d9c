// The tables of `npm run bench -- --paravirt`: what each setting took, and what the guest did for it.

import { median } from './table';

export interface Setting {
  title: string;
  /** Of vmi86. */
  options: string[];
}

/** One row, once, in one setting. */
export interface Measured {
  setting: string;
  row: string;
  /** Of the host's processor. */
  seconds: number;
  /** Of the guest. */
  instructions: number;
  /** TLB entries filled. */
  fills: number;
  /** Interrupts that the guest took. */
  interrupts: number;
  /** Accesses to devices. */
  exits: number;
}

const COUNTS = ['instructions', 'fills', 'interrupts', 'exits'] as const;
const COUNT_TITLES = ['instructions', 'TLB fills', 'interrupts', 'device accesses'];

export function formatWorth(settings: readonly Setting[], measured: readonly Measured[]): string {
  const rows = [...new Set(measured.map(({ row }) => row))];
  const of = (setting: string, row: string, key: 'seconds' | (typeof COUNTS)[number]): number =>
    median(measured.filter((m) => m.setting === setting && m.row === row).map((m) => m[key]));
  const titles = settings.map(({ title }) => title);
  const [native, vmi] = titles;
  const times = [
    ['', ...titles],
    ...rows.map((row) => [
      row,
      ...titles.map((title) => {
        const seconds = of(title, row, 'seconds');
        const ratio = (seconds / of(native!, row, 'seconds')).toFixed(2);
        return title === native ? seconds.toFixed(2) : `${seconds.toFixed(2)} (${ratio})`;
      }),
    ]),
  ];
  const counts = [
    ['', ...COUNT_TITLES.flatMap((title) => [`${title}, ${native}`, vmi!])],
    ...rows.map((row) => [
      row,
      ...COUNTS.flatMap((key) => [native!, vmi!].map((title) => short(of(title, row, key)))),
    ]),
  ];
  return [aligned(times), aligned(counts)].join('\n\n');
}

function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : String(Math.round(value));
}

/** Columns as wide as their widest cell; all but the first to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
