import { describe, expect, test } from 'vitest';
import { Clock, fromTicks, nextPeriod, toTicks } from '../../host/clock';
import { TestClock } from './support';

describe('oscillators', () => {
  test('ticks of a day are exact, where ns times hz is beyond a double', () => {
    const day = 86_400 * 1e9;
    expect(toTicks(day, 1_193_182)).toBe(86_400 * 1_193_182);
    expect(toTicks(day, 3_579_545)).toBe(86_400 * 3_579_545);
  });

  test('fromTicks gives the first nanosecond of a tick', () => {
    for (const hz of [1_193_182, 3_579_545, 32_768, 31_469]) {
      for (const tick of [1, 2, 3, 1000, hz - 1, hz, hz + 1, 12_345_678_901]) {
        const ns = fromTicks(tick, hz);
        expect(toTicks(ns, hz)).toBe(tick);
        expect(toTicks(ns - 1, hz)).toBe(tick - 1);
      }
    }
  });

  test('a periodic train keeps its phase and skips what was missed', () => {
    expect(nextPeriod(100, 10, 100)).toBe(110);
    expect(nextPeriod(100, 10, 109)).toBe(110);
    expect(nextPeriod(100, 10, 135)).toBe(140);
    expect(nextPeriod(100, 10, 140)).toBe(150);
  });
});

describe('timers', () => {
  test('fire in order of deadline, each once', () => {
    const clock = new TestClock();
    const fired: string[] = [];
    const a = clock.timer('a', (at) => fired.push(`a${at}`));
    const b = clock.timer('b', (at) => fired.push(`b${at}`));
    a.set(20);
    b.set(10);
    expect(clock.nextDeadline()).toBe(10);
    expect(clock.deadlines()).toEqual({ a: 20, b: 10 });
    clock.advance(100);
    expect(fired).toEqual(['b10', 'a20']);
    expect(clock.nextDeadline()).toBe(Infinity);
  });

  test('a deadline before the end of the slice stops the processor, a later one does not', () => {
    const clock = new TestClock();
    let stops = 0;
    clock.onEarlier = () => stops++;
    const timer = clock.timer('t', () => {});
    clock.sliceEnd = 1000;
    timer.set(2000);
    expect(stops).toBe(0);
    timer.set(500);
    timer.set(600);
    expect(stops).toBe(1);
  });

  test('virtual time is instructions and skipped idle time', () => {
    const clock = new TestClock();
    clock.advance(5);
    clock.skipTo(1000);
    expect(clock.now()).toBe(1000);
    clock.advance(7);
    expect(clock.now()).toBe(1007);
    clock.skipTo(3); // never back
    expect(clock.now()).toBe(1007);
  });

  test('host time starts at zero and never goes back', () => {
    let host = 5_000_000;
    const clock = new Clock({ kind: 'host', hostNow: () => host });
    expect(clock.now()).toBe(0);
    host += 300;
    expect(clock.now()).toBe(300);
    host -= 100;
    expect(clock.now()).toBe(300);
  });

  test('host time waits at a deadline until its timer has fired, and then catches up', () => {
    let host = 0;
    const clock = new Clock({ kind: 'host', hostNow: () => host });
    const ticks: number[] = [];
    const timer = clock.timer('tick', (at) => {
      ticks.push(clock.now());
      timer.set(at + 4e6);
    });
    timer.set(4e6);
    host = 50e6; // the host was busy elsewhere for twelve ticks
    for (let slice = 0; slice < 20; slice++) clock.runDue();
    expect(ticks).toEqual(Array.from({ length: 12 }, (_, i) => (i + 1) * 4e6));
    expect(clock.now()).toBe(50e6);
  });

  test('a timer that cannot get beyond the time fires once, and the guest runs', () => {
    const clock = new Clock({ kind: 'virtual', hostNow: () => 0 });
    clock.retired = () => 1000;
    // As an alarm whose counter has left the whole numbers of a double: adding its period is nothing.
    const timer = clock.timer('alarm', () => timer.set(900));
    timer.set(1000);
    clock.runDue();
    expect(timer.fired).toBe(1);
    expect(timer.deadline).toBe(1256);
    timer.set(2 ** 62);
    expect(clock.nextDeadline()).toBe(Infinity);
  });

  test('a host that slept for an hour is not caught up with', () => {
    let host = 0;
    const clock = new Clock({ kind: 'host', hostNow: () => host });
    const timer = clock.timer('tick', (at) => timer.set(at + 4e6));
    timer.set(4e6);
    host = 3600e9;
    for (let slice = 0; slice < 10_000; slice++) clock.runDue();
    expect(clock.now()).toBeLessThan(3e9);
  });

  test('reading the time beyond the end of a slice ends the slice', () => {
    let host = 0;
    const clock = new Clock({ kind: 'host', hostNow: () => host });
    let stops = 0;
    clock.onEarlier = () => stops++;
    clock.sliceEnd = 1000;
    host = 900;
    clock.now();
    expect(stops).toBe(0);
    host = 1200;
    expect(clock.now()).toBe(1000);
    expect(stops).toBe(1);
    clock.catchingUp = true;
    clock.now();
    expect(stops).toBe(1);
  });
});

describe('a host that is busy with something else', () => {
  function running() {
    const host = { now: 1000, retired: 0 };
    const clock = new Clock({ kind: 'host', hostNow: () => host.now });
    clock.retired = () => host.retired;
    clock.running = true;
    clock.sliceEnd = Infinity;
    /** The guest executes so much; so long passes. */
    const pass = (ns: number, instructions: number) => {
      host.now += ns;
      host.retired += instructions;
      return clock.now();
    };
    return { clock, pass };
  }

  test('its time is the guest\u2019s as long as it keeps pace', () => {
    const { pass } = running();
    expect(pass(1000, 5)).toBe(1000);
    expect(pass(2_000_000, 1_000_000)).toBe(2_001_000);
  });

  test('does not let the guest see time jump, but hurry until it has made up for it', () => {
    const { pass } = running();
    let last = pass(1000, 5);
    // Ten milliseconds of nothing, then a loop that looks at the clock each microsecond.
    let longest = pass(10_000_000, 5) - last;
    let looks = 0;
    for (let now = pass(1000, 5); now < 10_001_000 + 1000 * looks; now = pass(1000, 5)) {
      if (looks++) longest = Math.max(longest, now - last);
      last = now;
    }
    expect(longest).toBeLessThan(10_000);
    expect(looks).toBeLessThan(10_000);
  });

  test('is followed at once by a halted guest, and never more than a fifth of a second behind', () => {
    const { clock, pass } = running();
    pass(1000, 5);
    pass(10_000_000, 0);
    clock.running = false;
    expect(pass(0, 0)).toBe(10_001_000);
    clock.running = true;
    expect(pass(1_000_000_000, 0)).toBe(1_010_001_000 - 200_000_000);
  });

  test('counts as time between slices where the guest is told of it, else not', () => {
    const { clock, pass } = running();
    clock.seamless = false;
    const before = pass(1000, 5);
    clock.sliceEnd = -Infinity;
    expect(pass(7_000_000, 0) - before).toBe(7_000_000);
    clock.seamless = true;
    expect(pass(7_000_000, 0) - before).toBeLessThan(7_010_000);
  });

  test('is waited for at a deadline as ever', () => {
    const { clock, pass } = running();
    clock.sliceEnd = 5000;
    expect(pass(1_000_000, 1_000_000)).toBe(5000);
  });
});
