// Guest memory by linear address for reports: page tables are walked here without touching accessed
// bits or the TLB, so that nothing of the guest changes.

import type { Cpu } from './cpu';

const CR0_PG = 2 ** 31;
const CR4_PSE = 0x10;
const CR4_PAE = 0x20;
const PRESENT = 1;
const LARGE = 0x80;

/** The byte at a linear address, or undefined where no RAM is mapped. */
export function readByte(cpu: Cpu, linear: number): number | undefined {
  const physical = translate(cpu, linear >>> 0);
  return physical === undefined ? undefined : cpu.ram()[physical];
}

/** Physical address of a linear one, or undefined where nothing is mapped (SDM vol. 3A 4.3, 4.4). */
function translate(cpu: Cpu, linear: number): number | undefined {
  const { cr0, cr3, cr4 } = cpu.state;
  if (((cr0 >>> 0) & CR0_PG) === 0) return linear;
  const ram = cpu.ram();
  const view = new DataView(ram.buffer, ram.byteOffset, ram.length);
  const entry = (address: number): number =>
    address + 4 <= ram.length ? view.getUint32(address, true) : 0;
  if (cr4 & CR4_PAE) {
    const pointer = entry((cr3 & (~31 >>> 0)) + (linear >>> 30) * 8);
    if (!(pointer & PRESENT)) return undefined;
    const directory = entry(frame(pointer) + ((linear >>> 21) & 511) * 8);
    if (!(directory & PRESENT)) return undefined;
    if (directory & LARGE) return ((directory & ~0x1fffff) >>> 0) + (linear & 0x1fffff);
    const table = entry(frame(directory) + ((linear >>> 12) & 511) * 8);
    return table & PRESENT ? frame(table) + (linear & 0xfff) : undefined;
  }
  const directory = entry(frame(cr3) + (linear >>> 22) * 4);
  if (!(directory & PRESENT)) return undefined;
  if (directory & LARGE && cr4 & CR4_PSE) {
    return ((directory & ~0x3fffff) >>> 0) + (linear & 0x3fffff);
  }
  const table = entry(frame(directory) + ((linear >>> 12) & 1023) * 4);
  return table & PRESENT ? frame(table) + (linear & 0xfff) : undefined;
}

function frame(entry: number): number {
  return (entry & ~0xfff) >>> 0;
}
