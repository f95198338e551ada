package generative

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLaws holds the draws to their distribution functions: the critical value of
// Kolmogorov and Smirnov at level 1e-6 is 2.69/√n.
func TestLaws(t *testing.T) {
	const n = 20000
	for _, c := range []struct {
		law Law
		cdf func(x float64) float64
	}{
		{Law{Kind: "uniform", Low: -1, High: 3}, func(x float64) float64 { return (x + 1) / 4 }},
		{Law{Kind: "pareto", Alpha: 1}, func(x float64) float64 { return 1 - 1/x }},
		{Law{Kind: "pareto", Alpha: 7}, func(x float64) float64 { return 1 - math.Pow(x, -7) }},
		{Law{Kind: "normal"}, func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }},
	} {
		x := make([]float64, n)
		c.law.Draw(x, rand.New(rand.NewPCG(1, 1)))
		slices.Sort(x)
		worst := 0.0
		for i, v := range x {
			worst = max(worst, math.Abs(c.cdf(v)-float64(i)/n), math.Abs(c.cdf(v)-float64(i+1)/n))
		}
		if worst > 2.69/math.Sqrt(n) {
			t.Errorf("%+v: distribution functions differ by %.4f", c.law, worst)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		law   Law
		field string
	}{
		{Law{Kind: "cauchy"}, "distribution"}, {Law{Kind: "uniform", Low: 1, High: 1}, "high"},
		{Law{Kind: "pareto"}, "alpha"}, {Law{Kind: "pareto", Alpha: math.NaN()}, "alpha"},
	} {
		var e *Error
		if err := c.law.Validate(); !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%+v: %v, want a mistake in %s", c.law, err, c.field)
		}
	}
}
