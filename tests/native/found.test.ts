/**
 * Programs that once went wrong, by hand and as short as they could be made: every tier against the
 * processor. Random programs found them, by chance; here they run every time.
 */
import { describe, expect, it } from 'vitest';
import { TIERS } from '../lib/tiers.ts';
import { compare } from './compare.ts';
import { runNative, unavailable } from './harness.ts';
import { CODE, DATA, FPU_IMAGE, STACK, STACK_SIZE, USER_DATA } from './layout.ts';
import { link, type Program } from './program.ts';
import { little } from './random.ts';

/** Ends in the second page of the data: not in one TLB entry, so translated code leaves there. */
const CROSSING = DATA + 0xffe;

interface Found {
  title: string;
  code: number[];
}

const FOUND: Found[] = [
  {
    title: 'x87: an exit writes the status bits of its own stretch, not of the one before',
    code: [
      [0xd9, 0xe8, 0xd9, 0xeb, 0xde, 0xc1], // fld1; fldpi; faddp: inexact
      [0xdb, 0xe2], // fnclex
      [0xd9, 0xee], // fldz: moves TOP and reports nothing
      [0xa1, ...little(CROSSING, 4)], // mov eax, [CROSSING]
    ].flat(),
  },
  {
    title: 'a write through CS faults while GS is flat',
    code: [
      [0xb8, ...little(USER_DATA, 4), 0x8e, 0xe8], // mov eax, USER_DATA; mov gs, eax
      [0xbb, ...little(DATA, 4)], // mov ebx, DATA
      [0x2e, 0x89, 0x03], // mov cs:[ebx], eax
    ].flat(),
  },
];

/** The x87 as FNINIT leaves it, MXCSR as the reset does. */
function initialFpu(): Uint8Array {
  const image = new Uint8Array(FPU_IMAGE);
  const view = new DataView(image.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(24, 0x1f80, true);
  return image;
}

function programOf({ code }: Found, index: number): Program {
  const regs = new Uint32Array(8);
  regs[4] = STACK + STACK_SIZE / 2;
  return {
    group: 'found',
    index,
    items: [{ op: 'NONE', bytes: code }],
    initial: { regs, eflags: 0x202, fpu: initialFpu(), fill: 1, patches: [] },
    place: () => CODE,
  };
}

describe.skipIf(unavailable() !== null)('programs that once went wrong', () => {
  describe.each(TIERS)('$name', (tier) => {
    it.each(FOUND)('$title', async (found) => {
      const program = programOf(found, FOUND.indexOf(found));
      const linked = link(program);
      const [native] = runNative([linked.case]);
      const emulated = await tier.run(linked.case);
      expect(compare(program, linked, native!, emulated, tier.paging)).toEqual([]);
    });
  });
});
