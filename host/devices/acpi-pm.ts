/**
 * The ACPI fixed hardware (ACPI 6.0 chapter 4.8): PM1 event and control block, PM timer, and the
 * SMI command port with which an operating system takes them over from the firmware.
 *
 * There is no firmware that handles SMIs: the two commands are carried out here. Not modelled:
 * general-purpose events, S1 to S4, the sleep button.
 */

import { type Clock, fromTicks, type Timer, toTicks } from '../clock';
import type { InterruptLine } from '../irq';
import type { PortHandler } from '../bus';

export const SCI_IRQ = 9;
export const PM1_EVENT = 0x600;
export const PM1_CONTROL = 0x604;
export const PM_TIMER = 0x608;
export const PM_END = 0x60b;
export const SMI_COMMAND = 0xb2;
export const SMI_STATUS = 0xb3;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;
/** SLP_TYP of S5, the PIIX4's "soft off". */
export const SLEEP_TYPE_S5 = 0;

const PM_TIMER_HZ = 3_579_545;
/** The timer's status bit follows its highest bit. */
const TIMER_HALF = 0x80000000;

const STATUS_TIMER = 0x0001;
const STATUS_POWER_BUTTON = 0x0100;
/** TMR, GBL, PWRBTN, SLPBTN, RTC: the events that have an enable bit. */
const EVENTS = 0x0721;
const CONTROL_SCI_ENABLE = 0x0001;
const CONTROL_SLEEP_TYPE = 10;
const CONTROL_SLEEP_ENABLE = 0x2000;

export class AcpiPm implements PortHandler {
  readonly name = 'acpi';
  readonly widest = 4;
  readonly state = { status: 0, enable: 0, control: 0, smiStatus: 0 };
  private readonly overflow: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly sci: InterruptLine,
    private readonly powerOff: () => void,
  ) {
    this.overflow = clock.timer('acpi timer', () => {
      this.state.status |= STATUS_TIMER;
      this.scheduleOverflow();
      this.update();
    });
    this.scheduleOverflow();
  }

  /** The user presses the power button. */
  pressPowerButton(): void {
    this.state.status |= STATUS_POWER_BUTTON;
    this.update();
  }

  read(port: number, size: number): number {
    const s = this.state;
    if (port === SMI_COMMAND) return 0;
    if (port === SMI_STATUS) return s.smiStatus;
    let value: number;
    if (port >= PM_TIMER) value = this.count();
    else if (port >= PM1_CONTROL) value = s.control;
    else value = (s.status | (s.enable << 16)) >>> 0;
    value >>>= 8 * (port & 3);
    return size === 4 ? value : size === 2 ? value & 0xffff : value & 0xff;
  }

  write(port: number, value: number, size: number): void {
    if (port === SMI_COMMAND || port === SMI_STATUS) {
      this.writeSmi(port, value & 0xff);
      if (port === SMI_COMMAND && size > 1) this.writeSmi(SMI_STATUS, (value >>> 8) & 0xff);
      return;
    }
    for (let i = 0; i < size; i++) this.writeByte(port + i, (value >>> (8 * i)) & 0xff);
    this.update();
  }

  private writeSmi(port: number, value: number): void {
    const s = this.state;
    if (port === SMI_STATUS) {
      s.smiStatus = value;
    } else if (value === ACPI_ENABLE) {
      s.control |= CONTROL_SCI_ENABLE;
      this.update();
    } else if (value === ACPI_DISABLE) {
      s.control &= ~CONTROL_SCI_ENABLE;
      this.update();
    }
  }

  private writeByte(port: number, value: number): void {
    const s = this.state;
    const shift = 8 * (port & 1);
    const mask = 0xff << shift;
    const bits = value << shift;
    if (port < PM1_EVENT + 2) {
      s.status &= ~bits; // cleared by ones
    } else if (port < PM1_CONTROL) {
      s.enable = ((s.enable & ~mask) | bits) & EVENTS;
    } else if (port < PM1_CONTROL + 2) {
      this.writeControl((s.control & ~mask) | bits);
    }
  }

  private writeControl(value: number): void {
    const s = this.state;
    // SCI_EN is the firmware's; SLP_EN always reads as zero.
    s.control = (value & ~(CONTROL_SLEEP_ENABLE | 1)) | (s.control & CONTROL_SCI_ENABLE);
    const type = (value >> CONTROL_SLEEP_TYPE) & 7;
    if ((value & CONTROL_SLEEP_ENABLE) !== 0 && type === SLEEP_TYPE_S5) this.powerOff();
  }

  private count(): number {
    return toTicks(this.clock.now(), PM_TIMER_HZ) % 2 ** 32;
  }

  /** The status bit is set every 20 minutes; a wake-up so rare costs nothing. */
  private scheduleOverflow(): void {
    const ticks = toTicks(this.clock.now(), PM_TIMER_HZ);
    const next = (Math.floor(ticks / TIMER_HALF) + 1) * TIMER_HALF;
    this.overflow.set(fromTicks(next, PM_TIMER_HZ));
  }

  private update(): void {
    const { status, enable, control } = this.state;
    this.sci((control & CONTROL_SCI_ENABLE) !== 0 && (status & enable & EVENTS) !== 0);
  }
}
