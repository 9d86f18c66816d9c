/**
 * The tiers a test of the CPU runs in. A tier runs a case of the native harness in the emulated CPU
 * and hands back what came out of it, in the harness's own terms.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COUNT_TRANSLATED } from '../../assembly/shared/counters.ts';
import { Cpu, type CpuHost } from '../../host/cpu.ts';
import { fusing } from '../../jit/fuse.ts';
import { Translator, type TranslatorOptions } from '../../jit/translator.ts';
import {
  RAM_SIZE,
  UserMode,
  type Paging,
  type Ports,
  type Processor,
  type Tier,
} from './usermode.ts';

let bytes: Uint8Array<ArrayBuffer> | null = null;
let core: WebAssembly.Module | null = null;

export function coreBytes(): Uint8Array<ArrayBuffer> {
  const file = fileURLToPath(new URL('../../dist/core.wasm', import.meta.url));
  bytes ??= new Uint8Array(readFileSync(file));
  return bytes;
}

export function coreModule(): WebAssembly.Module {
  core ??= new WebAssembly.Module(coreBytes());
  return core;
}

/** A CPU with memory and the fixture's port, nothing else. */
export async function bareCpu(ports: Ports & Partial<CpuHost>, ram = RAM_SIZE): Promise<Cpu> {
  let ticks = 0;
  const host: CpuHost = {
    mmioRead: () => -1,
    mmioWrite: () => {},
    interruptVector: () => -1,
    timestamp: () => ++ticks,
    readMsr: () => undefined,
    writeMsr: () => false,
    ...ports,
  };
  return Cpu.create({ core: coreModule(), ram, host });
}

function processor(cpu: Cpu): Processor {
  return {
    ram: cpu.ram(),
    start: (eip) => enterFlat(cpu, eip),
    run: (budget) => {
      cpu.run(budget);
    },
    requestStop: () => cpu.requestStop(),
    codeWritten: (start, end) => cpu.codeWritten(start, end),
  };
}

/** The state of the Linux boot protocol: flat protected mode, privilege 0, paging off. */
export function enterFlat(cpu: Cpu, eip: number): void {
  const { state } = cpu;
  state.cr0 = 0x11;
  const flat = { base: 0, limit: 0xffffffff };
  state.setSegment('cs', { ...flat, selector: 0x08, access: 0xc09b00 });
  for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const)
    state.setSegment(name, { ...flat, selector: 0x10, access: 0xc09300 });
  state.cpl = 0;
  state.eflags = 2;
  state.eip = eip;
}

function tier(name: string, paging: Paging, create: (ports: Ports) => Promise<Cpu>): Tier {
  const machine = new UserMode(async (ports) => processor(await create(ports)), paging);
  return { name, paging, run: (c) => machine.run(c) };
}

/** No block is ever hot. */
const NEVER = -1;

interface Translated {
  /** Conditions by the hand-written forms of jit/fuse.ts; regions that go on by tail calls. */
  fused?: boolean;
  /** Each block by itself before it runs at all; else whole programs, after one run interpreted. */
  eager?: boolean;
}

/**
 * A tier with a translator. A region takes in only blocks that the interpreter has entered, so a
 * program runs twice: interpreted, then translated from its first instruction on.
 */
function translated(
  name: string,
  paging: Paging,
  { fused = true, eager = false }: Translated,
): Tier {
  const counts = { translated: 0, retired: 0 };
  const machine = new UserMode(async (ports) => {
    let translating = eager;
    let before = { translated: 0, retired: 0 };
    const cpu: Cpu = await bareCpu({
      portIn: (port, size) => {
        const value = ports.portIn(port, size);
        // A program begins, and below has ended.
        if (value === 1)
          before = { translated: translatedInstructions(cpu), retired: cpu.retired() };
        return value;
      },
      portOut: (port, size, value) => {
        ports.portOut(port, size, value);
        if (!translating) return;
        counts.translated += translatedInstructions(cpu) - before.translated;
        counts.retired += cpu.retired() - before.retired;
      },
    });
    const translator = attachTranslator(cpu, { batch: 1, tailCalls: fused });
    return {
      ...processor(cpu),
      prepare: (again) => {
        fusing.enabled = fused;
        translating = eager || again;
        cpu.attach(translator, translating ? 0 : NEVER);
      },
    };
  }, paging);
  return {
    name,
    paging,
    run: async (c) => {
      try {
        if (!eager) await machine.run(c);
        return await machine.run(c, !eager);
      } finally {
        fusing.enabled = true;
      }
    },
    share: () => counts.translated / counts.retired,
  };
}

/** Instructions that translated code has retired. */
export function translatedInstructions(cpu: Cpu): number {
  const counters = cpu.counters();
  return counters[COUNT_TRANSLATED]! + counters[COUNT_TRANSLATED + 1]! * 2 ** 32;
}

/**
 * Gives a CPU a translator, as host/machine.ts does; each module it makes is a valid one. What has run
 * once is warm enough to be in a region: else each block would be one by itself.
 */
export function attachTranslator(cpu: Cpu, options: Partial<TranslatorOptions> = {}): Translator {
  const { exports: core } = cpu;
  const translator = new Translator({ bytes: coreBytes(), core, heatLimit: 1, ...options });
  cpu.attach(translator, translator.heatLimit);
  return translator;
}

export const TIERS: Tier[] = [
  tier('interpreter', 'PAE', bareCpu),
  tier('interpreter, 32-bit paging', '32-bit', bareCpu),
  translated('JIT', 'PAE', {}),
  translated('JIT, block by block', '32-bit', { eager: true }),
  translated('JIT, general conditions', 'PAE', { fused: false }),
];
