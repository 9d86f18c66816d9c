/**
 * What one region consists of: blocks reached from a hot one by direct branches, as nodes of a
 * control-flow graph. Finds and cuts; emits nothing.
 *
 * Only blocks that the interpreter has decoded and entered are taken: what never ran stays outside
 * and costs an exit when it does.
 */
import type { Code } from '../isa/codes.ts';
import { CODES } from '../isa/codes.ts';
import { SLOT_ZERO } from '../assembly/shared/layout.ts';
import type { Decoded } from './decoded.ts';
import { isTranslatable } from './recipes.ts';
import { canBeJumpedTo, type DirectCall } from './paravirt.ts';
import { HEAT_SHARE, ROUTINE_INSTRUCTIONS, ROUTINES_INSTRUCTIONS } from './tuning.ts';

/** How a node ends. */
export type End =
  | 'jcc'
  | 'jmp'
  | 'call'
  | 'ret'
  | 'jmp-indirect'
  | 'call-indirect'
  /** On to the next address, in this page or the next: no place for interrupts. */
  | 'next'
  /** The operation at `last` ends the block: called with the state in memory. */
  | 'system'
  /** The instruction at `last` is the interpreter's. */
  | 'interpret';

export interface Node {
  eip: number;
  /** Header of the decoded block that starts here. */
  block: number;
  /** Its records [first, last); `last` is the terminator's, when there is one. */
  first: number;
  last: number;
  /** Instructions that retire in this node, its terminator included. */
  instructions: number;
  end: End;
  /** Direct target, and the address behind the node. */
  target: number;
  next: number;
  entry: boolean;
  /** Linear address of the page that its one instruction runs on into, or 0. */
  second: number;
  /** Where the indirect call at the end probably leads. */
  guess: number | undefined;
  /** The call at the end is made without the routine at `target`: paravirt.ts. */
  direct: DirectCall | undefined;
  /** The copy of a routine that the node is part of. */
  copy: Copy | undefined;
  /** The copy that the call at the end leads to. */
  calls: Copy | undefined;
}

/** A routine that stands in the region for the sake of one call. */
export interface Copy {
  nodes: Node[];
  byEip: Map<number, Node>;
  instructions: number;
  /** The address behind the call. */
  returnsTo: number;
}

export interface Region {
  mode: number;
  nodes: Node[];
  byEip: Map<number, Node>;
  instructions: number;
}

/** By code: can it be translated, is it a branch, does it end its block? In arrays, as operations are of many shapes. */
const translatable: boolean[] = [false, ...CODES.map(isTranslatable)];
const controls = [undefined, ...CODES.map(({ operation }) => operation.control)];
const endings = [false, ...CODES.map(({ operation }) => operation.ends === true)];

export function codeAt(decoded: Decoded, record: number): Code {
  return CODES[decoded.code(record) - 1];
}

/** The page behind that of `eip`. */
export function secondPage(eip: number): number {
  return ((eip | 0xfff) + 1) >>> 0;
}

/** Is the page that the block at `eip` may run on into the one that it was decoded from? */
export function isWhole(decoded: Decoded, eip: number, block: number, mode: number): boolean {
  const second = decoded.second(block);
  return second === 0 || decoded.fetchAddress(secondPage(eip), mode) === second;
}

/** The block decoded at a linear address, or 0. */
export type FindBlock = (linear: number) => number;

/** The call whose routine is at a linear address. */
export type FindDirect = (linear: number) => DirectCall | undefined;

