/* Descriptor tables and the task state segment, set up through the hooks as Linux does. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/trap.h"
#include "include/x86.h"

#define FLAT_CODE 0xCF9B00
#define FLAT_DATA 0xCF9300
#define DPL_3 0x6000
#define GATE_INTERRUPT 0x8E00
#define TYPE_TSS 0x8900
#define TYPE_LDT 0x8200

extern char trap_stubs[];
/* For traps from user mode while no process runs: the checks' own excursions. */
u8 trap_stack[KERNEL_STACK_SIZE] ALIGNED(16);
extern u8 trap_stack_end[];
__asm__(".globl trap_stack_end\n.set trap_stack_end, trap_stack + 8192");

u32 gdt[GDT_ENTRIES][2] ALIGNED(8);
u32 idt[256][2] ALIGNED(8);
u32 ldt[4][2] ALIGNED(8);
struct tss tss ALIGNED(128);

static void flat(u32 entry, u32 high)
{
	gdt[entry][0] = 0xFFFF;
	gdt[entry][1] = high;
}

static void load_segments(void)
{
	__asm__ __volatile__("movl %0, %%ds; movl %0, %%es; movl %1, %%ss; movl %2, %%fs; movl %3, %%gs\n"
			     "ljmp %4, $1f\n1:"
			     :
			     : "r"(USER_DS), "r"(KERNEL_DS), "r"(PERCPU_SELECTOR), "r"(CANARY_SELECTOR),
			       "i"(KERNEL_CS)
			     : "memory");
}

/* Natively, before the ROM is known: flat segments, and an IDT that says what went wrong. */
void cpu_early_init(void)
{
	struct table_register r;

	flat(KERNEL_CS >> 3, FLAT_CODE);
	flat(KERNEL_DS >> 3, FLAT_DATA);
	flat(USER_CS >> 3, FLAT_CODE | DPL_3);
	flat(USER_DS >> 3, FLAT_DATA | DPL_3);
	flat(PERCPU_SELECTOR >> 3, FLAT_DATA);
	flat(CANARY_SELECTOR >> 3, FLAT_DATA);
	r.limit = sizeof(gdt) - 1;
	r.base = (u32)gdt;
	__asm__ __volatile__("lgdt %0" : : "m"(r));
	load_segments();
	for (u32 v = 0; v < 256; v++) {
		u32 to = (u32)trap_stubs + 16 * v;

		idt[v][0] = KERNEL_CS << 16 | (to & 0xFFFF);
		idt[v][1] = (to & 0xFFFF0000) | GATE_INTERRUPT;
	}
	r.limit = sizeof(idt) - 1;
	r.base = (u32)idt;
	__asm__ __volatile__("lidt %0" : : "m"(r));
}

static void write_system(u32 entry, void *base, u32 limit, u32 type)
{
	u32 b = (u32)base;

	hook_write_gdt(gdt, entry, (b & 0xFFFF) << 16 | (limit & 0xFFFF),
		       (b & 0xFF000000) | (b >> 16 & 0xFF) | (limit & 0xF0000) | type);
}

void set_kernel_stack(u32 esp0)
{
	tss.esp0 = esp0;
	tss.ss0 = KERNEL_DS;
	hook_update_kernel_stack(KERNEL_DS, esp0);
}

void cpu_init(void)
{
	struct table_register r;

	for (u32 v = 0; v < 256; v++) {
		u32 high = idt[v][1];

		if (v == TRAP_BP || v == SYSCALL_VECTOR || v == TEST_VECTOR)
			high |= DPL_3;
		hook_write_idt(idt, v, idt[v][0], high);
	}
	r.limit = sizeof(gdt) - 1;
	r.base = (u32)gdt;
	hook_set_gdt(&r);
	load_segments();
	r.limit = sizeof(idt) - 1;
	r.base = (u32)idt;
	hook_set_idt(&r);

	tss.io_map = sizeof(tss);
	set_kernel_stack((u32)trap_stack_end);
	write_system(TSS_ENTRY, &tss, sizeof(tss) - 1, TYPE_TSS);
	hook_set_tr(TSS_SELECTOR);
	write_system(LDT_ENTRY, ldt, sizeof(ldt) - 1, TYPE_LDT);
	hook_set_ldt(0);

	if (cpu.edx & CPUID_SEP) {
		wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
		wrmsr(MSR_SYSENTER_ESP, (u32)trap_stack_end);
		wrmsr(MSR_SYSENTER_EIP, (u32)sysenter_entry);
	}
	hook_set_cr0(hook_cr0() | CR0_WP | CR0_NE | CR0_MP);
	if (cpu.edx & CPUID_FXSR)
		hook_set_cr4(hook_cr4() | CR4_OSFXSR);
}
