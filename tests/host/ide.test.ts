import { beforeEach, describe, expect, test } from 'vitest';
import { Bus } from '../../host/bus';
import { AtaChannel } from '../../host/devices/ata';
import { type DiskBacking, MemoryDisk } from '../../host/devices/disk';
import { Ide } from '../../host/devices/ide';
import { PciBus } from '../../host/devices/pci';
import { TestLine } from './support';

const SECTORS = 2048;

let bus: Bus;
let line: TestLine;
let disk: MemoryDisk;
let channel: AtaChannel;
let ram: Uint8Array;
let written: [number, number][];
let pci: PciBus;

function build(backing: DiskBacking | undefined): void {
  bus = new Bus();
  line = new TestLine();
  ram = new Uint8Array(1 << 20);
  written = [];
  channel = new AtaChannel('ide0', backing, line.set);
  const ide = new Ide(bus, [channel, new AtaChannel('ide1', undefined, () => {})], {
    bytes: (address, length) =>
      address + length <= ram.length ? ram.subarray(address, address + length) : undefined,
    written: (address, length) => written.push([address, length]),
  });
  pci = new PciBus();
  pci.add(1, 1, ide);
}

beforeEach(() => {
  const bytes = new Uint8Array(SECTORS * 512);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i >> 9) ^ i;
  disk = new MemoryDisk(bytes);
  build(disk);
});

const out = (register: number, value: number): void => bus.portOut(0x1f0 + register, 1, value);
const status = (): number => bus.portIn(0x3f6, 1);

function lba28(sector: number, count: number, command: number): void {
  out(2, count & 0xff);
  out(3, sector & 0xff);
  out(4, (sector >> 8) & 0xff);
  out(5, (sector >> 16) & 0xff);
  out(6, 0xe0 | (sector >> 24));
  out(7, command);
}

function lba48(sector: number, count: number, command: number): void {
  out(2, count >> 8);
  out(3, (sector >>> 24) & 0xff);
  out(4, 0);
  out(5, 0);
  out(2, count & 0xff);
  out(3, sector & 0xff);
  out(4, (sector >> 8) & 0xff);
  out(5, (sector >> 16) & 0xff);
  out(6, 0x40);
  out(7, command);
}

function readWords(count: number): Uint16Array {
  return Uint16Array.from({ length: count }, () => bus.portIn(0x1f0, 2));
}

/** A scatter/gather list at 1000h, and the bus master started in a direction. */
function master(entries: [number, number][], toMemory: boolean): void {
  const view = new DataView(ram.buffer);
  entries.forEach(([address, bytes], i) => {
    view.setUint32(0x1000 + 8 * i, address, true);
    const end = i === entries.length - 1 ? 0x80000000 : 0;
    view.setUint32(0x1004 + 8 * i, ((bytes & 0xffff) | end) >>> 0, true);
  });
  bus.portOut(0xc004, 4, 0x1000);
  bus.portOut(0xc002, 1, 0x06);
  bus.portOut(0xc000, 1, toMemory ? 0x08 : 0x00);
}

