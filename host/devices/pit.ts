/**
 * Intel 8254 programmable interval timer (8254 data sheet, order 231164) and the part of system
 * control port B (61h) around it: counter 2's gate, the speaker bit, the refresh toggle, OUT2.
 *
 * Counts are never stepped; they are computed from the time that has passed since the count was
 * loaded. Not modelled: sound, and the low half of counter 0's square wave in mode 3 (its rising
 * edge, which is the interrupt, is). Counter 1 counts but refreshes nothing.
 */

import { type Clock, fromTicks, type Timer, toTicks } from '../clock';
import type { InterruptLine } from '../irq';
import type { PortHandler } from '../bus';

export const PIT_HZ = 1_193_182;
/** Ticks between two refresh requests: counter 1 as every BIOS programs it. */
const REFRESH_TICKS = 18;

const PORT_CONTROL = 0x43;
const PORT_B = 0x61;
const B_GATE2 = 0x01;
const B_SPEAKER = 0x02;
const B_REFRESH = 0x10;
const B_OUT2 = 0x20;

const ACCESS_LOW = 1;
const ACCESS_HIGH = 2;
const ACCESS_BOTH = 3;

const READ_BACK_NO_COUNT = 0x20;
const READ_BACK_NO_STATUS = 0x10;

interface CounterState {
  mode: number;
  bcd: boolean;
  access: number;
  /** What was written, 0 standing for the largest count. */
  reload: number;
  /** The tick at which the count was loaded; meaningless while `empty`. */
  start: number;
  /** The control word came, the count did not yet (the status's NULL COUNT). */
  empty: boolean;
  gate: boolean;
  /** Clocks counted when the gate went low. */
  stopped: number;
  /** A count for modes 2 and 3 that waits for the end of the period; -1 = none. */
  next: number;
  writeLow: number;
  writeHighNext: boolean;
  readHighNext: boolean;
  latched: number;
  latchedStatus: number;
}

function resetCounter(gate: boolean): CounterState {
  return {
    mode: 3,
    bcd: false,
    access: ACCESS_BOTH,
    reload: 0,
    start: 0,
    empty: false,
    gate,
    stopped: 0,
    next: -1,
    writeLow: 0,
    writeHighNext: false,
    readHighNext: false,
    latched: -1,
    latchedStatus: -1,
  };
}

function toBcd(count: number): number {
  let bcd = 0;
  for (let shift = 0; shift < 16; shift += 4, count = Math.floor(count / 10)) {
    bcd |= (count % 10) << shift;
  }
  return bcd;
}

function fromBcd(bcd: number): number {
  return (bcd & 15) + ((bcd >> 4) & 15) * 10 + ((bcd >> 8) & 15) * 100 + ((bcd >> 12) & 15) * 1000;
}

