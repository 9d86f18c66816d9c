import { beforeEach, describe, expect, test } from 'vitest';
import { IoApic } from '../../host/devices/ioapic';
import { Lapic } from '../../host/devices/lapic';
import { Pic } from '../../host/devices/pic';
import { Clock } from '../../host/clock';
import { Interrupts } from '../../host/irq';
import { TestClock } from './support';

let clock: TestClock;
let intr: boolean;
let nmis: number;
let interrupts: Interrupts;
let pic: Pic;
let lapic: Lapic;
let ioapic: IoApic;

beforeEach(() => {
  clock = new TestClock();
  intr = false;
  nmis = 0;
  interrupts = new Interrupts((asserted) => (intr = asserted));
  pic = new Pic(interrupts.update);
  lapic = new Lapic(clock, {
    changed: interrupts.update,
    endOfInterrupt: (vector) => ioapic.endOfInterrupt(vector),
    nmi: () => nmis++,
  });
  ioapic = new IoApic(lapic, () => nmis++);
  interrupts.connect(pic, ioapic, lapic);
});

/** What Linux's setup_local_APIC leaves: flat model, all priorities, LINT0 masked. */
function linuxApic(): void {
  lapic.write(0x0e0, 0xffffffff);
  lapic.write(0x0d0, 0x01000000);
  lapic.write(0x080, 0x10);
  lapic.write(0x0f0, 0x1ff);
  lapic.write(0x350, 0x10700);
}

function route(input: number, low: number, destination = 1): void {
  ioapic.write(0x00, 0x11 + 2 * input);
  ioapic.write(0x10, destination << 24);
  ioapic.write(0x00, 0x10 + 2 * input);
  ioapic.write(0x10, low);
}

function entry(input: number): number {
  ioapic.write(0x00, 0x10 + 2 * input);
  return ioapic.read(0x10);
}

describe('local APIC', () => {
  test('says what it is', () => {
    expect(lapic.read(0x30, 4)).toBe(0x00050014);
    expect(lapic.read(0x20, 4)).toBe(0);
  });

  test('starts in virtual-wire mode: the 8259 gets through LINT0', () => {
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0],
    ] as const) {
      pic.write(port, value);
    }
    interrupts.setLine(0, true);
    expect(intr).toBe(true);
    expect(interrupts.acknowledge()).toBe(0x20);
    expect(intr).toBe(false);
    pic.write(0x20, 0x20);
    lapic.write(0x350, 0x10700);
    interrupts.setLine(1, true);
    expect(intr).toBe(false);
    lapic.setGloballyEnabled(false); // IA32_APIC_BASE.EN = 0: the pin is the processor's
    expect(intr).toBe(true);
  });

  test('self IPIs are taken by priority and nest', () => {
    linuxApic();
    lapic.write(0x300, 0x40000 | 0x41);
    lapic.write(0x300, 0x40000 | 0x91);
    expect(interrupts.acknowledge()).toBe(0x91);
    expect(intr).toBe(false); // 41h waits behind 91h in service
    lapic.write(0x300, 0x40000 | 0xf1);
    expect(interrupts.acknowledge()).toBe(0xf1);
    lapic.write(0xb0, 0);
    lapic.write(0xb0, 0);
    expect(intr).toBe(true);
    expect(interrupts.acknowledge()).toBe(0x41);
    expect(lapic.read(0x100 + 0x20, 4)).toBe(2);
    lapic.write(0xb0, 0);
    expect(lapic.read(0x100 + 0x20, 4)).toBe(0);
  });

  test('the task priority holds back its class and those below', () => {
    linuxApic();
    lapic.write(0x80, 0x50);
    lapic.write(0x300, 0x40000 | 0x5f);
    expect(intr).toBe(false);
    expect(lapic.read(0xa0, 4)).toBe(0x50);
    lapic.write(0x80, 0x4f);
    expect(intr).toBe(true);
  });

  test('one-shot timer: counts down at 1 GHz over the divider, fires once', () => {
    linuxApic();
    lapic.write(0x3e0, 0x3); // by 16
    lapic.write(0x320, 0xec);
    lapic.write(0x380, 1000);
    clock.advance(8000);
    expect(lapic.read(0x390, 4)).toBe(500);
    expect(intr).toBe(false);
    clock.advance(8000);
    expect(intr).toBe(true);
    expect(interrupts.acknowledge()).toBe(0xec);
    lapic.write(0xb0, 0);
    clock.advance(1e9);
    expect(lapic.read(0x390, 4)).toBe(0);
    expect(intr).toBe(false);
  });

  test('periodic timer keeps its phase; masking stops interrupts, not the count', () => {
    linuxApic();
    lapic.write(0x3e0, 0xb); // by 1
    lapic.write(0x320, 0x200ec);
    lapic.write(0x380, 1_000_000);
    let fired = 0;
    for (let i = 0; i < 100; i++) {
      clock.advance(1e5);
      if (!intr) continue;
      fired++;
      interrupts.acknowledge();
      lapic.write(0xb0, 0);
    }
    expect(fired).toBe(10);
    lapic.write(0x320, 0x300ec);
    clock.advance(2_500_000);
    expect(intr).toBe(false);
    expect(lapic.read(0x390, 4)).toBe(500_000);
  });

  test('a count so short that it ends while it is written still interrupts', () => {
    let host = 0;
    const hurried = new Clock({ kind: 'host', hostNow: () => (host += 1000) });
    let requests = 0;
    const apic = new Lapic(hurried, {
      changed: () => requests++,
      endOfInterrupt: () => {},
      nmi: () => {},
    });
    apic.write(0x3e0, 0xb);
    apic.write(0x320, 0xec);
    apic.write(0x380, 15);
    requests = 0;
    hurried.runDue();
    expect(requests).toBe(1);
    expect(apic.pending()).toBe(true);
  });

  test('a count that ends while masked is not told later', () => {
    linuxApic();
    lapic.write(0x3e0, 0xb);
    lapic.write(0x320, 0x100ec);
    lapic.write(0x380, 1000);
    clock.advance(2000);
    lapic.write(0x320, 0xec);
    clock.advance(2000);
    expect(intr).toBe(false);
  });

  test('disabling by SVR masks every LVT entry', () => {
    linuxApic();
    lapic.write(0x0f0, 0xff);
    expect(lapic.read(0x320, 4) & 0x10000).toBe(0x10000);
    lapic.write(0x360, 0x400);
    expect(lapic.read(0x360, 4)).toBe(0x10400);
  });

  test('an illegal vector sets the error register and raises the error interrupt', () => {
    linuxApic();
    lapic.write(0x370, 0xfe);
    lapic.write(0x300, 0x40000 | 0x05);
    expect(interrupts.acknowledge()).toBe(0xfe);
    lapic.write(0x280, 0);
    expect(lapic.read(0x280, 4)).toBe(0x20);
    lapic.write(0x280, 0);
    expect(lapic.read(0x280, 4)).toBe(0);
  });

  test('an NMI sent to oneself is one', () => {
    linuxApic();
    lapic.write(0x300, 0x40000 | 0x4400);
    expect(nmis).toBe(1);
  });
});

