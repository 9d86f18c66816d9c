/**
 * The FPU's functions alone, compiled without the rest of the core, run as the rows of isa/x87.ts
 * say: operands, function, sink, what comes after.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { X87, X87_MEMORY, X87_REGISTER } from '../../isa/x87.ts';
import type { MapRow } from '../../isa/maps.ts';
import type { Form, Operation } from '../../isa/operation.ts';
import * as L from '../../assembly/shared/layout.ts';
import { MODE_PROTECTED } from '../../assembly/shared/modes.ts';
import { CASE, EAX, EFLAGS, MEMORY } from './native.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));

/** Where operands are, linear, and what backs them. */
export const OPERAND = 0x25000;
const BACKING = L.RAM_BASE;
/** Where that is in linear memory. */
export const OPERAND_AT = BACKING + OPERAND;
const PAGES = BACKING / 65536 + 32;
const FLAGS = `-O3 --runtime stub --enable simd --memoryBase 65536 --initialMemory ${PAGES}`;
/** Above 64 KiB: no random 16-bit pointer is it by chance. */
const EIP = 0x21000;

/** The instruction of a map row: everything needed to run it here and natively. */
export interface Instruction {
  name: string;
  bytes: number[];
  operation: Operation;
  size: number;
  form: Form;
  imm: number;
}

function find(rows: MapRow[], index: number): { row: MapRow; offset: number } | null {
  for (const row of rows)
    if (index >= row.first && index < row.first + row.count)
      return { row, offset: index - row.first };
  return null;
}

/** Decodes opcode and ModRM, with or without an operand-size prefix; null: #UD. */
export function instruction(opcode: number, modrm: number, size = 32): Instruction | null {
  const register = modrm >= 0xc0;
  const found = register
    ? find(X87_REGISTER, (opcode - 0xd8) * 64 + modrm - 0xc0)
    : find(X87_MEMORY, (opcode - 0xd8) * 8 + ((modrm >> 3) & 7));
  if (!found || found.row.op === null) return null;
  const operation = X87.find(({ name }) => name === found.row.op);
  if (!operation) throw new Error(`no operation ${found.row.op}`);
  const { operands } = found.row;
  const formName = operands === 'M' ? 'm' : operands === 'A' ? 'r' : 'none';
  const form = operation.forms.find(({ name }) => name === formName);
  if (!form) throw new Error(`${operation.name} has no form ${formName}`);
  const sized = found.row.size === 'v';
  return {
    name: `${operation.name}${sized ? size : ''} ${opcode.toString(16)} ${modrm.toString(16)}`,
    bytes: [...(sized && size === 16 ? [0x66] : []), opcode, modrm],
    operation,
    size: sized ? size : 0,
    form,
    imm: operands === 'ST' ? modrm & 7 : 0,
  };
}

/** Every encoding once: all registers of ST(i) rows that `registers` names. */
export function everyInstruction(registers: number[]): Instruction[] {
  const list: Instruction[] = [];
  for (let opcode = 0xd8; opcode <= 0xdf; opcode++) {
    for (let modrm = 7; modrm < 0x40; modrm += 8) {
      const wide = instruction(opcode, modrm, 32);
      if (!wide) continue;
      list.push(wide);
      if (wide.size) list.push(instruction(opcode, modrm, 16)!);
    }
    for (let modrm = 0xc0; modrm < 0x100; modrm++) {
      const found = instruction(opcode, modrm);
      if (found && (!found.form.args.includes('imm') || registers.includes(modrm & 7)))
        list.push(found);
    }
  }
  return list;
}

class Skip extends Error {}

type Exports = Record<string, (...args: unknown[]) => unknown> & { memory: WebAssembly.Memory };

/** Guest memory for the unit: flat, and nothing above a megabyte. */
const FLAT_MEMORY = `
import { RAM_BASE } from '../shared/layout';
import { raise } from '../cpu/faults';
import { PF_VECTOR } from '../shared/faults';
function at(linear: u32): usize {
  if (linear >= 0x100000) raise(PF_VECTOR, 0);
  return RAM_BASE + linear;
}
export function read8(a: u32): u32 { return load<u8>(at(a)); }
export function read16(a: u32): u32 { return load<u16>(at(a)); }
export function read32(a: u32): u32 { return load<u32>(at(a)); }
export function read64(a: u32): u64 { return load<u64>(at(a)); }
export function write16(a: u32, v: u32): void { store<u16>(at(a), v); }
export function write32(a: u32, v: u32): void { store<u32>(at(a), v); }
export function write64(a: u32, v: u64): void { store<u64>(at(a), v); }
export function probeWrite(a: u32, size: u32): void { at(a + size - 1); }
export function requireAligned(_a: u32, _alignment: u32): void {}
`;

/**
 * Compiles the functions with that memory, in a process of its own so that the test's worker stays
 * responsive; once for the same sources.
 */
