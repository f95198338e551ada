// Single-precision dense products; see gemm_kernels.h.
#ifndef OCEANINV_GEMM_H
#define OCEANINV_GEMM_H

// C (m×n) = alpha op(A) op(B) + beta C, row-major; turn_a and turn_b say that A and B are stored transposed.
struct oi_gemm {
	long m, n, k;
	const float *a, *b;
	float *c;
	long lda, ldb, ldc;
	int turn_a, turn_b;
	float alpha, beta;
};

// Returns 0, having done nothing, if this machine has no kernels.
int oi_sgemm(int turn_a, int turn_b, const long *shape, float alpha, const float *a, const float *b, float beta, float *c);

#endif
