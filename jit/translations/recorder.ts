/**
 * Keeps what a translator makes, for a file: each region's description and code. It need not live to
 * the end of the run: what a kernel executes once as it boots is worth most the next time.
 */
import { ENTRY_COUNT } from '../../assembly/shared/regions.ts';
import { HEADER_SIZE, RECORD_SIZE } from '../../assembly/shared/records.ts';
import type { Decoded } from '../decoded.ts';
import type { Region } from '../region.ts';
import type { EntryPoint, Tables } from '../tables.ts';
import { hashNode, type SavedCode, type SavedRegion } from './description.ts';
import type { Made } from './format.ts';
import type { SavedTranslations } from './saved.ts';
import { writeTranslations } from './write.ts';

/** Runs in which a saved region may go unused before it is left out of the file. */
const AGE_MAX = 8;

/** Describes a region that has just been emitted. */
export function describe(
  decoded: Decoded,
  region: Region,
  entries: readonly EntryPoint[],
  tables: Tables,
  bytes: number,
  sharing: boolean,
): SavedRegion {
  const { mode, nodes, instructions } = region;
  return {
    mode,
    nodes: nodes.map(({ eip, next, block }) => {
      const length = (next - eip) >>> 0;
      const page = decoded.physical(block) & ~0xfff;
      const hash = hashNode(decoded.u8, { eip, length }, page, decoded.second(block));
      return { eip, length, hash };
    }),
    pages: [...tables.pages],
    entries: entries.map(({ eip, label }) => ({ eip, label, live: true })),
    records: tables.records.map((record) => {
      const node = nodes.findIndex(({ first, last }) => record >= first && record <= last);
      return { node, index: (record - nodes[node]!.block - HEADER_SIZE) / RECORD_SIZE };
    }),
    direct: nodes.flatMap(({ direct, target }) =>
      direct ? [{ target, number: direct.number }] : [],
    ),
    instructions,
    bytes,
    sharing,
    uses: 0,
    age: 0,
  };
}

/** A region in the cache, as far as this is concerned. */
interface Used {
  entries: { descriptor: number }[];
  saved?: SavedRegion | undefined;
}

export class Recorder {
  private readonly made: SavedCode[] = [];

  constructor(
    private readonly by: Made,
    private readonly saved?: SavedTranslations,
  ) {}

  /** A module was made with these regions, exported by these names. */
  add(module: Uint8Array, regions: { region: SavedRegion; name: string }[]): void {
    const copy = module.slice();
    for (const { region, name } of regions) {
      this.made.push({ region, code: { module: copy, function: name } });
    }
  }

  /** Adds up how often a region was entered, whose counts are about to be cleared. */
  countUses(decoded: Decoded, { entries, saved }: Used, sign = 1): void {
    if (!saved) return;
    for (const { descriptor } of entries) {
      saved.uses += sign * decoded.word(descriptor + ENTRY_COUNT);
    }
  }

  /** The file; the one that was loaded, if it would be that. */
  write(): Uint8Array<ArrayBuffer> {
    const old = this.saved?.regions ?? [];
    const all: SavedCode[] = [];
    old.forEach((region, number) => {
      if (region.age <= AGE_MAX) all.push({ region, code: this.saved!.code(number) });
    });
    if (this.saved && this.made.length === 0 && all.length === old.length) return this.saved.file;
    all.push(...this.made);
    return writeTranslations(newestOfEach(all), this.by);
  }
}

/** Of two regions that are entered at the same code, the one that was made later is. */
export function newestOfEach(all: readonly SavedCode[]): SavedCode[] {
  const taken = new Set<string>();
  const kept: SavedCode[] = [];
  for (let i = all.length - 1; i >= 0; i--) {
    const { region, code } = all[i]!;
    const entries = region.entries.map((entry) => {
      if (!entry.live) return entry;
      const { length, hash } = region.nodes.find(({ eip }) => eip === entry.eip)!;
      const key = `${region.mode} ${entry.eip} ${length} ${hash[0]} ${hash[1]}`;
      const live = !taken.has(key);
      taken.add(key);
      return { ...entry, live };
    });
    if (entries.some(({ live }) => live)) kept.push({ region: { ...region, entries }, code });
  }
  return kept.reverse();
}
