// What a process that runs a guest tells of itself: vmi86 its counts, Linux its processor time and memory.

import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of `--stats`, what a bench reads (docs/stats.md). */
export interface Statistics {
  instructions: { total: number };
  tlb: { fills: number };
  interrupts: Record<string, number>;
  devices: Record<string, { reads: number; writes: number }>;
  /** Of the JIT. */
  translator?: TranslatorCounts;
}

export interface TranslatorCounts {
  instructions: number;
  translateMilliseconds: number;
  compileMilliseconds: number;
}

/** Milliseconds between looks, and how often. */
const POLL = 25;
const POLLS = 400;

/** What vmi86 has counted up to now; `file` is that of its `--stats`. */
export async function statisticsOf(pid: number, file: string): Promise<Statistics> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let polls = 0; polls < POLLS; polls++) {
    await sleep(POLL);
    // It is written to a temporary name first: it is whole, or not there.
    const text = contents(file);
    if (text !== undefined) return JSON.parse(text) as Statistics;
  }
  throw new Error(`no statistics within ${(POLL * POLLS) / 1000} s of SIGUSR2`);
}

/** Of the thread that the guest runs on, to the nanosecond (Documentation/scheduler/sched-stats.rst). */
export function threadSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1');
  return Number(text.split(' ')[0]) / 1e9;
}

/** Of all threads, user and system, in hundredths (proc(5), fields 14 and 15 of stat). */
export function processorTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field, the program's name in brackets, may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** In seconds. */
export function processorSeconds(pid: number): number {
  return processorTicks(pid) / 100;
}

/** MiB; undefined where the system has no /proc to ask, or no such process. */
export function residentMemory(pid: number): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(contents(`/proc/${pid}/status`) ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}

/** The most that a core has of a memory besides the guest's (assembly/shared/layout.ts), in MiB. */
const CORE_MEMORY = 128;
const PAGE = 4096;
/** Bytes of /proc/PID/pagemap a page, whose highest bits say that it is in memory or swapped out. */
const PAGEMAP_ENTRY = 8;

/**
 * MiB of the guest's memory that it has used: what it has not is no memory yet. The guest's is the end of
 * the one mapping that is as large as that and a core's (proc(5), maps and pagemap). Undefined if there is none.
 */
export function residentGuest(pid: number, guestMemory: number): number | undefined {
  const guestBytes = guestMemory * 2 ** 20;
  const mapping = [...(contents(`/proc/${pid}/maps`) ?? '').matchAll(/^(\w+)-(\w+) rw/gm)]
    .map(([, start, end]) => ({ start: parseInt(start!, 16), end: parseInt(end!, 16) }))
    .find(({ start, end }) => end - start >= guestBytes && end - start <= guestBytes + CORE_MEMORY * 2 ** 20); // prettier-ignore
  if (!mapping) return undefined;
  const entries = new Uint8Array((guestBytes / PAGE) * PAGEMAP_ENTRY);
  const file = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    const at = ((mapping.end - guestBytes) / PAGE) * PAGEMAP_ENTRY;
    for (let read = 0; read < entries.length;) {
      const more = readSync(file, entries, read, entries.length - read, at + read);
      if (more === 0) return undefined;
      read += more;
    }
  } finally {
    closeSync(file);
  }
  let pages = 0;
  for (let i = PAGEMAP_ENTRY - 1; i < entries.length; i += PAGEMAP_ENTRY) {
    if (entries[i]! & 0xc0) pages++;
  }
  return (pages * PAGE) / 2 ** 20;
}

function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
