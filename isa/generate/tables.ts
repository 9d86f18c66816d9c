/**
 * The decoder's tables: opcode maps, groups, and (operation, size, form) -> code, packed for
 * assembly/decode. Sizes and offsets of the packing are in entryWords().
 */
import { CODES, FORMS, NAMES, OPERATIONS, operationNumber } from '../codes.ts';
import { GROUPS } from '../groups.ts';
import { CONDITIONS } from '../operation.ts';
import { MAP0F } from '../map0f.ts';
import { MAP1 } from '../map1.ts';
import type { MapRow } from '../maps.ts';
import { SSE_GROUPS, SSE_MAP0F } from '../sse.ts';
import { X87_MEMORY, X87_REGISTER } from '../x87.ts';

/** Operand letters as assembly/decode/decode.ts knows them. */
export const OPERAND_KINDS = [
  '', 'E', 'W', 'Q', 'M', 'U', 'N', 'R', 'G', 'V', 'P', 'S', 'C', 'D', 'Z', 'A', 'CL', 'O', 'ST',
]; // prettier-ignore
export const IMMEDIATE_KINDS = [
  '', 'Ib', 'Iw', 'Iz', 'I1', 'IwIb', 'Jb', 'Jz', 'FAR', 'X', 'ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'I',
]; // prettier-ignore
export const SIZE_RULES = ['n', 'b', 'w', 'd', 'v'];

const LOCK = 1;
const GROUP = 2;
const REGISTER_ONLY = 4;
const MEMORY_ONLY = 8;
const VALID = 16;

/** JCC, SETCC, CMOVCC rows stand for sixteen operations. */
function operationOf(row: MapRow, opcode: number): string {
  if (row.op!.endsWith('CC') && /^(J|SET|CMOV)CC$/.test(row.op!)) {
    return row.op!.slice(0, -2) + CONDITIONS[opcode & 15]!;
  }
  return row.op!;
}

/**
 * An entry is two words: operation number (16 bits), size rule (4), immediate kind (6), flags (6);
 * then first operand kind (8), second (8), group table index (16).
 */
type Entry = [number, number];
const NOTHING: Entry = [0, 0];

function entryOf(row: MapRow, opcode: number): Entry {
  const kinds: number[] = [];
  let immediate = 0;
  for (const letter of row.operands.split(',').filter(Boolean)) {
    if (IMMEDIATE_KINDS.includes(letter)) immediate = IMMEDIATE_KINDS.indexOf(letter);
    else if (OPERAND_KINDS.includes(letter)) kinds.push(OPERAND_KINDS.indexOf(letter));
    else throw new Error(`isa: operand letter ${letter} in row ${row.op}`);
  }
  const flags =
    VALID |
    (row.lock ? LOCK : 0) |
    (row.mod === 'register' ? REGISTER_ONLY : 0) |
    (row.mod === 'memory' ? MEMORY_ONLY : 0);
  const op = operationNumber(operationOf(row, opcode));
  return [
    op | (SIZE_RULES.indexOf(row.size) << 16) | (immediate << 20) | (flags << 26),
    (kinds[0] ?? 0) | ((kinds[1] ?? 0) << 8),
  ];
}

const PREFIXES = ['none', '66', 'F3', 'F2'];
/** Expanded groups: ModRM.reg x (memory, register) x mandatory prefix. */
const groupTables: Entry[][] = [];

function groupEntry(row: MapRow): Entry {
  const members = { ...GROUPS, ...SSE_GROUPS }[row.op!];
  if (!members) throw new Error(`isa: no group ${row.op}`);
  const table: Entry[] = Array.from({ length: 64 }, () => NOTHING);
  for (const member of members) {
    if (member.op === null) continue;
    const whole: MapRow = {
      ...member,
      operands: member.operands || row.operands,
      size: (member.size as string) === '' ? row.size : member.size,
    };
    if (whole.operands === 'E,I') whole.operands = row.size === 'b' ? 'E,Ib' : 'E,Iz';
    for (let p = 0; p < 4; p++) {
      if (member.prefix && member.prefix !== PREFIXES[p]) continue;
      for (const isRegister of [0, 1]) {
        if (member.mod === (isRegister ? 'memory' : 'register')) continue;
        table[(p * 2 + isRegister) * 8 + member.first] = entryOf(whole, 0);
      }
    }
  }
  groupTables.push(table);
  return [(GROUP | VALID) << 26, (groupTables.length - 1) << 16];
}

