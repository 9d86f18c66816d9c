/**
 * What a region keeps in the core's memory beside its code: where things are in it, and filling it
 * in. The code has offsets only; the address is its function's second parameter.
 *
 *   a page   u32 generation under which the page was last seen mapped as it was,
 *            u32 its physical address
 *   lookup   (lookup.ts) a place: u32 EIP, u32 label, u32 address of its page's generation word, unused;
 *            none if there are fewer than two entries
 *   records  u32 address of each decoded record that the code refers to
 *
 * Entry descriptors (shared/regions.ts) stand in another place, since the run loop writes them.
 */
import type { Decoded } from './decoded.ts';
import { NONE, planLookup, strangerTo, type Lookup } from './lookup.ts';
import type { Region } from './region.ts';

const PAGE_SIZE = 8;
export const LOOKUP_SIZE = 16;

/** No generation is it. */
const NEVER = 0xffffffff;

/** An entry by address. */
export interface EntryPoint {
  eip: number;
  label: number;
}

export class Tables {
  readonly lookupTable: number;
  readonly lookup: Lookup | undefined;
  /** Records by their place. */
  readonly records: number[] = [];
  private readonly places = new Map<number, number>();
  private readonly firstRecord: number;

  /** @param pages linear addresses of pages, shifted by 12, in order */
  constructor(
    readonly pages: readonly number[],
    private readonly entries: readonly EntryPoint[],
  ) {
    this.lookupTable = PAGE_SIZE * pages.length;
    if (entries.length > 1) this.lookup = planLookup(entries.map(({ eip }) => eip));
    this.firstRecord = this.lookupTable + LOOKUP_SIZE * (this.lookup?.places.length ?? 0);
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
  fill(decoded: Decoded, address: number, physical: readonly number[]): void {
    this.pages.forEach((_, i) => {
      decoded.setWord(address + PAGE_SIZE * i, NEVER);
      decoded.setWord(address + PAGE_SIZE * i + 4, physical[i]!);
    });
    this.records.forEach((record, i) => {
      decoded.setWord(address + this.firstRecord + 4 * i, record);
    });
    const { entries, lookup } = this;
    lookup?.places.forEach((entry, place) => {
      const at = address + this.lookupTable + LOOKUP_SIZE * place;
      if (entry === NONE) {
        decoded.setWord(at, strangerTo(place, lookup));
        return;
      }
      const { eip, label } = entries[entry]!;
      decoded.setWord(at, eip);
      decoded.setWord(at + 4, label);
      decoded.setWord(at + 8, address + this.generationWord(eip));
    });
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
