package calibration

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sinkhornByDefinition is the same algorithm with every pair written out.
func sinkhornByDefinition(a, b []float64, blur, scaling float64) float64 {
	softmin := func(x, y, g []float64, eps float64) []float64 {
		out := make([]float64, len(x))
		for i := range x {
			s := 0.0
			for j := range y {
				s += math.Exp((g[j]-math.Abs(x[i]-y[j]))/eps) / float64(len(y))
			}
			out[i] = -eps * math.Log(s)
		}
		return out
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range append(append([]float64(nil), a...), b...) {
		low, high = min(low, v), max(high, v)
	}
	pot := [4][]float64{make([]float64, len(a)), make([]float64, len(b)), make([]float64, len(a)), make([]float64, len(b))}
	step := func(eps, keep float64) {
		fresh := [4][]float64{softmin(a, b, pot[1], eps), softmin(b, a, pot[0], eps), softmin(a, a, pot[2], eps), softmin(b, b, pot[3], eps)}
		for k := range pot {
			for i := range pot[k] {
				pot[k][i] = keep*pot[k][i] + (1-keep)*fresh[k][i]
			}
		}
	}
	step(high-low, 0)
	for e := high - low; e > blur; e *= scaling {
		step(e, 0.5)
	}
	step(blur, 0.5)
	step(blur, 0)
	return Mean(pot[0]).Value + Mean(pot[1]).Value - Mean(pot[2]).Value - Mean(pot[3]).Value
}

func TestSinkhornLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float64, 40), make([]float64, 55)
	for i := range a {
		a[i] = rng.NormFloat64()
	}
	for j := range b {
		b[j] = 2 + 3*rng.NormFloat64()
	}
	b[3], b[4] = b[2], a[7] // ties
	for _, blur := range []float64{0.1, 1, 10} {
		got, want := SinkhornLine(a, b, blur, 0.7), sinkhornByDefinition(a, b, blur, 0.7)
		if math.Abs(got-want) > 1e-10*(1+want) {
			t.Errorf("blur %g: %.12g, by definition %.12g", blur, got, want)
		}
	}
	if got, want := SinkhornLine(a, b, 1e-3, 0.999), Wasserstein1(a, nil, b, nil); math.Abs(got-want) > 2e-3*want {
		t.Errorf("small blur: %g, Wasserstein-1 %g", got, want)
	}
	// As ε→∞ the plans are uniform: half the energy distance.
	mean := func(x, y []float64) (s float64) {
		for _, v := range x {
			for _, w := range y {
				s += math.Abs(v-w) / float64(len(x)*len(y))
			}
		}
		return s
	}
	if got, want := SinkhornLine(a, b, 1e5, 0.5), mean(a, b)-mean(a, a)/2-mean(b, b)/2; math.Abs(got-want) > 2e-3*want {
		t.Errorf("large blur: %g, half the energy distance %g", got, want)
	}
	if got := SinkhornLine(a, a, 0.01, 0.5); math.Abs(got) > 1e-12 {
		t.Errorf("of a sample with itself: %g", got)
	}
}
