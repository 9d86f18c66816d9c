/**
 * The FPU's functions alone, compiled without the rest of the core, run as the rows of isa/x87.ts
 * say: operands, function, sink, what comes after.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { X87, X87_MEMORY, X87_REGISTER } from '../../isa/x87.ts';
import type { MapRow } from '../../isa/maps.ts';
import type { Form, Operation } from '../../isa/operation.ts';
import * as L from '../../assembly/shared/layout.ts';
import { MODE_PROTECTED } from '../../assembly/shared/modes.ts';
import { CASE, EAX, EFLAGS, MEMORY } from './native.ts';

const root = process.env['FPU_ROOT'] ?? fileURLToPath(new URL('../..', import.meta.url));
const artifacts = fileURLToPath(new URL('../.artifacts/', import.meta.url));

/** Where operands are, linear, and the page behind it. */
const OPERAND = 0x5000;
const BACKING = L.RAM_BASE;
const EIP = 0x1000;

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

/** Compiles the functions in a process of its own: the test's worker stays responsive. */
export async function compileUnit(): Promise<Uint8Array> {
  const files = readdirSync(`${root}/assembly/ops/fpu`).map((name) => `assembly/ops/fpu/${name}`);
  const flags = '-O3 --runtime stub --enable simd --memoryBase 65536 --initialMemory 1056';
  mkdirSync(artifacts, { recursive: true });
  const output = `${artifacts}fpu.${process.pid}.wasm`;
  const asc = `${root}/node_modules/assemblyscript/bin/asc.js`;
  try {
    await promisify(execFile)(
      process.execPath,
      [asc, ...files, '-o', output, ...flags.split(' ')],
      {
        cwd: root,
        maxBuffer: 1 << 26,
      },
    );
    return readFileSync(output);
  } finally {
    rmSync(output, { force: true });
  }
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
    view.setUint32(L.TLB_CURRENT, L.TLB_KERNEL, true);
    for (const page of [EIP, OPERAND]) {
      const entry = L.TLB_KERNEL + ((page >>> 12) & (L.TLB_ENTRIES - 1)) * L.TLB_ENTRY_SIZE;
      view.setUint32(entry + L.TLB_READ, page, true);
      view.setUint32(entry + L.TLB_WRITE, page, true);
      view.setUint32(entry + L.TLB_ADDEND, BACKING, true);
    }
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
