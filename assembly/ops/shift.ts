// Shifts and rotates. Leaves.
// name32(a, b) is the value for any count b (masked to 5 bits here); name_co gives CF, OF (and AF
// clear) for a count that is not zero; name_bits gives all six flags from the old ones, and the
// old ones for a count of zero, which is how the forms by CL use them.
// OF is defined for a count of one only; what is computed for the others is what the processors
// that were tried give. Operands of 8 and 16 bits come sign-extended.
import { CF, OF, SF } from '../shared/flags';

function zsp(r: i32): i32 {
  return (i32(r == 0) << 6) | ((r >>> 24) & SF) | ((~popcnt(r & 0xff) & 1) << 2);
}

// --- SHL ----------------------------------------------------------------------------------------

export function shl8(a: i32, b: i32): i32 {
  return a << (b & 31);
}
export function shl16(a: i32, b: i32): i32 {
  return a << (b & 31);
}
export function shl32(a: i32, b: i32): i32 {
  return a << (b & 31);
}
function shl_flags(high: i32, r: i32): i32 {
  return (high & CF) | (((r >>> 31) ^ (high & 1)) << 11);
}
export function shl_co8(a: i32, b: i32, r: i32): i32 {
  return shl_flags(<i32>(((<u64>(a & 0xff)) << (b & 31)) >> 8), r);
}
export function shl_co16(a: i32, b: i32, r: i32): i32 {
  return shl_flags(<i32>(((<u64>(a & 0xffff)) << (b & 31)) >> 16), r);
}
export function shl_co32(a: i32, b: i32, r: i32): i32 {
  return shl_flags(a >>> (32 - (b & 31)), r);
}
export function shl_bits8(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shl_co8(a, b, r) : eflags;
}
export function shl_bits16(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shl_co16(a, b, r) : eflags;
}
export function shl_bits32(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shl_co32(a, b, r) : eflags;
}

// --- SHR ----------------------------------------------------------------------------------------

export function shr8(a: i32, b: i32): i32 {
  return (a & 0xff) >>> (b & 31);
}
export function shr16(a: i32, b: i32): i32 {
  return (a & 0xffff) >>> (b & 31);
}
export function shr32(a: i32, b: i32): i32 {
  return a >>> (b & 31);
}
/** The sign of the operand is OF for a count of one, clear for others. */
function shr_flags(last: i32, a: i32, b: i32): i32 {
  return (last & CF) | select<i32>((a >>> 31) << 11, 0, (b & 31) == 1);
}
export function shr_co8(a: i32, b: i32, r: i32): i32 {
  return shr_flags((a & 0xff) >>> ((b & 31) - 1), a, b);
}
export function shr_co16(a: i32, b: i32, r: i32): i32 {
  return shr_flags((a & 0xffff) >>> ((b & 31) - 1), a, b);
}
export function shr_co32(a: i32, b: i32, r: i32): i32 {
  return shr_flags(a >>> ((b & 31) - 1), a, b);
}
export function shr_bits8(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shr_co8(a, b, r) : eflags;
}
export function shr_bits16(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shr_co16(a, b, r) : eflags;
}
export function shr_bits32(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | shr_co32(a, b, r) : eflags;
}

// --- SAR: the sign-extended operand serves every size --------------------------------------------

export function sar(a: i32, b: i32): i32 {
  return a >> (b & 31);
}
export function sar_co(a: i32, b: i32): i32 {
  return (a >> ((b & 31) - 1)) & CF;
}
export function sar_bits(a: i32, b: i32, r: i32, eflags: i32): i32 {
  return b & 31 ? zsp(r) | ((a >> ((b & 31) - 1)) & CF) : eflags;
}

// --- ROL, ROR: CF and OF only --------------------------------------------------------------------

