/** Accesses that share a TLB check: within a page, over its end, and moved by what changes registers. */
import { describe, expect, it } from 'vitest';
import { EXIT_HALT } from '../../assembly/shared/exits.ts';
import { enterFlat, translatedInstructions } from '../lib/tiers.ts';
import { CODE, translate } from './region.ts';

const VALUE = 0x12345678;
const ROUNDS = 50;

/** Runs translated code again with EBX and ESP there; what was retired in translated code. */
async function run(hex: string, ebx: number, esp: number, rounds = ROUNDS) {
  const { cpu } = await translate(Buffer.from(hex, 'hex'));
  const ram = new DataView(cpu.memory.buffer, cpu.ram().byteOffset);
  ram.setUint32(ebx + 4, VALUE, true);
  cpu.exports.reset();
  enterFlat(cpu, CODE);
  cpu.state.cr0 = 0x31;
  cpu.state.setRegister('ebx', ebx);
  cpu.state.setRegister('esp', esp);
  cpu.state.setRegister('ecx', rounds);
  const before = translatedInstructions(cpu);
  expect(cpu.run(8 * rounds + 10_000)).toBe(EXIT_HALT);
  return { cpu, ram, translated: translatedInstructions(cpu) - before };
}

describe('accesses that share a check', () => {
  // mov eax, [ebx+4]; mov [ebx+60], eax; dec ecx; jnz $-7
  const FIELDS = '8b430489433c4975f7';

  it.each([
    ['within a page', 0x11100, true],
    ['up to its last byte', 0x11fc0, true],
    ['over its end', 0x11fe0, false],
  ])('of fields, %s', async (_, ebx, hits) => {
    const result = await run(FIELDS, ebx, 0x13000);
    expect(result.ram.getUint32(ebx + 60, true)).toBe(VALUE);
    // What crosses is the interpreter's, from the first access on.
    if (hits) expect(result.translated).toBeGreaterThan(4 * (ROUNDS - 2));
    else expect(result.translated).toBeLessThan(4);
  });

  it('are checked one by one where they cross time and again', async () => {
    const rounds = 40_000;
    const result = await run(FIELDS, 0x11fe0, 0x13000, rounds);
    expect(result.ram.getUint32(0x11fe0 + 60, true)).toBe(VALUE);
    expect(result.translated).toBeGreaterThan(2 * rounds);
  });

  it.each([0x12800, 0x12004])('of the stack at %i', async (esp) => {
    // push dword [ebx+4]; push 7; pop ecx; add esp, -4; mov [esp], ecx; pop edx; pop esi
    const { cpu, ram } = await run('ff73046a075983c4fc890c245a5e', 0x11100, esp);
    expect(cpu.state.register('ecx')).toBe(7);
    expect(cpu.state.register('edx')).toBe(7);
    expect(cpu.state.register('esi')).toBe(VALUE);
    expect(cpu.state.register('esp')).toBe(esp);
    expect(ram.getUint32(esp - 8, true)).toBe(7);
  });
});
