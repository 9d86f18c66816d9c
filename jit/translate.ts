/**
 * A region as one wasm function: the passes in order - state used, flags that matter, the graph,
 * the code of each node and of its way on. Operations are operations.ts's.
 *
 * Places where interrupts and the budget are looked at are the interpreter's: taken backward
 * branches, calls, returns, indirect branches. A node's instructions are taken off the budget at
 * its end.
 */
import { KERNEL_GENERATION } from '../assembly/shared/layout.ts';
import { MODE_USER } from '../assembly/shared/modes.ts';
import { REGION_MISS } from '../assembly/shared/regions.ts';
import { END_OPERAND, END_POP, END_PUSH } from './accesses.ts';
import { ALL_STATE, Context, FLAGS_BIT, type Imports } from './context.ts';
import type { Decoded } from './decoded.ts';
import { condition } from './flags.ts';
import { clearsInterrupts, isRing0, setsInterrupts } from './interrupts.ts';
import type { Lookup } from './lookup.ts';
import {
  closeAccesses,
  loadValue,
  openOperand,
  openStack,
  storeValue,
  type Place,
} from './memory.ts';
import { emitOperation } from './operations.ts';
import { directState, emitDirect, type DirectCall } from './paravirt.ts';
import { FLAGS_NONE, recipeOf } from './recipes.ts';
import { codeAt, isTail, samePage, type Node, type Region } from './region.ts';
import { getSlot, maskOf, stateOf } from './registers.ts';
import { loadSegment, loadsSegment } from './segments.ts';
import type { Splicer } from './splice.ts';
import { Structurer } from './structure.ts';
import { LOOKUP_SIZE, type Tables } from './tables.ts';
import { REGION_BYTES } from './tuning.ts';
import type { ModuleWriter } from './wasm/module.ts';
import * as O from './wasm/opcodes.ts';
import { vectorsOf } from './vectors.ts';
import { closeX87 } from './x87-stretch.ts';

const ESP = 4;
const ESP_BIT = 1 << ESP;

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
  /** Instead of all that: to the address in the target's local. */
  unknown?: boolean;
  /** Interrupts and budget are looked at. */
  back: boolean;
  from: number;
}

