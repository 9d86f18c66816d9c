import { describe, expect, it } from 'vitest';
import wabtFactory from 'wabt';
import { joinCode } from '../../jit/translations/write.ts';
import { Encoder } from '../../jit/wasm/encoder.ts';
import { InstructionWalk } from '../../jit/wasm/instructions.ts';
import { ModuleWriter } from '../../jit/wasm/module.ts';
import * as O from '../../jit/wasm/opcodes.ts';
import { readModule } from '../../jit/wasm/reader.ts';
import * as V from '../../jit/wasm/simd.ts';
import { compileLeaves } from './compile-leaves.ts';
import { Random } from './random.ts';

const wabt = await wabtFactory();

/** The text of a module, which must be a copy: wabt does not look at a view's offset. */
function disassemble(bytes: Uint8Array): string {
  const module = wabt.readWasm(bytes, { readDebugNames: true });
  const text = module.toText({});
  module.destroy();
  return text;
}

/** I32X4_ADD -> i32x4.add, V128_LOAD8X8_S -> v128.load8x8_s, ... */
function mnemonic(constant: string): string {
  const [type, ...rest] = constant.toLowerCase().split('_');
  const name = rest.join('_').replace(/_((i|f)\d+(x\d+)?)/, '_$1');
  return `${type}.${name}`;
}

function run(type: number, emit: (e: Encoder) => void, ...operands: Array<number | bigint>) {
  const writer = new ModuleWriter();
  writer.begin();
  writer.defineMemory(1);
  const parameters = operands.map((o) => (typeof o === 'bigint' ? O.I64 : O.I32));
  const f = writer.beginFunction(writer.type(parameters, [type]));
  emit(writer.code);
  writer.endFunction();
  writer.exportFunction('f', f);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(writer.finish().slice()));
  return (exports.f as (...o: unknown[]) => unknown)(...operands);
}

describe('encoder', () => {
  it('encodes constants of every length', () => {
    const random = new Random(5);
    const words = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 0x7fffffff, -0x80000000];
    for (let i = 0; i < 60; i++) words.push(random.next() >> random.below(32));
    for (const word of words) {
      expect(run(O.I32, (e) => e.i32Const(word))).toBe(word);
      expect(run(O.I64, (e) => e.i64Const(word))).toBe(BigInt(word));
      for (const high of [0, -1, 5, -0x80000000, random.next() >> random.below(32)]) {
        const value = (BigInt(high) << 32n) | BigInt(word >>> 0);
        expect(run(O.I64, (e) => e.i64Const(word, high))).toBe(BigInt.asIntN(64, value));
      }
    }
    for (const value of [0, -0, 1.5, -1e300, Infinity]) {
      expect(run(O.F64, (e) => e.f64Const(value))).toBe(value);
    }
  });

  it('takes unsigned words given as signed ones, and the reverse', () => {
    expect(run(O.I32, (e) => e.i32Const(0xffffffff))).toBe(-1);
    const e = new Encoder();
    e.u32(-1);
    expect([...e.bytes.subarray(0, e.length)]).toEqual([255, 255, 255, 255, 15]);
  });

  it('joins a set with the get behind it', () => {
    const e = new Encoder();
    e.localSet(300);
    e.localGet(300);
    e.localSet(3);
    e.localGet(4);
    e.localGet(3);
    e.localSet(5);
    e.block();
    e.localGet(5);
    const { LOCAL_TEE, LOCAL_SET, LOCAL_GET, BLOCK, VOID } = O;
    expect([...e.bytes.subarray(0, e.length)]).toEqual([
      ...[LOCAL_TEE, 0xac, 2, LOCAL_SET, 3, LOCAL_GET, 4, LOCAL_GET, 3, LOCAL_SET, 5],
      ...[BLOCK, VOID, LOCAL_GET, 5],
    ]);
  });

  it('grows', () => {
    const e = new Encoder(64);
    for (let i = 0; i < 5000; i++) e.i32Const(-0x80000000 + i);
    expect(e.length).toBe(30000);
    e.raw(new Uint8Array(100000).fill(7));
    expect(e.length).toBe(130000);
    expect(e.bytes[129999]).toBe(7);
    expect(e.bytes[0]).toBe(O.I32_CONST);
  });

  it('counts branch depths from labels', () => {
    const result = run(
      O.I32,
      (e) => {
        const outer = e.block(O.I32);
        const loop = e.loop();
        const inner = e.block();
        e.localGet(0);
        e.brTable([inner, outer - 1, loop, inner], 0, 1);
        e.end();
        e.i32Const(11);
        e.br(outer);
        e.end();
        e.unreachable();
        e.end();
      },
      0,
    );
    expect(result).toBe(11);
  });

  it('names every opcode as the text format does', () => {
    const simple = Object.entries(O).filter(
      ([, code]) => typeof code === 'number' && code >= O.I32_EQZ && code <= O.I64_EXTEND32_S,
    );
    for (const [name, code] of simple) {
      if (!/^[IF]\d\d_/.test(name)) continue;
      expect(
        textOf((e) => e.op(code)),
        name,
      ).toContain(` ${mnemonic(name)}\n`);
    }
    for (const [name, code] of Object.entries(O)) {
      if (!/_(LOAD|STORE)/.test(name)) continue;
      expect(
        textOf((e) => e.load(code, 12)),
        name,
      ).toContain(` ${mnemonic(name)} offset=12`);
    }
    for (const [name, code] of Object.entries(O)) {
      if (!/_TRUNC_SAT_/.test(name)) continue;
      expect(
        textOf((e) => e.fc(code)),
        name,
      ).toContain(` ${mnemonic(name)}\n`);
    }
    for (const [name, code] of Object.entries(V)) {
      const text = textOf((e) => simd(e, code));
      expect(text, name).toMatch(new RegExp(` ${mnemonic(name).replace('.', '\\.')}[ \\n)]`));
    }
  });

  it('reads back what it wrote, instruction by instruction', () => {
    for (const code of Object.values(V)) {
      const e = new Encoder();
      simd(e, code);
      e.op(O.NOP);
      const walk = new InstructionWalk(e.bytes, 0, e.length);
      walk.next();
      expect(walk.end, `simd ${code}`).toBe(e.length - 1);
    }
  });
});

