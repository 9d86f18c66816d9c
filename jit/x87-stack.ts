/**
 * The x87 register stack as it is known while a stretch of x87 instructions is emitted: how far TOP
 * has moved, which registers are full. Registers are named by their distance from the TOP that the
 * stretch began with, so that nothing depends on what TOP is.
 *
 * The same steps are made twice: once ahead, to find what the tags must say at the beginning, and
 * once with the emission.
 */
import { STORE_ST, type Row } from './x87-rows.ts';

export class Stack {
  /** How far TOP has moved, modulo 8. */
  moved = 0;
  /** Known to be full, or empty: bit masks. */
  full = 0;
  empty = 0;
  /** What was full or empty at the beginning, as far as it had to be. */
  wasFull = 0;
  wasEmpty = 0;

  begin(): void {
    this.moved = this.full = this.empty = this.wasFull = this.wasEmpty = 0;
  }

  /** The name of ST(i) now. */
  name(i: number): number {
    return (this.moved + i) & 7;
  }

  /** Goes over one instruction on ST(i); false, and nothing has changed: a stack fault. */
  step(row: Row, i: number): boolean {
    const { full, empty, wasFull, wasEmpty } = this;
    if (
      (row.needsTop && !this.need(0)) ||
      (row.needsIndexed && !this.need(i)) ||
      (row.needsSecond && !this.need(1)) ||
      (row.pushes && !this.push())
    ) {
      this.full = full;
      this.empty = empty;
      this.wasFull = wasFull;
      this.wasEmpty = wasEmpty;
      return false;
    }
    if (row.kind === STORE_ST) this.fill(i);
    for (let pops = row.pops; pops > 0; pops--) this.pop();
    return true;
  }

  private need(i: number): boolean {
    const bit = 1 << this.name(i);
    if (this.empty & bit) return false;
    if ((this.full & bit) === 0) this.wasFull |= bit;
    this.full |= bit;
    return true;
  }

  private push(): boolean {
    const bit = 1 << this.name(-1);
    if (this.full & bit) return false;
    if ((this.empty & bit) === 0) this.wasEmpty |= bit;
    this.empty &= ~bit;
    this.full |= bit;
    this.moved = (this.moved - 1) & 7;
    return true;
  }

  private pop(): void {
    const bit = 1 << this.name(0);
    this.empty |= bit;
    this.full &= ~bit;
    this.moved = (this.moved + 1) & 7;
  }

  /** ST(i) has become full. */
  private fill(i: number): void {
    const bit = 1 << this.name(i);
    this.empty &= ~bit;
    this.full |= bit;
  }
}
