// The object that --stats writes (docs/stats.md): the core's raw counters under their names, beside
// what the machine counts itself.

import {
  COUNT_BLOCKS_DECODED,
  COUNT_BLOCKS_INVALIDATED,
  COUNT_RECORD_FLUSHES,
  COUNT_REGION_ENTRIES,
  COUNT_SINGLES,
  COUNT_SPACE_ENTRIES,
  COUNT_SPACE_RETURNS,
  COUNT_TLB_FILLS,
  COUNT_TLB_FLUSHES,
  COUNT_TLB_PAGE_FLUSHES,
  COUNT_TRANSLATED,
  COUNT_VECTORS,
} from '../assembly/shared/counters';
import { EXCEPTIONS } from './history';
import type { Machine } from './machine';

/** Vectors below are the processor's own (SDM vol. 3A 6.3.1). */
const FIRST_INTERRUPT = 32;
const VECTORS = 256;

export function statistics(machine: Machine): Record<string, unknown> {
  const { guestSeconds, cpu: _raw, instructions: _total, ...counted } = machine.stats();
  const counters = machine.cpu.counters();
  const count = (index: number): number => counters[index]!;
  const total = machine.cpu.retired();
  const compiled = count(COUNT_TRANSLATED) + count(COUNT_TRANSLATED + 1) * 2 ** 32;
  const exceptions: Record<string, number> = {};
  const interrupts: Record<string, number> = {};
  for (let vector = 0; vector < VECTORS; vector++) {
    const taken = count(COUNT_VECTORS + vector);
    if (!taken) continue;
    if (vector < FIRST_INTERRUPT) exceptions[EXCEPTIONS[vector] ?? String(vector)] = taken;
    else interrupts[String(vector)] = taken;
  }
  return {
    guestSeconds,
    instructions: { total, interpreted: total - compiled, compiled },
    blocks: {
      decoded: count(COUNT_BLOCKS_DECODED),
      invalidated: count(COUNT_BLOCKS_INVALIDATED),
      flushes: count(COUNT_RECORD_FLUSHES),
    },
    core: {
      regionEntries: count(COUNT_REGION_ENTRIES),
      singleSteps: count(COUNT_SINGLES),
      throws: machine.cpu.throws,
    },
    tlb: {
      fills: count(COUNT_TLB_FILLS),
      flushes: count(COUNT_TLB_FLUSHES),
      pageFlushes: count(COUNT_TLB_PAGE_FLUSHES),
      spaceReturns: count(COUNT_SPACE_RETURNS),
      spaceEntries: count(COUNT_SPACE_ENTRIES),
    },
    exceptions,
    interrupts,
    ...counted,
  };
}
