package stages

import (
	"context"
	"fmt"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// foreignMisfit is the misfit ln(1 + χ²/N) above which an observation is said to
// be out of distribution, with a table of replicas: ln 3, twice the χ²/N = 1 of a well
// fitted one.
const foreignMisfit = 1.0986122886681098

// foreignSimulations is the least number of simulated experiments that observations are
// compared with where there is no table.
const foreignSimulations = 500

// typicality is, for each observation, the share of experiments simulated from the
// model's problem (parameters from the prior, field, noise) whose features lie at least
// as far out, by Mahalanobis distance; nil for a model with a table, whose misfit says
// more.
func typicality(ctx context.Context, cores int, e amortized.Estimator, layout dataset.Layout, obs dataset.Observations) ([]float64, error) {
	var form inversion.FeatureForm
	switch e := e.(type) {
	case *amortized.Conditional:
		if e.Match != nil {
			return nil, nil
		}
		form = e.Form
	case *amortized.INN:
		form = e.Form
	}
	p, err := problemOf(layout.Problem)
	if err != nil {
		return nil, stage.BadInput(err)
	}
	noise, err := knownNoise(p, layout.NoiseVariance)
	if err != nil {
		return nil, err
	}
	tones, m := len(p.Frequencies), p.DataSize()
	size := inversion.FeatureSize(form, p.Receivers(), tones)
	simulated := table(max(foreignSimulations, 4*size), size)
	err = forEach(ctx, cores, len(simulated), func() (func(context.Context, int) error, error) {
		forward, err := p.Forward()
		if err != nil {
			return nil, err
		}
		s, err := inversion.NewSimulator(p, inversion.Independent, noise, forward, noiseSeed)
		theta, field, n := make([]float64, len(p.Parameters)), make([]complex128, m), make([]complex128, m)
		return func(_ context.Context, i int) error {
			if err := s.Sample(i, theta, field, n); err != nil {
				return fmt.Errorf("simulating experiments to compare observations with: %w", err)
			}
			for k, v := range n {
				field[k] += v
			}
			inversion.Features(simulated[i], form, field, tones)
			return nil
		}, err
	})
	if err != nil {
		return nil, err
	}
	known, err := calibration.NewOutOfDistribution(simulated)
	if err != nil {
		return nil, err
	}
	out, features := make([]float64, obs.Len()), make([]float64, size)
	for i := range out {
		inversion.Features(features, form, obs.Pressure[i*m:(i+1)*m], tones)
		out[i] = known.PValue(features)
	}
	return out, nil
}

// foreignShare is the share, of simulated experiments, below which an observation is said
// to be out of distribution.
const foreignShare = 1.0 / foreignSimulations

// outOfDistribution tells which observations are unlike what the model was trained on, by
// their misfits or typicalities, of which one is known.
func outOfDistribution(misfit, typical []float64) []bool {
	out := make([]bool, max(len(misfit), len(typical)))
	for i := range out {
		out[i] = (misfit != nil && misfit[i] > foreignMisfit) || (typical != nil && typical[i] < foreignShare)
	}
	return out
}

// warnForeign tells of the observations, the first of which has this number, that are out of
// distribution.
func warnForeign(warn func(string), misfit, typical []float64, first int) {
	if warn == nil {
		return
	}
	for i, foreign := range outOfDistribution(misfit, typical) {
		switch {
		case !foreign:
		case typical != nil:
			warn(fmt.Sprintf("observation %d is unlike anything the model was trained on (farther out than 499 of 500 simulated experiments): do not trust its posterior", first+i))
		default:
			warn(fmt.Sprintf("observation %d is unlike anything the model was trained on (misfit %.2f, limit %.2f): do not trust its posterior", first+i, misfit[i], foreignMisfit))
		}
	}
}
