import { describe, expect, test } from 'vitest';
import { loadBzImage } from '../../host/boot/bzimage';
import { parseElf } from '../../host/boot/elf';
import { memoryMap } from '../../host/boot/memory-map';
import { findMultibootHeader, loadMultiboot } from '../../host/boot/multiboot';
import { UserError } from '../../host/errors';
import { bzImage, MIB } from './bzimage';

const BOOT_PARAMS = 0x90000;

/** The message of the UserError that a call throws. */
function complaint(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('nothing was thrown');
}

function text(ram: Uint8Array, at: number): string {
  return Buffer.from(ram.subarray(at, ram.indexOf(0, at))).toString();
}

describe('bzImage', () => {
  test('a relocatable kernel goes to its preferred address, with what it must know', () => {
    const ram = new Uint8Array(64 * MIB);
    const initrd = new Uint8Array(5000).fill(7);
    const entry = loadBzImage(ram, { kernel: bzImage(), initrd, commandLine: 'console=ttyS0' });
    const view = new DataView(ram.buffer);
    expect(entry.eip).toBe(0x1000000);
    expect(entry.esi).toBe(BOOT_PARAMS);
    expect(ram[0x1000000]).toBe(0x5a);
    expect(view.getUint32(BOOT_PARAMS + 0x214, true)).toBe(0x1000000);
    expect(view.getUint8(BOOT_PARAMS + 0x210)).toBe(0xff);
    expect(text(ram, view.getUint32(BOOT_PARAMS + 0x228, true))).toBe('console=ttyS0');
    const at = view.getUint32(BOOT_PARAMS + 0x218, true);
    expect(at % 4096).toBe(0);
    expect(view.getUint32(BOOT_PARAMS + 0x21c, true)).toBe(5000);
    expect(ram.subarray(at, at + 5000).every((byte) => byte === 7)).toBe(true);
    expect(at + 5000).toBeLessThanOrEqual(64 * MIB - 0x10000);
    expect(view.getUint8(BOOT_PARAMS + 0x0f)).toBe(1);
    expect(view.getUint8(BOOT_PARAMS + 0x1e8)).toBe(memoryMap(64 * MIB).length);
  });

  test('e820 covers the memory, in order and without overlaps', () => {
    for (const size of [16 * MIB, 256 * MIB, 0xb0000000]) {
      const map = memoryMap(size);
      let end = 0;
      for (const range of map) {
        expect(range.start).toBeGreaterThanOrEqual(end);
        expect(range.end).toBeGreaterThan(range.start);
        end = range.end;
      }
      expect(Math.max(...map.filter((r) => r.type !== 2).map((r) => r.end))).toBe(size);
    }
  });

  test('too little memory for the preferred address moves it to a smaller alignment', () => {
    const ram = new Uint8Array(16 * MIB);
    const entry = loadBzImage(ram, { kernel: bzImage(), commandLine: '' });
    expect(entry.eip).toBe(0x100000);
    expect(new DataView(ram.buffer).getUint32(BOOT_PARAMS + 0x230, true)).toBe(0x2000);
  });

  test('the initrd stays below initrd_addr_max', () => {
    const ram = new Uint8Array(64 * MIB);
    const kernel = bzImage({ initrdMax: 0x1ffffff });
    loadBzImage(ram, { kernel, initrd: new Uint8Array(8192), commandLine: '' });
    const at = new DataView(ram.buffer).getUint32(BOOT_PARAMS + 0x218, true);
    expect(at + 8192).toBe(0x2000000);
  });

  test('the command line may be as long as the kernel says, and no longer', () => {
    const ram = new Uint8Array(64 * MIB);
    loadBzImage(ram, { kernel: bzImage(), commandLine: 'x'.repeat(2047) });
    const message = complaint(() =>
      loadBzImage(ram, { kernel: bzImage(), commandLine: 'x'.repeat(2048) }),
    );
    expect(message).toMatch(/^--append: has 2048 bytes, this kernel takes 2047/);
  });

  const bad: [string, () => Uint8Array, RegExp][] = [
    ['an empty file', () => new Uint8Array(0), /^--kernel: is not a Linux bzImage/],
    ['text', () => Buffer.from('hello\n'.repeat(1000)), /^--kernel: is not a Linux bzImage/],
    ['half a file', () => bzImage().subarray(0, 20_000), /^--kernel: is truncated/],
    ['a boot sector of one', () => bzImage().subarray(0, 600), /^--kernel: is truncated/],
    ['a 64-bit kernel', () => bzImage({ extendedFlags: 1 }), /^--kernel: is a 64-bit kernel/],
    ['an ancient one', () => bzImage({ version: 0x0200 }), /^--kernel: is a zImage/],
    ['a large one', () => bzImage({ initSize: 99 * MIB }), /^--memory: too small .* at least 116/],
  ];
  test.each(bad)('%s is refused in one line with a remedy', (_what, file, pattern) => {
    const message = complaint(() =>
      loadBzImage(new Uint8Array(64 * MIB), { kernel: file(), commandLine: '' }),
    );
    expect(message).toMatch(pattern);
    expect(message).toMatch(/give|fetch/);
  });

  test('an initrd larger than memory is refused', () => {
    const initrd = new Uint8Array(60 * MIB);
    const message = complaint(() =>
      loadBzImage(new Uint8Array(64 * MIB), { kernel: bzImage(), initrd, commandLine: '' }),
    );
    expect(message).toMatch(/^--initrd: is larger \(60 MiB\).*--memory 85/);
  });
});

