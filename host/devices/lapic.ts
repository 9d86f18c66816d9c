/**
 * Local APIC of one processor (SDM vol. 3A chapter 11), memory-mapped at FEE00000h.
 *
 * The timer counts the 1 GHz of guest time. LINT0 and LINT1 are wired as on a PC: the 8259 pair
 * and NMI. After reset it is in the virtual-wire mode a BIOS leaves it in. Not modelled: x2APIC,
 * TSC-deadline mode, the thermal, performance and error sources, moving the base address.
 */

import { type Clock, nextPeriod, type Timer } from '../clock';
import { NO_TRACE, type Trace } from '../trace';
import type { InterruptSource } from '../irq';
import type { MmioHandler } from '../bus';

export const LAPIC_BASE = 0xfee00000;
export const LAPIC_SIZE = 0x1000;

const REG_ID = 0x020;
const REG_VERSION = 0x030;
const REG_TPR = 0x080;
const REG_APR = 0x090;
const REG_PPR = 0x0a0;
const REG_EOI = 0x0b0;
const REG_LDR = 0x0d0;
const REG_DFR = 0x0e0;
const REG_SVR = 0x0f0;
const REG_ISR = 0x100;
const REG_TMR = 0x180;
const REG_IRR = 0x200;
const REG_ESR = 0x280;
const REG_ICR_LOW = 0x300;
const REG_ICR_HIGH = 0x310;
const REG_LVT_TIMER = 0x320;
const REG_LVT_THERMAL = 0x330;
const REG_LVT_PERFORMANCE = 0x340;
const REG_LVT_LINT0 = 0x350;
const REG_LVT_LINT1 = 0x360;
const REG_LVT_ERROR = 0x370;
const REG_TIMER_INITIAL = 0x380;
const REG_TIMER_CURRENT = 0x390;
const REG_TIMER_DIVIDE = 0x3e0;

/** An integrated APIC with six LVT entries. */
const VERSION = 0x0005_0014;
const SVR_ENABLED = 0x100;
const LVT_MASKED = 0x10000;
const LVT_PERIODIC = 0x20000;
const LVT_REGISTERS = [
  REG_LVT_TIMER,
  REG_LVT_THERMAL,
  REG_LVT_PERFORMANCE,
  REG_LVT_LINT0,
  REG_LVT_LINT1,
  REG_LVT_ERROR,
];
/** Bits software can write, by LVT entry; delivery status and remote IRR are read-only. */
const LVT_WRITABLE: Record<number, number> = {
  [REG_LVT_TIMER]: 0x300ff,
  [REG_LVT_THERMAL]: 0x107ff,
  [REG_LVT_PERFORMANCE]: 0x107ff,
  [REG_LVT_LINT0]: 0x1a7ff,
  [REG_LVT_LINT1]: 0x1a7ff,
  [REG_LVT_ERROR]: 0x100ff,
};

export const DELIVERY_FIXED = 0;
export const DELIVERY_LOWEST = 1;
export const DELIVERY_SMI = 2;
export const DELIVERY_NMI = 4;
export const DELIVERY_INIT = 5;
export const DELIVERY_STARTUP = 6;
export const DELIVERY_EXTINT = 7;

const ESR_SEND_ILLEGAL = 0x20;
const ESR_RECEIVE_ILLEGAL = 0x40;
const ESR_ILLEGAL_REGISTER = 0x80;

const ICR_LEVEL_ASSERT = 0x4000;
const ICR_LOGICAL = 0x800;
const ICR_SHORTHAND = 18;

export interface LapicEffects {
  /** The request may have changed. */
  changed(): void;
  /** An EOI for a level-triggered vector goes to the I/O APIC. */
  endOfInterrupt(vector: number): void;
  nmi(): void;
}

/**
 * A place where the guest finds, before it writes to the EOI register, that it need not (KVM's
 * PV EOI). Guest and device never run at once, so there is no race for it.
 */
export interface EoiFlag {
  /** Tells the guest so; false when it cannot be told. */
  offer(): boolean;
  /** Takes it back; true when the guest had used it. */
  withdraw(): boolean;
}

