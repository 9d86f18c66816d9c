/**
 * PV EOI: a bit in guest memory that, set, tells the guest that clearing it is all there is to
 * ending the interrupt in service; it saves the write to the local APIC. The local APIC offers it
 * for edge-triggered interrupts that keep no other one waiting.
 */

import type { EoiFlag } from '../devices/lapic';
import type { FaceParts } from '../paravirt/face';
import { KVM_MSR_ENABLED } from './abi';

const WORD_SIZE = 4;
/** KVM_PV_EOI_BIT. */
const PENDING = 1;
const MISALIGNED = 2n;

export class PvEoi implements EoiFlag {
  readonly state = { register: 0n };

  constructor(private readonly parts: FaceParts) {}

  /** False: the word is not aligned. */
  write(value: bigint): boolean {
    if ((value & MISALIGNED) !== 0n) return false;
    this.state.register = value;
    return true;
  }

  offer(): boolean {
    const word = this.word();
    if (word === undefined) return false;
    this.parts.counts.call('eoi offered');
    this.store(word, word[0]! | PENDING);
    return true;
  }

  withdraw(): boolean {
    const word = this.word();
    if (word === undefined) return false;
    const used = (word[0]! & PENDING) === 0;
    if (used) this.parts.counts.hook('apic.eoi');
    else this.store(word, word[0]! & ~PENDING);
    return used;
  }

  private word(): Uint8Array | undefined {
    const { register } = this.state;
    if ((register & KVM_MSR_ENABLED) === 0n) return undefined;
    return this.parts.memory.bytes(this.address(), WORD_SIZE);
  }

  private address(): number {
    return Number(this.state.register & ~KVM_MSR_ENABLED);
  }

  private store(word: Uint8Array, value: number): void {
    word[0] = value;
    this.parts.memory.written(this.address(), 1);
  }
}
