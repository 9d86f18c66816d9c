// String operations. A REP form commits ECX, ESI and EDI element by element (or page by page where
// the TLB gives memory directly), so a fault or a restart finds the registers as far as it came.
// After LIMIT elements it goes back to its own EIP: interrupts get in (SDM vol. 2B REP).
// `context`: prefixes, see isa/maps.ts X.
import {
  DR,
  EAX,
  ECX,
  EDI,
  EDX,
  EFLAGS_SYSTEM,
  EIP,
  EIP_CURRENT,
  ESI,
  FLAG_A,
  FLAG_B,
  FLAG_KIND,
  FLAG_RESULT,
  TLB_ADDEND,
  TLB_CURRENT,
  TLB_READ,
  TLB_WRITE,
} from '../shared/layout';
import { DF, KIND_SUB, TF } from '../shared/flags';
import { probeWrite, read16, read32, read8, write16, write32, write8 } from '../mem/access';
import { entryOf } from '../mem/tlb';
import { checkPort } from '../cpu/privilege';
import { covers, ES, linearAddress } from '../cpu/segments';
import { readPort, writePort } from './io';

const LIMIT: u32 = 0x4000;
/** Port accesses cost a call each. */
const PORT_LIMIT: u32 = 0x400;

// --- One element -----------------------------------------------------------------------------------

function readElement(linear: u32, shift: u32): u32 {
  if (shift == 0) return read8(linear);
  return shift == 1 ? read16(linear) : read32(linear);
}

function writeElement(linear: u32, shift: u32, value: u32): void {
  if (shift == 0) write8(linear, value);
  else if (shift == 1) write16(linear, value);
  else write32(linear, value);
}

function peekElement(host: u32, shift: u32): u32 {
  if (shift == 0) return load<u8>(host);
  return shift == 1 ? load<u16>(host) : load<u32>(host);
}

function pokeElement(host: u32, shift: u32, value: u32): void {
  if (shift == 0) store<u8>(host, value);
  else if (shift == 1) store<u16>(host, value);
  else store<u32>(host, value);
}

/** Values of CMP's operands are kept sign-extended (shared/flags.ts). */
function extend(value: u32, shift: u32): i32 {
  if (shift == 0) return <i32>(<i8>value);
  return shift == 1 ? <i32>(<i16>value) : <i32>value;
}

function compare(a: u32, b: u32, shift: u32): void {
  const x = extend(a, shift);
  const y = extend(b, shift);
  store<u32>(FLAG_KIND, KIND_SUB);
  store<i32>(FLAG_A, x);
  store<i32>(FLAG_B, y);
  store<i32>(FLAG_RESULT, extend(x - y, shift));
}

// --- Registers and addresses -----------------------------------------------------------------------

function indexMask(context: u32): u32 {
  return context & 4 ? 0xffff : 0xffffffff;
}

/** How far an index moves: one element, backwards with DF. */
function stepOf(shift: u32): i32 {
  return load<u32>(EFLAGS_SYSTEM) & DF ? -(1 << shift) : 1 << shift;
}

function setIndex(register: usize, mask: u32, value: u32): void {
  if (mask == 0xffff) store<u16>(register, value);
  else store<u32>(register, value);
}

function source(context: u32, shift: u32): u32 {
  const offset = load<u32>(ESI) & indexMask(context);
  return linearAddress((context >>> 4) & 7, offset, 1 << shift, false);
}

function target(context: u32, shift: u32, write: bool): u32 {
  return linearAddress(ES, load<u32>(EDI) & indexMask(context), 1 << shift, write);
}

function advance(register: usize, context: u32, distance: u32): void {
  setIndex(register, indexMask(context), load<u32>(register) + distance);
}

function accumulator(shift: u32): u32 {
  return peekElement(EAX, shift);
}

/** Address in this memory when the page is in the TLB as plain memory, else 0. */
function hostRead(linear: u32): u32 {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_READ) != (linear | 0xfff)) return 0;
  return linear + load<u32>(entry, TLB_ADDEND);
}

function hostWrite(linear: u32): u32 {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_WRITE) != (linear | 0xfff)) return 0;
  return linear + load<u32>(entry, TLB_ADDEND);
}

/** Whole elements from `linear` to its page's end, in the direction of DF. */
function inPage(linear: u32, shift: u32, forward: bool): u32 {
  const offset = linear & 0xfff;
  if (forward) return (0x1000 - offset) >>> shift;
  return offset + (1 << shift) > 0x1000 ? 0 : (offset >>> shift) + 1;
}

