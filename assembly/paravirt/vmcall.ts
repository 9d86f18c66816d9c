// VMCALL: how guest code reaches the hypervisor. What it means is the face's: a KVM hypercall, or a
// routine of the VMI ROM, which has pushed the number of the call:
//
//   [ESP]      call number        pushed by the routine
//   [ESP+4]    return address     pushed by the guest's CALL
//   [ESP+8]    stack arguments
//
// A VMI call returns to the caller by itself, both words popped. A fault in it is reported as if
// the CALL were the instruction that failed: EIP at the CALL, ESP as before it, so that a handler
// that mends the cause can go back and have the call made again.
import {
  EIP,
  EIP_CURRENT,
  ESP,
  FACE,
  FAULT_ADDRESS,
  FAULT_CODE,
  FAULT_PENDING,
  FAULT_VECTOR,
  RAM_BASE,
  SEGMENT_BASE,
  VMI_COUNTS,
  VMI_TRACED,
} from '../shared/layout';
import { FACE_KVM, FACE_VMI } from '../shared/paravirt';
import { raiseUD } from '../cpu/faults';
import { requireRing0 } from '../cpu/privilege';
import { CS } from '../cpu/segments';
import { VMI_CALLS, VMI_IRET, VMI_SYSEXIT, vmiDispatch } from '../generated/vmi';
import { read32 } from '../mem/access';
import { isRam } from '../mem/physical';
import { translateFetch } from '../mem/tlb';

/** A KVM hypercall: number and arguments in the registers, the result in EAX. */
export declare function hypercall(): void;
/** For --trace vmi: a call is about to be made; `frame` is the address of its stack arguments. */
export declare function vmiTrace(number: u32, frame: u32): void;

/** PUSH imm8: what the routine begins with, before its VMCALL. */
const PUSH_LENGTH: u32 = 2;

/** The call under way: the routine's first byte, and the address behind the guest's CALL. */
let start: u32 = 0;
let behind: u32 = 0;
/** ESP has been moved over both words already. */
let popped: bool = false;
/** A VMI call is under way. */
export let calling: bool = false;

export function vmcall(): void {
  const face = load<u32>(FACE);
  if (face == FACE_VMI) routine();
  else if (face == FACE_KVM) hypercall();
  else raiseUD();
}

/** AMD's spelling, which KVM guests may use as well. */
export function vmmcall(): void {
  if (load<u32>(FACE) == FACE_KVM) hypercall();
  else raiseUD();
}

function routine(): void {
  requireRing0();
  const stack = load<u32>(ESP);
  const number = read32(stack);
  behind = read32(stack + 4);
  start = load<u32>(EIP_CURRENT) - PUSH_LENGTH;
  popped = false;
  if (number < VMI_CALLS) {
    count(number);
    if (load<u32>(VMI_TRACED)) vmiTrace(number, stack + 8);
    calling = true;
    if (number == VMI_IRET || number == VMI_SYSEXIT) {
      // They find the stack as the site left it.
      store<u32>(ESP, stack + 8);
      popped = true;
    }
    const eip = load<u32>(EIP);
    vmiDispatch(number, stack + 8);
    calling = false;
    // A REP goes back to the VMCALL when it has more to do.
    if (popped || load<u32>(EIP) != eip) return;
  }
  // Also where a number that is no call's is ignored.
  store<u32>(ESP, stack + 8);
  store<u32>(EIP, behind);
}

export function count(number: u32): void {
  const at: usize = VMI_COUNTS + (number << 2);
  store<u32>(at, load<u32>(at) + 1);
}

// --- Faults --------------------------------------------------------------------------------------

/**
 * After a throw out of a call: `again` when the VMCALL is to run once more, alone; else the fault
 * is moved to the site of the call.
 */
export function settleCall(again: bool): void {
  calling = false;
  if (again) {
    if (popped) store<u32>(ESP, load<u32>(ESP) - 8);
    return;
  }
  const site = callSite();
  store<u32>(EIP_CURRENT, site ? site : start);
  if (!popped) store<u32>(ESP, load<u32>(ESP) + 8);
  // At the routine's start the return address is still on the stack.
  if (!site) store<u32>(ESP, load<u32>(ESP) - 4);
}

/** The CALL's first byte, found from the address behind it; 0: it is of an unusual form. */
function callSite(): u32 {
  // E8 rel32 to this routine; FF 15 through a fixed address, with a CS prefix or not; FF D0+r;
  // FF 50+r disp8; FF 90+r disp32.
  if (peek(5) == 0xe8 && word(4) == start - behind) return behind - 5;
  if (peek(6) == 0xff && peek(5) == 0x15) return behind - (peek(7) == 0x2e ? 7 : 6);
  if (peek(2) == 0xff && (peek(1) & 0xf8) == 0xd0) return behind - 2;
  if (peek(3) == 0xff && isBase(peek(2), 0x50)) return behind - 3;
  if (peek(6) == 0xff && isBase(peek(5), 0x90)) return behind - 6;
  return 0;
}

/** ModRM of CALL [register + displacement], without SIB. */
function isBase(modrm: u32, form: u32): bool {
  return (modrm & 0xf8) == form && (modrm & 7) != 4;
}

/**
 * The byte so far in front of `behind`, by the translation that the CALL was fetched through; 0 where
 * nothing is mapped. Raises nothing.
 */
function peek(distance: u32): u32 {
  const linear = behind - distance + load<u32>(SEGMENT_BASE + (CS << 2));
  const vector = load<u32>(FAULT_VECTOR);
  const code = load<u32>(FAULT_CODE);
  const address = load<u32>(FAULT_ADDRESS);
  const physical = translateFetch(linear);
  store<u32>(FAULT_PENDING, 1);
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_CODE, code);
  store<u32>(FAULT_ADDRESS, address);
  return isRam(physical) ? load<u8>(RAM_BASE + physical) : 0;
}

function word(distance: u32): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) value |= peek(distance - i) << (i << 3);
  return value;
}
