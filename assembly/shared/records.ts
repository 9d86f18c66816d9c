// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
//
// Decoded blocks. A block is a 48-byte header and then records of 16 bytes, one or more an
// instruction; the interpreter executes them, the translator reads them.
//
//   record:  u16 code   what to do (assembly/generated/codes.ts, made from isa/)
//            u8  r1     slot of the first register operand  (byte offset from REGS; XMM and MM: from XMM, FPU_REGS)
//            u8  r2     slot of the second
//            u8  base   slot of the address's base          (SLOT_ZERO when there is none)
//            u8  index  slot of its index                   (SLOT_ZERO, or a segment base)
//            u8  scale  0 to 3
//            u8  length bytes of the instruction that ends with this record; 0 for a helper record in front
//            i32 disp
//            i32 imm    immediate; for a direct branch, displacement from the next instruction
//
// Linear address = [base] + ([index] << scale) + disp. A segment whose base matters takes the
// index's place; an address that needs more (16 bits, an index and a segment, a limit check) is
// computed by an EA record in front, into SLOT_ADDRESS.
// EIP is nowhere in a record: it is the block's EIP (state) plus the lengths before it, so the same
// bytes mapped twice share one block.

export const RECORD_SIZE = 16;
export const RECORD_CODE = 0;
export const RECORD_R1 = 2;
export const RECORD_R2 = 3;
export const RECORD_BASE = 4;
export const RECORD_INDEX = 5;
export const RECORD_SCALE = 6;
export const RECORD_LENGTH = 7;
export const RECORD_DISP = 8;
export const RECORD_IMM = 12;

export const HEADER_SIZE = 48;
/**
 * The blocks that followed when the branch at the end was taken and, at HEADER_LINK, when it was not; 0 where
 * none has yet. Guesses: the interpreter compares their HEADER_PHYSICAL and HEADER_MODE, which a block that is
 * forgotten has not. In code that is run seldom a look into BLOCK_HASH is a cache miss for each branch.
 */
export const HEADER_TAKEN = 0;
/** Heat: how often the block was entered by the interpreter; u32. */
export const HEADER_HEAT = 4;
/** Physical address of the first byte. */
export const HEADER_PHYSICAL = 8;
/** MODE bits the block was decoded under. */
export const HEADER_MODE = 12;
/** Next block of the same physical page, or 0. */
export const HEADER_NEXT = 16;
/** Address of the entry descriptor (shared/regions.ts) when translated, else 0. */
export const HEADER_ENTRY = 20;
/** u16 instructions, u16 bytes of guest code. */
export const HEADER_COUNT = 24;
export const HEADER_BYTES = 26;
/** u16 records after the header. */
export const HEADER_RECORDS = 28;
/** Where a record's code would be in the header's last 16 bytes: a mark for the walk backwards. */
export const HEADER_MARK = 32;
export const MARK = 0xffff;
/** A block whose one instruction runs on into a second page: that page's physical address; else 0. */
export const HEADER_SECOND = 36;
/** The header in the second page's list that stands for this block there, and the way back; else 0. */
export const HEADER_COMPANION = 40;
export const HEADER_LINK = 44;
