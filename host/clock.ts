/**
 * Guest time, in whole nanoseconds since the machine was created, and the timers that wait for it.
 *
 * There are two clocks. Host time follows a monotonic counter that the platform injects, but waits
 * at every deadline until its timer has fired: a host that gives the processor to others, or wakes
 * late, must not let the guest see time pass without its timer interrupts (Linux would declare the
 * TSC unstable). What was waited is caught up with afterwards, unless it is too long. Nor does time jump while
 * the guest runs, when the host was busy with something else: it makes up for it at a few times its pace. Virtual time
 * is made of retired instructions, one nanosecond each, plus the idle time that was skipped and what
 * port accesses take: two runs of one guest see the same times at the same instructions.
 *
 * Every oscillator of the PC is derived from this one time (see `toTicks`), so the TSC, the PIT, the
 * ACPI timer, the local APIC's timer and the RTC always agree, which is what Linux calibrates.
 *
 * A timer's only state is its deadline; all deadlines together are plain data (`deadlines()`).
 */

export const NS_PER_SECOND = 1_000_000_000;
/** The TSC counts nanoseconds: 1 GHz. */
export const TSC_HZ = NS_PER_SECOND;

/**
 * Whole periods of an oscillator that have passed at a time. Seconds and the rest are multiplied
 * apart because ns * hz leaves the 53 bits of a double within seconds.
 */
export function toTicks(ns: number, hz: number): number {
  const seconds = Math.floor(ns / NS_PER_SECOND);
  const rest = ns - seconds * NS_PER_SECOND;
  return seconds * hz + Math.floor((rest * hz) / NS_PER_SECOND);
}

/** The first nanosecond at which `toTicks` reports that many ticks. */
export function fromTicks(ticks: number, hz: number): number {
  const seconds = Math.floor(ticks / hz);
  const rest = ticks - seconds * hz;
  return seconds * NS_PER_SECOND + Math.ceil((rest * NS_PER_SECOND) / hz);
}

/** The next point of a periodic train strictly after `now`; late points are not made up for. */
export function nextPeriod(deadline: number, period: number, now: number): number {
  if (deadline + period > now) return deadline + period;
  return deadline + period * (Math.floor((now - deadline) / period) + 1);
}

export class Timer {
  deadline = Infinity;
  fired = 0;

  constructor(
    readonly name: string,
    private readonly clock: Clock,
    readonly fire: (deadline: number) => void,
  ) {}

  set(deadline: number): void {
    this.deadline = this.clock.possible(deadline);
    this.clock.changed(this.deadline);
  }

  cancel(): void {
    this.deadline = Infinity;
  }
}

/** Nanoseconds, 36 years: before it a double tells steps of this many apart. */
const NEVER = 2 ** 60;
const STEP = 256;

/** Host time lost beyond this, as to a suspended laptop, is not caught up with. */
const DEBT_MAX = 2 * NS_PER_SECOND;

// Kernels up to 2.6.36 calibrate by reading the PIT in a loop, and give the TSC up when one reading takes ten
// times as long as another: a translation, or another program of the host's, is enough for that.
/** Nanoseconds that one look at the clock may take, with the access that it is for. */
const LOOK = 2000;
/** Nanoseconds that an instruction may take: a few times what it does take. */
const HURRY = 4;
/** So far behind the host at most. */
const LAG_MAX = 200_000_000;

export interface ClockOptions {
  kind: 'host' | 'virtual';
  /** Monotonic nanoseconds of the host; used by the host clock only. */
  hostNow: () => number;
}

export class Clock {
  readonly virtual: boolean;
  /** The whole state besides the deadlines. `offset` is added to instructions or to host time. */
  readonly state = { offset: 0, last: 0 };
  /** Instructions retired, exact inside device callbacks; the machine connects the CPU. */
  retired: () => number = () => 0;
  /** Called when a timer is set to fire before the end of the running slice. */
  onEarlier: () => void = () => {};
  /** The time at which the running slice ends by itself. */
  sliceEnd = -Infinity;
  /** The running slice began with its end already passed: it may use what budget it has. */
  catchingUp = false;

