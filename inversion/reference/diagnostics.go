package reference

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// RHat is the rank-normalised split potential-scale-reduction factor of chains of
// equal length: the larger of the one for location and, of folded values, for
// scale (Vehtari et al., Bayesian Anal. 16, 667-718 (2021), section 4). Above 1.01
// the chains have not mixed. It is NaN for fewer than four iterations, +Inf for
// chains that never move and differ.
func RHat(chains [][]float64) float64 {
	split := splitChains(chains)
	if split == nil {
		return math.NaN()
	}
	centre := medianOf(split)
	folded := make([][]float64, len(split))
	for i, c := range split {
		folded[i] = make([]float64, len(c))
		for k, v := range c {
			folded[i][k] = math.Abs(v - centre)
		}
	}
	return math.Max(scaleReduction(normalScores(split)), scaleReduction(normalScores(folded)))
}

// RHatError is the standard error of [RHat] over units: the independent runs, each as many
// chains in a row. A Hamiltonian chain is a unit of its own; the walkers of an ensemble, which
// move each other, are one together. Of R̂ without each of G groups of whole units in turn,
// R̂_g, it is the jackknife's √((G-1)/G Σ (R̂_g - mean)²), G up to 8; NaN for fewer than three
// units or four iterations.
func RHatError(chains [][]float64, units int) float64 {
	const most = 8
	checkUnits(chains, units)
	groups := min(units, most)
	if groups < 3 || len(chains[0]) < 4 {
		return math.NaN()
	}
	size := len(chains) / units
	without, mean := make([]float64, groups), 0.0
	for g := range without {
		from, to := units*g/groups*size, units*(g+1)/groups*size
		without[g] = RHat(slices.Concat(chains[:from], chains[to:]))
		mean += without[g] / float64(groups)
	}
	var sum float64
	for _, r := range without {
		sum += (r - mean) * (r - mean)
	}
	return math.Sqrt(sum * float64(groups-1) / float64(groups))
}

// EffectiveSize is the bulk effective sample size of the mean of rank-normalised
// chains (Vehtari et al. 2021, section 4.3): the number of independent draws that
// would know the location as well. It counts units as [RHatError] does: walkers of
// an ensemble move each other, so it is the ensemble's mean at each iteration, F(t),
// whose autocorrelations count (Goodman & Weare, Commun. Appl. Math. Comput. Sci. 5,
// 65 (2010), section 3). With n iterations of E ensembles, var(f) over all
// draws and the integrated autocorrelation time τ of F, the variance of the mean is
// var(F) τ / (E n), and
//
//	size = E n / τ · var(f) / var(F).
//
// τ is that of Vehtari et al. over the E ensembles cut in half, its autocorrelations
// summed by Geyer's initial monotone sequence. For chains that are units of their own
// F = f, and this is their equation.
func EffectiveSize(chains [][]float64, units int) float64 {
	checkUnits(chains, units)
	split := splitChains(chains)
	if split == nil {
		return math.NaN()
	}
	return effectiveSize(normalScores(split), units)
}

// TailEffectiveSize is the smaller effective sample size of the 5 % and the 95 %
// quantile, of units as in [EffectiveSize].
func TailEffectiveSize(chains [][]float64, units int) float64 {
	checkUnits(chains, units)
	split := splitChains(chains)
	if split == nil {
		return math.NaN()
	}
	all := slices.Concat(split...)
	slices.Sort(all)
	size := math.Inf(1)
	for _, q := range []float64{0.05, 0.95} {
		limit := all[int(q*float64(len(all)-1))]
		below := make([][]float64, len(split))
		for i, c := range split {
			below[i] = make([]float64, len(c))
			for k, v := range c {
				if v <= limit {
					below[i][k] = 1
				}
			}
		}
		size = math.Min(size, effectiveSize(below, units))
	}
	return size
}

// checkUnits panics unless chains are of as many units of equally many.
func checkUnits(chains [][]float64, units int) {
	if units < 1 || len(chains)%units != 0 {
		panic(fmt.Sprintf("reference: %d chains of %d units", len(chains), units))
	}
}

// splitChains cuts each chain in half; nil when they are too short.
func splitChains(chains [][]float64) [][]float64 {
	if len(chains) == 0 {
		panic("reference: diagnostics of no chains")
	}
	n := len(chains[0])
	for _, c := range chains {
		if len(c) != n {
			panic(fmt.Sprintf("reference: chains of %d and %d iterations", n, len(c)))
		}
	}
	half := n / 2
	if half < 2 {
		return nil
	}
	var out [][]float64
	for _, c := range chains {
		out = append(out, c[:half], c[n-half:])
	}
	return out
}

