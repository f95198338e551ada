package kinematics

import (
	"fmt"
	"math"
	"math/rand/v2"

	"oceaninv/inversion"
)

// UnreachableError reports a position that no configuration drawn from the prior
// came near.
type UnreachableError struct {
	Target []float64
	Trials int
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("kinematics: the hand is hardly ever at (%.4g, %.4g): too few of %d configurations drawn from the prior come near", e.Target[0], e.Target[1], e.Trials)
}

// trialsPerDraw bounds the search for one accepted configuration, on average.
const trialsPerDraw = 200_000

// Rejection draws n independent configurations from the prior whose hand is within
// tolerance of y, by trying: how the published data were made. [Arm.Posterior] is
// faster and conditions on the height exactly.
func (a Arm) Rejection(n int, y []float64, tolerance float64, rng *rand.Rand) (*inversion.Draws, error) {
	if len(y) != 2 || !(tolerance > 0) {
		panic(fmt.Sprintf("kinematics: %d coordinates of the hand, tolerance %v", len(y), tolerance))
	}
	out := inversion.NewDraws(n, a.Dim())
	at := make([]float64, 2)
	for kept, trial := 0, 0; kept < n; trial++ {
		if trial == n*trialsPerDraw {
			return nil, &UnreachableError{Target: y, Trials: trial}
		}
		x := out.Row(kept)
		a.Draw(x, rng)
		if a.Forward(at, x); math.Hypot(at[0]-y[0], at[1]-y[1]) <= tolerance {
			kept++
		}
	}
	return out, nil
}

// Posterior draws n independent configurations from the prior given that the
// hand's height is y[1] and its reach within tolerance of y[0].
//
// Joint angles come from their prior and are dropped unless the reach fits; the
// base height is then the one that gives the height asked for, x_1 = y_2 - Σ l_i
// sin φ_i, and the draw is kept with probability exp(-x_1²/2σ_1²). As ∂y_2/∂x_1 =
// 1, the prior restricted to that height has, up to a constant, just that density
// over the angles; what is left of approximation is the tolerance in the reach.
func (a Arm) Posterior(n int, y []float64, tolerance float64, rng *rand.Rand) (*inversion.Draws, error) {
	if len(y) != 2 || !(tolerance > 0) {
		panic(fmt.Sprintf("kinematics: %d coordinates of the hand, tolerance %v", len(y), tolerance))
	}
	out := inversion.NewDraws(n, a.Dim())
	x := make([]float64, a.Dim())
	kept := 0
	for trial := 0; kept < n; trial++ {
		if trial == n*trialsPerDraw {
			return nil, &UnreachableError{Target: y, Trials: trial}
		}
		for i, s := range a.Sigma[1:] {
			x[1+i] = s * rng.NormFloat64()
		}
		y1, y2 := a.reach(x[1:])
		if math.Abs(y1-y[0]) > tolerance {
			continue
		}
		x[0] = y[1] - y2
		if u := x[0] / a.Sigma[0]; rng.Float64() < math.Exp(-u*u/2) {
			copy(out.Row(kept), x)
			kept++
		}
	}
	return out, nil
}
