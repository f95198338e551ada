package train

import (
	"math"

	"oceaninv/surrogate/nn"
)

// PairedNormalTerm is the "normal" prior term of the released VINA code,
//
//	weight · mean_rows Σ_j [ ln σ_j + (x_j - x̂_j)²/(2σ_j²) ],
//
// centred on the paired ground truth x: a regression term, in spite of its name. For a term centred on the
// prior's mean, see [NormalPriorTerm]. It adds its gradient with respect to x̂ to dxhat.
func PairedNormalTerm[T nn.Float](weight float64, xhat, x nn.Matrix[T], sigma []float64, dxhat nn.Matrix[T]) float64 {
	sameShape(xhat, x)
	return normalTerm(weight, xhat, sigma, dxhat, func(i, j int) float64 { return float64(x.Row(i)[j]) })
}

// NormalPriorTerm is the mean negative log-density of x̂ under N(mean_j, σ_j²), without ln 2π/2 per dimension.
func NormalPriorTerm[T nn.Float](weight float64, xhat nn.Matrix[T], mean, sigma []float64, dxhat nn.Matrix[T]) float64 {
	if len(mean) != xhat.Cols {
		panic("train: one prior mean per column")
	}
	return normalTerm(weight, xhat, sigma, dxhat, func(_, j int) float64 { return mean[j] })
}

func normalTerm[T nn.Float](weight float64, xhat nn.Matrix[T], sigma []float64, dxhat nn.Matrix[T], centre func(i, j int) float64) float64 {
	sameShape(xhat, dxhat)
	if len(sigma) != xhat.Cols {
		panic("train: one prior sigma per column")
	}
	inv := weight / float64(xhat.Rows)
	s := 0.0
	for i := range xhat.Rows {
		g := dxhat.Row(i)
		for j, v := range xhat.Row(i) {
			d := float64(v) - centre(i, j)
			s += math.Log(sigma[j]) + 0.5*d*d/(sigma[j]*sigma[j])
			g[j] += T(inv * d / (sigma[j] * sigma[j]))
		}
	}
	return inv * s
}

// UniformPriorTerm penalises leaving the box [lo_j, hi_j]:
//
//	10 weight · Σ_j [ max(x̂_j - hi_j, 0) + max(lo_j - x̂_j, 0) ],
//
// averaged over rows. The released code for the geoacoustic case sums over the rows instead, which multiplies
// the term by the batch size; sumRows reproduces that. It adds its (sub)gradient to dxhat.
func UniformPriorTerm[T nn.Float](weight float64, sumRows bool, xhat nn.Matrix[T], lo, hi []float64, dxhat nn.Matrix[T]) float64 {
	sameShape(xhat, dxhat)
	if len(lo) != xhat.Cols || len(hi) != xhat.Cols {
		panic("train: one pair of bounds per column")
	}
	w := 10 * weight
	if !sumRows {
		w /= float64(xhat.Rows)
	}
	s := 0.0
	for i := range xhat.Rows {
		g := dxhat.Row(i)
		for j, x := range xhat.Row(i) {
			v := float64(x)
			if v > hi[j] {
				s += v - hi[j]
				g[j] += T(w)
			}
			if v < lo[j] {
				s += lo[j] - v
				g[j] -= T(w)
			}
		}
	}
	return w * s
}
