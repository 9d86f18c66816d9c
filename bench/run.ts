// `npm run bench`: one table, all its figures from one run. Each repetition runs the micro-benchmarks
// (micro.ts) and then whole systems (system.ts), so that a machine that warms up or gets busy does so
// for all. Seconds run on the host from the command typed to the marker on the serial line.

import { debianGuest, GuestUnavailable } from '../guests/debian';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { matcher, noSuchRow, repetitionsOf } from './choice';
import { engines as allEngines, type Engine } from './engines';
import { runMicro } from './micro';
import { MICRO_ROWS, type MicroRow } from './micro-rows';
import { BOOT, DEFINE, PREPARE, ROWS, SECOND_BOOT, VMI_BOOT, VMI_ROWS } from './rows';
import { runSystem, type System } from './system';
import { formatTable, formatTargets, type Cell, type Results } from './table';
import { targets as findTargets } from './targets';
import { PROMPT, vmiKernel } from './vmi-kernel';

const HELP = `npm run bench -- [--only REGEX] [--engines LIST] [--browser] [--node PROGRAM]
                 [--quick] [--repeat N] [--json FILE]

  --only REGEX    rows whose name or section this matches, e.g. --only 'gzip|sieve', --only x87
  --engines LIST  of interpreter,jit,v86,qemu,native
  --browser       vmi86 and v86 in headless Chromium, too: chromium-interpreter, chromium, chromium-v86
  --node PROGRAM  the JIT in another Node, too (again for more): node-24 is its name in LIST
  --quick         one repetition instead of three
  --json FILE     write every figure, too

  --paravirt      what VMI is worth instead; --paravirt --help lists its options`;

/** Row by engine: what was printed, to see that all engines computed the same. */
type Outputs = Record<string, Record<string, string>>;

interface Bench {
  results: Results;
  outputs: Outputs;
  microRows: MicroRow[];
  problems: string[];
}

const SYSTEM_SECTION = 'whole system';
const VMI_SECTION = 'kernel with VMI';
/** The micro-benchmarks' groups, as the table has them. */
const SECTIONS: Record<MicroRow['group'], string> = {
  compiled: 'compiled integer code',
  integer: 'other integer code and memory',
  x87: 'x87',
  SSE2: 'SSE2',
  system: 'system instructions',
};