/** Reads the block at `eip` as a node; cutting at other nodes comes later. */
function readNode(decoded: Decoded, eip: number, block: number): Node {
  const first = decoded.firstRecord(block);
  const end = decoded.endOfRecords(block);
  // All fields from the start, in one order: what walks over nodes of several shapes is a third slower.
  const node: Node = {
    eip, block, first, last: first,
    instructions: 0,
    end: 'interpret',
    target: 0,
    next: eip,
    entry: false,
    second: decoded.second(block) && secondPage(eip),
    guess: undefined,
    direct: undefined,
    copy: undefined,
    calls: undefined,
  }; // prettier-ignore
  let at = eip;
  let instructions = 0;
  for (let record = first; record < end; record += 16) {
    const code = decoded.code(record);
    const control = controls[code];
    const ends = endings[code];
    const length = decoded.length(record);
    if (control !== undefined) {
      node.last = record;
      node.next = (at + length) >>> 0;
      node.instructions = instructions + (control === 'next' ? 0 : 1);
      node.end = control;
      const relative = control === 'jcc' || control === 'jmp' || control === 'call';
      if (relative) node.target = (node.next + decoded.imm(record)) >>> 0;
      return node;
    }
    if (ends || !translatable[code]) {
      // Helper records in front belong to the same instruction.
      let last = record;
      while (last > first && decoded.length(last - 16) === 0) last -= 16;
      let to = record;
      while (decoded.length(to) === 0) to += 16;
      const alone = ends && last === record;
      node.last = last;
      node.next = (at + decoded.length(to)) >>> 0;
      node.instructions = alone ? instructions + 1 : instructions;
      if (alone) node.end = 'system';
      return node;
    }
    at += length;
    if (length) instructions++;
  }
  throw new Error(`jit: block ${block.toString(16)} has no end`);
}

/** Instructions of a region, a block more or less, and of them such that are in other regions already. */
export interface Size {
  instructions: number;
  copied: number;
}

/** Gathers the region around the block at `eip`: the hottest reachable block first. */
export function gather(
  decoded: Decoded,
  eip: number,
  mode: number,
  heatLimit: number,
  find: FindBlock,
  size: Size,
  findDirect?: FindDirect,
): Region {
  const region: Region = { mode, nodes: [], byEip: new Map(), instructions: 0 };
  const { byEip, nodes } = region;
  const pending = [{ eip, block: find(eip), heat: Infinity }];
  const seen = new Set([eip]);
  const guessed = new Set<number>();
  const least = Math.floor(heatLimit * HEAT_SHARE);
  const reach = (to: number) => {
    if (seen.has(to)) return;
    seen.add(to);
    const block = find(to);
    if (!block || !isWhole(decoded, to, block, mode)) return;
    // A block with a translation has counted up to the limit at least.
    const heat = Math.min(decoded.heat(block), heatLimit);
    if (heat > least) pending.push({ eip: to, block, heat });
  };
  let copied = 0;
  let inCopies = 0;
  const copyRoutine = (node: Node) => {
    const copy = readCopy(decoded, node, mode, find, least);
    const room = Math.min(ROUTINES_INSTRUCTIONS, size.instructions) - inCopies;
    if (!copy || copy.instructions > room) return;
    inCopies += copy.instructions;
    region.instructions += copy.instructions;
    node.calls = copy;
  };
  while (pending.length && (nodes.length === 0 || region.instructions < size.instructions)) {
    let hottest = 0;
    for (let i = 1; i < pending.length; i++) {
      if (pending[i].heat > pending[hottest].heat) hottest = i;
    }
    const { eip: at, block } = pending.splice(hottest, 1)[0];
    const node = readNode(decoded, at, block);
    // What another region is entered at is there already.
    if (nodes.length > 0 && decoded.entry(block) !== 0) {
      if (copied + node.instructions > size.copied) continue;
      copied += node.instructions;
    }
    byEip.set(at, node);
    nodes.push(node);
    region.instructions += node.instructions;
    if (findDirect) setDirect(decoded, node, mode, findDirect);
    const { end } = node;
    if (node.direct) {
      if (node.direct.after !== 'leaves' && !isTail(node)) reach(node.next);
      continue;
    }
    if (end === 'call') copyRoutine(node);
    if (end === 'jcc' || end === 'jmp' || (end === 'call' && !node.calls)) reach(node.target);
    if (end !== 'jmp' && end !== 'ret' && end !== 'jmp-indirect') reach(node.next);
    const targets = indirectTargets(decoded, node, mode);
    if (targets.length === 0) targets.push(...lastTarget(decoded, node, find));
    for (const to of keptAddresses(decoded, node, find)) {
      reach(to);
      guessed.add(to);
    }
    for (const to of targets) {
      if (!seen.has(to)) reach(to);
      guessed.add(to);
    }
    if (targets.length === 1 && end === 'call-indirect') node.guess = targets[0];
  }
  nodes[0].entry = true;
  for (const node of nodes) region.instructions -= cut(decoded, byEip, node);
  for (const node of nodes) markEntries(byEip, node);
  for (const eip of guessed) {
    const node = byEip.get(eip);
    if (node) node.entry = true;
  }
  for (const { calls } of [...nodes]) if (calls) nodes.push(...calls.nodes);
  return region;
}

