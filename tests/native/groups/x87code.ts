/**
 * x87 code as compilers make it: the stack neither over- nor underflows, exceptions are masked,
 * most values are ordinary. What translated code does by itself (jit/x87.ts), and seldom gets to do
 * where tags and control words are random.
 */
import { EAX, type Generator, type Group } from '../generator.ts';
import { STACK } from '../layout.ts';
import type { Item } from '../program.ts';
import { float32, float64, float80, integer, little, type Random } from '../random.ts';
import { moveItem } from './moves.ts';
import { conditionItem } from './control.ts';

/** Bytes of a real near one, often with a short fraction; else of any kind. */
function ordinary(r: Random, any: (r: Random) => number[], bytes: number): number[] {
  if (r.chance(0.12)) return any(r);
  const spread = r.pick([1, 1, 4, 40, 70]);
  const away = r.int(2 * spread + 1) - spread;
  const short = r.chance(0.3);
  const bits = BigInt(r.bits() >>> 0) | (BigInt(r.bits() >>> 0) << 32n);
  const fraction = short ? bits & (0xffn << 55n) : bits & ((1n << 63n) - 1n);
  const negative = r.chance(0.5) ? 1n : 0n;
  if (bytes === 10) {
    const words = (negative << 79n) | (BigInt(0x3fff + away) << 64n) | (1n << 63n) | fraction;
    return Array.from({ length: 10 }, (_, i) => Number((words >> BigInt(8 * i)) & 0xffn));
  }
  const view = new DataView(new ArrayBuffer(8));
  const value = Number((1n << 63n) | fraction) * 2 ** (away - 63) * (negative ? -1 : 1);
  if (bytes === 8) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return [...new Uint8Array(view.buffer, 0, bytes)];
}

function prepare(g: Generator): void {
  const { r } = g;
  const view = new DataView(g.fpu.buffer);
  const control = r.chance(0.85) ? 0x37f : 0x7f | (r.pick([0, 2, 3]) << 8) | (r.int(4) << 10);
  view.setUint16(0, control, true);
  const top = r.int(8);
  const status = (r.chance(0.5) ? 0 : r.int(64)) | (r.bits() & 0x4700) | (top << 11);
  view.setUint16(2, status, true);
  const depth = 2 + r.int(4);
  // The tags of FXSAVE are those of physical registers, the values in stack order.
  let tags = 0;
  for (let i = 0; i < depth; i++) tags |= 1 << ((top + i) & 7);
  g.fpu[4] = tags;
  for (let i = 0; i < 8; i++) g.fpu.set(ordinary(r, float80, 10), 32 + 16 * i);
  depths.set(g, depth);
}

/** How many registers are full where the program has come to. */
const depths = new WeakMap<Generator, number>();

/** Opcode, ModRM.reg, bytes, mask row, content, what it does to the depth. */
type Memory = [number, number, number, string, (r: Random) => number[], number];

const real32 = (r: Random) => ordinary(r, float32, 4);
const real64 = (r: Random) => ordinary(r, float64, 8);
const real80 = (r: Random) => ordinary(r, float80, 10);
const control = (r: Random) => little(r.pick([0x37f, 0x37f, 0xf7f, 0xc7f, 0x27f, 0x77f]), 2);

const OPERATIONS: Memory[] = [0, 1, 4, 5, 6, 7, 2].flatMap((reg): Memory[] => {
  const op = reg === 2 ? 'X87_COMPARE' : 'X87';
  return [
    [0xd8, reg, 4, op, real32, 0],
    [0xdc, reg, 8, op, real64, 0],
    [0xdc, reg, 8, op, real64, 0],
    [0xda, reg, 4, op, (r) => integer(r, 4), 0],
    [0xde, reg, 2, op, (r) => integer(r, 2), 0],
  ];
});
const LOADS: Memory[] = [
  [0xd9, 0, 4, 'X87', real32, 1], [0xdd, 0, 8, 'X87', real64, 1], [0xdd, 0, 8, 'X87', real64, 1],
  [0xdb, 5, 10, 'X87', real80, 1], [0xdb, 0, 4, 'X87', (r) => integer(r, 4), 1],
  [0xdf, 0, 2, 'X87', (r) => integer(r, 2), 1], [0xdf, 5, 8, 'X87', (r) => integer(r, 8), 1],
]; // prettier-ignore
const STORES: Memory[] = [
  [0xd9, 2, 4, 'X87', real32, 0], [0xdd, 2, 8, 'X87', real64, 0], [0xdb, 2, 4, 'X87', real32, 0], [0xdf, 2, 2, 'X87', real32, 0],
  [0xd9, 3, 4, 'X87', real32, -1], [0xdd, 3, 8, 'X87', real64, -1], [0xdb, 7, 10, 'X87', real80, -1],
  [0xdb, 3, 4, 'X87', real32, -1], [0xdf, 3, 2, 'X87', real32, -1], [0xdf, 7, 8, 'X87', real64, -1],
  [0xd8, 3, 4, 'X87_COMPARE', real32, -1], [0xdc, 3, 8, 'X87_COMPARE', real64, -1],
]; // prettier-ignore

