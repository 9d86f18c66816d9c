/* CPUID, MSRs, control and debug registers, counters: calls 0 to 2 and 15 to 28. */
#include "include/try.h"

static void check_cpuid(void)
{
	static const u32 leaves[] = { 0, 1, 2, 4, 7, 0x40000000, 0x80000000, 0x80000001, 0x80000008 };
	u32 out[4];

	check_group(VMI_CPUID);
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++) {
		EACH_WAY(how) {
			cpuid(leaves[i], 0, out);
			if (!try_regs(VMI_CPUID, how, RESULT_EAX | RESULT_EBX | RESULT_ECX | RESULT_EDX,
				      leaves[i], 0, 0))
				continue;
			check(inv.out.eax == out[0] && inv.out.ebx == out[1] && inv.out.ecx == out[2] &&
				      inv.out.edx == out[3],
			      "leaf %x: %08x %08x %08x %08x, the instruction gives %08x %08x %08x %08x",
			      leaves[i], inv.out.eax, inv.out.ebx, inv.out.ecx, inv.out.edx, out[0],
			      out[1], out[2], out[3]);
		}
	}
}

/* The native routine and the call end alike: both return, or both with the same fault. */
static int ends_alike(int call, enum invoke_how how, u32 results)
{
	struct gprs in = inv.in;
	struct invocation native;

	invoke_native(call);
	native = inv;
	invoke_prepare();
	inv.in = in;
	if (native.vector < 0)
		return try_call(call, how, results);
	invoke_call(call, how);
	check(inv.vector == native.vector && inv.error == native.error,
	      "%s error %x, the instruction gives %s error %x", trap_name(inv.vector), inv.error,
	      trap_name(native.vector), native.error);
	if (inv.vector >= 0)
		judge_fault(call, how);
	return 0;
}

static void check_msrs(void)
{
	u64 saved;

	if (!(cpu.edx & CPUID_MSR))
		return;
	EACH_WAY(how) {
		check_group(VMI_WRMSR);
		if (cpu.edx & CPUID_SEP) {
			saved = rdmsr(MSR_SYSENTER_ESP);
			invoke_prepare();
			inv.in.ecx = MSR_SYSENTER_ESP;
			inv.in.eax = 0xC0123450 + how;
			inv.in.edx = 0;
			try_call(VMI_WRMSR, how, RESULT_NONE);
			check((u32)rdmsr(MSR_SYSENTER_ESP) == 0xC0123450 + how, "wrote %x, reads %x",
			      0xC0123450 + how, (u32)rdmsr(MSR_SYSENTER_ESP));
			check_group(VMI_RDMSR);
			invoke_prepare();
			inv.in.ecx = MSR_SYSENTER_ESP;
			if (try_call(VMI_RDMSR, how, RESULT_EAX | RESULT_EDX))
				check(inv.out.eax == 0xC0123450 + how && !inv.out.edx, "reads %x:%x",
				      inv.out.edx, inv.out.eax);
			wrmsr(MSR_SYSENTER_ESP, saved);
		}
		check_group(VMI_RDMSR);
		invoke_prepare();
		inv.in.ecx = 0x0BADBAD0;
		ends_alike(VMI_RDMSR, how, RESULT_EAX | RESULT_EDX);
		check_group(VMI_WRMSR);
		invoke_prepare();
		inv.in.ecx = 0x0BADBAD0;
		ends_alike(VMI_WRMSR, how, RESULT_NONE);
	}
}

static void check_setter(int call, u32 value, u32 (*get)(void))
{
	check_group(call);
	EACH_WAY(how) {
		try_regs(call, how, RESULT_NONE, value, 0x1234, 0x5678);
		check(get() == value, "set %08x, is %08x, %s", value, get(), way_name(how));
	}
}

static void check_getter(int call, u32 value)
{
	check_group(call);
	EACH_WAY(how) {
		try_regs(call, how, RESULT_EAX, 0x1234, 0x5678, 0x9ABC);
		check(inv.out.eax == value, "gives %08x, is %08x, %s", inv.out.eax, value, way_name(how));
	}
}

