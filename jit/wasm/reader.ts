/**
 * Reads a compiled module: types, imports, functions, exports, table contents, and the code of
 * each function as a range of the module's bytes. Owns the binary format's sections; instructions
 * are walked by instructions.ts. Made for modules a compiler wrote, which the engine has accepted:
 * it does not validate, but says so when it meets a section or form it does not know.
 *
 *   const core = readModule(bytes);
 *   const f = core.functionByExport('add32');      or core.functionAt(core.table.get(slot))
 *   f.type.parameters, f.locals, bytes[f.start..f.end)
 */
import { BRANCH_HINTS } from './module.ts';
import * as O from './opcodes.ts';

export interface FunctionType {
  parameters: number[];
  results: number[];
}

export interface FunctionBody {
  /** Index in the module's function space, imports included. */
  index: number;
  type: FunctionType;
  /** Types of the declared locals, in order, without the parameters. */
  locals: number[];
  /** Where the declaration of the locals begins: offsets of hints count from there. */
  declared: number;
  /** The instructions, the final `end` included: module.bytes[start, end). */
  start: number;
  end: number;
  /** Where its branches are that are hardly ever taken. */
  unlikely: ReadonlySet<number>;
}

export interface ModuleImport {
  module: string;
  name: string;
  kind: number;
  /** Type index of a function; -1 for the rest. */
  type: number;
}

export interface ModuleExport {
  name: string;
  kind: number;
  index: number;
}

export class ReadModule {
  types: FunctionType[] = [];
  imports: ModuleImport[] = [];
  exports = new Map<string, ModuleExport>();
  /**
   * Slot of table 0 -> function index, from active element segments; where a segment's offset is a
   * global's value, slots count from that.
   */
  table = new Map<number, number>();
  importedFunctions = 0;
  /** Type index by function index, imports first. */
  functionTypes: number[] = [];
  bodies: FunctionBody[] = [];
  /** Offsets of branches that are hardly ever taken, from the start of a function's locals. */
  hints = new Map<number, Set<number>>();

  constructor(readonly bytes: Uint8Array) {}

  /** The function of that index, or null when it is imported or there is none. */
  functionAt(index: number): FunctionBody | null {
    return this.bodies[index - this.importedFunctions] ?? null;
  }

  /** The name under which the function of that index is imported. */
  importedFunction(index: number): string {
    let at = 0;
    for (const { kind, name } of this.imports) {
      if (kind === O.KIND_FUNCTION && at++ === index) return name;
    }
    throw new Error(`wasm: function ${index} is not imported`);
  }

  functionByExport(name: string): FunctionBody | null {
    const found = this.exports.get(name);
    return found && found.kind === O.KIND_FUNCTION ? this.functionAt(found.index) : null;
  }
}

/** A position in bytes, and the numbers of the binary format. */
export class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  byte(): number {
    if (this.at >= this.bytes.length) throw new Error('wasm: the module ends early');
    return this.bytes[this.at++];
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new Error(`wasm: a number of more than five bytes at ${this.at}`);
  }

  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return shift < 25 ? (value << (25 - shift)) >> (25 - shift) : value;
    }
    throw new Error(`wasm: a number of more than five bytes at ${this.at}`);
  }

  /** Steps over a LEB128 number of any width. */
  skipNumber(): void {
    while (this.byte() >= 128);
  }

  string(): string {
    const end = this.u32() + this.at;
    let text = '';
    while (this.at < end) text += String.fromCharCode(this.byte());
    return text;
  }
}

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export function readModule(bytes: Uint8Array): ReadModule {
  const c = new Cursor(bytes);
  const module = new ReadModule(bytes);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new Error('wasm: not a WebAssembly module of version 1');
  }
  c.at = 8;
  while (c.at < bytes.length) {
    const id = c.byte();
    const end = c.u32() + c.at;
    if (end > bytes.length) throw new Error('wasm: the module ends early');
    if (id === O.SECTION_TYPE) readTypes(c, module);
    else if (id === O.SECTION_IMPORT) readImports(c, module);
    else if (id === O.SECTION_FUNCTION) {
      for (let n = c.u32(); n > 0; n--) module.functionTypes.push(c.u32());
    } else if (id === O.SECTION_EXPORT) {
      for (let n = c.u32(); n > 0; n--) {
        const name = c.string();
        module.exports.set(name, { name, kind: c.byte(), index: c.u32() });
      }
    } else if (id === O.SECTION_ELEMENT) readElements(c, module);
    else if (id === O.SECTION_CODE) readCode(c, module);
    else if (id === O.SECTION_CUSTOM && c.string() === BRANCH_HINTS) readHints(c, module);
    c.at = end;
  }
  return module;
}

