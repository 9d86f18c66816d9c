/**
 * Which physical addresses are what: the e820 map that both boot protocols hand over, and the few
 * words of the BIOS data area that systems look at even without a BIOS.
 */

import { TABLES_SIZE } from '../acpi/tables';

export const E820_RAM = 1;
export const E820_RESERVED = 2;
export const E820_ACPI = 3;

/** The extended BIOS data area: the last KiB below video memory. */
export const EBDA = 0x9fc00;
export const LOW_END = 0xa0000;
const BIOS = 0xf0000;
export const HIGH_START = 0x100000;
/** From here to 4 GiB: interrupt controllers and what a BIOS would occupy. */
const CHIPSET = 0xfec00000;

export interface MemoryRange {
  start: number;
  end: number;
  type: number;
}

/** ACPI tables occupy the top of RAM. */
export function tablesStart(ramBytes: number): number {
  return ramBytes - TABLES_SIZE;
}

export function memoryMap(ramBytes: number): MemoryRange[] {
  return [
    { start: 0, end: EBDA, type: E820_RAM },
    { start: EBDA, end: LOW_END, type: E820_RESERVED },
    { start: BIOS, end: HIGH_START, type: E820_RESERVED },
    { start: HIGH_START, end: tablesStart(ramBytes), type: E820_RAM },
    { start: tablesStart(ramBytes), end: ramBytes, type: E820_ACPI },
    { start: CHIPSET, end: 2 ** 32, type: E820_RESERVED },
  ];
}

/** The BIOS data area and the first byte of the extended one. */
export function writeBiosData(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset);
  view.setUint16(0x400, 0x3f8, true); // COM1
  view.setUint16(0x40e, EBDA >> 4, true);
  view.setUint16(0x410, 0x0226, true); // equipment: FPU, mouse, 80-column colour, one serial port
  view.setUint16(0x413, EBDA >> 10, true); // KiB of base memory
  ram[0x449] = 3; // video mode
  view.setUint16(0x44a, 80, true);
  view.setUint16(0x463, 0x3d4, true); // CRTC
  ram[0x484] = 24; // rows less one
  ram[EBDA] = 1; // its size in KiB
}
