// The image of the ROM: what a BIOS, Linux and a disassembler find in it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { execFileSync, spawnSync } from '../lib/commands.ts';
import { callNamed, CALLS, type Call } from '../../host/vmi/calls.ts';
import type { VmiOptions } from '../../host/vmi/options.ts';
import {
  answerOf,
  buildRom,
  callAt,
  RELOCATION,
  ROM_ADDRESS,
  ROM_SIZE,
  routineOffset,
} from '../../host/vmi/rom.ts';
import { DATA, HIGH, REPORT, USER_ROM } from './guest.ts';
import { guestOf, VMI_TIER_NAMES } from './tiers.ts';

const rom = buildRom();
const view = new DataView(rom.buffer);
const u16 = (at: number) => view.getUint16(at, true);
const u32 = (at: number) => view.getUint32(at, true);
const sum = (from: number, length: number) =>
  rom.subarray(from, from + length).reduce((total, byte) => (total + byte) & 0xff, 0);
const text = (at: number) => Buffer.from(rom.subarray(at, rom.indexOf(0, at))).toString('latin1');
const signature = (at: number) => Buffer.from(rom.subarray(at, at + 4)).toString('latin1');

describe('the header', () => {
  test('is where a scan for option ROMs and Linux looks', () => {
    expect(ROM_ADDRESS % 2048).toBe(0);
    expect(ROM_ADDRESS).toBeGreaterThanOrEqual(0xc0000);
    expect(ROM_ADDRESS + ROM_SIZE).toBeLessThanOrEqual(0xe0000);
    expect(rom.length).toBe(ROM_SIZE);
  });

  test('has signatures, length and checksum', () => {
    expect(u16(0)).toBe(0xaa55);
    expect(rom[2]).toBe(ROM_SIZE / 512);
    expect(sum(0, rom[2]! * 512)).toBe(0);
    expect(signature(8)).toBe('cVmi');
    expect(rom[3]).toBe(0xcb); // retf
  });

  test.each([
    ['spaces', {}],
    ['timer', { timer: false }],
    ['delay', { delay: false }],
    ['eager', { eager: false }],
  ] satisfies [string, VmiOptions][])('has a right checksum without %s', (_, options) => {
    const image = buildRom(options);
    expect(image.reduce((total, byte) => (total + byte) & 0xff, 0)).toBe(0);
  });

  test('is of API 3.0, reserves no addresses and has a licence that Linux accepts', () => {
    expect([rom[0xd], rom[0xc]]).toEqual([3, 0]);
    expect(rom[0xe]).toBe(CALLS.length);
    expect(u32(0x10)).toBe(0);
    expect(['GPL', 'GPL v2']).toContain(text(u16(0x16)));
  });

  test('leads to a PCI data structure', () => {
    const pci = u16(0x18);
    expect(pci % 4).toBe(0);
    expect(signature(pci)).toBe('PCIR');
    expect([u16(pci + 4), u16(pci + 6)]).toEqual([0x15ad, 0x0801]);
    expect(u16(pci + 0xa)).toBe(24);
    expect(u16(pci + 0x10)).toBe(ROM_SIZE / 512);
    expect(rom[pci + 0x15]).toBe(0x80); // the last image
  });

  test('leads to a Plug and Play header with its own checksum and two names', () => {
    const pnp = u16(0x1a);
    expect(pnp % 16).toBe(0);
    expect(signature(pnp)).toBe('$PnP');
    expect(sum(pnp, rom[pnp + 5]! * 16)).toBe(0);
    expect(u16(pnp + 6)).toBe(0); // no next header
    expect(text(u16(pnp + 0xe))).toBe('vmi86');
    expect(text(u16(pnp + 0x10))).toBe('WebAssembly hypervisor');
  });
});

