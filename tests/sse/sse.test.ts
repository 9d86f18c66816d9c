/**
 * Every MMX, SSE and SSE2 instruction, alone, against the processor under the tests: result, MXCSR,
 * EFLAGS of the comparisons, and whether #XM is raised. SSE_CASES=100000 for more of each, and
 * VMI86_SEED for others.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { ARITHMETIC } from '../../assembly/shared/flags.ts';
import { SEED } from '../lib/seed.ts';
import { Random } from '../native/random.ts';
import { AT, Driver, IN_MXCSR, isKernel, OUT_FLAGS, OUT_MXCSR, OUT_SIGNAL } from './driver.ts';
import { instructions, type Instruction } from './instructions.ts';
import { IN_SIZE, OUT_SIZE, runNative, unavailable } from './native.ts';
import { operands } from './operands.ts';

const CASES = Number(process.env.SSE_CASES ?? 1000);
const all = instructions();
const kernels = all.filter(isKernel);
const reason = unavailable();
if (reason) console.warn(`tests/sse: skipped, ${reason}`);

type Field = [name: string, at: number, bytes: number];

/** Fields of a struct out that are compared always. */
const FIELDS: Field[] = [
  ['xmm0', AT.xmm0, 16],
  ['xmm1', AT.xmm1, 16],
  ['memory', AT.memory, 16],
  ['eax', AT.eax, 4],
  ['ecx', AT.ecx, 4],
  ['mxcsr', OUT_MXCSR, 4],
  ['eflags', OUT_FLAGS, 4],
  ['signal', OUT_SIGNAL, 1],
];
const MMX_FIELDS: Field[] = [
  ['mm0', AT.mm0, 8],
  ['mm1', AT.mm1, 8],
];
const INPUTS: Field[] = [...FIELDS.slice(0, 5), ...MMX_FIELDS, ['mxcsr', IN_MXCSR, 4]];

function differs(a: Uint8Array, b: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (a[i] !== b[i]) return true;
  return false;
}

/** The kernels' flags are the arithmetic ones, and only where the row has flags. */
function keepArithmeticFlags(native: Uint8Array): void {
  for (let at = OUT_FLAGS; at < native.length; at += OUT_SIZE) {
    native[at]! &= ARITHMETIC & 0xff;
    native[at + 1]! &= ARITHMETIC >> 8;
  }
}

function hideFlags(...all: Uint8Array[]): void {
  for (const bytes of all) {
    for (let at = OUT_FLAGS; at < bytes.length; at += OUT_SIZE) bytes.fill(0, at, at + 4);
  }
}

function hex(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length))
    .reverse()
    .toString('hex');
}

/** Bytes a float of this instruction's operands has; 0: integers. */
function formatOf({ operation }: Instruction): number {
  const name = operation.name;
  if (/^(CVTDQ|CVTPI|CVTSI|MOV)/.test(name)) return 0;
  if (/^CVT/.test(name)) return /^CVTT?[PS]D/.test(name) ? 8 : 4;
  if (/^(SHUF|P|MOV)/.test(name)) return 0;
  return /[PS]S$/.test(name) ? 4 : /[PS]D$/.test(name) ? 8 : 0;
}

function usesMmx({ form, operation }: Instruction): boolean {
  return (
    operation.unit === 'mmx' || [...form.args, form.result].some((token) => /^mm/.test(token ?? ''))
  );
}

function immediates(instruction: Instruction, random: Random): number[] {
  if (!instruction.hasImmediate) return [0];
  if (/^CMP/.test(instruction.operation.name)) return [0, 1, 2, 3, 4, 5, 6, 7, 0x38, 0xff];
  return [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 0xe4, 0xff, random.int(256), random.int(256)];
}

let driver: Driver;
beforeAll(() => {
  if (!reason) driver = Driver.compile(kernels);
});

test('every operation of the rows is in the map, and every row has its form', () => {
  const reached = new Set(all.map(({ operation, form }) => `${operation.name} ${form.name}`));
  const listed = [...new Set(all.map(({ operation }) => operation))].flatMap((operation) =>
    operation.forms.map((form) => `${operation.name} ${form.name}`),
  );
  expect(listed.filter((name) => !reached.has(name))).toEqual([]);
});