  /** The guest is not halted: it would see time jump. */
  running = false;
  /** Nobody tells the guest of time that passes between slices: that must not jump either. */
  seamless = true;
  /** `retired` at the last look. */
  private lookedAt = 0;
  /** Behind the host's time so much. */
  private lag = 0;

  private timers: Timer[] = [];
  /** The time while timers fire: it goes on when the guest does. */
  private firing: number | undefined;
  private readonly hostNow: () => number;

  constructor(options: ClockOptions) {
    this.virtual = options.kind === 'virtual';
    this.hostNow = options.hostNow;
    if (!this.virtual) this.state.offset = -Math.floor(options.hostNow());
  }

  now(): number {
    if (this.firing !== undefined) return this.firing;
    if (this.virtual) return this.retired() + this.state.offset;
    const { state } = this;
    let now = Math.floor(this.hostNow()) + state.offset;
    const inSlice = this.sliceEnd !== -Infinity;
    const wall = inSlice ? this.sliceEnd : this.nextDeadline();
    const debt = now - wall;
    if (debt > DEBT_MAX) {
      state.offset -= debt - DEBT_MAX;
      now = wall + DEBT_MAX;
    }
    now = this.smooth(now, inSlice);
    if (now > wall) {
      now = wall;
      if (inSlice && !this.catchingUp) this.onEarlier();
    }
    // A host counter may be coarse or step back; guest time never does.
    if (now > state.last) state.last = now;
    return state.last;
  }

  /** Of the host's time what a guest that runs may see. */
  private smooth(host: number, inSlice: boolean): number {
    const retired = this.retired();
    const passed = LOOK + (retired - this.lookedAt) * HURRY;
    this.lookedAt = retired;
    if (!this.running) this.lag = 0;
    else if (inSlice || this.seamless) {
      const most = this.state.last + passed;
      this.lag = Math.max(0, Math.min(host - most, LAG_MAX));
    }
    return host - this.lag;
  }

  /** Makes a timer; a name is used once. */
  timer(name: string, fire: (deadline: number) => void): Timer {
    const timer = new Timer(name, this, fire);
    this.timers.push(timer);
    return timer;
  }

  /** Forgets all timers: the machine is being reset and will make new ones. */
  dropTimers(): void {
    this.timers = [];
  }

  nextDeadline(): number {
    let next = Infinity;
    for (const timer of this.timers) if (timer.deadline < next) next = timer.deadline;
    return next;
  }

  /** Fires what is due now, earliest first; the guest runs before time goes on. */
  runDue(): void {
    const now = this.now();
    this.firing = now;
    for (;;) {
      let due: Timer | undefined;
      for (const timer of this.timers) {
        if (timer.deadline <= now && (due === undefined || timer.deadline < due.deadline)) {
          due = timer;
        }
      }
      if (due === undefined) break;
      const deadline = due.deadline;
      due.deadline = Infinity;
      due.fired++;
      due.fire(deadline);
    }
    this.firing = undefined;
  }

  /** Virtual clock only: the guest is idle, time jumps. */
  skipTo(time: number): void {
    const now = this.now();
    if (time > now) this.state.offset += time - now;
  }

  /** Virtual clock only: something took time besides instructions. */
  charge(ns: number): void {
    if (!this.virtual) return;
    this.state.offset += ns;
    if (this.now() >= this.sliceEnd) this.onEarlier();
  }

  /**
   * A deadline that is set while timers fire is after them, and none is so far away that time, a
   * double, would stand still there: what adds a period that changes nothing would fire for ever.
   */
  possible(deadline: number): number {
    if (deadline >= NEVER) return Infinity;
    return this.firing === undefined ? deadline : Math.max(deadline, this.firing + STEP);
  }

  /** A deadline was set. */
  changed(deadline: number): void {
    if (deadline < this.sliceEnd) {
      this.sliceEnd = deadline;
      this.onEarlier();
    }
  }

  deadlines(): Record<string, number> {
    const pending: Record<string, number> = {};
    for (const timer of this.timers) {
      if (timer.deadline !== Infinity) pending[timer.name] = timer.deadline;
    }
    return pending;
  }
  /** How often each timer has fired, for --stats. */
  firings(): Record<string, number> {
    return Object.fromEntries(this.timers.map((timer) => [timer.name, timer.fired]));
  }
}
