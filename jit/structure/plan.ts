/**
 * From a reducible graph to a list of steps: which node's code comes when, and where blocks and
 * loops open and close. After Ramsey, "Beyond Relooper" (ICFP 2022): code follows the dominator
 * tree; a node that several edges enter gets a block that ends in front of it, a loop header gets
 * a loop around what belongs to the loop. Different from the paper:
 * - what a loop leaves to stands behind the loop, not inside it: engines give every local that is
 *   assigned between `loop` and `end` a place at the loop's header;
 * - of two arms that are both in line, the smaller goes into an `if` and the larger goes on behind
 *   it, so that nesting grows with the logarithm of the size;
 * - nothing recurses: tasks wait on a stack of numbers.
 */
import type { DispatchGraph } from './dispatch.ts';
import { Dominators } from './dominators.ts';
import { JUMP, LEAVE, TABLE, atLeast, enlarge } from './graph.ts';
import { ROOT_LOOP, type LoopNest } from './loops.ts';

// Steps. The argument is a node or, for the four branches, an exit: node * 2, + 1 for its loop.
export const NODE = 0;
/** Emit a node whose condition is wanted inverted. */
export const NODE_INVERTED = 1;
export const OPEN_BLOCK = 2; // closed in front of the node
export const CLOSE_BLOCK = 3;
export const OPEN_LOOP = 4;
export const CLOSE_LOOP = 5;
export const OPEN_IF = 6;
export const CLOSE_IF = 7;
export const GO = 8;
export const GO_IF = 9;
export const GO_TABLE = 10; // of the node's successors
export const DROP_CONDITION = 11;

/** A task on the stack, beside the steps themselves: emit the tree of a node. */
const TREE = 12;

export class Plan {
  readonly dominators = new Dominators();
  steps = new Uint8Array(256);
  operands = new Int32Array(256);
  count = 0;
  /** 1 for nodes whose block is branched to: the others' blocks are left out. */
  used = new Uint8Array(64);

  /** Nodes that stand behind a node (or, for a header, behind its loop): lists in order. */
  private firstInside = new Int32Array(64);
  private firstBehind = new Int32Array(64);
  private next = new Int32Array(64);
  /** 1 for nodes that are in such a list, not in line. */
  private placed = new Uint8Array(64);

  private taskStep = new Uint8Array(256);
  private taskNode = new Int32Array(256);
  private taskFollow = new Int32Array(256);
  private tasks = 0;

  make(flow: DispatchGraph, nest: LoopNest): void {
    const { graph } = flow;
    const n = graph.count;
    this.dominators.analyse(graph, flow.root);
    this.firstInside = atLeast(this.firstInside, n);
    this.firstBehind = atLeast(this.firstBehind, n);
    this.next = atLeast(this.next, n);
    if (this.used.length < n) {
      this.used = new Uint8Array(2 * n);
      this.placed = new Uint8Array(2 * n);
    }
    this.firstInside.fill(-1, 0, n);
    this.firstBehind.fill(-1, 0, n);
    this.used.fill(0, 0, n);
    this.placed.fill(0, 0, n);
    this.place(flow, nest);
    this.count = 0;
    this.tasks = 0;
    this.push(TREE, flow.root, -1);
    while (this.tasks > 0) {
      const at = --this.tasks;
      const step = this.taskStep[at];
      if (step === TREE) this.tree(flow, this.taskNode[at], this.taskFollow[at]);
      else this.step(step, this.taskNode[at]);
    }
  }

  /** Decides which nodes stand in line behind their only predecessor, and where the others go. */
  private place(flow: DispatchGraph, nest: LoopNest): void {
    const { graph, scope } = flow;
    const { order, count, idom, forwardEdges } = this.dominators;
    const { placed } = this;
    for (let i = 0; i < count; i++) {
      const node = order[i];
      if (forwardEdges[node] > 1) placed[node] = 1;
      if (graph.kind[node] === TABLE) {
        for (let k = 0; k < graph.degree[node]; k++) {
          placed[graph.targets[graph.first[node] + k]] = 1;
        }
      }
    }
    // Backwards, so that each list, which grows at its front, ends up in order.
    for (let i = count - 1; i > 0; i--) {
      const node = order[i];
      const dominator = idom[node];
      let loop = scope[dominator];
      if (!nest.contains(loop, scope[node])) {
        while (!nest.contains(nest.parent[loop], scope[node])) loop = nest.parent[loop];
        const header = flow.header[loop];
        placed[node] = 1;
        this.next[node] = this.firstBehind[header];
        this.firstBehind[header] = node;
      } else if (placed[node]) {
        this.next[node] = this.firstInside[dominator];
        this.firstInside[dominator] = node;
      }
    }
  }

  /** Emits what `node` dominates; `follow` is the node whose code comes next, or -1. */
  private tree(flow: DispatchGraph, node: number, follow: number): void {
    const { graph } = flow;
    const loop = flow.scope[node];
    const isHeader = loop !== ROOT_LOOP && flow.header[loop] === node;
    // Blocks open for the last of the list first; their contents wait in the opposite order.
    const behind = this.openBlocks(this.firstBehind[node], follow);
    if (isHeader) {
      this.push(CLOSE_LOOP, node, -1);
      this.step(OPEN_LOOP, node);
    }
    const inside = this.openBlocks(this.firstInside[node], behind);
    this.ending(flow, node, graph.kind[node], inside);
  }

