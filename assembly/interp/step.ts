// What the generated cases call around an instruction: where they are (EIP, count), faults, blocked
// units, and finding the next block when the quick lookup missed.
import {
  BUDGET,
  COUNT_CURRENT,
  SECOND_HASH,
  SECOND_HASH_ENTRIES,
  EFLAGS_SYSTEM,
  EIP,
  EIP_CURRENT,
  FAULT_PENDING,
  FPU_BLOCKED,
  CR0,
  CR4,
  HALTED,
  INHIBIT,
  INTR,
  MODE,
  NMI,
  RECORD_CURRENT,
  STOP,
  REGS,
  SLOT_ADDRESS,
} from '../shared/layout';
import {
  HEADER_MARK,
  HEADER_MODE,
  HEADER_SECOND,
  MARK,
  RECORD_LENGTH,
  RECORD_SIZE,
} from '../shared/records';
import { MF } from '../shared/faults';
import { IF } from '../shared/flags';
import { debugging } from '../cpu/debug';
import { shutdown } from '../cpu/interrupts';
import { raise, raiseGP, raiseNM, raiseUD } from '../cpu/faults';
import { linearAddress } from '../cpu/segments';
import { decodeBlock, hasRoom } from '../decode/decode';
import { imm, operandAddress } from '../decode/fields';
import { findBlock, hashSlot } from '../mem/codepages';
import { generationOf, translateFetch } from '../mem/tlb';

// Why interpret() came back.
/** Look the next block up again; interrupts and the budget wait for a place where they are checked. */
export const LEAVE_NEXT = 0;
/** The same, at a place where interrupts are taken and the budget is looked at. */
export const LEAVE_CHECK = 1;
/** The block at EIP reached the heat limit (or is translated). */
export const LEAVE_HOT = 2;

/** A block whose heat reaches this leaves the interpreter; 0xFFFFFFFF: never. */
export let heatLimit: u32 = 0xffffffff;

export function setHeatLimit(limit: u32): void {
  heatLimit = limit;
}

/** The blocks of the interpreter's last calls, a ring: an offset into it, then 16 addresses, 0 where none is. */
export const CALLS: usize = memory.data(68, 4);
export const CALLS_MASK: u32 = 60;

/** All blocks go: nothing may lead to them. */
export function forgetCalls(): void {
  memory.fill(CALLS, 0, 68);
}

/** Finds EIP_CURRENT, COUNT_CURRENT of the record by walking back to its block's header. */
export function begin(rp: u32): void {
  store<u32>(RECORD_CURRENT, rp);
  let bytes: u32 = 0;
  let count: u32 = 0;
  let at = rp - RECORD_SIZE;
  while (load<u16>(at) != MARK) {
    const length: u32 = load<u8>(at, RECORD_LENGTH);
    bytes += length;
    if (length) count++;
    at -= RECORD_SIZE;
  }
  store<u32>(EIP_CURRENT, load<u32>(EIP) + bytes);
  store<u32>(COUNT_CURRENT, count);
}

/** begin(), and EIP behind the instruction: it ends its block. */
export function beginEnd(rp: u32): void {
  begin(rp);
  store<u32>(EIP, load<u32>(EIP_CURRENT) + <u32>load<u8>(rp, RECORD_LENGTH));
}

/** After an operation that ended its block. */
export function endCold(): void {
  store<i32>(BUDGET, load<i32>(BUDGET) - load<i32>(COUNT_CURRENT) - 1);
  store<u32>(COUNT_CURRENT, 0);
}

/** Is there anything that the run loop must look at before the next instruction? */
export function mustLook(): bool {
  return (
    (load<u32>(INHIBIT) |
      load<u32>(HALTED) |
      load<u32>(STOP) |
      load<u32>(NMI) |
      (load<u32>(INTR) && load<u32>(EFLAGS_SYSTEM) & IF)) !=
      0 ||
    shutdown ||
    debugging()
  );
}

/** A slow access noted a fault: leave, the run loop delivers it. */
export function faulted(rp: u32, budget: i32): i32 {
  begin(rp);
  store<i32>(BUDGET, budget);
  return LEAVE_NEXT;
}

const CR0_EM: u32 = 4;
const CR4_OSFXSR: u32 = 0x200;
const SLOT: usize = REGS + SLOT_ADDRESS;

// --- Units that must not just run --------------------------------------------------------------

export function x87Blocked(): void {
  if (load<u32>(FPU_BLOCKED) & 1) raiseNM();
  raise(MF, 0);
}
export function x87NoWaitBlocked(): void {
  if (load<u32>(FPU_BLOCKED) & 1) raiseNM();
}
export function mmxBlocked(): void {
  if (load<u32>(CR0) & CR0_EM) raiseUD();
  x87Blocked();
}

