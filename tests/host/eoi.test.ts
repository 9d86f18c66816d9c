// PV EOI: a guest that ends interrupts by a bit in its memory sees the same as one that writes to
// the local APIC each time, and writes less.

import { beforeEach, describe, expect, test } from 'vitest';
import { type EoiFlag, Lapic } from '../../host/devices/lapic';
import { TestClock } from './support';

const EOI = 0xb0;

/** The bit, and what was done with it. */
class Flag implements EoiFlag {
  set = false;
  offers = 0;

  offer(): boolean {
    this.set = true;
    this.offers++;
    return true;
  }

  withdraw(): boolean {
    const used = !this.set;
    this.set = false;
    return used;
  }
}

class Side {
  readonly flag = new Flag();
  readonly ended: number[] = [];
  writes = 0;
  readonly lapic = new Lapic(new TestClock(), {
    changed: () => {},
    endOfInterrupt: (vector) => this.ended.push(vector),
    nmi: () => {},
  });

  constructor(offered: boolean) {
    if (offered) this.lapic.setEoiFlag(this.flag);
  }

  /** As the guest does it: the bit if it is set, else the register. */
  end(): void {
    if (this.flag.set) {
      this.flag.set = false;
    } else {
      this.writes++;
      this.lapic.write(EOI, 0);
    }
  }
}

let side: Side;
let lapic: Lapic;

beforeEach(() => {
  side = new Side(true);
  lapic = side.lapic;
});

const inService = (vector: number): boolean =>
  ((lapic.read(0x100 + 16 * (vector >> 5), 4) >>> (vector & 31)) & 1) === 1;

describe('the local APIC offers a guest to end an interrupt in its memory', () => {
  test('and sees that it did before the next one comes', () => {
    lapic.accept(0x41, false);
    lapic.acknowledge();
    expect(side.flag.set).toBe(true);
    side.end();
    lapic.accept(0x31, false);
    expect(lapic.pending()).toBe(true);
    expect(lapic.acknowledge()).toBe(0x31);
    expect(side.writes).toBe(0);
  });

  test('and takes it back when another one arrives first', () => {
    lapic.accept(0x41, false);
    lapic.acknowledge();
    lapic.accept(0x31, false);
    expect(side.flag.set).toBe(false);
    expect(lapic.pending()).toBe(false);
    side.end();
    expect(side.writes).toBe(1);
    expect(lapic.pending()).toBe(true);
  });

  test('but not while another one waits', () => {
    lapic.accept(0x41, false);
    lapic.accept(0x31, false);
    lapic.acknowledge();
    expect(side.flag.set).toBe(false);
  });

  test('nor for a level-triggered one, which the I/O APIC wants to know of', () => {
    lapic.accept(0x41, true);
    lapic.acknowledge();
    expect(side.flag.set).toBe(false);
    side.end();
    expect(side.ended).toEqual([0x41]);
  });

  test('and shows in its registers what the guest did', () => {
    lapic.accept(0x41, false);
    lapic.acknowledge();
    side.end();
    expect(inService(0x41)).toBe(false);
    lapic.accept(0x42, false);
    lapic.acknowledge();
    side.end();
    expect(lapic.read(0xa0, 4)).toBe(0);
  });

  test('each of two nested ones ends once', () => {
    lapic.accept(0x31, false);
    lapic.acknowledge();
    lapic.accept(0x41, false); // takes the first offer back
    lapic.acknowledge();
    expect(side.flag.set).toBe(true);
    side.end();
    side.end();
    expect(side.writes).toBe(1);
    expect(inService(0x31) || inService(0x41)).toBe(false);
  });

  test('until the guest gives up the word', () => {
    lapic.accept(0x41, false);
    lapic.acknowledge();
    lapic.setEoiFlag(undefined);
    expect(side.flag.set).toBe(false);
    side.end();
    expect(inService(0x41)).toBe(false);
    lapic.accept(0x42, false);
    lapic.acknowledge();
    expect(side.flag.set).toBe(false);
  });
});

test('ten thousand random steps look the same with it and without', () => {
  const sides = [new Side(false), new Side(true)];
  let seed = 12345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  const nested: number[] = [];
  for (let step = 0; step < 10_000; step++) {
    const kind = random(8);
    const vector = 0x30 + random(0x50);
    const seen = sides.map((one) => {
      const { lapic: apic } = one;
      if (kind < 1) apic.accept(vector, (vector & 7) === 0);
      else if (kind < 4 && apic.pending()) return apic.acknowledge();
      else if (kind >= 4 && nested.length > 0) one.end();
      return apic.pending();
    });
    expect(seen[1]).toBe(seen[0]);
    if (typeof seen[0] === 'number') nested.push(seen[0]);
    else if (kind >= 4) nested.pop();
  }
  const [plain, offered] = sides;
  expect(offered!.ended).toEqual(plain!.ended);
  expect(offered!.flag.offers).toBeGreaterThan(100);
  expect(offered!.writes).toBeLessThan(plain!.writes);
});
