/**
 * The state of a whole machine, for comparing two of them and for reading: processor, clock, the
 * code at an address, how often a region was entered.
 */
import {
  CR0,
  CR2,
  CR3,
  CR4,
  EAX,
  FPU_CONTROL,
  FPU_REGS,
  FPU_STATUS,
  FPU_TAGS,
  FPU_TOP,
  MXCSR,
  RAM_BASE,
  SEGMENT_BASE,
  SELECTOR,
  XMM,
} from '../../assembly/shared/layout.ts';
import { ENTRY_COUNT } from '../../assembly/shared/regions.ts';
import type { Machine } from '../../host/machine.ts';
import { REGISTER_NAMES, SEGMENT_NAMES } from '../../host/state.ts';
import type { Decoded } from '../../jit/decoded.ts';
import type { Translated } from '../../jit/translator.ts';
import { disassembly } from './disassembly.ts';

/** Of the code in a report. */
const CODE_BYTES = 96;

export function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** Processor and clock by name, in an order for reading. */
export function snapshot({ cpu, clock }: Machine): Map<string, string> {
  const words = new Uint32Array(cpu.memory.buffer, 0, 0x2000);
  const word = (address: number) => hex(words[address >> 2]!);
  const vector = (address: number, count: number) =>
    Array.from({ length: count }, (_, i) => word(address + 4 * (count - 1 - i))).join('');
  const all = new Map<string, string>();
  all.set('retired', String(cpu.retired()));
  all.set('clock', String(clock.now()));
  all.set('eip', hex(cpu.state.eip));
  all.set('eflags', hex(cpu.state.eflags));
  REGISTER_NAMES.forEach((name, i) => all.set(name, word(EAX + 4 * i)));
  SEGMENT_NAMES.slice(0, 6).forEach((name, i) =>
    all.set(name, `${word(SELECTOR + 4 * i)}:${word(SEGMENT_BASE + 4 * i)}`),
  );
  for (const [name, at] of Object.entries({ cr0: CR0, cr2: CR2, cr3: CR3, cr4: CR4 }))
    all.set(name, word(at));
  const fpu = [FPU_CONTROL, FPU_STATUS, FPU_TAGS, FPU_TOP, MXCSR].map(word).join(' ');
  all.set('fpu', fpu);
  for (let i = 0; i < 8; i++) all.set(`r${i}`, vector(FPU_REGS + 16 * i, 3).slice(4));
  for (let i = 0; i < 8; i++) all.set(`xmm${i}`, vector(XMM + 16 * i, 4));
  return all;
}

/** The same as comparing snapshots, but quick. */
export function alike(a: Machine, b: Machine): boolean {
  if (a.cpu.retired() !== b.cpu.retired() || a.clock.now() !== b.clock.now()) return false;
  if (a.cpu.state.eip !== b.cpu.state.eip || a.cpu.state.eflags !== b.cpu.state.eflags)
    return false;
  const x = words(a);
  const y = words(b);
  for (const [at, mask] of COMPARED) if ((x[at]! ^ y[at]!) & mask) return false;
  return true;
}

const views = new WeakMap<Machine, Uint32Array>();
function words(machine: Machine): Uint32Array {
  let view = views.get(machine);
  if (!view) views.set(machine, (view = new Uint32Array(machine.cpu.memory.buffer, 0, 0x800)));
  return view;
}

/** Words of the state and which bits of them count. */
const COMPARED: [index: number, mask: number][] = [];
function compared(address: number, count: number, mask = -1): void {
  for (let i = 0; i < count; i++) COMPARED.push([(address >> 2) + i, mask]);
}
compared(EAX, 8);
compared(SELECTOR, 6);
compared(SEGMENT_BASE, 6);
for (const address of [CR0, CR2, CR3, CR4, FPU_CONTROL, FPU_STATUS, FPU_TAGS, FPU_TOP, MXCSR]) {
  compared(address, 1);
}
for (let i = 0; i < 8; i++) {
  compared(FPU_REGS + 16 * i, 2);
  compared(FPU_REGS + 16 * i + 8, 1, 0xffff);
}
compared(XMM, 32);

/** The code at a linear address, as far as the TLB knows its page. */
export function codeAt(memory: Decoded, eip: number): string {
  const physical = memory.fetchAddress(eip, memory.mode);
  if (physical < 0) return '    (not in the TLB)';
  const length = Math.min(CODE_BYTES, 0x1000 - (physical & 0xfff));
  const code = memory.u8.subarray(RAM_BASE + physical, RAM_BASE + physical + length);
  return `${Buffer.from(code).toString('hex')}\n${disassembly(code, eip)}`;
}

/** How often a region was entered since the last eviction. */
export function usesOf(memory: Decoded, region: Translated): number {
  return region.entries.reduce(
    (sum, { descriptor }) => sum + memory.word(descriptor + ENTRY_COUNT),
    0,
  );
}
