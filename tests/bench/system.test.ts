// The order in which the bench runs whole systems, on engines that are shells.

import { expect, it } from 'vitest';
import type { Engine } from '../../bench/engines.ts';
import { SECOND_BOOT } from '../../bench/rows.ts';
import { Session } from '../../bench/session.ts';
import { runSystem, type System } from '../../bench/system.ts';

const shell = (): Session => new Session('/bin/sh', [], { ...process.env, TMPDIR: '/' });
const engine = (key: string, more: Partial<Engine> = {}): Engine => ({
  key,
  title: key,
  boot: shell,
  micro: shell,
  computesOnly: true,
  ...more,
});
const system: System = {
  section: 'shells',
  image: { kernel: '', initrd: '' },
  ready: /ready\n/,
  boot: 'boot',
  prepare: 't() { r; echo; echo "done-$1-"; }',
  rows: [
    { name: 'one', command: 'echo begun; echo 1' },
    { name: 'two', command: 'test $DIES && kill $$; echo 2' },
  ],
  withBoot: true,
  withSecondBoot: false,
  withUpkeep: false,
};

/** What came, in order. */
async function run(engines: Engine[], more: Partial<System> = {}): Promise<string[]> {
  const log: string[] = [];
  await runSystem(
    engines,
    { ...system, ...more },
    {
      result: (row, { key }, { seconds, output = '' }) => {
        expect(seconds).toBeGreaterThan(0);
        log.push(`${key} ${row} ${output}`.trim());
      },
      finished: async ({ key }) => void log.push(`${key} finished`),
      problem: ({ key }, error) => log.push(`${key}: ${error.message}`),
    },
  );
  return log;
}

it('runs a row on each engine in turn, those that are never at rest by themselves', async () => {
  const engines = [engine('restless', { restless: true }), engine('a'), engine('b')];
  expect(await run(engines)).toEqual([
    ...['a one 1', 'b one 1', 'a two 2', 'b two 2'],
    ...['restless one 1', 'restless two 2'],
  ]);
});

it('goes on without an engine that ends', async () => {
  const dies = (): Session => new Session('/bin/sh', [], { TMPDIR: '/', DIES: '1' });
  const engines = [engine('a', { boot: dies }), engine('b'), engine('none', { boot: undefined })];
  const log = await run(engines);
  expect(log).toEqual(['a one 1', 'b one 1', expect.stringMatching(/^a: ended early/), 'b two 2']);
});

it('asks what a machine cost when the others are gone', async () => {
  const upkeep = async (): Promise<undefined> => undefined;
  const other = engine('b');
  const sessions: Session[] = [];
  other.boot = () => {
    sessions.push(shell());
    return sessions[0]!;
  };
  const log = await run([engine('a', { upkeep }), other], { withUpkeep: true });
  expect(log.at(-1)).toBe('a finished');
  await expect(sessions[0]!.waitFor(/never/, 1)).rejects.toThrow('ended early');
  expect(log).toHaveLength(5);
});

it('times the boot, and the second of two that leave something to each other', async () => {
  let started = 0;
  const bootSaving = (): Session => {
    started++;
    return new Session('/bin/sh', ['-c', 'echo ready; read line']);
  };
  const boots = engine('a', { computesOnly: false, boot: bootSaving, bootSaving });
  expect(await run([boots], { rows: [], withSecondBoot: true })).toEqual([
    'a boot',
    `a ${SECOND_BOOT}`,
  ]);
  expect(started).toBe(3);
});
