// Single-precision kernels, included once per instruction set by vecmath.c with
//   K(name)   the symbol's name for this set,
//   TARGET    the function attribute that selects the set,
//   FMA(a,b,c) a fused or plain a*b+c,
//   WIDTH     floats in a register.
//
// The scalar functions are branch-free so that the loops below vectorise; NaN passes
// through, infinities and denormal numbers give what float64's functions give, rounded.
// Polynomials: testdata/minimax.py (Remez exchange, coefficients rounded to float32).

#define FN static inline TARGET __attribute__((always_inline))
#define LOOP TARGET void

FN float K(sel)(int c, float a, float b) { return c ? a : b; }
FN float K(frombits)(uint32_t u) { union { uint32_t u; float f; } v; v.u = u; return v.f; }
FN uint32_t K(bits)(float f) { union { uint32_t u; float f; } v; v.f = f; return v.u; }
FN float K(absf)(float x) { return K(frombits)(K(bits)(x) & 0x7fffffffu); }
FN float K(copysign)(float mag, float sgn) {
	return K(frombits)((K(bits)(mag) & 0x7fffffffu) | (K(bits)(sgn) & 0x80000000u));
}

// 2^n (1 + r + r^2 P(r)) (1 + c) with r = x - n ln 2; the power of two goes in two factors so that results
// down to the smallest denormal number are rounded once.
FN float K(expc)(float x, float c) {
	x = K(sel)(x > 89.0f, 89.0f, x);
	x = K(sel)(x < -104.0f, -104.0f, x);
	float t = FMA(x, 1.44269504f, 12582912.0f);
	int32_t n = (int32_t)K(bits)(t) - 0x4b400000;
	float nf = t - 12582912.0f;
	float r = FMA(nf, -0.693359375f, x);
	r = FMA(nf, 2.12194440e-4f, r);
	float p = FMA(r, 1.99183822e-4f, 1.39460736e-3f);
	p = FMA(p, r, 8.33326392e-3f);
	p = FMA(p, r, 4.16662693e-2f);
	p = FMA(p, r, 1.66666672e-1f);
	p = FMA(p, r, 0.5f);
	p = FMA(p, r * r, r);
	p = FMA(c, p, p + c) + 1.0f;
	int32_t h = n >> 1;
	float a = K(frombits)((uint32_t)(h + 127) << 23);
	float b = K(frombits)((uint32_t)(n - h + 127) << 23);
	return p * a * b;
}

FN float K(exp1)(float x) { return K(expc)(x, 0.0f); }

