/** The x87: every opcode from D8 to DF in its memory and register forms. */
import { EAX, EBX, type Generator, type Group, type MemoryOptions } from '../generator.ts';
import { STACK } from '../layout.ts';
import type { Item } from '../program.ts';
import {
  float32,
  float64,
  float80,
  integer,
  little,
  packedDecimal,
  type Random,
} from '../random.ts';
import { conditionItem } from './control.ts';

/** A status word and control word that agree about a pending exception (ES and B). */
function words(r: Random): { control: number; status: number } {
  let masks = 0x3f;
  if (r.chance(0.12)) masks = r.int(64);
  const control = 0x40 | masks | (r.pick([0, 2, 3, 3, 3]) << 8) | (r.int(4) << 10);
  let status = r.chance(0.5) ? 0 : r.int(128) & (r.chance(0.9) ? masks | 0x40 : 0x7f);
  if (status & ~control & 0x3f) status |= 0x8080;
  status |= r.bits() & 0x4700;
  return { control, status };
}

export function prepareX87(g: Generator): void {
  const { r } = g;
  const view = new DataView(g.fpu.buffer);
  const { control, status } = words(r);
  view.setUint16(0, control, true);
  view.setUint16(2, status | (r.int(8) << 11), true);
  g.fpu[4] = r.chance(0.3) ? 0xff : r.chance(0.15) ? 0 : r.int(256) | r.int(256);
  for (let i = 0; i < 8; i++) g.fpu.set(float80(r), 32 + 16 * i);
}

/** Opcode, ModRM.reg, bytes in memory, mask row, content. */
type Memory = [
  opcode: number,
  reg: number,
  bytes: number,
  op: string,
  content: (r: Random) => number[],
];

const MEMORY: Memory[] = [];
for (let n = 0; n < 8; n++) {
  const op = n === 2 || n === 3 ? 'X87_COMPARE' : 'X87';
  MEMORY.push([0xd8, n, 4, op, float32], [0xda, n, 4, op, (r) => integer(r, 4)]);
  MEMORY.push([0xdc, n, 8, op, float64], [0xde, n, 2, op, (r) => integer(r, 2)]);
}
const LOADS_AND_STORES: Memory[] = [
  [0xd9, 0, 4, 'X87', float32], [0xd9, 2, 4, 'X87', float32], [0xd9, 3, 4, 'X87', float32],
  [0xdb, 0, 4, 'X87', (r) => integer(r, 4)], [0xdb, 2, 4, 'X87', float32], [0xdb, 3, 4, 'X87', float32],
  [0xdb, 5, 10, 'X87', float80], [0xdb, 7, 10, 'X87', float80],
  [0xdd, 0, 8, 'X87', float64], [0xdd, 2, 8, 'X87', float64], [0xdd, 3, 8, 'X87', float64],
  [0xdf, 0, 2, 'X87', (r) => integer(r, 2)], [0xdf, 2, 2, 'X87', float32], [0xdf, 3, 2, 'X87', float32],
  [0xdf, 4, 10, 'X87', packedDecimal], [0xdf, 5, 8, 'X87', (r) => integer(r, 8)],
  [0xdf, 6, 10, 'X87', float80], [0xdf, 7, 8, 'X87', float80],
]; // prettier-ignore

function memoryItem(g: Generator, [opcode, reg, bytes, op, content]: Memory): Item {
  const rm = g.memory(bytes, { content: () => content(g.r) });
  // A store of ten bytes is made in two steps.
  return { op, bytes: g.encode(32, [opcode], rm, reg), partial: bytes === 10 };
}

