/**
 * Guest code as text, for people: the rows of the opcode maps read backwards. What it prints is the
 * operation that runs here, so a few SSE mnemonics are those of another instruction that does the
 * same (ANDPS is PAND).
 */
import { GROUPS } from './groups.ts';
import { MAP0F } from './map0f.ts';
import { MAP1 } from './map1.ts';
import type { MapRow } from './maps.ts';
import { CONDITIONS } from './operation.ts';
import { SSE_GROUPS, SSE_MAP0F } from './sse.ts';
import { X87_MEMORY, X87_REGISTER } from './x87.ts';

export interface Instruction {
  /** Bytes. */
  length: number;
  /** As NASM spells it, mostly. */
  text: string;
}

const R32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const R8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const PREFIXES = ['none', '66', 'F3', 'F2'];
const LONGEST = 15;

type Size = 0 | 8 | 16 | 32;
const WORDS: Record<Size, string> = { 0: '', 8: 'byte ', 16: 'word ', 32: 'dword ' };

/** Names that are not the mnemonic in lower case up to the first underscore. */
const SPELLED: Record<string, string> = {
  CALL_FAR: 'call',
  CALL_FAR_IND: 'call far',
  JMP_FAR_IND: 'jmp far',
  RET_FAR: 'retf',
  UD: 'ud2',
  IMUL2: 'imul',
  IMUL3: 'imul',
  MOVZX8: 'movzx',
  MOVZX16: 'movzx',
  MOVSX8: 'movsx',
  MOVSX16: 'movsx',
};
/** Spelled by operand size: 16, 32 bits. */
const BY_SIZE: Record<string, [string, string]> = {
  CBW: ['cbw', 'cwde'],
  CWD: ['cwd', 'cdq'],
  PUSHA: ['pusha', 'pushad'],
  POPA: ['popa', 'popad'],
  PUSHF: ['pushf', 'pushfd'],
  POPF: ['popf', 'popfd'],
  IRET: ['iretw', 'iret'],
};
/** Operands that the operation implies. */
const IMPLIED: Record<string, (accumulator: string) => string[]> = {
  IN_DX: (accumulator) => [accumulator, 'dx'],
  OUT_DX: (accumulator) => ['dx', accumulator],
};

/** The bytes ended, or no row has them. */
class Undefined extends Error {}

class Reader {
  at = 0;
  operand16: boolean;
  address16: boolean;
  segment = '';
  repeat = 0;
  lock = false;
  had66 = false;
  modrm = -1;

  constructor(
    private readonly bytes: Uint8Array,
    readonly wide: boolean,
  ) {
    this.operand16 = this.address16 = !wide;
  }

  byte(): number {
    if (this.at >= Math.min(this.bytes.length, LONGEST)) throw new Undefined();
    return this.bytes[this.at++]!;
  }
  number(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += this.byte() * 2 ** (8 * i);
    return value;
  }
  signed(bytes: number): number {
    const value = this.number(bytes);
    return value >= 2 ** (8 * bytes - 1) ? value - 2 ** (8 * bytes) : value;
  }
  needModrm(): number {
    if (this.modrm < 0) this.modrm = this.byte();
    return this.modrm;
  }

  /** Prefixes; gives the opcode's first byte. */
  opcode(): number {
    for (;;) {
      const byte = this.byte();
      if (byte === 0x66) {
        this.operand16 = this.wide;
        this.had66 = true;
      } else if (byte === 0x67) this.address16 = this.wide;
      else if (byte === 0xf0) this.lock = true;
      else if (byte === 0xf3) this.repeat = 2;
      else if (byte === 0xf2) this.repeat = 3;
      else if ((byte & 0xe7) === 0x26) this.segment = SEGMENTS[(byte >> 3) & 3]!;
      else if (byte === 0x64 || byte === 0x65) this.segment = SEGMENTS[byte - 0x60]!;
      else return byte;
    }
  }

  /** The mandatory prefix's index in PREFIXES. */
  get variant(): number {
    return this.repeat || (this.had66 ? 1 : 0);
  }

  private memory: string | undefined;

