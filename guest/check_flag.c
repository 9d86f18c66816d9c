/* The interrupt flag and Halt: calls 29 to 32, 35, 61. */
#include "include/try.h"

/* Null data segments: calls of class I may only use CS and SS. */
static void prepare(int call, enum invoke_how how, u32 flags, u32 eax)
{
	(void)call;
	invoke_prepare();
	inv.flags = flags | 2;
	inv.in.eax = eax;
	if (how == INVOKE_DIRECT)
		inv.ds = inv.es = 0;
}

static void check_plain(void)
{
	for (u32 old = 0; old <= FLAG_IF; old += FLAG_IF) {
		EACH_WAY(how) {
			check_group(VMI_EnableInterrupts);
			prepare(VMI_EnableInterrupts, how, old, 0xAAAA5555);
			allow_flags(FLAG_IF);
			try_call(VMI_EnableInterrupts, how, RESULT_NONE);
			check(inv.out_flags & FLAG_IF, "IF is 0");

			check_group(VMI_DisableInterrupts);
			prepare(VMI_DisableInterrupts, how, old, 0xAAAA5555);
			allow_flags(FLAG_IF);
			try_call(VMI_DisableInterrupts, how, RESULT_NONE);
			check(!(inv.out_flags & FLAG_IF), "IF is 1");

			check_group(VMI_GetInterruptMask);
			prepare(VMI_GetInterruptMask, how, old, 0xAAAA5555);
			try_call(VMI_GetInterruptMask, how, RESULT_EAX);
			check((inv.out.eax & FLAG_IF) == old, "gives %x, IF was %x", inv.out.eax, old);

			check_group(VMI_SetInterruptMask);
			for (u32 new = 0; new <= FLAG_IF; new += FLAG_IF) {
				prepare(VMI_SetInterruptMask, how, old, new | 2);
				allow_flags(FLAG_IF);
				try_call(VMI_SetInterruptMask, how, RESULT_NONE);
				check((inv.out_flags & FLAG_IF) == new, "IF is %x", inv.out_flags & FLAG_IF);
			}
		}
	}
}

/* Everything but bit 9 is to be ignored. */
static void check_other_bits(void)
{
	static const u32 noise[] = { FLAG_IOPL, FLAG_NT, FLAG_AC, FLAG_ID, FLAG_DF };

	check_group(VMI_SetInterruptMask);
	for (u32 i = 0; i < ARRAY_SIZE(noise); i++) {
		invoke_prepare();
		inv.in.eax = noise[i] | FLAG_IF | 2;
		invoke_call(VMI_SetInterruptMask, INVOKE_INDIRECT);
		check(inv.out_flags & FLAG_IF, "IF is 0");
		expect(!(inv.out_flags & noise[i]), "loads flags %x besides IF", noise[i]);
		__asm__ __volatile__("cld");
	}
}

static void check_pending(int call, u32 eax, int delivers)
{
	check_group(call);
	EACH_WAY(how) {
		u32 before;

		if (!check(make_irq0_pending(), "IRQ 0 does not become pending"))
			return;
		before = irq_count[0];
		prepare(call, how, 0, eax);
		allow_flags(FLAG_IF);
		try_call(call, how, RESULT_NONE);
		check(inv.out_irqs - before == (u32)delivers, "%u pending interrupts delivered, not %d, %s",
		      inv.out_irqs - before, delivers, way_name(how));
		drain_irqs();
		check(irq_count[0] == before + 1, "IRQ 0 came %u times", irq_count[0] - before);
		irq_enable();
	}
}

static void check_halt(void)
{
	check_group(VMI_Halt);
	EACH_WAY(how) {
		u32 before;
		u64 start, took;

		drain_irqs();
		irq_disable();
		before = irq_count[0];
		start = rdtsc();
		pit_one_shot(6000);
		invoke_prepare();
		allow_flags(FLAG_IF);
		try_call(VMI_Halt, how, RESULT_NONE);
		took = rdtsc() - start;
		check(irq_count[0] == before + 1, "returned after %u interrupts", irq_count[0] - before);
		check(inv.out_flags & FLAG_IF, "interrupts are off afterwards");
		check(took > (u64)tsc_khz * 4, "returned after %llu cycles, the interrupt was due after %u",
		      took, tsc_khz * 5);

		/* One that is pending already: no sleep. */
		check(make_irq0_pending(), "IRQ 0 does not become pending");
		before = irq_count[0];
		invoke_prepare();
		allow_flags(FLAG_IF);
		try_call(VMI_Halt, how, RESULT_NONE);
		check(irq_count[0] == before + 1, "a pending interrupt was not taken");
		irq_enable();
	}
}

static void check_iopl(void)
{
	check_group(VMI_SetIOPLMask);
	EACH_WAY(how) {
		for (u32 level = 0; level <= FLAG_IOPL; level += 0x1000) {
			invoke_prepare();
			inv.in.eax = level;
			allow_flags(FLAG_IOPL);
			try_call(VMI_SetIOPLMask, how, RESULT_NONE);
			check((inv.out_flags & FLAG_IOPL) == level, "IOPL is %x, not %x",
			      inv.out_flags & FLAG_IOPL, level);
		}
	}
	invoke_prepare();
	allow_flags(FLAG_IOPL);
	inv.in.eax = 0;
	try_call(VMI_SetIOPLMask, INVOKE_INDIRECT, RESULT_NONE);
}

void check_interrupt_flag(void)
{
	check_plain();
	check_other_bits();
	check_pending(VMI_EnableInterrupts, 0xAAAA5555, 1);
	check_pending(VMI_DisableInterrupts, 0xAAAA5555, 0);
	check_pending(VMI_SetInterruptMask, FLAG_IF | 2, 1);
	check_pending(VMI_SetInterruptMask, 2, 0);
	check_halt();
	check_iopl();
}
