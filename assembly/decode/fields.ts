// The fields of a record, by name (shared/records.ts).
import { REGS } from '../shared/layout';
import {
  RECORD_BASE,
  RECORD_DISP,
  RECORD_IMM,
  RECORD_INDEX,
  RECORD_R1,
  RECORD_R2,
  RECORD_SCALE,
} from '../shared/records';

export function r1(rp: u32): u32 {
  return load<u8>(rp, RECORD_R1);
}
export function r2(rp: u32): u32 {
  return load<u8>(rp, RECORD_R2);
}
export function imm(rp: u32): u32 {
  return load<u32>(rp, RECORD_IMM);
}
export function disp(rp: u32): u32 {
  return load<u32>(rp, RECORD_DISP);
}
/** Linear address of the memory operand. */
export function operandAddress(rp: u32): u32 {
  return (
    load<u32>(REGS + <i32>load<u8>(rp, RECORD_BASE)) +
    (load<u32>(REGS + <i32>load<u8>(rp, RECORD_INDEX)) << load<u8>(rp, RECORD_SCALE)) +
    load<u32>(rp, RECORD_DISP)
  );
}
