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
// How many numbers a sum has: two parts of [Re, Im], to be added up by modes_reduce.
#define ADJOINT_SUM 4

// adjoint_cell is Go's adjointCell.
typedef struct {
	modes_series p;
	modes_series by[4]; // derivative of p along v1..v4
	modes_series loss; // along the absorption; only if lossy
	modes_series loss_by[4]; // both; only if a direction changes v1..v4
	double qi0, vi[4];
	double jump; // √(density above/density here)
	long long interface, any, lossy; // any: |Z| may be large
	// Where in the sums each parameter's is; -1 if no direction changes it.
	long long slot[ADJOINT_CELL];
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

// adjoint_rough is Go's adjointRough: the scattering at a rough interface is
// pp u² + ps u s + ss s² of the state (u, s) that enters a cell there, over ∫u²; then the
// same differentiated in E at a held state. Complex: real parts first.
typedef struct {
	long long cell, up; // cell = match and not up: the state at the match from above
	double pp[2][8], ps[2][8], ss[2][8], ppe[2][8], pse[2][8], sse[2][8];
} adjoint_rough;

// adjoint_batch is what one batch of modes is differentiated from.
typedef struct {
	long long cells, first, match, last, phones, rough;
	double power, spreads; // of kr in a mode's factor; 1 for a point source
	double scale[8], kr_re[8], kr_im[8];
	double e[8], step[8]; // E, and its distance from that of the states
} adjoint_batch;

// ADJOINT_SCRATCH: lanes per cell, per place and per phone.
#define ADJOINT_SCRATCH(cells, phones) (8 * (44 * ((cells) + 1) + 16 * ((phones) + 1) + 22 * (phones)))

// modes_adjoint adds the batch's derivatives of the pressure at each phone to
// sums: [..][phone][ADJOINT_SUM] for the cells' parameters by slot, places (source, phones;
// for either side of the match), boundaries (upper, lower) and the phones' ranges. The
// states need be those at E to 1e-4 of the distance between modes only: they say where the
// sweeps start, which are repeated. scratch holds ADJOINT_SCRATCH(cells, phones) numbers.
void modes_adjoint(const adjoint_batch *batch, const adjoint_cell *cells, const adjoint_part *parts,
	const adjoint_boundary *boundaries, const adjoint_rough *rough, const double *states, const double *weights,
	const double *ranges, double *scratch, double *cell_sums, double *place_sums, double *boundary_sums, double *range_sums,
	const double *p5, const double *p6);

// modes_reduce adds up the parts of n sums in place: [Re, Im] number i to sums[2 i].
void modes_reduce(double *sums, long long n);

#endif
