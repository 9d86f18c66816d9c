/**
 * Emits a control-flow graph, whatever its shape, as structured WebAssembly. Knows nothing of x86.
 *
 *   const s = new Structurer();                       kept and reused
 *   s.begin(nodeCount);                               nodes are 0 ... nodeCount - 1
 *   s.addEntry(0); ...                                function entries before all other entries
 *   s.jump(0, 1); s.branch(1, 2, 3); s.table(2, [4, 5, 6]); s.leave(3);      in any order
 *   s.analyse(dispatches);
 *   ... s.label(node), s.isReachable(node), s.isLoopHeader(node), s.loopDepth(node), s.order ...
 *   s.emit(encoder, labelLocal, emitter);
 *
 * The shape: the function is called with the label of an entry in `labelLocal` (label(node), from
 * 1). If `dispatches`, everything stands in an outer loop, and code that sets `labelLocal` and
 * calls dispatch(e) goes to that entry without leaving the function. Loops of the graph are wasm
 * loops, also when they are entered in the middle: such a loop tests the label at its header, once
 * an iteration, and only such a loop. Where nodes run, `labelLocal` is free to be set, and is to
 * be changed for nothing else.
 *
 * How a node ends:
 * - leave: emitNode() has emitted a `return`, a dispatch(), a share(), or something else that does not go on;
 * - jump: control goes to the successor;
 * - branch: emitNode() leaves an i32 on the stack, control goes to the first successor when it is
 *   not zero (zero, if `inverted` was asked for), else to the second;
 * - table: emitNode() leaves an i32 index on the stack; the last successor is the default.
 * A node may return or dispatch in the middle of its code as well, and it may do so instead of its
 * ending (too much code already: leave here): what follows is then dead but valid.
 *
 * The cap is the caller's: e.length grows as nodes are emitted.
 */
import { DispatchGraph, FINAL, INNER, ROOT as ROLE_ROOT, SET, TEST } from './structure/dispatch.ts';
import { BRANCH, Graph, LEAVE, TABLE, atLeast } from './structure/graph.ts';
import { LoopNest, ROOT_LOOP } from './structure/loops.ts';
import * as P from './structure/plan.ts';
import type { Encoder } from './wasm/encoder.ts';
import { I32_EQ, I32_EQZ, I32_GE_U, I32_LT_U, I32_NE, I32_SUB } from './wasm/opcodes.ts';

export interface NodeEmitter {
  /** Emits a node's code and leaves on the stack what its ending consumes. */
  emitNode(node: number, inverted: boolean): void;
  /** Code that share() leads to, emitted once; it does not run on past its end. */
  emitShared?(): void;
}

export class Structurer {
  private readonly graph = new Graph();
  private readonly nest = new LoopNest();
  private readonly flow = new DispatchGraph();
  private readonly plan = new P.Plan();
  private entries = new Int32Array(16);
  private entryCount = 0;
  private dispatches = false;
  /** Depth inside the block in front of a node, and inside the loop at a node. */
  private blockLabel = new Int32Array(64);
  private loopLabel = new Int32Array(64);
  private tableLabels = new Int32Array(64);
  private outer = 0;
  private shared = 0;

  begin(nodes: number): void {
    this.graph.reset(nodes);
    this.entryCount = 0;
  }

  addEntry(node: number): void {
    if (this.entryCount === this.entries.length) {
      const entries = new Int32Array(2 * this.entryCount);
      entries.set(this.entries);
      this.entries = entries;
    }
    this.entries[this.entryCount++] = node;
  }

  leave(node: number): void {
    this.graph.set(node, LEAVE);
  }

  jump(node: number, to: number): void {
    this.graph.jump(node, to);
  }

  branch(node: number, taken: number, otherwise: number): void {
    this.graph.branch(node, taken, otherwise);
  }

  table(node: number, targets: ArrayLike<number>): void {
    this.graph.set(node, TABLE);
    for (let i = 0; i < targets.length; i++) this.graph.addTarget(node, targets[i]);
  }

  /** Call once all nodes are set. `dispatches`: whether any node's code will call dispatch(). */
  analyse(dispatches: boolean): void {
    if (this.entryCount === 0) throw new Error('structure: a graph needs an entry');
    this.dispatches = dispatches;
    this.nest.analyse(this.graph, this.entries, this.entryCount);
    this.flow.build(this.graph, this.nest);
    this.plan.make(this.flow, this.nest);
  }

  // --- What the analysis found ---------------------------------------------------------------

  /** The value of `labelLocal` that leads to an entry; 0 for other nodes. */
  label(node: number): number {
    return this.nest.label[node];
  }

  isReachable(node: number): boolean {
    return this.nest.scope[node] >= 0;
  }

  /** Every cycle contains such a node: the place for a check once an iteration. */
  isLoopHeader(node: number): boolean {
    const loop = this.nest.scope[node];
    return loop > ROOT_LOOP && this.nest.header[loop] === node;
  }

  /** Whether an edge goes back to the header of a loop it is in. */
  isBackEdge(from: number, to: number): boolean {
    return this.isLoopHeader(to) && this.nest.contains(this.nest.scope[to], this.nest.scope[from]);
  }

  /** Loops are numbered, those inside others after them; 0 is all that the region reaches. */
  get loops(): number {
    return this.nest.loops;
  }

