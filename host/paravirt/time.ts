/**
 * The hooks of time that every face maps its registers, ports or calls onto; and steal time, how
 * long the guest could have run and did not.
 *
 * Stolen is the guest time that passes between two runs of a processor that did not halt: while the
 * host handles its own events or runs other programs, and what guest time then catches up with. Not
 * stolen is what serves the guest (devices, translation), nor is waking late from a halt. Guest time
 * that is left out for good, as of a suspended host, does not pass and so is not stolen either. On
 * the virtual clock nothing is.
 */

import { NS_PER_SECOND, TSC_HZ, type Clock } from '../clock';
import type { MachineHooks } from './hooks';

export type TimeHooks = Pick<
  MachineHooks['time'],
  'sched_clock' | 'steal_clock' | 'get_tsc_khz' | 'get_wallclock'
>;

export class StealClock {
  /** When the processor stopped although it had something to do; how long it was kept waiting. */
  readonly state = { since: undefined as number | undefined, total: 0 };

  constructor(private readonly clock: Clock) {}

  /** @param halted it waits for an interrupt: no time is taken from it */
  stopped(halted: boolean): void {
    this.state.since = halted ? undefined : this.clock.now();
  }

  /** Gives the nanoseconds since `stopped`. */
  resumes(): number {
    const s = this.state;
    if (s.since === undefined) return 0;
    const stolen = this.clock.now() - s.since;
    s.since = undefined;
    s.total += stolen;
    return stolen;
  }
}

/** @param date Unix time in milliseconds at guest time 0 */
export function timeHooks(clock: Clock, steal: StealClock, date: number): TimeHooks {
  // In parts: a date in nanoseconds is beyond the 53 bits of a number.
  const seconds = Math.floor(date / 1000);
  const rest = Math.floor((date - seconds * 1000) * 1e6);
  const start = BigInt(seconds) * BigInt(NS_PER_SECOND) + BigInt(rest);
  return {
    sched_clock: () => clock.now(),
    steal_clock: () => steal.state.total,
    get_tsc_khz: () => TSC_HZ / 1000,
    get_wallclock: () => start + BigInt(clock.now()),
  };
}
