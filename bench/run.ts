// `npm run bench`: one table, all its figures from one run. Each repetition starts every engine in
// turn and types the same commands at each, so that a machine that warms up or gets busy does so
// for all. Seconds run on the host from the command typed to the marker on the serial line.

import { debianGuest, GuestUnavailable } from '../guests/debian';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { engines as allEngines, type Engine } from './engines';
import { LOOP_DONE, LOOP_INSTRUCTIONS, LOOP_STARTED } from './loop';
import { BOOT, LOOP, PREPARE, ROWS, type Row } from './rows';
import { now, type Session } from './session';
import { formatTable, type Cell, type Results } from './table';

const HELP = `npm run bench -- [--only ROW] [--engines LIST] [--quick] [--repeat N] [--json FILE]

  --only ROW      rows whose name contains this, e.g. --only gzip
  --engines LIST  of interpreter,jit,v86,qemu,native
  --quick         one repetition instead of three
  --json FILE     write every figure, too`;

const BOOT_LIMIT = 600;
const ROW_LIMIT = 600;

/** Row by engine: what was printed, to see that all engines computed the same. */
type Outputs = Record<string, Record<string, string>>;

interface Bench {
  results: Results;
  outputs: Outputs;
  rows: Row[];
  withLoop: boolean;
  withBoot: boolean;
}

/** `folder` is empty and for the bench's own files; the caller removes it. */
export async function main(
  argv: string[],
  root: string,
  v86Child: string,
  folder: string,
): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      engines: { type: 'string' },
      quick: { type: 'boolean', default: false },
      repeat: { type: 'string', default: '3' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  let guest;
  try {
    guest = await debianGuest({ root, progress: (line) => say(`guest: ${line}`) });
  } catch (error) {
    if (!(error instanceof GuestUnavailable)) throw error;
    console.error(error.message);
    return 1;
  }

  const engines = choose(allEngines({ root, guest, v86Child, folder }), values.engines);
  const wanted = (name: string): boolean => !values.only || name.includes(values.only);
  const bench: Bench = {
    results: { engines: engines.map(({ key, title }) => ({ key, title })), rows: [] },
    outputs: {},
    rows: ROWS.filter((row) => wanted(row.name)),
    withLoop: wanted(LOOP),
    withBoot: wanted(BOOT),
  };
  const repetitions = values.quick ? 1 : Number(values.repeat);
  const problems: string[] = [];
  /** Engines that failed once: each further wait for them may be minutes. */
  const failed = new Set<Engine>();
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const engine of engines) {
      if (failed.has(engine)) continue;
      say(`bench: ${engine.title}, ${repetition} of ${repetitions}`);
      try {
        await measure(bench, engine);
      } catch (error) {
        failed.add(engine);
        problems.push(`${engine.title}: ${error instanceof Error ? error.message : error}`);
        say(`bench: ${problems.at(-1)}`);
      }
    }
  }

  const order = [BOOT, LOOP, ...ROWS.map((row) => row.name)];
  bench.results.rows.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  problems.push(...differences(bench.outputs));
  const reference = ['jit', 'interpreter', 'qemu', 'v86', 'native'].find((key) =>
    engines.some((engine) => engine.key === key),
  );
  console.log(`${guest.name}; Node ${process.versions.node}, V8 ${process.versions.v8}`);
  console.log(`seconds, median of ${repetitions}; ratios: 2.00x takes twice as long\n`);
  console.log(formatTable(bench.results, reference ?? ''));
  for (const problem of problems) console.log(`! ${problem}`);
  if (values.json) {
    const { results } = bench;
    const { versions, arch } = process;
    const host = { node: versions.node, v8: versions.v8, arch };
    writeFileSync(
      values.json,
      JSON.stringify({ guest: guest.name, host, problems, ...results }, null, 2) + '\n',
    );
  }
  return problems.length ? 1 : 0;
}

