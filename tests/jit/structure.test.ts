import { describe, expect, it } from 'vitest';
import { Structurer } from '../../jit/structure.ts';
import { ModuleWriter } from '../../jit/wasm/module.ts';
import * as O from '../../jit/wasm/opcodes.ts';
import { SEED } from '../lib/seed.ts';
import { Random } from './random.ts';

/**
 * A graph under test: successors by node. No successor: the node leaves; one: a jump; two: a
 * branch; more: a table. `dispatching` nodes go on at an entry of their choice instead of ending.
 */
interface TestGraph {
  successors: number[][];
  entries: number[];
  dispatching?: Set<number>;
}

const STEPS = 200;

/** The choices a run makes: at step i of a run, something below `limit`. */
function choose(seed: number, step: number, limit: number): number {
  return new Random(seed * 7919 + step).below(limit);
}

/** Walks the graph itself. */
function walk(graph: TestGraph, entry: number, seed: number): number[] {
  const trace: number[] = [];
  let node = entry;
  for (let step = 0; step < STEPS; step++) {
    trace.push(node);
    const successors = graph.successors[node];
    if (graph.dispatching?.has(node)) {
      node = graph.entries[choose(seed, step, graph.entries.length)];
    } else if (successors.length === 0) {
      return trace;
    } else {
      node = successors[successors.length === 1 ? 0 : choose(seed, step, successors.length)];
    }
  }
  return trace;
}

const structurer = new Structurer();
const writer = new ModuleWriter();

/** Emits the graph; each node logs itself and asks for its choice. */
function compile(graph: TestGraph): { bytes: Uint8Array; run: (e: number, s: number) => number[] } {
  const s = structurer;
  s.begin(graph.successors.length);
  for (const entry of graph.entries) s.addEntry(entry);
  graph.successors.forEach((successors, node) => {
    if (graph.dispatching?.has(node) || successors.length === 0) s.leave(node);
    else if (successors.length === 1) s.jump(node, successors[0]);
    else if (successors.length === 2) s.branch(node, successors[0], successors[1]);
    else s.table(node, successors);
  });
  s.analyse(graph.dispatching !== undefined);

  writer.begin();
  const log = writer.importFunction('t', 'log', writer.type([O.I32], [O.I32]));
  const pick = writer.importFunction('t', 'pick', writer.type([O.I32], [O.I32]));
  const entryLabel = writer.importFunction('t', 'entryLabel', writer.type([], [O.I32]));
  const f = writer.beginFunction(writer.type([O.I32], [O.I32]));
  const e = writer.code;
  const emitted = new Set<number>();
  s.emit(e, 0, {
    emitNode(node, inverted) {
      expect(emitted.has(node), `node ${node} is emitted twice`).toBe(false);
      emitted.add(node);
      e.i32Const(node);
      e.call(log);
      e.if();
      e.i32Const(-1);
      e.return();
      e.end();
      const successors = graph.successors[node];
      if (graph.dispatching?.has(node)) {
        e.call(entryLabel);
        e.localSet(0);
        s.dispatch(e);
      } else if (successors.length === 0) {
        e.i32Const(node);
        e.return();
      } else if (successors.length > 1) {
        e.i32Const(successors.length);
        e.call(pick);
        // A branch goes to its first successor on true; pick says which successor it is to be.
        if (successors.length === 2 && !inverted) e.op(O.I32_EQZ);
      }
    },
  });
  writer.endFunction();
  writer.exportFunction('f', f);
  const bytes = writer.finish();
  for (let node = 0; node < graph.successors.length; node++) {
    expect(emitted.has(node), `node ${node}`).toBe(s.isReachable(node));
  }

  expectHeadersInAllCycles(graph);

  const labels = graph.successors.map((_, node) => s.label(node));
  let trace: number[] = [];
  let seed = 0;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes.slice()), {
    t: {
      log(node: number): number {
        trace.push(node);
        return trace.length >= STEPS ? 1 : 0;
      },
      pick: (limit: number) => choose(seed, trace.length - 1, limit),
      entryLabel: () => labels[graph.entries[choose(seed, trace.length - 1, graph.entries.length)]],
    },
  });
  return {
    bytes,
    run(entry, runSeed) {
      trace = [];
      seed = runSeed;
      (instance.exports.f as (label: number) => number)(labels[entry]);
      return trace;
    },
  };
}

