/* Instructions that C cannot say, and the bits they take. What VMI replaces is in hooks.h. */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#define CR0_MP 0x2
#define CR0_TS 0x8
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_PG 0x80000000
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_PGE 0x80
#define CR4_OSFXSR 0x200

#define FLAG_CF 0x1
#define FLAG_TF 0x100
#define FLAG_IF 0x200
#define FLAG_DF 0x400
#define FLAG_IOPL 0x3000
#define FLAG_NT 0x4000
#define FLAG_VM 0x20000
#define FLAG_AC 0x40000
#define FLAG_ID 0x200000
#define FLAGS_ARITHMETIC 0x8D5

#define PTE_P 0x01
#define PTE_W 0x02
#define PTE_U 0x04
#define PTE_A 0x20
#define PTE_D 0x40
#define PTE_PS 0x80
#define PTE_G 0x100

#define CPUID_TSC 0x10
#define CPUID_MSR 0x20
#define CPUID_PSE 0x08
#define CPUID_PAE 0x40
#define CPUID_APIC 0x200
#define CPUID_SEP 0x800
#define CPUID_PGE 0x2000
#define CPUID_FXSR 0x1000000

#define MSR_APIC_BASE 0x1B
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14

#define PF_P 1
#define PF_W 2
#define PF_U 4

#ifndef __ASSEMBLER__
#include "types.h"

static inline void outb(u16 port, u8 value)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;
	__asm__ __volatile__("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outw(u16 port, u16 value)
{
	__asm__ __volatile__("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline u16 inw(u16 port)
{
	u16 value;
	__asm__ __volatile__("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outl(u16 port, u32 value)
{
	__asm__ __volatile__("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u32 inl(u16 port)
{
	u32 value;
	__asm__ __volatile__("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 rdtsc(void)
{
	u64 value;
	__asm__ __volatile__("rdtsc" : "=A"(value));
	return value;
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	__asm__ __volatile__("cpuid"
			     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			     : "0"(leaf), "2"(subleaf));
}

static inline u64 rdmsr(u32 index)
{
	u64 value;
	__asm__ __volatile__("rdmsr" : "=A"(value) : "c"(index));
	return value;
}

static inline void wrmsr(u32 index, u64 value)
{
	__asm__ __volatile__("wrmsr" : : "A"(value), "c"(index));
}

static inline u32 native_flags(void)
{
	u32 value;
	__asm__ __volatile__("pushfl; popl %0" : "=r"(value));
	return value;
}

static inline void native_set_flags(u32 value)
{
	__asm__ __volatile__("pushl %0; popfl" : : "r"(value) : "memory", "cc");
}

static inline void native_cli(void)
{
	__asm__ __volatile__("cli" : : : "memory");
}

static inline void native_sti(void)
{
	__asm__ __volatile__("sti" : : : "memory");
}

#define NATIVE_CR(n)                                                                    \
	static inline u32 native_cr##n(void)                                            \
	{                                                                               \
		u32 value;                                                              \
		__asm__ __volatile__("movl %%cr" #n ", %0" : "=r"(value) : : "memory"); \
		return value;                                                           \
	}                                                                               \
	static inline void native_set_cr##n(u32 value)                                  \
	{                                                                               \
		__asm__ __volatile__("movl %0, %%cr" #n : : "r"(value) : "memory");     \
	}
NATIVE_CR(0)
NATIVE_CR(2)
NATIVE_CR(3)
NATIVE_CR(4)
#undef NATIVE_CR

static inline void native_invlpg(u32 address)
{
	__asm__ __volatile__("invlpg (%0)" : : "r"(address) : "memory");
}

struct table_register {
	u16 limit;
	u32 base;
} PACKED;

struct tss {
	u16 link, pad0;
	u32 esp0;
	u16 ss0, pad1;
	u32 rest[22];
	u16 trap, io_map;
};

/* value / divisor for a divisor of 32 bits. */
static inline u64 divide(u64 value, u32 divisor, u32 *remainder)
{
	u32 high = value >> 32, low = value, rest = high % divisor;

	high /= divisor;
	__asm__("divl %2" : "+a"(low), "+d"(rest) : "r"(divisor));
	if (remainder)
		*remainder = rest;
	return (u64)high << 32 | low;
}
#endif
#endif
