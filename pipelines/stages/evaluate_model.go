package stages

import (
	"context"
	"errors"
	"fmt"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// evaluated is a model with a density, and the observations it is evaluated at.
type evaluated struct {
	estimator amortized.Estimator
	pressure  []complex128
	size      int // data of one observation
}

// loadModel reads the model and the observations and checks that they belong to the
// posterior.
func (c *comparison) loadModel(ws *stage.Workspace) (*evaluated, error) {
	e, layout, err := readModel(ws.Input("model"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	if _, ok := e.(*amortized.Conditional); !ok {
		return nil, stage.BadInput(errors.New("this kind of model has no density; leave model and observation out of evaluate"))
	}
	obs, err := dataset.ReadObservations(ws.Input("observation"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	if err := oneSnapshot(obs, "the model"); err != nil {
		return nil, err
	}
	if obs.Len() < c.first+c.n {
		return nil, stage.BadInput(fmt.Errorf("the observations are not those of the posterior"))
	}
	if why := unsuited(layout, obs, c.first, c.first+c.n); why != "" {
		return nil, stage.BadInput(fmt.Errorf("the observation does not fit the model: %s", why))
	}
	size := obs.Size()
	return &evaluated{e, obs.Pressure[c.first*size:], size}, nil
}

// each runs f for every observation with the model's density at it.
func (m *evaluated) each(ctx context.Context, cores, n int, f func(density densityFunc, i int) error) error {
	return forObservations(ctx, cores, n, m.estimator, func(s amortized.Sampler, i int) error {
		data := m.pressure[i*m.size : (i+1)*m.size]
		return f(func(dst, theta []float64) error { return s.(*amortized.Session).LogDensity(dst, theta, data) }, i)
	})
}

// densityFunc evaluates a model's log density at parameters, for one observation.
type densityFunc func(dst, theta []float64) error

// shortfall is, per observation, the mean over exact draws of ln p(θ|y) − ln
// q(θ|y): the Kullback-Leibler divergence from the exact posterior to the model's.
func (m *evaluated) shortfall(ctx context.Context, cores int, c *comparison) ([]float64, error) {
	out := make([]float64, c.n)
	return out, m.each(ctx, cores, c.n, func(density densityFunc, i int) error {
		exact := c.exact[i]
		q := make([]float64, exact.N())
		if err := density(q, exact.Theta); err != nil {
			return err
		}
		for k := range q {
			out[i] += (exact.LogProb[k] - max(q[k], leastLogDensity)) / float64(len(q))
		}
		return nil
	})
}

// leastLogDensity stands for the logarithm of a density that underflows.
const leastLogDensity = -745

// truthDensity is what the model's density at the truths says.
type truthDensity struct {
	logDensity []float64                  // [observation]
	coverage   calibration.CoverageResult // of highest-density regions
}

// atTruth evaluates the model at the truths; nil without truths, or where draws have
// no density to compare with.
func (m *evaluated) atTruth(ctx context.Context, cores int, c *comparison, seed uint64) (*truthDensity, error) {
	if c.truth == nil || c.approx[0].LogProb == nil {
		return nil, nil
	}
	out, levels := &truthDensity{logDensity: make([]float64, c.n)}, make([]float64, c.n)
	err := m.each(ctx, cores, c.n, func(density densityFunc, i int) error {
		if err := density(out.logDensity[i:i+1], c.truth[i]); err != nil {
			return err
		}
		out.logDensity[i] = max(out.logDensity[i], leastLogDensity)
		levels[i] = calibration.HighestDensityLevel(c.approx[i], out.logDensity[i], inversion.Rand(itemSeed(seed, i), inversion.DrawStream, 2))
		return nil
	})
	if err == nil && c.n > 1 {
		out.coverage = calibration.Coverage(levels, coverageLevels, seed)
	}
	return out, err
}

func (t *truthDensity) metrics(headline bool) []stage.Metric {
	if t == nil {
		return nil
	}
	out := []stage.Metric{estimated("log_density_at_truth", "nat", calibration.Mean(t.logDensity), false,
		"Mean log density that the model gives the truth: the larger the better, and largest for the exact posterior.")}
	if len(t.coverage.Nominal) == 0 {
		return out
	}
	return append(out,
		estimated("hpd_coverage_error", "", t.coverage.Worst, headline,
			"Largest difference, over 20 levels, between the nominal coverage of highest-density regions and how often they hold the truth."),
		estimated("hpd_coverage_bias", "", t.coverage.Bias, false,
			"Mean over levels of observed less nominal coverage of highest-density regions: below 0 is too narrow, above 0 too wide."))
}
