package reference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"oceaninv/inversion"
)

// RefineOptions control the refinement of approximate draws to the posterior.
type RefineOptions struct {
	// Draws to return.
	Draws int `json:"draws" hcl:"draws,optional"`
	// Efficiency of the importance weights below which the proposal is adapted.
	Efficiency float64 `json:"efficiency" hcl:"efficiency,optional"`
	// Rounds of adaptation at most, each with as many draws as were given.
	Rounds int `json:"rounds" hcl:"rounds,optional"`
	// Moves each resampled draw makes by Markov chain, so that copies part and
	// what bias the weights left decays. Tenfold where the weights stay poor.
	Moves int    `json:"moves" hcl:"moves,optional"`
	Seed  uint64 `json:"seed" hcl:"seed,optional"`
	// Workers evaluate the target at the same time; 0 is one per processor.
	// Results do not depend on it.
	Workers int `json:"-"`
}

// DefaultRefineOptions asks for 1000 draws.
func DefaultRefineOptions() RefineOptions {
	return RefineOptions{Draws: 1000, Efficiency: 0.2, Rounds: 5, Moves: 5}
}

// Refined is the outcome of a refinement.
type Refined struct {
	// Draws of equal weight, with the unnormalised log target as LogProb.
	Draws *inversion.Draws
	// First are the weights of the draws as given, Last those after adaptation.
	First, Last ImportanceSummary
	Rounds      int
	Evaluations int
	// Acceptance of the Markov chain's moves.
	Acceptance float64
	// Correction is the efficiency of the weights of [Refined.Correct]; 0 without.
	Correction float64
	// Warning says why the draws may not be the posterior; empty if nothing says
	// so.
	Warning string
}

// Refine turns draws of an approximate posterior, with their log densities, into
// draws of the target: importance weights, smoothed; where those are poor, new
// proposals from a mixture of t distributions about the weighted draws (population
// Monte Carlo, Cappé et al., J. Comput. Graph. Stat. 13, 907 (2004)); then
// resampling, and a few Markov-chain moves of the whole population. Draws without
// a density (LogProb nil, as those of a generator trained by a divergence) have no
// weights: they start the adaptation as they are, and the mixture supplies the
// density.
func Refine(ctx context.Context, draws *inversion.Draws, newTarget func() (inversion.Target, error), opt RefineOptions) (*Refined, error) {
	if opt.Draws < 1 || draws.N() < 20 {
		return nil, fmt.Errorf("reference: refining %d draws to %d; at least 20 to 1", draws.N(), opt.Draws)
	}
	r := &refiner{ctx: ctx, opt: opt, d: draws.D, rng: inversion.Rand(opt.Seed, inversion.DrawStream, 0)}
	for range workers(opt.Workers) {
		t, err := newTarget()
		if err != nil {
			return nil, err
		}
		if t.Dim() != draws.D {
			return nil, fmt.Errorf("reference: draws of %d parameters for a target of %d", draws.D, t.Dim())
		}
		r.targets = append(r.targets, t)
	}
	return r.refine(draws)
}

type refiner struct {
	ctx         context.Context
	opt         RefineOptions
	d           int
	rng         *rand.Rand
	targets     []inversion.Target
	evaluations int
}

func (r *refiner) refine(given *inversion.Draws) (*Refined, error) {
	out := &Refined{}
	current := &inversion.Draws{D: given.D, Theta: given.Theta, LogProb: given.LogProb}
	var logTarget []float64
	if given.LogProb == nil {
		out.First = ImportanceSummary{KHat: math.NaN(), LogEvidence: math.NaN(), LogEvidenceError: math.NaN()}
	} else {
		var err error
		if logTarget, err = r.evaluate(current.Theta); err != nil {
			return nil, err
		}
		out.First = Importance(current, logTarget)
		out.Last = out.First
	}
	for !r.good(out.Last) && out.Rounds < r.opt.Rounds {
		next := r.adapt(current, out.Last.EffectiveSize)
		values, err := r.evaluate(next.Theta)
		if err != nil {
			return nil, err
		}
		current, logTarget = next, values
		out.Last = Importance(current, logTarget)
		out.Rounds++
	}
	moves := r.opt.Moves
	if !r.good(out.Last) {
		moves *= 10
		out.Warning = fmt.Sprintf("importance weights stay poor (k-hat %.2f, efficiency %.3f): draws rest on %d Markov-chain moves",
			out.Last.KHat, out.Last.Efficiency, moves)
	}
	if logTarget == nil { // neither weights nor rounds: the chain starts as it is
		var err error
		if logTarget, err = r.evaluate(current.Theta); err != nil {
			return nil, err
		}
	}
	// Resampling carries the target's values along as the draws' density.
	current.LogProb = logTarget
	out.Draws = current.Resample(r.opt.Draws, r.rng)
	var err error
	out.Acceptance, err = r.move(out.Draws, moves)
	out.Evaluations = r.evaluations
	return out, err
}

// good reports whether weights can be relied on.
func (r *refiner) good(s ImportanceSummary) bool {
	return s.KHat < KHatLimit && s.Efficiency >= r.opt.Efficiency
}

// evaluate is the log target at each point.
func (r *refiner) evaluate(theta []float64) ([]float64, error) {
	n := len(theta) / r.d
	r.evaluations += n
	out := make([]float64, n)
	g, ctx := errgroup.WithContext(r.ctx)
	for w, target := range r.targets {
		g.Go(func() error {
			for i := w; i < n; i += len(r.targets) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				out[i] = target.LogDensity(theta[i*r.d : (i+1)*r.d])
			}
			return nil
		})
	}
	return out, g.Wait()
}