/** What remains without the edges to loop headers must have no cycle. */
function expectHeadersInAllCycles(graph: TestGraph): void {
  const s = structurer;
  const done = new Set<number>();
  const open = new Set<number>();
  const visit = (node: number): void => {
    if (done.has(node)) return;
    open.add(node);
    if (!graph.dispatching?.has(node)) {
      for (const next of graph.successors[node]) {
        if (s.isBackEdge(node, next)) continue;
        expect(open.has(next), `a cycle without a header through ${next}`).toBe(false);
        visit(next);
      }
    }
    open.delete(node);
    done.add(node);
  };
  for (const entry of graph.entries) visit(entry);
}

function check(graph: TestGraph, runs = 3): void {
  const compiled = compile(graph);
  for (const entry of graph.entries) {
    for (let seed = 0; seed < runs; seed++) {
      const expected = walk(graph, entry, seed);
      const actual = compiled.run(entry, seed);
      if (expected.join() !== actual.join()) {
        expect(actual, `from ${entry}, seed ${seed}, ${describeGraph(graph)}`).toEqual(expected);
      }
    }
  }
}

function describeGraph(graph: TestGraph): string {
  const dispatching = graph.dispatching ? [...graph.dispatching].join() : 'none';
  return `${JSON.stringify(graph.successors)} entries ${graph.entries} dispatching ${dispatching}`;
}

