// Writes the ring of what happened last (shared/history.ts), and counts faults that follow each
// other with hardly an instruction between: a guest that only faults must not hold the host up.
import {
  BUDGET,
  EIP,
  EIP_CURRENT,
  FAULT_ADDRESS,
  HISTORY,
  INSTRUCTIONS,
  MODE,
  RECORD_CURRENT,
  RECORDS,
  SEGMENT_BASE,
  SELECTOR,
  SLICE,
} from '../shared/layout';
import {
  EVENT_ADDRESS,
  EVENT_BASE,
  EVENT_BRANCH,
  EVENT_CODE,
  EVENT_CS,
  EVENT_EIP,
  EVENT_INTERPRETED,
  EVENT_MODE,
  EVENT_START,
  FAULT_CHARGE,
  FAULT_RUN,
  FAULT_RUN_BARE,
  HISTORY_COUNT,
  HISTORY_ENTRIES,
  HISTORY_FIRST,
  RUN_CHARGED,
  RUN_INSTRUCTIONS,
} from '../shared/history';
import { HEADER_MARK, HEADER_PHYSICAL, MARK, RECORD_LENGTH, RECORD_SIZE } from '../shared/records';

/** Instructions retired at the last fault's delivery; 32 bits are enough for differences. */
let retiredBefore: u32 = 0;

/** Address of the next entry, its first two words written. */
function next(what: u32, eip: u32): usize {
  const events = load<u32>(HISTORY + HISTORY_COUNT);
  store<u32>(HISTORY + HISTORY_COUNT, events + 1);
  const entry: usize = HISTORY + HISTORY_FIRST + ((events & (HISTORY_ENTRIES - 1)) << 5);
  store<u32>(entry, what);
  store<u32>(entry, eip, EVENT_EIP);
  store<u32>(entry, load<u32>(SEGMENT_BASE + 4), EVENT_BASE);
  return entry;
}

/** The run loop enters a block or a region: EVENT_INTERPRETED, EVENT_TRANSLATED. */
export function noteEntry(kind: u32, eip: u32, mode: u32): void {
  store<u32>(next(kind, eip), mode, EVENT_MODE);
}

/** What was noted last as a region is a block that is interpreted. */
export function markInterpreted(): void {
  const last = (load<u32>(HISTORY + HISTORY_COUNT) - 1) & (HISTORY_ENTRIES - 1);
  store<u32>(HISTORY + HISTORY_FIRST + (last << 5), EVENT_INTERPRETED);
}

/** A fault, or an interrupt of any kind, at the instruction in EIP_CURRENT. `what`: bytes 0 to 3. */
export function noteEvent(what: u32, code: u32): void {
  const eip = load<u32>(EIP_CURRENT);
  const entry = next(what, eip);
  store<u32>(entry, load<u32>(MODE), EVENT_MODE);
  store<u32>(entry, load<u32>(SELECTOR + 4), EVENT_CS);
  store<u32>(entry, code, EVENT_CODE);
  store<u32>(entry, load<u32>(FAULT_ADDRESS), EVENT_ADDRESS);
  store<u32>(entry, blockStart(eip), EVENT_START);
}

/** EIP of the block that the instruction at `current` is in; `current` where it is not known. */
function blockStart(current: u32): u32 {
  const eip = load<u32>(EIP);
  if (eip <= current) return current - eip < 0x1000 ? eip : current;
  // An operation that ends its block has moved EIP behind itself.
  const rp = load<u32>(RECORD_CURRENT);
  if (rp < <u32>RECORDS || eip - current != <u32>load<u8>(rp, RECORD_LENGTH)) return current;
  return current - bytesBefore(rp);
}

/** Bytes of code in a record's block before it. */
function bytesBefore(rp: u32): u32 {
  let bytes: u32 = 0;
  for (let at = rp - RECORD_SIZE; load<u16>(at) != MARK; at -= RECORD_SIZE) {
    bytes += load<u8>(at, RECORD_LENGTH);
  }
  return bytes;
}

/**
 * The branch at `rp`, interpreted, went to where nothing can be fetched. Its page is the linear one
 * that `page` lies in.
 */
export function noteLostBranch(rp: u32, page: u32): void {
  let at = rp;
  while (load<u16>(at) != MARK) at -= RECORD_SIZE;
  const physical = load<u32>(at - HEADER_MARK, HEADER_PHYSICAL) + bytesBefore(rp);
  const base = load<u32>(SEGMENT_BASE + 4);
  const linear = (page & ~0xfff) | (physical & 0xfff);
  store<u32>(next(EVENT_BRANCH, linear - base), load<u32>(MODE), EVENT_MODE);
}

/**
 * A fault is about to be delivered. True: so many came in a row that the run loop must look at
 * budget and interrupts; each is then charged like some instructions, or time would stand still.
 */
export function countFault(): bool {
  const retired = load<u32>(INSTRUCTIONS) + load<u32>(SLICE) - load<u32>(BUDGET);
  const passed = retired - retiredBefore;
  retiredBefore = retired;
  const run = passed <= <u32>RUN_INSTRUCTIONS ? load<u32>(HISTORY + FAULT_RUN) + 1 : 0;
  store<u32>(HISTORY + FAULT_RUN, run);
  store<u32>(HISTORY + FAULT_RUN_BARE, passed ? 0 : load<u32>(HISTORY + FAULT_RUN_BARE) + 1);
  if (run < <u32>RUN_CHARGED) return false;
  store<i32>(BUDGET, load<i32>(BUDGET) - FAULT_CHARGE);
  retiredBefore += FAULT_CHARGE;
  return true;
}

/** An interrupt was taken: whatever faults may yet go on otherwise. */
export function endFaultRun(): void {
  store<u32>(HISTORY + FAULT_RUN, 0);
  store<u32>(HISTORY + FAULT_RUN_BARE, 0);
}
