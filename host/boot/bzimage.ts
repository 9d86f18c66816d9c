/**
 * Loads a Linux bzImage by the 32-bit boot protocol (Documentation/arch/x86/boot.rst in Linux):
 * checks the setup header, places kernel, initrd and command line, fills boot_params.
 */

import { UserError } from '../errors';
import { parseElf } from './elf';
import type { Entry } from './entry';
import { HIGH_START, memoryMap, tablesStart } from './memory-map';

const BOOT_PARAMS = 0x90000;
const COMMAND_LINE = 0x91000;
const COMMAND_LINE_END = 0x9f000;
const PAGE = 4096;

// Setup header, by offset in the file and in boot_params.
const SETUP_SECTORS = 0x1f1;
const PARAGRAPHS = 0x1f4;
const BOOT_FLAG = 0x1fe;
const JUMP_LENGTH = 0x201;
const HEADER_MAGIC = 0x202;
const VERSION = 0x206;
const LOADER_TYPE = 0x210;
const LOAD_FLAGS = 0x211;
const CODE32_START = 0x214;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const COMMAND_LINE_POINTER = 0x228;
const INITRD_MAX = 0x22c;
const ALIGNMENT = 0x230;
const RELOCATABLE = 0x234;
const MINIMUM_ALIGNMENT = 0x235;
const EXTENDED_FLAGS = 0x236;
const COMMAND_LINE_SIZE = 0x238;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const PREFERRED_ADDRESS = 0x258;
const INIT_SIZE = 0x260;

const HDRS = 0x53726448;
const LOADED_HIGH = 0x01;
const KERNEL_64 = 0x01;
const LOADER_UNKNOWN = 0xff;

// The rest of boot_params.
const SCREEN_MODE = 0x06;
const SCREEN_COLUMNS = 0x07;
const SCREEN_LINES = 0x0e;
const SCREEN_IS_VGA = 0x0f;
const SCREEN_POINTS = 0x10;
const ALT_MEMORY_K = 0x1e0;
const E820_ENTRIES = 0x1e8;
const E820_TABLE = 0x2d0;
const E820_ENTRY_SIZE = 20;

const NOT_LINUX = 'is not a Linux bzImage; give the file vmlinuz or bzImage of an i386 kernel';

export interface LinuxImage {
  kernel: Uint8Array;
  /** The ELF file in it, if it has been unpacked (unpack.ts). */
  unpacked?: Uint8Array | undefined;
  initrd?: Uint8Array;
  commandLine: string;
}

interface Header {
  version: number;
  setupBytes: number;
  /** File offset behind the setup header. */
  end: number;
  relocatable: boolean;
  alignment: number;
  minimumAlignment: number;
  preferred: number;
  /** Bytes the kernel needs from its load address until it knows the memory map. */
  initSize: number;
  initrdMax: number;
  commandLineMax: number;
}

export function isBzImage(file: Uint8Array): boolean {
  if (file.length < HEADER_MAGIC + 4) return false;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  return view.getUint16(BOOT_FLAG, true) === 0xaa55 && view.getUint32(HEADER_MAGIC, true) === HDRS;
}

/** The packed kernel, where the image says where it is. */
export function payloadOf(file: Uint8Array): Uint8Array | undefined {
  if (!isBzImage(file) || file.length < INIT_SIZE + 4) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getUint16(VERSION, true) < 0x0208) return undefined;
  const start = setupBytesOf(view) + view.getUint32(PAYLOAD_OFFSET, true);
  const end = start + view.getUint32(PAYLOAD_LENGTH, true);
  return start < end && end <= file.length ? file.subarray(start, end) : undefined;
}

/**
 * May the code that unpacks the kernel put it somewhere at random, as that of Linux 3.14 and later does? Nothing
 * else says whether it was configured to.
 */
export function isSelfPlacing(file: Uint8Array, commandLine: string): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  return view.getUint16(VERSION, true) >= 0x020c && !commandLine.split(/\s+/).includes('nokaslr');
}

function setupBytesOf(view: DataView): number {
  return ((view.getUint8(SETUP_SECTORS) || 4) + 1) * 512;
}

