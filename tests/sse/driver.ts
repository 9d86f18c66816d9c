/**
 * The functions of assembly/ops/sse alone, compiled with a driver that fetches their arguments from
 * a record and stores what they give: the glue of the interpreter, for one instruction.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execFileSync } from '../lib/commands.ts';
import * as layout from '../../assembly/shared/layout.ts';
import { GP, XM } from '../../assembly/shared/faults.ts';
import type { Instruction } from './instructions.ts';
import { IN_SIZE, OUT_SIZE } from './native.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}tests/.artifacts/sse/`;
const ops = `${root}assembly/ops/sse/`;
const CR4_OSXMMEXCPT = 0x400;
/** What Linux makes of a fault. */
const SIGNALS: Record<number, number> = { [XM]: 8, [GP]: 11 };

/** Offsets in a struct in; a struct out begins the same way. */
export const AT = { xmm0: 0, xmm1: 16, memory: 32, mm0: 48, mm1: 56, eax: 64, ecx: 68 };
export const IN_MXCSR = 72;
export const IN_USE_MMX = 78;
export const OUT_FLAGS = 72;
export const OUT_MXCSR = 76;
export const OUT_SIGNAL = 86;

/** Loads are unsigned: asc's optimizer zero-extends a load<i32> with its sign (i64.load32_s). */
const ARGUMENTS: Record<string, [type: string, expression: string]> = {
  x1: ['v128', 'v128.load(at, 0)'],
  x2: ['v128', 'v128.load(at, 16)'],
  mm1: ['u64', 'load<u64>(at, 48)'],
  mm2: ['u64', 'load<u64>(at, 56)'],
  r1: ['i32', '<i32>load<u32>(at, 64)'],
  r2: ['i32', '<i32>load<u32>(at, 68)'],
  m: ['i32', '<i32>load<u32>(at, 32)'],
  'm:16': ['i32', '<i32>load<i16>(at, 32)'],
  'm:32': ['i32', '<i32>load<u32>(at, 32)'],
  'm:64': ['u64', 'load<u64>(at, 32)'],
  'm:128': ['v128', 'v128.load(at, 32)'],
  'm:32x': ['v128', 'i32x4.replace_lane(i64x2.splat(0), 0, load<i32>(at, 32))'],
  'm:64x': ['v128', 'i64x2.replace_lane(i64x2.splat(0), 0, load<i64>(at, 32))'],
  imm: ['i32', 'imm'],
};
const RESULTS: Record<string, (value: string) => string> = {
  x1: (value) => `v128.store(at, ${value})`,
  mm1: (value) => `store<u64>(at, ${value}, 48)`,
  r1: (value) => `store<i32>(at, ${value}, 64)`,
  m: (value) => `store<i32>(at, ${value}, 32)`,
  'm:32': (value) => `store<i32>(at, ${value}, 32)`,
  'm:64': (value) => `store<u64>(at, ${value}, 32)`,
  'm:128': (value) => `v128.store(at, ${value}, 32)`,
};

/** Can the driver run it? Not what addresses memory by itself. */
export function isKernel({ form, operation }: Instruction): boolean {
  if (operation.implicit) return false;
  const known = form.result === null || form.result in RESULTS;
  return known && form.args.every((token) => token in ARGUMENTS);
}

function exportedFrom(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(ops)) {
    const text = readFileSync(ops + file, 'utf8');
    for (const [, name] of text.matchAll(/^export function (\w+)/gm)) found.set(name!, file);
  }
  return found;
}

