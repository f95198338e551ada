// The adjoint for WIDTH modes side by side; adjoint.c includes this once for each
// kind of processor. See adjoint.go for the mathematics and the names.

#include "propagator_lanes.h"

#define half NAME(half_)
#define mode NAME(mode_)
#define place NAME(place_)
#define view NAME(view_)
#define factor NAME(factor_)
#define losses NAME(losses_)

// half is one side of the match.
typedef struct {
	pair y, ye, yx; // at the match, s not times h
	lane n, ne, l, le; // ∫u², ∫ Im(k0²)u² and their derivatives in E
	lane we, wx; // w with ye and yx
	lane start; // u² at the boundary
	int absorbs; // yx is not 0
} half;

// place is the source or a phone as this batch sees it.
typedef struct {
	long long cell;
	int side, inside;
	lane phi, root; // φ; √ρ times the amplitude
	lane u, ue, t11, t12;
	lane kick[ADJOINT_PART];
} place;

// factor is complex: what a phone's pressure owes to something.
typedef struct {
	lane re, im;
} factor;

// view is the lanes at work.
typedef struct {
	const problem *of;
	lane e, step;
	int at; // the first lane
} view;

// Adds a complex number to a sum, lanes added up as far as that is cheap: to two parts
// of [Re, Im]. What the sums need of the cache counts more than the shuffles here.
INLINE void NAME(grow)(double *p, lane re, lane im)
{
#if WIDTH == 2
	p[0] += re[0] + re[1];
	p[1] += im[0] + im[1];
#else
	typedef long long order __attribute__((vector_size(8 * WIDTH)));
	typedef double part __attribute__((vector_size(8 * ADJOINT_SUM), aligned(8)));
#if WIDTH == 4
	lane sum = __builtin_shuffle(re, im, (order){0, 4, 2, 6}) + __builtin_shuffle(re, im, (order){1, 5, 3, 7});
#else
	lane sum = __builtin_shuffle(re, im, (order){0, 8, 2, 10, 4, 12, 6, 14}) +
		__builtin_shuffle(re, im, (order){1, 9, 3, 11, 5, 13, 7, 15});
	sum += __builtin_shuffle(sum, (order){4, 5, 6, 7, 0, 1, 2, 3});
#endif
	part add, was;
	memcpy(&add, &sum, sizeof add);
	memcpy(&was, p, sizeof was);
	was += add;
	memcpy(p, &was, sizeof was);
#endif
}

INLINE pair NAME(plus)(pair a, double x, pair b) { return (pair){a.u + x * b.u, a.s + x * b.s}; }

// W is the Wronskian of two solutions.
INLINE lane NAME(wronskian)(const pair *a, const pair *b) { return a->u * b->s - a->s * b->u; }

// The change of a determinant with its matrix.
INLINE lane NAME(mixed)(const matrix *m, const matrix *d)
{
	return d->a11 * m->a22 + m->a11 * d->a22 - d->a12 * m->a21 - m->a12 * d->a21;
}

// Whether a direction changes parameter k of a cell, or, with it, the absorption's.
INLINE int NAME(wanted)(const adjoint_cell *c, int k) { return c->slot[k] >= 0 || (k < 5 && c->slot[7 + k] >= 0); }

