package amortized

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oceaninv/inversion"
	"oceaninv/inversion/matchedfield"
	"oceaninv/surrogate"
)

// box is a two-parameter problem with a linear field over a box.
func box(t testing.TB) *inversion.Prior {
	t.Helper()
	p := inversion.DefaultProblem()
	p.Parameters = []inversion.Parameter{
		{Name: "range", Prior: inversion.Marginal{Kind: inversion.Uniform, Low: 2, High: 4}},
		{Name: "source_depth", Prior: inversion.Marginal{Kind: inversion.Uniform, Low: -3, High: 1}},
	}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	return prior
}

func field(dst []complex128, theta []float64) {
	dst[0] = complex(theta[0], 0.5*theta[1])
	dst[1] = complex(theta[0]-theta[1], 0.2*theta[0])
}

const noiseVariance = 0.3 // of each complex value

func table(t *testing.T, prior *inversion.Prior) *matchedfield.Table {
	t.Helper()
	v := noiseVariance / 2
	tab, err := matchedfield.Build(context.Background(), matchedfield.Lattice{
		Points: []int{60, 60}, Theta: prior.Quantile, Zeta: func(zeta, theta []float64) { Unbounded(prior, zeta, theta) },
	}, []float64{v, v, v, v}, 1, func() (matchedfield.Predictor, error) {
		p := make([]complex128, 2)
		return func(data, theta []float64) error {
			field(p, theta)
			inversion.Features(data, inversion.AbsoluteField, p, 2)
			return nil
		}, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// model is a Conditional with a randomly initialised flow: the identities below
// hold whatever its weights.
func model(t *testing.T, matched bool) *Conditional {
	t.Helper()
	return modelOf(t, box(t), matched)
}

func modelOf(t *testing.T, prior *inversion.Prior, matched bool) *Conditional {
	t.Helper()
	c := &Conditional{
		Prior: prior, Form: inversion.AbsoluteField, Receivers: 1, Tones: 2, Temperatures: []float64{1, 5},
		Zeta: surrogate.Standardizer{Mean: []float64{0.1, -0.2}, Scale: []float64{1.5, 0.7}},
	}
	if matched {
		c.Match = table(t, prior)
	}
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.CondDim, spec.Coupling, spec.Hidden, spec.InitGain = 2, c.ConditionSize(), "spline", 16, 0.5
	flow, err := surrogate.NewFlow[float64](spec)
	if err != nil {
		t.Fatal(err)
	}
	c.Flow = flow
	k := c.ConditionSize()
	c.Condition = surrogate.Standardizer{Mean: make([]float64, k), Scale: make([]float64, k)}
	for i := range c.Condition.Scale {
		c.Condition.Mean[i], c.Condition.Scale[i] = 0.3, 2
	}
	return c
}

func observation() []complex128 {
	y := make([]complex128, 2)
	field(y, []float64{2.7, -1.2})
	y[0] += complex(0.1, -0.2)
	return y
}

// The density is integrated in normal scores, where the mass that an untrained
// flow heaps up at the prior's edges is spread out.
func TestDensityIntegratesToOne(t *testing.T) {
	if testing.Short() {
		t.Skip("arithmetic of one goroutine: nothing for the race detector; run without -short")
	}
	for _, matched := range []bool{true, false} {
		c := model(t, matched)
		const n, reach = 200, 7.0
		theta, jac, dst := make([]float64, 2*n*n), make([]float64, n*n), make([]float64, n*n)
		for i := range n * n {
			zeta := []float64{reach * (2*(float64(i/n)+0.5)/n - 1), reach * (2*(float64(i%n)+0.5)/n - 1)}
			jac[i] = Bounded(c.Prior, theta[2*i:2*i+2], zeta)
		}
		if err := c.NewSession().LogDensity(dst, theta, observation()); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, l := range dst {
			sum += math.Exp(l+jac[i]) * (2 * reach / n) * (2 * reach / n)
		}
		if math.Abs(sum-1) > 2e-3 { // midpoint rule
			t.Errorf("matched field %v: the density integrates to %g", matched, sum)
		}
	}
}

func TestDrawsCarryTheirDensityAndStayInThePrior(t *testing.T) {
	for _, matched := range []bool{true, false} {
		c := model(t, matched)
		s := c.NewSession()
		draws, err := s.Sample(batch+300, observation(), rand.New(rand.NewPCG(4, 2)))
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float64, draws.N())
		if err := s.LogDensity(dst, draws.Theta, observation()); err != nil {
			t.Fatal(err)
		}
		for i := range dst {
			if !c.Prior.Inside(draws.Row(i)) {
				t.Fatalf("draw %v left the prior", draws.Row(i))
			}
			if math.Abs(dst[i]-draws.LogProb[i]) > 1e-3 { // draws are taken in single precision
				t.Fatalf("matched field %v: draw %d has log density %g, its evaluation %g", matched, i, draws.LogProb[i], dst[i])
			}
		}
	}
}

// Draws, and their densities to the bit, are the same on any number of cores.
func TestDrawsDoNotDependOnCores(t *testing.T) {
	for _, matched := range []bool{true, false} {
		c := model(t, matched)
		const n = 3*batch + 17
		var first *inversion.Draws
		for _, cores := range []int{1, 2, 3, 16} {
			draws, err := c.NewSampler(cores).Sample(n, observation(), rand.New(rand.NewPCG(4, 2)))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = draws
			}
			if !slices.Equal(draws.Theta, first.Theta) || !slices.Equal(draws.LogProb, first.LogProb) {
				t.Errorf("matched field %v: draws on %d cores differ from those on one", matched, cores)
			}
		}
	}
}

func TestDensityOutsideThePriorIsZero(t *testing.T) {
	dst := make([]float64, 2)
	if err := model(t, true).NewSession().LogDensity(dst, []float64{5, 0, 3, 0}, observation()); err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(dst[0], -1) || math.IsInf(dst[1], 0) {
		t.Errorf("log densities %v, want -Inf outside and finite inside", dst)
	}
}

func TestMisfitFlagsAForeignObservation(t *testing.T) {
	s := model(t, true).NewSession()
	at := func(y []complex128) float64 {
		if _, err := s.Sample(1, y, rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
		return s.Misfit()
	}
	if fits, foreign := at(observation()), at([]complex128{-30, 40i}); !(fits < 1.5) || !(foreign > 4) {
		t.Errorf("misfit %g of a fitting observation, %g of a foreign one", fits, foreign)
	}
}

func TestCoordinatesRoundTrip(t *testing.T) {
	prior := box(t)
	for _, theta := range [][]float64{{2.001, 0.99}, {3, -1}, {3.9999, -2.9999}} {
		zeta, back := make([]float64, 2), make([]float64, 2)
		Unbounded(prior, zeta, theta)
		logJac := Bounded(prior, back, zeta)
		numeric := 0.0
		for j := range theta {
			if math.Abs(back[j]-theta[j]) > 1e-9 {
				t.Fatalf("round trip %v, want %v", back, theta)
			}
			const h = 1e-5
			up, down := []float64{zeta[0], zeta[1]}, []float64{zeta[0], zeta[1]}
			up[j] += h
			down[j] -= h
			a, b := make([]float64, 2), make([]float64, 2)
			Bounded(prior, a, up)
			Bounded(prior, b, down)
			numeric += math.Log((a[j] - b[j]) / (2 * h))
		}
		if math.Abs(logJac-numeric) > 1e-6 {
			t.Errorf("log Jacobian %g, numerically %g", logJac, numeric)
		}
	}
}
