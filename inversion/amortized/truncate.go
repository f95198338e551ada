package amortized

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
)

// Region is where a conditional flow has its mass at one observation y: the highest-density
// region
//
//	{θ : ln q(θ|y) ≥ Threshold},  of probability 1 − ε under q,
//
// within a box that holds it. Training on draws of the prior inside it alone gives the
// posterior at y as training on the whole prior does, while there all simulations are of
// use (truncated sequential neural posterior estimation: Deistler, Gonçalves & Macke, NeurIPS
// 2022, arXiv 2210.04815). What lies outside is given up: ε of q's mass, and more
// where q is too narrow.
type Region struct {
	Threshold float64 `json:"threshold"` // of ln q, with θ in the units of the parameters
	Quantile  float64 `json:"quantile"`  // ε
	// Low and High are the box: the draws' range, and a tenth of it on either side, within
	// the prior.
	Low  []float64 `json:"low"`
	High []float64 `json:"high"`
	// Observation is y, its real and imaginary parts in turn, [receiver][tone].
	Observation []float64 `json:"observation"`
	// Mass is the prior probability of the region, from the draws that were tried.
	Mass float64 `json:"prior_mass"`

	model *Conditional
	data  []complex128
}

const (
	// leastQuantile and mostQuantile bound ε: below, the threshold takes more than a
	// million draws; above, a round would give up what matters.
	leastQuantile, mostQuantile = 1e-5, 0.1
	// tailDraws is how many draws are to lie below the threshold.
	tailDraws = 10
	// boxMargin is the part of the draws' range that the box adds on either side.
	boxMargin = 0.1
)

// CheckQuantile reports an ε that no region can have.
func CheckQuantile(epsilon float64) error {
	if !(epsilon >= leastQuantile && epsilon <= mostQuantile) {
		return fmt.Errorf("%g is not from %g to %g", epsilon, leastQuantile, mostQuantile)
	}
	return nil
}

// Region finds the highest-density region of probability 1 − ε at the observation, from
// 10/ε draws, on the given number of cores.
func (c *Conditional) Region(data []complex128, epsilon float64, seed uint64, cores int) (*Region, error) {
	if err := CheckQuantile(epsilon); err != nil {
		panic("amortized: quantile " + err.Error())
	}
	n := max(int(math.Ceil(tailDraws/epsilon)), 2000)
	draws, err := c.NewSampler(cores).Sample(n, data, inversion.Rand(seed, inversion.DrawStream, 0))
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(draws.LogProb)
	slices.Sort(sorted)
	r := &Region{Threshold: sorted[int(epsilon*float64(n))], Quantile: epsilon, Observation: parts(data), model: c, data: slices.Clone(data)}
	for j := range draws.D {
		low, high := math.Inf(1), math.Inf(-1)
		for i, l := range draws.LogProb {
			if v := draws.Row(i)[j]; l >= r.Threshold {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
		margin := boxMargin * (high - low)
		from, to := c.Prior.Marginals[j].Bounds()
		r.Low, r.High = append(r.Low, math.Max(low-margin, from)), append(r.High, math.Min(high+margin, to))
	}
	return r, nil
}

// parts lists real and imaginary parts in turn.
func parts(data []complex128) []float64 {
	out := make([]float64, 0, 2*len(data))
	for _, v := range data {
		out = append(out, real(v), imag(v))
	}
	return out
}

// SameObservation reports whether data are the observation the region belongs to, up to a
// part in a million of their norm: a file may have been through single precision.
func (r *Region) SameObservation(data []complex128) bool {
	if 2*len(data) != len(r.Observation) {
		return false
	}
	var difference, norm float64
	for i, v := range parts(data) {
		difference += (v - r.Observation[i]) * (v - r.Observation[i])
		norm += r.Observation[i] * r.Observation[i]
	}
	return difference <= 1e-12*norm
}

// candidates are tried at once: enough for all cores, in batches of the flow.
const candidates = 16 * batch

// leastShare of the candidates, once there are patience of them, must lie in the region:
// with fewer, more of the prior is simulated sooner than a draw is found.
const leastShare, patience = 1e-4, 1 << 20

// Drawing says what to draw of a truncated prior.
type Drawing struct {
	N      int
	Design *inversion.Design // over the prior restricted to the box
	Prior  *inversion.Prior  // the whole prior
	Cores  int               // the points do not depend on it
	// Progress is told, after each batch of candidates, how many points there are; nil is silent.
	Progress func(points int)
}

// SmallRegionError says that hardly a point of the box lies in its region.
type SmallRegionError struct{ Tried, Inside int }

func (e *SmallRegionError) Error() string {
	return fmt.Sprintf("of %d draws of the truncated prior's box %d lie in its region: "+
		"the region is too small a part of the box; take a larger quantile, or another round without truncation", e.Tried, e.Inside)
}

// Draw returns N points of the design that lie inside the region, in the design's order,
// [N][D], and sets Mass. Errors are a *[SmallRegionError], the flow's, or the context's,
// which is looked at before each batch of candidates.
func (r *Region) Draw(ctx context.Context, in Drawing) ([]float64, error) {
	d := in.Prior.Dim()
	out, theta, keep := make([]float64, 0, in.N*d), make([]float64, candidates*d), make([]bool, candidates)
	sessions := make([]*Session, max(in.Cores, 1))
	for w := range sessions {
		sessions[w] = r.model.NewSession()
	}
	tried := 0
	for len(out) < in.N*d {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range candidates {
			in.Design.Theta(theta[i*d:(i+1)*d], tried+i)
		}
		if err := r.inside(keep, theta, sessions); err != nil {
			return nil, err
		}
		for i := 0; i < candidates && len(out) < in.N*d; i++ {
			tried++
			if keep[i] {
				out = append(out, theta[i*d:(i+1)*d]...)
			}
		}
		points := len(out) / d
		if tried >= patience && float64(points) < leastShare*float64(tried) {
			return nil, &SmallRegionError{tried, points}
		}
		if in.Progress != nil {
			in.Progress(points)
		}
	}
	r.Mass = float64(in.N) / float64(tried) * in.Prior.MassWithin(r.Low, r.High)
	return out, nil
}

// inside tells which rows of theta lie in the region, a part of them in each session.
func (r *Region) inside(keep []bool, theta []float64, sessions []*Session) error {
	d, density := len(theta)/len(keep), make([]float64, len(keep))
	var g errgroup.Group
	for w, s := range sessions {
		g.Go(func() error {
			lo, hi := len(keep)*w/len(sessions), len(keep)*(w+1)/len(sessions)
			return s.LogDensity(density[lo:hi], theta[lo*d:hi*d], r.data)
		})
	}
	err := g.Wait()
	for i, l := range density {
		keep[i] = l >= r.Threshold && r.holds(theta[i*d:(i+1)*d])
	}
	return err
}

// holds reports whether theta is in the box.
func (r *Region) holds(theta []float64) bool {
	for j, v := range theta {
		if v < r.Low[j] || v > r.High[j] {
			return false
		}
	}
	return true
}
