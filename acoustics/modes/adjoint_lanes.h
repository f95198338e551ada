// The adjoint for WIDTH modes side by side; adjoint.c includes this once for each
// kind of processor. See adjoint.go for the mathematics and the names.

#include "propagator_lanes.h"

#define half NAME(half_)
#define place NAME(place_)
#define problem NAME(problem_)
#define factor NAME(factor_)

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

// problem is what the functions share.
typedef struct {
	const adjoint_batch *b;
	const adjoint_cell *cells;
	const double *states;
	double *scratch, *cell_sums;
	lane e;
	int at; // the first lane
	const double *p5, *p6;
} problem;

INLINE void NAME(grow)(double *p, lane v)
{
	lane sum = NAME(get)(p) + v;
	memcpy(p, &sum, sizeof sum);
}

INLINE pair NAME(plus)(pair a, double x, pair b) { return (pair){a.u + x * b.u, a.s + x * b.s}; }

// W is the Wronskian of two solutions.
INLINE lane NAME(wronskian)(const pair *a, const pair *b) { return a->u * b->s - a->s * b->u; }

// The change of a determinant with its matrix.
INLINE lane NAME(mixed)(const matrix *m, const matrix *d)
{
	return d->a11 * m->a22 + m->a11 * d->a22 - d->a12 * m->a21 - m->a12 * d->a21;
}