  /** The memory operand of ModRM, in brackets (SDM vol. 2A 2.1.5). */
  address(): string {
    return (this.memory ??= this.readAddress());
  }
  private readAddress(): string {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    const parts: string[] = [];
    let displacement = 0;
    if (this.address16) {
      const direct = rm === 6 && mod === 0;
      if (direct) displacement = this.number(2);
      else parts.push(['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx'][rm]!);
      if (mod) displacement = this.signed(mod);
    } else {
      let base = rm;
      if (rm === 4) {
        const sib = this.byte();
        base = sib & 7;
        const index = (sib >> 3) & 7;
        if (base !== 5 || mod) parts.push(R32[base]!);
        if (index !== 4) parts.push(`${R32[index]}${sib >> 6 ? `*${1 << (sib >> 6)}` : ''}`);
      } else if (rm !== 5 || mod) parts.push(R32[rm]!);
      if (mod === 1) displacement = this.signed(1);
      else if (mod === 2) displacement = this.signed(4);
      else if (base === 5) displacement = parts.length ? this.signed(4) : this.number(4);
    }
    const sum = parts.join('+');
    const offset = sum
      ? displacement
        ? `${displacement < 0 ? '-' : '+'}${hex(Math.abs(displacement))}`
        : ''
      : hex(displacement);
    return `[${this.segment ? `${this.segment}:` : ''}${sum}${offset}]`;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/**
 * @param bytes the instruction's, and any after it
 * @param eip its address in the code segment
 * @param wide 32-bit code (CS.D)
 */
export function disassemble(bytes: Uint8Array, eip: number, wide: boolean): Instruction {
  const reader = new Reader(bytes, wide);
  try {
    const text = decode(reader, eip);
    return { length: reader.at, text };
  } catch (error) {
    if (!(error instanceof Undefined)) throw error;
    return { length: Math.min(1, bytes.length), text: '(no instruction)' };
  }
}

function decode(reader: Reader, eip: number): string {
  const [row, opcode] = findRow(reader);
  const op = /^(J|SET|CMOV)CC$/.test(row.op!)
    ? row.op!.slice(0, -2) + CONDITIONS[opcode & 15]!
    : row.op!;
  const size: Size = { b: 8, w: 16, d: 32, v: reader.operand16 ? 16 : 32, n: 0 }[row.size] as Size;
  const letters = row.operands.split(',').filter(Boolean);
  if (letters.some((letter) => /^[EWQMUNRGVPSCD]$/.test(letter))) reader.needModrm();
  const accumulator = register(0, size);
  const operands = letters.flatMap((letter) => operand(reader, letter, op, size, opcode, eip));
  if (op in IMPLIED) operands.push(...IMPLIED[op]!(accumulator));
  if (op === 'IN_IMM') operands.unshift(accumulator);
  if (op === 'OUT_IMM') operands.push(accumulator);
  if (op.endsWith('_CL') && !letters.includes('CL')) operands.push('cl');
  let name = mnemonic(op, size);
  const string = letters.includes('X') && /^(MOVS|CMPS|STOS|LODS|SCAS|INS|OUTS)$/.test(op);
  if (string) name += { 0: '', 8: 'b', 16: 'w', 32: 'd' }[size];
  const prefixes = [
    reader.lock ? 'lock ' : '',
    string && reader.repeat ? (reader.repeat === 3 ? 'repne ' : 'rep ') : '',
    string && reader.segment ? `${reader.segment} ` : '',
  ].join('');
  return `${prefixes}${name}${operands.length ? ` ${operands.join(', ')}` : ''}`;
}

function mnemonic(op: string, size: Size): string {
  const sized = BY_SIZE[op];
  if (sized) return sized[size === 16 ? 0 : 1];
  return SPELLED[op] ?? op.replace(/_.*/, '').toLowerCase();
}

/** The row of the opcode, groups resolved, and the opcode. */
function findRow(reader: Reader): [MapRow, number] {
  let opcode = reader.opcode();
  let row: MapRow | undefined;
  if (opcode === 0x0f) {
    opcode = reader.byte();
    row = pick([...MAP0F, ...SSE_MAP0F], opcode, reader.variant);
  } else if ((opcode & 0xf8) === 0xd8) {
    const modrm = reader.needModrm();
    row =
      modrm < 0xc0
        ? pick(X87_MEMORY, (opcode & 7) * 8 + ((modrm >> 3) & 7))
        : pick(X87_REGISTER, (opcode & 7) * 64 + modrm - 0xc0);
  } else {
    row = pick(MAP1, opcode);
  }
  if (row?.op?.startsWith('#')) row = member(row, reader);
  if (!row?.op) throw new Undefined();
  return [row, opcode];
}

function pick(rows: MapRow[], opcode: number, variant?: number): MapRow | undefined {
  return rows.findLast(
    ({ first, count, prefix }) =>
      opcode >= first &&
      opcode < first + count &&
      (variant === undefined || !prefix || prefix === PREFIXES[variant]),
  );
}

function member(row: MapRow, reader: Reader): MapRow | undefined {
  const modrm = reader.needModrm();
  const other = modrm >= 0xc0 ? 'memory' : 'register';
  const found = { ...GROUPS, ...SSE_GROUPS }[row.op!]!.findLast(
    ({ first, prefix, mod }) =>
      first === ((modrm >> 3) & 7) &&
      mod !== other &&
      (!prefix || prefix === PREFIXES[reader.variant]),
  );
  if (!found) return undefined;
  const operands =
    found.operands === 'E,I' ? `E,${row.size === 'b' ? 'Ib' : 'Iz'}` : found.operands;
  return {
    ...found,
    operands: operands || row.operands,
    size: (found.size as string) === '' ? row.size : found.size,
  };
}

function register(number: number, size: Size): string {
  if (size === 8) return R8[number]!;
  return size === 16 ? R32[number]!.slice(1) : R32[number]!;
}

function operand(
  reader: Reader,
  letter: string,
  op: string,
  size: Size,
  opcode: number,
  eip: number,
): string | string[] {
  const { modrm } = reader;
  const reg = (modrm >> 3) & 7;
  const rm = modrm & 7;
  const isRegister = modrm >= 0xc0;
  const immediate = (value: number) => hex(value);
  switch (letter) {
    case 'E': {
      const narrow = /^MOV[ZS]X(8|16)$/.exec(op);
      const own = narrow ? (Number(narrow[1]) as Size) : size;
      return isRegister ? register(rm, own) : WORDS[own] + reader.address();
    }
    case 'W':
      return isRegister ? `xmm${rm}` : reader.address();
    case 'Q':
      return isRegister ? `mm${rm}` : reader.address();
    case 'M':
      if (isRegister) throw new Undefined();
      return reader.address();
    case 'U':
    case 'N':
      if (!isRegister) throw new Undefined();
      return `${letter === 'U' ? 'xmm' : 'mm'}${rm}`;
    case 'R':
      return R32[rm]!;
    case 'G':
      return register(reg, size);
    case 'V':
      return `xmm${reg}`;
    case 'P':
      return `mm${reg}`;
    case 'S':
      if (reg > 5) throw new Undefined();
      return SEGMENTS[reg]!;
    case 'C':
      return `cr${reg}`;
    case 'D':
      return `dr${reg}`;
    case 'Z':
      return register(opcode & 7, size);
    case 'A':
      return register(0, size);
    case 'CL':
      return 'cl';
    case 'O': {
      const offset = hex(reader.number(reader.address16 ? 2 : 4));
      return `[${reader.segment ? `${reader.segment}:` : ''}${offset}]`;
    }
    case 'ST':
      return `st${rm}`;
    case 'Ib': {
      // After the memory operand's displacement, which operands in front have read.
      const value = reader.signed(1);
      return size > 8 && value < 0 ? `-${immediate(-value)}` : immediate(value & 0xff);
    }
    case 'Iw':
      return immediate(reader.number(2));
    case 'Iz':
      return immediate(reader.number(reader.operand16 ? 2 : 4));
    case 'I1':
      return '1';
    case 'IwIb':
      return [immediate(reader.number(2)), immediate(reader.number(1))];
    case 'Jb':
    case 'Jz': {
      const distance = reader.signed(letter === 'Jb' ? 1 : reader.operand16 ? 2 : 4);
      const target = eip + reader.at + distance;
      return hex(reader.operand16 ? target & 0xffff : target >>> 0);
    }
    case 'FAR': {
      const offset = reader.number(reader.operand16 ? 2 : 4);
      return `${hex(reader.number(2))}:${hex(offset)}`;
    }
    case 'X':
      return [];
    default:
      return letter.toLowerCase(); // a segment register by name
  }
}
