/** Exceptions: page faults of all kinds, divisions, breakpoints, bounds, privileged and invalid code. */
import { EAX, ECX, EDX, type Generator, type Group } from '../generator.ts';
import { CODE, CODE_SIZE, DATA, FIXED, LOW, STACK } from '../layout.ts';
import type { Item } from '../program.ts';
import { little } from '../random.ts';
import { twoOperands } from './integer.ts';

/** Each must be #GP(0) at privilege 3: HLT CLI STI IN OUT INS OUTS CLTS, MOV CR and DR, LGDT, LMSW, INVLPG, WRMSR... */
const PRIVILEGED = [
  [0xf4], [0xfa], [0xfb], [0xe4, 0x80], [0xe5, 0x80], [0x66, 0xe5, 0x80], [0xec], [0xed], [0xe6, 0x80], [0xe7, 0x80],
  [0xee], [0xef], [0x6c], [0x6d], [0x6e], [0x6f], [0xb9, 1, 0, 0, 0, 0xf3, 0x6c], [0xb9, 1, 0, 0, 0, 0xf3, 0x6f], [0x0f, 0x06], [0x0f, 0x08], [0x0f, 0x09],
  [0x0f, 0x20, 0xc0], [0x0f, 0x22, 0xc0], [0x0f, 0x20, 0xd8], [0x0f, 0x21, 0xc0], [0x0f, 0x23, 0xf8],
  [0x0f, 0x30], [0x0f, 0x32], [0x0f, 0x01, 0xf0], [0x0f, 0x00, 0xd0], [0x0f, 0x00, 0xd8], [0x0f, 0x35],
  [0x0f, 0x01, 0x15, ...little(DATA, 4)], [0x0f, 0x01, 0x1d, ...little(DATA, 4)], [0x0f, 0x01, 0x3d, ...little(DATA, 4)],
]; // prettier-ignore

/**
 * Each must be #UD: UD2, register forms of what takes memory only, LOCK where it may not be,
 * MOV to CS and to segment registers 6 and 7, groups' empty places.
 */
const INVALID = [
  [0x0f, 0x0b], [0x8d, 0xc0], [0x0f, 0xb2, 0xc0], [0xf0, 0x90], [0xf0, 0x01, 0xc0],
  [0xf0, 0x8b, 0x05, ...little(DATA, 4)], [0xf0, 0x39, 0x05, ...little(DATA, 4)], [0x8e, 0xc8], [0x8e, 0xf0], [0x8c, 0xf8],
  [0xfe, 0xd0], [0xff, 0xf8], [0xff, 0xd9], [0xc6, 0xc8, 0], [0x0f, 0xba, 0xc0, 1], [0x0f, 0xc7, 0xc8],
  [0xff, 0xe8], [0x0f, 0x00, 0xf0], [0xf0, 0x0f, 0xa3, 0x05, ...little(DATA, 4)], [0xf0, 0xeb, 0x00], [0x0f, 0xff, 0xc0], [0x0f, 0xb9, 0xc0],
]; // prettier-ignore

function address(g: Generator, bytes: number): number {
  const { r } = g;
  if (r.chance(0.1)) return r.pick([0, 4, 0xfff, 0x1000]);
  // Never all of it inside the code: what the program then runs is anybody's guess. It was VMCALL
  // once, which the hypervisor under the tests answers and not the processor.
  if (r.chance(0.2))
    return r.chance(0.5)
      ? CODE + CODE_SIZE + r.between(1 - bytes, 2)
      : CODE + r.between(-bytes, -1);
  const edge = r.pick([LOW, LOW + 0x1000, DATA, FIXED, FIXED + 0x1000, STACK, STACK + 0x1000]);
  return edge + r.between(-bytes, 2);
}

