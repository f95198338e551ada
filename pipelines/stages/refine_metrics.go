package stages

import (
	"math"
	"slices"

	"oceaninv/inversion/calibration"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// refineMetrics sums up what the refinement of all observations was worth. Draws
// without a density have no weights of their own to speak of.
func refineMetrics(p *dataset.Posterior, weighted bool) []stage.Metric {
	efficiency, adapted := diagnostic(p, "efficiency"), diagnostic(p, "rounds")
	var out []stage.Metric
	if weighted {
		out = append(out,
			estimated("median_efficiency", "", medianOf(efficiency), false,
				"Median over observations of the effective sample size of the raw importance weights, as a fraction of the draws."),
			estimated("k_hat_reliable", "", share(diagnostic(p, "k_hat"), func(k float64) bool { return k < reference.KHatLimit }), false,
				"Share of observations whose raw importance weights have a tail index (Pareto k-hat) below 0.7: those that can be relied on."))
	}
	if c := diagnostic(p, "correction_efficiency"); slices.Max(c) > 0 {
		out = append(out, estimated("worst_correction_efficiency", "", calibration.Smallest(c, 0), false,
			"Least effective sample size over draws, of any observation, of the weights that carry draws from the interpolated field over to the forward model itself."))
	}
	return append(out,
		estimated("adapted", "", share(adapted, func(r float64) bool { return r > 0 }), false,
			"Share of observations whose raw weights were poor, so that the proposal was adapted to them."),
		estimated("warned", "", share(diagnostic(p, "warned"), func(w float64) bool { return w > 0 }), false,
			"Share of observations where neither weights nor adaptation were good enough: their draws rest on Markov chains and carry a warning."),
		estimated("acceptance", "", calibration.Mean(diagnostic(p, "acceptance")), false,
			"Mean share of Markov-chain moves of the resampled draws that were accepted."))
}

// estimated is a metric from an estimate with its Monte-Carlo error, or without one where the error is not known.
func estimated(name, unit string, e calibration.Estimate, headline bool, sentence string) stage.Metric {
	if math.IsNaN(e.StdError) || math.IsInf(e.StdError, 0) {
		e.StdError = 0 // a metric's word for not known, which is neither written nor printed
	}
	return stage.Metric{Name: name, Value: e.Value, Error: e.StdError, Unit: unit, Sentence: sentence, Headline: headline}
}

// diagnostic is a column of a posterior's diagnostics; nil without it.
func diagnostic(p *dataset.Posterior, name string) []float64 {
	for _, c := range p.Diagnostics {
		if c.Name == name {
			return c.Values
		}
	}
	return nil
}

// share is the fraction of values that satisfy f, with its binomial error.
func share[T any](values []T, f func(T) bool) calibration.Estimate {
	n, k := float64(len(values)), 0.0
	for _, v := range values {
		if f(v) {
			k++
		}
	}
	q := k / n
	return calibration.Estimate{Value: q, StdError: math.Sqrt(q * (1 - q) / n)}
}

// medianOf is the sample median; its error is half the width between the order
// statistics one binomial standard deviation to either side.
func medianOf(values []float64) calibration.Estimate {
	x := slices.Sorted(slices.Values(values))
	n := len(x)
	at := func(p float64) float64 { return x[min(n-1, max(0, int(p*float64(n))))] }
	s := 0.5 / math.Sqrt(float64(n))
	return calibration.Estimate{Value: (x[(n-1)/2] + x[n/2]) / 2, StdError: (at(0.5+s) - at(0.5-s)) / 2}
}