/** Elements until a 16-bit index wraps; the element that starts it has been checked. */
function beforeWrap(register: usize, context: u32, shift: u32, forward: bool): u32 {
  if (!(context & 4)) return 0xffffffff;
  const index = load<u32>(register) & 0xffff;
  return forward ? (0x10000 - index) >>> shift : (index >>> shift) + 1;
}

/** True when the last of `count` elements is within the segment too (the first was checked). */
function lastFits(segment: u32, register: usize, context: u32, shift: u32, count: u32): bool {
  const offset = load<u32>(register) & indexMask(context);
  return count <= 1 || covers(segment, offset + (count - 1) * stepOf(shift), 1 << shift);
}

// --- REP -------------------------------------------------------------------------------------------

function counter(context: u32): u32 {
  return load<u32>(ECX) & indexMask(context);
}

/** One at a time where a debug exception may come after each. */
function iterations(limit: u32): u32 {
  return load<u32>(EFLAGS_SYSTEM) & TF || load<u32>(DR + 28) & 0xff ? 1 : limit;
}

function again(): void {
  store<u32>(EIP, load<u32>(EIP_CURRENT));
}

// --- MOVS ------------------------------------------------------------------------------------------

function movs(context: u32, shift: u32): void {
  const from = source(context, shift);
  const to = target(context, shift, true);
  writeElement(to, shift, readElement(from, shift));
  advance(ESI, context, stepOf(shift));
  advance(EDI, context, stepOf(shift));
}

function repMovs(context: u32, shift: u32): void {
  const step = stepOf(shift);
  const forward = step > 0;
  let count = counter(context);
  let left = iterations(LIMIT);
  while (count) {
    if (!left) {
      again();
      return;
    }
    const from = source(context, shift);
    const to = target(context, shift, true);
    let n = min(count, left);
    n = min(n, min(inPage(from, shift, forward), inPage(to, shift, forward)));
    n = min(n, beforeWrap(ESI, context, shift, forward));
    n = min(n, beforeWrap(EDI, context, shift, forward));
    const hostFrom = hostRead(from);
    const hostTo = hostWrite(to);
    if (
      n &&
      hostFrom &&
      hostTo &&
      lastFits((context >>> 4) & 7, ESI, context, shift, n) &&
      lastFits(ES, EDI, context, shift, n)
    ) {
      moveElements(hostFrom, hostTo, shift, n, step);
    } else {
      n = 1;
      writeElement(to, shift, readElement(from, shift));
    }
    advance(ESI, context, step * n);
    advance(EDI, context, step * n);
    count -= n;
    left -= n;
    setIndex(ECX, indexMask(context), count);
  }
}

function moveElements(from: u32, to: u32, shift: u32, n: u32, step: i32): void {
  // memory.copy is memmove: where a source element is written before it is read, go one by one.
  if (step > 0 && to - from >= n << shift) {
    memory.copy(to, from, n << shift);
    return;
  }
  for (; n; n--) {
    pokeElement(to, shift, peekElement(from, shift));
    from += step;
    to += step;
  }
}

// --- STOS ------------------------------------------------------------------------------------------

function stos(context: u32, shift: u32): void {
  writeElement(target(context, shift, true), shift, load<u32>(EAX));
  advance(EDI, context, stepOf(shift));
}

function repStos(context: u32, shift: u32): void {
  const step = stepOf(shift);
  const forward = step > 0;
  const value = accumulator(shift);
  let count = counter(context);
  let left = iterations(LIMIT);
  while (count) {
    if (!left) {
      again();
      return;
    }
    const to = target(context, shift, true);
    let n = min(min(count, left), inPage(to, shift, forward));
    n = min(n, beforeWrap(EDI, context, shift, forward));
    const host = hostWrite(to);
    if (n && host && lastFits(ES, EDI, context, shift, n)) {
      fillElements(host, shift, n, step, value);
    } else {
      n = 1;
      writeElement(to, shift, value);
    }
    advance(EDI, context, step * n);
    count -= n;
    left -= n;
    setIndex(ECX, indexMask(context), count);
  }
}