/** A vector instruction with some immediates of the kind it wants. */
function simd(e: Encoder, code: number): void {
  if (code === V.V128_CONST || code === V.I8X16_SHUFFLE) e.simdBytes(code, new Uint8Array(16));
  else if (code >= V.I8X16_EXTRACT_LANE_S && code <= V.F64X2_REPLACE_LANE) e.simdLane(code, 1);
  else if (code >= V.V128_LOAD8_LANE && code <= V.V128_STORE64_LANE) {
    e.simdMemoryLane(code, 300, 1);
  } else if (code <= V.V128_STORE || code === V.V128_LOAD32_ZERO || code === V.V128_LOAD64_ZERO) {
    e.simdMemory(code, 300);
  } else e.simd(code);
}

/** The text of a function whose one instruction stands where nothing is typed. */
function textOf(emit: (e: Encoder) => void): string {
  const writer = new ModuleWriter();
  writer.begin();
  writer.defineMemory(1);
  writer.beginFunction(writer.type([], []));
  writer.code.unreachable();
  emit(writer.code);
  writer.code.unreachable();
  writer.endFunction();
  return disassemble(writer.finish().slice());
}

describe('module writer', () => {
  it('assembles imports, several functions, exports, table slots and names', () => {
    const m = new ModuleWriter();
    m.names = true;
    for (let again = 0; again < 2; again++) {
      m.begin();
      const unary = m.type([O.I32], [O.I32]);
      expect(m.type([O.I32], [O.I32])).toBe(unary);
      m.importMemory('env', 'memory', 1, 65536);
      m.importTable('env', 'table', 4);
      m.importGlobal('env', 'g', O.I32, false);
      const host = m.importFunction('env', 'host', unary);
      const indices: number[] = [];
      for (let i = 0; i < 3; i++) {
        indices.push(m.beginFunction(unary, `region ${i}`));
        const local = m.locals.add(O.I64);
        const other = m.locals.take(O.I32);
        m.code.i64Const(i);
        m.code.localSet(local);
        m.code.localGet(0);
        m.code.call(host);
        m.code.localSet(other);
        m.code.localGet(local);
        m.code.op(O.I32_WRAP_I64);
        m.code.localGet(other);
        m.code.op(O.I32_ADD);
        m.code.globalGet(0);
        m.code.op(O.I32_ADD);
        expect(m.bodyLength).toBeGreaterThan(10);
        m.endFunction();
        m.placeInTable(i + 1, indices[i]);
      }
      m.beginFunction(unary, 'never');
      m.code.block();
      m.abandonFunction();
      m.exportFunction('last', indices[2]);
      const bytes = m.finish().slice();
      expect(WebAssembly.validate(bytes)).toBe(true);
      const text = disassemble(bytes);
      expect(text).toContain('region_2');
      expect(text).not.toContain('never');
      const table = new WebAssembly.Table({ element: 'anyfunc', initial: 4 });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        env: {
          memory: new WebAssembly.Memory({ initial: 1, maximum: 65536 }),
          table,
          g: 1000,
          host: (x: number) => x * 10,
        },
      });
      expect((exports.last as (x: number) => number)(5)).toBe(1052);
      expect((table.get(1) as (x: number) => number)(5)).toBe(1050);
      expect(table.get(0)).toBeNull();
    }
  });

  it('finds room for sections larger than the gap, and for large code', () => {
    const m = new ModuleWriter();
    m.begin();
    const type = m.type([], [O.I32]);
    for (let i = 0; i < 1500; i++) {
      const f = m.beginFunction(type);
      for (let k = 0; k < 30; k++) m.locals.add(k % 2 ? O.I32 : O.F64);
      m.code.i32Const(i * 1000);
      for (let k = 0; k < 100; k++) {
        m.code.i32Const(1);
        m.code.op(O.I32_ADD);
      }
      m.endFunction();
      m.exportFunction(`function number ${i}`, f);
    }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish().slice()));
    expect((exports['function number 1234'] as () => number)()).toBe(1234100);
  });

  it('complains about blocks left open', () => {
    const m = new ModuleWriter();
    m.begin();
    m.beginFunction(m.type([], []));
    m.code.block();
    expect(() => m.endFunction()).toThrow('1 blocks are open');
  });

  it('takes imports while functions are emitted', () => {
    const m = new ModuleWriter();
    m.begin();
    m.names = true;
    const type = m.type([], [O.I32]);
    m.importFunction('env', 'one', type);
    const first = m.beginFunction(type, 'first');
    m.code.call(m.importFunction('env', 'two', type));
    m.endFunction();
    const second = m.beginFunction(type, 'second');
    m.code.call(m.importFunction('env', 'three', type));
    m.endFunction();
    m.exportFunction('first', first);
    m.exportFunction('second', second);
    const env = { one: () => 1, two: () => 2, three: () => 3 };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish().slice()), {
      env,
    });
    expect((exports.first as () => number)()).toBe(2);
    expect((exports.second as () => number)()).toBe(3);
  });
});

