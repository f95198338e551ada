package train

import (
	"math"
	"testing"
)

// TestTotalVariationBounds integrates the divergences of pairs of normal laws and
// holds each bound to the total variation itself.
func TestTotalVariationBounds(t *testing.T) {
	for _, shift := range []float64{0.01, 0.3, 1, 3} {
		for _, d := range []Divergence{KLD, RKL, CHI, SQH, JSD, GAN} {
			value, tv := 0.0, 0.0
			const h = 1e-3
			for x := -9.0; x < 12; x += h {
				p, q := math.Exp(-(x-shift)*(x-shift)/2)/math.Sqrt(2*math.Pi), math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
				v := d.Optimum(math.Log(p / q))
				g, _ := d.Real(v)
				conjugate, _ := d.Fake(v)
				value += h * (p*g - q*conjugate)
				tv += h * math.Abs(p-q) / 2
			}
			if bound := d.TotalVariation(value); !(bound >= tv-1e-6) {
				t.Errorf("%v at shift %v: bound %.6f below the total variation %.6f", d, shift, bound, tv)
			}
		}
	}
}

// TestRightSide follows the formula by hand.
func TestRightSide(t *testing.T) {
	g := Guarantee{Divergence: "jsd", SupervisedError: 0.5, Observed: 4, Bound: 0.04, StrongBound: 0.0625, InverseLipschitz: 2, Order: 2, OutputMoment: 9, BaseMoment: 16}
	got, err := g.RightSide()
	if want := 2 * (2*0.5 + 7*math.Sqrt(0.25)); err != nil || math.Abs(got-want) > 1e-12 {
		t.Errorf("right side %v (%v), want %v", got, err, want)
	}
}
