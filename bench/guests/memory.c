/* Rows that read and write memory. */
#include "rows.h"

#define WORDS 4096

static u32 from[WORDS], to[WORDS];

static void fill(void)
{
	u32 x = 1, i;

	for (i = 0; i < WORDS; i++) {
		x = next_random(x);
		from[i] = x;
		to[i] = 0;
	}
}

static u32 sum_of(const u32 *words)
{
	u32 sum = 0, i;

	for (i = 0; i < WORDS; i++)
		sum = sum * 3 + words[i];
	return sum;
}

/* n times: each of WORDS words, changed in place. */
u32 load_add_store(u32 n)
{
	u32 i;

	fill();
	while (n--)
		for (i = 0; i < WORDS; i++)
			from[i] += n;
	return sum_of(from);
}

/* n copies of 16 KiB. */
u32 copy_by_movs(u32 n)
{
	fill();
	while (n--) {
		u32 *source = from, *target = to, count = WORDS;

		from[n % WORDS] += n;
		asm volatile("rep movsl" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
	}
	return sum_of(to);
}

/* The same, word by word. */
u32 copy_by_loop(u32 n)
{
	u32 i;

	fill();
	while (n--) {
		from[n % WORDS] += n;
		for (i = 0; i < WORDS; i++)
			to[i] = from[i];
		asm volatile("" : : : "memory");
	}
	return sum_of(to);
}
