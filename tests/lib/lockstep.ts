/**
 * Two machines on virtual clocks, the interpreter and the translator, run side by side and compared
 * every so many instructions: registers, flags, FPU, SSE, control registers, the clock, and now and
 * then all of memory. Where they part, both start anew and run with ever smaller steps up to the
 * last good place, so that at the end one region, or a handful, is to blame.
 *
 * A machine stops only where the budget is looked at (docs/testing.md), so a step is at least as
 * long as the way there.
 */
import { Machine, type MachineOptions } from '../../host/machine.ts';
import { Decoded } from '../../jit/decoded.ts';
import { fusing } from '../../jit/fuse.ts';
import type { Translated, TranslatorOptions } from '../../jit/translator.ts';
import { printModule } from '../../jit/wasm/print.ts';
import { alike, codeAt, hex, snapshot, usesOf } from './snapshot.ts';

export interface LockstepOptions {
  core: Uint8Array<ArrayBuffer>;
  kernel: Uint8Array;
  initrd?: Uint8Array | undefined;
  commandLine?: string | undefined;
  memory: number;
  translator?: Partial<TranslatorOptions> | undefined;
  /** A file of translations for the translator to begin with. */
  translations?: Uint8Array<ArrayBuffer> | undefined;
  /** Conditions by the hand-written forms of jit/fuse.ts. */
  fused?: boolean | undefined;
  /** Instructions: nothing is compared before, the end, between comparisons. */
  from?: number | undefined;
  to?: number | undefined;
  step: number;
  /**
   * Instead of `from` and `to`: so many instructions from the guest's first output on, which with a
   * packed kernel is after unpacking it.
   */
  span?: number | undefined;
  /** Between comparisons of memory. */
  memoryStep?: number | undefined;
  /** What the guest sends, and how far it is. */
  onSerial?: ((bytes: Uint8Array) => void) | undefined;
  say?: ((text: string) => void) | undefined;
}

export interface Difference {
  what: string;
  interpreter: string;
  translator: string;
}

export interface Divergence {
  /** Instructions retired at the last place where both were alike, and where they were not. */
  good: number;
  bad: number;
  differences: Difference[];
  report: string;
}

interface Made {
  ordinal: number;
  region: Translated;
  bytes: Uint8Array;
}

const MEMORY_STEP = 20_000_000;
/** Before the guest says anything. */
const QUIET_STEP = 10_000_000;
/** How much smaller the steps get each time the two start anew. */
const NARROWING = 100;
const MEMORY_NARROWING = 20;
/** In a report. */
const REGIONS_SHOWN = 3;

export async function lockstep(options: LockstepOptions): Promise<Divergence | null> {
  try {
    return await search(options);
  } finally {
    fusing.enabled = true;
  }
}

/**
 * Finds the first region that must be translated for the two to part: binary search over how many
 * regions are made. Null when they do not part.
 */
export async function bisect(options: LockstepOptions): Promise<string | null> {
  const part = async (limit: number, to?: number): Promise<Pair> => {
    const pair = await Pair.create({ ...options, translator: { ...options.translator, limit } });
    if (to === undefined) pair.begin(options.step, options.memoryStep, false);
    else pair.run(options.from ?? 0, to, Math.max(options.step, QUIET_STEP), Infinity, false);
    return pair;
  };
  try {
    let worst = await part(Infinity);
    if (!worst.apart) return null;
    const to = worst.bad;
    let good = 0;
    let bad = worst.made;
    while (bad - good > 1) {
      options.say?.(`the fault is in one of the regions ${good + 1} to ${bad}`);
      const middle = (good + bad) >> 1;
      const pair = await part(middle, to);
      if (pair.apart) {
        bad = pair.made;
        worst = pair;
      } else good = middle;
    }
    return [
      `with ${good} regions the two are alike, with ${bad} not after ${worst.bad} instructions`,
      worst.lastRegion(),
    ].join('\n');
  } finally {
    fusing.enabled = true;
  }
}

