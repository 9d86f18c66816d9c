/**
 * Order and dominators of a reducible graph with one entry (Hecht and Ullman: in such a graph the
 * edges that go back in a reverse postorder are the loops' back edges, whatever the search, and
 * dominators follow from one pass over the others).
 *
 * The nearest common dominator of two nodes is found with skew-binary jump pointers in logarithmic
 * time; walking up node by node is quadratic for long chains with one shared exit.
 */
import { TABLE, atLeast, type Graph } from './graph.ts';

export class Dominators {
  /** Nodes in reverse postorder; only what the entry reaches. */
  order = new Int32Array(64);
  count = 0;
  /** Position in `order`, -1 for unreachable nodes. */
  position = new Int32Array(64);
  /** Immediate dominator; of the entry itself -1. */
  idom = new Int32Array(64);
  /** Number of forward edges into each node. */
  forwardEdges = new Int32Array(64);
  /** Number of nodes each node dominates, itself included. */
  size = new Int32Array(64);
  private depth = new Int32Array(64);
  private up = new Int32Array(64);
  private path = new Int32Array(64);
  private cursor = new Int32Array(64);

  analyse(graph: Graph, entry: number): void {
    const n = graph.count;
    this.order = atLeast(this.order, n);
    this.position = atLeast(this.position, n);
    this.idom = atLeast(this.idom, n);
    this.forwardEdges = atLeast(this.forwardEdges, n);
    this.size = atLeast(this.size, n);
    this.depth = atLeast(this.depth, n);
    this.up = atLeast(this.up, n);
    this.path = atLeast(this.path, n);
    this.cursor = atLeast(this.cursor, n);
    this.sort(graph, entry);
    this.dominate(graph, entry);
  }

  isBackEdge(from: number, to: number): boolean {
    return this.position[to] <= this.position[from];
  }

  private sort(graph: Graph, entry: number): void {
    const { order, position, path, cursor } = this;
    const { kind, first, degree, targets } = graph;
    position.fill(-1, 0, graph.count);
    let free = graph.count;
    let top = 0;
    path[0] = entry;
    cursor[0] = 0;
    position[entry] = 0;
    while (top >= 0) {
      const node = path[top];
      const done = cursor[top]++;
      if (done === degree[node]) {
        top--;
        order[--free] = node;
        continue;
      }
      // What is visited last comes first in the order: the not-taken arm of a branch, and the
      // first arm of a table.
      const k = kind[node] === TABLE ? degree[node] - 1 - done : done;
      const next = targets[first[node] + k];
      if (position[next] >= 0) continue;
      position[next] = 0;
      path[++top] = next;
      cursor[top] = 0;
    }
    this.count = graph.count - free;
    order.copyWithin(0, free, graph.count);
    for (let i = 0; i < this.count; i++) position[order[i]] = i;
  }

  private dominate(graph: Graph, entry: number): void {
    const { order, position, idom, forwardEdges, size, depth, up } = this;
    const { first, degree, targets } = graph;
    idom.fill(-1, 0, graph.count);
    forwardEdges.fill(0, 0, graph.count);
    depth[entry] = 0;
    up[entry] = entry;
    for (let i = 0; i < this.count; i++) {
      const node = order[i];
      size[node] = 1;
      const dominator = idom[node];
      if (dominator >= 0) {
        depth[node] = depth[dominator] + 1;
        const jump = up[dominator];
        const even = depth[dominator] - depth[jump] === depth[jump] - depth[up[jump]];
        up[node] = even ? up[jump] : dominator;
      }
      for (let k = first[node]; k < first[node] + degree[node]; k++) {
        const next = targets[k];
        if (position[next] <= i) continue;
        forwardEdges[next]++;
        idom[next] = idom[next] < 0 ? node : this.common(idom[next], node);
      }
    }
    for (let i = this.count - 1; i > 0; i--) size[idom[order[i]]] += size[order[i]];
  }

  /** The nearest node that dominates both. */
  private common(a: number, b: number): number {
    const { idom, depth, up } = this;
    if (depth[a] < depth[b]) {
      const swap = a;
      a = b;
      b = swap;
    }
    while (depth[a] > depth[b]) a = depth[up[a]] >= depth[b] ? up[a] : idom[a];
    while (a !== b) {
      // Equal depths have equal jumps.
      if (up[a] !== up[b]) {
        a = up[a];
        b = up[b];
      } else {
        a = idom[a];
        b = idom[b];
      }
    }
    return a;
  }
}
