/** The stack and the string instructions. */
import { EAX, EBP, ECX, EDI, ESI, ESP, type Generator, type Group } from '../generator.ts';
import { DATA, DATA_SIZE, LOW, STACK, USER_CODE, USER_DATA } from '../layout.ts';
import type { Item } from '../program.ts';
import { little } from '../random.ts';
import { twoOperands } from './integer.ts';

/** Flags that POPF may be given: without the trap flag and alignment checks, which have their own turn. */
const HARMLESS = 0x204ed5 & ~0x100;

export function stackItem(g: Generator): Item {
  const { r } = g;
  const wide = g.wide();
  const sized = g.sized(wide);
  switch (r.int(16)) {
    case 0:
    case 1:
    case 2:
      return { op: 'NONE', bytes: [...sized, 0x50 + r.int(8)] };
    case 3:
    case 4:
      return { op: 'NONE', bytes: [...sized, 0x58 + r.pick(g.free)] };
    case 5:
      return { op: 'NONE', bytes: [...sized, 0x68, ...g.immediate(wide)] };
    case 6:
      return { op: 'NONE', bytes: [...sized, 0x6a, r.int(256)] };
    case 7:
      return { op: 'NONE', bytes: g.encode(wide, [0xff], g.rm(wide, false), 6) };
    case 8: {
      // An address that uses ESP counts with ESP after the pop.
      if (r.chance(0.3)) return { op: 'NONE', bytes: [...sized, 0x8f, 0x44, 0x24, r.int(64)] };
      return { op: 'NONE', bytes: g.encode(wide, [0x8f], g.rm(wide, true), 0) };
    }
    case 9:
      return { op: 'NONE', bytes: [...sized, 0x60], partial: true };
    case 10: {
      // POPA would overwrite the pointers: pop what PUSHA pushed.
      const middle = r.chance(0.5) ? [0x40 + r.pick(g.free)] : [];
      return {
        op: middle.length ? 'INC' : 'NONE',
        bytes: [...sized, 0x60, ...middle, ...sized, 0x61],
        partial: true,
      };
    }
    case 11: {
      // ENTER, mostly of level 0; LEAVE after it.
      const level =
        r.chance(0.6) || !g.group.implicit?.includes(EBP)
          ? 0
          : r.chance(0.9)
            ? r.int(4)
            : r.int(256);
      const size = r.chance(0.95) ? r.int(64) : r.int(0x10000);
      const leave = r.chance(0.6) ? [...sized, 0xc9] : [];
      return {
        op: 'NONE',
        bytes: [...sized, 0xc8, ...little(size, 2), level, ...leave],
        partial: true,
      };
    }
    case 12:
      return { op: 'PUSHF', bytes: [...sized, 0x9c] };
    case 13: {
      const flags = r.bits() & (r.chance(0.9) ? HARMLESS : HARMLESS | r.pick([0x100, 0x40000]));
      return { op: 'POPF', bytes: [...sized, 0x68, ...little(flags, wide >> 3), ...sized, 0x9d] };
    }
    case 14: {
      // Push and pop of the segment registers with the selectors they hold, or a null one.
      const [push, pop] = r.pick([
        [[0x1e], [0x1f]],
        [[0x06], [0x07]],
        [[0x16], [0x17]],
        [
          [0x0f, 0xa0],
          [0x0f, 0xa1],
        ],
        [
          [0x0f, 0xa8],
          [0x0f, 0xa9],
        ],
      ]);
      return {
        op: 'NONE',
        bytes: [...sized, ...push, ...(r.chance(0.7) ? [...sized, ...pop] : [])],
        selectors: true,
      };
    }
    default:
      return r.chance(0.5)
        ? {
            op: 'NONE',
            bytes: r.chance(0.5)
              ? [0x8b, 0xc4 | (r.pick(g.free) << 3)]
              : [0x83, 0xec, r.int(16) * 4],
          }
        : twoOperands(g);
  }
}

export const stack: Group = {
  name: 'stack',
  longest: 16,
  implicit: [EBP],
  stack: true,
  prepare: (g) => {
    g.regs[EBP] = STACK + 0x600 + 4 * g.r.int(64);
    if (g.r.chance(0.06)) g.regs[ESP] = STACK + g.r.int(24);
    else if (g.r.chance(0.06)) g.regs[ESP] = STACK + 0x1000 - g.r.int(24);
  },
  item: (g) => {
    const item = stackItem(g);
    // "sub esp, n" computes flags.
    return item.bytes[0] === 0x83 && item.bytes[1] === 0xec ? { ...item, op: 'SUB' } : item;
  },
};

/** MOVS CMPS STOS LODS SCAS, as the opcode of the byte form. */
const STRINGS = [0xa4, 0xa6, 0xaa, 0xac, 0xae];

