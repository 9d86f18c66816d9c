import { beforeAll, describe, expect, it } from 'vitest';
import { CONSTANT, ON_STACK, splice, Splicer, type Leaf } from '../../jit/splice.ts';
import { ModuleWriter } from '../../jit/wasm/module.ts';
import * as O from '../../jit/wasm/opcodes.ts';
import * as V from '../../jit/wasm/simd.ts';
import { readModule, type ReadModule } from '../../jit/wasm/reader.ts';
import { SEED } from '../lib/seed.ts';
import { compileLeaves } from './compile-leaves.ts';
import { Random } from './random.ts';

const LEAVES = [
  ...['add', 'first', 'second', 'reversed', 'twice', 'adc', 'rcl', 'classify', 'select8'],
  ...['multiplyHigh', 'widen', 'mixed', 'zeroStart', 'fetch', 'storeAt', 'packed', 'vector'],
  ...['traps', 'inlined'],
];

/** Where a v128 result is left, and what the generated functions do not otherwise touch. */
const RESULT = 0x10000;

let core: Uint8Array;
let module: ReadModule;
let splicer: Splicer;

beforeAll(async () => {
  core = await compileLeaves();
  module = readModule(core);
  splicer = new Splicer(module);
});

type Value = number | bigint;

/** Random operands that are often small, negative, or alike. */
function operand(random: Random, type: number): Value {
  const word = random.chance(40) ? random.below(64) - 32 : random.next();
  if (type === O.I64) return BigInt.asIntN(64, (BigInt(word) << 32n) ^ BigInt(random.next()));
  return word;
}

/**
 * A function that splices the leaf twice, first with all operands inverted or so and the result
 * thrown away (so that scratch locals are used ones), and one that calls it.
 */
function emit(writer: ModuleWriter, leaf: Leaf, mask: number, imported: number): void {
  const vector = leaf.results[0] === O.V128;
  const results = vector ? [] : [...leaf.results];
  const type = writer.type([...leaf.parameters], results);
  const e = writer.code;
  const finish = (): void => {
    if (!vector) return;
    e.simdMemory(V.V128_STORE, RESULT);
  };
  const spliced = writer.beginFunction(type);
  const bound = leaf.parameters.map((_, i) => ((mask >> i) & 1 ? i : ON_STACK));
  for (let round = 0; round < 2; round++) {
    // A bystander below the operands, and the address for a vector's store.
    e.i32Const(0);
    leaf.parameters.forEach((parameter, i) => {
      if (bound[i] >= 0) return;
      e.localGet(i);
      if (round > 0) return;
      if (parameter === O.I32) {
        e.i32Const(77);
        e.op(O.I32_XOR);
      } else if (parameter === O.I64) {
        e.i64Const(-1, 12345);
        e.op(O.I64_XOR);
      }
    });
    // The first round may trap or store, which is no part of the comparison: it never runs then.
    if (round === 0 && (leaf.name === 'traps' || leaf.name === 'storeAt')) {
      leaf.parameters.forEach((_, i) => bound[i] < 0 && e.drop());
      e.drop();
      continue;
    }
    splice(e, writer.locals, leaf, bound);
    if (round === 0) {
      if (leaf.results.length > 0) e.drop();
      e.drop();
    } else if (vector) {
      finish();
    } else if (results.length > 0) {
      const result = writer.locals.take(results[0]);
      e.localSet(result);
      e.drop();
      e.localGet(result);
    } else {
      e.drop();
    }
  }
  writer.endFunction();
  writer.exportFunction(`spliced ${mask}`, spliced);

  const called = writer.beginFunction(type);
  if (vector) e.i32Const(0);
  leaf.parameters.forEach((_, i) => e.localGet(i));
  e.call(imported);
  finish();
  writer.endFunction();
  writer.exportFunction(`called ${mask}`, called);
}

