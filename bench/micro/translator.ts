/**
 * What the x86-free half of the translator costs: encoder, splicer, structurer, module writer.
 * The figures of docs/translator.md come from here.
 */
import { splice, Splicer, type Leaf } from '../../jit/splice.ts';
import { Structurer } from '../../jit/structure.ts';
import type { Encoder } from '../../jit/wasm/encoder.ts';
import { ModuleWriter } from '../../jit/wasm/module.ts';
import * as O from '../../jit/wasm/opcodes.ts';
import { readModule } from '../../jit/wasm/reader.ts';

/** Wasm instructions in checkedAdd(). */
const CHECKED_ADD = 24;

/** Like `add eax, [ebx + 8]` behind a TLB check: the mix of instructions that translation emits. */
function checkedAdd(e: Encoder, address: number): void {
  e.localGet(4);
  e.i32Const(8);
  e.op(O.I32_ADD);
  e.localSet(12);
  e.localGet(12);
  e.i32Const(12);
  e.op(O.I32_SHR_U);
  e.i32Const(1023);
  e.op(O.I32_AND);
  e.i32Const(4);
  e.op(O.I32_SHL);
  e.localSet(13);
  e.localGet(13);
  e.load(O.I32_LOAD, 0x40000, 2);
  e.localGet(12);
  e.op(O.I32_NE);
  e.if();
  e.i32Const(address);
  e.return();
  e.end();
  e.localGet(1);
  e.localGet(12);
  e.load(O.I32_LOAD, 0);
  e.op(O.I32_ADD);
}

/** x + y + carry with two flags: as asc compiles an operation of middling length. */
function sampleLeaf(): Leaf {
  const m = new ModuleWriter();
  m.begin();
  const f = m.beginFunction(m.type([O.I32, O.I32, O.I32], [O.I32]));
  const e = m.code;
  e.localGet(0);
  e.localGet(1);
  e.op(O.I32_ADD);
  e.localGet(2);
  e.op(O.I32_ADD);
  e.localTee(2);
  for (const local of [0, 1]) e.localGet(local);
  e.op(O.I32_XOR);
  e.op(O.I32_XOR);
  e.i32Const(16);
  e.op(O.I32_AND);
  e.localGet(2);
  e.op(O.I32_XOR);
  e.localGet(0);
  e.localGet(2);
  e.op(O.I32_GT_U);
  e.i32Const(7);
  e.op(O.I32_SHL);
  e.op(O.I32_XOR);
  m.endFunction();
  m.exportFunction('adc', f);
  return new Splicer(readModule(m.finish().slice())).leaf('adc')!;
}

/** Best time of several rounds, in nanoseconds an item. */
function measure(items: number, round: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    round();
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1e6) / items;
}

/** A graph like a few compiled functions: short forward branches, loops, calls, a table. */
function codeLike(s: Structurer, nodes: number, entriesInLoops: boolean): void {
  s.begin(nodes);
  for (let node = 0; node < nodes; node++) {
    if (node % 50 === 0) s.addEntry(node);
    const next = node + 1;
    if (node % 50 === 49 || next >= nodes) s.leave(node);
    else if (node % 50 === 23) s.table(node, [next, next + 1, next + 2, next + 5]);
    else if (node % 7 === 3) s.branch(node, Math.max(node - 3, node - (node % 50)), next);
    else if (node % 20 === 18) s.branch(node, Math.max(node - 14, node - (node % 50)), next);
    else if (node % 3 === 1) s.branch(node, Math.min(next + 1, node - (node % 50) + 49), next);
    else s.jump(node, next);
  }
  if (!entriesInLoops) return;
  for (let node = 6; node < nodes; node += 11) s.addEntry(node);
}

export function main(): void {
  const m = new ModuleWriter();
  const start = (): void => {
    m.begin();
    m.importMemory('env', 'memory', 1);
    m.beginFunction(m.type([O.I32], [O.I32]));
    for (let i = 0; i < 20; i++) m.locals.add(O.I32);
  };
  const print = (what: string, value: number, unit: string): void => {
    console.log(`${what.padEnd(58)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}`);
  };

  const count = 1000;
  const rounds = 20;
  let bytes = 0;
  let ns = measure(count * rounds, () => {
    for (let r = 0; r < rounds; r++) {
      start();
      for (let i = 0; i < count; i++) checkedAdd(m.code, 0xc0100000 + i);
      bytes = m.bodyLength / count;
    }
  });
  // The function is not ended: begin() forgets it.
  print(`encoder: ${CHECKED_ADD} wasm instructions, ${bytes.toFixed(0)} bytes`, ns, 'ns');
  print('encoder: one wasm instruction', ns / CHECKED_ADD, 'ns');

  const leaf = sampleLeaf();
  for (const bound of [null, [1, 2, 3]]) {
    ns = measure(count * rounds, () => {
      for (let r = 0; r < rounds; r++) {
        start();
        const before = m.bodyLength;
        for (let i = 0; i < count; i++) splice(m.code, m.locals, leaf, bound);
        bytes = (m.bodyLength - before) / count;
      }
    });
    const operands = bound ? 'in locals' : 'on the stack';
    print(`splicer: ${bytes.toFixed(0)} bytes, operands ${operands}`, ns, 'ns');
  }

  const s = new Structurer();
  for (const [nodes, inLoops] of [
    [20, false],
    [200, false],
    [200, true],
    [1000, true],
  ] as Array<[number, boolean]>) {
    const repeat = Math.ceil(4000 / nodes);
    const name = `structurer: ${nodes} nodes${inLoops ? ', entries in loops' : ''}`;
    ns = measure(nodes * repeat, () => {
      for (let r = 0; r < repeat; r++) {
        codeLike(s, nodes, inLoops);
        s.analyse(true);
      }
    });
    print(`${name}: analysis, a node`, ns, 'ns');
    const emitter = { emitNode: () => {} };
    ns = measure(nodes * repeat, () => {
      for (let r = 0; r < repeat; r++) {
        start();
        s.emit(m.code, 0, emitter);
        bytes = m.bodyLength / nodes;
      }
    });
    print(`${name}: emission, a node (${bytes.toFixed(1)} bytes)`, ns, 'ns');
  }

  let best = Infinity;
  for (let r = 0; r < 200; r++) {
    start();
    for (let i = 0; i < 800; i++) checkedAdd(m.code, i);
    m.code.unreachable();
    const before = performance.now();
    m.endFunction();
    best = Math.min(best, performance.now() - before);
  }
  print(`module writer: end of a function of ${m.code.length >> 10} KB`, best * 1e6, 'ns');
  ns = measure(rounds * 10, () => {
    for (let r = 0; r < rounds * 10; r++) {
      start();
      m.code.unreachable();
      m.endFunction();
      m.exportFunction('f', 0);
      m.finish();
    }
  });
  print('module writer: a module around one empty function', ns, 'ns');
}
