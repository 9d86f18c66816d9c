/**
 * Assembles a module around functions that are emitted one after the other. Owns the sections;
 * the instructions are the Encoder's, the locals are those of Locals.
 *
 *   const m = new ModuleWriter();                      kept and reused: begin() starts the next
 *   m.begin();
 *   m.importMemory('env', 'memory', 1, 65536);
 *   const fault = m.importFunction('env', 'fault', m.type([I32], []));
 *   const f = m.beginFunction(m.type([I32], [I32]), 'region 0xc0100000');
 *   m.code.localGet(0); ... m.locals.add(I32) ...      no `end` for the body itself
 *   m.endFunction();
 *   m.exportFunction('f', f);
 *   new WebAssembly.Module(m.finish());
 *
 * The code of all functions is written once into the buffer of `code`, behind a gap; finish()
 * writes the sections that come first into that gap and returns a view, not a copy: compile it (or
 * slice() it) before the next begin(). A body moves by the length of its header at endFunction(),
 * because the number of locals is known only then.
 */
import { Encoder } from './encoder.ts';
import { Locals } from './locals.ts';
import * as O from './opcodes.ts';

/** Name of a custom section. */
export const BRANCH_HINTS = 'metadata.code.branch_hint';

/** Room in front of the code for the other sections; more is found when they need it. */
const GAP = 4096;

interface FunctionType {
  parameters: readonly number[];
  results: readonly number[];
}

export class ModuleWriter {
  /** Instructions of the current function go here. */
  readonly code = new Encoder();
  readonly locals = new Locals();
  /** Collect names into a name section (for --trace jit). */
  names = false;

  private readonly head = new Encoder(GAP);
  private readonly scratch = new Encoder(1024);
  private types: FunctionType[] = [];
  private imports: Array<() => void> = [];
  private importedFunctions = 0;
  /** Functions imported when the first function began, by which later ones are numbered. */
  private importedFirst = 0;
  private functions: number[] = [];
  private exports: Array<{ name: string; kind: number; index: number }> = [];
  private elements: Array<{ table: number; slot: number; function: number }> = [];
  private filled: Array<{ global: number; functions: readonly number[] }> = [];
  private importNames: Array<{ index: number; name: string }> = [];
  private functionNames: Array<{ index: number; name: string }> = [];
  private memory: { minimum: number; maximum: number } | null = null;
  private hints: Array<{ index: number; offsets: number[] }> = [];
  private bodyStart = -1;

  begin(): void {
    this.code.truncate(GAP);
    this.code.reserve(0);
    this.code.depth = 0;
    this.types = [];
    this.imports = [];
    this.importedFunctions = 0;
    this.functions = [];
    this.exports = [];
    this.elements = [];
    this.filled = [];
    this.importNames = [];
    this.functionNames = [];
    this.memory = null;
    this.hints = [];
    this.bodyStart = -1;
  }

  /** The index of a function type, made when new. */
  type(parameters: readonly number[], results: readonly number[]): number {
    for (let i = 0; i < this.types.length; i++) {
      const t = this.types[i];
      if (same(t.parameters, parameters) && same(t.results, results)) return i;
    }
    return this.types.push({ parameters, results }) - 1;
  }

  /**
   * Also between functions and while one is emitted: a function that comes before an import keeps
   * the index that beginFunction() gave for exportFunction() and placeInTable(), but must not be
   * called by it.
   */
  importFunction(module: string, name: string, type: number): number {
    const index = this.importedFunctions++;
    this.import(module, name, O.KIND_FUNCTION, () => this.head.u32(type));
    if (this.names) this.importNames.push({ index, name });
    return index;
  }

  importMemory(module: string, name: string, minimum: number, maximum = -1): void {
    this.import(module, name, O.KIND_MEMORY, () => this.limits(minimum, maximum));
  }

  importTable(module: string, name: string, minimum: number, maximum = -1): void {
    this.import(module, name, O.KIND_TABLE, () => {
      this.head.byte(O.FUNCREF);
      this.limits(minimum, maximum);
    });
  }

  importGlobal(module: string, name: string, type: number, mutable: boolean): void {
    this.import(module, name, O.KIND_GLOBAL, () => {
      this.head.byte(type);
      this.head.byte(mutable ? 1 : 0);
    });
  }

  private import(module: string, name: string, kind: number, description: () => void): void {
    this.imports.push(() => {
      string(this.head, module);
      string(this.head, name);
      this.head.byte(kind);
      description();
    });
  }

  /** A memory of the module's own, for tests and tools. */
  defineMemory(minimum: number, maximum = -1): void {
    this.memory = { minimum, maximum };
  }

