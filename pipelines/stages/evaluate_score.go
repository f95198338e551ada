package stages

import (
	"context"
	"errors"
	"math"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// scores are distances to the exact posterior and errors against the truth.
type scores struct {
	wasserstein [][]float64 // [parameter][observation], in the parameter's unit
	relative    [][]float64 // the same over the exact standard deviation
	sliced      []float64   // [observation], in exact standard deviations
	mse         [][]float64 // [parameter][observation]: mean squared distance of draws to the truth
	sd          [][]float64 // [parameter][observation]
}

// slicedDirections is the number of projections of the sliced Wasserstein distance.
const slicedDirections = 64

// score measures every observation.
func (c *comparison) score(seed uint64) *scores {
	d := len(c.parameters)
	s := &scores{wasserstein: table(d, c.n), relative: table(d, c.n), sliced: make([]float64, c.n), mse: table(d, c.n), sd: table(d, c.n)}
	for i := range c.n {
		a, b := c.approx[i], c.exact[i]
		for j := range d {
			w := calibration.Wasserstein1(a.Column(j), a.Weights(), b.Column(j), nil)
			s.wasserstein[j][i], s.relative[j][i] = w, w/c.exactSD[i][j]
			s.sd[j][i] = a.Summarize(j).SD
			if c.truth != nil {
				s.mse[j][i] = meanSquare(a, j, c.truth[i][j])
			}
		}
		s.sliced[i] = calibration.SlicedWasserstein(a, b, c.exactSD[i], 2, slicedDirections, seed).Value
	}
	return s
}

func table(rows, columns int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, columns)
	}
	return out
}

// meanSquare is the paper's posterior error, mean (x − x*)² over the draws.
func meanSquare(a *inversion.Draws, j int, truth float64) float64 {
	sum := 0.0
	for k, w := range a.Weights() {
		e := a.Row(k)[j] - truth
		sum += w * e * e
	}
	return sum
}

// calibrated is the agreement of the posterior with the truth over observations.
type calibrated struct {
	coverage []calibration.CoverageResult // per parameter
	sbc      []calibration.SBCResult
	tarp     calibration.CoverageResult
}

// coverageLevels is the number of nominal levels of a coverage curve.
const coverageLevels = 20

// calibrate checks the posterior against the truths; nil without truths.
func (c *comparison) calibrate(seed uint64) *calibrated {
	if c.truth == nil || c.n < 2 {
		return nil
	}
	out := new(calibrated)
	rng := inversion.Rand(seed, inversion.DrawStream, 0)
	equal := make([]*inversion.Draws, c.n) // with equal weights, for ranks
	for i, a := range c.approx {
		equal[i] = a
		if a.LogWeight != nil {
			equal[i] = a.Resample(a.N(), rng)
		}
	}
	for j := range c.parameters {
		levels, ranks := make([]float64, c.n), make([]int, c.n)
		for i, a := range equal {
			column := a.Column(j)
			levels[i] = calibration.CentralLevel(column, nil, c.truth[i][j], rng)
			ranks[i] = calibration.Rank(column, c.truth[i][j], rng)
		}
		out.coverage = append(out.coverage, calibration.Coverage(levels, coverageLevels, seed))
		out.sbc = append(out.sbc, calibration.SBC(ranks, equal[0].N(), 0.95, seed))
	}
	out.tarp = calibration.TARP(equal, c.truth, coverageLevels, seed)
	return out
}

// densityFunc evaluates a model's log density at parameters, for an observation.
type densityFunc func(dst, theta []float64, data []complex128) error

// modelDensities runs f for every observation with the model's density.
func modelDensities(ctx context.Context, cores int, e amortized.Estimator, n int, f func(density densityFunc, i int) error) error {
	if _, ok := e.(*amortized.Conditional); !ok {
		return stage.BadInput(errors.New("this kind of model has no density; leave model and observation out of evaluate"))
	}
	return forObservations(ctx, cores, n, e, func(s amortized.Sampler, i int) error {
		return f(s.(*amortized.Session).LogDensity, i)
	})
}

