// Every row of the micro-benchmarks comes to the same on each engine: figures compare like with like.

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { execFileSync } from '../lib/commands.ts';
import type { Engine } from '../../bench/engines.ts';
import { runMicro } from '../../bench/micro.ts';
import { isComputing, MICRO_ROWS } from '../../bench/micro-rows.ts';
import { Session } from '../../bench/session.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inGuests = (name: string): string => join(root, 'bench', 'guests', name);
const program = join(root, 'dist', 'vmi86.js');

/** Some hundredths of what is measured: enough to be translated. */
const ROWS = MICRO_ROWS.map((row) => ({ ...row, count: Math.ceil(row.count / 400) }));

/** Of these counts, as the processor has it; what only a machine can do, by hand. */
const EXPECTED: Record<string, string> = {
  sieve: '000059d8', // 23,000 primes
  fib: '01529490',
  crc32: 'ac16defe',
  sha256: '085443d1',
  quicksort: 'fd6a1d8f',
  bytecode: 'f9b09e91',
  'integer-loop': 'fe4be367',
  'calls-within': 'a2a65d2d',
  'calls-across': '7eef8f89',
  'load-add-store': '2d8fc64f',
  'copy-loop': 'bf2c6a31',
  'copy-movs': 'bf2c6a31',
  'x87-matrix': 'e9e3ff82',
  'x87-division': 'dda1aa46',
  'sse2-matrix': 'b5ee3b92',
  'sse2-packed': 'b5ee3b92',
  'sse2-integers': 'dcfa1ca2',
  'cli-sti': '29e88cca', // 0 + 1 + ... + 37,499
  'int-iret': '00000bb8', // 3,000
  sysenter: '0000222e', // 8,750
  'cr3-refill': 'cd7ed130',
  'page-faults': '00004500', // 64 (1 + 2 + ... + 23)
  'port-output': '1689f07e', // 1 + 2 + ... + 27,500
};

const vmi86 = (...options: string[]): Session =>
  new Session(process.execPath, [program, ...options, '--kernel', inGuests('micro.elf')]);

const engines: (Engine & { program?: string })[] = [
  { key: 'interpreter', title: 'interpreter', micro: () => vmi86('--no-jit') },
  { key: 'jit', title: 'JIT', micro: () => vmi86(), warmsUp: true },
  {
    key: 'qemu',
    title: 'QEMU',
    program: 'qemu-system-i386',
    micro: () => {
      const machine = ['-accel', 'tcg', '-cpu', 'pentium3,+sse2', '-nographic'];
      return new Session('qemu-system-i386', [...machine, '-kernel', inGuests('micro.elf')]);
    },
  },
  {
    key: 'native',
    title: 'processor',
    program: inGuests('micro-linux.elf'),
    micro: () => new Session(inGuests('micro-linux.elf'), []),
    computesOnly: true,
  },
];

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.each(engines)('$title', (engine) => {
  it.skipIf(engine.program !== undefined && !runs(engine.program))(
    'computes what each row is to come to',
    async () => {
      const sums: Record<string, string> = {};
      await runMicro([engine], ROWS, {
        skip: () => false,
        result: (row, _, { checksum }) => (sums[row.word] = checksum),
        problem: (row, _, error) => expect.fail(`${row.name}: ${error.message}`),
      });
      const rows = ROWS.filter((row) => isComputing(row) || !engine.computesOnly);
      expect(sums).toEqual(Object.fromEntries(rows.map(({ word }) => [word, EXPECTED[word]])));
    },
    120_000,
  );
});

it('says that it does not know a row', async () => {
  const problems: string[] = [];
  await runMicro([engines[0]!], [{ ...ROWS[0]!, word: 'nothing' }], {
    skip: () => false,
    result: () => expect.fail('a result'),
    problem: (_row, _engine, error) => problems.push(error.message),
  });
  expect(problems).toEqual(['the guest does not know nothing']);
});
