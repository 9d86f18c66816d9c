/**
 * The processor's registers by name, over the core's memory. Nothing else in host/ knows where
 * they are.
 */
import {
  CPL,
  CR0,
  CR2,
  CR3,
  CR4,
  DR,
  EAX,
  EIP,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
  LDTR_BASE,
  SEGMENT_ACCESS,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SELECTOR,
  STATIC_BASE,
  STOLEN,
  TR_BASE,
  TSC_OFFSET,
} from '../assembly/shared/layout.ts';

/** A segment register with its hidden part. `access` is bits 8 to 23 of the descriptor's second word. */
export interface Segment {
  selector: number;
  base: number;
  limit: number;
  access: number;
}

export const REGISTER_NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
export type RegisterName = (typeof REGISTER_NAMES)[number];
export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
export type SegmentName = (typeof SEGMENT_NAMES)[number];

/** What the core must be told of after a change from outside. */
export interface StateExports {
  getEflags(): number;
  setEflags(value: number): void;
  setSegment(segment: number, selector: number, base: number, limit: number, access: number): void;
  updateMode(): void;
  updateUnits(): void;
  flushTlb(all: number): void;
}

/** Registers as unsigned numbers; setters keep the core's derived state right. */
export class CpuState {
  readonly #words: Uint32Array;
  readonly #core: StateExports;

  constructor(memory: WebAssembly.Memory, core: StateExports) {
    this.#words = new Uint32Array(memory.buffer, 0, STATIC_BASE / 4);
    this.#core = core;
  }

  #get(address: number): number {
    return this.#words[address >>> 2]!;
  }
  #set(address: number, value: number): void {
    this.#words[address >>> 2] = value;
  }

  /** One of the eight general registers. */
  register(name: RegisterName): number {
    return this.#get(EAX + 4 * REGISTER_NAMES.indexOf(name));
  }
  setRegister(name: RegisterName, value: number): void {
    this.#set(EAX + 4 * REGISTER_NAMES.indexOf(name), value);
  }

  get eip(): number {
    return this.#get(EIP);
  }
  set eip(value: number) {
    this.#set(EIP, value);
  }
  get eflags(): number {
    return this.#core.getEflags() >>> 0;
  }
  set eflags(value: number) {
    this.#core.setEflags(value);
    this.#core.updateMode();
  }
  get cpl(): number {
    return this.#get(CPL);
  }
  set cpl(value: number) {
    this.#set(CPL, value);
    this.#core.updateMode();
  }
  get cr0(): number {
    return this.#get(CR0);
  }
  set cr0(value: number) {
    this.#set(CR0, value);
    this.#changed();
  }
  get cr2(): number {
    return this.#get(CR2);
  }
  set cr2(value: number) {
    this.#set(CR2, value);
  }
  get cr3(): number {
    return this.#get(CR3);
  }
  set cr3(value: number) {
    this.#set(CR3, value);
    this.#changed();
  }
  get cr4(): number {
    return this.#get(CR4);
  }
  set cr4(value: number) {
    this.#set(CR4, value);
    this.#changed();
  }
  #changed(): void {
    this.#core.updateUnits();
    this.#core.updateMode();
    this.#core.flushTlb(1);
  }

  /** Debug register 0 to 7. */
  debug(index: number): number {
    return this.#get(DR + 4 * index);
  }

  /** What the guest has set its time-stamp counter ahead of CpuHost.timestamp by, modulo 2^64. */
  get tscOffset(): bigint {
    return BigInt(this.#get(TSC_OFFSET)) | (BigInt(this.#get(TSC_OFFSET + 4)) << 32n);
  }

  /** Cycles that the guest could have run and did not. */
  set stolenCycles(value: bigint) {
    this.#set(STOLEN, Number(value & 0xffffffffn));
    this.#set(STOLEN + 4, Number(value >> 32n));
  }

  get gdtr(): { base: number; limit: number } {
    return { base: this.#get(GDTR_BASE), limit: this.#get(GDTR_LIMIT) };
  }
  set gdtr({ base, limit }: { base: number; limit: number }) {
    this.#set(GDTR_BASE, base);
    this.#set(GDTR_LIMIT, limit);
  }
  get idtr(): { base: number; limit: number } {
    return { base: this.#get(IDTR_BASE), limit: this.#get(IDTR_LIMIT) };
  }
  set idtr({ base, limit }: { base: number; limit: number }) {
    this.#set(IDTR_BASE, base);
    this.#set(IDTR_LIMIT, limit);
  }

  segment(name: SegmentName): Segment {
    const i = SEGMENT_NAMES.indexOf(name);
    const base = i < 6 ? SEGMENT_BASE + 4 * i : i === 6 ? LDTR_BASE : TR_BASE;
    return {
      selector: this.#get(SELECTOR + 4 * i),
      base: this.#get(base),
      limit: this.#get(SEGMENT_LIMIT + 4 * i),
      access: this.#get(SEGMENT_ACCESS + 4 * i),
    };
  }
  setSegment(name: SegmentName, { selector, base, limit, access }: Segment): void {
    this.#core.setSegment(SEGMENT_NAMES.indexOf(name), selector, base, limit, access);
    this.#core.updateMode();
  }
}