function fillElements(host: u32, shift: u32, n: u32, step: i32, value: u32): void {
  const byte = value & 0xff;
  const uniform = value == (shift == 0 ? byte : shift == 1 ? byte * 0x101 : byte * 0x1010101);
  if (step > 0 && uniform) {
    memory.fill(host, <u8>byte, n << shift);
    return;
  }
  for (; n; n--) {
    pokeElement(host, shift, value);
    host += step;
  }
}

// --- LODS ------------------------------------------------------------------------------------------

function lods(context: u32, shift: u32): void {
  pokeElement(EAX, shift, readElement(source(context, shift), shift));
  advance(ESI, context, stepOf(shift));
}

function repLods(context: u32, shift: u32): void {
  let count = counter(context);
  let left = iterations(LIMIT);
  while (count) {
    if (!left--) {
      again();
      return;
    }
    lods(context, shift);
    setIndex(ECX, indexMask(context), --count);
  }
}

// --- SCAS and CMPS ---------------------------------------------------------------------------------

function scas(context: u32, shift: u32): void {
  const value = readElement(target(context, shift, false), shift);
  compare(accumulator(shift), value, shift);
  advance(EDI, context, stepOf(shift));
}

/** Does REPE (prefix 1) or REPNE (2) go on after comparing these? */
function goesOn(context: u32, a: u32, b: u32): bool {
  return (a == b) == ((context & 3) == 1);
}

function repScas(context: u32, shift: u32): void {
  const step = stepOf(shift);
  const forward = step > 0;
  const wanted = accumulator(shift);
  let count = counter(context);
  let left = iterations(LIMIT);
  while (count) {
    if (!left) {
      again();
      return;
    }
    const at = target(context, shift, false);
    let n = min(min(count, left), inPage(at, shift, forward));
    n = min(n, beforeWrap(EDI, context, shift, forward));
    let host = hostRead(at);
    let value: u32 = 0;
    let done: u32 = 1;
    if (n && host && lastFits(ES, EDI, context, shift, n)) {
      value = peekElement(host, shift);
      while (done < n && goesOn(context, wanted, value)) {
        host += step;
        value = peekElement(host, shift);
        done++;
      }
    } else {
      value = readElement(at, shift);
    }
    advance(EDI, context, step * done);
    count -= done;
    left -= done;
    setIndex(ECX, indexMask(context), count);
    // The flags are written at a pause too: a fault later then shows those of the last pause,
    // as the manual allows (the next pass compares anew and does not read them).
    if (!count || !left || !goesOn(context, wanted, value)) compare(wanted, value, shift);
    if (!goesOn(context, wanted, value)) return;
  }
}

function cmps(context: u32, shift: u32): void {
  const from = source(context, shift);
  const to = target(context, shift, false);
  // Processors read the second operand first, as a fault in both shows.
  const b = readElement(to, shift);
  const a = readElement(from, shift);
  compare(a, b, shift);
  advance(ESI, context, stepOf(shift));
  advance(EDI, context, stepOf(shift));
}

function repCmps(context: u32, shift: u32): void {
  const step = stepOf(shift);
  const forward = step > 0;
  let count = counter(context);
  let left = iterations(LIMIT);
  while (count) {
    if (!left) {
      again();
      return;
    }
    const from = source(context, shift);
    const to = target(context, shift, false);
    let n = min(count, left);
    n = min(n, min(inPage(from, shift, forward), inPage(to, shift, forward)));
    n = min(n, beforeWrap(ESI, context, shift, forward));
    n = min(n, beforeWrap(EDI, context, shift, forward));
    let hostFrom = hostRead(from);
    let hostTo = hostRead(to);
    let a: u32 = 0;
    let b: u32 = 0;
    let done: u32 = 1;
    if (
      n &&
      hostFrom &&
      hostTo &&
      lastFits((context >>> 4) & 7, ESI, context, shift, n) &&
      lastFits(ES, EDI, context, shift, n)
    ) {
      a = peekElement(hostFrom, shift);
      b = peekElement(hostTo, shift);
      while (done < n && goesOn(context, a, b)) {
        hostFrom += step;
        hostTo += step;
        a = peekElement(hostFrom, shift);
        b = peekElement(hostTo, shift);
        done++;
      }
    } else {
      b = readElement(to, shift);
      a = readElement(from, shift);
    }
    advance(ESI, context, step * done);
    advance(EDI, context, step * done);
    count -= done;
    left -= done;
    setIndex(ECX, indexMask(context), count);
    if (!count || !left || !goesOn(context, a, b)) compare(a, b, shift);
    if (!goesOn(context, a, b)) return;
  }
}

