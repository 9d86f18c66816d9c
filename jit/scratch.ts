/**
 * Small tables in the core's memory that translated code and the run loop read: entry descriptors,
 * generation words, lookup tables. Blocks of 16 bytes to 64 KiB in sizes of powers of two, given
 * back and used again.
 */
import { SCRATCH, SCRATCH_END } from '../assembly/shared/layout.ts';

const SMALLEST = 4;
const LARGEST = 16;

export class Scratch {
  private next = SCRATCH;
  private readonly free: number[][] = Array.from({ length: LARGEST + 1 }, () => []);

  reset(): void {
    this.next = SCRATCH;
    for (const list of this.free) list.length = 0;
  }

  private static sizeClass(bytes: number): number {
    let size = SMALLEST;
    while (1 << size < bytes) size++;
    return size;
  }

  /** Address of `bytes` bytes, or 0 when there is no room. Contents are undefined. */
  take(bytes: number): number {
    const size = Scratch.sizeClass(bytes);
    if (size > LARGEST) return 0;
    const list = this.free[size];
    if (list.length) return list.pop()!;
    if (this.next + (1 << size) > SCRATCH_END) return 0;
    const address = this.next;
    this.next += 1 << size;
    return address;
  }

  give(address: number, bytes: number): void {
    if (address) this.free[Scratch.sizeClass(bytes)].push(address);
  }
}
