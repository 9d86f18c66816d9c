/** Kernels that the host unpacks, and those that it leaves to the guest. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadBzImage } from '../../host/boot/bzimage';
import { unpackKernel } from '../../host/boot/unpack';
import { unpackXz } from '../../host/boot/xz';
import { Random } from '../jit/random';
import { bzImage, MIB, type Fields } from './bzimage';

/**
 * Bytes that look like CALLs and JMPs within each other, packed by XZ Utils 5.4.1:
 * xz --check=crc32 --x86 --lzma2=preset=9e
 */
const PACKED = Buffer.from(
  `
  /Td6WFoAAAFpIt42AgEEACEBHACHbtrl4AnDBVJdAAj//wK6gUfEEIUS/8t5an4BAu61AVkfUk3Q/natU07NPohZUOWuCIJu
  4qPCR9wsi/hb9PmQzxlMgk1XKSuQHlh6tdYLuKGrtbJRU1Jl2daDhxhjnBa/kMCv7YIsqPVfn/sNM9TvM7+x/UEupmxxTWBS
  kIfBlu+nCZ5j0tgV8wXtW4kFv6tQiSErX9l3yHqhQYbEQkCpo/5StjSwMHbNHVSCt34/xBPbpckaoOCNO5clDrtOkCWNARlq
  OOBDgRqk6m1e0lKhbkqGLdSSYF1VZzZl3xriZ6NpApMOOaxvce5S4m8fTivN36/ydaE3BEZf4KT6yCvvou65+B6dEb1Zuy4f
  My5p5zXMgnI6W5alrwfX8+CIJdK55HiNo5oUNz2CEtzA0BUfh2LmgMv60+1PeQDQRnrnhCoR92FJCn8jNNwM7dIMJtbcXpSN
  PguJkOZkWKclVlj2PURYviViQglkf5LcEmE5xjZfGe+YhxXP0d8YvUpKCpPIsYTv1w+wy1E5fW2reuYf+vqbFd6DtTub82x6
  Jpr6iAtydqotTGRJVgWgzQih3eC1YXdWqs6oaIbqKvez4A6md6tqOkxvaMnky7p5D14yIAm0eTKQDyPI9EAP2QyZaT0/5f90
  bIs5cl8qaNRp5qsHLHxxNy5qhNNU3wiyqSGr0o2q3wyQSzEQegi12N2wJqeK7iBXCdr7L3+t9XMtF+H4wgZYRzw3P2lKQyMT
  j/pon3tGamnaxZxf8ISJkk4NS/fOOh4I1S9UhlidTEpIbQh+3grCE0MLVNyOsow3Cr69f4hcCT6ndHPnYFApWgjNKufczOAG
  jpd4gqgnmcBRwtWRHdk5JOjEMNESXiXAjEa2ojDUgNe/AuoZ219moW0UV7meDEqKOMO0PzBb+fKrV70+4pQtGn/KwZDHgM2s
  /8k1vbVSRpeOuA4lN/7fPq97OVYyXp9ffyY/xr2mW3r7f3PmxRDE5g4P5W50E170dRa2xM5n+8sm95/xJS4VB0/VQxzvGgNl
  C3X2HR43HKszxyVihcQnJ9Q1H/zCa5zSWGEriVH0Z3nblzIY7BiJ70Jks1qup/qqcss1y8vfVboy2+RC1tZUyZjQn9jGR+KF
  Ba1213jsX6vYHEnxaCxz56SXAjjycZ7TPsH65kMV1zNb2vwsstNNyIxHJpW1qKrKDSdMBRgv3UjDoS4UAM7Y005GuWYQEoKk
  dGqAZFbm0aqtCem7GQ8J4Sz4TT3bPX+VI8ZcfFdBGnLEQw7EhMAWFhMIl0Cqb6WWmYrbg5J4Hl4TJw1WN7Bj3+ZobkWSEvXN
  2k2J/WpPLf9FIt7dX9Jg2S5cGL6O0Q+s1iaGFQIMvBXxih3td0zS5uFAZk4f3X2T/EnYW1qNGE2negrJVkWrbkeUutOU1bD6
  P4m9qlMCibvUe+sY4pmGx4h8trxcVqI6IoFoLypCvonj6QLseaELp82ev3qSqYnnLPPnwZ6G/eLtbo4ssJtfImFqae/b8+2g
  yEi9Xwl8ATmiIuVGd8bVOw0puiE662mDA8Djc7QBKQ9d1uh4XQ47Kv3BmcT7fRO2Sz0RQJro4XxG6qfwntz/+WJvQ/KmGpZD
  0L6CMNa06XtUhiPkZxVl5340m/Tdwn6qw2SJjpCDCI6wZbSp3fjhyZq7BktSR9+oZzoLng6HuMMUI+CDoHsESR00HJInfHRL
  RM8Ox9HTyDHJDomw/rXC8f/F5hkJuDXmVjdk7Rr+480KRJXT/vdhTwA94iCG+vdneHPauAz/CYtO+hH38OYPz2RMEsVwQj36
  P3rEatHXD/BnX5WNVqND1CpAWiAz+UiJAAAAAD9DIJIAAeoKxBMAAOCQddk+MA2LAgAAAAABWVo=
  `,
  'base64',
);

