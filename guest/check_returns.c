/* Leaving the kernel: IRET and SYSEXIT, by the same sites as the kernel's own. */
#include "include/try.h"

#define PATTERN_FLAGS (0x8D5 & ~0x10)
#define NOT_PRESENT_CODE_3 0x00CF7B00
#define NOT_PRESENT_DATA_3 0x00CF7300

static u32 frame_stack[1024] ALIGNED(16);
#define FRAME (&frame_stack[1000])

static void build_frame(u32 eip, u32 cs, u32 flags, u32 esp, u32 ss)
{
	u32 frame[] = { eip, cs, flags, esp, ss };

	memcpy(FRAME, frame, sizeof(frame));
	invoke_prepare();
}

static void same_registers(const struct gprs *is)
{
	check(!memcmp(&inv.in, is, sizeof(inv.in)),
	      "registers: eax %x ecx %x edx %x ebx %x esi %x edi %x ebp %x, should be %x %x %x %x %x %x %x",
	      is->eax, is->ecx, is->edx, is->ebx, is->esi, is->edi, is->ebp, inv.in.eax, inv.in.ecx,
	      inv.in.edx, inv.in.ebx, inv.in.esi, inv.in.edi, inv.in.ebp);
}

static struct gprs trapped(void)
{
	return (struct gprs){ inv.trap.eax, inv.trap.ecx, inv.trap.edx, inv.trap.ebx,
			      inv.trap.esi, inv.trap.edi, inv.trap.ebp };
}

static void check_to_kernel(void)
{
	static const u32 flags[] = { 2, FLAG_IF | 2, PATTERN_FLAGS | 2, PATTERN_FLAGS | FLAG_IF | 2 };

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		build_frame((u32)invoke_iret_landed, KERNEL_CS, flags[i], 0, 0);
		if (i & 1)
			inv.ds = inv.es = 0;
		invoke_iret((u32)FRAME);
		if (!check(inv.vector < 0, "to the kernel: %s at %08x", trap_name(inv.vector), inv.trap.eip))
			continue;
		same_registers(&inv.out);
		check(inv.out_esp == (u32)(FRAME + 3), "to the kernel: ESP %08x, not %08x", inv.out_esp,
		      (u32)(FRAME + 3));
		check((inv.out_flags & (PATTERN_FLAGS | FLAG_IF | FLAG_DF)) == (flags[i] & ~2u),
		      "to the kernel: flags %x, not %x", inv.out_flags, flags[i]);
		check((inv.out_ds & 0xFFFF) == inv.ds, "to the kernel: DS %x", inv.out_ds);
	}
}

static void check_to_user(void)
{
	static const u32 flags[] = { FLAG_IF | 2, PATTERN_FLAGS | FLAG_DF | FLAG_IF | 2,
				     FLAG_AC | FLAG_ID | FLAG_IF | 2 };

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		build_frame(user_code(user_snippet), USER_CS, flags[i], USER_PAGE + 0xF00 + i, USER_DS);
		if (i == 1)
			inv.ds = inv.es = 0;
		invoke_iret((u32)FRAME);
		if (!check(inv.vector == TEST_VECTOR, "to user mode: %s at %08x error %x",
			   trap_name(inv.vector), inv.trap.eip, inv.error))
			continue;
		struct gprs is = trapped();
		same_registers(&is);
		check((inv.trap.cs & 0xFFFF) == USER_CS && (inv.trap.ss & 0xFFFF) == USER_DS,
		      "to user mode: CS %x SS %x", inv.trap.cs, inv.trap.ss);
		check(inv.trap.esp == USER_PAGE + 0xF00 + i, "to user mode: ESP %08x", inv.trap.esp);
		check((inv.trap.eflags & ~0x10000u) == flags[i], "to user mode: flags %x, not %x",
		      inv.trap.eflags, flags[i]);
	}
	/* User mode has user mode's rights: CLI faults. */
	build_frame(user_code(user_snippet_cli), USER_CS, FLAG_IF | 2, USER_PAGE + 0xF00, USER_DS);
	invoke_iret((u32)FRAME);
	check(inv.vector == TRAP_GP && inv.trap.eip == user_code(user_snippet_cli),
	      "CLI in user mode: %s at %08x", trap_name(inv.vector), inv.trap.eip);
	/* With IOPL 3 it does not. */
	build_frame(user_code(user_snippet_cli), USER_CS, FLAG_IOPL | FLAG_IF | 2, USER_PAGE + 0xF00,
		    USER_DS);
	invoke_iret((u32)FRAME);
	check(inv.vector == TEST_VECTOR && !(inv.trap.eflags & FLAG_IF), "CLI with IOPL 3: %s, flags %x",
	      trap_name(inv.vector), inv.trap.eflags);
	/* Single steps: the first instruction runs, then #DB. */
	build_frame(user_code(user_snippet_step), USER_CS, FLAG_TF | FLAG_IF | 2, USER_PAGE + 0xF00,
		    USER_DS);
	invoke_iret((u32)FRAME);
	check(inv.vector == TRAP_DB && inv.trap.eip == user_code(user_snippet_step) + 1,
	      "TF set: %s at %08x, not at %08x", trap_name(inv.vector), inv.trap.eip,
	      user_code(user_snippet_step) + 1);
}

