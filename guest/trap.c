/* Exceptions, interrupts and system calls by vector. */
#include "include/guest.h"
#include "include/hooks.h"
#include "include/invoke.h"
#include "include/layout.h"
#include "include/trap.h"
#include "include/x86.h"

extern char probe_read_at[], probe_write_at[], probe_fault[];

int (*demand_map)(u32 address);

void trap(struct regs *regs);

static void die(const struct regs *r)
{
	static int again;

	while (again++)
		__asm__ __volatile__("cli; hlt");
	print("\nvector %u error %x at %04x:%08x flags %08x cr2 %08x\n", r->vector, r->error,
	      r->cs & 0xFFFF, r->eip, r->eflags, native_cr2());
	print("eax %08x ebx %08x ecx %08x edx %08x\n", r->eax, r->ebx, r->ecx, r->edx);
	print("esi %08x edi %08x ebp %08x esp %08x\n", r->esi, r->edi, r->ebp,
	      from_user(r) ? r->esp : (u32)&r->esp);
	print("ds %04x es %04x fs %04x gs %04x, in %s\n", r->ds & 0xFFFF, r->es & 0xFFFF, r->fs & 0xFFFF,
	      r->gs & 0xFFFF,
	      r->eip >= vmi_rom_base && r->eip < vmi_rom_base + vmi_rom_size ? "the ROM" : "the guest");
	panic("unexpected exception");
}

static void exception(struct regs *regs)
{
	if (regs->vector == TRAP_PF) {
		u32 address = hook_cr2();

		if (regs->eip == (u32)probe_read_at || regs->eip == (u32)probe_write_at) {
			regs->eax = regs->error & 0xFF;
			regs->eip = (u32)probe_fault;
			return;
		}
		if (demand_map && demand_map(address))
			return;
		if (user_page_fault(regs, address))
			return;
	}
	if (regs->vector == TRAP_NM && user_device_not_available())
		return;
	if (inv.active)
		invoke_trap(regs);
	if (from_user(regs) && processes_running)
		user_exception(regs);
	else
		die(regs);
}

void trap(struct regs *regs)
{
	u32 vector = regs->vector;

	if (vector < 32)
		exception(regs);
	else if (vector == SYSCALL_VECTOR)
		syscall(regs);
	else if (vector == TEST_VECTOR && inv.active)
		invoke_trap(regs);
	else
		handle_irq(regs);
	if (from_user(regs))
		before_user();
}
