/**
 * A file of translations: one WebAssembly module that holds the regions' functions, and in its first
 * section, a custom one, what the regions are (docs/translations.md). The engine compiles the file
 * as it is; the regions' functions go into the core's table from the imported global `env.base` on,
 * in the order of the descriptions.
 */
import { Encoder } from '../wasm/encoder.ts';
import { SECTION_CUSTOM } from '../wasm/opcodes.ts';
import { Cursor } from '../wasm/reader.ts';
import type { SavedNode, SavedRegion } from './description.ts';
import { hashOf, sameHash, type Hash } from './hash.ts';

const SECTION_NAME = 'vmi86 translations';
/** Of this format and of what translated code and core assume of each other; counts up. */
export const FORMAT = 3;
const MODULE_HEADER = 8;

const FLAG_SHARING = 1;
const FLAG_LIVE = 1;

/** What a file must have been made with to be of use. */
export interface Made {
  version: string;
  core: Hash;
}

/** Why a file is of no use, as half a sentence. */
export class UnusableTranslations extends Error {
  override name = 'UnusableTranslations';
}

// --- Writing -----------------------------------------------------------------------------------------

/** Puts the description in front of a module's sections. */
export function withDescription(
  module: Uint8Array,
  made: Made,
  regions: readonly SavedRegion[],
): Uint8Array<ArrayBuffer> {
  const e = new Encoder();
  writeString(e, made.version);
  writeHash(e, made.core);
  writeRegions(e, regions);
  // What the checksum is over: behind it to the file's end.
  const rest = new Uint8Array(e.length + module.length - MODULE_HEADER);
  rest.set(e.bytes.subarray(0, e.length));
  rest.set(module.subarray(MODULE_HEADER), e.length);

  const head = new Encoder(64);
  writeString(head, SECTION_NAME);
  head.u32(FORMAT);
  writeHash(head, hashOf(rest));
  const start = new Encoder(64);
  start.raw(module, 0, MODULE_HEADER);
  start.byte(SECTION_CUSTOM);
  start.u32(head.length + e.length);
  start.raw(head.bytes, 0, head.length);

  const file = new Uint8Array(start.length + rest.length);
  file.set(start.bytes.subarray(0, start.length));
  file.set(rest, start.length);
  return file;
}

function writeRegions(e: Encoder, regions: readonly SavedRegion[]): void {
  const numbers = new Map<string, number>();
  const nodes: SavedNode[] = [];
  const key = ({ eip, length, hash }: SavedNode) => `${eip} ${length} ${hash[0]} ${hash[1]}`;
  const all = regions.flatMap((region) => region.nodes).sort((a, b) => a.eip - b.eip);
  for (const node of all) {
    const name = key(node);
    if (numbers.has(name)) continue;
    numbers.set(name, nodes.length);
    nodes.push(node);
  }
  e.u32(nodes.length);
  let at = 0;
  for (const { eip, length, hash } of nodes) {
    e.u32(eip - at);
    e.u32(length);
    writeHash(e, hash);
    at = eip;
  }
  e.u32(regions.length);
  for (const region of regions) {
    e.u32(region.mode);
    e.byte(region.sharing ? FLAG_SHARING : 0);
    e.u32(region.instructions);
    e.u32(region.bytes);
    e.u32(Math.min(region.uses, 0xffffffff));
    e.u32(region.age);
    e.u32(region.nodes.length);
    let before = 0;
    for (const node of region.nodes) {
      const number = numbers.get(key(node))!;
      e.s32(number - before);
      before = number;
    }
    e.u32(region.pages.length);
    for (const page of region.pages) e.u32(page);
    const place = new Map(region.nodes.map(({ eip }, i) => [eip, i]));
    e.u32(region.entries.length);
    for (const { eip, label, live } of region.entries) {
      e.u32(place.get(eip)!);
      e.u32(label);
      e.byte(live ? FLAG_LIVE : 0);
    }
    e.u32(region.records.length);
    for (const { node, index } of region.records) {
      e.u32(node);
      e.u32(index);
    }
    e.u32(region.direct.length);
    for (const { target, number } of region.direct) {
      e.u32(target);
      e.u32(number);
    }
  }
}

