#ifndef OCEANINV_MODES_SWEEP_H
#define OCEANINV_MODES_SWEEP_H

#define MODES_LANES 8

// sweep_cell is a cell as the sweep needs it; Go's sweepCell has the same layout.
typedef struct {
	double h, h2, inverse, q0;
	double o[4], e[3], b[4], c[5];
	double jump; // √(density above/density here)
	long long doublings; // -1 for an ordinary cell
} sweep_cell;

// modes_sweep carries y (u, u' and their derivatives in E, of every lane) through
// count cells from cells[start] in steps of direction (+1, -1), stores the state
// entering cell c at states + 32 c, and adds the zeros of u to zeros. p5 and p6 are
// the coefficients of η5 and η6.
void modes_sweep(const sweep_cell *cells, long long start, long long count, long long direction,
	const double *e, double *y, double *states, long long *zeros, const double *p5, const double *p6);

#endif