export function rol8(a: i32, b: i32): i32 {
  const byte = a & 0xff;
  return (byte << (b & 7)) | (byte >>> (8 - (b & 7)));
}
export function rol16(a: i32, b: i32): i32 {
  const word = a & 0xffff;
  return (word << (b & 15)) | (word >>> (16 - (b & 15)));
}
export function rol32(a: i32, b: i32): i32 {
  return rotl<i32>(a, b & 31);
}
export function ror8(a: i32, b: i32): i32 {
  const byte = a & 0xff;
  return (byte >>> (b & 7)) | (byte << (8 - (b & 7)));
}
export function ror16(a: i32, b: i32): i32 {
  const word = a & 0xffff;
  return (word >>> (b & 15)) | (word << (16 - (b & 15)));
}
export function ror32(a: i32, b: i32): i32 {
  return rotr<i32>(a, b & 31);
}
/** `r` is the result cut to size and sign-extended. */
export function rol_bits(b: i32, r: i32, eflags: i32): i32 {
  if ((b & 31) == 0) return eflags;
  return (eflags & ~(CF | OF)) | (r & 1) | (((r >>> 31) ^ (r & 1)) << 11);
}
export function ror_bits(b: i32, r: i32, eflags: i32, size: i32): i32 {
  if ((b & 31) == 0) return eflags;
  const second = (r >>> (size - 2)) & 1;
  return (eflags & ~(CF | OF)) | (r >>> 31) | (((r >>> 31) ^ second) << 11);
}
export function ror_bits8(b: i32, r: i32, eflags: i32): i32 {
  return ror_bits(b, r, eflags, 8);
}
export function ror_bits16(b: i32, r: i32, eflags: i32): i32 {
  return ror_bits(b, r, eflags, 16);
}
export function ror_bits32(b: i32, r: i32, eflags: i32): i32 {
  return ror_bits(b, r, eflags, 32);
}

// --- RCL, RCR: through the carry, a number of size + 1 bits --------------------------------------

function rcl_wide(a: i32, b: i32, cf: i32, size: i32): u64 {
  const mask: u64 = ((<u64>2) << size) - 1;
  const wide = ((<u64>cf) << size) | ((<u64>(<u32>a)) & (mask >> 1));
  const count = (b & 31) % (size + 1);
  return ((wide << count) | (wide >> (size + 1 - count))) & mask;
}
function rcl_from(wide: u64, size: i32, b: i32, eflags: i32): i32 {
  if ((b & 31) == 0) return eflags;
  const cf = (<i32>(wide >> size)) & 1;
  const top = (<i32>(wide >> (size - 1))) & 1;
  return (eflags & ~(CF | OF)) | cf | ((cf ^ top) << 11);
}
export function rcl8(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcl_wide(a, b, cf, 8);
}
export function rcl16(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcl_wide(a, b, cf, 16);
}
export function rcl32(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcl_wide(a, b, cf, 32);
}
export function rcl_bits8(a: i32, b: i32, eflags: i32): i32 {
  return rcl_from(rcl_wide(a, b, eflags & CF, 8), 8, b, eflags);
}
export function rcl_bits16(a: i32, b: i32, eflags: i32): i32 {
  return rcl_from(rcl_wide(a, b, eflags & CF, 16), 16, b, eflags);
}
export function rcl_bits32(a: i32, b: i32, eflags: i32): i32 {
  return rcl_from(rcl_wide(a, b, eflags & CF, 32), 32, b, eflags);
}
function rcr_wide(a: i32, b: i32, cf: i32, size: i32): u64 {
  const count = (b & 31) % (size + 1);
  // Right by count is left by the rest; a rest of size + 1 is none at all.
  return rcl_raw(a, size + 1 - count, cf, size);
}
function rcl_raw(a: i32, count: i32, cf: i32, size: i32): u64 {
  const mask: u64 = ((<u64>2) << size) - 1;
  const wide = ((<u64>cf) << size) | ((<u64>(<u32>a)) & (mask >> 1));
  return ((wide << count) | (wide >> (size + 1 - count))) & mask;
}
function rcr_from(wide: u64, size: i32, b: i32, eflags: i32): i32 {
  if ((b & 31) == 0) return eflags;
  const cf = (<i32>(wide >> size)) & 1;
  const top = (<i32>(wide >> (size - 1))) & 1;
  const second = (<i32>(wide >> (size - 2))) & 1;
  return (eflags & ~(CF | OF)) | cf | ((top ^ second) << 11);
}
export function rcr8(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcr_wide(a, b, cf, 8);
}
export function rcr16(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcr_wide(a, b, cf, 16);
}
export function rcr32(a: i32, b: i32, cf: i32): i32 {
  return <i32>rcr_wide(a, b, cf, 32);
}
export function rcr_bits8(a: i32, b: i32, eflags: i32): i32 {
  return rcr_from(rcr_wide(a, b, eflags & CF, 8), 8, b, eflags);
}
export function rcr_bits16(a: i32, b: i32, eflags: i32): i32 {
  return rcr_from(rcr_wide(a, b, eflags & CF, 16), 16, b, eflags);
}
export function rcr_bits32(a: i32, b: i32, eflags: i32): i32 {
  return rcr_from(rcr_wide(a, b, eflags & CF, 32), 32, b, eflags);
}

