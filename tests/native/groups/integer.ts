/** Integer arithmetic: two-operand and one-operand operations, multiplication, division, decimals. */
import { EAX, ECX, EDX, type Generator, type Group } from '../generator.ts';
import type { Item } from '../program.ts';

export const TWO = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'];

function twoOperands(g: Generator): Item {
  const { r } = g;
  const n = r.int(8);
  const op = TWO[n];
  const compare = n === 7;
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  const form = r.int(6);
  const accumulator = compare || g.free.includes(EAX);
  switch (form === 0 && !accumulator ? 1 : form) {
    case 0:
      return { op, bytes: [...g.sized(size), n * 8 + 4 + w, ...g.immediate(size)] };
    case 1: {
      const opcode = size === 8 ? (r.chance(0.1) ? 0x82 : 0x80) : 0x81;
      return {
        op,
        bytes: g.encode(size, [opcode], g.rm(size, !compare), n, g.immediate(size), !compare),
      };
    }
    case 2:
      return {
        op,
        bytes: g.encode(size, [0x82 + w], g.rm(size, !compare), n, g.immediate(8), !compare),
      };
    case 3:
    case 4:
      return {
        op,
        bytes: g.encode(size, [n * 8 + w], g.rm(size, !compare), g.source(), [], !compare),
      };
    default: {
      const target = compare ? g.source() : g.target8or32(size);
      return { op, bytes: g.encode(size, [n * 8 + 2 + w], g.rm(size, false), target) };
    }
  }
}

function oneOperand(g: Generator): Item {
  const { r } = g;
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  switch (r.int(5)) {
    case 0: {
      const n = r.int(2);
      const register = r.pick(g.free);
      const wide = g.wide();
      return { op: n ? 'DEC' : 'INC', bytes: [...g.sized(wide), 0x40 + 8 * n + register] };
    }
    case 1: {
      const n = r.int(2);
      return {
        op: n ? 'DEC' : 'INC',
        bytes: g.encode(size, [0xfe + w], g.rm(size, true), n, [], true),
      };
    }
    case 2: {
      const n = r.between(2, 3);
      return {
        op: n === 2 ? 'NONE' : 'NEG',
        bytes: g.encode(size, [0xf6 + w], g.rm(size, true), n, [], true),
      };
    }
    case 3:
      return { op: 'TEST', bytes: g.encode(size, [0x84 + w], g.rm(size, false), g.source()) };
    default:
      if (r.chance(0.4))
        return { op: 'TEST', bytes: [...g.sized(size), 0xa8 + w, ...g.immediate(size)] };
      return {
        op: 'TEST',
        bytes: g.encode(size, [0xf6 + w], g.rm(size, false), r.int(2), g.immediate(size)),
      };
  }
}

export const alu: Group = {
  name: 'alu',
  longest: 20,
  item: (g) => (g.r.chance(0.65) ? twoOperands(g) : oneOperand(g)),
};

const SHIFTS = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SHL', 'SAR'];

function shiftItem(g: Generator): Item {
  const { r } = g;
  if (r.chance(0.25)) return doubleShift(g);
  const n = r.int(8);
  const op = SHIFTS[n];
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  const rm = () => g.rm(size, true);
  switch (r.int(4)) {
    case 0:
      return { op, detail: { size, count: 1 }, bytes: g.encode(size, [0xd0 + w], rm(), n) };
    case 1: {
      const count = r.chance(0.8) ? r.int(34) : r.int(256);
      return { op, detail: { size, count }, bytes: g.encode(size, [0xc0 + w], rm(), n, [count]) };
    }
    case 2:
      return { op, detail: { size, count: -1 }, bytes: g.encode(size, [0xd2 + w], rm(), n) };
    default: {
      const count = r.chance(0.8) ? r.int(34) : r.int(256);
      const bytes = [0xb1, count, ...g.encode(size, [0xd2 + w], rm(), n)];
      return { op, detail: { size, count }, bytes };
    }
  }
}

