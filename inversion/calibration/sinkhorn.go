package calibration

import (
	"math"
	"slices"
)

// SinkhornLine is the debiased Sinkhorn divergence of two samples on the line with
// cost |x-y| (p = 1), ε = blur (Feydy et al., AISTATS 2019, eq 3):
//
//	S_ε(a, b) = OT_ε(a, b) - ½ OT_ε(a, a) - ½ OT_ε(b, b)
//
// with equal weights and ε falling from the diameter to blur by the factor scaling. It
// tends to the Wasserstein-1 distance as ε→0 and to half the energy distance as ε→∞. The kernel
// exp(-|x-y|/ε) of sorted points is summed by one sweep up and one down, so that an
// iteration takes time proportional to the number of points. The result is in the
// units of the samples.
func SinkhornLine(a, b []float64, blur, scaling float64) float64 {
	if len(a) == 0 || len(b) == 0 || !(blur > 0) || !(scaling > 0 && scaling < 1) {
		panic("calibration: a Sinkhorn divergence needs points, a positive blur and a scaling in (0, 1)")
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	diameter := max(a[len(a)-1], b[len(b)-1]) - min(a[0], b[0])
	s := sinkhornLine{a: a, b: b, ab: make([]float64, len(a)), ba: make([]float64, len(b)), aa: make([]float64, len(a)), bb: make([]float64, len(b))}
	s.iterate(max(diameter, blur), 0)
	for e := diameter; e > blur; e *= scaling {
		s.iterate(e, 0.5)
	}
	s.iterate(blur, 0.5)
	s.iterate(blur, 0)
	sum := 0.0
	for i := range a {
		sum += (s.ab[i] - s.aa[i]) / float64(len(a))
	}
	for j := range b {
		sum += (s.ba[j] - s.bb[j]) / float64(len(b))
	}
	return sum
}

// sinkhornLine holds the sorted points and the potentials of the three problems.
type sinkhornLine struct {
	a, b           []float64
	ab, ba, aa, bb []float64
}

// iterate makes each potential keep·potential + (1-keep)·softmin, all from the old
// ones.
func (s *sinkhornLine) iterate(eps, keep float64) {
	ab, ba := softminLine(s.a, s.b, s.ba, eps), softminLine(s.b, s.a, s.ab, eps)
	aa, bb := softminLine(s.a, s.a, s.aa, eps), softminLine(s.b, s.b, s.bb, eps)
	for _, p := range []struct{ old, fresh []float64 }{{s.ab, ab}, {s.ba, ba}, {s.aa, aa}, {s.bb, bb}} {
		for i, v := range p.fresh {
			p.old[i] = keep*p.old[i] + (1-keep)*v
		}
	}
}

// softminLine is -ε ln mean_j exp((g_j - |x_i - y_j|)/ε) at every x_i; both samples
// ascend.
func softminLine(x, y, g []float64, eps float64) []float64 {
	out := make([]float64, len(x))
	at, sum := 0.0, math.Inf(-1) // ln Σ over the y at or below, as seen from at
	j := 0
	for i, v := range x {
		for ; j < len(y) && y[j] <= v; j++ {
			sum, at = addLogs(sum-(y[j]-at)/eps, g[j]/eps), y[j]
		}
		out[i] = sum - (v-at)/eps
	}
	sum, j = math.Inf(-1), len(y)-1
	for i := len(x) - 1; i >= 0; i-- {
		for ; j >= 0 && y[j] > x[i]; j-- {
			sum, at = addLogs(sum-(at-y[j])/eps, g[j]/eps), y[j]
		}
		out[i] = -eps * (addLogs(out[i], sum-(at-x[i])/eps) - math.Log(float64(len(y))))
	}
	return out
}

// addLogs is ln(e^a + e^b).
func addLogs(a, b float64) float64 {
	if math.IsInf(a, -1) {
		return b
	}
	if b > a {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
