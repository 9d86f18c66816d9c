/**
 * Pastes the compiled body of a core function into a function being emitted, instead of calling
 * it. Owns the preparation of bodies (once a function) and the pasting (once a guest instruction).
 * Knows no x86: which function an operation uses is the translator's business.
 *
 *   const splicer = new Splicer(readModule(coreBytes));
 *   const add = splicer.leaf('add32');                 null: not a leaf, emit a call;
 *                                                      splicer.reason('add32') says why
 *   ...operands on the wasm stack, first parameter deepest...
 *   splice(e, locals, add);                            result on the wasm stack
 *   splice(e, locals, add, [eaxLocal, ON_STACK]);      the first is in a local, the second on the stack
 *   splice(e, locals, add, [eaxLocal, CONSTANT], [0, 5]);          ... the second is the constant 5
 *
 * A leaf calls nothing and touches no global and no table; it may read and write memory 0.
 *
 * What happens to a body:
 * - Locals get new numbers: scratch locals of the function being emitted, given back at once.
 *   Where a declared local may be read before it is written, it is set to zero first: wasm
 *   promises zero at entry, a reused scratch local does not.
 * - Operands are popped into locals, except those a body fetches first thing and in order, which
 *   stay where they are (and are tee'd when needed again).
 * - `return`, and branches to the function's own label, become branches out of an added block.
 */
import type { Encoder } from './wasm/encoder.ts';
import { fcCode, InstructionWalk } from './wasm/instructions.ts';
import type { Locals } from './wasm/locals.ts';
import * as O from './wasm/opcodes.ts';
import type { FunctionBody, ReadModule } from './wasm/reader.ts';

/** Where an operand is, instead of the number of a local: */
export const ON_STACK = -1;
export const CONSTANT = -2; // an i32 or i64 parameter whose value is known, 32 bits and sign-extended

/** A body ready for pasting. The arrays after `results` are the splicer's. */
export interface Leaf {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** Bytes pasted, roughly: to decide whether a call would be better. */
  readonly size: number;
  /** Types of all locals, parameters first. */
  readonly types: readonly number[];
  /** The instructions but those on locals, which stand at the cuts. */
  readonly code: Uint8Array;
  /** Position in `code` of each instruction on a local, its opcode and its local. */
  readonly cuts: Int32Array;
  readonly opcodes: Uint8Array;
  readonly operands: Int32Array;
  /** Declared locals that must be zeroed. */
  readonly zeroed: readonly number[];
  /** Type of the block around the body, or -1 when none is needed. */
  readonly wrap: number;
  /** How to begin, by the set of parameters that are not on the stack (bit i: parameter i). */
  readonly prologues: Array<Prologue | undefined>;
}

/** What precedes a body: instructions on locals, and how many of the body's own are left out. */
interface Prologue {
  readonly opcodes: Uint8Array;
  readonly operands: Int32Array;
  /** Leading `local.get`s of the body that are dropped because the operand is on the stack. */
  readonly skipped: number;
  /** Locals that need a scratch local. */
  readonly scratch: Int32Array;
  /** Upper bound of the bytes that one splice writes. */
  readonly room: number;
}

/** Prologue opcodes beside the wasm ones: fetch the operand of a parameter; a zero. */
const BOUND_GET = 1;
const ZERO = 2;

export class Splicer {
  private readonly prepared = new Map<number, Leaf | string>();

  constructor(private readonly module: ReadModule) {}

  leaf(exportName: string): Leaf | null {
    const body = this.module.functionByExport(exportName);
    return body === null ? null : this.leafOf(body, exportName);
  }

  /** By function index, for functions reached through the table: `module.table.get(slot)`. */
  leafAt(index: number): Leaf | null {
    const body = this.module.functionAt(index);
    return body === null ? null : this.leafOf(body, `function ${index}`);
  }

  /** Why leaf() said null; the empty string when it did not. */
  reason(exportName: string): string {
    const body = this.module.functionByExport(exportName);
    if (body === null) return 'the core exports no such function';
    this.leafOf(body, exportName);
    const prepared = this.prepared.get(body.index);
    return typeof prepared === 'string' ? prepared : '';
  }

  private leafOf(body: FunctionBody, name: string): Leaf | null {
    let prepared = this.prepared.get(body.index);
    if (prepared === undefined) {
      prepared = prepare(this.module, body, name);
      this.prepared.set(body.index, prepared);
    }
    return typeof prepared === 'string' ? null : prepared;
  }
}

