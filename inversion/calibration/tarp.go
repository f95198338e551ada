package calibration

import (
	"fmt"
	"math"
	"slices"

	"oceaninv/inversion"
)

// TARP tests accuracy with random points (Lemos et al., arXiv 2302.03026): for each
// observation a reference point is drawn uniformly from the range of the truths,
// and the level is the weight of posterior draws nearer to it than the truth, in
// parameters scaled by that range. The levels are uniform if and only if, over
// reference points, the posterior is right. It needs no density.
//
// posteriors[i] belongs to truths[i].
func TARP(posteriors []*inversion.Draws, truths [][]float64, k int, seed uint64) CoverageResult {
	if len(posteriors) != len(truths) || len(truths) == 0 {
		panic(fmt.Sprintf("calibration: %d posteriors for %d truths", len(posteriors), len(truths)))
	}
	levels := TARPLevels(posteriors, truths, seed)
	res := Coverage(levels, k, seed)
	// Draws nearer to and farther from a far reference are alike, so that a wrong
	// width shows on both sides of ½: ∫ from ½ to 1 of (1[l ≤ q] - q) dq.
	area := make([]float64, len(levels))
	for i, l := range levels {
		area[i] = (1 - math.Max(l, 0.5)) - 0.375
	}
	res.Bias = Mean(area)
	return res
}

// TARPLevels are the levels of TARP, one per observation.
func TARPLevels(posteriors []*inversion.Draws, truths [][]float64, seed uint64) []float64 {
	low, high := slices.Clone(truths[0]), slices.Clone(truths[0])
	for _, t := range truths {
		for j, v := range t {
			low[j], high[j] = math.Min(low[j], v), math.Max(high[j], v)
		}
	}
	levels := make([]float64, len(truths))
	reference := make([]float64, len(low))
	for i, t := range truths {
		rng := inversion.Rand(seed, inversion.DrawStream, i)
		for j := range reference {
			reference[j] = low[j] + rng.Float64()*(high[j]-low[j])
		}
		distance := func(theta []float64) (d float64) {
			for j, v := range theta {
				s := (v - reference[j]) / (high[j] - low[j])
				d += s * s
			}
			return d
		}
		truth := distance(t)
		for k, w := range posteriors[i].Weights() {
			if distance(posteriors[i].Row(k)) < truth {
				levels[i] += w
			}
		}
		levels[i] = randomized(levels[i], posteriors[i].N(), rng)
	}
	return levels
}