/** Register forms: opcode, first ModRM byte, how many, mask row. */
const REGISTER: [opcode: number, first: number, count: number, op: string][] = [
  [0xd8, 0xc0, 16, 'X87'], [0xd8, 0xd0, 16, 'X87_COMPARE'], [0xd8, 0xe0, 32, 'X87'],
  [0xd9, 0xc0, 16, 'X87'], [0xd9, 0xc0, 16, 'X87'], [0xd9, 0xd0, 1, 'X87_NOTHING'],
  [0xd9, 0xe0, 2, 'X87'], [0xd9, 0xe4, 1, 'X87_COMPARE'], [0xd9, 0xe5, 1, 'FXAM'], [0xd9, 0xe5, 1, 'FXAM'], [0xd9, 0xe8, 7, 'X87'],
  [0xda, 0xc0, 32, 'FCMOV'], [0xdb, 0xc0, 32, 'FCMOV'], [0xda, 0xe9, 1, 'X87_COMPARE'],
  [0xdb, 0xe8, 16, 'X87_COMPARE_FLAGS'], [0xdf, 0xe8, 16, 'X87_COMPARE_FLAGS'],
  [0xdc, 0xc0, 16, 'X87'], [0xdc, 0xe0, 32, 'X87'], [0xde, 0xc0, 16, 'X87'], [0xde, 0xe0, 32, 'X87'], [0xde, 0xd9, 1, 'X87_COMPARE'],
  [0xdd, 0xc0, 8, 'X87_NOTHING'], [0xdd, 0xd0, 16, 'X87'], [0xdd, 0xe0, 16, 'X87_COMPARE'],
  [0xd9, 0xf4, 1, 'X87'], [0xd9, 0xf5, 1, 'FPREM'], [0xd9, 0xf6, 2, 'X87'], [0xd9, 0xf8, 1, 'FPREM'],
  [0xd9, 0xfa, 1, 'X87'], [0xd9, 0xfc, 1, 'X87'], [0xd9, 0xfd, 1, 'X87'],
]; // prettier-ignore

/** Second encodings that the manual's table does not have and every processor does. */
const ALIASES: typeof REGISTER = [
  [0xdc, 0xd0, 16, 'X87_COMPARE'], [0xde, 0xd0, 8, 'X87_COMPARE'], [0xd9, 0xd8, 8, 'X87'],
  [0xdd, 0xc8, 8, 'X87'], [0xdf, 0xc8, 8, 'X87'], [0xdf, 0xd0, 16, 'X87'], [0xdf, 0xc0, 8, 'X87_NOTHING'],
  [0xdb, 0xe0, 2, 'NONE'], [0xdb, 0xe4, 1, 'NONE'],
]; // prettier-ignore

function registerItem(g: Generator): Item {
  const { r } = g;
  const [opcode, first, count, op] = r.pick(r.chance(0.02) ? ALIASES : REGISTER);
  return { op, bytes: [opcode, first + r.int(count)] };
}

/** Words of an environment that hold pointers and opcode (see ignore below). */
function environment(address: number, size: number): Item['ignore'] {
  return [
    size === 32 ? { address: address + 12, length: 16 } : { address: address + 6, length: 8 },
  ];
}

function controlItem(g: Generator): Item {
  const { r } = g;
  const size = r.chance(0.8) ? 32 : 16;
  const scale = size >> 4;
  const { control, status } = words(r);
  const image = () => {
    const pad = size === 32 ? [0xff, 0xff] : [];
    const both = (value: number) => [...little(value, 2), ...pad];
    return [
      ...both(control),
      ...both(status | (r.int(8) << 11)),
      ...both(r.bits()),
      ...new Array<number>(8 * scale).fill(0),
    ];
  };
  const full = () => [...image(), ...Array.from({ length: 8 }, () => float80(r)).flat()];
  // Saved images have undefined parts: they go where nothing else is, one place for each format.
  const saved = { at: STACK + (size === 32 ? 0xc00 : 0xd00) };
  const again = r.chance(0.2) ? saved : {};
  const memory = (bytes: number, o: MemoryOptions = {}) => g.memory(bytes, { safe: true, ...o });
  switch (r.int(12)) {
    case 0:
    case 1:
      return {
        op: 'X87_NOTHING',
        bytes: g.encode(32, [0xd9], memory(2, { content: () => little(control, 2) }), 5),
      };
    case 2:
      return { op: 'X87_NOTHING', bytes: g.encode(32, [0xd9], memory(2), 7) };
    case 3:
      return { op: 'FNSTSW', bytes: g.encode(32, [0xdd], memory(2), 7) };
    case 4:
    case 5:
      return { op: 'FNSTSW', bytes: [0xdf, 0xe0] };
    case 6:
      return { op: 'X87_NOTHING', bytes: [0xdb, 0xe2] };
    case 7:
      return r.chance(0.3) ? { op: 'FNINIT', bytes: [0xdb, 0xe3] } : { op: 'NONE', bytes: [0x9b] };
    case 8: {
      const rm = memory(14 * scale, saved);
      return {
        op: 'FNSTENV',
        bytes: g.encode(size, [0xd9], rm, 6),
        ignore: environment(rm.address, size),
        partial: true,
      };
    }
    case 9:
      return {
        op: 'FLDENV',
        bytes: g.encode(size, [0xd9], memory(14 * scale, { content: image, ...again }), 4),
      };
    case 10: {
      const rm = memory(14 * scale + 80, saved);
      return {
        op: 'FNSAVE',
        bytes: g.encode(size, [0xdd], rm, 6),
        ignore: environment(rm.address, size),
        partial: true,
      };
    }
    default:
      return {
        op: 'FLDENV',
        bytes: g.encode(size, [0xdd], memory(14 * scale + 80, { content: full, ...again }), 4),
      };
  }
}

