/*
 * The guest's order of events: console, boot options, paging format, ROM, processor tables, memory,
 * devices, and then checks, measurements, report.
 */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/layout.h"
#include "include/mm.h"
#include "include/trap.h"
#include "include/vmi.h"
#include "include/x86.h"

#define MULTIBOOT_MAGIC 0x2BADB002
#define MULTIBOOT_MEMORY 0x01
#define MULTIBOOT_COMMAND_LINE 0x04

struct multiboot_info {
	u32 flags, lower_kib, upper_kib, boot_device, command_line;
};

struct cpu_features cpu;
u32 memory_bytes;
int pae;

static void read_multiboot(u32 magic, u32 address)
{
	const struct multiboot_info *info = (const void *)address;

	memory_bytes = 16 << 20;
	if (magic != MULTIBOOT_MAGIC)
		return;
	if (info->flags & MULTIBOOT_COMMAND_LINE)
		options_init((const char *)info->command_line);
	if (info->flags & MULTIBOOT_MEMORY)
		memory_bytes = (info->upper_kib + 1024) << 10;
}

static void identify(void)
{
	u32 out[4];

	cpuid(0, 0, out);
	memcpy(cpu.vendor, &out[1], 4);
	memcpy(cpu.vendor + 4, &out[3], 4);
	memcpy(cpu.vendor + 8, &out[2], 4);
	cpuid(1, 0, out);
	cpu.edx = out[3];
	if (!(cpu.edx & CPUID_TSC))
		panic("this processor has no time-stamp counter");
}

void run_checks(void)
{
	memset(results, 0, sizeof(results));
	check_discovery();
	check_registers();
	check_tables();
	check_interrupt_flag();
	check_returns();
	check_entries();
	check_address_spaces();
	check_time();
	check_apic();
	check_ports();
	check_pointers();
	check_processes();
}

/* Calls that end the machine: tried alone, by name. */
static void run_final_test(void)
{
	if (option("test=shutdown")) {
		print("vmi86 guest: trying Shutdown (%s)\n", vmi_supplied(VMI_Shutdown) ? "VMI" : "native");
		irq_disable();
		HOOK(void, VMI_Shutdown, void)();
		panic("Shutdown returned");
	}
	for (u32 how = 0; how < 2; how++) {
		if (!option(how ? "test=hard-reboot" : "test=reboot"))
			continue;
		print("vmi86 guest: trying Reboot %u (%s)\n", how, vmi_supplied(VMI_Reboot) ? "VMI" : "native");
		irq_disable();
		HOOK(void, VMI_Reboot, u32)(how);
		panic("Reboot returned");
	}
}

void start_kernel(u32 magic, u32 info) NORETURN;
void start_kernel(u32 magic, u32 info)
{
	console_init();
	print("\nvmi86 guest: start\n");
	read_multiboot(magic, info);
	identify();
	cpu_early_init();
	mm_early_init();
	print("cpu %s, features %08x, %u MiB, %s paging\n", cpu.vendor, cpu.edx, memory_bytes >> 20,
	      pae ? "PAE" : "two-level");

	vmi_probe();
	vmi_activate();
	print("Booting %s kernel on %s\n", vmi_active ? "paravirtualized" : "native",
	      vmi_active ? "vmi" : "bare hardware");

	mm_init();
	cpu_init();
	irq_init();
	apic_init();
	time_init();
	power_init();
	console_interrupts();
	irq_enable();
	print("tsc %u kHz, timer %s, local APIC %s\n", tsc_khz, vmi_timer ? "vmi" : "pit",
	      apic_base ? "present" : "absent");
	run_final_test();

	run_checks();
	if (!option("nobench"))
		measure_calls();
	report();
	if (option("poweroff"))
		power_off();
	shell();
}
