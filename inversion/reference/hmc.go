package reference

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"oceaninv/inversion"
)

// HMCOptions control Hamiltonian Monte Carlo.
type HMCOptions struct {
	Chains int `json:"chains" hcl:"chains,optional"`
	// BurnIn steps adapt step size and mass matrix and are thrown away.
	BurnIn int `json:"burn_in" hcl:"burn_in,optional"`
	Steps  int `json:"steps" hcl:"steps,optional"`
	// Path is the mean length of a trajectory in units of the posterior's standard
	// deviation, once the mass matrix fits it.
	Path float64 `json:"path" hcl:"path,optional"`
	// Accept is the acceptance the step size is adapted to.
	Accept float64 `json:"accept" hcl:"accept,optional"`
	Seed   uint64  `json:"seed" hcl:"seed,optional"`
	// Workers run chains at the same time; 0 is one per processor. Results do not
	// depend on it.
	Workers int `json:"-"`
}

// DefaultHMCOptions suits smooth posteriors with one mode.
func DefaultHMCOptions() HMCOptions {
	return HMCOptions{Chains: 4, BurnIn: 500, Steps: 500, Path: 1.6, Accept: 0.8}
}

// HMC samples a target with gradients by Hamiltonian Monte Carlo with exponential
// path lengths (Bou-Rabee & Sanz-Serna, Ann. Appl. Probab. 27, 2159 (2017)), which
// cannot fall into step with the target, a step size adapted by dual averaging
// (Hoffman & Gelman, J. Mach. Learn. Res. 15, 1593 (2014), section 3.2) and a dense
// mass matrix from the burn-in. The target must live on the whole space: see
// [inversion.NewUnboundedTarget].
//
// It explores one mode. Start the chains apart, and believe RHat.
func HMC(ctx context.Context, newTarget func() (inversion.Gradient, error), start func(theta []float64, rng *rand.Rand), opt HMCOptions) (*Chains, error) {
	if opt.Chains < 1 || opt.Steps < 1 || opt.BurnIn < 50 || opt.Path <= 0 || opt.Accept <= 0 || opt.Accept >= 1 {
		return nil, errors.New("reference: HMC needs a chain, a step, 50 steps of burn-in, a positive path and an acceptance between 0 and 1")
	}
	chains := make([]*hamiltonian, opt.Chains)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(opt.Workers))
	for k := range chains {
		g.Go(func() error {
			target, err := newTarget()
			if err != nil {
				return err
			}
			h := newHamiltonian(target, inversion.Rand(opt.Seed, inversion.DrawStream, k))
			chains[k] = h
			for try := 0; ; try++ {
				start(h.x, h.rng)
				if h.logp = target.LogDensityGradient(h.grad, h.x); !math.IsInf(h.logp, -1) && !math.IsNaN(h.logp) {
					break
				}
				if try == 1000 {
					return errors.New("reference: no possible start for a chain in 1000 tries")
				}
			}
			return h.run(ctx, opt)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := &Chains{D: len(chains[0].x), LogEvidence: math.NaN(), LogEvidenceError: math.NaN()}
	for _, h := range chains {
		out.Theta = append(out.Theta, h.trace)
		out.LogDensity = append(out.LogDensity, h.logs)
		out.Acceptance += h.accepted / float64(opt.Steps) / float64(opt.Chains)
		out.Divergences += h.divergences
	}
	out.diagnose(opt.Chains)
	return out, nil
}

// hamiltonian is one chain. Momentum is p = L⁻ᵀ ξ with mass matrix Σ⁻¹, Σ = L Lᵀ
// the covariance seen in burn-in; positions move by Σ p.
type hamiltonian struct {
	target      inversion.Gradient
	rng         *rand.Rand
	x, grad     []float64
	logp        float64
	lower       *mat.TriDense
	step        float64
	y, gy, v    []float64 // trial position, its gradient, scaled momentum
	trace, logs []float64
	accepted    float64
	divergences int
	// dual averaging
	mu, errSum, logAverage float64
	tuned                  int
	// covariance of the burn-in
	history []float64
}

func newHamiltonian(target inversion.Gradient, rng *rand.Rand) *hamiltonian {
	d := target.Dim()
	h := &hamiltonian{target: target, rng: rng, step: 0.1}
	h.x, h.grad = make([]float64, d), make([]float64, d)
	h.y, h.gy, h.v = make([]float64, d), make([]float64, d), make([]float64, d)
	h.lower = mat.NewTriDense(d, mat.Lower, nil)
	for j := range d {
		h.lower.SetTri(j, j, 1)
	}
	return h
}

func (h *hamiltonian) run(ctx context.Context, opt HMCOptions) error {
	h.restart()
	// The mass matrix is fitted twice: a first guess, then one from near it.
	first, second := opt.BurnIn/4, opt.BurnIn*3/4
	for s := range opt.BurnIn + opt.Steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s == opt.BurnIn {
			h.step = math.Exp(h.logAverage)
			h.divergences = 0
		}
		accept := h.trajectory(opt.Path)
		if s >= opt.BurnIn {
			h.accepted += accept
			h.trace = append(h.trace, h.x...)
			h.logs = append(h.logs, h.logp)
			continue
		}
		h.tune(accept, opt.Accept)
		h.history = append(h.history, h.x...)
		if s == first || s == second {
			h.refit()
		}
	}
	return nil
}

// trajectory moves the chain once and returns the probability of acceptance.
func (h *hamiltonian) trajectory(path float64) float64 {
	var kinetic float64
	for j := range h.v {
		h.v[j] = h.rng.NormFloat64()
		kinetic += h.v[j] * h.v[j] / 2
	}
	energy := kinetic - h.logp
	copy(h.y, h.x)
	copy(h.gy, h.grad)
	steps := int(math.Ceil(h.rng.ExpFloat64() * path / h.step))
	steps = min(max(steps, 1), 1000)
	logp := h.logp
	for range steps {
		h.kick(h.step / 2)
		for i := range h.y {
			for j := range i + 1 {
				h.y[i] += h.step * h.lower.At(i, j) * h.v[j]
			}
		}
		logp = h.target.LogDensityGradient(h.gy, h.y)
		if math.IsNaN(logp) || math.IsInf(logp, -1) {
			break
		}
		h.kick(h.step / 2)
	}
	kinetic = 0
	for _, v := range h.v {
		kinetic += v * v / 2
	}
	delta := energy - (kinetic - logp)
	if math.IsNaN(delta) || delta < -1000 {
		h.divergences++
		return 0
	}
	if math.Log(h.rng.Float64()) < delta {
		copy(h.x, h.y)
		copy(h.grad, h.gy)
		h.logp = logp
	}
	return math.Min(1, math.Exp(delta))
}

// kick changes the velocity by dt·Lᵀ∇.
func (h *hamiltonian) kick(dt float64) {
	for j := range h.v {
		for i := j; i < len(h.v); i++ {
			h.v[j] += dt * h.lower.At(i, j) * h.gy[i]
		}
	}
}

func (h *hamiltonian) restart() {
	h.mu, h.errSum, h.logAverage, h.tuned = math.Log(10*h.step), 0, math.Log(h.step), 0
}

// tune is dual averaging of the log step size.
func (h *hamiltonian) tune(accept, goal float64) {
	h.tuned++
	t := float64(h.tuned)
	h.errSum += (goal - accept - h.errSum) / (t + 10)
	log := h.mu - math.Sqrt(t)/0.05*h.errSum
	w := math.Pow(t, -0.75)
	h.logAverage += w * (log - h.logAverage)
	h.step = math.Exp(math.Max(-30, math.Min(log, 1)))
}

// refit sets the mass matrix from the history since the last fit, its
// correlations shrunk a little, as few draws need.
func (h *hamiltonian) refit() {
	d := len(h.x)
	n := len(h.history) / d
	h.history = h.history[n/2*d:] // the first half may still be on its way
	n = len(h.history) / d
	data := mat.NewDense(n, d, h.history)
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, data, nil)
	w := float64(n) / float64(n+5)
	for i := range d {
		for j := i; j < d; j++ {
			v := w * cov.At(i, j)
			if i == j {
				v += (1-w)*cov.At(i, i) + 1e-12
			}
			cov.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	h.history = nil
	if !chol.Factorize(&cov) {
		return
	}
	chol.LTo(h.lower)
	h.step = 0.5
	h.restart()
}
