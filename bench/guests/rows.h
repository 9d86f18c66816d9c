/*
 * What the rows of the micro-benchmark share: a row does its work n times and answers with a
 * checksum, so that every engine is seen to have done the same.
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Marsaglia's xorshift32; never zero. */
static inline u32 next_random(u32 x)
{
	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

/* Compiled C. */
u32 sieve(u32 n);
u32 fib(u32 n);
u32 crc32(u32 n);
u32 sha256(u32 n);
u32 quicksort(u32 n);
u32 bytecode(u32 n);

/* Memory. */
u32 load_add_store(u32 n);
u32 copy_by_movs(u32 n);
u32 copy_by_loop(u32 n);

/* Floating point. */
u32 x87_matrix(u32 n);
u32 x87_division(u32 n);
u32 sse2_matrix(u32 n);
u32 sse2_packed_matrix(u32 n);
u32 sse2_integers(u32 n);

/* Assembly. */
u32 integer_loop(u32 n);
u32 calls_within(u32 n);
u32 calls_across(u32 n);

struct row {
	const char *name;
	u32 (*run)(u32 n);
};

/* What the platform (machine.c or linux.c) has beyond computing; the end has no name. */
extern const struct row platform_rows[];

/* The next byte from the harness; -1 when there will be none. */
int get(void);
void put(const char *text);
/* Reads commands until there are none left. */
void serve(void);

#endif
