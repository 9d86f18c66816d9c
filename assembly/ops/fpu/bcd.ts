// FBLD and FBSTP: eighteen packed decimal digits and a sign byte (SDM vol. 1 4.7).
import { probeWrite, read16, read64, requireAligned, write16, write64 } from '../../mem/access';
import { integerMagnitude, fits, widenInteger } from './convert';
import { checkStore, fpu_stored_pop, hereMemory, fpuPush, storing } from './stack';
import { resultSE, setFlags80, setResultSE } from './value';
import { IE } from './words';

const LARGEST: u64 = 999_999_999_999_999_999;
const INDEFINITE_LOW: u64 = 0xc000000000000000;
const INDEFINITE_HIGH: u32 = 0xffff;

/** Digits above 9 count as what they are: the manual leaves them undefined. */
export function fbld(ea: u32): void {
  const digits = read64(ea);
  const rest = read16(ea + 8);
  hereMemory(ea);
  let value: u64 = ((rest >> 4) & 15) * 10 + (rest & 15);
  for (let shift: i64 = 60; shift >= 0; shift -= 4) value = value * 10 + ((digits >> shift) & 15);
  const m = widenInteger(value);
  setResultSE(resultSE | (rest & 0x8000));
  fpuPush(m);
}

export function fbstp(ea: u32): void {
  requireAligned(ea, 8);
  probeWrite(ea, 10);
  const p = storing(ea);
  let low = INDEFINITE_LOW;
  let high = INDEFINITE_HIGH;
  if (p) {
    const se = load<u16>(p, 8);
    let magnitude = integerMagnitude(load<u64>(p), se);
    if (!fits || magnitude > LARGEST) setFlags80(IE);
    else {
      low = 0;
      for (let shift: i64 = 0; shift < 64; shift += 4) {
        low |= (magnitude % 10) << shift;
        magnitude /= 10;
      }
      high = (<u32>(magnitude % 10)) | ((<u32>(magnitude / 10)) << 4) | (se & 0x8000);
    }
    checkStore();
  }
  write64(ea, low);
  write16(ea + 8, high);
  fpu_stored_pop();
}
