package stages

import (
	"context"
	"math"
	"math/rand/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/reference"
	"oceaninv/workflow/stage"
)

// validateHMC reports what Hamiltonian chains cannot do.
func (s *sampleStage) validateHMC(d *stage.Decoder) {
	o := s.HMC
	if o.Chains < 1 || o.BurnIn < 50 || o.Steps < 4 || !(o.Path > 0) || !(o.Accept > 0 && o.Accept < 1) {
		d.Errorf("hmc", "Unsuitable options", "Give at least 1 chain, 50 steps of burn_in, 4 steps, a positive path and an accept between 0 and 1.")
		return
	}
	if kept := o.Chains * o.Steps; s.Draws < 2 || s.Draws > kept {
		d.Errorf("draws", "Unsuitable number of draws", "draws = %d: give 2 to %d, what the chains keep.", s.Draws, kept)
	}
	switch s.Problem.Noise.Convention {
	case inversion.PerToneSample, inversion.PooledSample:
		d.Errorf("method", "Noise that depends on the sample",
			"Gradients need a noise variance that is the same for all samples, not convention %q; use method = %q.", s.Problem.Noise.Convention, methodTempering)
	}
}

// hamiltonianTries is the number of positions, drawn from the prior, of which a
// Hamiltonian chain starts at the most probable: it cannot leave a mode it is in.
const hamiltonianTries = 2000

// hamiltonian samples observation i along gradients, in the prior's unbounded
// coordinates: those of the forward model itself where it has them, else central
// differences.
func (s *sampleStage) hamiltonian(ctx context.Context, cores int, o *observed, i int, from start) (*reference.Chains, error) {
	options := s.HMC
	options.Seed, options.Workers = itemSeed(s.Options.Seed, i), cores
	begin := func(u []float64, rng *rand.Rand) {
		from(u, rng)
		o.prior.Unbounded(u, u)
	}
	if !s.start.Present() {
		begin = func(u []float64, rng *rand.Rand) { o.likeliest(u, i, from, rng) }
	}
	c, err := reference.HMC(ctx, func() (inversion.Gradient, error) { return o.gradient(i) }, begin, options)
	if err != nil {
		return nil, err
	}
	for _, chain := range c.Theta { // back to parameters
		for k := 0; k < len(chain); k += c.D {
			o.prior.Bounded(chain[k:k+c.D], chain[k:k+c.D])
		}
	}
	return c, nil
}

// likeliest sets u to the unbounded coordinates of the most probable of many positions,
// or to the last where none can be evaluated.
func (o *observed) likeliest(u []float64, i int, from start, rng *rand.Rand) {
	theta, best := make([]float64, len(u)), math.Inf(-1)
	target, err := o.target(i)
	for range hamiltonianTries {
		from(theta, rng)
		l := math.Inf(-1)
		if err == nil {
			l = target.LogDensity(theta)
		}
		if l >= best {
			best = l
			o.prior.Unbounded(u, theta)
		}
	}
}

// gradient is the posterior of observation i with its gradient, in unbounded
// coordinates, for one goroutine.
func (o *observed) gradient(i int) (inversion.Gradient, error) {
	f, err := o.forward()
	if err != nil {
		return nil, err
	}
	model, ok := f.(inversion.Differentiable)
	if !ok {
		model = inversion.NewFiniteDifferences(f, o.prior, o.problem.DataSize())
	}
	t, err := inversion.NewGradientTarget(o.prior, model, inversion.NewLikelihood(o.problem.Likelihood, o.noise), o.data(i))
	if err != nil {
		return nil, err
	}
	return inversion.NewUnboundedTarget(o.prior, t), nil
}
