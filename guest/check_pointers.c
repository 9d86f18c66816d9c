/*
 * Bad input: pointers that lead nowhere fault as the instruction would, with CR2 right, and can be
 * repaired and tried again; user mode that gets at the ROM's code has user mode's rights there.
 */
#include "include/mm.h"
#include "include/try.h"

#define NOWHERE 0x30000000
#define ROM_ALIAS 0x00800000

enum where { IN_EAX, IN_EDX, IN_ECX, IN_EDI, IN_ESI };

static const struct {
	u8 call;
	u8 where;
	u8 size;
	u8 writes;
} pointers[] = {
	{ VMI_SetGDT, IN_EAX, 6, 0 },
	{ VMI_SetIDT, IN_EAX, 6, 0 },
	{ VMI_GetGDT, IN_EAX, 6, 1 },
	{ VMI_GetIDT, IN_EAX, 6, 1 },
	{ VMI_WriteGDTEntry, IN_EAX, 8, 1 },
	{ VMI_WriteLDTEntry, IN_EAX, 8, 1 },
	{ VMI_WriteIDTEntry, IN_EAX, 8, 1 },
	{ VMI_SetPxE, IN_EDX, 4, 1 },
	{ VMI_SetPxELong, IN_ECX, 8, 1 },
	{ VMI_INSB, IN_EDI, 1, 1 },
	{ VMI_INSW, IN_EDI, 2, 1 },
	{ VMI_INSL, IN_EDI, 4, 1 },
	{ VMI_OUTSB, IN_ESI, 1, 0 },
	{ VMI_OUTSW, IN_ESI, 2, 0 },
	{ VMI_OUTSL, IN_ESI, 4, 0 },
	/* The native routine has no use for the pointer. */
	{ VMI_SetInitialAPState, IN_EAX, 92, 0 },
};

static void prepare(u32 i, u32 pointer)
{
	invoke_prepare();
	/* A port whose reading and writing means nothing. */
	inv.in.eax = 0;
	inv.in.edx = pointers[i].call >= VMI_INL && pointers[i].call <= VMI_OUTSW ? 0x80 : 0;
	inv.in.ecx = pointers[i].call >= VMI_INL && pointers[i].call <= VMI_OUTSW ? 1 : 0;
	inv.stack_count = 1;
	switch (pointers[i].where) {
	case IN_EAX:
		inv.in.eax = pointer;
		break;
	case IN_EDX:
		inv.in.edx = pointer;
		break;
	case IN_ECX:
		inv.in.ecx = pointer;
		break;
	case IN_EDI:
		inv.in.edi = pointer;
		break;
	default:
		inv.in.esi = pointer;
	}
}

/* Calls that read a table register must not get what they would load: only faults are tried. */
static void check_wild(u32 i, u32 pointer, u32 first_bad, u32 error)
{
	EACH_WAY(how) {
		struct gprs *in = &inv.in;

		prepare(i, pointer);
		invoke_call(pointers[i].call, how);
		if (!check(inv.vector == TRAP_PF, "pointer %08x: %s, %s", pointer, trap_name(inv.vector),
			   way_name(how)))
			continue;
		check(inv.cr2 >= first_bad && inv.cr2 < pointer + pointers[i].size,
		      "pointer %08x: CR2 %08x", pointer, inv.cr2);
		check(inv.error == error, "pointer %08x: error %x, not %x", pointer, inv.error, error);
		if (inv.trap.eip == invoke_site())
			check(inv.trap.eax == in->eax && inv.trap.ecx == in->ecx && inv.trap.edx == in->edx &&
				      inv.trap.ebx == in->ebx && inv.trap.esi == in->esi &&
				      inv.trap.edi == in->edi && inv.trap.ebp == in->ebp,
			      "pointer %08x: registers changed at the fault", pointer);
		judge_fault(pointers[i].call, how);
	}
}

static u32 repaired_frame, repairs;

static int repair(u32 address)
{
	if ((address & ~(PAGE_SIZE - 1)) != NOWHERE)
		return 0;
	repairs++;
	set_entry(entry_of(&kernel_space, NOWHERE), repaired_frame * PAGE_SIZE | PTE_P | PTE_W,
		  VMI_PT | VMI_CURRENT_AS | NOWHERE);
	return 1;
}

static void unmap(void)
{
	set_entry(entry_of(&kernel_space, NOWHERE), 0, VMI_PT | VMI_CURRENT_AS | NOWHERE);
	hook_inval_page(NOWHERE);
}

/* The handler maps the page and returns: the call happens once more, and is right. */
static void check_repair(u32 i)
{
	u32 *page = frame_address(repaired_frame);

	if (!pointers[i].writes || pointers[i].where == IN_EDI)
		return;
	EACH_WAY(how) {
		unmap();
		memset(page, 0, PAGE_SIZE);
		repairs = 0;
		prepare(i, NOWHERE + 0x100);
		if (pointers[i].where != IN_EAX)
			inv.in.eax = 0x1000;
		demand_map = repair;
		try_call(pointers[i].call, how, RESULT_NONE);
		demand_map = NULL;
		check(repairs == 1, "a page mapped on demand: %u faults", repairs);
		if (pointers[i].call == VMI_SetPxE || pointers[i].call == VMI_SetPxELong)
			check(page[0x40] == 0x1000, "a page mapped on demand holds %x", page[0x40]);
		if (pointers[i].call == VMI_GetGDT)
			check((page[0x40] & 0xFFFF) == GDT_ENTRIES * 8 - 1, "a page mapped on demand holds %x",
			      page[0x40]);
	}
	unmap();
}

