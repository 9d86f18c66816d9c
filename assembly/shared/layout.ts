// PORTABLE: compiled by asc and by tsc. Constants only, no type annotations.
//
// The one linear memory that the core, the translated code and the host share.
//
//   00000000  +--------------------------------------------+
//             | guard: address 0 is never a valid object;  |
//             | as a block it has no mode (HEADER_MODE)    |
//   00000400  +--------------------------------------------+ CPU
//             | registers, flags, segments, control, FPU.. |
//   00010000  +--------------------------------------------+ STATIC_BASE (asc --memoryBase)
//             | static data of the compiled core           |
//   00040000  +--------------------------------------------+ TLB_FILLED
//             | which TLB entries are filled               |
//   00050000  +--------------------------------------------+ SECOND_HASH
//             | 65,536 entries of 8 bytes                  |
//   00100000  +--------------------------------------------+ PAGE_INFO
//             | one word a physical page, 4 GiB of them    |
//   00500000  +--------------------------------------------+ SAVED, which EIPs have saved translations
//   00510000  +--------------------------------------------+ SCRATCH, host and translator tables
//   01d00000  +--------------------------------------------+ SPACES
//             | TLB entries of address spaces left         |
//   01d80000  +--------------------------------------------+ BLOCK_HASH
//             | 131,072 entries of 8 bytes                 |
//   01e80000  +--------------------------------------------+ JUMP_CACHE
//             | 8,192 entries of 32 bytes                  |
//   02000000  +--------------------------------------------+ TLB_KERNEL, TLB_USER
//             | 2 x 2^20 entries of 16 bytes, mostly never |
//             | touched and so no memory of the host's     |
//   04000000  +--------------------------------------------+ RECORDS
//             | decoded blocks                             |
//   06000000  +--------------------------------------------+ RAM_BASE
//             | guest physical memory from address 0       |
//             +--------------------------------------------+

// --- The CPU's state -------------------------------------------------------------------------
// REGS is the base of the "slot" space: a record names a register by its byte offset from here
// (one byte), so everything an operand can name must lie in these 256 bytes.

export const CPU = 0x400;

export const REGS = CPU;
export const EAX = REGS;
export const ECX = REGS + 4;
export const EDX = REGS + 8;
export const EBX = REGS + 12;
export const ESP = REGS + 16;
export const EBP = REGS + 20;
export const ESI = REGS + 24;
export const EDI = REGS + 28;

/** A slot that always reads zero: "no base" and "no index", so that there is one address shape. */
export const SLOT_ZERO = 32;
/** A linear address that an EA or EA16 record has left for the record after it. */
export const SLOT_ADDRESS = 36;
/** Segment bases as slots, in the order ES CS SS DS FS GS: an unused index names one. */
export const SLOT_SEGMENT_BASE = 40;
export const SEGMENT_BASE = REGS + SLOT_SEGMENT_BASE;
export const REGS_END = REGS + 256;

// EIP of the block being executed (interpreter) or of the next instruction (everyone else).
export const EIP = REGS_END;
/** EIP of the instruction being executed, set before anything that can fault by throwing. */
export const EIP_CURRENT = EIP + 4;
/** The record being executed, set before a call into cold code. */
export const RECORD_CURRENT = EIP_CURRENT + 4;

/** Instructions of the block before the current one: not yet taken off BUDGET. */
export const COUNT_CURRENT = RECORD_CURRENT + 4;

// Lazy arithmetic flags: kind (shared/flags.ts), result, first and second operand.
export const FLAG_KIND = COUNT_CURRENT + 4;
export const FLAG_RESULT = FLAG_KIND + 4;
export const FLAG_A = FLAG_RESULT + 4;
export const FLAG_B = FLAG_A + 4;
/** EFLAGS without the six arithmetic flags: TF IF DF IOPL NT RF VM AC VIF VIP ID, bit 1 set. */
export const EFLAGS_SYSTEM = FLAG_B + 4;

/** Current privilege level, 0 to 3. */
export const CPL = EFLAGS_SYSTEM + 4;
/** Mode bits of the block key (shared/modes.ts). */
export const MODE = CPL + 4;
/** The TLB in use: TLB_KERNEL, or TLB_USER when CPL is 3. */
export const TLB_CURRENT = MODE + 4;
/** Guest instructions that may still retire before run() returns; a signed word. */
export const BUDGET = TLB_CURRENT + 4;
/** What run() was given: retired = INSTRUCTIONS + SLICE - BUDGET + COUNT_CURRENT. */
export const SLICE = BUDGET + 4;
/** Nonzero while the interrupt controller asserts INTR. */
export const INTR = SLICE + 4;
/** Nonzero while an NMI waits. */
export const NMI = INTR + 4;
/** One instruction of inhibition after MOV SS, POP SS, STI (SDM vol. 3A 6.8.3). */
export const INHIBIT = NMI + 4;
/** STI was just executed and nothing waits: the place after it is none where anything is looked at. */
export const SHADOW = INHIBIT + 4;
/** 1 after HLT until an interrupt is taken. */
export const HALTED = SHADOW + 4;
/** Nonzero: run() returns at the next place where the budget is looked at. */
export const STOP = HALTED + 4;
/** Guest instructions retired before this slice, u64. */
export const INSTRUCTIONS = (STOP + 4 + 7) & ~7;

