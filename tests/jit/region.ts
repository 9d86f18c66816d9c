/** Makes one region of a few bytes of guest code, on a CPU of its own. */
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { Cpu } from '../../host/cpu.ts';
import type { Translated } from '../../jit/translator.ts';
import { attachTranslator, bareCpu, enterFlat } from '../lib/tiers.ts';

export const CODE = 0x10000;
const DATA = 0x11000;
const STACK = 0x12000;
const HLT = 0xf4;
const NEVER = -1;

/**
 * The code runs once in the interpreter, up to the HLT behind it, so that all its blocks are known;
 * then the region at its first instruction is made.
 */
export async function translate(
  code: Uint8Array,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; region: Translated; cpu: Cpu }> {
  const cpu = await bareCpu({ portIn: () => -1, portOut: () => {} });
  let made: { bytes: Uint8Array<ArrayBuffer>; region: Translated } | undefined;
  const translator = attachTranslator(cpu, {
    batch: 1,
    onRegion: (region, bytes) => {
      if (region.eip === CODE) made ??= { bytes: Uint8Array.from(bytes), region };
    },
  });
  cpu.ram().set([...code, HLT], CODE);
  // Every indirect jump through the data lands on the HLT.
  new Uint32Array(cpu.memory.buffer, cpu.ram().byteOffset + DATA, 64).fill(CODE + code.length);
  for (const heat of [NEVER, 0]) {
    cpu.attach(translator, heat);
    start(cpu);
    const exit = cpu.run(10_000);
    if (exit !== EXIT_HALT) throw new Error(`the sequence does not end: exit ${exit}`);
  }
  if (!made) throw new Error('no region was made of the first instruction');
  return { ...made, cpu };
}

function start(cpu: Cpu): void {
  cpu.exports.reset();
  enterFlat(cpu, CODE);
  const { state } = cpu;
  // SSE is on (CR4.OSFXSR, OSXMMEXCPT), x87 errors are native.
  state.cr0 = 0x31;
  state.cr4 = 0x600;
  for (const name of ['eax', 'edx', 'ebp'] as const) state.setRegister(name, 1);
  state.setRegister('ecx', 3);
  for (const name of ['ebx', 'esi', 'edi'] as const) state.setRegister(name, DATA);
  state.setRegister('esp', STACK);
}
