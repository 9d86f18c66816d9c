/**
 * Pages kept in locals. An access in a loop remembers the page that it found last: the tag and the
 * addend of its TLB entry. Where it comes to the same page again, nothing waits for a load of the
 * TLB, the address of which is the operand's: a table look-up that waits for the one before it goes on
 * after 10 cycles instead of 18. Decides before emission which accesses do so; memory.ts emits.
 *
 * What the locals say is true as long as no core function runs that may change the TLB: context.ts
 * forgets them there. A region starts with none.
 *
 * Only accesses that are likely to stay in a page are worth it: another page is a branch foretold
 * wrongly, and two locals more in a loop are registers fewer. So registers are told apart by what the
 * loop does with them, a guess that costs nothing but time where it is wrong:
 * - NEAR: moves by a constant or by what does not change: pointers into arrays, counters;
 * - SHORT: has just been cut to a few bits: the index of a small table;
 * - FAR: anything.
 */
import { EAX, REGS, SLOT_ADDRESS, SLOT_ZERO } from '../assembly/shared/layout.ts';
import { END_OPERAND, type Accesses } from './accesses.ts';
import type { Decoded } from './decoded.ts';
import * as R from './recipes.ts';
import type { Node } from './region.ts';
import { stateOf } from './registers.ts';
import type { Structurer } from './structure.ts';
import { PAGES_IN_LOOP, PAGES_IN_REGION, SMALL_LOOP } from './tuning.ts';
import type { Locals } from './wasm/locals.ts';
import * as O from './wasm/opcodes.ts';

/** A page in locals: (its last address, as the TLB's tags are; 0: none) and the addend. */
export interface Page {
  tag: number;
  addend: number;
}

const REGISTERS = (SLOT_ZERO - (EAX - REGS)) >> 2;
const ESP_SLOT = 16;

const NEAR = 0;
const SHORT = 1;
const FAR = 2;

/** Bits that an index is cut to at most: with a scale of 4, four pages. */
const SHORT_BITS = 12;

/** Accesses that share a page: of one loop and of one form of address, in the same 4 KB of displacements. */
interface Shared extends Page {
  loop: number;
  base: number;
  index: number;
  scale: number;
  disp: number;
  writes: boolean;
}

export class Pages {
  private readonly shared: Shared[] = [];
  private readonly byRecord = new Map<number, Page>();
  /** By loop: registers that are FAR at the beginning of its nodes; its instructions. */
  private far = new Int32Array(16);
  private size = new Int32Array(16);
  private readonly kinds = new Uint8Array(REGISTERS);

  /** Looks at a region whose graph the structurer has analysed. */
  plan(
    decoded: Decoded,
    nodes: readonly Node[],
    structurer: Structurer,
    accesses: Accesses,
    endAccesses: (node: Node) => number,
  ): void {
    this.shared.length = 0;
    this.byRecord.clear();
    const { loops } = structurer;
    if (loops <= 1 && !structurer.dispatching) return;
    if (this.far.length < loops) {
      this.far = new Int32Array(2 * loops);
      this.size = new Int32Array(2 * loops);
    }
    this.far.fill(0, 0, loops);
    this.size.fill(0, 0, loops);
    // What is FAR in one node makes more so in others: twice is enough for a guess.
    for (let pass = 0; pass < 2; pass++) {
      for (const [i, node] of nodes.entries()) {
        const loop = structurer.loopOf(i);
        if (loop < 0) continue;
        if (pass === 0) this.size[loop] += node.instructions;
        this.start(loop);
        for (let record = node.first; record < node.last; record += 16) this.move(decoded, record);
        for (let register = 0; register < REGISTERS; register++) {
          if (this.kinds[register] === FAR) this.far[loop] |= 1 << register;
        }
      }
      for (let loop = loops - 1; loop > 0; loop--) {
        this.far[structurer.loopAround(loop)] |= this.far[loop];
      }
    }
    for (const [i, node] of nodes.entries()) {
      const loop = structurer.loopOf(i);
      if (loop < 0 || (loop === 0 && !structurer.dispatching)) continue;
      accesses.analyse(decoded, node.first, node.last, endAccesses(node));
      this.start(loop);
      for (let record = node.first; record < node.last; record += 16) {
        const writes = accesses.opens(record);
        if (writes >= 0 && R.recipeOf(decoded.code(record)).accesses) {
          this.choose(decoded, record, loop, writes > 0);
        }
        this.move(decoded, record);
      }
      const writes = accesses.opens(node.last);
      if (writes >= 0 && endAccesses(node) & END_OPERAND) {
        this.choose(decoded, node.last, loop, writes > 0);
      }
    }
  }

