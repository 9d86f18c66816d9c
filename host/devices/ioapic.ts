/**
 * Intel 82093AA I/O APIC (data sheet, order 290566): 24 inputs, at FEC00000h.
 *
 * Inputs are "asserted" or not; the polarity bits are kept and change nothing. Not modelled: the
 * three-wire bus and its arbitration. ExtINT entries pass no interrupt: the 8259 pair reaches the
 * processor through LINT0.
 */

import { DELIVERY_FIXED, DELIVERY_LOWEST, DELIVERY_NMI } from './lapic';
import { NO_TRACE, type Trace } from '../trace';
import type { LineSink } from '../irq';
import type { MmioHandler } from '../bus';

export const IOAPIC_BASE = 0xfec00000;
export const IOAPIC_SIZE = 0x1000;
export const IOAPIC_INPUTS = 24;

const SELECT = 0x00;
const WINDOW = 0x10;

const INDEX_ID = 0;
const INDEX_VERSION = 1;
const INDEX_ARBITRATION = 2;
const INDEX_TABLE = 0x10;

const VERSION = 0x11 | ((IOAPIC_INPUTS - 1) << 16);
const REMOTE_IRR = 0x4000;
const LEVEL = 0x8000;
const MASKED = 0x10000;
const LOGICAL = 0x800;
/** Vector, delivery mode, destination mode, polarity, trigger mode, mask. */
const WRITABLE = 0x1afff;

export interface IoApicTarget {
  matches(destination: number, logical: boolean): boolean;
  accept(vector: number, level: boolean): void;
}

export class IoApic implements LineSink, MmioHandler {
  readonly name = 'ioapic';
  readonly state = {
    id: 0,
    index: 0,
    lines: 0,
    low: new Uint32Array(IOAPIC_INPUTS).fill(MASKED),
    high: new Uint32Array(IOAPIC_INPUTS),
  };

  constructor(
    private readonly target: IoApicTarget,
    private readonly nmi: () => void,
    private readonly trace: Trace = NO_TRACE,
  ) {}

  setLine(input: number, asserted: boolean): void {
    const s = this.state;
    const bit = 1 << input;
    const rose = asserted && (s.lines & bit) === 0;
    if (asserted) s.lines |= bit;
    else s.lines &= ~bit;
    // An edge at a masked input is lost (data sheet 3.2.4, interrupt mask).
    if ((s.low[input]! & LEVEL) !== 0) this.service(input);
    else if (rose) this.deliver(input);
  }

  /** The processor's EOI of a level-triggered vector. */
  endOfInterrupt(vector: number): void {
    const s = this.state;
    for (let input = 0; input < IOAPIC_INPUTS; input++) {
      const low = s.low[input]!;
      if ((low & 0xff) !== vector || (low & REMOTE_IRR) === 0) continue;
      s.low[input]! &= ~REMOTE_IRR;
      this.service(input);
    }
  }

  read(offset: number): number {
    const s = this.state;
    if ((offset & 0xf0) === SELECT) return s.index;
    if ((offset & 0xf0) !== WINDOW) return 0;
    switch (s.index) {
      case INDEX_ID:
      case INDEX_ARBITRATION:
        return s.id << 24;
      case INDEX_VERSION:
        return VERSION;
      default: {
        const entry = s.index - INDEX_TABLE;
        if (entry < 0 || entry >= 2 * IOAPIC_INPUTS) return 0;
        return ((entry & 1) === 0 ? s.low : s.high)[entry >> 1]!;
      }
    }
  }

  write(offset: number, value: number): void {
    const s = this.state;
    if ((offset & 0xf0) === SELECT) {
      s.index = value & 0xff;
      return;
    }
    if ((offset & 0xf0) !== WINDOW) return;
    if (s.index === INDEX_ID) {
      s.id = (value >>> 24) & 0xf;
      return;
    }
    const entry = s.index - INDEX_TABLE;
    if (entry < 0 || entry >= 2 * IOAPIC_INPUTS) return;
    const input = entry >> 1;
    if ((entry & 1) !== 0) {
      s.high[input] = value;
      return;
    }
    const before = s.low[input]!;
    // Turning an entry to edge drops its remote IRR: how Linux ends an interrupt of this version.
    const remote = (value & LEVEL) !== 0 ? before & REMOTE_IRR : 0;
    s.low[input] = (value & WRITABLE) | remote;
    if ((value & LEVEL) !== 0) this.service(input);
  }

  /** Delivers a level-triggered input that is asserted and not being handled. */
  private service(input: number): void {
    const s = this.state;
    const low = s.low[input]!;
    if ((s.lines & (1 << input)) === 0 || (low & (MASKED | REMOTE_IRR)) !== 0) return;
    this.deliver(input);
  }

  private deliver(input: number): void {
    const s = this.state;
    const low = s.low[input]!;
    if ((low & MASKED) !== 0) return;
    const mode = (low >> 8) & 7;
    const vector = low & 0xff;
    if (!this.target.matches(s.high[input]! >>> 24, (low & LOGICAL) !== 0)) return;
    if (this.trace.irq) this.trace.irq(`ioapic input ${input}: vector ${vector}`);
    if (mode === DELIVERY_NMI) {
      this.nmi();
    } else if (mode === DELIVERY_FIXED || mode === DELIVERY_LOWEST) {
      const level = (low & LEVEL) !== 0;
      if (level) s.low[input]! |= REMOTE_IRR;
      this.target.accept(vector, level);
    }
  }
}