static void check_to_v86(void)
{
	u32 offset = user_code(user_snippet_v86) - USER_PAGE;

	build_frame(offset, V86_PAGE >> 4, FLAG_VM | FLAG_IF | 2, 0x0F00, V86_PAGE >> 4);
	FRAME[5] = 0x1111;
	FRAME[6] = 0x2222;
	FRAME[7] = 0x3333;
	FRAME[8] = 0x4444;
	invoke_iret((u32)FRAME);
	if (!check(inv.vector == TRAP_GP && inv.trap.eflags & FLAG_VM, "to V86: %s, flags %x at %04x:%08x",
		   trap_name(inv.vector), inv.trap.eflags, inv.trap.cs, inv.trap.eip))
		return;
	struct gprs is = trapped();
	same_registers(&is);
	check((inv.trap.cs & 0xFFFF) == V86_PAGE >> 4 && inv.trap.eip == offset &&
		      (inv.trap.ss & 0xFFFF) == V86_PAGE >> 4 && inv.trap.esp == 0x0F00,
	      "to V86: %04x:%08x, stack %04x:%08x", inv.trap.cs, inv.trap.eip, inv.trap.ss, inv.trap.esp);
	check((inv.trap.v86_es & 0xFFFF) == 0x1111 && (inv.trap.v86_ds & 0xFFFF) == 0x2222 &&
		      (inv.trap.v86_fs & 0xFFFF) == 0x3333 && (inv.trap.v86_gs & 0xFFFF) == 0x4444,
	      "to V86: es %x ds %x fs %x gs %x", inv.trap.v86_es, inv.trap.v86_ds, inv.trap.v86_fs,
	      inv.trap.v86_gs);
}

/* The fault of a return: at the site, with the frame as it was. */
static void judge_return_fault(int call, u32 site, int stack_known)
{
	if (stack_known)
		check(inv.trap_esp == (u32)FRAME, "fault with ESP %08x, the frame is at %08x",
		      inv.trap_esp, (u32)FRAME);
	struct gprs is = trapped();
	same_registers(&is);
	if (!vmi_supplied(call))
		return;
	results[call].fault_at |= inv.trap.eip == site ? 1 : 2;
	expect(inv.trap.eip == site, "fault at %08x, the site is %08x", inv.trap.eip, site);
}

/* QEMU 7.2 reports an SS that is not present as #NP; the manual says #SS. */
static int on_qemu(void)
{
	u32 signature = 0;

	outw(0x510, 0);
	for (u32 i = 0; i < 32; i += 8)
		signature |= inb(0x511) << i;
	return signature == 0x554D4551;
}

