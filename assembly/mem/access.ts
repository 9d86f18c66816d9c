// Guest memory by linear address. Two families:
//   slowRead.. slowWrite..   behind a missed TLB compare; they note a fault and return (the
//                            interpreter's hot code and nothing else may use them)
//   read8.. write128, probeWrite, readSystem..   for everything else: they throw
// MMIO, and writes over decoded code, happen only while SINGLE is set: elsewhere they restart the
// instruction alone, so that no caller has to end its block halfway.
import {
  DR,
  RAM_BASE,
  SINGLE,
  TLB_ADDEND,
  TLB_CURRENT,
  TLB_KERNEL,
  TLB_READ,
  TLB_WRITE,
} from '../shared/layout';
import { PF_WRITE } from '../shared/faults';
import { PAGE_ATTRIBUTES, PAGE_RAM, PAGE_ROM } from '../shared/paging';
import { debugAccess } from '../cpu/debug';
import { fault, noteRestart } from '../cpu/faults';
import { misaligned } from './alignment';
import { codeOverlaps, invalidateCode } from './codepages';
import { mmioRead, mmioWrite, pageInfo } from './physical';
import { entryOf, translateIn, translated } from './tlb';

const DR7: usize = DR + 28;

// --- The slow paths ---------------------------------------------------------------------------

/** False: a fault or a restart is noted. */
let good: bool = true;

function readPhysical(physical: u32, size: u32): u32 {
  if (pageInfo(physical) & PAGE_RAM) {
    if (size == 4) return load<u32>(RAM_BASE + physical);
    if (size == 2) return load<u16>(RAM_BASE + physical);
    return load<u8>(RAM_BASE + physical);
  }
  if (!load<u32>(SINGLE)) {
    noteRestart();
    good = false;
    return 0;
  }
  return mmioRead(physical, size);
}

/** May [physical, + size) be written now? Notes a restart when it must run alone. */
function writable(physical: u32, size: u32): bool {
  if (load<u32>(SINGLE)) return true;
  const info = pageInfo(physical);
  if ((info & PAGE_RAM) == 0 || (info & ~PAGE_ATTRIBUTES && codeOverlaps(physical, size))) {
    noteRestart();
    return false;
  }
  return true;
}

function writePhysical(physical: u32, size: u32, value: u32): void {
  const info = pageInfo(physical);
  if ((info & PAGE_RAM) == 0) {
    mmioWrite(physical, size, value);
    return;
  }
  if (info & PAGE_ROM) return;
  if (info & ~PAGE_ATTRIBUTES) invalidateCode(physical, size);
  if (size == 4) store<u32>(RAM_BASE + physical, value);
  else if (size == 2) store<u16>(RAM_BASE + physical, value);
  else store<u8>(RAM_BASE + physical, value);
}

/** Reads 1, 2 or 4 bytes through `tlb`; zero-extended. On failure notes and returns 0. */
export function slowReadIn(tlb: u32, linear: u32, size: u32): u32 {
  if (load<u32>(DR7) & 0xff) debugAccess(linear, size, false);
  good = !misaligned(tlb, linear, size);
  if (!good) return 0;
  if ((linear & 0xfff) + size <= 0x1000) {
    if (!translateIn(tlb, linear, 0)) {
      good = false;
      return 0;
    }
    return readPhysical(translated, size);
  }
  if (!translateIn(tlb, linear, 0)) {
    good = false;
    return 0;
  }
  const first = translated;
  const split: u32 = 0x1000 - (linear & 0xfff);
  if (!translateIn(tlb, linear + split, 0)) {
    good = false;
    return 0;
  }
  const second = translated;
  let value: u32 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const byte = readPhysical(i < split ? first + i : second + i - split, 1);
    value |= byte << (i << 3);
  }
  return value;
}

/** Checks that [linear, + size) can be written through `tlb`; false: noted. */
export function slowProbeIn(tlb: u32, linear: u32, size: u32): bool {
  if (load<u32>(DR7) & 0xff) debugAccess(linear, size, true);
  good = false;
  if (!translateIn(tlb, linear, PF_WRITE)) return false;
  const first = translated;
  const split: u32 = 0x1000 - (linear & 0xfff);
  if (split >= size) {
    if (!writable(first, size)) return false;
  } else {
    if (!translateIn(tlb, linear + split, PF_WRITE)) return false;
    const second = translated;
    if (!writable(first, split) || !writable(second, size - split)) return false;
  }
  good = true;
  return true;
}

