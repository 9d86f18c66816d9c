/**
 * SSE instructions that only move lanes and whose core function would find out from the immediate,
 * when the code runs, what is known when it is translated; and loads and stores of lanes. tests/native
 * compares them with the processor, the core's with both.
 */
import type { Context } from './context.ts';
import type { Place } from './memory.ts';
import { put } from './registers.ts';
import * as K from './sse-rows.ts';
import type { Row } from './sse-rows.ts';
import type { Bound } from './sse.ts';
import { CONSTANT } from './splice.ts';
import {
  DOUBLES,
  SINGLES,
  LOW_DOUBLE,
  HIGH_DOUBLE,
  HIGH_SINGLES,
  LOW_SINGLE,
  putVector,
} from './vectors.ts';
import * as S from './wasm/simd.ts';

const ZERO = new Uint8Array(16);
const bytes = new Uint8Array(16);

/** Emits the instruction and says true, or leaves it to its recipe. */
export function emitLanes(
  c: Context,
  row: Row,
  record: number,
  { bound, constants, count }: Bound,
  place: Place,
): boolean {
  const { e, decoded } = c;
  const slot = decoded.r1(record);
  const imm = constants[count - 1]!;
  switch (row.kind) {
    case K.SHUFFLE: {
      e.localGet(bound[0]!);
      if (row.operation >= K.FIRST_WITH_ZERO) e.simdBytes(S.V128_CONST, ZERO);
      else e.localGet(bound[row.operation >= K.FIRST_OF_TWO ? 1 : 0]!);
      const index = K.SHUFFLES[row.operation]!;
      for (let at = 0; at < 16; at++) bytes[at] = index(imm & 0xff, at);
      e.simdBytes(S.I8X16_SHUFFLE, bytes);
      putVector(c, slot, 0);
      return true;
    }
    case K.SHIFT_IMMEDIATE: {
      const [opcode, bits, arithmetic] = K.SHIFTS[row.operation]!;
      const distance = imm & 0xff;
      if (distance >= bits && !arithmetic) e.simdBytes(S.V128_CONST, ZERO);
      else {
        e.localGet(bound[0]!);
        e.i32Const(Math.min(distance, bits - 1));
        e.simd(opcode);
      }
      putVector(c, slot, 0);
      return true;
    }
    case K.INSERT:
      e.localGet(bound[0]!);
      if (bound[1] === CONSTANT) e.i32Const(constants[1]!);
      else e.localGet(bound[1]!);
      e.simdLane(S.I16X8_REPLACE_LANE, imm & 7);
      putVector(c, slot, 0);
      return true;
    case K.EXTRACT:
      e.localGet(bound[0]!);
      e.simdLane(S.I16X8_EXTRACT_LANE_U, imm & 7);
      put(c, slot, 32);
      return true;
    case K.STORE_LANE:
      e.localGet(place.host);
      e.localGet(bound[0]!);
      e.simdMemoryLane(
        row.single ? S.V128_STORE32_LANE : S.V128_STORE64_LANE,
        place.distance,
        row.operation,
      );
      return true;
    case K.DIFFERENCE:
      if (slot !== decoded.r2(record)) return false;
      e.simdBytes(S.V128_CONST, ZERO);
      putVector(c, slot, DOUBLES | SINGLES);
      return true;
    case K.LOAD_LANE:
      e.localGet(bound[0]!);
      putVector(c, slot, row.plain);
      return true;
  }
  return false;
}

/** Before a row that passes: what will be known of its result. */
export function knownResult({ decoded, vectors }: Context, row: Row, record: number): number {
  if (row.known === K.KNOWN) return row.plain;
  const { plain } = vectors;
  const old = plain[decoded.r1(record) >> 4]!;
  const other = plain[decoded.r2(record) >> 4]!;
  switch (row.known) {
    case K.KNOWN_COPY:
      return other;
    case K.KNOWN_LOW_DOUBLE:
      // CVTSI2SD's operand is no XMM register.
      return row.plain || (other & LOW_DOUBLE) | (old & HIGH_DOUBLE);
    case K.KNOWN_LOW_SINGLE:
      return (other & LOW_SINGLE) | (old & (HIGH_DOUBLE | HIGH_SINGLES));
    default:
      return (old & LOW_DOUBLE) | (other & LOW_DOUBLE ? HIGH_DOUBLE : 0);
  }
}