/**
 * The routine that a node calls, if it is so short that a copy of it for that call alone is worth it:
 * it calls nothing and has no loop. Where it returns to is known then, unless it plays with its stack.
 */
function readCopy(
  decoded: Decoded,
  caller: Node,
  mode: number,
  find: FindBlock,
  least: number,
): Copy | undefined {
  const nodes: Node[] = [];
  const byEip = new Map<number, Node>();
  const copy: Copy = { nodes, byEip, instructions: 0, returnsTo: caller.next };
  const pending = [caller.target];
  for (let eip = pending.pop(); eip !== undefined; eip = pending.pop()) {
    if (byEip.has(eip)) continue;
    const block = find(eip);
    const cold = !block || !isWhole(decoded, eip, block, mode) || decoded.heat(block) <= least;
    // What is left out is an exit; of a routine that is not known yet there is nothing to copy.
    if (cold && nodes.length > 0) continue;
    if (cold) return undefined;
    const node = readNode(decoded, eip, block);
    const { end, next, target } = node;
    const loops = (end === 'jcc' || end === 'jmp') && target < next;
    if (loops || !COPIED_ENDS.has(end)) return undefined;
    if (keptAddresses(decoded, node, find).length > 0) return undefined;
    node.copy = copy;
    byEip.set(eip, node);
    nodes.push(node);
    copy.instructions += node.instructions;
    if (copy.instructions > ROUTINE_INSTRUCTIONS) return undefined;
    if (end === 'jcc' || end === 'jmp') pending.push(target);
    if (end === 'jcc' || end === 'next') pending.push(next);
  }
  for (const node of nodes) copy.instructions -= cut(decoded, byEip, node);
  return copy;
}

/** How the nodes of a routine that is copied may end. */
const COPIED_ENDS: ReadonlySet<End> = new Set(['jcc', 'jmp', 'next', 'ret']);

/** A routine is jumped to: it returns to whoever called the code that jumps. */
export function isTail({ end }: Node): boolean {
  return end === 'jmp' || end === 'jmp-indirect';
}

/** Is the node's call one that is made directly? An indirect one: as long as it goes there. */
function setDirect(decoded: Decoded, node: Node, mode: number, find: FindDirect): void {
  const target = onlyTarget(decoded, node, mode);
  if (target === undefined) return;
  const direct = find(target);
  if (!direct || (isTail(node) && !canBeJumpedTo(direct))) return;
  node.direct = direct;
  node.target = target;
}

/** Where a call or jump goes: always, as its pointer is now, or where it went last. */
function onlyTarget(decoded: Decoded, node: Node, mode: number): number | undefined {
  const { end, last, target } = node;
  if (end === 'call' || end === 'jmp') return target;
  if (end !== 'call-indirect' && end !== 'jmp-indirect') return undefined;
  if (isThroughRegister(decoded, last)) return decoded.noted(last);
  // A table of pointers has an index, which chooses.
  return decoded.index(last) === SLOT_ZERO ? indirectTargets(decoded, node, mode)[0] : undefined;
}

/** The most entries a jump table is read for. */
const TABLE_MAX = 256;
/** How far a jump table's targets may be from the jump. */
const TABLE_REACH = 0x8000;

/**
 * Where an indirect branch through memory may go, read from that memory as it is now: one word for
 * a fixed address (a procedure linkage table), many for an indexed one (a switch). A guess: the
 * emitted code looks targets up by what it finds when it runs.
 */