function readHeader(file: Uint8Array): Header {
  const fail = (message: string): never => {
    throw new UserError('--kernel', message);
  };
  if (!isBzImage(file)) fail(NOT_LINUX);
  if (file.length < INIT_SIZE + 4) fail('is truncated; fetch it again');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const version = view.getUint16(VERSION, true);
  const since = (needed: number, offset: number, otherwise: number): number =>
    version >= needed ? view.getUint32(offset, true) : otherwise;
  if (version < 0x0202 || (view.getUint8(LOAD_FLAGS) & LOADED_HIGH) === 0) {
    fail('is a zImage or older than boot protocol 2.02; give a bzImage of Linux 2.4 or newer');
  }
  if (version >= 0x020c && (view.getUint16(EXTENDED_FLAGS, true) & KERNEL_64) !== 0) {
    fail('is a 64-bit kernel; give one built for i386 (i686)');
  }
  const setupBytes = setupBytesOf(view);
  const expected = setupBytes + since(0x0204, PARAGRAPHS, 0) * 16;
  // The size is in paragraphs: the last one need not be whole.
  if (file.length <= Math.max(setupBytes, expected - 16)) {
    fail(`is truncated (${file.length} of ${expected} bytes); fetch it again`);
  }
  const payload = file.length - setupBytes;
  return {
    version,
    setupBytes,
    end: HEADER_MAGIC + view.getUint8(JUMP_LENGTH),
    relocatable: version >= 0x0205 && view.getUint8(RELOCATABLE) !== 0,
    alignment: since(0x0205, ALIGNMENT, PAGE) || PAGE,
    minimumAlignment: version >= 0x020a ? 2 ** view.getUint8(MINIMUM_ALIGNMENT) : 0,
    preferred: since(0x020a, PREFERRED_ADDRESS, HIGH_START),
    initSize: Math.max(payload, since(0x020a, INIT_SIZE, 3 * payload)),
    initrdMax: since(0x0203, INITRD_MAX, 0x37ffffff),
    commandLineMax: Math.min(
      since(0x0206, COMMAND_LINE_SIZE, 255),
      COMMAND_LINE_END - COMMAND_LINE - 1,
    ),
  };
}

/** The load address, and the alignment that was settled for. */
function chooseAddress(header: Header, end: number): { at: number; alignment: number } {
  const fits = (at: number): boolean => at + header.initSize <= end;
  if (!header.relocatable) {
    if (fits(HIGH_START)) return { at: HIGH_START, alignment: header.alignment };
  } else {
    if (fits(header.preferred)) return { at: header.preferred, alignment: header.alignment };
    for (const alignment of [header.alignment, header.minimumAlignment]) {
      if (alignment === 0) continue;
      const at = Math.ceil(HIGH_START / alignment) * alignment;
      if (fits(at)) return { at, alignment };
    }
  }
  const start = header.relocatable ? header.preferred : HIGH_START;
  const megabytes = Math.ceil((start + header.initSize) / 2 ** 20) + 1;
  throw new UserError('--memory', `too small for this kernel; give at least ${megabytes}`);
}

