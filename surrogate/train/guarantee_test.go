package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/surrogate"
)

// An identity network on data that already has the base's law: nothing to tell apart, no expansion.
func TestGuaranteeOfAPerfectNetwork(t *testing.T) {
	sim := func(seed uint64, shift float32) *Simulator[float32] {
		return &Simulator[float32]{Rows: 4096, NX: 2, Seed: seed, Draw: func(g *rand.Rand, x, _ []float32) error {
			x[0], x[1] = float32(g.NormFloat64())+shift, float32(g.NormFloat64())
			return nil
		}}
	}
	f := testFlow[float32](t, 2, 0, func(s *surrogate.FlowSpec) { s.ZeroLast = true })
	o := DefaultGuarantee()
	o.Rows, o.Steps, o.Points, o.StrongHidden, o.StrongLayers = 4096, 150, 8, 64, 2
	g, err := Measure[float32](t.Context(), f, sim(1, 0), sim(2, 0), o)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(g.Bound) > 0.02 || math.Abs(g.StrongBound) > 0.03 {
		t.Errorf("bounds %v and %v of equal laws", g.Bound, g.StrongBound)
	}
	if math.Abs(g.Lipschitz-1) > 1e-6 || math.Abs(g.InverseLipschitz-1) > 1e-6 {
		t.Errorf("expansions %v and %v of an isometry", g.Lipschitz, g.InverseLipschitz)
	}
	for _, v := range []float64{g.InputMoment, g.OutputMoment, g.BaseMoment} {
		if math.Abs(v-2) > 0.15 { // E‖z‖² in two dimensions
			t.Errorf("second moment %v, want 2", v)
		}
	}
	// Shifted by one deviation: twice the Jensen-Shannon divergence of N(0,1) and N(1,1) is 0.2219.
	if g, err = Measure[float32](t.Context(), f, sim(3, 1), sim(4, 1), o); err != nil {
		t.Fatal(err)
	}
	for _, b := range []float64{g.Bound, g.StrongBound} {
		if math.Abs(b-shiftedJSD()) > 0.03 {
			t.Errorf("bound %v, divergence %v", b, shiftedJSD())
		}
	}
	o.Order = 1
	var oe *OptionError
	if _, err := Measure[float32](t.Context(), f, sim(1, 0), sim(2, 0), o); !errors.As(err, &oe) || oe.Path != "order" {
		t.Error(err)
	}
}

// shiftedJSD integrates JSD's f-divergence between N(0,1) and N(1,1).
func shiftedJSD() float64 {
	s := 0.0
	for x := -12.0; x < 13; x += 1e-3 {
		p, q := math.Exp(-x*x/2)/math.Sqrt(2*math.Pi), math.Exp(-(x-1)*(x-1)/2)/math.Sqrt(2*math.Pi)
		s += 1e-3 * (p*math.Log(2*p/(p+q)) + q*math.Log(2*q/(p+q)))
	}
	return s
}

// The constants of a network that is not an isometry.
func TestExpansionOfAnINN(t *testing.T) {
	f := testFlow[float32](t, 4, 0, nil)
	data := linearData[float32](300, 1)
	o := DefaultGuarantee()
	o.Steps, o.StrongHidden, o.Points = 20, 16, 5
	g, err := Measure[float32](t.Context(), f, data, data, o)
	if err != nil {
		t.Fatal(err)
	}
	// T∘T⁻¹ is the identity, so at any point the norms of the two Jacobians multiply to at least 1.
	if g.Lipschitz*g.InverseLipschitz < 1 {
		t.Errorf("constants %v and %v", g.Lipschitz, g.InverseLipschitz)
	}
	if !(g.SupervisedError > 0) || g.Rows != 300 {
		t.Errorf("%+v", g)
	}
}
