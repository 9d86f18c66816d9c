/** Side by side: one guest on two machines that differ in one thing, to its prompt. */

import { createMachine } from '../host/embed/browser';
import type { CreateOptions, VirtualMachine } from '../host/embed/types';
import { element, setText } from './elements';
import type { Guest } from './guests';
import { hideMessage, showMessage } from './message';
import { SerialTerminal } from './terminal';

type Options = Pick<CreateOptions, 'jit' | 'paravirt'>;

const KINDS: Record<string, [string, Options][]> = {
  tier: [
    ['interpreter', { jit: false }],
    ['translator', { jit: true }],
  ],
  face: [
    ['native', { paravirt: 'none' }],
    ['VMI', { paravirt: 'vmi' }],
  ],
};
const MILLISECONDS = 250;

const lanes: SerialTerminal[] = [];
const machines: VirtualMachine[] = [];

export async function stopRace(): Promise<void> {
  await Promise.all(machines.splice(0).map((machine) => machine.destroy()));
}

/** @param base what both have */
export async function race(kind: string, guest: Guest, base: CreateOptions): Promise<void> {
  hideMessage();
  await stopRace();
  element('race-area').hidden = false;
  setText('race-result', 'Loading.');
  const runners = KINDS[kind]!;
  try {
    for (let i = 0; i < runners.length; i++) {
      const [name, options] = runners[i]!;
      setText(`lane-${i}-name`, name);
      setText(`lane-${i}-figures`, '');
      lanes[i] ??= new SerialTerminal(element(`lane-${i}`), `Lane ${i + 1}`);
      const machine = await createMachine({ ...base, ...options, worker: true });
      machines.push(machine);
      lanes[i]!.attach(machine);
    }
  } catch (error) {
    await stopRace();
    setText('race-result', '');
    showMessage(`The race cannot start: ${(error as Error).message}`);
    return;
  }
  setText('race-result', 'Running.');
  element('race-area').scrollIntoView({ block: 'nearest' });
  const started = performance.now();
  const times = await Promise.all(
    machines.map((machine, i) => runLane(machine, i, guest.ready, started)),
  );
  if (times.some((time) => time === undefined)) {
    setText('race-result', 'Not both have arrived.');
    return;
  }
  const [first, second] = times as [number, number];
  const [winner, loser] = first < second ? [0, 1] : [1, 0];
  const ratio = Math.max(first, second) / Math.min(first, second);
  setText(
    'race-result',
    `${runners[winner]![0]} is there ${ratio.toFixed(2)} times as fast as ${runners[loser]![0]}.`,
  );
}

/** Seconds to the prompt; undefined if it never came. */
async function runLane(
  machine: VirtualMachine,
  lane: number,
  ready: RegExp,
  started: number,
): Promise<number | undefined> {
  const seconds = (): number => (performance.now() - started) / 1000;
  const update = async (): Promise<void> => {
    const { instructions } = await machine.stats();
    const millions = (instructions.total / 1e6).toFixed(0);
    setText(`lane-${lane}-figures`, `${seconds().toFixed(1)} s, ${millions} M instructions`);
  };
  const timer = setInterval(() => void update().catch(() => {}), MILLISECONDS);
  try {
    machine.run();
    await machine.serial.waitFor(ready);
    const time = seconds();
    await update();
    return time;
  } catch {
    setText(`lane-${lane}-figures`, 'did not arrive');
    return undefined;
  } finally {
    clearInterval(timer);
  }
}
