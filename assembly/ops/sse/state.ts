// State as a whole: MMX's hold on the x87 registers, FXSAVE and FXRSTOR.
import {
  FPU_BLOCKED,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_TAGS,
  FPU_TOP,
  MXCSR,
  XMM,
} from '../../shared/layout';
import { MF } from '../../shared/faults';
import { raise, raiseGP } from '../../cpu/faults';
import { probeWrite, read128, read16, read32, read64, read8 } from '../../mem/access';
import { write128, write16, write32, write64 } from '../../mem/access';
import { setControlWord, setStatusWord, statusWord } from '../fpu/control';
import { setRegister, st, summarize } from '../fpu/stack';
import { MXCSR_WRITABLE } from './mxcsr';

// --- MMX and the x87 registers -------------------------------------------------------------------

/**
 * What every MMX instruction does (SDM vol. 3A 12.2): TOP is 0, all registers are full. The glue
 * calls it for rows of unit 'mmx', and gives a register that it writes the exponent FFFF.
 */
export function mmx_enter(): void {
  store<u32>(FPU_TOP, 0);
  store<u32>(FPU_TAGS, 0xff);
}

/**
 * SSE instructions with an MMX register have unit 'sse' and call this first. The unit has looked
 * at EM and TS; what may still be is a pending x87 exception. Processors enter even when #XM
 * follows, but not when the memory operand, which was read before, faults.
 */
export function mmx_wait(): void {
  if (load<u32>(FPU_BLOCKED)) raise(MF, 0);
  mmx_enter();
}

/** EMMS: empties what mmx_enter has filled. */
export function emms(): void {
  store<u32>(FPU_TAGS, 0);
}

// --- FXSAVE, FXRSTOR (SDM vol. 1 10.5) -----------------------------------------------------------
// Tags are one bit a physical register, 1 = full; x87 registers are in stack order.

const IMAGE_SIZE: u32 = 512;
const IMAGE_ST: u32 = 32;
const IMAGE_XMM: u32 = 160;

export function fxsave(ea: u32): void {
  probeWrite(ea, IMAGE_SIZE);
  write16(ea, load<u32>(FPU_CONTROL));
  write16(ea + 2, statusWord());
  write16(ea + 4, load<u32>(FPU_TAGS));
  write16(ea + 6, load<u32>(FPU_OPCODE) & 0x7ff);
  write32(ea + 8, load<u32>(FPU_IP));
  write32(ea + 12, load<u32>(FPU_CS) & 0xffff);
  write32(ea + 16, load<u32>(FPU_DP));
  write32(ea + 20, load<u32>(FPU_DS) & 0xffff);
  write32(ea + 24, load<u32>(MXCSR));
  write32(ea + 28, MXCSR_WRITABLE);
  for (let i: u32 = 0; i < 8; i++) {
    const to = ea + IMAGE_ST + (i << 4);
    write64(to, load<u64>(st(i)));
    write64(to + 8, load<u16>(st(i), 8));
  }
  for (let i: u32 = 0; i < 8; i++) {
    write128(ea + IMAGE_XMM + (i << 4), v128.load(XMM + (i << 4)));
  }
}

export function fxrstor(ea: u32): void {
  // Both pages are looked at before anything changes.
  read8(ea);
  read8(ea + IMAGE_SIZE - 1);
  const mxcsr = read32(ea + 24);
  if (mxcsr & ~MXCSR_WRITABLE) raiseGP(0);
  setControlWord(read16(ea));
  setStatusWord(read16(ea + 2));
  store<u32>(FPU_TAGS, read8(ea + 4));
  store<u32>(FPU_OPCODE, read16(ea + 6) & 0x7ff);
  store<u32>(FPU_IP, read32(ea + 8));
  store<u32>(FPU_CS, read16(ea + 12));
  store<u32>(FPU_DP, read32(ea + 16));
  store<u32>(FPU_DS, read16(ea + 20));
  store<u32>(MXCSR, mxcsr);
  for (let i: u32 = 0; i < 8; i++) {
    const from = ea + IMAGE_ST + (i << 4);
    setRegister(st(i), read64(from), read16(from + 8));
  }
  for (let i: u32 = 0; i < 8; i++) {
    v128.store(XMM + (i << 4), read128(ea + IMAGE_XMM + (i << 4)));
  }
  summarize();
}

/** CLFLUSH faults as a load of its byte would; there is no cache to write back. */
export function clflush(ea: u32): void {
  read8(ea);
}
