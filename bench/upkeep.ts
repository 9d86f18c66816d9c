// What a machine costs besides the seconds of its rows: translating, memory, waiting at its prompt.

import { setTimeout as sleep } from 'node:timers/promises';
import { processorSeconds, residentGuest, residentMemory, type TranslatorCounts } from './process';

export interface Upkeep {
  /** Microseconds of the guest's thread an instruction that was translated, the engine's share included. */
  translator: number;
  /** MiB of the process beyond what it has of the guest's memory. */
  memory: number;
  /** Share of a core, all threads, in %. */
  idle: number;
}

/** Seconds: until what the last row has left is compiled and the guest sleeps deeply, and then that it waits. */
const SETTLE = 10;
const WAIT = 10;

/** Of a guest at its prompt; `guestMemory` in MiB. Undefined where the system has no /proc to ask. */
export async function upkeep(
  pid: number,
  guestMemory: number,
  translator: TranslatorCounts,
  { settle, wait } = { settle: SETTLE, wait: WAIT },
): Promise<Upkeep | undefined> {
  const resident = residentMemory(pid);
  if (resident === undefined) return undefined;
  const guest = residentGuest(pid, guestMemory) ?? guestMemory;
  const { instructions, translateMilliseconds, compileMilliseconds } = translator;
  await sleep(settle * 1000);
  const before = processorSeconds(pid);
  await sleep(wait * 1000);
  return {
    translator: ((translateMilliseconds + compileMilliseconds) * 1000) / instructions,
    memory: resident - guest,
    idle: ((processorSeconds(pid) - before) / wait) * 100,
  };
}
