/**
 * The VMI face: the ROM in guest memory, and the calls that the machine serves. What the core
 * serves is in assembly/paravirt/calls.ts; the table of all is calls.ts.
 */
import { AP_STATE_SIZE, FACE_VMI } from '../../assembly/shared/paravirt';
import type { CpuidLeaf, Face, FaceParts } from '../paravirt/face';
import type { AlarmCounter } from '../paravirt/hooks';
import { Alarms } from './alarms';
import { CALLS } from './calls';
import { buildRom, ROM_ADDRESS } from './rom';

const COUNTERS: readonly (AlarmCounter | undefined)[] = ['real', 'available'];
const ALARM_COUNTER = 0xff;
const ALARM_PERIODIC = 0x100;
const ALARM_LVTT = 0x10000;
const APIC_REGISTER = 0xff0;
const HZ = 1000;

const NUMBERS = Object.fromEntries(CALLS.map(({ name, number }) => [name, number])) as Record<
  string,
  number
>;

export class VmiFace implements Face {
  readonly name = 'vmi';
  readonly code = FACE_VMI;
  readonly leaves: readonly CpuidLeaf[] = [];
  /** States in which other processors are to start, by APIC id; there is one processor so far. */
  private readonly started: Record<number, number[]> = {};
  private readonly alarms: Alarms;
  private readonly calls = new Map<number, (...given: number[]) => bigint | number | void>();

  constructor(private readonly parts: FaceParts) {
    const { clock, interrupts, lapic, cpu, time } = parts;
    const real = () => time.sched_clock() + Number(BigInt.asIntN(64, cpu.tscOffset));
    this.alarms = new Alarms(
      clock,
      {
        now: (counter) => (counter === 'real' ? real() : real() - time.steal_clock()),
        reaches: (counter, cycles) => {
          const ahead = real() - time.sched_clock();
          return cycles - ahead + (counter === 'real' ? 0 : time.steal_clock());
        },
      },
      (wiring) => {
        if (wiring === 'lvtt') lapic.raiseTimer();
        else interrupts.pulse(0);
      },
    );
    this.serve();
    parts.installRom(ROM_ADDRESS, buildRom(parts.vmi));
  }

  get state(): object {
    return { alarms: this.alarms.state, started: this.started };
  }

  /** A kernel that uses the alarms keeps its time by the counters that tell. */
  get tellsStolen(): boolean {
    const { real, available } = this.alarms.state;
    return real !== undefined || available !== undefined;
  }

  stolen(): void {
    this.parts.cpu.stolenCycles = BigInt(this.parts.time.steal_clock());
  }

  /** A call of the guest: arguments are unsigned words; gives what goes to EAX, or EDX:EAX. */
  call(number: number, ...given: number[]): bigint {
    const result = this.calls.get(number)?.(...given.map((word) => word >>> 0));
    return result === undefined ? 0n : BigInt.asUintN(64, BigInt(result));
  }

  private serve(): void {
    const { exchange, lapic, power, time } = this.parts;
    const on = (name: string, does: (...given: number[]) => bigint | number | void) => {
      this.calls.set(NUMBERS[name]!, does);
    };
    on('Reboot', () => power.reboot());
    on('Shutdown', () => power.power_off());
    on('SetInitialAPState', (_linear, id) => {
      // The core has copied it: Linux has it on its stack.
      this.started[id! & 0xff] = [...exchange.subarray(0, AP_STATE_SIZE)];
    });
    on('APICWrite', (register, value) => lapic.write(register! & APIC_REGISTER, value!));
    on('APICRead', (register) => lapic.read(register! & APIC_REGISTER, 4));
    on('GetCycleFrequency', () => time.get_tsc_khz() * HZ);
    on('SetAlarm', (flags, low, high, periodLow, periodHigh) => {
      const counter = COUNTERS[flags! & ALARM_COUNTER];
      if (counter === undefined) return;
      this.alarms.set({
        counter,
        expiry: signed(low!, high!),
        period: flags! & ALARM_PERIODIC ? periodHigh! * 2 ** 32 + periodLow! : 0,
        wiring: flags! & ALARM_LVTT ? 'lvtt' : 'irq0',
      });
    });
    on('CancelAlarm', (flags) => {
      const counter = COUNTERS[flags! & ALARM_COUNTER];
      return counter !== undefined && this.alarms.cancel(counter) ? 1 : 0;
    });
    on('GetWallclockTime', () => time.get_wallclock());
    on('WallclockUpdated', () => 0);
  }
}

/** An expiry "in the past" may be a small negative number. */
function signed(low: number, high: number): number {
  return (high | 0) * 2 ** 32 + low;
}