describe('I/O APIC', () => {
  test('has 24 masked inputs after reset', () => {
    ioapic.write(0x00, 1);
    expect(ioapic.read(0x10)).toBe(0x00170011);
    for (let i = 0; i < 24; i++) expect(entry(i)).toBe(0x10000);
  });

  test('an edge of the timer arrives at input 2', () => {
    linuxApic();
    route(2, 0x30 | 0x800);
    interrupts.setLine(0, true);
    expect(interrupts.acknowledge()).toBe(0x30);
    lapic.write(0xb0, 0);
    expect(intr).toBe(false);
    interrupts.setLine(0, false);
    interrupts.setLine(0, true);
    expect(intr).toBe(true);
  });

  test('an edge at a masked input is lost', () => {
    linuxApic();
    interrupts.setLine(4, true);
    route(4, 0x34 | 0x800);
    expect(intr).toBe(false);
  });

  test('a level input is delivered again after EOI while it is asserted', () => {
    linuxApic();
    route(9, 0x39 | 0x8800);
    interrupts.setLine(9, true);
    expect(entry(9) & 0x4000).toBe(0x4000);
    expect(interrupts.acknowledge()).toBe(0x39);
    expect(intr).toBe(false);
    lapic.write(0xb0, 0);
    expect(intr).toBe(true);
    interrupts.acknowledge();
    interrupts.setLine(9, false);
    lapic.write(0xb0, 0);
    expect(intr).toBe(false);
    expect(entry(9) & 0x4000).toBe(0);
  });

  test('a level input asserted while masked is delivered when unmasked', () => {
    linuxApic();
    route(10, 0x3a | 0x18800);
    interrupts.setLine(10, true);
    expect(intr).toBe(false);
    route(10, 0x3a | 0x8800);
    expect(intr).toBe(true);
  });

  test('turning an entry to edge clears its remote IRR', () => {
    linuxApic();
    route(11, 0x3b | 0x8800);
    interrupts.setLine(11, true);
    expect(entry(11) & 0x4000).toBe(0x4000);
    route(11, 0x3b | 0x10800);
    expect(entry(11) & 0x4000).toBe(0);
  });

  test('another processor’s interrupt does not come here', () => {
    linuxApic();
    route(4, 0x34 | 0x800, 2);
    interrupts.setLine(4, true);
    expect(intr).toBe(false);
  });
});
