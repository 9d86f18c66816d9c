// FLDENV FNSTENV FNSAVE FRSTOR: the environment in its four layouts (SDM vol. 1 8.1.10), 14 bytes
// for 16-bit operands and 28 for 32-bit, with selectors in protected mode and linear addresses
// in real and virtual-8086 mode; registers follow in stack order.
import {
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_REGS,
  FPU_TAGS,
  MODE,
} from '../../shared/layout';
import { MODE_PROTECTED, MODE_V86 } from '../../shared/modes';
import { probeWrite, read16, read32, requireAligned, write16, write32 } from '../../mem/access';
import { fninit, setControlWord, setStatusWord, statusWord } from './control';
import { setRegister, st, summarize } from './stack';
import { classOf, NORMAL, ZERO } from './value';
import { EXCEPTIONS } from './words';

/** The 16-bit tag word: 0 valid, 1 zero, 2 special, 3 empty; two bits a physical register. */
export function tagWord(): u32 {
  const full = load<u32>(FPU_TAGS);
  let word: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    let tag: u32 = 3;
    if ((full >> i) & 1) {
      const p: u32 = FPU_REGS + (i << 4);
      const c = classOf(load<u64>(p), load<u16>(p, 8));
      tag = c == NORMAL ? 0 : c == ZERO ? 1 : 2;
    }
    word |= tag << (i << 1);
  }
  return word;
}

/** Of a tag word only empty or not is kept. */
export function setTagWord(word: u32): void {
  let full: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) full |= (<u32>(((word >> (i << 1)) & 3) != 3)) << i;
  store<u32>(FPU_TAGS, full);
}

function realLayout(): bool {
  return (load<u32>(MODE) & (MODE_PROTECTED | MODE_V86)) != MODE_PROTECTED;
}

function storeEnvironment16(ea: u32): void {
  write16(ea, load<u32>(FPU_CONTROL));
  write16(ea + 2, statusWord());
  write16(ea + 4, tagWord());
  let ip = load<u32>(FPU_IP);
  let dp = load<u32>(FPU_DP);
  let cs = load<u32>(FPU_CS);
  let ds = load<u32>(FPU_DS);
  if (realLayout()) {
    ip += cs << 4;
    dp += ds << 4;
    cs = ((ip >> 4) & 0xf000) | (load<u32>(FPU_OPCODE) & 0x7ff);
    ds = (dp >> 4) & 0xf000;
  }
  write16(ea + 6, ip);
  write16(ea + 8, cs);
  write16(ea + 10, dp);
  write16(ea + 12, ds);
}

/** The reserved halves are all ones, except where addresses or the opcode are. */
function storeEnvironment32(ea: u32): void {
  write32(ea, load<u32>(FPU_CONTROL) | 0xffff0000);
  write32(ea + 4, statusWord() | 0xffff0000);
  write32(ea + 8, tagWord() | 0xffff0000);
  let ip = load<u32>(FPU_IP);
  let dp = load<u32>(FPU_DP);
  const opcode = load<u32>(FPU_OPCODE) & 0x7ff;
  if (realLayout()) {
    ip += load<u32>(FPU_CS) << 4;
    dp += load<u32>(FPU_DS) << 4;
    write32(ea + 12, (ip & 0xffff) | 0xffff0000);
    write32(ea + 16, ((ip >> 4) & 0xffff000) | opcode);
    write32(ea + 20, (dp & 0xffff) | 0xffff0000);
    write32(ea + 24, (dp >> 4) & 0xffff000);
    return;
  }
  write32(ea + 12, ip);
  write32(ea + 16, (load<u32>(FPU_CS) & 0xffff) | (opcode << 16));
  write32(ea + 20, dp);
  write32(ea + 24, (load<u32>(FPU_DS) & 0xffff) | 0xffff0000);
}

/** Reads everything before it changes anything: a page fault in the middle leaves the old state. */
function loadEnvironment(ea: u32, wide: bool): void {
  const step: u32 = wide ? 4 : 2;
  const control = read16(ea);
  const status = read16(ea + step);
  const tags = read16(ea + 2 * step);
  let ip: u32;
  let cs: u32;
  let dp: u32;
  let ds: u32;
  let opcode: u32 = 0;
  const real = realLayout();
  if (wide) {
    ip = read32(ea + 12);
    cs = read32(ea + 16);
    dp = read32(ea + 20);
    ds = read32(ea + 24);
    opcode = real ? cs : cs >> 16;
    if (real) {
      ip = (ip & 0xffff) | ((cs & 0xffff000) << 4);
      dp = (dp & 0xffff) | ((ds & 0xffff000) << 4);
    }
  } else {
    ip = read16(ea + 6);
    cs = read16(ea + 8);
    dp = read16(ea + 10);
    ds = read16(ea + 12);
    if (real) {
      opcode = cs;
      ip |= (cs & 0xf000) << 4;
      dp |= (ds & 0xf000) << 4;
    }
  }
  setControlWord(control);
  setStatusWord(status);
  setTagWord(tags);
  store<u32>(FPU_IP, ip);
  store<u32>(FPU_CS, real ? 0 : cs & 0xffff);
  store<u32>(FPU_DP, dp);
  store<u32>(FPU_DS, real ? 0 : ds & 0xffff);
  store<u32>(FPU_OPCODE, opcode & 0x7ff);
  summarize();
}

function maskAll(): void {
  store<u32>(FPU_CONTROL, load<u32>(FPU_CONTROL) | EXCEPTIONS);
  summarize();
}

export function fnstenv16(ea: u32): void {
  probeWrite(ea, 14);
  storeEnvironment16(ea);
  maskAll();
}

export function fnstenv32(ea: u32): void {
  probeWrite(ea, 28);
  storeEnvironment32(ea);
  maskAll();
}

export function fldenv16(ea: u32): void {
  loadEnvironment(ea, false);
}

export function fldenv32(ea: u32): void {
  loadEnvironment(ea, true);
}

function storeRegisters(ea: u32): void {
  for (let i: u32 = 0; i < 8; i++) {
    // In words: ten bytes apart, no greater alignment is asked of them.
    const p = st(i);
    for (let at: u32 = 0; at < 10; at += 2) write16(ea + at, load<u16>(p + at));
    ea += 10;
  }
}

export function fnsave16(ea: u32): void {
  probeWrite(ea, 94);
  storeEnvironment16(ea);
  storeRegisters(ea + 14);
  fninit();
}

export function fnsave32(ea: u32): void {
  probeWrite(ea, 108);
  storeEnvironment32(ea);
  storeRegisters(ea + 28);
  fninit();
}

function restore(ea: u32, wide: bool): void {
  const registers = ea + (wide ? 28 : 14);
  requireAligned(ea, wide ? 4 : 2);
  // The last byte first: whatever page is missing is missed before anything changes.
  read16(registers + 78);
  loadEnvironment(ea, wide);
  let from = registers;
  for (let i: u32 = 0; i < 8; i++) {
    let mantissa: u64 = 0;
    for (let at: u32 = 0; at < 8; at += 2) mantissa |= (<u64>read16(from + at)) << (at << 3);
    setRegister(st(i), mantissa, read16(from + 8));
    from += 10;
  }
}

export function frstor16(ea: u32): void {
  restore(ea, false);
}

export function frstor32(ea: u32): void {
  restore(ea, true);
}
