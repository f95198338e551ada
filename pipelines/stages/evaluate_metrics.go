package stages

import (
	"math"

	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// writeScores stores what was measured for each observation.
func writeScores(path string, c *comparison, m *measured) error {
	t := dataset.Table{Title: "Scores of a posterior, per observation",
		Index: dataset.Column{Name: "observation", LongName: "number of the observation", Unit: "1", Values: make([]float64, c.n)}}
	for i := range c.n {
		t.Index.Values[i] = float64(i)
	}
	add := func(name, long, unit string, values []float64) {
		if values != nil {
			t.Columns = append(t.Columns, dataset.Column{Name: name, LongName: long, Unit: unit, Values: values})
		}
	}
	for j, p := range c.parameters {
		add("sd_"+p.Name, "standard deviation of the draws of "+p.LongName, p.Unit, m.sd[j])
		if m.distances != nil {
			add("wasserstein_"+p.Name, "Wasserstein-1 distance to the exact marginal of "+p.LongName, p.Unit, m.wasserstein[j])
			add("exact_sd_"+p.Name, "standard deviation of the exact posterior of "+p.LongName, p.Unit, column(c.exactSD, j))
		}
		if m.mse != nil {
			add("mse_"+p.Name, "mean squared distance of the draws of "+p.LongName+" to the truth", "("+p.Unit+")^2", m.mse[j])
			add("z_score_"+p.Name, "mean of the draws of "+p.LongName+" less the truth, over their standard deviation", "1", m.z[j])
		}
	}
	if m.distances != nil {
		add("sliced_wasserstein", "sliced Wasserstein-2 distance to the exact posterior, in exact standard deviations", "1", m.sliced)
		add("mmd_squared", "unbiased squared maximum mean discrepancy from the exact posterior", "1", m.mmd)
		add("c2st", "accuracy of the classifier two-sample test against the exact posterior", "1", m.accuracy)
	}
	if m.density != nil {
		add("log_density_at_truth", "log density of the model at the truth, nat", "1", m.density.logDensity)
	}
	add("ensemble_spread", "scatter of an ensemble's posterior means over their standard deviation", "1", m.spread)
	add("shortfall", "mean over the exact posterior of its log density less the model's, nat", "1", m.shortfall)
	if m.predicted != nil {
		add("resimulation_error", "mean distance of the field at draws to the data, over the data's norm", "1", m.predicted.resimulation)
		add("predictive_p", "posterior predictive p value of chi-square over all tones", "1", m.predicted.totalP)
	}
	return dataset.WriteTable(path, t)
}

// metrics sums the scores up, each with a sentence on what it means.
func (s *evaluate) metrics(c *comparison, m *measured) []stage.Metric {
	out := s.distanceMetrics(c, m)
	if m.shortfall != nil {
		out = append(out, estimated("shortfall", "nat", calibration.Mean(m.shortfall), s.Headline,
			"Mean log density that the model gives away against the exact posterior (Kullback-Leibler divergence): 0 is exact."))
	}
	for j, p := range c.parameters {
		out = append(out, m.scores.metrics(p, j)...)
	}
	if m.outside != nil {
		out = append(out, estimated("outside_prior", "", calibration.Mean(m.outside), false,
			"Share of draws outside the prior: what no observation can make possible."))
	}
	if c.typical != nil || (c.misfit != nil && !math.IsNaN(c.misfit[0])) {
		out = append(out, estimated("out_of_distribution", "", share(outOfDistribution(c.misfit, c.typical), func(foreign bool) bool { return foreign }), false,
			"Share of observations unlike anything the model was trained on, by the misfit of their best replica or, without replicas, farther out than 499 of 500 simulated experiments."))
	}
	out = append(out, m.calibrated.metrics(c, s.Headline)...)
	out = append(out, m.density.metrics(s.Headline)...)
	out = append(out, localMetrics(m.local)...)
	out = append(out, spreadMetrics(m.spread)...)
	return append(out, m.predicted.metrics()...)
}

// distanceMetrics are those of the distances to the exact posterior.
func (s *evaluate) distanceMetrics(c *comparison, m *measured) []stage.Metric {
	if m.distances == nil {
		return nil
	}
	var out []stage.Metric
	all, floor, over := make([]float64, c.n), make([]float64, c.n), make([]float64, c.n)
	for j, p := range c.parameters {
		out = append(out,
			estimated("wasserstein_"+p.Name, p.Unit, calibration.Mean(m.wasserstein[j]), s.Headline,
				"Mean Wasserstein-1 distance between drawn and exact posterior of "+p.LongName+": how far probability would have to move."),
			estimated("exact_sd_"+p.Name, p.Unit, calibration.Mean(column(c.exactSD, j)), s.Headline,
				"Mean standard deviation of the exact posterior of "+p.LongName+": the width that the distance above is to be compared with."))
		for i := range all {
			all[i] += m.relative[j][i] / float64(len(c.parameters))
			floor[i] += m.floor[j][i] / float64(len(c.parameters))
			over[i] = max(over[i], m.relative[j][i]/m.floor[j][i])
		}
	}
	out = append(out,
		estimated("mean_wasserstein", "", calibration.Mean(all), s.Headline,
			"Mean 1-D Wasserstein distance to the exact posterior, in its standard deviations, over parameters and observations: 0 is exact."),
		estimated("wasserstein_floor", "", calibration.Mean(floor), false,
			"What the mean distance above would be if the draws were exact: the Monte-Carlo error of so many draws."),
		estimated("worst_wasserstein_over_floor", "", calibration.Largest(over, s.Seed), false,
			"Largest Wasserstein distance of any parameter and observation, over that expected of exact draws; up to about 3 is Monte-Carlo error."),
		estimated("sliced_wasserstein", "", calibration.Mean(m.sliced), false,
			"Sliced Wasserstein-2 distance to the exact joint posterior, in its standard deviations."),
		estimated("mmd_squared", "", calibration.Mean(m.mmd), false,
			"Mean unbiased squared maximum mean discrepancy from the exact joint posterior, in its standard deviations, with an inverse multiquadric kernel: 0 on average where the draws are exact."))
	out = append(out, estimated("worst_mean_wasserstein", "", c.worst(all, s.Seed), false,
		"Largest mean over parameters of the Wasserstein distance, in exact standard deviations, over the observations without a warning."))
	if !math.IsNaN(m.accuracy[0]) {
		worst := c.worst(m.accuracy, s.Seed)
		// Besides which observations there are, the classifier's own test of so many draws.
		worst.StdError = math.Hypot(worst.StdError, math.Sqrt(worst.Value*(1-worst.Value)/float64(2*s.ClassifierDraws)))
		out = append(out,
			estimated("c2st", "", calibration.Mean(m.accuracy), s.Headline,
				"Mean accuracy of classifiers that tell draws from the exact posterior: 0.5 is indistinguishable, 1 is disjoint."),
			estimated("worst_c2st", "", worst, false,
				"Largest such accuracy over the observations without a warning; the largest of many is above 0.5 by chance."))
	}
	return out
}

// worst is the largest value over the observations without a warning.
// With a warning at every one it is 0.
func (c *comparison) worst(values []float64, seed uint64) calibration.Estimate {
	var kept []float64
	for i, v := range values {
		if c.warned == nil || c.warned[i] == 0 {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		return calibration.Estimate{}
	}
	return calibration.Largest(kept, seed)
}

// metrics of parameter j against the truth and the prior.
func (s *scores) metrics(p dataset.Parameter, j int) []stage.Metric {
	var out []stage.Metric
	if s.mse != nil {
		square := make([]float64, len(s.z[j]))
		for i, z := range s.z[j] {
			square[i] = z * z
		}
		out = append(out,
			estimated("mse_"+p.Name, "("+p.Unit+")^2", calibration.Mean(s.mse[j]), false,
				"Mean squared distance of draws of "+p.LongName+" to the truth, as the paper reports it; it rewards a posterior that is too narrow."),
			estimated("z_square_"+p.Name, "", calibration.Mean(square), false,
				"Mean squared z-score of the true "+p.LongName+": near 1 where the posterior's width is its error; above, it is too narrow."))
	}
	if s.contraction != nil {
		out = append(out, estimated("contraction_"+p.Name, "", calibration.Mean(s.contraction[j]), false,
			"Mean contraction of "+p.LongName+", 1 less posterior over prior variance: 1 where the data tell everything, 0 where they tell nothing."))
	}
	return out
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
		out = append(out,
			estimated("coverage_error_"+p.Name, "", k.coverage[j].Worst, headline,
				"Largest difference, over 20 levels, between the nominal coverage of central intervals of "+p.LongName+" and how often they hold the truth."),
			estimated("coverage_bias_"+p.Name, "", k.coverage[j].Bias, false,
				"Mean over levels of observed less nominal coverage of central intervals of "+p.LongName+": below 0 is too narrow, above 0 too wide."),
			estimated("calibration_error_"+p.Name, "", k.errors[j].Median, false,
				"Median over 100 levels of the coverage error of "+p.LongName+", the calibration error of Ardizzone et al."),
			estimated("calibration_error_68_"+p.Name, "", k.errors[j].At68, false,
				"Coverage of the central 68 % interval of "+p.LongName+" less 0.68."),
			estimated("width_68_"+p.Name, p.Unit, k.errors[j].Width68, false,
				"Median width of the central 68 % interval of "+p.LongName+"."),
			estimated("sbc_excess_"+p.Name, "", k.sbc[j].Excess, false,
				"Largest deviation of the ranks of the true "+p.LongName+" from uniform, in half widths of the 95 % band: above 1 the posterior is not calibrated."),
			estimated("sbc_p_"+p.Name, "", k.sbc[j].ExcessP, false,
				"Probability, if calibrated, of ranks of the true "+p.LongName+" that deviate by as much of the band, by simulation of uniform ranks."),
			estimated("pit_p_"+p.Name, "", k.coverage[j].KolmogorovSmirnov, false,
				"Probability, if calibrated, of central levels (folded PIT) of the true "+p.LongName+" that are less uniform (Kolmogorov-Smirnov), by simulation of uniform levels."))
	}
	return append(out,
		estimated("tarp_error", "", k.tarp.Worst, false,
			"Largest difference between nominal and observed coverage of the joint posterior (TARP, regions around random points)."),
		estimated("tarp_bias", "", k.tarp.Bias, false,
			"Area between observed and nominal coverage of TARP above the level ½: below 0 is too narrow, above 0 too wide."),
		estimated("tarp_p", "", k.tarp.KolmogorovSmirnov, false,
			"Probability, if calibrated, of levels of TARP that are less uniform (Kolmogorov-Smirnov), by simulation of uniform levels."))
}
