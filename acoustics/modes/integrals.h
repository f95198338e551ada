#ifndef OCEANINV_MODES_INTEGRALS_H
#define OCEANINV_MODES_INTEGRALS_H

#include "series.h"

// modes_weight is a function's moments over a cell, Go's weight: along is the
// derivative of the propagator p along them.
typedef struct {
	modes_series p, along;
	long long index, thick; // of the cell; whether |Z| may be large
} modes_weight;

// modes_part is what lies between a cell's entrance and a depth, Go's part.
typedef struct {
	modes_series p;
	long long index, thick, up; // up: entered from below
} modes_part;

// modes_integrate adds ∫ g u² over the cells of the weights to sum, for the modes
// of a batch whose sweeps meet at cell match and reach cells first .. last - 1.
void modes_integrate(const modes_weight *weights, long long count, long long first, long long match, long long last,
	const double *e, const double *states, const double *above, const double *below, double *sum,
	const double *p5, const double *p6);

// modes_shape sets u[8 i ..] to a batch's solution behind part i, at E + step to
// first order.
void modes_shape(const modes_part *parts, long long count, long long first, long long last, const double *e,
	const double *step, const double *states, double *u, const double *p5, const double *p6);

#endif
