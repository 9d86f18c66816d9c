/**
 * Two Intel 8259A interrupt controllers in cascade (8259A data sheet, order 231468), as in the
 * PIIX with its edge/level control registers (ELCR) at ports 4D0h and 4D1h.
 *
 * Not modelled: 8080/8085 mode (ICW4 bit 0 clear) and buffered mode, which a PC cannot use.
 */

import type { InterruptSource, LineSink } from '../irq';
import type { PortHandler } from '../bus';

const ICW1_ICW4 = 0x01;
const ICW1_SINGLE = 0x02;
const ICW1_INIT = 0x10;
const ICW4_AUTO_EOI = 0x02;
const ICW4_SPECIAL_NESTED = 0x10;
const OCW3 = 0x08;
const OCW3_READ_ISR = 0x01;
const OCW3_READ = 0x02;
const OCW3_POLL = 0x04;
const OCW3_SPECIAL_MASK = 0x20;
const OCW3_SPECIAL_MASK_ENABLE = 0x40;

const CASCADE = 2;
/** Lines that are edge-triggered whatever ELCR says: timer, keyboard, cascade, RTC, FPU. */
const ELCR_WRITABLE = [0xf8, 0xde] as const;

interface ChipState {
  irr: number;
  imr: number;
  isr: number;
  lines: number;
  elcr: number;
  base: number;
  /** The level of lowest priority; the next one is the highest. */
  lowest: number;
  /** Which initialization word port 1 takes next; 0 = it is the mask. */
  icw: number;
  wantsIcw4: boolean;
  single: boolean;
  autoEoi: boolean;
  rotateOnAutoEoi: boolean;
  specialNested: boolean;
  specialMask: boolean;
  readIsr: boolean;
  poll: boolean;
}

function resetChip(): ChipState {
  return {
    irr: 0,
    imr: 0,
    isr: 0,
    lines: 0,
    elcr: 0,
    base: 0,
    lowest: 7,
    icw: 0,
    wantsIcw4: false,
    single: false,
    autoEoi: false,
    rotateOnAutoEoi: false,
    specialNested: false,
    specialMask: false,
    readIsr: false,
    poll: false,
  };
}

class Chip {
  readonly state = resetChip();

  constructor(readonly master: boolean) {}

  setLine(level: number, asserted: boolean): void {
    const s = this.state;
    const bit = 1 << level;
    if (asserted) {
      if ((s.elcr & bit) !== 0 || (s.lines & bit) === 0) s.irr |= bit;
      s.lines |= bit;
    } else {
      // A request that goes away before the acknowledge is forgotten, edge or level (data sheet,
      // "IR level must remain high until after the falling edge of the first INTA").
      s.lines &= ~bit;
      s.irr &= ~bit;
    }
  }

  /** The level that would be acknowledged, or -1. */
  request(): number {
    const s = this.state;
    const requests = s.irr & ~s.imr;
    if (requests === 0) return -1;
    // In special mask mode a masked level in service blocks nothing.
    const inService = s.specialMask ? s.isr & ~s.imr : s.isr;
    for (let i = 1; i <= 8; i++) {
      const level = (s.lowest + i) & 7;
      const bit = 1 << level;
      const nested = this.master && s.specialNested && level === CASCADE;
      if ((requests & bit) !== 0 && ((inService & bit) === 0 || nested)) return level;
      if ((inService & bit) !== 0 && !s.specialMask) return -1;
    }
    return -1;
  }

  /** Moves the request into service. */
  accept(level: number): void {
    const s = this.state;
    const bit = 1 << level;
    if ((s.elcr & bit) === 0) s.irr &= ~bit;
    if (s.autoEoi) {
      if (s.rotateOnAutoEoi) s.lowest = level;
    } else {
      s.isr |= bit;
    }
  }

  read(offset: number): number {
    const s = this.state;
    if (s.poll) {
      s.poll = false;
      const level = this.request();
      if (level < 0) return 0;
      this.accept(level);
      return 0x80 | level;
    }
    if (offset === 1) return s.imr;
    return s.readIsr ? s.isr : s.irr;
  }

  write(offset: number, value: number): void {
    const s = this.state;
    if (offset === 0) {
      if ((value & ICW1_INIT) !== 0) this.initialize(value);
      else if ((value & OCW3) !== 0) this.operation3(value);
      else this.operation2(value);
      return;
    }
    switch (s.icw) {
      case 2:
        s.base = value & 0xf8;
        s.icw = s.single ? (s.wantsIcw4 ? 4 : 0) : 3;
        break;
      case 3: // The cascade is wired; what the word says about it cannot differ.
        s.icw = s.wantsIcw4 ? 4 : 0;
        break;
      case 4:
        s.autoEoi = (value & ICW4_AUTO_EOI) !== 0;
        s.specialNested = (value & ICW4_SPECIAL_NESTED) !== 0;
        s.icw = 0;
        break;
      default:
        s.imr = value;
    }
  }