const FORBIDDEN = new Map<number, string>([
  [O.CALL, 'it calls a function'],
  [O.CALL_INDIRECT, 'it calls through the table'],
  [0x12, 'it ends in a tail call'],
  [0x13, 'it ends in a tail call'],
  [O.GLOBAL_GET, 'it reads a global'],
  [O.GLOBAL_SET, 'it writes a global'],
  [O.TABLE_GET, 'it reads the table'],
  [O.TABLE_SET, 'it writes the table'],
  [O.REF_FUNC, 'it refers to a function'],
  [fcCode(O.MEMORY_INIT), 'it refers to a data segment'],
  [fcCode(O.DATA_DROP), 'it refers to a data segment'],
  [fcCode(O.TABLE_INIT), 'it writes the table'],
  [fcCode(O.ELEM_DROP), 'it refers to an element segment'],
  [fcCode(O.TABLE_COPY), 'it writes the table'],
  [fcCode(O.TABLE_GROW), 'it writes the table'],
  [fcCode(O.TABLE_SIZE), 'it reads the table'],
  [fcCode(O.TABLE_FILL), 'it writes the table'],
]);

/** The body as a Leaf, or the reason why it cannot be one. */
function prepare(module: ReadModule, body: FunctionBody, name: string): Leaf | string {
  const { parameters, results } = body.type;
  const types = [...parameters, ...body.locals];
  const code: number[] = [];
  const cuts: number[] = [];
  const opcodes: number[] = [];
  const operands: number[] = [];
  let leaves = false;
  let endsOpen = false;

  const walk = new InstructionWalk(module.bytes, body.start, body.end);
  while (walk.next()) {
    const { opcode } = walk;
    if (walk.depth < 0) break;
    const reason = FORBIDDEN.get(opcode);
    if (reason !== undefined) return reason;
    endsOpen = false;
    if (opcode >= O.LOCAL_GET && opcode <= O.LOCAL_TEE) {
      cuts.push(code.length);
      opcodes.push(opcode);
      operands.push(walk.immediate);
      continue;
    }
    if (opcode >= O.BLOCK && opcode <= O.IF && walk.immediate >= 0) {
      return 'it has a block of several results';
    }
    if (opcode === O.RETURN) {
      // As the very last instruction it does nothing: the value is where it should be.
      if (walk.end === body.end - 1) break;
      leaves = true;
      code.push(O.BR, ...unsigned(walk.depth));
    } else {
      if (opcode === O.BR || opcode === O.BR_IF) leaves ||= walk.immediate === walk.depth;
      if (opcode === O.BR_TABLE) leaves ||= walk.targets.includes(walk.depth);
      for (let at = walk.start; at < walk.end; at++) code.push(module.bytes[at]);
    }
    // What follows would be unreachable for the validator without a block around this.
    endsOpen = UNCONDITIONAL.has(opcode);
  }

  const wrapped = leaves || endsOpen;
  if (wrapped && results.length > 1) return 'it returns several results early';
  return {
    name,
    parameters,
    results,
    size: code.length + 2 * cuts.length,
    types,
    code: Uint8Array.from(code),
    cuts: Int32Array.from(cuts),
    opcodes: Uint8Array.from(opcodes),
    operands: Int32Array.from(operands),
    zeroed: readBeforeWritten(module, body, parameters.length),
    wrap: wrapped ? (results[0] ?? O.VOID) : -1,
    prologues: [],
  };
}

const UNCONDITIONAL = new Set([O.UNREACHABLE, O.BR, O.BR_TABLE, O.RETURN]);

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  bytes.push(value);
  return bytes;
}

/**
 * The declared locals that some path may read before it writes them: definite assignment over
 * the structured code. A set is a bigint, bit i for local i; a point that cannot be reached has
 * every bit, so that it adds nothing where paths meet.
 */
