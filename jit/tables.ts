/**
 * What a region keeps in the core's memory beside its code: where things are in it, and filling it
 * in. The code has offsets only; the address is its function's second parameter.
 *
 *   a page   u32 generation under which the page was last seen mapped as it was,
 *            u32 its physical address
 *   lookup   an entry: u32 EIP, u32 label, u32 address of its page's generation word, unused; none if
 *            there are fewer than two entries
 *   records  u32 address of each decoded record that the code refers to
 *
 * Entry descriptors (shared/regions.ts) stand in another place, since the run loop writes them.
 */
import type { Decoded } from './decoded.ts';
import type { Region } from './region.ts';

const PAGE_SIZE = 8;
const LOOKUP_SIZE = 16;

/** No generation is it. */
const NEVER = 0xffffffff;

/** The EIP of a place in the lookup table that is free; there always is one. */
export const LOOKUP_EMPTY = -1;

/** Hash of the lookup table: EIP to index, or to one of those after it. */
export function lookupIndex(eip: number, mask: number): number {
  return (eip ^ (eip >>> 6)) & mask;
}

/** An entry by address. */
export interface EntryPoint {
  eip: number;
  label: number;
}

export class Tables {
  readonly lookupTable: number;
  readonly lookupMask: number;
  /** Records by their place. */
  readonly records: number[] = [];
  private readonly places = new Map<number, number>();
  private readonly firstRecord: number;

  /** @param pages linear addresses of pages, shifted by 12, in order */
  constructor(
    readonly pages: readonly number[],
    entries: number,
  ) {
    this.lookupTable = PAGE_SIZE * pages.length;
    this.lookupMask = entries > 1 ? lookupMaskFor(entries) : -1;
    this.firstRecord = this.lookupTable + LOOKUP_SIZE * (this.lookupMask + 1);
  }

  get bytes(): number {
    return this.firstRecord + 4 * this.records.length;
  }

  /** Offset of the generation word of the page of `eip`; its physical address follows. */
  generationWord(eip: number): number {
    return PAGE_SIZE * this.pages.indexOf(eip >>> 12);
  }

  /** Offset of the word with the record's address. */
  recordOffset(record: number): number {
    let place = this.places.get(record);
    if (place === undefined) {
      place = this.records.push(record) - 1;
      this.places.set(record, place);
    }
    return this.firstRecord + 4 * place;
  }

  /** Fills the tables in at `address`, the pages being there. */
  fill(
    decoded: Decoded,
    address: number,
    physical: readonly number[],
    entries: readonly EntryPoint[],
  ): void {
    this.pages.forEach((_, i) => {
      decoded.setWord(address + PAGE_SIZE * i, NEVER);
      decoded.setWord(address + PAGE_SIZE * i + 4, physical[i]!);
    });
    this.records.forEach((record, i) => {
      decoded.setWord(address + this.firstRecord + 4 * i, record);
    });
    const { lookupMask } = this;
    if (lookupMask < 0) return;
    const table = address + this.lookupTable;
    // A branch to that very address finds a free place. It must lead nowhere: its generation is the
    // EIP itself, which none is, and the page behind it one that nothing can be mapped to (confirmPage()).
    for (let i = 0; i <= lookupMask; i++) {
      const at = table + LOOKUP_SIZE * i;
      decoded.setWord(at, LOOKUP_EMPTY);
      decoded.setWord(at + 4, LOOKUP_EMPTY);
      decoded.setWord(at + 8, at);
    }
    for (const { eip, label } of entries) {
      let index = lookupIndex(eip, lookupMask);
      while (decoded.word(table + LOOKUP_SIZE * index) !== LOOKUP_EMPTY >>> 0) {
        index = (index + 1) & lookupMask;
      }
      const at = table + LOOKUP_SIZE * index;
      const page = this.generationWord(eip);
      decoded.setWord(at, eip);
      decoded.setWord(at + 4, label);
      decoded.setWord(at + 8, address + page);
    }
  }
}

/** Pages of a region, shifted by 12: of its code, and of routines that it calls without executing them. */
export function pagesOf({ nodes }: Pick<Region, 'nodes'>): number[] {
  const pages = new Set<number>();
  for (const { direct, eip, second, target } of nodes) {
    pages.add(eip >>> 12);
    if (second) pages.add(second >>> 12);
    if (direct) pages.add(target >>> 12);
  }
  return [...pages];
}

/** Half of the table at most is used, so that a search is short. */
function lookupMaskFor(entries: number): number {
  let mask = 3;
  while (mask + 1 < 2 * entries) mask = mask * 2 + 1;
  return mask;
}
