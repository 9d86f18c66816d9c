/**
 * Appends WebAssembly instructions to one growing byte buffer. Knows the binary format of
 * instructions, not of modules (module.ts), and does not check types (the engine does).
 *
 *   const e = new Encoder();
 *   e.localGet(0); e.i32Const(4); e.op(I32_ADD); e.load(I32_LOAD, 8);
 *
 * - An instruction without immediates is `op(code)`; a vector one `simd(code)`.
 * - `depth` counts the open blocks. block(), loop() and if() return the depth inside them, which
 *   serves as a label: `const out = e.block(); ... e.brIf(out); ... e.end();`. Label 0 is the
 *   function itself. Relative depths never appear outside this file.
 * - `local.set x` directly followed by `local.get x` becomes `local.tee x`.
 *
 * Every method is called for some guest instruction, so: no objects, no closures, one capacity
 * check a method (MARGIN covers the longest instruction of fixed size).
 */
import * as O from './opcodes.ts';

/** Bytes that are always free behind `length` when a method starts. */
const MARGIN = 32;

const floatBits = new Float64Array(1);
const floatWords = new Int32Array(floatBits.buffer);

export class Encoder {
  bytes: Uint8Array;
  length = 0;
  /** Number of blocks that are open, 0 in the outermost block of a function. */
  depth = 0;
  /** Places of the current function's branches that are hardly ever taken, in order. */
  readonly unlikelyBranches: number[] = [];
  private limit: number;
  /** Where the last instruction ended if it was `local.set`, for the join with a `local.get`. */
  private setEnd = -1;
  private setStart = -1;
  private setLocal = -1;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
    this.limit = capacity - MARGIN;
  }

  /** Forgets everything behind `length`, which may be less than what was written. */
  truncate(length: number): void {
    this.length = length;
    this.setEnd = -1;
  }

  /** Makes room for `count` bytes, for callers that write into `bytes` themselves. */
  reserve(count: number): void {
    if (this.length + count > this.limit) this.grow(count);
  }

  private grow(count: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count + MARGIN));
    larger.set(this.bytes);
    this.bytes = larger;
    this.limit = larger.length - MARGIN;
  }

  // --- Raw bytes and numbers -----------------------------------------------------------------

  byte(value: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.bytes[this.length++] = value;
  }

  raw(source: Uint8Array, from = 0, to = source.length): void {
    const count = to - from;
    if (this.length + count > this.limit) this.grow(count);
    // A loop: the pieces are short, and a subarray() for set() is an allocation.
    const bytes = this.bytes;
    let at = this.length;
    for (let i = from; i < to; i++) bytes[at++] = source[i];
    this.length = at;
  }

  /** Unsigned LEB128 of 32 bits. */
  u32(value: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.length = this.putU32(this.length, value);
  }

  /** Signed LEB128 of 32 bits. */
  s32(value: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.length = this.putS32(this.length, value);
  }

  private putU32(at: number, value: number): number {
    const bytes = this.bytes;
    while (value >>> 0 > 127) {
      bytes[at++] = value | 128;
      value >>>= 7;
    }
    bytes[at++] = value;
    return at;
  }

  private putS32(at: number, value: number): number {
    const bytes = this.bytes;
    while (value < -64 || value > 63) {
      bytes[at++] = value | 128;
      value >>= 7;
    }
    bytes[at++] = value & 127;
    return at;
  }

  /** Opcode and one unsigned immediate. */
  private opU32(code: number, value: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    const at = this.length;
    this.bytes[at] = code;
    if (value >>> 0 < 128) {
      this.bytes[at + 1] = value;
      this.length = at + 2;
    } else {
      this.length = this.putU32(at + 1, value);
    }
  }

  // --- Instructions --------------------------------------------------------------------------

  /** Any instruction that is one byte: numeric, drop, select, return, unreachable... */
  op(code: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.bytes[this.length++] = code;
  }

  localGet(index: number): void {
    if (this.setEnd === this.length && this.setLocal === index) {
      this.bytes[this.setStart] = O.LOCAL_TEE;
      this.setEnd = -1;
      return;
    }
    this.opU32(O.LOCAL_GET, index);
  }

  localSet(index: number): void {
    this.setStart = this.length;
    this.opU32(O.LOCAL_SET, index);
    this.setEnd = this.length;
    this.setLocal = index;
  }

  localTee(index: number): void {
    this.opU32(O.LOCAL_TEE, index);
  }

  globalGet(index: number): void {
    this.opU32(O.GLOBAL_GET, index);
  }

  globalSet(index: number): void {
    this.opU32(O.GLOBAL_SET, index);
  }

  i32Const(value: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    const at = this.length;
    this.bytes[at] = O.I32_CONST;
    value |= 0;
    if (value >= -64 && value < 64) {
      this.bytes[at + 1] = value & 127;
      this.length = at + 2;
    } else {
      this.length = this.putS32(at + 1, value);
    }
  }

  /** A 64-bit constant in two halves; `high` left out extends the sign of `low`. */
  i64Const(low: number, high: number = low >> 31): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.bytes[this.length++] = O.I64_CONST;
    low |= 0;
    high |= 0;
    while (high !== low >> 31 || low < -64 || low > 63) {
      this.bytes[this.length++] = low | 128;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
    }
    this.bytes[this.length++] = low & 127;
  }

  f64Const(value: number): void {
    floatBits[0] = value;
    this.f64ConstBits(floatWords[0], floatWords[1]);
  }

  /** A 64-bit float by its bits, for NaNs whose payload matters. */
  f64ConstBits(low: number, high: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.bytes[this.length++] = O.F64_CONST;
    this.word(low);
    this.word(high);
  }

  f32ConstBits(bits: number): void {
    if (this.length > this.limit) this.grow(MARGIN);
    this.bytes[this.length++] = O.F32_CONST;
    this.word(bits);
  }

  /** Four bytes, little-endian; the caller has checked the room. */
  private word(value: number): void {
    const bytes = this.bytes;
    const at = this.length;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    this.length = at + 4;
  }

  /** `align` is the binary logarithm of the promised alignment: a hint, engines on x86 ignore it. */
  load(code: number, offset: number, align = 0): void {
    if (this.length > this.limit) this.grow(MARGIN);
    const at = this.length;
    this.bytes[at] = code;
    this.bytes[at + 1] = align;
    this.length = this.putU32(at + 2, offset);
  }

  store(code: number, offset: number, align = 0): void {
    this.load(code, offset, align);
  }

  // --- Control -------------------------------------------------------------------------------

  /** Block types are VOID, a value type, or a non-negative type index. */
  block(type: number = O.VOID): number {
    return this.open(O.BLOCK, type);
  }

  loop(type: number = O.VOID): number {
    return this.open(O.LOOP, type);
  }

  if(type: number = O.VOID): number {
    return this.open(O.IF, type);
  }

  private open(code: number, type: number): number {
    // The one-byte types are negative numbers of seven bits; 0x40 to 0x7f are written as they are.
    if (type >= 0x40 && type < 0x80) {
      this.op(code);
      this.op(type);
    } else {
      this.op(code);
      this.s32(type);
    }
    return ++this.depth;
  }

  else(): void {
    this.op(O.ELSE);
  }

  end(): void {
    this.depth--;
    this.op(O.END);
  }

  /** The `end` of a function body, where no block is open any more. */
  endBody(): void {
    this.op(O.END);
  }

  /** The `br_if` or `if` that is written next is hardly ever taken: a hint for the engine (module.ts). */
  unlikely(): void {
    this.unlikelyBranches.push(this.length);
  }

  br(label: number): void {
    this.opU32(O.BR, this.depth - label);
  }

  brIf(label: number): void {
    this.opU32(O.BR_IF, this.depth - label);
  }

  /** `count` labels of `labels` from `from`, the last of which is the default. */
  brTable(labels: ArrayLike<number>, from = 0, count = labels.length - from): void {
    this.opU32(O.BR_TABLE, count - 1);
    for (let i = from; i < from + count; i++) this.u32(this.depth - labels[i]);
  }

  return(): void {
    this.op(O.RETURN);
  }

  unreachable(): void {
    this.op(O.UNREACHABLE);
  }

  drop(): void {
    this.op(O.DROP);
  }

  select(): void {
    this.op(O.SELECT);
  }

  call(functionIndex: number): void {
    this.opU32(O.CALL, functionIndex);
  }

  callIndirect(type: number, table = 0): void {
    this.opU32(O.CALL_INDIRECT, type);
    this.u32(table);
  }

  returnCall(functionIndex: number): void {
    this.opU32(O.RETURN_CALL, functionIndex);
  }

  returnCallIndirect(type: number, table = 0): void {
    this.opU32(O.RETURN_CALL_INDIRECT, type);
    this.u32(table);
  }

  // --- Prefixed instructions -----------------------------------------------------------------

  /** An instruction under PREFIX_FC without immediates: the saturating truncations. */
  fc(code: number): void {
    this.op(O.PREFIX_FC);
    this.op(code);
  }

  memoryCopy(): void {
    this.fc(O.MEMORY_COPY);
    this.op(0);
    this.op(0);
  }

  memoryFill(): void {
    this.fc(O.MEMORY_FILL);
    this.op(0);
  }

  /** A vector instruction without immediates. */
  simd(code: number): void {
    this.opU32(O.PREFIX_SIMD, code);
  }

  simdLane(code: number, lane: number): void {
    this.simd(code);
    this.op(lane);
  }

  /** Vector loads and stores of a whole vector, a splat or an extension. */
  simdMemory(code: number, offset: number, align = 0): void {
    this.simd(code);
    this.op(align);
    this.u32(offset);
  }

  simdMemoryLane(code: number, offset: number, lane: number, align = 0): void {
    this.simdMemory(code, offset, align);
    this.op(lane);
  }

  /** v128.const and i8x16.shuffle: sixteen bytes of immediate. */
  simdBytes(code: number, bytes: Uint8Array): void {
    this.simd(code);
    this.raw(bytes, 0, 16);
  }
}
