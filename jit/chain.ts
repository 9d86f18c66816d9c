/**
 * The way from a region to the next without going back to the run loop: a function that regions
 * end with a tail call of. It does what chain() of the core's run loop does while the jump cache
 * knows the next region and nothing waits; else it returns, and the run loop does the rest.
 *
 * It is a module of its own because it imports the core's table: every instance that imports a table
 * is told of every change to it (V8 11), so regions must not. Engines without tail calls (Safari before
 * 18.2) do without.
 */
import {
  BUDGET,
  CHAIN_COUNT,
  CHAIN_ENTRY,
  EIP,
  FAULT_PENDING,
  HALTED,
  HISTORY,
  HOT_ENTRY,
  INHIBIT,
  INTR,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  KERNEL_GENERATION,
  MODE,
  SEGMENT_BASE,
} from '../assembly/shared/layout.ts';
import {
  EVENT_BASE,
  EVENT_EIP,
  EVENT_KIND,
  EVENT_MODE,
  EVENT_TRANSLATED,
  HISTORY_COUNT,
  HISTORY_ENTRIES,
  HISTORY_ENTRY_SIZE,
  HISTORY_FIRST,
} from '../assembly/shared/history.ts';
import {
  CHAIN_SAMPLE,
  ENTRY_COUNT,
  JUMP_EIP,
  JUMP_ENTRY,
  JUMP_FOLD,
  JUMP_GENERATION,
  JUMP_LABEL,
  JUMP_MODE,
  JUMP_SHIFT,
  JUMP_SLOT,
  JUMP_TABLES,
  REGION_HOT,
  REGION_HOT_STEP,
  REGION_MISS,
} from '../assembly/shared/regions.ts';
import { MODE_USER } from '../assembly/shared/modes.ts';
import type { Encoder } from './wasm/encoder.ts';
import { ModuleWriter } from './wasm/module.ts';
import * as O from './wasm/opcodes.ts';

/** The name under which regions import it. */
export const CHAIN = 'chain';

/** Of a region: label and address of its tables in, REGION_* out. */
export const REGION_TYPE = { parameters: [O.I32, O.I32], results: [O.I32] };
/** Of the function here: REGION_* in, REGION_* out. */
export const CHAIN_TYPE = { parameters: [O.I32], results: [O.I32] };

/** Made once for a core; undefined: the engine has no tail calls. */
export function chainFunction(core: {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
}): WebAssembly.ImportValue | undefined {
  const bytes = chainModule() as Uint8Array<ArrayBuffer>;
  if (!WebAssembly.validate(bytes)) return undefined;
  const { memory, table } = core;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory, table },
  });
  return instance.exports[CHAIN];
}

