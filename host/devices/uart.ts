/**
 * National Semiconductor PC16550D UART (data sheet, order TL/C/8652) as COM1.
 *
 * Sent bytes leave at once; received bytes arrive in the long run no faster than the programmed line
 * speed, up to a FIFO full at a time, and only while the guest asserts RTS (a terminal behind a null-modem cable
 * with CTS, DSR and DCD always on). Not modelled: parity, framing and break errors.
 */

import { type Clock, NS_PER_SECOND, type Timer } from '../clock';
import type { InterruptLine } from '../irq';
import type { PortHandler } from '../bus';

export const COM1 = 0x3f8;
export const COM1_IRQ = 4;
const CRYSTAL_HZ = 1_843_200;

const RBR_THR_DLL = 0;
const IER_DLM = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;

const IER_RECEIVED = 0x01;
const IER_TRANSMIT = 0x02;
const IER_LINE = 0x04;
const IER_MODEM = 0x08;
const IIR_NONE = 0x01;
const IIR_MODEM = 0x00;
const IIR_TRANSMIT = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFOS = 0xc0;
const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const LCR_BREAK = 0x40;
const LCR_DIVISOR = 0x80;
const MCR_DTR = 0x01;
const MCR_RTS = 0x02;
const MCR_OUT1 = 0x04;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;
const LSR_DATA = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_BREAK = 0x10;
const LSR_THR_EMPTY = 0x20;
const LSR_IDLE = 0x40;
const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_RI = 0x40;
const MSR_DCD = 0x80;
/** Trailing edge of the ring indicator: the one delta bit that is no simple change. */
const MSR_RING_ENDED = 0x04;

const FIFO_SIZE = 16;
/**
 * Bytes that may be ahead of the line speed: a typed line comes at once (at 9,600 baud, which Linux sets
 * where it is told nothing, it would take 40 ms), a paste longer than a guest's buffers comes as slowly as it must.
 */
const BURST = 256;
/** Nanoseconds between two of them at least. */
const BURST_CHARACTER = 10_000;
const TRIGGERS = [1, 4, 8, 14] as const;

export class Uart implements PortHandler {
  readonly name = 'uart';
  readonly state = {
    ier: 0,
    fcr: 0,
    lcr: 0,
    mcr: 0,
    lsr: LSR_THR_EMPTY | LSR_IDLE,
    msr: MSR_CTS | MSR_DSR | MSR_DCD,
    scratch: 0,
    divisor: 12,
    /** THR ran empty and nobody has been told yet. */
    transmitPending: false,
    timeout: false,
    received: [] as number[],
    /** What the host typed and the line has not carried yet. */
    input: [] as number[],
    /** Nanoseconds: when the line would have carried all that came, at its speed. */
    carriedAt: 0,
  };
  sent = 0;
  private readonly lineTimer: Timer;
  private readonly timeoutTimer: Timer;
  private readonly breakTimer: Timer;
  /** The receiver's line is held low by a break that is looped back. */
  private low = false;

  constructor(
    private readonly clock: Clock,
    private readonly irq: InterruptLine,
    private readonly output: (byte: number) => void,
  ) {
    this.lineTimer = clock.timer('uart line', () => this.carry());
    this.timeoutTimer = clock.timer('uart timeout', () => this.fireTimeout());
    this.breakTimer = clock.timer('uart break', () => this.loopBreak());
  }

  /** Bytes from the host's side of the line. */
  send(bytes: Iterable<number>): void {
    for (const byte of bytes) this.state.input.push(byte & 0xff);
    if (this.lineTimer.deadline === Infinity) this.carry();
  }

