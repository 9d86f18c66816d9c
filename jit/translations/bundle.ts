/** One file of translations out of several. */
import { readModule } from '../wasm/reader.ts';
import type { SavedCode, SavedRegion } from './description.ts';
import { readDescription, UnusableTranslations, withDescription, type Made } from './format.ts';
import { newestOfEach } from './recorder.ts';
import { joinCode } from './write.ts';

export interface Bundle {
  file: Uint8Array<ArrayBuffer>;
  /** Regions in it, and in all the files. */
  regions: number;
  before: number;
}

/**
 * @param shrink makes a module smaller
 * @throws UnusableTranslations
 */
export function bundleTranslations(
  files: readonly { path: string; bytes: Uint8Array }[],
  made: Made,
  shrink: (module: Uint8Array) => Uint8Array,
): Bundle {
  const all: SavedCode[] = [];
  /** The same region in several files: its uses are added up. */
  const known = new Map<string, SavedRegion>();
  let before = 0;
  for (const { path, bytes } of files) {
    let regions: SavedRegion[];
    try {
      regions = readDescription(bytes, made);
    } catch (error) {
      if (!(error instanceof UnusableTranslations)) throw error;
      throw new UnusableTranslations(`${path} ${error.message}`);
    }
    const { table } = readModule(bytes);
    before += regions.length;
    regions.forEach((region, number) => {
      const key = identity(region);
      const twin = known.get(key);
      if (twin) {
        twin.uses += region.uses;
        return;
      }
      const kept = { ...region, age: 0 };
      known.set(key, kept);
      all.push({ region: kept, code: { module: bytes, function: table.get(number)! } });
    });
  }
  const kept = newestOfEach(all.filter(({ region }) => region.uses > 0));
  const module = shrink(joinCode(kept.map(({ code }) => code)));
  const { bodies, importedFunctions, table } = readModule(module);
  const regions = kept.map(({ region }, number) => {
    const body = bodies[table.get(number)! - importedFunctions];
    return { ...region, bytes: body.end - body.start };
  });
  return { file: withDescription(module, made, regions), regions: regions.length, before };
}

/** Regions of one identity have the same code. */
function identity({ mode, sharing, nodes, entries, records, direct }: SavedRegion): string {
  const labels = entries.map(({ eip, label }) => [eip, label]);
  return JSON.stringify([mode, sharing, nodes, labels, records, direct]);
}