describe('the table of calls', () => {
  test('has the 74 calls of API 3.0, each once', () => {
    expect(CALLS.length).toBe(74);
    expect(CALLS.map(({ number }) => number)).toEqual([...CALLS.keys()]);
    expect(new Set(CALLS.map(({ name }) => name)).size).toBe(74);
  });

  test('gives a reason where a call is not made', () => {
    for (const { answer, otherwise, reason, served } of CALLS) {
      expect(answer === 'CALL').toBe(reason === undefined);
      expect(served === 'nobody').toBe(answer !== 'CALL' && otherwise?.answer !== 'CALL');
    }
  });

  test('answers so that Linux lives', () => {
    const answer = (name: string, options?: VmiOptions) =>
      answerOf(
        CALLS.find((call) => call.name === name)!,
        options,
      );
    // Nothing stands behind these but the call.
    expect([answer('IRET'), answer('SYSEXIT')]).toEqual(['CALL', 'CALL']);
    for (const options of [{}, { timer: false }]) {
      const timer = ['GetCycleFrequency', 'GetCycleCounter', 'SetAlarm', 'CancelAlarm'];
      const answers = [...timer, 'GetWallclockTime'].map((name) => answer(name, options));
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).not.toBe('NOP');
    }
    for (const [a, b] of [
      ['SetPxE', 'UpdatePxE'],
      ['SetPxELong', 'UpdatePxELong'],
    ] as const) {
      expect(answer(a)).toBe(answer(b));
    }
  });
});

// --- Code ------------------------------------------------------------------------------------------

const objdump = spawnSync('objdump', ['--version']).status === 0;

