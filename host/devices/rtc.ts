/**
 * Motorola MC146818A real-time clock with 128 bytes of CMOS memory (MC146818A data sheet).
 *
 * The date is computed from guest time; writing a date register moves the difference. Not
 * modelled: daylight saving, the square-wave pin, the divider's other time bases.
 */

import { type Clock, NS_PER_SECOND, type Timer } from '../clock';
import type { InterruptLine } from '../irq';
import type { PortHandler } from '../bus';

const SECONDS = 0;
const SECONDS_ALARM = 1;
const MINUTES = 2;
const MINUTES_ALARM = 3;
const HOURS = 4;
const HOURS_ALARM = 5;
const WEEKDAY = 6;
const DAY = 7;
const MONTH = 8;
const YEAR = 9;
const A = 0x0a;
const B = 0x0b;
const C = 0x0c;
const D = 0x0d;
/** Not a register of the chip: where PCs keep the century, as the FADT says. */
export const CMOS_CENTURY = 0x32;

const A_UPDATE_IN_PROGRESS = 0x80;
const A_DIVIDER = 0x70;
const A_DIVIDER_RESET = 0x60;
const B_SET = 0x80;
const B_PERIODIC = 0x40;
const B_ALARM = 0x20;
const B_UPDATE = 0x10;
const B_BINARY = 0x04;
const B_24_HOURS = 0x02;
const C_IRQ = 0x80;
const C_PERIODIC = 0x40;
const C_ALARM = 0x20;
const C_UPDATE = 0x10;
const D_VALID = 0x80;
const HOURS_PM = 0x80;
/** An alarm register with both top bits set matches anything. */
const ALARM_ANY = 0xc0;

/** UIP rises 244 us before the update (data sheet, figure 16). */
const UPDATE_WARNING_NS = 244_000;

const EQUIPMENT = 0x14;

export class Rtc implements PortHandler {
  readonly name = 'rtc';
  readonly state = {
    index: 0,
    memory: new Uint8Array(128),
    /** Unix time in milliseconds when guest time was 0, before the guest changed the date. */
    epoch: 0,
    /** Guest nanosecond after which update flags have not been looked at. */
    seen: 0,
  };
  private readonly periodic: Timer;
  private readonly second: Timer;

  /** @param date Unix time in milliseconds at guest time now. */
  constructor(
    private readonly clock: Clock,
    private readonly irq8: InterruptLine,
    memoryBytes: number,
    date: number,
  ) {
    const now = clock.now();
    this.state.epoch = date - now / 1e6;
    this.state.seen = now;
    this.periodic = clock.timer('rtc periodic', (deadline) => this.firePeriodic(deadline));
    this.second = clock.timer('rtc second', () => this.fireSecond());
    const memory = this.state.memory;
    memory[A] = 0x26; // 32.768 kHz, 1,024 Hz periodic rate
    memory[B] = B_24_HOURS;
    memory[D] = D_VALID;
    this.describeMemory(memoryBytes);
  }

  /** The sizes a BIOS stores: base memory, and extended memory in KiB and in units of 64 KiB. */
  private describeMemory(bytes: number): void {
    const memory = this.state.memory;
    const put16 = (index: number, value: number): void => {
      memory[index] = value & 0xff;
      memory[index + 1] = (value >> 8) & 0xff;
    };
    put16(0x15, 640);
    const extended = Math.min(0xffff, Math.max(0, bytes / 1024 - 1024));
    put16(0x17, extended);
    put16(0x30, extended);
    put16(0x34, Math.min(0xffff, Math.max(0, Math.floor((bytes - (16 << 20)) / 65536))));
    memory[EQUIPMENT] = 0x06; // an FPU and a PS/2 mouse port, no floppy drive
  }

  read(port: number): number {
    if ((port & 1) === 0) return 0xff; // the index is write-only
    const { index, memory } = this.state;
    switch (index) {
      case SECONDS:
      case MINUTES:
      case HOURS:
      case WEEKDAY:
      case DAY:
      case MONTH:
      case YEAR:
      case CMOS_CENTURY:
        return this.dateRegister(index);
      case A:
        return memory[A]! | (this.updateInProgress() ? A_UPDATE_IN_PROGRESS : 0);
      case C: {
        this.noticeUpdates();
        const flags = memory[C]!;
        memory[C] = 0;
        this.irq8(false);
        return flags;
      }
      default:
        return memory[index]!;
    }
  }

