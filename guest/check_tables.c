/* Descriptor tables: calls 3 to 14. */
#include "include/try.h"

#define CODE_3 0x00CFFB00

static void check_registers_of(int set, int get, const struct table_register *now)
{
	struct table_register shorter = *now, seen;

	shorter.limit -= 8;
	EACH_WAY(how) {
		check_group(set);
		try_regs(set, how, RESULT_NONE, (u32)&shorter, 0x5678, 0x9ABC);
		invoke_prepare();
		memset(&seen, 0xAA, sizeof(seen));
		inv.in.eax = (u32)&seen;
		invoke_native(get);
		check(seen.limit == shorter.limit && seen.base == shorter.base,
		      "set %04x %08x, the processor has %04x %08x", shorter.limit, shorter.base,
		      seen.limit, seen.base);
		check_group(get);
		memset(&seen, 0xAA, sizeof(seen));
		try_regs(get, how, RESULT_NONE, (u32)&seen, 0x5678, 0x9ABC);
		check(seen.limit == shorter.limit && seen.base == shorter.base,
		      "gives %04x %08x, the processor has %04x %08x", seen.limit, seen.base,
		      shorter.limit, shorter.base);
		check_group(set);
		try_regs(set, how, RESULT_NONE, (u32)now, 0x5678, 0x9ABC);
	}
}

static void check_entry_writer(int call, u32 (*table)[2], u32 index)
{
	check_group(call);
	EACH_WAY(how) {
		u32 before[2] = { table[index - 1][0], table[index - 1][1] };
		u32 after[2] = { table[index + 1][0], table[index + 1][1] };
		u32 old[2] = { table[index][0], table[index][1] };
		u32 low = 0x12340000 + how, high = how ? 0 : CODE_3;

		inv.stack_count = 1;
		invoke_prepare();
		inv.stack_count = 1;
		inv.stack[0] = high;
		inv.in.eax = (u32)table;
		inv.in.edx = index;
		inv.in.ecx = low;
		try_call(call, how, RESULT_NONE);
		check(table[index][0] == low && table[index][1] == high, "wrote %08x %08x, there is %08x %08x",
		      low, high, table[index][0], table[index][1]);
		check(before[0] == table[index - 1][0] && before[1] == table[index - 1][1] &&
			      after[0] == table[index + 1][0] && after[1] == table[index + 1][1],
		      "a neighbour of entry %u changed", index);
		inv.stack[0] = old[1];
		inv.in.ecx = old[0];
		try_call(call, how, RESULT_NONE);
	}
}

/* An entry written by the call is what the processor loads from. */
static void check_entry_works(void)
{
	u32 selector = SPARE_SELECTOR, limit;

	check_group(VMI_WriteGDTEntry);
	for (u32 size = 0x1000; size <= 0x3000; size += 0x1000) {
		hook_write_gdt(gdt, SPARE_ENTRY, size - 1, 0x00409300);
		__asm__ __volatile__("lsll %1, %0" : "=r"(limit) : "r"(selector) : "cc");
		check(limit == size - 1, "limit %x of an entry with limit %x", limit, size - 1);
		__asm__ __volatile__("movl %0, %%es; movl %1, %%es" : : "r"(selector), "r"(USER_DS));
	}
	hook_write_gdt(gdt, SPARE_ENTRY, 0, 0);
}

static void check_task_and_ldt(void)
{
	u32 selector;

	EACH_WAY(how) {
		check_group(VMI_SetLDT);
		try_regs(VMI_SetLDT, how, RESULT_NONE, LDT_SELECTOR, 1, 2);
		__asm__ __volatile__("sldt %0" : "=r"(selector));
		check((selector & 0xFFFF) == LDT_SELECTOR, "LDTR is %x", selector);
		check_group(VMI_GetLDT);
		try_regs(VMI_GetLDT, how, RESULT_EAX, 0xFFFFFFFF, 1, 2);
		check((inv.out.eax & 0xFFFF) == LDT_SELECTOR, "gives %x", inv.out.eax);
		check_group(VMI_SetLDT);
		try_regs(VMI_SetLDT, how, RESULT_NONE, 0, 1, 2);
		__asm__ __volatile__("sldt %0" : "=r"(selector));
		check((selector & 0xFFFF) == 0, "LDTR is %x", selector);

		check_group(VMI_SetTR);
		/* A busy task cannot be loaded: its descriptor is made available first. */
		hook_write_gdt(gdt, TSS_ENTRY, gdt[TSS_ENTRY][0], gdt[TSS_ENTRY][1] & ~0x200);
		try_regs(VMI_SetTR, how, RESULT_NONE, TSS_SELECTOR, 1, 2);
		__asm__ __volatile__("str %0" : "=r"(selector));
		check((selector & 0xFFFF) == TSS_SELECTOR, "TR is %x", selector);
		check_group(VMI_GetTR);
		try_regs(VMI_GetTR, how, RESULT_EAX, 0xFFFFFFFF, 1, 2);
		check((inv.out.eax & 0xFFFF) == TSS_SELECTOR, "gives %x", inv.out.eax);
	}
}

/* Natively the store in the TSS is all; whatever the ROM does, the next trap uses that stack. */
static void check_kernel_stack(void)
{
	static u8 other[4096] ALIGNED(16);
	u32 saved = tss.esp0, top = (u32)other + sizeof(other);

	check_group(VMI_UpdateKernelStack);
	user_page_map();
	EACH_WAY(how) {
		u32 frame[5] = { user_code(user_snippet), USER_CS, FLAG_IF | 2, USER_PAGE + 0xF00,
				 USER_DS };

		tss.esp0 = top;
		try_regs(VMI_UpdateKernelStack, how, RESULT_NONE, KERNEL_DS, top, 0x9ABC);
		memset(other, 0, sizeof(other));
		invoke_prepare();
		memcpy(other + 2048, frame, sizeof(frame));
		invoke_iret((u32)other + 2048);
		check(inv.vector == TEST_VECTOR, "user mode ended by %s", trap_name(inv.vector));
		check(((u32 *)top)[-1] == USER_DS && ((u32 *)top)[-3] == inv.trap.eflags,
		      "the trap used another stack than %08x", top);
		set_kernel_stack(saved);
	}
}

void check_tables(void)
{
	struct table_register r;

	irq_disable();
	__asm__ __volatile__("sgdt %0" : "=m"(r));
	check_registers_of(VMI_SetGDT, VMI_GetGDT, &r);
	__asm__ __volatile__("sidt %0" : "=m"(r));
	check_registers_of(VMI_SetIDT, VMI_GetIDT, &r);
	check_entry_writer(VMI_WriteGDTEntry, gdt, SPARE_ENTRY);
	check_entry_writer(VMI_WriteLDTEntry, ldt, 1);
	check_entry_writer(VMI_WriteIDTEntry, idt, 0x90);
	check_entry_works();
	check_task_and_ldt();
	check_kernel_stack();
	irq_enable();
}