  /** Starts a body; `locals` holds its parameters and nothing else. Returns the function's index. */
  beginFunction(type: number, name = ''): number {
    if (this.bodyStart >= 0) throw new Error('wasm: the previous function has not ended');
    if (this.functions.length === 0) this.importedFirst = this.importedFunctions;
    const index = this.importedFirst + this.functions.length;
    this.functions.push(type);
    if (this.names && name !== '') this.functionNames.push({ index, name });
    this.locals.begin(this.types[type].parameters);
    this.code.depth = 0;
    this.bodyStart = this.code.length;
    this.code.unlikelyBranches.length = 0;
    return index;
  }

  /** Bytes of the body so far, without its locals: the measure for the caller's cap. */
  get bodyLength(): number {
    return this.code.length - this.bodyStart;
  }

  endFunction(): void {
    const { code, scratch, bodyStart } = this;
    if (code.depth !== 0)
      throw new Error(`wasm: ${code.depth} blocks are open at a function's end`);
    code.endBody();
    const length = code.length - bodyStart;
    scratch.truncate(0);
    this.locals.encode(scratch);
    const declaration = scratch.length;
    scratch.u32(declaration + length);
    const header = scratch.length;
    code.reserve(header);
    code.bytes.copyWithin(bodyStart + header, bodyStart, bodyStart + length);
    // The length was encoded behind the declaration, but goes first.
    code.bytes.set(scratch.bytes.subarray(declaration, header), bodyStart);
    code.bytes.set(scratch.bytes.subarray(0, declaration), bodyStart + header - declaration);
    code.truncate(bodyStart + header + length);
    if (code.unlikelyBranches.length > 0) {
      const index = this.importedFirst + this.functions.length - 1;
      const offsets = code.unlikelyBranches.map((at) => at - bodyStart + declaration);
      this.hints.push({ index, offsets });
    }
    this.bodyStart = -1;
  }

  /** Takes the current function back, as if it had never begun. */
  abandonFunction(): void {
    const type = this.functions.pop();
    if (type === undefined || this.bodyStart < 0) throw new Error('wasm: no function to abandon');
    const index = this.importedFirst + this.functions.length;
    if (this.functionNames.at(-1)?.index === index) this.functionNames.pop();
    this.code.truncate(this.bodyStart);
    this.code.depth = 0;
    this.bodyStart = -1;
  }

  exportFunction(name: string, index: number): void {
    this.exports.push({ name, kind: O.KIND_FUNCTION, index });
  }

  exportMemory(name: string): void {
    this.exports.push({ name, kind: O.KIND_MEMORY, index: 0 });
  }

  /** Puts a function into a slot of a table when the module is instantiated. */
  placeInTable(slot: number, functionIndex: number, table = 0): void {
    this.elements.push({ table, slot, function: functionIndex });
  }

  /** Puts functions into table 0, one after the other from the value of an imported global on. */
  fillTable(global: number, functions: readonly number[]): void {
    this.filled.push({ global, functions });
  }