  write(port: number, value: number): void {
    if ((port & 1) === 0) {
      this.state.index = value & 0x7f;
      return;
    }
    const { index, memory } = this.state;
    switch (index) {
      case SECONDS:
      case MINUTES:
      case HOURS:
      case WEEKDAY:
      case DAY:
      case MONTH:
      case YEAR:
      case CMOS_CENTURY:
        this.setDateRegister(index, value);
        break;
      case A:
        memory[A] = value & ~A_UPDATE_IN_PROGRESS;
        this.schedulePeriodic();
        break;
      case B:
        this.writeB(value);
        break;
      case C:
      case D:
        break; // read-only
      default:
        memory[index] = value;
    }
  }

  private writeB(value: number): void {
    const { memory } = this.state;
    const before = memory[B]!;
    this.noticeUpdates();
    if ((value & B_SET) !== 0) {
      value &= ~B_UPDATE; // data sheet: SET clears UIE
      if ((before & B_SET) === 0) {
        // The date stands still: it goes from the registers now, and back at the end.
        for (const register of [SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CMOS_CENTURY]) {
          memory[register] = this.dateRegister(register);
        }
      }
    }
    memory[B] = value;
    if ((before & B_SET) !== 0 && (value & B_SET) === 0) this.adoptDate();
    this.raise(0);
    this.schedulePeriodic();
    this.scheduleSecond();
  }

  // --- Date -----------------------------------------------------------------------------------

  private milliseconds(): number {
    return this.state.epoch + this.clock.now() / 1e6;
  }

  private encode(value: number): number {
    if ((this.state.memory[B]! & B_BINARY) !== 0) return value;
    return (Math.floor(value / 10) << 4) | (value % 10);
  }

  private decode(value: number): number {
    if ((this.state.memory[B]! & B_BINARY) !== 0) return value;
    return (value >> 4) * 10 + (value & 15);
  }

  private encodeHour(hour: number): number {
    if ((this.state.memory[B]! & B_24_HOURS) !== 0) return this.encode(hour);
    return this.encode(hour % 12 || 12) | (hour >= 12 ? HOURS_PM : 0);
  }

  private decodeHour(value: number): number {
    if ((this.state.memory[B]! & B_24_HOURS) !== 0) return this.decode(value);
    return (this.decode(value & ~HOURS_PM) % 12) + ((value & HOURS_PM) !== 0 ? 12 : 0);
  }

  private dateRegister(index: number): number {
    const { memory } = this.state;
    if ((memory[B]! & B_SET) !== 0) return memory[index]!;
    const date = new Date(this.milliseconds());
    switch (index) {
      case SECONDS:
        return this.encode(date.getUTCSeconds());
      case MINUTES:
        return this.encode(date.getUTCMinutes());
      case HOURS:
        return this.encodeHour(date.getUTCHours());
      case WEEKDAY:
        return this.encode(date.getUTCDay() + 1);
      case DAY:
        return this.encode(date.getUTCDate());
      case MONTH:
        return this.encode(date.getUTCMonth() + 1);
      case YEAR:
        return this.encode(date.getUTCFullYear() % 100);
      default:
        return this.encode(Math.floor(date.getUTCFullYear() / 100));
    }
  }

  private setDateRegister(index: number, value: number): void {
    const { memory } = this.state;
    if ((memory[B]! & B_SET) !== 0) {
      memory[index] = value;
      return;
    }
    for (const register of [SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CMOS_CENTURY]) {
      memory[register] = this.dateRegister(register);
    }
    memory[index] = value;
    this.adoptDate();
  }

  /** Takes the date that stands in the registers; the weekday follows from it. */
  private adoptDate(): void {
    const { memory } = this.state;
    const year = this.decode(memory[CMOS_CENTURY]!) * 100 + this.decode(memory[YEAR]!);
    const date = Date.UTC(
      year,
      this.decode(memory[MONTH]!) - 1,
      this.decode(memory[DAY]!),
      this.decodeHour(memory[HOURS]!),
      this.decode(memory[MINUTES]!),
      this.decode(memory[SECONDS]!),
    );
    this.state.epoch = date - this.clock.now() / 1e6;
    this.state.seen = this.clock.now();
  }

