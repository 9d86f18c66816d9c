/** VMI calls in words, for --trace vmi, and their counts, for --stats. */
import type { Cpu } from '../cpu';
import { readByte } from '../linear';
import type { FaceCounts } from '../paravirt/face';
import { hex } from '../trace';
import { CALLS, type Argument } from './calls';

const ENTRY_FLAGS: readonly (readonly [number, string])[] = [
  [0x01, 'PT'],
  [0x02, 'PD'],
  [0x04, 'PDP'],
  [0x08, 'PML4'],
  [0x10, 'CURRENT_AS'],
  [0x20, 'DEFER'],
];
const PAGE_FLAGS: readonly (readonly [number, string])[] = [
  ...ENTRY_FLAGS.slice(0, 4),
  [0x10, 'PAE'],
  [0x20, 'CLONE'],
  [0x40, 'ZEROED'],
];
const COUNTER_NAMES = ['REAL', 'AVAILABLE', 'STOLEN'];
const VA_MASK = 0xfffff000;

function flags(value: number, names: readonly (readonly [number, string])[]): string {
  const set = names.filter(([bit]) => value & bit).map(([, name]) => name);
  return set.join('|') || '0';
}

function shown({ shown: how }: Argument, value: number): string {
  switch (how) {
    case 'number':
      return value < 10 ? String(value) : `0x${hex(value)}`;
    case 'linear':
      return `0x${hex(value, 8)}`;
    case 'selector':
      return `0x${hex(value & 0xffff, 4)}`;
    case 'pfn':
      return `0x${hex(value, 5)}`;
    case 'register':
      return `0x${hex(value & 0xff0, 3)}`;
    case 'counter':
      return COUNTER_NAMES[value] ?? String(value);
    case 'entry flags': {
      const address = value & 0x10 ? `@0x${hex(value & VA_MASK, 8)}` : '';
      return flags(value & 0xfff, ENTRY_FLAGS) + address;
    }
    case 'page flags':
      return flags(value, PAGE_FLAGS);
    case 'alarm flags':
      return [
        COUNTER_NAMES[value & 0xff] ?? `counter ${value & 0xff}`,
        value & 0x100 ? 'PERIODIC' : 'ONESHOT',
        value & 0x10000 ? 'LVTT' : 'IRQ0',
      ].join('|');
  }
}

/** @param frame linear address of the call's stack arguments */
export function describeCall(number: number, cpu: Cpu, frame: number): string {
  const call = CALLS[number];
  if (call === undefined) return `call ${number}, which does not exist`;
  const { state } = cpu;
  const valueOf = ({ at }: Argument): number | undefined => {
    if (at === 'stack0') return readWord(cpu, frame);
    if (at === 'stack1') return readWord(cpu, frame + 4);
    return state.register(at);
  };
  const given = call.arguments.map((argument) => {
    const value = valueOf(argument);
    return `${argument.name}=${value === undefined ? '?' : shown(argument, value)}`;
  });
  return `${call.name}(${given.join(', ')})`;
}

function readWord(cpu: Cpu, linear: number): number | undefined {
  let value = 0;
  for (let i = 3; i >= 0; i--) {
    const byte = readByte(cpu, linear + i);
    if (byte === undefined) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** Adds what the core counted. */
export function countCalls(made: Uint32Array, use: FaceCounts): void {
  for (const { number, name, hook } of CALLS) {
    const count = made[number]!;
    if (count === 0) continue;
    use.calls[name] = count;
    if (hook !== null) use.hook(hook, count);
  }
}
