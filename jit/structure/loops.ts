/**
 * The loop nest of a graph with several entries: which nodes form loops, which node heads each
 * loop, and which nodes need a label because flow enters a loop at them and not at its header.
 *
 * A loop is a strongly connected component; the loops inside it are the components that remain
 * when the edges to its header are taken away. The header is the member a depth-first search meets
 * first, so in reducible code it is the natural header, provided that function entries are listed
 * before the other entries. A loop entered at other nodes too ("multi") gets a dispatcher at its
 * header (dispatch.ts).
 *
 * Labels are numbers from 1. Every entry of the region has one, and every other node at which a
 * loop is entered beside its header. The labels dispatched inside a loop are contiguous.
 */
import { atLeast, enlarge, type Graph } from './graph.ts';

/** The pseudo-loop that contains everything. */
export const ROOT_LOOP = 0;

export class LoopNest {
  /** Innermost loop of each node, -1 for nodes no entry reaches. */
  scope = new Int32Array(64);
  /** Label of each node, 0 for none. */
  label = new Int32Array(64);
  /** Nodes by label; labels run from 1 to `labels`. */
  labelled = new Int32Array(64);
  labels = 0;

  // Loops, by number; a parent's number is lower than its children's.
  loops = 0;
  parent = new Int32Array(16);
  depth = new Int32Array(16);
  header = new Int32Array(16);
  /** 1 when the loop is entered at other nodes than its header. */
  multi = new Uint8Array(16);
  /** 1 when labels arrive from outside, not only from edges into this loop. */
  fromParent = new Uint8Array(16);
  /** For a multi loop and the root: nearest enclosing such loop, and the labels it dispatches. */
  dispatcher = new Int32Array(16);
  /** Labels lowest ... lowest + finals - 1 go to nodes, the others up to lowest + span to inner loops. */
  lowest = new Int32Array(16);
  finals = new Int32Array(16);
  span = new Int32Array(16);
  /** The multi loops dispatched by a loop, ascending: a list that ends with -1. */
  firstInner = new Int32Array(16);
  nextInner = new Int32Array(16);
  private treeStart = new Int32Array(16);
  private treeEnd = new Int32Array(16);

  /** Reachable nodes in the order of the first search. */
  private preorder = new Int32Array(64);
  /** Members of loop L: pool[memberStart[L] ... memberEnd[L] - 1]. */
  private pool = new Int32Array(256);
  private memberStart = new Int32Array(16);
  private memberEnd = new Int32Array(16);
  private poolEnd = 0;

  // Work space of the searches.
  private index = new Int32Array(64);
  private low = new Int32Array(64);
  private stack = new Int32Array(64);
  private path = new Int32Array(64);
  private cursor = new Int32Array(64);

  analyse(graph: Graph, entries: Int32Array, entryCount: number): void {
    const n = graph.count;
    this.scope = atLeast(this.scope, n);
    this.label = atLeast(this.label, n);
    this.labelled = atLeast(this.labelled, n + 1);
    this.preorder = atLeast(this.preorder, n);
    this.index = atLeast(this.index, n);
    this.low = atLeast(this.low, n);
    this.stack = atLeast(this.stack, n);
    this.path = atLeast(this.path, n);
    this.cursor = atLeast(this.cursor, n);
    this.pool = atLeast(this.pool, 2 * n);
    this.scope.fill(-1, 0, n);
    this.label.fill(0, 0, n);
    this.poolEnd = 0;
    this.loops = 0;
    this.newLoop(-1);
    this.search(graph, entries, entryCount);
    for (let i = 0; i < entryCount; i++) this.label[entries[i]] = 1;
    // Newly found loops are appended, and reached by this loop in turn.
    for (let loop = 0; loop < this.loops; loop++) {
      if (loop === ROOT_LOOP || this.memberEnd[loop] - this.memberStart[loop] > 1) {
        this.split(graph, loop);
      }
    }
    this.numberTree();
    this.numberLabels();
  }

  /** Whether `loop` contains the loop `inner`, or is it. */
  contains(loop: number, inner: number): boolean {
    return (
      this.treeStart[loop] <= this.treeStart[inner] && this.treeStart[inner] < this.treeEnd[loop]
    );
  }

  private newLoop(parent: number): number {
    const loop = this.loops++;
    if (loop === this.parent.length) this.growLoops(loop * 2);
    this.parent[loop] = parent;
    this.depth[loop] = parent < 0 ? 0 : this.depth[parent] + 1;
    this.header[loop] = -1;
    this.multi[loop] = 0;
    this.fromParent[loop] = 0;
    return loop;
  }

