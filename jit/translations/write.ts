/**
 * Makes one module of regions that are functions of several: code is copied, and calls of the core's
 * functions renumbered.
 */
import { REGION_TYPE } from '../chain.ts';
import { InstructionWalk } from '../wasm/instructions.ts';
import { ModuleWriter } from '../wasm/module.ts';
import * as O from '../wasm/opcodes.ts';
import { readModule, type ReadModule } from '../wasm/reader.ts';
import type { CodeSource, SavedCode } from './description.ts';
import { withDescription, type Made } from './format.ts';

/** The file that holds these regions. */
export function writeTranslations(
  saved: readonly SavedCode[],
  made: Made,
): Uint8Array<ArrayBuffer> {
  const regions = saved.map(({ region }) => region);
  return withDescription(joinCode(saved.map(({ code }) => code)), made, regions);
}

/** One module with these functions, which go into the imported table from `env.base` on. */
export function joinCode(sources: readonly CodeSource[]): Uint8Array {
  const modules = new Map<Uint8Array, ReadModule>();
  const module = new ModuleWriter();
  module.begin();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'table', 1);
  module.importGlobal('env', 'base', O.I32, false);
  const imported = new Map<string, number>();
  const functions: number[] = [];
  for (const { module: bytes, function: which } of sources) {
    let from = modules.get(bytes);
    if (!from) modules.set(bytes, (from = readModule(bytes)));
    const index = typeof which === 'number' ? which : from.exports.get(which)?.index;
    functions.push(copyFunction(module, imported, from, index ?? -1));
  }
  module.fillTable(0, functions);
  return module.finish();
}

function copyFunction(
  to: ModuleWriter,
  imported: Map<string, number>,
  from: ReadModule,
  index: number,
): number {
  const body = from.functionAt(index);
  if (!body) throw new Error(`translations: a module has no function ${index}`);
  const copy = to.beginFunction(to.type(REGION_TYPE.parameters, REGION_TYPE.results));
  for (const type of body.locals) to.locals.add(type);
  const walk = new InstructionWalk(from.bytes, body.start, body.end);
  let copied = body.start;
  while (walk.next()) {
    const { opcode } = walk;
    if (body.unlikely.has(walk.start)) {
      to.code.raw(from.bytes, copied, walk.start);
      to.code.unlikely();
      copied = walk.start;
    }
    if (opcode !== O.CALL && opcode !== O.RETURN_CALL) continue;
    to.code.raw(from.bytes, copied, walk.start);
    const number = importOf(to, imported, from, walk.immediate);
    if (opcode === O.CALL) to.code.call(number);
    else to.code.returnCall(number);
    copied = walk.end;
  }
  // The writer ends bodies itself.
  to.code.raw(from.bytes, copied, body.end - 1);
  to.endFunction();
  return copy;
}

/** The number of a function in the module at hand that another imports under `index`. */
function importOf(
  to: ModuleWriter,
  imported: Map<string, number>,
  from: ReadModule,
  index: number,
): number {
  const name = from.importedFunction(index);
  const known = imported.get(name);
  if (known !== undefined) return known;
  const type = from.types[from.functionTypes[index]];
  const made = to.importFunction('env', name, to.type(type.parameters, type.results));
  imported.set(name, made);
  return made;
}
