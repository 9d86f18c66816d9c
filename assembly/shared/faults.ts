// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// Exception vectors (SDM vol. 3A table 6-1) and error-code bits.

export const DE = 0;
export const DB = 1;
export const NMI_VECTOR = 2;
export const BP = 3;
export const OF_VECTOR = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DF_VECTOR = 8;
export const TS = 10;
export const NP = 11;
export const SS_VECTOR = 12;
export const GP = 13;
export const PF_VECTOR = 14;
export const MF = 16;
export const AC_VECTOR = 17;
export const XM = 19;

// Page-fault error code.
export const PF_PRESENT = 1;
export const PF_WRITE = 2;
export const PF_USER = 4;
export const PF_RESERVED = 8;
export const PF_FETCH = 16;

/** Not a fault of the guest's: the instruction must run alone, with SINGLE set. */
export const RESTART_SINGLE = 256;
/** The instruction is complete although it stopped halfway (an x87 store whose exception is unmasked). */
export const SKIP_REST = 257;
