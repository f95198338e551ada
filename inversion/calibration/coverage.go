package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"oceaninv/inversion"
)

// CoverageResult is the observed coverage of credible regions against their
// nominal one.
type CoverageResult struct {
	// Nominal levels, Observed coverage and its binomial standard error.
	Nominal, Observed, StdError []float64
	// Worst is the largest |observed - nominal|, with the standard error there.
	Worst Estimate
	// KolmogorovSmirnov is the p value of the levels being uniform, with the standard
	// error of its simulation.
	KolmogorovSmirnov Estimate
	// Inside says whether the coverage stays in the 95 % simultaneous band.
	Inside bool
	// Bias is the mean of observed - nominal (of TARP: its area above ½): below 0 is
	// too narrow (overconfident), above 0 too wide.
	Bias Estimate
}

// Coverage compares levels, the smallest credible level whose region holds the
// truth for each observation, with the uniform distribution, at k nominal levels
// evenly spaced in (0, 1].
func Coverage(levels []float64, k int, seed uint64) CoverageResult {
	n := len(levels)
	if n == 0 || k < 1 {
		panic(fmt.Sprintf("calibration: coverage of %d observations at %d levels", n, k))
	}
	sorted := slices.Clone(levels)
	slices.Sort(sorted)
	var res CoverageResult
	inner, count := make([]float64, k), make([]int, k)
	for i := range k {
		q := (float64(i) + 0.5) / float64(k)
		c, _ := slices.BinarySearch(sorted, math.Nextafter(q, 2))
		p := float64(c) / float64(n)
		inner[i], count[i] = q, c
		res.Nominal = append(res.Nominal, q)
		res.Observed = append(res.Observed, p)
		res.StdError = append(res.StdError, math.Sqrt(q*(1-q)/float64(n)))
		if d := math.Abs(p - q); d >= res.Worst.Value {
			res.Worst = Estimate{d, res.StdError[i]}
		}
	}
	res.Inside = newBand(inner, n, 0.95, seed).holds(count)
	res.KolmogorovSmirnov = kolmogorovSmirnov(sorted, seed)
	bias := make([]float64, n)
	for i, l := range levels { // ∫ (1[l ≤ q] - q) dq = ½ - l
		bias[i] = 0.5 - l
	}
	res.Bias = Mean(bias)
	return res
}

// CentralLevel is the smallest level of a central interval of weighted draws that
// holds the truth: |2F(truth) - 1|. The draws' distribution function has steps; F is
// uniform within the truth's own, so that the level of an exact posterior is exactly
// uniform whatever the number of draws.
func CentralLevel(draws, weights []float64, truth float64, rng *rand.Rand) float64 {
	var below, equal, sum float64
	for i, v := range draws {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		sum += w
		switch {
		case v < truth:
			below += w
		case v == truth:
			equal += w
		}
	}
	own := sum/float64(len(draws)) + equal
	return math.Abs(2*(below+rng.Float64()*own)/(sum+sum/float64(len(draws))) - 1)
}

// HighestDensityLevel is the smallest level of a highest-density region that holds
// the truth: the weight of draws whose log density is above the truth's (Hermans et
// al., arXiv 2110.06581, algorithm 1), placed at random within the truth's own
// step as in CentralLevel. Both densities are those of the posterior under test.
func HighestDensityLevel(draws *inversion.Draws, logDensityAtTruth float64, rng *rand.Rand) float64 {
	if draws.LogProb == nil {
		panic("calibration: highest-density level of draws without a density")
	}
	var level float64
	for i, w := range draws.Weights() {
		if draws.LogProb[i] > logDensityAtTruth {
			level += w
		}
	}
	return randomized(level, draws.N(), rng)
}

// randomized places the truth among n draws of which a weight level lies before
// it: (level + U/n)/(1 + 1/n).
func randomized(level float64, n int, rng *rand.Rand) float64 {
	own := 1 / float64(n)
	return (level + rng.Float64()*own) / (1 + own)
}

// CalibrationError is the calibration error of Ardizzone et al. (arXiv 1808.04730,
// as in their evaluation code): over 100 levels q, the error of the coverage of
// central intervals.
type CalibrationError struct {
	// Median of |coverage - q|, and the signed error at q = 0.68.
	Median, At68 Estimate
	// Width68 is the median width of the central 68 % interval, in the
	// parameter's unit.
	Width68 Estimate
}

// ArdizzoneError is the calibration error of one parameter over observations:
// levels from CentralLevel and the widths of the 68 % intervals.
func ArdizzoneError(levels, width68 []float64) CalibrationError {
	n := float64(len(levels))
	sorted := slices.Clone(levels)
	slices.Sort(sorted)
	errors := make([]float64, 100)
	at := func(q float64) float64 {
		c, _ := slices.BinarySearch(sorted, math.Nextafter(q, 2))
		return float64(c)/n - q
	}
	for i := range errors {
		errors[i] = math.Abs(at((float64(i) + 0.5) / 100))
	}
	widths := slices.Clone(width68)
	slices.Sort(widths)
	return CalibrationError{
		// The median level is ½, where a coverage has its largest error.
		Median:  Estimate{median(errors), 0.5 / math.Sqrt(n)},
		At68:    Estimate{at(0.68), math.Sqrt(0.68 * 0.32 / n)},
		Width68: Estimate{median(widths), medianError(widths)},
	}
}

// medianError is the standard error of the median of sorted values: half the distance of
// the order statistics √n/2 on either side, whose ranks are one standard deviation of
// the binomial law away.
func medianError(sorted []float64) float64 {
	n := len(sorted)
	if n < 4 {
		return math.NaN()
	}
	middle, reach := float64(n-1)/2, math.Sqrt(float64(n))/2
	return (sorted[min(n-1, int(math.Ceil(middle+reach)))] - sorted[max(0, int(middle-reach))]) / 2
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// kolmogorovSmirnov is the p value of sorted values being uniform on [0, 1]: the share of
// simulated sets of as many uniform values whose distance is at least as large, with the
// standard error of the simulation.
func kolmogorovSmirnov(sorted []float64, seed uint64) Estimate {
	const simulations = 1000
	rng := inversion.Rand(seed, inversion.DrawStream, 3)
	distance, uniform, above := largestDistance(sorted), make([]float64, len(sorted)), 0
	for range simulations {
		sortedUniform(uniform, rng)
		if largestDistance(uniform) >= distance {
			above++
		}
	}
	p := (float64(above) + 1) / (simulations + 1)
	return Estimate{p, math.Sqrt(p * (1 - p) / simulations)}
}

// sortedUniform sets v to the order statistics of uniform values: partial sums of
// exponential ones over their total.
func sortedUniform(v []float64, rng *rand.Rand) {
	sum := 0.0
	for i := range v {
		sum += rng.ExpFloat64()
		v[i] = sum
	}
	sum += rng.ExpFloat64()
	for i := range v {
		v[i] /= sum
	}
}

// largestDistance is Kolmogorov's, of the distribution of sorted values to the uniform one.
func largestDistance(sorted []float64) float64 {
	n := float64(len(sorted))
	var d float64
	for i, v := range sorted {
		d = math.Max(d, math.Max(float64(i+1)/n-v, v-float64(i)/n))
	}
	return d
}

// chiSquareSurvival is the probability of a chi-square above x, NaN without degrees of
// freedom.
func chiSquareSurvival(x float64, degrees int) float64 {
	if degrees == 0 || math.IsNaN(x) {
		return math.NaN()
	}
	if x <= 0 {
		return 1
	}
	return mathext.GammaIncRegComp(float64(degrees)/2, x/2)
}