/** An ELF file with one segment at 1 MiB that begins with a multiboot header. */
function elf(options: { flags?: number; virtual?: number; memory?: number } = {}): Uint8Array {
  const { flags = 0, virtual = 0x100000, memory = 0x3000 } = options;
  const file = new Uint8Array(0x2000);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(24, virtual + 0x20, true);
  view.setUint32(28, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, 1, true);
  [1, 0x1000, virtual, 0x100000, 0x1000, memory, 7, 0x1000].forEach((value, i) =>
    view.setUint32(52 + 4 * i, value, true),
  );
  view.setUint32(0x1000, 0x1badb002, true);
  view.setUint32(0x1004, flags, true);
  view.setUint32(0x1008, -(0x1badb002 + flags), true);
  file.fill(0x90, 0x1020, 0x2000);
  return file;
}

describe('multiboot', () => {
  test('loads an ELF file, clears what is not in it, and passes the information', () => {
    const ram = new Uint8Array(16 * MIB).fill(0xff);
    const entry = loadMultiboot(ram, {
      kernel: elf(),
      initrd: Uint8Array.of(1, 2, 3),
      commandLine: 'a b',
    });
    const view = new DataView(ram.buffer);
    expect(entry).toMatchObject({ eip: 0x100020, eax: 0x2badb002 });
    expect(ram[0x100020]).toBe(0x90);
    expect(ram.subarray(0x101000, 0x103000).every((byte) => byte === 0)).toBe(true);
    const info = entry.ebx!;
    expect(view.getUint32(info, true) & 0x4d).toBe(0x4d);
    expect(view.getUint32(info + 4, true)).toBe(639);
    expect(text(ram, view.getUint32(info + 16, true))).toBe('a b');
    const module = view.getUint32(info + 24, true);
    const start = view.getUint32(module, true);
    expect(start % 4096).toBe(0);
    expect([...ram.subarray(start, view.getUint32(module + 4, true))]).toEqual([1, 2, 3]);
    let at = view.getUint32(info + 48, true);
    const end = at + view.getUint32(info + 44, true);
    let ranges = 0;
    for (; at < end; at += view.getUint32(at, true) + 4) ranges++;
    expect(ranges).toBe(memoryMap(ram.length).length);
  });

  test('an entry at a virtual address means its physical place', () => {
    const ram = new Uint8Array(16 * MIB);
    const entry = loadMultiboot(ram, { kernel: elf({ virtual: 0xc0100000 }), commandLine: '' });
    expect(entry.eip).toBe(0x100020);
  });

  test('the header’s own addresses go before any file format', () => {
    const file = new Uint8Array(0x400);
    const view = new DataView(file.buffer);
    const flags = 0x10000;
    [0x1badb002, flags, -(0x1badb002 + flags), 0x200040, 0x200000, 0, 0x201000, 0x200060].forEach(
      (value, i) => view.setUint32(0x40 + 4 * i, value, true),
    );
    expect(findMultibootHeader(file)).toEqual({ at: 0x40, flags });
    const ram = new Uint8Array(16 * MIB).fill(0xff);
    const entry = loadMultiboot(ram, { kernel: file, commandLine: '' });
    expect(entry.eip).toBe(0x200060);
    expect(new DataView(ram.buffer).getUint32(0x200040, true)).toBe(0x1badb002);
    expect(ram[0x200fff]).toBe(0);
    expect(ram[0x201000]).toBe(0xff);
  });

  const load = (kernel: Uint8Array): string =>
    complaint(() => loadMultiboot(new Uint8Array(16 * MIB), { kernel, commandLine: '' }));

  test('bad files are refused in one line', () => {
    expect(load(new Uint8Array(100))).toMatch(/no multiboot header/);
    expect(load(elf({ flags: 0x20 }))).toMatch(/requires multiboot features 0x20/);
    expect(load(elf({ flags: 4 }))).toMatch(/video mode/);
    expect(load(elf({ memory: 17 * MIB }))).toMatch(/^--memory: too small .* at least 19/);
    expect(load(elf().subarray(0, 0x1800))).toMatch(/truncated/);
  });

  test('ELF files for others are named as such', () => {
    const wide = elf();
    wide[4] = 2;
    expect(parseElf(wide)).toMatch(/64-bit/);
    const arm = elf();
    arm[18] = 40;
    expect(parseElf(arm)).toMatch(/another processor/);
  });
});
