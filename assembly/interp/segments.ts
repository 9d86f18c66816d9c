// Loads of ES, DS, FS and GS for translated code, which goes on behind them: an i386 kernel has six to ten in
// each system call. Nothing of the state in memory is asked for but the segment registers.
import { CPL, GDTR_BASE, GDTR_LIMIT, MODE } from '../shared/layout';
import { MODE_PROTECTED, MODE_V86 } from '../shared/modes';
import { SEGMENT_ELSEWHERE, SEGMENT_LOADED, SEGMENT_NOT } from '../shared/regions';
import {
  ACCESSED,
  CODE,
  dplOf,
  NOT_SYSTEM,
  PRESENT,
  setFromDescriptor,
  setNull,
  updateMode,
  usable,
} from '../cpu/segments';
import { toRead } from '../mem/tlb';

/**
 * loadSegment() (cpu/segments.ts) of a null selector, or of data that is present and accessed already, in the
 * GDT and the TLB. SEGMENT_NOT: nothing has been done; the interpreter loads it, checks and faults.
 */
export function quickSegment(segment: u32, selector: u32): i32 {
  const mode = load<u32>(MODE);
  if ((mode & (MODE_PROTECTED | MODE_V86)) != MODE_PROTECTED) return SEGMENT_NOT;
  selector &= 0xffff;
  const before = usable(segment);
  if (!(selector & 0xfffc)) {
    setNull(segment, selector);
  } else {
    if (selector & 4 || (selector | 7) > load<u32>(GDTR_LIMIT)) return SEGMENT_NOT;
    const at = toRead(load<u32>(GDTR_BASE) + (selector & 0xfff8), 8);
    if (!at) return SEGMENT_NOT;
    const high = load<u32>(at, 4);
    const wanted = PRESENT | NOT_SYSTEM | ACCESSED;
    if ((high & (wanted | CODE)) != wanted) return SEGMENT_NOT;
    const dpl = dplOf(high);
    if (dpl < load<u32>(CPL) || dpl < (selector & 3)) return SEGMENT_NOT;
    setFromDescriptor(segment, selector, load<u32>(at), high);
  }
  if (usable(segment) == before) return SEGMENT_LOADED;
  updateMode();
  return load<u32>(MODE) == mode ? SEGMENT_LOADED : SEGMENT_ELSEWHERE;
}
