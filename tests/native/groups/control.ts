/** Conditions, jumps, loops, calls and returns, flag instructions. */
import { EAX, ECX, type Generator, type Group } from '../generator.ts';
import { USER_CODE } from '../layout.ts';
import type { Item } from '../program.ts';
import { little } from '../random.ts';
import { TWO, oneOperand, twoOperands } from './integer.ts';

export function conditionItem(g: Generator): Item {
  const { r } = g;
  const cc = r.int(16);
  switch (r.int(4)) {
    case 0:
      return {
        op: 'SETCC',
        detail: { cc },
        bytes: g.encode(32, [0x0f, 0x90 + cc], g.rm(8, true), r.int(8)),
      };
    case 1: {
      const size = g.wide();
      return {
        op: 'CMOVCC',
        detail: { cc },
        bytes: g.encode(size, [0x0f, 0x40 + cc], g.rm(size, false), r.pick(g.free)),
      };
    }
    case 2:
      return {
        op: 'JCC',
        detail: { cc },
        bytes: [0x0f, 0x80 + cc, 0, 0, 0, 0],
        jump: { at: 2, size: 4, skip: r.int(5) },
      };
    default:
      return {
        op: 'JCC',
        detail: { cc },
        bytes: [0x70 + cc, 0],
        jump: { at: 1, size: 1, skip: r.int(4) },
      };
  }
}

export const conditions: Group = {
  name: 'conditions',
  longest: 16,
  item: (g) =>
    g.r.chance(0.5) ? conditionItem(g) : g.r.chance(0.6) ? twoOperands(g) : oneOperand(g),
};

function loopItems(g: Generator): Item[] {
  const { r } = g;
  const kind = r.int(4);
  const short = r.chance(0.2);
  const prefix = short ? [0x67] : [];
  const at = prefix.length + 1;
  const op = kind < 2 ? 'LOOPCC' : 'NONE';
  if (r.chance(0.4)) {
    // Forward: LOOPNE LOOPE LOOP JECXZ
    const set: Item = {
      op: 'NONE',
      bytes: [0xb9, ...little(r.pick([0, 1, 2, 0x10000, 0xffffffff]), 4)],
    };
    return [set, { op, bytes: [...prefix, 0xe0 + kind, 0], jump: { at, size: 1, skip: r.int(3) } }];
  }
  // A closed loop is one item, so that nothing jumps into it with another count. Its body is an
  // operation on another register that defines ZF.
  const high = short ? r.int(0x10000) << 16 : 0;
  const n = r.int(8);
  const register = r.pick(g.free.filter((x) => x !== ECX));
  const body = [0x83, 0xc0 | (n << 3) | register, r.int(256)];
  const back = -(body.length + prefix.length + 2) & 0xff;
  const count = little(r.between(1, 6) | high, 4);
  const bytes = [0xb9, ...count, ...body, ...prefix, 0xe0 + r.int(3), back];
  return [{ op: TWO[n], bytes }];
}

/**
 * A routine and its call, with the code that follows jumping over it. It may return one byte later than it was
 * called from: an address that only the stack knows.
 */
function routineItem(g: Generator): Item {
  const { r } = g;
  const n = r.int(8);
  const operation = [0x83, 0xc0 | (n << 3) | r.pick(g.free), r.int(256)];
  // jcc over an inc: a routine of several blocks
  const branch = r.chance(0.5) ? [0x70 + r.int(16), 1, 0x40 + r.pick(g.free)] : [];
  // add dword [esp], 0 or 1; or lea esp, [esp]
  const move = r.chance(0.3) ? [0x83, 0x04, 0x24, r.int(2)] : [0x8d, 0x24, 0x24];
  const end = r.chance(0.3) ? [0xc2, 4 * r.int(4), 0] : [0xc3];
  const routine = [...branch, ...operation, ...move, ...end];
  // call; nop; jmp over the routine
  const bytes = [0xe8, 3, 0, 0, 0, 0x90, 0xeb, routine.length, ...routine];
  return { op: move[0] === 0x83 ? TWO[0] : TWO[n], bytes };
}