// Crosses a cell: the state, its derivative in E and its change along the absorption are
// carried on; the forms and kicks of the cell's parameters go to scratch.
INLINE void NAME(cross)(const view *q, long long at, double odd, pair *entering, pair *derivative, pair *x, half *side)
{
	const adjoint_cell *c = &q->of->cells[at];
	double *out = q->of->scratch + MODES_LANES * SCRATCH_CELL * at + q->at;
	double h = c->p.h, h2 = h * h, inverse = 1 / h;
	lane z = (q->e - c->p.q0) * h2, eta[9];
	NAME(etas)(eta, z, c->any, q->of->p5, q->of->p6);
	matrix t = NAME(transfer)(&c->p, odd, eta, z, 0);
	matrix d = NAME(transfer)(&c->p, odd, eta, z, 1);
	matrix dd = NAME(transfer)(&c->p, odd, eta, z, 2);
	pair in = {entering->u, entering->s * h};
	pair ine = {derivative->u, derivative->s * h};
	pair inx = {x->u, x->s * h};
	pair r = NAME(times)(&d, &in), y = NAME(times)(&t, &in);
	pair ye = NAME(plus)(NAME(times)(&t, &ine), h2, r);
	pair re = NAME(plus)(NAME(times)(&d, &ine), h2, NAME(times)(&dd, &in));
	pair yx = NAME(times)(&t, &inx), rx = NAME(times)(&d, &inx);
	matrix tx, dx;
	if (c->lossy) {
		tx = NAME(series)(&c->loss, odd, eta, 0);
		dx = NAME(series)(&c->loss, odd, eta, 1);
		double by = -h2 * c->qi0;
		tx.a11 += by * d.a11, tx.a12 += by * d.a12, tx.a21 += by * d.a21, tx.a22 += by * d.a22;
		dx.a11 += by * dd.a11, dx.a12 += by * dd.a12, dx.a21 += by * dd.a21, dx.a22 += by * dd.a22;
		yx = NAME(plus)(yx, 1, NAME(times)(&tx, &in));
		rx = NAME(plus)(rx, 1, NAME(times)(&dx, &in));
		side->absorbs = 1;
	}
	pair kick[6], kicke[6], kickx[6];
	kick[0] = (pair){-h2 * r.u, -h2 * r.s};
	kicke[0] = (pair){-h2 * re.u, -h2 * re.s};
	kickx[0] = (pair){-h2 * rx.u, -h2 * rx.s};
	for (int n = 0; n < 4; n++) {
		int wanted = NAME(wanted)(c, n + 1);
		if (!c->lossy && !wanted)
			continue;
		matrix m = NAME(series)(&c->by[n], odd, eta, 0), me = NAME(series)(&c->by[n], odd, eta, 1);
		kick[n + 1] = NAME(times)(&m, &in);
		kicke[n + 1] = NAME(plus)(NAME(times)(&m, &ine), h2, NAME(times)(&me, &in));
		if (!wanted)
			continue;
		if (side->absorbs)
			kickx[n + 1] = NAME(times)(&m, &inx);
		if (c->lossy && c->slot[n + 1] >= 0) {
			matrix mx = NAME(series)(&c->loss_by[n], odd, eta, 0);
			kickx[n + 1] = NAME(plus)(kickx[n + 1], -h2 * c->qi0, NAME(times)(&me, &in));
			kickx[n + 1] = NAME(plus)(kickx[n + 1], 1, NAME(times)(&mx, &in));
		}
	}
	if (NAME(wanted)(c, 5)) {
		lane g = 2 * h * (q->e - c->p.q0), s = in.s * inverse, se = ine.s * inverse, sx = inx.s * inverse;
		kick[5] = (pair){t.a12 * s + g * r.u, t.a22 * s + g * r.s - y.s * inverse};
		kicke[5] = (pair){t.a12 * se + h2 * d.a12 * s + 2 * h * r.u + g * re.u,
			t.a22 * se + h2 * d.a22 * s + 2 * h * r.s + g * re.s - ye.s * inverse};
		kickx[5] = (pair){t.a12 * sx + g * rx.u, t.a22 * sx + g * rx.s - yx.s * inverse};
		if (c->lossy) {
			double by = -2 * h * c->qi0;
			kickx[5].u += tx.a12 * s + by * r.u;
			kickx[5].s += tx.a22 * s + by * r.s;
		}
	}
	lane forme[6];
	for (int k = 0; k < 6; k++) {
		int wanted = NAME(wanted)(c, k);
		if (wanted || k == 0 || (c->lossy && k < 5))
			forme[k] = (NAME(wronskian)(&ye, &kick[k]) + NAME(wronskian)(&y, &kicke[k])) * inverse;
		if (!wanted)
			continue;
		lane form = NAME(wronskian)(&y, &kick[k]) * inverse;
		NAME(put)(out + MODES_LANES * (FORM_A + k), &form);
		NAME(put)(out + MODES_LANES * (FORM_E + k), &forme[k]);
		lane formx = {0};
		if (side->absorbs)
			formx = (NAME(wronskian)(&yx, &kick[k]) + NAME(wronskian)(&y, &kickx[k])) * inverse;
		NAME(put)(out + MODES_LANES * (FORM_X + k), &formx);
		NAME(put)(out + MODES_LANES * (KICK_U + k), &kick[k].u);
		lane real = kick[k].s * inverse;
		NAME(put)(out + MODES_LANES * (KICK_S + k), &real);
	}
	lane det = t.a11 * t.a22 - t.a12 * t.a21, dete = h2 * NAME(mixed)(&t, &d), detx = {0};
	if (c->lossy)
		detx = NAME(mixed)(&t, &tx);
	NAME(put)(out + MODES_LANES * DETERMINANT, &det);
	NAME(put)(out + MODES_LANES * (DETERMINANT + 1), &dete);
	NAME(put)(out + MODES_LANES * (DETERMINANT + 2), &detx);
	NAME(put)(out, &t.a11);
	NAME(put)(out + MODES_LANES, &t.a12);
	NAME(put)(out + 2 * MODES_LANES, &t.a21);
	NAME(put)(out + 3 * MODES_LANES, &t.a22);
	side->ne -= forme[0];
	if (c->lossy)
		side->le -= c->qi0 * forme[0] + c->vi[0] * forme[1] + c->vi[1] * forme[2] + c->vi[2] * forme[3] + c->vi[3] * forme[4];
	*x = (pair){yx.u, yx.s * inverse};
	*entering = (pair){y.u, y.s * inverse};
	*derivative = (pair){ye.u, ye.s * inverse};
}

