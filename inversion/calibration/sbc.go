package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"oceaninv/inversion"
)

// Rank is the number of draws below the truth, ties broken at random: uniform on
// 0..len(draws) when the posterior is exact (Talts et al., arXiv 1804.06788).
func Rank(draws []float64, truth float64, rng *rand.Rand) int {
	rank, ties := 0, 0
	for _, v := range draws {
		if v < truth {
			rank++
		} else if v == truth {
			ties++
		}
	}
	return rank + rng.IntN(ties+1)
}

// SBCResult is simulation-based calibration of one parameter.
type SBCResult struct {
	// Z are the levels at which the ECDF of the normalised ranks is compared with
	// the uniform one, Difference the ECDF minus the level, and Low and High the
	// simultaneous band of the difference.
	Z, Difference, Low, High []float64
	// Coverage is the band's simultaneous probability under calibration.
	Coverage float64
	// Inside says whether the whole difference stays in the band.
	Inside bool
	// Excess is the largest part of the band's half width used, where it can be
	// exceeded at all: above 1 is outside. Its error is that over sets of observations
	// drawn from these (bootstrap).
	Excess Estimate
	// ExcessP is the probability, under calibration, of an Excess at least as large,
	// with the standard error of its simulation.
	ExcessP Estimate
	// ChiSquare of a histogram of the ranks in Bins bins, with its p value.
	ChiSquare, PValue float64
	Bins              int
}

// SBC compares the ranks of the truths of n observations, each among draws
// posterior draws, with the uniform distribution. The band is simultaneous over
// all levels with the given probability: its pointwise level is found by
// simulation of uniform ranks from the seed (Säilynoja, Bürkner & Vehtari,
// Stat. Comput. 32, 32 (2022), section 2).
func SBC(ranks []int, draws int, probability float64, seed uint64) SBCResult {
	n := len(ranks)
	for _, r := range ranks {
		if r < 0 || r > draws {
			panic(fmt.Sprintf("calibration: rank %d among %d draws", r, draws))
		}
	}
	levels := min(draws+1, 100)
	res := SBCResult{Coverage: probability}
	// Level k is a boundary between ranks, so that the expected ECDF is exact.
	bound := make([]int, levels-1)
	for k := range bound {
		bound[k] = (k + 1) * (draws + 1) / levels
		res.Z = append(res.Z, float64(bound[k])/float64(draws+1))
	}
	count := make([]int, len(bound))
	countBelow(count, ranks, bound)
	band := newBand(res.Z, n, probability, seed)
	res.Inside = band.holds(count)
	for k, z := range res.Z {
		diff := float64(count[k])/float64(n) - z
		low, high := float64(band.low[k])/float64(n)-z, float64(band.high[k])/float64(n)-z
		res.Difference = append(res.Difference, diff)
		res.Low, res.High = append(res.Low, low), append(res.High, high)
	}
	res.Excess = bootstrap(ranks, seed, func(ranks []int) float64 {
		countBelow(count, ranks, bound)
		return band.excess(count, res.Z, n)
	})
	res.ExcessP = band.excessP(res.Excess.Value, res.Z, n, seed)
	res.histogram(ranks, draws)
	return res
}

// countBelow sets count[k] to the number of ranks below bound[k].
func countBelow(count, ranks, bound []int) {
	sorted := slices.Clone(ranks)
	slices.Sort(sorted)
	for k, b := range bound {
		count[k], _ = slices.BinarySearch(sorted, b)
	}
}

// band is, for each level, the range of the number of n uniform values below it.
type band struct{ low, high []int }

func newBand(z []float64, n int, probability float64, seed uint64) band {
	gamma := pointwiseLevel(z, n, probability, seed)
	b := band{make([]int, len(z)), make([]int, len(z))}
	for k, p := range z {
		b.low[k], b.high[k] = binomialBand(n, p, gamma)
	}
	return b
}

func (b band) holds(count []int) bool {
	for k, c := range count {
		if c < b.low[k] || c > b.high[k] {
			return false
		}
	}
	return true
}

