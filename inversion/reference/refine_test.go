package reference

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/inversion"
)

func TestSmoothKnowsTheTail(t *testing.T) {
	// Weights u^-k, u uniform, are Pareto of index k.
	for _, k := range []float64{0.2, 0.5, 0.9, 1.3} {
		rng := rand.New(rand.NewPCG(1, 2))
		w := make([]float64, 50000)
		for i := range w {
			w[i] = -k * math.Log(rng.Float64())
		}
		near(t, "tail index", Smooth(w).KHat, k, 0.13)
	}
}

func TestSmoothKnowsTheEvidence(t *testing.T) {
	// Weights of a standard normal target under a normal proposal s wide.
	for _, c := range []struct {
		s        float64
		reliable bool
	}{{1.5, true}, {1, true}, {0.9, true}, {0.25, false}} {
		rng := rand.New(rand.NewPCG(1, 2))
		w := make([]float64, 20000)
		for i := range w {
			x := c.s * rng.NormFloat64()
			w[i] = -x*x/2 + x*x/(2*c.s*c.s) + math.Log(c.s)
		}
		sum := Smooth(w)
		if (sum.KHat < KHatLimit) != c.reliable {
			t.Errorf("proposal %.2f wide: k-hat %.2f", c.s, sum.KHat)
		}
		if c.reliable {
			near(t, "log evidence", sum.LogEvidence, 0, 4*sum.LogEvidenceError+1e-9)
		}
	}
}

func TestSmoothEdges(t *testing.T) {
	equal := make([]float64, 100)
	if s := Smooth(equal); s.EffectiveSize != 100 || s.KHat > KHatLimit {
		t.Errorf("equal weights: %+v", s)
	}
	none := []float64{math.Inf(-1), math.Inf(-1)}
	if s := Smooth(none); s.EffectiveSize != 0 || !math.IsInf(s.KHat, 1) {
		t.Errorf("zero weights: %+v", s)
	}
}

// approximate draws from a normal beside the exact one, with its density.
func approximate(n int, mean []float64, s1, s2, rho float64, seed uint64) *inversion.Draws {
	rng := rand.New(rand.NewPCG(seed, 3))
	p := bivariate(mean, s1, s2, rho)
	d := inversion.NewDraws(n, 2)
	d.LogProb = make([]float64, n)
	for i := range n {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		row := d.Row(i)
		row[0], row[1] = mean[0]+s1*a, mean[1]+s2*(rho*a+math.Sqrt(1-rho*rho)*b)
		d.LogProb[i] = p.LogDensity(row)
	}
	return d
}

func TestRefineFindsThePosterior(t *testing.T) {
	exact := bivariate([]float64{216.5, 1572.4}, 0.05, 2, 0.8)
	for _, c := range []struct {
		name    string
		draws   *inversion.Draws
		density bool
	}{
		{"close", approximate(4000, []float64{216.52, 1572}, 0.06, 2.4, 0.7, 1), true},
		{"narrow", approximate(4000, []float64{216.52, 1573}, 0.02, 0.8, 0.8, 2), true},
		{"wide", approximate(4000, []float64{216, 1570}, 2, 12, 0, 3), true},
		{"beside", approximate(4000, []float64{216.8, 1580}, 0.06, 2, 0, 4), true},
		{"without a density", approximate(4000, []float64{216.6, 1574}, 0.1, 3, 0, 5), false},
	} {
		if !c.density {
			c.draws.LogProb = nil
		}
		r, err := Refine(context.Background(), c.draws, func() (inversion.Target, error) { return exact, nil }, DefaultRefineOptions())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: first k-hat %.2f efficiency %.4f; %d rounds, last %.2f %.3f, ln Z %.4f ± %.4f, acceptance %.2f, %d evaluations %s", c.name,
			r.First.KHat, r.First.Efficiency, r.Rounds, r.Last.KHat, r.Last.Efficiency, r.Last.LogEvidence, r.Last.LogEvidenceError, r.Acceptance, r.Evaluations, r.Warning)
		if r.Warning != "" {
			t.Errorf("%s: %s", c.name, r.Warning)
		}
		if r.Draws.N() != 1000 {
			t.Fatalf("%s: %d draws", c.name, r.Draws.N())
		}
		near(t, c.name+": log evidence", r.Last.LogEvidence, 0, 5*r.Last.LogEvidenceError+0.01)
		for j, want := range [][2]float64{{216.5, 0.05}, {1572.4, 2}} {
			s := r.Draws.Summarize(j)
			near(t, c.name+": mean", s.Mean, want[0], 0.15*want[1])
			near(t, c.name+": sd", s.SD, want[1], 0.12*want[1])
		}
	}
}

