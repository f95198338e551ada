//go:build cgo && !purego

#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "vecmath.h"

// One copy of the kernels per instruction set, chosen at load time. The fused copies (AVX2, AVX-512, NEON)
// agree to the bit; the x86-64 baseline has no fused multiply-add and may differ in the last place.

#define NAME2(a, b) oi_##a##_##b
#define NAME1(a, b) NAME2(a, b)
#define K(name) NAME1(name, SUFFIX)

#if defined(__x86_64__)
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FMALOW(a, h) __builtin_fmaf(a, a, -(h))

#define SUFFIX avx512
#define WIDTH 16
#define LARGER(a, b) ((K(lanes))_mm512_max_ps((__m512)(a), (__m512)(b))) // b if either is NaN
#if defined(__clang__)
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#else
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")))
#endif
#include "vecmath_kernels.h"
#undef TARGET
#undef SUFFIX
#undef WIDTH

#define SUFFIX avx2
#define WIDTH 8
#define LARGER(a, b) ((K(lanes))_mm256_max_ps((__m256)(a), (__m256)(b)))
#define TARGET __attribute__((target("avx2,fma")))
#include "vecmath_kernels.h"
#undef TARGET
#undef SUFFIX
#undef WIDTH
#undef FMA
#undef FMALOW
#define FMA(a, b, c) ((a) * (b) + (c))
// Dekker's product error, for machines without a fused multiply-add.
static inline float oi_sqlow(float a, float h) {
	float t = 4097.0f * a, hi = t - (t - a), lo = a - hi;
	return ((hi * hi - h) + 2.0f * hi * lo) + lo * lo;
}
#define FMALOW(a, h) oi_sqlow(a, h)
#else
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define FMALOW(a, h) __builtin_fmaf(a, a, -(h))
#endif

#define SUFFIX base
#define WIDTH 4
#if defined(__x86_64__)
#define LARGER(a, b) ((K(lanes))_mm_max_ps((__m128)(a), (__m128)(b)))
#else
#define LARGER(a, b) ((K(lanes))((((a) > (b)) & (K(mask))(a)) | (~((a) > (b)) & (K(mask))(b))))
#endif
#define TARGET
#include "vecmath_kernels.h"

#if defined(__x86_64__)
static int oi_level;
__attribute__((constructor)) static void oi_detect(void) {
	__builtin_cpu_init();
	oi_level = 0;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) oi_level = 1;
	if (oi_level && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) oi_level = 2;
}
int oi_set_level(int want) {
	int best;
	oi_detect();
	best = oi_level;
	if (want >= 0 && want < best) oi_level = want;
	return best;
}
int oi_get_level(void) { return oi_level; }
#define CALL(name, ...) \
	(oi_level == 2 ? oi_##name##_avx512(__VA_ARGS__) : oi_level == 1 ? oi_##name##_avx2(__VA_ARGS__) : oi_##name##_base(__VA_ARGS__))
#else
int oi_set_level(int want) { (void)want; return 0; }
int oi_get_level(void) { return 0; }
#define CALL(name, ...) oi_##name##_base(__VA_ARGS__)
#endif

#define UNARY(name) void oi_##name(float *y, const float *x, long n) { CALL(name, y, x, n); }
UNARY(exp)
UNARY(log)
UNARY(tanh)
UNARY(atan)
UNARY(erf)
UNARY(sigmoid)
UNARY(gelu_value)

#define VALUE_SLOPE(name) void oi_##name(float *y, float *d, const float *x, long n) { CALL(name, y, d, x, n); }
VALUE_SLOPE(gelu)
VALUE_SLOPE(softplus)

#define BIAS(name) void oi_##name(float *y, float *d, const float *b, long rows, long cols) { CALL(name, y, d, b, rows, cols); }
BIAS(bias_gelu)
BIAS(bias_tanh)
BIAS(bias_relu)

#define CLAMP(name) void oi_##name(float *s, float *e, float *ds, const float *u, float c, long n) { CALL(name, s, e, ds, u, c, n); }
CLAMP(clamp_atan)
CLAMP(clamp_tanh)

#define BIAS_VALUE(name) void oi_##name(float *y, const float *b, long rows, long cols) { CALL(name, y, b, rows, cols); }
BIAS_VALUE(bias_gelu_value)
BIAS_VALUE(bias_tanh_value)
BIAS_VALUE(bias_relu_value)

void oi_clamp_softplus(float *y, const float *x, const float *shift, const float *least, float c, long n) {
	CALL(clamp_softplus, y, x, shift, least, c, n);
}

void oi_spline_inverse(float *x, float *logslope, const float *y, const float *value, long bins, long n) {
	CALL(spline_inverse, x, logslope, y, value, bins, n);
}

void oi_add_bias(float *y, const float *b, long rows, long cols) { CALL(add_bias, y, b, rows, cols); }
void oi_mul_colsum(float *g, const float *d, float *db, long rows, long cols) { CALL(mul_colsum, g, d, db, rows, cols); }
void oi_colsum(const float *g, float *db, long rows, long cols) { CALL(colsum, g, db, rows, cols); }
void oi_mul(float *y, const float *a, const float *b, long n) { CALL(mul, y, a, b, n); }
void oi_add(float *y, const float *x, long n) { CALL(add, y, x, n); }
void oi_axpy(float *y, float a, const float *x, long n) { CALL(axpy, y, a, x, n); }
double oi_sumsq(const float *x, long n) { return CALL(sumsq, x, n); }
void oi_adam(float *w, const float *g, float *m, float *v, const float *h, long n) { CALL(adam, w, g, m, v, h, n); }
void oi_lse_rows(float *out, const float *C, const float *h, float scale, long rows, long cols) {
	CALL(lse_rows, out, C, h, scale, rows, cols);
}
void oi_gibbs_rows(float *p, const float *C, const float *h, const float *lse, float scale, long rows, long cols) {
	CALL(gibbs_rows, p, C, h, lse, scale, rows, cols);
}
void oi_half_dist_rows(float *C, const float *a, const float *b, long rows, long cols) {
	CALL(half_dist_rows, C, a, b, rows, cols);
}

#define AFFINE_MAP(name) \
	void oi_##name(float *y, float *e, float *ds, float *logdet, const float *u, const float *t, const float *x, const long *shape, float c) { \
		CALL(name, y, e, ds, logdet, u, t, x, shape, c); \
	}
AFFINE_MAP(affine_atan)
AFFINE_MAP(affine_tanh)
AFFINE_MAP(affine_atan_inverse)
AFFINE_MAP(affine_tanh_inverse)

#define AFFINE_BACK(name) \
	void oi_##name(float *dx, float *du, float *dt, const float *e, const float *ds, const float *v, const float *dy, const float *dl, const long *shape) { \
		CALL(name, dx, du, dt, e, ds, v, dy, dl, shape); \
	}
AFFINE_BACK(affine_back)
AFFINE_BACK(affine_back_inverse)