// The forms of the logarithm of a jump, from the states behind it.
INLINE void NAME(jump_forms)(double *out, double sign, pair y, pair ye, pair x)
{
	lane a = -2 * sign * y.u * y.s;
	lane e = -2 * sign * (ye.u * y.s + y.u * ye.s);
	lane f = -2 * sign * (x.u * y.s + y.u * x.s);
	NAME(put)(out, &a);
	NAME(put)(out + MODES_LANES, &e);
	NAME(put)(out + 2 * MODES_LANES, &f);
}

INLINE void NAME(behind)(pair *y, double jump)
{
	y->u *= jump;
	y->s *= 1 / jump;
}

// Where the stored state that a lane was carried from is so small that digits are lost,
// the lane goes on from the state stored here. It reports whether lanes are left as small.
static int NAME(renew)(const double *stored, lane step, int *low, pair *y, pair *ye)
{
	pair was = NAME(state)(stored, 0), slope = NAME(state)(stored, 1);
	int left = 0;
	for (int i = 0; i < WIDTH; i++) {
		if (!low[i])
			continue;
		y->u[i] = was.u[i] + step[i] * slope.u[i];
		y->s[i] = was.s[i] + step[i] * slope.s[i];
		ye->u[i] = slope.u[i];
		ye->s[i] = slope.s[i];
		low[i] = fabs(was.u[i]) + fabs(was.s[i]) < TINY_STATE;
		left |= low[i];
	}
	return left;
}

// From the boundary to the match, at E itself.
static void NAME(approach)(const view *q, int up, const adjoint_boundary *boundary, half *side)
{
	const problem *of = q->of;
	const adjoint_batch *b = of->b;
	long long from = up ? b->last - 1 : b->first, to = up ? b->match - 1 : b->match, step = up ? -1 : 1;
	double odd = step;
	lane zero = {0};
	pair x = {zero, zero}, y, ye;
	int low[WIDTH];
	for (int i = 0; i < WIDTH; i++)
		low[i] = 1;
	int small = NAME(renew)(of->states + 4 * MODES_LANES * from + q->at, q->step, low, &y, &ye);
	side->absorbs = 0;
	side->ne = side->le = side->start = zero;
	if (boundary->reached) {
		side->start = y.u * y.u;
		side->ne = side->start * boundary->ratio * NAME(get)(boundary->gee_re + q->at);
		y.s = boundary->ratio * NAME(get)(boundary->g_re + q->at) * y.u;
		ye.s = boundary->ratio * NAME(get)(boundary->ge_re + q->at) * y.u;
	}
	for (long long c = from; c != to; c += step) {
		const adjoint_cell *edge = &of->cells[up ? c + 1 : c];
		double *out = of->scratch + MODES_LANES * SCRATCH_CELL * c + q->at;
		if (c != from && edge->interface) {
			double r = up ? 1 / edge->jump : edge->jump;
			NAME(behind)(&x, r);
			NAME(behind)(&y, r);
			NAME(behind)(&ye, r);
		}
		if (small && c != from)
			small = NAME(renew)(of->states + 4 * MODES_LANES * c + q->at, q->step, low, &y, &ye);
		if (c != from && edge->interface && edge->slot[6] >= 0)
			NAME(jump_forms)(out + MODES_LANES * JUMP, odd, y, ye, x);
		NAME(put)(out + MODES_LANES * STATE, &y.u);
		NAME(put)(out + MODES_LANES * (STATE + 1), &y.s);
		NAME(put)(out + MODES_LANES * (STATE + 2), &ye.u);
		NAME(put)(out + MODES_LANES * (STATE + 3), &ye.s);
		NAME(cross)(q, c, odd, &y, &ye, &x, side);
	}
	if (!up && of->cells[to].interface) {
		double r = of->cells[to].jump;
		NAME(behind)(&x, r);
		NAME(behind)(&y, r);
		NAME(behind)(&ye, r);
		NAME(jump_forms)(of->scratch + MODES_LANES * (SCRATCH_CELL * b->cells + JUMP) + q->at, odd, y, ye, x);
	}
	side->y = y;
	side->ye = ye;
	side->yx = x;
	side->n = NAME(wronskian)(&side->y, &side->ye);
	side->l = -NAME(wronskian)(&side->y, &side->yx);
}

