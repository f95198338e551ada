// The sweep for WIDTH modes side by side in one vector register; sweep.c includes
// this once for each kind of processor. NAME(x) is x with the width's suffix.

typedef double NAME(lane_) __attribute__((vector_size(8 * WIDTH), aligned(8)));
typedef long long NAME(mask_) __attribute__((vector_size(8 * WIDTH), aligned(8)));
#define lane NAME(lane_)
#define mask NAME(mask_)
#define state NAME(state_)
#define etas NAME(etas_)

typedef struct {
	lane u, s, ue, se;
} NAME(state_);

typedef struct {
	lane xi, e0, e1, e2, e3, e4, e5, e6;
} NAME(etas_);

// The functions of etas.small: two polynomials, then the recurrence downwards.
INLINE void NAME(small)(etas *t, const lane *pz, const double *p5, const double *p6)
{
	lane z = *pz;
	lane e5 = p5[9] * z + p5[8], e6 = p6[9] * z + p6[8];
	for (int i = 7; i >= 0; i--) {
		e5 = e5 * z + p5[i];
		e6 = e6 * z + p6[i];
	}
	t->e6 = e6;
	t->e5 = e5;
	t->e4 = z * t->e6 + 11 * t->e5;
	t->e3 = z * t->e5 + 9 * t->e4;
	t->e2 = z * t->e4 + 7 * t->e3;
	t->e1 = z * t->e3 + 5 * t->e2;
	t->e0 = z * t->e2 + 3 * t->e1;
	t->xi = z * t->e1 + t->e0;
}

INLINE mask NAME(negative)(const lane *u, const lane *s)
{
	return (*u < 0) | ((*u == 0) & (*s < 0));
}

INLINE void NAME(scale)(state *y, double u, double s)
{
	y->u *= u;
	y->ue *= u;
	y->s *= s;
	y->se *= s;
}

// Across an ordinary cell: propagator.of and its derivative in Z.
INLINE void NAME(cross)(const sweep_cell *c, double odd, const lane *e, state *y, mask *zeros,
	const double *p5, const double *p6)
{
	lane z = (*e - c->q0) * c->h2;
	etas t;
	NAME(small)(&t, &z, p5, p6);
	lane even = c->e[0] * t.e2 + c->e[1] * t.e3 + c->e[2] * t.e4;
	lane o = odd * (c->o[0] * t.e1 + c->o[1] * t.e2 + c->o[2] * t.e3 + c->o[3] * t.e4);
	lane t11 = t.xi + even + o, t22 = t.xi + even - o;
	lane t12 = t.e0 + c->b[0] * t.e2 + c->b[1] * t.e3 + c->b[2] * t.e4 + c->b[3] * t.e5;
	lane t21 = z * t.e0 + c->c[0] * t.e0 + c->c[1] * t.e1 + c->c[2] * t.e2 + c->c[3] * t.e3 + c->c[4] * t.e4;
	lane deven = t.e0 + c->e[0] * t.e3 + c->e[1] * t.e4 + c->e[2] * t.e5;
	lane dodd = odd * (c->o[0] * t.e2 + c->o[1] * t.e3 + c->o[2] * t.e4 + c->o[3] * t.e5);
	// Twice the derivatives.
	lane d11 = deven + dodd, d22 = deven - dodd;
	lane d12 = t.e1 + c->b[0] * t.e3 + c->b[1] * t.e4 + c->b[2] * t.e5 + c->b[3] * t.e6;
	lane d21 = 2 * t.e0 + z * t.e1 + c->c[0] * t.e1 + c->c[1] * t.e2 + c->c[2] * t.e3 + c->c[3] * t.e4 + c->c[4] * t.e5;

	double half = 0.5 * c->h2;
	lane u = y->u, s = y->s * c->h, ue = y->ue, se = y->se * c->h;
	lane u1 = t11 * u + t12 * s;
	lane s1 = t21 * u + t22 * s;
	y->ue = t11 * ue + t12 * se + half * (d11 * u + d12 * s);
	y->se = (t21 * ue + t22 * se + half * (d21 * u + d22 * s)) * c->inverse;
	mask turned = NAME(negative)(&u, &s) ^ NAME(negative)(&u1, &s1);
	*zeros -= turned;
	y->u = u1;
	y->s = s1 * c->inverse;
}

