/**
 * A region as one wasm function: the passes in order - state used, flags that matter, the graph,
 * the code of each node and of its way on. Operations are operations.ts's.
 *
 * Places where interrupts and the budget are looked at are the interpreter's: taken backward
 * branches, calls, returns, indirect branches. A node's instructions are taken off the budget at
 * its end.
 */
import { MAPPING_GENERATION } from '../assembly/shared/layout.ts';
import type { Code } from '../isa/codes.ts';
import { FLAG_FUNCTIONS, functionsOf } from '../isa/functions.ts';
import { ALL_STATE, Context, FLAGS_BIT, isPasted, type Imports } from './context.ts';
import type { Decoded } from './decoded.ts';
import { condition } from './flags.ts';
import { address, check, loadValue, storeValue, TLB_READ, TLB_WRITE } from './memory.ts';
import { emitOperation, needsFlagsBefore, stateOf, writesAllFlags } from './operations.ts';
import { codeAt, samePage, type Node, type Region } from './region.ts';
import { getSlot, maskOf } from './registers.ts';
import type { Splicer } from './splice.ts';
import { Structurer } from './structure.ts';
import { REGION_BYTES } from './tuning.ts';
import type { ModuleWriter } from './wasm/module.ts';
import * as O from './wasm/opcodes.ts';

const ESP = 4;
const ESP_BIT = 1 << ESP;

/** Where the region's tables are: made before the code that refers to them. */
export interface Placement {
  /** Address of the generation word of a page of the region. */
  generationWord(eip: number): number;
  /** Physical address of that page. */
  physicalPage(eip: number): number;
  /** Address and mask of the table of entries by EIP; see emitLookup(). */
  lookupTable: number;
  lookupMask: number;
}

/** An entry of the emitted function. */
export interface EmittedEntry {
  node: Node;
  label: number;
}

/** A way on from a node that needs code of its own. */
interface Edge {
  to: number;
  /** The target's node, or -1: leave the region. */
  node: number;
  /** Interrupts and budget are looked at. */
  back: boolean;
  from: number;
}

/** Hash of the lookup table: EIP to index. */
export function lookupIndex(eip: number, mask: number): number {
  return (eip ^ (eip >>> 6)) & mask;
}

export class Translation {
  private readonly structurer = new Structurer();
  private readonly edges: Edge[] = [];
  private readonly index = new Map<number, number>();

  constructor(
    private readonly decoded: Decoded,
    private readonly splicer: Splicer,
  ) {}

  /** Entries in the order of their labels. Call before emit(): the lookup table is made of it. */
  plan(region: Region): EmittedEntry[] {
    const { structurer, index, edges } = this;
    const { nodes } = region;
    index.clear();
    edges.length = 0;
    nodes.forEach((node, i) => index.set(node.eip, i));
    // Edges first, because the graph is sized before it is filled.
    const ways = nodes.map((node) => this.waysOf(node, nodes.length));
    structurer.begin(nodes.length + edges.length);
    // The root, which is always an entry, is node 0 and so comes first.
    for (const [i, node] of nodes.entries()) if (node.entry) structurer.addEntry(i);
    ways.forEach((way, i) => {
      if (way.length === 0) structurer.leave(i);
      else if (way.length === 1) structurer.jump(i, way[0]);
      else structurer.branch(i, way[0], way[1]);
    });
    edges.forEach((edge, i) => {
      if (edge.node < 0) structurer.leave(nodes.length + i);
      else structurer.jump(nodes.length + i, edge.node);
    });
    structurer.analyse(
      nodes.some(({ end }) => /^(call|ret|jmp-indirect|call-indirect)$/.test(end)),
    );
    return nodes
      .map((node, i) => ({ node, label: structurer.label(i) }))
      .filter(({ node, label }) => node.entry && label > 0);
  }

