/**
 * Makes a graph with several entries into a reducible one with a single entry, by nodes that send
 * a label on. Takes the loop nest; gives a graph in which every loop is entered at its header only.
 *
 * Added nodes, by role:
 *   ROOT    the single entry; one for the region
 *   TEST    header of a multi loop: "is there a label?" then dispatch, else on to the old header
 *   INNER   sends the labels that belong to inner multi loops to their TEST
 *   FINAL   clears the label and goes to the node it names
 *   SET     on an edge into a multi loop beside its header: sets the label, goes to TEST
 * The label is zero wherever the code of an original node runs, if there is any multi loop.
 */
import { BRANCH, Graph, JUMP, TABLE, atLeast, enlarge } from './graph.ts';
import { ROOT_LOOP, type LoopNest } from './loops.ts';

export const ROOT = 0;
export const TEST = 1;
export const INNER = 2;
export const FINAL = 3;
export const SET = 4;

/** A table whose lowest label is no more than this has unused arms instead of a subtraction. */
const PADDING = 3;

export class DispatchGraph {
  /** Original nodes keep their numbers; `originals` and up are the added ones. */
  readonly graph = new Graph();
  originals = 0;
  root = 0;
  /** Whether FINAL nodes must clear the label. */
  clears = false;
  /** Innermost loop by node, as LoopNest.scope but with the added nodes. */
  scope = new Int32Array(64);
  /** Header by loop, in this graph. */
  header = new Int32Array(16);
  /** Of added nodes (less `originals`): role, and the label of SET or what INNER and FINAL compare with or subtract. */
  role = new Int32Array(64);
  value = new Int32Array(64);

  private redirected = new Int32Array(64);
  private test = new Int32Array(16);
  private entryOf = new Int32Array(16);
  private finalOf = new Int32Array(16);
  private innerOf = new Int32Array(16);

  build(source: Graph, nest: LoopNest): void {
    const n = source.count;
    const { graph } = this;
    graph.reset(n);
    this.originals = n;
    this.scope = atLeast(this.scope, n + 64);
    for (let i = 0; i < n; i++) this.scope[i] = nest.scope[i];
    this.redirected = atLeast(this.redirected, n);
    this.test = atLeast(this.test, nest.loops);
    this.header = atLeast(this.header, nest.loops);
    this.entryOf = atLeast(this.entryOf, nest.loops);
    this.finalOf = atLeast(this.finalOf, nest.loops);
    this.innerOf = atLeast(this.innerOf, nest.loops);
    this.clears = false;
    for (let loop = 1; loop < nest.loops; loop++) if (nest.multi[loop]) this.clears = true;

    this.root = this.add(ROOT, ROOT_LOOP, 0);
    this.dispatcher(nest, ROOT_LOOP);
    for (let loop = 1; loop < nest.loops; loop++) {
      this.header[loop] = nest.header[loop];
      if (!nest.multi[loop]) continue;
      this.test[loop] = this.header[loop] = this.add(TEST, loop, 0);
      this.dispatcher(nest, loop);
    }
    graph.jump(this.root, this.entryOf[ROOT_LOOP]);
    this.fill(nest, ROOT_LOOP);
    for (let loop = 1; loop < nest.loops; loop++) {
      if (!nest.multi[loop]) continue;
      graph.branch(this.test[loop], this.entryOf[loop], nest.header[loop]);
      this.fill(nest, loop);
    }
    for (let node = 0; node < n; node++) {
      if (nest.scope[node] >= 0) this.copyEnding(source, nest, node);
    }
  }

  private add(role: number, loop: number, value: number): number {
    const node = this.graph.addNode();
    const at = node - this.originals;
    if (node >= this.scope.length) this.scope = enlarge(this.scope, 2 * node);
    if (at >= this.role.length) {
      this.role = enlarge(this.role, 2 * at);
      this.value = enlarge(this.value, 2 * at);
    }
    this.scope[node] = loop;
    this.role[at] = role;
    this.value[at] = value;
    return node;
  }

  /** Makes the nodes that dispatch the labels of a loop; entryOf is where they start. */
  private dispatcher(nest: LoopNest, loop: number): void {
    let inner = -1;
    for (let other = nest.firstInner[loop]; other >= 0; other = nest.nextInner[other]) {
      if (nest.fromParent[other] && inner < 0) inner = this.add(INNER, loop, 0);
    }
    const final = nest.finals[loop] > 0 ? this.add(FINAL, loop, 0) : -1;
    this.innerOf[loop] = inner;
    this.finalOf[loop] = final;
    this.entryOf[loop] = inner >= 0 ? inner : final;
  }