static void check_bad_frame(const char *what, u32 cs, u32 ss, int vector, u32 error)
{
	build_frame(user_code(user_snippet), cs, FLAG_IF | 2, USER_PAGE + 0xF00, ss);
	invoke_iret((u32)FRAME);
	if (vector == TRAP_SS && inv.vector == TRAP_NP && on_qemu())
		vector = TRAP_NP;
	if (check(inv.vector == vector && inv.error == error, "%s: %s error %x at %08x, not %s error %x",
		  what, trap_name(inv.vector), inv.error, inv.trap.eip, trap_name(vector), error))
		judge_return_fault(VMI_IRET, (u32)invoke_iret_site, 1);
}

static void check_bad_frames(void)
{
	check_bad_frame("CS beyond the table", 0x3FB, USER_DS, TRAP_GP, 0x3F8);
	check_bad_frame("CS null", 0, USER_DS, TRAP_GP, 0);
	check_bad_frame("CS is data", USER_DS, USER_DS, TRAP_GP, USER_DS & ~3);
	check_bad_frame("SS null", USER_CS, 3, TRAP_GP, 0);
	check_bad_frame("SS of ring 0", USER_CS, KERNEL_DS, TRAP_GP, KERNEL_DS);
	hook_write_gdt(gdt, SPARE_ENTRY, 0xFFFF, NOT_PRESENT_CODE_3);
	check_bad_frame("CS not present", SPARE_SELECTOR | 3, USER_DS, TRAP_NP, SPARE_SELECTOR);
	hook_write_gdt(gdt, SPARE_ENTRY, 0xFFFF, NOT_PRESENT_DATA_3);
	check_bad_frame("SS not present", USER_CS, SPARE_SELECTOR | 3, TRAP_SS, SPARE_SELECTOR);
	hook_write_gdt(gdt, SPARE_ENTRY, 0, 0);
}

static void prepare_sysexit(void)
{
	invoke_prepare();
	inv.in.edx = user_code(user_snippet);
	inv.in.ecx = USER_PAGE + 0xE00;
}

static void check_sysexit(void)
{
	check_group(VMI_SYSEXIT);
	if (!(cpu.edx & CPUID_SEP)) {
		remark("this processor has no SYSEXIT");
		return;
	}
	for (int interrupted = 0; interrupted < 2; interrupted++) {
		u32 before = irq_count[0];

		if (interrupted)
			check(make_irq0_pending(), "IRQ 0 does not become pending");
		before = irq_count[0];
		prepare_sysexit();
		invoke_sysexit();
		if (!check(inv.vector == TEST_VECTOR, "%s at %08x error %x", trap_name(inv.vector),
			   inv.trap.eip, inv.error))
			continue;
		struct gprs is = trapped();
		same_registers(&is);
		check((inv.trap.cs & 0xFFFF) == USER_CS && (inv.trap.ss & 0xFFFF) == USER_DS &&
			      inv.trap.esp == USER_PAGE + 0xE00 && inv.trap.eip == user_code(user_snippet) + 2,
		      "to %04x:%08x, stack %04x:%08x", inv.trap.cs, inv.trap.eip, inv.trap.ss, inv.trap.esp);
		check(inv.trap.eflags & FLAG_IF, "user mode with interrupts off");
		if (interrupted) {
			check(irq_count[0] == before + 1, "the pending interrupt came %u times",
			      irq_count[0] - before);
			check(irq0_cs == USER_CS, "the pending interrupt came in the kernel, at %04x:%08x",
			      irq0_cs, irq0_eip);
		}
	}
	/* SYSENTER_CS 0, as Linux has it for V86 tasks: #GP. */
	wrmsr(MSR_SYSENTER_CS, 0);
	prepare_sysexit();
	inv.flags = 2;
	invoke_sysexit();
	wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
	if (check(inv.vector == TRAP_GP && !inv.error, "SYSENTER_CS 0: %s error %x", trap_name(inv.vector),
		  inv.error))
		judge_return_fault(VMI_SYSEXIT, (u32)invoke_sysexit_site, 0);
}

void check_returns(void)
{
	irq_disable();
	user_page_map();
	check_group(VMI_IRET);
	check_to_kernel();
	check_to_user();
	check_to_v86();
	check_bad_frames();
	check_sysexit();
	irq_enable();
}
