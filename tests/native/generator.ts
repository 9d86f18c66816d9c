/**
 * Makes random programs: register roles, memory operands in all address forms, encodings. Which
 * instructions there are is the business of groups/.
 *
 * Addresses must stay meaningful while registers change, so a program keeps two registers as
 * pointers and one as an index; only the others are written (instructions with implicit operands
 * name theirs in `implicit`, and those are not chosen).
 */
import { AC, CF, AF, OF, PF, SF, ZF, DF } from '../../assembly/shared/flags.ts';
import { CODE, CODE_SIZE, DATA, DATA_SIZE, FIXED, LOW, STACK, type Patch } from './layout.ts';
import type { Item, Program } from './program.ts';
import { Random, little } from './random.ts';

export const [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI] = [0, 1, 2, 3, 4, 5, 6, 7];

/** A group of instructions and how to make one. */
export interface Group {
  name: string;
  /** Most items a program has. */
  longest: number;
  /** Registers that the group's instructions write without naming them. */
  implicit?: number[];
  /** The stack pointer moves: no addresses relative to ESP. */
  stack?: boolean;
  /** Changes the initial state. */
  prepare?: (g: Generator) => void;
  /** One instruction, or a few that belong together. */
  item: (g: Generator) => Item | Item[];
  /** How many programs for every thousand asked for (default 1000). */
  share?: number;
}

/** An operand in ModRM.rm: everything but the reg field is decided. */
export interface Rm {
  prefix: number[];
  encode: (reg: number) => number[];
  /** Linear address, or -1 for a register. */
  address: number;
  register: number;
}

export interface MemoryOptions {
  /** The address must be a multiple. */
  align?: number;
  /** Keep to addresses where the access succeeds. */
  safe?: boolean;
  /** Bytes to put there. */
  content?: () => number[];
  /** No segment override. */
  plain?: boolean;
  /** Where it is, instead of somewhere. */
  at?: number;
}

export class Generator {
  readonly regs = new Uint32Array(8);
  readonly patches: Patch[] = [];
  readonly fpu = new Uint8Array(512);
  eflags = 0x202;
  pointers: number[] = [];
  index = 0;
  free: number[] = [];
  close: Program['close'];
  /** ESP keeps its initial value, so addresses may use it. */
  private readonly steady: boolean;
  private readonly claimed: [number, number][] = [];

  constructor(
    readonly r: Random,
    readonly group: Group,
  ) {
    this.steady = !group.stack;
    const taken = new Set([ESP, ...(group.implicit ?? [])]);
    const others = [EAX, ECX, EDX, EBX, EBP, ESI, EDI].filter((n) => !taken.has(n));
    const choose = () => others.splice(r.int(others.length), 1)[0];
    this.pointers = [choose(), choose()];
    this.index = choose();
    this.free = [...others, ...taken].filter((n) => n !== ESP);
    for (const n of this.free) this.regs[n] = r.edge(32);
    for (const n of this.pointers) this.regs[n] = DATA + r.int(DATA_SIZE);
    this.regs[this.index] = r.chance(0.7) ? r.int(64) : r.edge(32);
    this.regs[ESP] = STACK + 0x400 + r.int(0x200) * (r.chance(0.8) ? 4 : 1);
    this.eflags |= r.bits() & (CF | PF | AF | ZF | SF | OF);
    if (r.chance(0.1)) this.eflags |= DF;
    if (r.chance(0.05)) this.eflags |= AC;
    // FNINIT's control word, all registers empty, MXCSR after reset.
    this.fpu.set([0x7f, 3], 0);
    this.fpu.set([0x80, 0x1f], 24);
  }

  patch(address: number, bytes: number[]): void {
    this.patches.push({ address, bytes: Uint8Array.from(bytes) });
    this.claimed.push([address, bytes.length]);
  }

  /** An address whose access of so many bytes is usual, at an edge, or (rarely) faults. */
  target(bytes: number, o: MemoryOptions = {}): number {
    const { r } = this;
    const align = o.align ?? (r.chance(0.5) ? Math.min(bytes, 16) : 1);
    const within = (start: number, size: number) =>
      start + Math.floor(r.int(size - bytes + 1) / align) * align;
    const kind = r.int(100);
    if (kind < 8 && bytes > 1 && align < bytes) return DATA + 0x1000 - r.between(1, bytes - 1);
    if (kind < 12) return within(STACK, 0x100);
    if (kind < 16) return within(LOW, 0x1000);
    if (!o.safe) {
      if (kind === 16) return within(FIXED, 0x1000);
      if (kind === 17 && bytes > 1) return FIXED - r.between(1, bytes - 1);
      if (kind === 18 && r.chance(0.4)) return FIXED + 0x1000 - r.between(0, bytes - 1);
      if (kind === 19 && r.chance(0.4)) return DATA - r.between(1, bytes);
    }
    // Often the same few places, so that stores are read again.
    if (kind < 60) return within(DATA + 0xe80, 0x100);
    return within(DATA, DATA_SIZE);
  }