FN float K(log1)(float x) {
	int den = x < 1.17549435e-38f;
	float xs = K(sel)(den, x * 8388608.0f, x);
	uint32_t u = K(bits)(xs) + (0x3f800000u - 0x3f3504f3u);
	int32_t e = (int32_t)(u >> 23) - 127;
	float f = K(frombits)((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
	float p = FMA(f, 0.0674664974f, -0.116756544f);
	p = FMA(p, f, 0.118881591f);
	p = FMA(p, f, -0.124055885f);
	p = FMA(p, f, 0.142195523f);
	p = FMA(p, f, -0.166679963f);
	p = FMA(p, f, 0.200021192f);
	p = FMA(p, f, -0.250000089f);
	p = FMA(p, f, 0.333333135f);
	float ef = (float)e - K(sel)(den, 23.0f, 0.0f), z = f * f;
	float y = FMA(p * f, z, ef * -2.12194440e-4f);
	y = FMA(z, -0.5f, y);
	y = FMA(ef, 0.693359375f, f + y);
	y = K(sel)(x == 0.0f, -__builtin_inff(), y);
	y = K(sel)(x < 0.0f, __builtin_nanf(""), y);
	return K(sel)(x < __builtin_inff(), y, x); // +Inf and NaN
}

// log(1+e) for e in [0, 1]: 2 atanh(e/(2+e)).
FN float K(log1p01)(float e) {
	float t = e / (2.0f + e), z = t * t;
	float p = FMA(z, 0.243009344f, 0.214276582f);
	p = FMA(p, z, 0.286168844f);
	p = FMA(p, z, 0.39998877f);
	p = FMA(p, z, 0.666666746f);
	return FMA(p * z, t, 2.0f * t);
}

FN float K(tanh1)(float x) {
	float a = K(absf)(x), z = x * x;
	float p = FMA(z, -5.70498686e-3f, 2.0639088e-2f);
	p = FMA(p, z, -5.37397154e-2f);
	p = FMA(p, z, 0.133314416f);
	p = FMA(p, z, -0.333332807f);
	float small = FMA(p * z, x, x);
	float big = 1.0f - 2.0f / (K(exp1)(a + a) + 1.0f);
	return K(sel)(a < 0.625f, small, K(copysign)(big, x));
}

FN float K(atan1)(float x) {
	float a = K(absf)(x);
	int mid = a > 0.414213562f, big = a > 2.41421356f;
	float num = K(sel)(big, -1.0f, K(sel)(mid, a - 1.0f, a));
	float den = K(sel)(big, a, K(sel)(mid, a + 1.0f, 1.0f));
	float off = K(sel)(big, 1.57079633f, K(sel)(mid, 0.785398163f, 0.0f));
	float lo = K(sel)(big, -4.37113883e-8f, K(sel)(mid, -2.18556941e-8f, 0.0f));
	float t = num / den, z = t * t;
	float p = FMA(z, -0.060832236f, 0.105959155f);
	p = FMA(p, z, -0.142438382f);
	p = FMA(p, z, 0.199984893f);
	p = FMA(p, z, -0.333333164f);
	float y = off + (FMA(p * z, t, t) + lo);
	return K(copysign)(y, x);
}

// The normal law's density and lower tail: Phi(-a) = exp(-a^2/2) R((a-4)/(a+4))/(a+4), a >= 0, with the
// rounding error of a^2 carried into the exponential. *pdf = exp(-x^2/2)/sqrt(2 pi).
FN float K(phi)(float x, float *pdf) {
	float a = K(absf)(x);
	a = K(sel)(a > 15.0f, 15.0f, a);
	float h = a * a;
	float c = -0.5f * FMALOW(a, h);
	float e = K(expc)(-0.5f * h, c);
	float q = 1.0f / (a + 4.0f), t = (a - 4.0f) * q;
	float p = FMA(t, -1.34196293e-4f, 1.74659319e-4f);
	p = FMA(p, t, 1.56840822e-3f);
	p = FMA(p, t, -3.5102109e-3f);
	p = FMA(p, t, -7.52400421e-3f);
	p = FMA(p, t, 6.04034886e-2f);
	p = FMA(p, t, -0.186523661f);
	p = FMA(p, t, 0.387136906f);
	p = FMA(p, t, -0.607896566f);
	p = FMA(p, t, 0.755285144f);
	float tail = p * q * e;
	*pdf = 0.398942280f * e;
	return K(sel)(x < 0.0f, tail, 1.0f - tail);
}

FN float K(erf1)(float x) {
	float a = K(absf)(x), z = x * x, pdf;
	float p = FMA(z, 7.85803422e-5f, -8.01156159e-4f);
	p = FMA(p, z, 5.18850051e-3f);
	p = FMA(p, z, -0.0268539172f);
	p = FMA(p, z, 0.112835884f);
	p = FMA(p, z, -0.37612626f);
	p = FMA(p, z, 0.128379107f);
	float small = FMA(p, x, x);
	float u = K(phi)(-1.41421356f * a, &pdf);
	float big = FMA(-2.0f, u, 1.0f);
	return K(sel)(a < 1.0f, small, K(copysign)(big, x));
}

FN float K(gelu1)(float x, float *d) {
	float pdf, cdf = K(phi)(x, &pdf);
	// Beyond 15 both tails are zero in float32; the clamp keeps Inf*0 from making NaN.
	float xc = K(sel)(x < -15.0f, -15.0f, x);
	float xd = K(sel)(xc > 15.0f, 15.0f, xc);
	*d = FMA(xd, pdf, cdf);
	return xc * cdf;
}

FN float K(sigmoid1)(float x) {
	float e = K(exp1)(-K(absf)(x)), q = 1.0f / (1.0f + e);
	return K(sel)(x < 0.0f, e * q, q);
}

FN float K(softplus1)(float x, float *d) {
	float e = K(exp1)(-K(absf)(x)), q = 1.0f / (1.0f + e);
	*d = K(sel)(x < 0.0f, e * q, q);
	float m = K(sel)(x < 0.0f, 0.0f, x); // NaN stays
	return m + K(log1p01)(e);
}

// Square root without the errno branch that keeps sqrtf scalar: three Newton steps on 1/sqrt and one on the
// root. Within 1 ulp for normal x >= 0; a denormal x loses relative accuracy, 0 gives 0.
FN float K(sqrt1)(float x) {
	float y = K(frombits)(0x5f375a86u - (K(bits)(x) >> 1)), h = 0.5f * x;
	y = y * FMA(-h * y, y, 1.5f);
	y = y * FMA(-h * y, y, 1.5f);
	y = y * FMA(-h * y, y, 1.5f);
	float s = x * y;
	return FMA(0.5f * y, FMA(-s, s, x), s);
}

LOOP K(exp)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(exp1)(x[i]); }
LOOP K(log)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(log1)(x[i]); }
LOOP K(tanh)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(tanh1)(x[i]); }
LOOP K(atan)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(atan1)(x[i]); }
LOOP K(erf)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(erf1)(x[i]); }
LOOP K(sigmoid)(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = K(sigmoid1)(x[i]); }

