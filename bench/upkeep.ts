// What a machine costs besides the seconds of its rows: translating, memory, waiting at its prompt.

import { readFileSync } from 'node:fs';

export interface Upkeep {
  /** Microseconds of the guest's thread an instruction that was translated, the engine's share included. */
  translator: number;
  /** MiB of the process beyond the guest's memory. */
  memory: number;
  /** Share of a core, all threads, in %. */
  idle: number;
}

/** Of `--stats`, what is needed here (docs/stats.md). */
export interface TranslatorCounts {
  instructions: number;
  translateMilliseconds: number;
  compileMilliseconds: number;
}

/** Seconds: until what the last row has left is compiled and the guest sleeps deeply, and then that it waits. */
const SETTLE = 10;
const WAIT = 10;
/** Of /proc/PID/stat: USER_HZ, the same on every i386 and x86-64 Linux. */
const TICKS = 100;

/** Of a guest at its prompt; `guestMemory` in MiB. Undefined where the system has no /proc to ask. */
export async function upkeep(
  pid: number,
  guestMemory: number,
  translator: TranslatorCounts,
  { settle, wait } = { settle: SETTLE, wait: WAIT },
): Promise<Upkeep | undefined> {
  const resident = residentMemory(pid);
  if (resident === undefined) return undefined;
  const { instructions, translateMilliseconds, compileMilliseconds } = translator;
  await sleep(settle);
  const before = processorSeconds(pid);
  await sleep(wait);
  return {
    translator: ((translateMilliseconds + compileMilliseconds) * 1000) / instructions,
    memory: resident - guestMemory,
    idle: ((processorSeconds(pid) - before) / wait) * 100,
  };
}

/** MiB. */
function residentMemory(pid: number): number | undefined {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return undefined;
  }
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}

/** Of all threads, user and system; proc(5), fields 14 and 15. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field, the program's name in brackets, may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
