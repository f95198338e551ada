// The affine map of a coupling block, included by vecmath_kernels.h. shape is rows, cols and the row strides of u, t,
// x and y; e and ds are rows×cols. Sixteen lanes at a time, a short rest through zero-padded buffers, so that rows
// of any length take the same path and row sums have one order.

// y = x exp(s) + t with s = clamp(u), or, inverted, y = (x - t) exp(s) with s = -clamp(u); c carries the sign.
// logdet[row] += sum of s.
#define AFFINE(name, VALUE, SLOPE, MAP) \
FN void K(name##16)(float *restrict y, float *restrict e, float *restrict ds, float *restrict acc, const float *restrict u, \
                        const float *restrict t, const float *restrict x, float c) { \
	for (int l = 0; l < 16; l++) { \
		float v = VALUE(u[l]), s = c * v, f = K(exp1)(s); \
		e[l] = f; ds[l] = c * SLOPE(u[l], v); y[l] = MAP(x[l], f, t[l]); \
		acc[l] += s; \
	} \
} \
LOOP K(name)(float *restrict y, float *restrict e, float *restrict ds, float *restrict logdet, const float *restrict u, \
             const float *restrict t, const float *restrict x, const long *shape, float c) { \
	long rows = shape[0], cols = shape[1], whole = cols / 16 * 16, rest = cols - whole; \
	for (long r = 0; r < rows; r++, u += shape[2], t += shape[3], x += shape[4], y += shape[5], e += cols, ds += cols) { \
		float acc[16] = {0}; \
		for (long j = 0; j < whole; j += 16) K(name##16)(y + j, e + j, ds + j, acc, u + j, t + j, x + j, c); \
		if (rest) { \
			float in[3][16] = {{0}}, out[3][16]; \
			for (long l = 0; l < rest; l++) { in[0][l] = u[whole + l]; in[1][l] = t[whole + l]; in[2][l] = x[whole + l]; } \
			K(name##16)(out[0], out[1], out[2], acc, in[0], in[1], in[2], c); \
			for (long l = 0; l < rest; l++) { y[whole + l] = out[0][l]; e[whole + l] = out[1][l]; ds[whole + l] = out[2][l]; } \
		} \
		for (int h = 8; h; h /= 2) \
			for (int l = 0; l < h; l++) acc[l] += acc[l + h]; \
		logdet[r] += acc[0]; \
	} \
}

#define ATAN_SLOPE(u, v) (1.0f / FMA(u, u, 1.0f))
#define TANH_SLOPE(u, v) FMA(-(v), v, 1.0f)
#define FORWARD(x, f, t) FMA(x, f, t)
#define INVERSE(x, f, t) (((x) - (t)) * (f))
AFFINE(affine_atan, K(atan1), ATAN_SLOPE, FORWARD)
AFFINE(affine_tanh, K(tanh1), TANH_SLOPE, FORWARD)
AFFINE(affine_atan_inverse, K(atan1), ATAN_SLOPE, INVERSE)
AFFINE(affine_tanh_inverse, K(tanh1), TANH_SLOPE, INVERSE)
#undef AFFINE
#undef ATAN_SLOPE
#undef TANH_SLOPE
#undef FORWARD
#undef INVERSE

// The backward passes. shape is rows, cols and the row strides of v, dy, dx, du and dt; dl is the gradient of each
// row's log-determinant. v is the input of the forward map, or the output of the inverse.
LOOP K(affine_back)(float *restrict dx, float *restrict du, float *restrict dt, const float *restrict e,
                    const float *restrict ds, const float *restrict v, const float *restrict dy, const float *restrict dl,
                    const long *shape) {
	long rows = shape[0], cols = shape[1];
	for (long r = 0; r < rows; r++, v += shape[2], dy += shape[3], dx += shape[4], du += shape[5], dt += shape[6], e += cols, ds += cols) {
		float l = dl[r];
		for (long j = 0; j < cols; j++) {
			float g = dy[j], f = g * e[j];
			dx[j] = f; dt[j] = g; du[j] = FMA(f, v[j], l) * ds[j];
		}
	}
}

LOOP K(affine_back_inverse)(float *restrict dx, float *restrict du, float *restrict dt, const float *restrict e,
                            const float *restrict ds, const float *restrict v, const float *restrict dy,
                            const float *restrict dl, const long *shape) {
	long rows = shape[0], cols = shape[1];
	for (long r = 0; r < rows; r++, v += shape[2], dy += shape[3], dx += shape[4], du += shape[5], dt += shape[6], e += cols, ds += cols) {
		float l = dl[r];
		for (long j = 0; j < cols; j++) {
			float g = dy[j], f = g * e[j];
			dx[j] = f; dt[j] = -f; du[j] = FMA(g, v[j], l) * ds[j];
		}
	}
}