export class Translation {
  private readonly structurer = new Structurer();
  private readonly edges: Edge[] = [];
  private readonly index = new Map<Node, number>();
  /** The region's nodes that are not part of a copy. */
  private byEip: ReadonlyMap<number, Node> = new Map();
  /** The region at hand runs at CPL 0 of protected mode. */
  private ring0 = false;
  /** Address of the generation of its mode. */
  private generation = 0;
  private context: Context | undefined;
  /** All of the region is in one page: what goes on in it is where it was. */
  private onePage = false;
  /** The region has branches whose targets are looked up. */
  private looksUp = false;
  /** By record of the node at hand: can anything see the flags it sets? */
  private wanted = new Uint8Array(64);

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
    nodes.forEach((node, i) => index.set(node, i));
    this.byEip = region.byEip;
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
    this.looksUp = false;
    let dispatches = false;
    for (const node of nodes) {
      const { direct, end } = node;
      if (direct && isTail(node)) dispatches = this.looksUp = true;
      if (direct) continue;
      if (end === 'call') dispatches ||= !node.calls;
      else if (end === 'ret' || end === 'jmp-indirect' || end === 'call-indirect') {
        dispatches = this.looksUp = true;
      }
    }
    structurer.analyse(dispatches);
    return nodes
      .map((node, i) => ({ node, label: structurer.label(i) }))
      .filter(({ node, label }) => node.entry && label > 0);
  }

  /** Successor nodes of a node, edges included: [taken, not taken], [next] or []. */
  private waysOf(node: Node, count: number): number[] {
    const { direct, end, target, next } = node;
    if (direct) {
      const leaves = direct.after === 'leaves' || isTail(node);
      return leaves ? [] : [this.way(node, next, false, count)];
    }
    switch (end) {
      case 'jcc':
        return [this.way(node, target, target < next, count), this.way(node, next, false, count)];
      case 'jmp':
        return [this.way(node, target, target < next, count)];
      case 'next':
        return [this.way(node, next, false, count)];
      case 'call':
        return node.calls ? [this.way(node, target, true, count)] : [];
      case 'ret': {
        if (!node.copy) return [];
        const back = this.way(node, node.copy.returnsTo, true, count);
        this.edges.push({ to: 0, node: -1, back: false, from: 0, unknown: true });
        return [back, count + this.edges.length - 1];
      }
      case 'system':
        return this.goesOn(node) ? [this.nodeAt(node, next)] : [];
      default:
        return [];
    }
  }

  /** The node that `node` goes on to at an address, or -1. */
  private nodeAt({ copy, calls }: Node, to: number): number {
    const found = (calls ?? copy)?.byEip.get(to) ?? this.byEip.get(to);
    return found ? this.index.get(found)! : -1;
  }

  private way(node: Node, to: number, back: boolean, count: number): number {
    const found = this.nodeAt(node, to);
    if (found >= 0 && !back && samePage(to, node.eip)) return found;
    this.edges.push({ to, node: found, back, from: node.eip });
    return count + this.edges.length - 1;
  }

  /** Emits the planned region as a function of `module`; false: it is too long to be of use. */
  emit(
    region: Region,
    module: ModuleWriter,
    imports: Imports,
    tables: Tables,
    sharing = true,
  ): boolean {
    const { decoded } = this;
    const c = (this.context ??= new Context(
      decoded,
      this.splicer,
      module.code,
      module.locals,
      imports,
      tables,
    ));
    c.imports = imports;
    c.tables = tables;
    c.accesses.sharing = sharing;
    let state = 0;
    let vectors = 0;
    let callsOut = false;
    for (const node of region.nodes) {
      state |= terminatorState(decoded, node);
      for (let record = node.first; record < node.last; record += 16) {
        const recipe = recipeOf(decoded.code(record));
        state |= stateOf(decoded, recipe, record);
        vectors |= vectorsOf(decoded, recipe, record);
        if (recipe.complex) callsOut = true;
      }
      if (node.end === 'system' || (node.direct && !node.direct.inline)) callsOut = true;
    }
    c.pages.plan(decoded, region.nodes, this.structurer, c.accesses, (node) =>
      endAccesses(decoded, node),
    );
    this.ring0 = isRing0(region.mode);
    const { eip } = region.nodes[0];
    this.onePage = region.nodes.every((node) => samePage(node.eip, eip));
    c.begin(region.nodes[0].eip, region.mode, state >>> 16, state & ALL_STATE, vectors, callsOut);
    this.generation = KERNEL_GENERATION + (region.mode & MODE_USER);
    this.confirmRoutines(c, region, tables);
    const start = module.code.length;
    const count = region.nodes.length;
    let whole = true;
    this.structurer.emit(module.code, c.label, {
      emitNode: (i, inverted) => {
        if (i >= count) this.emitEdge(c, this.edges[i - count], tables);
        else if (module.code.length - start > REGION_BYTES) {
          // Nothing that would ever run: only what ends the function.
          whole = false;
          c.beginNode();
          c.leaveTo(region.nodes[i].eip, false);
          // The ending still consumes its condition.
          const { copy, end } = region.nodes[i];
          if (end === 'jcc' || (end === 'ret' && copy)) c.e.i32Const(0);
        } else this.emitNode(c, region.nodes[i], inverted, tables);
      },
      ...(this.looksUp &&
        tables.lookup && {
          emitShared: () => this.emitLookup(c, tables, tables.lookup!),
        }),
    });
    c.end();
    return whole;
  }

  // --- Nodes ----------------------------------------------------------------------------------------

  private emitNode(c: Context, node: Node, inverted: boolean, tables: Tables): void {
    const { decoded } = this;
    c.beginNode();
    c.accesses.analyse(decoded, node.first, node.last, endAccesses(decoded, node));
    const wanted = this.findWantedFlags(c, node);
    c.x87.nodeEnd = node.last;
    if (node.second) {
      c.eip = node.eip;
      c.record = node.first;
      this.confirmHere(c, node.second, tables);
    }
    let eip = node.eip;
    let at = 0;
    for (let record = node.first; record < node.last; record += 16) {
      c.eip = eip;
      c.record = record;
      const code = decoded.code(record);
      if (!this.ring0 || !clearsInterrupts(c, code)) {
        emitOperation(c, recipeOf(code), record, wanted[at] !== 0);
      }
      at++;
      const length = decoded.length(record);
      eip = (eip + length) >>> 0;
      if (length) c.before++;
    }
    closeX87(c);
    c.eip = eip;
    c.record = node.last;
    c.accesses.begin(node.last);
    this.emitEnd(c, node, inverted, tables);
    closeAccesses(c, node.last);
  }

  /** Gives `wanted`, which a node that is longer than all before it replaces. */
  private findWantedFlags(c: Context, node: Node): Uint8Array {
    const { decoded } = this;
    const count = (node.last - node.first) >> 4;
    if (count > this.wanted.length) this.wanted = new Uint8Array(2 * count);
    const { wanted } = this;
    let live = true;
    for (let i = count - 1; i >= 0; i--) {
      const record = node.first + i * 16;
      const recipe = recipeOf(decoded.code(record));
      wanted[i] = live ? 1 : 0;
      const asks = live && recipe.flagsOfFlags;
      if (recipe.flags !== FLAGS_NONE) live = false;
      if (asks || recipe.needsFlags || c.accesses.checks(record)) live = true;
    }
    return wanted;
  }

  private emitEnd(c: Context, node: Node, inverted: boolean, tables: Tables): void {
    const { e } = c;
    if (node.direct) {
      this.emitDirect(c, node, node.direct, tables);
      return;
    }
    switch (node.end) {
      case 'interpret':
        c.leaveHere();
        return;
      case 'system': {
        const load = loadsSegment(this.decoded, codeAt(this.decoded, node.last), node.last);
        if (this.ring0 && setsInterrupts(c, this.decoded.code(node.last))) {
          c.retire(node.instructions);
          if (!this.goesOn(node)) c.leaveTo(node.next, false);
          return;
        }
        if (load) {
          loadSegment(c, load.segment, load.pops);
          this.leaveWhenTold(c, node);
          return;
        }
        c.callSystem(node.eip, node.next, this.goesOn(node));
        return;
      }
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
        if (!node.calls) this.goTo(c, node, node.target, tables);
        return;
      }
      case 'call-indirect': {
        this.setTarget(c, node.last);
        this.push(c, node.next);
        c.retire(node.instructions);
        if (node.guess !== undefined && this.labelAt(node, node.guess) !== 0) {
          e.localGet(c.targetLocal);
          e.i32Const(node.guess);
          e.op(O.I32_EQ);
          e.if();
          this.goTo(c, node, node.guess, tables);
          e.end();
        }
        this.lookup(c, tables);
        return;
      }
      case 'jmp-indirect': {
        this.setTarget(c, node.last);
        c.retire(node.instructions);
        this.lookup(c, tables);
        return;
      }
      case 'ret': {
        openStack(c, ESP, 0, place);
        e.localGet(place.host);
        loadValue(c, 32, place.distance);
        e.localSet(c.targetLocal);
        e.localGet(c.registers[ESP]);
        e.i32Const(4 + this.decoded.imm(node.last));
        e.op(O.I32_ADD);
        e.localSet(c.registers[ESP]);
        c.retire(node.instructions);
        if (!node.copy) {
          this.lookup(c, tables);
          return;
        }
        e.localGet(c.targetLocal);
        e.i32Const(node.copy.returnsTo);
        e.op(inverted ? O.I32_NE : O.I32_EQ);
        return;
      }
    }
  }

  /** Only where the call leads there; the page of the routine is what it was (confirmRoutines()). */
  private emitDirect(c: Context, node: Node, call: DirectCall, tables: Tables): void {
    const { e } = c;
    const { end } = node;
    if (end === 'call-indirect' || end === 'jmp-indirect') {
      this.setTarget(c, node.last);
      c.prepareLeave();
      e.localGet(c.targetLocal);
      e.i32Const(node.target);
      e.op(O.I32_NE);
      c.leaveIf();
    }
    emitDirect(c, call, node.instructions, isTail(node) ? undefined : node.next);
    if (isTail(node)) this.lookup(c, tables);
  }

  /**
   * Where the region begins: are the routines that it calls directly mapped as they were? What changes a
   * mapping leaves the region, so it need not be asked at each call, of which a kernel makes one in fifty
   * instructions. Nothing has been done yet: the interpreter executes what is at the entry.
   */
  private confirmRoutines(c: Context, region: Region, tables: Tables): void {
    const { e } = c;
    const asked = new Set<number>();
    for (const { direct, target } of region.nodes) {
      if (!direct || asked.has(target >>> 12)) continue;
      asked.add(target >>> 12);
      this.ifElsewhere(c, target, tables);
      e.i32Const(REGION_MISS);
      e.return();
      e.end();
      e.end();
    }
  }

  /** Behind the operation that ends the node, if 1 is on the stack or the budget is used up. */
  private leaveWhenTold(c: Context, node: Node): void {
    const { e } = c;
    c.retire(node.instructions);
    if (!this.goesOn(node)) {
      e.drop();
      c.leaveTo(node.next, true);
      return;
    }
    e.unlikely();
    e.if();
    c.leaveTo(node.next, true);
    e.end();
    c.leaveWithoutBudget(node.next);
  }

  private goesOn(node: Node): boolean {
    // Only within the page: what follows in another must be looked up.
    return this.nodeAt(node, node.next) >= 0 && samePage(node.next, node.eip);
  }

  private push(c: Context, value: number): void {
    const { e } = c;
    openStack(c, ESP, -4, place);
    e.localGet(place.host);
    e.i32Const(value);
    storeValue(c, 32, place.distance);
    e.localGet(c.registers[ESP]);
    e.i32Const(-4);
    e.op(O.I32_ADD);
    e.localSet(c.registers[ESP]);
  }

  /** The target of an indirect branch into its local. */
  private setTarget(c: Context, record: number): void {
    if (isThroughMemory(this.decoded, record)) {
      openOperand(c, record, place);
      c.e.localGet(place.host);
      loadValue(c, 32, place.distance);
    } else {
      getSlot(c, this.decoded.r1(record));
    }
    c.e.localSet(c.targetLocal);
  }

  /** The label by which the region's dispatch leads to an address; 0: it does not. */
  private labelAt(node: Node, target: number): number {
    const found = this.nodeAt(node, target);
    return found < 0 ? 0 : this.structurer.label(found);
  }

  /** A call of a known address: into the region through its dispatch, else out. */
  private goTo(c: Context, node: Node, target: number, tables: Tables): void {
    const label = this.labelAt(node, target);
    if (label === 0) {
      c.leaveTo(target, true);
      return;
    }
    c.leaveWithoutBudget(target);
    if (!samePage(target, node.eip)) this.checkMapping(c, target, tables);
    c.e.i32Const(label);
    c.e.localSet(c.label);
    this.structurer.dispatch(c.e);
  }

  /**
   * Opens an `if` for a page of `target` that has not been seen to be mapped as it was, with the address
   * of its generation word on the wasm stack; gives the word's place in the tables.
   */
  private ifUnconfirmed(c: Context, target: number, tables: Tables): number {
    const { e } = c;
    const word = tables.generationWord(target);
    c.pushTable(word);
    c.pushWord(this.generation);
    e.op(O.I32_NE);
    e.if();
    e.localGet(c.tablesLocal);
    e.i32Const(word);
    e.op(O.I32_ADD);
    return word;
  }

  /** Inside ifUnconfirmed(), opens an `if` for a page that is another now: what is the same is confirmed. */
  private ifElsewhere(c: Context, target: number, tables: Tables): void {
    const { e } = c;
    const word = this.ifUnconfirmed(c, target, tables);
    e.i32Const(target);
    c.pushTable(word + 4);
    e.call(c.imports.functionIndex('confirmPage'));
    e.op(O.I32_EQZ);
    e.if();
  }

  /** Leaves to `target` unless its page has been seen to be mapped as it was. */
  private checkMapping(c: Context, target: number, tables: Tables): void {
    this.ifUnconfirmed(c, target, tables);
    c.leavesUnconfirmed();
    c.leaveTo(target, false);
    c.e.end();
  }

  /** The interpreter executes the instruction at hand if the page of `target` is another. */
  private confirmHere(c: Context, target: number, tables: Tables): void {
    const { e } = c;
    this.ifElsewhere(c, target, tables);
    c.leaveHere();
    e.end();
    c.forgetPages();
    e.end();
  }

  /** On to the address in the target's local. */
  private lookup(c: Context, tables: Tables): void {
    if (tables.lookup) {
      this.structurer.share(c.e);
      return;
    }
    c.e.localGet(c.targetLocal);
    c.leaveToStack(true);
  }

  /**
   * An address known only now, once a region: if the region's table has it (EIP, label, address of
   * its page's generation word), on through the dispatch, else out.
   */
  private emitLookup(c: Context, tables: Tables, { shift, mask }: Lookup): void {
    const { e } = c;
    const target = c.targetLocal;
    const entry = c.locals.take(O.I32);
    const miss = e.block();
    e.localGet(c.budgetLocal);
    e.i32Const(1);
    e.op(O.I32_LT_S);
    e.brIf(miss);
    e.localGet(target);
    e.localGet(target);
    e.i32Const(shift);
    e.op(O.I32_SHR_U);
    e.op(O.I32_XOR);
    e.i32Const(mask);
    e.op(O.I32_AND);
    e.i32Const(Math.log2(LOOKUP_SIZE));
    e.op(O.I32_SHL);
    e.localGet(c.tablesLocal);
    e.op(O.I32_ADD);
    e.localTee(entry);
    this.pushDiffers(c, tables);
    e.unlikely();
    e.if();
    e.localGet(entry);
    e.i32Const(LOOKUP_SIZE);
    e.op(O.I32_ADD);
    e.localTee(entry);
    this.pushDiffers(c, tables);
    e.brIf(miss);
    e.end();
    if (!this.onePage) this.checkFound(c, entry, tables);
    e.localGet(entry);
    e.load(O.I32_LOAD, tables.lookupTable + 4, 2);
    e.localSet(c.label);
    this.structurer.dispatch(e);
    e.end();
    e.localGet(target);
    c.leaveToStack(true);
    c.locals.give(entry);
  }

  /** Of the place in the lookup table whose address is on the stack: is another EIP there than the target? */
  private pushDiffers(c: Context, tables: Tables): void {
    const { e } = c;
    e.load(O.I32_LOAD, tables.lookupTable, 2);
    e.localGet(c.targetLocal);
    e.op(O.I32_NE);
  }

  /** Leaves unless the page of the address that was found is still mapped as it was. */
  private checkFound(c: Context, entry: number, tables: Tables): void {
    const { e } = c;
    const target = c.targetLocal;
    e.localGet(entry);
    e.load(O.I32_LOAD, tables.lookupTable + 8, 2);
    e.load(O.I32_LOAD, 0, 2);
    e.i32Const(0);
    e.load(O.I32_LOAD, this.generation, 2);
    e.op(O.I32_NE);
    e.if();
    e.localGet(entry);
    e.load(O.I32_LOAD, tables.lookupTable + 8, 2);
    c.leavesUnconfirmed();
    e.localGet(target);
    c.leaveToStack(true);
    e.end();
  }

  // --- Edges ----------------------------------------------------------------------------------------

  private emitEdge(c: Context, edge: Edge, tables: Tables): void {
    if (edge.unknown) {
      this.lookup(c, tables);
      return;
    }
    if (edge.node < 0) {
      c.leaveTo(edge.to, edge.back);
      return;
    }
    if (edge.back) c.leaveWithoutBudget(edge.to);
    if (!samePage(edge.to, edge.from)) this.checkMapping(c, edge.to, tables);
  }
}

/** Of the access at hand. */
const place: Place = { host: -1, distance: 0 };

function isThroughMemory(decoded: Decoded, record: number): boolean {
  return codeAt(decoded, record).form.name === 'm';
}

/** What the terminator accesses. */
function endAccesses(decoded: Decoded, node: Node): number {
  const { direct, end, last } = node;
  const indirect = end === 'call-indirect' || end === 'jmp-indirect';
  let accesses = indirect && isThroughMemory(decoded, last) ? END_OPERAND : 0;
  if (direct) return accesses;
  if (end === 'call' || end === 'call-indirect') accesses |= END_PUSH;
  if (end === 'system' && loadsSegment(decoded, codeAt(decoded, last), last)?.pops) return END_POP;
  return end === 'ret' ? END_POP : accesses;
}

/** State a terminator uses and writes, as stateOf() gives it. */
function terminatorState(decoded: Decoded, node: Node): number {
  const direct = node.direct ? directState(node.direct, isTail(node)) : 0;
  return direct | endState(decoded, node);
}

function endState(decoded: Decoded, node: Node): number {
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
