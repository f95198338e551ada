package reference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
)

// TemperOptions control parallel-tempered ensemble sampling.
type TemperOptions struct {
	// Ensembles run independently: their agreement is the test of convergence.
	Ensembles int `json:"ensembles" hcl:"ensembles,optional"`
	// Walkers of each ensemble at each temperature, at least 2·D+2.
	Walkers int `json:"walkers" hcl:"walkers,optional"`
	// Temperatures of the ladder: inverse temperatures fall from 1 to 0, the prior.
	Temperatures int `json:"temperatures" hcl:"temperatures,optional"`
	// BurnIn steps are thrown away; the ladder adapts in them, and only in them.
	BurnIn int `json:"burn_in" hcl:"burn_in,optional"`
	Steps  int `json:"steps" hcl:"steps,optional"`
	// Thin keeps each Thin-th step.
	Thin int    `json:"thin" hcl:"thin,optional"`
	Seed uint64 `json:"seed" hcl:"seed,optional"`
	// Workers run ensembles at the same time; 0 is one per processor. Results do
	// not depend on it.
	Workers int `json:"-"`
}

// DefaultTemperOptions suits a few parameters and a sharp posterior.
func DefaultTemperOptions() TemperOptions {
	return TemperOptions{Ensembles: 4, Walkers: 24, Temperatures: 12, BurnIn: 1000, Steps: 1000, Thin: 5}
}

// Chains are the traces of a sampler with their diagnostics.
type Chains struct {
	D int
	// Theta is [chain][iteration·D]: the walkers at temperature 1.
	Theta [][]float64
	// LogDensity of each iteration of each chain, unnormalised.
	LogDensity [][]float64
	// Acceptance of moves at temperature 1, and of swaps between neighbouring
	// temperatures, coldest first.
	Acceptance float64
	Swaps      []float64
	// RHat with its error over ensembles, or over chains that do not interact (NaN for fewer
	// than three), EffectiveSize and TailEffectiveSize of the same units, per parameter.
	RHat, RHatError, EffectiveSize, TailEffectiveSize []float64
	// LogEvidence by stepping stones, with its standard error over ensembles
	// (parallel tempering only; NaN otherwise).
	LogEvidence, LogEvidenceError float64
	// Divergences of a Hamiltonian sampler.
	Divergences int
}

// Converged reports whether every parameter's R̂ is below 1.01 and its effective
// sizes above 100 per four chains' worth, the recommendation of Vehtari et al.
func (c *Chains) Converged() bool {
	for j := range c.RHat {
		if !(c.RHat[j] < 1.01) || !(c.EffectiveSize[j] > 400) || !(c.TailEffectiveSize[j] > 400) {
			return false
		}
	}
	return true
}

// Draws pools all chains.
func (c *Chains) Draws() *inversion.Draws {
	out := &inversion.Draws{D: c.D}
	for _, t := range c.Theta {
		out.Theta = append(out.Theta, t...)
	}
	return out
}

// diagnose fills in the diagnostics of chains from as many independent units ([RHatError]).
func (c *Chains) diagnose(units int) {
	for j := range c.D {
		traces := make([][]float64, len(c.Theta))
		for i, t := range c.Theta {
			for k := j; k < len(t); k += c.D {
				traces[i] = append(traces[i], t[k])
			}
		}
		c.RHat = append(c.RHat, RHat(traces))
		c.RHatError = append(c.RHatError, RHatError(traces, units))
		c.EffectiveSize = append(c.EffectiveSize, EffectiveSize(traces, units))
		c.TailEffectiveSize = append(c.TailEffectiveSize, TailEffectiveSize(traces, units))
	}
}

