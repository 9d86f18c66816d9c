/**
 * KVM's hypercalls: EAX the number, EBX, ECX, EDX and ESI the arguments, EAX the result. Served are
 * those that a machine of one processor has a use for.
 */

import { NS_PER_SECOND } from '../clock';
import type { FaceParts } from '../paravirt/face';
import { DELIVERY_FIXED, DELIVERY_NMI } from '../devices/lapic';
import {
  KVM_CLOCK_PAIRING_WALLCLOCK,
  KVM_EFAULT,
  KVM_EINVAL,
  KVM_ENOSYS,
  KVM_EOPNOTSUPP,
  KVM_EPERM,
  KVM_HC_CLOCK_PAIRING,
  KVM_HC_KICK_CPU,
  KVM_HC_MAP_GPA_RANGE,
  KVM_HC_MMU_OP,
  KVM_HC_SCHED_YIELD,
  KVM_HC_SEND_IPI,
  KVM_HC_VAPIC_POLL_IRQ,
} from './abi';
import { moment } from './pvclock';

/** For the counts; also of those that are not served. */
const NAMES: Record<number, string> = {
  [KVM_HC_VAPIC_POLL_IRQ]: 'KVM_HC_VAPIC_POLL_IRQ',
  [KVM_HC_MMU_OP]: 'KVM_HC_MMU_OP',
  [KVM_HC_KICK_CPU]: 'KVM_HC_KICK_CPU',
  [KVM_HC_CLOCK_PAIRING]: 'KVM_HC_CLOCK_PAIRING',
  [KVM_HC_SEND_IPI]: 'KVM_HC_SEND_IPI',
  [KVM_HC_SCHED_YIELD]: 'KVM_HC_SCHED_YIELD',
  [KVM_HC_MAP_GPA_RANGE]: 'KVM_HC_MAP_GPA_RANGE',
};

/** struct kvm_clock_pairing: s64 seconds, s64 nanoseconds, u64 tsc, u32 flags, padding. */
const PAIRING_SIZE = 64;

/** Bits of an interrupt command that a call must leave clear: destination and its mode. */
const ICR_DESTINATION = 0xc0800;

export class Hypercalls {
  constructor(private readonly parts: FaceParts) {}

  /** Serves the call that the registers ask for. */
  call(): void {
    const { cpu, counts } = this.parts;
    const number = cpu.register('eax');
    counts.call(NAMES[number] ?? 'unknown hypercall');
    const result = cpu.cpl === 0 ? this.serve(number) : -KVM_EPERM;
    cpu.setRegister('eax', result);
  }

  private serve(number: number): number {
    const { cpu, counts } = this.parts;
    switch (number) {
      case KVM_HC_SEND_IPI:
        return this.sendIpi();
      case KVM_HC_SCHED_YIELD:
        counts.hook('lock.yield');
        return 0; // to nobody
      case KVM_HC_CLOCK_PAIRING:
        return this.pairClock(cpu.register('ebx'), cpu.register('ecx'));
      default:
        return -KVM_ENOSYS;
    }
  }

  /** To the processors whose APIC numbers the bits name, from `first` on: 0 or 1 reached. */
  private sendIpi(): number {
    const { counts, cpu, lapic } = this.parts;
    const icr = cpu.register('esi');
    const mode = (icr >> 8) & 7;
    if ((icr & ICR_DESTINATION) !== 0) return -KVM_EINVAL;
    if (mode !== DELIVERY_FIXED && mode !== DELIVERY_NMI) return -KVM_EINVAL;
    const bit = lapic.state.id - cpu.register('edx');
    if (bit < 0 || bit > 63) return 0;
    const bitmap = cpu.register(bit < 32 ? 'ebx' : 'ecx');
    if ((bitmap & (1 << (bit & 31))) === 0) return 0;
    counts.hook('apic.write');
    lapic.message(mode, icr & 0xff);
    return 1;
  }

  /** Writes the wall time and the counter of one moment. */
  private pairClock(address: number, type: number): number {
    if (type !== KVM_CLOCK_PAIRING_WALLCLOCK) return -KVM_EOPNOTSUPP;
    const { counts, cpu, memory, time } = this.parts;
    const bytes = memory.bytes(address, PAIRING_SIZE);
    if (bytes === undefined) return -KVM_EFAULT;
    counts.hook('time.get_wallclock');
    const wall = time.get_wallclock();
    const { tsc } = moment(time.sched_clock(), cpu.tscOffset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, PAIRING_SIZE);
    bytes.fill(0);
    view.setBigInt64(0, wall / BigInt(NS_PER_SECOND), true);
    view.setBigInt64(8, wall % BigInt(NS_PER_SECOND), true);
    view.setBigUint64(16, tsc, true);
    memory.written(address, PAIRING_SIZE);
    return 0;
  }
}
