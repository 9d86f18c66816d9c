/**
 * The cache of translations: which blocks have a region, putting one in, taking it out when its
 * code is written or when room runs out. What a region is and becomes: region.ts, translate.ts.
 */
import { EIP as EIP_ADDRESS, PAGE_INFO } from '../assembly/shared/layout.ts';
import { MODE_CODE32, MODE_FLAT, MODE_SINGLE, MODE_STACK32 } from '../assembly/shared/modes.ts';
import { PAGE_TRANSLATED } from '../assembly/shared/paging.ts';
import { HEADER_ENTRY, HEADER_HEAT } from '../assembly/shared/records.ts';
import {
  ENTRY_COUNT,
  ENTRY_EIP,
  ENTRY_GENERATION,
  ENTRY_LABEL,
  ENTRY_SIZE,
  ENTRY_SLOT,
  HEAT_TRANSLATED,
} from '../assembly/shared/regions.ts';
import { Decoded } from './decoded.ts';
import { gather, type Region } from './region.ts';
import { Scratch } from './scratch.ts';
import { Splicer } from './splice.ts';
import { lookupIndex, Translation, type EmittedEntry, type Placement } from './translate.ts';
import { EVICTED_SHARE, HEAT_LIMIT, REGIONS } from './tuning.ts';
import { ModuleWriter } from './wasm/module.ts';
import { readModule, type ReadModule } from './wasm/reader.ts';
import * as O from './wasm/opcodes.ts';

/** What the translator needs of the core. */
export interface TranslatorCore {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
  findBlock(physical: number, mode: number): number;
}

export interface TranslatorOptions {
  /** The core's bytes: its functions are pasted into regions. */
  bytes: Uint8Array;
  /** All of the core's exports. */
  core: TranslatorCore & WebAssembly.Exports;
  heatLimit?: number;
  /** Regions that may live at once. */
  regions?: number;
  /** Only so many regions are ever made: for finding the one that is wrong (scripts/jit-bisect.mjs). */
  limit?: number;
  /** Told of each region when it is made. */
  onRegion?: (region: Translated, bytes: Uint8Array) => void;
  /** Milliseconds, for the statistics. */
  now?: () => number;
}

/** A region that is in the cache. */
export interface Translated {
  slot: number;
  eip: number;
  mode: number;
  instructions: number;
  bytes: number;
  /** Physical addresses of its pages. */
  pages: number[];
  /** Blocks that lead here, and their descriptors. */
  entries: { block: number; descriptor: number }[];
  tables: { address: number; bytes: number }[];
}

const REQUIRED = MODE_CODE32 | MODE_STACK32 | MODE_FLAT;

export class Translator {
  readonly heatLimit: number;
  readonly counts = {
    regions: 0,
    instructions: 0,
    modules: 0,
    bytes: 0,
    refused: 0,
    invalidated: 0,
    evicted: 0,
    flushes: 0,
    translateMilliseconds: 0,
    compileMilliseconds: 0,
  };
  private readonly decoded: Decoded;
  private readonly core: TranslatorCore;
  private readonly coreModule: ReadModule;
  private readonly translation: Translation;
  private readonly module = new ModuleWriter();
  private readonly scratch = new Scratch();
  private readonly functions = new Map<string, number>();
  private readonly importObject: Record<string, Record<string, WebAssembly.ImportValue>>;
  private readonly regions = new Map<number, Translated>();
  private readonly byPage = new Map<number, Set<Translated>>();
  private readonly freeSlots: number[] = [];
  private readonly firstSlot: number;
  private readonly limit: number;
  private readonly onRegion: TranslatorOptions['onRegion'];
  private readonly now: () => number;

  constructor(options: TranslatorOptions) {
    this.core = options.core;
    this.heatLimit = options.heatLimit ?? HEAT_LIMIT;
    this.limit = options.limit ?? Infinity;
    this.onRegion = options.onRegion;
    this.now = options.now ?? (() => 0);
    this.decoded = new Decoded(options.core.memory);
    this.coreModule = readModule(options.bytes);
    this.translation = new Translation(this.decoded, new Splicer(this.coreModule));
    this.importObject = { env: options.core as Record<string, WebAssembly.ImportValue> };
    this.firstSlot = this.core.table.length;
    const regions = options.regions ?? REGIONS;
    this.core.table.grow(regions);
    for (let i = regions - 1; i >= 0; i--) this.freeSlots.push(this.firstSlot + i);
  }

