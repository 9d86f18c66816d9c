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
  ENTRY_MISSES,
  ENTRY_PHYSICAL,
  ENTRY_SIZE,
  ENTRY_SLOT,
  ENTRY_TABLES,
  HEAT_TRANSLATED,
} from '../assembly/shared/regions.ts';
import { CHAIN, CHAIN_TYPE, chainFunction, REGION_TYPE } from './chain.ts';
import type { Imports } from './context.ts';
import { Decoded } from './decoded.ts';
import { isRing0 } from './interrupts.ts';
import { gather, isWhole, type Node, type Region, type Size } from './region.ts';
import type { DirectCall, FindDirectCall } from './paravirt.ts';
import { Scratch } from './scratch.ts';
import { Splicer } from './splice.ts';
import { pagesOf, Tables, type EntryPoint } from './tables.ts';
import { Translation } from './translate.ts';
import type { SavedRegion } from './translations/description.ts';
import { describe, type Recorder } from './translations/recorder.ts';
import type { Guest, SavedTranslations } from './translations/saved.ts';
import {
  EVICTED_SHARE,
  HEAT_LIMIT,
  LARGE_REGION,
  MODULE_REGIONS,
  REGION,
  REGIONS,
  SAVED_RUNS,
  SHORT_ASKS,
  SHORT_TELLS,
} from './tuning.ts';
import { ModuleWriter } from './wasm/module.ts';
import { readModule, type ReadModule } from './wasm/reader.ts';

/** What the translator needs of the core. */
export interface TranslatorCore {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
  findBlock(physical: number, mode: number): number;
  findNext(linear: number, physical: number, mode: number): number;
  peekFetch(linear: number): number;
  setSavedHeat(heat: number): void;
  /** What was noted under the generations holds no more. */
  newGeneration(): void;
}

export interface TranslatorOptions {
  /** The core's bytes: its functions are pasted into regions. */
  bytes: Uint8Array;
  /** All of the core's exports. */
  core: TranslatorCore & WebAssembly.Exports;
  heatLimit?: number;
  /** Regions that may live at once. */
  regions?: number;
  /** Regions that wait for each other to share a module. */
  batch?: number;
  /** Only so many regions are ever made: for finding the one that is wrong (scripts/jit-bisect.mjs). */
  limit?: number;
  /** Whether regions go on to others by tail calls, where the engine has them; `true` without it. */
  tailCalls?: boolean;
  /** Calls that translated code of ring 0 makes without executing the routine they go to. */
  findDirect?: FindDirectCall | undefined;
  /** Told of each region when it is made, with its module, in which it is exported as r<slot>. */
  onRegion?: (region: Translated, bytes: Uint8Array, nodes: readonly Node[]) => void;
  /** Called before the first large region is made (LARGE_REGION). */
  beforeLarge?: (() => void) | undefined;
  /** Milliseconds, for the statistics. */
  now?: () => number;
  /** Translations of earlier runs. */
  saved?: SavedTranslations | undefined;
  /** Keeps what is made. */
  recorder?: Recorder | undefined;
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
  /** It was made since another was entered very often. */
  large?: boolean;
  /** What a file says of it. */
  saved?: SavedRegion | undefined;
  /** Its number in the file that it comes from. */
  number?: number | undefined;
}

/** A block to make a region of. */
interface Request {
  block: number;
  eip: number;
  mode: number;
  /** It has a region, which is entered so often that a larger one is worth it. */
  large?: boolean;
}

/** A region to be emitted, and what makes one of another size at its place. */
interface Gathered {
  region: Region;
  size: Size;
  large: boolean;
  gatherAt: (size: Size) => Region;
}