describe('structurer', () => {
  it('takes the smallest graphs', () => {
    check({ successors: [[]], entries: [0] });
    check({ successors: [[0]], entries: [0] });
    check({ successors: [[0, 0]], entries: [0] });
    check({ successors: [[0, 0, 0]], entries: [0] });
    check({ successors: [[]], entries: [0, 0] });
    check({ successors: [[]], entries: [0], dispatching: new Set([0]) });
    check({ successors: [[1], [0]], entries: [1, 0] });
  });

  it('leaves out what no entry reaches', () => {
    check({ successors: [[2], [2, 0], [], [1, 3]], entries: [0] });
  });

  it('takes diamonds, triangles and duplicates', () => {
    check({ successors: [[1, 2], [3], [3], []], entries: [0] });
    check({ successors: [[2, 1], [2], []], entries: [0] });
    check({ successors: [[1, 1], [2, 2, 2], [0, 3], []], entries: [0] });
    check({ successors: [[1, 2, 1, 3], [3], [1], [0, 4], []], entries: [0] });
  });

  it('enters loops in the middle', () => {
    // Two nodes, two entries: the smallest irreducible graph.
    check({ successors: [[1, 2], [2, 3], [1, 3], []], entries: [0] });
    check({ successors: [[1], [2, 3], [1], []], entries: [0, 2] });
    check({ successors: [[1], [2], [3, 2], [1, 4], []], entries: [0, 1, 2, 3] });
    check({
      successors: [[1], [2], [3, 2], [1, 4], []],
      entries: [0, 3],
      dispatching: new Set([4]),
    });
  });

  it('takes a chain, a ladder and a nest of a thousand nodes', () => {
    const n = 1000;
    const ids = Array.from({ length: n }, (_, i) => i);
    check({ successors: ids.map((i) => (i + 1 < n ? [i + 1] : [])), entries: [0] }, 1);
    check({ successors: ids.map((i) => (i + 1 < n ? [n - 1, i + 1] : [])), entries: [0] }, 1);
    check(
      { successors: ids.map((i) => (i + 2 < n ? [i + 2, i + 1] : [])), entries: [0, 7, 500] },
      1,
    );
    // Both arms in line, all the way down.
    check(
      {
        successors: ids.map((i) => (i + 2 < n && i % 2 === 0 ? [i + 1, i + 2] : [])),
        entries: [0],
      },
      1,
    );
    check(
      {
        successors: ids.map((i) => [Math.max(0, n - 2 - i), Math.min(n - 1, i + 1)]),
        entries: [0],
      },
      1,
    );
  });

  it('takes deep nests of loops, with and without entries inside', () => {
    const depth = 60;
    const successors: number[][] = [];
    for (let i = 0; i < depth; i++) successors.push([i + 1]);
    for (let i = 0; i < depth; i++) successors.push([depth - 1 - i, depth + i + 1]);
    successors.push([]);
    check({ successors, entries: [0] });
    check({ successors, entries: [0, 30, 59, 75] });
    check({ successors, entries: Array.from({ length: 2 * depth }, (_, i) => i) }, 1);
  });

  it('opens no block and branches nowhere without need', () => {
    const skeleton = (successors: number[][], entries = [0]): number[] => {
      const s = structurer;
      s.begin(successors.length);
      for (const entry of entries) s.addEntry(entry);
      successors.forEach((next, node) => {
        if (next.length === 1) s.jump(node, next[0]);
        else if (next.length === 2) s.branch(node, next[0], next[1]);
      });
      s.analyse(false);
      writer.begin();
      writer.beginFunction(writer.type([O.I32], []));
      const from = writer.code.length;
      s.emit(writer.code, 0, { emitNode: (node) => writer.code.byte(100 + node) });
      const bytes = [...writer.code.bytes.subarray(from, writer.code.length)];
      writer.code.depth = 0;
      writer.endFunction();
      return bytes;
    };
    const { BLOCK, LOOP, IF, END, BR, BR_IF, VOID, UNREACHABLE } = O;
    expect(skeleton([[1], [2], []])).toEqual([100, 101, 102, UNREACHABLE]);
    expect(skeleton([[0, 1], []])).toEqual([...[LOOP, VOID, 100, BR_IF, 0, END, 101, UNREACHABLE]]);
    expect(skeleton([[2, 1], [2], []])).toEqual([
      ...[BLOCK, VOID, 100, BR_IF, 0, 101, END, 102, UNREACHABLE],
    ]);
    expect(skeleton([[1, 2], [], []])).toEqual([...[100, IF, VOID, 101, END, 102, UNREACHABLE]]);
    expect(skeleton([[1], [3, 2], [1], []])).toEqual([
      ...[100, BLOCK, VOID, LOOP, VOID, 101, BR_IF, 1, 102, BR, 0, END, END, 103, UNREACHABLE],
    ]);
  });

  const count = Number(process.env.VMI86_GRAPHS ?? 1500);
  it(`follows ${count} random graphs (VMI86_SEED=${SEED})`, () => {
    const random = new Random(SEED);
    for (let i = 0; i < count; i++) {
      const graph = randomGraph(random);
      try {
        check(graph, 2);
      } catch (error) {
        throw new Error(`graph ${i}: ${describeGraph(graph)}`, { cause: error });
      }
    }
  });
});

/** Some graphs like code (short forward edges, few back edges), some entirely random. */
function randomGraph(random: Random): TestGraph {
  const n = 1 + random.below(random.chance(10) ? 60 : 14);
  const local = random.chance(50);
  const density = random.below(100);
  const successors: number[][] = [];
  for (let node = 0; node < n; node++) {
    const target = (): number => {
      if (!local) return random.below(n);
      const distance = random.chance(20) ? -random.below(6) : 1 + random.below(4);
      return Math.min(n - 1, Math.max(0, node + distance));
    };
    const list: number[] = [];
    if (!random.chance(8)) {
      list.push(target());
      if (random.chance(density)) list.push(target());
      if (random.chance(8)) for (let k = random.below(6); k > 0; k--) list.push(target());
    }
    successors.push(list);
  }
  const entries = [0];
  while (random.chance(55)) entries.push(random.below(n));
  const graph: TestGraph = { successors, entries };
  if (random.chance(50)) {
    graph.dispatching = new Set();
    while (random.chance(60)) graph.dispatching.add(random.below(n));
  }
  return graph;
}
