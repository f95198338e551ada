// A cell's propagator for WIDTH modes side by side in one vector register; what
// includes this ends with propagator_end.h. NAME(x) is x with the width's suffix.

typedef double NAME(lane_) __attribute__((vector_size(8 * WIDTH), aligned(8)));
#define lane NAME(lane_)
#define pair NAME(pair_)
#define matrix NAME(matrix_)

// pair is (u, h s) along a sweep, or (Re, Im).
typedef struct {
	lane u, s;
} pair;

typedef struct {
	lane a11, a12, a21, a22;
} matrix;

INLINE lane NAME(get)(const double *p)
{
	lane v;
	memcpy(&v, p, sizeof v);
	return v;
}

INLINE void NAME(put)(double *p, const lane *v) { memcpy(p, v, sizeof *v); }

INLINE pair NAME(times)(const matrix *m, const pair *y)
{
	return (pair){m->a11 * y->u + m->a12 * y->s, m->a21 * y->u + m->a22 * y->s};
}

// The propagator's sums, differentiated level times in Z: dη_m/dZ = η_{m+1}/2.
INLINE matrix NAME(series)(const modes_series *p, double odd, const lane *eta, int level)
{
	const lane *f = eta + 1 + level;
	double x = level == 0 ? 1 : level == 1 ? 0.5 : 0.25;
	lane o = (x * odd) * (p->o[0] * f[1] + p->o[1] * f[2] + p->o[2] * f[3] + p->o[3] * f[4]);
	lane e = x * (p->e[0] * f[2] + p->e[1] * f[3] + p->e[2] * f[4]);
	lane b = x * (p->b[0] * f[2] + p->b[1] * f[3] + p->b[2] * f[4] + p->b[3] * f[5]);
	lane c = x * (p->c[0] * f[0] + p->c[1] * f[1] + p->c[2] * f[2] + p->c[3] * f[3] + p->c[4] * f[4]);
	return (matrix){e + o, b, c, e - o};
}

INLINE matrix NAME(transfer)(const modes_series *p, double odd, const lane *eta, lane z, int level)
{
	matrix m = NAME(series)(p, odd, eta, level);
	if (level == 0) {
		m.a11 += eta[0];
		m.a12 += eta[1];
		m.a21 += z * eta[1];
		m.a22 += eta[0];
	} else if (level == 1) {
		m.a11 += 0.5 * eta[1];
		m.a12 += 0.5 * eta[2];
		m.a21 += eta[1] + 0.5 * z * eta[2];
		m.a22 += 0.5 * eta[1];
	} else {
		m.a11 += 0.25 * eta[2];
		m.a12 += 0.25 * eta[3];
		m.a21 += eta[2] + 0.25 * z * eta[3];
		m.a22 += 0.25 * eta[2];
	}
	return m;
}

INLINE void NAME(etas)(lane *eta, lane z, int any, const double *p5, const double *p6)
{
	if (any) {
		double zs[WIDTH], f[9 * WIDTH];
		memcpy(zs, &z, sizeof z);
		for (int i = 0; i < WIDTH; i++)
			etas_any(zs[i], f + i, WIDTH, p5, p6);
		memcpy(eta, f, sizeof f);
		return;
	}
	lane e5 = p5[9] * z + p5[8], e6 = p6[9] * z + p6[8];
	for (int i = 7; i >= 0; i--) {
		e5 = e5 * z + p5[i];
		e6 = e6 * z + p6[i];
	}
	eta[8] = e6 * (1.0 / 15) * (1 - z * (1.0 / 255));
	eta[7] = e6;
	eta[6] = e5;
	eta[5] = z * e6 + 11 * e5;
	eta[4] = z * e5 + 9 * eta[5];
	eta[3] = z * eta[5] + 7 * eta[4];
	eta[2] = z * eta[4] + 5 * eta[3];
	eta[1] = z * eta[3] + 3 * eta[2];
	eta[0] = z * eta[2] + eta[1];
}

// (u, s) of stored states, or their derivatives in E.
INLINE pair NAME(state)(const double *st, int derivative)
{
	return (pair){NAME(get)(st + 2 * derivative * MODES_LANES), NAME(get)(st + (2 * derivative + 1) * MODES_LANES)};
}

