/**
 * Two machines on virtual clocks, the interpreter and the translator, run side by side and compared
 * every so many instructions: registers, flags, FPU, SSE, control registers, the clock, and now and
 * then all of memory. Where they part, both start anew and run with ever smaller steps up to the
 * last good place, so that at the end one region, or a handful, is to blame.
 *
 * A machine stops only where the budget is looked at (docs/testing.md), so a step is at least as
 * long as the way there.
 */
import {
  CR0,
  CR2,
  CR3,
  CR4,
  EAX,
  FPU_CONTROL,
  FPU_REGS,
  FPU_STATUS,
  FPU_TAGS,
  FPU_TOP,
  MXCSR,
  RAM_BASE,
  SEGMENT_BASE,
  SELECTOR,
  XMM,
} from '../../assembly/shared/layout.ts';
import { ENTRY_COUNT } from '../../assembly/shared/regions.ts';
import { Machine, type MachineOptions } from '../../host/machine.ts';
import { REGISTER_NAMES, SEGMENT_NAMES } from '../../host/state.ts';
import { Decoded } from '../../jit/decoded.ts';
import { fusing } from '../../jit/fuse.ts';
import type { Translated, TranslatorOptions } from '../../jit/translator.ts';
import { printModule } from '../../jit/wasm/print.ts';
import { disassembly } from './disassembly.ts';

export interface LockstepOptions {
  core: Uint8Array<ArrayBuffer>;
  kernel: Uint8Array;
  initrd?: Uint8Array | undefined;
  commandLine?: string | undefined;
  memory: number;
  translator?: Partial<TranslatorOptions> | undefined;
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
/** Of the code and the regions in a report. */
const CODE_BYTES = 96;
const REGIONS_SHOWN = 3;

export async function lockstep(options: LockstepOptions): Promise<Divergence | null> {
  try {
    return await search(options);
  } finally {
    fusing.enabled = true;
  }
}

async function search(options: LockstepOptions): Promise<Divergence | null> {
  let { from = 0, to = Infinity, step } = options;
  let memoryStep = options.memoryStep ?? MEMORY_STEP;
  let found: Pair | null = null;
  for (let round = 0; ; round++) {
    const pair = await Pair.create(options);
    if (options.span && round === 0) {
      if (pair.untilOutput()) options.say?.(`output begins after ${pair.good} instructions`);
      from = pair.good;
      to = from + options.span;
    }
    if (!pair.apart) pair.run(from, to, step, memoryStep, round > 0 || step === 1);
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
  private made = 0;
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
    const made = { ordinal: ++this.made, region, bytes: Uint8Array.from(bytes) };
    this.regions.set(region.slot, made);
  }

  /** Differences have been found. */
  get apart(): boolean {
    return this.differences.length > 0;
  }

  /** Runs both up to the first byte the guest sends; false when they differ before, or end. */
  untilOutput(): boolean {
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
    for (const { ordinal, region, bytes } of entered.slice(0, REGIONS_SHOWN)) {
      lines.push(
        `region ${ordinal} at ${hex(region.eip)}, ${region.instructions} instructions, pages ${region.pages.map(hex).join(' ')}:`,
        codeAt(memory, region.eip),
        printModule(bytes),
      );
    }
    lines.push(`again: node scripts/lockstep.mjs --from ${good} --to ${bad} --step 1`);
    return lines.join('\n');
  }
}

/** False when the machine has ended. */
function advance(machine: Machine, to: number): boolean {
  while (machine.cpu.retired() < to) {
    const { kind } = machine.runSlice(to);
    if (kind !== 'running' && kind !== 'reset') return false;
  }
  return true;
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** Processor and clock by name, in an order for reading. */
function snapshot({ cpu, clock }: Machine): Map<string, string> {
  const words = new Uint32Array(cpu.memory.buffer, 0, 0x2000);
  const word = (address: number) => hex(words[address >> 2]!);
  const vector = (address: number, count: number) =>
    Array.from({ length: count }, (_, i) => word(address + 4 * (count - 1 - i))).join('');
  const all = new Map<string, string>();
  all.set('retired', String(cpu.retired()));
  all.set('clock', String(clock.now()));
  all.set('eip', hex(cpu.state.eip));
  all.set('eflags', hex(cpu.state.eflags));
  REGISTER_NAMES.forEach((name, i) => all.set(name, word(EAX + 4 * i)));
  SEGMENT_NAMES.slice(0, 6).forEach((name, i) =>
    all.set(name, `${word(SELECTOR + 4 * i)}:${word(SEGMENT_BASE + 4 * i)}`),
  );
  for (const [name, at] of Object.entries({ cr0: CR0, cr2: CR2, cr3: CR3, cr4: CR4 }))
    all.set(name, word(at));
  const fpu = [FPU_CONTROL, FPU_STATUS, FPU_TAGS, FPU_TOP, MXCSR].map(word).join(' ');
  all.set('fpu', fpu);
  for (let i = 0; i < 8; i++) all.set(`r${i}`, vector(FPU_REGS + 16 * i, 3).slice(4));
  for (let i = 0; i < 8; i++) all.set(`xmm${i}`, vector(XMM + 16 * i, 4));
  return all;
}

/** The same as comparing snapshots, but quick. */
function alike(a: Machine, b: Machine): boolean {
  if (a.cpu.retired() !== b.cpu.retired() || a.clock.now() !== b.clock.now()) return false;
  if (a.cpu.state.eip !== b.cpu.state.eip || a.cpu.state.eflags !== b.cpu.state.eflags)
    return false;
  const x = words(a);
  const y = words(b);
  for (const [at, mask] of COMPARED) if ((x[at]! ^ y[at]!) & mask) return false;
  return true;
}

const views = new WeakMap<Machine, Uint32Array>();
function words(machine: Machine): Uint32Array {
  let view = views.get(machine);
  if (!view) views.set(machine, (view = new Uint32Array(machine.cpu.memory.buffer, 0, 0x800)));
  return view;
}

/** Words of the state and which bits of them count. */
const COMPARED: [index: number, mask: number][] = [];
function compared(address: number, count: number, mask = -1): void {
  for (let i = 0; i < count; i++) COMPARED.push([(address >> 2) + i, mask]);
}
compared(EAX, 8);
compared(SELECTOR, 6);
compared(SEGMENT_BASE, 6);
for (const address of [CR0, CR2, CR3, CR4, FPU_CONTROL, FPU_STATUS, FPU_TAGS, FPU_TOP, MXCSR]) {
  compared(address, 1);
}
for (let i = 0; i < 8; i++) {
  compared(FPU_REGS + 16 * i, 2);
  compared(FPU_REGS + 16 * i + 8, 1, 0xffff);
}
compared(XMM, 32);

/** The code at a linear address, as far as the TLB knows its page. */
function codeAt(memory: Decoded, eip: number): string {
  const physical = memory.fetchAddress(eip, memory.mode);
  if (physical < 0) return '    (not in the TLB)';
  const length = Math.min(CODE_BYTES, 0x1000 - (physical & 0xfff));
  const code = memory.u8.subarray(RAM_BASE + physical, RAM_BASE + physical + length);
  return `${Buffer.from(code).toString('hex')}\n${disassembly(code, eip)}`;
}

function usesOf(memory: Decoded, region: Translated): number {
  return region.entries.reduce(
    (sum, { descriptor }) => sum + memory.word(descriptor + ENTRY_COUNT),
    0,
  );
}