  /** A memory operand; the address is decided first and the form made to fit. */
  memory(bytes: number, o: MemoryOptions = {}): Rm {
    const { r } = this;
    let address = o.at ?? this.target(bytes, o);
    const inLow = address >= LOW && address < LOW + 0x1000;
    const prefix: number[] = [];
    let encode: (reg: number) => number[];
    if (inLow && r.chance(0.8)) {
      prefix.push(0x67);
      encode = this.address16(address);
    } else {
      [encode, address] = this.address32(address, o.align ?? 1);
    }
    if (o.content && r.chance(0.8)) {
      const content = o.content();
      const mapped =
        (address >= DATA && address + content.length <= DATA + DATA_SIZE) ||
        (address >= LOW && address + content.length <= LOW + 0x1000) ||
        (address >= FIXED && address + content.length <= FIXED + 0x1000);
      const free = this.claimed.every(([a, n]) => address + bytes <= a || a + n <= address);
      if (mapped && free) this.patch(address, content);
    }
    if (!o.plain && r.chance(0.06)) prefix.push(r.pick([0x26, 0x36, 0x3e]));
    else if (!o.plain && !o.safe && r.chance(0.003)) prefix.push(r.pick([0x64, 0x65, 0x2e]));
    return { prefix, encode, address, register: -1 };
  }

  private address16(address: number): (reg: number) => number[] {
    const { r, regs } = this;
    const known = new Set([...this.pointers, this.index]);
    const forms: [number, number[]][] = [
      [0, [EBX, ESI]],
      [1, [EBX, EDI]],
      [2, [EBP, ESI]],
      [3, [EBP, EDI]],
      [4, [ESI]],
      [5, [EDI]],
      [6, [EBP]],
      [7, [EBX]],
    ];
    const usable = forms.filter(([, list]) => list.every((n) => known.has(n)));
    if (usable.length === 0 || r.chance(0.25))
      return (reg) => [(reg << 3) | 6, ...little(address, 2)];
    const [rm, list] = r.pick(usable);
    const displacement = (address - list.reduce((sum, n) => sum + regs[n], 0)) & 0xffff;
    const short = ((displacement << 24) >> 24) & 0xffff;
    if (displacement === 0 && rm !== 6) return (reg) => [(reg << 3) | rm];
    if (short === displacement) return (reg) => [0x40 | (reg << 3) | rm, displacement & 0xff];
    return (reg) => [0x80 | (reg << 3) | rm, ...little(displacement, 2)];
  }

  private address32(
    wanted: number,
    align: number,
  ): [encode: (reg: number) => number[], address: number] {
    const { r, regs } = this;
    let address = wanted;
    const base = r.pick(this.pointers);
    const form = r.int(8);
    switch (form === 4 && !this.steady ? 5 : form) {
      case 0: // disp32 alone, in its two encodings
        return r.chance(0.7)
          ? [(reg) => [(reg << 3) | 5, ...little(address, 4)], address]
          : [(reg) => [(reg << 3) | 4, 0x25, ...little(address, 4)], address];
      case 1: {
        // [index*scale + disp32]
        const scale = r.int(4);
        const displacement = (address - (regs[this.index] << scale)) | 0;
        const sib = (scale << 6) | (this.index << 3) | 5;
        return [(reg) => [(reg << 3) | 4, sib, ...little(displacement, 4)], address];
      }
      case 2:
      case 3: {
        // [base + index*scale + disp]
        const scale = r.int(4);
        const sib = (scale << 6) | (this.index << 3) | base;
        const sum = (regs[base] + (regs[this.index] << scale)) >>> 0;
        return [this.displaced(4, sib, base, (address - sum) | 0), address];
      }
      case 4: {
        const displacement = (address - regs[ESP]) | 0;
        return [this.displaced(4, 0x24, ESP, displacement), address];
      }
      default: {
        // [base + disp], often short: then the address moves near the pointer
        if (wanted >= DATA && wanted < DATA + DATA_SIZE && r.chance(0.7)) {
          const near = (regs[base] + r.between(-128, 100)) & -align;
          const away = ((DATA + DATA_SIZE - 128) & -align) >>> 0;
          address = near >= DATA && near <= away ? near >>> 0 : wanted;
        }
        const displacement = (address - regs[base]) | 0;
        return r.chance(0.1)
          ? [this.displaced(4, 0x20 | base, base, displacement), address]
          : [this.displaced(base, null, base, displacement), address];
      }
    }
  }