function readTypes(c: Cursor, module: ReadModule): void {
  for (let n = c.u32(); n > 0; n--) {
    const form = c.byte();
    if (form !== 0x60) throw new Error(`wasm: type form 0x${form.toString(16)} is not a function`);
    module.types.push({ parameters: readBytes(c), results: readBytes(c) });
  }
}

function readBytes(c: Cursor): number[] {
  const list: number[] = [];
  for (let n = c.u32(); n > 0; n--) list.push(c.byte());
  return list;
}

function readImports(c: Cursor, module: ReadModule): void {
  for (let n = c.u32(); n > 0; n--) {
    const entry: ModuleImport = { module: c.string(), name: c.string(), kind: c.byte(), type: -1 };
    if (entry.kind === O.KIND_FUNCTION) {
      entry.type = c.u32();
      module.functionTypes.push(entry.type);
      module.importedFunctions++;
    } else if (entry.kind === O.KIND_TABLE) {
      c.byte();
      skipLimits(c);
    } else if (entry.kind === O.KIND_MEMORY) {
      skipLimits(c);
    } else if (entry.kind === O.KIND_GLOBAL) {
      c.byte();
      c.byte();
    } else {
      throw new Error(
        `wasm: import ${entry.module}.${entry.name} is of unknown kind ${entry.kind}`,
      );
    }
    module.imports.push(entry);
  }
}

function skipLimits(c: Cursor): void {
  const flags = c.byte();
  c.skipNumber();
  if (flags & 1) c.skipNumber();
}

function readElements(c: Cursor, module: ReadModule): void {
  for (let n = c.u32(); n > 0; n--) {
    // Bit 0: passive or declared; bit 1: table named, or declared; bit 2: expressions, not indices.
    const flags = c.u32();
    if (flags & 4) throw new Error('wasm: element segments of expressions are not read');
    const active = (flags & 1) === 0;
    const table = active && flags & 2 ? c.u32() : 0;
    let slot = 0;
    if (active) {
      const code = c.byte();
      if (code === O.I32_CONST) slot = c.s32();
      else if (code === O.GLOBAL_GET) c.u32();
      else throw new Error('wasm: an element segment at a computed offset');
      c.byte();
    }
    if (flags !== 0) c.byte();
    for (let count = c.u32(); count > 0; count--, slot++) {
      const index = c.u32();
      if (active && table === 0) module.table.set(slot, index);
    }
  }
}

function readHints(c: Cursor, module: ReadModule): void {
  for (let functions = c.u32(); functions > 0; functions--) {
    const unlikely = new Set<number>();
    module.hints.set(c.u32(), unlikely);
    for (let n = c.u32(); n > 0; n--) {
      const offset = c.u32();
      c.u32();
      if (c.byte() === 0) unlikely.add(offset);
    }
  }
}

function readCode(c: Cursor, module: ReadModule): void {
  const count = c.u32();
  for (let i = 0; i < count; i++) {
    const size = c.u32();
    const declared = c.at;
    const end = c.at + size;
    const locals: number[] = [];
    for (let groups = c.u32(); groups > 0; groups--) {
      const repeat = c.u32();
      const type = c.byte();
      for (let k = 0; k < repeat; k++) locals.push(type);
    }
    const index = module.importedFunctions + i;
    const type = module.types[module.functionTypes[index]];
    const hints = [...(module.hints.get(index) ?? [])];
    const unlikely = new Set(hints.map((offset) => declared + offset));
    module.bodies.push({ index, type, locals, declared, start: c.at, end, unlikely });
    c.at = end;
  }
}