  private growLoops(size: number): void {
    this.parent = enlarge(this.parent, size);
    this.depth = enlarge(this.depth, size);
    this.header = enlarge(this.header, size);
    this.dispatcher = enlarge(this.dispatcher, size);
    this.firstInner = enlarge(this.firstInner, size);
    this.nextInner = enlarge(this.nextInner, size);
    this.lowest = enlarge(this.lowest, size);
    this.finals = enlarge(this.finals, size);
    this.span = enlarge(this.span, size);
    this.treeStart = enlarge(this.treeStart, size);
    this.treeEnd = enlarge(this.treeEnd, size);
    this.memberStart = enlarge(this.memberStart, size);
    this.memberEnd = enlarge(this.memberEnd, size);
    const multi = new Uint8Array(size);
    multi.set(this.multi);
    this.multi = multi;
    const fromParent = new Uint8Array(size);
    fromParent.set(this.fromParent);
    this.fromParent = fromParent;
  }

  /** Finds what the entries reach, in depth-first order; this becomes the root's member list. */
  private search(graph: Graph, entries: Int32Array, entryCount: number): void {
    const { scope, preorder, path, cursor, pool } = this;
    const { first, degree, targets } = graph;
    let found = 0;
    for (let i = 0; i < entryCount; i++) {
      if (scope[entries[i]] >= 0) continue;
      let top = 0;
      path[0] = entries[i];
      cursor[0] = 0;
      scope[entries[i]] = ROOT_LOOP;
      preorder[entries[i]] = found;
      pool[found++] = entries[i];
      while (top >= 0) {
        const node = path[top];
        if (cursor[top] === degree[node]) {
          top--;
          continue;
        }
        const next = targets[first[node] + cursor[top]++];
        if (scope[next] >= 0) continue;
        scope[next] = ROOT_LOOP;
        preorder[next] = found;
        pool[found++] = next;
        path[++top] = next;
        cursor[top] = 0;
      }
    }
    this.memberStart[ROOT_LOOP] = 0;
    this.memberEnd[ROOT_LOOP] = found;
    this.poolEnd = found;
  }

  /** Finds the loops directly inside `loop` and how they are entered. */
  private split(graph: Graph, loop: number): void {
    const { scope, label, preorder } = this;
    const { first, degree, targets } = graph;
    const start = this.memberStart[loop];
    const end = this.memberEnd[loop];
    const before = this.loops;
    this.components(graph, loop);
    if (this.loops === before) return;

    for (let inner = before; inner < this.loops; inner++) {
      let best = this.pool[this.memberStart[inner]];
      for (let i = this.memberStart[inner] + 1; i < this.memberEnd[inner]; i++) {
        if (preorder[this.pool[i]] < preorder[best]) best = this.pool[i];
      }
      this.header[inner] = best;
      for (let i = this.memberStart[inner]; i < this.memberEnd[inner]; i++) {
        if (label[this.pool[i]] === 0) continue;
        this.fromParent[inner] = 1;
        if (this.pool[i] !== best) this.multi[inner] = 1;
      }
    }
    for (let i = start; i < end; i++) {
      const node = this.pool[i];
      const from = scope[node];
      for (let k = first[node]; k < first[node] + degree[node]; k++) {
        const to = scope[targets[k]];
        // Loops outside this one, and this one itself, have lower numbers.
        if (to < before || to === from || targets[k] === this.header[to]) continue;
        this.multi[to] = 1;
        label[targets[k]] = 1;
      }
    }
  }

  /** Tarjan's strongly connected components among the members of `loop`, without recursion. */
  private components(graph: Graph, loop: number): void {
    const { scope, index, low, stack, path, cursor } = this;
    const { first, degree, targets } = graph;
    const start = this.memberStart[loop];
    const end = this.memberEnd[loop];
    const head = this.header[loop];
    const DONE = 0x7fffffff;
    for (let i = start; i < end; i++) index[this.pool[i]] = 0;
    let counter = 0;
    let stackTop = 0;
    for (let i = start; i < end; i++) {
      const root = this.pool[i];
      if (index[root] !== 0) continue;
      let top = 0;
      path[0] = root;
      cursor[0] = 0;
      index[root] = low[root] = ++counter;
      stack[stackTop++] = root;
      while (top >= 0) {
        const node = path[top];
        if (cursor[top] < degree[node]) {
          const next = targets[first[node] + cursor[top]++];
          if (scope[next] !== loop || next === head) continue;
          if (index[next] === 0) {
            index[next] = low[next] = ++counter;
            stack[stackTop++] = next;
            path[++top] = next;
            cursor[top] = 0;
          } else if (index[next] < low[node]) {
            low[node] = index[next];
          }
          continue;
        }
        top--;
        if (top >= 0 && low[node] < low[path[top]]) low[path[top]] = low[node];
        if (low[node] !== index[node]) continue;
        // `node` is the root of a component: everything above it on the stack.
        let bottom = stackTop;
        while (stack[--bottom] !== node);
        if (stackTop - bottom > 1 || this.loopsToItself(graph, node, head)) {
          this.addLoop(loop, bottom, stackTop);
        }
        while (stackTop > bottom) {
          const member = stack[--stackTop];
          index[member] = low[member] = DONE;
        }
      }
    }
  }