// --- INS and OUTS ----------------------------------------------------------------------------------

function ins(context: u32, shift: u32): void {
  const port = load<u16>(EDX);
  checkPort(port, 1 << shift);
  const to = target(context, shift, true);
  // The port is read once: whatever could fault comes before it.
  probeWrite(to, 1 << shift);
  writeElement(to, shift, readPort(port, 1 << shift));
  advance(EDI, context, stepOf(shift));
}

function outs(context: u32, shift: u32): void {
  const port = load<u16>(EDX);
  checkPort(port, 1 << shift);
  const value = readElement(source(context, shift), shift);
  advance(ESI, context, stepOf(shift));
  writePort(port, 1 << shift, value);
}

function repIns(context: u32, shift: u32): void {
  let count = counter(context);
  let left = iterations(PORT_LIMIT);
  while (count) {
    if (!left--) {
      again();
      return;
    }
    ins(context, shift);
    setIndex(ECX, indexMask(context), --count);
  }
}

function repOuts(context: u32, shift: u32): void {
  let count = counter(context);
  let left = iterations(PORT_LIMIT);
  while (count) {
    if (!left--) {
      again();
      return;
    }
    outs(context, shift);
    setIndex(ECX, indexMask(context), --count);
  }
}

// --- By name and size ------------------------------------------------------------------------------

export function movs8(context: i32): void {
  movs(context, 0);
}
export function movs16(context: i32): void {
  movs(context, 1);
}
export function movs32(context: i32): void {
  movs(context, 2);
}
export function rep_movs8(context: i32): void {
  repMovs(context, 0);
}
export function rep_movs16(context: i32): void {
  repMovs(context, 1);
}
export function rep_movs32(context: i32): void {
  repMovs(context, 2);
}

export function stos8(context: i32): void {
  stos(context, 0);
}
export function stos16(context: i32): void {
  stos(context, 1);
}
export function stos32(context: i32): void {
  stos(context, 2);
}
export function rep_stos8(context: i32): void {
  repStos(context, 0);
}
export function rep_stos16(context: i32): void {
  repStos(context, 1);
}
export function rep_stos32(context: i32): void {
  repStos(context, 2);
}

export function lods8(context: i32): void {
  lods(context, 0);
}
export function lods16(context: i32): void {
  lods(context, 1);
}
export function lods32(context: i32): void {
  lods(context, 2);
}
export function rep_lods8(context: i32): void {
  repLods(context, 0);
}
export function rep_lods16(context: i32): void {
  repLods(context, 1);
}
export function rep_lods32(context: i32): void {
  repLods(context, 2);
}

export function scas8(context: i32): void {
  scas(context, 0);
}
export function scas16(context: i32): void {
  scas(context, 1);
}
export function scas32(context: i32): void {
  scas(context, 2);
}
export function rep_scas8(context: i32): void {
  repScas(context, 0);
}
export function rep_scas16(context: i32): void {
  repScas(context, 1);
}
export function rep_scas32(context: i32): void {
  repScas(context, 2);
}

export function cmps8(context: i32): void {
  cmps(context, 0);
}
export function cmps16(context: i32): void {
  cmps(context, 1);
}
export function cmps32(context: i32): void {
  cmps(context, 2);
}
export function rep_cmps8(context: i32): void {
  repCmps(context, 0);
}
export function rep_cmps16(context: i32): void {
  repCmps(context, 1);
}
export function rep_cmps32(context: i32): void {
  repCmps(context, 2);
}

export function ins8(context: i32): void {
  ins(context, 0);
}
export function ins16(context: i32): void {
  ins(context, 1);
}
export function ins32(context: i32): void {
  ins(context, 2);
}
export function rep_ins8(context: i32): void {
  repIns(context, 0);
}
export function rep_ins16(context: i32): void {
  repIns(context, 1);
}
export function rep_ins32(context: i32): void {
  repIns(context, 2);
}

export function outs8(context: i32): void {
  outs(context, 0);
}
export function outs16(context: i32): void {
  outs(context, 1);
}
export function outs32(context: i32): void {
  outs(context, 2);
}
export function rep_outs8(context: i32): void {
  repOuts(context, 0);
}
export function rep_outs16(context: i32): void {
  repOuts(context, 1);
}
export function rep_outs32(context: i32): void {
  repOuts(context, 2);
}
