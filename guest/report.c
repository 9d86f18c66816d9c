/* The report: one line for each call, and the line that tests wait for. */
#include "include/guest.h"
#include "include/vmi.h"
#include "include/x86.h"

static const char *answer(int call)
{
	static const char *const names[] = { "none", "call", "jump", "nop" };
	u8 type = vmi_binding[call].type;

	return type < ARRAY_SIZE(names) ? names[type] : "?";
}

static const char *place_of_faults(u8 at)
{
	static const char *const texts[] = { "", "fault at call site", "fault in ROM",
					     "fault at call site or in ROM" };
	return texts[at & 3];
}

/* Tenths of a cycle as nanoseconds with one decimal. */
static void print_time(u32 tenths)
{
	u32 ns10 = divide((u64)tenths * 1000000, tsc_khz, NULL);

	if (!tenths)
		print("%10s", "-");
	else
		print("%8u.%u", ns10 / 10, ns10 % 10);
}

static void print_result(const struct check_result *r)
{
	if (!r->checks)
		print("  %5s %-8s", "-", "");
	else if (r->failed)
		print("  %5u FAILED %u", r->checks, r->failed);
	else if (r->notes)
		print("  %5u %-8s", r->checks, "ok, note");
	else
		print("  %5u %-8s", r->checks, "ok");
}

void report_calls(void)
{
	print("\n  #  call                  rom  checks\n");
	for (int call = 0; call < VMI_CALLS; call++) {
		const struct check_result *r = &results[call];
		const char *where = place_of_faults(r->fault_at);

		print("%3d  %-21s %-4s", call, vmi_names[call], answer(call));
		print_result(r);
		print("%s%s%s\n", where, *where && r->remark ? ", " : "", r->remark ? r->remark : "");
	}
	for (int group = GROUP_DISCOVERY; group < GROUPS; group++) {
		print("     %-26s", group_names[group - GROUP_DISCOVERY]);
		print_result(&results[group]);
		print("%s\n", results[group].remark ? results[group].remark : "");
	}
}

void report_measurements(void)
{
	print("\nnanoseconds a call, the middle of many batches\n");
	print("  #  call                  rom      native       vmi\n");
	for (int call = 0; call < VMI_CALLS; call++) {
		if (!results[call].native)
			continue;
		print("%3d  %-21s %-4s", call, vmi_names[call], answer(call));
		print_time(results[call].native);
		print_time(results[call].vmi);
		print("\n");
	}
}

void report(void)
{
	u32 failed, notes, total = checks_total(&failed, &notes), supplied = 0, nops = 0;

	print("\n  #  call                  rom  checks             native ns    vmi ns\n");
	for (int call = 0; call < VMI_CALLS; call++) {
		const struct check_result *r = &results[call];
		const char *where = place_of_faults(r->fault_at);

		supplied += vmi_supplied(call);
		nops += vmi_binding[call].type == VMI_RELOC_NOP;
		print("%3d  %-21s %-4s", call, vmi_names[call], answer(call));
		print_result(r);
		print_time(r->native);
		print_time(r->vmi);
		print("  %s%s%s\n", where, *where && r->remark ? ", " : "", r->remark ? r->remark : "");
	}
	for (int group = GROUP_DISCOVERY; group < GROUPS; group++) {
		print("     %-26s", group_names[group - GROUP_DISCOVERY]);
		print_result(&results[group]);
		print("%s%s\n", results[group].remark ? "  " : "",
		      results[group].remark ? results[group].remark : "");
	}
	print("\nplatform %s: %u calls by the ROM, %u by nothing, %u native; %s paging, %s timer\n",
	      vmi_active ? "vmi" : "bare", supplied, nops, VMI_CALLS - supplied - nops,
	      pae ? "PAE" : "two-level", vmi_timer ? "vmi" : "pit");
	print("vmi86 guest: %u checks, %u failed, %u notes\n", total, failed, notes);
	print("GUEST-READY\n");
}
