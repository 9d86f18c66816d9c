/**
 * The .xz files that Linux packs kernels into (scripts/xz_wrap.sh: one block, x86 filter and LZMA2,
 * CRC32). The library knows no filters, so it is given the same block without, and the filter is undone
 * here. Formats: "The .xz File Format" 1.2.1 (tukaani.org/xz/xz-file-format.txt).
 */
import { XzReadableStream } from 'xz-decompress';

/** Bytes: no more is made of a file that says so. */
const LARGEST = 2 ** 29;

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const FOOTER_MAGIC = [0x59, 0x5a];
const STREAM_HEADER = 12;
const STREAM_FOOTER = 12;
const CHECK_NONE = 0;
const CHECK_CRC32 = 1;
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;
const BLOCK_FILTERS = 0x03;
const BLOCK_RESERVED = 0x3c;
const BLOCK_SIZES = [0x40, 0x80];

export function isXz(file: Uint8Array): boolean {
  return MAGIC.every((byte, i) => file[i] === byte);
}

/** What the file holds. @throws Error if that is something else, or damaged */
export async function unpackXz(file: Uint8Array): Promise<Uint8Array> {
  const block = readStream(file);
  const data = new Uint8Array(block.size);
  let at = 0;
  const stream = new XzReadableStream(new Blob([withoutFilters(file, block)]).stream());
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > data.length) fail('holds more than it says');
      data.set(value, at);
      at += value.length;
    }
  } finally {
    // The library unpacks one file at a time, the next waits for this to end; and keeps its memory, 40 MB for a kernel.
    await reader.cancel().catch(() => {});
    const library = XzReadableStream as {
      _moduleInstance?: unknown;
      _moduleInstancePromise?: unknown;
    };
    library._moduleInstance = library._moduleInstancePromise = undefined;
  }
  if (at !== data.length) fail('holds less than it says');
  if (block.x86) undoX86Filter(data);
  if (crc32(data) !== block.check) fail('is damaged');
  return data;
}

function fail(what: string): never {
  throw new Error(`xz: ${what}`);
}

interface Block {
  /** Where its compressed data are, and where padding begins behind them. */
  start: number;
  end: number;
  /** Bytes of data, and their CRC32. */
  size: number;
  check: number;
  x86: boolean;
  /** LZMA2's one byte of properties: the size of the dictionary. */
  dictionary: number;
}

function readStream(file: Uint8Array): Block {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const footer = file.length - STREAM_FOOTER;
  if (footer < STREAM_HEADER || !isXz(file)) fail('is no such file');
  if (FOOTER_MAGIC.some((byte, i) => file[footer + 10 + i] !== byte)) fail('has no end');
  if (view.getUint8(6) !== 0 || view.getUint8(7) !== CHECK_CRC32) fail('has no CRC32');
  if (crc32(file.subarray(6, 8)) !== view.getUint32(8, true)) fail('is damaged');

  const index = new Fields(file, footer - (view.getUint32(footer + 4, true) + 1) * 4);
  if (index.byte() !== 0 || index.number() !== 1) fail('has more than one block');
  const unpadded = index.number();
  const size = index.number();
  if (size > LARGEST) fail('is larger than any kernel');

  const header = new Fields(file, STREAM_HEADER);
  const headerBytes = (header.byte() + 1) * 4;
  const flags = header.byte();
  if (flags & BLOCK_RESERVED) fail('has a block of another kind');
  for (const bit of BLOCK_SIZES) if (flags & bit) header.number();
  const filters = Array.from({ length: (flags & BLOCK_FILTERS) + 1 }, () => {
    const id = header.number();
    return { id, properties: Array.from({ length: header.number() }, () => header.byte()) };
  });
  const lzma2 = filters.pop()!;
  if (lzma2.id !== FILTER_LZMA2 || lzma2.properties.length !== 1) fail('is not packed by LZMA2');
  if (filters.some(({ id, properties }) => id !== FILTER_X86 || properties.length > 0)) {
    fail('has another filter than that for x86');
  }
  const start = STREAM_HEADER + headerBytes;
  const end = STREAM_HEADER + unpadded - 4;
  const check = Math.ceil(end / 4) * 4;
  if (end <= start || check + 4 > footer) fail('has a block of no size');
  return {
    start,
    end,
    size,
    check: view.getUint32(check, true),
    x86: filters.length > 0,
    dictionary: lzma2.properties[0]!,
  };
}

