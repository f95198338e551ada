// The inverse of a monotone rational-quadratic spline with affine tails (Durkan et al. 2019, equations 6 to 8 of the
// appendix), included by vecmath_kernels.h. An element's value holds left, bottom, K widths, K heights and K-1 inner
// slopes. Sixteen elements at a time: the bin is found while the knots are summed up, in double precision as
// differences of knots are taken; the root of its quadratic needs single precision only. The last block repeats its last
// element.
LOOP K(spline_inverse)(float *restrict x, float *restrict logslope, const float *restrict y, const float *restrict value, long bins, long n) {
	long per = 3 * bins + 1;
	for (long e = 0; e < n; e += 16) {
		const float *v[16];
		double xk[16], yk[16], x0[16], y0[16], target[16];
		float w[16], h[16], dl[16], dr[16], before[16], outx[16], outl[16];
		for (int l = 0; l < 16; l++) {
			long at = e + l < n ? e + l : n - 1;
			v[l] = value + at * per;
			target[l] = y[at];
			x0[l] = xk[l] = v[l][0];
			y0[l] = yk[l] = v[l][1];
			w[l] = h[l] = 1.0f;
			dl[l] = dr[l] = before[l] = 0.0f; // the slope of the tails, known once the knots are
		}
		for (long k = 0; k < bins; k++) {
			float wk[16], hk[16], dk[16];
			for (int l = 0; l < 16; l++) {
				wk[l] = v[l][2 + k];
				hk[l] = v[l][2 + bins + k];
				dk[l] = k + 1 < bins ? v[l][2 + 2 * bins + k] : 0.0f;
			}
			for (int l = 0; l < 16; l++) {
				int above = target[l] >= yk[l];
				x0[l] = above ? xk[l] : x0[l];
				y0[l] = above ? yk[l] : y0[l];
				w[l] = above ? wk[l] : w[l];
				h[l] = above ? hk[l] : h[l];
				dl[l] = above ? before[l] : dl[l];
				dr[l] = above ? dk[l] : dr[l];
				xk[l] += wk[l];
				yk[l] += hk[l];
				before[l] = dk[l];
			}
		}
		for (int l = 0; l < 16; l++) {
			double left = v[l][0], bottom = v[l][1];
			float edge = (float)((yk[l] - bottom) / (xk[l] - left));
			int inside = (target[l] >= bottom) & (target[l] <= yk[l]);
			float d0 = K(sel)(dl[l] == 0.0f, edge, dl[l]), d1 = K(sel)(dr[l] == 0.0f, edge, dr[l]);
			float s = h[l] / w[l], r = (float)(target[l] - y0[l]), m = d0 + d1 - 2.0f * s;
			float a = FMA(h[l], s - d0, r * m), b = FMA(h[l], d0, -r * m), c = -s * r;
			float disc = FMA(b, b, -4.0f * a * c);
			disc = K(sel)(disc > 1e-30f, disc, 1e-30f);
			float xi = 2.0f * c / (-b - K(sqrt1)(disc));
			xi = K(sel)(xi > 0.0f, xi, 0.0f);
			xi = K(sel)(xi < 1.0f, xi, 1.0f);
			float rest = 1.0f - xi, q = xi * rest, den = FMA(m, q, s);
			float rise = FMA(d1, xi * xi, FMA(2.0f * s, q, d0 * rest * rest));
			float slope = s * s * rise / (den * den);
			double in = x0[l] + (double)(xi * w[l]), out = left + (target[l] - bottom) / (double)edge;
			outx[l] = (float)(inside ? in : out);
			outl[l] = K(log1)(K(sel)(inside, slope, edge));
		}
		for (long l = 0; l < 16 && e + l < n; l++) { x[e + l] = outx[l]; logslope[e + l] = outl[l]; }
	}
}