  private loopsToItself(graph: Graph, node: number, head: number): boolean {
    if (node === head) return false;
    for (let k = graph.first[node]; k < graph.first[node] + graph.degree[node]; k++) {
      if (graph.targets[k] === node) return true;
    }
    return false;
  }

  /** Makes the nodes stack[from, to) a loop inside `parent`. */
  private addLoop(parent: number, from: number, to: number): void {
    const loop = this.newLoop(parent);
    const count = to - from;
    if (this.poolEnd + count > this.pool.length) {
      this.pool = enlarge(this.pool, 2 * (this.poolEnd + count));
    }
    this.memberStart[loop] = this.poolEnd;
    for (let i = from; i < to; i++) {
      this.pool[this.poolEnd++] = this.stack[i];
      this.scope[this.stack[i]] = loop;
    }
    this.memberEnd[loop] = this.poolEnd;
  }

  /** Intervals for contains(). */
  private numberTree(): void {
    const { parent, treeStart, treeEnd } = this;
    // treeEnd holds the size of the subtree first, then is the next free number of the parent.
    treeEnd.fill(1, 0, this.loops);
    for (let loop = this.loops - 1; loop > 0; loop--) treeEnd[parent[loop]] += treeEnd[loop];
    treeStart[ROOT_LOOP] = 0;
    const next = this.lowest;
    next[ROOT_LOOP] = 1;
    for (let loop = 1; loop < this.loops; loop++) {
      const size = treeEnd[loop];
      treeStart[loop] = next[parent[loop]];
      next[parent[loop]] += size;
      next[loop] = treeStart[loop] + 1;
      treeEnd[loop] = treeStart[loop] + size;
    }
  }

  private numberLabels(): void {
    const { parent, multi, dispatcher, finals, span, lowest, label, scope } = this;
    finals.fill(0, 0, this.loops);
    for (let loop = 1; loop < this.loops; loop++) {
      const up = parent[loop];
      dispatcher[loop] = up === ROOT_LOOP || multi[up] ? up : dispatcher[up];
    }
    dispatcher[ROOT_LOOP] = -1;
    const count = this.memberEnd[ROOT_LOOP];
    for (let i = 0; i < count; i++) {
      if (label[this.pool[i]] !== 0) finals[this.dispatcherOf(scope[this.pool[i]])]++;
    }
    for (let loop = 0; loop < this.loops; loop++) span[loop] = finals[loop];
    this.firstInner.fill(-1, 0, this.loops);
    for (let loop = this.loops - 1; loop > 0; loop--) {
      if (!multi[loop]) continue;
      const up = dispatcher[loop];
      span[up] += span[loop];
      this.nextInner[loop] = this.firstInner[up];
      this.firstInner[up] = loop;
    }
    // `index` serves as the next free label inside each loop.
    this.index = atLeast(this.index, this.loops);
    const next = this.index;
    lowest[ROOT_LOOP] = 1;
    next[ROOT_LOOP] = 1 + finals[ROOT_LOOP];
    for (let loop = 1; loop < this.loops; loop++) {
      if (!multi[loop]) continue;
      lowest[loop] = next[dispatcher[loop]];
      next[dispatcher[loop]] += span[loop];
      next[loop] = lowest[loop] + finals[loop];
    }
    this.labels = span[ROOT_LOOP];
    // In the order of the first search, function entries before the rest.
    this.low = atLeast(this.low, this.loops);
    this.low.fill(0, 0, this.loops);
    for (let i = 0; i < count; i++) {
      const node = this.pool[i];
      if (label[node] === 0) continue;
      const loop = this.dispatcherOf(scope[node]);
      label[node] = lowest[loop] + this.low[loop]++;
      this.labelled[label[node]] = node;
    }
  }

  /** The loop whose dispatcher sends a label to nodes of `loop`. */
  private dispatcherOf(loop: number): number {
    return loop === ROOT_LOOP || this.multi[loop] ? loop : this.dispatcher[loop];
  }
}
