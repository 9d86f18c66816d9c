/** Runs the programs of a group natively and in a tier, and reduces what differs. */
import type { Tier } from '../lib/usermode.ts';
import { compare } from './compare.ts';
import { makeProgram, type Group } from './generator.ts';
import { runNative } from './harness.ts';
import type { Outcome } from './layout.ts';
import { link, type Linked, type Program } from './program.ts';
import { reduce, report, type Failure } from './reduce.ts';

/** The programs of one group with what the processor made of them, shared by all tiers. */
export interface Truth {
  programs: Program[];
  linked: Linked[];
  natives: Outcome[];
}

export function truth(group: Group, seed: number, count: number, only?: number): Truth {
  const indices =
    only === undefined ? Array.from({ length: programs(group, count) }, (_, i) => i) : [only];
  const made = indices.map((i) => makeProgram(group, seed, i));
  const linked = made.map(link);
  return { programs: made, linked, natives: runNative(linked.map((l) => l.case)) };
}

export function programs(group: Group, count: number): number {
  return Math.ceil((count * (group.share ?? 1000)) / 1000);
}

/** What each failure comes down to decides whether it is shown: one example a kind, a few in all. */
const SHOWN = 6;

export interface Verdict {
  failed: number;
  reports: string[];
}

export async function check(tier: Tier, t: Truth, seed: number): Promise<Verdict> {
  const failing: Failure[] = [];
  for (let i = 0; i < t.programs.length; i++) {
    const [program, linked, native] = [t.programs[i], t.linked[i], t.natives[i]];
    const emulated = await tier.run(linked.case);
    const differences = compare(program, linked, native, emulated, tier.paging);
    if (differences.length > 0) failing.push({ program, native, emulated, differences });
  }
  const kinds = new Set<string>();
  const reports: string[] = [];
  for (const first of failing.slice(0, 60)) {
    const { program } = first;
    if (reports.length >= SHOWN) break;
    const failure = await reduce(program, tier);
    if (!failure) {
      reports.push(
        `${report(first, tier, seed, program.items.length)}\n` +
          'It fails only after others: without VMI86_ONLY.',
      );
      continue;
    }
    const last = failure.program.items.at(-1)!;
    const kind = `${last.op} ${failure.differences.map((d) => d.what.replace(/\d+|\[.*/, '')).join()}`;
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    reports.push(report(failure, tier, seed, program.items.length));
  }
  return { failed: failing.length, reports };
}
