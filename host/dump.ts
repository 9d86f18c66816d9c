// The processor's state as text, for a guest that cannot go on. Reads, never changes.

import type { Cpu } from './cpu';
import { readByte } from './linear';
import { REGISTER_NAMES, SEGMENT_NAMES } from './state';
import { hex } from './trace';

/** Bytes of code shown before and after EIP. */
const CODE_BEFORE = 16;
const CODE_AFTER = 16;
const STACK_WORDS = 8;

export function describeState(cpu: Cpu): string {
  const { state } = cpu;
  const register = (name: string, value: number): string => `${name} ${hex(value, 8)}`;
  const general = REGISTER_NAMES.map((name) => register(name, state.register(name)));
  const segments = SEGMENT_NAMES.map((name) => {
    const { selector, base, limit, access } = state.segment(name);
    return `${name.padEnd(4)} ${hex(selector, 4)} base ${hex(base, 8)} limit ${hex(limit, 8)} access ${hex(access, 8)}`;
  });
  const { gdtr, idtr, eip } = state;
  const linear = state.segment('cs').base + eip;
  const stack = state.segment('ss').base + state.register('esp');
  return [
    general.slice(0, 4).join('  '),
    general.slice(4).join('  '),
    `${register('eip', eip)}  ${register('eflags', state.eflags)}  cpl ${state.cpl}`,
    ['cr0', 'cr2', 'cr3', 'cr4']
      .map((name) => register(name, state[name as 'cr0' | 'cr2' | 'cr3' | 'cr4']))
      .join('  '),
    ...segments,
    `gdtr base ${hex(gdtr.base, 8)} limit ${hex(gdtr.limit, 4)}  idtr base ${hex(idtr.base, 8)} limit ${hex(idtr.limit, 4)}`,
    `code at eip-${CODE_BEFORE}, <> at eip: ${codeBytes(cpu, linear)}`,
    `stack: ${Array.from({ length: STACK_WORDS }, (_, i) => word(cpu, stack + 4 * i)).join(' ')}`,
  ].join('\n');
}

function codeBytes(cpu: Cpu, linear: number): string {
  const bytes = [];
  for (let i = -CODE_BEFORE; i < CODE_AFTER; i++) {
    const byte = readByte(cpu, linear + i);
    const text = byte === undefined ? '??' : hex(byte, 2);
    bytes.push(i === 0 ? `<${text}>` : text);
  }
  return bytes.join(' ');
}

function word(cpu: Cpu, linear: number): string {
  const bytes = [3, 2, 1, 0].map((i) => readByte(cpu, linear + i));
  return bytes.map((byte) => (byte === undefined ? '??' : hex(byte, 2))).join('');
}