// The state that enters a cell, or its derivative in E.
INLINE pair NAME(entering)(const view *q, long long cell, int derivative)
{
	return NAME(state)(q->of->scratch + MODES_LANES * (SCRATCH_CELL * cell + STATE) + q->at, derivative);
}

// Multiplies by i and by a real number.
INLINE factor NAME(turn)(factor k, lane x) { return (factor){-k.im * x, k.re * x}; }

INLINE factor NAME(product)(factor a, factor b) { return (factor){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

INLINE void NAME(add)(factor *sum, factor k, lane x)
{
	sum->re += k.re * x;
	sum->im += k.im * x;
}

// losses are what scattering at rough interfaces adds to kr² of the modes: a sum over
// interfaces of forms in the states there.
typedef struct {
	factor value, slope, below; // all, its derivative in E at held kicks, what lies below the match
} losses;

// The change of one interface's form with u and s of the state, and its value.
INLINE void NAME(scattering)(const adjoint_rough *r, int at, pair y, factor *u, factor *s, factor *value)
{
	lane pp[2], ps[2], ss[2];
	for (int i = 0; i < 2; i++) {
		pp[i] = NAME(get)(r->pp[i] + at);
		ps[i] = NAME(get)(r->ps[i] + at);
		ss[i] = NAME(get)(r->ss[i] + at);
	}
	*u = (factor){2 * pp[0] * y.u + ps[0] * y.s, 2 * pp[1] * y.u + ps[1] * y.s};
	*s = (factor){ps[0] * y.u + 2 * ss[0] * y.s, ps[1] * y.u + 2 * ss[1] * y.s};
	*value = (factor){0.5 * (u->re * y.u + s->re * y.s), 0.5 * (u->im * y.u + s->im * y.s)};
}

// Evaluates the solution at a place.
INLINE void NAME(visit)(const view *q, const adjoint_part *both, place *p)
{
	const adjoint_batch *b = q->of->b;
	lane zero = {0};
	p->side = both[0].index >= b->match;
	const adjoint_part *part = &both[p->side];
	p->cell = part->index;
	p->inside = part->index >= b->first && part->index < b->last;
	p->u = p->ue = p->t11 = p->t12 = zero;
	for (int k = 0; k < ADJOINT_PART; k++)
		p->kick[k] = zero;
	if (!p->inside)
		return;
	pair in = NAME(entering)(q, part->index, 0), ine = NAME(entering)(q, part->index, 1);
	double h = part->p.h, h2 = h * h, odd = p->side ? -1 : 1;
	p->t11 = zero + 1;
	p->u = in.u;
	p->ue = ine.u;
	p->kick[5] = in.s;
	if (h == 0)
		return;
	lane s = in.s, z = (q->e - part->p.q0) * h2, eta[9];
	in.s *= h;
	ine.s *= h;
	NAME(etas)(eta, z, part->any, q->of->p5, q->of->p6);
	matrix t = NAME(transfer)(&part->p, odd, eta, z, 0);
	matrix d = NAME(transfer)(&part->p, odd, eta, z, 1);
	lane r = NAME(times)(&d, &in).u;
	p->u = NAME(times)(&t, &in).u;
	p->ue = NAME(times)(&t, &ine).u + h2 * r;
	p->t11 = t.a11;
	p->t12 = t.a12 * h;
	p->kick[0] = -h2 * r;
	for (int n = 0; n < 4; n++) {
		matrix m = NAME(series)(&part->by[n], odd, eta, 0);
		p->kick[n + 1] = NAME(times)(&m, &in).u;
	}
	p->kick[5] = t.a12 * s + 2 * h * (q->e - part->p.q0) * r;
}

// What multiplies the sums of forms in the pressure at one phone: [Re, Im] of the
// Wronskian forms with u and w, and of their derivatives in E and along absorption.
#define COEF_A 0
#define COEF_W 2
#define COEF_E 4
#define COEF_X 6
#define COEFS 8

INLINE void NAME(deposit)(double *sums, const lane *c, long long phones, lane a, lane w, lane e, lane x)
{
	for (long long r = 0; r < phones; r++, c += COEFS, sums += ADJOINT_SUM)
		NAME(grow)(sums, c[COEF_A] * a + c[COEF_W] * w + c[COEF_E] * e + c[COEF_X] * x,
			c[COEF_A + 1] * a + c[COEF_W + 1] * w + c[COEF_E + 1] * e + c[COEF_X + 1] * x);
}

INLINE void NAME(deposit_one)(double *sums, const lane *c, long long phones, lane a)
{
	for (long long r = 0; r < phones; r++, c += COEFS, sums += ADJOINT_SUM)
		NAME(grow)(sums, c[0] * a, c[1] * a);
}

INLINE void NAME(deposit_jump)(const view *q, long long cell, const double *forms, double sign, pair y, pair w,
	const lane *coefs, lane det, lane dete, lane detx)
{
	const problem *of = q->of;
	long long phones = of->b->phones, slot = of->cells[cell].slot[6];
	if (slot < 0)
		return;
	lane a = NAME(get)(forms), e = NAME(get)(forms + MODES_LANES), x = NAME(get)(forms + 2 * MODES_LANES);
	NAME(deposit)(of->cell_sums + slot * phones * ADJOINT_SUM, coefs, phones,
		det * a, -sign * (w.u * y.s + w.s * y.u), det * e + dete * a, det * x + detx * a);
}

// Adds the places in cell c to the coefficients of the sites before it, where w
// enters: the change there is w A - u W of the sums so far.
INLINE void NAME(before)(long long phones, long long c, int up, const place *places, const factor *factors, lane *coefs, pair w, lane det)
{
	for (long long i = 0; i <= phones; i++) {
		const place *p = &places[i];
		if (!p->inside || p->side != up || p->cell != c)
			continue;
		lane there = (p->t11 * w.u + p->t12 * w.s) / det;
		for (long long r = i ? i - 1 : 0; r < (i ? i : phones); r++) {
			const factor *f = &factors[i ? phones + r : r];
			lane *to = coefs + r * COEFS;
			to[COEF_A] += f->re * there;
			to[COEF_A + 1] += f->im * there;
			to[COEF_W] -= f->re * p->u;
			to[COEF_W + 1] -= f->im * p->u;
		}
	}
}

// Adds what the sites before cell c do by way of the rough interface at its entrance.
INLINE void NAME(before_rough)(const view *q, long long c, int up, const factor *k, lane share, pair y, pair w, lane det, lane *coefs)
{
	const adjoint_batch *b = q->of->b;
	for (const adjoint_rough *r = q->of->rough; r < q->of->rough + b->rough; r++) {
		if (r->cell != c || r->up != up)
			continue;
		factor u, s, value;
		NAME(scattering)(r, q->at, y, &u, &s, &value);
		lane by = share / det;
		factor there = {(u.re * w.u + s.re * w.s) * by, (u.im * w.u + s.im * w.s) * by};
		value = (factor){-2 * share * value.re, -2 * share * value.im};
		for (long long i = 0; i < b->phones; i++) {
			factor f = NAME(product)(k[i], there), g = NAME(product)(k[i], value);
			lane *to = coefs + i * COEFS;
			to[COEF_A] += f.re;
			to[COEF_A + 1] += f.im;
			to[COEF_W] += g.re;
			to[COEF_W + 1] += g.im;
		}
	}
}

// mode is what both sides of the match have in common.
typedef struct {
	lane scale2, share[2];
	const place *places;
	const factor *factors, *k; // of the places; of kr², by phone
} mode;

// The forms of a cell's parameters, weighed by the phones' coefficients.
INLINE void NAME(deposit_cell)(const view *q, long long c, const half *side, const lane *coefs, pair w, lane det, lane dete, lane detx)
{
	const problem *of = q->of;
	const adjoint_cell *cell = &of->cells[c];
	const double *in = of->scratch + MODES_LANES * SCRATCH_CELL * c + q->at;
	long long phones = of->b->phones, row = phones * ADJOINT_SUM;
	lane zero = {0};
	for (int k = 0; k < 6; k++) {
		if (!NAME(wanted)(cell, k))
			continue;
		lane a = NAME(get)(in + MODES_LANES * (FORM_A + k));
		if (cell->slot[k] >= 0) {
			lane e = NAME(get)(in + MODES_LANES * (FORM_E + k));
			lane x = side->absorbs ? NAME(get)(in + MODES_LANES * (FORM_X + k)) : zero;
			lane f = w.u * NAME(get)(in + MODES_LANES * (KICK_S + k)) - w.s * NAME(get)(in + MODES_LANES * (KICK_U + k));
			NAME(deposit)(of->cell_sums + cell->slot[k] * row, coefs, phones, det * a, f, det * e + dete * a, det * x + detx * a);
		}
		if (k < 5 && cell->slot[7 + k] >= 0)
			NAME(deposit_one)(of->cell_sums + cell->slot[7 + k] * row, coefs + COEF_X, phones, det * a);
	}
}

// From the match back to the boundary, with the second solution w.
static void NAME(retreat)(const view *q, int up, const half *side, const mode *m, lane *coefs, const adjoint_boundary *boundary)
{
	const problem *of = q->of;
	const adjoint_batch *b = of->b;
	long long phones = b->phones, row = phones * ADJOINT_SUM;
	long long from = up ? b->last - 1 : b->first, to = up ? b->match - 1 : b->match, step = up ? -1 : 1;
	double odd = step;
	lane zero = {0};
	lane size = 1 / (side->y.s * side->y.s + m->scale2 * side->y.u * side->y.u);
	pair w = {-side->y.s * size, m->scale2 * side->y.u * size};
	// The propagators' determinants are 1 to the tolerance only; where w grows much,
	// that would show: their product from here to the match, and its changes.
	lane det = zero + 1, dete = zero, detx = zero;
	if (!up)
		NAME(before_rough)(q, to, up, m->k, m->share[up], side->y, w, det, coefs);
	if (!up && of->cells[to].interface) {
		NAME(deposit_jump)(q, to, of->scratch + MODES_LANES * (SCRATCH_CELL * b->cells + JUMP) + q->at, odd, side->y, w, coefs, det, dete, detx);
		NAME(behind)(&w, 1 / of->cells[to].jump);
	}
	for (long long c = to - step;; c -= step) {
		const adjoint_cell *cell = &of->cells[c];
		const double *in = of->scratch + MODES_LANES * SCRATCH_CELL * c + q->at;
		NAME(deposit_cell)(q, c, side, coefs, w, det, dete, detx);
		const double *own = in + MODES_LANES * DETERMINANT;
		lane here = NAME(get)(own);
		dete = dete * here + det * NAME(get)(own + MODES_LANES);
		detx = detx * here + det * NAME(get)(own + 2 * MODES_LANES);
		det *= here;
		double h = cell->p.h;
		pair v = {w.u, w.s * h};
		w.u = NAME(get)(in + 3 * MODES_LANES) * v.u - NAME(get)(in + MODES_LANES) * v.s;
		w.s = (NAME(get)(in) * v.s - NAME(get)(in + 2 * MODES_LANES) * v.u) / h;
		// Sites beyond here act on the places in this cell.
		NAME(before)(phones, c, up, m->places, m->factors, coefs, w, det);
		pair y = NAME(entering)(q, c, 0);
		NAME(before_rough)(q, c, up, m->k, m->share[up], y, w, det, coefs);
		const adjoint_cell *edge = &of->cells[up ? c + 1 : c];
		if (c == from)
			break;
		if (edge->interface) {
			NAME(deposit_jump)(q, up ? c + 1 : c, in + MODES_LANES * JUMP, odd, y, w, coefs, det, dete, detx);
			NAME(behind)(&w, up ? edge->jump : 1 / edge->jump);
		}
	}
	if (!boundary->reached)
		return;
	lane u = NAME(entering)(q, from, 0).u;
	lane ge_re = NAME(get)(boundary->ge_re + q->at), ge_im = NAME(get)(boundary->ge_im + q->at);
	lane value[3] = {NAME(get)(boundary->g_re + q->at), -boundary->ratio * ge_re, boundary->ratio * ge_im};
	lane slope[3] = {ge_re, -boundary->ratio * NAME(get)(boundary->gee_re + q->at), boundary->ratio * NAME(get)(boundary->gee_im + q->at)};
	lane tail[3] = {NAME(get)(boundary->g_im + q->at), -boundary->ratio * ge_im, -boundary->ratio * ge_re};
	for (int k = 0; k < 3; k++)
		NAME(deposit)(of->boundary_sums + (ADJOINT_BOUNDARY * up + k) * row, coefs, phones,
			side->start * det * value[k], w.u * u * value[k], side->start * (det * slope[k] + dete * value[k]),
			side->start * (tail[k] + detx * value[k]));
}

// The scattering of all rough interfaces that this batch reaches.
INLINE losses NAME(scatter)(const view *q, const half *down, const lane *share)
{
	const adjoint_batch *b = q->of->b;
	lane zero = {0};
	losses sum = {{zero, zero}, {zero, zero}, {zero, zero}};
	for (const adjoint_rough *r = q->of->rough; r < q->of->rough + b->rough; r++) {
		int end = !r->up && r->cell == b->match;
		pair y = end ? down->y : NAME(entering)(q, r->cell, 0), ye = end ? down->ye : NAME(entering)(q, r->cell, 1);
		factor u, s, value;
		NAME(scattering)(r, q->at, y, &u, &s, &value);
		NAME(add)(&sum.value, value, share[r->up]);
		if (r->up)
			NAME(add)(&sum.below, value, share[1]);
		NAME(add)(&sum.slope, u, share[r->up] * ye.u);
		NAME(add)(&sum.slope, s, share[r->up] * ye.s);
		lane uu = y.u * y.u, us = y.u * y.s, ss = y.s * y.s;
		factor slope = {NAME(get)(r->ppe[0] + q->at) * uu + NAME(get)(r->pse[0] + q->at) * us + NAME(get)(r->sse[0] + q->at) * ss,
			NAME(get)(r->ppe[1] + q->at) * uu + NAME(get)(r->pse[1] + q->at) * us + NAME(get)(r->sse[1] + q->at) * ss};
		NAME(add)(&sum.slope, slope, share[r->up]);
	}
	return sum;
}

INLINE lane NAME(root)(lane x)
{
	for (int i = 0; i < WIDTH; i++)
		x[i] = sqrt(x[i]);
	return x;
}

// The coefficients of one phone, from the mode's factor p = w φs φr and what the
// source (s) and the phone (r) owe to u; see adjoint.go.
INLINE void NAME(weigh)(const half *down, const half *up, lane n, lane ratio, const lane *tail, const lane *taile, const losses *scattered,
	factor p, factor k, const place *s, const place *r, const factor *fs, const factor *fr, lane *down_coefs, lane *up_coefs)
{
	lane inverse = 1 / n, square = ratio * ratio;
	lane loss = (down->l + square * up->l) * inverse + tail[0] + tail[1];
	factor ik = NAME(turn)(k, inverse * 0 + 1);
	lane zero = {0}, one = zero + 1;
	factor cn = {-p.re, -p.im};
	NAME(add)(&cn, ik, -loss);
	NAME(add)(&cn, NAME(product)(k, scattered->value), -one);
	factor cr = {zero, zero};
	NAME(add)(&cr, p, zero + (s->side + r->side));
	NAME(add)(&cr, ik, 2 * (square * up->l * inverse + tail[1]));
	NAME(add)(&cr, NAME(product)(k, scattered->below), 2 * one);
	NAME(add)(&cr, cn, 2 * square * up->n * inverse);
	factor ce = k;
	NAME(add)(&ce, NAME(product)(k, scattered->slope), one);
	NAME(add)(&ce, *fs, s->ue);
	NAME(add)(&ce, *fr, r->ue);
	NAME(add)(&ce, ik, (down->le + square * up->le) * inverse + taile[0] + taile[1]);
	NAME(add)(&ce, cn, (down->ne + square * up->ne) * inverse);
	NAME(add)(&ce, cr, up->we - down->we);
	const half *sides[2] = {down, up};
	lane *out[2] = {down_coefs, up_coefs};
	for (int i = 0; i < 2; i++) {
		lane share = i ? square * inverse : inverse;
		factor a = {zero, zero}, w = {zero, zero}, e = {zero, zero}, x = {zero, zero};
		NAME(add)(&a, ce, -share);
		NAME(add)(&a, cn, 2 * sides[i]->we * share);
		NAME(add)(&a, ik, -2 * sides[i]->wx * share);
		NAME(add)(&w, cr, zero + (i ? 1 : -1));
		NAME(add)(&w, cn, -2 * sides[i]->n * share);
		NAME(add)(&w, ik, -2 * sides[i]->l * share);
		NAME(add)(&e, cn, share);
		NAME(add)(&x, ik, -share);
		lane values[COEFS] = {a.re, a.im, w.re, w.im, e.re, e.im, x.re, x.im};
		memcpy(out[i], values, sizeof values);
	}
}

INLINE void NAME(deposit_kicks)(long long phones, const place *p, const factor *f, double *sums)
{
	for (int k = 0; k < ADJOINT_PART; k++, sums += phones * ADJOINT_SUM)
		NAME(grow)(sums, f->re * p->kick[k], f->im * p->kick[k]);
}

// The two sides, joined as modes.
INLINE void NAME(join)(const view *q, const adjoint_boundary *boundaries, half *sides, mode *m, lane *n, lane *ratio, lane *tail, lane *taile)
{
	m->scale2 = NAME(get)(q->of->b->scale + q->at);
	m->scale2 *= m->scale2;
	const pair *y1 = &sides[0].y, *y2 = &sides[1].y;
	*ratio = (m->scale2 * y1->u * y2->u - y1->s * y2->s) / (m->scale2 * y2->u * y2->u + y2->s * y2->s);
	*n = sides[0].n + *ratio * *ratio * sides[1].n;
	m->share[0] = 1 / *n;
	m->share[1] = *ratio * *ratio / *n;
	for (int i = 0; i < 2; i++) {
		half *side = &sides[i];
		lane size = 1 / (side->y.s * side->y.s + m->scale2 * side->y.u * side->y.u);
		side->we = -(side->y.s * side->ye.s + m->scale2 * side->y.u * side->ye.u) * size;
		side->wx = -(side->y.s * side->yx.s + m->scale2 * side->y.u * side->yx.u) * size;
		tail[i] = taile[i] = (lane){0};
		if (boundaries[i].reached) {
			lane share = -boundaries[i].ratio * side->start * m->share[i];
			tail[i] = share * NAME(get)(boundaries[i].g_im + q->at);
			taile[i] = share * NAME(get)(boundaries[i].ge_im + q->at);
		}
	}
}

// The lanes from q->at on.
static void NAME(lanes)(const view *q, const adjoint_part *parts, const adjoint_boundary *boundaries)
{
	const problem *of = q->of;
	const adjoint_batch *b = of->b;
	long long phones = b->phones, row = phones * ADJOINT_SUM;
	place *places = (place *)(of->scratch + MODES_LANES * SCRATCH_CELL * (b->cells + 1));
	factor *factors = (factor *)(places + phones + 1), *ks = factors + 2 * phones;
	lane *coefs = (lane *)(ks + phones);
	half sides[2];
	NAME(approach)(q, 0, &boundaries[0], &sides[0]);
	NAME(approach)(q, 1, &boundaries[1], &sides[1]);
	mode m = {.places = places, .factors = factors, .k = ks};
	lane n, ratio, tail[2], taile[2];
	NAME(join)(q, boundaries, sides, &m, &n, &ratio, tail, taile);
	losses scattered = NAME(scatter)(q, &sides[0], m.share);
	lane amplitude[2] = {1 / NAME(root)(n)};
	amplitude[1] = ratio * amplitude[0];
	for (long long i = 0; i <= phones; i++) {
		NAME(visit)(q, parts + 2 * i, &places[i]);
		places[i].root = parts[2 * i].root * amplitude[places[i].side];
		places[i].phi = places[i].root * places[i].u;
	}
	factor kr = {NAME(get)(b->kr_re + q->at), NAME(get)(b->kr_im + q->at)};
	lane size = 0.5 / (kr.re * kr.re + kr.im * kr.im);
	factor inverse = {kr.re * size, -kr.im * size}; // 1/(2 kr)
	const place *s = &places[0];
	for (long long r = 0; r < phones; r++) {
		const place *here = &places[r + 1];
		const double *weight = of->weights + 2 * MODES_LANES * r + q->at;
		factor w = {NAME(get)(weight), NAME(get)(weight + MODES_LANES)};
		factor p = {w.re * s->phi * here->phi, w.im * s->phi * here->phi};
		factors[r] = (factor){w.re * here->phi * s->root, w.im * here->phi * s->root};
		factors[phones + r] = (factor){w.re * s->phi * here->root, w.im * s->phi * here->root};
		// d ln p/d(kr²) = -(i r + power/kr)/(2 kr)
		factor k = {-2 * b->power * inverse.re, -2 * b->power * inverse.im - of->ranges[r]};
		k = NAME(product)(NAME(product)(k, inverse), p);
		ks[r] = k;
		NAME(weigh)(&sides[0], &sides[1], n, ratio, tail, taile, &scattered, p, k, s, here, &factors[r], &factors[phones + r],
			coefs + r * COEFS, coefs + (phones + r) * COEFS);
		factor x = {kr.im - 0.5 * b->spreads / of->ranges[r], -kr.re};
		x = NAME(product)(x, p);
		NAME(grow)(of->range_sums + ADJOINT_SUM * r, x.re, x.im);
		NAME(deposit_kicks)(phones, s, &factors[r], of->place_sums + s->side * ADJOINT_PART * row + ADJOINT_SUM * r);
		NAME(deposit_kicks)(phones, here, &factors[phones + r], of->place_sums + (2 * (r + 1) + here->side) * ADJOINT_PART * row + ADJOINT_SUM * r);
	}
	NAME(retreat)(q, 0, &sides[0], &m, coefs, &boundaries[0]);
	NAME(retreat)(q, 1, &sides[1], &m, coefs + phones * COEFS, &boundaries[1]);
}

static void NAME(adjoint)(const problem *of, const adjoint_part *parts, const adjoint_boundary *boundaries)
{
	view q = {.of = of};
	for (; q.at < MODES_LANES; q.at += WIDTH) {
		q.e = NAME(get)(of->b->e + q.at);
		q.step = NAME(get)(of->b->step + q.at);
		NAME(lanes)(&q, parts, boundaries);
	}
}

#undef half
#undef mode
#undef place
#undef view
#undef factor
#undef losses
#undef COEF_A
#undef COEF_W
#undef COEF_E
#undef COEF_X
#undef COEFS
#include "propagator_end.h"