static void check_faults(void)
{
	u32 good = frame_alloc_zeroed();

	repaired_frame = frame_alloc_zeroed();
	map_page(&kernel_space, NOWHERE, 0);
	/* A readable page, then nothing; and one that may not be written. */
	map_page(&kernel_space, NOWHERE - PAGE_SIZE, good * PAGE_SIZE | PTE_P | PTE_W);
	map_page(&kernel_space, NOWHERE + PAGE_SIZE, good * PAGE_SIZE | PTE_P);
	for (u32 i = 0; i < ARRAY_SIZE(pointers); i++) {
		u32 write = pointers[i].writes ? PF_W : 0, size = pointers[i].size;

		check_group(pointers[i].call);
		if (pointers[i].call == VMI_SetInitialAPState && !vmi_supplied(VMI_SetInitialAPState))
			continue;
		check_wild(i, NOWHERE, NOWHERE, write);
		check_wild(i, 0, 0, write);
		check_wild(i, 0x7FFFFFF0, 0x7FFFFFF0, write);
		if (size > 1)
			check_wild(i, NOWHERE - size / 2, NOWHERE, write);
		if (write)
			check_wild(i, NOWHERE + PAGE_SIZE, NOWHERE + PAGE_SIZE, PF_P | PF_W);
		check_repair(i);
	}
	for (int off = -1; off < 2; off++)
		unmap(), store_entry(entry_of(&kernel_space, NOWHERE + off * PAGE_SIZE), 0);
	hook_flush_tlb(3);
	frame_free(good);
	frame_free(repaired_frame);
}

/* Hints about entries that do not exist: nothing native would touch them. */
static void check_hints(void)
{
	for (int call = VMI_UpdatePxE; call <= VMI_UpdatePxELong; call++) {
		check_group(call);
		EACH_WAY(how) {
			try_regs(call, how, RESULT_NONE, NOWHERE, VMI_PT, 3);
			try_regs(call, how, RESULT_NONE, 0xFFFFFFFF, 0xFFFFFFFF, 3);
		}
	}
	check_group(VMI_InvalPage);
	try_regs(VMI_InvalPage, INVOKE_INDIRECT, RESULT_NONE, 0xFFFFFFFF, 2, 3);
}

/* Runs code at an address in user mode, as if called from user code. */
static void run_in_user_mode(u32 eip)
{
	static u32 stack[512] ALIGNED(16);
	u32 frame[] = { eip, USER_CS, FLAG_IF | 2, USER_PAGE + 0xE00, USER_DS };

	user_page_map();
	*(u32 *)(USER_PAGE + 0xE00) = user_code(user_snippet);
	memcpy(stack + 500, frame, sizeof(frame));
	invoke_prepare();
	inv.in.eax = inv.in.ecx = inv.in.edx = 0;
	invoke_iret((u32)(stack + 500));
}

static void check_user_mode(void)
{
	u32 cr0 = native_cr0(), cr3 = native_cr3(), cr4 = native_cr4();

	if (!vmi_active)
		return;
	for (u32 at = 0; at < vmi_rom_size; at += PAGE_SIZE)
		map_page(&kernel_space, ROM_ALIAS + at,
			 ((vmi_rom_base & ~(PAGE_SIZE - 1)) - PAGE_OFFSET + at) | PTE_P | PTE_W | PTE_U);
	for (int call = 0; call < VMI_CALLS; call++) {
		u32 eip = vmi_binding[call].eip, alias;

		check_group(call);
		if (!vmi_supplied(call) || eip < vmi_rom_base || eip >= vmi_rom_base + vmi_rom_size)
			continue;
		run_in_user_mode(eip);
		check(inv.vector == TRAP_PF && inv.trap.eip == eip && inv.error & PF_U,
		      "called from user mode: %s error %x at %08x", trap_name(inv.vector), inv.error,
		      inv.trap.eip);
		alias = ROM_ALIAS + (eip - (vmi_rom_base & ~(PAGE_SIZE - 1)));
		run_in_user_mode(alias);
		check(inv.vector >= 0 && from_user(&inv.trap) && inv.trap.eflags & FLAG_IF &&
			      native_cr0() == cr0 && native_cr3() == cr3 && native_cr4() == cr4,
		      "run in user mode: %s at %08x flags %x, CR0 %x CR3 %x CR4 %x", trap_name(inv.vector),
		      inv.trap.eip, inv.trap.eflags, native_cr0(), native_cr3(), native_cr4());
	}
	for (u32 at = 0; at < vmi_rom_size; at += PAGE_SIZE) {
		set_entry(entry_of(&kernel_space, ROM_ALIAS + at), 0, VMI_PT | VMI_CURRENT_AS | (ROM_ALIAS + at));
		hook_inval_page(ROM_ALIAS + at);
	}
}

void check_pointers(void)
{
	irq_disable();
	check_faults();
	inv.stack_count = 0;
	check_hints();
	check_user_mode();
	irq_enable();
}
