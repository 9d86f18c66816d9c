/**
 * The wires between devices and the processor's INTR pin.
 *
 * An ISA interrupt line reaches both the 8259 pair and the I/O APIC; on the latter line 0 arrives
 * at input 2, as the MADT says. The pin INTR is the local APIC's own request, or the 8259's output
 * where LINT0 is programmed as ExtINT (MultiProcessor Specification 1.4, 3.6.2.2 "virtual wire").
 *
 * Levels here mean "asserted"; no electrical polarity is modelled.
 */

import { NO_TRACE, type Trace } from './trace';

/** The input of the I/O APIC that the timer's line 0 is wired to. */
export const TIMER_GSI = 2;

export interface LineSink {
  setLine(line: number, asserted: boolean): void;
}

/** A device's end of one interrupt line. */
export type InterruptLine = (asserted: boolean) => void;

/** What a processor acknowledges interrupts from. */
export interface InterruptSource {
  /** Whether INTR should be asserted for it. */
  pending(): boolean;
  /** The vector, taken; -1 when nothing is there any more. */
  acknowledge(): number;
}

export class Interrupts {
  readonly counts = new Array<number>(24).fill(0);
  /** Levels of the lines, one bit each; several devices may hold one PCI line. */
  readonly state = { lines: 0, intr: false };
  private pic!: InterruptSource & LineSink;
  private ioapic!: LineSink;
  private lapic!: InterruptSource & { acceptsExternal(): boolean };

  constructor(
    private readonly setIntr: (asserted: boolean) => void,
    private readonly trace: Trace = NO_TRACE,
  ) {}

  connect(
    pic: InterruptSource & LineSink,
    ioapic: LineSink,
    lapic: InterruptSource & { acceptsExternal(): boolean },
  ): void {
    this.pic = pic;
    this.ioapic = ioapic;
    this.lapic = lapic;
  }

  line(number: number): InterruptLine {
    return (asserted) => this.setLine(number, asserted);
  }

  setLine(line: number, asserted: boolean): void {
    const bit = 1 << line;
    if (((this.state.lines & bit) !== 0) === asserted) return;
    this.state.lines ^= bit;
    if (asserted) this.counts[line]!++;
    if (this.trace.irq) this.trace.irq(`line ${line} ${asserted ? 'up' : 'down'}`);
    this.pic.setLine(line, asserted);
    this.ioapic.setLine(line === 0 ? TIMER_GSI : line, asserted);
  }

  /** A rising edge of a line that a device may hold already; the line stays up. */
  pulse(line: number): void {
    this.setLine(line, false);
    this.setLine(line, true);
  }

  /** A controller's request may have changed: drives INTR. */
  readonly update = (): void => {
    const asserted = this.pending();
    if (asserted === this.state.intr) return;
    this.state.intr = asserted;
    this.setIntr(asserted);
  };

  pending(): boolean {
    return this.lapic.pending() || (this.lapic.acceptsExternal() && this.pic.pending());
  }

  /** The INTA cycle. */
  acknowledge(): number {
    let vector = -1;
    if (this.lapic.pending()) vector = this.lapic.acknowledge();
    else if (this.lapic.acceptsExternal()) vector = this.pic.acknowledge();
    if (this.trace.irq) this.trace.irq(`vector ${vector}`);
    this.update();
    return vector;
  }
}
