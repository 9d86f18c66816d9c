/**
 * What must be known of a region, beside its code, to use it in another run of a machine: which
 * guest code it was made of, where it can be entered, and what its tables hold.
 *
 * The code itself (translate.ts) depends on the bytes of its nodes, their linear addresses, the mode
 * and the core, on nothing else: addresses in the core's memory stand in the region's tables.
 */
import { RAM_BASE } from '../../assembly/shared/layout.ts';
import { hashOf, hashOfTwo, type Hash } from './hash.ts';

export interface SavedNode {
  eip: number;
  /** Bytes of guest code; the instruction that leaves to the interpreter, too. */
  length: number;
  hash: Hash;
}

/** Hash of the guest's code at a node, whose page, and the next if it runs on, are there. */
export function hashNode(
  memory: Uint8Array,
  { eip, length }: Pick<SavedNode, 'eip' | 'length'>,
  page: number,
  second: number,
): Hash {
  const start = RAM_BASE + (page | (eip & 0xfff));
  const left = 0x1000 - (eip & 0xfff);
  if (length <= left) return hashOf(memory, start, start + length);
  return hashOfTwo(memory, start, start + left, RAM_BASE + second, length - left);
}

/** Does it run on into another page? */
export function isSplit({ eip, length }: Pick<SavedNode, 'eip' | 'length'>): boolean {
  return (eip & 0xfff) + length > 0x1000;
}

export interface SavedEntry {
  eip: number;
  label: number;
  /** The run loop enters here; false: a region that was made later has the block. */
  live: boolean;
}

/** A call that is made without executing the routine at `target`. */
export interface SavedDirect {
  target: number;
  number: number;
}

export interface SavedRegion {
  mode: number;
  /** The first is the region's root. */
  nodes: SavedNode[];
  /** In the order of the tables (tables.ts), shifted by 12. */
  pages: number[];
  entries: SavedEntry[];
  /** Records that the code refers to, as the tables list them: node, and place in its block. */
  records: { node: number; index: number }[];
  direct: SavedDirect[];
  instructions: number;
  /** Bytes of wasm. */
  bytes: number;
  /** Accesses share TLB checks. */
  sharing: boolean;
  /** Entries from the run loop, all runs together. */
  uses: number;
  /** Runs since the last in which it was used. */
  age: number;
}

/** A function in a module. */
export interface CodeSource {
  module: Uint8Array;
  /** Its index among the module's functions, imports included, or the name of its export. */
  function: number | string;
}

export interface SavedCode {
  region: SavedRegion;
  code: CodeSource;
}