function source(list: Instruction[]): string {
  const where = exportedFrom();
  const used = new Set<string>();
  const use = (name: string) => {
    if (!where.has(name)) throw new Error(`assembly/ops/sse exports no function ${name}`);
    used.add(name);
    return name;
  };
  const cases = list.map(({ operation, form }, i) => {
    const names = form.args.map((_, k) => 'abcd'[k]!);
    const lines = form.args.map((token, k) => {
      const [type, expression] = ARGUMENTS[token]!;
      return `const ${names[k]}: ${type} = ${expression};`;
    });
    const { fn, flags } = operation;
    const value = fn === null ? names.at(-1)! : `${use(fn)}(${names.join(', ')})`;
    if (flags) {
      const [, name, rest] = /^(\w+)(\(.*\))$/.exec((flags as { bits: string }).bits)!;
      lines.push(`store<i32>(at, ${use(name!)}${rest}, ${OUT_FLAGS});`);
    } else lines.push(`${form.result === null ? value : RESULTS[form.result]!(value)};`);
    return `    case ${i}: {\n      ${lines.join('\n      ')}\n      return;\n    }`;
  });
  const imports = [...used].map(
    (name) => `import { ${name} } from '${root}assembly/ops/sse/${where.get(name)!.slice(0, -3)}';`,
  );
  // asc wants relative paths.
  const text = imports.join('\n').replaceAll(`'${root}`, "'../../../");
  return `${text}
export function step(which: i32, at: usize, imm: i32): void {
  switch (which) {
${cases.join('\n')}
  }
}
`;
}

export class Driver {
  private constructor(
    private readonly list: Instruction[],
    private readonly memory: WebAssembly.Memory,
    private readonly step: (which: number, at: number, imm: number) => void,
  ) {}

  static compile(list: Instruction[]): Driver {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}entry.ts`, source(list));
    const asc = `${root}node_modules/assemblyscript/bin/asc.js`;
    const flags = '-O1 --runtime stub --enable simd --memoryBase 65536 --disableWarning';
    const paths = [`${folder}entry.ts`, '-o', `${folder}entry.wasm`];
    // Not from the root, whose asconfig.json describes the core.
    execFileSync(process.execPath, [asc, ...paths, ...flags.split(' ')], { cwd: folder });
    const module = new WebAssembly.Module(readFileSync(`${folder}entry.wasm`));
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      (imports[from] ??= {})[name] = () => {
        throw new Error('guest fault');
      };
    }
    const { exports } = new WebAssembly.Instance(module, imports);
    const memory = exports.memory as WebAssembly.Memory;
    return new Driver(list, memory, exports.step as Driver['step']);
  }

  /** Like runNative, of list[which]. */
  run(which: number, imm: number, inputs: Uint8Array): Uint8Array {
    const count = inputs.length / IN_SIZE;
    const outputs = new Uint8Array(count * OUT_SIZE);
    const bytes = new Uint8Array(this.memory.buffer);
    const view = new DataView(this.memory.buffer);
    const out = new DataView(outputs.buffer);
    const at = layout.EXCHANGE;
    view.setUint32(layout.CR4, CR4_OSXMMEXCPT, true);
    for (let i = 0; i < count; i++) {
      const input = inputs.subarray(i * IN_SIZE, (i + 1) * IN_SIZE);
      bytes.set(input, at);
      const mxcsr = new DataView(input.buffer, input.byteOffset).getUint32(IN_MXCSR, true);
      view.setUint32(layout.MXCSR, mxcsr, true);
      view.setUint32(at + OUT_FLAGS, 0, true);
      let signal = 0;
      try {
        this.step(which, at, imm);
      } catch (error) {
        if ((error as Error).message !== 'guest fault') throw error;
        signal = SIGNALS[view.getUint32(layout.FAULT_VECTOR, true)] ?? 255;
      }
      const to = i * OUT_SIZE;
      outputs.set(bytes.subarray(at, at + OUT_MXCSR), to);
      out.setUint32(to + OUT_MXCSR, view.getUint32(layout.MXCSR, true), true);
      out.setUint8(to + OUT_SIGNAL, signal);
    }
    return outputs;
  }

  indexOf(instruction: Instruction): number {
    return this.list.indexOf(instruction);
  }
}