async function search(options: LockstepOptions): Promise<Divergence | null> {
  let { step } = options;
  let from = 0;
  let to = Infinity;
  let memoryStep = Infinity;
  let found: Pair | null = null;
  for (let round = 0; ; round++) {
    const pair = await Pair.create(options);
    if (round === 0) pair.begin(step, options.memoryStep, step === 1);
    else pair.run(from, to, step, memoryStep, true);
    // When it does not happen again with smaller steps, what is known stands.
    if (!pair.apart) return found && found.divergence();
    found = pair;
    if (step === 1) return pair.divergence();
    const names = pair.differences.map(({ what }) => what).join(' ');
    options.say?.(`apart between ${pair.good} and ${pair.bad}: ${names}`);
    from = pair.good;
    to = pair.bad;
    const parts = pair.inMemory ? MEMORY_NARROWING : NARROWING;
    step = Math.max(1, Math.floor((to - from) / parts));
    memoryStep = pair.inMemory ? step : Infinity;
  }
}

class Pair {
  good = 0;
  bad = 0;
  differences: Difference[] = [];
  inMemory = false;
  private silent = true;
  private readonly regions = new Map<number, Made>();
  /** Regions made so far. */
  made = 0;
  private last: Made | undefined;
  /** Entries of each region, by slot, at the last good place. */
  private uses = new Map<number, number>();
  private goodEip = 0;
  private before: Difference[] = [];

  private constructor(
    private readonly options: LockstepOptions,
    private readonly interpreter: Machine,
    private readonly translator: Machine,
  ) {}

  static async create(options: LockstepOptions): Promise<Pair> {
    let pair: Pair | undefined = undefined;
    const core = new WebAssembly.Module(options.core);
    const common: MachineOptions = {
      core,
      kernel: options.kernel,
      initrd: options.initrd,
      commandLine: options.commandLine,
      memory: options.memory,
      clock: 'virtual',
      hostNow: () => performance.now() * 1e6,
    };
    const interpreter = await Machine.create({ ...common, jit: false });
    const translator = await Machine.create({
      ...common,
      coreBytes: options.core,
      translations: options.translations && {
        file: options.translations,
        onUnusable: (reason) => {
          throw new Error(reason);
        },
      },
      translator: {
        ...options.translator,
        onRegion: (region, bytes) => pair!.note(region, bytes),
      },
    });
    pair = new Pair(options, interpreter, translator);
    translator.onSerial = (bytes) => {
      pair!.silent = false;
      options.onSerial?.(bytes);
    };
    return pair;
  }

  private note(region: Translated, bytes: Uint8Array): void {
    this.last = { ordinal: ++this.made, region, bytes: Uint8Array.from(bytes) };
    this.regions.set(region.slot, this.last);
  }

  /** Differences have been found. */
  get apart(): boolean {
    return this.differences.length > 0;
  }

  /** Runs both as far as the options say. */
  begin(step: number, memoryStep = MEMORY_STEP, detailed: boolean): void {
    let { from = 0, to = Infinity } = this.options;
    const { span, say } = this.options;
    if (span) {
      if (this.untilOutput()) say?.(`output begins after ${this.good} instructions`);
      from = this.good;
      to = from + span;
    }
    if (!this.apart) this.run(from, to, step, memoryStep, detailed);
  }

  /** Runs both up to the first byte the guest sends; false when they differ before, or end. */
  private untilOutput(): boolean {
    fusing.enabled = this.options.fused ?? true;
    while (this.silent) {
      const alive = this.advance(this.good + QUIET_STEP);
      if (this.apart || !alive) return false;
    }
    return true;
  }

  /** Runs both and compares their processors; false when one has ended. */
  private advance(to: number): boolean {
    const alive = [this.interpreter, this.translator].map((machine) => advance(machine, to));
    this.bad = to;
    if (alike(this.interpreter, this.translator)) this.good = to;
    else this.differences = this.state().filter((d) => d.interpreter !== d.translator);
    return alive.every(Boolean);
  }

  /**
   * Runs both and compares up to `to`, or until they are apart. `detailed`: remembers at each good
   * place what the report needs.
   */
  run(from: number, to: number, step: number, memoryStep: number, detailed: boolean): void {
    fusing.enabled = this.options.fused ?? true;
    let goodMemory = 0;
    let memoryAt = from + memoryStep;
    for (let at = from || step; ; at += step) {
      at = Math.min(at, to);
      const alive = this.advance(at);
      if (this.apart) return;
      if (at >= memoryAt || at === to || at === from) {
        this.differences = this.compareMemory();
        this.inMemory = this.apart;
        if (this.inMemory) {
          this.good = goodMemory;
          return;
        }
        goodMemory = at;
        while (memoryAt <= at) memoryAt += memoryStep;
      }
      if (detailed) this.keep();
      if (at === to || !alive) return;
    }
  }

