/**
 * What the emitters of one region share: the encoder, where guest state lives in the function's
 * locals, where the current instruction is, and the ways out of the region.
 *
 * General registers, lazy flags and the budget live in locals for the whole region. They are read
 * from memory in the prologue and written back in the one epilogue; a call of a core function that
 * looks at them in memory is preceded by sync().
 */
import {
  BUDGET,
  COUNT_CURRENT,
  EAX,
  EIP,
  EIP_CURRENT,
  FLAG_A,
  FLAG_B,
  FLAG_KIND,
  FLAG_RESULT,
  RECORD_CURRENT,
  TLB_KERNEL,
  TLB_USER,
} from '../assembly/shared/layout.ts';
import { MODE_USER } from '../assembly/shared/modes.ts';
import { REGION_CHECK, REGION_MISS, REGION_NEXT } from '../assembly/shared/regions.ts';
import { Accesses } from './accesses.ts';
import type { Decoded } from './decoded.ts';
import { Pages } from './pages.ts';
import { FUNCTION_NAMES } from './recipes.ts';
import { splice, type Leaf, type Splicer } from './splice.ts';
import type { Tables } from './tables.ts';
import type { Encoder } from './wasm/encoder.ts';
import type { Locals } from './wasm/locals.ts';
import * as O from './wasm/opcodes.ts';
import { beginVectors, reloadVectors, storeVectors, Vectors } from './vectors.ts';
import { leaveX87, noteX87, Stretch } from './x87-stretch.ts';

export const REGISTERS = 8;
/** Bit of the flags in register masks. */
export const FLAGS_BIT = 1 << 8;
export const ALL_STATE = (1 << 9) - 1;

/** The module that functions are emitted into: names of core functions to indices there. */
export interface Imports {
  functionIndex(name: string): number;
  /** The function that goes on to the next region (chain.ts), if there is one. */
  chain?: string | undefined;
}

export class Context {
  /** Locals by register number. */
  readonly registers = new Int32Array(REGISTERS);
  /** The entry label: the function's first parameter. */
  label = 0;
  /** Address of the region's tables (tables.ts): the second. */
  tablesLocal = 1;
  kindLocal = 0;
  resultLocal = 0;
  aLocal = 0;
  bLocal = 0;
  budgetLocal = 0;
  /** The target of a branch that is looked up (translate.ts), if there is one in the region. */
  targetLocal = 0;
  /** Where an exit is for a page that is to be confirmed: address of its generation word, else 0. */
  private unconfirmedLocal = 0;
  private confirms = false;
  /** Where an exit goes, see EXIT_OFFSET: this address, plus the exit word's offset. */
  private eipLocal = 0;
  private exitLocal = 0;
  private exitLabel = 0;
  private origin = 0;
  /** The exit that is prepared stands in an `if`. */
  private inIf = false;
  /** Linear address of the TLB of the region's privilege. */
  tlb = TLB_KERNEL;

  /** The instruction being emitted: its EIP, how many of its node precede it, its record. */
  eip = 0;
  before = 0;
  record = 0;

  /** Kind of the lazy flags where it is known, else -1. */
  kind = -1;
  /** Registers (and FLAGS_BIT) whose locals may differ from memory. */
  dirty = 0;
  /** Units that the node has checked already: bits by UNIT_*. */
  checkedUnits = 0;
  readonly accesses = new Accesses();
  readonly pages = new Pages();
  readonly x87 = new Stretch();
  readonly vectors = new Vectors();
  /** What the region reads or writes at all, and what it writes. */
  used = 0;
  written = 0;
  private budgetDirty = true;
  private callsOut = false;

  constructor(
    readonly decoded: Decoded,
    readonly splicer: Splicer,
    public e: Encoder,
    public locals: Locals,
    public imports: Imports,
    public tables: Tables,
  ) {}

