/* The local APIC by calls 63 and 64, and call 62, which on one processor can only be told. */
#include "include/mm.h"
#include "include/try.h"

#define APIC_LVT_ERROR 0x370
#define APIC_ICR_HIGH 0x310
#define APIC_ICR 0x300
#define MASKED 0x10000
#define TO_SELF 0x40000

static u32 native_read(u32 offset)
{
	return *(volatile u32 *)(apic_base + offset);
}

static void check_registers_of_apic(void)
{
	static const u16 offsets[] = { 0x20, 0x30, 0x80, 0xF0, 0x320, 0x350, 0x360, 0x370 };

	check_group(VMI_APICRead);
	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++)
		for (u32 by_address = 0; by_address < 2; by_address++)
			EACH_WAY(how) {
				u32 value = native_read(offsets[i]);

				try_regs(VMI_APICRead, how, RESULT_EAX,
					 offsets[i] + (by_address ? apic_base : 0), 2, 3);
				check(inv.out.eax == value, "register %x%s gives %08x, is %08x", offsets[i],
				      by_address ? " by address" : "", inv.out.eax, value);
			}
	check_group(VMI_APICWrite);
	for (u32 by_address = 0; by_address < 2; by_address++)
		EACH_WAY(how) {
			u32 value = MASKED | (0xE0 + by_address * 2 + how);

			try_regs(VMI_APICWrite, how, RESULT_NONE,
				 APIC_LVT_ERROR + (by_address ? apic_base : 0), value, 3);
			check(native_read(APIC_LVT_ERROR) == value, "register 370%s set to %08x, is %08x",
			      by_address ? " by address" : "", value, native_read(APIC_LVT_ERROR));
		}
}

/* An interrupt to itself, sent and ended by the calls. */
static void check_self_ipi(void)
{
	check_group(VMI_APICWrite);
	EACH_WAY(how) {
		u32 before = lvtt_count;

		try_regs(VMI_APICWrite, how, RESULT_NONE, APIC_ICR_HIGH, 0, 3);
		invoke_prepare();
		inv.in.eax = APIC_ICR;
		inv.in.edx = TO_SELF | LVTT_VECTOR;
		inv.flags = FLAG_IF | 2;
		try_call(VMI_APICWrite, how, RESULT_NONE);
		delay_us(1000);
		check(lvtt_count == before + 1, "an interrupt to itself came %u times", lvtt_count - before);
	}
}

static void check_initial_state(void)
{
	static u8 area[2 * PAGE_SIZE] ALIGNED(PAGE_SIZE);
	/* Across a page boundary: Linux's is a local variable, anywhere. */
	struct vmi_ap_state *state = (void *)(area + PAGE_SIZE - 30), copy;

	_Static_assert(sizeof(*state) == 92, "AP state");
	check_group(VMI_SetInitialAPState);
	memset(&copy, 0, sizeof(copy));
	copy.cr0 = native_cr0();
	copy.cr3 = kernel_space.root * PAGE_SIZE;
	copy.cr4 = native_cr4();
	copy.eip = PAGE_OFFSET + LOAD_ADDRESS;
	copy.cs = KERNEL_CS;
	copy.ss = KERNEL_DS;
	copy.ds = copy.es = USER_DS;
	copy.gdtr_base = (u32)gdt;
	copy.gdtr_limit = GDT_ENTRIES * 8 - 1;
	copy.idtr_base = (u32)idt;
	copy.idtr_limit = 0x7FF;
	memcpy(state, &copy, sizeof(copy));
	for (u32 id = 1; id < 300; id += 99)
		EACH_WAY(how) {
			try_regs(VMI_SetInitialAPState, how, RESULT_NONE, (u32)state, id, 3);
			check(!memcmp(state, &copy, sizeof(copy)), "changed the state it was given");
		}
	remark("one processor: nothing to start");
}

void check_apic(void)
{
	inv.stack_count = 0;
	if (apic_base) {
		check_registers_of_apic();
		check_self_ipi();
	} else {
		for (int call = VMI_APICWrite; call <= VMI_APICRead; call++) {
			check_group(call);
			remark("no local APIC");
		}
	}
	check_initial_state();
}
