package stages

import (
	"fmt"
	"math"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

const (
	// localPairs of truth and draw, at most, train the local classifier test, which
	// is tried so many times under its null.
	localPairs, localPermutations = 1000, 100
	// localLeast is the least number of observations for it.
	localLeast = 100
	// localDraws of the first observation are judged.
	localDraws = 500
)

// local is the local classifier two-sample test at the first observation, trained on
// the others; nil without enough of them. Observations are summarised by their own
// posterior's means and log standard deviations.
func (c *comparison) local(seed uint64) *calibration.LC2STResult {
	if c.truth == nil || c.n <= localLeast {
		return nil
	}
	rng := inversion.Rand(seed, inversion.DrawStream, 4)
	with := func(theta []float64, i int) []float64 {
		row := append([]float64(nil), theta...)
		for j := range theta {
			s := c.approx[i].Summarize(j)
			row[j] = (theta[j] - s.Mean) / s.SD // what is wrong is seen on the posterior's own scale
			row = append(row, s.Mean, math.Log(s.SD))
		}
		return row
	}
	var truths, draws, first [][]float64
	for i := 1; i < min(c.n, localPairs+1); i++ {
		truths = append(truths, with(c.truth[i], i))
		draws = append(draws, with(c.approx[i].Resample(1, rng).Row(0), i))
	}
	few := c.approx[0].Resample(min(localDraws, c.approx[0].N()), rng)
	for k := range few.N() {
		first = append(first, with(few.Row(k), 0))
	}
	for _, rows := range [][][]float64{truths, draws, first} {
		for _, r := range rows {
			for _, v := range r {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil // a posterior without width has no scale
				}
			}
		}
	}
	res := calibration.LC2ST(truths, draws, first, localPermutations, seed)
	return &res
}

func localMetrics(r *calibration.LC2STResult) []stage.Metric {
	if r == nil {
		return nil
	}
	p := r.PValue
	return []stage.Metric{estimated("local_c2st_p", "", calibration.Estimate{Value: p, StdError: math.Sqrt(p * (1 - p) / localPermutations)}, false,
		"Probability, were the posterior right at the first observation, of a local classifier two-sample test (trained on the other observations) that finds more.")}
}

// spread is the disagreement of the posterior with those of other trainings, per
// observation; nil without any.
func (c *comparison) spread(paths []string) ([]float64, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	members := make([][]*inversion.Draws, c.n)
	for i := range members {
		members[i] = []*inversion.Draws{c.approx[i]}
	}
	for _, path := range paths {
		p, err := dataset.ReadPosterior(path)
		if err != nil {
			return nil, stage.BadInput(err)
		}
		if p.Len() < c.first+c.n || len(p.Parameters) != len(c.parameters) {
			return nil, stage.BadInput(fmt.Errorf("ensemble: %s has %d observations of %d parameters, the posterior %d of %d",
				path, p.Len(), len(p.Parameters), c.n, len(c.parameters)))
		}
		for i := range members {
			members[i] = append(members[i], drawsOf(p, c.first+i))
		}
	}
	out := make([]float64, c.n)
	for i := range out {
		out[i] = calibration.EnsembleSpread(members[i])
	}
	return out, nil
}

// foreignSpread is the disagreement of an ensemble, in posterior standard deviations,
// above which its members do not know an observation.
const foreignSpread = 1

func spreadMetrics(values []float64) []stage.Metric {
	if values == nil {
		return nil
	}
	return []stage.Metric{
		estimated("ensemble_spread", "", calibration.Mean(values), false,
			"Mean over observations of the scatter of an ensemble's posterior means, in their standard deviations: small where trainings agree."),
		estimated("ensemble_foreign", "", share(values, func(v float64) bool { return v > foreignSpread }), false,
			"Share of observations on which the means of an ensemble's posteriors scatter by more than their standard deviation: none of them should be trusted there."),
	}
}