function indirectTargets(decoded: Decoded, node: Node, mode: number): number[] {
  if (node.end !== 'jmp-indirect' && node.end !== 'call-indirect') return [];
  const record = node.last;
  if (codeAt(decoded, record).form.name !== 'm' || decoded.base(record) !== SLOT_ZERO) return [];
  const table = decoded.disp(record) >>> 0;
  if (decoded.index(record) === SLOT_ZERO) {
    const target = decoded.data(table, mode);
    return target < 0 ? [] : [target];
  }
  if (decoded.scale(record) !== 2) return [];
  const targets: number[] = [];
  for (let i = 0; i < TABLE_MAX; i++) {
    const target = decoded.data((table + 4 * i) >>> 0, mode);
    if (target < 0 || Math.abs(target - node.eip) > TABLE_REACH) break;
    targets.push(target);
  }
  return targets;
}

/**
 * Where an indirect branch went when the interpreter made it last: operations of files, of scheduling classes
 * go to the same function again and again. Through memory the block that followed is known, but where it is
 * mapped is not; as far from it as the branch itself, as all of a kernel is.
 */
function lastTarget(decoded: Decoded, node: Node, find: FindBlock): number[] {
  const { block, eip, end, last } = node;
  if (end !== 'jmp-indirect' && end !== 'call-indirect') return [];
  if (isThroughRegister(decoded, last)) {
    const target = decoded.noted(last);
    return target === undefined ? [] : [target];
  }
  const followed = decoded.taken(block);
  if (!followed) return [];
  const target = (eip - decoded.physical(block) + decoded.physical(followed)) >>> 0;
  return find(target) === followed ? [target] : [];
}

/**
 * Addresses of blocks that a block puts into memory before it jumps: a call by hand keeps where it will be
 * returned to so, like the switch of processes of Linux up to 2.6.39, which is returned to on another stack.
 */
function keptAddresses(decoded: Decoded, { end, first, last }: Node, find: FindBlock): number[] {
  const kept: number[] = [];
  if (end !== 'jmp') return kept;
  for (let record = first; record < last; record += 16) {
    const to = decoded.imm(record) >>> 0;
    if (KEEPING.has(decoded.code(record)) && find(to)) kept.push(to);
  }
  return kept;
}

const KEEPING: ReadonlySet<number> = new Set(
  CODES.filter(({ name }) => name === 'MOV32_MI' || name === 'PUSH32_NONE').map(({ code }) => code),
);

function isThroughRegister(decoded: Decoded, record: number): boolean {
  return codeAt(decoded, record).form.name === 'r';
}

/** A node ends where another begins: the rest would be there twice. Gives how many instructions that is. */
function cut(decoded: Decoded, byEip: ReadonlyMap<number, Node>, node: Node): number {
  let at = node.eip;
  let instructions = 0;
  for (let record = node.first; record < node.last; record += 16) {
    const length = decoded.length(record);
    if (length === 0) continue;
    at = (at + length) >>> 0;
    instructions++;
    if (
      record + 16 <= node.last &&
      byEip.has(at) &&
      !(record + 16 === node.last && node.end === 'next')
    ) {
      const rest = node.instructions - instructions + (node.calls?.instructions ?? 0);
      node.last = record + 16;
      node.instructions = instructions;
      node.end = 'next';
      node.target = 0;
      node.direct = undefined;
      node.calls = undefined;
      node.guess = undefined;
      node.next = at;
      return rest;
    }
  }
  return 0;
}

function samePage(a: number, b: number): boolean {
  return (a ^ b) >>> 0 < 0x1000 && a >>> 12 === b >>> 12;
}

/** Nodes that the region can be entered at from outside, or through its own dispatch. */
function markEntries(byEip: Map<number, Node>, node: Node): void {
  const mark = (eip: number, condition: boolean) => {
    const target = byEip.get(eip);
    if (target && condition) target.entry = true;
  };
  const { end, target, next, eip } = node;
  if (node.direct) return;
  if (end === 'jcc' || end === 'jmp') mark(target, target < next || !samePage(target, eip));
  if (end === 'jcc' || end === 'next') mark(next, !samePage(next, eip));
  if (end === 'call') mark(target, !node.calls);
  if (end === 'call' || end === 'call-indirect' || end === 'interpret' || end === 'system')
    mark(next, true);
}

export { samePage };
