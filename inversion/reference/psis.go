package reference

import (
	"math"
	"slices"

	"oceaninv/inversion"
)

// ImportanceSummary is what a set of importance weights is worth.
type ImportanceSummary struct {
	// EffectiveSize (Σw)²/Σw² of the smoothed weights, and that over the number of
	// draws.
	EffectiveSize, Efficiency float64
	// KHat is the tail index of the raw weights: above 0.7 they cannot be relied
	// on, and the effective size is fiction.
	KHat float64
	// LogEvidence is ln of the mean raw weight (the target's normalisation when
	// the proposal is normalised), with its relative standard error.
	LogEvidence, LogEvidenceError float64
}

// KHatLimit is the tail index above which importance weights are unreliable
// (Vehtari et al., J. Mach. Learn. Res. 25, 1-58 (2024)).
const KHatLimit = 0.7

// Smooth replaces log weights by Pareto-smoothed ones, in place and without
// changing their order: the largest min(n/5, 3√n) weights take the expected order
// statistics of the generalised Pareto distribution fitted to them, truncated at
// the largest raw weight (Vehtari et al. 2024, section 2).
func Smooth(logWeight []float64) ImportanceSummary {
	n := len(logWeight)
	if n == 0 {
		panic("reference: no weights to smooth")
	}
	out := ImportanceSummary{KHat: math.Inf(1), LogEvidence: math.Inf(-1), LogEvidenceError: math.NaN()}
	top := slices.Max(logWeight)
	if math.IsInf(top, -1) {
		return out
	}
	out.LogEvidence, out.LogEvidenceError = meanWeight(logWeight, top)
	tail := int(math.Min(float64(n)/5, 3*math.Sqrt(float64(n))))
	if tail >= 5 {
		out.KHat = smoothTail(logWeight, top, tail)
	}
	var sum, square float64
	for _, l := range logWeight {
		w := math.Exp(l - top)
		sum += w
		square += w * w
	}
	out.EffectiveSize = sum * sum / square
	out.Efficiency = out.EffectiveSize / float64(n)
	return out
}

// meanWeight is ln of the mean weight and its relative standard error.
func meanWeight(logWeight []float64, top float64) (logMean, relative float64) {
	n := float64(len(logWeight))
	var mean, square float64
	for _, l := range logWeight {
		mean += math.Exp(l-top) / n
	}
	for _, l := range logWeight {
		d := math.Exp(l-top) - mean
		square += d * d
	}
	return top + math.Log(mean), math.Sqrt(square/(n-1)/n) / mean
}

// smoothTail smooths the tail largest weights and returns their tail index.
func smoothTail(logWeight []float64, top float64, tail int) float64 {
	order := make([]int, len(logWeight))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case logWeight[a] < logWeight[b]:
			return -1
		case logWeight[a] > logWeight[b]:
			return 1
		}
		return 0
	})
	cut := math.Exp(logWeight[order[len(order)-tail-1]] - top)
	largest := order[len(order)-tail:]
	excess := make([]float64, tail)
	for i, k := range largest {
		excess[i] = math.Exp(logWeight[k]-top) - cut
	}
	if excess[tail-1] <= 1e-10 { // equal weights have no tail
		return math.Inf(-1)
	}
	kHat, sigma := fitPareto(excess)
	if math.IsNaN(kHat) {
		return math.Inf(1)
	}
	for i, k := range largest {
		p := (float64(i) + 0.5) / float64(tail)
		var q float64
		if math.Abs(kHat) < 1e-9 {
			q = -sigma * math.Log1p(-p)
		} else {
			q = sigma * math.Expm1(-kHat*math.Log1p(-p)) / kHat
		}
		logWeight[k] = top + math.Min(0, math.Log(cut+q))
	}
	return kHat
}

// fitPareto fits a generalised Pareto distribution to increasing excesses by the
// empirical Bayes estimate of Zhang & Stephens, Technometrics 51, 316-325 (2009),
// with the weak prior of Vehtari et al. (2024, appendix C) on the index.
func fitPareto(x []float64) (k, sigma float64) {
	n := float64(len(x))
	for i := range x { // zero excesses carry no shape
		x[i] = math.Max(x[i], 1e-300)
	}
	m := 30 + int(math.Sqrt(n))
	quartile := x[max(0, int(n/4+0.5)-1)]
	largest := x[len(x)-1]
	theta := make([]float64, m)
	profile := make([]float64, m)
	shape := func(b float64) float64 {
		var s float64
		for _, v := range x {
			s += math.Log1p(-b * v)
		}
		return s / n
	}
	for j := range theta {
		theta[j] = 1/largest + (1-math.Sqrt(float64(m)/(float64(j)+0.5)))/(3*quartile)
		s := shape(theta[j])
		profile[j] = n * (math.Log(-theta[j]/s) - s - 1)
	}
	var b, sum float64
	for j := range theta {
		var w float64
		for i := range theta {
			w += math.Exp(profile[i] - profile[j])
		}
		if w = 1 / w; w > 1e-15 {
			b += w * theta[j]
			sum += w
		}
	}
	b /= sum
	k = shape(b)
	sigma = -k / b
	k = (n*k + 10*0.5) / (n + 10)
	return k, sigma
}

// Importance weighs draws by target over their own density, Pareto-smoothed. The
// draws must have LogProb, their normalised log density; their LogWeight is set.
// The weights of draws at which the target is zero are zero.
func Importance(draws *inversion.Draws, logTarget []float64) ImportanceSummary {
	if draws.LogProb == nil || len(logTarget) != draws.N() {
		panic("reference: importance weights need each draw's own log density and the target's")
	}
	draws.LogWeight = make([]float64, draws.N())
	for i, l := range logTarget {
		w := l - draws.LogProb[i]
		if math.IsNaN(w) || math.IsInf(draws.LogProb[i], -1) {
			w = math.Inf(-1)
		}
		draws.LogWeight[i] = w
	}
	return Smooth(draws.LogWeight)
}
