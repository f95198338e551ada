#include "adjoint.h"
#include "propagator.h"

// Numbers of scratch per lane: a cell's matrix (4), its parameters' forms (3 x 6),
// their kicks (2 x 6), the forms of the jump at its entrance and the determinant (3
// each).
#define SCRATCH_CELL 40
#define FORM_A 4
#define FORM_E 10
#define FORM_X 16
#define KICK_U 22
#define KICK_S 28
#define JUMP 34
#define DETERMINANT 37

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
	const adjoint_boundary *boundaries, const double *e, const double *states, const double *down, const double *up,
	const double *weights, const double *ranges, double *scratch, double *cell_sums, double *place_sums,
	double *boundary_sums, double *range_sums, const double *p5, const double *p6)
{
#define ARGUMENTS batch, cells, parts, boundaries, e, states, down, up, weights, ranges, scratch, cell_sums, place_sums, boundary_sums, range_sums, p5, p6
#ifdef WIDE
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
		adjoint_8(ARGUMENTS);
		return;
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		adjoint_4(ARGUMENTS);
		return;
	}
#endif
	adjoint_2(ARGUMENTS);
}

void modes_reduce(double *sums, long long n)
{
	for (long long i = 0; i < n; i++) {
		const double *s = sums + MODES_LANES * i;
		double sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
		sums[i] = sum;
	}
}