LOOP K(softplus)(float *y, float *restrict d, const float *x, long n) {
	for (long i = 0; i < n; i++) { float g, v = K(softplus1)(x[i], &g); y[i] = v; d[i] = g; }
}

LOOP K(gelu)(float *y, float *restrict d, const float *x, long n) {
	for (long i = 0; i < n; i++) { float g, v = K(gelu1)(x[i], &g); y[i] = v; d[i] = g; }
}

// Value only, for evaluation.
LOOP K(gelu_value)(float *y, const float *x, long n) {
	for (long i = 0; i < n; i++) { float g; y[i] = K(gelu1)(x[i], &g); }
}

LOOP K(bias_gelu)(float *restrict y, float *restrict d, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols, d += cols)
		for (long j = 0; j < cols; j++) {
			float g, v = K(gelu1)(y[j] + b[j], &g);
			y[j] = v; d[j] = g;
		}
}

LOOP K(bias_tanh)(float *restrict y, float *restrict d, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols, d += cols)
		for (long j = 0; j < cols; j++) {
			float v = K(tanh1)(y[j] + b[j]);
			y[j] = v; d[j] = FMA(-v, v, 1.0f);
		}
}

LOOP K(bias_relu)(float *restrict y, float *restrict d, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols, d += cols)
		for (long j = 0; j < cols; j++) {
			float v = y[j] + b[j];
			d[j] = K(sel)(v > 0.0f, 1.0f, 0.0f);
			y[j] = K(sel)(v < 0.0f, 0.0f, v);
		}
}

// Values only, for evaluation.
LOOP K(bias_gelu_value)(float *restrict y, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols)
		for (long j = 0; j < cols; j++) { float g; y[j] = K(gelu1)(y[j] + b[j], &g); }
}

LOOP K(bias_tanh_value)(float *restrict y, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols)
		for (long j = 0; j < cols; j++) y[j] = K(tanh1)(y[j] + b[j]);
}

LOOP K(bias_relu_value)(float *restrict y, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols)
		for (long j = 0; j < cols; j++) {
			float v = y[j] + b[j];
			y[j] = K(sel)(v < 0.0f, 0.0f, v);
		}
}

// y = least + softplus(c tanh(x/c) + shift); c = 0 leaves x as it is.
LOOP K(clamp_softplus)(float *restrict y, const float *restrict x, const float *restrict shift, const float *restrict least,
                       float c, long n) {
	if (c == 0.0f) {
		for (long i = 0; i < n; i++) { float g; y[i] = K(softplus1)(x[i] + shift[i], &g) + least[i]; }
		return;
	}
	float q = 1.0f / c;
	for (long i = 0; i < n; i++) { float g; y[i] = K(softplus1)(FMA(c, K(tanh1)(x[i] * q), shift[i]), &g) + least[i]; }
}

LOOP K(add_bias)(float *restrict y, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, y += cols)
		for (long j = 0; j < cols; j++) y[j] += b[j];
}

