/**
 * Walks WebAssembly instructions one by one: knows which immediates each opcode has, what the
 * control instructions do to nesting, nothing of types.
 *
 *   const walk = new InstructionWalk(bytes, body.start, body.end);
 *   while (walk.next()) { walk.opcode, walk.immediate, walk.start, walk.end, walk.depth ... }
 *
 * Covers the instruction set of core specification 2.0 and tail calls; throws on anything else.
 */
import * as O from './opcodes.ts';
import * as V from './simd.ts';
import { Cursor } from './reader.ts';

export class InstructionWalk {
  /** The opcode; of a prefixed instruction `prefix * 256 + number`, as simdCode() and fcCode(). */
  opcode = -1;
  /** The instruction's bytes: [start, end). */
  start: number;
  end: number;
  /** First immediate of local, global, call, br, br_if, memory index; of a block its type. */
  immediate = 0;
  /** Where that immediate starts. */
  immediateAt = 0;
  /** Targets of a br_table, default last. */
  targets: number[] = [];
  /** Blocks open after the instruction; the body's own `end` leaves -1. */
  depth = 0;
  private readonly c: Cursor;

  constructor(
    bytes: Uint8Array,
    start: number,
    private readonly limit: number,
  ) {
    this.c = new Cursor(bytes, start);
    this.start = start;
    this.end = start;
  }

  /** Steps to the next instruction; false at the end of the range. */
  next(): boolean {
    const { c } = this;
    if (c.at >= this.limit) return false;
    this.start = c.at;
    this.opcode = c.byte();
    this.immediateAt = c.at;
    this.immediate = 0;
    this.immediates();
    this.end = c.at;
    return true;
  }

  private immediates(): void {
    const { c, opcode } = this;
    if (opcode >= O.I32_LOAD && opcode <= O.I64_STORE32) return this.memoryArgument();
    if (opcode >= O.I32_EQZ && opcode <= O.I64_EXTEND32_S) return;
    switch (opcode) {
      case O.UNREACHABLE:
      case O.NOP:
      case O.ELSE:
      case O.RETURN:
      case O.DROP:
      case O.SELECT:
      case O.REF_IS_NULL:
        return;
      case O.END:
        this.depth--;
        return;
      case O.BLOCK:
      case O.LOOP:
      case O.IF:
        this.depth++;
        this.immediate = c.s32();
        return;
      case O.BR:
      case O.BR_IF:
      case O.CALL:
      case O.RETURN_CALL:
      case O.LOCAL_GET:
      case O.LOCAL_SET:
      case O.LOCAL_TEE:
      case O.GLOBAL_GET:
      case O.GLOBAL_SET:
      case O.TABLE_GET:
      case O.TABLE_SET:
      case O.MEMORY_SIZE:
      case O.MEMORY_GROW:
      case O.REF_FUNC:
        this.immediate = c.u32();
        return;
      case O.CALL_INDIRECT:
      case O.RETURN_CALL_INDIRECT:
        this.immediate = c.u32();
        c.u32();
        return;
      case O.BR_TABLE:
        this.targets.length = 0;
        for (let n = c.u32() + 1; n > 0; n--) this.targets.push(c.u32());
        return;
      case O.SELECT_TYPED:
        for (let n = c.u32(); n > 0; n--) c.byte();
        return;
      case O.I32_CONST:
      case O.I64_CONST:
        return c.skipNumber();
      case O.F32_CONST:
        c.at += 4;
        return;
      case O.F64_CONST:
        c.at += 8;
        return;
      case O.REF_NULL:
        c.byte();
        return;
      case O.PREFIX_FC:
        return this.fc(c.u32());
      case O.PREFIX_SIMD:
        return this.simd(c.u32());
    }
    throw new Error(`wasm: opcode 0x${opcode.toString(16)} at ${this.start} is not known`);
  }

  private memoryArgument(): void {
    const align = this.c.u32();
    // Bit 6 announces a memory index (multi-memory).
    if (align & 0x40) throw new Error(`wasm: a second memory is used at ${this.start}`);
    this.c.skipNumber();
  }

  private fc(number: number): void {
    this.opcode = fcCode(number);
    this.immediateAt = this.c.at;
    if (number <= O.I64_TRUNC_SAT_F64_U) return;
    if (number > O.TABLE_FILL) {
      throw new Error(`wasm: opcode 0xfc ${number} at ${this.start} is not known`);
    }
    this.immediate = this.c.u32();
    if (number === O.MEMORY_INIT || number === O.MEMORY_COPY) this.c.u32();
    if (number === O.TABLE_INIT || number === O.TABLE_COPY) this.c.u32();
  }

  private simd(number: number): void {
    this.opcode = simdCode(number);
    this.immediateAt = this.c.at;
    if (number > V.F64X2_CONVERT_LOW_I32X4_U) {
      throw new Error(`wasm: opcode 0xfd ${number} at ${this.start} is not known`);
    }
    if (number === V.V128_CONST || number === V.I8X16_SHUFFLE) {
      this.c.at += 16;
    } else if (number <= V.V128_STORE) {
      this.memoryArgument();
    } else if (number >= V.I8X16_EXTRACT_LANE_S && number <= V.F64X2_REPLACE_LANE) {
      this.c.byte();
    } else if (number >= V.V128_LOAD8_LANE && number <= V.V128_LOAD64_ZERO) {
      this.memoryArgument();
      if (number <= V.V128_STORE64_LANE) this.c.byte();
    }
  }
}

/** InstructionWalk.opcode of an instruction under PREFIX_FC. */
export function fcCode(number: number): number {
  return O.PREFIX_FC * 256 + number;
}

/** InstructionWalk.opcode of a vector instruction. */
export function simdCode(number: number): number {
  return O.PREFIX_SIMD * 256 + number;
}