function doubleShift(g: Generator): Item {
  const { r } = g;
  const right = r.int(2);
  const op = right ? 'SHRD' : 'SHLD';
  const size = g.wide();
  const opcode = 0xa4 + 8 * right;
  // A count above the operand's size leaves even the destination undefined.
  const count = size === 16 ? r.int(17) : r.int(r.chance(0.8) ? 34 : 256);
  if (r.chance(0.5)) {
    return {
      op,
      detail: { size, count },
      bytes: g.encode(size, [0x0f, opcode], g.rm(size, true), g.source(), [count]),
    };
  }
  const set = size === 32 && r.chance(0.4) ? [] : [0xb1, count];
  return {
    op,
    detail: { size, count: set.length ? count : -1 },
    bytes: [...set, ...g.encode(size, [0x0f, opcode + 1], g.rm(size, true), g.source())],
  };
}

export const shifts: Group = {
  name: 'shifts',
  longest: 12,
  implicit: [ECX],
  item: (g) => (g.r.chance(0.85) ? shiftItem(g) : twoOperands(g)),
};

function multiply(g: Generator): Item {
  const { r } = g;
  const size = g.size();
  const w = size === 8 ? 0 : 1;
  const wide = g.wide();
  switch (r.int(6)) {
    case 0:
    case 1: {
      const n = r.between(4, 5);
      return {
        op: n === 4 ? 'MUL' : 'IMUL',
        bytes: g.encode(size, [0xf6 + w], g.rm(size, false), n),
      };
    }
    case 2:
      return { op: 'IMUL', bytes: g.encode(wide, [0x0f, 0xaf], g.rm(wide, false), r.pick(g.free)) };
    case 3: {
      const short = r.int(2);
      const immediate = g.immediate(short ? 8 : wide);
      return {
        op: 'IMUL',
        bytes: g.encode(wide, [short ? 0x6b : 0x69], g.rm(wide, false), r.pick(g.free), immediate),
      };
    }
    default: {
      // A division mostly overflows on random numbers: often make the dividend small first.
      const n = r.between(6, 7);
      const prepare: number[] = [];
      if (r.chance(0.85)) {
        if (n === 7) prepare.push(...(size === 8 ? [0x66, 0x98] : [...g.sized(size), 0x99]));
        else
          prepare.push(
            ...(size === 8
              ? [0xb4, r.int(3)]
              : [0xba, ...g.immediate(32).map((b, i) => (i ? 0 : b & 15))]),
          );
      }
      return {
        op: n === 6 ? 'DIV' : 'IDIV',
        bytes: [...prepare, ...g.encode(size, [0xf6 + w], g.rm(size, false), n)],
      };
    }
  }
}

export const muldiv: Group = {
  name: 'muldiv',
  longest: 10,
  implicit: [EAX, EDX],
  item: (g) => (g.r.chance(0.8) ? multiply(g) : twoOperands(g)),
};

export const decimal: Group = {
  name: 'decimal',
  longest: 10,
  implicit: [EAX],
  prepare: (g) => {
    if (g.r.chance(0.5)) g.regs[EAX] = g.r.int(0x10000);
  },
  item: (g) => {
    const { r } = g;
    switch (r.int(9)) {
      case 0:
      case 1:
        return { op: 'DAA', bytes: [0x27] };
      case 2:
        return { op: 'DAS', bytes: [0x2f] };
      case 3:
        return { op: 'AAA', bytes: [0x37] };
      case 4:
        return { op: 'AAS', bytes: [0x3f] };
      case 5:
        return { op: 'AAM', bytes: [0xd4, r.chance(0.7) ? 10 : r.int(256)] };
      case 6:
        return { op: 'AAD', bytes: [0xd5, r.chance(0.6) ? 10 : r.int(256)] };
      case 7:
        return { op: 'ADC', bytes: [0x14, r.int(256)] };
      default:
        return twoOperands(g);
    }
  },
};

export const convert: Group = {
  name: 'convert',
  longest: 8,
  implicit: [EAX, EDX],
  item: (g) => {
    const { r } = g;
    if (r.chance(0.3)) return twoOperands(g);
    return { op: 'NONE', bytes: [...g.sized(g.wide()), r.pick([0x98, 0x99])] };
  },
};

export { twoOperands, oneOperand, shiftItem, multiply };
