#ifndef OCEANINV_MODES_ADJOINT_H
#define OCEANINV_MODES_ADJOINT_H

#include "series.h"

// How many parameters a cell has: q0, v1..v4, h and ln of the jump at its top;
// then, for the absorption alone, qi0 and vi1..vi4.
#define ADJOINT_CELL 12
// Of the part of a cell before a place: q0, v1..v4 and h.
#define ADJOINT_PART 6
// Of a half-space: density ratio, Re k2 and Im k2.
#define ADJOINT_BOUNDARY 3

// adjoint_cell is Go's adjointCell.
typedef struct {
	modes_series p;
	modes_series by[4]; // derivative of p along v1..v4
	modes_series loss; // along the absorption; only if lossy
	modes_series loss_by[4]; // both
	double qi0, vi[4];
	double jump; // √(density above/density here)
	long long interface, any, lossy; // any: |Z| may be large
} adjoint_cell;

// adjoint_part is Go's adjointPart: what lies between a cell's entrance and a place.
typedef struct {
	modes_series p;
	modes_series by[4];
	double root; // √ρ
	long long index, any; // of the cell
} adjoint_part;

// adjoint_boundary is Go's adjointBoundary: γ and its first two derivatives in E, of
// every lane.
typedef struct {
	double ratio; // ρ/ρ of the half-space
	long long reached;
	double g_re[8], g_im[8], ge_re[8], ge_im[8], gee_re[8], gee_im[8];
} adjoint_boundary;

// adjoint_batch is what one batch of modes is differentiated from.
typedef struct {
	long long cells, first, match, last, phones;
	double power, spreads; // of kr in a mode's factor; 1 for a point source
	double scale[8], kr_re[8], kr_im[8];
} adjoint_batch;

// ADJOINT_SCRATCH: per cell 40 lanes, per place 16, per phone 4 and 16.
#define ADJOINT_SCRATCH(cells, phones) (8 * (40 * ((cells) + 1) + 16 * ((phones) + 1) + 20 * (phones)))

// modes_adjoint adds the batch's derivatives of the pressure at each phone to
// sums: lanes apart, [..][phone][re, im][lane] for cells, places (source, phones; for
// either side of the match), boundaries (upper, lower) and the phones' ranges. scratch holds
// ADJOINT_SCRATCH(cells, phones) numbers.
void modes_adjoint(const adjoint_batch *batch, const adjoint_cell *cells, const adjoint_part *parts,
	const adjoint_boundary *boundaries, const double *e, const double *states, const double *down, const double *up,
	const double *weights, const double *ranges, double *scratch, double *cell_sums, double *place_sums,
	double *boundary_sums, double *range_sums, const double *p5, const double *p6);

// modes_reduce sums the lanes of n sums in place: sums[i] of sums[8 i .. 8 i + 7].
void modes_reduce(double *sums, long long n);

#endif