function readBeforeWritten(module: ReadModule, body: FunctionBody, parameters: number): number[] {
  const everything = (1n << BigInt(parameters + body.locals.length)) - 1n;
  let written = (1n << BigInt(parameters)) - 1n;
  let early = 0n;
  /** For each open block: the kind, the set at its entry, and what all branches to its end wrote. */
  const frames: Array<{ kind: number; entry: bigint; exit: bigint }> = [
    { kind: O.BLOCK, entry: written, exit: everything },
  ];
  const branch = (depth: number): void => {
    const frame = frames[frames.length - 1 - depth];
    // A branch to a loop goes to its start, where no more than `entry` was assumed.
    if (frame.kind !== O.LOOP) frame.exit &= written;
  };
  const walk = new InstructionWalk(module.bytes, body.start, body.end);
  while (walk.next()) {
    const top = frames[frames.length - 1];
    switch (walk.opcode) {
      case O.LOCAL_GET:
        early |= (1n << BigInt(walk.immediate)) & ~written;
        break;
      case O.LOCAL_SET:
      case O.LOCAL_TEE:
        written |= 1n << BigInt(walk.immediate);
        break;
      case O.BLOCK:
      case O.LOOP:
      case O.IF:
        frames.push({ kind: walk.opcode, entry: written, exit: everything });
        break;
      case O.ELSE:
        top.exit &= written;
        top.kind = O.BLOCK;
        written = top.entry;
        break;
      case O.END:
        frames.pop();
        written &= top.exit;
        // An `if` without `else` may have been passed by.
        if (top.kind === O.IF) written &= top.entry;
        break;
      case O.BR_IF:
        branch(walk.immediate);
        break;
      case O.BR:
        branch(walk.immediate);
        written = everything;
        break;
      case O.BR_TABLE:
        walk.targets.forEach(branch);
        written = everything;
        break;
      case O.RETURN:
      case O.UNREACHABLE:
        written = everything;
        break;
    }
  }
  const list: number[] = [];
  for (let i = parameters; i < parameters + body.locals.length; i++) {
    if ((early >> BigInt(i)) & 1n) list.push(i);
  }
  return list;
}

function makePrologue(leaf: Leaf, bound: number): Prologue {
  const opcodes: number[] = [];
  const operands: number[] = [];
  const add = (opcode: number, operand: number): void => {
    opcodes.push(opcode);
    operands.push(operand);
  };
  const reads = new Int32Array(leaf.types.length);
  const writes = new Int32Array(leaf.types.length);
  for (let i = 0; i < leaf.cuts.length; i++) {
    if (leaf.opcodes[i] === O.LOCAL_GET) reads[leaf.operands[i]]++;
    else writes[leaf.operands[i]]++;
  }

  const stacked: number[] = [];
  for (let i = 0; i < leaf.parameters.length; i++) {
    if (((bound >> i) & 1) === 0) stacked.push(i);
  }
  let skipped = 0;
  while (
    leaf.wrap < 0 &&
    skipped < stacked.length &&
    skipped < leaf.cuts.length &&
    leaf.cuts[skipped] === 0 &&
    leaf.opcodes[skipped] === O.LOCAL_GET &&
    leaf.operands[skipped] === stacked[skipped]
  ) {
    skipped++;
  }

  // From the top of the stack: what the body does not fetch at once goes into locals.
  for (let i = stacked.length - 1; i >= skipped; i--) {
    if (reads[stacked[i]] > 0) add(O.LOCAL_SET, stacked[i]);
    else add(O.DROP, stacked[i]);
  }
  // Of the others, those fetched again are kept as well; only the top one can be tee'd, so
  // everything above the lowest of them is popped and fetched back.
  const lowest = stacked.findIndex((p, i) => i < skipped && reads[p] > 1);
  if (lowest >= 0) {
    for (let i = skipped - 1; i > lowest; i--) add(O.LOCAL_SET, stacked[i]);
    add(O.LOCAL_TEE, stacked[lowest]);
    for (let i = lowest + 1; i < skipped; i++) add(O.LOCAL_GET, stacked[i]);
  }
  for (let i = 0; i < leaf.parameters.length; i++) {
    // A bound local is the caller's: a body that writes its parameter gets a copy.
    if ((bound >> i) & 1 && writes[i] > 0) {
      add(BOUND_GET, i);
      add(O.LOCAL_SET, i);
    }
  }
  for (const local of leaf.zeroed) {
    add(ZERO, local);
    add(O.LOCAL_SET, local);
  }

  const needed = new Set<number>();
  operands.forEach((local, i) => opcodes[i] !== O.DROP && needed.add(local));
  for (let i = skipped; i < leaf.cuts.length; i++) needed.add(leaf.operands[i]);
  for (let i = 0; i < leaf.parameters.length; i++) {
    if ((bound >> i) & 1 && writes[i] === 0) needed.delete(i);
  }
  return {
    opcodes: Uint8Array.from(opcodes),
    operands: Int32Array.from(operands),
    skipped,
    scratch: Int32Array.from(needed),
    // A v128 zero takes 18 bytes, an instruction on a local at most 6.
    room: leaf.code.length + 6 * leaf.cuts.length + 18 * opcodes.length + 8,
  };
}