export function stringItems(g: Generator): Item[] {
  const { r } = g;
  const opcode = r.pick(STRINGS);
  const width = r.pick([1, 2, 4]);
  const short = r.chance(0.12);
  const reads = opcode !== 0xaa && opcode !== 0xae;
  const start = short ? LOW : DATA;
  const size = short ? 0x1000 : DATA_SIZE;
  const edge = r.chance(0.15);
  const place = () => {
    if (edge) return start + r.pick([0, size]) + r.between(-40, 40);
    if (r.chance(0.2)) return DATA + 0x1000 + r.between(-20, 20);
    return start + r.between(0x400, size - 0x400);
  };
  let count = r.chance(0.1) ? 0 : r.chance(0.9) ? r.int(40) : r.int(600);
  if (short) count |= r.int(0x100) << 16;
  const source = place();
  const destination = r.chance(0.3) ? source + r.between(-9, 9) : place();
  const repeat = r.pick([[], [0xf3], [0xf3], [0xf2]]);
  const prefixes = [...repeat];
  if (width === 2) prefixes.push(0x66);
  if (short) prefixes.push(0x67);
  if (reads && r.chance(0.1)) prefixes.push(r.pick([0x26, 0x36, 0x3e, 0x2e]));
  for (let i = prefixes.length - 1; i > 0; i--) {
    const j = r.int(i + 1);
    [prefixes[i], prefixes[j]] = [prefixes[j], prefixes[i]];
  }
  const items: Item[] = [];
  const load = (register: number, value: number) =>
    items.push({ op: 'NONE', bytes: [0xb8 + register, ...little(value, 4)] });
  // Without fresh values the instruction goes on from where the last one stopped.
  if (reads) load(ESI, short ? (source & 0xffff) | (r.int(256) << 24) : source);
  if (opcode !== 0xac) load(EDI, destination);
  load(ECX, count);
  if (r.chance(0.3)) load(EAX, r.pick([0, 0xffffffff, r.bits()]));
  if (r.chance(0.4)) items.push({ op: 'NONE', bytes: [r.pick([0xfc, 0xfd])] });
  if (opcode === 0xa6 || opcode === 0xae) items.push({ op: 'CMP', bytes: [0x39, 0xc8] });
  const op = opcode === 0xa6 ? 'CMPS' : opcode === 0xae ? 'SCAS' : 'NONE';
  items.push({ op, bytes: [...prefixes, opcode + (width === 1 ? 0 : 1)] });
  return items;
}

export const strings: Group = {
  name: 'strings',
  longest: 16,
  implicit: [EAX, ECX, ESI, EDI],
  prepare: (g) => {
    // Long runs of equal bytes, so that comparisons go on for a while.
    const { r } = g;
    if (r.chance(0.7)) {
      const value = r.pick([0, 0, 0xff, 0x55]);
      g.patch(DATA + 0x380, new Array<number>(r.between(64, 3000)).fill(value));
      g.regs[EAX] = r.chance(0.8) ? value * 0x1010101 : r.bits();
    }
    for (const n of [ESI, EDI]) g.regs[n] = DATA + r.between(0x400, DATA_SIZE - 0x400);
    g.regs[ECX] = r.int(30);
  },
  item: (g) => (g.r.chance(0.9) ? stringItems(g) : twoOperands(g)),
};

/** Instructions that look at or load segment registers without leaving user mode. */
export function segmentItem(g: Generator): Item {
  const { r } = g;
  const selector = () =>
    r.chance(0.75)
      ? r.pick([USER_DATA, USER_DATA, USER_CODE, 0, 1, 3, 0x2a, 0x28])
      : r.pick([0x20, 0x22, 0xfff8, 0xfffc, 0x1000]);
  const wide = g.wide();
  const load = [0xb8 + EAX, ...little(selector() | (r.chance(0.3) ? r.int(0x10000) << 16 : 0), 4)];
  switch (r.int(10)) {
    case 0:
    case 1:
      return {
        op: 'NONE',
        bytes: g.encode(wide, [0x8c], g.rm(16, true), r.chance(0.97) ? r.int(6) : r.int(8)),
      };
    case 2:
    case 3: {
      // MOV to ES, DS, FS, GS; sometimes to CS (#UD) or SS.
      const to = r.chance(0.9) ? r.pick([0, 4, 5, 4, 5, 3]) : r.int(8);
      return { op: 'NONE', bytes: [...load, ...g.sized(wide), 0x8e, 0xc0 | (to << 3)] };
    }
    case 4:
    case 5: {
      const lsl = r.int(2);
      return {
        op: lsl ? 'LSL' : 'LAR',
        bytes: [...load, ...g.sized(wide), 0x0f, 2 + lsl, 0xc0 | (r.pick(g.free) << 3)],
      };
    }
    case 6: {
      const write = r.int(2);
      return { op: write ? 'VERW' : 'VERR', bytes: [...load, 0x0f, 0, 0xe0 | (write << 3)] };
    }
    case 7: {
      // Whether a selector that needs no change is written back to a segment that may not be
      // written is seen differently by processors: through SS it always may.
      const rm = g.rm(16, true, { plain: true });
      const through = rm.address >= 0 ? [0x36] : [];
      return { op: 'ARPL', bytes: [...through, ...g.encode(32, [0x63], rm, g.source())] };
    }
    case 8: {
      // LES LDS LSS LFS LGS of a pointer in memory.
      const opcode = r.pick([[0xc4], [0xc5], [0x0f, 0xb2], [0x0f, 0xb4], [0x0f, 0xb5]]);
      const content = () => [...g.immediate(wide), ...little(selector(), 2)];
      const rm = g.memory((wide >> 3) + 2, { content, safe: true });
      return { op: 'NONE', bytes: g.encode(wide, opcode, rm, r.pick(g.free)) };
    }
    default: {
      // A read through FS or GS: faults unless they were loaded.
      const rm = g.memory(4, { plain: true, safe: true });
      const n = r.int(2);
      const set = r.chance(0.85) ? [0xb8, USER_DATA, 0, 0, 0, 0x8e, 0xe0 | (n << 3)] : [];
      return { op: 'NONE', bytes: [...set, 0x64 + n, ...g.encode(32, [0x8b], rm, r.pick(g.free))] };
    }
  }
}

export const segments: Group = {
  name: 'segments',
  longest: 10,
  implicit: [EAX],
  prepare: (g) => {
    g.regs[EAX] = g.r.int(0x10000);
  },
  item: (g) => (g.r.chance(0.9) ? segmentItem(g) : twoOperands(g)),
};