// adapt draws as many points from a mixture of t distributions with 4 degrees of
// freedom about draws resampled by weight. Their scale is the weighted covariance
// shrunk as a kernel estimate of so many effective draws would be; few effective
// draws keep it wide.
func (r *refiner) adapt(current *inversion.Draws, effective float64) *inversion.Draws {
	n := current.N()
	centres := current.Resample(min(n, 500), r.rng)
	chol := r.scale(current)
	if current.LogWeight == nil {
		effective = float64(n)
	}
	h := math.Pow(math.Max(effective, 2), -1/(float64(r.d)+4))
	next := inversion.NewDraws(n, r.d)
	z := make([]float64, r.d)
	for i := range n {
		c := centres.Row(i % centres.N())
		// t: a normal over the root of a chi-square over its degrees of freedom.
		var chi2 float64
		for range 4 {
			g := r.rng.NormFloat64()
			chi2 += g * g
		}
		for j := range z {
			z[j] = h * r.rng.NormFloat64() / math.Sqrt(chi2/4)
		}
		row := next.Row(i)
		for j := range row {
			row[j] = c[j]
			for k := range j + 1 {
				row[j] += chol.At(j, k) * z[k]
			}
		}
	}
	next.LogProb = r.mixtureDensity(next, centres, chol, h)
	return next
}

// scale is the lower Cholesky factor of the weighted covariance.
func (r *refiner) scale(s *inversion.Draws) *mat.TriDense {
	w := s.Weights()
	mean := make([]float64, r.d)
	for i, v := range w {
		for j, x := range s.Row(i) {
			mean[j] += v * x
		}
	}
	cov := mat.NewSymDense(r.d, nil)
	plain := mat.NewSymDense(r.d, nil) // of the draws without weights
	for i, v := range w {
		row := s.Row(i)
		for j := range r.d {
			for k := j; k < r.d; k++ {
				p := (row[j] - mean[j]) * (row[k] - mean[k])
				cov.SetSym(j, k, cov.At(j, k)+v*p)
				plain.SetSym(j, k, plain.At(j, k)+p/float64(len(w)))
			}
		}
	}
	// A single dominant weight has no covariance: a little of the draws' own keeps
	// the factor regular and the proposal wide.
	for j := range r.d {
		for k := j; k < r.d; k++ {
			cov.SetSym(j, k, cov.At(j, k)+1e-4*plain.At(j, k))
		}
		cov.SetSym(j, j, cov.At(j, j)*(1+1e-9)+1e-300)
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		for j := range r.d {
			for k := j + 1; k < r.d; k++ {
				cov.SetSym(j, k, 0)
			}
		}
		if !chol.Factorize(cov) {
			panic("reference: covariance of the draws is not a number")
		}
	}
	lower := mat.NewTriDense(r.d, mat.Lower, nil)
	chol.LTo(lower)
	return lower
}

// mixtureDensity is the log density of each point under the equal mixture of t
// distributions about the centres.
func (r *refiner) mixtureDensity(points, centres *inversion.Draws, chol *mat.TriDense, h float64) []float64 {
	const nu = 4.0
	d := float64(r.d)
	a, _ := math.Lgamma((nu + d) / 2)
	b, _ := math.Lgamma(nu / 2)
	norm := a - b - d/2*math.Log(nu*math.Pi) - d*math.Log(h)
	for j := range r.d {
		norm -= math.Log(chol.At(j, j))
	}
	out := make([]float64, points.N())
	z := make([]float64, r.d)
	for i := range out {
		x := points.Row(i)
		var sum float64
		for k := range centres.N() {
			c := centres.Row(k)
			var q float64
			for j := range z { // forward substitution
				v := (x[j] - c[j]) / h
				for m := range j {
					v -= chol.At(j, m) * z[m]
				}
				z[j] = v / chol.At(j, j)
				q += z[j] * z[j]
			}
			sum += math.Pow(1+q/nu, -(nu+d)/2)
		}
		out[i] = norm + math.Log(sum/float64(centres.N()))
	}
	return out
}

// move lets the draws move as an ensemble, one half against the other.
func (r *refiner) move(s *inversion.Draws, moves int) (acceptance float64, err error) {
	n := s.N()
	if n < 2*r.d+2 {
		return math.NaN(), nil
	}
	proposal := make([]float64, n*r.d)
	factor := make([]float64, n)
	accepted, proposed := 0, 0
	for m := range moves {
		for half := range 2 {
			first, last := 0, n/2
			if half == 1 {
				first, last = n/2, n
			}
			others := make([][]float64, 0, n)
			for i := range n {
				if i < first || i >= last {
					others = append(others, s.Row(i))
				}
			}
			for i := first; i < last; i++ {
				e := ensemble{d: r.d, proposal: proposal[i*r.d : (i+1)*r.d]}
				factor[i] = e.propose(s.Row(i), others, r.rng)
			}
			value, err := r.evaluate(proposal[first*r.d : last*r.d])
			if err != nil {
				return 0, fmt.Errorf("after %d moves: %w", m, err)
			}
			for i := first; i < last; i++ {
				proposed++
				if math.Log(r.rng.Float64()) < factor[i]+value[i-first]-s.LogProb[i] {
					copy(s.Row(i), proposal[i*r.d:(i+1)*r.d])
					s.LogProb[i] = value[i-first]
					accepted++
				}
			}
		}
	}
	return float64(accepted) / float64(proposed), nil
}
