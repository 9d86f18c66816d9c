// A stack that is pushed to or popped from before anything of it is committed: the current one or
// the one of an inner privilege level. Memory is written as pushes happen (below the stack pointer
// that is the instruction's own business), SS and ESP only when the caller commits them.
import { ESP, MODE } from '../shared/layout';
import { SS_VECTOR } from '../shared/faults';
import { MODE_FLAT } from '../shared/modes';
import {
  probeWrite,
  read16,
  read32,
  readSystem16,
  readSystem32,
  write16,
  write32,
  writeSystem16,
  writeSystem32,
} from '../mem/access';
import {
  accessOf,
  baseOf,
  BIG,
  descriptorBase,
  descriptorLimit,
  EXPAND_DOWN,
  external,
  limitOf,
  SS,
  withinLimit,
} from './segments';
import { raise } from './faults';

let base: u32 = 0;
let mask: u32 = 0;
let limit: u32 = 0;
let access: u32 = 0;
let open: bool = false;
let system: bool = false;
let code: u32 = 0;
/** Where the stack pointer would be; not masked. */
export let pointer: u32 = 0;

/** SS:ESP as they are. */
export function openStack(): void {
  access = accessOf(SS);
  mask = access & BIG ? 0xffffffff : 0xffff;
  pointer = load<u32>(ESP);
  code = external;
  system = false;
  base = baseOf(SS);
  limit = limitOf(SS);
  open = (load<u32>(MODE) & MODE_FLAT) != 0;
}

/** The stack of a more privileged level, given by SS's descriptor; `selector` is for #SS. */
export function openInner(low: u32, high: u32, esp: u32, selector: u32): void {
  access = high;
  mask = high & BIG ? 0xffffffff : 0xffff;
  pointer = esp;
  code = (selector & 0xfffc) | external;
  // The pushes count as the inner level's, which CPL does not say yet.
  system = true;
  base = descriptorBase(low, high);
  limit = descriptorLimit(low, high);
  open = limit == 0xffffffff && !(high & EXPAND_DOWN);
}

/** The current SS:ESP after a task switch: limit violations name the selector (`errorCode`). */
export function openWithCode(errorCode: u32): void {
  openStack();
  code = errorCode;
}

function address(offset: u32, size: u32): u32 {
  offset &= mask;
  if (!open && !withinLimit(offset, size, limit, access)) raise(SS_VECTOR, code);
  return base + offset;
}

export function push16(value: u32): void {
  const linear = address(pointer - 2, 2);
  if (system) writeSystem16(linear, value);
  else write16(linear, value);
  pointer -= 2;
}

export function push32(value: u32): void {
  const linear = address(pointer - 4, 4);
  if (system) writeSystem32(linear, value);
  else write32(linear, value);
  pointer -= 4;
}

export function push(value: u32, wide: bool): void {
  if (wide) push32(value);
  else push16(value);
}

export function pop16(): u32 {
  const linear = address(pointer, 2);
  const value: u32 = system ? readSystem16(linear) : read16(linear);
  pointer += 2;
  return value & 0xffff;
}

export function pop32(): u32 {
  const linear = address(pointer, 4);
  const value: u32 = system ? readSystem32(linear) : read32(linear);
  pointer += 4;
  return value;
}

export function pop(wide: bool): u32 {
  return wide ? pop32() : pop16();
}

/** Reads at pointer + offset without moving it. */
export function peek(offset: u32, wide: bool): u32 {
  const linear = address(pointer + offset, wide ? 4 : 2);
  return wide ? read32(linear) : read16(linear) & 0xffff;
}

/** Faults if `size` bytes at the pointer could not be written. */
export function probeTop(size: u32): void {
  probeWrite(address(pointer, size), size);
}

/** Lets `bytes` of parameters go (RET n). */
export function release(bytes: u32): void {
  pointer += bytes;
}

/** Puts the pointer into ESP, or into SP when the stack is a 16-bit one. */
export function commitPointer(): void {
  setPointer(pointer, mask);
}

/** Puts `value` into ESP, or into SP where the stack segment's B bit is clear. */
export function setStackPointer(value: u32): void {
  setPointer(value, accessOf(SS) & BIG ? 0xffffffff : 0xffff);
}

function setPointer(value: u32, mask: u32): void {
  if (mask == 0xffffffff) store<u32>(ESP, value);
  else store<u16>(ESP, value);
}