export class Pit implements PortHandler {
  readonly name = 'pit';
  readonly state = {
    counters: [resetCounter(true), resetCounter(true), resetCounter(false)],
    portB: 0,
  };
  private readonly timer: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly irq0: InterruptLine,
  ) {
    this.timer = clock.timer('pit', (deadline) => this.fire(deadline));
    // As a BIOS leaves it: counter 0 in mode 3 at its longest period, 18.2 Hz.
    const tick = this.tick();
    for (const counter of this.state.counters) counter.start = tick;
    irq0(true);
    this.schedule(this.clock.now());
  }

  read(port: number): number {
    if (port === PORT_B) {
      const refresh = Math.floor(this.tick() / REFRESH_TICKS) & 1 ? B_REFRESH : 0;
      return this.state.portB | refresh | (this.output(2) ? B_OUT2 : 0);
    }
    if (port === PORT_CONTROL) return 0xff; // write-only
    const counter = this.state.counters[port & 3]!;
    if (counter.latchedStatus >= 0) {
      const status = counter.latchedStatus;
      counter.latchedStatus = -1;
      return status;
    }
    const count = counter.latched >= 0 ? counter.latched : this.count(counter);
    switch (counter.access) {
      case ACCESS_LOW:
        counter.latched = -1;
        return count & 0xff;
      case ACCESS_HIGH:
        counter.latched = -1;
        return count >> 8;
      default: {
        const high = counter.readHighNext;
        counter.readHighNext = !high;
        if (high) counter.latched = -1;
        return high ? count >> 8 : count & 0xff;
      }
    }
  }

  write(port: number, value: number): void {
    if (port === PORT_B) this.writePortB(value);
    else if (port === PORT_CONTROL) this.control(value);
    else this.writeCount(port & 3, value);
  }

  private control(value: number): void {
    const select = value >> 6;
    if (select === 3) {
      for (let i = 0; i < 3; i++) {
        if ((value & (2 << i)) === 0) continue;
        if ((value & READ_BACK_NO_COUNT) === 0) this.latch(i);
        if ((value & READ_BACK_NO_STATUS) === 0) this.latchStatus(i);
      }
      return;
    }
    const access = (value >> 4) & 3;
    if (access === 0) {
      this.latch(select);
      return;
    }
    const counter = this.state.counters[select]!;
    const mode = (value >> 1) & 7;
    counter.mode = mode > 5 ? mode & 3 : mode;
    counter.bcd = (value & 1) !== 0;
    counter.access = access;
    counter.empty = true;
    counter.next = -1;
    counter.writeHighNext = false;
    counter.readHighNext = false;
    counter.latched = -1;
    counter.latchedStatus = -1;
    if (select === 0) {
      // OUT takes its initial level with the control word: low in mode 0, high in the others.
      this.timer.cancel();
      this.irq0(counter.mode !== 0);
    }
  }

  private writeCount(index: number, value: number): void {
    const counter = this.state.counters[index]!;
    switch (counter.access) {
      case ACCESS_LOW:
        this.load(index, value);
        break;
      case ACCESS_HIGH:
        this.load(index, value << 8);
        break;
      default:
        if (counter.writeHighNext) {
          this.load(index, counter.writeLow | (value << 8));
        } else {
          counter.writeLow = value;
          // In mode 0 the first byte stops the count.
          if (counter.mode === 0) {
            counter.empty = true;
            if (index === 0) {
              this.timer.cancel();
              this.irq0(false);
            }
          }
        }
        counter.writeHighNext = !counter.writeHighNext;
    }
  }

  /** A complete count has been written. It enters the counter with the next clock pulse. */
  private load(index: number, reload: number): void {
    const counter = this.state.counters[index]!;
    const tick = this.tick();
    const periodic = counter.mode === 2 || counter.mode === 3;
    if (periodic && !counter.empty && counter.gate) {
      this.settlePeriod(counter, tick);
      counter.next = reload;
    } else {
      counter.reload = reload;
      counter.next = -1;
      counter.stopped = 0;
      // Modes 1 and 5 wait for their gate: a start in the far future.
      counter.start = counter.mode === 1 || counter.mode === 5 ? Infinity : tick + 1;
    }
    counter.empty = false;
    if (index === 0) {
      if (counter.mode === 0) this.irq0(false);
      this.schedule(this.clock.now());
    }
  }

  private writePortB(value: number): void {
    this.state.portB = value & (B_GATE2 | B_SPEAKER);
    const counter = this.state.counters[2]!;
    const gate = (value & B_GATE2) !== 0;
    if (gate === counter.gate) return;
    const tick = this.tick();
    if (!gate) {
      counter.stopped = Math.max(0, tick - counter.start);
    } else if (counter.mode === 0 || counter.mode === 4) {
      counter.start = tick - counter.stopped; // goes on
    } else {
      counter.start = tick + 1; // triggers or starts over
    }
    counter.gate = gate;
  }

  private tick(): number {
    return toTicks(this.clock.now(), PIT_HZ);
  }

  private period(counter: CounterState): number {
    const reload = counter.bcd ? fromBcd(counter.reload) : counter.reload;
    return reload || (counter.bcd ? 10_000 : 0x10000);
  }

  /** Moves `start` to the current period's beginning, where a waiting count may take over. */
  private settlePeriod(counter: CounterState, tick: number): void {
    const passed = tick - counter.start;
    const period = this.period(counter);
    if (passed < period) return;
    if (counter.next >= 0) {
      counter.start += period;
      counter.reload = counter.next;
      counter.next = -1;
      this.settlePeriod(counter, tick);
    } else {
      counter.start += Math.floor(passed / period) * period;
    }
  }

  private elapsed(counter: CounterState): number {
    if ((counter.mode === 1 || counter.mode === 5) === false && !counter.gate) {
      return counter.stopped;
    }
    const tick = this.tick();
    if (counter.mode === 2 || counter.mode === 3) this.settlePeriod(counter, tick);
    return Math.max(0, tick - counter.start);
  }

  private count(counter: CounterState): number {
    const period = this.period(counter);
    const modulus = counter.bcd ? 10_000 : 0x10000;
    let count: number;
    if (counter.empty) {
      count = period;
    } else {
      const elapsed = this.elapsed(counter);
      switch (counter.mode) {
        case 2:
          count = period - (elapsed % period);
          break;
        case 3: {
          // Counts down by two, twice a period; odd counts lose their lowest bit.
          const half = (period + 1) >> 1;
          const phase = elapsed % period;
          count = (period & ~1) - 2 * (phase < half ? phase : phase - half);
          break;
        }
        default:
          count = (((period - elapsed) % modulus) + modulus) % modulus;
      }
    }
    count %= modulus;
    return counter.bcd ? toBcd(count) : count;
  }

  /** OUT of a counter. */
  private output(index: number): boolean {
    const counter = this.state.counters[index]!;
    if (counter.empty) return counter.mode !== 0;
    const period = this.period(counter);
    const elapsed = this.elapsed(counter);
    switch (counter.mode) {
      case 0:
        return elapsed >= period;
      case 1:
        return counter.start === Infinity || elapsed >= period;
      case 2:
        return !counter.gate || elapsed % period !== period - 1;
      case 3:
        return !counter.gate || elapsed % period < (period + 1) >> 1;
      default:
        return elapsed !== period;
    }
  }

  private latch(index: number): void {
    const counter = this.state.counters[index]!;
    if (counter.latched < 0) counter.latched = this.count(counter);
  }

  private latchStatus(index: number): void {
    const counter = this.state.counters[index]!;
    if (counter.latchedStatus >= 0) return;
    counter.latchedStatus =
      (this.output(index) ? 0x80 : 0) |
      (counter.empty || counter.next >= 0 ? 0x40 : 0) |
      (counter.access << 4) |
      (counter.mode << 1) |
      (counter.bcd ? 1 : 0);
  }

  /** Sets the timer to counter 0's next rising edge after a time. */
  private schedule(now: number): void {
    const counter = this.state.counters[0]!;
    const period = this.period(counter);
    let edge: number;
    switch (counter.mode) {
      case 0:
        edge = counter.start + period;
        break;
      case 2:
      case 3:
        this.settlePeriod(counter, toTicks(now, PIT_HZ));
        edge = counter.start + this.period(counter);
        break;
      case 4:
        edge = counter.start + period + 1;
        break;
      default:
        return;
    }
    this.timer.set(fromTicks(edge, PIT_HZ));
  }

  private fire(deadline: number): void {
    const mode = this.state.counters[0]!.mode;
    if (mode !== 0) this.irq0(false);
    this.irq0(true);
    // Periods the host slept through are dropped, not made up for.
    if (mode === 2 || mode === 3) this.schedule(Math.max(deadline, this.clock.now()));
  }
}