// g *= d, db += column sums of the product.
LOOP K(mul_colsum)(float *restrict g, const float *restrict d, float *restrict db, long rows, long cols) {
	for (long r = 0; r < rows; r++, g += cols, d += cols)
		for (long j = 0; j < cols; j++) {
			float v = g[j] * d[j];
			g[j] = v; db[j] += v;
		}
}

LOOP K(colsum)(const float *restrict g, float *restrict db, long rows, long cols) {
	for (long r = 0; r < rows; r++, g += cols)
		for (long j = 0; j < cols; j++) db[j] += g[j];
}

// Soft clamp of a coupling block: s = c k atan(u), e = exp(s), ds = c k/(1+u^2).
LOOP K(clamp_atan)(float *restrict s, float *restrict e, float *restrict ds, const float *restrict u, float ck, long n) {
	for (long i = 0; i < n; i++) {
		float v = ck * K(atan1)(u[i]);
		s[i] = v; e[i] = K(exp1)(v); ds[i] = ck / FMA(u[i], u[i], 1.0f);
	}
}

LOOP K(clamp_tanh)(float *restrict s, float *restrict e, float *restrict ds, const float *restrict u, float c, long n) {
	for (long i = 0; i < n; i++) {
		float t = K(tanh1)(u[i]), v = c * t;
		s[i] = v; e[i] = K(exp1)(v); ds[i] = c * FMA(-t, t, 1.0f);
	}
}

LOOP K(mul)(float *y, const float *a, const float *b, long n) { for (long i = 0; i < n; i++) y[i] = a[i] * b[i]; }
LOOP K(add)(float *restrict y, const float *restrict x, long n) { for (long i = 0; i < n; i++) y[i] += x[i]; }
LOOP K(axpy)(float *restrict y, float a, const float *restrict x, long n) {
	for (long i = 0; i < n; i++) y[i] = FMA(a, x[i], y[i]);
}

// Sum of squares in double over sixteen fixed lanes: the same bits on every instruction set.
TARGET double K(sumsq)(const float *x, long n) {
	double acc[16] = {0};
	long i = 0;
	for (; i + 16 <= n; i += 16)
		for (int l = 0; l < 16; l++) { double v = x[i + l]; acc[l] += v * v; }
	for (int l = 0; i < n; i++, l++) { double v = x[i]; acc[l] += v * v; }
	double s = 0;
	for (int l = 0; l < 16; l++) s += acc[l];
	return s;
}

// Adam (Kingma & Ba 2015, algorithm 1), with bias corrections folded into step and rc2 = 1/sqrt(1-b2^t).
// l2 is added to the gradient (coupled), decay multiplies the weight (decoupled, 1 = none); gs scales the gradient.
LOOP K(adam)(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, const float *h, long n) {
	float gs = h[0], l2 = h[1], b1 = h[2], b2 = h[3], step = h[4], rc2 = h[5], eps = h[6], decay = h[7];
	float c1 = 1.0f - b1, c2 = 1.0f - b2;
	for (long i = 0; i < n; i++) {
		float wi = w[i], gi = FMA(l2, wi, gs * g[i]);
		float mi = FMA(b1, m[i], c1 * gi);
		float vi = FMA(b2, v[i], c2 * gi * gi);
		m[i] = mi; v[i] = vi;
		w[i] = FMA(decay, wi, -(step * mi) / FMA(K(sqrt1)(vi), rc2, eps));
	}
}

// One register.
typedef float K(lanes) __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t K(mask) __attribute__((vector_size(4 * WIDTH), aligned(4)));

#define LOAD(p) (*(const K(lanes) *)(p))

// e^t for t <= 0, one register: 2^n (1 + f P(f)) with t/ln 2 = n + f, within 3e-7 + 1e-7 |t| relatively. Below -87 it
// is e^-87 = 1.6e-38, the end of the normal numbers, since arithmetic with denormal ones is slow; NaN stays.
FN K(lanes) K(exp_fall)(K(lanes) t) {
	t = LARGER(((K(lanes)){0} - 87.0f), t);
	K(lanes) y = t * 1.44269504f, z = y + 12583039.0f; // 1.5*2^23 + 127: the exponent of 2^n in the last bits
	K(lanes) f = y - (z - 12583039.0f);
	K(lanes) p = f * 0.00132647133f + 0.00967152324f;
	p = p * f + 0.0555073395f;
	p = p * f + 0.240222424f;
	p = p * f + 0.693147004f;
	p = p * f + 1.0f;
	return p * (K(lanes))((K(mask))z << 23);
}