static void check_control(void)
{
	u32 cr0 = native_cr0(), cr4 = native_cr4();

	check_setter(VMI_SetCR0, cr0 | CR0_TS, native_cr0);
	check_getter(VMI_GetCR0, cr0 | CR0_TS);
	check_setter(VMI_SetCR0, cr0 & ~CR0_WP, native_cr0);
	check_setter(VMI_SetCR0, cr0, native_cr0);
	check_getter(VMI_GetCR0, cr0);
	check_setter(VMI_SetCR2, 0xDEADBEEF, native_cr2);
	check_getter(VMI_GetCR2, 0xDEADBEEF);
	check_setter(VMI_SetCR2, 0, native_cr2);
	check_setter(VMI_SetCR3, native_cr3(), native_cr3);
	check_getter(VMI_GetCR3, native_cr3());
	if (cpu.edx & CPUID_PGE)
		check_setter(VMI_SetCR4, cr4 ^ CR4_PGE, native_cr4);
	check_getter(VMI_GetCR4, native_cr4());
	check_setter(VMI_SetCR4, cr4, native_cr4);
	check_getter(VMI_GetCR4, cr4);

	check_group(VMI_CLTS);
	EACH_WAY(how) {
		native_set_cr0(cr0 | CR0_TS);
		try_regs(VMI_CLTS, how, RESULT_NONE, 1, 2, 3);
		check(native_cr0() == (cr0 & ~CR0_TS), "CR0 is %08x", native_cr0());
	}
	native_set_cr0(cr0);
	check_group(VMI_WBINVD);
	EACH_WAY(how)
		try_regs(VMI_WBINVD, how, RESULT_NONE, 1, 2, 3);
}

static u32 debug_register(u32 n)
{
	invoke_prepare();
	inv.in.eax = n;
	invoke_native(VMI_GetDR);
	return inv.out.eax;
}

static void check_debug(void)
{
	static const u8 numbers[] = { 0, 1, 2, 3, 6, 7 };

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		u32 n = numbers[i], fixed = n == 7 ? 0x400 : n == 6 ? 0xFFFF0FF0 : 0x00100000 * (n + 1);

		EACH_WAY(how) {
			u32 value = n < 4 ? fixed + how : fixed;

			check_group(VMI_SetDR);
			try_regs(VMI_SetDR, how, RESULT_NONE, n, value, 0x9ABC);
			check(debug_register(n) == value, "DR%u set to %08x, is %08x", n, value,
			      debug_register(n));
			check_group(VMI_GetDR);
			try_regs(VMI_GetDR, how, RESULT_EAX, n, 0x5678, 0x9ABC);
			check(inv.out.eax == value, "DR%u is %08x, gives %08x", n, value, inv.out.eax);
		}
	}
	for (u32 n = 0; n < 4; n++)
		try_regs(VMI_SetDR, INVOKE_INDIRECT, RESULT_NONE, n, 0, 0);
	check_group(VMI_SetDR);
	try_regs(VMI_SetDR, INVOKE_INDIRECT, RESULT_NONE, 0x80000009, 0xFFFFFFFF, 0);
	check_group(VMI_GetDR);
	try_regs(VMI_GetDR, INVOKE_INDIRECT, RESULT_EAX, 0x80000009, 0, 0);
}

static void check_counters(void)
{
	check_group(VMI_RDPMC);
	EACH_WAY(how) {
		invoke_prepare();
		inv.in.ecx = 0;
		ends_alike(VMI_RDPMC, how, RESULT_EAX | RESULT_EDX);
	}
	check_group(VMI_RDTSC);
	EACH_WAY(how) {
		u64 before = rdtsc(), after, value;

		try_regs(VMI_RDTSC, how, RESULT_EAX | RESULT_EDX, 1, 2, 3);
		after = rdtsc();
		value = (u64)inv.out.edx << 32 | inv.out.eax;
		check(before <= value && value <= after, "%llu is not between %llu and %llu", value,
		      before, after);
	}
}

void check_registers(void)
{
	check_cpuid();
	check_msrs();
	irq_disable();
	check_control();
	check_debug();
	irq_enable();
	check_counters();
}