  private displaced(
    rm: number,
    sib: number | null,
    base: number,
    displacement: number,
  ): (reg: number) => number[] {
    const middle = sib === null ? [] : [sib];
    if (displacement === 0 && base !== EBP) return (reg) => [(reg << 3) | rm, ...middle];
    if (displacement >= -128 && displacement < 128 && this.r.chance(0.95))
      return (reg) => [0x40 | (reg << 3) | rm, ...middle, displacement & 0xff];
    return (reg) => [0x80 | (reg << 3) | rm, ...middle, ...little(displacement, 4)];
  }

  /** A register that may be written, as an encoding at the size: of 8 bits, low and high halves. */
  target8or32(size: number): number {
    const { r } = this;
    if (size !== 8) return r.pick(this.free);
    const halves = this.free.filter((n) => n < 4);
    return halves.length === 0 ? 0 : r.pick(halves) + (r.chance(0.5) ? 4 : 0);
  }

  /** A register to read: any. */
  source(): number {
    return this.r.int(8);
  }

  register(number: number): Rm {
    return {
      prefix: [],
      encode: (reg) => [0xc0 | (reg << 3) | number],
      address: -1,
      register: number,
    };
  }

  /** Register (likelier) or memory; `write` when the instruction writes it. */
  rm(size: number, write: boolean, o: MemoryOptions = {}): Rm {
    if (this.r.chance(0.55)) return this.register(write ? this.target8or32(size) : this.source());
    return this.memory(size >> 3, o);
  }

  size(): 8 | 16 | 32 {
    return this.r.pick([8, 16, 32, 32]);
  }

  wide(): 16 | 32 {
    return this.r.pick([16, 32, 32]);
  }

  /** Prefixes in any order in front of the opcode: operand size, the operand's own, LOCK. */
  encode(
    size: number,
    opcode: number[],
    rm: Rm,
    reg: number,
    immediate: number[] = [],
    lock = false,
  ): number[] {
    const prefixes = [...rm.prefix];
    if (size === 16) prefixes.push(0x66);
    if (lock && rm.address >= 0 && this.r.chance(0.1)) prefixes.push(0xf0);
    for (let i = prefixes.length - 1; i > 0; i--) {
      const j = this.r.int(i + 1);
      [prefixes[i], prefixes[j]] = [prefixes[j], prefixes[i]];
    }
    return [...prefixes, ...opcode, ...rm.encode(reg), ...immediate];
  }

  sized(size: number): number[] {
    return size === 16 ? [0x66] : [];
  }

  immediate(size: number): number[] {
    return little(this.r.edge(size), size >> 3);
  }
}

export function makeProgram(group: Group, seed: number, index: number): Program {
  const r = new Random(seed, `${group.name}/${index}`);
  const g = new Generator(r, group);
  group.prepare?.(g);
  const length = r.between(1, r.chance(0.4) ? Math.min(4, group.longest) : group.longest);
  const items: Item[] = [];
  while (items.length < length) {
    const made = group.item(g);
    if (Array.isArray(made)) items.push(...made);
    else items.push(made);
  }
  // Mostly at the start of the code, sometimes across its two pages, sometimes out at the end.
  const kind = r.int(40);
  const shift = r.bits();
  const place = (bytes: number) => {
    if (kind < 3 && bytes > 1) return CODE + 0x1000 - 1 - (shift % (bytes - 1));
    if (kind === 3 && bytes > 1) return CODE + CODE_SIZE - bytes;
    return CODE + (kind > 20 ? shift & 0x3f : 0);
  };
  const { regs, eflags, fpu, patches } = g;
  const fill = r.bits() || 1;
  return {
    group: group.name,
    index,
    items,
    initial: { regs, eflags, fpu, fill, patches },
    place,
    close: g.close,
  };
}