describe('task file', () => {
  test('IDENTIFY tells size, name and modes, with a good checksum', () => {
    lba28(0, 0, 0xec);
    expect(line.level).toBe(true);
    expect(bus.portIn(0x1f7, 1) & 0x89).toBe(0x08);
    expect(line.level).toBe(false);
    const words = readWords(256);
    expect(words[60]! | (words[61]! << 16)).toBe(SECTORS);
    expect(words[100]).toBe(SECTORS);
    expect(words[49]! & 0x0300).toBe(0x0300);
    const name = [...words.subarray(27, 47)].map((w) => String.fromCharCode(w >> 8, w & 255));
    expect(name.join('').trim()).toBe('VMI86 DISK');
    const bytes = new Uint8Array(words.buffer);
    expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
    expect(status()).toBe(0x50);
  });

  test('READ SECTORS interrupts once a sector', () => {
    lba28(7, 2, 0x20);
    const first = new Uint8Array(readWords(256).buffer);
    expect(line.level).toBe(true);
    const second = new Uint8Array(readWords(256).buffer);
    expect(first).toEqual(disk.bytes.subarray(7 * 512, 8 * 512));
    expect(second).toEqual(disk.bytes.subarray(8 * 512, 9 * 512));
    expect(status()).toBe(0x50);
  });

  test('READ MULTIPLE EXT moves its block at a time', () => {
    out(2, 8);
    out(7, 0xc6);
    expect(status() & 1).toBe(0);
    lba48(100, 12, 0x29);
    bus.portIn(0x1f7, 1);
    const before = line.rises;
    const bytes = new Uint8Array(readWords(12 * 256).buffer);
    expect(bytes).toEqual(disk.bytes.subarray(100 * 512, 112 * 512));
    expect(line.rises - before).toBe(1);
  });

  test('WRITE SECTORS takes data without a first interrupt and flushes on demand', () => {
    lba28(9, 1, 0x30);
    expect(line.level).toBe(false);
    expect(status() & 0x08).toBe(0x08);
    for (let i = 0; i < 128; i++) bus.portOut(0x1f0, 4, 0xdeadbeef);
    expect(line.level).toBe(true);
    expect(disk.bytes.subarray(9 * 512, 9 * 512 + 4)).toEqual(
      Uint8Array.of(0xef, 0xbe, 0xad, 0xde),
    );
    lba28(0, 0, 0xe7);
    expect(disk.flushes).toBe(1);
  });

  test('CHS addresses the same sectors', () => {
    out(2, 1);
    out(3, 4); // sector 4
    out(4, 1); // cylinder 1
    out(5, 0);
    out(6, 0xa2); // head 2
    out(7, 0x20);
    const sector = (1 * 16 + 2) * 63 + 3;
    expect(new Uint8Array(readWords(256).buffer)).toEqual(
      disk.bytes.subarray(sector * 512, sector * 512 + 512),
    );
  });

  test('beyond the end is IDNF, an unknown command ABRT', () => {
    lba28(SECTORS - 1, 2, 0x20);
    expect(status() & 1).toBe(1);
    expect(bus.portIn(0x1f1, 1)).toBe(0x10);
    lba28(0, 0, 0xa1); // IDENTIFY PACKET DEVICE
    expect(bus.portIn(0x1f1, 1)).toBe(0x04);
  });

  test('nIEN keeps the line down', () => {
    bus.portOut(0x3f6, 1, 0x02);
    lba28(0, 1, 0x20);
    expect(line.level).toBe(false);
    bus.portOut(0x3f6, 1, 0x00);
    expect(line.level).toBe(true);
  });

  test('a soft reset leaves the signature of a disk', () => {
    lba28(5, 1, 0x20);
    bus.portOut(0x3f6, 1, 0x04);
    expect(status()).toBe(0x80);
    bus.portOut(0x3f6, 1, 0x00);
    expect([1, 2, 3, 4, 5].map((register) => bus.portIn(0x1f0 + register, 1))).toEqual([
      1, 1, 1, 0, 0,
    ]);
    expect(status()).toBe(0x50);
  });

  test('there is no slave, and no drive on the second channel', () => {
    out(6, 0xb0);
    expect(bus.portIn(0x1f7, 1)).toBe(0);
    bus.portOut(0x172, 1, 0x55);
    expect(bus.portIn(0x172, 1)).not.toBe(0x55);
  });

  test('without a disk the channel is absent', () => {
    build(undefined);
    out(2, 0x55);
    expect(bus.portIn(0x1f2, 1)).toBe(0x7f);
    expect(status()).toBe(0x7f);
  });

  test('a read-only disk refuses every kind of write with ABRT and WP, and changes nothing', () => {
    const before = disk.bytes.slice();
    build(new MemoryDisk(disk.bytes, true));
    for (const command of [0x30, 0xca]) {
      lba28(3, 1, command);
      expect(status() & 0x09).toBe(0x01);
      expect(bus.portIn(0x1f1, 1)).toBe(0x44);
    }
    for (const command of [0x34, 0x35, 0x39]) {
      out(2, 8);
      out(7, 0xc6);
      lba48(3, 1, command);
      expect(bus.portIn(0x1f1, 1)).toBe(0x44);
    }
    expect(Buffer.compare(disk.bytes, before)).toBe(0);
  });

  test('an input/output error of the backing store is an error of the drive', () => {
    build({
      size: 512 * 100,
      readonly: false,
      read: () => {
        throw new Error('EIO');
      },
      write: () => {
        throw new Error('ENOSPC');
      },
      flush: () => {},
    });
    lba28(0, 1, 0x20);
    expect(status() & 0x09).toBe(0x01);
    lba28(0, 1, 0x30);
    for (let i = 0; i < 128; i++) bus.portOut(0x1f0, 4, 0);
    expect(status() & 0x09).toBe(0x01);
  });
});

describe('bus master', () => {
  test('READ DMA EXT scatters into memory and tells the processor', () => {
    master(
      [
        [0x2000, 1024],
        [0x8000, 3072],
      ],
      true,
    );
    lba48(50, 8, 0x25);
    expect(bus.portIn(0xc002, 1) & 0x05).toBe(0);
    bus.portOut(0xc000, 1, 0x09);
    expect(line.level).toBe(true);
    expect(bus.portIn(0xc002, 1) & 0x07).toBe(0x04);
    expect(ram.subarray(0x2000, 0x2400)).toEqual(disk.bytes.subarray(50 * 512, 52 * 512));
    expect(ram.subarray(0x8000, 0x8c00)).toEqual(disk.bytes.subarray(52 * 512, 58 * 512));
    expect(written).toEqual([
      [0x2000, 1024],
      [0x8000, 3072],
    ]);
    bus.portOut(0xc002, 1, 0x04);
    expect(bus.portIn(0xc002, 1) & 0x04).toBe(0);
  });

  test('WRITE DMA gathers; a size of 0 is 64 KiB', () => {
    ram.fill(0x77, 0x20000, 0x30000);
    master([[0x20000, 0]], false);
    lba28(128, 128, 0xca);
    bus.portOut(0xc000, 1, 0x01);
    expect(disk.bytes.subarray(128 * 512, 256 * 512).every((byte) => byte === 0x77)).toBe(true);
    expect(channel.counts.sectorsWritten).toBe(128);
    expect(status()).toBe(0x50);
  });

  test('a list beyond memory is a bus master error', () => {
    master([[0xfffff000, 512]], true);
    lba28(0, 1, 0xc8);
    bus.portOut(0xc000, 1, 0x09);
    expect(bus.portIn(0xc002, 1) & 0x03).toBe(0x02);
    expect(status() & 1).toBe(1);
  });

  test('its base address register can be sized and moved', () => {
    const config = (register: number): void => pci.write(0xcf8, 0x80000900 | register, 4);
    config(0x20);
    pci.write(0xcfc, 0xffffffff, 4);
    expect(pci.read(0xcfc, 4)).toBe(0xfff1);
    pci.write(0xcfc, 0xd001, 4);
    expect(bus.portIn(0xc002, 1)).toBe(0xff);
    expect(bus.portIn(0xd002, 1)).toBe(0x20);
    config(0x04);
    pci.write(0xcfc, 0x0000, 2);
    expect(bus.portIn(0xd002, 1)).toBe(0xff);
  });
});
