// Loads of ES, DS, FS and GS for translated code, which goes on behind them: an i386 kernel has six in
// each system call. All state is in memory, as for whatever may fault. Each returns 0, or 1 when
// the region must leave behind the instruction: the interpreter looks there (LEAVE_CHECK), too.
import { CODE_GENERATION, MODE, REGS, SHADOW } from '../shared/layout';
import { loadSegment } from '../cpu/segments';
import { pop_segment32 } from '../ops/stack';
import { mustLook } from './step';

function mustLeave(mode: u32, written: u32): i32 {
  return i32(
    load<u32>(MODE) != mode ||
      load<u32>(CODE_GENERATION) != written ||
      load<u32>(SHADOW) != 0 ||
      mustLook(),
  );
}

/** POP of 32 bits. */
export function popSegment(segment: u32): i32 {
  const mode = load<u32>(MODE);
  const written = load<u32>(CODE_GENERATION);
  pop_segment32(segment);
  return mustLeave(mode, written);
}

/** MOV from the register at `slot`. */
export function moveSegment(segment: u32, slot: u32): i32 {
  const mode = load<u32>(MODE);
  const written = load<u32>(CODE_GENERATION);
  loadSegment(segment, load<u16>(REGS + slot));
  return mustLeave(mode, written);
}