/** Writes 1, 2 or 4 bytes through `tlb`; nothing is written when a fault is noted. */
export function slowWriteIn(tlb: u32, linear: u32, size: u32, value: u32): void {
  good = !misaligned(tlb, linear, size);
  if (!good || !slowProbeIn(tlb, linear, size)) return;
  const split: u32 = 0x1000 - (linear & 0xfff);
  if (split >= size) {
    writePhysical(translated, size, value);
    return;
  }
  const second = translated;
  translateIn(tlb, linear, PF_WRITE);
  const first = translated;
  for (let i: u32 = 0; i < size; i++) {
    writePhysical(i < split ? first + i : second + i - split, 1, (value >>> (i << 3)) & 0xff);
  }
}

export function slowRead8(linear: u32): u32 {
  return slowReadIn(load<u32>(TLB_CURRENT), linear, 1);
}
export function slowRead16(linear: u32): u32 {
  return slowReadIn(load<u32>(TLB_CURRENT), linear, 2);
}
export function slowRead32(linear: u32): u32 {
  return slowReadIn(load<u32>(TLB_CURRENT), linear, 4);
}
export function slowWrite8(linear: u32, value: u32): void {
  slowWriteIn(load<u32>(TLB_CURRENT), linear, 1, value);
}
export function slowWrite16(linear: u32, value: u32): void {
  slowWriteIn(load<u32>(TLB_CURRENT), linear, 2, value);
}
export function slowWrite32(linear: u32, value: u32): void {
  slowWriteIn(load<u32>(TLB_CURRENT), linear, 4, value);
}

/** Checks the write of a read-modify-write and reads; on failure notes and returns 0. */
function slowModify(linear: u32, size: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  if (misaligned(tlb, linear, size)) return 0;
  return slowProbeIn(tlb, linear, size) ? slowReadIn(tlb, linear, size) : 0;
}
export function slowModify8(linear: u32): u32 {
  return slowModify(linear, 1);
}
export function slowModify16(linear: u32): u32 {
  return slowModify(linear, 2);
}
export function slowModify32(linear: u32): u32 {
  return slowModify(linear, 4);
}

// --- Accesses that throw ----------------------------------------------------------------------

function readIn(tlb: u32, linear: u32, size: u32): u32 {
  const value = slowReadIn(tlb, linear, size);
  if (!good) fault();
  return value;
}

function writeIn(tlb: u32, linear: u32, size: u32, value: u32): void {
  slowWriteIn(tlb, linear, size, value);
  if (!good) fault();
}

export function read8(linear: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_READ) == (linear | 0xfff)) {
    return load<u8>(linear + load<u32>(entry, TLB_ADDEND));
  }
  return readIn(tlb, linear, 1);
}

export function read16(linear: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 1) | 0xfff)) {
    return load<u16>(linear + load<u32>(entry, TLB_ADDEND));
  }
  return readIn(tlb, linear, 2);
}

export function read32(linear: u32): u32 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 3) | 0xfff)) {
    return load<u32>(linear + load<u32>(entry, TLB_ADDEND));
  }
  return readIn(tlb, linear, 4);
}

export function read64(linear: u32): u64 {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 7) | 0xfff)) {
    return load<u64>(linear + load<u32>(entry, TLB_ADDEND));
  }
  if (misaligned(tlb, linear, 8)) fault();
  const low = readIn(tlb, linear, 4);
  return ((<u64>readIn(tlb, linear + 4, 4)) << 32) | (<u64>low);
}

export function read128(linear: u32): v128 {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 15) | 0xfff)) {
    return v128.load(linear + load<u32>(entry, TLB_ADDEND));
  }
  requireAligned(linear, 16);
  const low = read64(linear);
  return i64x2.replace_lane(i64x2.splat(low), 1, read64(linear + 8));
}

