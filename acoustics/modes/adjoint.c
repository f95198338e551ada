#include "adjoint.h"
#include "propagator.h"

// Numbers of scratch per lane: a cell's matrix (4), its parameters' forms (3 x 6),
// their kicks (2 x 6), the forms of the jump at its entrance and the determinant (3
// each), the state that enters (4).
#define SCRATCH_CELL 44
#define FORM_A 4
#define FORM_E 10
#define FORM_X 16
#define KICK_U 22
#define KICK_S 28
#define JUMP 34
#define DETERMINANT 37
#define STATE 40

// Stored states smaller than this have lost digits on the way from a distant boundary.
#define TINY_STATE 1e-250

// problem is what the functions of all widths share.
typedef struct {
	const adjoint_batch *b;
	const adjoint_cell *cells;
	const adjoint_rough *rough;
	const double *states, *weights, *ranges;
	double *scratch, *cell_sums, *place_sums, *boundary_sums, *range_sums;
	const double *p5, *p6;
} problem;

#define WIDTH 2
#define NAME(x) JOIN(x, _2)
#include "adjoint_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE 1

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define WIDTH 4
#define NAME(x) JOIN(x, _4)
#include "adjoint_lanes.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,fma")
#define WIDTH 8
#define NAME(x) JOIN(x, _8)
#include "adjoint_lanes.h"
#pragma GCC pop_options
#endif

void modes_adjoint(const adjoint_batch *batch, const adjoint_cell *cells, const adjoint_part *parts,
	const adjoint_boundary *boundaries, const adjoint_rough *rough, const double *states, const double *weights,
	const double *ranges, double *scratch, double *cell_sums, double *place_sums, double *boundary_sums, double *range_sums,
	const double *p5, const double *p6)
{
	problem q = {.b = batch, .cells = cells, .rough = rough, .states = states, .weights = weights, .ranges = ranges,
		.scratch = scratch, .cell_sums = cell_sums, .place_sums = place_sums, .boundary_sums = boundary_sums, .range_sums = range_sums,
		.p5 = p5, .p6 = p6};
#ifdef WIDE
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
		adjoint_8(&q, parts, boundaries);
		return;
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		adjoint_4(&q, parts, boundaries);
		return;
	}
#endif
	adjoint_2(&q, parts, boundaries);
}

void modes_reduce(double *sums, long long n)
{
	for (long long i = 0; i < n; i++) {
		const double *s = sums + ADJOINT_SUM * i;
		double re = s[0] + s[2], im = s[1] + s[3];
		sums[2 * i] = re;
		sums[2 * i + 1] = im;
	}
}