// A fault that was found and waits to be delivered.
export const FAULT_PENDING = INSTRUCTIONS + 8;
export const FAULT_VECTOR = FAULT_PENDING + 4;
export const FAULT_CODE = FAULT_VECTOR + 4;
export const FAULT_ADDRESS = FAULT_CODE + 4;

/** Nonzero while exactly one instruction runs: MMIO and writes into code are allowed then. */
export const SINGLE = FAULT_ADDRESS + 4;
// Bumped whenever a translation of an executable page may have changed, of the supervisor's TLB and of
// the user's: the word for code of a mode is at KERNEL_GENERATION + (mode & MODE_USER). Global entries
// stay when address spaces change, and with them, as a rule, the supervisor's word (mem/tlb.ts).
export const KERNEL_GENERATION = SINGLE + 4;
/** Bumped whenever decoded code was dropped because its bytes were written. */
export const CODE_GENERATION = KERNEL_GENERATION + 4;
export const USER_GENERATION = KERNEL_GENERATION + 8;
/** Nonzero while a waiting x87 or MMX instruction must not just run: CR0.EM, CR0.TS, or an unmasked exception pends. */
export const FPU_BLOCKED = USER_GENERATION + 4;
/** Nonzero while an SSE instruction must not just run: CR0.EM, CR0.TS, CR4.OSFXSR clear. */
export const SSE_BLOCKED = FPU_BLOCKED + 4;

// Control, debug and descriptor-table registers.
export const CR0 = SSE_BLOCKED + 4;
export const CR2 = CR0 + 4;
export const CR3 = CR2 + 4;
export const CR4 = CR3 + 4;
export const DR = CR4 + 4; // DR0 to DR7
export const GDTR_BASE = DR + 32;
export const GDTR_LIMIT = GDTR_BASE + 4;
export const IDTR_BASE = GDTR_LIMIT + 4;
export const IDTR_LIMIT = IDTR_BASE + 4;

// Segment registers in the order ES CS SS DS FS GS, then LDTR and TR.
export const SELECTOR = IDTR_LIMIT + 4; // 8 words of 4 bytes
/** Effective limit, granularity applied; bases are SEGMENT_BASE for the first six. */
export const SEGMENT_LIMIT = SELECTOR + 32;
/** Descriptor attributes as in the second word of the descriptor (bits 8 to 23). */
export const SEGMENT_ACCESS = SEGMENT_LIMIT + 32;
export const LDTR_BASE = SEGMENT_ACCESS + 32;
export const TR_BASE = LDTR_BASE + 4;

// Model-specific registers the core owns.
export const MSR_SYSENTER_CS = TR_BASE + 4;
export const MSR_SYSENTER_ESP = MSR_SYSENTER_CS + 4;
export const MSR_SYSENTER_EIP = MSR_SYSENTER_ESP + 4;
export const MSR_EFER = MSR_SYSENTER_EIP + 4;
export const MSR_PAT = (MSR_EFER + 4 + 7) & ~7; // u64
export const TSC_OFFSET = MSR_PAT + 8; // u64, added to what the host's clock says
export const PDPTE = TSC_OFFSET + 8; // the four PAE page-directory-pointer entries, u64 each

// x87: eight registers of 16 bytes, physical order (not ST order): mantissa u64, then sign and
// exponent u16 as in an m80; MMX registers are the mantissas.
export const FPU = 0x800;
export const FPU_REGS = FPU;
export const FPU_TOP = FPU + 128;
export const FPU_CONTROL = FPU_TOP + 4;
export const FPU_STATUS = FPU_CONTROL + 4; // without TOP
export const FPU_TAGS = FPU_STATUS + 4; // one bit a physical register: 1 = full
export const FPU_OPCODE = FPU_TAGS + 4;
export const FPU_IP = FPU_OPCODE + 4;
export const FPU_CS = FPU_IP + 4;
export const FPU_DP = FPU_CS + 4;
export const FPU_DS = FPU_DP + 4;
/** A ninth register: a memory operand widened to 80 bits (ops/fpu/quick.ts). */
export const FPU_OPERAND = FPU + 0xc0;

// SSE: eight registers of 16 bytes.
export const XMM = 0x900;
export const MXCSR = XMM + 128;

/** Counters, u32 each, indexed by shared/counters.ts; the host reads and widens them. */
export const COUNTERS = 0xa00;
/**
 * Instructions for which the time-stamp counter goes on by itself before the host is asked again (cpu/msr.ts);
 * 0: never, as with the virtual clock, where each reading has its own time.
 */
export const COUNTER_SPAN = 0xff0;
/** Scratch that host and core exchange structures through (register dumps, operand bytes). */
export const EXCHANGE = 0x1000;
export const EXCHANGE_SIZE = 0x1000;