/** `folder` is empty and for the bench's own files; the caller removes it. */
export async function main(
  argv: string[],
  root: string,
  v86Child: string,
  browserChild: string,
  folder: string,
): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      engines: { type: 'string' },
      browser: { type: 'boolean', default: false },
      node: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      repeat: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const repetitions = repetitionsOf(values);
  const wanted = matcher(values.only);
  const rows = ROWS.filter((row) => wanted(row.name, SYSTEM_SECTION));
  const microRows = MICRO_ROWS.filter((row) => wanted(row.name, SECTIONS[row.group]));
  const withBoot = wanted(BOOT, SYSTEM_SECTION);
  const withSecondBoot = wanted(SECOND_BOOT, SYSTEM_SECTION);
  const withGuest = rows.length > 0 || withBoot || withSecondBoot;
  const order = [BOOT, SECOND_BOOT, ...ROWS, VMI_BOOT, ...VMI_ROWS, ...MICRO_ROWS].map((row) =>
    typeof row === 'string' ? row : row.name,
  );
  const vmiRows = VMI_ROWS.filter((row) => wanted(row.name, VMI_SECTION));
  const withVmi = vmiRows.length > 0 || wanted(VMI_BOOT, VMI_SECTION);
  if (!withGuest && !withVmi && !microRows.length) {
    throw noSuchRow(values.only, order);
  }
  const problems: string[] = [];
  let guest;
  if (withGuest) {
    try {
      guest = await debianGuest({ root, progress: (line) => say(`guest: ${line}`) });
    } catch (error) {
      if (!(error instanceof GuestUnavailable)) throw error;
      problems.push(`without the rows of a whole system: ${error.message}`);
      say(`bench: ${problems.at(-1)}`);
    }
  }

  const systems: System[] = [];
  if (guest) {
    systems.push({
      section: SYSTEM_SECTION,
      image: { kernel: guest.kernel, initrd: guest.initrd },
      ready: /GUEST-READY[^]*?# /,
      boot: BOOT,
      prepare: PREPARE,
      rows,
      withBoot,
      withSecondBoot,
      withUpkeep: rows.length === ROWS.length,
    });
  }
  const image = withVmi ? vmiKernel(root, folder) : undefined;
  if (image) {
    systems.push({
      section: VMI_SECTION,
      image,
      ready: PROMPT,
      boot: VMI_BOOT,
      prepare: DEFINE,
      rows: vmiRows,
      withBoot: wanted(VMI_BOOT, VMI_SECTION),
      withSecondBoot: false,
      withUpkeep: false,
    });
  } else if (withVmi) {
    say(
      'bench: without the rows of a kernel with VMI: VMI86_VMI_KERNEL and VMI86_VMI_INITRD name none',
    );
  }
  if (!systems.length && !microRows.length) return 1;

  const engines = choose(
    allEngines({
      root,
      guest,
      v86Child,
      browserChild,
      browser: values.browser,
      nodes: values.node,
      folder,
    }),
    values.engines,
  );
  const bench: Bench = {
    results: { engines: engines.map(({ key, title }) => ({ key, title })), rows: [] },
    outputs: {},
    microRows,
    problems,
  };
  const failed = new Set<Engine>();
  const failedMicro = new Set<string>();
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    if (microRows.length) {
      say(`bench: micro-benchmarks, ${repetition} of ${repetitions}`);
      await measureMicro(bench, engines, failedMicro);
    }
    for (const system of systems) {
      say(`bench: ${system.section}, ${repetition} of ${repetitions}`);
      const now = engines.filter((engine) => repetition === 1 || !engine.onceWhole);
      await measureSystem(bench, now, system, failed);
    }
  }

  bench.results.rows.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  problems.push(...differences(bench.outputs));
  const reference = ['jit', 'interpreter', 'qemu', 'v86', 'native'].find((key) =>
    engines.some((engine) => engine.key === key),
  );
  console.log(
    `${guest ? `${guest.name}; ` : ''}Node ${process.versions.node}, V8 ${process.versions.v8}`,
  );
  console.log(`seconds, median of ${repetitions}; ratios: 2.00x takes twice as long\n`);
  console.log(formatTable(bench.results, reference ?? ''));
  const targets = findTargets(bench.results);
  console.log(`\n${formatTargets(targets)}`);
  for (const problem of problems) console.log(`! ${problem}`);
  if (values.json) {
    const { results } = bench;
    const { versions, arch } = process;
    const host = { node: versions.node, v8: versions.v8, arch };
    writeFileSync(
      values.json,
      JSON.stringify({ guest: guest?.name ?? null, host, problems, targets, ...results }, null, 2) +
        '\n',
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

/** One repetition. An engine that failed once is left out: each further wait for it may be minutes. */
async function measureSystem(
  bench: Bench,
  engines: Engine[],
  system: System,
  failed: Set<Engine>,
): Promise<void> {
  // What the processor itself runs is the Debian guest's programs.
  const able = engines.filter(
    (engine) => !failed.has(engine) && !(engine.computesOnly && system.section !== SYSTEM_SECTION),
  );
  await runSystem(able, system, {
    result: (row, engine, { output, ...figures }) => {
      record(bench, row, system.section, engine, figures);
      if (output !== undefined) (bench.outputs[row] ??= {})[engine.title] = output;
    },
    finished: async (engine, session) => {
      say(`bench: ${engine.title}, twenty seconds at its prompt`);
      const upkeep = await engine.upkeep!(session);
      if (upkeep) (bench.results.upkeep ??= []).push(upkeep);
    },
    problem: (engine, error) => {
      failed.add(engine);
      bench.problems.push(`${engine.title}: ${error.message}`);
      say(`bench: ${bench.problems.at(-1)}`);
    },
  });
}

/** One repetition. A row that failed on an engine once is not waited for again. */
async function measureMicro(bench: Bench, engines: Engine[], failed: Set<string>): Promise<void> {
  await runMicro(engines, bench.microRows, {
    skip: (row, engine) => failed.has(`${row.word} ${engine.key}`),
    result: (row, engine, { checksum, ...figures }) => {
      record(bench, row.name, SECTIONS[row.group], engine, figures);
      (bench.outputs[row.name] ??= {})[engine.title] = checksum;
    },
    problem: (row, engine, error) => {
      failed.add(`${row.word} ${engine.key}`);
      bench.problems.push(`${engine.title}, ${row.name}: ${error.message}`);
      say(`bench: ${bench.problems.at(-1)}`);
    },
  });
}

function record(
  bench: Bench,
  name: string,
  section: string,
  engine: Engine,
  figures: { seconds: number; again?: number; instructions?: number | undefined },
): void {
  let row = bench.results.rows.find((candidate) => candidate.name === name);
  if (!row) bench.results.rows.push((row = { name, section, cells: {} }));
  const cell: Cell = (row.cells[engine.key] ??= { seconds: [] });
  const { seconds, again, instructions } = figures;
  cell.seconds.push(seconds);
  if (again !== undefined) (cell.again ??= []).push(again);
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
