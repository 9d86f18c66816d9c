/* Rows that are what a compiler makes of ordinary integer code. */
#include "rows.h"

#define SIEVE_SIZE (256 * 1024)
#define FIB_OF 20
#define CRC_SIZE (64 * 1024)
#define SORT_SIZE (16 * 1024)

static u8 bytes[SIEVE_SIZE];
static u32 words[SORT_SIZE];

/* n times the primes below SIEVE_SIZE. */
u32 sieve(u32 n)
{
	u32 sum = 0, i, j;

	while (n--) {
		for (i = 0; i < SIEVE_SIZE; i++)
			bytes[i] = 1;
		for (i = 2; i * i < SIEVE_SIZE; i++)
			if (bytes[i])
				for (j = i * i; j < SIEVE_SIZE; j += i)
					bytes[j] = 0;
		for (i = 2; i < SIEVE_SIZE; i++)
			sum += bytes[i];
	}
	return sum;
}

/* Two calls, not one and a loop. */
__attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) static u32 fibonacci(u32 i)
{
	return i < 2 ? i : fibonacci(i - 1) + fibonacci(i - 2);
}

/* n times fibonacci(FIB_OF). */
u32 fib(u32 n)
{
	u32 sum = 0;

	while (n--)
		sum = sum * 3 + fibonacci(FIB_OF);
	return sum;
}

/* n times the CRC-32 of CRC_SIZE bytes, a table look-up a byte. */
u32 crc32(u32 n)
{
	static u32 table[256];
	u32 sum = 0xffffffff, i, j, x;

	for (i = 0; i < 256; i++) {
		for (x = i, j = 0; j < 8; j++)
			x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
		table[i] = x;
	}
	for (x = 1, i = 0; i < CRC_SIZE; i++) {
		x = next_random(x);
		bytes[i] = x;
	}
	while (n--)
		for (i = 0; i < CRC_SIZE; i++)
			sum = table[(sum ^ bytes[i]) & 0xff] ^ sum >> 8;
	return ~sum;
}

static void sort(u32 *first, u32 *last)
{
	while (first < last) {
		u32 pivot = first[(last - first) / 2];
		u32 *left = first - 1, *right = last + 1;

		for (;;) {
			u32 other;

			while (*++left < pivot)
				;
			while (*--right > pivot)
				;
			if (left >= right)
				break;
			other = *left;
			*left = *right;
			*right = other;
		}
		sort(first, right);
		first = right + 1;
	}
}

/* n times SORT_SIZE random numbers in order. */
u32 quicksort(u32 n)
{
	u32 sum = 0, x = 0x12345678, i;

	while (n--) {
		for (i = 0; i < SORT_SIZE; i++)
			words[i] = x = next_random(x);
		sort(words, words + SORT_SIZE - 1);
		for (i = 0; i < SORT_SIZE; i++)
			sum = (sum << 1 | sum >> 31) ^ words[i];
	}
	return sum;
}