// Temper samples a posterior with parallel-tempered ensembles. Every ensemble has
// a target of its own from newTarget; start draws a first position of a walker,
// from the prior or from an approximate posterior (the hottest temperatures find
// what it missed).
func Temper(ctx context.Context, newTarget func() (inversion.Tempered, error), start func(theta []float64, rng *rand.Rand), opt TemperOptions) (*Chains, error) {
	if opt.Ensembles < 1 || opt.Temperatures < 1 || opt.Steps < 1 || opt.Thin < 1 || opt.BurnIn < 0 {
		return nil, errors.New("reference: tempering needs at least one ensemble, temperature, step and thinning of 1")
	}
	ladders := make([]*ladder, opt.Ensembles)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(opt.Workers))
	for k := range ladders {
		g.Go(func() error {
			target, err := newTarget()
			if err != nil {
				return err
			}
			if opt.Walkers < 2*target.Dim()+2 {
				return fmt.Errorf("reference: %d walkers for %d parameters; at least %d", opt.Walkers, target.Dim(), 2*target.Dim()+2)
			}
			l := newLadder(target, inversion.Rand(opt.Seed, inversion.DrawStream, k), opt)
			ladders[k] = l
			if err := l.start(start); err != nil {
				return err
			}
			return l.run(ctx, opt)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return collect(ladders), nil
}

func workers(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// ladder is one ensemble at all temperatures, coldest first.
type ladder struct {
	target   inversion.Tempered
	rng      *rand.Rand
	rungs    []*ensemble
	swapped  []float64
	tried    []float64
	trace    [][]float64
	logp     [][]float64
	stones   []float64 // Σ exp(Δβ·like - shift) for each pair of rungs
	shift    []float64
	gathered int
}

func newLadder(target inversion.Tempered, rng *rand.Rand, opt TemperOptions) *ladder {
	l := &ladder{target: target, rng: rng}
	d := target.Dim()
	for k := range opt.Temperatures {
		e := &ensemble{d: d, beta: 1, proposal: make([]float64, d), prior: make([]float64, opt.Walkers), like: make([]float64, opt.Walkers)}
		if k > 0 { // geometric to start with, the last at the prior
			e.beta = math.Pow(0.25, float64(k))
		}
		if k > 0 && k == opt.Temperatures-1 {
			e.beta = 0
		}
		for range opt.Walkers {
			e.theta = append(e.theta, make([]float64, d))
		}
		l.rungs = append(l.rungs, e)
	}
	pairs := opt.Temperatures - 1
	l.swapped, l.tried = make([]float64, pairs), make([]float64, pairs)
	l.stones, l.shift = make([]float64, pairs), make([]float64, pairs)
	l.trace, l.logp = make([][]float64, opt.Walkers), make([][]float64, opt.Walkers)
	return l
}

// start places the walkers where the target is possible.
func (l *ladder) start(place func(theta []float64, rng *rand.Rand)) error {
	for _, e := range l.rungs {
		for i, t := range e.theta {
			for try := 0; ; try++ {
				place(t, l.rng)
				e.prior[i] = l.target.LogPrior(t)
				if !math.IsInf(e.prior[i], -1) {
					if e.like[i] = l.target.LogLikelihood(t); !math.IsInf(e.like[i], -1) && !math.IsNaN(e.like[i]) {
						break
					}
				}
				if try == 1000 {
					return fmt.Errorf("reference: no possible start for a walker in %d tries, the last at %v", try, t)
				}
			}
		}
	}
	return nil
}

func (l *ladder) run(ctx context.Context, opt TemperOptions) error {
	for s := range opt.BurnIn + opt.Steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s == opt.BurnIn {
			clear(l.swapped)
			clear(l.tried)
			l.rungs[0].accepted, l.rungs[0].proposed = 0, 0
			for k := range l.shift {
				l.shift[k] = math.Inf(-1)
			}
		}
		for _, e := range l.rungs {
			e.step(l.target, l.rng)
		}
		l.swap()
		if s < opt.BurnIn {
			l.adapt(s)
			continue
		}
		l.gather()
		if (s-opt.BurnIn)%opt.Thin == 0 {
			l.record()
		}
	}
	return nil
}

// swap tries to exchange the walkers of neighbouring temperatures.
func (l *ladder) swap() {
	for k := len(l.rungs) - 2; k >= 0; k-- {
		cold, hot := l.rungs[k], l.rungs[k+1]
		for i := range cold.theta {
			j := l.rng.IntN(len(hot.theta))
			l.tried[k]++
			if math.Log(l.rng.Float64()) < (cold.beta-hot.beta)*(hot.like[j]-cold.like[i]) {
				cold.theta[i], hot.theta[j] = hot.theta[j], cold.theta[i]
				cold.prior[i], hot.prior[j] = hot.prior[j], cold.prior[i]
				cold.like[i], hot.like[j] = hot.like[j], cold.like[i]
				l.swapped[k]++
			}
		}
	}
}

// adapt moves the inner temperatures towards equal acceptance of swaps (Vousden,
// Farr & Mandel, Mon. Not. R. Astron. Soc. 455, 1919 (2016), eqs 11-13), by an
// amount that dies out.
func (l *ladder) adapt(step int) {
	if len(l.rungs) < 3 {
		return
	}
	rate := 100.0 / (100 + float64(step)) / 10
	n := len(l.rungs)
	ratio := func(k int) float64 {
		r := l.swapped[k] / math.Max(1, l.tried[k])
		return r
	}
	// Log spacings of temperature below the hottest finite rung.
	spacing := make([]float64, 0, n-2)
	for k := 1; k < n-1; k++ {
		gap := math.Log(1/l.rungs[k].beta - 1/l.rungs[k-1].beta)
		spacing = append(spacing, gap+rate*(ratio(k-1)-ratio(k)))
	}
	t := 1.0
	for k := 1; k < n-1; k++ {
		t += math.Exp(spacing[k-1])
		l.rungs[k].beta = 1 / t
	}
	for k := range l.swapped { // forget slowly
		l.swapped[k] *= 0.9
		l.tried[k] *= 0.9
	}
}

// gather accumulates the stepping stones Z(β_k)/Z(β_k+1) = E_{k+1}[L^(β_k-β_k+1)]
// (Xie et al., Syst. Biol. 60, 150 (2011)), with a running shift against overflow.
func (l *ladder) gather() {
	for k := range l.stones {
		hot := l.rungs[k+1]
		delta := l.rungs[k].beta - hot.beta
		for _, like := range hot.like {
			v := delta * like
			if v > l.shift[k] {
				l.stones[k] *= math.Exp(l.shift[k] - v)
				l.shift[k] = v
			}
			l.stones[k] += math.Exp(v - l.shift[k])
		}
	}
	l.gathered += len(l.rungs[0].theta)
}

func (l *ladder) record() {
	cold := l.rungs[0]
	for i, t := range cold.theta {
		l.trace[i] = append(l.trace[i], t...)
		l.logp[i] = append(l.logp[i], cold.prior[i]+cold.like[i])
	}
}

func (l *ladder) logEvidence() float64 {
	var sum float64
	for k := range l.stones {
		sum += l.shift[k] + math.Log(l.stones[k]/float64(l.gathered))
	}
	return sum
}

func collect(ladders []*ladder) *Chains {
	out := &Chains{D: ladders[0].target.Dim(), LogEvidence: math.NaN(), LogEvidenceError: math.NaN()}
	pairs := len(ladders[0].swapped)
	out.Swaps = make([]float64, pairs)
	var z []float64
	for _, l := range ladders {
		out.Theta = append(out.Theta, l.trace...)
		out.LogDensity = append(out.LogDensity, l.logp...)
		out.Acceptance += float64(l.rungs[0].accepted) / float64(l.rungs[0].proposed) / float64(len(ladders))
		for k := range pairs {
			out.Swaps[k] += l.swapped[k] / l.tried[k] / float64(len(ladders))
		}
		z = append(z, l.logEvidence())
	}
	if pairs > 0 {
		out.LogEvidence, out.LogEvidenceError = meanOf(z)
	}
	out.diagnose(len(ladders))
	return out
}

// meanOf is the mean and its standard error.
func meanOf(v []float64) (mean, stdError float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		stdError += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(stdError / (n - 1) / n)
}
