/** MMX, SSE and SSE2: every instruction, registers and memory, MXCSR at random. */
import { EAX, EDI, type Generator, type Group, type Rm } from '../generator.ts';
import type { Item } from '../program.ts';
import { DATA, DATA_SIZE, STACK } from '../layout.ts';
import { float32, float64, little, type Random } from '../random.ts';
import { prepareX87 } from './x87.ts';

/** Where an operand is: x xmm, m mmx, g general register; the number is the memory form's bytes. */
type Kind =
  | 'x,x' // xmm, xmm/memory
  | 'm,m'
  | 'x,m'
  | 'm,x'
  | 'x,g'
  | 'm,g'
  | 'g,x'
  | 'g,m';

export interface Row {
  prefix: number[];
  opcode: number;
  kind: Kind;
  /** Bytes of the memory operand; 0: registers only; negative: memory only. */
  bytes: number;
  /** The memory operand must be aligned, or it is #GP. */
  aligned: boolean;
  immediate: boolean;
  /** ModRM.rm is the destination. */
  store: boolean;
  op: string;
  reg?: number;
}

function row(
  prefix: number[],
  opcode: number,
  kind: Kind,
  bytes: number,
  more: Partial<Row> = {},
): Row {
  return {
    prefix,
    opcode,
    kind,
    bytes,
    aligned: bytes === 16 || bytes === -16,
    immediate: false,
    store: false,
    op: 'MMX',
    ...more,
  };
}

const P66 = [0x66];
const PF2 = [0xf2];
const PF3 = [0xf3];

/** Packed-integer opcodes with the same operands in MMX and (66) SSE2. */
const INTEGER = [
  0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x74, 0x75, 0x76,
  0xd1, 0xd2, 0xd3, 0xd5, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xdf, 0xe1, 0xe2, 0xe5, 0xe8, 0xe9, 0xeb, 0xec, 0xed, 0xef,
  0xf1, 0xf2, 0xf3, 0xf5, 0xf8, 0xf9, 0xfa, 0xfc, 0xfd, 0xfe,
]; // prettier-ignore
/** Those that came to MMX with SSE: PMINUB PMAXUB PAVGB PMINSW PMAXSW PAVGW PMULHUW PSADBW; and with SSE2: PADDQ PSUBQ PMULUDQ. */
const INTEGER_LATER = [0xda, 0xde, 0xe0, 0xea, 0xee, 0xe3, 0xe4, 0xf6, 0xd4, 0xfb, 0xf4];

/** PUNPCKL of MMX reads 32 bits of memory. */
const narrow = (opcode: number) => (opcode >= 0x60 && opcode <= 0x62 ? 4 : 8);

/** Groups 12 to 14: shifts by an immediate; [opcode, reg]. */
const SHIFTS: [number, number][] = [
  [0x71, 2],
  [0x71, 4],
  [0x71, 6],
  [0x72, 2],
  [0x72, 4],
  [0x72, 6],
  [0x73, 2],
  [0x73, 6],
];

const MMX: Row[] = [
  ...[...INTEGER, ...INTEGER_LATER].map((o) => row([], o, 'm,m', narrow(o))),
  ...SHIFTS.map(([o, reg]) => row([], o, 'm,m', 0, { reg, immediate: true })),
  row([], 0x6e, 'm,g', 4), row([], 0x7e, 'm,g', 4, { store: true }),
  row([], 0x6f, 'm,m', 8), row([], 0x7f, 'm,m', 8, { store: true }),
  row([], 0x70, 'm,m', 8, { immediate: true }),
  row([], 0xc4, 'm,g', 2, { immediate: true }), row([], 0xc5, 'g,m', 0, { immediate: true }),
  row([], 0xd7, 'g,m', 0), row([], 0xe7, 'm,m', -8, { store: true }), row([], 0xf7, 'm,m', 0, { reg: -1, op: 'UNALIGNED' }),
]; // prettier-ignore

