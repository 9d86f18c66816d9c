// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// EFLAGS bits (SDM vol. 1 3.4.3) and the kinds of lazy flags.

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const TF = 0x100;
export const IF = 0x200;
export const DF = 0x400;
export const OF = 0x800;
export const IOPL = 0x3000;
export const NT = 0x4000;
export const RF = 0x10000;
export const VM = 0x20000;
export const AC = 0x40000;
export const VIF = 0x80000;
export const VIP = 0x100000;
export const ID = 0x200000;
/** The six flags that arithmetic writes. */
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

// How FLAG_RESULT, FLAG_A and FLAG_B say what the flags are. 8- and 16-bit operands and results
// are kept sign-extended to 32 bits: order, sign, zero and carries are then the same expressions
// for every size (assembly/ops/flags.ts).
//
// kind  ZF SF PF      CF                          OF                     AF
// BITS  bits of B     bit of B                    bit of B               bit of B
// ADD   from R        R <u A                      sign((A^R) & (B^R))    bit 4 of A^B^R
// ADC   from R        sign(A&B | (A|B)&~R)        as ADD                 as ADD
// SUB   from R        A <u B                      sign((A^B) & (A^R))    as ADD
// SBB   from R        sign(~A&B | ~(A^B)&R)       as SUB                 as ADD
// CO    from R        bit of B                    bit of B               bit of B
export const KIND_BITS = 0;
export const KIND_ADD = 1;
export const KIND_ADC = 2;
export const KIND_SUB = 3;
export const KIND_SBB = 4;
/** CF, OF and AF stand in B at their EFLAGS positions; the other three come from the result. */
export const KIND_CO = 5;
