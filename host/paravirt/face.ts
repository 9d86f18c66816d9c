/**
 * What a machine asks of a paravirtual face: what a guest sees of the hypervisor, and the
 * hypervisor's end of it, mapped onto the hooks (hooks.ts).
 *
 * A machine has exactly one, made anew at every reset. Faces never mix: what is not of the chosen
 * one (CPUID leaves, MSRs, ports, VMCALL) is not there. CPUID and the opcode of VMCALL are the
 * core's; it is told by `leaves` and `code`.
 */

import type { Bus } from '../bus';
import type { Clock } from '../clock';
import type { DmaMemory } from '../devices/ide';
import type { Lapic } from '../devices/lapic';
import type { Interrupts } from '../irq';
import type { CpuState } from '../state';
import type { VmiOptions } from '../vmi/options';
import type { HookName, MachineHooks } from './hooks';
import type { TimeHooks } from './time';

/** The values of --paravirt. */
export const FACE_NAMES = ['vmi', 'kvm', 'vmware', 'none'] as const;
export type FaceName = (typeof FACE_NAMES)[number];
export const FACE_DEFAULT: FaceName = 'vmi';

/** One answer of CPUID, from leaf 40000000h. */
export interface CpuidLeaf {
  leaf: number;
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

/** What a face may use of the machine. */
export interface FaceParts {
  /** The processor's registers: of the guest, while it calls. */
  cpu: CpuState;
  /** Guest physical memory; every write is to be told. */
  memory: DmaMemory;
  bus: Bus;
  lapic: Lapic;
  interrupts: Interrupts;
  clock: Clock;
  time: TimeHooks;
  power: MachineHooks['init'];
  counts: FaceCounts;
  /** What the core hands over besides words (EXCHANGE of assembly/shared/layout.ts). */
  exchange: Uint8Array;
  /** Gives a range of guest memory, in whole pages, to a ROM. */
  installRom(address: number, bytes: Uint8Array): void;
  vmi: VmiOptions | undefined;
}

export interface Face {
  readonly name: FaceName;
  /** What VMCALL is to the core: FACE_* of assembly/shared/paravirt.ts. */
  readonly code: number;
  /** Empty: CPUID shows no hypervisor. Else at most HYPERVISOR_LEAVES_MAX, the first is 40000000h. */
  readonly leaves: readonly CpuidLeaf[];
  /** Plain data: what a snapshot holds besides memory. */
  readonly state: object;

  /** A register that neither the core nor the board has; undefined: #GP. */
  readMsr?(index: number): bigint | undefined;
  /**
   * False: #GP. IA32_TSC comes here, too, after the core has set the counter; there the result
   * means nothing.
   */
  writeMsr?(index: number, value: bigint): boolean;
  /** VMCALL at any privilege level: arguments and result in the registers of FaceParts.cpu. */
  hypercall?(): void;
  /** A VMI call that the machine serves: arguments as unsigned words; gives EAX, or EDX:EAX. */
  call?(number: number, ...given: number[]): bigint;
  /** Whether the guest counts on hearing of stolen time: then it passes (host/clock.ts). */
  readonly tellsStolen?: boolean;
  /** The processor is about to run, after this many nanoseconds stolen from it. */
  stolen?(ns: number): void;
}

/** How often the guest used what, since the machine was made, for --stats. */
export class FaceCounts {
  /** By the face's own names. */
  readonly calls: Record<string, number> = {};
  /** By the names of paravirt_ops. */
  readonly hooks: { [name in HookName]?: number } = {};

  call(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }

  hook(name: HookName, times = 1): void {
    this.hooks[name] = (this.hooks[name] ?? 0) + times;
  }
}

/** The 12 bytes that a hypervisor signs leaf 40000000h with, as EBX, ECX and EDX. */
export function signature(text: string): Pick<CpuidLeaf, 'ebx' | 'ecx' | 'edx'> {
  const word = (at: number): number =>
    [0, 1, 2, 3].reduce((sum, i) => sum + (text.charCodeAt(at + i) || 0) * 2 ** (8 * i), 0);
  return { ebx: word(0), ecx: word(4), edx: word(8) };
}
