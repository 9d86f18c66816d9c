/* The local APIC, enabled beside the 8259 pair, whose output comes in by LINT0. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/mm.h"
#include "include/x86.h"

#define APIC_BASE_ENABLED 0x800
#define APIC_SPURIOUS 0xF0
#define APIC_TASK_PRIORITY 0x80
#define APIC_LVTT 0x320
#define APIC_LINT0 0x350
#define APIC_LINT1 0x360
#define SOFTWARE_ENABLE 0x100
#define MODE_EXTINT 0x700
#define MODE_NMI 0x400
#define MASKED 0x10000

u32 apic_base;

void apic_init(void)
{
	u64 base;

	if (!(cpu.edx & CPUID_APIC) || !(cpu.edx & CPUID_MSR) || option("nolapic"))
		return;
	base = rdmsr(MSR_APIC_BASE);
	if (!(base & APIC_BASE_ENABLED))
		return;
	apic_base = (u32)map_device(base & 0xFFFFF000);
	hook_apic_write(APIC_SPURIOUS, SOFTWARE_ENABLE | SPURIOUS_VECTOR);
	hook_apic_write(APIC_TASK_PRIORITY, 0);
	hook_apic_write(APIC_LINT0, MODE_EXTINT);
	hook_apic_write(APIC_LINT1, MODE_NMI);
	hook_apic_write(APIC_LVTT, MASKED | LVTT_VECTOR);
}
