#include "integrals.h"
#include "propagator.h"

#define WIDTH 2
#define NAME(x) JOIN(x, _2)
#include "integrals_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE 1

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define WIDTH 4
#define NAME(x) JOIN(x, _4)
#include "integrals_lanes.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,fma")
#define WIDTH 8
#define NAME(x) JOIN(x, _8)
#include "integrals_lanes.h"
#pragma GCC pop_options
#endif

// The widest registers of this processor, in lanes.
static int width(void)
{
#ifdef WIDE
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return 8;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return 4;
#endif
	return 2;
}

#ifdef WIDE
#define DISPATCH(function, ...) \
	switch (width()) { \
	case 8: function##_8(__VA_ARGS__); break; \
	case 4: function##_4(__VA_ARGS__); break; \
	default: function##_2(__VA_ARGS__); \
	}
#else
#define DISPATCH(function, ...) function##_2(__VA_ARGS__);
#endif

void modes_integrate(const modes_weight *weights, long long count, long long first, long long match, long long last,
	const double *e, const double *states, const double *above, const double *below, double *sum,
	const double *p5, const double *p6)
{
	DISPATCH(integrate, weights, count, first, match, last, e, states, above, below, sum, p5, p6)
}

void modes_shape(const modes_part *parts, long long count, long long first, long long last, const double *e,
	const double *step, const double *states, double *u, const double *p5, const double *p6)
{
	DISPATCH(shape, parts, count, first, last, e, step, states, u, p5, p6)
}