  /**
   * Starts the function's body, whose code is mostly near `eip`. `used` and `written` are masks over
   * the whole region; `vectors` is vectorsOf() of all.
   */
  begin(
    eip: number,
    mode: number,
    used: number,
    written: number,
    vectors: number,
    callsOut: boolean,
  ): void {
    const { e, locals } = this;
    this.tlb = mode & MODE_USER ? TLB_USER : TLB_KERNEL;
    this.used = used | written;
    this.written = written;
    this.callsOut = callsOut;
    this.confirms = false;
    for (let i = 0; i < REGISTERS; i++) this.registers[i] = locals.add(O.I32);
    this.kindLocal = locals.add(O.I32);
    this.resultLocal = locals.add(O.I32);
    this.aLocal = locals.add(O.I32);
    this.bLocal = locals.add(O.I32);
    this.budgetLocal = locals.add(O.I32);
    this.eipLocal = locals.add(O.I32);
    this.exitLocal = locals.add(O.I32);
    this.targetLocal = locals.add(O.I32);
    this.unconfirmedLocal = locals.add(O.I32);
    this.pages.addLocals(locals);
    this.loadState(this.used);
    beginVectors(this, vectors);
    this.loadLocal(this.budgetLocal, BUDGET);
    this.origin = eip;
    e.i32Const(eip);
    e.localSet(this.eipLocal);
    this.exitLabel = e.block();
    this.x87.beginRegion();
  }

  /** Ends the body: the epilogue that every exit goes through. */
  end(): void {
    const { e } = this;
    e.end();
    leaveX87(this);
    this.storeState(this.written);
    storeVectors(this, this.vectors.written);
    e.i32Const(0);
    e.localGet(this.eipLocal);
    e.localGet(this.exitLocal);
    e.i32Const(EXIT_OFFSET);
    e.op(O.I32_SHR_S);
    e.op(O.I32_ADD);
    e.store(O.I32_STORE, EIP, 2);
    e.i32Const(0);
    e.localGet(this.budgetLocal);
    e.localGet(this.exitLocal);
    e.i32Const(EXIT_BEFORE);
    e.op(O.I32_AND);
    e.op(O.I32_SUB);
    e.store(O.I32_STORE, BUDGET, 2);
    if (this.callsOut) {
      e.i32Const(0);
      e.i32Const(0);
      e.store(O.I32_STORE, COUNT_CURRENT, 2);
    }
    if (this.confirms) this.confirm();
    e.localGet(this.exitLocal);
    e.i32Const(EXIT_WHY);
    e.op(O.I32_SHR_U);
    e.i32Const(3);
    e.op(O.I32_AND);
    const { chain } = this.imports;
    if (chain !== undefined) e.returnCall(this.imports.functionIndex(chain));
  }

  /**
   * Confirms the page that this exit leads to, so that the next time there is none. Here and not where
   * the page is missed: for a call amid the nodes the engine keeps what is in registers in memory.
   */
  private confirm(): void {
    const { e } = this;
    e.localGet(this.unconfirmedLocal);
    e.if();
    e.localGet(this.unconfirmedLocal);
    this.pushWord(EIP);
    e.localGet(this.unconfirmedLocal);
    e.load(O.I32_LOAD, 4, 2);
    e.call(this.imports.functionIndex('confirmPage'));
    e.drop();
    e.end();
  }

  /** The address on the stack is that of the generation word of the page that is left to: see confirm(). */
  leavesUnconfirmed(): void {
    this.e.localSet(this.unconfirmedLocal);
    this.confirms = true;
  }

  /** Starts a node: nothing is known of flags and memory. */
  beginNode(): void {
    this.kind = -1;
    this.dirty = this.written;
    this.vectors.beginNode();
    this.budgetDirty = true;
    this.before = 0;
    this.checkedUnits = 0;
  }

  // --- Ways out -------------------------------------------------------------------------------------

  /** Leaves before the current instruction: the interpreter executes it. */
  leaveHere(): void {
    let { before } = this;
    if (before > EXIT_BEFORE) {
      this.retire(before);
      before = 0;
    }
    this.leave(this.eip, before | (REGION_MISS << EXIT_WHY));
  }

  /**
   * leaveHere() on a condition: prepareLeave(), then the condition is pushed, then leaveIf(). What
   * stands between must not leave or prepare to.
   */
  prepareLeave(): void {
    if (this.x87.open) noteX87(this);
    this.inIf = this.before > EXIT_BEFORE || !this.isNear(this.eip);
    if (this.inIf) return;
    this.setExit(this.eip, this.before | (REGION_MISS << EXIT_WHY));
  }

