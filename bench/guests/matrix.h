/* Matrices for x87.c and sse2.c, which are compiled for one or the other. */
#ifndef MATRIX_H
#define MATRIX_H

#include "rows.h"

#define SIZE 48

static double a[SIZE][SIZE] __attribute__((aligned(16)));
static double b[SIZE][SIZE] __attribute__((aligned(16)));
static double c[SIZE][SIZE] __attribute__((aligned(16)));

/* Numbers of which no product is exact. */
static void fill(void)
{
	int i, j;

	for (i = 0; i < SIZE; i++)
		for (j = 0; j < SIZE; j++) {
			a[i][j] = 1.0 / (i + j + 1);
			b[i][j] = (i - j) / 7.0;
		}
}

/* Of all bits of c: the results are to be exact. */
static u32 sum_of_result(void)
{
	u32 sum = 0;
	int i, j;

	for (i = 0; i < SIZE; i++)
		for (j = 0; j < SIZE; j++) {
			union {
				double number;
				u32 words[2];
			} x = { c[i][j] };

			sum = sum * 3 + (x.words[0] ^ x.words[1]);
		}
	return sum;
}

static inline void multiply(void)
{
	int i, j, k;

	for (i = 0; i < SIZE; i++)
		for (j = 0; j < SIZE; j++) {
			double sum = 0;

			for (k = 0; k < SIZE; k++)
				sum += a[i][k] * b[k][j];
			c[i][j] = sum;
		}
}

#endif