/** ADD MUL SUB MIN DIV MAX, in the four forms. */
const ARITHMETIC = [0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x51];

export const SSE: Row[] = [
  ...ARITHMETIC.flatMap((o) => [row([], o, 'x,x', 16), row(PF3, o, 'x,x', 4)]),
  row([], 0x10, 'x,x', 16, { aligned: false, op: 'UNALIGNED' }), row([], 0x11, 'x,x', 16, { aligned: false, store: true, op: 'UNALIGNED' }),
  row(PF3, 0x10, 'x,x', 4), row(PF3, 0x11, 'x,x', 4, { store: true }),
  row([], 0x12, 'x,x', 8), row([], 0x13, 'x,x', -8, { store: true }), row([], 0x16, 'x,x', 8), row([], 0x17, 'x,x', -8, { store: true }),
  row([], 0x14, 'x,x', 16), row([], 0x15, 'x,x', 16), row([], 0xc6, 'x,x', 16, { immediate: true }),
  row([], 0x28, 'x,x', 16), row([], 0x29, 'x,x', 16, { store: true }), row([], 0x2b, 'x,x', -16, { store: true }),
  row([], 0x2a, 'x,m', 8, { op: 'TO_MMX' }), row([], 0x2c, 'm,x', 8, { op: 'TO_MMX' }), row([], 0x2d, 'm,x', 8, { op: 'TO_MMX' }),
  row(PF3, 0x2a, 'x,g', 4), row(PF3, 0x2c, 'g,x', 4), row(PF3, 0x2d, 'g,x', 4),
  row([], 0x2e, 'x,x', 4, { op: 'COMIS' }), row([], 0x2f, 'x,x', 4, { op: 'COMIS' }),
  row([], 0x50, 'g,x', 0), row([], 0x54, 'x,x', 16), row([], 0x55, 'x,x', 16), row([], 0x56, 'x,x', 16), row([], 0x57, 'x,x', 16),
  row([], 0xc2, 'x,x', 16, { immediate: true }), row(PF3, 0xc2, 'x,x', 4, { immediate: true }),
]; // prettier-ignore

export const SSE2: Row[] = [
  ...ARITHMETIC.flatMap((o) => [row(P66, o, 'x,x', 16), row(PF2, o, 'x,x', 8)]),
  row(P66, 0x10, 'x,x', 16, { aligned: false, op: 'UNALIGNED' }), row(P66, 0x11, 'x,x', 16, { aligned: false, store: true, op: 'UNALIGNED' }),
  row(PF2, 0x10, 'x,x', 8), row(PF2, 0x11, 'x,x', 8, { store: true }),
  row(P66, 0x12, 'x,x', -8), row(P66, 0x13, 'x,x', -8, { store: true }), row(P66, 0x16, 'x,x', -8), row(P66, 0x17, 'x,x', -8, { store: true }),
  row(P66, 0x14, 'x,x', 16), row(P66, 0x15, 'x,x', 16), row(P66, 0xc6, 'x,x', 16, { immediate: true }),
  row(P66, 0x28, 'x,x', 16), row(P66, 0x29, 'x,x', 16, { store: true }), row(P66, 0x2b, 'x,x', -16, { store: true }),
  row(P66, 0x2a, 'x,m', 8, { op: 'TO_MMX' }), row(P66, 0x2c, 'm,x', 16, { op: 'TO_MMX' }), row(P66, 0x2d, 'm,x', 16, { op: 'TO_MMX' }),
  row(PF2, 0x2a, 'x,g', 4), row(PF2, 0x2c, 'g,x', 8), row(PF2, 0x2d, 'g,x', 8),
  row(P66, 0x2e, 'x,x', 8, { op: 'COMIS' }), row(P66, 0x2f, 'x,x', 8, { op: 'COMIS' }),
  row(P66, 0x50, 'g,x', 0), row(P66, 0x54, 'x,x', 16), row(P66, 0x55, 'x,x', 16), row(P66, 0x56, 'x,x', 16), row(P66, 0x57, 'x,x', 16),
  row(P66, 0xc2, 'x,x', 16, { immediate: true }), row(PF2, 0xc2, 'x,x', 8, { immediate: true }),
  row([], 0x5a, 'x,x', 8), row(P66, 0x5a, 'x,x', 16), row(PF3, 0x5a, 'x,x', 4), row(PF2, 0x5a, 'x,x', 8),
  row([], 0x5b, 'x,x', 16), row(P66, 0x5b, 'x,x', 16), row(PF3, 0x5b, 'x,x', 16),
  row(P66, 0xe6, 'x,x', 16), row(PF2, 0xe6, 'x,x', 16), row(PF3, 0xe6, 'x,x', 8),
]; // prettier-ignore