  leaveIf(): void {
    const { e } = this;
    if (!this.inIf) {
      e.brIf(this.exitLabel);
      return;
    }
    e.if();
    this.leaveHere();
    e.end();
  }

  /** Leaves to a known address, all instructions so far accounted for. */
  leaveTo(eip: number, check: boolean): void {
    this.leave(eip, (check ? REGION_CHECK : REGION_NEXT) << EXIT_WHY);
  }

  /** leaveTo() when the budget is used up. */
  leaveWithoutBudget(eip: number): void {
    const { e } = this;
    const near = this.isNear(eip);
    if (near) this.setExit(eip, REGION_CHECK << EXIT_WHY);
    e.localGet(this.budgetLocal);
    e.i32Const(1);
    e.op(O.I32_LT_S);
    if (near) {
      e.brIf(this.exitLabel);
      return;
    }
    e.if();
    this.leaveTo(eip, true);
    e.end();
  }

  /** The same as leaveTo(), with the address on the wasm stack. */
  leaveToStack(check: boolean): void {
    const { e } = this;
    e.localSet(this.eipLocal);
    e.i32Const((check ? REGION_CHECK : REGION_NEXT) << EXIT_WHY);
    e.localSet(this.exitLocal);
    e.br(this.exitLabel);
  }

  private isNear(eip: number): boolean {
    const offset = (eip - this.origin) | 0;
    return offset >= -EXIT_REACH && offset < EXIT_REACH;
  }

  private setExit(eip: number, word: number): void {
    this.e.i32Const((((eip - this.origin) | 0) << EXIT_OFFSET) | word);
    this.e.localSet(this.exitLocal);
  }

  private leave(eip: number, word: number): void {
    const { e } = this;
    if (this.isNear(eip)) {
      this.setExit(eip, word);
    } else {
      e.i32Const(eip);
      e.localSet(this.eipLocal);
      e.i32Const(word);
      e.localSet(this.exitLocal);
    }
    e.br(this.exitLabel);
  }

  /** budget -= count. */
  retire(count: number): void {
    if (count === 0) return;
    const { e } = this;
    e.localGet(this.budgetLocal);
    e.i32Const(count);
    e.op(O.I32_SUB);
    e.localSet(this.budgetLocal);
    this.budgetDirty = true;
  }

  // --- State in memory ------------------------------------------------------------------------------

  /** Pushes a word of the state in memory. */
  pushWord(address: number): void {
    this.e.i32Const(0);
    this.e.load(O.I32_LOAD, address, 2);
  }

  /** Pushes a word of the region's tables. */
  pushTable(offset: number): void {
    this.e.localGet(this.tablesLocal);
    this.e.load(O.I32_LOAD, offset, 2);
  }

  /** Pushes the address of the record at hand; 0: it is in none. */
  pushRecord(): void {
    if (this.record === 0) this.e.i32Const(0);
    else this.pushTable(this.tables.recordOffset(this.record));
  }

  /** Stores what `push` pushes there. */
  storeWord(address: number, push: () => void): void {
    this.e.i32Const(0);
    push();
    this.e.store(O.I32_STORE, address, 2);
  }

  private loadLocal(local: number, address: number): void {
    this.pushWord(address);
    this.e.localSet(local);
  }

  private storeLocal(local: number, address: number): void {
    this.e.i32Const(0);
    this.e.localGet(local);
    this.e.store(O.I32_STORE, address, 2);
  }

  /** Locals from memory, by mask. */
  loadState(mask: number): void {
    for (let i = 0; i < REGISTERS; i++) {
      if (mask & (1 << i)) this.loadLocal(this.registers[i], EAX + 4 * i);
    }
    if (mask & FLAGS_BIT) {
      this.loadLocal(this.kindLocal, FLAG_KIND);
      this.loadLocal(this.resultLocal, FLAG_RESULT);
      this.loadLocal(this.aLocal, FLAG_A);
      this.loadLocal(this.bLocal, FLAG_B);
    }
  }

  private storeState(mask: number): void {
    for (let i = 0; i < REGISTERS; i++) {
      if (mask & (1 << i)) this.storeLocal(this.registers[i], EAX + 4 * i);
    }
    if (mask & FLAGS_BIT) {
      this.storeLocal(this.kindLocal, FLAG_KIND);
      this.storeLocal(this.resultLocal, FLAG_RESULT);
      this.storeLocal(this.aLocal, FLAG_A);
      this.storeLocal(this.bLocal, FLAG_B);
    }
  }

