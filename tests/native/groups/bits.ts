/** Bit tests, bit strings in memory, bit scans. */
import { DATA } from '../layout.ts';
import { type Generator, type Group } from '../generator.ts';
import type { Item } from '../program.ts';
import { little } from '../random.ts';
import { twoOperands } from './integer.ts';

const TESTS = ['BT', 'BTS', 'BTR', 'BTC'];

export function bitItem(g: Generator): Item {
  const { r } = g;
  const size = g.wide();
  const n = r.int(4);
  const op = TESTS[n];
  switch (r.int(5)) {
    case 0:
      return {
        op,
        bytes: g.encode(size, [0x0f, 0xba], g.rm(size, n > 0), 4 + n, [r.int(256)], n > 0),
      };
    case 1: {
      const rm = g.register(n > 0 ? r.pick(g.free) : g.source());
      return { op, bytes: g.encode(size, [0x0f, 0xa3 + 8 * n], rm, g.source()) };
    }
    case 2:
    case 3: {
      // A bit string: the bit offset, signed, chooses the word. Keep it within the data pages.
      const register = r.pick(g.free);
      const rm = g.memory(size >> 3, { safe: true });
      if (rm.address < DATA)
        return { op, bytes: g.encode(size, [0x0f, 0xba], rm, 4 + n, [r.int(256)]) };
      const reach = r.chance(0.5) ? 100 : 8000;
      const offset = r.between(-reach, reach);
      const load =
        size === 16
          ? [0x66, 0xb8 + register, ...little(offset, 2)]
          : [0xb8 + register, ...little(offset, 4)];
      return {
        op,
        bytes: [...load, ...g.encode(size, [0x0f, 0xa3 + 8 * n], rm, register, [], n > 0)],
      };
    }
    default: {
      const reverse = r.int(2);
      return {
        op: reverse ? 'BSR' : 'BSF',
        bytes: g.encode(size, [0x0f, 0xbc + reverse], g.rm(size, false), r.pick(g.free)),
      };
    }
  }
}

export const bits: Group = {
  name: 'bits',
  longest: 12,
  item: (g) => (g.r.chance(0.8) ? bitItem(g) : twoOperands(g)),
};
