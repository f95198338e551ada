package calibration

import (
	"fmt"

	"oceaninv/inversion"
)

// LC2STResult is a local classifier test at one observation.
type LC2STResult struct {
	// Statistic is the mean over posterior draws of (P(class 0) - ½)²; 0 when the
	// posterior is right at the observation.
	Statistic float64
	// Null is its 95 % quantile when it is right, PValue the share of the null
	// above it.
	Null, PValue float64
	Rejected     bool
}

// LC2ST is the local classifier two-sample test (Linhart, Gramfort & Rodrigues,
// arXiv 2306.03580): a classifier learns, over calibration pairs (summary of y_i,
// truth θ_i) against (summary of y_i, one draw θ_i' from the posterior of y_i),
// where in θ and y the posterior is wrong; it is then asked about draws at the one
// observation. It needs no true posterior.
//
// joint0[i] is (θ_i, s_i), joint1[i] is (θ_i', s_i) with the same few summaries s of
// the data, such as the posterior's own mean and log standard deviations; observed
// are (θ, s_obs) of posterior draws at the observation. The classifier is a logistic
// regression on monomials to the second degree, the null from exchanging within
// pairs.
func LC2ST(joint0, joint1, observed [][]float64, permutations int, seed uint64) LC2STResult {
	n := len(joint0)
	if n < 20 || len(joint1) != n || len(observed) == 0 || permutations < 20 {
		panic(fmt.Sprintf("calibration: LC2ST of %d and %d pairs, %d draws, %d permutations", n, len(joint1), len(observed), permutations))
	}
	x := make([][]float64, 0, 2*n+len(observed))
	for i := range n {
		x = append(x, append([]float64(nil), joint0[i]...), append([]float64(nil), joint1[i]...))
	}
	for _, o := range observed {
		x = append(x, append([]float64(nil), o...))
	}
	whiten(x)
	train, query := monomials(x[:2*n]), monomials(x[2*n:])
	label := make([]float64, 2*n)
	statistic := func(flip func(i int) bool) float64 {
		for i := range n {
			label[2*i], label[2*i+1] = 0, 1
			if flip(i) {
				label[2*i], label[2*i+1] = 1, 0
			}
		}
		return meanSquare(predict(logistic(train, label), query))
	}
	res := LC2STResult{Statistic: statistic(func(int) bool { return false })}
	null := make([]float64, permutations)
	above := 1
	for p := range null {
		rng := inversion.Rand(seed, inversion.DrawStream, p)
		null[p] = statistic(func(int) bool { return rng.IntN(2) == 1 })
		if null[p] >= res.Statistic {
			above++
		}
	}
	res.PValue = float64(above) / float64(permutations+1)
	res.Null = quantile(null, 0.95)
	res.Rejected = res.PValue <= 0.05
	return res
}

func meanSquare(p []float64) (s float64) {
	for _, v := range p {
		s += (v - 0.5) * (v - 0.5) / float64(len(p))
	}
	return s
}