export const SSE2_INTEGER: Row[] = [
  ...[...INTEGER, ...INTEGER_LATER, 0x6c, 0x6d].map((o) => row(P66, o, 'x,x', 16)),
  ...[...SHIFTS, [0x73, 3], [0x73, 7]].map(([o, reg]) => row(P66, o, 'x,x', 0, { reg, immediate: true })),
  row(P66, 0x6e, 'x,g', 4), row(P66, 0x7e, 'x,g', 4, { store: true }),
  row(P66, 0x6f, 'x,x', 16), row(P66, 0x7f, 'x,x', 16, { store: true }),
  row(PF3, 0x6f, 'x,x', 16, { aligned: false, op: 'UNALIGNED' }), row(PF3, 0x7f, 'x,x', 16, { aligned: false, store: true, op: 'UNALIGNED' }),
  row(P66, 0x70, 'x,x', 16, { immediate: true }), row(PF2, 0x70, 'x,x', 16, { immediate: true }), row(PF3, 0x70, 'x,x', 16, { immediate: true }),
  row(P66, 0xc4, 'x,g', 2, { immediate: true }), row(P66, 0xc5, 'g,x', 0, { immediate: true }),
  row(P66, 0xd7, 'g,x', 0), row(P66, 0xe7, 'x,x', -16, { store: true }), row([], 0xc3, 'x,g', -4, { store: true }),
  row(PF3, 0x7e, 'x,x', 8), row(P66, 0xd6, 'x,x', 8, { store: true }),
  row(PF2, 0xd6, 'm,x', 0), row(PF3, 0xd6, 'x,m', 0), row(P66, 0xf7, 'x,x', 0, { reg: -1, op: 'UNALIGNED' }),
]; // prettier-ignore

function lanes(r: Random, bytes: number): number[] {
  const out: number[] = [];
  const wide = r.chance(0.5);
  while (out.length < bytes) {
    const kind = r.int(10);
    if (kind === 0) out.push(...r.bytes(8));
    else if (kind === 1) out.push(...little(r.edge(32), 4), ...little(r.edge(32), 4));
    else if (wide) out.push(...float64(r));
    else out.push(...float32(r), ...float32(r));
  }
  return out.slice(0, bytes);
}

function fields(r: Random, bytes: number): number[] {
  const out: number[] = [];
  while (out.length < bytes) {
    const kind = r.int(4);
    if (kind === 0) out.push(...r.bytes(4));
    else if (kind === 1) out.push(r.edge(8), r.edge(8), r.edge(8), r.edge(8));
    else if (kind === 2) out.push(...little(r.edge(16), 2), ...little(r.edge(16), 2));
    else out.push(...little(r.edge(32), 4));
  }
  // Shift counts are small numbers of 64 bits.
  if (r.chance(0.15))
    out.splice(0, 8, ...little(r.int(80), 4), ...little(r.chance(0.9) ? 0 : 1, 4));
  return out.slice(0, bytes);
}

type Content = (r: Random, bytes: number) => number[];

