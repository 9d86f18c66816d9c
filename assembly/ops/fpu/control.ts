// The control and status words: FNINIT FNCLEX FLDCW FNSTCW FNSTSW FWAIT.
import {
  CR0,
  FPU_BLOCKED,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_STATUS,
  FPU_TAGS,
  FPU_TOP,
} from '../../shared/layout';
import { MF } from '../../shared/faults';
import { raise, raiseNM } from '../../cpu/faults';
import { BLOCKED_PENDING, summarize } from './stack';
import { BUSY, ES, EXCEPTIONS, SF } from './words';

const CONTROL_AFTER_INIT: u32 = 0x37f;
/** Bit 6 reads as one; bit 12 is the 287's infinity control and is kept. */
const CONTROL_SETTABLE: u32 = 0x1f3f;
const CONTROL_ONES: u32 = 0x40;
const CR0_MP_TS: u32 = 0x2 | 0x8;

export function setControlWord(v: u32): void {
  store<u32>(FPU_CONTROL, (v & CONTROL_SETTABLE) | CONTROL_ONES);
}

/** The status word as programs see it, with TOP. */
export function statusWord(): u32 {
  return load<u32>(FPU_STATUS) | (load<u32>(FPU_TOP) << 11);
}

export function setStatusWord(v: u32): void {
  store<u32>(FPU_STATUS, v & 0xc7ff);
  store<u32>(FPU_TOP, (v >> 11) & 7);
}

export function fninit(): void {
  store<u32>(FPU_CONTROL, CONTROL_AFTER_INIT);
  store<u32>(FPU_STATUS, 0);
  store<u32>(FPU_TOP, 0);
  store<u32>(FPU_TAGS, 0);
  store<u32>(FPU_IP, 0);
  store<u32>(FPU_CS, 0);
  store<u32>(FPU_DP, 0);
  store<u32>(FPU_DS, 0);
  store<u32>(FPU_OPCODE, 0);
  summarize();
}

export function fnclex(): void {
  store<u32>(FPU_STATUS, load<u32>(FPU_STATUS) & ~(EXCEPTIONS | SF | ES | BUSY));
  summarize();
}

/** An exception that stands and loses its mask waits from now on. */
export function fldcw(v: u32): void {
  setControlWord(v);
  summarize();
}

export function fnstcw(): u32 {
  return load<u32>(FPU_CONTROL);
}

export function fnstsw(): u32 {
  return statusWord();
}

/** FENI, FDISI and FSETPM. */
export function fnop_control(): void {}

/** Has no unit: #NM needs both TS and MP, and EM does not matter (SDM vol. 3A table 2-2). */
export function fwait(): void {
  if ((load<u32>(CR0) & CR0_MP_TS) == CR0_MP_TS) raiseNM();
  if (load<u32>(FPU_BLOCKED) & BLOCKED_PENDING) raise(MF, 0);
}
