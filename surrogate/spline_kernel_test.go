package surrogate

import (
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/surrogate/nn"
)

// The kernel that inverts many splines at once inverts what knots evaluates, in double precision and one by one: in the
// bins, in both tails, and whatever the number of elements.
func TestSplineKernelInvertsTheSpline(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, bins := range []int{2, 10} {
		per := 3*bins + 1
		for _, n := range []int{1, 15, 16, 17, 500} {
			value, y := make([]float32, n*per), make([]float32, n)
			for i := range value {
				switch at := i % per; {
				case at < 2:
					value[i] = float32(-4 + rng.NormFloat64())
				case at < 2+2*bins:
					value[i] = float32(0.1 + 1.9*rng.Float64())
				default:
					value[i] = float32(0.01 + 4*rng.Float64())
				}
			}
			for i := range y {
				y[i] = float32(-8 + 26*rng.Float64()*float64(bins)/10)
			}
			x, logSlope := make([]float32, n), make([]float32, n)
			if !nn.SplineInverse(x, logSlope, y, value, bins) {
				t.Skip("there is no kernel in pure Go")
			}
			p := &splinePass[float32]{s: &spline[float32]{bins: bins}, knots: newKnots(bins)}
			for i := range y {
				back, want := p.load(value[i*per : (i+1)*per]).eval(float64(x[i]))
				if math.Abs(back-float64(y[i])) > 5e-5 || math.Abs(want-float64(logSlope[i])) > 1e-3 {
					t.Errorf("%d bins, element %d of %d: y(x) = %g, want %g; log slope %g, want %g", bins, i, n, back, y[i], logSlope[i], want)
				}
			}
		}
	}
}
