#include "adjoint.h"
#include "sweep.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Numbers of scratch per lane: a cell's matrix (4), its parameters' forms (3 x 6),
// their kicks (2 x 6) and the forms of the jump at its entrance (3).
#define SCRATCH_CELL 37
#define FORM_A 4
#define FORM_E 10
#define FORM_X 16
#define KICK_U 22
#define KICK_S 28
#define JUMP 34

// ξ, η0 .. η7 at any Z, as etas.any and etas.raise in Go have them.
static void etas_any(double z, double *eta, long long stride, const double *p5, const double *p6)
{
	double f[9];
	if (fabs(z) <= 10) {
		double e5 = p5[9], e6 = p6[9];
		for (int i = 8; i >= 0; i--) {
			e5 = e5 * z + p5[i];
			e6 = e6 * z + p6[i];
		}
		f[7] = e6;
		f[6] = e5;
		for (int m = 4; m >= 0; m--)
			f[m + 1] = z * f[m + 3] + (2 * m + 3) * f[m + 2];
		f[0] = z * f[2] + f[1];
		f[8] = e6 / 15 * (1 - z / 255);
	} else {
		double root = sqrt(fabs(z));
		if (z < 0) {
			f[0] = cos(root);
			f[1] = sin(root) / root;
		} else {
			double up = exp(root), low = 1 / up;
			f[0] = 0.5 * (up + low);
			f[1] = 0.5 * (up - low) / root;
		}
		for (int m = 1; m <= 7; m++)
			f[m + 1] = (f[m - 1] - (2 * m - 1) * f[m]) / z;
	}
	for (int m = 0; m < 9; m++)
		eta[m * stride] = f[m];
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

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
