/**
 * The processor's state when a loaded kernel gets control: 32-bit protected mode, paging off,
 * interrupts off, flat segments from a descriptor table in low memory. What differs by protocol is
 * in `Entry`.
 */

import type { Cpu } from '../cpu';
import { REGISTER_NAMES } from '../state';

/** Below 1 MiB and away from everything the loaders place. */
const GDT = 0x8000;
/** Selectors the Linux boot protocol asks for (Documentation/arch/x86/boot.rst, 32-bit). */
export const CODE_SELECTOR = 0x10;
export const DATA_SELECTOR = 0x18;
const GDT_SIZE = DATA_SELECTOR + 8;

const LIMIT_LOW = 0x0000ffff;
/** Second words of flat descriptors: execute/read and read/write, accessed, 4 GiB. */
const CODE_HIGH = 0x00cf9b00;
const DATA_HIGH = 0x00cf9300;
/** Of a second word, what is neither base nor limit. */
const ATTRIBUTES = 0x00f0ff00;
const CR0_PE_ET = 0x11;

export interface Entry {
  eip: number;
  eax?: number;
  ebx?: number;
  esi?: number;
  /** What was loaded, for traces. */
  description: string;
}

/** Gives the processor to a loaded kernel. */
export function enter(cpu: Cpu, entry: Entry): void {
  const ram = cpu.ram();
  const view = new DataView(ram.buffer, ram.byteOffset);
  view.setUint32(GDT + CODE_SELECTOR, LIMIT_LOW, true);
  view.setUint32(GDT + CODE_SELECTOR + 4, CODE_HIGH, true);
  view.setUint32(GDT + DATA_SELECTOR, LIMIT_LOW, true);
  view.setUint32(GDT + DATA_SELECTOR + 4, DATA_HIGH, true);

  const { state } = cpu;
  state.gdtr = { base: GDT, limit: GDT_SIZE - 1 };
  state.cr0 = CR0_PE_ET;
  const flat = { base: 0, limit: 0xffffffff };
  const code = { ...flat, selector: CODE_SELECTOR, access: CODE_HIGH & ATTRIBUTES };
  const data = { ...flat, selector: DATA_SELECTOR, access: DATA_HIGH & ATTRIBUTES };
  state.setSegment('cs', code);
  for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const) state.setSegment(name, data);
  for (const name of REGISTER_NAMES) state.setRegister(name, 0);
  state.setRegister('eax', entry.eax ?? 0);
  state.setRegister('ebx', entry.ebx ?? 0);
  state.setRegister('esi', entry.esi ?? 0);
  state.eip = entry.eip;
}