describe.skipIf(reason !== null)(`single instructions, seed ${SEED}`, () => {
  const approximate = (one: Instruction) => /^R(CP|SQRT)/.test(one.operation.name);
  const exact = kernels.filter((one) => !approximate(one));
  test.each(exact.map((one) => [one.title, one] as const))('%s', async (title, instruction) => {
    const random = new Random(SEED, title);
    const list = immediates(instruction, random);
    const mmx = usesMmx(instruction);
    const fields = [...FIELDS, ...(mmx ? MMX_FIELDS : [])];
    for (const immediate of list) {
      const inputs = operands(random, Math.ceil(CASES / list.length), formatOf(instruction), mmx);
      const code = instruction.hasImmediate ? [...instruction.code, immediate] : instruction.code;
      const native = runNative(code, inputs);
      const ours = driver.run(driver.indexOf(instruction), (immediate << 24) >> 24, inputs);
      if (instruction.operation.flags) keepArithmeticFlags(native);
      else hideFlags(native, ours);
      for (let at = 0, from = 0; at < native.length; at += OUT_SIZE, from += IN_SIZE) {
        const wrong = fields.filter(([, k, n]) => differs(native, ours, at + k, n));
        if (!wrong.length) continue;
        const lines = [
          `${title}, immediate ${immediate}, seed ${SEED}`,
          ...INPUTS.map(([name, k, n]) => `  ${name} ${hex(inputs, from + k, n)}`),
          ...wrong.map(
            ([name, k, n]) =>
              `${name}: ${hex(ours, at + k, n)}, the processor ${hex(native, at + k, n)}`,
          ),
        ];
        expect.fail(lines.join('\n'));
      }
    }
    // Lets the runner report.
    await new Promise(setImmediate);
  });
});

describe.skipIf(reason !== null)('approximations', () => {
  /** 1.5 * 2^-12, and as much again for the processor's own. */
  const BOUND = 1.5 / 4096;
  const estimates = kernels.filter((one) => /^R(CP|SQRT)/.test(one.operation.name));
  const single = new DataView(new ArrayBuffer(4));
  const float = (bits: number) => {
    single.setUint32(0, bits);
    return single.getFloat32(0);
  };

  test.each(estimates.map((one) => [one.title, one] as const))('%s', (title, instruction) => {
    const inputs = operands(new Random(SEED, title), CASES, 4, false);
    const native = runNative(instruction.code, inputs);
    const ours = driver.run(driver.indexOf(instruction), 0, inputs);
    const source = instruction.form.name === 'rm' ? AT.memory : AT.xmm1;
    const lanes = /PS$/.test(instruction.operation.name) ? 4 : 1;
    const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [input, a, b] = [view(inputs), view(ours), view(native)];
    for (let i = 0; i < CASES; i++) {
      for (let lane = 0; lane < 4; lane++) {
        const x = input.getUint32(i * IN_SIZE + source + 4 * lane, true);
        const r = a.getUint32(i * OUT_SIZE + 4 * lane, true);
        const truth = b.getUint32(i * OUT_SIZE + 4 * lane, true);
        if (r === truth) continue;
        const exact = /^RCP/.test(title) ? 1 / float(x) : 1 / Math.sqrt(float(x));
        // Where the result is tiny, whether it is flushed hangs on the approximation.
        const tiny = Math.abs(exact) < 2 ** -126 * (1 + 2 * BOUND);
        const close = (y: number) =>
          Math.abs(y / exact - 1) <= BOUND || (tiny && Math.abs(y) <= 2 ** -126 * (1 + BOUND));
        const says = `${title} of ${x.toString(16)}: ${r.toString(16)}, ${truth.toString(16)} here`;
        expect(lane < lanes && close(float(r)) && close(float(truth)), says).toBe(true);
      }
      expect(a.getUint32(i * OUT_SIZE + OUT_MXCSR, true)).toBe(
        b.getUint32(i * OUT_SIZE + OUT_MXCSR, true),
      );
    }
  });
});