function chainModule(): Uint8Array {
  const module = new ModuleWriter();
  module.begin();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'table', 1);
  const type = module.type(REGION_TYPE.parameters, REGION_TYPE.results);
  const index = module.beginFunction(module.type(CHAIN_TYPE.parameters, CHAIN_TYPE.results));
  const { code: e, locals } = module;
  const why = 0;
  const eip = locals.add(O.I32);
  const cached = locals.add(O.I32);
  const entry = locals.add(O.I32);
  const event = locals.add(O.I32);
  const count = locals.add(O.I32);

  const leave = e.block();
  e.localGet(why);
  e.i32Const(REGION_MISS);
  e.op(O.I32_EQ);
  e.brIf(leave);
  // INTR and NMI, INHIBIT and SHADOW, HALTED and STOP: side by side.
  word64(e, INTR);
  word64(e, INHIBIT);
  e.op(O.I64_OR);
  word64(e, HALTED);
  e.op(O.I64_OR);
  e.op(O.I64_EQZ);
  e.op(O.I32_EQZ);
  word(e, FAULT_PENDING);
  e.op(O.I32_OR);
  word(e, BUDGET);
  e.i32Const(1);
  e.op(O.I32_LT_S);
  e.op(O.I32_OR);
  e.brIf(leave);

  word(e, EIP);
  e.localTee(eip);
  e.localGet(eip);
  e.i32Const(JUMP_FOLD);
  e.op(O.I32_SHR_U);
  e.op(O.I32_XOR);
  e.i32Const(JUMP_CACHE_ENTRIES - 1);
  e.op(O.I32_AND);
  e.i32Const(JUMP_SHIFT);
  e.op(O.I32_SHL);
  e.localTee(cached);
  e.load(O.I32_LOAD, JUMP_CACHE + JUMP_EIP, 2);
  e.localGet(eip);
  e.op(O.I32_XOR);
  field(e, cached, JUMP_CACHE + JUMP_GENERATION);
  word(e, MODE);
  e.i32Const(MODE_USER);
  e.op(O.I32_AND);
  e.load(O.I32_LOAD, KERNEL_GENERATION, 2);
  e.op(O.I32_XOR);
  e.op(O.I32_OR);
  field(e, cached, JUMP_CACHE + JUMP_MODE);
  word(e, MODE);
  e.op(O.I32_XOR);
  e.op(O.I32_OR);
  e.brIf(leave);

  // The run loop's books: noteEntry(), and what chain() notes.
  e.i32Const(0);
  word(e, HISTORY + HISTORY_COUNT);
  e.localTee(count);
  e.i32Const(1);
  e.op(O.I32_ADD);
  e.store(O.I32_STORE, HISTORY + HISTORY_COUNT, 2);
  e.localGet(count);
  e.i32Const(HISTORY_ENTRIES - 1);
  e.op(O.I32_AND);
  e.i32Const(HISTORY_ENTRY_SIZE);
  e.op(O.I32_MUL);
  e.localSet(event);
  note(e, event, EVENT_KIND, () => e.i32Const(EVENT_TRANSLATED));
  note(e, event, EVENT_EIP, () => e.localGet(eip));
  note(e, event, EVENT_BASE, () => word(e, SEGMENT_BASE + 4));
  note(e, event, EVENT_MODE, () => word(e, MODE));
  e.i32Const(0);
  field(e, cached, JUMP_CACHE + JUMP_ENTRY);
  e.localTee(entry);
  e.store(O.I32_STORE, CHAIN_ENTRY, 2);
  e.i32Const(0);
  word(e, CHAIN_COUNT);
  e.i32Const(1);
  e.op(O.I32_ADD);
  e.store(O.I32_STORE, CHAIN_COUNT, 2);
  e.localGet(count);
  e.localGet(count);
  e.i32Const(4);
  e.op(O.I32_SHR_U);
  e.op(O.I32_XOR);
  word(e, BUDGET);
  e.op(O.I32_XOR);
  e.i32Const(CHAIN_SAMPLE - 1);
  e.op(O.I32_AND);
  e.op(O.I32_EQZ);
  e.if();
  e.localGet(entry);
  field(e, entry, ENTRY_COUNT);
  e.i32Const(CHAIN_SAMPLE);
  e.op(O.I32_ADD);
  e.localTee(count);
  e.store(O.I32_STORE, ENTRY_COUNT, 2);
  e.localGet(count);
  e.i32Const(REGION_HOT_STEP - 1);
  e.op(O.I32_AND);
  e.i32Const(CHAIN_SAMPLE);
  e.op(O.I32_LT_U);
  e.localGet(count);
  e.i32Const(REGION_HOT);
  e.op(O.I32_GE_U);
  e.op(O.I32_AND);
  e.if();
  e.i32Const(0);
  e.localGet(entry);
  e.store(O.I32_STORE, HOT_ENTRY, 2);
  e.end();
  e.end();

  field(e, cached, JUMP_CACHE + JUMP_LABEL);
  field(e, cached, JUMP_CACHE + JUMP_TABLES);
  field(e, cached, JUMP_CACHE + JUMP_SLOT);
  e.returnCallIndirect(type);
  e.end();
  e.localGet(why);
  module.endFunction();
  module.exportFunction(CHAIN, index);
  return module.finish();
}

function word(e: Encoder, address: number): void {
  e.i32Const(0);
  e.load(O.I32_LOAD, address, 2);
}

function word64(e: Encoder, address: number): void {
  e.i32Const(0);
  e.load(O.I64_LOAD, address, 2);
}

/** A word behind an address in a local. */
function field(e: Encoder, local: number, offset: number): void {
  e.localGet(local);
  e.load(O.I32_LOAD, offset, 2);
}

/** A word of the history's entry. */
function note(e: Encoder, event: number, offset: number, push: () => void): void {
  e.localGet(event);
  push();
  e.store(O.I32_STORE, HISTORY + HISTORY_FIRST + offset, 2);
}