  private storeDirty(): void {
    this.storeState(this.dirty);
    this.dirty = 0;
    storeVectors(this, this.vectors.dirty);
    this.vectors.dirty = 0;
  }

  /** The TLB may be another afterwards: no page is known. */
  forgetPages(): void {
    for (const { tag } of this.pages.all) {
      this.e.i32Const(0);
      this.e.localSet(tag);
    }
  }

  /** Writes what changed, and where we are: before a function that may throw or look at memory. */
  sync(): void {
    const { e } = this;
    this.storeDirty();
    if (this.budgetDirty) {
      this.storeLocal(this.budgetLocal, BUDGET);
      this.budgetDirty = false;
    }
    e.i32Const(0);
    e.i32Const(this.eip);
    e.store(O.I32_STORE, EIP_CURRENT, 2);
    e.i32Const(0);
    e.i32Const(this.before);
    e.store(O.I32_STORE, COUNT_CURRENT, 2);
    this.storeWord(RECORD_CURRENT, () => this.pushRecord());
    this.forgetPages();
  }

  /**
   * Executes the operation at `record`, which ends the block at `eip`, in the core. Returns from the
   * region unless the core says that it may go on at the next instruction, and `goesOn`.
   */
  callSystem(eip: number, next: number, goesOn: boolean): void {
    const { e } = this;
    this.storeDirty();
    this.storeLocal(this.budgetLocal, BUDGET);
    e.i32Const(0);
    e.i32Const(eip);
    e.store(O.I32_STORE, EIP, 2);
    this.pushRecord();
    e.i32Const(next);
    e.call(this.imports.functionIndex('endRecord'));
    if (goesOn) {
      e.if();
      e.i32Const(REGION_CHECK);
      e.return();
      e.end();
      this.loadState(this.used);
      reloadVectors(this);
      this.loadLocal(this.budgetLocal, BUDGET);
      this.forgetPages();
      this.kind = -1;
      return;
    }
    e.drop();
    e.i32Const(REGION_CHECK);
    e.return();
  }

  // --- Core functions -------------------------------------------------------------------------------

  /** Pastes or calls a core function whose arguments are on the wasm stack. */
  apply(number: number): void {
    const leaf = this.leafOf(number);
    if (leaf !== null) splice(this.e, this.locals, leaf);
    else this.e.call(this.imports.functionIndex(FUNCTION_NAMES[number]!));
  }

  /** Pastes with operands bound to locals or constants (see splice()), or calls. */
  applyBound(
    number: number,
    count: number,
    bound: ArrayLike<number>,
    constants: ArrayLike<number>,
  ): void {
    const leaf = this.leafOf(number);
    if (leaf !== null) {
      splice(this.e, this.locals, leaf, bound, constants);
      return;
    }
    for (let i = 0; i < count; i++) {
      if (bound[i]! >= 0) this.e.localGet(bound[i]!);
      else this.e.i32Const(constants[i]!);
    }
    this.e.call(this.imports.functionIndex(FUNCTION_NAMES[number]!));
  }

  /** Leaves by function number, null for what is called. */
  private readonly leaves: (Leaf | null | undefined)[] = [];

  private leafOf(number: number): Leaf | null {
    let leaf = this.leaves[number];
    if (leaf === undefined) {
      leaf = this.splicer.leaf(FUNCTION_NAMES[number]!);
      if (leaf !== null && leaf.size > SPLICE_BYTES) leaf = null;
      while (this.leaves.length < number) this.leaves.push(undefined);
      this.leaves[number] = leaf;
    }
    return leaf;
  }
}

/** Longer bodies are called: pasting saves about 2.5 ns a call, compiling costs by the byte. */
const SPLICE_BYTES = 400;

// Why and where an exit goes, in one word, so that an exit sets one local:
/** Instructions of the node before it, not yet taken off the budget. */
const EXIT_BEFORE = 0xff;
/** REGION_*, two bits. */
const EXIT_WHY = 8;
/** Distance of the address from eipLocal, signed. */
const EXIT_OFFSET = 10;
const EXIT_REACH = 1 << (31 - EXIT_OFFSET);
