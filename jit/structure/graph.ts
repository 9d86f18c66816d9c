/**
 * A control-flow graph in flat arrays, reused between regions: a kind of ending and a list of
 * successors for each node. Knows neither wasm nor x86.
 */

/** How a node ends. */
export const LEAVE = 0; // by its own code: return, or a branch to the dispatcher
export const JUMP = 1; // to its one successor
export const BRANCH = 2; // on a condition: to the first successor when true, else to the second
export const TABLE = 3; // on an index: to that successor, the last one being the default

export class Graph {
  /** Number of nodes. */
  count = 0;
  kind = new Uint8Array(64);
  /** Successors of node n: targets[first[n] ... first[n] + degree[n] - 1]. */
  first = new Int32Array(64);
  degree = new Int32Array(64);
  targets = new Int32Array(128);
  edges = 0;

  /** Starts a graph of `count` nodes, all of them LEAVE until set. */
  reset(count: number): void {
    this.count = 0;
    this.edges = 0;
    if (count > this.kind.length) this.growNodes(count);
    this.count = count;
    this.kind.fill(LEAVE, 0, count);
    this.degree.fill(0, 0, count);
  }

  addNode(): number {
    const node = this.count++;
    if (node === this.kind.length) this.growNodes(node + 1);
    this.kind[node] = LEAVE;
    this.degree[node] = 0;
    return node;
  }

  /** Gives a node its ending; its successors follow by addTarget(), before any other set(). */
  set(node: number, kind: number): void {
    this.kind[node] = kind;
    this.first[node] = this.edges;
    this.degree[node] = 0;
  }

  addTarget(node: number, target: number): void {
    if (this.edges === this.targets.length) {
      const targets = new Int32Array(this.edges * 2);
      targets.set(this.targets);
      this.targets = targets;
    }
    this.targets[this.edges++] = target;
    this.degree[node]++;
  }

  jump(node: number, target: number): void {
    this.set(node, JUMP);
    this.addTarget(node, target);
  }

  branch(node: number, taken: number, otherwise: number): void {
    this.set(node, BRANCH);
    this.addTarget(node, taken);
    this.addTarget(node, otherwise);
  }

  private growNodes(atLeast: number): void {
    const size = Math.max(atLeast, this.kind.length * 2);
    const kind = new Uint8Array(size);
    kind.set(this.kind);
    this.kind = kind;
    this.first = enlarge(this.first, size);
    this.degree = enlarge(this.degree, size);
  }
}

/** A copy of at least `size` elements. */
export function enlarge(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(size, array.length));
  larger.set(array);
  return larger;
}

/** `array` if it has `size` elements, else a larger one; the content is not kept. */
export function atLeast(array: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  return array.length >= size ? array : new Int32Array(Math.max(size, array.length * 2));
}
