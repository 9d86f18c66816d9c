// Stack operations through the register file: every form that the flat 32-bit fast paths do not
// cover (16-bit stacks or operands, a stack segment with base or limit), and PUSHA, POPA, ENTER,
// PUSHF, POPF and segment registers on any stack.
import { CPL, EAX, EBP, EBX, ECX, EDI, EDX, EIP, ESI, ESP, INHIBIT, MODE } from '../shared/layout';
import { RECORD_DISP, RECORD_IMM } from '../shared/records';
import { GP } from '../shared/faults';
import { IOPL, RF, VIF, VIP } from '../shared/flags';
import { MODE_FLAT, MODE_STACK32 } from '../shared/modes';
import { read32, write16, write32 } from '../mem/access';
import { INHIBIT_STACK } from '../cpu/debug';
import { raise } from '../cpu/faults';
import { changeFlags, flagMask, isV86, pushedFlags, requireV86Iopl } from '../cpu/privilege';
import { accessOf, BIG, CS, limitOf, loadSegment, selectorOf, SS } from '../cpu/segments';
import {
  commitPointer,
  openStack,
  peek,
  pop16,
  pop32,
  probeTop,
  push16,
  push32,
  release,
} from '../cpu/stack';

// --- PUSH and POP --------------------------------------------------------------------------------

export function push_any16(value: i32): void {
  openStack();
  push16(value);
  commitPointer();
}

export function push_any32(value: i32): void {
  openStack();
  push32(value);
  commitPointer();
}

export function pop_any16(): i32 {
  openStack();
  const value = pop16();
  commitPointer();
  return <i32>(<i16>value);
}

export function pop_any32(): i32 {
  openStack();
  const value = pop32();
  commitPointer();
  return value;
}

/** POP to memory: the decoder has moved an address that uses ESP (SDM vol. 2B POP). */
export function pop_memory16(ea: i32): void {
  openStack();
  write16(ea, pop16());
  commitPointer();
}

export function pop_memory32(ea: i32): void {
  openStack();
  write32(ea, pop32());
  commitPointer();
}

export function push_segment16(segment: i32): void {
  push_any16(selectorOf(segment));
}

/** The upper half is zero; some processors leave that half of the stack as it was. */
export function push_segment32(segment: i32): void {
  if (!isFlatStack()) {
    push_any32(selectorOf(segment));
    return;
  }
  const sp = load<u32>(ESP) - 4;
  write32(sp, selectorOf(segment));
  store<u32>(ESP, sp);
}

const FLAT_STACK: u32 = MODE_FLAT | MODE_STACK32;

/** Does ESP say all of the stack? Kernels save four segment registers in each system call. */
function isFlatStack(): bool {
  return (load<u32>(MODE) & FLAT_STACK) == FLAT_STACK;
}

export function pop_segment16(segment: i32): void {
  openStack();
  popSegment(segment, pop16());
}

export function pop_segment32(segment: i32): void {
  if (isFlatStack() && segment != SS) {
    const sp = load<u32>(ESP);
    loadSegment(segment, read32(sp));
    store<u32>(ESP, sp + 4);
    return;
  }
  openStack();
  popSegment(segment, pop32());
}

function popSegment(segment: u32, selector: u32): void {
  if (segment != SS) {
    loadSegment(segment, selector);
    commitPointer();
    return;
  }
  // The pointer was opened with the old stack's width, and moves by it.
  loadSegment(SS, selector);
  commitPointer();
  store<u32>(INHIBIT, INHIBIT_STACK);
}

// --- PUSHA and POPA ------------------------------------------------------------------------------

export function pusha16(): void {
  openStack();
  push16(load<u32>(EAX));
  push16(load<u32>(ECX));
  push16(load<u32>(EDX));
  push16(load<u32>(EBX));
  push16(load<u32>(ESP));
  push16(load<u32>(EBP));
  push16(load<u32>(ESI));
  push16(load<u32>(EDI));
  commitPointer();
}

export function pusha32(): void {
  openStack();
  push32(load<u32>(EAX));
  push32(load<u32>(ECX));
  push32(load<u32>(EDX));
  push32(load<u32>(EBX));
  push32(load<u32>(ESP));
  push32(load<u32>(EBP));
  push32(load<u32>(ESI));
  push32(load<u32>(EDI));
  commitPointer();
}

export function popa16(): void {
  openStack();
  const di = pop16();
  const si = pop16();
  const bp = pop16();
  release(2);
  const bx = pop16();
  const dx = pop16();
  const cx = pop16();
  const ax = pop16();
  store<u16>(EDI, di);
  store<u16>(ESI, si);
  store<u16>(EBP, bp);
  store<u16>(EBX, bx);
  store<u16>(EDX, dx);
  store<u16>(ECX, cx);
  store<u16>(EAX, ax);
  commitPointer();
}

