/** One instruction, many cases: the unit against the processor. */
import { CASE, EFLAGS, MEMORY, runNative } from './native.ts';
import type { Instruction, Unit } from './unit.ts';

export interface Outcome {
  cases: number;
  different: number;
  /** Cases that differ by no more than the last unit and C1 (compareLoosely). */
  off: number;
  /** The first differences, in words. */
  shown: string[];
}

const STATUS_HIGH = 5;
const C1 = 2;
const POINTERS = 12;
const POINTERS_END = 28;
/** Where results of transcendental functions are: ST(0) and ST(1). */
const RESULTS = [28, 38];

/** FCS, FDS and the opcode: the processor's selectors, and an opcode for every instruction. */
const IGNORED = new Set([16, 17, 18, 19, 24, 25]);

/** All bytes must agree. */
export function compare(unit: Unit, insn: Instruction, cases: Uint8Array): Outcome {
  return run(unit, insn, cases, () => false);
}

/** The last unit of the result, and C1, may differ. */
export function compareLoosely(unit: Unit, insn: Instruction, cases: Uint8Array): Outcome {
  return run(unit, insn, cases, (expected, actual, at) => {
    actual[at + STATUS_HIGH]! ^= (actual[at + STATUS_HIGH]! ^ expected[at + STATUS_HIGH]!) & C1;
    const results = new DataView(actual.buffer, actual.byteOffset + at);
    const wanted = new DataView(expected.buffer, expected.byteOffset + at);
    for (const from of RESULTS) {
      // Sign, exponent and mantissa as one number: neighbours differ by one, over powers of two too.
      const value = (view: DataView) =>
        (BigInt(view.getUint16(from + 8, true)) << 63n) +
        (view.getBigUint64(from, true) & ~(1n << 63n));
      const distance = value(results) - value(wanted);
      if (distance < -1n || distance > 1n) continue;
      actual.set(expected.subarray(at + from, at + from + 10), at + from);
    }
    return firstDifference(expected, actual, at, false) < 0;
  });
}

function run(
  unit: Unit,
  insn: Instruction,
  cases: Uint8Array,
  forgive: (expected: Uint8Array, actual: Uint8Array, at: number) => boolean,
): Outcome {
  const expected = runNative([{ bytes: insn.bytes, cases }])[0]!;
  const actual = new Uint8Array(cases.length);
  const outcome: Outcome = { cases: cases.length / CASE, different: 0, off: 0, shown: [] };
  // The environment in memory holds the same pointers once more.
  const environment = /ENV|SAVE/.test(insn.name);
  for (let at = 0; at < cases.length; at += CASE) {
    unit.run(insn, cases, at, actual);
    // Some kernels do not keep the pointers over a switch of tasks: all zero then.
    const pointers = expected.subarray(at + POINTERS, at + POINTERS_END);
    if (pointers.every((byte, i) => byte === 0 || i > 13)) actual.set(pointers, at + POINTERS);
    const bad = firstDifference(expected, actual, at, environment);
    if (bad < 0) continue;
    const text = outcome.shown.length < 3 ? explain(insn, bad, cases, expected, actual, at) : '';
    if (forgive(expected, actual, at)) outcome.off++;
    else {
      outcome.different++;
      if (text) outcome.shown.push(text);
    }
  }
  return outcome;
}

function firstDifference(
  expected: Uint8Array,
  actual: Uint8Array,
  at: number,
  environment: boolean,
): number {
  for (let i = 0; i < CASE; i++) {
    if (expected[at + i] === actual[at + i] || IGNORED.has(i)) continue;
    if (environment && i >= MEMORY + 6 && i < MEMORY + POINTERS_END) continue;
    return i;
  }
  return -1;
}

function explain(
  insn: Instruction,
  bad: number,
  cases: Uint8Array,
  expected: Uint8Array,
  actual: Uint8Array,
  at: number,
): string {
  return (
    `${insn.name}: differs at byte ${bad}\n  in     ${describe(cases, at)}\n` +
    `  native ${describe(expected, at)}\n  ours   ${describe(actual, at)}`
  );
}

/** A case in one line: control, status, tags, pointers, ST0 to ST2, ST7, EFLAGS, memory. */
export function describe(cases: Uint8Array, at: number): string {
  const view = new DataView(cases.buffer, cases.byteOffset + at, CASE);
  const hex = (value: number | bigint, digits: number) => value.toString(16).padStart(digits, '0');
  const word = (offset: number) => hex(view.getUint16(offset, true), 4);
  const real = (offset: number) =>
    `${word(offset + 8)}:${hex(view.getBigUint64(offset, true), 16)}`;
  const pointer = (offset: number) => hex(view.getUint32(offset, true), 1);
  return (
    `cw ${word(0)} sw ${word(4)} tw ${word(8)} ip ${pointer(12)} dp ${pointer(20)} ` +
    `st0 ${real(28)} st1 ${real(38)} st2 ${real(48)} st7 ${real(98)} ` +
    `fl ${hex(view.getUint32(EFLAGS, true), 3)} mem ${real(MEMORY)}`
  );
}
