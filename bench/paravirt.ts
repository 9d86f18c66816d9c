// `npm run bench -- --paravirt`: what VMI is worth. One kernel, natively and on the ROM, and with
// each part of VMI left out, interleaved; for each row the processor time that the emulator took,
// and what the guest had to do for it.
//
// Processor time, not the clock's: an idle guest takes little, and other programs take none of it. Of
// programs in the guest, which run until all is translated first, the guest's thread's; of a boot and
// of idling the whole emulator's.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { VMI_OPTIONS } from '../host/vmi/options';
import { matcher, noSuchRow, repetitionsOf } from './choice';
import type { Image } from './engines';
import { formatWorth, type Measured, type Setting } from './paravirt-table';
import { processorSeconds, statisticsOf, threadSeconds } from './process';
import { Session } from './session';
import { program, PROGRAM, PROMPT, vmiKernel } from './vmi-kernel';

const HELP = `npm run bench -- --paravirt [--only ROWS] [--quick] [--repeat N] [--json FILE]

  VMI86_VMI_KERNEL and VMI86_VMI_INITRD name a bzImage with CONFIG_VMI and its initial root file
  system, which ends in a shell on the serial line.

  --only ROWS   rows whose name matches this regular expression
  --quick       one repetition instead of three, shorter rows
  --repeat N    so many repetitions
  --json FILE   write every figure, too`;

const BOOT_LIMIT = 300;
const ROW_LIMIT = 300;
export const BOOT = 'boot to prompt';

interface Row {
  name: string;
  command: (times: number) => string;
  times: number;
  /** Divides `times` with --quick. */
  quick: number;
  /** In the first repetition alone: it takes its minute, and hardly varies. */
  once?: boolean;
}

/** Runs of a program before the one that counts. */
const WARM_UPS = 3;

const loop =
  (which: string) =>
  (times: number): string =>
    program(which, times);

const ROWS: Row[] = [
  { name: 'getpid', command: loop('getpid'), times: 4_000_000, quick: 4 },
  { name: 'fork and exec', command: loop('fork'), times: 4000, quick: 4 },
  { name: 'pipe, there and back', command: loop('pipe'), times: 60_000, quick: 4 },
  { name: 'page faults', command: loop('fault'), times: 400_000, quick: 4 },
  { name: 'context switches', command: loop('switch'), times: 400_000, quick: 4 },
  {
    name: 'idle, seconds',
    command: (seconds) => `sleep ${seconds}`,
    times: 60,
    quick: 6,
    once: true,
  },
];

const isProgram = (row: Row): boolean => row.command(1).startsWith(PROGRAM);

const SETTINGS: Setting[] = [
  { title: 'native', options: ['--paravirt', 'none'] },
  { title: 'vmi', options: [] },
  ...VMI_OPTIONS.map((option) => ({
    title: `no-${option}`,
    options: ['--vmi', `no-${option}`],
  })),
];

export async function main(argv: string[], root: string, folder: string): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      paravirt: { type: 'boolean' },
      only: { type: 'string' },
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
  const rows = [BOOT, ...ROWS.map(({ name }) => name)];
  if (!rows.some((name) => wanted(name))) throw noSuchRow(values.only, rows);
  const image = vmiKernel(root, folder);
  if (!image) {
    console.error('bench: VMI86_VMI_KERNEL and VMI86_VMI_INITRD name no kernel with CONFIG_VMI');
    return 1;
  }
  const bench = new Bench(root, folder, image, values.quick);
  const measured: Measured[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const setting of SETTINGS) {
      console.error(`bench: ${setting.title}, ${repetition} of ${repetitions}`);
      measured.push(...(await bench.measure(setting, wanted, repetition === 1)));
    }
  }
  console.log(
    `processor seconds, medians of ${repetitions}; ratios to native: below 1 is faster\n`,
  );
  console.log(formatWorth(SETTINGS, measured));
  if (values.json) writeFileSync(values.json, JSON.stringify(measured, null, 2) + '\n');
  return 0;
}

class Bench {
  private serial = 0;
  private readonly stats: string;

  constructor(
    private readonly root: string,
    folder: string,
    private readonly image: Required<Image>,
    private readonly quick: boolean,
  ) {
    this.stats = join(folder, 'paravirt.json');
  }

  async measure(
    { title, options }: Setting,
    wanted: (row: string) => boolean,
    first: boolean,
  ): Promise<Measured[]> {
    const session = new Session(process.execPath, [
      ...[
        join(this.root, 'dist', 'vmi86.js'),
        '--kernel',
        this.image.kernel,
        '--initrd',
        this.image.initrd,
      ],
      ...['--append', this.image.append, '--stats', this.stats, ...options],
    ]);
    const measured: Measured[] = [];
    try {
      await session.waitFor(PROMPT, BOOT_LIMIT);
      let before: Seen = {
        seconds: 0,
        threadSeconds: 0,
        instructions: 0,
        fills: 0,
        interrupts: 0,
        exits: 0,
      };
      const note = async (row: string, thread = false): Promise<void> => {
        const after = await this.look(session);
        const { threadSeconds, ...rest } = difference(after, before);
        if (thread) rest.seconds = threadSeconds;
        measured.push({ setting: title, row, ...rest });
        console.error(`bench: ${title}, ${row}: ${measured.at(-1)!.seconds.toFixed(2)} s`);
        before = after;
      };
      if (wanted(BOOT)) await note(BOOT);
      for (const row of ROWS.filter(({ name, once }) => wanted(name) && (first || !once))) {
        const times = Math.round(row.times / (this.quick ? row.quick : 1));
        // What is compared is not how long translation takes.
        if (isProgram(row)) {
          for (let i = 0; i < WARM_UPS; i++) await this.type(session, row.command(times));
        }
        before = await this.look(session);
        await this.type(session, row.command(times));
        await note(row.name, isProgram(row));
      }
    } finally {
      await session.close();
    }
    return measured;
  }

  private async type(session: Session, command: string): Promise<void> {
    const number = ++this.serial;
    // The sum keeps the marker out of what the terminal echoes.
    session.type(`${command}; echo "done-$((${number}))-$?"\n`);
    const { text } = await session.waitFor(
      new RegExp(`done-${number}-(\\d+)\\r?\\n[^]*# (\\x1b\\[6n)?$`),
      ROW_LIMIT,
    );
    if (!text.includes(`done-${number}-0`)) throw new Error(`${command} failed in the guest`);
  }

  /** Processor time and the machine's counts up to now. */
  private async look(session: Session): Promise<Seen> {
    const pid = session.pid!;
    const counts = await statisticsOf(pid, this.stats);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      seconds: processorSeconds(pid),
      threadSeconds: threadSeconds(pid),
      instructions: counts.instructions.total,
      fills: counts.tlb.fills,
      interrupts: sum(Object.values(counts.interrupts)),
      exits: sum(Object.values(counts.devices).map(({ reads, writes }) => reads + writes)),
    };
  }
}

type Seen = Omit<Measured, 'setting' | 'row'> & { threadSeconds: number };

function difference(after: Seen, before: Seen): Seen {
  return {
    seconds: after.seconds - before.seconds,
    threadSeconds: after.threadSeconds - before.threadSeconds,
    instructions: after.instructions - before.instructions,
    fills: after.fills - before.fills,
    interrupts: after.interrupts - before.interrupts,
    exits: after.exits - before.exits,
  };
}
