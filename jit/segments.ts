/**
 * Loads of ES, DS, FS and GS: they end a block, since the mode may change, and hardly ever change it. The core's
 * function does the load and says whether the region may go on; registers and flags stay in locals.
 */
import type { Code } from '../isa/codes.ts';
import type { Context } from './context.ts';

/** Numbers of the segment registers (SDM vol. 2A table 2-1): SS has a shadow, CS cannot be loaded. */
const [ES, DS, FS, GS] = [0, 3, 4, 5];
const LOADED = [ES, DS, FS, GS];
const ESP = 4;

/** Emits the load at `record`, pushes what the core says, and says true; or says that it is another operation. */
export function loadsSegment(c: Context, { name }: Code, record: number): boolean {
  const { decoded, e } = c;
  const pops = name === 'POP_SEG32_NONE';
  if (!pops && name !== 'MOV_TO_SEG16_RR') return false;
  const segment = pops ? decoded.imm(record) : decoded.r1(record);
  if (!LOADED.includes(segment)) return false;
  c.sync();
  e.i32Const(segment);
  if (!pops) e.i32Const(decoded.r2(record));
  e.call(c.imports.functionIndex(pops ? 'popSegment' : 'moveSegment'));
  if (pops) c.loadState(1 << ESP);
  return true;
}