export class Lapic implements InterruptSource, MmioHandler {
  readonly name = 'lapic';
  readonly state = {
    id: 0,
    tpr: 0,
    ldr: 0,
    dfr: 0xffffffff,
    // Software-enabled with LINT0 as ExtINT: the 8259's interrupts get through until Linux decides.
    svr: SVR_ENABLED | 0xff,
    isr: new Uint32Array(8),
    tmr: new Uint32Array(8),
    irr: new Uint32Array(8),
    errors: 0,
    esr: 0,
    icrLow: 0,
    icrHigh: 0,
    lvt: {
      [REG_LVT_TIMER]: LVT_MASKED,
      [REG_LVT_THERMAL]: LVT_MASKED,
      [REG_LVT_PERFORMANCE]: LVT_MASKED,
      [REG_LVT_LINT0]: DELIVERY_EXTINT << 8,
      [REG_LVT_LINT1]: DELIVERY_NMI << 8,
      [REG_LVT_ERROR]: LVT_MASKED,
    } as Record<number, number>,
    initialCount: 0,
    divide: 0,
    /** Guest time at which the current count was the initial count. */
    timerStart: 0,
    /** An initial count was given and, one-shot, has not run out. */
    counting: false,
    /** IA32_APIC_BASE bit 11; cleared, the pins go straight to the processor. */
    globallyEnabled: true,
    /** The guest was told that it may end the interrupt in service without a word. */
    eoiOffered: false,
  };
  private eoiFlag: EoiFlag | undefined;
  private readonly timer: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly effects: LapicEffects,
    private readonly trace: Trace = NO_TRACE,
  ) {
    this.timer = clock.timer('lapic', (deadline) => this.fireTimer(deadline));
  }

  // --- Requests ---------------------------------------------------------------------------------

  pending(): boolean {
    const vector = this.enabled() ? highest(this.state.irr) : -1;
    return vector >= 0 && vector >> 4 > this.processorPriority() >> 4;
  }

  acknowledge(): number {
    const s = this.state;
    const vector = highest(s.irr);
    s.irr[vector >> 5]! &= ~(1 << (vector & 31));
    s.isr[vector >> 5]! |= 1 << (vector & 31);
    if (this.eoiFlag !== undefined) this.offerEoi(vector);
    return vector;
  }

  /** Whether the 8259's INT reaches the processor. */
  acceptsExternal(): boolean {
    if (!this.state.globallyEnabled) return true;
    const lint0 = this.state.lvt[REG_LVT_LINT0]!;
    return (lint0 & LVT_MASKED) === 0 && ((lint0 >> 8) & 7) === DELIVERY_EXTINT;
  }

  /** A fixed or lowest-priority message for this processor. */
  accept(vector: number, level: boolean): void {
    const s = this.state;
    if (vector < 16) {
      this.error(ESR_RECEIVE_ILLEGAL);
      return;
    }
    if (!this.enabled()) return;
    this.settleEoi(); // whether this one may come depends on it
    const bit = 1 << (vector & 31);
    s.irr[vector >> 5]! |= bit;
    if (level) s.tmr[vector >> 5]! |= bit;
    else s.tmr[vector >> 5]! &= ~bit;
    this.effects.changed();
  }

  /** Whether a destination names this processor. */
  matches(destination: number, logical: boolean): boolean {
    const s = this.state;
    if (!logical) return destination === s.id || destination === 0xff;
    if (destination === 0xff) return true;
    const ldr = s.ldr >>> 24;
    if (s.dfr >>> 28 === 0xf) return (destination & ldr) !== 0; // flat model
    return destination >> 4 === ldr >> 4 && (destination & ldr & 0xf) !== 0; // cluster model
  }

  setGloballyEnabled(enabled: boolean): void {
    this.state.globallyEnabled = enabled;
    this.effects.changed();
  }

  setEoiFlag(flag: EoiFlag | undefined): void {
    this.settleEoi();
    this.eoiFlag = flag;
  }

  /** A message to this processor: fixed (lowest priority is the same) or NMI. */
  message(mode: number, vector: number): void {
    if (mode === DELIVERY_NMI) this.effects.nmi();
    else this.accept(vector, false);
  }

  private enabled(): boolean {
    return this.state.globallyEnabled && (this.state.svr & SVR_ENABLED) !== 0;
  }

  private processorPriority(): number {
    const service = Math.max(0, highest(this.state.isr));
    const { tpr } = this.state;
    return tpr >> 4 >= service >> 4 ? tpr : service & 0xf0;
  }

  /** Only where the end matters to nobody: no other interrupt waits, no I/O APIC wants to know. */
  private offerEoi(vector: number): void {
    const s = this.state;
    const level = (s.tmr[vector >> 5]! & (1 << (vector & 31))) !== 0;
    if (!level && highest(s.irr) < 0) s.eoiOffered = this.eoiFlag!.offer();
  }

  /** Learns whether the interrupt in service has ended, before something depends on it. */
  private settleEoi(): void {
    if (!this.state.eoiOffered) return;
    this.state.eoiOffered = false;
    if (this.eoiFlag!.withdraw()) this.endOfInterrupt();
  }

  private endOfInterrupt(): void {
    const s = this.state;
    const vector = highest(s.isr);
    if (vector < 0) return;
    const bit = 1 << (vector & 31);
    s.isr[vector >> 5]! &= ~bit;
    if ((s.tmr[vector >> 5]! & bit) !== 0) this.effects.endOfInterrupt(vector);
    this.effects.changed();
  }

  private error(bit: number): void {
    const s = this.state;
    s.errors |= bit;
    const lvt = s.lvt[REG_LVT_ERROR]!;
    // An error vector that is itself illegal must not lead back here.
    if ((lvt & LVT_MASKED) === 0 && (lvt & 0xff) >= 16) this.accept(lvt & 0xff, false);
  }

  // --- Registers --------------------------------------------------------------------------------

  read(offset: number, size: number): number {
    // Registers are 32 bits at 16-byte steps; narrower reads are undefined by the manual, but
    // whoever reads a byte expects that byte.
    const value = this.readRegister(offset & 0xff0) >>> ((offset & 3) * 8);
    return size === 4 ? value : size === 2 ? value & 0xffff : value & 0xff;
  }

  private readRegister(register: number): number {
    const s = this.state;
    if (register >= REG_ISR && register < REG_ESR) {
      this.settleEoi();
      const words = register < REG_TMR ? s.isr : register < REG_IRR ? s.tmr : s.irr;
      return words[(register >> 4) & 7]!;
    }
    switch (register) {
      case REG_ID:
        return s.id << 24;
      case REG_VERSION:
        return VERSION;
      case REG_TPR:
        return s.tpr;
      case REG_APR:
      case REG_EOI:
        return 0;
      case REG_PPR:
        this.settleEoi();
        return this.processorPriority();
      case REG_LDR:
        return s.ldr;
      case REG_DFR:
        return s.dfr;
      case REG_SVR:
        return s.svr;
      case REG_ESR:
        return s.esr;
      case REG_ICR_LOW:
        return s.icrLow;
      case REG_ICR_HIGH:
        return s.icrHigh;
      case REG_TIMER_INITIAL:
        return s.initialCount;
      case REG_TIMER_CURRENT:
        return this.currentCount();
      case REG_TIMER_DIVIDE:
        return s.divide;
      default: {
        const lvt = s.lvt[register];
        if (lvt === undefined) this.error(ESR_ILLEGAL_REGISTER);
        return lvt ?? 0;
      }
    }
  }

  write(offset: number, value: number): void {
    const s = this.state;
    const register = offset & 0xff0;
    switch (register) {
      case REG_ID:
        s.id = value >>> 24;
        break;
      case REG_TPR:
        s.tpr = value & 0xff;
        this.effects.changed();
        break;
      case REG_EOI:
        this.settleEoi();
        this.endOfInterrupt();
        break;
      case REG_LDR:
        s.ldr = (value & 0xff000000) >>> 0;
        break;
      case REG_DFR:
        s.dfr = (value | 0x0fffffff) >>> 0;
        break;
      case REG_SVR:
        s.svr = value & 0x3ff;
        if ((value & SVR_ENABLED) === 0) this.maskAll();
        this.effects.changed();
        break;
      case REG_ESR:
        s.esr = s.errors;
        s.errors = 0;
        break;
      case REG_ICR_LOW:
        s.icrLow = value & 0xccfff; // delivery status is never busy
        this.send();
        break;
      case REG_ICR_HIGH:
        s.icrHigh = (value & 0xff000000) >>> 0;
        break;
      case REG_TIMER_INITIAL:
        s.initialCount = value;
        s.timerStart = this.clock.now();
        s.counting = value !== 0;
        this.scheduleTimer();
        break;
      case REG_TIMER_DIVIDE: {
        const count = this.currentCount();
        s.divide = value & 0xb;
        // The count goes on from where it is, at the new rate.
        s.timerStart = this.clock.now() - (s.initialCount - count) * this.divisor();
        this.scheduleTimer();
        break;
      }
      default:
        this.writeLvt(register, value);
    }
  }

  private writeLvt(register: number, value: number): void {
    const s = this.state;
    const writable = LVT_WRITABLE[register];
    if (writable === undefined) {
      this.error(ESR_ILLEGAL_REGISTER);
      return;
    }
    // While software-disabled every entry stays masked (SDM vol. 3A 11.4.7.2).
    const forced = (s.svr & SVR_ENABLED) === 0 ? LVT_MASKED : 0;
    s.lvt[register] = (value & writable) | forced;
    if (register === REG_LVT_TIMER) this.scheduleTimer();
    this.effects.changed();
  }

  private maskAll(): void {
    for (const register of LVT_REGISTERS) this.state.lvt[register]! |= LVT_MASKED;
  }

  /** An interprocessor interrupt; the only processor it can reach is this one. */
  private send(): void {
    const s = this.state;
    const vector = s.icrLow & 0xff;
    const mode = (s.icrLow >> 8) & 7;
    const shorthand = (s.icrLow >> ICR_SHORTHAND) & 3;
    const self =
      shorthand === 1 ||
      shorthand === 2 ||
      (shorthand === 0 && this.matches(s.icrHigh >>> 24, (s.icrLow & ICR_LOGICAL) !== 0));
    if (!self) return;
    if (this.trace.irq) this.trace.irq(`IPI to self, mode ${mode}, vector ${vector}`);
    switch (mode) {
      case DELIVERY_FIXED:
      case DELIVERY_LOWEST:
        if (vector < 16) this.error(ESR_SEND_ILLEGAL);
        else this.accept(vector, false);
        break;
      case DELIVERY_NMI:
        if ((s.icrLow & ICR_LEVEL_ASSERT) !== 0) this.effects.nmi();
        break;
      default: // INIT and STARTUP to oneself are not valid, SMI has no handler
    }
  }

  // --- Timer ------------------------------------------------------------------------------------

  private divisor(): number {
    const code = (this.state.divide & 3) | ((this.state.divide >> 1) & 4);
    return code === 7 ? 1 : 2 << code;
  }

  private periodic(): boolean {
    return (this.state.lvt[REG_LVT_TIMER]! & LVT_PERIODIC) !== 0;
  }

  private currentCount(): number {
    const s = this.state;
    if (s.initialCount === 0) return 0;
    const passed = Math.floor((this.clock.now() - s.timerStart) / this.divisor());
    if (this.periodic()) return s.initialCount - (passed % s.initialCount);
    return Math.max(0, s.initialCount - passed);
  }

  /**
   * Sets the timer to the count's next end. A masked timer counts too, and its end must not be
   * told when it is unmasked later; so it ends by firing like any other, unheard.
   */
  private scheduleTimer(): void {
    const s = this.state;
    if (!s.counting) {
      this.timer.cancel();
      return;
    }
    // An end that host time has passed meanwhile still has to come.
    const period = s.initialCount * this.divisor();
    const now = this.clock.now();
    const first = s.timerStart + period;
    this.timer.set(first > now || !this.periodic() ? first : nextPeriod(first, period, now));
  }

  private fireTimer(deadline: number): void {
    const s = this.state;
    if (this.periodic()) {
      const period = s.initialCount * this.divisor();
      this.timer.set(nextPeriod(deadline, period, this.clock.now()));
    } else {
      s.counting = false;
    }
    this.raiseTimer();
  }

  /** The interrupt of the timer's local vector table entry, unless it is masked. */
  raiseTimer(): void {
    const lvt = this.state.lvt[REG_LVT_TIMER]!;
    if ((lvt & LVT_MASKED) === 0) this.accept(lvt & 0xff, false);
  }
}

/** The highest vector that is set in a 256-bit register, or -1. */
function highest(words: Uint32Array): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[i]!;
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
