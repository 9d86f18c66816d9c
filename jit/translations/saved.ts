/**
 * Translations of earlier runs: finds the region that is entered at an address, and looks whether
 * the guest has the code there that the region was made of.
 */
import { HEADER_SIZE, RECORD_SIZE } from '../../assembly/shared/records.ts';
import { SAVED, SAVED_BITS, SAVED_MULTIPLIER } from '../../assembly/shared/layout.ts';
import type { Decoded } from '../decoded.ts';
import type { FindDirectCall } from '../paravirt.ts';
import { Tables } from '../tables.ts';
import { readModule } from '../wasm/reader.ts';
import { hashNode, isSplit, type CodeSource, type SavedRegion } from './description.ts';
import { readDescription, UnusableTranslations, type Made } from './format.ts';
import { sameHash } from './hash.ts';

/** What a look at the guest takes. */
export interface Guest {
  decoded: Decoded;
  /** Where code at a linear address is fetched from now, or -1; changes nothing. */
  peek(linear: number): number;
  /** The decoded block there, which is made if need be; 0: there is no room. */
  block(linear: number, physical: number, mode: number): number;
  findDirect: FindDirectCall | undefined;
  /** Regions that share checks have missed at this entry. */
  unshared(eip: number): boolean;
}

/** A region that is the guest's code as it stands. */
export interface Match {
  number: number;
  region: SavedRegion;
  /** Physical pages, in the region's order. */
  physical: number[];
  /** Decoded blocks of the region's nodes. */
  blocks: number[];
  tables: Tables;
}

/** A region is put in this often at most: where code is written again and again it is no help. */
const LOADS_MAX = 16;

export class SavedTranslations {
  /** Regions that were used, were not since their code is another, could not be yet. */
  readonly counts = { regions: 0, loaded: 0, verified: 0, rejected: 0, unmapped: 0 };
  private readonly byEntry = new Map<number, number[]>();
  private readonly loads: Uint8Array;
  private readonly refused: Uint8Array;
  private sources: Map<number, number> | undefined;

  private constructor(
    readonly file: Uint8Array<ArrayBuffer>,
    readonly module: WebAssembly.Module,
    readonly regions: readonly SavedRegion[],
  ) {
    this.counts.regions = regions.length;
    this.loads = new Uint8Array(regions.length);
    this.refused = new Uint8Array(regions.length);
    regions.forEach((region, number) => {
      region.age++;
      for (const { eip, live } of region.entries) {
        if (!live) continue;
        const numbers = this.byEntry.get(eip);
        // The newest first.
        if (numbers) numbers.unshift(number);
        else this.byEntry.set(eip, [number]);
      }
    });
  }

  /** @throws UnusableTranslations */
  static async read(file: Uint8Array<ArrayBuffer>, made: Made): Promise<SavedTranslations> {
    const regions = readDescription(file, made);
    let module: WebAssembly.Module;
    try {
      module = await WebAssembly.compile(file);
    } catch {
      throw new UnusableTranslations('cannot be compiled by this engine');
    }
    return new SavedTranslations(file, module, regions);
  }

  /** Lets the decoder know which blocks have something here. */
  announce(decoded: Decoded): void {
    for (const eip of this.byEntry.keys()) {
      const bit = Math.imul(eip, SAVED_MULTIPLIER) >>> (32 - SAVED_BITS);
      decoded.u8[SAVED + (bit >>> 3)]! |= 1 << (bit & 7);
    }
  }

  /** May a region be entered there? The decoder has thought so. */
  announced(decoded: Decoded, eip: number): boolean {
    const bit = Math.imul(eip, SAVED_MULTIPLIER) >>> (32 - SAVED_BITS);
    return ((decoded.u8[SAVED + (bit >>> 3)]! >>> (bit & 7)) & 1) !== 0;
  }

  /** The region to enter at `eip`, if there is one and it is the guest's code; its blocks are decoded. */
  match(guest: Guest, eip: number, mode: number): Match | null {
    for (const number of this.byEntry.get(eip) ?? []) {
      const region = this.regions[number]!;
      if (region.mode !== mode || this.loads[number]! >= LOADS_MAX) continue;
      const match = this.compare(guest, number, region);
      if (match) return match;
    }
    return null;
  }

  /** The region is in the translator's cache. */
  loaded(number: number): void {
    if (this.loads[number]!++ === 0) this.counts.loaded++;
    this.regions[number]!.age = 0;
  }

  private compare(guest: Guest, number: number, region: SavedRegion): Match | null {
    const { decoded } = guest;
    const { mode, nodes, pages } = region;
    if (region.sharing && nodes.some(({ eip }) => guest.unshared(eip))) return null;
    const physical: number[] = [];
    // The decoder fetches the second page of an instruction: it must not have to walk page tables.
    const fetched = new Set(nodes.filter(isSplit).map(({ eip }) => ((eip >>> 12) + 1) & 0xfffff));
    for (const page of pages) {
      const linear = (page << 12) >>> 0;
      const at = fetched.has(page) ? decoded.fetchAddress(linear, mode) : guest.peek(linear);
      if (at < 0) {
        this.counts.unmapped++;
        return null;
      }
      physical.push(at);
    }
    const pageOf = (page: number) => physical[pages.indexOf(page)]!;
    const where = (eip: number) => (pageOf(eip >>> 12) | (eip & 0xfff)) >>> 0;
    const same =
      nodes.every((node) => {
        const page = node.eip >>> 12;
        const second = isSplit(node) ? pageOf((page + 1) & 0xfffff) : 0;
        return sameHash(hashNode(decoded.u8, node, pageOf(page), second), node.hash);
      }) &&
      region.direct.every(
        ({ target, number }) => guest.findDirect?.(where(target))?.number === number,
      );
    if (!same) {
      if (!this.refused[number]) this.counts.rejected++;
      this.refused[number] = 1;
      return null;
    }
    this.counts.verified++;
    const blocks: number[] = [];
    for (const { eip } of nodes) {
      const block = guest.block(eip, where(eip), mode);
      if (!block) return null;
      blocks.push(block);
    }
    const tables = new Tables(pages, region.entries);
    for (const { node, index } of region.records) {
      const record = blocks[node]! + HEADER_SIZE + RECORD_SIZE * index;
      // The decoder is the one that the file was made with, so this never is.
      if (record >= decoded.endOfRecords(blocks[node]!)) return null;
      tables.recordOffset(record);
    }
    return { number, region, physical, blocks, tables };
  }

  /** Where a region's code is, for another file. */
  code(number: number): CodeSource {
    this.sources ??= readModule(this.file).table;
    return { module: this.file, function: this.sources.get(number)! };
  }
}
