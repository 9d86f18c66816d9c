// What interrupts: delivery where a call enables interrupts, Halt, and the alarms.

import { beforeAll, describe, expect, test } from 'vitest';
import { dword, IRET, NOP, NOT_EQUAL, EQUAL, type Assembler } from './assembler.ts';
import { DATA, POINTERS, routine, STACK, VARIABLES, type Guest } from './guest.ts';
import { FORMS, IF, type Form } from './loop.ts';
import { callNamed } from '../../host/vmi/calls.ts';
import { guestOf, VMI_TIER_NAMES } from './tiers.ts';

const IRQ0 = 0x20;
const LVTT = 0x41;
const APIC_LVTT = 0x320;
const APIC_EOI = 0xb0;
const APIC_SPURIOUS = 0xf0;
/** Wiring and mode of an alarm. */
const VIA_LVTT = 0x10000;
const PERIODIC = 0x100;

const COUNT = VARIABLES;
/** Interrupts taken, by wiring; then where the last one was taken. */
const TAKEN = VARIABLES + 4;
const TAKEN_LVTT = VARIABLES + 8;
const FRAME = VARIABLES + 0x10;
const LOG = DATA;

const call = (a: Assembler, name: string, form: Form = 'E8'): Assembler =>
  form === 'E8' ? a.call(routine(name)) : a.callThrough(POINTERS + 4 * callNamed(name).number);

/** The interrupt controllers as Linux sets them up, IRQ 0 alone unmasked. */
function controllers(a: Assembler): void {
  for (const [port, values] of [
    [0x20, [0x11]],
    [0x21, [IRQ0, 4, 1]],
    [0xa0, [0x11]],
    [0xa1, [0x28, 2, 1]],
  ] as const) {
    for (const value of values) a.out(port, value);
  }
  a.out(0x21, 0xfe).out(0xa1, 0xff);
  a.out(0x43, 0x3a).out(0x40, 0).out(0x40, 0); // the PIT is quiet, as Linux makes it under VMI
  a.mov('eax', APIC_SPURIOUS).mov('edx', 0x1ff);
  call(a, 'APICWrite');
  a.mov('eax', APIC_LVTT).mov('edx', LVTT);
  call(a, 'APICWrite');
}

/** Handlers that count, note where they came from, and acknowledge; jumped over. */
function handlers(a: Assembler): void {
  a.jump('start');
  for (const [name, counter] of [
    ['irq0', TAKEN],
    ['lvtt', TAKEN_LVTT],
  ] as const) {
    a.label(name).emit(0x60).inc(counter); // pusha
    // The frame, above what PUSHA saved.
    a.emit(0x8b, 0x44, 0x24, 0x20).store(FRAME, 'eax'); // mov eax, [esp+20h]
    a.emit(0x8b, 0x44, 0x24, 0x28).store(FRAME + 8, 'eax');
    if (name === 'irq0') a.emit(0xb0, 0x20, 0xe6, 0x20);
    else call(a.mov('eax', APIC_EOI).mov('edx', 0), 'APICWrite');
    a.emit(0x61, IRET);
  }
  a.label('start');
}

const gates = (guest: Guest, a: Assembler): void => {
  guest.gate(IRQ0, a.addressOf('irq0'));
  guest.gate(LVTT, a.addressOf('lvtt'));
};

/** Arms an alarm so many cycles from the real counter's value now. */
function setAlarm(a: Assembler, flags: number, cycles: number, period = 0): void {
  a.mov('eax', flags & 1);
  call(a, 'GetCycleCounter');
  a.emit(0x05, dword(cycles)); // add eax, cycles
  a.emit(0x83, 0xd2, cycles < 0 ? 0xff : 0x00); // adc edx, its sign
  a.emit(0x89, 0xd1, 0x89, 0xc2); // mov ecx, edx; mov edx, eax
  a.push(0).push(period).mov('eax', flags);
  call(a, 'SetAlarm');
  a.emit(0x83, 0xc4, 0x08); // add esp, 8
}

