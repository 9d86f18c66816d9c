/**
 * The CPU under the test: every group of instructions, in every tier, against the processor this
 * runs on. VMI86_SEED and VMI86_COUNT choose other or more programs, VMI86_GROUP one group,
 * VMI86_ONLY one program of it, VMI86_TIER one tier (docs/testing.md).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SEED as seed } from '../lib/seed.ts';
import { TIERS } from '../lib/tiers.ts';
import type { Tier } from '../lib/usermode.ts';
import { makeProgram } from './generator.ts';
import { GROUPS } from './groups/all.ts';
import { program, runNative, unavailable } from './harness.ts';
import { decodeOutcomes, encodeCases, TRAP_TIMEOUT } from './layout.ts';
import { compare } from './compare.ts';
import { check, truth, type Truth } from './run.ts';
import { reduce } from './reduce.ts';
import { link } from './program.ts';

const environment = process.env;
const count = Number(environment.VMI86_COUNT ?? 1000);
const only = environment.VMI86_ONLY === undefined ? undefined : Number(environment.VMI86_ONLY);
const groups = GROUPS.filter((g) => !environment.VMI86_GROUP || g.name === environment.VMI86_GROUP);
const tiers = TIERS.filter((t) => !environment.VMI86_TIER || t.name === environment.VMI86_TIER);

const reason = unavailable();
if (reason) console.log(`the CPU under the test: skipped: ${reason}`);
else console.log(`the CPU under the test: VMI86_SEED=${seed} VMI86_COUNT=${count}`);

describe.skipIf(reason !== null)('the CPU under the test', () => {
  const truths = new Map<string, Truth>();
  for (const group of groups) {
    for (const tier of tiers) {
      it(`${group.name}, ${tier.name}`, async () => {
        if (!truths.has(group.name)) truths.set(group.name, truth(group, seed, count, only));
        const verdict = await check(tier, truths.get(group.name)!, seed);
        if (verdict.failed > 0)
          expect.fail(
            `${verdict.failed} of ${truths.get(group.name)!.programs.length} programs differ ` +
              `from the processor\n\n${verdict.reports.join('\n\n')}`,
          );
      });
    }
  }
});

describe.skipIf(reason !== null)('tiers with a translator', () => {
  it.each(TIERS.filter((t) => t.share))('$name: translated code runs', async (tier) => {
    await check(tier, truth(GROUPS[0], seed, 50), seed);
    expect(tier.share!()).toBeGreaterThan(0.5);
  });
});

/** Does the process wait for something? */
function asleep(pid: number): boolean {
  return /\) S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

describe.skipIf(reason !== null)('the native harness', () => {
  it('gives the same outcome twice', () => {
    for (const group of GROUPS) {
      const t = truth(group, seed, 60);
      const again = runNative(t.linked.map((l) => l.case));
      for (let i = 0; i < t.programs.length; i++)
        expect(
          compare(t.programs[i], t.linked[i], t.natives[i], again[i], 'PAE'),
          group.name,
        ).toEqual([]);
    }
  });

  it('cuts off what does not end, and goes on with the next', () => {
    const [linked] = truth(GROUPS[0], seed, 1).linked;
    const endless = { ...linked.case, code: Uint8Array.of(0xeb, 0xfe) };
    const [first, cut, last] = runNative([linked.case, endless, linked.case]);
    expect([cut.trap, cut.eip]).toEqual([TRAP_TIMEOUT, endless.entry]);
    expect(last).toEqual(first);
  });

  it('goes on when its timer rings between two cases', async () => {
    const { linked, natives } = truth(GROUPS[0], seed, 20);
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'], timeout: 60_000 });
    const ended = once(child, 'close');
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    for (const { case: one } of linked) {
      await new Promise((resolve) => child.stdin.write(encodeCases([one]), resolve));
      // Asleep: it has run the case and waits for the next.
      while (!asleep(child.pid!)) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill('SIGVTALRM');
    }
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(decodeOutcomes(Buffer.concat(output))).toEqual(natives);
  });

  it('makes the same program from the same seed, and others from another', () => {
    const code = (n: number) => [...link(makeProgram(GROUPS[0], n, 3)).case.code];
    expect(code(5)).toEqual(code(5));
    expect(code(5)).not.toEqual(code(6));
  });

  it('reduces a failure to the instruction to blame', async () => {
    // A tier that is the processor itself, but for BSWAP EAX, which it forgets.
    const bswap = [0x0f, 0xc8];
    const has = (code: Uint8Array) =>
      code.some((b, i) => b === bswap[0] && code[i + 1] === bswap[1]);
    const broken: Tier = {
      name: 'broken',
      paging: 'PAE',
      run: async (c) => {
        const [outcome] = runNative([c]);
        if (has(c.code)) outcome.regs[0] = ~outcome.regs[0];
        return outcome;
      },
    };
    const made = makeProgram(GROUPS[0], 7, 1);
    while (made.items.length < 12) made.items.push(...made.items);
    made.items.splice(5, 0, { op: 'NONE', bytes: bswap });
    made.place = () => 0x10000000;
    const failure = await reduce(made, broken);
    expect(failure?.program.items).toEqual([{ op: 'NONE', bytes: bswap }]);
  });
});