interface Emitted {
  translated: Translated;
  region: Region;
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
    remade: 0,
    givenUp: 0,
    evicted: 0,
    flushes: 0,
    translateMilliseconds: 0,
    compileMilliseconds: 0,
  };
  private readonly decoded: Decoded;
  private readonly core: TranslatorCore;
  private readonly findDirect: FindDirectCall | undefined;
  private readonly coreModule: ReadModule;
  private readonly translation: Translation;
  private readonly module = new ModuleWriter();
  private readonly scratch = new Scratch();
  /** Blocks that wait for company in their module. */
  private readonly queue: Request[] = [];
  private readonly importObject: Record<string, Record<string, WebAssembly.ImportValue>>;
  /** Goes from region to region, where the engine has tail calls. */
  private readonly chain: WebAssembly.ImportValue | undefined;
  /** Where pages of routines that calls are made of were last seen: linear to physical. */
  private readonly directPages = new Map<number, number>();
  private readonly regions = new Map<number, Translated>();
  private readonly byPage = new Map<number, Set<Translated>>();
  /** EIPs of entries at which regions with shared checks missed. */
  private readonly unshared = new Set<number>();
  /** EIPs of entries whose regions got nowhere: how often that was told, they have asked, must ask to be translated. */
  private readonly short = new Map<number, { told: number; asked: number; wanted: number }>();
  private readonly freeSlots: number[] = [];
  private readonly firstSlot: number;
  private readonly limit: number;
  private readonly batch: number;
  private readonly onRegion: TranslatorOptions['onRegion'];
  private beforeLarge: TranslatorOptions['beforeLarge'];
  private readonly now: () => number;
  readonly saved: SavedTranslations | undefined;
  readonly recorder: Recorder | undefined;
  private readonly guest: Guest;
  /** Slot of the first region of `saved`. */
  private readonly savedSlot: number;
  /** Blocks that got hot early because something is saved, and have been looked at. */
  private readonly tried = new Set<number>();

  constructor(options: TranslatorOptions) {
    this.core = options.core;
    this.findDirect = options.findDirect;
    this.heatLimit = options.heatLimit ?? HEAT_LIMIT;
    this.limit = options.limit ?? Infinity;
    this.batch = Math.min(options.batch ?? MODULE_REGIONS, options.regions ?? REGIONS);
    this.onRegion = options.onRegion;
    this.beforeLarge = options.beforeLarge;
    this.now = options.now ?? (() => 0);
    this.decoded = new Decoded(options.core.memory);
    this.coreModule = readModule(options.bytes);
    this.translation = new Translation(this.decoded, new Splicer(this.coreModule));
    this.importObject = { env: { ...options.core } as Record<string, WebAssembly.ImportValue> };
    this.firstSlot = this.core.table.length;
    const regions = options.regions ?? REGIONS;
    this.core.table.grow(regions);
    if (options.tailCalls ?? true) this.chain = chainFunction(options.core);
    if (this.chain) this.importObject['env']![CHAIN] = this.chain;
    for (let i = regions - 1; i >= 0; i--) this.freeSlots.push(this.firstSlot + i);
    this.recorder = options.recorder;
    this.saved = options.saved;
    this.savedSlot = this.core.table.length;
    const { core, decoded } = this;
    this.guest = {
      decoded,
      peek: (linear) => core.peekFetch(linear) | 0,
      block: (linear, physical, mode) => core.findNext(linear, physical, mode) >>> 0,
      findDirect: options.findDirect,
      unshared: (eip) => this.unshared.has(eip),
    };
    if (this.saved) this.placeSaved(this.saved);
  }

  /** Puts all functions of the file into the table: they are compiled when they are first called. */
  private placeSaved(saved: SavedTranslations): void {
    const { core } = this;
    core.table.grow(saved.regions.length);
    const base = new WebAssembly.Global({ value: 'i32', mutable: false }, this.savedSlot);
    const env = { ...this.importObject['env'], base };
    void new WebAssembly.Instance(saved.module, { env });
    saved.announce(this.decoded);
    core.setSavedHeat(Math.max(0, this.heatLimit - SAVED_RUNS));
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
      decoded.fetchAddress(eip, mode) !== decoded.physical(block) ||
      !isWhole(decoded, eip, block, mode)
    ) {
      this.counts.refused++;
      return;
    }
    const short = this.short.get(eip);
    if (short && ++short.asked < short.wanted) return;
    if (this.saved && this.useSaved(this.saved, block, eip, mode)) return;
    // The second time it asks, it has waited long enough for others to share a module with.
    const waiting = this.queue.some((request) => request.block === block);
    if (!waiting) this.queue.push({ block, eip, mode });
    if (waiting || this.queue.length >= this.batch) this.translateAll(this.queue.splice(0));
  }

  /** A region is entered here very often: makes a large one, in which more of what it goes on to has room. */
  regionHot(descriptor: number): void {
    const { decoded } = this;
    const { region, entry } = this.entryAt(descriptor);
    if (!region || !entry || region.large || this.counts.regions >= this.limit) return;
    if (decoded.entry(entry.block) !== descriptor) return;
    this.beforeLarge?.();
    this.beforeLarge = undefined;
    const eip = decoded.word(descriptor + ENTRY_EIP);
    this.translateAll([{ block: entry.block, eip, mode: region.mode, large: true }]);
  }

  /** Uses what an earlier run has left; false: the block is to be translated. */
  private useSaved(saved: SavedTranslations, block: number, eip: number, mode: number): boolean {
    const { decoded } = this;
    const early = !this.tried.has(block) && saved.announced(decoded, eip);
    const match = saved.match(this.guest, eip, mode);
    if (match) {
      const { number, physical, region, tables, blocks } = match;
      const slot = this.savedSlot + number;
      const translated = this.place(tables, physical, region.entries, {
        slot,
        eip: region.nodes[0].eip,
        mode,
        instructions: region.instructions,
        bytes: region.bytes,
        pages: [...new Set(physical)],
        entries: [],
        tables: [],
        saved: region,
        number,
        large: region.instructions > 2 * REGION.instructions,
      });
      if (translated) {
        const byEip = new Map(region.nodes.map((node, i) => [node.eip, blocks[i]]));
        translated.entries.forEach((entry, i) => {
          entry.block = byEip.get(region.entries[i].eip)!;
        });
        // A region that was made since, at another entry, stays.
        translated.entries = translated.entries.filter(
          (entry, i) => region.entries[i].live && decoded.entry(entry.block) === 0,
        );
        // For regions that grow around it, its blocks are warm.
        for (const one of blocks) {
          const warm = this.heatLimit >>> 1;
          if (decoded.heat(one) < warm) decoded.setWord(one + HEADER_HEAT, warm);
        }
        this.enter(translated);
        saved.loaded(number);
        return true;
      }
    }
    if (!early) return false;
    this.tried.add(block);
    decoded.setWord(block + HEADER_HEAT, SAVED_RUNS);
    return true;
  }

  /** Makes one module of regions. */
  private translateAll(requests: readonly Request[]): void {
    const { decoded, module } = this;
    const started = this.now();
    const compiling = this.counts.compileMilliseconds;
    const regions: Gathered[] = [];
    for (const { block, eip, mode, large = false } of requests) {
      if (this.counts.regions + regions.length >= this.limit) break;
      // Since it asked, the block may have been translated with another, written or unmapped.
      if (
        decoded.modeOf(block) !== mode ||
        (decoded.entry(block) !== 0 && !large) ||
        decoded.fetchAddress(eip, mode) !== decoded.physical(block) ||
        !isWhole(decoded, eip, block, mode)
      ) {
        continue;
      }
      const gatherAt = (size: Size) =>
        gather(
          decoded,
          eip,
          mode,
          this.heatLimit,
          (linear) => {
            const physical = decoded.fetchAddress(linear, mode);
            return physical < 0 ? 0 : this.core.findBlock(physical, mode) >>> 0;
          },
          size,
          this.findDirect && isRing0(mode) ? (linear) => this.directAt(linear, mode) : undefined,
        );
      const size = large ? LARGE_REGION : REGION;
      regions.push({ region: gatherAt(size), size, large, gatherAt });
    }
    if (regions.length === 0) return;
    module.begin();
    module.importMemory('env', 'memory', 1);
    const imported = new Map<string, number>();
    const imports: Imports = {
      chain: this.chain === undefined ? undefined : CHAIN,
      functionIndex: (name) => {
        let index = imported.get(name);
        if (index === undefined) {
          const type = name === CHAIN ? CHAIN_TYPE : this.coreModule.functionByExport(name)?.type;
          if (!type) throw new Error(`jit: the core exports no ${name}`);
          index = module.importFunction('env', name, module.type(type.parameters, type.results));
          imported.set(name, index);
        }
        return index;
      },
    };
    const emitted = regions
      .map((gathered) => this.emit(gathered, imports))
      .filter((one) => one !== null);
    if (emitted.length === 0) return;
    const bytes = module.finish() as Uint8Array<ArrayBuffer>;
    const compile = this.now();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.importObject);
    this.counts.compileMilliseconds += this.now() - compile;
    this.counts.modules++;
    this.counts.bytes += bytes.length;
    for (const { translated } of emitted) {
      const { slot } = translated;
      this.core.table.set(slot, instance.exports[`r${slot}`] as () => number);
      this.enter(translated);
      this.counts.regions++;
      this.counts.instructions += translated.instructions;
    }
    this.recorder?.add(
      bytes,
      emitted.map(({ translated: { saved, slot } }) => ({ region: saved!, name: `r${slot}` })),
    );
    // The run loop remembers entries by EIP: it must see the new ones.
    this.core.newGeneration();
    for (const { translated, region } of emitted) {
      this.onRegion?.(translated, bytes, region.nodes);
    }
    this.counts.translateMilliseconds +=
      this.now() - started - (this.counts.compileMilliseconds - compiling);
  }

  /**
   * A region leaves at a miss most times that it is entered here. Where accesses share checks, an
   * object that lies across two pages misses each time: such a region is made anew without sharing.
   * `short`: this time it got nowhere. What comes to another page each time is the interpreter's.
   */
  regionMisses(descriptor: number, short: boolean): void {
    const { decoded } = this;
    const { region, entry } = this.entryAt(descriptor);
    if (!region || !entry) return;
    const eip = decoded.word(descriptor + ENTRY_EIP);
    if (this.unshared.has(eip)) {
      if (short) this.nowhere(eip, entry.block, descriptor);
      return;
    }
    this.unshared.add(eip);
    this.remove(region);
    // Nor is it of use in another run.
    if (region.saved) for (const one of region.saved.entries) one.live = false;
    decoded.setWord(entry.block + HEADER_HEAT, this.heatLimit);
    this.counts.remade++;
  }

  /** Gives the entry up when it has got nowhere often enough. */
  private nowhere(eip: number, block: number, descriptor: number): void {
    const { decoded } = this;
    let short = this.short.get(eip);
    if (!short) this.short.set(eip, (short = { told: 0, asked: 0, wanted: 1 }));
    if (++short.told < SHORT_TELLS || decoded.entry(block) !== descriptor) return;
    // Once more is enough the next time.
    short.told = SHORT_TELLS - 1;
    short.asked = 0;
    short.wanted = Math.min(2 * short.wanted, SHORT_ASKS);
    decoded.setWord(block + HEADER_ENTRY, 0);
    decoded.setWord(block + HEADER_HEAT, 0);
    // The run loop remembers entries by EIP.
    this.core.newGeneration();
    this.counts.givenUp++;
  }

  /** What a descriptor that the core names belongs to; both undefined: to nothing any more. */
  private entryAt(descriptor: number) {
    const region = this.regions.get(this.decoded.word(descriptor + ENTRY_SLOT));
    const entry = region?.entries.find((one) => one.descriptor === descriptor);
    return { region, entry };
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
    this.queue.length = 0;
    this.tried.clear();
    for (const region of [...this.regions.values()]) this.remove(region);
    this.counts.flushes++;
  }

  // --- The cache ----------------------------------------------------------------------------------------

  /** The file of what was made and used; undefined without a recorder. */
  translations(): Uint8Array<ArrayBuffer> | undefined {
    const { decoded, recorder, regions } = this;
    for (const region of regions.values()) recorder?.countUses(decoded, region);
    const file = recorder?.write();
    // They are counted again when the regions go.
    for (const region of regions.values()) recorder?.countUses(decoded, region, -1);
    return file;
  }

  /** Live regions. */
  get size(): number {
    return this.regions.size;
  }

  /** Whether a region is still in the cache. */
  isLive(region: Translated): boolean {
    return this.regions.get(region.slot) === region;
  }

  /**
   * The call whose routine is at `linear`. The TLB may have dropped the page since: then it is
   * taken to be where it was, which the region confirms before it makes the call.
   */
  private directAt(linear: number, mode: number): DirectCall | undefined {
    const { decoded, directPages } = this;
    const physical = decoded.fetchAddress(linear, mode);
    const page = physical < 0 ? directPages.get(linear >>> 12) : (physical & ~0xfff) >>> 0;
    if (page === undefined) return undefined;
    const direct = this.findDirect!((page | (linear & 0xfff)) >>> 0);
    if (direct) directPages.set(linear >>> 12, page);
    return direct;
  }

  /** Emits a region into the module at hand; null: there is no room for its tables. */
  private emit(gathered: Gathered, imports: Imports): Emitted | null {
    const { decoded, module, translation } = this;
    const { region, size, large, gatherAt } = gathered;
    if (this.freeSlots.length === 0) this.evict();
    const entries = translation
      .plan(region)
      .map(({ node, label }) => ({ node, eip: node.eip, label }));
    const tables = new Tables(pagesOf(region), entries);
    const physical = tables.pages.map((page) => {
      const address = decoded.fetchAddress((page << 12) >>> 0, region.mode);
      return address < 0 ? this.directPages.get(page)! : address;
    });
    const start = module.code.length;
    const index = module.beginFunction(module.type(REGION_TYPE.parameters, REGION_TYPE.results));
    const sharing = !region.nodes.some(({ eip }) => this.unshared.has(eip));
    if (!translation.emit(region, module, imports, tables, sharing)) {
      module.abandonFunction();
      // Less each time, down to the one block that is always taken.
      const instructions = Math.min(size.instructions, region.instructions) >>> 1;
      const half = { instructions, copied: instructions >>> 1 };
      return this.emit({ ...gathered, region: gatherAt(half), size: half }, imports);
    }
    const slot = this.freeSlots.pop()!;
    const translated = this.place(tables, physical, entries, {
      slot,
      eip: region.nodes[0].eip,
      mode: region.mode,
      instructions: region.instructions,
      bytes: module.code.length - start,
      pages: [...new Set(physical)],
      entries: [],
      tables: [],
      large,
    });
    if (!translated) {
      module.abandonFunction();
      this.freeSlots.push(slot);
      this.counts.refused++;
      return null;
    }
    translated.entries.forEach((entry, i) => (entry.block = entries[i].node.block));
    module.endFunction();
    module.exportFunction(`r${slot}`, index);
    if (this.recorder) {
      translated.saved = describe(decoded, region, entries, tables, translated.bytes, sharing);
    }
    return { translated, region };
  }

  /** Fills in tables and descriptors; null: there is no room. Which blocks lead here is not known yet. */
  private place(
    tables: Tables,
    physical: readonly number[],
    entries: readonly EntryPoint[],
    region: Translated,
  ): Translated | null {
    const { decoded, scratch } = this;
    const take = (bytes: number): number => {
      let address = scratch.take(bytes);
      if (!address) {
        this.evict();
        address = scratch.take(bytes);
      }
      if (address) region.tables.push({ address, bytes });
      return address;
    };
    const address = take(tables.bytes);
    const descriptors = take(entries.length * ENTRY_SIZE);
    if (!address || !descriptors) {
      for (const { address, bytes } of region.tables) scratch.give(address, bytes);
      return null;
    }
    tables.fill(decoded, address, physical);
    entries.forEach(({ eip, label }, i) => {
      const descriptor = descriptors + i * ENTRY_SIZE;
      decoded.setWord(descriptor + ENTRY_SLOT, region.slot);
      decoded.setWord(descriptor + ENTRY_LABEL, label);
      decoded.setWord(descriptor + ENTRY_EIP, eip);
      decoded.setWord(descriptor + ENTRY_GENERATION, address + tables.generationWord(eip));
      decoded.setWord(descriptor + ENTRY_COUNT, 0);
      decoded.setWord(descriptor + ENTRY_MISSES, 0);
      const page = physical[tables.pages.indexOf(eip >>> 12)];
      decoded.setWord(descriptor + ENTRY_PHYSICAL, page | (eip & 0xfff));
      decoded.setWord(descriptor + ENTRY_TABLES, address);
      region.entries.push({ block: 0, descriptor });
    });
    return region;
  }

  /** Lets blocks lead into a region whose function is in the table. */
  private enter(translated: Translated): void {
    const { decoded } = this;
    this.regions.set(translated.slot, translated);
    for (const { block, descriptor } of translated.entries) {
      // A block that an older region was entered at goes to the new one.
      decoded.setWord(block + HEADER_ENTRY, descriptor);
      decoded.setWord(block + HEADER_HEAT, HEAT_TRANSLATED);
    }
    for (const page of translated.pages) {
      let regions = this.byPage.get(page);
      if (!regions) this.byPage.set(page, (regions = new Set()));
      regions.add(translated);
      const info = PAGE_INFO + (page >>> 12) * 4;
      decoded.setWord(info, decoded.word(info) | PAGE_TRANSLATED);
    }
  }

  private remove(region: Translated): void {
    const { decoded, scratch } = this;
    this.recorder?.countUses(decoded, region);
    for (const { block, descriptor } of region.entries) {
      if (decoded.word(block + HEADER_ENTRY) !== descriptor) continue;
      decoded.setWord(block + HEADER_ENTRY, 0);
      decoded.setWord(block + HEADER_HEAT, 0);
    }
    for (const page of region.pages) this.byPage.get(page)?.delete(region);
    for (const { address, bytes } of region.tables) scratch.give(address, bytes);
    // Entries that the run loop remembers by EIP go with the generation they were noted under.
    this.core.newGeneration();
    if (region.number === undefined) {
      this.core.table.set(region.slot, null);
      this.freeSlots.push(region.slot);
    }
    this.regions.delete(region.slot);
  }

  /** Makes room: the regions that were entered least since the last time go. */
  private evict(): void {
    const { decoded } = this;
    const byUse = [...this.regions.values()]
      .map((region) => {
        this.recorder?.countUses(decoded, region);
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