export function sseBlocked(): void {
  if (load<u32>(CR0) & CR0_EM || (load<u32>(CR4) & CR4_OSFXSR) == 0) raiseUD();
  raiseNM();
}

// --- The next block ------------------------------------------------------------------------------

/** Physical address of a fetch; FAULT_PENDING tells whether it failed. */
export function nextPhysical(linear: u32): u32 {
  const physical = translateFetch(linear);
  if (load<u32>(FAULT_PENDING)) {
    store<u32>(EIP_CURRENT, load<u32>(EIP));
    store<u32>(COUNT_CURRENT, 0);
  }
  return physical;
}

/** Where (physical, mode) may stand in SECOND_HASH. */
function secondSlot(physical: u32, mode: u32): u32 {
  const key = ((physical ^ (mode << 22)) * 0x9e3779b1) >>> 16;
  return SECOND_HASH + ((key & (SECOND_HASH_ENTRIES - 1)) << 3);
}

function noteSecond(slot: u32, physical: u32, block: u32): u32 {
  store<u32>(slot, physical);
  store<u32>(slot, block, 4);
  return block;
}

/**
 * The block at (linear, physical) for the interpreter to go on with: from its page's list, or
 * decoded. 0: the run loop must look (a fault is noted, or there is no room).
 */
export function findNext(linear: u32, physical: u32, mode: u32): u32 {
  const other = secondSlot(physical, mode);
  let block = load<u32>(other, 4);
  if (load<u32>(other) != physical || !block || load<u32>(block, HEADER_MODE) != mode) {
    block = findBlock(physical, mode);
  }
  if (block) {
    const second = load<u32>(block, HEADER_SECOND);
    if (second) {
      const page = nextPhysical((linear | 0xfff) + 1);
      if (load<u32>(FAULT_PENDING)) return 0;
      // Mapped to another second page than the one it was decoded from.
      if ((page & ~0xfff) != second) block = 0;
      else return noteSecond(other, physical, block);
    }
  }
  if (!block) {
    if (!hasRoom()) return 0;
    block = decodeBlock(linear, physical, mode);
    if (!block) {
      store<u32>(EIP_CURRENT, load<u32>(EIP));
      store<u32>(COUNT_CURRENT, 0);
      return 0;
    }
    if (load<u32>(block, HEADER_SECOND)) return noteSecond(other, physical, block);
  }
  const slot = hashSlot(physical, mode);
  const loser = load<u32>(slot, 4);
  if (loser && loser != block) {
    const at = load<u32>(slot);
    noteSecond(secondSlot(at, load<u32>(loser, HEADER_MODE)), at, loser);
  }
  return noteSecond(slot, physical, block);
}

/**
 * For translated code about to go on into another page of its region: is `linear` still mapped to
 * physical `page`? If so notes it for as long as the generation holds. A fetch that faults is left
 * to the run loop, which makes it again.
 */
export function confirmPage(word: u32, linear: u32, page: u32): i32 {
  const physical = translateFetch(linear);
  if (load<u32>(FAULT_PENDING)) {
    store<u32>(FAULT_PENDING, 0);
    return 0;
  }
  if ((physical & ~0xfff) != page) return 0;
  store<u32>(word, generationOf(load<u32>(MODE)));
  return 1;
}

// --- Helper records --------------------------------------------------------------------------------

/** imm of an EA record: segment, operand bytes << 8, written << 18. 7: no segment, LEA. */
export function segmentAddress(rp: u32): void {
  checkedAddress(rp, operandAddress(rp));
}
export function segmentAddress16(rp: u32): void {
  checkedAddress(rp, operandAddress(rp) & 0xffff);
}
function checkedAddress(rp: u32, offset: u32): void {
  const what = imm(rp);
  const segment = what & 7;
  if (segment != 7) {
    offset = linearAddress(segment, offset, max((what >>> 8) & 0x3ff, 1), (what & 0x40000) != 0);
  }
  store<u32>(SLOT, offset);
}

/** BT and relatives with a register: the word of the bit string that holds the bit. */
export function bitAddress16(address: u32, bit: i32): void {
  store<u32>(SLOT, address + ((bit >> 4) << 1));
}
export function bitAddress32(address: u32, bit: i32): void {
  store<u32>(SLOT, address + ((bit >> 5) << 2));
}

/** The instruction is longer than 15 bytes. */
export function fetchFault(rp: u32): void {
  raiseGP(0);
}