function disassembled(from: number, length: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'vmi86-'));
  try {
    const file = join(folder, 'rom');
    writeFileSync(file, rom.subarray(from, from + length));
    const words = ['-D', '-b', 'binary', '-m', 'i386', '--no-show-raw-insn', '-M', 'intel'];
    return execFileSync('objdump', [...words, `--adjust-vma=0x${from.toString(16)}`, file])
      .toString()
      .split('\n')
      .flatMap((line) => /^\s*[0-9a-f]+:\s+(.*?)\s*$/.exec(line)?.[1] ?? [])
      .map((line) => line.replace(/\s+/g, ' '));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.runIf(objdump)('the code, as objdump reads it', () => {
  test('VMI_Init succeeds', () => {
    expect(disassembled(0x80, 3)).toEqual(['xor eax,eax', 'ret']);
  });

  test('GetRelocationInfo finds the tables from where it is', () => {
    expect(disassembled(0x88, 2)).toEqual(['jmp 0x90']);
    expect(disassembled(0x90, 0x27)).toEqual([
      'call 0x95',
      'pop ecx',
      'cmp eax,0x4a',
      'jae 0xb1',
      'movzx edx,BYTE PTR [ecx+eax*1+0xeb]',
      'test edx,edx',
      'je 0xb1',
      'lea eax,[ecx+eax*8+0x16b]',
      'ret',
      'nop',
      'nop',
      'xor eax,eax',
      'xor edx,edx',
      'ret',
    ]);
  });

  test.each(CALLS.map((call) => [call.name, call] as const))('%s', (_, call: Call) => {
    const at = routineOffset(call);
    if (call.served === 'nobody') {
      expect(disassembled(at, 1)).toEqual(['ret']);
    } else {
      const number = `0x${call.number.toString(16)}`;
      expect(disassembled(at, 5)).toEqual([`push ${number}`, 'vmcall']);
    }
  });
});
test.skipIf(objdump)('no objdump: the code was not disassembled (install binutils)', () => {});

test('the call at an address: the beginning of a routine that is served', () => {
  for (const call of CALLS) {
    const at = ROM_ADDRESS + routineOffset(call);
    expect(callAt(at)).toBe(call.served === 'nobody' ? undefined : call);
    expect(callAt(at + 1)).toBeUndefined();
  }
  expect(callAt(ROM_ADDRESS)).toBeUndefined();
  expect(callAt(ROM_ADDRESS + routineOffset(CALLS[73]!) + 8)).toBeUndefined();
});

// --- Run -------------------------------------------------------------------------------------------

const NUMBERS = [...CALLS.keys(), 74, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff];

/** Where the ROM may be met: Linux's map, its own address, another mapping. */
const BASES = [HIGH + ROM_ADDRESS, ROM_ADDRESS, USER_ROM] as const;

describe.each(VMI_TIER_NAMES)('the entry points, %s', (tier) => {
  let ask: (base: number, options?: VmiOptions) => Promise<number[][]>;

  beforeAll(() => {
    ask = async (base, options = {}) => {
      const guest = await guestOf(tier, { vmi: options });
      // Numbers from a list, answers into another; the whole list three times, to be translated.
      const ending = guest.run(
        (a) => {
          a.mov('ebp', 3).label('again');
          a.mov('esi', DATA).mov('edi', REPORT).mov('ebx', NUMBERS.length);
          a.call(base + 0x80)
            .emit(0x89, 0xc7)
            .emit(0x81, 0xc7, ...[0, 0x90, 0x20, 0]);
          a.label('next').emit(0xad); // lodsd
          a.call(base + 0x88);
          a.emit(0xab, 0x89, 0xd0, 0xab); // stosd; mov eax, edx; stosd
          a.emit(0x4b).jumpIf(5, 'next'); // dec ebx
          a.emit(0x4d).jumpIf(5, 'again'); // dec ebp
        },
        ({ view }) => NUMBERS.forEach((number, i) => view.setUint32(DATA + 4 * i, number, true)),
      );
      expect(ending.vector).toBeUndefined();
      return NUMBERS.map((_, i) => [guest.word(REPORT + 8 * i), guest.word(REPORT + 8 * i + 4)]);
    };
  });

  test.each(BASES)('VMI_Init gives 0 and GetRelocationInfo the table, at %i', async (base) => {
    const answers = await ask(base);
    NUMBERS.forEach((number, i) => {
      const call = CALLS[number];
      const type = call ? RELOCATION[call.answer] : 0;
      expect([number, answers[i]]).toEqual([
        number,
        type ? [base + routineOffset(call!), type] : [0, 0],
      ]);
    });
  });

  test('with nothing left out only SetLazyMode changes its answer', async () => {
    const [as, eager] = [await ask(BASES[0]), await ask(BASES[0], { eager: false })];
    const differs = CALLS.filter(({ number }) => as[number]![1] !== eager[number]![1]);
    expect(differs.map(({ name }) => name)).toEqual(['SetLazyMode']);
    const call = callNamed('SetLazyMode');
    expect(eager[call.number]).toEqual([BASES[0] + routineOffset(call), RELOCATION.CALL]);
  });

  test('without the timer its calls answer NONE; without the delay IODelay does', async () => {
    const types = (await ask(BASES[0], { timer: false, delay: false })).map(([, type]) => type);
    const without = CALLS.filter(({ number }) => types[number] === 0).map(({ name }) => name);
    expect(without).toEqual([
      'SetLinearMapping',
      'IODelay',
      'GetCycleFrequency',
      'GetCycleCounter',
      'SetAlarm',
      'CancelAlarm',
      'GetWallclockTime',
      'WallclockUpdated',
      'SetCallbacks',
      'SetLazyMode',
    ]);
  });

  test('the ROM is not to be written', async () => {
    const guest = await guestOf(tier);
    const ending = guest.run((a) => {
      for (const base of BASES) {
        for (const at of [0, 0x90, routineOffset(CALLS[29]!)]) a.set(base + at, 0x12345678);
      }
    });
    expect(ending.vector).toBeUndefined();
    const ram = guest.machine.cpu.ram();
    expect(Buffer.from(ram.subarray(ROM_ADDRESS, ROM_ADDRESS + ROM_SIZE))).toEqual(
      Buffer.from(rom),
    );
  });
});
