import { describe, expect, test } from 'vitest';
import { Rtc } from '../../host/devices/rtc';
import { TestClock, TestLine } from './support';

const DATE = Date.UTC(2024, 1, 28, 23, 59, 58);

function setup(date = DATE): {
  clock: TestClock;
  line: TestLine;
  get: (index: number) => number;
  set: (index: number, value: number) => void;
} {
  const clock = new TestClock();
  const line = new TestLine();
  const rtc = new Rtc(clock, line.set, 256 << 20, date);
  return {
    clock,
    line,
    get: (index) => {
      rtc.write(0x70, index);
      return rtc.read(0x71);
    },
    set: (index, value) => {
      rtc.write(0x70, index);
      rtc.write(0x71, value);
    },
  };
}

function date(get: (index: number) => number): number[] {
  return [0x32, 9, 8, 7, 4, 2, 0].map(get);
}

describe('MC146818', () => {
  test('tells the date in BCD and crosses midnight into a leap day', () => {
    const { clock, get } = setup();
    expect(date(get)).toEqual([0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x58]);
    expect(get(6)).toBe(4); // a Wednesday
    clock.advance(2e9);
    expect(date(get)).toEqual([0x20, 0x24, 0x02, 0x29, 0x00, 0x00, 0x00]);
  });

  test('counts in binary and in 12 hours when told to', () => {
    const { get, set } = setup();
    set(0x0b, 0x06);
    expect(date(get).slice(1)).toEqual([24, 2, 28, 23, 59, 58]);
    set(0x0b, 0x00);
    expect(get(4)).toBe(0x91); // 11 p.m.
  });

  test('a date set under SET is taken over when SET goes away', () => {
    const { clock, get, set } = setup();
    set(0x0b, 0x82);
    set(0x32, 0x20);
    set(9, 0x30);
    set(8, 0x12);
    set(7, 0x31);
    set(4, 0x23);
    set(2, 0x59);
    set(0, 0x59);
    clock.advance(5e9);
    expect(date(get)).toEqual([0x20, 0x30, 0x12, 0x31, 0x23, 0x59, 0x59]);
    set(0x0b, 0x02);
    clock.advance(1e9);
    expect(date(get)).toEqual([0x20, 0x31, 0x01, 0x01, 0x00, 0x00, 0x00]);
  });

  test('UIP announces an update 244 us ahead', () => {
    const { clock, get } = setup();
    expect(get(0x0a) & 0x80).toBe(0);
    clock.advance(999.8e6);
    expect(get(0x0a) & 0x80).toBe(0x80);
    clock.advance(0.3e6);
    expect(get(0x0a) & 0x80).toBe(0);
    expect(get(0)).toBe(0x59);
  });

  test('the update interrupt comes once a second until C is read', () => {
    const { clock, line, get, set } = setup();
    set(0x0b, 0x12);
    clock.advance(1.01e9);
    expect(line.level).toBe(true);
    expect(get(0x0c)).toBe(0x90);
    expect(line.level).toBe(false);
    clock.advance(3e9);
    expect(line.rises).toBe(2); // nobody read C in between
  });

  test('the update flag is set although the interrupt is off', () => {
    const { clock, line, get } = setup();
    get(0x0c);
    clock.advance(1e9);
    expect(get(0x0c)).toBe(0x10);
    clock.advance(1e9); // midnight, which is what the alarm registers happen to say
    expect(get(0x0c)).toBe(0x30);
    expect(line.rises).toBe(0);
  });

  test('an alarm with wildcards fires at its time', () => {
    const { clock, line, get, set } = setup();
    set(1, 0x05);
    set(3, 0xff);
    set(5, 0xff);
    set(0x0b, 0x22);
    clock.advance(6.9e9);
    expect(line.level).toBe(false);
    clock.advance(0.2e9);
    expect(line.level).toBe(true);
    expect(get(0x0c) & 0xa0).toBe(0xa0);
  });

  test('the periodic interrupt runs at 1,024 Hz by default', () => {
    const { clock, get, set } = setup();
    set(0x0b, 0x42);
    let count = 0;
    for (let i = 0; i < 10_000; i++) {
      clock.advance(1e5);
      if ((get(0x0c) & 0x40) !== 0) count++;
    }
    expect(Math.abs(count - 1024)).toBeLessThanOrEqual(1);
  });

  test('CMOS memory knows the memory size and keeps what is written', () => {
    const { get, set } = setup();
    expect(get(0x15) | (get(0x16) << 8)).toBe(640);
    expect(get(0x34) | (get(0x35) << 8)).toBe((240 << 20) / 65536);
    set(0x0f, 0x0a); // the shutdown byte
    expect(get(0x0f)).toBe(0x0a);
    expect(get(0x0d)).toBe(0x80);
  });
});