/** Bytes and numbers of seven bits a byte, one after another. */
class Fields {
  constructor(
    private readonly file: Uint8Array,
    private at: number,
  ) {}

  byte(): number {
    return this.file[this.at++] ?? fail('is truncated');
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 42) fail('has a number too large');
    }
  }
}

/** A file of the block's data, LZMA2 alone, without a check: that is over what the filter gives. */
function withoutFilters(file: Uint8Array, block: Block): Uint8Array<ArrayBuffer> {
  const { start, end, size, dictionary } = block;
  const streamFlags = [0, CHECK_NONE];
  const blockHeader = withCrc([2, 0, FILTER_LZMA2, 1, dictionary, 0, 0, 0]);
  const data = file.subarray(start, end);
  const index = [0, 1, ...number(blockHeader.length + data.length), ...number(size)];
  while (index.length % 4) index.push(0);
  const whole = withCrc(index);
  const sizeAndFlags = [...word(whole.length / 4 - 1), ...streamFlags];
  const parts = [
    ...[MAGIC, withCrc(streamFlags), blockHeader],
    data,
    new Array<number>(-data.length & 3).fill(0),
    whole,
    ...[word(crc32(Uint8Array.from(sizeAndFlags))), sizeAndFlags, FOOTER_MAGIC],
  ];
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function withCrc(bytes: number[]): number[] {
  return [...bytes, ...word(crc32(Uint8Array.from(bytes)))];
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function number(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** What a byte does to a CRC, and what it does with one to three more bytes behind it. */
const CRC_TABLES = Array.from({ length: 4 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let step = 0; step < 4; step++) {
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    CRC_TABLES[step]![byte] = crc;
  }
}

/** Four bytes at a time: of a kernel's 16 MB it takes 15 ms instead of 40. */
function crc32(bytes: Uint8Array): number {
  const [one, two, three, four] = CRC_TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const whole = bytes.length & ~3;
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      four[crc & 0xff]! ^ three[(crc >>> 8) & 0xff]! ^ two[(crc >>> 16) & 0xff]! ^ one[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ one[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/**
 * Undoes the x86 filter in place. The packer has put where CALL (E8) and JMP (E9) lead in place of their
 * displacements, because what leads to the same place is the same bytes then; of those whose highest byte is 00
 * or FF. Which E8 and E9 are opcodes it cannot know. One may be part of the operand of another, so both sides
 * keep which of the three bytes before were such, and leave what is doubtful as it is.
 */
function undoX86Filter(data: Uint8Array): void {
  const isSign = (byte: number): boolean => byte === 0 || byte === 0xff;
  // Bit 0 for the byte before this place, bit 2 for the third before.
  let before = 0;
  let last = -1;
  for (let at = 0; at + 4 < data.length; at++) {
    if ((data[at]! & 0xfe) !== 0xe8) continue;
    const distance = at - last;
    last = at;
    before = distance > 3 ? 0 : (before << (distance - 1)) & 7;
    const farthest = 32 - Math.clz32(before);
    // One of them at most, and this place not where its operand's highest byte tells it is an operand.
    const doubtful =
      before !== 0 && ((before & (before - 1)) !== 0 || isSign(data[at + 4 - farthest]!));
    if (doubtful || !isSign(data[at + 4]!)) {
      before = (before << 1) | 1;
      continue;
    }
    let target =
      data[at + 1]! | (data[at + 2]! << 8) | (data[at + 3]! << 16) | (data[at + 4]! << 24);
    let displacement: number;
    for (;;) {
      displacement = (target - (at + 5)) | 0;
      if (before === 0) break;
      // The packer has gone on while that byte could have been taken for a sign.
      const shift = 24 - 8 * farthest;
      if (!isSign((displacement >>> shift) & 0xff)) break;
      target = displacement ^ (2 ** (shift + 8) - 1);
    }
    // 25 bits, sign-extended.
    displacement = (displacement << 7) >> 7;
    for (let i = 1; i <= 4; i++, displacement >>= 8) data[at + i] = displacement;
    at += 4;
    last = at;
    before = 0;
  }
}
