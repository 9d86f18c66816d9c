/**
 * Runs a guest of tests/system/guests on the bare CPU: loaded where its multiboot header says, text
 * from port E9H, the end by port F4H or a shutdown.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT_HALT, EXIT_SHUTDOWN } from '../../assembly/shared/exits.ts';
import { Cpu, type CpuHost } from '../../host/cpu.ts';
import type { Translator, TranslatorOptions } from '../../jit/translator.ts';
import { attachTranslator, coreModule } from '../lib/tiers.ts';

const RAM = 32 << 20;
const LOAD = 0x100000;
const BUDGET = 100_000;
/** No guest runs longer: one that does is lost. */
const SLICES = 100;

const file = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)));

export interface Outcome {
  text: string;
  /** How it ended: by itself, by a shutdown of the processor, or not at all. */
  end: 'done' | 'shutdown' | 'halt' | 'lost';
}

/** Translators by tier; a heat limit of 0 translates each block before it runs. */
export const SYSTEM_TIERS: Record<string, Partial<TranslatorOptions> | undefined> = {
  interpreter: undefined,
  JIT: { heatLimit: 2 },
  'JIT, block by block': { heatLimit: 0, batch: 1 },
  'JIT, three regions at a time': { heatLimit: 2, regions: 3 },
};

export async function runGuest(name: string, tier: string): Promise<Outcome> {
  return runImage(file(`guests/${name}.img`), SYSTEM_TIERS[tier]);
}

export const guestImage = (name: string): Buffer => file(`guests/${name}.img`);

/** Runs an image; `made` gets its translator before it starts. */
export async function runImage(
  image: Buffer,
  translator: Partial<TranslatorOptions> | undefined,
  made: (translator: Translator) => void = () => {},
): Promise<Outcome> {
  let text = '';
  let done = false;
  let target = 0;
  let cpu: Cpu | undefined = undefined;
  const host: CpuHost = {
    portIn: (_, size) => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
    portOut: (port, _, value) => {
      if (port === 0xe9) text += String.fromCharCode(value & 0xff);
      // A device: E0H says where, E4H what it writes there.
      if (port === 0xe0) target = value;
      if (port === 0xe4) {
        new DataView(cpu!.memory.buffer, cpu!.ram().byteOffset).setUint32(target, value, true);
        cpu!.codeWritten(target, target + 4);
      }
      if (port === 0xf4) {
        done = true;
        cpu!.requestStop();
      }
    },
    mmioRead: () => 0xffffffff,
    mmioWrite: () => {},
    interruptVector: () => -1,
    timestamp: () => cpu!.retired(),
    readMsr: () => undefined,
    writeMsr: () => false,
  };
  cpu = await Cpu.create({ core: coreModule(), ram: RAM, host });
  if (translator) made(attachTranslator(cpu, translator));
  cpu.ram().set(image, LOAD);
  enter(cpu, image.readUInt32LE(28));
  for (let slice = 0; slice < SLICES; slice++) {
    const exit = cpu.run(BUDGET);
    if (done) return { text, end: 'done' };
    if (exit === EXIT_SHUTDOWN) return { text, end: 'shutdown' };
    if (exit === EXIT_HALT) return { text, end: 'halt' };
  }
  return { text, end: 'lost' };
}

/** The state a multiboot loader leaves: flat protected mode, paging and interrupts off. */
function enter(cpu: Cpu, eip: number): void {
  const { state } = cpu;
  const flat = { base: 0, limit: 0xffffffff };
  state.cr0 = 0x11;
  state.setSegment('cs', { ...flat, selector: 0x08, access: 0xc09b00 });
  for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const)
    state.setSegment(name, { ...flat, selector: 0x10, access: 0xc09300 });
  state.cpl = 0;
  state.eflags = 2;
  state.eip = eip;
}
