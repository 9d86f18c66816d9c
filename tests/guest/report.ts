// What the guest of guest/ prints, read back.

import { expect } from 'vitest';

export interface Row {
  call: number;
  name: string;
  /** What the ROM answered: none, call, jump, nop. */
  rom: string;
  checks: number;
  /** Everything behind the count of checks. */
  rest: string;
}

export interface Report {
  rows: Row[];
  checks: number;
  failed: number;
  notes: number;
  platform: string;
}

const ROW = /^ *(\d+) {2}(\w+) +(none|call|jump|nop) +(\d+|-) *(.*)$/gm;

/** Reads the report of a run to its end; throws with the output's end when there is none. */
export function readReport(output: string): Report {
  const summary = /vmi86 guest: (\d+) checks, (\d+) failed, (\d+) notes/.exec(output);
  const platform = /^platform (\w+):/m.exec(output);
  if (!summary || !platform) throw new Error(`no report in:\n${output.slice(-2000)}`);
  const [checks, failed, notes] = summary.slice(1).map(Number) as [number, number, number];
  const rows = [...output.matchAll(ROW)].map((match) => ({
    call: Number(match[1]),
    name: match[2]!,
    rom: match[3]!,
    checks: match[4] === '-' ? 0 : Number(match[4]),
    rest: match[5]!,
  }));
  return { rows, checks, failed, notes, platform: platform[1]! };
}

/** Calls that end the machine, or that nothing is known of: not tried in a run to the report. */
const NOT_TRIED = ['Reboot', 'Shutdown', 'SetCallbacks'];
const TIMER = ['SetAlarm', 'CancelAlarm'];

/** All 74 calls reported, each checked that can be, nothing failed. */
export function expectGood(output: string, platform: 'bare' | 'vmi'): Report {
  const complaints = output.match(/^(FAILED|panic|vector).*/gm) ?? [];
  expect(complaints).toEqual([]);
  const report = readReport(output);
  expect(report).toMatchObject({ platform, failed: 0 });
  expect(report.rows.map((row) => row.call)).toEqual(Array.from({ length: 74 }, (_, i) => i));
  for (const row of report.rows) {
    if (NOT_TRIED.includes(row.name)) continue;
    if (TIMER.includes(row.name) && row.rom === 'none') continue;
    if (row.rest.includes('no local APIC')) continue;
    expect(row.checks, row.name).toBeGreaterThan(0);
  }
  for (const group of ['patch sites', 'address spaces', 'two user processes']) {
    expect(output).toMatch(new RegExp(`^ +${group} +\\d+ ok`, 'm'));
  }
  expect(output).toMatch(/^GUEST-READY\r?$/m);
  return report;
}
