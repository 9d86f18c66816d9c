// Bits of the x87 status and control words (SDM vol. 1 8.1.3 and 8.1.5) and special values.

export const IE: u32 = 0x1;
export const DE: u32 = 0x2;
export const ZE: u32 = 0x4;
export const OE: u32 = 0x8;
export const UE: u32 = 0x10;
export const PE: u32 = 0x20;
export const SF: u32 = 0x40;
export const ES: u32 = 0x80;
export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
export const BUSY: u32 = 0x8000;

/** The six exceptions; in the control word their masks. */
export const EXCEPTIONS: u32 = 0x3f;
/** Found before the operation: unmasked, nothing is computed. */
export const BEFORE: u32 = IE | DE | ZE;
/** Found in the result. */
export const AFTER: u32 = OE | UE | PE;

export const PC_SINGLE: u32 = 0x000;
export const PC_DOUBLE: u32 = 0x200;
export const PRECISION: u32 = 0x300;
export const RC_DOWN: u32 = 0x400;
export const RC_UP: u32 = 0x800;
export const RC_CHOP: u32 = 0xc00;
export const ROUNDING: u32 = 0xc00;

/** Everything that decides whether the fast paths are right, and its value when they are. */
export const COMMON: u32 = PRECISION | ROUNDING | EXCEPTIONS;
export const COMMON_SET: u32 = PRECISION | EXCEPTIONS;

export const TOP_BIT: u64 = 0x8000000000000000;
export const QUIET_BIT: u64 = 0x4000000000000000;
/** The default NaN: "real indefinite". */
export const INDEFINITE: u64 = 0xc000000000000000;
export const INDEFINITE_SE: u32 = 0xffff;

export const BIAS: i32 = 0x3fff;
/** What wraps an exponent when overflow or underflow is unmasked (SDM vol. 1 8.5.4). */
export const WRAP: i32 = 0x6000;
