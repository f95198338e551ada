#include "sweep.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Lanes grown beyond this are scaled down, with the states stored before.
#define HUGE_STATE 1e100

static void rescale(double *y, double *states, long long from, long long to, long long direction, int width)
{
	for (int i = 0; i < width; i++) {
		double size = 0;
		for (int j = 0; j < 4; j++)
			size = fmax(size, fabs(y[j * MODES_LANES + i]));
		if (!(size > HUGE_STATE))
			continue;
		double f = 1 / size;
		for (int j = 0; j < 4; j++)
			y[j * MODES_LANES + i] *= f;
		for (long long c = from; c != to + direction; c += direction)
			for (int j = 0; j < 4; j++)
				states[4 * MODES_LANES * c + j * MODES_LANES + i] *= f;
	}
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#define WIDTH 2
#define NAME(x) JOIN(x, _2)
#include "sweep_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE 1

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define WIDTH 4
#define NAME(x) JOIN(x, _4)
#include "sweep_lanes.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,fma")
#define WIDTH 8
#define NAME(x) JOIN(x, _8)
#include "sweep_lanes.h"
#pragma GCC pop_options
#endif

void modes_sweep(const sweep_cell *cells, long long start, long long count, long long direction,
	const double *e, double *y, double *states, long long *zeros, const double *p5, const double *p6)
{
#ifdef WIDE
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
		sweep_8(cells, start, count, direction, e, y, states, zeros, p5, p6);
		return;
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		sweep_4(cells, start, count, direction, e, y, states, zeros, p5, p6);
		return;
	}
#endif
	sweep_2(cells, start, count, direction, e, y, states, zeros, p5, p6);
}
