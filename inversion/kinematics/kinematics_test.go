package kinematics

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestForwardIsTheArmDrawnByHand(t *testing.T) {
	a, y := DefaultArm(), make([]float64, 2)
	for _, v := range []struct{ x, want []float64 }{
		{[]float64{0, 0, 0, 0}, []float64{2, 0}},
		{[]float64{0.3, 0, 0, 0}, []float64{2, 0.3}},
		{[]float64{0, math.Pi / 2, 0, 0}, []float64{0, 2}},
		{[]float64{-0.1, math.Pi / 2, -math.Pi / 2, math.Pi / 2}, []float64{0.5, 1.4}},
	} {
		a.Forward(y, v.x)
		if math.Hypot(y[0]-v.want[0], y[1]-v.want[1]) > 1e-15 {
			t.Errorf("the hand of %v is at %v, want %v", v.x, y, v.want)
		}
	}
}

// TestPosteriorIsThePlainRejectionSample holds the sampler to the definition:
// configurations from the prior whose hand falls into a small box about y.
func TestPosteriorIsThePlainRejectionSample(t *testing.T) {
	a, rng := DefaultArm(), rand.New(rand.NewPCG(1, 2))
	target, tolerance := []float64{1.6, 0.4}, 0.02
	const n = 1500
	draws, err := a.Posterior(n, target, tolerance, rng)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range a.Misses(draws, target) {
		if m > tolerance+1e-12 {
			t.Fatalf("draw %d misses by %v", i, m)
		}
	}
	plain := make([][]float64, a.Dim())
	x, y := make([]float64, a.Dim()), make([]float64, 2)
	for len(plain[0]) < n {
		a.Draw(x, rng)
		a.Forward(y, x)
		if math.Abs(y[0]-target[0]) < tolerance && math.Abs(y[1]-target[1]) < tolerance {
			for j, v := range x {
				plain[j] = append(plain[j], v)
			}
		}
	}
	for j := range plain {
		// Two-sample Kolmogorov-Smirnov: the critical value at level 1e-4 is 2.23 √(2/n).
		if d := kolmogorovSmirnov(draws.Column(j), plain[j]); d > 2.23*math.Sqrt(2.0/n) {
			t.Errorf("unknown %d: distribution functions differ by %.3f", j, d)
		}
	}
}

func kolmogorovSmirnov(a, b []float64) float64 {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	worst, j := 0.0, 0
	for i, v := range a {
		for j < len(b) && b[j] <= v {
			j++
		}
		worst = max(worst, math.Abs(float64(i+1)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return worst
}

func TestUnreachable(t *testing.T) {
	var far *UnreachableError
	if _, err := DefaultArm().Posterior(1, []float64{3, 0}, 0.01, rand.New(rand.NewPCG(1, 1))); !errors.As(err, &far) {
		t.Errorf("error %v for a hand beyond the arm's length", err)
	}
}

func TestValidate(t *testing.T) {
	for want, edit := range map[string]func(*Arm){
		"at least one": func(a *Arm) { a.Links = nil },
		"sigma: 3":     func(a *Arm) { a.Sigma = a.Sigma[1:] },
		"links[1]":     func(a *Arm) { a.Links[1] = -1 },
		"sigma[0]":     func(a *Arm) { a.Sigma[0] = math.NaN() },
	} {
		a := DefaultArm()
		edit(&a)
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
	if err := DefaultArm().Validate(); err != nil {
		t.Error(err)
	}
}
