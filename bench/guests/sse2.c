/* SSE2: compiled with -msse2 -mfpmath=sse. */
#include <emmintrin.h>

#include "matrix.h"

#define VECTORS 256

/* n products of two matrices of 48 by 48, number by number. */
u32 sse2_matrix(u32 n)
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

/* The same, two numbers at a time: each sum in the same order, so the same checksum. */
u32 sse2_packed_matrix(u32 n)
{
	u32 sum = 0;
	int i, j, k;

	fill();
	while (n--) {
		a[n % SIZE][0] += 0.1;
		for (i = 0; i < SIZE; i++)
			for (j = 0; j < SIZE; j += 4) {
				__m128d left = _mm_setzero_pd(), right = _mm_setzero_pd();

				for (k = 0; k < SIZE; k++) {
					__m128d factor = _mm_set1_pd(a[i][k]);

					left = _mm_add_pd(left, _mm_mul_pd(factor, _mm_load_pd(&b[k][j])));
					right = _mm_add_pd(right, _mm_mul_pd(factor, _mm_load_pd(&b[k][j + 2])));
				}
				_mm_store_pd(&c[i][j], left);
				_mm_store_pd(&c[i][j + 2], right);
			}
		sum = sum * 5 + sum_of_result();
	}
	return sum;
}

/* n passes over 4 KiB: xorshift in four lanes, saturated bytes, 16-bit products, a shuffle. */
u32 sse2_integers(u32 n)
{
	static __m128i data[VECTORS];
	__m128i x = _mm_set_epi32(1, 2, 3, 4), sum = _mm_setzero_si128();
	int i;

	for (i = 0; i < VECTORS; i++)
		data[i] = _mm_set1_epi32((u32)i * 0x01010101);
	while (n--)
		for (i = 0; i < VECTORS; i++) {
			__m128i old = _mm_load_si128(&data[i]);

			x = _mm_xor_si128(x, _mm_slli_epi32(x, 13));
			x = _mm_xor_si128(x, _mm_srli_epi32(x, 17));
			x = _mm_xor_si128(x, _mm_slli_epi32(x, 5));
			old = _mm_adds_epu8(old, _mm_and_si128(x, _mm_set1_epi8(15)));
			old = _mm_mullo_epi16(old, _mm_shuffle_epi32(x, 0x1b));
			sum = _mm_add_epi32(sum, _mm_unpacklo_epi8(old, x));
			_mm_store_si128(&data[i], old);
		}
	sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
	sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
	return _mm_cvtsi128_si32(sum);
}
