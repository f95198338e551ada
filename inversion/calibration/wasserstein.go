package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"oceaninv/inversion"
)

// Wasserstein1 is the exact 1-Wasserstein distance of two samples of one
// parameter, ∫|F_a - F_b| dx, in its unit. Weights may be nil for equal ones; they
// are taken relative to their sum. a and b need not have the same length.
func Wasserstein1(a, wa, b, wb []float64) float64 {
	fa, fb := sortedWeighted(a, wa), sortedWeighted(b, wb)
	var area, pa, pb float64
	i, j := 0, 0
	x := math.Min(fa[0].x, fb[0].x)
	for i < len(fa) || j < len(fb) {
		next := math.Inf(1)
		if i < len(fa) {
			next = fa[i].x
		}
		if j < len(fb) {
			next = math.Min(next, fb[j].x)
		}
		area += math.Abs(pa-pb) * (next - x)
		x = next
		for i < len(fa) && fa[i].x == x {
			pa += fa[i].w
			i++
		}
		for j < len(fb) && fb[j].x == x {
			pb += fb[j].w
			j++
		}
	}
	return area
}

// Wasserstein1CDF is the exact 1-Wasserstein distance of a sample to a
// distribution given by its CDF, ∫|F_n - F| dx, over [low, high], outside of which
// both are taken to be constant. The integral between two neighbouring draws uses
// steps points of the midpoint rule, so that its error is that of the CDF's
// curvature over such a step.
func Wasserstein1CDF(draws, weights []float64, cdf func(float64) float64, low, high float64, steps int) float64 {
	f := sortedWeighted(draws, weights)
	var area, p float64
	x := math.Min(low, f[0].x)
	stretch := func(to float64) {
		n := max(steps, int(math.Ceil(1000*(to-x)/(high-low))))
		h := (to - x) / float64(n)
		for k := range n {
			area += h * math.Abs(p-cdf(x+(float64(k)+0.5)*h))
		}
		x = to
	}
	for _, d := range f {
		if d.x > x {
			stretch(d.x)
		}
		p += d.w
	}
	if high > x {
		stretch(high)
	}
	return area
}

type weighted struct{ x, w float64 }

func sortedWeighted(x, w []float64) []weighted {
	if len(x) == 0 || (w != nil && len(w) != len(x)) {
		panic(fmt.Sprintf("calibration: %d draws with %d weights", len(x), len(w)))
	}
	out := make([]weighted, len(x))
	var sum float64
	for i, v := range x {
		out[i] = weighted{v, 1}
		if w != nil {
			out[i].w = w[i]
		}
		sum += out[i].w
	}
	for i := range out {
		out[i].w /= sum
	}
	slices.SortFunc(out, func(a, b weighted) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
	return out
}

// WassersteinNoise is the 1-Wasserstein distance expected of n independent draws to
// their own distribution, ∫√(2F(1-F)/(πn)) dx: the Monte-Carlo floor below which a
// distance of n draws says nothing. The CDF is given at increasing points xs.
func WassersteinNoise(xs, cdf []float64, n int) float64 {
	var area float64
	for i := 1; i < len(xs); i++ {
		p := (cdf[i] + cdf[i-1]) / 2
		area += (xs[i] - xs[i-1]) * math.Sqrt(2*p*(1-p)/(math.Pi*float64(n)))
	}
	return area
}

// SlicedWasserstein is the sliced Wasserstein distance of two samples in their
// first D parameters, each divided by scale: the root mean square (for order 2) or
// mean (order 1) over directions, drawn uniformly from the seed, of the
// one-dimensional distance of the projections (Bonneel et al., J. Math. Imaging
// Vis. 51, 22-45 (2015)). The standard error is that over directions.
func SlicedWasserstein(a, b *inversion.Draws, scale []float64, order, directions int, seed uint64) Estimate {
	checkPair(a, b, scale)
	if order != 1 && order != 2 {
		panic(fmt.Sprintf("calibration: sliced Wasserstein distance of order %d", order))
	}
	rng := inversion.Rand(seed, inversion.DrawStream, 0)
	values := make([]float64, directions)
	u := make([]float64, a.D)
	for k := range values {
		direction(u, rng)
		pa, pb := project(a, u, scale), project(b, u, scale)
		values[k] = wassersteinPower(pa, a.Weights(), pb, b.Weights(), order)
	}
	e := Mean(values)
	if order == 2 {
		root := math.Sqrt(e.Value)
		e = Estimate{Value: root, StdError: e.StdError / (2 * root)}
	}
	return e
}

func direction(u []float64, rng *rand.Rand) {
	var norm float64
	for j := range u {
		u[j] = rng.NormFloat64()
		norm += u[j] * u[j]
	}
	for j := range u {
		u[j] /= math.Sqrt(norm)
	}
}

func project(s *inversion.Draws, u, scale []float64) []float64 {
	out := make([]float64, s.N())
	for i := range out {
		for j, v := range s.Row(i) {
			out[i] += u[j] * v / scale[j]
		}
	}
	return out
}

// wassersteinPower is W_p^p in one dimension: ∫|F_a⁻¹ - F_b⁻¹|^p du.
func wassersteinPower(a, wa, b, wb []float64, order int) float64 {
	fa, fb := sortedWeighted(a, wa), sortedWeighted(b, wb)
	var sum, u float64
	i, j := 0, 0
	ua, ub := fa[0].w, fb[0].w
	for {
		next := math.Min(ua, ub)
		sum += (next - u) * math.Pow(math.Abs(fa[i].x-fb[j].x), float64(order))
		u = next
		endA, endB := i == len(fa)-1, j == len(fb)-1
		if endA && endB {
			return sum
		}
		if !endA && (ua <= ub || endB) {
			i++
			ua += fa[i].w
		} else {
			j++
			ub += fb[j].w
		}
	}
}

func checkPair(a, b *inversion.Draws, scale []float64) {
	if a.D != b.D || len(scale) != a.D || a.N() == 0 || b.N() == 0 {
		panic(fmt.Sprintf("calibration: %d draws of %d parameters against %d of %d, scaled by %d", a.N(), a.D, b.N(), b.D, len(scale)))
	}
}