export function popa32(): void {
  openStack();
  const edi = pop32();
  const esi = pop32();
  const ebp = pop32();
  release(4);
  const ebx = pop32();
  const edx = pop32();
  const ecx = pop32();
  const eax = pop32();
  store<u32>(EDI, edi);
  store<u32>(ESI, esi);
  store<u32>(EBP, ebp);
  store<u32>(EBX, ebx);
  store<u32>(EDX, edx);
  store<u32>(ECX, ecx);
  store<u32>(EAX, eax);
  commitPointer();
}

// --- ENTER and LEAVE -----------------------------------------------------------------------------

export function enter16(rp: u32): void {
  enter(rp, false);
}

export function enter32(rp: u32): void {
  enter(rp, true);
}

function enter(rp: u32, wide: bool): void {
  const size = load<u32>(rp, RECORD_IMM) & 0xffff;
  const level = load<u32>(rp, RECORD_DISP) & 31;
  const step: u32 = wide ? 4 : 2;
  const big = (accessOf(SS) & BIG) != 0;
  const esp = load<u32>(ESP);
  const ebp = load<u32>(EBP);
  openStack();
  pushWidth(ebp, wide);
  const frame = esp - step;
  if (level) {
    for (let i: u32 = 1; i < level; i++) {
      // The enclosing frames' pointers stand below the one EBP names; read as stack accesses.
      const value = peek(ebp - i * step - (esp - i * step), wide);
      pushWidth(value, wide);
    }
    pushWidth(big ? frame : (frame & 0xffff) | (esp & 0xffff0000), wide);
  }
  release(0 - size);
  // A push at the new top must not fault (SDM vol. 2A ENTER).
  probeTop(step);
  commitPointer();
  if (big) store<u32>(EBP, wide ? frame : (ebp & 0xffff0000) | (frame & 0xffff));
  else store<u16>(EBP, frame);
}

function pushWidth(value: u32, wide: bool): void {
  if (wide) push32(value);
  else push16(value);
}

export function leave_any16(): void {
  leave(false);
}

export function leave_any32(): void {
  leave(true);
}

function leave(wide: bool): void {
  openStack();
  release(load<u32>(EBP) - load<u32>(ESP));
  const value = wide ? pop32() : pop16();
  commitPointer();
  if (wide) store<u32>(EBP, value);
  else store<u16>(EBP, value);
}

// --- Flags ---------------------------------------------------------------------------------------

export function pushf16(): void {
  requireV86Iopl();
  push_any16(pushedFlags());
}

export function pushf32(): void {
  requireV86Iopl();
  push_any32(pushedFlags());
}

export function popf16(): void {
  requireV86Iopl();
  openStack();
  const value = pop16();
  commitPointer();
  popFlags(value, false);
}

export function popf32(): void {
  requireV86Iopl();
  openStack();
  const value = pop32();
  commitPointer();
  popFlags(value, true);
}

function popFlags(value: u32, wide: bool): void {
  let mask = flagMask(load<u32>(CPL), wide);
  if (isV86()) mask &= ~IOPL;
  // POPF clears RF, and VIF and VIP in ring 0, whatever was popped.
  value &= ~(RF | VIF | VIP);
  changeFlags(value, wide ? mask | RF : mask);
}

// --- Near calls and returns ----------------------------------------------------------------------

function jumpTo(target: u32): void {
  store<u32>(EIP, target);
}

/** #GP(0) before anything is committed when the target is beyond CS's limit. */
function checkTarget(target: u32): void {
  if (target > limitOf(CS)) raise(GP, 0);
}

export function call_any16(displacement: i32): void {
  call_to16(load<u32>(EIP) + displacement);
}

export function call_any32(displacement: i32): void {
  call_to32(load<u32>(EIP) + displacement);
}

export function call_to16(target: i32): void {
  target &= 0xffff;
  checkTarget(target);
  push_any16(load<u32>(EIP));
  jumpTo(target);
}

export function call_to32(target: i32): void {
  checkTarget(target);
  push_any32(load<u32>(EIP));
  jumpTo(target);
}

export function ret_any16(bytes: i32): void {
  openStack();
  const target = pop16();
  checkTarget(target);
  release(bytes & 0xffff);
  commitPointer();
  jumpTo(target);
}

export function ret_any32(bytes: i32): void {
  openStack();
  const target = pop32();
  checkTarget(target);
  release(bytes & 0xffff);
  commitPointer();
  jumpTo(target);
}
