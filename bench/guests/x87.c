/* The x87: compiled with -mfpmath=387. */
#include "matrix.h"

/* n products of two matrices of 48 by 48. */
u32 x87_matrix(u32 n)
{
	u32 sum = 0;

	fill();
	while (n--) {
		a[n % SIZE][0] += 0.1;
		multiply();
		sum = sum * 5 + sum_of_result();
	}
	return sum;
}

/* n times 1,000 divisions and square roots, each needing the one before. */
u32 x87_division(u32 n)
{
	union {
		double number;
		u32 words[2];
	} x = { 1.0 };
	u32 sum = 0, i;

	while (n--) {
		for (i = 1; i <= 1000; i++)
			x.number = __builtin_sqrt(x.number + (double)(int)i / x.number);
		sum = sum * 5 + (x.words[0] ^ x.words[1]);
	}
	return sum;
}