  /** Opens blocks for a list of nodes and leaves their trees as tasks; returns what comes first. */
  private openBlocks(first: number, follow: number): number {
    if (first < 0) return follow;
    const from = this.tasks;
    const stepsFrom = this.count;
    for (let node = first; node >= 0; node = this.next[node]) {
      const after = this.next[node] >= 0 ? this.next[node] : follow;
      this.push(TREE, node, after);
      this.push(CLOSE_BLOCK, node, -1);
      this.step(OPEN_BLOCK, node);
    }
    // The list is in the order of emission; the stack and the opening want it reversed.
    this.reverseTasks(from);
    reverse(this.operands, stepsFrom, this.count);
    return first;
  }

  private reverseTasks(from: number): void {
    // As pairs (TREE, CLOSE_BLOCK), each pair kept: reverse everything, then push order is right
    // when TREE lies below CLOSE_BLOCK again.
    for (let i = from, k = this.tasks - 2; i < k; i += 2, k -= 2) {
      this.swapTasks(i, k);
      this.swapTasks(i + 1, k + 1);
    }
  }

  private swapTasks(a: number, b: number): void {
    const step = this.taskStep[a];
    const node = this.taskNode[a];
    const follow = this.taskFollow[a];
    this.taskStep[a] = this.taskStep[b];
    this.taskNode[a] = this.taskNode[b];
    this.taskFollow[a] = this.taskFollow[b];
    this.taskStep[b] = step;
    this.taskNode[b] = node;
    this.taskFollow[b] = follow;
  }

  private ending(flow: DispatchGraph, node: number, kind: number, follow: number): void {
    const { graph } = flow;
    const at = this.count;
    this.step(NODE, node);
    const first = graph.first[node];
    if (kind === LEAVE) return;
    if (kind === JUMP) return this.go(node, graph.targets[first], follow);
    if (kind === TABLE) {
      for (let k = 0; k < graph.degree[node]; k++) this.exit(node, graph.targets[first + k]);
      this.step(GO_TABLE, node);
      return;
    }
    const taken = graph.targets[first];
    const otherwise = graph.targets[first + 1];
    if (taken === otherwise) {
      this.step(DROP_CONDITION, node);
      return this.go(node, taken, follow);
    }
    const takenInLine = this.inLine(node, taken);
    const otherwiseInLine = this.inLine(node, otherwise);
    if (takenInLine && otherwiseInLine) {
      const { size } = this.dominators;
      const inverted = size[taken] > size[otherwise];
      if (inverted) this.steps[at] = NODE_INVERTED;
      this.step(OPEN_IF, node);
      this.push(TREE, inverted ? taken : otherwise, follow);
      this.push(CLOSE_IF, node, -1);
      this.push(TREE, inverted ? otherwise : taken, -1);
      return;
    }
    // The arm that comes next anyway is the one not to branch to.
    if (takenInLine || (!otherwiseInLine && this.comesNext(node, taken, follow))) {
      this.steps[at] = NODE_INVERTED;
      this.step(GO_IF, this.exit(node, otherwise));
      this.go(node, taken, follow);
    } else {
      this.step(GO_IF, this.exit(node, taken));
      this.go(node, otherwise, follow);
    }
  }

  /** Continues at `target`: in line, by falling through, or by a branch. */
  private go(node: number, target: number, follow: number): void {
    if (this.inLine(node, target)) this.push(TREE, target, follow);
    else if (!this.comesNext(node, target, follow)) this.step(GO, this.exit(node, target));
  }

  private inLine(node: number, target: number): boolean {
    return this.placed[target] === 0 && !this.dominators.isBackEdge(node, target);
  }

  private comesNext(node: number, target: number, follow: number): boolean {
    return target === follow && !this.dominators.isBackEdge(node, target);
  }

  /** The operand of a branch from `node` to `target`. */
  private exit(node: number, target: number): number {
    if (this.dominators.isBackEdge(node, target)) return 2 * target + 1;
    this.used[target] = 1;
    return 2 * target;
  }

  private step(step: number, operand: number): void {
    if (this.count === this.steps.length) {
      const steps = new Uint8Array(2 * this.count);
      steps.set(this.steps);
      this.steps = steps;
      this.operands = enlarge(this.operands, 2 * this.count);
    }
    this.steps[this.count] = step;
    this.operands[this.count++] = operand;
  }

  private push(step: number, node: number, follow: number): void {
    if (this.tasks === this.taskStep.length) {
      const steps = new Uint8Array(2 * this.tasks);
      steps.set(this.taskStep);
      this.taskStep = steps;
      this.taskNode = enlarge(this.taskNode, 2 * this.tasks);
      this.taskFollow = enlarge(this.taskFollow, 2 * this.tasks);
    }
    this.taskStep[this.tasks] = step;
    this.taskNode[this.tasks] = node;
    this.taskFollow[this.tasks++] = follow;
  }
}

function reverse(array: Int32Array, from: number, to: number): void {
  for (let i = from, k = to - 1; i < k; i++, k--) {
    const swap = array[i];
    array[i] = array[k];
    array[k] = swap;
  }
}
