/** Steal time as KVM tells it: Linux's struct kvm_steal_time, in guest memory. */

import type { FaceParts } from '../paravirt/face';
import { KVM_MSR_ENABLED } from './abi';
import { nextOdd } from './pvclock';

const RECORD_SIZE = 64;
const STEAL = 0;
const VERSION = 8;
/** Bits of the register between the address and the enable bit. */
const RESERVED = 0x3en;

export class StealTime {
  readonly state = { register: 0n };

  constructor(private readonly parts: FaceParts) {}

  /** False: reserved bits. */
  write(value: bigint): boolean {
    if ((value & RESERVED) !== 0n) return false;
    this.state.register = value;
    return true;
  }

  get isOn(): boolean {
    return (this.state.register & KVM_MSR_ENABLED) !== 0n;
  }

  /** Adds to the record; a guest may have put it where another one counted before. */
  add(ns: number): void {
    const { memory, counts } = this.parts;
    const { register } = this.state;
    if (!this.isOn) return;
    const address = Number(register & ~KVM_MSR_ENABLED);
    const bytes = memory.bytes(address, RECORD_SIZE);
    if (bytes === undefined) return;
    counts.hook('time.steal_clock');
    const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_SIZE);
    const version = nextOdd(view.getUint32(VERSION, true));
    view.setUint32(VERSION, version, true);
    view.setBigUint64(STEAL, view.getBigUint64(STEAL, true) + BigInt(ns), true);
    view.setUint32(VERSION, version + 1, true);
    memory.written(address, RECORD_SIZE);
  }
}
