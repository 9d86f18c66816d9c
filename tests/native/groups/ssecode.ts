/**
 * SSE code as compilers make it: exceptions masked and inexactness noted already, most values
 * ordinary, zeros among them, and now and then one at an edge. What translated code does by itself
 * (jit/sse.ts), and seldom gets to do where MXCSR and values are random.
 */
import { EAX, EDI, type Generator, type Group } from '../generator.ts';
import type { Item } from '../program.ts';
import { float32, float64, type Random } from '../random.ts';
import { conditionItem } from './control.ts';
import { moveItem } from './moves.ts';
import { mxcsrItem, simdItem, SSE, SSE2, SSE2_INTEGER, type Row } from './simd.ts';

const NOTED = 0x1fa0;

/** Bytes of a double or single: near one, zero, where results are tiny or too large, or any. */
function ordinary(r: Random, single: boolean): number[] {
  if (r.chance(0.04)) return single ? float32(r) : float64(r);
  const view = new DataView(new ArrayBuffer(8));
  let value = (1 + r.int(1 << 20) / (1 << 20)) * (r.chance(0.5) ? 1 : -1);
  if (r.chance(0.3)) value = r.int(9) - 4;
  if (r.chance(0.2)) value += r.bits() / 2 ** 52;
  const least = single ? -126 : -1022;
  if (r.chance(0.08)) value *= 2 ** (least + r.int(4));
  else if (r.chance(0.08)) value *= 2 ** ((r.chance(0.5) ? least >> 1 : -least >> 1) + r.int(3));
  else if (r.chance(0.1)) value *= 2 ** (r.int(80) - 40);
  else if (r.chance(0.2)) {
    // Tiny before their product is rounded, and after only if the exponent had no end.
    value = r.chance(0.5) ? 2 ** least : 1 - 2 ** (single ? -24 : -53);
  }
  if (single) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [...new Uint8Array(view.buffer, 0, single ? 4 : 8)];
}

/** Both formats in one program, for conversions; `bytes` of lanes. */
function content(r: Random, bytes: number): number[] {
  const single = bytes === 4 || r.chance(0.4);
  const out: number[] = [];
  while (out.length < bytes) out.push(...ordinary(r, single));
  return out;
}

function prepare(g: Generator): void {
  const { r } = g;
  const view = new DataView(g.fpu.buffer);
  const modes = r.chance(0.9) ? 0 : r.pick([0x40, 0x8000, 0x8040, 0x2000, 0x4000, 0x6000]);
  view.setUint32(
    24,
    (r.chance(0.95) ? NOTED : 0x1f80) | modes | (r.chance(0.2) ? r.int(64) : 0),
    true,
  );
  for (let i = 0; i < 8; i++) g.fpu.set(content(r, 16), 160 + 16 * i);
}

/** Arithmetic, a move from it or into it, arithmetic on what that gave. */
function chainItem(g: Generator, single: boolean): Item {
  const { r } = g;
  const [a, b, c] = [r.int(8), r.int(8), r.int(8)];
  const arithmetic = (to: number, from: number) => [
    ...r.pick(single ? [[], [0xf3]] : [[0x66], [0xf2]]),
    0x0f,
    r.pick([0x58, 0x59, 0x5c, 0x5d, 0x5f]),
    0xc0 | (to << 3) | from,
  ];
  // MOVSS MOVSD MOVAPS MOVQ MOVLHPS MOVHLPS UNPCKLPS UNPCKLPD CVTPS2PD CVTSS2SD CVTSD2SS SQRTPD
  const move = r.pick([
    [0xf3, 0x0f, 0x10], [0xf2, 0x0f, 0x10], [0x0f, 0x28], [0xf3, 0x0f, 0x7e], [0x0f, 0x16], [0x0f, 0x12],
    [0x0f, 0x14], [0x66, 0x0f, 0x14], [0x0f, 0x5a], [0xf3, 0x0f, 0x5a], [0xf2, 0x0f, 0x5a], [0x66, 0x0f, 0x51],
  ]); // prettier-ignore
  const first = r.chance(0.5) ? arithmetic(a, c) : arithmetic(b, c);
  return { op: 'MMX', bytes: [...first, ...move, 0xc0 | (b << 3) | a, ...arithmetic(b, c)] };
}

// A program is of one format for the most part, so that its registers hold numbers of it.
const isDouble = ({ prefix, opcode }: Row) =>
  prefix.length === 1 && prefix[0] !== 0xf3 && opcode >= 0x50 && opcode !== 0x5a && opcode !== 0x5b;
const noMmx = (rows: readonly Row[]) => rows.filter(({ kind }) => !kind.includes('m'));
const DOUBLES = [
  ...noMmx(SSE2),
  ...SSE2.filter((row) => isDouble(row) && row.opcode < 0x60),
  ...SSE2.filter(({ opcode }) => opcode === 0x2e || opcode === 0x2f || opcode === 0xc2),
];
const SINGLES = [
  ...noMmx(SSE),
  ...SSE.filter(({ opcode }) => opcode >= 0x51 && opcode < 0x60 && opcode !== 0x54),
  ...SSE.filter(({ opcode }) => opcode === 0x2e || opcode === 0x2f || opcode === 0xc2),
];
const MOVES = noMmx(SSE2_INTEGER);

const singles = new WeakMap<Generator, boolean>();

function item(g: Generator): Item {
  const { r } = g;
  let single = singles.get(g);
  if (single === undefined) singles.set(g, (single = r.chance(0.4)));
  const kind = r.int(30);
  if (kind === 0) {
    const modes = r.chance(0.7) ? 0 : r.pick([0x40, 0x8000, 0x2000, 0x4000]);
    return mxcsrItem(g, (r.chance(0.8) ? NOTED : 0x1f80) | modes);
  }
  if (kind === 1)
    return { op: 'MMX', bytes: g.encode(32, [0x0f, 0xae], g.memory(4, { safe: true }), 3) };
  if (kind < 4) return conditionItem(g);
  if (kind < 6) return moveItem(g);
  if (kind < 9) return simdItem(g, MOVES, content);
  // XORPS of a register with itself.
  if (kind === 9) return { op: 'MMX', bytes: [0x0f, 0x57, 0xc0 | (r.int(8) * 9)] };
  if (kind === 10) {
    return {
      op: 'MMX',
      bytes: [single ? 0xf3 : 0xf2, 0x0f, 0x2a, 0xc0 | (r.int(8) << 3) | g.source()],
    };
  }
  if (kind < 14) return chainItem(g, single);
  return simdItem(g, r.chance(0.93) === single ? SINGLES : DOUBLES, content);
}

export const ssecode: Group = {
  name: 'sse code',
  longest: 24,
  implicit: [EAX, EDI],
  prepare,
  item,
  share: 3000,
};