function jumpItems(g: Generator): Item | Item[] {
  const { r } = g;
  const skip = r.int(4);
  switch (r.int(14)) {
    case 0:
      return { op: 'NONE', bytes: [0xeb, 0], jump: { at: 1, size: 1, skip } };
    case 1:
      return { op: 'NONE', bytes: [0xe9, 0, 0, 0, 0], jump: { at: 1, size: 4, skip } };
    case 2:
      return { op: 'NONE', bytes: [0xe8, 0, 0, 0, 0], jump: { at: 1, size: 4, skip } };
    case 3: // mov eax, address; jmp or call eax
      return {
        op: 'NONE',
        bytes: [0xb8, 0, 0, 0, 0, 0xff, r.pick([0xe0, 0xd0])],
        jump: { at: 1, size: 4, skip, absolute: true },
      };
    case 4: // push address; ret, or ret n
      return {
        op: 'NONE',
        bytes: [0x68, 0, 0, 0, 0, ...(r.chance(0.5) ? [0xc3] : [0xc2, r.int(32), 0])],
        jump: { at: 1, size: 4, skip, absolute: true },
      };
    case 5: // push address; jmp or call [esp]
      return {
        op: 'NONE',
        bytes: [0x68, 0, 0, 0, 0, 0xff, r.pick([0x24, 0x14]), 0x24],
        jump: { at: 1, size: 4, skip, absolute: true },
      };
    case 6: // push cs; push address; retf
      return {
        op: 'NONE',
        bytes: [0x0e, 0x68, 0, 0, 0, 0, ...(r.chance(0.5) ? [0xcb] : [0xca, 4 * r.int(8), 0])],
        selectors: true,
        jump: { at: 2, size: 4, skip, absolute: true },
      };
    case 7: // pushf; push cs; push address; iret
      return {
        op: 'PUSHF',
        bytes: [0x9c, 0x0e, 0x68, 0, 0, 0, 0, 0xcf],
        selectors: true,
        jump: { at: 3, size: 4, skip, absolute: true },
      };
    case 8: // jmp or call far
      return {
        op: 'NONE',
        bytes: [r.pick([0xea, 0x9a]), 0, 0, 0, 0, USER_CODE, 0],
        selectors: true,
        jump: { at: 1, size: 4, skip, absolute: true },
      };
    case 9: // push cs; push address; jmp or call far [esp]
      return {
        op: 'NONE',
        bytes: [0x0e, 0x68, 0, 0, 0, 0, 0xff, r.pick([0x2c, 0x1c]), 0x24],
        selectors: true,
        jump: { at: 2, size: 4, skip, absolute: true },
      };
    case 10: // with a 16-bit operand: EIP is cut to 16 bits, where there is no code
      return r.chance(0.1)
        ? { op: 'NONE', bytes: [0x66, r.pick([0xe9, 0xe8]), 0, 0], jump: { at: 2, size: 2, skip } }
        : conditionItem(g);
    case 11:
    case 12:
      return routineItem(g);
    default:
      return loopItems(g);
  }
}

export const jumps: Group = {
  name: 'jumps',
  longest: 14,
  implicit: [EAX, ECX],
  stack: true,
  item: (g) =>
    g.r.chance(0.5) ? jumpItems(g) : g.r.chance(0.3) ? conditionItem(g) : twoOperands(g),
};

export function flagItem(g: Generator): Item {
  const { r } = g;
  const eax = g.free.includes(EAX);
  switch (r.int(11)) {
    case 0:
      return { op: 'CMC', bytes: [0xf5] };
    case 1:
      return { op: 'CLC', bytes: [0xf8] };
    case 2:
      return { op: 'STC', bytes: [0xf9] };
    case 3:
      return { op: 'NONE', bytes: [0xfc] };
    case 4:
      return { op: 'NONE', bytes: [0xfd] };
    case 5:
      return eax ? { op: 'LAHF', bytes: [0x9f] } : { op: 'SAHF', bytes: [0x9e] };
    case 6:
      return { op: 'SAHF', bytes: [0x9e] };
    case 7:
      return eax ? { op: 'SALC', bytes: [0xd6] } : { op: 'CMC', bytes: [0xf5] };
    case 8:
      return conditionItem(g);
    default:
      return r.chance(0.5) ? twoOperands(g) : oneOperand(g);
  }
}

export const flags: Group = {
  name: 'flags',
  longest: 14,
  implicit: [EAX],
  item: flagItem,
};