// excess is the largest part of the band's half width that counts of n use, where it
// can be exceeded at all.
func (b band) excess(count []int, z []float64, n int) float64 {
	worst := 0.0
	for k, p := range z {
		diff := float64(count[k])/float64(n) - p
		limit, possible := float64(b.high[k])/float64(n)-p, b.high[k] < n
		if diff < 0 {
			limit, possible = p-float64(b.low[k])/float64(n), b.low[k] > 0
		}
		if possible { // else no count lies outside on this side
			worst = math.Max(worst, math.Abs(diff)/limit)
		}
	}
	return worst
}

// excessP simulates uniform ranks for the probability of such an excess.
func (b band) excessP(excess float64, z []float64, n int, seed uint64) Estimate {
	const simulations = 1000
	rng := inversion.Rand(seed, inversion.DrawStream, 2)
	count, above := make([]int, len(z)), 0
	for range simulations {
		simulateCounts(count, z, n, rng)
		if b.excess(count, z, n) >= excess {
			above++
		}
	}
	p := (float64(above) + 1) / (simulations + 1)
	return Estimate{p, math.Sqrt(p * (1 - p) / simulations)}
}

// pointwiseLevel is the tail probability of the pointwise binomial intervals that
// makes them hold together with the given probability.
func pointwiseLevel(z []float64, n int, probability float64, seed uint64) float64 {
	const simulations = 2000
	rng := inversion.Rand(seed, inversion.DrawStream, 1)
	worst := make([]float64, simulations)
	count := make([]int, len(z))
	// The tail probability of each possible count at each level, once.
	tail := make([][]float64, len(z))
	for k := range z {
		tail[k] = binomialTails(n, z[k])
	}
	for s := range worst {
		simulateCounts(count, z, n, rng)
		worst[s] = 1
		for k, c := range count {
			worst[s] = math.Min(worst[s], tail[k][c])
		}
	}
	slices.Sort(worst)
	return worst[int((1-probability)*simulations)]
}

// simulateCounts draws how many of n uniform numbers lie below each level.
func simulateCounts(count []int, z []float64, n int, rng *rand.Rand) {
	clear(count)
	for range n {
		k, _ := slices.BinarySearch(z, rng.Float64())
		if k < len(count) {
			count[k]++
		}
	}
	for k := 1; k < len(count); k++ {
		count[k] += count[k-1]
	}
}

// binomialTails is, for every count c of n, twice the smaller of P(X ≤ c) and
// P(X ≥ c).
func binomialTails(n int, p float64) []float64 {
	pmf := binomialPMF(n, p)
	out := make([]float64, n+1)
	var below float64
	for c := range out {
		above := 1 - below
		below += pmf[c]
		out[c] = 2 * math.Min(below, above)
	}
	return out
}

func binomialPMF(n int, p float64) []float64 {
	out := make([]float64, n+1)
	ln, _ := math.Lgamma(float64(n + 1))
	for c := range out {
		a, _ := math.Lgamma(float64(c + 1))
		b, _ := math.Lgamma(float64(n - c + 1))
		out[c] = math.Exp(ln - a - b + float64(c)*math.Log(p) + float64(n-c)*math.Log1p(-p))
	}
	return out
}

// binomialBand is the range of counts whose tails are at least gamma.
func binomialBand(n int, p, gamma float64) (lo, hi int) {
	tails := binomialTails(n, p)
	for lo < n && tails[lo] < gamma {
		lo++
	}
	hi = n
	for hi > 0 && tails[hi] < gamma {
		hi--
	}
	return lo, hi
}

// histogram bins the ranks and tests the bins for uniformity.
func (r *SBCResult) histogram(ranks []int, draws int) {
	r.Bins = min(20, draws+1, max(2, len(ranks)/10))
	count := make([]float64, r.Bins)
	width := make([]float64, r.Bins)
	for v := range draws + 1 {
		width[v*r.Bins/(draws+1)]++
	}
	for _, v := range ranks {
		count[v*r.Bins/(draws+1)]++
	}
	for b := range count {
		expected := float64(len(ranks)) * width[b] / float64(draws+1)
		r.ChiSquare += (count[b] - expected) * (count[b] - expected) / expected
	}
	r.PValue = chiSquareSurvival(r.ChiSquare, r.Bins-1)
}