  read(port: number): number {
    const s = this.state;
    const divisor = (s.lcr & LCR_DIVISOR) !== 0;
    switch (port & 7) {
      case RBR_THR_DLL:
        return divisor ? s.divisor & 0xff : this.receive();
      case IER_DLM:
        return divisor ? s.divisor >> 8 : s.ier;
      case IIR_FCR: {
        const cause = this.cause();
        if (cause === IIR_TRANSMIT) {
          s.transmitPending = false;
          this.update();
        }
        return cause | ((s.fcr & FCR_ENABLE) !== 0 ? IIR_FIFOS : 0);
      }
      case LCR:
        return s.lcr;
      case MCR:
        return s.mcr;
      case LSR: {
        const value = s.lsr | (s.received.length > 0 ? LSR_DATA : 0);
        s.lsr &= ~(LSR_OVERRUN | LSR_BREAK);
        this.update();
        return value;
      }
      case MSR: {
        const value = s.msr;
        s.msr &= 0xf0; // the delta bits go away when read
        this.update();
        return value;
      }
      default:
        return s.scratch;
    }
  }

  write(port: number, value: number): void {
    const s = this.state;
    const divisor = (s.lcr & LCR_DIVISOR) !== 0;
    switch (port & 7) {
      case RBR_THR_DLL:
        if (divisor) s.divisor = (s.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case IER_DLM:
        if (divisor) {
          s.divisor = (s.divisor & 0x00ff) | (value << 8);
        } else {
          // Enabling the THRE interrupt while THR is empty raises it; Linux tests for that.
          if ((value & ~s.ier & IER_TRANSMIT) !== 0) s.transmitPending = true;
          s.ier = value & 0x0f;
          this.update();
        }
        break;
      case IIR_FCR:
        this.writeFifoControl(value);
        break;
      case LCR:
        s.lcr = value;
        this.watchBreak();
        break;
      case MCR:
        this.writeModemControl(value);
        break;
      case LSR:
      case MSR:
        break; // writing is for factory tests
      default:
        s.scratch = value;
    }
  }

  // --- Data -------------------------------------------------------------------------------------

  private transmit(byte: number): void {
    const s = this.state;
    if ((s.mcr & MCR_LOOP) !== 0) {
      this.push(byte);
    } else {
      this.sent++;
      this.output(byte);
    }
    // The line is infinitely fast outwards: THR is empty again.
    s.transmitPending = true;
    this.update();
  }

  private receive(): number {
    const s = this.state;
    const byte = s.received.shift() ?? 0;
    s.timeout = false;
    this.timeoutTimer.cancel();
    if (s.received.length > 0) this.startTimeout();
    if (s.input.length > 0 && this.lineTimer.deadline === Infinity) this.carry();
    this.update();
    return byte;
  }

  private push(byte: number): void {
    const s = this.state;
    const room = (s.fcr & FCR_ENABLE) !== 0 ? FIFO_SIZE : 1;
    if (s.received.length >= room) {
      s.lsr |= LSR_OVERRUN;
      // Without a FIFO the new byte replaces the old one; with it, the new one is lost.
      if (room === 1) s.received[0] = byte;
    } else {
      s.received.push(byte);
    }
    this.startTimeout();
  }

  /** Moves typed bytes into the receiver, then keeps the line busy as long as they would take. */
  private carry(): void {
    const s = this.state;
    if ((s.mcr & (MCR_RTS | MCR_LOOP)) !== MCR_RTS) return;
    const room = (s.fcr & FCR_ENABLE) !== 0 ? FIFO_SIZE : 1;
    let carried = 0;
    while (s.received.length < room && s.input.length > 0) {
      this.push(s.input.shift()!);
      carried++;
    }
    if (carried === 0) return; // the guest's read will go on
    const now = this.clock.now();
    const time = this.characterTime();
    s.carriedAt = Math.max(s.carriedAt, now) + carried * time;
    this.lineTimer.set(
      Math.max(s.carriedAt - BURST * time, now + carried * Math.min(BURST_CHARACTER, time)),
    );
    this.update();
  }

  /** Nanoseconds of one character: start, data, parity and stop bits. */
  private characterTime(): number {
    const s = this.state;
    const bits = 1 + 5 + (s.lcr & 3) + ((s.lcr & 8) !== 0 ? 1 : 0) + ((s.lcr & 4) !== 0 ? 2 : 1);
    return Math.round((bits * 16 * (s.divisor || 1) * NS_PER_SECOND) / CRYSTAL_HZ);
  }

  private startTimeout(): void {
    if ((this.state.fcr & FCR_ENABLE) === 0) return;
    this.timeoutTimer.set(this.clock.now() + 4 * Math.min(BURST_CHARACTER, this.characterTime()));
  }

  private fireTimeout(): void {
    if (this.state.received.length === 0) return;
    this.state.timeout = true;
    this.update();
  }

  private writeFifoControl(value: number): void {
    const s = this.state;
    const toggled = ((value ^ s.fcr) & FCR_ENABLE) !== 0;
    if (toggled || (value & FCR_RESET_RECEIVER) !== 0) {
      s.received.length = 0;
      s.timeout = false;
      this.timeoutTimer.cancel();
    }
    s.fcr = (value & FCR_ENABLE) !== 0 ? value & 0xc9 : 0;
    if (s.input.length > 0 && this.lineTimer.deadline === Infinity) this.carry();
    this.update();
  }

  /**
   * Looped back, a break is one when the line has been low for longer than a whole character: Linux
   * 2.6.21 sets and clears the bit as it looks which chip this is, and would take the first letter typed for SysRq.
   */
  private watchBreak(): void {
    const { lcr, mcr } = this.state;
    const low = (lcr & LCR_BREAK) !== 0 && (mcr & MCR_LOOP) !== 0;
    if (low && !this.low) this.breakTimer.set(this.clock.now() + this.characterTime());
    else if (!low) this.breakTimer.cancel();
    this.low = low;
  }

  private loopBreak(): void {
    this.state.lsr |= LSR_BREAK;
    this.push(0);
    this.update();
  }

  // --- Modem lines ------------------------------------------------------------------------------

  private writeModemControl(value: number): void {
    const s = this.state;
    s.mcr = value & 0x1f;
    this.watchBreak();
    let lines = MSR_CTS | MSR_DSR | MSR_DCD;
    if ((value & MCR_LOOP) !== 0) {
      lines =
        ((value & MCR_RTS) !== 0 ? MSR_CTS : 0) |
        ((value & MCR_DTR) !== 0 ? MSR_DSR : 0) |
        ((value & MCR_OUT1) !== 0 ? MSR_RI : 0) |
        ((value & MCR_OUT2) !== 0 ? MSR_DCD : 0);
    }
    const changed = (s.msr ^ lines) & 0xf0;
    let delta = (changed >> 4) & 0x0b;
    if ((changed & MSR_RI) !== 0 && (lines & MSR_RI) === 0) delta |= MSR_RING_ENDED;
    s.msr = lines | (s.msr & 0x0f) | delta;
    if (s.input.length > 0 && this.lineTimer.deadline === Infinity) this.carry();
    this.update();
  }

  // --- Interrupts -------------------------------------------------------------------------------

  /** The identification register's cause, by priority. */
  private cause(): number {
    const s = this.state;
    if ((s.ier & IER_LINE) !== 0 && (s.lsr & (LSR_OVERRUN | LSR_BREAK)) !== 0) return IIR_LINE;
    if ((s.ier & IER_RECEIVED) !== 0) {
      const fifo = (s.fcr & FCR_ENABLE) !== 0;
      if (s.received.length >= (fifo ? TRIGGERS[s.fcr >> 6]! : 1)) return IIR_RECEIVED;
      if (s.timeout) return IIR_TIMEOUT;
    }
    if ((s.ier & IER_TRANSMIT) !== 0 && s.transmitPending) return IIR_TRANSMIT;
    if ((s.ier & IER_MODEM) !== 0 && (s.msr & 0x0f) !== 0) return IIR_MODEM;
    return IIR_NONE;
  }

  private update(): void {
    // On a PC, OUT2 gates the interrupt line; in loopback the output pins are inactive.
    const gated = (this.state.mcr & (MCR_OUT2 | MCR_LOOP)) === MCR_OUT2;
    this.irq(gated && this.cause() !== IIR_NONE);
  }
}
