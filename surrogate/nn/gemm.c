//go:build cgo && !purego

#include "gemm.h"
#include "vecmath.h"

#if defined(__x86_64__)

#define DEPTH 256 // rows of a panel of B: 32 kB with AVX-512

// What a tile works on; t->n is how many of its columns are real.
struct oi_tile {
	const float *a, *b;
	float *c;
	long lda, ldb, ldc, depth, n;
	float alpha, beta;
};

#define NAME2(a, b) oi_gemm_##a##_##b
#define NAME1(a, b) NAME2(a, b)
#define K(name) NAME1(name, SUFFIX)

#define SUFFIX avx512
#if defined(__clang__)
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#else
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")))
#endif
#define LANES 16
#define ROWS 14
#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#include "gemm_kernels.h"
#undef SUFFIX
#undef TARGET
#undef LANES
#undef ROWS
#undef LOW_HALVES
#undef HIGH_HALVES

#define SUFFIX avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#define LOW_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#include "gemm_kernels.h"

int oi_sgemm(int turn_a, int turn_b, const long *shape, float alpha, const float *a, const float *b, float beta, float *c) {
	struct oi_gemm g = {shape[0], shape[1], shape[2], a, b, c, shape[3], shape[4], shape[5], turn_a, turn_b, alpha, beta};
	int level = oi_get_level();
	if (level == 2) oi_gemm_gemm_avx512(&g);
	else if (level == 1) oi_gemm_gemm_avx2(&g);
	return level > 0;
}

#else
int oi_sgemm(int turn_a, int turn_b, const long *shape, float alpha, const float *a, const float *b, float beta, float *c) { return 0; }
#endif