function choose(engines: Engine[], list: string | undefined): Engine[] {
  const keys = list?.split(',');
  const unknown = keys?.filter((key) => !engines.some((engine) => engine.key === key));
  if (unknown?.length) {
    throw new Error(
      `--engines ${unknown.join(',')}: give some of ${engines.map((e) => e.key).join(',')}`,
    );
  }
  return engines.filter((engine) => {
    if (keys && !keys.includes(engine.key)) return false;
    if (engine.missing) say(`bench: without ${engine.title}: ${engine.missing}`);
    return !engine.missing;
  });
}

async function measure(bench: Bench, engine: Engine): Promise<void> {
  if (bench.withLoop) await measureLoop(bench, engine);
  if (!bench.withBoot && bench.rows.length === 0) return;
  const session = engine.boot();
  try {
    if (engine.key === 'native') {
      session.type('cd "$TMPDIR"\n');
    } else {
      const { at } = await session.waitFor(/GUEST-READY[^]*?# /, BOOT_LIMIT);
      const instructions = await engine.instructions?.(session);
      if (bench.withBoot) record(bench, BOOT, engine, at - session.started, instructions);
    }
    const prepare =
      engine.key === 'native' ? PREPARE.replace('cd /tmp; ', '') : `BIN=/bin; ${PREPARE}`;
    if (bench.rows.length) await command(session, prepare, '');
    for (const row of bench.rows) {
      const before = await engine.instructions?.(session);
      const { seconds, output } = await command(session, `r() { ${row.command}; }`, 't');
      const after = await engine.instructions?.(session);
      const count = before !== undefined && after !== undefined ? after - before : undefined;
      record(bench, row.name, engine, seconds, count);
      (bench.outputs[row.name] ??= {})[engine.title] = output;
    }
  } finally {
    await session.close();
  }
}

async function measureLoop(bench: Bench, engine: Engine): Promise<void> {
  const session = engine.loop();
  try {
    const start = await session.waitFor(LOOP_STARTED, 60);
    const end = await session.waitFor(LOOP_DONE, ROW_LIMIT);
    const counts = engine.instructions ? LOOP_INSTRUCTIONS : undefined;
    record(bench, LOOP, engine, end.at - start.at, counts);
  } finally {
    await session.close();
  }
}

let serial = 0;

/**
 * Types a definition, untimed, and then, timed, a word that ends with the marker. The marker's text
 * does not occur in what the terminal echoes.
 */
async function command(
  session: Session,
  definition: string,
  word: string,
): Promise<{ seconds: number; output: string }> {
  const marked = async (text: string, number: number): Promise<{ at: number; text: string }> => {
    session.type(`${text}\n`);
    return session.waitFor(new RegExp(`\\ndone-${number}-\\r?\\n`), ROW_LIMIT);
  };
  const defined = ++serial;
  await marked(`${definition}; echo; echo done-$((${defined}))-`, defined);
  if (!word) return { seconds: 0, output: '' };
  await new Promise((resolve) => setTimeout(resolve, 50)); // the prompt after it
  const number = ++serial;
  const typed = now();
  const match = await marked(`${word} ${number}`, number);
  const lines = match.text.replaceAll('\r', '').trim().split('\n');
  // Before the marker: an empty line, and before that the last line that the command printed.
  const output = lines.slice(0, -1).findLast((line) => line.trim());
  return { seconds: match.at - typed, output: output ?? '' };
}

function record(
  bench: Bench,
  name: string,
  engine: Engine,
  seconds: number,
  instructions?: number,
): void {
  let row = bench.results.rows.find((candidate) => candidate.name === name);
  if (!row) bench.results.rows.push((row = { name, cells: {} }));
  const cell: Cell = (row.cells[engine.key] ??= { seconds: [] });
  cell.seconds.push(seconds);
  if (instructions !== undefined) cell.instructions = instructions;
  say(`bench: ${engine.title}, ${name}: ${seconds.toFixed(3)} s`);
}

function differences(outputs: Outputs): string[] {
  return Object.entries(outputs).flatMap(([row, byEngine]) => {
    if (new Set(Object.values(byEngine)).size <= 1) return [];
    const each = Object.entries(byEngine).map(([engine, text]) => `${engine} "${text}"`);
    return [`${row}: the engines disagree: ${each.join(', ')}`];
  });
}

function say(line: string): void {
  console.error(line);
}