  /** Successor nodes of a node, edges included: [taken, not taken], [next] or []. */
  private waysOf(node: Node, count: number): number[] {
    const { end, target, next } = node;
    switch (end) {
      case 'jcc':
        return [this.way(node, target, target < next, count), this.way(node, next, false, count)];
      case 'jmp':
        return [this.way(node, target, target < next, count)];
      case 'next':
        return [this.way(node, next, false, count)];
      case 'system': {
        // Only within the page: what follows in another must be looked up.
        const found = this.index.get(next) ?? -1;
        return found >= 0 && samePage(next, node.eip) ? [found] : [];
      }
      default:
        return [];
    }
  }

  private way(node: Node, to: number, back: boolean, count: number): number {
    const found = this.index.get(to) ?? -1;
    if (found >= 0 && !back && samePage(to, node.eip)) return found;
    this.edges.push({ to, node: found, back, from: node.eip });
    return count + this.edges.length - 1;
  }

  /** Emits the planned region as a function of `module`. */
  emit(region: Region, module: ModuleWriter, imports: Imports, placement: Placement): void {
    const { decoded } = this;
    const c = new Context(decoded, this.splicer, module.code, module.locals, imports);
    let state = 0;
    let callsOut = false;
    for (const node of region.nodes) {
      state |= terminatorState(decoded, node);
      for (let record = node.first; record < node.last; record += 16) {
        const code = codeAt(decoded, record);
        state |= stateOf(decoded, code, record);
        if (code.operation.throws || code.operation.implicit) callsOut = true;
      }
      if (node.end === 'system') callsOut = true;
    }
    c.begin(region.mode, state >>> 16, state & ALL_STATE, callsOut);
    const start = module.code.length;
    this.structurer.emit(module.code, c.label, {
      emitNode: (i, inverted) => {
        if (i >= region.nodes.length)
          this.emitEdge(c, this.edges[i - region.nodes.length], placement);
        else if (module.code.length - start > REGION_BYTES) {
          c.beginNode();
          c.leaveTo(region.nodes[i].eip, false);
          // The ending still consumes its condition.
          if (region.nodes[i].end === 'jcc') c.e.i32Const(0);
        } else this.emitNode(c, region.nodes[i], inverted, placement);
      },
    });
    c.end();
  }

  /** Adds the core functions that the region's code may call. */
  addCalled(region: Region, names: Set<string>): void {
    const add = (name: string) => {
      if (!isPasted(this.splicer.leaf(name))) names.add(name);
    };
    for (const node of region.nodes) {
      if (node.end === 'system') names.add('endRecord');
      for (let record = node.first; record < node.last; record += 16) {
        const code = codeAt(this.decoded, record);
        for (const name of functionsOf(code)) add(name);
        if (code.operation.unit === 'mmx') add('mmx_enter');
      }
    }
    names.add('confirmPage');
    for (const name of FLAG_FUNCTIONS) add(name);
  }

  // --- Nodes ----------------------------------------------------------------------------------------

  private emitNode(c: Context, node: Node, inverted: boolean, placement: Placement): void {
    const { decoded } = this;
    c.beginNode();
    const wanted = this.wantedFlags(node);
    let eip = node.eip;
    let at = 0;
    for (let record = node.first; record < node.last; record += 16) {
      c.eip = eip;
      c.record = record;
      const code = codeAt(decoded, record);
      emitOperation(c, code, record, wanted[at++]);
      const length = decoded.length(record);
      eip = (eip + length) >>> 0;
      if (length) c.before++;
    }
    c.eip = eip;
    c.record = node.last;
    this.emitEnd(c, node, inverted, placement);
  }

  /** For each record: can anything see the flags it sets? */
  private wantedFlags(node: Node): boolean[] {
    const wanted: boolean[] = new Array((node.last - node.first) / 16);
    let live = true;
    for (let i = wanted.length - 1; i >= 0; i--) {
      const code: Code = codeAt(this.decoded, node.first + i * 16);
      wanted[i] = live;
      if (writesAllFlags(code)) live = false;
      if (needsFlagsBefore(code)) live = true;
    }
    return wanted;
  }

