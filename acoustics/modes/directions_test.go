package modes

import (
	"slices"
	"sync"
	"testing"

	"oceaninv/acoustics"
)

// layeredCase is an ocean whose sediment has three knots joined by a rule.
func layeredCase(t *testing.T, kind acoustics.Interpolation) (*krakenCase, Case) {
	c := *krakenCases(t)["swellex_nominal_148hz"]
	c.Environment = c.Environment.Clone()
	l := &c.Environment.Layers[0]
	first, last := l.Knots[0], l.Knots[len(l.Knots)-1]
	middle := first
	middle.Depth, middle.SoundSpeed = 0.3*l.Thickness, last.SoundSpeed-2
	l.Knots, l.Interpolation = []acoustics.Knot{first, middle, last}, kind
	return &c, Case{&c.Environment, acoustics.Source{Depth: 60}, acoustics.ReceiverArray{Depths: []float64{20, 94.125, 116.62}, Range: 3000}}
}

// Between knots that a curve joins, a speed matters beyond its neighbours.
func TestJacobianByKnotsOfALayer(t *testing.T) {
	for _, kind := range []acoustics.Interpolation{acoustics.CLinear, acoustics.N2Linear, acoustics.PCHIP, acoustics.Spline} {
		c, at := layeredCase(t, kind)
		for i := range 3 {
			e := edit{"", 1e-3, 2e-2, func(c *Case, x float64) { c.Environment.Layers[0].Knots[i].SoundSpeed += x }}
			t.Run(string(kind), func(t *testing.T) { checkDerivative(t, c, at, e) })
		}
	}
}

// Solvers share directions, and what belonged to directions that are set anew is refused.
func TestDirectionsAreShared(t *testing.T) {
	c, at := layeredCase(t, acoustics.CLinear)
	d := directionsOf(t, at, randomDirections(at)...)
	jacobian := func() ([]complex128, *Solver) {
		s, err := NewSolver(c.options())
		if err != nil {
			t.Error(err)
			return nil, nil
		}
		p, jac := make([]complex128, 3), make([]complex128, 3*d.Len())
		if _, err := s.Jacobian(p, jac, d, c.Frequency); err != nil {
			t.Error(err)
		}
		return jac, s
	}
	want, solver := jacobian()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if got, _ := jacobian(); !slices.Equal(got, want) {
				t.Error("beside other solvers, another derivative")
			}
		})
	}
	group.Wait()
	if err := d.Set(at, randomDirections(at)[:1]); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a derivative along directions that have been set anew was not refused")
		}
	}()
	solver.WavenumberDerivative(0, 0)
}