func medianOf(chains [][]float64) float64 {
	all := slices.Concat(chains...)
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// normalScores replaces values by Φ⁻¹((rank - 3/8)/(S + 1/4)), ties by their mean
// rank.
func normalScores(chains [][]float64) [][]float64 {
	type at struct {
		v    float64
		i, k int
	}
	var all []at
	out := make([][]float64, len(chains))
	for i, c := range chains {
		out[i] = make([]float64, len(c))
		for k, v := range c {
			all = append(all, at{v, i, k})
		}
	}
	slices.SortFunc(all, func(a, b at) int {
		switch {
		case a.v < b.v:
			return -1
		case a.v > b.v:
			return 1
		}
		return 0
	})
	s := float64(len(all))
	for a := 0; a < len(all); {
		b := a
		for b < len(all) && all[b].v == all[a].v {
			b++
		}
		z := mathext.NormalQuantile((float64(a+b+1)/2 - 0.375) / (s + 0.25))
		for ; a < b; a++ {
			out[all[a].i][all[a].k] = z
		}
	}
	return out
}

// betweenWithin are the variance of an overall estimate and the mean variance
// within chains.
func betweenWithin(chains [][]float64) (total, within float64) {
	m, n := float64(len(chains)), float64(len(chains[0]))
	means := make([]float64, len(chains))
	var grand float64
	for i, c := range chains {
		for _, v := range c {
			means[i] += v / n
		}
		for _, v := range c {
			within += (v - means[i]) * (v - means[i]) / (n - 1) / m
		}
		grand += means[i] / m
	}
	var between float64
	if m > 1 {
		for _, v := range means {
			between += n * (v - grand) * (v - grand) / (m - 1)
		}
	}
	return (n-1)/n*within + between/n, within
}

func scaleReduction(chains [][]float64) float64 {
	total, within := betweenWithin(chains)
	if total == 0 {
		return 1
	}
	return math.Sqrt(total / within)
}

// unmixed is the variance of all draws over that within chains, R-hat's square, above which
// chains are of laws of their own.
const unmixed = 1.1 * 1.1

// effectiveSize is that of halves of chains, those of a unit in a row. Walkers that do not mix
// may leave the mean of their unit still, which says nothing of the law: such chains are worth
// no more than each by itself.
func effectiveSize(halves [][]float64, units int) float64 {
	size := effectiveSizeOf(halves, units)
	if all, within := betweenWithin(halves); all > unmixed*within {
		size = math.Min(size, effectiveSizeOf(halves, len(halves)/2))
	}
	return size
}

// effectiveSizeOf takes units for one law's.
func effectiveSizeOf(halves [][]float64, units int) float64 {
	means := unitMeans(halves, units)
	all, _ := betweenWithin(halves)
	ofMeans, _ := betweenWithin(means)
	draws := float64(len(halves) * len(halves[0]))
	if all == 0 || ofMeans == 0 {
		return draws
	}
	m, n := float64(len(means)), float64(len(means[0]))
	return math.Min(m*n/autocorrelationTime(means)*(all/ofMeans), draws*math.Log10(draws))
}

// unitMeans are the means over the chains of each unit, at each iteration of either half.
func unitMeans(halves [][]float64, units int) [][]float64 {
	size := len(halves) / units / 2
	if size == 1 {
		return halves
	}
	out := make([][]float64, 2*units)
	for i := range out {
		out[i] = make([]float64, len(halves[0]))
		for w := range size {
			for t, v := range halves[2*(i/2*size+w)+i%2] {
				out[i][t] += v / float64(size)
			}
		}
	}
	return out
}

// autocorrelationTime is that of chains of one law, of which some may have missed a part.
func autocorrelationTime(chains [][]float64) float64 {
	m, n := len(chains), len(chains[0])
	total, within := betweenWithin(chains)
	rho := func(lag int) float64 {
		var acov float64
		for _, c := range chains {
			acov += autocovariance(c, lag)
		}
		return 1 - (within-acov/float64(m)*float64(n)/float64(n-1))/total
	}
	tau := -1.0
	last := math.Inf(1)
	for lag := 0; lag+1 < n; lag += 2 {
		pair := rho(lag) + rho(lag+1)
		if lag == 0 {
			pair = 1 + rho(1)
		}
		if pair < 0 {
			break
		}
		last = math.Min(last, pair)
		tau += 2 * last
	}
	// An antithetic chain may beat independence, but not without limit.
	return math.Max(tau, 1/math.Log10(float64(m*n)))
}

func autocovariance(c []float64, lag int) float64 {
	var mean, sum float64
	for _, v := range c {
		mean += v / float64(len(c))
	}
	for i := range len(c) - lag {
		sum += (c[i] - mean) * (c[i+lag] - mean)
	}
	return sum / float64(len(c))
}