  // --- Update cycle and alarm -------------------------------------------------------------------

  /** Guest time of the next change of the seconds register. */
  private nextSecond(now: number): number {
    const phase = (this.state.epoch * 1e6) % NS_PER_SECOND;
    return Math.ceil((Math.floor((now + phase) / NS_PER_SECOND) + 1) * NS_PER_SECOND - phase);
  }

  private running(): boolean {
    const { memory } = this.state;
    return (memory[B]! & B_SET) === 0 && (memory[A]! & A_DIVIDER) < A_DIVIDER_RESET;
  }

  private updateInProgress(): boolean {
    if (!this.running()) return false;
    const now = this.clock.now();
    return this.nextSecond(now) - now <= UPDATE_WARNING_NS;
  }

  /** Sets the update flag, and the alarm's, for seconds that ended unobserved. */
  private noticeUpdates(): void {
    const now = this.clock.now();
    const first = this.nextSecond(this.state.seen);
    this.state.seen = now;
    if (!this.running() || first > now) return;
    let flags = C_UPDATE;
    // A day is as many seconds as an alarm can tell apart.
    const last = Math.min(now, first + 86_400 * NS_PER_SECOND);
    if ((this.state.memory[C]! & C_ALARM) === 0) {
      for (let time = first; time <= last; time += NS_PER_SECOND) {
        if (this.alarmMatches(time)) {
          flags |= C_ALARM;
          break;
        }
      }
    }
    this.raise(flags);
  }

  private alarmMatches(time: number): boolean {
    const { memory } = this.state;
    const date = new Date(this.state.epoch + time / 1e6);
    const matches = (register: number, value: number): boolean => {
      const alarm = memory[register]!;
      return (alarm & ALARM_ANY) === ALARM_ANY || alarm === value;
    };
    return (
      matches(SECONDS_ALARM, this.encode(date.getUTCSeconds())) &&
      matches(MINUTES_ALARM, this.encode(date.getUTCMinutes())) &&
      matches(HOURS_ALARM, this.encodeHour(date.getUTCHours()))
    );
  }

  private scheduleSecond(): void {
    const wanted = (this.state.memory[B]! & (B_ALARM | B_UPDATE)) !== 0;
    if (wanted && this.running()) this.second.set(this.nextSecond(this.clock.now()));
    else this.second.cancel();
  }

  private fireSecond(): void {
    this.noticeUpdates();
    this.scheduleSecond();
  }

  // --- Periodic interrupt -----------------------------------------------------------------------

  /** Nanoseconds times 32,768 of one period, or 0 when the rate is off. */
  private periodTicks(): number {
    const rate = this.state.memory[A]! & 0x0f;
    if (rate === 0) return 0;
    // Rates 1 and 2 repeat 8 and 9 (data sheet, table 5).
    return 1 << ((rate < 3 ? rate + 7 : rate) - 1);
  }

  private schedulePeriodic(): void {
    const ticks = this.periodTicks();
    const on = (this.state.memory[B]! & B_PERIODIC) !== 0 && ticks > 0;
    if (!on || (this.state.memory[A]! & A_DIVIDER) >= A_DIVIDER_RESET) {
      this.periodic.cancel();
      return;
    }
    const period = (ticks * NS_PER_SECOND) / 32_768;
    const now = this.clock.now();
    this.periodic.set(Math.ceil((Math.floor(now / period) + 1) * period));
  }

  private firePeriodic(_deadline: number): void {
    this.raise(C_PERIODIC);
    this.schedulePeriodic();
  }

  private raise(flags: number): void {
    const { memory } = this.state;
    let c = (memory[C]! & ~C_IRQ) | flags;
    // B's enable bits and C's flags stand at the same places.
    if ((c & memory[B]! & (B_PERIODIC | B_ALARM | B_UPDATE)) !== 0) c |= C_IRQ;
    memory[C] = c;
    this.irq8((c & C_IRQ) !== 0);
  }
}