// Crosses a cell: x, the change of the state along the absorption, is carried on;
// the forms and kicks of the cell's parameters go to scratch.
INLINE void NAME(cross)(const problem *q, long long at, double odd, pair *x, half *side)
{
	const adjoint_cell *c = &q->cells[at];
	double *out = q->scratch + MODES_LANES * SCRATCH_CELL * at + q->at;
	const double *st = q->states + 4 * MODES_LANES * at + q->at;
	double h = c->p.h, h2 = h * h, inverse = 1 / h;
	lane z = (q->e - c->p.q0) * h2, eta[9];
	NAME(etas)(eta, z, c->any, q->p5, q->p6);
	matrix t = NAME(transfer)(&c->p, odd, eta, z, 0);
	matrix d = NAME(transfer)(&c->p, odd, eta, z, 1);
	matrix dd = NAME(transfer)(&c->p, odd, eta, z, 2);
	pair in = {NAME(get)(st), NAME(get)(st + MODES_LANES) * h};
	pair ine = {NAME(get)(st + 2 * MODES_LANES), NAME(get)(st + 3 * MODES_LANES) * h};
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
		matrix m = NAME(series)(&c->by[n], odd, eta, 0), me = NAME(series)(&c->by[n], odd, eta, 1);
		kick[n + 1] = NAME(times)(&m, &in);
		kicke[n + 1] = NAME(plus)(NAME(times)(&m, &ine), h2, NAME(times)(&me, &in));
		if (side->absorbs)
			kickx[n + 1] = NAME(times)(&m, &inx);
		if (c->lossy) {
			matrix mx = NAME(series)(&c->loss_by[n], odd, eta, 0);
			kickx[n + 1] = NAME(plus)(kickx[n + 1], -h2 * c->qi0, NAME(times)(&me, &in));
			kickx[n + 1] = NAME(plus)(kickx[n + 1], 1, NAME(times)(&mx, &in));
		}
	}
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
	lane forme[6];
	for (int k = 0; k < 6; k++) {
		lane form = NAME(wronskian)(&y, &kick[k]) * inverse;
		forme[k] = (NAME(wronskian)(&ye, &kick[k]) + NAME(wronskian)(&y, &kicke[k])) * inverse;
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

// From the boundary to the match.
static void NAME(approach)(const problem *q, int up, const double *end, const adjoint_boundary *boundary, half *side)
{
	const adjoint_batch *b = q->b;
	long long from = up ? b->last - 1 : b->first, to = up ? b->match - 1 : b->match, step = up ? -1 : 1;
	double odd = step;
	lane zero = {0};
	pair x = {zero, zero};
	side->absorbs = 0;
	side->ne = side->le = side->start = zero;
	if (from != to && boundary->reached) {
		lane u = NAME(get)(q->states + 4 * MODES_LANES * from + q->at);
		side->start = u * u;
		side->ne = side->start * boundary->ratio * NAME(get)(boundary->gee_re + q->at);
	}
	for (long long c = from; c != to; c += step) {
		const adjoint_cell *edge = &q->cells[up ? c + 1 : c];
		if (c != from && edge->interface) {
			double r = up ? 1 / edge->jump : edge->jump;
			x.u *= r;
			x.s *= 1 / r;
			const double *st = q->states + 4 * MODES_LANES * c + q->at;
			NAME(jump_forms)(q->scratch + MODES_LANES * (SCRATCH_CELL * c + JUMP) + q->at, odd,
				NAME(state)(st, 0), NAME(state)(st, 1), x);
		}
		NAME(cross)(q, c, odd, &x, side);
	}
	side->y = NAME(state)(end + q->at, 0);
	side->ye = NAME(state)(end + q->at, 1);
	if (!up && q->cells[to].interface && from != to) {
		x.u *= q->cells[to].jump;
		x.s *= 1 / q->cells[to].jump;
		NAME(jump_forms)(q->scratch + MODES_LANES * (SCRATCH_CELL * b->cells + JUMP) + q->at, odd, side->y, side->ye, x);
	}
	side->yx = x;
	side->n = NAME(wronskian)(&side->y, &side->ye);
	side->l = -NAME(wronskian)(&side->y, &side->yx);
}

// Evaluates the solution at a place.
INLINE void NAME(visit)(const problem *q, const adjoint_part *both, place *p)
{
	const adjoint_batch *b = q->b;
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
	const double *st = q->states + 4 * MODES_LANES * part->index + q->at;
	pair in = NAME(state)(st, 0), ine = NAME(state)(st, 1);
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
	NAME(etas)(eta, z, part->any, q->p5, q->p6);
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
	for (long long r = 0; r < phones; r++, c += COEFS, sums += 2 * MODES_LANES) {
		NAME(grow)(sums, c[COEF_A] * a + c[COEF_W] * w + c[COEF_E] * e + c[COEF_X] * x);
		NAME(grow)(sums + MODES_LANES, c[COEF_A + 1] * a + c[COEF_W + 1] * w + c[COEF_E + 1] * e + c[COEF_X + 1] * x);
	}
}

INLINE void NAME(deposit_one)(double *sums, const lane *c, long long phones, lane a)
{
	for (long long r = 0; r < phones; r++, c += COEFS, sums += 2 * MODES_LANES) {
		NAME(grow)(sums, c[0] * a);
		NAME(grow)(sums + MODES_LANES, c[1] * a);
	}
}

INLINE void NAME(deposit_jump)(const problem *q, long long cell, const double *forms, double sign, pair y, pair w,
	const lane *coefs, lane det, lane dete, lane detx)
{
	lane a = NAME(get)(forms), e = NAME(get)(forms + MODES_LANES), x = NAME(get)(forms + 2 * MODES_LANES);
	NAME(deposit)(q->cell_sums + (ADJOINT_CELL * cell + 6) * q->b->phones * 2 * MODES_LANES + q->at, coefs, q->b->phones,
		det * a, -sign * (w.u * y.s + w.s * y.u), det * e + dete * a, det * x + detx * a);
}

// What a phone's pressure owes to a change of u at the source (then at the phone).
typedef struct {
	lane re, im;
} factor;

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

// From the match back to the boundary, with the second solution w.
static void NAME(retreat)(const problem *q, int up, const half *side, const place *places, const factor *factors,
	lane *coefs, lane scale2, const adjoint_boundary *boundary, double *boundary_sums)
{
	const adjoint_batch *b = q->b;
	long long phones = b->phones, row = phones * 2 * MODES_LANES;
	long long from = up ? b->last - 1 : b->first, to = up ? b->match - 1 : b->match, step = up ? -1 : 1;
	if (from == to)
		return;
	double odd = step;
	lane zero = {0};
	lane size = 1 / (side->y.s * side->y.s + scale2 * side->y.u * side->y.u);
	pair w = {-side->y.s * size, scale2 * side->y.u * size};
	// The propagators' determinants are 1 to the tolerance only; where w grows much,
	// that would show: their product from here to the match, and its changes.
	lane det = zero + 1, dete = zero, detx = zero;
	if (!up && q->cells[to].interface) {
		NAME(deposit_jump)(q, to, q->scratch + MODES_LANES * (SCRATCH_CELL * b->cells + JUMP) + q->at, odd, side->y, w, coefs, det, dete, detx);
		w.u *= 1 / q->cells[to].jump;
		w.s *= q->cells[to].jump;
	}
	for (long long c = to - step;; c -= step) {
		const adjoint_cell *cell = &q->cells[c];
		const double *in = q->scratch + MODES_LANES * SCRATCH_CELL * c + q->at;
		double *sums = q->cell_sums + ADJOINT_CELL * c * row + q->at;
		for (int k = 0; k < 6; k++) {
			lane a = NAME(get)(in + MODES_LANES * (FORM_A + k));
			lane e = NAME(get)(in + MODES_LANES * (FORM_E + k));
			lane x = side->absorbs ? NAME(get)(in + MODES_LANES * (FORM_X + k)) : zero;
			lane f = w.u * NAME(get)(in + MODES_LANES * (KICK_S + k)) - w.s * NAME(get)(in + MODES_LANES * (KICK_U + k));
			NAME(deposit)(sums + k * row, coefs, phones, det * a, f, det * e + dete * a, det * x + detx * a);
			if (cell->lossy && k < 5)
				NAME(deposit_one)(sums + (7 + k) * row, coefs + COEF_X, phones, det * a);
		}
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
		NAME(before)(phones, c, up, places, factors, coefs, w, det);
		const adjoint_cell *edge = &q->cells[up ? c + 1 : c];
		if (c == from)
			break;
		if (edge->interface) {
			const double *st = q->states + 4 * MODES_LANES * c + q->at;
			NAME(deposit_jump)(q, up ? c + 1 : c, in + MODES_LANES * JUMP, odd, NAME(state)(st, 0), w, coefs, det, dete, detx);
			double r = up ? 1 / edge->jump : edge->jump;
			w.u *= 1 / r;
			w.s *= r;
		}
	}

	if (!boundary->reached)
		return;
	lane u = NAME(get)(q->states + 4 * MODES_LANES * from + q->at);
	lane ge_re = NAME(get)(boundary->ge_re + q->at), ge_im = NAME(get)(boundary->ge_im + q->at);
	lane value[3] = {NAME(get)(boundary->g_re + q->at), -boundary->ratio * ge_re, boundary->ratio * ge_im};
	lane slope[3] = {ge_re, -boundary->ratio * NAME(get)(boundary->gee_re + q->at), boundary->ratio * NAME(get)(boundary->gee_im + q->at)};
	lane tail[3] = {NAME(get)(boundary->g_im + q->at), -boundary->ratio * ge_im, -boundary->ratio * ge_re};
	for (int k = 0; k < 3; k++)
		NAME(deposit)(boundary_sums + k * row + q->at, coefs, phones,
			side->start * det * value[k], w.u * u * value[k], side->start * (det * slope[k] + dete * value[k]),
			side->start * (tail[k] + detx * value[k]));
}

// Multiplies by i and by a real number.
INLINE factor NAME(turn)(factor k, lane x) { return (factor){-k.im * x, k.re * x}; }

INLINE factor NAME(product)(factor a, factor b) { return (factor){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

INLINE void NAME(add)(factor *sum, factor k, lane x)
{
	sum->re += k.re * x;
	sum->im += k.im * x;
}

INLINE lane NAME(root)(lane x)
{
	for (int i = 0; i < WIDTH; i++)
		x[i] = sqrt(x[i]);
	return x;
}

// The coefficients of one phone, from the mode's factor p = w φs φr and what the
// source (s) and the phone (r) owe to u; see adjoint.go.
INLINE void NAME(weigh)(const half *down, const half *up, lane n, lane ratio, const lane *tail, const lane *taile,
	factor p, factor k, const place *s, const place *r, const factor *fs, const factor *fr, lane *down_coefs, lane *up_coefs)
{
	lane inverse = 1 / n, square = ratio * ratio;
	lane loss = (down->l + square * up->l) * inverse + tail[0] + tail[1];
	factor ik = NAME(turn)(k, inverse * 0 + 1);
	factor cn = {-p.re, -p.im};
	NAME(add)(&cn, ik, -loss);
	lane zero = {0};
	factor cr = {zero, zero};
	NAME(add)(&cr, p, zero + (s->side + r->side));
	NAME(add)(&cr, ik, 2 * (square * up->l * inverse + tail[1]));
	NAME(add)(&cr, cn, 2 * square * up->n * inverse);
	factor ce = k;
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

INLINE void NAME(deposit_kicks)(const problem *q, const place *p, const factor *f, double *sums)
{
	for (int k = 0; k < ADJOINT_PART; k++, sums += q->b->phones * 2 * MODES_LANES) {
		NAME(grow)(sums + q->at, f->re * p->kick[k]);
		NAME(grow)(sums + MODES_LANES + q->at, f->im * p->kick[k]);
	}
}

// One half of a batch that is wider than a register.
static void NAME(lanes)(problem *q, const adjoint_part *parts, const adjoint_boundary *boundaries, const double *pe,
	const double *down_end, const double *up_end, const double *weights, const double *ranges,
	double *place_sums, double *boundary_sums, double *range_sums)
{
	const adjoint_batch *b = q->b;
	long long phones = b->phones, row = phones * 2 * MODES_LANES;
	place *places = (place *)(q->scratch + MODES_LANES * SCRATCH_CELL * (b->cells + 1));
	factor *factors = (factor *)(places + phones + 1);
	lane *coefs = (lane *)(factors + 2 * phones);
	q->e = NAME(get)(pe + q->at);
	half sides[2];
	NAME(approach)(q, 0, down_end, &boundaries[0], &sides[0]);
	NAME(approach)(q, 1, up_end, &boundaries[1], &sides[1]);
	lane scale2 = NAME(get)(b->scale + q->at);
	scale2 *= scale2;
	const pair *y1 = &sides[0].y, *y2 = &sides[1].y;
	lane ratio = (scale2 * y1->u * y2->u - y1->s * y2->s) / (scale2 * y2->u * y2->u + y2->s * y2->s);
	lane n = sides[0].n + ratio * ratio * sides[1].n;
	lane amplitude[2] = {1 / NAME(root)(n)}, tail[2], taile[2];
	amplitude[1] = ratio * amplitude[0];
	for (int i = 0; i < 2; i++) {
		half *side = &sides[i];
		lane size = 1 / (side->y.s * side->y.s + scale2 * side->y.u * side->y.u);
		side->we = -(side->y.s * side->ye.s + scale2 * side->y.u * side->ye.u) * size;
		side->wx = -(side->y.s * side->yx.s + scale2 * side->y.u * side->yx.u) * size;
		tail[i] = taile[i] = (lane){0};
		if (boundaries[i].reached) {
			lane share = -boundaries[i].ratio * side->start * amplitude[i] * amplitude[i];
			tail[i] = share * NAME(get)(boundaries[i].g_im + q->at);
			taile[i] = share * NAME(get)(boundaries[i].ge_im + q->at);
		}
	}
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
		factor w = {NAME(get)(weights + 2 * MODES_LANES * r + q->at), NAME(get)(weights + 2 * MODES_LANES * r + MODES_LANES + q->at)};
		factor p = {w.re * s->phi * here->phi, w.im * s->phi * here->phi};
		factors[r] = (factor){w.re * here->phi * s->root, w.im * here->phi * s->root};
		factors[phones + r] = (factor){w.re * s->phi * here->root, w.im * s->phi * here->root};
		// d ln p/d(kr²) = -(i r + power/kr)/(2 kr)
		factor k = {-2 * b->power * inverse.re, -2 * b->power * inverse.im - ranges[r]};
		k = NAME(product)(NAME(product)(k, inverse), p);
		NAME(weigh)(&sides[0], &sides[1], n, ratio, tail, taile, p, k, s, here, &factors[r], &factors[phones + r],
			coefs + r * COEFS, coefs + (phones + r) * COEFS);
		factor x = {kr.im - 0.5 * b->spreads / ranges[r], -kr.re};
		x = NAME(product)(x, p);
		NAME(grow)(range_sums + 2 * MODES_LANES * r + q->at, x.re);
		NAME(grow)(range_sums + 2 * MODES_LANES * r + MODES_LANES + q->at, x.im);
		NAME(deposit_kicks)(q, s, &factors[r], place_sums + s->side * ADJOINT_PART * row + 2 * MODES_LANES * r);
		NAME(deposit_kicks)(q, here, &factors[phones + r], place_sums + (2 * (r + 1) + here->side) * ADJOINT_PART * row + 2 * MODES_LANES * r);
	}
	NAME(retreat)(q, 0, &sides[0], places, factors, coefs, scale2, &boundaries[0], boundary_sums);
	NAME(retreat)(q, 1, &sides[1], places, factors, coefs + phones * COEFS, scale2, &boundaries[1], boundary_sums + ADJOINT_BOUNDARY * row);
}

static void NAME(adjoint)(const adjoint_batch *batch, const adjoint_cell *cells, const adjoint_part *parts,
	const adjoint_boundary *boundaries, const double *e, const double *states, const double *down, const double *up,
	const double *weights, const double *ranges, double *scratch, double *cell_sums, double *place_sums,
	double *boundary_sums, double *range_sums, const double *p5, const double *p6)
{
	problem q = {.b = batch, .cells = cells, .states = states, .scratch = scratch, .cell_sums = cell_sums, .p5 = p5, .p6 = p6};
	for (q.at = 0; q.at < MODES_LANES; q.at += WIDTH)
		NAME(lanes)(&q, parts, boundaries, e, down, up, weights, ranges, place_sums, boundary_sums, range_sums);
}

#undef half
#undef place
#undef problem
#undef factor
#undef COEF_A
#undef COEF_W
#undef COEF_E
#undef COEF_X
#undef COEFS
#include "propagator_end.h"
