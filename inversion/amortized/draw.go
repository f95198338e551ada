package amortized

import (
	"math"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
	"oceaninv/surrogate"
)

// Sample draws n times from q(θ | y) for the observation, with log densities. The
// flow runs in single precision, ten times as fast as in double: a draw moves by a
// rounding error of its standard deviation, and its log density is that of
// [Session.LogDensity] to about four digits after the point. Batches go side by side
// on the session's cores; the draws do not depend on their number.
func (s *Session) Sample(n int, data []complex128, rng *rand.Rand) (*inversion.Draws, error) {
	d := s.model.Prior.Dim()
	out := inversion.NewDraws(n, d)
	out.LogProb = make([]float64, n)
	s.summarize(data)
	z := make([]float32, n*d)
	for i := range out.LogProb {
		out.LogProb[i] = base(z[i*d:(i+1)*d], rng)
	}
	cond := make([]float32, len(s.cond))
	for j, v := range s.condition() {
		cond[j] = float32(v)
	}
	for i, scale := 0, s.scale(); i < n; i++ {
		out.LogProb[i] += scale
	}
	var g errgroup.Group
	workers := min(len(s.drawers), (n+batch-1)/batch)
	for w, drawer := range s.drawers[:workers] {
		g.Go(func() error {
			for lo := w * batch; lo < n; lo += workers * batch {
				hi := min(lo+batch, n)
				if err := drawer.draw(s, rows{out, lo, hi}, z[lo*d:hi*d], cond); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, g.Wait()
}

// base fills z with independent standard normal numbers and returns the logarithm of
// their density.
func base(z []float32, rng *rand.Rand) float64 {
	logp := -float64(len(z)) / 2 * math.Log(2*math.Pi)
	for j := range z {
		v := rng.NormFloat64()
		z[j] = float32(v)
		logp -= v * v / 2
	}
	return logp
}

// drawer takes batches of draws through the flow, in single precision, on one core.
type drawer struct {
	pass    *surrogate.Pass[float32]
	u, zeta []float64
}

func newDrawer(flow *surrogate.Flow[float32]) *drawer {
	return &drawer{flow.NewEvaluation(batch), make([]float64, flow.Dim()), make([]float64, flow.Dim())}
}

// rows are draws [from, to).
type rows struct {
	*inversion.Draws
	from, to int
}

// draw takes rows of z to parameters and adds ln|det ∂z/∂u| + ln|det ∂ζ/∂θ| to their
// log densities.
func (d *drawer) draw(s *Session, r rows, z, cond []float32) error {
	u, logDet, err := d.pass.Inverse(z, cond)
	if err != nil {
		return err
	}
	for i := r.from; i < r.to; i++ {
		row := r.Row(i)
		for j := range row {
			d.u[j] = float64(u[(i-r.from)*len(row)+j])
		}
		s.unstandardize(d.zeta, d.u)
		r.LogProb[i] -= float64(logDet[i-r.from]) + Bounded(s.model.Prior, row, d.zeta) // logDet is of the inverse
	}
	return nil
}

// unstandardize sets ζ from u.
func (s *Session) unstandardize(zeta, u []float64) {
	if s.summary != nil {
		s.summary.Unstandardize(zeta, u, s.raw)
		return
	}
	s.model.Zeta.Invert(zeta, u)
}

// scale is ln|det ∂u/∂ζ|, the same for all draws of an observation.
func (s *Session) scale() float64 {
	if s.summary != nil {
		return s.summary.Standardize(s.zeta, s.zeta, s.raw) // s.zeta is scratch
	}
	return s.model.Zeta.LogDet()
}
