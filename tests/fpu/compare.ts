/** One instruction, many cases: the unit against the processor. */
import { CASE, EFLAGS, MEMORY, runNative } from './native.ts';
import type { Instruction, Unit } from './unit.ts';

export interface Outcome {
  cases: number;
  different: number;
  /** The first differences, in words. */
  shown: string[];
}

/** Bytes of a result that are not compared: offset, bits. */
export type Mask = [number, number][];

/** FCS and FDS (the processor's own), and the opcode, which it keeps for every instruction. */
const POINTERS: Mask = [
  [16, 0xff],
  [17, 0xff],
  [18, 0xff],
  [19, 0x07],
  [24, 0xff],
  [25, 0xff],
];

export function compare(
  unit: Unit,
  insn: Instruction,
  cases: Uint8Array,
  mask: Mask = [],
  show = 3,
): Outcome {
  const expected = runNative([{ bytes: insn.bytes, cases }])[0]!;
  const actual = new Uint8Array(cases.length);
  const shown: string[] = [];
  let different = 0;
  const ignore = new Uint8Array(CASE);
  for (const [offset, bits] of [...POINTERS, ...mask]) ignore[offset]! |= bits;
  const isEnv = /ENV|SAVE|RSTOR/.test(insn.name);
  for (let at = 0; at < cases.length; at += CASE) {
    unit.run(insn, cases, at, actual);
    // The kernel does not keep the pointers over a context switch on some processors.
    if (expected.subarray(at + 12, at + 28).every((byte, i) => byte === 0 || i === 14 || i === 15))
      actual.set(expected.subarray(at + 12, at + 28), at + 12);
    let bad = -1;
    for (let i = 0; i < CASE; i++) {
      const care = ~ignore[i]!;
      if ((expected[at + i]! ^ actual[at + i]!) & care) {
        // Environments in memory hold the same pointers once more.
        if (isEnv && i >= MEMORY + 6 && i < MEMORY + 28) continue;
        bad = i;
        break;
      }
    }
    if (bad < 0) continue;
    different++;
    if (shown.length < show)
      shown.push(
        `${insn.name}: differs at byte ${bad}\n  in     ${describe(cases, at)}\n  native ${describe(expected, at)}\n  ours   ${describe(actual, at)}`,
      );
  }
  return { cases: cases.length / CASE, different, shown };
}

/** A case in one line: control, status, tags, ST0 to ST2, memory. */
export function describe(cases: Uint8Array, at: number): string {
  const view = new DataView(cases.buffer, cases.byteOffset + at, CASE);
  const hex = (value: number | bigint, digits: number) => value.toString(16).padStart(digits, '0');
  const st = (i: number) =>
    `${hex(view.getUint16(36 + 10 * i, true), 4)}:${hex(view.getBigUint64(28 + 10 * i, true), 16)}`;
  return (
    `cw ${hex(view.getUint16(0, true), 4)} sw ${hex(view.getUint16(4, true), 4)} tw ${hex(view.getUint16(8, true), 4)} ` +
    `ip ${hex(view.getUint32(12, true), 1)} dp ${hex(view.getUint32(20, true), 1)} ` +
    `st0 ${st(0)} st1 ${st(1)} st2 ${st(2)} st7 ${st(7)} fl ${hex(view.getUint32(EFLAGS, true), 3)} ` +
    `mem ${hex(view.getUint16(MEMORY + 8, true), 4)}:${hex(view.getBigUint64(MEMORY, true), 16)}`
  );
}
