// The loop of a run, with a machine and a terminal made of plain functions.

import { describe, expect, it } from 'vitest';
import { Run, type Outcome, type RunMachine, type RunTerminal } from '../../host/cli/run';

class FakeTerminal implements RunTerminal {
  onInput: (data: Uint8Array) => void = () => {};
  onBroken: () => void = () => {};
  written = '';
  said = '';
  write(data: Uint8Array): undefined {
    this.written += Buffer.from(data).toString('latin1');
  }
  say(line: string): void {
    this.said += line;
  }
}

/** Plays back a list of outcomes, the last one for ever; prints what it is given. */
class FakeMachine implements RunMachine {
  onSerial: (data: Uint8Array) => void = () => {};
  slices = 0;
  typed = '';
  constructor(
    private readonly outcomes: Outcome[],
    private readonly output = '',
  ) {}
  runSlice(): Outcome {
    if (this.output) this.onSerial(Buffer.from(this.output));
    return this.outcomes[Math.min(this.slices++, this.outcomes.length - 1)]!;
  }
  sendSerial(data: Uint8Array): void {
    this.typed += Buffer.from(data).toString('latin1');
  }
}

const RUNNING: Outcome = { kind: 'running' };
const POWER_OFF: Outcome = { kind: 'poweroff' };

describe('a run', () => {
  it('delivers all output before it ends with the power-off', async () => {
    const machine = new FakeMachine([RUNNING, RUNNING, POWER_OFF], 'x');
    const terminal = new FakeTerminal();
    expect(await new Run({ machine, terminal }).run()).toMatchObject({ status: 0 });
    expect(terminal.written).toBe('xxx');
  });

  it('reports a dead guest', async () => {
    const machine = new FakeMachine([{ kind: 'dead', report: 'triple fault\neax 0' }]);
    const end = await new Run({ machine, terminal: new FakeTerminal() }).run();
    expect(end).toMatchObject({ status: 4, message: 'triple fault\neax 0' });
  });

  it('goes on after a reset', async () => {
    const machine = new FakeMachine([{ kind: 'reset' }, POWER_OFF]);
    expect(await new Run({ machine, terminal: new FakeTerminal() }).run()).toMatchObject({
      status: 0,
    });
  });

  it('stops at the match, not after it', async () => {
    const machine = new FakeMachine([RUNNING], 'abc\n');
    const terminal = new FakeTerminal();
    const run = new Run({ machine, terminal, expect: /c\nabc$/m });
    expect(await run.run()).toEqual({ status: 0, reason: 'expected output' });
    expect(machine.slices).toBe(2);
    expect(terminal.written).toBe('abc\nabc\n');
  });

  it('times out while the guest runs and while it sleeps', async () => {
    for (const outcome of [RUNNING, { kind: 'idle', milliseconds: Infinity } as Outcome]) {
      const machine = new FakeMachine([outcome]);
      const run = new Run({ machine, terminal: new FakeTerminal(), timeout: 0.05 });
      expect(await run.run()).toMatchObject({ status: 3, message: 'timeout after 0.05 s' });
    }
  });

  it('sleeps while the guest idles, and wakes for a key', async () => {
    const machine = new FakeMachine([{ kind: 'idle', milliseconds: 10_000 }, POWER_OFF]);
    const terminal = new FakeTerminal();
    const started = performance.now();
    setTimeout(() => terminal.onInput(Buffer.from('k')), 50);
    await new Run({ machine, terminal }).run();
    expect(performance.now() - started).toBeLessThan(5000);
    expect(machine).toMatchObject({ typed: 'k', slices: 2 });
  });

  it('ends on Ctrl-A x even in a sleep without end, and explains on Ctrl-A h', async () => {
    const machine = new FakeMachine([{ kind: 'idle', milliseconds: Infinity }]);
    const terminal = new FakeTerminal();
    setTimeout(() => terminal.onInput(Buffer.from('a\x01h\x01x')), 20);
    expect(await new Run({ machine, terminal }).run()).toMatchObject({ status: 0 });
    expect(machine.typed).toBe('a');
    expect(terminal.said).toContain('Ctrl-A x  quit');
  });

  it('ends when the output is closed', async () => {
    const terminal = new FakeTerminal();
    setTimeout(() => terminal.onBroken(), 20);
    const run = new Run({ machine: new FakeMachine([RUNNING]), terminal });
    expect(await run.run()).toMatchObject({ status: 141 });
  });
});