  /** The module's bytes, valid until the next begin(). */
  finish(): Uint8Array {
    if (this.bodyStart >= 0) throw new Error('wasm: a function has not ended');
    const { code, head } = this;
    head.truncate(0);
    for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) head.byte(byte);
    this.writeTypes();
    this.writeImports();
    this.writeFunctions();
    this.writeMemory();
    this.writeExports();
    this.writeElements();
    this.writeHints();
    const codeEnd = code.length;
    if (this.functions.length > 0) {
      this.scratch.truncate(0);
      this.scratch.u32(this.functions.length);
      head.byte(O.SECTION_CODE);
      head.u32(this.scratch.length + codeEnd - GAP);
      head.raw(this.scratch.bytes, 0, this.scratch.length);
    }
    let start = GAP - head.length;
    if (start < 0) {
      code.reserve(-start);
      code.bytes.copyWithin(head.length, GAP, codeEnd);
      code.truncate(codeEnd - start);
      start = 0;
    }
    code.bytes.set(head.bytes.subarray(0, head.length), start);
    if (this.importNames.length + this.functionNames.length > 0) this.writeNames();
    return code.bytes.subarray(start, code.length);
  }

  private limits(minimum: number, maximum: number): void {
    this.head.byte(maximum < 0 ? 0 : 1);
    this.head.u32(minimum);
    if (maximum >= 0) this.head.u32(maximum);
  }

  private writeTypes(): void {
    const at = openSection(this.head, O.SECTION_TYPE);
    this.head.u32(this.types.length);
    for (const { parameters, results } of this.types) {
      this.head.byte(0x60);
      this.head.u32(parameters.length);
      for (const type of parameters) this.head.byte(type);
      this.head.u32(results.length);
      for (const type of results) this.head.byte(type);
    }
    closeSection(this.head, at);
  }

  private writeImports(): void {
    if (this.imports.length === 0) return;
    const at = openSection(this.head, O.SECTION_IMPORT);
    this.head.u32(this.imports.length);
    for (const write of this.imports) write();
    closeSection(this.head, at);
  }

  private writeFunctions(): void {
    if (this.functions.length === 0) return;
    const at = openSection(this.head, O.SECTION_FUNCTION);
    this.head.u32(this.functions.length);
    for (const type of this.functions) this.head.u32(type);
    closeSection(this.head, at);
  }

  private writeMemory(): void {
    if (this.memory === null) return;
    const at = openSection(this.head, O.SECTION_MEMORY);
    this.head.u32(1);
    this.limits(this.memory.minimum, this.memory.maximum);
    closeSection(this.head, at);
  }

  private writeExports(): void {
    if (this.exports.length === 0) return;
    const at = openSection(this.head, O.SECTION_EXPORT);
    this.head.u32(this.exports.length);
    for (const { name, kind, index } of this.exports) {
      string(this.head, name);
      this.head.byte(kind);
      this.head.u32(kind === O.KIND_FUNCTION ? this.finalIndex(index) : index);
    }
    closeSection(this.head, at);
  }

  /** Of a function that beginFunction() numbered: behind all imports. */
  private finalIndex(index: number): number {
    return index < this.importedFirst ? index : index - this.importedFirst + this.importedFunctions;
  }

  private writeElements(): void {
    if (this.elements.length + this.filled.length === 0) return;
    const at = openSection(this.head, O.SECTION_ELEMENT);
    this.head.u32(this.elements.length + this.filled.length);
    for (const { global, functions } of this.filled) {
      this.head.u32(0);
      this.head.op(O.GLOBAL_GET);
      this.head.u32(global);
      this.head.op(O.END);
      this.head.u32(functions.length);
      for (const index of functions) this.head.u32(this.finalIndex(index));
    }
    for (const element of this.elements) {
      // Kind 2: active, table named, function indices. Kind 0 (table 0) is shorter.
      this.head.u32(element.table === 0 ? 0 : 2);
      if (element.table !== 0) this.head.u32(element.table);
      this.head.i32Const(element.slot);
      this.head.op(O.END);
      if (element.table !== 0) this.head.byte(0);
      this.head.u32(1);
      this.head.u32(this.finalIndex(element.function));
    }
    closeSection(this.head, at);
  }

  /**
   * The custom section of branch hints (proposal "branch hinting"): of each function the offsets, from where its
   * locals are declared, of branches that are not taken. Without it the engine keeps in memory what is in
   * registers wherever a call that is hardly ever made stands amid a loop.
   */
  private writeHints(): void {
    if (this.hints.length === 0) return;
    const { head } = this;
    const at = openSection(head, O.SECTION_CUSTOM);
    string(head, BRANCH_HINTS);
    head.u32(this.hints.length);
    for (const { index, offsets } of this.hints) {
      head.u32(this.finalIndex(index));
      head.u32(offsets.length);
      for (const offset of offsets) {
        head.u32(offset);
        head.u32(1);
        head.byte(0);
      }
    }
    closeSection(head, at);
  }

  /** The custom section "name", subsection 1: function names (specification, appendix 7.4.1). */
  private writeNames(): void {
    const { code, head } = this;
    head.truncate(0);
    head.u32(this.importNames.length + this.functionNames.length);
    for (const { index, name } of this.importNames) {
      head.u32(index);
      string(head, name);
    }
    for (const { index, name } of this.functionNames) {
      head.u32(this.finalIndex(index));
      string(head, name);
    }
    const at = openSection(code, O.SECTION_CUSTOM);
    string(code, 'name');
    code.byte(1);
    code.u32(head.length);
    code.raw(head.bytes, 0, head.length);
    closeSection(code, at);
  }
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

/** Names are ASCII by convention of this project; anything else becomes an underscore. */
function string(e: Encoder, text: string): void {
  e.u32(text.length);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    e.byte(c < 128 ? c : 95);
  }
}

/** Sections are small apart from the code: their length takes a padded LEB128 of four bytes. */
function openSection(e: Encoder, id: number): number {
  e.byte(id);
  const at = e.length;
  e.reserve(4);
  e.truncate(at + 4);
  return at;
}

function closeSection(e: Encoder, at: number): void {
  const length = e.length - at - 4;
  e.bytes[at] = length | 128;
  e.bytes[at + 1] = (length >> 7) | 128;
  e.bytes[at + 2] = (length >> 14) | 128;
  e.bytes[at + 3] = (length >> 21) & 127;
}