// out[i] = logsumexp_j(h[j] - scale*C[i][j]): one pass for the row's largest exponent, one for the sum, both over 32
// lanes on all instruction sets, so that no addition waits for the one before.
#define EACH_OF_32 _Pragma("GCC unroll 8") for (int q = 0; q < 32 / WIDTH; q++)
#define EXPONENT(j) (LOAD(h + (j) + q * WIDTH) - scale * LOAD(C + (j) + q * WIDTH))
LOOP K(lse_rows)(float *restrict out, const float *restrict C, const float *restrict h, float scale, long rows, long cols) {
	long whole = cols / 32 * 32, rest = cols - whole;
	const float lowest = -__builtin_inff();
	union { K(lanes) v[32 / WIDTH]; float f[32]; } end, keep; // the last columns, filled up with the lowest number
	for (long r = 0; r < rows; r++, C += cols) {
		K(lanes) top[32 / WIDTH], sum[32 / WIDTH];
		for (long l = 0; rest && l < 32; l++) end.f[l] = l < rest ? FMA(-scale, C[whole + l], h[whole + l]) : lowest;
		EACH_OF_32 { top[q] = rest ? end.v[q] : (K(lanes)){0} + lowest; sum[q] = (K(lanes)){0}; }
		for (long j = 0; j < whole; j += 32) EACH_OF_32 top[q] = LARGER(EXPONENT(j), top[q]);
		EACH_OF_32 keep.v[q] = top[q];
		for (int l = 16; l; l /= 2)
			for (int i = 0; i < l; i++) keep.f[i] = K(sel)(keep.f[i + l] > keep.f[i], keep.f[i + l], keep.f[i]);
		float m = keep.f[0];
		for (long j = 0; j < whole; j += 32) EACH_OF_32 sum[q] += K(exp_fall)(EXPONENT(j) - m);
		if (rest) EACH_OF_32 sum[q] += K(exp_fall)(end.v[q] - m);
		EACH_OF_32 keep.v[q] = sum[q];
		for (int l = 16; l; l /= 2)
			for (int i = 0; i < l; i++) keep.f[i] += keep.f[i + l];
		out[r] = m + K(log1)(keep.f[0]);
	}
}

// P[i][j] = exp(h[j] - scale*C[i][j] - l[i]), which may take C's place. What is below e^-87 becomes zero.
LOOP K(gibbs_rows)(float *p, const float *C, const float *restrict h, const float *restrict lse,
                   float scale, long rows, long cols) {
	long whole = cols / WIDTH * WIDTH;
	for (long r = 0; r < rows; r++, C += cols, p += cols) {
		float a = lse[r];
		for (long j = 0; j < whole; j += WIDTH) {
			K(lanes) t = LOAD(h + j) - scale * LOAD(C + j) - a;
			K(mask) small = t < -87.0f;
			*(K(lanes) *)(p + j) = (K(lanes))(~small & (K(mask))K(exp_fall)(t));
		}
		for (long j = whole; j < cols; j++) {
			float t = FMA(-scale, C[j], h[j]) - a;
			p[j] = t < -87.0f ? 0.0f : K(exp1)(t);
		}
	}
}

// C[i][j] = max(a[i] + b[j] - G[i][j], 0): half squared distances from half norms and inner products.
LOOP K(half_dist_rows)(float *restrict C, const float *restrict a, const float *restrict b, long rows, long cols) {
	for (long r = 0; r < rows; r++, C += cols) {
		float ar = a[r];
		for (long j = 0; j < cols; j++) {
			float v = (ar - C[j]) + b[j];
			C[j] = K(sel)(v > 0.0f, v, 0.0f);
		}
	}
}

#include "affine_kernels.h"
#include "spline_kernels.h"

#undef FN
#undef LOOP
#undef EACH_OF_32
#undef EXPONENT
#undef LOAD
#undef LARGER
