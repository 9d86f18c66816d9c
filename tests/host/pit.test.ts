import { describe, expect, test } from 'vitest';
import { Pit, PIT_HZ } from '../../host/devices/pit';
import { fromTicks } from '../../host/clock';
import { TestClock, TestLine } from './support';

function setup(): { clock: TestClock; line: TestLine; pit: Pit } {
  const clock = new TestClock();
  const line = new TestLine();
  const pit = new Pit(clock, line.set);
  return { clock, line, pit };
}

const ticks = (n: number): number => fromTicks(n, PIT_HZ);

function latched(pit: Pit, counter: number): number {
  pit.write(0x43, counter << 6);
  const low = pit.read(0x40 + counter);
  return low | (pit.read(0x40 + counter) << 8);
}

describe('8254', () => {
  test('the firmware leaves 18.2 interrupts a second', () => {
    const { clock, line } = setup();
    const before = line.rises;
    clock.advance(10e9);
    expect(line.rises - before).toBe(182);
  });

  test('mode 2 at HZ=250 interrupts 250 times a second', () => {
    const { clock, line, pit } = setup();
    pit.write(0x43, 0x34);
    pit.write(0x40, 4773 & 0xff);
    pit.write(0x40, 4773 >> 8);
    const before = line.rises;
    clock.advance(2e9);
    expect(line.rises - before).toBe(499);
    const count = latched(pit, 0);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(4773);
  });

  test('mode 4, Linux’s one-shot: one interrupt, a clock after the count', () => {
    const { clock, line, pit } = setup();
    pit.write(0x43, 0x38);
    pit.write(0x40, 0xe8);
    pit.write(0x40, 0x03);
    const before = line.rises;
    clock.advance(ticks(1000) - 1);
    expect(line.rises - before).toBe(0);
    clock.advance(ticks(5));
    expect(line.rises - before).toBe(1);
    clock.advance(1e9);
    expect(line.rises - before).toBe(1);
  });

  test('mode 0 holds OUT low until the end and then high', () => {
    const { clock, line, pit } = setup();
    pit.write(0x43, 0x30);
    expect(line.level).toBe(false);
    pit.write(0x40, 100);
    pit.write(0x40, 0);
    clock.advance(ticks(100));
    expect(line.level).toBe(false);
    clock.advance(ticks(2));
    expect(line.level).toBe(true);
  });

  test('counter 2 in mode 0 as Linux calibrates with it: gate, then OUT2 at port 61h', () => {
    const { clock, pit } = setup();
    pit.write(0x61, (pit.read(0x61) & ~0x02) | 0x01);
    pit.write(0x43, 0xb0);
    const count = Math.floor(PIT_HZ / 100);
    pit.write(0x42, count & 0xff);
    pit.write(0x42, count >> 8);
    expect(pit.read(0x61) & 0x20).toBe(0);
    clock.advance(9.99e6);
    expect(pit.read(0x61) & 0x20).toBe(0);
    clock.advance(0.02e6);
    expect(pit.read(0x61) & 0x20).toBe(0x20);
  });

  test('a low gate stops counter 2 and a high one lets it go on', () => {
    const { clock, pit } = setup();
    pit.write(0x61, 0x01);
    pit.write(0x43, 0xb0);
    pit.write(0x42, 0xff);
    pit.write(0x42, 0xff);
    clock.advance(ticks(1000));
    pit.write(0x61, 0x00);
    const stopped = latched(pit, 2);
    clock.advance(ticks(500));
    expect(latched(pit, 2)).toBe(stopped);
    pit.write(0x61, 0x01);
    clock.advance(ticks(100));
    expect(stopped - latched(pit, 2)).toBeGreaterThanOrEqual(99);
    expect(stopped - latched(pit, 2)).toBeLessThanOrEqual(101);
  });

  test('unlatched reads alternate low and high byte', () => {
    const { clock, pit } = setup();
    pit.write(0x61, 0x01);
    pit.write(0x43, 0xb0);
    pit.write(0x42, 0xff);
    pit.write(0x42, 0xff);
    clock.advance(ticks(0x1235));
    const low = pit.read(0x42);
    const high = pit.read(0x42);
    expect(Math.abs(0xffff - 0x1234 - (low | (high << 8)))).toBeLessThanOrEqual(1);
  });

  test('the latch holds while the counter goes on; read-back gives the status', () => {
    const { clock, pit } = setup();
    pit.write(0x43, 0x34);
    pit.write(0x40, 0);
    pit.write(0x40, 0);
    clock.advance(ticks(100));
    pit.write(0x43, 0xc2); // latch count and status of counter 0
    clock.advance(ticks(100));
    expect(pit.read(0x40) & 0x3f).toBe(0x34);
    const count = pit.read(0x40) | (pit.read(0x40) << 8);
    expect(Math.abs(0x10000 - count - 100)).toBeLessThanOrEqual(1);
  });

  test('a new count in mode 2 waits for the end of the period', () => {
    const { clock, line, pit } = setup();
    pit.write(0x43, 0x34);
    pit.write(0x40, 0xe8);
    pit.write(0x40, 0x03); // 1000
    clock.advance(ticks(500));
    pit.write(0x40, 100);
    pit.write(0x40, 0);
    const before = line.rises;
    clock.advance(ticks(490));
    expect(line.rises - before).toBe(0);
    clock.advance(ticks(20));
    expect(line.rises - before).toBe(1);
    clock.advance(ticks(1000));
    expect(line.rises - before).toBe(11);
  });

  test('BCD counts in decimal', () => {
    const { clock, pit } = setup();
    pit.write(0x43, 0x35);
    pit.write(0x40, 0x00);
    pit.write(0x40, 0x10); // 1000
    clock.advance(ticks(1) + ticks(50));
    expect(latched(pit, 0)).toBe(0x950);
  });

  test('the refresh bit toggles every 15 us', () => {
    const { clock, pit } = setup();
    let toggles = 0;
    let last = pit.read(0x61) & 0x10;
    for (let i = 0; i < 1000; i++) {
      clock.advance(1000);
      const now = pit.read(0x61) & 0x10;
      if (now !== last) toggles++;
      last = now;
    }
    expect(Math.abs(toggles - 66)).toBeLessThanOrEqual(1);
  });
});