  private keep(): void {
    this.goodEip = this.translator.cpu.state.eip;
    this.before = this.state();
    this.uses.clear();
    const memory = new Decoded(this.translator.cpu.memory);
    for (const [slot, { region }] of this.regions) this.uses.set(slot, usesOf(memory, region));
  }

  private state(): Difference[] {
    const a = snapshot(this.interpreter);
    const b = snapshot(this.translator);
    return [...a].map(([what, value]) => ({ what, interpreter: value, translator: b.get(what)! }));
  }

  private compareMemory(): Difference[] {
    const a = this.interpreter.cpu.ram();
    const b = this.translator.cpu.ram();
    if (Buffer.compare(a, b) === 0) return [];
    const found: Difference[] = [];
    const bytes = (ram: Uint8Array, at: number) =>
      Buffer.from(ram.subarray(at, at + 4)).toString('hex');
    for (let at = 0; at < a.length && found.length < 8; at += 4096) {
      if (Buffer.compare(a.subarray(at, at + 4096), b.subarray(at, at + 4096)) === 0) continue;
      for (let word = at; word < at + 4096 && found.length < 8; word += 4) {
        const [x, y] = [bytes(a, word), bytes(b, word)];
        if (x !== y) found.push({ what: `[${word.toString(16)}]`, interpreter: x, translator: y });
      }
    }
    return found;
  }

  divergence(): Divergence {
    const { good, bad, differences } = this;
    return { good, bad, differences, report: this.report() };
  }

  private report(): string {
    const { good, bad, differences, before, translator } = this;
    const marked = new Set(differences.map(({ what }) => what));
    const memory = new Decoded(translator.cpu.memory);
    const lines = [`alike after ${good} instructions, not after ${bad}`, 'there:'];
    lines.push(...before.map((d) => `    ${d.what.padEnd(8)} ${d.interpreter}`));
    lines.push(`then: (interpreter, translator)`);
    lines.push(
      ...this.state()
        .concat(this.inMemory ? differences : [])
        .map(
          (d) =>
            `  ${marked.has(d.what) ? '*' : ' '} ${d.what.padEnd(8)} ${d.interpreter}  ${d.translator}`,
        ),
    );
    lines.push(`code at ${hex(this.goodEip)}:`, codeAt(memory, this.goodEip));
    const entered = [...this.regions.values()].filter(
      ({ region }) => usesOf(memory, region) !== (this.uses.get(region.slot) ?? 0),
    );
    lines.push(
      `regions entered since: ${entered.map(({ ordinal, region }) => `${ordinal} (${hex(region.eip)})`).join(' ')}`,
    );
    for (const made of entered.slice(0, REGIONS_SHOWN)) lines.push(this.text(made));
    lines.push(`again: ${commandOf(this.options)} --from ${good} --to ${bad} --step 1`);
    return lines.join('\n');
  }

  private text({ ordinal, region, bytes }: Made): string {
    const { eip, instructions, pages } = region;
    return [
      `region ${ordinal} at ${hex(eip)}, ${instructions} instructions, pages ${pages.map(hex).join(' ')}:`,
      codeAt(new Decoded(this.translator.cpu.memory), eip),
      printModule(bytes, `r${region.slot}`),
    ].join('\n');
  }

  lastRegion(): string {
    return this.last ? this.text(this.last) : 'no region was made';
  }
}

function commandOf({ translator = {}, fused = true }: LockstepOptions): string {
  const { heatLimit, regions, limit } = translator;
  const words = ['node scripts/lockstep.mjs'];
  for (const [name, value] of Object.entries({ heat: heatLimit, regions, limit })) {
    if (value !== undefined) words.push(`--${name} ${value}`);
  }
  if (!fused) words.push('--general');
  return words.join(' ');
}

/** False when the machine has ended. */
function advance(machine: Machine, to: number): boolean {
  while (machine.cpu.retired() < to) {
    const { kind } = machine.runSlice(to);
    if (kind !== 'running' && kind !== 'reset') return false;
  }
  return true;
}
