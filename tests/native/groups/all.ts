/** The list of groups, and the one that mixes them. */
import { EAX, EBX, ECX, EDI, EDX, type Generator, type Group } from '../generator.ts';
import type { Item } from '../program.ts';
import { bitItem, bits } from './bits.ts';
import { conditionItem, conditions, flagItem, flags, jumps } from './control.ts';
import { faults } from './faults.ts';
import {
  alu,
  convert,
  decimal,
  multiply,
  muldiv,
  oneOperand,
  shiftItem,
  shifts,
  twoOperands,
} from './integer.ts';
import { segments, stack, stackItem, strings } from './memory.ts';
import { exchangeItem, exchanges, moveItem, moves } from './moves.ts';
import { mmx, mmxAndX87, simdState, sse, sse2, sse2integer, sseEstimates } from './simd.ts';
import { ssecode } from './ssecode.ts';
import { x87code } from './x87code.ts';
import { x87, x87Item, x87control, x87single, x87transcendental } from './x87.ts';

const integerItems = [
  twoOperands,
  oneOperand,
  shiftItem,
  multiply,
  bitItem,
  moveItem,
  exchangeItem,
  conditionItem,
  flagItem,
  stackItem,
];

const mixed: Group = {
  name: 'mixed integer',
  longest: 24,
  implicit: [EAX, EDX, EBX, ECX],
  stack: true,
  item: (g: Generator): Item => {
    const item = g.r.pick(integerItems)(g);
    return item.bytes[0] === 0x83 && item.bytes[1] === 0xec ? { ...item, op: 'SUB' } : item;
  },
  share: 2000,
};

const mixedX87: Group = {
  name: 'mmx and x87',
  longest: 12,
  implicit: [EAX, EBX, EDI],
  prepare: mmxAndX87.prepare,
  item: (g) => (g.r.chance(0.3) ? mmxAndX87.item(g) : x87Item(g)),
};

export const GROUPS: readonly Group[] = [
  alu, shifts, muldiv, bits, moves, exchanges, conditions, jumps, flags, decimal, convert, stack, strings, segments, faults, mixed,
  x87single, x87, x87code, x87control, x87transcendental, mixedX87,
  mmx, sse, sse2, sse2integer, ssecode, simdState, sseEstimates,
]; // prettier-ignore