export async function compileUnit(): Promise<Uint8Array> {
  const functions = readdirSync(`${root}/assembly/ops/fpu`).map((name) => `ops/fpu/${name}`);
  const constants = readdirSync(`${root}/assembly/shared`).map((name) => `shared/${name}`);
  const sources = new Map([['mem/access.ts', FLAT_MEMORY]]);
  for (const path of [...functions, ...constants, 'cpu/faults.ts'])
    sources.set(path, readFileSync(`${root}/assembly/${path}`, 'utf8'));
  const hash = createHash('sha256')
    .update(FLAGS)
    .update(JSON.stringify([...sources]))
    .digest('hex')
    .slice(0, 16);
  const output = `${artifacts}fpu-${hash}.wasm`;
  if (existsSync(output)) return readFileSync(output);
  const scratch = `${artifacts}fpu-${hash}.${process.pid}`;
  for (const [path, text] of sources) {
    mkdirSync(dirname(`${scratch}/${path}`), { recursive: true });
    writeFileSync(`${scratch}/${path}`, text);
  }
  const asc = `${root}/node_modules/assemblyscript/bin/asc.js`;
  const args = [asc, ...functions, '-o', 'unit.wasm', ...FLAGS.split(' ')];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: scratch });
    renameSync(`${scratch}/unit.wasm`, output);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return readFileSync(output);
}

export class Unit {
  readonly exports: Exports;
  readonly view: DataView;
  readonly bytes: Uint8Array;

  constructor(binary: Uint8Array) {
    const module = new WebAssembly.Module(binary as BufferSource);
    const imports: Record<string, Record<string, unknown>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = () => {
        throw name === 'fault' ? new Skip() : new Error(`${name} is not here`);
      };
    }
    this.exports = new WebAssembly.Instance(module, imports as WebAssembly.Imports)
      .exports as Exports;
    this.view = new DataView(this.exports.memory.buffer);
    this.bytes = new Uint8Array(this.exports.memory.buffer);
    const { view } = this;
    view.setUint32(L.MODE, MODE_PROTECTED, true);
  }

  load(cases: Uint8Array, at: number): void {
    const { view, exports } = this;
    this.bytes.set(cases.subarray(at, at + 108), BACKING + OPERAND);
    view.setUint32(L.FPU_BLOCKED, 0, true);
    exports.frstor32!(OPERAND);
    this.bytes.set(cases.subarray(at + MEMORY, at + CASE), BACKING + OPERAND);
  }

  /** Runs one case; the result is written in its layout. */
  run(insn: Instruction, cases: Uint8Array, at: number, out: Uint8Array): void {
    const { view, exports, bytes } = this;
    this.load(cases, at);
    const result = new DataView(out.buffer, out.byteOffset + at, CASE);
    const given = new DataView(cases.buffer, cases.byteOffset + at, CASE);
    let eflags = given.getUint32(EFLAGS, true);
    let eax = given.getUint32(EAX, true);
    view.setUint32(L.EIP_CURRENT, EIP, true);
    bytes.set(insn.bytes, BACKING + EIP);
    try {
      const value = this.#call(insn, eflags);
      const sink = insn.form.result;
      if (sink === 'm:16') view.setUint16(BACKING + OPERAND, Number(value), true);
      else if (sink === 'm:32') view.setUint32(BACKING + OPERAND, Number(value), true);
      else if (sink === 'm:64')
        view.setBigUint64(BACKING + OPERAND, BigInt.asUintN(64, value as bigint), true);
      else if (sink === 'r1') eax = ((eax & 0xffff0000) | (Number(value) & 0xffff)) >>> 0;
      else if (sink !== null) throw new Error(`sink ${sink}`);
      if (insn.operation.flags) {
        const { bits } = insn.operation.flags as { bits: string };
        eflags = (eflags & ~0x8d5) | Number(exports[bits.replace('(r)', '')]!(value));
      }
      if (insn.operation.after) exports[insn.operation.after]!();
    } catch (error) {
      if (!(error instanceof Skip)) throw error;
    }
    bytes.copyWithin(BACKING + OPERAND + 256, BACKING + OPERAND, BACKING + OPERAND + 108);
    exports.fnsave32!(OPERAND);
    out.set(bytes.subarray(BACKING + OPERAND, BACKING + OPERAND + 108), at);
    out.set(bytes.subarray(BACKING + OPERAND + 256, BACKING + OPERAND + 364), at + MEMORY);
    result.setUint32(EFLAGS, eflags, true);
    result.setUint32(EAX, eax, true);
    // Pointers as native.c gives them.
    if (result.getUint32(12, true) === EIP) result.setUint32(12, 1, true);
    if (result.getUint32(20, true) === OPERAND) result.setUint32(20, 1, true);
  }

  #call(insn: Instruction, eflags: number): unknown {
    const { view } = this;
    const at = BACKING + OPERAND;
    const args = insn.form.args.map((source) => {
      switch (source) {
        case 'm:16':
          return view.getInt16(at, true);
        case 'm:32':
          return view.getInt32(at, true);
        case 'm:64':
          return view.getBigUint64(at, true);
        case 'ea':
          return OPERAND;
        case 'imm':
          return insn.imm;
        case 'cc':
          return Number(condition(insn.operation.cc!, eflags));
        default:
          throw new Error(`source ${source}`);
      }
    });
    const name = insn.operation.fn!.replace('%', String(insn.size));
    const fn = this.exports[name];
    if (!fn) throw new Error(`no function ${name}`);
    return fn(...args);
  }
}

function condition(cc: number, eflags: number): boolean {
  const bit = [0x800, 1, 0x40, 0x41, 0x80, 4][cc >> 1]!;
  return ((eflags & bit) !== 0) !== ((cc & 1) === 1);
}
