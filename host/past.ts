/**
 * How a guest that cannot go on came there, as text: the last events with the instruction at each,
 * and the last instructions as far as they are known. Changes nothing.
 */
import { EIP_CURRENT, HALTED, RECORD_CURRENT, RECORDS } from '../assembly/shared/layout';
import { MARK, RECORD_LENGTH, RECORD_SIZE } from '../assembly/shared/records';
import { disassemble } from '../isa/disassemble';
import type { Cpu } from './cpu';
import { describeState } from './dump';
import { describeEvent, history, type Event } from './history';
import { readByte } from './linear';
import { hex } from './trace';

/** Enough for a chain of faults and where it came from. */
const EVENTS = 16;
/** Instructions shown before the one where it ended. */
const INSTRUCTIONS = 16;
const LONGEST_INSTRUCTION = 15;
/** Events that are looked at for repeating themselves. */
const LONGEST_CYCLE = 6;

/** A place in code. */
type Place = Pick<Event, 'eip' | 'base' | 'wide'>;

/** All that is told of a guest that cannot go on: how it came there, and its state. */
export function describeEnd(cpu: Cpu): string {
  return `${describePast(cpu)}\n${describeState(cpu)}`;
}

function describePast(cpu: Cpu): string {
  const events = history(cpu.memory);
  const instructions = lastInstructions(cpu, events);
  return [
    'the last events:',
    ...eventLines(cpu, events),
    ...(instructions.length ? ['the last instructions:', ...instructions] : []),
  ].join('\n');
}

/** Events in order; what repeats itself stands there once. */
function eventLines(cpu: Cpu, events: Event[]): string[] {
  const lines: string[] = [];
  for (const event of events) {
    const text = read(cpu, event).text.padEnd(32);
    lines.push(`  ${hex(event.eip, 8)}  ${text}  ${describeEvent(event)}`);
    for (let n = 1; n <= LONGEST_CYCLE; n++) {
      const again = `  (${n > 1 ? `these ${n}` : 'this'} again and again)`;
      const marked = lines.at(-n - 1) === again ? 1 : 0;
      const latest = lines.slice(-n);
      const before = lines.slice(-2 * n - marked, lines.length - n - marked);
      if (before.length < n || latest.join() !== before.join()) continue;
      lines.splice(-n, n);
      if (!marked) lines.push(again);
      break;
    }
  }
  return lines.slice(-EVENTS);
}

// --- Instructions --------------------------------------------------------------------------------

interface Line extends Place {
  length: number;
  text: string;
}

/**
 * The straight runs of code that began where the run loop entered blocks, each once, and last the one
 * that ended at the first fault of the final chain, or at the HLT. Between two of them, interpreter
 * and translated code may have gone through more: "...".
 */
function lastInstructions(cpu: Cpu, events: Event[]): string[] {
  const fault = events.findLast(({ kind, during }) => kind === 'fault' && during === undefined);
  const end = isHalted(cpu) ? stopped(cpu, events.at(-1)) : fault;
  if (!end) return [];
  const before = end === fault ? events.slice(0, events.indexOf(fault!)) : events;
  const runs: Line[][] = [];
  const append = (run: Line[]): void => {
    const same = runs.findIndex((other) => other[0]!.eip === run[0]!.eip);
    if (same >= 0) runs.splice(same, 1);
    // The last run was left in its middle: at a device's access, for instance.
    const previous = runs.at(-1);
    const left = previous?.findIndex((line) => line.eip === run[0]!.eip) ?? -1;
    if (left > 0) previous!.splice(left);
    runs.push(run);
  };
  for (const event of before) {
    if (/^(interpreted|translated|branch)$/.test(event.kind)) append(straight(cpu, event));
  }
  // The block began inside what ran before, or the other way round.
  const reached = runs.at(-1)?.findIndex((line) => line.eip === end.eip) ?? -1;
  if (reached >= 0) runs.push(runs.pop()!.slice(0, reached + 1));
  else append(straight(cpu, { ...end, eip: end.start }, end.eip));
  const shown: string[] = [];
  runs.forEach((run, i) => {
    const previous = runs[i - 1]?.at(-1);
    if (previous && !leadsTo(previous, run[0]!.eip)) shown.push('  ...');
    for (const line of run) {
      const code = Array.from(fetch(cpu, line, line.length), (byte) => hex(byte)).join(' ');
      shown.push(`  ${hex(line.eip, 8)}  ${code.padEnd(24)}  ${line.text}`);
    }
  });
  const last = shown.pop()!;
  return [...shown.slice(-INSTRUCTIONS), last.replace(' ', '>')];
}

function isHalted(cpu: Cpu): boolean {
  return new DataView(cpu.memory.buffer).getUint32(HALTED, true) !== 0;
}

/** Code from a place to the first branch, or to `until`. */
function straight(cpu: Cpu, from: Place, until = -1): Line[] {
  const lines: Line[] = [];
  let { eip } = from;
  while (lines.length < 4 * INSTRUCTIONS || until >= 0) {
    const place = { eip, base: from.base, wide: from.wide };
    const line = { ...place, ...read(cpu, place) };
    lines.push(line);
    if (!line.length || eip === until || (until < 0 && isBranch(line.text))) break;
    eip += line.length;
    if (until >= 0 && eip > until) break;
  }
  return lines;
}

function isBranch(text: string): boolean {
  return /^(j|call|ret|loop|int|iret|hlt|sys|ud2)/.test(text);
}

/** Whether code at `eip` may follow the line without anything between. */
function leadsTo({ eip, length, text }: Line, next: number): boolean {
  const target = /^(?:j\w+|call|loop\w*) 0x([0-9a-f]+)$/.exec(text)?.[1];
  if (target !== undefined && parseInt(target, 16) === next) return true;
  return next === eip + length && !/^(jmp|call|ret|iret)/.test(text);
}

/** The instruction that the processor stopped behind, with the block that it was in. */
function stopped(cpu: Cpu, last: Event | undefined): (Place & { start: number }) | undefined {
  const view = new DataView(cpu.memory.buffer);
  let record = view.getUint32(RECORD_CURRENT, true);
  if (!last || record < RECORDS) return undefined;
  const eip = view.getUint32(EIP_CURRENT, true);
  let start = eip;
  for (record -= RECORD_SIZE; view.getUint16(record, true) !== MARK; record -= RECORD_SIZE) {
    start -= view.getUint8(record + RECORD_LENGTH);
  }
  return { eip, start, base: last.base, wide: last.wide };
}

function read(cpu: Cpu, place: Place): { length: number; text: string } {
  const bytes = fetch(cpu, place, LONGEST_INSTRUCTION);
  if (!bytes.length) return { length: 0, text: '(not mapped)' };
  return disassemble(bytes, place.eip, place.wide);
}

/** Up to `count` bytes of code: fewer where a page is not mapped. */
function fetch(cpu: Cpu, { base, eip }: Place, count: number): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    const byte = readByte(cpu, base + eip + i);
    if (byte === undefined) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