export function write8(linear: u32, value: u32): void {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_WRITE) == (linear | 0xfff)) {
    store<u8>(linear + load<u32>(entry, TLB_ADDEND), value);
  } else {
    writeIn(tlb, linear, 1, value);
  }
}

export function write16(linear: u32, value: u32): void {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 1) | 0xfff)) {
    store<u16>(linear + load<u32>(entry, TLB_ADDEND), value);
  } else {
    writeIn(tlb, linear, 2, value);
  }
}

export function write32(linear: u32, value: u32): void {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 3) | 0xfff)) {
    store<u32>(linear + load<u32>(entry, TLB_ADDEND), value);
  } else {
    writeIn(tlb, linear, 4, value);
  }
}

export function write64(linear: u32, value: u64): void {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 7) | 0xfff)) {
    store<u64>(linear + load<u32>(entry, TLB_ADDEND), value);
    return;
  }
  probeWrite(linear, 8);
  write32(linear, <u32>value);
  write32(linear + 4, <u32>(value >> 32));
}

export function write128(linear: u32, value: v128): void {
  const entry = entryOf(load<u32>(TLB_CURRENT), linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 15) | 0xfff)) {
    v128.store(linear + load<u32>(entry, TLB_ADDEND), value);
    return;
  }
  probeWrite(linear, 16);
  write64(linear, i64x2.extract_lane(value, 0));
  write64(linear + 8, i64x2.extract_lane(value, 1));
}

/** #AC for an operand whose accesses do not tell its alignment: m80, and what is written in parts. */
export function requireAligned(linear: u32, alignment: u32): void {
  if (misaligned(load<u32>(TLB_CURRENT), linear, alignment)) fault();
}

/**
 * Raises unless all of [linear, + size) can be written now; size at most 4096. The alignment is that
 * of the words the size is made of.
 */
export function probeWrite(linear: u32, size: u32): void {
  const tlb = load<u32>(TLB_CURRENT);
  const entry = entryOf(tlb, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + size - 1) | 0xfff)) return;
  if (misaligned(tlb, linear, min(size & (0 - size), 16))) fault();
  if (!slowProbeIn(tlb, linear, size)) fault();
}

// --- With supervisor rights whatever the CPL: descriptor tables, TSS ---------------------------

export function readSystem8(linear: u32): u32 {
  return readIn(TLB_KERNEL, linear, 1);
}

export function readSystem16(linear: u32): u32 {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 1) | 0xfff)) {
    return load<u16>(linear + load<u32>(entry, TLB_ADDEND));
  }
  return readIn(TLB_KERNEL, linear, 2);
}

export function readSystem32(linear: u32): u32 {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 3) | 0xfff)) {
    return load<u32>(linear + load<u32>(entry, TLB_ADDEND));
  }
  return readIn(TLB_KERNEL, linear, 4);
}

export function readSystem64(linear: u32): u64 {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_READ) == ((linear + 7) | 0xfff)) {
    return load<u64>(linear + load<u32>(entry, TLB_ADDEND));
  }
  const low = readSystem32(linear);
  return ((<u64>readSystem32(linear + 4)) << 32) | (<u64>low);
}

export function writeSystem8(linear: u32, value: u32): void {
  writeIn(TLB_KERNEL, linear, 1, value);
}

export function writeSystem16(linear: u32, value: u32): void {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 1) | 0xfff)) {
    store<u16>(linear + load<u32>(entry, TLB_ADDEND), value);
  } else {
    writeIn(TLB_KERNEL, linear, 2, value);
  }
}

export function writeSystem32(linear: u32, value: u32): void {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + 3) | 0xfff)) {
    store<u32>(linear + load<u32>(entry, TLB_ADDEND), value);
  } else {
    writeIn(TLB_KERNEL, linear, 4, value);
  }
}

export function probeSystemWrite(linear: u32, size: u32): void {
  const entry = entryOf(TLB_KERNEL, linear);
  if (load<u32>(entry, TLB_WRITE) == ((linear + size - 1) | 0xfff)) return;
  if (!slowProbeIn(TLB_KERNEL, linear, size)) fault();
}
