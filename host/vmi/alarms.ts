/**
 * The two alarms of a VMI guest's processor, one a counter: REAL is guest time, AVAILABLE is guest
 * time less what was stolen. Counters are in cycles of the time-stamp counter: nanoseconds of guest
 * time plus what the guest has set the counter ahead.
 */
import { nextPeriod, type Clock, type Timer } from '../clock';
import type { Alarm, AlarmCounter, AlarmWiring } from '../paravirt/hooks';

/** The least that an alarm which came too early waits. */
const RETRY_NS = 10_000_000;

interface Armed {
  /** In cycles of the counter. */
  expiry: number;
  period: number;
  wiring: AlarmWiring;
}

export interface Counters {
  /** Cycles of a counter now. */
  now(counter: AlarmCounter): number;
  /** Guest time at which a counter gets there, if nothing more is stolen until then. */
  reaches(counter: AlarmCounter, cycles: number): number;
}

export class Alarms {
  readonly state: Record<AlarmCounter, Armed | undefined> = {
    real: undefined,
    available: undefined,
  };
  private readonly timers: Record<AlarmCounter, Timer>;

  constructor(
    private readonly clock: Clock,
    private readonly counters: Counters,
    private readonly interrupt: (wiring: AlarmWiring) => void,
  ) {
    this.timers = {
      real: clock.timer('vmi-real', () => this.fire('real')),
      available: clock.timer('vmi-available', () => this.fire('available')),
    };
  }

  /** Replaces what was armed on that counter. An expiry that has passed fires at once. */
  set({ counter, expiry, period, wiring }: Alarm): void {
    this.state[counter] = { expiry, period, wiring };
    this.timers[counter].set(this.counters.reaches(counter, expiry));
  }

  /** Whether it was armed. */
  cancel(counter: AlarmCounter): boolean {
    const armed = this.state[counter] !== undefined;
    this.state[counter] = undefined;
    this.timers[counter].cancel();
    return armed;
  }

  private fire(counter: AlarmCounter): void {
    const armed = this.state[counter];
    if (armed === undefined) return;
    const now = this.counters.now(counter);
    if (now < armed.expiry) {
      // Time was stolen since the timer was set. Guest time waits at deadlines for a host that is
      // behind, and what it then catches up with is stolen: waiting for no more than that, again and
      // again, it would stand still.
      const reached = this.counters.reaches(counter, armed.expiry);
      this.timers[counter].set(Math.max(reached, this.clock.now() + RETRY_NS));
      return;
    }
    if (armed.period > 0) {
      armed.expiry = nextPeriod(armed.expiry, armed.period, now);
      this.timers[counter].set(this.counters.reaches(counter, armed.expiry));
    } else {
      this.state[counter] = undefined;
    }
    this.interrupt(armed.wiring);
  }
}
