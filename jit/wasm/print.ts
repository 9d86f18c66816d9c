/**
 * A module as text (wat, instructions in a row, not folded), for people: --trace jit, the golden
 * files of tests/jit, the lockstep report. Covers what the translator emits; data, elements and
 * globals are left out.
 */
import { fcCode, InstructionWalk, simdCode } from './instructions.ts';
import * as O from './opcodes.ts';
import {
  Cursor,
  readModule,
  type FunctionBody,
  type FunctionType,
  type ReadModule,
} from './reader.ts';
import * as V from './simd.ts';

const TYPES: Record<number, string> = {
  [O.I32]: 'i32',
  [O.I64]: 'i64',
  [O.F32]: 'f32',
  [O.F64]: 'f64',
  [O.V128]: 'v128',
};

const NO_OPCODE = /^(I32|I64|F32|F64|V128|FUNCREF|EXTERNREF|VOID)$|^(KIND|SECTION|PREFIX)_/;
const UNDER_FC =
  /_TRUNC_SAT_|^(DATA|ELEM)_DROP$|^MEMORY_(INIT|COPY|FILL)$|^TABLE_(INIT|COPY|GROW|SIZE|FILL)$/;
const DOTTED = /^(i32|i64|f32|f64|v128|[if]\d+x\d+|local|global|table|memory|ref|data|elem)_/;

const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(O)) {
  if (NO_OPCODE.test(name)) continue;
  NAMES.set(UNDER_FC.test(name) ? fcCode(number) : number, textOf(name));
}
for (const [name, number] of Object.entries(V)) NAMES.set(simdCode(number), textOf(name));

function textOf(name: string): string {
  if (name === 'SELECT_TYPED') return 'select';
  return name.toLowerCase().replace(DOTTED, '$1.');
}

/** @param only the name of an export: nothing but that function */
export function printModule(bytes: Uint8Array, only?: string): string {
  const module = readModule(bytes);
  if (only !== undefined) {
    const names = module.imports.filter((i) => i.kind === O.KIND_FUNCTION).map((i) => `$${i.name}`);
    const body = module.functionByExport(only);
    return body ? printFunction(module, body, names).join('\n') + '\n' : '';
  }
  const lines = ['(module'];
  const names: string[] = [];
  for (const entry of module.imports) {
    const what =
      entry.kind === O.KIND_FUNCTION
        ? `(func $${entry.name}${signature(module.types[entry.type])})`
        : entry.kind === O.KIND_MEMORY
          ? '(memory 1)'
          : '';
    if (entry.kind === O.KIND_FUNCTION) names.push(`$${entry.name}`);
    if (what) lines.push(`  (import "${entry.module}" "${entry.name}" ${what})`);
  }
  for (const body of module.bodies) lines.push(...printFunction(module, body, names));
  for (const { name, kind, index } of module.exports.values()) {
    if (kind === O.KIND_FUNCTION) lines.push(`  (export "${name}" (func ${index}))`);
  }
  return lines.join('\n') + ')\n';
}

function signature({ parameters, results }: FunctionType): string {
  const list = (keyword: string, types: number[]) =>
    types.length ? ` (${keyword} ${types.map((type) => TYPES[type]).join(' ')})` : '';
  return list('param', parameters) + list('result', results);
}

function printFunction(module: ReadModule, body: FunctionBody, names: string[]): string[] {
  const lines = [`  (func (;${body.index};)${signature(body.type)}`];
  if (body.locals.length) {
    lines.push(`    (local ${body.locals.map((type) => TYPES[type]).join(' ')})`);
  }
  const walk = new InstructionWalk(module.bytes, body.start, body.end);
  while (walk.next()) {
    if (walk.depth < 0) break;
    const opens = walk.opcode === O.BLOCK || walk.opcode === O.LOOP || walk.opcode === O.IF;
    const depth = walk.depth - (opens || walk.opcode === O.ELSE ? 1 : 0);
    lines.push('    ' + '  '.repeat(depth) + printInstruction(module, walk, names));
  }
  lines[lines.length - 1] += ')';
  return lines;
}

function printInstruction(module: ReadModule, walk: InstructionWalk, names: string[]): string {
  const { opcode, immediate } = walk;
  const name = NAMES.get(opcode) ?? `(;${opcode.toString(16)};)`;
  const c = new Cursor(module.bytes, walk.immediateAt);
  if (isMemory(opcode)) return name + memoryArgument(name, c, walk.end);
  switch (opcode) {
    case O.BLOCK:
    case O.LOOP:
    case O.IF:
      if (immediate === O.VOID - 0x80) return name;
      if (immediate < 0) return `${name} (result ${TYPES[immediate + 0x80]})`;
      return `${name}${signature(module.types[immediate])}`;
    case O.BR:
    case O.BR_IF:
    case O.LOCAL_GET:
    case O.LOCAL_SET:
    case O.LOCAL_TEE:
    case O.GLOBAL_GET:
    case O.GLOBAL_SET:
      return `${name} ${immediate}`;
    case O.CALL:
    case O.RETURN_CALL:
      return `${name} ${names[immediate] ?? immediate}`;
    case O.BR_TABLE:
      return `${name} ${walk.targets.join(' ')}`;
    case O.I32_CONST:
      return `${name} ${number(c.s32())}`;
    case O.I64_CONST:
      return `${name} ${s64(c)}`;
    case O.F32_CONST:
    case O.F64_CONST: {
      const view = new DataView(module.bytes.buffer, module.bytes.byteOffset + c.at);
      const value = opcode === O.F32_CONST ? view.getFloat32(0, true) : view.getFloat64(0, true);
      return `${name} ${Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf').toLowerCase()}`;
    }
    case simdCode(V.V128_CONST): {
      const view = new DataView(module.bytes.buffer, module.bytes.byteOffset + c.at);
      const lanes = [0, 4, 8, 12].map((at) => hex(view.getUint32(at, true)));
      return `${name} i32x4 ${lanes.join(' ')}`;
    }
  }
  // Lanes of a vector instruction.
  const rest: number[] = [];
  if (opcode >>> 8 === O.PREFIX_SIMD) while (c.at < walk.end) rest.push(c.byte());
  return [name, ...rest].join(' ');
}

function isMemory(opcode: number): boolean {
  if (opcode >>> 8 === O.PREFIX_SIMD) {
    const number = opcode & 0xff;
    return number <= V.V128_STORE || (number >= V.V128_LOAD8_LANE && number <= V.V128_LOAD64_ZERO);
  }
  return opcode >= O.I32_LOAD && opcode <= O.I64_STORE32;
}

function memoryArgument(name: string, c: Cursor, end: number): string {
  const align = 1 << c.u32();
  const offset = c.u32();
  const width = /(?:load|store)(\d+)(?:x(\d+))?/.exec(name);
  const bits = width ? Number(width[1]) * Number(width[2] ?? 1) : Number(/\d+/.exec(name)![0]);
  const text =
    (offset ? ` offset=${number(offset)}` : '') + (align === bits / 8 ? '' : ` align=${align}`);
  return c.at < end ? `${text} ${c.byte()}` : text;
}

/** Small numbers in decimal, addresses and masks in hexadecimal. */
function number(value: number): string {
  return Math.abs(value) < 1024 ? String(value) : hex(value);
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

function s64(c: Cursor): string {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = c.byte();
    value |= BigInt(byte & 127) << shift;
    if (byte < 128)
      return String(BigInt.asIntN(Number(shift) + 7 < 64 ? Number(shift) + 7 : 64, value));
  }
}
