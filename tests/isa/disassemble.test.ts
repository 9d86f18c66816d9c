// The disassembler: spellings by example, lengths against the core's own decoder.

import { describe, expect, it } from 'vitest';
import { RECORD_LENGTH, RECORD_SIZE } from '../../assembly/shared/records';
import { MODE_CODE32, MODE_FLAT, MODE_SINGLE, MODE_STACK32 } from '../../assembly/shared/modes';
import { disassemble } from '../../isa/disassemble';
import { Decoded } from '../../jit/decoded';
import { bareCpu, enterFlat } from '../lib/tiers';

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(text.split(' '), (byte) => parseInt(byte, 16));

it.each([
  ['90', 'nop'],
  ['11 43 04', 'adc dword [ebx+0x4], eax'],
  ['8b 04 8d 00 10 00 00', 'mov eax, dword [ecx*4+0x1000]'],
  ['64 a1 10 00 00 00', 'mov eax, [fs:0x10]'],
  ['65 8b 44 24 fc', 'mov eax, dword [gs:esp-0x4]'],
  ['83 c4 f0', 'add esp, -0x10'],
  ['66 05 34 12', 'add ax, 0x1234'],
  ['67 8b 40 02', 'mov eax, dword [bx+si+0x2]'],
  ['0f b6 c1', 'movzx eax, cl'],
  ['0f bf 06', 'movsx eax, word [esi]'],
  ['74 02', 'je 0x1004'],
  ['0f 85 00 01 00 00', 'jne 0x1106'],
  ['e8 fb ff ff ff', 'call 0x1000'],
  ['ff 15 00 00 00 c0', 'call dword [0xc0000000]'],
  ['9a 00 10 00 00 08 00', 'call 0x8:0x1000'],
  ['f3 a5', 'rep movsd'],
  ['f2 ae', 'repne scasb'],
  ['f0 0f b1 0a', 'lock cmpxchg dword [edx], ecx'],
  ['0f 44 c2', 'cmove eax, edx'],
  ['0f 22 d8', 'mov cr3, eax'],
  ['0f 01 1c 24', 'lidt [esp]'],
  ['0f 01 3b', 'invlpg [ebx]'],
  ['8e d8', 'mov ds, ax'],
  ['0f a9', 'pop gs'],
  ['d3 e0', 'shl eax, cl'],
  ['0f a5 d0', 'shld eax, edx, cl'],
  ['6b c9 0c', 'imul ecx, ecx, 0xc'],
  ['f7 c1 01 00 00 00', 'test ecx, 0x1'],
  ['c8 10 00 01', 'enter 0x10, 0x1'],
  ['cd 80', 'int 0x80'],
  ['cf', 'iret'],
  ['ec', 'in al, dx'],
  ['e7 21', 'out 0x21, eax'],
  ['dd 45 08', 'fld [ebp+0x8]'],
  ['d8 c1', 'fadd st1'],
  ['df e0', 'fnstsw ax'],
  ['66 0f 6f 00', 'movaps xmm0, [eax]'],
  ['0f 6f ca', 'movq mm1, mm2'],
  ['f2 0f 58 c1', 'addsd xmm0, xmm1'],
  ['0f 0b', 'ud2'],
  ['0f ff', '(no instruction)'],
  ['8b', '(no instruction)'],
])('%s is %s', (code, text) => {
  const { text: found, length } = disassemble(bytes(code), 0x1000, true);
  expect(found).toBe(text);
  if (!text.startsWith('(')) expect(length).toBe(code.split(' ').length);
});

it('knows 16-bit code', () => {
  expect(disassemble(bytes('89 46 fe'), 0, false).text).toBe('mov word [bp-0x2], ax');
  expect(disassemble(bytes('66 ea 00 00 10 00 10 00'), 0, false).text).toBe('jmp 0x10:0x100000');
});

describe('beside the decoder', () => {
  it('finds the same lengths in random bytes', async () => {
    const cpu = await bareCpu({ portIn: () => 0, portOut: () => {} });
    enterFlat(cpu, 0x1000);
    const decoded = new Decoded(cpu.memory);
    const mode = MODE_CODE32 | MODE_STACK32 | MODE_FLAT | MODE_SINGLE;
    const random = generator(1);
    let compared = 0;
    for (let i = 0; i < 20_000; i++) {
      const at = 0x1000 + (i % 4000) * 64;
      const code = Uint8Array.from({ length: 16 }, () => random() >>> 24);
      if (i % 2) code[0] = 0x0f;
      cpu.codeWritten(at, at + 16);
      cpu.ram().set(code, at);
      const block = cpu.exports.findNext(at, at, mode);
      if (!block) {
        cpu.exports.flushBlocks();
        continue;
      }
      const last = lastRecord(decoded, block);
      const { text, length } = disassemble(code.subarray(0, 15), at, true);
      if (text.startsWith('(')) continue; // #UD: the decoder's length says nothing
      const known = decoded.u8[last + RECORD_LENGTH]!;
      expect([known, Buffer.from(code).toString('hex'), text]).toEqual([
        length,
        Buffer.from(code).toString('hex'),
        text,
      ]);
      compared++;
    }
    expect(compared).toBeGreaterThan(10_000);
  });
});

/** The record that carries the instruction's length. */
function lastRecord(decoded: Decoded, block: number): number {
  let at = decoded.firstRecord(block);
  while (decoded.length(at) === 0 && at < decoded.endOfRecords(block)) at += RECORD_SIZE;
  return at;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}