function memoryItem(g: Generator, [opcode, reg, bytes, op, content]: Memory): Item {
  const rm = g.memory(bytes, { content: () => content(g.r), safe: g.r.chance(0.9) });
  return { op, bytes: g.encode(32, [opcode], rm, reg), partial: bytes === 10 };
}

/** First byte, ModRM of ST(0), mask row, what it does to the depth; the register is a full one. */
const INDEXED: [number, number, string, number][] = [
  ...[0xc0, 0xc8, 0xe0, 0xe8, 0xf0, 0xf8].flatMap((modrm): [number, number, string, number][] => [
    [0xd8, modrm, 'X87', 0], [0xdc, modrm, 'X87', 0], [0xde, modrm, 'X87', -1], [0xde, modrm, 'X87', -1],
  ]),
  [0xd9, 0xc8, 'X87', 0], [0xd9, 0xc8, 'X87', 0], [0xd9, 0xc8, 'X87', 0], [0xd9, 0xc0, 'X87', 1], [0xd9, 0xc0, 'X87', 1],
  [0xdd, 0xd0, 'X87', 0], [0xdd, 0xd8, 'X87', -1], [0xdd, 0xd8, 'X87', -1],
  [0xd8, 0xd0, 'X87_COMPARE', 0], [0xd8, 0xd8, 'X87_COMPARE', -1], [0xdd, 0xe0, 'X87_COMPARE', 0], [0xdd, 0xe8, 'X87_COMPARE', -1],
  [0xdb, 0xe8, 'X87_COMPARE_FLAGS', 0], [0xdb, 0xf0, 'X87_COMPARE_FLAGS', 0], [0xdf, 0xe8, 'X87_COMPARE_FLAGS', -1],
  [0xdf, 0xf0, 'X87_COMPARE_FLAGS', -1], [0xda, 0xc0, 'FCMOV', 0], [0xdb, 0xc8, 'FCMOV', 0], [0xda, 0xd0, 'FCMOV', 0],
]; // prettier-ignore

/** Without operands. */
const PLAIN: [number, number, string, number][] = [
  [0xd9, 0xe0, 'X87', 0], [0xd9, 0xe1, 'X87', 0], [0xd9, 0xe8, 'X87', 1], [0xd9, 0xee, 'X87', 1], [0xd9, 0xeb, 'X87', 1],
  [0xd9, 0xe4, 'X87_COMPARE', 0], [0xd9, 0xe5, 'FXAM', 0], [0xd9, 0xfa, 'X87', 0], [0xd9, 0xfc, 'X87', 0],
  [0xd9, 0xd0, 'X87_NOTHING', 0], [0xda, 0xe9, 'X87_COMPARE', -2], [0xde, 0xd9, 'X87_COMPARE', -2],
]; // prettier-ignore

function controlItem(g: Generator): Item {
  const { r } = g;
  switch (r.int(6)) {
    case 0:
    case 1: {
      const rm = g.memory(2, { content: () => control(r), safe: true });
      return { op: 'X87_NOTHING', bytes: g.encode(32, [0xd9], rm, 5) };
    }
    case 2:
      return { op: 'X87_NOTHING', bytes: g.encode(32, [0xd9], g.memory(2, { safe: true }), 7) };
    case 3:
      return { op: 'FNSTSW', bytes: [0xdf, 0xe0] };
    case 4:
      return { op: 'NONE', bytes: [0x9b] };
    default: {
      const rm = g.memory(28, { safe: true, at: STACK + 0xc00 });
      return {
        op: 'FNSTENV',
        bytes: g.encode(32, [0xd9], rm, 6),
        ignore: [{ address: rm.address + 12, length: 16 }],
        partial: true,
      };
    }
  }
}

function item(g: Generator): Item {
  const { r } = g;
  const depth = depths.get(g) ?? 0;
  const move = (by: number) => depths.set(g, depth + by);
  const kind = r.int(24);
  if (kind === 0) return controlItem(g);
  if (kind === 1) return conditionItem(g);
  if (kind < 4) return moveItem(g);
  if (depth < 2 || (kind < 9 && depth < 7)) {
    move(1);
    return memoryItem(g, r.pick(LOADS));
  }
  if (kind < 13) {
    const chosen = r.pick(STORES.filter((store) => depth + store[5] > 0));
    move(chosen[5]);
    return memoryItem(g, chosen);
  }
  if (kind < 16) return memoryItem(g, r.pick(OPERATIONS));
  const list = kind < 22 ? INDEXED : PLAIN;
  const [opcode, modrm, op, by] = r.pick(list.filter((entry) => depth + entry[3] < 8));
  // Now and then a fault all the same.
  const register = list === PLAIN ? 0 : r.chance(0.97) ? r.int(depth) : r.int(8);
  move(Math.max(by, -depth));
  return { op, bytes: [opcode, modrm + register] };
}

export const x87code: Group = {
  name: 'x87 code',
  longest: 24,
  implicit: [EAX],
  prepare,
  item,
  share: 3000,
};