  /** The innermost loop of a node, -1 if nothing reaches it. */
  loopOf(node: number): number {
    return this.nest.scope[node];
  }

  /** The loop that a loop is directly in. */
  loopAround(loop: number): number {
    return this.nest.parent[loop];
  }

  /** Some node goes on through the outer loop: everything is in a loop. */
  get dispatching(): boolean {
    return this.dispatches;
  }

  /** Number of loops around a node, its own included if it heads one. */
  loopDepth(node: number): number {
    const loop = this.nest.scope[node];
    return loop < 0 ? 0 : this.nest.depth[loop];
  }

  /** Calls back for each reachable node, in the order of emission's reverse postorder. */
  forEachInOrder(visit: (node: number) => void): void {
    const { order, count } = this.plan.dominators;
    for (let i = 0; i < count; i++) if (order[i] < this.graph.count) visit(order[i]);
  }

  // --- Emission ------------------------------------------------------------------------------

  /** Emits everything; the code never runs on past its end. */
  emit(e: Encoder, labelLocal: number, emitter: NodeEmitter): void {
    const { plan, flow } = this;
    const { steps, operands, used } = plan;
    this.blockLabel = atLeast(this.blockLabel, flow.graph.count);
    this.loopLabel = atLeast(this.loopLabel, flow.graph.count);
    const { blockLabel, loopLabel } = this;
    if (this.dispatches) this.outer = e.loop();
    if (emitter.emitShared) this.shared = e.block();
    for (let i = 0; i < plan.count; i++) {
      const operand = operands[i];
      switch (steps[i]) {
        case P.NODE:
        case P.NODE_INVERTED:
          if (operand < flow.originals) emitter.emitNode(operand, steps[i] === P.NODE_INVERTED);
          else this.emitAdded(e, labelLocal, operand, steps[i] === P.NODE_INVERTED);
          break;
        case P.OPEN_BLOCK:
          if (used[operand]) blockLabel[operand] = e.block();
          break;
        case P.CLOSE_BLOCK:
          if (used[operand]) e.end();
          break;
        case P.OPEN_LOOP:
          loopLabel[operand] = e.loop();
          break;
        case P.OPEN_IF:
          e.if();
          break;
        case P.CLOSE_LOOP:
        case P.CLOSE_IF:
          e.end();
          break;
        case P.GO:
          e.br(operand & 1 ? loopLabel[operand >> 1] : blockLabel[operand >> 1]);
          break;
        case P.GO_IF:
          e.brIf(operand & 1 ? loopLabel[operand >> 1] : blockLabel[operand >> 1]);
          break;
        case P.GO_TABLE:
          this.emitTable(e, operand);
          break;
        case P.DROP_CONDITION:
          e.drop();
          break;
      }
    }
    if (emitter.emitShared) {
      e.unreachable();
      e.end();
      emitter.emitShared();
    }
    if (this.dispatches) e.end();
    e.unreachable();
  }

  /** For a node's code: branches to the code that emitShared() emits. */
  share(e: Encoder): void {
    e.br(this.shared);
  }

  /** For a node's code, once it has set `labelLocal`: branches to that entry. */
  dispatch(e: Encoder): void {
    e.br(this.outer);
  }

  /** The same on the condition on the stack. */
  dispatchIf(e: Encoder): void {
    e.brIf(this.outer);
  }

  private emitTable(e: Encoder, node: number): void {
    const { graph } = this.flow;
    const count = graph.degree[node];
    this.tableLabels = atLeast(this.tableLabels, count);
    for (let k = 0; k < count; k++) {
      const target = graph.targets[graph.first[node] + k];
      const back = this.plan.dominators.isBackEdge(node, target);
      this.tableLabels[k] = back ? this.loopLabel[target] : this.blockLabel[target];
    }
    e.brTable(this.tableLabels, 0, count);
  }

  /** The code of a node that dispatch.ts added. */
  private emitAdded(e: Encoder, labelLocal: number, node: number, inverted: boolean): void {
    const { flow } = this;
    const at = node - flow.originals;
    const value = flow.value[at];
    const kind = flow.graph.kind[node];
    switch (flow.role[at]) {
      case ROLE_ROOT:
        return;
      case TEST:
        e.localGet(labelLocal);
        if (inverted) e.op(I32_EQZ);
        break;
      case SET:
        e.i32Const(value);
        e.localSet(labelLocal);
        break;
      case INNER:
        if (kind !== BRANCH && kind !== TABLE) return;
        e.localGet(labelLocal);
        if (kind === TABLE) return this.subtract(e, value);
        e.i32Const(value);
        e.op(inverted ? I32_LT_U : I32_GE_U);
        break;
      case FINAL:
        if (kind === BRANCH || kind === TABLE) e.localGet(labelLocal);
        if (flow.clears) {
          e.i32Const(0);
          e.localSet(labelLocal);
        }
        if (kind === TABLE) return this.subtract(e, value);
        if (kind !== BRANCH) return;
        e.i32Const(value);
        e.op(inverted ? I32_NE : I32_EQ);
        break;
    }
  }

  private subtract(e: Encoder, value: number): void {
    if (value === 0) return;
    e.i32Const(value);
    e.op(I32_SUB);
  }
}
