// Integrals over cells and shapes inside them for WIDTH modes side by side;
// integrals.c includes this once for each kind of processor.

#include "propagator_lanes.h"

// By Lagrange's identity: see entry.integral in Go.
static void NAME(integrate)(const modes_weight *weights, long long count, long long first, long long match, long long last,
	const double *pe, const double *states, const double *above, const double *below, double *psum,
	const double *p5, const double *p6)
{
	for (int at = 0; at < MODES_LANES; at += WIDTH) {
		lane e = NAME(get)(pe + at), sum = NAME(get)(psum + at);
		for (const modes_weight *w = weights; w < weights + count; w++) {
			if (w->index < first || w->index >= last)
				continue;
			int up = w->index >= match;
			double h = w->p.h, odd = up ? -1 : 1, by = -h * h * w->along.q0;
			lane z = (e - w->p.q0) * (h * h), eta[9];
			NAME(etas)(eta, z, w->thick, p5, p6);
			matrix t = NAME(transfer)(&w->p, odd, eta, z, 0), d = NAME(transfer)(&w->p, odd, eta, z, 1);
			matrix m = NAME(series)(&w->along, odd, eta, 0);
			m.a11 += by * d.a11, m.a12 += by * d.a12, m.a21 += by * d.a21, m.a22 += by * d.a22;
			pair in = NAME(state)(states + 4 * MODES_LANES * w->index + at, 0);
			lane amplitude = NAME(get)((up ? below : above) + at);
			in.u *= amplitude;
			in.s *= amplitude * h;
			pair out = NAME(times)(&t, &in), change = NAME(times)(&m, &in);
			sum -= (out.u * change.s - out.s * change.u) * (1 / h);
		}
		NAME(put)(psum + at, &sum);
	}
}

static void NAME(shape)(const modes_part *parts, long long count, long long first, long long last, const double *pe,
	const double *pstep, const double *states, double *u, const double *p5, const double *p6)
{
	for (int at = 0; at < MODES_LANES; at += WIDTH) {
		lane step = NAME(get)(pstep + at), e = NAME(get)(pe + at) + step;
		for (long long i = 0; i < count; i++) {
			const modes_part *part = &parts[i];
			lane value = {0};
			if (part->index >= first && part->index < last) {
				const double *st = states + 4 * MODES_LANES * part->index + at;
				pair y = NAME(state)(st, 0), slope = NAME(state)(st, 1);
				double h = part->p.h, odd = part->up ? -1 : 1;
				value = y.u + step * slope.u;
				if (h > 0) {
					lane z = (e - part->p.q0) * (h * h), eta[9];
					NAME(etas)(eta, z, part->thick, p5, p6);
					matrix t = NAME(transfer)(&part->p, odd, eta, z, 0);
					value = t.a11 * value + t.a12 * (h * (y.s + step * slope.s));
				}
			}
			NAME(put)(u + MODES_LANES * i + at, &value);
		}
	}
}

#include "propagator_end.h"
