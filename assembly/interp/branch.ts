// Near branches that are not worth a case in the interpreter's main function: by count, with 16-bit
// operand size, and where the code segment has a limit. EIP is behind the instruction on entry.
import { ECX, EIP } from '../shared/layout';
import { ZF } from '../shared/flags';
import { imm, r1 } from '../decode/fields';
import { raiseGP } from '../cpu/faults';
import { CS, limitOf } from '../cpu/segments';
import { getFlags } from '../ops/flags';

function jumpTo(target: u32): void {
  if (target > limitOf(CS)) raiseGP(0);
  store<u32>(EIP, target);
}

export function jump32(displacement: u32): void {
  jumpTo(load<u32>(EIP) + displacement);
}
export function jump16(displacement: u32): void {
  jumpTo((load<u32>(EIP) + displacement) & 0xffff);
}
export function jump32_if(condition: i32, displacement: u32): void {
  if (condition) jump32(displacement);
}
export function jump16_if(condition: i32, displacement: u32): void {
  if (condition) jump16(displacement);
}
export function jump_to16(target: i32): void {
  jumpTo(target & 0xffff);
}
export function jump_to32(target: i32): void {
  jumpTo(target);
}

/** Counts CX or ECX (r1 says which) down and gives what is left. */
function countDown(rp: u32): u32 {
  const count = r1(rp) ? (load<u16>(ECX) - 1) & 0xffff : load<u32>(ECX) - 1;
  return count;
}

function loopIf(rp: u32, wanted: bool, wide: bool): void {
  const count = countDown(rp);
  if (count && wanted) {
    if (wide) jump32(imm(rp));
    else jump16(imm(rp));
  }
  if (r1(rp)) store<u16>(ECX, count);
  else store<u32>(ECX, count);
}

function zero(): bool {
  return (getFlags() & ZF) != 0;
}

export function loop16(rp: u32): void {
  loopIf(rp, true, false);
}
export function loop32(rp: u32): void {
  loopIf(rp, true, true);
}
export function loope16(rp: u32): void {
  loopIf(rp, zero(), false);
}
export function loope32(rp: u32): void {
  loopIf(rp, zero(), true);
}
export function loopne16(rp: u32): void {
  loopIf(rp, !zero(), false);
}
export function loopne32(rp: u32): void {
  loopIf(rp, !zero(), true);
}

function counterIsZero(rp: u32): bool {
  return r1(rp) ? load<u16>(ECX) == 0 : load<u32>(ECX) == 0;
}
export function jcxz16(rp: u32): void {
  if (counterIsZero(rp)) jump16(imm(rp));
}
export function jcxz32(rp: u32): void {
  if (counterIsZero(rp)) jump32(imm(rp));
}