function writeHash(e: Encoder, hash: Hash): void {
  for (const word of hash) {
    for (let shift = 0; shift < 32; shift += 8) e.byte((word >>> shift) & 255);
  }
}

function writeString(e: Encoder, text: string): void {
  e.u32(text.length);
  for (let i = 0; i < text.length; i++) e.byte(text.charCodeAt(i) & 127);
}

// --- Reading -----------------------------------------------------------------------------------------

/**
 * What a file's regions are.
 *
 * @throws UnusableTranslations
 */
export function readDescription(file: Uint8Array, made: Made): SavedRegion[] {
  try {
    return read(file, made);
  } catch (error) {
    if (error instanceof UnusableTranslations) throw error;
    // A number or a name that runs over an end.
    throw new UnusableTranslations('is damaged');
  }
}

function read(file: Uint8Array, made: Made): SavedRegion[] {
  const c = new Cursor(file);
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (header.some((byte, i) => file[i] !== byte) || file[MODULE_HEADER] !== SECTION_CUSTOM) {
    throw new UnusableTranslations('is no file of translations');
  }
  c.at = MODULE_HEADER + 1;
  const end = c.u32() + c.at;
  if (c.string() !== SECTION_NAME) throw new UnusableTranslations('is no file of translations');
  if (end > file.length) throw new UnusableTranslations('is damaged');
  const format = c.u32();
  if (format !== FORMAT) {
    throw new UnusableTranslations(`has format ${format}, and this vmi86 reads ${FORMAT}`);
  }
  const checksum = readHash(c);
  if (!sameHash(hashOf(file, c.at), checksum)) throw new UnusableTranslations('is damaged');
  const version = c.string();
  if (version !== made.version) {
    throw new UnusableTranslations(`was made by vmi86 ${version}, and this is ${made.version}`);
  }
  if (!sameHash(readHash(c), made.core)) {
    throw new UnusableTranslations('was made by another build of vmi86');
  }
  const regions = readRegions(c);
  if (c.at !== end) throw new UnusableTranslations('is damaged');
  return regions;
}

function readRegions(c: Cursor): SavedRegion[] {
  let at = 0;
  const nodes = list(c, (): SavedNode => {
    at += c.u32();
    return { eip: at, length: c.u32(), hash: readHash(c) };
  });
  return list(c, (): SavedRegion => {
    const mode = c.u32();
    const sharing = (c.byte() & FLAG_SHARING) !== 0;
    const instructions = c.u32();
    const bytes = c.u32();
    const uses = c.u32();
    const age = c.u32();
    let before = 0;
    const own = list(c, () => nodes[(before += c.s32())]!);
    const pages = list(c, () => c.u32());
    const entries = list(c, () => ({
      eip: own[c.u32()]!.eip,
      label: c.u32(),
      live: (c.byte() & FLAG_LIVE) !== 0,
    }));
    const records = list(c, () => ({ node: c.u32(), index: c.u32() }));
    const direct = list(c, () => ({ target: c.u32(), number: c.u32() }));
    return {
      mode, nodes: own, pages, entries, records, direct, instructions, bytes, sharing, uses, age,
    }; // prettier-ignore
  });
}

function list<T>(c: Cursor, one: () => T): T[] {
  const count = c.u32();
  // Each takes a byte at least.
  if (count > c.bytes.length) throw new Error('too many');
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(one());
  return all;
}

function readHash(c: Cursor): Hash {
  const word = () => (c.byte() | (c.byte() << 8) | (c.byte() << 16) | (c.byte() << 24)) >>> 0;
  return [word(), word()];
}