  private initialize(value: number): void {
    const s = this.state;
    const { lines, elcr } = s;
    Object.assign(s, resetChip());
    s.lines = lines;
    s.elcr = elcr;
    // Edge detection starts over: a line that is already up is no edge, a level request stays.
    s.irr = lines & elcr;
    s.icw = 2;
    s.wantsIcw4 = (value & ICW1_ICW4) !== 0;
    s.single = (value & ICW1_SINGLE) !== 0;
  }

  private operation2(value: number): void {
    const s = this.state;
    const level = value & 7;
    switch (value >> 5) {
      case 0: // rotate in automatic EOI mode, clear
        s.rotateOnAutoEoi = false;
        break;
      case 1: // non-specific EOI
        this.endHighest(false);
        break;
      case 3: // specific EOI
        s.isr &= ~(1 << level);
        break;
      case 4: // rotate in automatic EOI mode, set
        s.rotateOnAutoEoi = true;
        break;
      case 5: // rotate on non-specific EOI
        this.endHighest(true);
        break;
      case 6: // set priority
        s.lowest = level;
        break;
      case 7: // rotate on specific EOI
        s.isr &= ~(1 << level);
        s.lowest = level;
        break;
      default: // 2: no operation
    }
  }

  private operation3(value: number): void {
    const s = this.state;
    if ((value & OCW3_SPECIAL_MASK_ENABLE) !== 0) s.specialMask = (value & OCW3_SPECIAL_MASK) !== 0;
    if ((value & OCW3_POLL) !== 0) s.poll = true;
    else if ((value & OCW3_READ) !== 0) s.readIsr = (value & OCW3_READ_ISR) !== 0;
  }

  /** Clears the in-service bit of highest priority; masked ones are skipped in special mask mode. */
  private endHighest(rotate: boolean): void {
    const s = this.state;
    for (let i = 1; i <= 8; i++) {
      const level = (s.lowest + i) & 7;
      const bit = 1 << level;
      if ((s.isr & bit) === 0 || (s.specialMask && (s.imr & bit) !== 0)) continue;
      s.isr &= ~bit;
      if (rotate) s.lowest = level;
      return;
    }
  }
}

export class Pic implements InterruptSource, LineSink, PortHandler {
  readonly name = 'pic';
  private readonly master = new Chip(true);
  private readonly slave = new Chip(false);
  readonly state = { master: this.master.state, slave: this.slave.state };

  /** @param changed called whenever the output INT may have changed. */
  constructor(private readonly changed: () => void) {}

  setLine(line: number, asserted: boolean): void {
    if (line === CASCADE || line > 15) return;
    if (line < 8) this.master.setLine(line, asserted);
    else this.slave.setLine(line - 8, asserted);
    this.settle();
  }

  pending(): boolean {
    return this.master.request() >= 0;
  }

  acknowledge(): number {
    let level = this.master.request();
    // The request vanished: the controller answers with level 7 and sets no in-service bit.
    if (level < 0) return this.master.state.base + 7;
    this.master.accept(level);
    let vector = this.master.state.base + level;
    if (level === CASCADE) {
      level = this.slave.request();
      if (level < 0) {
        vector = this.slave.state.base + 7;
      } else {
        this.slave.accept(level);
        vector = this.slave.state.base + level;
      }
    }
    this.settle();
    return vector;
  }

  read(port: number): number {
    if (port >= 0x4d0) return (port === 0x4d0 ? this.master : this.slave).state.elcr;
    const chip = port < 0xa0 ? this.master : this.slave;
    const value = chip.read(port & 1);
    this.settle();
    return value;
  }

  write(port: number, value: number): void {
    if (port >= 0x4d0) {
      const slave = port & 1;
      const s = (slave ? this.slave : this.master).state;
      s.elcr = value & ELCR_WRITABLE[slave]!;
      s.irr |= s.lines & s.elcr;
    } else {
      (port < 0xa0 ? this.master : this.slave).write(port & 1, value);
    }
    this.settle();
  }

  /** The slave's INT is the master's input 2, which follows it like a level. */
  private settle(): void {
    const asserted = this.slave.request() >= 0;
    const s = this.master.state;
    if (asserted) {
      s.irr |= 1 << CASCADE;
      s.lines |= 1 << CASCADE;
    } else {
      s.irr &= ~(1 << CASCADE);
      s.lines &= ~(1 << CASCADE);
    }
    this.changed();
  }
}