describe('splicer', () => {
  it('says which functions are no leaves, and why', () => {
    expect(splicer.leaf('global')).toBeNull();
    expect(splicer.reason('global')).toBe('it reads a global');
    expect(splicer.reason('recursive')).toBe('it calls a function');
    expect(splicer.reason('indirect')).toBe('it calls through the table');
    expect(splicer.reason('nowhere')).toBe('the core exports no such function');
    expect(splicer.reason('add')).toBe('');
  });

  it('leaves operands on the stack where the body takes them first', () => {
    const writer = new ModuleWriter();
    writer.begin();
    writer.beginFunction(writer.type([O.I32, O.I32], [O.I32]));
    writer.code.localGet(0);
    writer.code.localGet(1);
    const before = writer.code.length;
    splice(writer.code, writer.locals, splicer.leaf('add')!);
    expect([...writer.code.bytes.subarray(before, writer.code.length)]).toEqual([O.I32_ADD]);
    splice(writer.code, writer.locals, splicer.leaf('add')!, [0, 1]);
    expect([...writer.code.bytes.subarray(before + 1, writer.code.length)]).toEqual([
      ...[O.LOCAL_GET, 0, O.LOCAL_GET, 1, O.I32_ADD],
    ]);
    expect(writer.locals.count).toBe(2);
  });

  it('zeroes only locals that need it', () => {
    expect(splicer.leaf('zeroStart')!.zeroed).toHaveLength(2);
    expect(splicer.leaf('classify')!.zeroed).toHaveLength(1);
    expect(splicer.leaf('multiplyHigh')!.zeroed).toHaveLength(0);
    expect(splicer.leaf('packed')!.zeroed).toHaveLength(0);
  });

  it('puts constants where operands are fetched', () => {
    const random = new Random(SEED);
    for (const name of ['add', 'twice', 'adc', 'rcl', 'widen', 'select8', 'multiplyHigh']) {
      const leaf = splicer.leaf(name)!;
      const original = new WebAssembly.Instance(new WebAssembly.Module(core.slice()), {
        env: { memory: new WebAssembly.Memory({ initial: 1 }), abort() {} },
      });
      for (let i = 0; i < 40; i++) {
        const operands = leaf.parameters.map(() => random.next() >> random.below(32));
        const bound = leaf.parameters.map((type, k) =>
          random.chance(60) ? CONSTANT : type === O.I64 || k === 0 ? ON_STACK : 0,
        );
        const writer = new ModuleWriter();
        writer.begin();
        const f = writer.beginFunction(writer.type([], [...leaf.results]));
        const local = writer.locals.add(O.I32);
        const e = writer.code;
        const held = operands[bound.indexOf(0)] ?? 0;
        e.i32Const(held);
        e.localSet(local);
        bound.forEach((place, k) => {
          if (place >= 0) operands[k] = held;
          if (place !== ON_STACK) return;
          if (leaf.parameters[k] === O.I64) e.i64Const(operands[k]);
          else e.i32Const(operands[k]);
        });
        splice(e, writer.locals, leaf, bound, operands);
        writer.endFunction();
        writer.exportFunction('f', f);
        const bytes = writer.finish().slice();
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
        const call = original.exports[name] as (...operands: Value[]) => Value;
        const values = operands.map((o, k) => (leaf.parameters[k] === O.I64 ? BigInt(o) : o));
        const actual = (exports.f as () => Value)();
        expect(actual, `${name} ${operands}, ${bound}`).toBe(call(...values));
      }
    }
  });

  it.each(LEAVES)(`computes what the call computes: %s (VMI86_SEED=${SEED})`, (name) => {
    const leaf = splicer.leaf(name);
    expect(splicer.reason(name)).toBe('');
    if (leaf === null) return;
    const memory = new WebAssembly.Memory({ initial: 2 });
    const words = new Int32Array(memory.buffer);
    const original = new WebAssembly.Instance(new WebAssembly.Module(core.slice()), {
      env: { memory, abort() {} },
    });
    const masks = 1 << leaf.parameters.length;
    const writer = new ModuleWriter();
    writer.begin();
    writer.importMemory('env', 'memory', 1);
    const type = writer.type([...leaf.parameters], [...leaf.results]);
    const imported = writer.importFunction('core', name, type);
    for (let mask = 0; mask < masks; mask++) emit(writer, leaf, mask, imported);
    const bytes = writer.finish().slice();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory },
      core: original.exports as WebAssembly.ModuleImports,
    });

    const random = new Random(SEED);
    for (let i = 0; i < words.length; i++) words[i] = random.next();
    const saved = words.slice();
    for (let mask = 0; mask < masks; mask++) {
      const run = (which: string, operands: Value[]): unknown => {
        const f = exports[`${which} ${mask}`] as (...operands: Value[]) => unknown;
        try {
          return [f(...operands), ...words.subarray(RESULT >> 2, (RESULT >> 2) + 4)];
        } catch {
          return 'trap';
        }
      };
      for (let i = 0; i < 300; i++) {
        const operands = leaf.parameters.map((parameter) => operand(random, parameter));
        const expected = run('called', operands);
        const after = name === 'storeAt' ? words.slice() : null;
        if (after) words.set(saved);
        expect(run('spliced', operands), `${operands}, bound ${mask}`).toEqual(expected);
        if (after) {
          expect(Buffer.compare(Buffer.from(words.buffer), Buffer.from(after.buffer))).toBe(0);
          words.set(saved);
        }
      }
    }
  });
});