// writeScores stores what was measured for each observation.
func (s *evaluate) writeScores(path string, c *comparison, m *scores, shortfall []float64) error {
	t := dataset.Table{Title: "Scores of a posterior, per observation",
		Index: dataset.Column{Name: "observation", LongName: "number of the observation", Unit: "1", Values: make([]float64, c.n)}}
	for i := range c.n {
		t.Index.Values[i] = float64(i)
	}
	add := func(name, long, unit string, values []float64) {
		t.Columns = append(t.Columns, dataset.Column{Name: name, LongName: long, Unit: unit, Values: values})
	}
	for j, p := range c.parameters {
		add("wasserstein_"+p.Name, "Wasserstein-1 distance to the exact marginal of "+p.LongName, p.Unit, m.wasserstein[j])
		add("sd_"+p.Name, "standard deviation of the draws of "+p.LongName, p.Unit, m.sd[j])
		exact := make([]float64, c.n)
		for i := range exact {
			exact[i] = c.exactSD[i][j]
		}
		add("exact_sd_"+p.Name, "standard deviation of the exact posterior of "+p.LongName, p.Unit, exact)
		if c.truth != nil {
			add("mse_"+p.Name, "mean squared distance of the draws of "+p.LongName+" to the truth", "("+p.Unit+")^2", m.mse[j])
		}
	}
	add("sliced_wasserstein", "sliced Wasserstein-2 distance to the exact posterior, in exact standard deviations", "1", m.sliced)
	if shortfall != nil {
		add("shortfall", "mean over the exact posterior of its log density less the model's, nat", "1", shortfall)
	}
	return dataset.WriteTable(path, t)
}

// metrics sums the scores up, each with a sentence on what it means.
func (s *evaluate) metrics(c *comparison, m *scores, shortfall []float64, k *calibrated) []stage.Metric {
	var out []stage.Metric
	add := func(name string, values []float64, unit, sentence string, headline bool) {
		e := calibration.Mean(values)
		if math.IsNaN(e.StdError) {
			e.StdError = 0
		}
		out = append(out, stage.Metric{Name: name, Value: e.Value, Error: e.StdError, Unit: unit, Sentence: sentence, Headline: headline && s.Headline})
	}
	all := make([]float64, c.n)
	for j, p := range c.parameters {
		add("wasserstein_"+p.Name, m.wasserstein[j], p.Unit,
			"Mean Wasserstein-1 distance between drawn and exact posterior of "+p.LongName+": how far probability would have to move.", true)
		add("exact_sd_"+p.Name, column(c.exactSD, j), p.Unit, "Mean standard deviation of the exact posterior of "+p.LongName+": the width that the distance above is to be compared with.", true)
		for i := range all {
			all[i] += m.relative[j][i] / float64(len(c.parameters))
		}
	}
	add("mean_wasserstein", all, "", "Mean 1-D Wasserstein distance to the exact posterior, in its standard deviations, over parameters and observations: 0 is exact.", true)
	add("sliced_wasserstein", m.sliced, "", "Sliced Wasserstein-2 distance to the exact joint posterior, in its standard deviations.", false)
	if shortfall != nil {
		add("shortfall", shortfall, "nat", "Mean log density that the model gives away against the exact posterior (Kullback-Leibler divergence): 0 is exact.", true)
	}
	if c.truth != nil {
		for j, p := range c.parameters {
			add("mse_"+p.Name, m.mse[j], "("+p.Unit+")^2", "Mean squared distance of draws of "+p.LongName+" to the truth, as the paper reports it; it rewards a posterior that is too narrow.", false)
		}
	}
	return append(out, k.metrics(c, s.Headline)...)
}

func column(rows [][]float64, j int) []float64 {
	out := make([]float64, len(rows))
	for i := range rows {
		out[i] = rows[i][j]
	}
	return out
}

func (k *calibrated) metrics(c *comparison, headline bool) []stage.Metric {
	if k == nil {
		return nil
	}
	var out []stage.Metric
	for j, p := range c.parameters {
		w := k.coverage[j].Worst
		out = append(out,
			stage.Metric{Name: "coverage_error_" + p.Name, Value: w.Value, Error: w.StdError, Headline: headline,
				Sentence: "Largest difference, over 20 levels, between the nominal coverage of central intervals of " + p.LongName + " and how often they hold the truth."},
			stage.Metric{Name: "sbc_excess_" + p.Name, Value: k.sbc[j].Excess,
				Sentence: "Largest deviation of the ranks of the true " + p.LongName + " from uniform, in half widths of the 95 % band: above 1 the posterior is not calibrated."})
	}
	return append(out, stage.Metric{Name: "tarp_error", Value: k.tarp.Worst.Value, Error: k.tarp.Worst.StdError,
		Sentence: "Largest difference between nominal and observed coverage of the joint posterior (TARP, regions around random points)."})
}
