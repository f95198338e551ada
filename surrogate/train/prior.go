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
// the term by the batch size; SumRows reproduces that. It adds its (sub)gradient to dxhat.
func UniformPriorTerm[T nn.Float](b Box, xhat, dxhat nn.Matrix[T]) float64 {
	sameShape(xhat, dxhat)
	if len(b.Low) != xhat.Cols || len(b.High) != xhat.Cols || b.Unit != nil && len(b.Unit) != xhat.Cols {
		panic("train: one pair of bounds per column")
	}
	each := 10 * b.Weight
	if !b.SumRows {
		each /= float64(xhat.Rows)
	}
	s := 0.0
	for i := range xhat.Rows {
		g := dxhat.Row(i)
		for j, x := range xhat.Row(i) {
			w := each
			if b.Unit != nil {
				w *= b.Unit[j]
			}
			over, under := float64(x)-b.High[j], b.Low[j]-float64(x)
			if over > 0 {
				s += w * over
				g[j] += T(w)
			}
			if under > 0 {
				s += w * under
				g[j] -= T(w)
			}
		}
	}
	return s
}

// Box is a uniform prior and how a departure from it is weighed: Unit, where it is given, is what one unit of each
// column is worth, such as the standard deviation that standardised it.
type Box struct {
	Weight    float64
	SumRows   bool
	Low, High []float64
	Unit      []float64
}

// Standardised translates the prior term, given in the units of x, to columns (x - mean)/scale. The value and the
// gradient with respect to x stay the same, but for the constant Σ ln scale of the normal terms.
func (o Options) Standardised(mean, scale []float64) Options {
	affine := func(v []float64, shift bool) []float64 {
		out := make([]float64, len(v))
		for j := range v {
			out[j] = v[j] / scale[j]
			if shift {
				out[j] -= mean[j] / scale[j]
			}
		}
		return out
	}
	o.PriorMean, o.PriorLow, o.PriorHigh = affine(o.PriorMean, true), affine(o.PriorLow, true), affine(o.PriorHigh, true)
	o.PriorSigma, o.PriorUnit = affine(o.PriorSigma, false), scale[:len(o.PriorLow)]
	return o
}
