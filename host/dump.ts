// The processor's state as text, for a guest that cannot go on. Reads, never changes: page tables
// are walked here without touching accessed bits or the TLB.

import type { Cpu } from './cpu';
import { REGISTER_NAMES, SEGMENT_NAMES } from './state';

const CR0_PG = 2 ** 31;
const CR4_PSE = 0x10;
const CR4_PAE = 0x20;
const PRESENT = 1;
const LARGE = 0x80;

/** Bytes of code shown before and after EIP. */
const CODE_BEFORE = 16;
const CODE_AFTER = 16;
const STACK_WORDS = 8;

export function describeState(cpu: Cpu): string {
  const { state } = cpu;
  const register = (name: string, value: number): string => `${name} ${hex(value)}`;
  const general = REGISTER_NAMES.map((name) => register(name, state.register(name)));
  const segments = SEGMENT_NAMES.map((name) => {
    const { selector, base, limit, access } = state.segment(name);
    return `${name.padEnd(4)} ${hex(selector, 4)} base ${hex(base)} limit ${hex(limit)} access ${hex(access)}`;
  });
  const { gdtr, idtr, eip } = state;
  const linear = state.segment('cs').base + eip;
  const stack = state.segment('ss').base + state.register('esp');
  return [
    general.slice(0, 4).join('  '),
    general.slice(4).join('  '),
    `${register('eip', eip)}  ${register('eflags', state.eflags)}  cpl ${state.cpl}`,
    ['cr0', 'cr2', 'cr3', 'cr4']
      .map((name) => register(name, state[name as 'cr0' | 'cr2' | 'cr3' | 'cr4']))
      .join('  '),
    ...segments,
    `gdtr base ${hex(gdtr.base)} limit ${hex(gdtr.limit, 4)}  idtr base ${hex(idtr.base)} limit ${hex(idtr.limit, 4)}`,
    `code at eip-${CODE_BEFORE}, <> at eip: ${codeBytes(cpu, linear)}`,
    `stack: ${Array.from({ length: STACK_WORDS }, (_, i) => word(cpu, stack + 4 * i)).join(' ')}`,
  ].join('\n');
}

function codeBytes(cpu: Cpu, linear: number): string {
  const bytes = [];
  for (let i = -CODE_BEFORE; i < CODE_AFTER; i++) {
    const byte = readByte(cpu, linear + i);
    const text = byte === undefined ? '??' : hex(byte, 2);
    bytes.push(i === 0 ? `<${text}>` : text);
  }
  return bytes.join(' ');
}

function word(cpu: Cpu, linear: number): string {
  const bytes = [3, 2, 1, 0].map((i) => readByte(cpu, linear + i));
  return bytes.map((byte) => (byte === undefined ? '??' : hex(byte, 2))).join('');
}

function readByte(cpu: Cpu, linear: number): number | undefined {
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

function hex(value: number, digits = 8): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}
