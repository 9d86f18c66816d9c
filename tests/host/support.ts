// What device tests share: a clock that is moved by hand and wires that remember.

import { Clock } from '../../host/clock';

/** A virtual clock whose "instructions" the test retires. */
export class TestClock extends Clock {
  private time = 0;

  constructor() {
    super({ kind: 'virtual', hostNow: () => 0 });
    this.retired = () => this.time;
  }

  /** Lets time pass, firing timers at their deadlines. */
  advance(ns: number): void {
    const end = this.time + ns;
    for (;;) {
      const next = this.nextDeadline();
      if (next > end) break;
      this.time = Math.max(this.time, next);
      this.runDue();
    }
    this.time = end;
    this.runDue();
  }
}

/** An interrupt line that records its level and how often it rose. */
export class TestLine {
  level = false;
  rises = 0;

  readonly set = (asserted: boolean): void => {
    if (asserted && !this.level) this.rises++;
    this.level = asserted;
  };
}
