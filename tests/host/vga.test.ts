import { expect, test } from 'vitest';
import { Vga } from '../../host/devices/vga';
import { TestClock } from './support';

function setup(): { vga: Vga; ram: Uint8Array; put: (row: number, text: string) => void } {
  const vga = new Vga(new TestClock());
  const ram = new Uint8Array(0x100000);
  return {
    vga,
    ram,
    put: (row, text) =>
      [...text].forEach((c, i) => (ram[0xb8000 + (row * 80 + i) * 2] = c.charCodeAt(0))),
  };
}

function crtc(vga: Vga, index: number, value: number): void {
  vga.write(0x3d4, index);
  vga.write(0x3d5, value);
}

test('text memory reads back as 25 lines of text', () => {
  const { vga, ram, put } = setup();
  put(0, 'Linux version 6.1');
  put(24, 'login:');
  const { lines, cursor } = vga.screen(ram);
  expect(lines).toHaveLength(25);
  expect(lines[0]).toBe('Linux version 6.1');
  expect(lines[24]).toBe('login:');
  expect(cursor).toEqual({ row: 0, column: 0, visible: true });
});

test('the start address scrolls and moves the cursor with it', () => {
  const { vga, ram, put } = setup();
  put(3, 'third');
  crtc(vga, 0x0c, 0);
  crtc(vga, 0x0d, 240);
  crtc(vga, 0x0e, 0x01);
  crtc(vga, 0x0f, 0x45); // 325 = row 4, column 5
  const { lines, cursor } = vga.screen(ram);
  expect(lines[0]).toBe('third');
  expect(cursor).toEqual({ row: 1, column: 5, visible: true });
  crtc(vga, 0x0a, 0x2d);
  expect(vga.screen(ram).cursor.visible).toBe(false);
});

test('registers 0 to 7 of the CRTC are locked as the BIOS leaves them', () => {
  const { vga } = setup();
  crtc(vga, 0x01, 0x27);
  expect(vga.read(0x3d5)).toBe(0x4f);
  crtc(vga, 0x11, 0x0e);
  crtc(vga, 0x01, 0x27);
  expect(vga.read(0x3d5)).toBe(0x27);
});

test('reading the status makes the attribute port take an index', () => {
  const { vga } = setup();
  vga.read(0x3da);
  vga.write(0x3c0, 0x10);
  vga.write(0x3c0, 0x08);
  vga.write(0x3c0, 0x31); // an index again
  vga.read(0x3da);
  vga.write(0x3c0, 0x10);
  expect(vga.read(0x3c1)).toBe(0x08);
});

test('line drawing characters come out as such', () => {
  const { vga, ram } = setup();
  [0xc9, 0xcd, 0xbb, 0xe1].forEach((code, i) => (ram[0xb8000 + 2 * i] = code));
  expect(vga.screen(ram).lines[0]).toBe('╔═╗ß');
});
