#ifndef OCEANINV_MODES_PROPAGATOR_H
#define OCEANINV_MODES_PROPAGATOR_H

#include "series.h"
#include "sweep.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

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

#endif