  private emitEnd(c: Context, node: Node, inverted: boolean, placement: Placement): void {
    const { e } = c;
    switch (node.end) {
      case 'interpret':
        c.leaveHere();
        return;
      case 'system':
        c.callSystem(node.eip, node.next, this.goesOn(node));
        return;
      case 'next':
      case 'jmp':
        c.retire(node.instructions);
        return;
      case 'jcc': {
        const code = codeAt(this.decoded, node.last);
        c.retire(node.instructions);
        condition(c, code.operation.cc!);
        if (inverted) e.op(O.I32_EQZ);
        return;
      }
      case 'call': {
        this.push(c, node.next);
        c.retire(node.instructions);
        this.goTo(c, node.target, placement);
        return;
      }
      case 'call-indirect': {
        const target = this.indirectTarget(c, node.last);
        this.push(c, node.next);
        c.retire(node.instructions);
        this.lookup(c, target, placement);
        c.locals.give(target);
        return;
      }
      case 'jmp-indirect': {
        const target = this.indirectTarget(c, node.last);
        c.retire(node.instructions);
        this.lookup(c, target, placement);
        c.locals.give(target);
        return;
      }
      case 'ret': {
        check(c, c.registers[ESP], 4, TLB_READ);
        loadValue(c, 32);
        const target = c.locals.take(O.I32);
        e.localSet(target);
        e.localGet(c.registers[ESP]);
        e.i32Const(4 + this.decoded.imm(node.last));
        e.op(O.I32_ADD);
        e.localSet(c.registers[ESP]);
        c.retire(node.instructions);
        this.lookup(c, target, placement);
        c.locals.give(target);
        return;
      }
    }
  }

  private goesOn(node: Node): boolean {
    return this.index.has(node.next) && samePage(node.next, node.eip);
  }

  private push(c: Context, value: number): void {
    const { e } = c;
    const pointer = c.locals.take(O.I32);
    e.localGet(c.registers[ESP]);
    e.i32Const(-4);
    e.op(O.I32_ADD);
    e.localSet(pointer);
    check(c, pointer, 4, TLB_WRITE);
    e.i32Const(value);
    storeValue(c, 32);
    e.localGet(pointer);
    e.localSet(c.registers[ESP]);
    c.locals.give(pointer);
  }

  /** The target of an indirect branch, in a local the caller gives back. */
  private indirectTarget(c: Context, record: number): number {
    const { e } = c;
    const target = c.locals.take(O.I32);
    if (codeAt(this.decoded, record).form.name === 'm') {
      const at = address(c, record);
      check(c, at, 4, TLB_READ);
      loadValue(c, 32);
      c.locals.give(at);
    } else {
      getSlot(c, this.decoded.r1(record));
    }
    e.localSet(target);
    return target;
  }

  /** Leaves with the address on the stack, or in `local`, when the budget is used up. */
  private checkBudget(c: Context, pushTarget: () => void): void {
    const { e } = c;
    e.localGet(c.budgetLocal);
    e.i32Const(0);
    e.op(O.I32_LE_S);
    e.if();
    pushTarget();
    c.leaveToStack(true);
    e.end();
  }

  /** A call of a known address: into the region through its dispatch, else out. */
  private goTo(c: Context, target: number, placement: Placement): void {
    const found = this.index.get(target);
    if (found === undefined || this.structurer.label(found) === 0) {
      c.leaveTo(target, true);
      return;
    }
    this.checkBudget(c, () => c.e.i32Const(target));
    this.checkMapping(c, target, placement);
    c.e.i32Const(this.structurer.label(found));
    c.e.localSet(c.label);
    this.structurer.dispatch(c.e);
  }