describe('reader', () => {
  it('reads what asc writes, to the last instruction', async () => {
    const bytes = await compileLeaves();
    const module = readModule(bytes);
    expect(module.imports.map((i) => i.name)).toEqual(['memory']);
    const add = module.functionByExport('add')!;
    expect(add.type).toEqual({ parameters: [O.I32, O.I32], results: [O.I32] });
    expect([...bytes.subarray(add.start, add.end)]).toEqual([
      ...[O.LOCAL_GET, 0, O.LOCAL_GET, 1, O.I32_ADD, O.END],
    ]);
    expect(module.functionByExport('widen')!.locals).toEqual([O.I64]);
    for (const body of module.bodies) {
      const walk = new InstructionWalk(bytes, body.start, body.end);
      while (walk.next());
      expect(walk.end).toBe(body.end);
      expect(walk.depth).toBe(-1);
    }
  });

  it('reads table contents', () => {
    const m = new ModuleWriter();
    m.begin();
    m.importTable('env', 'table', 10);
    const f = m.beginFunction(m.type([], []));
    m.endFunction();
    m.placeInTable(7, f);
    const module = readModule(m.finish().slice());
    expect([...module.table]).toEqual([[7, f]]);
    expect(module.functionAt(f)!.locals).toEqual([]);
  });

  it('refuses what is no module', () => {
    expect(() => readModule(new Uint8Array([1, 2, 3]))).toThrow('not a WebAssembly module');
    const m = new ModuleWriter();
    m.begin();
    m.beginFunction(m.type([], []));
    m.endFunction();
    const bytes = m.finish();
    expect(() => readModule(bytes.slice(0, -2))).toThrow('ends early');
  });
});

describe('branch hints', () => {
  /** Two functions: one without hints, one with two, and locals, which the offsets count. */
  function hinted(): Uint8Array {
    const writer = new ModuleWriter();
    writer.begin();
    writer.importMemory('env', 'memory', 1);
    const type = writer.type([O.I32, O.I32], [O.I32]);
    const { code: e, locals } = writer;
    for (const unlikely of [false, true]) {
      const f = writer.beginFunction(type);
      locals.add(O.I64);
      const out = e.block();
      e.localGet(0);
      if (unlikely) e.unlikely();
      e.brIf(out);
      e.localGet(1);
      if (unlikely) e.unlikely();
      e.if();
      e.i32Const(7);
      e.return();
      e.end();
      e.end();
      e.localGet(0);
      writer.endFunction();
      writer.exportFunction(unlikely ? 'hinted' : 'plain', f);
    }
    return writer.finish().slice();
  }

  const opcodes = (bytes: Uint8Array, which: number) => {
    const body = readModule(bytes).bodies[which]!;
    return [...body.unlikely].map((at) => bytes[at]);
  };

  it('name the branches, and the module computes the same', () => {
    const bytes = hinted();
    expect(opcodes(bytes, 0)).toEqual([]);
    expect(opcodes(bytes, 1)).toEqual([O.BR_IF, O.IF]);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
      env: { memory },
    });
    const f = instance.exports['hinted'] as (a: number, b: number) => number;
    expect([f(0, 0), f(0, 1), f(3, 1)]).toEqual([0, 7, 3]);
  });

  it('stay with code that is copied', () => {
    const module = hinted();
    const joined = joinCode([
      { module, function: 'hinted' },
      { module, function: 'plain' },
    ]);
    expect(opcodes(joined, 0)).toEqual([O.BR_IF, O.IF]);
    expect(opcodes(joined, 1)).toEqual([]);
  });
});