function touch(g: Generator): Item {
  const { r } = g;
  const to = (n: number) => little(address(g, n), 4);
  switch (r.int(14)) {
    case 0:
      return { op: 'NONE', bytes: [0x8a, 0x05 | (g.target8or32(8) << 3), ...to(1)] };
    case 1:
      return { op: 'NONE', bytes: [0x8b, 0x05 | (r.pick(g.free) << 3), ...to(4)] };
    case 2:
      return { op: 'NONE', bytes: [0x66, 0x89, 0x05 | (g.source() << 3), ...to(2)] };
    case 3:
      return { op: 'NONE', bytes: [0x89, 0x05 | (g.source() << 3), ...to(4)] };
    case 4:
      return { op: 'ADD', bytes: [0x01, 0x05 | (g.source() << 3), ...to(4)] };
    case 5:
      return { op: 'CMP', bytes: [0x83, 0x3d, ...to(4), 1] };
    case 6:
      return { op: 'NONE', bytes: [0xff, 0x35, ...to(4)] };
    case 7:
      return { op: 'NONE', bytes: [0x8f, 0x05, ...to(4)] };
    case 8:
      return { op: 'XADD', bytes: [0x0f, 0xc1, 0x05 | (r.pick(g.free) << 3), ...to(4)] };
    case 9:
      return { op: 'NONE', bytes: [0xdd, 0x05, ...to(8)] };
    case 10:
      return { op: 'NONE', bytes: [0xff, 0x25, ...to(4)], partial: true };
    case 11:
      return { op: 'CMPXCHG', bytes: [0x0f, 0xb1, 0x0d, ...to(4)] };
    case 12:
      return { op: 'SHL', detail: { size: 32, count: 3 }, bytes: [0xc1, 0x25, ...to(4), 3] };
    default:
      // Jump to where nothing is mapped.
      return {
        op: 'NONE',
        bytes: [
          0xb8,
          ...little(r.pick([0, 0x1000, DATA - 0x1000, CODE + CODE_SIZE, 0x50000000, CODE - 1]), 4),
          0xff,
          r.pick([0xe0, 0xd0]),
        ],
      };
  }
}

function faultItem(g: Generator): Item {
  const { r } = g;
  switch (r.int(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return touch(g);
    case 4:
      return { op: 'DIV', bytes: g.encode(32, [0xf6 + r.int(2)], g.rm(8, false), r.between(6, 7)) };
    case 5:
      return { op: 'NONE', bytes: r.pick(PRIVILEGED) };
    case 6:
      return { op: 'NONE', bytes: r.pick(INVALID) };
    case 7:
      return r.chance(0.5)
        ? { op: 'INTO', bytes: [0xce] }
        : {
            op: 'NONE',
            bytes: r.pick([
              [0xcc],
              [0xcd, 3],
              [0xcd, 4],
              [0xcd, r.pick([0, 1, 2, 13, 14, 0x20, 0x7f, 0x81, 0xff])],
            ]),
          };
    case 8: {
      // BOUND: both bounds in memory, the index often inside.
      const wide = g.wide();
      const bytes = wide >> 3;
      const low = -r.int(100);
      const content = () => [...little(low, bytes), ...little(low + r.int(200), bytes)];
      const rm = g.memory(2 * bytes, { content });
      const register = r.pick(g.free);
      const set = r.chance(0.7) ? [0xb8 + register, ...little(r.between(-100, 100), 4)] : [];
      return { op: 'NONE', bytes: [...set, ...g.encode(wide, [0x62], rm, register)] };
    }
    default: {
      // POPF with TF: a trap after the next instruction. With AC: misaligned accesses fault.
      const flag = r.pick([0, 0x100, 0x40000]);
      return { op: 'POPF', bytes: [0x68, ...little(flag | 0x202, 4), 0x9d] };
    }
  }
}

export const faults: Group = {
  name: 'faults',
  longest: 6,
  implicit: [EAX, EDX, ECX],
  stack: true,
  item: (g) => (g.r.chance(0.45) ? faultItem(g) : twoOperands(g)),
};
