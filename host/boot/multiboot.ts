/**
 * Loads a multiboot kernel (Multiboot Specification 0.6.96): ELF, or any file whose header has the
 * address fields. The initrd becomes the one module.
 *
 * Not offered: a video mode, symbol tables, drives, the APM and configuration tables.
 */

import { UserError } from '../errors';
import { parseElf } from './elf';
import type { Entry } from './entry';
import { EBDA, HIGH_START, memoryMap, tablesStart } from './memory-map';

const HEADER_MAGIC = 0x1badb002;
const BOOT_MAGIC = 0x2badb002;
const SEARCH_LENGTH = 8192;
const FLAGS_UNKNOWN = 0xfff8;
const FLAG_VIDEO = 0x4;
const FLAG_ADDRESSES = 0x10000;

const INFO = 0x90000;
const INFO_SIZE = 116;
const MODULES = 0x90100;
const MEMORY_MAP = 0x90200;
const LOADER_NAME = 0x90400;
const STRINGS = 0x91000;
const STRINGS_END = 0x9f000;
const MODULE_ALIGNMENT = 4096;

const INFO_MEMORY = 1 << 0;
const INFO_COMMAND_LINE = 1 << 2;
const INFO_MODULES = 1 << 3;
const INFO_MEMORY_MAP = 1 << 6;
const INFO_LOADER_NAME = 1 << 9;

export interface MultibootImage {
  kernel: Uint8Array;
  initrd?: Uint8Array;
  commandLine: string;
}

interface Header {
  /** File offset of the header. */
  at: number;
  flags: number;
}

export function findMultibootHeader(file: Uint8Array): Header | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const end = Math.min(file.length, SEARCH_LENGTH) - 12;
  for (let at = 0; at <= end; at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(at + 4, true);
    if (((HEADER_MAGIC + flags + view.getUint32(at + 8, true)) & 0xffffffff) === 0) {
      return { at, flags };
    }
  }
  return undefined;
}

interface Loaded {
  entry: number;
  end: number;
}

export function loadMultiboot(ram: Uint8Array, image: MultibootImage): Entry {
  const { kernel, initrd } = image;
  const header = findMultibootHeader(kernel);
  if (header === undefined) {
    throw new UserError('--kernel', 'has no multiboot header; give a multiboot ELF or a bzImage');
  }
  const required = header.flags & FLAGS_UNKNOWN;
  if (required !== 0) {
    throw new UserError(
      '--kernel',
      `requires multiboot features 0x${required.toString(16)}, which this machine has not`,
    );
  }
  if ((header.flags & FLAG_VIDEO) !== 0) {
    throw new UserError('--kernel', 'asks for a video mode; build it for text mode');
  }
  const limit = tablesStart(ram.length);
  const loaded =
    (header.flags & FLAG_ADDRESSES) !== 0
      ? loadByAddresses(ram, kernel, header.at, limit)
      : loadElf(ram, kernel, limit);
  writeInfo(ram, image.commandLine, placeModule(ram, initrd, loaded.end, limit));
  return {
    eip: loaded.entry,
    eax: BOOT_MAGIC,
    ebx: INFO,
    description: `multiboot kernel, entry 0x${loaded.entry.toString(16)}`,
  };
}

/** Copies one piece of the kernel, refusing places where there is no room. */
function place(
  ram: Uint8Array,
  bytes: Uint8Array,
  address: number,
  size: number,
  limit: number,
): void {
  const end = address + size;
  const low = end <= INFO;
  if (!low && address < HIGH_START) {
    throw new UserError(
      '--kernel',
      `wants address 0x${address.toString(16)}, which is not free; link it at 1 MiB`,
    );
  }
  if (end > limit) {
    const needed = Math.ceil(end / 2 ** 20) + 1;
    throw new UserError('--memory', `too small for this kernel; give at least ${needed}`);
  }
  ram.set(bytes, address);
  ram.fill(0, address + bytes.length, end);
}