export function loadBzImage(ram: Uint8Array, image: LinuxImage): Entry {
  const { kernel, initrd } = image;
  const header = readHeader(kernel);
  const end = tablesStart(ram.length);
  const { at, alignment } = chooseAddress(header, end);
  const view = new DataView(ram.buffer, ram.byteOffset, ram.length);

  ram.fill(0, BOOT_PARAMS, BOOT_PARAMS + PAGE);
  ram.set(kernel.subarray(SETUP_SECTORS, header.end), BOOT_PARAMS + SETUP_SECTORS);
  const unpacked = placeUnpacked(ram, image.unpacked, header, at, end);
  if (!unpacked) ram.set(kernel.subarray(header.setupBytes), at);
  view.setUint8(BOOT_PARAMS + LOADER_TYPE, LOADER_UNKNOWN);
  view.setUint32(BOOT_PARAMS + CODE32_START, at, true);
  if (header.version >= 0x0205) view.setUint32(BOOT_PARAMS + ALIGNMENT, alignment, true);

  placeCommandLine(ram, view, image.commandLine, header.commandLineMax);
  if (initrd !== undefined && initrd.length > 0) {
    const kernelEnd = Math.max(at + header.initSize, unpacked?.end ?? 0);
    const start = placeInitrd(ram, initrd, kernelEnd, end, header.initrdMax);
    view.setUint32(BOOT_PARAMS + RAMDISK_IMAGE, start, true);
    view.setUint32(BOOT_PARAMS + RAMDISK_SIZE, initrd.length, true);
  }

  view.setUint8(BOOT_PARAMS + SCREEN_MODE, 3);
  view.setUint8(BOOT_PARAMS + SCREEN_COLUMNS, 80);
  view.setUint8(BOOT_PARAMS + SCREEN_LINES, 25);
  view.setUint8(BOOT_PARAMS + SCREEN_IS_VGA, 1);
  view.setUint16(BOOT_PARAMS + SCREEN_POINTS, 16, true);
  view.setUint32(BOOT_PARAMS + ALT_MEMORY_K, (end - HIGH_START) / 1024, true);
  const map = memoryMap(ram.length);
  view.setUint8(BOOT_PARAMS + E820_ENTRIES, map.length);
  map.forEach((range, i) => {
    const entry = BOOT_PARAMS + E820_TABLE + i * E820_ENTRY_SIZE;
    view.setBigUint64(entry, BigInt(range.start), true);
    view.setBigUint64(entry + 8, BigInt(range.end - range.start), true);
    view.setUint32(entry + 16, range.type, true);
  });
  const eip = unpacked?.entry ?? at;
  const how = unpacked ? ', unpacked' : '';
  return {
    eip,
    esi: BOOT_PARAMS,
    description: `Linux bzImage, protocol ${header.version >> 8}.${header.version & 0xff}, at 0x${eip.toString(16)}${how}`,
  };
}

/**
 * Places what the guest's own code would have unpacked, where it would have: there is no relocation to do as
 * long as that is where the kernel was linked for. undefined: not so, or no ELF file (before Linux 2.6.26).
 */
function placeUnpacked(
  ram: Uint8Array,
  file: Uint8Array | undefined,
  header: Header,
  at: number,
  memoryEnd: number,
): { entry: number; end: number } | undefined {
  if (!file) return undefined;
  const elf = parseElf(file);
  if (typeof elf === 'string') return undefined;
  const { entry, segments } = elf;
  const start = Math.min(...segments.map(({ physical }) => physical));
  const end = Math.max(...segments.map(({ physical, memorySize }) => physical + memorySize));
  const linkedFor = header.version >= 0x020a ? header.preferred : start;
  if (start !== linkedFor || (header.relocatable && at !== start)) return undefined;
  if (start < HIGH_START || entry < start || entry >= end || end > memoryEnd) return undefined;
  for (const { offset, physical, fileSize } of segments) {
    ram.set(file.subarray(offset, offset + fileSize), physical);
  }
  return { entry, end };
}

function placeCommandLine(ram: Uint8Array, view: DataView, text: string, limit: number): void {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > limit) {
    throw new UserError(
      '--append',
      `has ${bytes.length} bytes, this kernel takes ${limit}; shorten it`,
    );
  }
  if (bytes.includes(0)) throw new UserError('--append', 'contains a zero byte; leave it out');
  ram.set(bytes, COMMAND_LINE);
  ram[COMMAND_LINE + bytes.length] = 0;
  view.setUint32(BOOT_PARAMS + COMMAND_LINE_POINTER, COMMAND_LINE, true);
}

/** As high as kernel and memory allow, out of the way of the kernel's growth. */
function placeInitrd(
  ram: Uint8Array,
  initrd: Uint8Array,
  kernelEnd: number,
  memoryEnd: number,
  highest: number,
): number {
  const top = Math.min(memoryEnd, highest + 1);
  const start = (top - initrd.length) & ~(PAGE - 1);
  if (top - initrd.length < kernelEnd || start < 0) {
    const size = Math.ceil(initrd.length / 2 ** 20);
    if (kernelEnd + initrd.length > highest) {
      throw new UserError(
        '--initrd',
        `is larger (${size} MiB) than this kernel can take; shrink it`,
      );
    }
    const needed = Math.ceil((kernelEnd + initrd.length) / 2 ** 20) + 1;
    throw new UserError(
      '--initrd',
      `is larger (${size} MiB) than the memory left; give --memory ${needed} or more`,
    );
  }
  ram.set(initrd, start);
  return start;
}
