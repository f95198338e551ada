package kinematics

import (
	"fmt"
	"math"
	"math/rand/v2"

	"oceaninv/inversion"
)

// Arm is the geometry of the arm and the prior of its configuration
// x = (base height, angle of each joint relative to the link before).
type Arm struct {
	// Links are the lengths of the links, from the base outwards.
	Links []float64 `hcl:"links,optional" json:"links"`
	// Sigma are the prior's standard deviations: of the base height, in the unit of
	// Links, then of the joints' angles, in radians. The prior is normal about 0.
	Sigma []float64 `hcl:"sigma,optional" json:"sigma"`
}

// DefaultArm is the published problem: links ½, ½ and 1, deviations ¼, ½, ½, ½.
func DefaultArm() Arm {
	return Arm{Links: []float64{0.5, 0.5, 1}, Sigma: []float64{0.25, 0.5, 0.5, 0.5}}
}

// Validate reports the first thing that no arm can have.
func (a Arm) Validate() error {
	if len(a.Links) == 0 {
		return fmt.Errorf("links: an arm needs at least one")
	}
	if len(a.Sigma) != len(a.Links)+1 {
		return fmt.Errorf("sigma: %d deviations for %d links; give one for the base, then one for each joint", len(a.Sigma), len(a.Links))
	}
	for i, v := range a.Links {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("links[%d]: a length must be positive and finite, not %v", i, v)
		}
	}
	for i, v := range a.Sigma {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("sigma[%d]: a deviation must be positive and finite, not %v", i, v)
		}
	}
	return nil
}

// Dim is the number of unknowns: the base and the joints.
func (a Arm) Dim() int { return len(a.Sigma) }

// Forward sets y to the position of the hand (y1 reach, y2 height) at the
// configuration x [Dim]:
//
//	y1 = Σ l_i cos φ_i,  y2 = x_1 + Σ l_i sin φ_i,  φ_i = x_2 + … + x_{i+1}.
func (a Arm) Forward(y, x []float64) {
	if len(x) != a.Dim() || len(y) != 2 {
		panic(fmt.Sprintf("kinematics: %d unknowns and %d observations for an arm of %d and 2", len(x), len(y), a.Dim()))
	}
	y[0], y[1] = a.reach(x[1:])
	y[1] += x[0]
}

// reach is the hand's position relative to the base.
func (a Arm) reach(angles []float64) (y1, y2 float64) {
	phi := 0.0
	for i, l := range a.Links {
		phi += angles[i]
		sin, cos := math.Sincos(phi)
		y1 += l * cos
		y2 += l * sin
	}
	return y1, y2
}

// Draw sets x to a draw from the prior, N(0, diag Sigma²).
func (a Arm) Draw(x []float64, rng *rand.Rand) {
	for i, s := range a.Sigma {
		x[i] = s * rng.NormFloat64()
	}
}

// Misses returns ‖f(x) - y‖ for each draw x: how far from y the hand would be.
func (a Arm) Misses(d *inversion.Draws, y []float64) []float64 {
	out, at := make([]float64, d.N()), make([]float64, 2)
	for i := range out {
		a.Forward(at, d.Row(i))
		out[i] = math.Hypot(at[0]-y[0], at[1]-y[1])
	}
	return out
}
