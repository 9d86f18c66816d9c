/**
 * Pages that accesses in loops keep in locals: forgotten where the TLB changes, and true only of the
 * bytes and the kind of access that they were found for. Each loop runs interpreted and translated.
 */
import { describe, expect, it } from 'vitest';
import { EXIT_HALT, EXIT_SHUTDOWN } from '../../assembly/shared/exits.ts';
import type { Cpu } from '../../host/cpu.ts';
import { bareCpu, enterFlat, translatedInstructions } from '../lib/tiers.ts';
import { CODE, translate } from './region.ts';

const DIRECTORY = 0x20000;
const TABLE = 0x21000;
const WINDOW = 0x40000;
const ENTRY = TABLE + 4 * (WINDOW >> 12);
/** The window's page is one of these; the loops below go from one to the other. */
const FRAMES = [0x31000, 0x32000];
const PAGE = 0x1000;

const PRESENT = 1;
const WRITABLE = 2;
/** PG, WP, NE, ET, PE. */
const CR0 = 0x80010031;
const HLT = 'f4';
const ROUNDS = 200;

interface Setting {
  esi?: number;
  rights?: number;
  /** Frame of the page behind the window. */
  behind?: number;
}

function run(cpu: Cpu, { esi = WINDOW, rights = WRITABLE, behind = FRAMES[1]! }: Setting) {
  const words = new Uint32Array(cpu.memory.buffer, cpu.ram().byteOffset, cpu.ram().length >> 2);
  cpu.exports.reset();
  words[DIRECTORY >> 2] = TABLE | WRITABLE | PRESENT;
  for (let page = 0; page < 1024; page++) {
    words[(TABLE >> 2) + page] = (page << 12) | WRITABLE | PRESENT;
  }
  words[ENTRY >> 2] = FRAMES[0]! | rights | PRESENT;
  words[(ENTRY >> 2) + 1] = behind | rights | PRESENT;
  FRAMES.forEach((frame, k) => {
    for (let i = 0; i < PAGE / 4; i++) {
      words[(frame >> 2) + i] = Math.imul(i + 1, 0x9e3779b1 + 2 * k) + k;
    }
  });
  enterFlat(cpu, CODE);
  const { state } = cpu;
  state.cr3 = DIRECTORY;
  state.cr0 = CR0;
  const registers = { edx: 1, esi, edi: ENTRY, ebx: DIRECTORY, ecx: ROUNDS, esp: 0x12000 };
  for (const [name, value] of Object.entries(registers)) {
    state.setRegister(name as keyof typeof registers, value);
  }
  const before = translatedInstructions(cpu);
  const exit = cpu.run(100_000);
  const outcome = {
    exit,
    edx: state.register('edx'),
    ecx: state.register('ecx'),
    esi: state.register('esi'),
    retired: cpu.retired(),
    frames: FRAMES.map((frame) => words.slice(frame >> 2, (frame + PAGE) >> 2)),
  };
  return { outcome, translated: translatedInstructions(cpu) - before };
}

/** The same code interpreted, and translated; that has to leave the same. */
async function compare(hex: string, setting: Setting = {}) {
  const plain = await bareCpu({ portIn: () => -1, portOut: () => {} });
  plain.ram().set(Buffer.from(hex + HLT, 'hex'), CODE);
  const { outcome } = run(plain, setting);
  const { cpu } = await translate(Buffer.from(hex, 'hex'));
  const before = cpu.retired();
  const second = run(cpu, setting);
  second.outcome.retired -= before;
  expect(second.outcome).toEqual(outcome);
  return { ...outcome, translated: second.translated };
}

describe('pages in locals', () => {
  // lea edx, [edx+2*edx]; movzx eax, byte [esi]; add edx, [4*eax+WINDOW+100H]; add edx, [esi+4];
  // xor dword [edi], FRAMES[0] ^ FRAMES[1]; (here); add edx, [esi+4]; dec ecx; jnz
  const before = '8d14520fb606031485000104000356048137003000000f';
  const after = '0356044975e1';
  it.each([
    ['INVLPG', '013e'],
    ['a load of CR3', '22db'],
  ])('are forgotten at %s', async (_, instruction) => {
    const { exit, translated } = await compare(before + instruction + after);
    expect(exit).toBe(EXIT_HALT);
    expect(translated).toBeGreaterThan(3 * ROUNDS);
  });

  it('are forgotten by writers as well', async () => {
    // add dword [esi], ecx; xor dword [edi], FRAMES[0] ^ FRAMES[1]; invlpg [esi]; dec ecx; jnz
    const { exit, translated, frames } = await compare('010e8137003000000f013e4975f2');
    expect(exit).toBe(EXIT_HALT);
    expect(translated).toBeGreaterThan(ROUNDS);
    const sum = (ROUNDS * ROUNDS) / 4;
    expect(frames[0]![0]).toBe((0x9e3779b1 + sum + ROUNDS / 2) >>> 0);
  });

  it.each([FRAMES[0]!, FRAMES[1]!, 0x35000])(
    'end where the page does, before %i',
    async (behind) => {
      // lea edx, [edx+2*edx]; add edx, [esi]; inc esi; dec ecx; jnz
      const esi = WINDOW + PAGE - ROUNDS / 2;
      const { exit, translated } = await compare('8d14520316464975f7', { esi, behind });
      expect(exit).toBe(EXIT_HALT);
      expect(translated).toBeGreaterThan(ROUNDS);
    },
  );

  it('that are read say nothing of writing', async () => {
    // add edx, [esi]; test cl, 1; jz $+2; mov [esi], ecx; dec ecx; jnz
    const { exit, ecx, frames } = await compare('0316f6c1017402890e4975f4', { rights: 0 });
    expect(exit).toBe(EXIT_SHUTDOWN);
    expect(ecx).toBe(ROUNDS - 1);
    expect(frames[0]![0]).toBe(0x9e3779b1);
  });
});