  /** The function's locals, once they may be added. */
  addLocals(locals: Locals): void {
    for (const page of this.shared) {
      page.tag = locals.add(O.I32);
      page.addend = locals.add(O.I32);
    }
  }

  /** All pages of the region. */
  get all(): readonly Page[] {
    return this.shared;
  }

  /** Where the check of the record's operand keeps its page, if it does. */
  of(record: number): Page | undefined {
    return this.byRecord.get(record);
  }

  // --- Analysis ----------------------------------------------------------------------------------------

  private start(loop: number): void {
    for (let register = 0; register < REGISTERS; register++) {
      this.kinds[register] = this.far[loop] & (1 << register) ? FAR : NEAR;
    }
  }

  private kind(slot: number): number {
    if (slot < SLOT_ZERO) return this.kinds[slot >> 2];
    return slot === SLOT_ADDRESS ? FAR : NEAR;
  }

  /** Does the record's address stay near where it was, and how? */
  private addressKind(decoded: Decoded, record: number): number {
    return Math.max(this.kind(decoded.base(record)), this.kind(decoded.index(record)));
  }

  private choose(decoded: Decoded, record: number, loop: number, writes: boolean): void {
    let base = decoded.base(record);
    let index = decoded.index(record);
    const kind = this.addressKind(decoded, record);
    if (kind === FAR) return;
    // What does not wait for anything else gains little, in the locals of a large loop nothing.
    if (kind === NEAR) {
      if (this.size[loop] > SMALL_LOOP || loop === 0) return;
      if (base === ESP_SLOT && index === SLOT_ZERO) return;
    }
    // Where a table is does not depend on what it is indexed with.
    if (this.kind(base) === SHORT) base = SLOT_ZERO;
    if (this.kind(index) === SHORT) index = SLOT_ZERO;
    const scale = index === SLOT_ZERO ? 0 : decoded.scale(record);
    const disp = decoded.disp(record) >> 12;
    let inLoop = 0;
    for (const other of this.shared) {
      if (other.loop !== loop) continue;
      inLoop++;
      if (
        other.base === base &&
        other.index === index &&
        other.scale === scale &&
        other.disp === disp &&
        other.writes === writes
      ) {
        this.byRecord.set(record, other);
        return;
      }
    }
    if (inLoop === PAGES_IN_LOOP || this.shared.length === PAGES_IN_REGION) return;
    const page: Shared = { loop, base, index, scale, disp, writes, tag: -1, addend: -1 };
    this.shared.push(page);
    this.byRecord.set(record, page);
  }

  /** What the record does to the kinds of the registers. */
  private move(decoded: Decoded, record: number): void {
    const { kinds } = this;
    const recipe = R.recipeOf(decoded.code(record));
    const to = decoded.r1(record) >> 2;
    switch (recipe.moves) {
      case R.MOVES_ADD:
      case R.MOVES_SUB:
      case R.MOVES_INC:
      case R.MOVES_DEC:
        return;
      case R.MOVES_COPY:
        kinds[to] = this.kind(decoded.r2(record));
        return;
      case R.MOVES_SUM:
        kinds[to] = Math.max(kinds[to], this.kind(decoded.r2(record)));
        return;
      case R.MOVES_LEA:
        kinds[to] = this.addressKind(decoded, record);
        return;
      case R.MOVES_CONSTANT:
        kinds[to] = NEAR;
        return;
      case R.MOVES_BYTE:
        kinds[to] = SHORT;
        return;
      case R.MOVES_MASK:
        kinds[to] = decoded.imm(record) >>> SHORT_BITS === 0 ? SHORT : FAR;
        return;
      case R.MOVES_RIGHT:
        kinds[to] = decoded.imm(record) >= 32 - SHORT_BITS ? SHORT : FAR;
        return;
    }
    let written = stateOf(decoded, recipe, record) & 0xff;
    // The stack's own registers.
    if (recipe.pushes || recipe.pops || recipe.leaves) written &= ~(1 << (ESP_SLOT >> 2));
    for (let register = 0; written !== 0; register++, written >>= 1) {
      if (written & 1) kinds[register] = FAR;
    }
  }
}