  // --- What the core tells ----------------------------------------------------------------------------

  /** A block was entered often: makes a region of it and what is around it. */
  blockHot(block: number): void {
    const { decoded } = this;
    const mode = decoded.mode;
    const eip = decoded.word(EIP_ADDRESS);
    if (
      this.counts.regions >= this.limit ||
      (mode & REQUIRED) !== REQUIRED ||
      mode & MODE_SINGLE ||
      decoded.modeOf(block) !== mode ||
      decoded.crosses(block) ||
      decoded.fetchAddress(eip) !== decoded.physical(block)
    ) {
      this.counts.refused++;
      return;
    }
    const started = this.now();
    const region = gather(decoded, eip, (linear) => {
      const physical = decoded.fetchAddress(linear);
      return physical < 0 ? 0 : this.core.findBlock(physical, mode) >>> 0;
    });
    this.install(region);
    this.counts.translateMilliseconds += this.now() - started;
  }

  /** A page with translated code was written. */
  codeInvalidated(page: number): void {
    const regions = this.byPage.get(page);
    if (!regions) return;
    for (const region of [...regions]) {
      this.remove(region);
      this.counts.invalidated++;
    }
  }

  /** All decoded blocks go. */
  blocksFlushed(): void {
    for (const region of [...this.regions.values()]) this.remove(region);
    this.counts.flushes++;
  }

  // --- The cache ----------------------------------------------------------------------------------------

  /** Live regions. */
  get size(): number {
    return this.regions.size;
  }

  private install(region: Region): void {
    const { decoded, scratch, translation } = this;
    if (this.freeSlots.length === 0) this.evict();
    const entries = translation.plan(region);
    const tables: Translated['tables'] = [];
    const take = (bytes: number): number => {
      let address = scratch.take(bytes);
      if (!address) {
        this.evict();
        address = scratch.take(bytes);
      }
      if (address) tables.push({ address, bytes });
      return address;
    };
    const pages = [...new Set(region.nodes.map(({ eip }) => eip >>> 12))];
    const words = take(pages.length * 4);
    const lookup = entries.length > 1 ? lookupMaskFor(entries) : -1;
    const table = lookup < 0 ? 0 : take((lookup + 1) * 16);
    const descriptors = take(entries.length * ENTRY_SIZE);
    if (!words || !descriptors || (lookup >= 0 && !table)) {
      for (const { address, bytes } of tables) scratch.give(address, bytes);
      this.counts.refused++;
      return;
    }
    const generationWord = (eip: number) => words + 4 * pages.indexOf(eip >>> 12);
    for (let i = 0; i < pages.length; i++) decoded.setWord(words + 4 * i, 0xffffffff);
    const placement: Placement = { generationWord, lookupTable: table, lookupMask: lookup };
    if (lookup >= 0) this.fillLookup(entries, placement);

    const bytes = this.emit(region, placement);
    const slot = this.freeSlots.pop()!;
    const started = this.now();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.importObject);
    this.counts.compileMilliseconds += this.now() - started;
    this.core.table.set(slot, instance.exports['f'] as () => number);