function loadElf(ram: Uint8Array, kernel: Uint8Array, limit: number): Loaded {
  const elf = parseElf(kernel);
  if (typeof elf === 'string') throw new UserError('--kernel', elf);
  let { entry } = elf;
  let end = 0;
  for (const segment of elf.segments) {
    const { offset, virtual, physical, fileSize } = segment;
    const memorySize = Math.max(segment.memorySize, fileSize);
    place(ram, kernel.subarray(offset, offset + fileSize), physical, memorySize, limit);
    end = Math.max(end, physical + memorySize);
    // Paging is off: an entry given as a virtual address means its physical counterpart.
    if (elf.entry >= virtual && elf.entry < virtual + memorySize) {
      entry = elf.entry - virtual + physical;
    }
  }
  return { entry, end };
}

/** The header's address fields (3.1.3), which make the format of the file irrelevant. */
function loadByAddresses(ram: Uint8Array, kernel: Uint8Array, at: number, limit: number): Loaded {
  const bad = (why: string): UserError => new UserError('--kernel', `${why}; link it again`);
  if (kernel.length < at + 32) throw bad('has a truncated multiboot header');
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.length);
  const [headerAddress, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((field) =>
    view.getUint32(at + field, true),
  ) as [number, number, number, number, number];
  const offset = at - (headerAddress - load);
  if (offset < 0 || load > headerAddress) throw bad('has impossible multiboot addresses');
  const size = loadEnd === 0 ? kernel.length - offset : loadEnd - load;
  if (size < 0 || (bssEnd !== 0 && bssEnd < load + size)) {
    throw bad('has impossible multiboot addresses');
  }
  if (offset + size > kernel.length) {
    throw new UserError('--kernel', 'is truncated; fetch it again');
  }
  const end = Math.max(load + size, bssEnd);
  place(ram, kernel.subarray(offset, offset + size), load, end - load, limit);
  return { entry, end };
}

function placeModule(
  ram: Uint8Array,
  module: Uint8Array | undefined,
  kernelEnd: number,
  limit: number,
): { start: number; end: number } | undefined {
  if (module === undefined) return undefined;
  const above = Math.max(kernelEnd, HIGH_START);
  const start = Math.ceil(above / MODULE_ALIGNMENT) * MODULE_ALIGNMENT;
  if (start + module.length > limit) {
    const needed = Math.ceil((start + module.length) / 2 ** 20) + 1;
    throw new UserError(
      '--initrd',
      `is larger than the memory left; give --memory ${needed} or more`,
    );
  }
  ram.set(module, start);
  return { start, end: start + module.length };
}

function writeInfo(
  ram: Uint8Array,
  commandLine: string,
  module: { start: number; end: number } | undefined,
): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  const put = (at: number, value: number): void => view.setUint32(at, value, true);
  const text = (at: number, value: Uint8Array): void => {
    ram.set(value, at);
    ram[at + value.length] = 0;
  };
  const bytes = new TextEncoder().encode(commandLine);
  const room = STRINGS_END - STRINGS - 1;
  if (bytes.length > room) {
    throw new UserError('--append', `has ${bytes.length} bytes of at most ${room}; shorten it`);
  }
  ram.fill(0, INFO, INFO + INFO_SIZE);
  text(LOADER_NAME, new TextEncoder().encode('vmi86'));
  text(STRINGS, bytes);

  let flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MEMORY_MAP | INFO_LOADER_NAME;
  put(INFO + 4, EBDA / 1024);
  put(INFO + 8, (tablesStart(ram.length) - HIGH_START) / 1024);
  put(INFO + 16, STRINGS);
  if (module !== undefined) {
    flags |= INFO_MODULES;
    put(INFO + 20, 1);
    put(INFO + 24, MODULES);
    put(MODULES, module.start);
    put(MODULES + 4, module.end);
    put(MODULES + 8, LOADER_NAME);
    put(MODULES + 12, 0);
  }
  const map = memoryMap(ram.length);
  put(INFO + 44, map.length * 24);
  put(INFO + 48, MEMORY_MAP);
  map.forEach((range, i) => {
    const at = MEMORY_MAP + i * 24;
    put(at, 20); // the size does not count itself
    view.setBigUint64(at + 4, BigInt(range.start), true);
    view.setBigUint64(at + 12, BigInt(range.end - range.start), true);
    put(at + 20, range.type);
  });
  put(INFO + 64, LOADER_NAME);
  put(INFO, flags);
}
