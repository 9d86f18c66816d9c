/**
 * Loads of ES, DS, FS and GS: they end a block, since the mode may change, and hardly ever change it. The core's
 * function does the usual ones and says whether the region may go on; all state stays in locals.
 */
import { SEGMENT_ELSEWHERE } from '../assembly/shared/regions.ts';
import type { Code } from '../isa/codes.ts';
import type { Context } from './context.ts';
import type { Decoded } from './decoded.ts';
import { loadValue, openStack, type Place } from './memory.ts';
import { getSlot } from './registers.ts';
import * as O from './wasm/opcodes.ts';

/** Numbers of the segment registers (SDM vol. 2A table 2-1): SS has a shadow, CS cannot be loaded. */
const [ES, DS, FS, GS] = [0, 3, 4, 5];
const LOADED = [ES, DS, FS, GS];
const ESP = 4;

const place: Place = { host: -1, distance: 0 };

/** Is the operation at `record` a load that loadSegment() emits? `pops`: it is POP. */
export function loadsSegment(
  decoded: Decoded,
  { name }: Code,
  record: number,
): { segment: number; pops: boolean } | undefined {
  const pops = name === 'POP_SEG32_NONE';
  if (!pops && name !== 'MOV_TO_SEG16_RR') return undefined;
  const segment = pops ? decoded.imm(record) : decoded.r1(record);
  return LOADED.includes(segment) ? { segment, pops } : undefined;
}

/** Emits the load at c.record, or leaves for the interpreter to do it; pushes whether the mode is another now. */
export function loadSegment(c: Context, segment: number, pops: boolean): void {
  const { decoded, e } = c;
  const result = c.locals.take(O.I32);
  if (pops) {
    openStack(c, ESP, 0, place);
    e.localGet(place.host);
    loadValue(c, 32, place.distance);
    e.localSet(result);
  }
  c.prepareLeave();
  e.i32Const(segment);
  if (pops) e.localGet(result);
  else getSlot(c, decoded.r2(c.record));
  e.call(c.imports.functionIndex('quickSegment'));
  e.localTee(result);
  e.op(O.I32_EQZ);
  c.leaveIf();
  if (pops) {
    e.localGet(c.registers[ESP]);
    e.i32Const(4);
    e.op(O.I32_ADD);
    e.localSet(c.registers[ESP]);
    c.dirty |= 1 << ESP;
  }
  e.localGet(result);
  e.i32Const(SEGMENT_ELSEWHERE);
  e.op(O.I32_EQ);
  c.locals.give(result);
}
