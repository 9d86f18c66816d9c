// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.

// Page-table entry bits (SDM vol. 3A 4.3 to 4.4).
export const PTE_PRESENT = 1;
export const PTE_WRITE = 2;
export const PTE_USER = 4;
export const PTE_PWT = 8;
export const PTE_PCD = 16;
export const PTE_ACCESSED = 32;
export const PTE_DIRTY = 64;
export const PTE_LARGE = 128;
export const PTE_GLOBAL = 256;

// PAGE_INFO words: the first decoded block of the page in the high bits (blocks are 16-byte
// aligned), attributes below.
/** Backed by linear memory at RAM_BASE + physical address. */
export const PAGE_RAM = 1;
/** Reads as memory, ignores writes. */
export const PAGE_ROM = 2;
/** Has had translated regions: a write must tell the host. */
export const PAGE_TRANSLATED = 4;
/** Entries of address spaces that are kept were found through this page table: mem/spaces.ts. */
export const PAGE_TABLE = 8;
export const PAGE_ATTRIBUTES = 15;

// Bits of a TLB entry's physical word.
export const TLB_GLOBAL = 1;
/** The page may not be executed at this privilege (NX). */
export const TLB_NO_EXECUTE = 2;
/** Not memory: every access goes to the host. */
export const TLB_MMIO = 4;
