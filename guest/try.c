/* See try.h. */
#include "include/try.h"
#include "include/mm.h"

#define KEPT_FLAGS (FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC)

static u32 allowed_flags;

const char *way_name(enum invoke_how how)
{
	return how == INVOKE_DIRECT ? "at a patched site" : "through the pointer";
}

const char *trap_name(int vector)
{
	static const char *const names[] = { [1] = "#DB", [3] = "#BP", [6] = "#UD", [7] = "#NM",
					     [8] = "#DF", [10] = "#TS", [11] = "#NP", [12] = "#SS",
					     [13] = "#GP", [14] = "#PF", [17] = "#AC" };

	if (vector < 0)
		return "no fault";
	if (vector < (int)ARRAY_SIZE(names) && names[vector])
		return names[vector];
	return "a trap";
}

void allow_flags(u32 flags)
{
	allowed_flags = flags;
}

static void kept(const char *name, u32 before, u32 after, enum invoke_how how)
{
	check(before == after, "%s was %08x, is %08x, %s", name, before, after, way_name(how));
}

static int judge_return(int call, enum invoke_how how, u32 results)
{
	int all = vmi_classes[call] == 'I', own = vmi_classes[call] == 'X';
	u32 flags = KEPT_FLAGS & ~allowed_flags;

	allowed_flags = 0;
	if (!check(inv.vector < 0, "%s at %08x, error %x, CR2 %08x, %s", trap_name(inv.vector),
		   inv.trap.eip, inv.error, inv.cr2, way_name(how)))
		return 0;
	if ((all || own) && !(results & RESULT_EAX))
		kept("EAX", inv.in.eax, inv.out.eax, how);
	if ((all || own) && !(results & RESULT_EDX))
		kept("EDX", inv.in.edx, inv.out.edx, how);
	if ((all || own) && !(results & RESULT_ECX))
		kept("ECX", inv.in.ecx, inv.out.ecx, how);
	if (!(results & RESULT_EBX))
		kept("EBX", inv.in.ebx, inv.out.ebx, how);
	if (!(results & RESULT_ESI))
		kept("ESI", inv.in.esi, inv.out.esi, how);
	if (!(results & RESULT_EDI))
		kept("EDI", inv.in.edi, inv.out.edi, how);
	kept("EBP", inv.in.ebp, inv.out.ebp, how);
	kept("ESP", inv.esp_before, inv.out_esp, how);
	kept("flags", inv.flags & flags, inv.out_flags & flags, how);
	check((inv.out_ds & 0xFFFF) == inv.ds && (inv.out_es & 0xFFFF) == inv.es &&
		      (inv.out_fs & 0xFFFF) == PERCPU_SELECTOR &&
		      (inv.out_gs & 0xFFFF) == CANARY_SELECTOR &&
		      (inv.out_ss & 0xFFFF) == KERNEL_DS && (inv.out_cs & 0xFFFC) == KERNEL_CS,
	      "segments became ds %x es %x fs %x gs %x ss %x cs %x, %s", inv.out_ds, inv.out_es,
	      inv.out_fs, inv.out_gs, inv.out_ss, inv.out_cs, way_name(how));
	return 1;
}

int try_call(int call, enum invoke_how how, u32 results)
{
	invoke_call(call, how);
	return judge_return(call, how, results);
}

int try_regs(int call, enum invoke_how how, u32 results, u32 eax, u32 edx, u32 ecx)
{
	u32 count = inv.stack_count;

	invoke_prepare();
	inv.stack_count = count;
	inv.in.eax = eax;
	inv.in.edx = edx;
	inv.in.ecx = ecx;
	return try_call(call, how, results);
}

void judge_fault(int call, enum invoke_how how)
{
	int in_rom = inv.trap.eip >= vmi_rom_base && inv.trap.eip < vmi_rom_base + vmi_rom_size;

	if (!vmi_supplied(call))
		return;
	if (inv.trap.eip == invoke_site()) {
		results[call].fault_at |= 1;
		check(inv.trap_esp == inv.esp_before, "fault at the call with ESP %08x, was %08x, %s",
		      inv.trap_esp, inv.esp_before, way_name(how));
	} else {
		results[call].fault_at |= 2;
		expect(0, "fault at %08x%s, the call is at %08x", inv.trap.eip,
		       in_rom ? ", in the ROM" : "", invoke_site());
	}
}

int make_irq0_pending(void)
{
	drain_irqs();
	irq_disable();
	pit_one_shot(20);
	for (u32 i = 0; i < 2000000; i++)
		if (irq_pending(0))
			return 1;
	return 0;
}

void drain_irqs(void)
{
	native_sti();
	__asm__ __volatile__("nop; nop");
}

void user_page_map(void)
{
	static u32 frame;

	if (!frame)
		frame = frame_alloc_zeroed();
	memcpy(frame_address(frame), user_snippet, user_snippet_end - user_snippet);
	map_page(&kernel_space, USER_PAGE, frame * PAGE_SIZE | PTE_P | PTE_W | PTE_U);
	map_page(&kernel_space, V86_PAGE, frame * PAGE_SIZE | PTE_P | PTE_W | PTE_U);
	hook_inval_page(USER_PAGE);
	hook_inval_page(V86_PAGE);
}

u32 user_code(const char *snippet)
{
	return USER_PAGE + (snippet - user_snippet);
}