/** Descriptor of the region's entry that was taken last. */
export const CHAIN_ENTRY = 0x2000;
/** Regions entered since the run loop left off (interp/run.ts chain()). */
export const CHAIN_COUNT = CHAIN_ENTRY + 4;
/** Descriptor of an entry that has been taken REGION_HOT times or more, or 0: the host looks between slices. */
export const HOT_ENTRY = CHAIN_ENTRY + 8;

// --- The hypervisor's side --------------------------------------------------------------------
/** Which face VMCALL serves: shared/paravirt.ts FACE_*. */
export const PARAVIRT = 0xa000;
export const FACE = PARAVIRT;
/** What CPUID answers from 40000000h: u32 count, then for each leaf u32 leaf, EAX, EBX, ECX, EDX. */
export const HYPERVISOR_LEAVES = PARAVIRT + 0x10;
export const HYPERVISOR_LEAVES_MAX = 8;
/** Cycles that the guest could have run and did not; u64, kept by the host. */
export const STOLEN = PARAVIRT + 0xe0;
/** Nonzero: the host is told of every VMI call before it is made. */
export const VMI_TRACED = PARAVIRT + 0xe8;
/** TLB entries of a space that is left: shared/paravirt.ts SPACES_*. */
export const SPACES_KEPT = PARAVIRT + 0xec;
/** VMI calls made, u32 each, wrapping, by call number. */
export const VMI_COUNTS = PARAVIRT + 0x100;

/** What the run loop did last (shared/history.ts). */
export const HISTORY = 0xf000;

export const STATIC_BASE = 0x10000;
export const STATIC_END = 0x40000;

// --- Translation look-aside buffers ----------------------------------------------------------
// Entry: u32 read tag, u32 write tag, u32 addend, u32 physical page | TLB bits.
// One entry a page of the linear address space: with 1,024 entries two hot pages that shared one
// made a shell loop 40 times slower. A tag is the page's last byte's linear address, or TAG_INVALID: an
// access of n bytes at a hits when ((a + n - 1) | 0xFFF) equals the tag of the page of a, so a page
// crossing misses by itself.
// linear + addend is the address in this memory.
export const TLB_ENTRIES = 0x100000;
export const TLB_ENTRY_SIZE = 16;
export const TLB_READ = 0;
export const TLB_WRITE = 4;
export const TLB_ADDEND = 8;
export const TLB_PHYSICAL = 12;
export const TLB_KERNEL = 0x2000000;
export const TLB_USER = TLB_KERNEL + TLB_ENTRIES * TLB_ENTRY_SIZE;
export const TLB_END = TLB_USER + TLB_ENTRIES * TLB_ENTRY_SIZE;
/** No access can produce it: tags have their low 12 bits set. Untouched memory is invalid. */
export const TAG_INVALID = 0;
/** Addresses of filled entries, so that a flush need not look at all: not global ones, then global ones. */
export const TLB_FILLED = 0x40000;
export const TLB_FILLED_ROOM = 8192;
export const TLB_FILLED_GLOBAL = TLB_FILLED + TLB_FILLED_ROOM * 4;

// --- Decoded code ----------------------------------------------------------------------------
/**
 * Blocks that have lost their place in BLOCK_HASH to another, and those with an instruction that runs
 * on into another page, which are never there: u32 physical address, u32 block.
 */
export const SECOND_HASH = 0x50000;
export const SECOND_HASH_ENTRIES = 0x10000;
export const PAGE_INFO = 0x100000; // u32 a physical page: shared/paging.ts PAGE_*
/**
 * A bit an EIP, by savedBit(): may there be a saved translation that is entered there? The host sets
 * bits, the decoder makes such blocks almost hot.
 */
export const SAVED = 0x500000;
export const SAVED_BITS = 19;
export const SAVED_MULTIPLIER = 0x9e3779b1;
export const SCRATCH = 0x510000; // entry descriptors, generation words, return tables
export const SCRATCH_END = 0x1d00000;
export const SPACES = 0x1d00000; // TLB entries of address spaces that were left: mem/spaces.ts
export const SPACES_END = 0x1d80000;
/** u32 key (physical address), u32 block (0 = empty). */
export const BLOCK_HASH = SPACES_END;
export const BLOCK_HASH_ENTRIES = 0x20000;
/**
 * Entry descriptors and untranslated blocks by EIP, for the run loop: see JUMP_* in shared/regions.ts. What is
 * noted holds while the generation of its mode does. With 2,048 entries half of a fork's looks found another.
 */
export const JUMP_CACHE = BLOCK_HASH + BLOCK_HASH_ENTRIES * 8;
export const JUMP_CACHE_ENTRIES = 8192;
export const RECORDS = 0x4000000;
export const RECORDS_END = 0x6000000;

export const RAM_BASE = 0x6000000;
/** The PCI hole starts here at the latest; more RAM than this is refused. */
export const RAM_MAX = 0xb0000000;
