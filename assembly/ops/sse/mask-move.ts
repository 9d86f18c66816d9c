// MASKMOVQ and MASKMOVDQU: the bytes whose mask byte has its sign set go to DS:EDI, or the
// segment that a prefix names. Bytes that are not written cannot cause a page fault.
import { EDI } from '../../shared/layout';
import { linearAddress } from '../../cpu/segments';
import { probeWrite, requireAligned, write8 } from '../../mem/access';

// The X operand (isa/maps.ts): 16-bit addressing, and the segment's number.
const ADDRESS16: u32 = 4;
const SEGMENT_SHIFT: u32 = 4;

function storeBytes(data: v128, mask: u32, context: u32, size: u32): void {
  let offset = load<u32>(EDI);
  if (context & ADDRESS16) offset &= 0xffff;
  const linear = linearAddress((context >>> SEGMENT_SHIFT) & 7, offset, size, true);
  requireAligned(linear, 8);
  if (!mask) return;
  // First and last byte: both pages, if there are two.
  probeWrite(linear + ctz(mask), 1);
  probeWrite(linear + 31 - clz(mask), 1);
  let low: u64 = i64x2.extract_lane(data, 0);
  let high: u64 = i64x2.extract_lane(data, 1);
  for (let i: u32 = 0; i < size; i++) {
    if ((mask >>> i) & 1) write8(linear + i, (<u32>low) & 0xff);
    low = (low >> 8) | (high << 56);
    high >>= 8;
  }
}

export function maskmovdqu(a: v128, b: v128, context: i32): void {
  storeBytes(a, i8x16.bitmask(b), context, 16);
}

export function maskmovq(a: u64, b: u64, context: i32): void {
  storeBytes(i64x2.splat(a), i8x16.bitmask(i64x2.splat(b)) & 0xff, context, 8);
}
