/** Moves, exchanges, address computations. */
import { EAX, EBX, ECX, EDX, type Generator, type Group } from '../generator.ts';
import type { Item } from '../program.ts';
import { little } from '../random.ts';

export function moveItem(g: Generator): Item {
  const { r } = g;
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  const wide = g.wide();
  switch (r.int(13)) {
    case 0:
      return { op: 'NONE', bytes: g.encode(size, [0x88 + w], g.rm(size, true), g.source()) };
    case 1:
      return {
        op: 'NONE',
        bytes: g.encode(size, [0x8a + w], g.rm(size, false), g.target8or32(size)),
      };
    case 2:
      return {
        op: 'NONE',
        bytes: g.encode(size, [0xc6 + w], g.rm(size, true), 0, g.immediate(size)),
      };
    case 3: {
      const register = g.target8or32(size);
      return {
        op: 'NONE',
        bytes: [...g.sized(size), 0xb0 + 8 * w + register, ...g.immediate(size)],
      };
    }
    case 4: {
      // The forms with an address and the accumulator, with both address sizes.
      const address = g.target(size >> 3);
      const short = address < 0x10000 && r.chance(0.7);
      const store = r.int(2);
      if (!store && !g.free.includes(EAX)) return moveItem(g);
      const opcode = 0xa0 + 2 * store + w;
      return {
        op: 'NONE',
        bytes: [
          ...g.sized(size),
          ...(short ? [0x67] : []),
          opcode,
          ...little(address, short ? 2 : 4),
        ],
      };
    }
    case 5:
    case 6: {
      const from = r.pick([8, 16]);
      const signed = r.int(2);
      const opcode = 0xb6 + 8 * signed + (from === 16 ? 1 : 0);
      return {
        op: 'NONE',
        bytes: g.encode(wide, [0x0f, opcode], g.rm(from, false), r.pick(g.free)),
      };
    }
    case 7: {
      // XCHG writes both: two registers that may be, or one and memory.
      return {
        op: 'NONE',
        bytes: g.encode(size, [0x86 + w], g.rm(size, true), g.target8or32(size), [], true),
      };
    }
    case 8:
      if (!g.free.includes(EAX)) return moveItem(g);
      return { op: 'NONE', bytes: [...g.sized(wide), 0x90 + r.pick(g.free)] };
    case 9:
      return { op: 'NONE', bytes: [0x0f, 0xc8 + r.pick(g.free)] };
    default: {
      const rm = g.memory(4);
      return { op: 'NONE', bytes: g.encode(wide, [0x8d], rm, r.pick(g.free)) };
    }
  }
}

export const moves: Group = { name: 'moves', longest: 20, item: moveItem };

export function exchangeItem(g: Generator): Item {
  const { r } = g;
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  switch (r.int(4)) {
    case 0:
      return {
        op: 'XADD',
        bytes: g.encode(size, [0x0f, 0xc0 + w], g.rm(size, true), g.target8or32(size), [], true),
      };
    case 1: {
      const rm = g.memory(8);
      // Sometimes make the comparison succeed: load EDX:EAX from the operand.
      const load =
        r.chance(0.4) && !rm.prefix.includes(0x67) ? [...rm.prefix, 0x8b, ...rm.encode(EAX)] : [];
      return { op: 'CMPXCHG8B', bytes: [...load, ...g.encode(32, [0x0f, 0xc7], rm, 1, [], true)] };
    }
    default: {
      const rm = g.rm(size, true);
      const load = r.chance(0.5)
        ? [...g.sized(size), ...rm.prefix, 0x8a + w, ...rm.encode(EAX)]
        : [];
      return {
        op: 'CMPXCHG',
        bytes: [...load, ...g.encode(size, [0x0f, 0xb0 + w], rm, g.source(), [], true)],
      };
    }
  }
}

export const exchanges: Group = {
  name: 'exchanges',
  longest: 8,
  implicit: [EAX, EDX, EBX, ECX],
  prepare: (g) => {
    // Operands that are equal sometimes: few distinct values.
    if (g.r.chance(0.3)) for (const n of [EAX, EDX, EBX, ECX]) g.regs[n] = g.r.int(2);
  },
  item: exchangeItem,
};
