import { beforeEach, describe, expect, test } from 'vitest';
import { Uart } from '../../host/devices/uart';
import { TestClock, TestLine } from './support';

let clock: TestClock;
let line: TestLine;
let sent: number[];
let uart: Uart;

beforeEach(() => {
  clock = new TestClock();
  line = new TestLine();
  sent = [];
  uart = new Uart(clock, line.set, (byte) => sent.push(byte));
});

/** 115,200 baud, 8N1, FIFOs with trigger 14, DTR, RTS, OUT2. */
function open(ier: number, fcr = 0xc7): void {
  uart.write(3, 0x83);
  uart.write(0, 1);
  uart.write(1, 0);
  uart.write(3, 0x03);
  uart.write(2, fcr);
  uart.write(4, 0x0b);
  uart.write(1, ier);
}

describe('16550A', () => {
  test('passes Linux’s autoconfiguration', () => {
    uart.write(1, 0);
    uart.write(1, 0x0f);
    expect(uart.read(1)).toBe(0x0f);
    uart.write(1, 0);
    uart.write(4, 0x1a); // loopback: OUT2 and RTS come back as DCD and CTS
    expect(uart.read(6) & 0xf0).toBe(0x90);
    uart.write(4, 0);
    uart.write(7, 0xa5);
    expect(uart.read(7)).toBe(0xa5);
    expect(uart.read(2) & 0xc0).toBe(0);
    uart.write(2, 0x01);
    expect(uart.read(2) & 0xc0).toBe(0xc0);
  });

  test('keeps the divisor behind DLAB', () => {
    uart.write(3, 0x80);
    uart.write(0, 0x34);
    uart.write(1, 0x12);
    expect([uart.read(0), uart.read(1)]).toEqual([0x34, 0x12]);
    uart.write(3, 0);
    expect(uart.read(1)).toBe(0);
  });

  test('sends at once and is empty again', () => {
    open(0);
    for (const c of 'hello') uart.write(0, c.charCodeAt(0));
    expect(String.fromCharCode(...sent)).toBe('hello');
    expect(uart.read(5) & 0x60).toBe(0x60);
  });

  test('enabling THRI on an empty transmitter interrupts; reading IIR acknowledges', () => {
    open(0x02);
    expect(line.level).toBe(true);
    expect(uart.read(2) & 0x0f).toBe(0x02);
    expect(line.level).toBe(false);
    expect(uart.read(2) & 0x0f).toBe(0x01);
    uart.write(1, 0);
    uart.write(1, 2);
    expect(uart.read(2) & 0x0f).toBe(0x02);
  });

  test('OUT2 gates the interrupt', () => {
    open(0x02);
    uart.write(4, 0x03);
    expect(line.level).toBe(false);
    uart.write(4, 0x0b);
    expect(line.level).toBe(true);
  });

  test('few bytes interrupt after four character times', () => {
    open(0x05);
    uart.send([0x41, 0x42]);
    expect(line.level).toBe(false);
    expect(uart.read(5) & 1).toBe(1);
    clock.advance(4 * 86_800 + 100);
    expect(line.level).toBe(true);
    expect(uart.read(2) & 0x0f).toBe(0x0c);
    expect(uart.read(0)).toBe(0x41);
    expect(uart.read(0)).toBe(0x42);
    expect(line.level).toBe(false);
    expect(uart.read(5) & 1).toBe(0);
  });

  test('the trigger level interrupts at once', () => {
    open(0x05);
    uart.send(new Array<number>(14).fill(0x55));
    expect(uart.read(2) & 0x0f).toBe(0x04);
    uart.read(0);
    expect(uart.read(2) & 0x0f).toBe(0x01);
  });

  test('a long paste arrives complete, in order and at line speed', () => {
    open(0x05);
    const bytes = Array.from({ length: 1000 }, (_, i) => i & 0xff);
    uart.send(bytes);
    const got: number[] = [];
    let time = 0;
    while (got.length < 1000 && time < 1e9) {
      while ((uart.read(5) & 1) !== 0) got.push(uart.read(0));
      clock.advance(50_000);
      time += 50_000;
    }
    expect(got).toEqual(bytes);
    // All but what may be ahead of the line.
    expect(time).toBeGreaterThan(0.9 * (1000 - 256) * 86_800);
    expect(uart.read(5) & 2).toBe(0); // no overrun
  });

  test('a typed line does not wait for the line speed', () => {
    open(0x05);
    for (let line = 0; line < 3; line++) {
      const bytes = Array.from({ length: 60 }, (_, i) => 32 + line + i);
      uart.send(bytes);
      const got: number[] = [];
      for (let time = 0; got.length < 60 && time < 1e6; time += 20_000) {
        while ((uart.read(5) & 1) !== 0) got.push(uart.read(0));
        clock.advance(20_000);
      }
      expect(got).toEqual(bytes);
      clock.advance(1e9);
    }
  });

  test('nothing arrives before the guest asserts RTS', () => {
    uart.send([0x41]);
    expect(uart.read(5) & 1).toBe(0);
    open(0x05);
    clock.advance(1e6);
    expect(uart.read(0)).toBe(0x41);
  });

  test('a break is looped back after a character’s time, and once', () => {
    open(0);
    uart.write(4, 0x1b);
    // As Linux 2.6.21 does it: too short to be one.
    uart.write(3, 0x43);
    uart.write(3, 0x03);
    clock.advance(1e6);
    expect(uart.read(5) & 0x11).toBe(0);
    uart.write(3, 0x43);
    clock.advance(86_000);
    expect(uart.read(5) & 0x11).toBe(0);
    clock.advance(2000); // 10 bits at 115,200 baud are 86.8 us
    expect(uart.read(5) & 0x11).toBe(0x11);
    expect(uart.read(0)).toBe(0);
    uart.write(3, 0x43);
    clock.advance(1e6);
    expect(uart.read(5) & 0x11).toBe(0);
    // The line goes up as the loop is left.
    uart.write(4, 0x0b);
    uart.write(4, 0x1b);
    clock.advance(1e6);
    expect(uart.read(5) & 0x11).toBe(0x11);
  });

  test('loopback returns what was sent, and sends nothing', () => {
    open(0x01, 0);
    uart.write(4, 0x1b);
    uart.write(0, 0x7e);
    expect(uart.read(5) & 1).toBe(1);
    expect(uart.read(0)).toBe(0x7e);
    expect(sent).toEqual([]);
  });

  test('modem status changes are told once', () => {
    open(0x08);
    uart.write(4, 0x1b); // loopback drops nothing but RI; CTS DSR DCD follow the control register
    uart.read(6);
    uart.write(4, 0x19); // RTS away
    expect(uart.read(6) & 0x11).toBe(0x01);
    expect(uart.read(6) & 0x01).toBe(0);
  });
});
