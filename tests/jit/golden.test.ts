/**
 * What the translator emits for short guest sequences: golden/NAME.wat is the region's text and
 * size, so that a change of the emitted code is seen in a diff. After a wanted change:
 * `VMI86_GOLDEN=write npx vitest run tests/jit/golden.test.ts`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import wabtFactory from 'wabt';
import { printModule } from '../../jit/wasm/print.ts';
import { translate } from './region.ts';

/** Name, instructions, their bytes at 10000H. HLT follows. */
const SEQUENCES: [name: string, text: string, bytes: string][] = [
  ['mov-registers', 'mov eax, ecx; mov bl, ah; mov dx, si', '89c888e36689f2'],
  ['mov-memory', 'mov eax, [ebx+8]; mov [edi+4*ecx], eax; mov dl, [esi]', '8b430889048f8a16'],
  ['add-register', 'add eax, ecx', '01c8'],
  ['add-flags-used', 'add eax, ecx; setc dl', '01c80f92c2'],
  ['adc-chain', 'add eax, ecx; adc edx, ebx', '01c811da'],
  ['add-memory', 'add [ebx], eax', '0103'],
  ['inc-keeps-carry', 'inc eax; jc $+2', '407200'],
  [
    'table-lookup',
    'movzx eax, byte [esi]; mov eax, [4*eax+0x11000]; inc esi; dec ecx; jnz $-12',
    '0fb6068b048500100100464975f2',
  ],
  ['dec-loop', 'dec ecx; jnz $-1', '4975fd'],
  ['cmp-branch', 'cmp eax, 5; jb $+3; inc edx', '83f805720142'],
  ['test-branch', 'test eax, eax; js $+3; inc edx', '85c0780142'],
  ['sub-byte', 'sub al, [esi]; setg cl', '2a060f9fc1'],
  ['logic', 'and eax, 0xff; or ecx, edx; xor ebx, ebx', '25ff00000009d131db'],
  ['shift-constant', 'shl eax, 3; sar edx, 31', 'c1e003c1fa1f'],
  ['shift-count', 'shr eax, cl; setz dl', 'd3e80f94c2'],
  ['rotate', 'rol eax, 5; rcr edx, 1', 'c1c005d1da'],
  ['multiply', 'imul eax, ecx; mul edx', '0fafc1f7e2'],
  ['divide', 'xor edx, edx; div ecx', '31d2f7f1'],
  ['extend', 'movzx eax, cl; movsx edx, word [esi]', '0fb6c10fbf16'],
  ['lea', 'lea eax, [ebx+4*ecx+12]', '8d448b0c'],
  ['push-pop', 'push eax; push dword 7; pop edx', '506a075a'],
  [
    'frame',
    'push ebp; mov ebp, esp; push ebx; mov ebx, [ebp+8]; mov [ebp-8], eax; leave',
    '5589e5538b5d088945f8c9',
  ],
  ['fields', 'mov eax, [ebx+4]; mov [ebx+60], eax; mov ecx, [ebx+80]', '8b430489433c8b4b50'],
  ['absolute', 'mov eax, [0x11004]; mov [0x11f00], eax', 'a104100100a3001f0100'],
  ['call-return', 'call $+7; jmp $+4; inc eax; ret', 'e802000000eb0240c3'],
  ['indirect', 'jmp [4*eax+0x11000]', 'ff248500100100'],
  ['condition-move', 'cmp eax, ecx; cmovl eax, edx', '39c80f4cc2'],
  ['bit-test', 'bt eax, 5; bts [esi], ecx', '0fbae0050fab0e'],
  ['bit-scan', 'bsf eax, ecx; bswap edx', '0fbcc10fca'],
  ['exchange', 'xchg eax, [esi]; lock xadd [edi], ecx', '8706f00fc10f'],
  ['compare-exchange', 'lock cmpxchg [esi], ecx', 'f00fb10e'],
  ['string', 'cld; rep movsd', 'fcf3a5'],
  ['fs-segment', 'mov eax, [fs:0]', '64a100000000'],
  ['x87', 'fninit; fld qword [esi]; fadd st0, st1; fstp qword [edi]', 'dbe3dd06d8c1dd1f'],
  ['mmx', 'movq mm0, [esi]; paddw mm0, mm1; movq [edi], mm0', '0f6f060ffdc10f7f07'],
  ['sse', 'movups xmm0, [esi]; mulps xmm0, xmm1; movaps [edi], xmm0', '0f10060f59c10f2907'],
  [
    'sse-scalar',
    'movsd xmm0, [esi]; mulsd xmm0, [edi]; addsd xmm1, xmm0',
    'f20f1006f20f5907f20f58c8',
  ],
  ['sse-compare', 'comisd xmm0, xmm1; ja $+3; inc edx', '660f2fc1770142'],
  [
    'sse-integer',
    'movdqa xmm0, [esi]; pshufd xmm1, xmm0, 0x1b; paddd xmm0, xmm1',
    '660f6f06660f70c81b660ffec1',
  ],
  ['flags-word', 'pushfd; lahf', '9c9f'],
  [
    'nested-loops',
    'mov ecx, 3; mov edx, 4; dec edx; jnz $-1; dec ecx; jnz $-9',
    'b903000000ba040000004a75fd4975f5',
  ],
];

const write = process.env.VMI86_GOLDEN === 'write' && !process.env.CI;
const folder = fileURLToPath(new URL('golden/', import.meta.url));
const wabt = await wabtFactory();

describe('emitted code', () => {
  it.each(SEQUENCES)('%s: %s', async (name, text, hex) => {
    const { bytes, region } = await translate(Buffer.from(hex, 'hex'));
    expect(WebAssembly.validate(bytes)).toBe(true);
    const wat =
      `;; ${text}\n` +
      `;; ${region.instructions} instructions, ${hex.length / 2} bytes; ${bytes.length} bytes of wasm\n` +
      printModule(bytes);
    const file = `${folder}${name}.wat`;
    if (write) writeFileSync(file, wat);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(wat);
    // The text is the module: an assembler that knows nothing of us makes the same code of it.
    const again = wabt.parseWat(file, wat, { tail_call: true }).toBinary({}).buffer;
    expect(printModule(again)).toBe(printModule(bytes));
  });

  it('has no file left over', () => {
    const wanted = SEQUENCES.map(([name]) => `${name}.wat`).sort();
    expect(readdirSync(folder).sort()).toEqual(wanted);
  });
});
