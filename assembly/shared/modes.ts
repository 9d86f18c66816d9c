// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
// The bits of CPU state that decide what the same bytes decode to, or what the code made of them
// may assume: part of every block's key. MODE in shared/layout.ts holds the current value.

/** CS.D: 32-bit operands and addresses by default. */
export const MODE_CODE32 = 1;
/** SS.B: ESP, not SP. */
export const MODE_STACK32 = 2;
/** ES, CS, SS and DS all have base 0, limit 4 GiB - 1, expand up, and data ones are writable. */
export const MODE_FLAT = 4;
/** CPL 3: the user TLB. */
export const MODE_USER = 8;
/** FS may be used unchecked: present, writable, expand up, limit 4 GiB - 1 (any base). */
export const MODE_FS_OPEN = 16;
export const MODE_GS_OPEN = 32;
/** Virtual-8086 mode. */
export const MODE_V86 = 64;
/** CR0.PE. */
export const MODE_PROTECTED = 128;
/** A block of exactly one instruction, allowed to touch MMIO and to write into code. */
export const MODE_SINGLE = 256;
/** CPL 1 or 2: the kernel's TLB without ring 0's privileges. */
export const MODE_MIDDLE = 512;