export function x87Item(g: Generator): Item {
  const { r } = g;
  const kind = r.int(20);
  if (kind < 5) return memoryItem(g, r.pick(MEMORY));
  if (kind < 10) return memoryItem(g, r.pick(LOADS_AND_STORES));
  if (kind < 18) return registerItem(g);
  if (kind === 18) return controlItem(g);
  return conditionItem(g);
}

export const x87: Group = {
  name: 'x87',
  longest: 16,
  implicit: [EAX, EBX],
  prepare: prepareX87,
  item: x87Item,
  share: 3000,
};

/** One operation at a time: an operand or two, then the state. */
export const x87single: Group = {
  name: 'x87 single',
  longest: 1,
  implicit: [EAX, EBX],
  prepare: (g) => {
    prepareX87(g);
    if (g.r.chance(0.8)) g.fpu[4] = 0xff;
  },
  item: (g) => {
    const { r } = g;
    return r.chance(0.3)
      ? memoryItem(g, r.pick(MEMORY))
      : r.chance(0.5)
        ? memoryItem(g, r.pick(LOADS_AND_STORES))
        : registerItem(g);
  },
  share: 3000,
};

export const x87control: Group = {
  name: 'x87 control',
  longest: 8,
  implicit: [EAX, EBX],
  prepare: prepareX87,
  item: (g) => (g.r.chance(0.5) ? controlItem(g) : registerItem(g)),
};

/** F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS: close to 1 unit in the last place, alone. */
const TRANSCENDENTAL: [number, string][] = [
  [0xf0, 'X87'], [0xf1, 'X87'], [0xf2, 'FSIN'], [0xf3, 'X87'], [0xf9, 'X87'], [0xfb, 'FSIN'], [0xfe, 'FSIN'], [0xff, 'FSIN'],
]; // prettier-ignore

export const x87transcendental: Group = {
  name: 'x87 transcendental',
  longest: 1,
  prepare: (g) => {
    const { r } = g;
    prepareX87(g);
    const view = new DataView(g.fpu.buffer);
    // Exceptions masked, full precision: the manual's error bounds hold there.
    view.setUint16(0, 0x37f | (r.chance(0.8) ? 0 : r.int(4) << 10), true);
    view.setUint16(2, view.getUint16(2, true) & 0x3800, true);
    g.fpu[4] = r.chance(0.9) ? 0x1f : 0xff;
    g.close = 'x87';
  },
  item: (g) => {
    const [byte, op] = g.r.pick(TRANSCENDENTAL);
    // F2XM1 is defined for -1 to 1, FYL2XP1 for less than 0.29 either way: make the operand fit.
    const limit = byte === 0xf0 ? 0x3ffe : byte === 0xf9 ? 0x3ffc : 0x7fff;
    const view = new DataView(g.fpu.buffer);
    const head = view.getUint16(40, true);
    if ((head & 0x7fff) > limit && (head & 0x7fff) < 0x7fff)
      view.setUint16(40, (head & 0x8000) | (limit - g.r.int(g.r.chance(0.8) ? 20 : 0x3000)), true);
    return { op, bytes: [0xd9, byte] };
  },
};