const NO_CONSTANTS: ArrayLike<number> = [];

/** Template local -> local of the function being emitted, or CONSTANT. */
let map = new Int32Array(64);

/**
 * Pastes `leaf` at the encoder's position. `bound`, when given, has an entry for each parameter:
 * the local that holds the operand, ON_STACK, or CONSTANT and the value at its place in `constants`.
 * The operands on the stack are in the order of the parameters.
 */
export function splice(
  e: Encoder,
  locals: Locals,
  leaf: Leaf,
  bound: ArrayLike<number> | null = null,
  constants: ArrayLike<number> = NO_CONSTANTS,
): void {
  const { types } = leaf;
  if (types.length > map.length) map = new Int32Array(types.length * 2);
  let mask = 0;
  if (bound !== null) {
    for (let i = 0; i < leaf.parameters.length; i++) {
      if (bound[i] === ON_STACK) continue;
      mask |= 1 << i;
      map[i] = bound[i];
    }
  }
  const prologue = (leaf.prologues[mask] ??= makePrologue(leaf, mask));
  const { scratch } = prologue;
  for (let i = 0; i < scratch.length; i++) map[scratch[i]] = locals.take(types[scratch[i]]);

  e.reserve(prologue.room);
  const out = e.bytes;
  let at = e.length;
  for (let i = 0; i < prologue.opcodes.length; i++) {
    const opcode = prologue.opcodes[i];
    const local = prologue.operands[i];
    if (opcode === O.DROP) {
      out[at++] = O.DROP;
    } else if (opcode === ZERO) {
      at = putZero(out, at, types[local]);
    } else if (opcode === BOUND_GET) {
      if (bound![local] === CONSTANT) {
        at = putConstant(out, at, types[local], constants[local]);
      } else {
        out[at++] = O.LOCAL_GET;
        at = putU32(out, at, bound![local]);
      }
    } else {
      out[at++] = opcode;
      at = putU32(out, at, map[local]);
    }
  }
  if (leaf.wrap >= 0) {
    out[at++] = O.BLOCK;
    out[at++] = leaf.wrap;
  }
  const { code, cuts, opcodes, operands } = leaf;
  let from = 0;
  for (let i = prologue.skipped; i < cuts.length; i++) {
    const to = cuts[i];
    while (from < to) out[at++] = code[from++];
    const local = map[operands[i]];
    if (local >= 0) {
      out[at++] = opcodes[i];
      if (local < 128) out[at++] = local;
      else at = putU32(out, at, local);
    } else {
      at = putConstant(out, at, types[operands[i]], constants[operands[i]]);
    }
  }
  while (from < code.length) out[at++] = code[from++];
  if (leaf.wrap >= 0) out[at++] = O.END;
  e.length = at;
  for (let i = scratch.length - 1; i >= 0; i--) locals.give(map[scratch[i]]);
}

function putU32(out: Uint8Array, at: number, value: number): number {
  while (value > 127) {
    out[at++] = value | 128;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}

function putConstant(out: Uint8Array, at: number, type: number, value: number): number {
  out[at++] = type === O.I64 ? O.I64_CONST : O.I32_CONST;
  value |= 0;
  while (value < -64 || value > 63) {
    out[at++] = value | 128;
    value >>= 7;
  }
  out[at++] = value & 127;
  return at;
}

function putZero(out: Uint8Array, at: number, type: number): number {
  let zeros = 1;
  if (type === O.I32) out[at++] = O.I32_CONST;
  else if (type === O.I64) out[at++] = O.I64_CONST;
  else if (type === O.F32) {
    out[at++] = O.F32_CONST;
    zeros = 4;
  } else if (type === O.F64) {
    out[at++] = O.F64_CONST;
    zeros = 8;
  } else {
    out[at++] = O.PREFIX_SIMD;
    out[at++] = 0x0c;
    zeros = 16;
  }
  while (zeros-- > 0) out[at++] = 0;
  return at;
}