const random = new Random(1);
const BYTES = [0xe8, 0xe9, 0x00, 0xff, 0xe8, 0x12];
const CALLS = Buffer.from(Array.from({ length: 2500 }, () => BYTES[random.below(BYTES.length)]!));

describe('xz', () => {
  test('undoes what XZ Utils did', async () => {
    expect(Buffer.from(await unpackXz(PACKED)).equals(CALLS)).toBe(true);
  });

  test('is never anything else where a byte is another', async () => {
    for (let at = 0; at < PACKED.length; at += 7) {
      const damaged = Buffer.from(PACKED);
      damaged[at]! ^= 1 << (at & 7);
      const result = await unpackXz(damaged).catch(() => undefined);
      if (result) expect(Buffer.from(result).equals(CALLS), `byte ${at}`).toBe(true);
    }
  });

  test('fails where the end is missing', async () => {
    for (const length of [0, 5, 20, 500, PACKED.length - 1]) {
      await expect(unpackXz(PACKED.subarray(0, length)), `${length} bytes`).rejects.toThrow('xz');
    }
  });
});

const LINKED = 0x1000000;
const ENTRY = LINKED + 0x10;

/** An ELF executable of one segment at a physical address, 300 bytes of 0x5b in 8192 bytes. */
function elf(physical = LINKED): Buffer {
  const file = Buffer.alloc(0x1000 + 300, 0x5b);
  file.fill(0, 0, 0x1000);
  file.write('7f454c46010101', 'hex');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(3, 18);
  file.writeUInt32LE(ENTRY, 24);
  file.writeUInt32LE(52, 28);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(1, 44);
  [1, 0x1000, physical + 0xc0000000, physical, 300, 8192].forEach((field, i) =>
    file.writeUInt32LE(field >>> 0, 52 + 4 * i),
  );
  return file;
}

const NOKASLR = 'console=ttyS0 nokaslr';
const packed = gzipSync(elf());

async function load(
  fields: Fields,
  { commandLine = NOKASLR, memory = 64 } = {},
): Promise<{ eip: number; ram: Uint8Array }> {
  const kernel = bzImage({ content: packed, ...fields });
  const ram = new Uint8Array(memory * MIB);
  const unpacked = await unpackKernel(kernel, commandLine);
  return { eip: loadBzImage(ram, { kernel, unpacked, commandLine }).eip, ram };
}

describe('a bzImage', () => {
  test('of a kernel packed by gzip is entered where the kernel begins', async () => {
    const { eip, ram } = await load({});
    expect(eip).toBe(ENTRY);
    expect(ram.subarray(LINKED, LINKED + 300).every((byte) => byte === 0x5b)).toBe(true);
    expect(ram[LINKED + 300]).toBe(0);
  });

  test('that may place itself at random does so', async () => {
    const commandLine = 'console=ttyS0 xnokaslr';
    expect((await load({}, { commandLine })).eip).toBe(LINKED);
    expect((await load({ version: 0x020a }, { commandLine })).eip).toBe(ENTRY);
  });

  test('that is not loaded where the kernel was linked for moves itself', async () => {
    expect((await load({}, { memory: 16 })).eip).toBe(0x100000);
    const content = gzipSync(elf(2 * LINKED));
    expect((await load({ content })).eip).toBe(LINKED);
    // One that does not move is loaded elsewhere than it runs.
    expect((await load({ relocatable: false })).eip).toBe(ENTRY);
  });

  test('whose kernel is damaged, packed otherwise, or not said where, is left to the guest', async () => {
    const damaged = Buffer.from(packed);
    damaged[packed.length >> 1]! ^= 0x40;
    const contents = [damaged, packed.subarray(0, -9), Buffer.from('28b52ffd0058', 'hex')];
    contents.push(gzipSync(Buffer.alloc(5000, 1)), Buffer.concat([PACKED, Buffer.alloc(4)]));
    for (const content of contents) expect((await load({ content })).eip).toBe(LINKED);
    expect((await load({ version: 0x0207 })).eip).toBe(0x100000);
    expect((await load({ payloadLength: 1e9 })).eip).toBe(LINKED);
  });
});
