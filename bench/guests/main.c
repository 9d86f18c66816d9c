/*
 * The conversation with the harness, the same on the machine and on Linux: "NAME COUNT" on a line
 * runs a row; "S" is printed when it starts, "D CHECKSUM" when it is over, "?" for an unknown one.
 */
#include "rows.h"

#define LINE_MAX 64

static const struct row rows[] = {
	{ "integer-loop", integer_loop },
	{ "sieve", sieve },
	{ "fib", fib },
	{ "crc32", crc32 },
	{ "sha256", sha256 },
	{ "quicksort", quicksort },
	{ "bytecode", bytecode },
	{ "calls-within", calls_within },
	{ "calls-across", calls_across },
	{ "load-add-store", load_add_store },
	{ "copy-movs", copy_by_movs },
	{ "copy-loop", copy_by_loop },
	{ "x87-matrix", x87_matrix },
	{ "x87-division", x87_division },
	{ "sse2-matrix", sse2_matrix },
	{ "sse2-packed", sse2_packed_matrix },
	{ "sse2-integers", sse2_integers },
	{ 0, 0 },
};

/* Where in the line the count is, if its first word is the name; else 0. */
static const char *after_name(const char *line, const char *name)
{
	while (*name && *line == *name) {
		line++;
		name++;
	}
	return !*name && *line == ' ' ? line + 1 : 0;
}

static int run(const struct row *row, const char *line)
{
	for (; row->name; row++) {
		const char *digits = after_name(line, row->name);
		char text[] = "D 00000000\n";
		u32 n = 0, sum;
		int i;

		if (!digits)
			continue;
		while (*digits >= '0' && *digits <= '9')
			n = n * 10 + (*digits++ - '0');
		put("S\n");
		sum = row->run(n);
		for (i = 9; i >= 2; i--, sum >>= 4)
			text[i] = "0123456789abcdef"[sum & 15];
		put(text);
		return 1;
	}
	return 0;
}

void serve(void)
{
	char line[LINE_MAX];
	u32 length = 0;
	int c;

	put("READY\n");
	while ((c = get()) >= 0) {
		if (c == '\r')
			continue;
		if (c != '\n') {
			if (length < LINE_MAX - 1)
				line[length++] = c;
			continue;
		}
		line[length] = 0;
		length = 0;
		if (!run(rows, line) && !run(platform_rows, line))
			put("?\n");
	}
}