  private fill(nest: LoopNest, loop: number): void {
    const inner = this.innerOf[loop];
    const final = this.finalOf[loop];
    if (inner >= 0) this.fillInner(nest, loop, inner, final);
    if (final < 0) return;
    const { graph } = this;
    const lowest = nest.lowest[loop];
    const finals = nest.finals[loop];
    if (finals === 1) {
      graph.jump(final, nest.labelled[lowest]);
    } else if (finals === 2) {
      this.value[final - this.originals] = lowest;
      graph.branch(final, nest.labelled[lowest], nest.labelled[lowest + 1]);
    } else {
      const base = this.beginTable(final, lowest);
      for (let label = base; label < lowest + finals; label++) {
        graph.addTarget(final, nest.labelled[Math.max(label, lowest)]);
      }
    }
  }

  private fillInner(nest: LoopNest, loop: number, inner: number, final: number): void {
    const { graph } = this;
    let firstLoop = -1;
    let lastLoop = -1;
    for (let other = nest.firstInner[loop]; other >= 0; other = nest.nextInner[other]) {
      if (!nest.fromParent[other]) continue;
      if (firstLoop < 0) firstLoop = other;
      lastLoop = other;
    }
    const lowest = nest.lowest[firstLoop];
    if (firstLoop === lastLoop) {
      this.value[inner - this.originals] = lowest;
      if (final < 0) graph.jump(inner, this.test[firstLoop]);
      else graph.branch(inner, this.test[firstLoop], final);
      return;
    }
    // Lower labels wrap around to large indices, so that they too take the default.
    const otherwise = final >= 0 ? final : this.test[lastLoop];
    const base = this.beginTable(inner, lowest);
    for (let label = base; label < lowest; label++) graph.addTarget(inner, otherwise);
    for (let other = firstLoop; other >= 0 && other <= lastLoop; other = nest.nextInner[other]) {
      const target = nest.fromParent[other] ? this.test[other] : otherwise;
      for (let k = nest.span[other]; k > 0; k--) graph.addTarget(inner, target);
    }
    graph.addTarget(inner, otherwise);
  }

  /** Starts a TABLE and returns the label of its first arm; value is what to subtract. */
  private beginTable(node: number, lowest: number): number {
    this.graph.set(node, TABLE);
    const base = lowest <= PADDING ? 0 : lowest;
    this.value[node - this.originals] = base;
    return base;
  }

  private copyEnding(source: Graph, nest: LoopNest, node: number): void {
    const { graph } = this;
    const kind = source.kind[node];
    const first = source.first[node];
    const count = source.degree[node];
    if (kind === JUMP) {
      const target = this.redirect(nest, node, source.targets[first]);
      graph.jump(node, target);
    } else if (kind === BRANCH) {
      // Both before branch(): redirect() adds nodes and edges of its own.
      const taken = this.redirect(nest, node, source.targets[first]);
      const otherwise = this.redirect(nest, node, source.targets[first + 1]);
      graph.branch(node, taken, otherwise);
    } else if (kind === TABLE) {
      // Arms that are alike share what redirect() adds.
      for (let k = first; k < first + count; k++) this.redirected[source.targets[k]] = -1;
      for (let k = first; k < first + count; k++) {
        const target = source.targets[k];
        if (this.redirected[target] < 0) {
          this.redirected[target] = this.redirect(nest, node, target);
        }
      }
      graph.set(node, TABLE);
      for (let k = first; k < first + count; k++) {
        graph.addTarget(node, this.redirected[source.targets[k]]);
      }
    }
  }

  /** Where the edge from `node` to `target` goes in this graph. */
  private redirect(nest: LoopNest, node: number, target: number): number {
    const from = nest.scope[node];
    let loop = nest.scope[target];
    if (nest.contains(loop, from)) {
      // No loop is entered; at most this is a back edge.
      return nest.multi[loop] && nest.header[loop] === target ? this.test[loop] : target;
    }
    while (!nest.contains(nest.parent[loop], from)) loop = nest.parent[loop];
    // `loop` is the outermost loop that the edge enters.
    if (nest.header[loop] === target) return nest.multi[loop] ? this.test[loop] : target;
    const set = this.add(SET, nest.parent[loop], nest.label[target]);
    this.graph.jump(set, this.test[loop]);
    return set;
  }
}
