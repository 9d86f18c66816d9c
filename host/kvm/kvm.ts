/**
 * The KVM face: CPUID leaves, model-specific registers, VMCALL.
 *
 * Not offered: asynchronous page faults (no page of this guest is ever swapped out), PV unhalt and
 * PV TLB flush (for more than one processor), poll control (the host never polls), the MMU
 * operations (obsolete; a guest that uses them writes no page table itself).
 */

import { FACE_KVM } from '../../assembly/shared/paravirt';
import { signature, type CpuidLeaf, type Face, type FaceParts } from '../paravirt/face';
import {
  KVM_CPUID_FEATURES,
  KVM_CPUID_SIGNATURE,
  KVM_FEATURE_CLOCKSOURCE,
  KVM_FEATURE_CLOCKSOURCE2,
  KVM_FEATURE_CLOCKSOURCE_STABLE_BIT,
  KVM_FEATURE_NOP_IO_DELAY,
  KVM_FEATURE_PV_EOI,
  KVM_FEATURE_PV_SCHED_YIELD,
  KVM_FEATURE_PV_SEND_IPI,
  KVM_FEATURE_STEAL_TIME,
  KVM_MSR_ENABLED,
  KVM_SIGNATURE,
  MSR_KVM_PV_EOI_EN,
  MSR_KVM_STEAL_TIME,
  MSR_KVM_SYSTEM_TIME,
  MSR_KVM_SYSTEM_TIME_NEW,
  MSR_KVM_WALL_CLOCK,
  MSR_KVM_WALL_CLOCK_NEW,
} from './abi';
import { PvEoi } from './eoi';
import { Hypercalls } from './hypercalls';
import { moment, TIME_INFO_SIZE, WALL_CLOCK_SIZE, writeTimeInfo, writeWallClock } from './pvclock';
import { StealTime } from './steal';

const FEATURES = [
  KVM_FEATURE_CLOCKSOURCE,
  KVM_FEATURE_NOP_IO_DELAY,
  KVM_FEATURE_CLOCKSOURCE2,
  KVM_FEATURE_STEAL_TIME,
  KVM_FEATURE_PV_EOI,
  KVM_FEATURE_PV_SEND_IPI,
  KVM_FEATURE_PV_SCHED_YIELD,
  KVM_FEATURE_CLOCKSOURCE_STABLE_BIT,
].reduce((bits, bit) => bits | (1 << bit), 0);

const IA32_TSC = 0x10;

export class KvmFace implements Face {
  readonly name = 'kvm';
  readonly code = FACE_KVM;
  readonly leaves: readonly CpuidLeaf[] = [
    { leaf: KVM_CPUID_SIGNATURE, eax: KVM_CPUID_FEATURES, ...signature(KVM_SIGNATURE) },
    { leaf: KVM_CPUID_FEATURES, eax: FEATURES, ebx: 0, ecx: 0, edx: 0 },
  ];
  private readonly clocks = { systemTime: 0n, wallClock: 0n };
  private readonly steal: StealTime;
  private readonly eoi: PvEoi;
  private readonly hypercalls: Hypercalls;

  constructor(private readonly parts: FaceParts) {
    this.steal = new StealTime(parts);
    this.eoi = new PvEoi(parts);
    this.hypercalls = new Hypercalls(parts);
  }

  get state(): object {
    return { clocks: this.clocks, steal: this.steal.state, eoi: this.eoi.state };
  }

  // Both generations of the clock's registers are one pair.

  readMsr(index: number): bigint | undefined {
    switch (index) {
      case MSR_KVM_WALL_CLOCK:
      case MSR_KVM_WALL_CLOCK_NEW:
        return this.clocks.wallClock;
      case MSR_KVM_SYSTEM_TIME:
      case MSR_KVM_SYSTEM_TIME_NEW:
        return this.clocks.systemTime;
      case MSR_KVM_STEAL_TIME:
        return this.steal.state.register;
      case MSR_KVM_PV_EOI_EN:
        return this.eoi.state.register;
      default:
        return undefined;
    }
  }

  writeMsr(index: number, value: bigint): boolean {
    switch (index) {
      case IA32_TSC:
        this.writeSystemTime();
        return true;
      case MSR_KVM_WALL_CLOCK:
      case MSR_KVM_WALL_CLOCK_NEW:
        this.clocks.wallClock = value;
        this.writeWallClock();
        return true;
      case MSR_KVM_SYSTEM_TIME:
      case MSR_KVM_SYSTEM_TIME_NEW:
        this.clocks.systemTime = value;
        this.writeSystemTime();
        return true;
      case MSR_KVM_STEAL_TIME:
        return this.steal.write(value);
      case MSR_KVM_PV_EOI_EN:
        // An offer that stands is at the old place.
        this.parts.lapic.setEoiFlag(undefined);
        if (!this.eoi.write(value)) return false;
        if ((value & KVM_MSR_ENABLED) !== 0n) this.parts.lapic.setEoiFlag(this.eoi);
        return true;
      default:
        return false;
    }
  }

  hypercall(): void {
    this.hypercalls.call();
  }

  get tellsStolen(): boolean {
    return this.steal.isOn;
  }

  stolen(ns: number): void {
    this.steal.add(ns);
  }

  /** Written when the guest asks, and when it has set its counter: the counter is even otherwise. */
  private writeSystemTime(): void {
    const { counts, cpu, memory, time } = this.parts;
    const { systemTime } = this.clocks;
    if ((systemTime & KVM_MSR_ENABLED) === 0n) return;
    const address = Number(systemTime & ~KVM_MSR_ENABLED);
    const bytes = memory.bytes(address, TIME_INFO_SIZE);
    if (bytes === undefined) return;
    counts.hook('time.sched_clock');
    writeTimeInfo(bytes, moment(time.sched_clock(), cpu.tscOffset), time.get_tsc_khz());
    memory.written(address, TIME_INFO_SIZE);
  }

  private writeWallClock(): void {
    const { counts, memory, time } = this.parts;
    const address = Number(this.clocks.wallClock);
    const bytes = address === 0 ? undefined : memory.bytes(address, WALL_CLOCK_SIZE);
    if (bytes === undefined) return;
    counts.hook('time.get_wallclock');
    const now = time.sched_clock();
    writeWallClock(bytes, time.get_wallclock() - BigInt(now));
    memory.written(address, WALL_CLOCK_SIZE);
  }
}