// Across a homogeneous cell of any thickness: a 2^doublings-th of it, doubled by
//
//	ξ(4Z) = ξ² + Zη0²,  η0(4Z) = ξη0,  η1(4Z) = (ξη1 + η0²)/4.
INLINE void NAME(cross_long)(const sweep_cell *c, const lane *e, state *y, mask *zeros,
	const double *p5, const double *p6)
{
	lane z = (*e - c->q0) * c->h2;
	lane part = z;
	for (int i = 0; i < c->doublings; i++)
		part *= 0.25;
	etas t;
	NAME(small)(&t, &part, p5, p6);
	for (int i = 0; i < c->doublings; i++) {
		lane square = t.e0 * t.e0;
		t.e1 = 0.25 * (t.xi * t.e1 + square);
		t.e0 *= t.xi;
		t.xi = t.xi * t.xi + part * square;
		part *= 4;
	}
	lane u = y->u, s = y->s * c->h, ue = y->ue, se = y->se * c->h;
	lane u1 = t.xi * u + t.e0 * s;
	lane t21 = z * t.e0;
	lane s1 = t21 * u + t.xi * s;
	double half = 0.5 * c->h2;
	y->ue = t.xi * ue + t.e0 * se + half * (t.e0 * u + t.e1 * s);
	y->se = (t21 * ue + t.xi * se + half * ((t.e0 + t.xi) * u + t.e0 * s)) * c->inverse;
	// Each half-wave turns the sign once; one zero more where that does not account
	// for the sign that came out.
	mask turned = NAME(negative)(&u, &s) ^ NAME(negative)(&u1, &s1);
	for (int i = 0; i < WIDTH; i++) {
		long long waves = z[i] < 0 ? (long long)(sqrt(-z[i]) * M_1_PI) : 0;
		(*zeros)[i] += waves + ((turned[i] & 1) != (waves & 1));
	}
	y->u = u1;
	y->s = s1 * c->inverse;
}

static void NAME(load)(state *y, const double *p)
{
	memcpy(&y->u, p, sizeof(lane));
	memcpy(&y->s, p + MODES_LANES, sizeof(lane));
	memcpy(&y->ue, p + 2 * MODES_LANES, sizeof(lane));
	memcpy(&y->se, p + 3 * MODES_LANES, sizeof(lane));
}

static void NAME(store)(double *p, const state *y)
{
	memcpy(p, &y->u, sizeof(lane));
	memcpy(p + MODES_LANES, &y->s, sizeof(lane));
	memcpy(p + 2 * MODES_LANES, &y->ue, sizeof(lane));
	memcpy(p + 3 * MODES_LANES, &y->se, sizeof(lane));
}

static int NAME(grown)(const state *y)
{
	mask big = (y->u > HUGE_STATE) | (y->u < -HUGE_STATE) | (y->s > HUGE_STATE) | (y->s < -HUGE_STATE) |
		(y->ue > HUGE_STATE) | (y->ue < -HUGE_STATE) | (y->se > HUGE_STATE) | (y->se < -HUGE_STATE);
	long long any = 0;
	for (int i = 0; i < WIDTH; i++)
		any |= big[i];
	return any != 0;
}

static void NAME(sweep)(const sweep_cell *cells, long long start, long long count, long long direction,
	const double *pe, double *py, double *states, long long *pzeros, const double *p5, const double *p6)
{
	for (int half = 0; half < MODES_LANES; half += WIDTH) {
		lane e;
		state y;
		mask zeros;
		memcpy(&e, pe + half, sizeof e);
		memcpy(&zeros, pzeros + half, sizeof zeros);
		NAME(load)(&y, py + half);
		for (long long i = 0; i < count; i++) {
			long long at = start + direction * i;
			const sweep_cell *c = &cells[at];
			if (direction > 0 && i > 0 && c->jump != 1)
				NAME(scale)(&y, c->jump, 1 / c->jump);
			NAME(store)(states + 4 * MODES_LANES * at + half, &y);
			if (c->doublings < 0)
				NAME(cross)(c, direction, &e, &y, &zeros, p5, p6);
			else
				NAME(cross_long)(c, &e, &y, &zeros, p5, p6);
			if ((i % 8 == 7 || i == count - 1) && NAME(grown)(&y)) {
				NAME(store)(py + half, &y);
				rescale(py + half, states + half, start, at, direction, WIDTH);
				NAME(load)(&y, py + half);
			}
			if (direction < 0 && i < count - 1 && c->jump != 1)
				NAME(scale)(&y, 1 / c->jump, c->jump);
		}
		NAME(store)(py + half, &y);
		memcpy(pzeros + half, &zeros, sizeof zeros);
	}
}

#undef lane
#undef mask
#undef state
#undef etas
#undef NAME
#undef WIDTH
