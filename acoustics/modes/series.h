#ifndef OCEANINV_MODES_SERIES_H
#define OCEANINV_MODES_SERIES_H

// modes_series is a propagator's coefficients; Go's propagator has the same layout.
typedef struct {
	double h, q0, o[4], e[3], b[4], c[5];
} modes_series;

#endif
