/* Counting checks, and saying at once which failed. */
#include "include/guest.h"
#include "include/vmi.h"

struct check_result results[GROUPS];

const char *const group_names[GROUPS - GROUP_DISCOVERY] = {
	[GROUP_DISCOVERY - GROUP_DISCOVERY] = "finding and binding the ROM",
	[GROUP_PATCHING - GROUP_DISCOVERY] = "patch sites",
	[GROUP_MMU - GROUP_DISCOVERY] = "address spaces",
	[GROUP_PROCESSES - GROUP_DISCOVERY] = "two user processes",
};

/* Notes repeat themselves for every form of a call: one line each is enough. */
#define NOTES_PRINTED 1

static int group;

void check_group(int next)
{
	group = next;
}

static void complain(const char *word, const char *format, __builtin_va_list list)
{
	if (group < VMI_CALLS)
		print("%s %d %s: ", word, group, vmi_names[group]);
	else
		print("%s %s: ", word, group_names[group - GROUP_DISCOVERY]);
	print_list(format, list);
	print("\n");
}

int check(int ok, const char *format, ...)
{
	__builtin_va_list list;

	results[group].checks++;
	if (ok)
		return 1;
	results[group].failed++;
	__builtin_va_start(list, format);
	complain("FAILED", format, list);
	__builtin_va_end(list);
	return 0;
}

int expect(int ok, const char *format, ...)
{
	__builtin_va_list list;

	results[group].checks++;
	if (ok)
		return 1;
	if (results[group].notes++ >= NOTES_PRINTED)
		return 0;
	__builtin_va_start(list, format);
	complain("note:", format, list);
	__builtin_va_end(list);
	return 0;
}

void remark(const char *text)
{
	results[group].remark = text;
}

u32 checks_total(u32 *failed, u32 *notes)
{
	u32 total = 0;

	*failed = *notes = 0;
	for (int i = 0; i < GROUPS; i++) {
		total += results[i].checks;
		*failed += results[i].failed;
		*notes += results[i].notes;
	}
	return total;
}