  /** Leaves unless the page of `target` is still mapped as it was. */
  private checkMapping(c: Context, target: number, placement: Placement): void {
    const { e } = c;
    e.i32Const(0);
    e.load(O.I32_LOAD, placement.generationWord(target), 2);
    e.i32Const(0);
    e.load(O.I32_LOAD, MAPPING_GENERATION, 2);
    e.op(O.I32_NE);
    e.if();
    e.i32Const(placement.generationWord(target));
    e.i32Const(target);
    e.i32Const(placement.physicalPage(target));
    e.call(c.imports.functionIndex('confirmPage'));
    e.op(O.I32_EQZ);
    e.if();
    c.leaveTo(target, false);
    e.end();
    e.end();
  }

  /**
   * An address known only now: if the region's table has it (EIP, label, address of its page's
   * generation word, its physical page), on through the dispatch, else out.
   */
  private lookup(c: Context, target: number, placement: Placement): void {
    const { e } = c;
    if (placement.lookupMask < 0) {
      e.localGet(target);
      c.leaveToStack(true);
      return;
    }
    this.checkBudget(c, () => e.localGet(target));
    const entry = c.locals.take(O.I32);
    e.localGet(target);
    e.localGet(target);
    e.i32Const(6);
    e.op(O.I32_SHR_U);
    e.op(O.I32_XOR);
    e.i32Const(placement.lookupMask);
    e.op(O.I32_AND);
    e.i32Const(4);
    e.op(O.I32_SHL);
    e.localTee(entry);
    e.load(O.I32_LOAD, placement.lookupTable, 2);
    e.localGet(target);
    e.op(O.I32_EQ);
    e.if();
    e.localGet(entry);
    e.load(O.I32_LOAD, placement.lookupTable + 8, 2);
    e.load(O.I32_LOAD, 0, 2);
    e.i32Const(0);
    e.load(O.I32_LOAD, MAPPING_GENERATION, 2);
    e.op(O.I32_NE);
    e.if();
    e.localGet(entry);
    e.load(O.I32_LOAD, placement.lookupTable + 8, 2);
    e.localGet(target);
    e.localGet(entry);
    e.load(O.I32_LOAD, placement.lookupTable + 12, 2);
    e.call(c.imports.functionIndex('confirmPage'));
    e.op(O.I32_EQZ);
    e.if();
    e.localGet(target);
    c.leaveToStack(true);
    e.end();
    e.end();
    e.localGet(entry);
    e.load(O.I32_LOAD, placement.lookupTable + 4, 2);
    e.localSet(c.label);
    this.structurer.dispatch(e);
    e.end();
    c.locals.give(entry);
    e.localGet(target);
    c.leaveToStack(true);
  }

  // --- Edges ----------------------------------------------------------------------------------------

  private emitEdge(c: Context, edge: Edge, placement: Placement): void {
    if (edge.node < 0) {
      c.leaveTo(edge.to, edge.back);
      return;
    }
    if (edge.back) this.checkBudget(c, () => c.e.i32Const(edge.to));
    if (!samePage(edge.to, edge.from)) this.checkMapping(c, edge.to, placement);
  }
}

/** State a terminator uses and writes, as stateOf() gives it. */
function terminatorState(decoded: Decoded, node: Node): number {
  switch (node.end) {
    case 'jcc':
      return FLAGS_BIT << 16;
    case 'system':
      return (ALL_STATE << 16) | ALL_STATE;
    case 'call':
    case 'ret':
      return (ESP_BIT << 16) | ESP_BIT;
    case 'call-indirect':
    case 'jmp-indirect': {
      const record = node.last;
      const used =
        maskOf(decoded.base(record)) | maskOf(decoded.index(record)) | maskOf(decoded.r1(record));
      const written = node.end === 'call-indirect' ? ESP_BIT : 0;
      return ((used | written) << 16) | written;
    }
    default:
      return 0;
  }
}