// --- SHLD, SHRD -----------------------------------------------------------------------------------
// 16 bits: counts above 16 are undefined by the manual; the destination, the source and the
// destination again go through, as the P6 did it.

export function shld16(a: i32, b: i32, n: i32): i32 {
  const count = n & 31;
  const wide = ((<u64>(a & 0xffff)) << 32) | ((<u64>(b & 0xffff)) << 16) | (<u64>(a & 0xffff));
  return (<i32>((wide << count) >> 32)) & 0xffff;
}
export function shld32(a: i32, b: i32, n: i32): i32 {
  const wide = ((<u64>(<u32>a)) << 32) | (<u64>(<u32>b));
  return <i32>((wide << (n & 31)) >> 32);
}
export function shrd16(a: i32, b: i32, n: i32): i32 {
  const wide = ((<u64>(a & 0xffff)) << 32) | ((<u64>(b & 0xffff)) << 16) | (<u64>(a & 0xffff));
  return (<i32>(wide >> (n & 31))) & 0xffff;
}
export function shrd32(a: i32, b: i32, n: i32): i32 {
  const wide = ((<u64>(<u32>b)) << 32) | (<u64>(<u32>a));
  return <i32>(wide >> (n & 31));
}
export function shld_bits16(a: i32, b: i32, n: i32, r: i32, eflags: i32): i32 {
  const count = n & 31;
  if (!count) return eflags;
  const wide = ((<u64>(a & 0xffff)) << 32) | ((<u64>(b & 0xffff)) << 16) | (<u64>(a & 0xffff));
  const cf = (<i32>((wide << count) >> 48)) & 1;
  return zsp(r) | cf | (((a ^ r) >>> 31) << 11);
}
export function shld_bits32(a: i32, b: i32, n: i32, r: i32, eflags: i32): i32 {
  const count = n & 31;
  if (!count) return eflags;
  return zsp(r) | ((a >>> (32 - count)) & 1) | (((a ^ r) >>> 31) << 11);
}
export function shrd_bits16(a: i32, b: i32, n: i32, r: i32, eflags: i32): i32 {
  const count = n & 31;
  if (!count) return eflags;
  const wide = ((<u64>(a & 0xffff)) << 32) | ((<u64>(b & 0xffff)) << 16) | (<u64>(a & 0xffff));
  return zsp(r) | ((<i32>(wide >> (count - 1))) & 1) | (((a ^ r) >>> 31) << 11);
}
export function shrd_bits32(a: i32, b: i32, n: i32, r: i32, eflags: i32): i32 {
  const count = n & 31;
  if (!count) return eflags;
  return zsp(r) | ((a >>> (count - 1)) & 1) | (((a ^ r) >>> 31) << 11);
}