function prepareSimd(g: Generator, content: Content): void {
  const { r } = g;
  const view = new DataView(g.fpu.buffer);
  // MXCSR: flags, DAZ, masks, rounding, FTZ (SDM vol. 1 10.2.3).
  const masks = r.chance(0.9) ? 0x1f80 : r.int(64) << 7;
  const flags = r.chance(0.7) ? 0 : r.int(64);
  const modes =
    (r.chance(0.3) ? r.int(4) << 13 : 0) |
    (r.chance(0.2) ? 0x8000 : 0) |
    (r.chance(0.2) ? 0x40 : 0);
  view.setUint32(24, masks | flags | modes, true);
  for (let i = 0; i < 8; i++) g.fpu.set(content(r, 16), 160 + 16 * i);
  for (let i = 0; i < 8; i++) {
    g.fpu.set(content(r, 8), 32 + 16 * i);
    if (r.chance(0.8)) view.setUint16(40 + 16 * i, 0xffff, true);
  }
  view.setUint16(2, r.int(8) << 11, true);
  g.fpu[4] = r.chance(0.5) ? 0 : r.int(256);
}

export function simdItem(g: Generator, rows: readonly Row[], content: Content): Item {
  const { r } = g;
  const row = r.pick(rows);
  const [first, second] = row.kind.split(',');
  // The operand in ModRM.reg, and what a register in ModRM.rm is.
  const general = row.kind.includes('g');
  const generalInRm = general && first !== 'g';
  const written = (name: string) => (name === 'g' ? r.pick(g.free) : r.int(8));
  const size = Math.abs(row.bytes);
  let rm: Rm;
  if (row.bytes < 0 || (row.bytes > 0 && r.chance(0.4))) {
    const align = row.aligned ? (r.chance(0.97) ? 16 : 1) : undefined;
    rm = g.memory(size, { align, content: () => content(r, size) });
  } else {
    const other = generalInRm ? 'g' : second;
    rm = g.register(row.store ? written(other) : other === 'g' ? g.source() : r.int(8));
  }
  let reg = first === 'g' ? r.pick(g.free) : r.int(8);
  if (row.reg !== undefined && row.reg >= 0) reg = row.reg;
  const shift = row.reg !== undefined && row.reg >= 0;
  const immediate = row.immediate
    ? [shift && r.chance(0.8) ? r.int(70) : immediateFor(row, r)]
    : [];
  const bytes = [...rm.prefix, ...row.prefix, 0x0f, row.opcode, ...rm.encode(reg), ...immediate];
  if (row.reg === -1)
    return { op: row.op, bytes: [0xbf, ...little(DATA + r.int(DATA_SIZE - 16), 4), ...bytes] };
  return { op: row.op, bytes, partial: row.store && size > 8 };
}

/** Predicates above 7 belong to AVX. */
function immediateFor(row: Row, r: Random): number {
  return row.opcode === 0xc2 ? r.int(8) : r.int(256);
}

const SAVED = STACK + 0xe00;