func TestRefineWarnsWhenItCannot(t *testing.T) {
	// The posterior is far outside the draws: either found, or a warning.
	exact := bivariate([]float64{0, 0}, 1e-3, 1e-3, 0)
	opt := DefaultRefineOptions()
	opt.Rounds = 1
	r, err := Refine(context.Background(), approximate(200, []float64{30, -20}, 0.5, 0.5, 0, 1), func() (inversion.Target, error) { return exact, nil }, opt)
	if err != nil {
		t.Fatal(err)
	}
	if r.Warning == "" {
		t.Errorf("no warning: %+v", r.Last)
	}
}

func TestRefineDoesNotDependOnWorkers(t *testing.T) {
	exact := bivariate([]float64{0, 0}, 1, 1, 0.5)
	var first *Refined
	for _, n := range []int{1, 3} {
		opt := DefaultRefineOptions()
		opt.Workers, opt.Draws = n, 100
		r, err := Refine(context.Background(), approximate(300, []float64{1, 1}, 2, 2, 0, 7), func() (inversion.Target, error) { return exact, nil }, opt)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
			continue
		}
		for i, v := range r.Draws.Theta {
			if v != first.Draws.Theta[i] {
				t.Fatal("refined draws depend on the number of workers")
			}
		}
	}
}

// TestGridAgainstTemper: two roads to the same posterior of a realistic field.
func TestGridAgainstTemper(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector; run without -short")
	}
	noise := toyNoise()
	it, err := NewInterpolant(context.Background(), newToyGuide, toyPrior(), toyScale(noise), DefaultInterpolantOptions())
	if err != nil {
		t.Fatal(err)
	}
	data := toyData(noise, []float64{216.5, 1572.4}, 3)
	newTarget := func() *inversion.PosteriorTarget {
		return inversion.NewPosteriorTarget(toyPrior(), it.NewForward(), inversion.NewLikelihood(inversion.KnownSource, noise), data)
	}
	low, high := it.Bounds()
	opt := DefaultGridOptions()
	opt.Cells = it.Cells()
	g, err := NewGrid(context.Background(), newTarget(), low, high, opt)
	if err != nil {
		t.Fatal(err)
	}
	topt := DefaultTemperOptions()
	topt.BurnIn, topt.Steps, topt.Walkers, topt.Temperatures = 300, 500, 16, 14
	c, err := Temper(context.Background(), func() (inversion.Tempered, error) { return newTarget(), nil }, toyPrior().Sample, topt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("R-hat %v, sizes %v, acceptance %.2f, swaps %.2v, ln Z %.3f ± %.3f against %.3f", c.RHat, c.EffectiveSize, c.Acceptance, c.Swaps, c.LogEvidence, c.LogEvidenceError, g.LogEvidence)
	near(t, "log evidence", c.LogEvidence, g.LogEvidence, 4*c.LogEvidenceError+0.05)
	draws := c.Draws()
	for j, sd := range g.SD() {
		m := g.Marginal(j)
		for _, p := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
			x := m.Quantile(p)
			var below float64
			for _, v := range draws.Column(j) {
				if v <= x {
					below += 1 / float64(draws.N())
				}
			}
			near(t, "probability of a quantile of the grid", below, p, 5*math.Sqrt(p*(1-p)/c.EffectiveSize[j])+1e-3)
		}
		near(t, "mean", draws.Summarize(j).Mean, g.Mean()[j], 5*sd/math.Sqrt(c.EffectiveSize[j]))
	}
}