function fill(rows: MapRow[], entries: Entry[], variants: number): Entry[] {
  for (const row of rows) {
    if (row.op === null) continue;
    for (let i = 0; i < row.count; i++) {
      const opcode = row.first + i;
      const entry = row.op.startsWith('#') ? groupEntry(row) : entryOf(row, opcode);
      for (let p = 0; p < variants; p++) {
        if (variants > 1 && row.prefix && row.prefix !== PREFIXES[p]) continue;
        entries[p * 256 + opcode] = entry;
      }
    }
  }
  return entries;
}

function empty(length: number): Entry[] {
  return Array.from({ length }, () => NOTHING);
}

/** Alternatives of an operation by decoding context; 0xFFFF: none. */
function alternatives(): number[] {
  const known = (name: string) => NAMES.indexOf(name);
  return NAMES.flatMap((name) => {
    const jcc = OPERATIONS.some((row) => row.name === name && row.control === 'jcc');
    const any = known(`${name}_ANY`);
    const checked = known(`${name}_CHECKED`);
    const word = jcc || name === 'JMP' ? known(`${name}16`) : any;
    return [
      any >= 0 ? any : checked, // not flat, or not a 32-bit stack
      word, // 16-bit operand size
      known(`REP_${name}`),
      known(`${name}_FLAT`),
    ].map((value) => (value < 0 ? 0xffff : value));
  });
}

function words(entries: Entry[]): number[] {
  return entries.flatMap(([a, b]) => [a >>> 0, b >>> 0]);
}

function data(name: string, type: 'u16' | 'u32', values: number[], comment: string): string {
  return `/** ${comment} */\nexport const ${name}: usize = memory.data<${type}>([${values.join(',')}]);\n`;
}

/** The source of assembly/generated/tables.ts. */
export function tablesSource(): string {
  const codes: number[] = new Array(NAMES.length * 32).fill(0);
  const attributes: number[] = new Array(CODES.length + 1).fill(0);
  for (const { code, operation, size, form } of CODES) {
    const sizeIndex = [0, 8, 16, 32].indexOf(size);
    const index = (NAMES.indexOf(operation.name) * 4 + sizeIndex) * 8 + FORMS.indexOf(form.name);
    if (codes[index]) throw new Error(`isa: ${operation.name} has form ${form.name} twice`);
    codes[index] = code;
    const memory = [...form.args, form.result ?? ''].find((token) => /^m(:|$)/.test(token));
    const bits = memory?.includes(':') ? parseInt(memory.slice(2)) : size;
    const bytes = operation.bytes ?? bits / 8;
    const writes = operation.writes || /^m(:|$)/.test(form.result ?? '');
    // Bits 0 to 9: bytes of memory operand; 10: it is written; 11: the block ends here.
    attributes[code] = bytes | (writes ? 0x400 : 0) | (operation.ends ? 0x800 : 0);
  }
  const map1 = fill(MAP1, empty(256), 1);
  const map0f = fill([...MAP0F, ...SSE_MAP0F], empty(1024), 4);
  const x87Memory = fill(X87_MEMORY, empty(64), 1);
  const x87Register = fill(X87_REGISTER, empty(512), 1);
  return [
    '// Generated from isa/ by isa/generate.',
    data('MAP1', 'u32', words(map1), 'One-byte opcodes.'),
    data('MAP0F', 'u32', words(map0f), '0F opcodes, by mandatory prefix: none, 66, F3, F2.'),
    data('X87_MEMORY', 'u32', words(x87Memory), 'D8 to DF, memory forms.'),
    data('X87_REGISTER', 'u32', words(x87Register), 'D8 to DF, register forms.'),
    data('GROUP_TABLES', 'u32', groupTables.flatMap(words), 'Opcode groups.'),
    data('CODE_OF', 'u16', codes, '(operation, size, form) to code.'),
    data('ATTRIBUTES', 'u16', attributes, 'By code: operand bytes, written, ends.'),
    data(
      'ALTERNATIVES',
      'u16',
      alternatives(),
      'By operation: any stack, 16 bits, repeated, flat.',
    ),
  ].join('\n');
}

/** The source of assembly/generated/codes.ts: numbers that hand-written core code names. */
export function codesSource(): string {
  const named = NAMES.map((name, i) => `export const OP_${name} = ${i};`);
  const codes = CODES.map(({ name, code }) => `export const CODE_${name} = ${code};`);
  return ['// Generated from isa/ by isa/generate.', ...named, ...codes, ''].join('\n');
}