function stateItem(g: Generator): Item {
  const { r } = g;
  switch (r.int(6)) {
    case 0: {
      // LDMXCSR of a value put there just before, now and then one with a reserved bit: #GP. Bit 17
      // is reserved for some processors only (MXCSR_MASK, SDM vol. 1 11.6.6).
      const reserved = r.chance(0.05) ? 1 << r.between(18, 31) : 0;
      return mxcsrItem(g, mxcsr(r) | reserved);
    }
    case 1:
      return { op: 'MMX', bytes: g.encode(32, [0x0f, 0xae], g.memory(4, { safe: true }), 3) };
    case 2:
      return {
        op: 'MMX',
        bytes: r.pick([
          [0x0f, 0x77],
          [0x0f, 0x77],
          [0x0f, 0xae, 0xe8],
          [0x0f, 0xae, 0xf0],
          [0x0f, 0xae, 0xf8],
          [0xf3, 0x90],
        ]),
      };
    case 3: {
      // PREFETCHh and CLFLUSH do nothing one can see.
      const rm = g.memory(1, { safe: true });
      return r.chance(0.7)
        ? { op: 'MMX', bytes: g.encode(32, [0x0f, 0x18], rm, r.int(4)) }
        : { op: 'MMX', bytes: g.encode(32, [0x0f, 0xae], rm, 7) };
    }
    case 4: {
      // The image has undefined parts: it goes where nothing else is.
      const rm = g.memory(512, { at: r.chance(0.95) ? SAVED : SAVED - 8 });
      // The pointers, what is reserved, and MXCSR_MASK (the processor's own) stay out of it.
      const ignored = [
        [6, 18],
        [28, 4],
        [288, 224],
      ].map(([at, length]) => ({ address: rm.address + at, length }));
      for (let i = 0; i < 8; i++) ignored.push({ address: rm.address + 42 + 16 * i, length: 6 });
      return {
        op: 'FXSAVE',
        bytes: g.encode(32, [0x0f, 0xae], rm, 0),
        ignore: ignored,
        partial: true,
      };
    }
    default: {
      const at = r.chance(0.25) ? { at: SAVED } : {};
      const rm = g.memory(512, { align: 16, safe: true, content: () => image(g), ...at });
      const set = [0xc7, 0x05, ...little(rm.address + 24, 4), ...little(mxcsr(r), 4)];
      return { op: 'FXRSTOR', bytes: [...set, ...g.encode(32, [0x0f, 0xae], rm, 1)] };
    }
  }
}

/** LDMXCSR. */
export function mxcsrItem(g: Generator, value: number): Item {
  const rm = g.memory(4, { safe: true });
  const set = [0xc7, 0x05, ...little(rm.address, 4), ...little(value, 4)];
  return { op: 'MMX', bytes: [...set, ...g.encode(32, [0x0f, 0xae], rm, 2)] };
}

/** Exceptions masked, any flags, rounding and FTZ. */
function mxcsr(r: Random): number {
  return 0x1f80 | r.int(64) | (r.int(8) << 13);
}

function image(g: Generator): number[] {
  const { r } = g;
  const out = new Uint8Array(512);
  out.set(r.bytes(288));
  out.set([0x7f, 3, 0, r.int(8) << 3, r.int(256), 0], 0);
  out.fill(0, 6, 24);
  out.set(little(mxcsr(r), 4), 24);
  return [...out];
}

const group = (name: string, rows: Row[], content: Content, share = 1000): Group => ({
  name,
  longest: 16,
  implicit: [EAX, EDI],
  prepare: (g) => prepareSimd(g, content),
  item: (g) => simdItem(g, rows, content),
  share,
});

export const mmx = group('mmx', MMX, fields);
export const sse = group('sse', SSE, lanes, 2000);
export const sse2 = group('sse2', SSE2, lanes, 2000);
export const sse2integer = group('sse2 integer', SSE2_INTEGER, fields);
export const simdState: Group = {
  ...group('simd state', [...MMX, ...SSE], lanes),
  longest: 8,
  item: (g) => (g.r.chance(0.4) ? stateItem(g) : simdItem(g, g.r.chance(0.5) ? MMX : SSE, lanes)),
};

/** RCPPS RCPSS RSQRTPS RSQRTSS: relative error up to 1.5 * 2^-12 (SDM vol. 2B), alone. */
export const sseEstimates: Group = {
  ...group(
    'sse estimates',
    [0x52, 0x53].flatMap((o) => [row([], o, 'x,x', 16), row(PF3, o, 'x,x', 4)]),
    lanes,
  ),
  longest: 1,
  prepare: (g) => {
    prepareSimd(g, lanes);
    g.close = 'sse';
  },
};

/** x87 and MMX in turns: tags, TOP, the shared registers. */
export const mmxAndX87 = { prepare: prepareX87, item: (g: Generator) => simdItem(g, MMX, fields) };
