/**
 * The 512 bytes of IDENTIFY DEVICE (ATA/ATAPI-6, T13 1410D, 8.15).
 */

import { HEADS, SECTORS_PER_TRACK } from './ata';

const LBA28_LIMIT = 0x0fffffff;

export interface IdentifyState {
  heads: number;
  sectorsPerTrack: number;
  multiple: number;
  transferMode: number;
  writeCache: boolean;
}

export function identifyData(sectors: number, state: IdentifyState): Uint8Array {
  const bytes = new Uint8Array(512);
  const word = (index: number, value: number): void => {
    bytes[2 * index] = value & 0xff;
    bytes[2 * index + 1] = (value >> 8) & 0xff;
  };
  /** Two characters a word, the first one in the high byte, padded with spaces. */
  const text = (index: number, words: number, value: string): void => {
    const padded = value.padEnd(2 * words);
    for (let i = 0; i < words; i++) {
      word(index + i, (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1));
    }
  };
  const cylinders = (heads: number, perTrack: number): number =>
    Math.min(16383, Math.floor(sectors / (heads * perTrack)));

  word(0, 0x0040); // a fixed disk
  word(1, cylinders(HEADS, SECTORS_PER_TRACK));
  word(3, HEADS);
  word(6, SECTORS_PER_TRACK);
  text(10, 10, 'VMI86-0000000000001');
  text(23, 4, '1.0');
  text(27, 20, 'VMI86 DISK');
  word(47, 0x8010); // READ/WRITE MULTIPLE of at most 16 sectors
  word(49, 0x0f00); // IORDY, LBA, DMA
  word(50, 0x4000);
  word(51, 0x0200); // PIO timing
  word(53, 0x0007); // words 54-58, 64-70 and 88 are valid
  const current = cylinders(state.heads, state.sectorsPerTrack);
  const chs = current * state.heads * state.sectorsPerTrack;
  word(54, current);
  word(55, state.heads);
  word(56, state.sectorsPerTrack);
  word(57, chs & 0xffff);
  word(58, chs >>> 16);
  word(59, 0x0100 | state.multiple);
  const lba28 = Math.min(sectors, LBA28_LIMIT);
  word(60, lba28 & 0xffff);
  word(61, lba28 >>> 16);
  word(63, 0x0007 | selected(state.transferMode, 0x20)); // multiword DMA 0-2
  word(64, 0x0003); // PIO 3 and 4
  for (let i = 65; i <= 68; i++) word(i, 120); // cycle times in ns
  word(80, 0x007e); // ATA-1 to ATA-6
  word(82, 0x0060); // supports look-ahead and a write cache,
  word(83, 0x7400); // FLUSH CACHE, FLUSH CACHE EXT, 48-bit addresses
  word(84, 0x4000);
  word(85, 0x0040 | (state.writeCache ? 0x0020 : 0)); // enabled of those
  word(86, 0x3400);
  word(87, 0x4000);
  word(88, 0x003f | selected(state.transferMode, 0x40)); // Ultra DMA 0-5
  word(93, 0x6003); // device 0 passed its diagnostics, an 80-wire cable
  for (let i = 0; i < 4; i++) word(100 + i, Math.floor(sectors / 2 ** (16 * i)) & 0xffff);
  word(217, 0x0001); // does not rotate
  bytes[510] = 0xa5;
  bytes[511] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

/** The "selected" bit of the transfer mode, when it is of the kind (high bits of the mode). */
function selected(mode: number, kind: number): number {
  return (mode & 0xf8) === kind ? 0x100 << (mode & 7) : 0;
}
