package reference

import (
	"context"
	"math"
	"testing"

	"oceaninv/inversion"
)

// jump is a standard normal in two dimensions, its density raised by e^height to
// the right of x = at: smooth but for a jump, as where a mode is cut off.
type jump struct {
	*gaussian
	at, height float64
}

func newJump(at, height float64) jump {
	return jump{bivariate([]float64{0, 0}, 1, 1, 0), at, height}
}

func (j jump) LogDensity(theta []float64) float64 {
	l := j.gaussian.LogDensity(theta)
	if theta[0] > j.at {
		l += j.height
	}
	return l
}

// moments are the evidence and the mean of x.
func (j jump) moments() (evidence, mean float64) {
	above := math.Erfc(j.at/math.Sqrt2) / 2
	evidence = 1 - above + above*math.Exp(j.height)
	mean = (math.Exp(j.height) - 1) * math.Exp(-j.at*j.at/2) / math.Sqrt(2*math.Pi) / evidence
	return evidence, mean
}

// A grid of a smooth target, polished with one that jumps, is a grid of the latter.
func TestPolishFindsTheExactPosterior(t *testing.T) {
	exact := newJump(0.3, 0.5)
	evidence, mean := exact.moments()
	g, err := NewGrid(context.Background(), exact.gaussian, []float64{-8, -8}, []float64{8, 8}, DefaultGridOptions())
	if err != nil {
		t.Fatal(err)
	}
	before := g.Deviation(exact, 500, inversion.Rand(1, inversion.DrawStream, 0))
	spent, err := g.Polish(context.Background(), exact, DefaultPolishOptions())
	if err != nil {
		t.Fatal(err)
	}
	after := g.Deviation(exact, 500, inversion.Rand(1, inversion.DrawStream, 0))
	if spent > DefaultPolishOptions().Solves || before.SD < 0.2 || after.SD > before.SD/3 {
		t.Errorf("%d evaluations took the deviation from %g to %g nat", spent, before.SD, after.SD)
	}
	near(t, "log evidence", g.LogEvidence, math.Log(evidence), 0.005)
	near(t, "mean", g.Mean()[0], mean, 0.005)
	near(t, "mean across", g.Mean()[1], 0, 0.002)
	var sum float64
	for i := range g.cells {
		sum += g.cells[i].mass
	}
	near(t, "mass", sum, 1, 1e-6) // cells without any are dropped
}

// Draws of a smooth target carried over to one that jumps are draws of the latter,
// and nearly all are kept, not copied.
func TestRefineThroughFindsTheExactPosterior(t *testing.T) {
	for _, height := range []float64{0.05, 0.5} {
		exact := newJump(0.3, height)
		evidence, mean := exact.moments()
		opt := DefaultRefineOptions()
		opt.Draws, opt.Workers = 20000, 2
		r, err := RefineThrough(context.Background(), approximate(20000, []float64{0.1, 0}, 1.1, 1.1, 0, 5),
			func() (inversion.Target, error) { return exact.gaussian, nil }, func() (inversion.Target, error) { return exact, nil }, opt)
		if err != nil {
			t.Fatal(err)
		}
		if r.Draws.N() != opt.Draws || r.Warning != "" || !(r.Correction > 0.9 && r.Correction < 1) {
			t.Errorf("%d draws, efficiency %g, warning %q", r.Draws.N(), r.Correction, r.Warning)
		}
		near(t, "mean", r.Draws.Summarize(0).Mean, mean, 0.035) // five standard errors
		near(t, "log evidence", r.Last.LogEvidence, math.Log(evidence), 0.03)
		for i := range r.Draws.N() {
			near(t, "log density", r.Draws.LogProb[i], exact.LogDensity(r.Draws.Row(i)), 1e-12)
		}
		if height == 0.05 {
			seen := map[float64]bool{}
			for i := range r.Draws.N() {
				seen[r.Draws.Row(i)[0]] = true
			}
			if copies := r.Draws.N() - len(seen); copies > 20 {
				t.Errorf("%d copies", copies)
			}
		}
	}
}

// A cheap target that is far off is told.
func TestRefineThroughWarnsOfABadInterpolant(t *testing.T) {
	opt := DefaultRefineOptions()
	opt.Workers = 1
	r, err := RefineThrough(context.Background(), approximate(1000, []float64{0, 0}, 1, 1, 0, 6),
		func() (inversion.Target, error) { return bivariate([]float64{0, 0}, 1, 1, 0), nil },
		func() (inversion.Target, error) { return bivariate([]float64{4, 0}, 0.3, 0.3, 0), nil }, opt)
	if err != nil || r.Warning == "" || r.Draws.N() != opt.Draws {
		t.Errorf("%v, warning %q", err, r.Warning)
	}
}