/** Waits until IRQ 0 is requested. */
function untilRequested(a: Assembler, name: string): void {
  a.label(name);
  a.emit(0xb0, 0x0a, 0xe6, 0x20, 0xe4, 0x20, 0xa8, 0x01); // OCW3; in al, 20h; test al, 1
  a.jumpIf(EQUAL, name);
}

describe.each(VMI_TIER_NAMES)('%s', (tier) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await guestOf(tier);
  });

  const ROUNDS = 30;
  describe.each(FORMS)('by %s', (form) => {
    test.each([
      ['EnableInterrupts', 0],
      ['SetInterruptMask', IF],
      ['SetInterruptMask', 0xffffffff],
    ])('%s delivers what waits, behind the call', (name, eax) => {
      const ending = guest.run((a) => {
        handlers(a);
        controllers(a);
        a.set(COUNT, ROUNDS).label('again');
        setAlarm(a, 0, -5);
        untilRequested(a, 'wait');
        a.mov('eax', eax);
        call(a, name, form).label('behind').emit(0xfa); // cli
        a.load('ebx', FRAME).emit(0x81, 0xeb); // sub ebx, behind
        a.emit(dword(a.addressOf('behind')));
        a.emit(0x09, 0x1d, dword(LOG)); // or [LOG], ebx
        a.dec(COUNT).jumpIf(NOT_EQUAL, 'again');
      }, gates);
      expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
      expect(guest.word(TAKEN)).toBe(ROUNDS);
      expect(guest.word(LOG)).toBe(0); // never was EIP in the frame another
      expect(guest.word(FRAME + 8) & IF).toBe(IF);
    });
  });

  test.each([['DisableInterrupts'], ['GetInterruptMask'], ['SetInterruptMask']])(
    '%s delivers nothing while interrupts are off',
    (name) => {
      const ending = guest.run((a) => {
        handlers(a);
        controllers(a);
        a.set(COUNT, ROUNDS).label('again');
        setAlarm(a, 0, -5);
        untilRequested(a, 'wait');
        a.mov('eax', 0xfffffdff);
        call(a, name).emit(NOP, NOP).dec(COUNT).jumpIf(NOT_EQUAL, 'again');
      }, gates);
      expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
      expect(guest.word(TAKEN)).toBe(0);
    },
  );

  test.each([
    ['IRQ 0', 0, TAKEN],
    ['LVTT', VIA_LVTT, TAKEN_LVTT],
  ])('Halt enables interrupts and returns behind the call when one came: %s', (_, wiring, at) => {
    const ending = guest.run((a) => {
      handlers(a);
      controllers(a);
      a.set(COUNT, ROUNDS).label('again').emit(0xfa);
      setAlarm(a, wiring, 50_000);
      call(a, 'Halt').label('behind');
      a.emit(0x9c, 0x5b).store(LOG, 'ebx'); // pushf; pop ebx
      a.dec(COUNT).jumpIf(NOT_EQUAL, 'again').label('end');
    }, gates);
    expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
    expect(guest.word(at)).toBe(ROUNDS);
    expect(guest.word(LOG) & IF).toBe(IF);
    expect(guest.register('esp')).toBe(STACK);
  });

  describe.each([
    ['IRQ 0', 0, TAKEN],
    ['LVTT', VIA_LVTT, TAKEN_LVTT],
  ])('an alarm by %s', (_, wiring, taken) => {
    /** Runs so many cycles with interrupts on after the alarms were set. */
    const during = (cycles: number, set: (a: Assembler) => void): number => {
      const ending = guest.run((a) => {
        handlers(a);
        controllers(a);
        set(a);
        a.emit(0xfb, 0x0f, 0x31, 0x89, 0xc6, 0x89, 0xd7); // sti; rdtsc; mov esi, eax; mov edi, edx
        a.label('spin').emit(0x0f, 0x31, 0x29, 0xf0, 0x19, 0xfa); // sub eax, esi; sbb edx, edi
        a.emit(0x3d, dword(cycles)); // cmp eax, cycles
        a.jumpIf(2, 'spin').emit(0xfa);
      }, gates);
      expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
      return guest.word(taken);
    };

    test.each([0, 1])('of counter %i fires once', (counter) => {
      expect(during(500_000, (a) => setAlarm(a, wiring | counter, 100_000))).toBe(1);
      expect(during(50_000, (a) => setAlarm(a, wiring | counter, 100_000))).toBe(0);
    });

    test('in the past fires at once', () => {
      expect(during(3_000, (a) => setAlarm(a, wiring, -100))).toBe(1);
    });

    test('of period 0 fires once, whatever the flag says', () => {
      expect(during(500_000, (a) => setAlarm(a, wiring | PERIODIC, 1000, 0))).toBe(1);
    });

    test('that is not periodic fires once, whatever the period', () => {
      expect(during(500_000, (a) => setAlarm(a, wiring, 1000, 10_000))).toBe(1);
    });

    test('fires every period from its expiry on', () => {
      const fired = during(1_000_000, (a) => setAlarm(a, wiring | PERIODIC, 50_000, 100_000));
      expect(fired).toBeGreaterThanOrEqual(9);
      expect(fired).toBeLessThanOrEqual(10);
    });

    test('skips the periods that it missed', () => {
      // Nothing is queued: it was due a hundred times.
      const fired = during(90_000, (a) => setAlarm(a, wiring | PERIODIC, -9_950_000, 100_000));
      expect(fired).toBeGreaterThanOrEqual(1);
      expect(fired).toBeLessThanOrEqual(2);
    });

    test('replaces the one before', () => {
      const fired = during(500_000, (a) => {
        setAlarm(a, wiring | PERIODIC, 10_000, 10_000);
        setAlarm(a, wiring, 100_000);
      });
      expect(fired).toBe(1);
    });

    test('of a counter that has none does nothing', () => {
      const fired = during(300_000, (a) => {
        for (const counter of [2, 3, 0xff]) setAlarm(a, wiring | counter, 1000);
      });
      expect(fired).toBe(0);
    });

    test('two counters have two alarms', () => {
      const fired = during(500_000, (a) => {
        setAlarm(a, wiring, 50_000);
        setAlarm(a, wiring | 1, 200_000);
      });
      expect(fired).toBe(2);
    });

    test('is cancelled: 1, and then 0', () => {
      const fired = during(500_000, (a) => {
        setAlarm(a, wiring | PERIODIC, 50_000, 50_000);
        for (const at of [LOG, LOG + 4]) {
          a.mov('eax', wiring | PERIODIC);
          call(a, 'CancelAlarm').store(at, 'eax');
        }
      });
      expect([fired, guest.word(LOG), guest.word(LOG + 4)]).toEqual([0, 1, 0]);
    });
  });

  test('an alarm by LVTT respects the mask', () => {
    const ending = guest.run((a) => {
      handlers(a);
      controllers(a);
      a.mov('eax', APIC_LVTT).mov('edx', 0x10000 | LVTT);
      call(a, 'APICWrite');
      setAlarm(a, VIA_LVTT, 1000);
      a.emit(0xfb).mov('ecx', 20_000).label('spin').emit(0x49).jumpIf(NOT_EQUAL, 'spin');
    }, gates);
    expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
    expect(guest.word(TAKEN_LVTT)).toBe(0);
  });

  test('an IRQ0 alarm follows the interrupt controller’s mask', () => {
    const ending = guest.run((a) => {
      handlers(a);
      controllers(a);
      a.out(0x21, 0xff);
      setAlarm(a, 0, 1000);
      a.emit(0xfb).mov('ecx', 20_000).label('spin').emit(0x49).jumpIf(NOT_EQUAL, 'spin');
      a.load('ebx', TAKEN).store(LOG, 'ebx');
      a.out(0x21, 0xfe).emit(NOP, NOP, NOP);
    }, gates);
    expect(ending).toMatchObject({ kind: 'dead', vector: undefined });
    expect([guest.word(LOG), guest.word(TAKEN)]).toEqual([0, 1]);
  });
});