    const physical = (eip: number) => decoded.fetchAddress(eip) & ~0xfff;
    const translated: Translated = {
      slot,
      eip: region.nodes[0].eip,
      mode: region.mode,
      instructions: region.instructions,
      bytes: bytes.length,
      pages: [...new Set(pages.map((page) => physical(page << 12) >>> 0))],
      entries: [],
      tables,
    };
    this.regions.set(slot, translated);
    entries.forEach(({ node, label }, i) => {
      const descriptor = descriptors + i * ENTRY_SIZE;
      decoded.setWord(descriptor + ENTRY_SLOT, slot);
      decoded.setWord(descriptor + ENTRY_LABEL, label);
      decoded.setWord(descriptor + ENTRY_EIP, node.eip);
      decoded.setWord(descriptor + ENTRY_GENERATION, generationWord(node.eip));
      decoded.setWord(descriptor + ENTRY_COUNT, 0);
      // A block that an older region was entered at goes to the new one.
      decoded.setWord(node.block + HEADER_ENTRY, descriptor);
      decoded.setWord(node.block + HEADER_HEAT, HEAT_TRANSLATED);
      translated.entries.push({ block: node.block, descriptor });
    });
    for (const page of translated.pages) {
      let regions = this.byPage.get(page);
      if (!regions) this.byPage.set(page, (regions = new Set()));
      regions.add(translated);
      const info = PAGE_INFO + (page >>> 12) * 4;
      decoded.setWord(info, decoded.word(info) | PAGE_TRANSLATED);
    }
    this.counts.regions++;
    this.counts.modules++;
    this.counts.instructions += region.instructions;
    this.counts.bytes += bytes.length;
    this.onRegion?.(translated, bytes);
  }

  private fillLookup(entries: EmittedEntry[], placement: Placement): void {
    const { decoded } = this;
    const { lookupTable, lookupMask } = placement;
    // No instruction is fetched from here: a kernel never maps the last byte for code.
    for (let i = 0; i <= lookupMask; i++) {
      decoded.setWord(lookupTable + 16 * i, 0xffffffff);
      decoded.setWord(lookupTable + 16 * i + 8, 0);
    }
    for (const { node, label } of entries) {
      const at = lookupTable + 16 * lookupIndex(node.eip, lookupMask);
      decoded.setWord(at, node.eip);
      decoded.setWord(at + 4, label);
      decoded.setWord(at + 8, placement.generationWord(node.eip));
    }
  }

  private emit(region: Region, placement: Placement): Uint8Array<ArrayBuffer> {
    const { module } = this;
    module.begin();
    module.importMemory('env', 'memory', 1);
    // Imports come before functions, so a first pass over the operations would be needed to know
    // them; a module gets those that any translation so far has called.
    const functions = this.functions;
    for (;;) {
      const known = functions.size;
      module.begin();
      module.importMemory('env', 'memory', 1);
      for (const name of functions.keys()) {
        const { parameters, results } = this.coreModule.functionByExport(name)!.type;
        functions.set(name, module.importFunction('env', name, module.type(parameters, results)));
      }
      const index = module.beginFunction(module.type([O.I32], [O.I32]));
      this.translation.emit(
        region,
        module,
        {
          functionIndex: (name) => {
            const found = functions.get(name);
            if (found !== undefined) return found;
            if (!this.coreModule.functionByExport(name)) throw new Error(`jit: the core exports no ${name}`);
            functions.set(name, functions.size);
            return 0;
          },
        },
        placement,
      );
      module.endFunction();
      if (functions.size !== known) continue;
      module.exportFunction('f', index);
      return module.finish() as Uint8Array<ArrayBuffer>;
    }
  }

  private remove(region: Translated): void {
    const { decoded, scratch } = this;
    for (const { block, descriptor } of region.entries) {
      if (decoded.word(block + HEADER_ENTRY) !== descriptor) continue;
      decoded.setWord(block + HEADER_ENTRY, 0);
      decoded.setWord(block + HEADER_HEAT, 0);
    }
    for (const page of region.pages) this.byPage.get(page)?.delete(region);
    for (const { address, bytes } of region.tables) scratch.give(address, bytes);
    this.core.table.set(region.slot, null);
    this.freeSlots.push(region.slot);
    this.regions.delete(region.slot);
  }

  /** Makes room: the regions that were entered least since the last time go. */
  private evict(): void {
    const { decoded } = this;
    const byUse = [...this.regions.values()]
      .map((region) => {
        let uses = 0;
        for (const { descriptor } of region.entries) {
          uses += decoded.word(descriptor + ENTRY_COUNT);
          decoded.setWord(descriptor + ENTRY_COUNT, 0);
        }
        return { region, uses };
      })
      .sort((a, b) => a.uses - b.uses);
    const count = Math.max(1, Math.floor(byUse.length * EVICTED_SHARE));
    for (const { region } of byUse.slice(0, count)) {
      this.remove(region);
      this.counts.evicted++;
    }
  }
}

/**
 * The smallest mask under which no two entries fall together, within four times the room they need;
 * an entry that another has displaced is only reached through the run loop.
 */
function lookupMaskFor(entries: EmittedEntry[]): number {
  let mask = 3;
  while (mask < entries.length - 1) mask = mask * 2 + 1;
  for (const limit = mask * 4 + 3; mask < limit; mask = mask * 2 + 1) {
    const seen = new Set(entries.map(({ node }) => lookupIndex(node.eip, mask)));
    if (seen.size === entries.length) break;
  }
  return mask;
}
