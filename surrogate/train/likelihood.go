package train

import (
	"math"

	"oceaninv/surrogate/nn"
)

// RMSE returns weight·sqrt(mean (a-b)²), the mean over rows and columns, and adds its gradient with respect to a
// to da. The gradient of a perfect fit is taken as zero.
func RMSE[T nn.Float](weight float64, a, b, da nn.Matrix[T]) float64 {
	sameShape(a, b)
	sameShape(a, da)
	n := float64(a.Rows * a.Cols)
	r := math.Sqrt(sumSquaredDifference(a, b) / n)
	if r != 0 && n != 0 {
		addDifference(weight/(n*r), a, b, da)
	}
	if n == 0 {
		return 0
	}
	return weight * r
}

// MSE returns weight·mean (a-b)² and adds its gradient with respect to a to da.
func MSE[T nn.Float](weight float64, a, b, da nn.Matrix[T]) float64 {
	sameShape(a, b)
	sameShape(a, da)
	n := float64(a.Rows * a.Cols)
	if n == 0 {
		return 0
	}
	addDifference(2*weight/n, a, b, da)
	return weight * sumSquaredDifference(a, b) / n
}

func sumSquaredDifference[T nn.Float](a, b nn.Matrix[T]) float64 {
	s := 0.0
	for i := range a.Rows {
		x, y := a.Row(i), b.Row(i)
		for j := range x {
			d := float64(x[j] - y[j])
			s += d * d
		}
	}
	return s
}

func addDifference[T nn.Float](scale float64, a, b, da nn.Matrix[T]) {
	for i := range a.Rows {
		x, y, g := a.Row(i), b.Row(i), da.Row(i)
		for j := range x {
			g[j] += T(scale) * (x[j] - y[j])
		}
	}
}

// LatentTerm returns mean over rows of (c Σ_j z_j² - logdet) and adds its gradients to dz and dlogdet. c = 1/2 is
// the standard normal's negative log-density without its constant; c = 1 is what the released VINA code
// computes, whose optimum has latent variance 1/2.
func LatentTerm[T nn.Float](c float64, z nn.Matrix[T], logdet []T, dz nn.Matrix[T], dlogdet []T) float64 {
	sameShape(z, dz)
	if len(logdet) != z.Rows || len(dlogdet) != z.Rows {
		panic("train: one log-determinant per row")
	}
	inv := 1 / float64(z.Rows)
	s := 0.0
	for i := range z.Rows {
		g := dz.Row(i)
		for j, v := range z.Row(i) {
			s += c * float64(v) * float64(v)
			g[j] += T(2*c*inv) * v
		}
		s -= float64(logdet[i])
		dlogdet[i] -= T(inv)
	}
	return s * inv
}

// MaximumLikelihood returns the mean negative log-density, in nats, of data whose image under a flow onto a
// standard normal is z,
//
//	mean( ½ Σ_j z_j² - logdet ) + (d/2) ln 2π,
//
// and adds its gradients to dz and dlogdet. It serves conditional and unconditional flows alike.
func MaximumLikelihood[T nn.Float](z nn.Matrix[T], logdet []T, dz nn.Matrix[T], dlogdet []T) float64 {
	return LatentTerm(0.5, z, logdet, dz, dlogdet) + 0.5*float64(z.Cols)*math.Log(2*math.Pi)
}

// NLL is the supervised likelihood of an invertible network T(x_pad) = (ẑ, ŷ).
//
// The paper's variant, as released (VINA, arXiv 2602.20480, train.py, where FitWeight is 25; the reverse term,
// 5·RMSE(x̂, x_pad), is a [RMSE] of its own):
//
//	FitWeight·RMSE(ŷ, y) + mean( Σ ẑ² - logdet )
//
// The exact variant is the Gaussian likelihood of Ardizzone et al. (2019): with σ_y = SigmaY it is the mean of
// -ln q(x_pad | y), where q(·| y) is the law of T⁻¹(z, y + σ_y n) with z and n standard normal:
//
//	mean( ½ Σ ẑ² + ½ Σ (ŷ-y)²/σ_y² - logdet ) + n_y ln σ_y + (D/2) ln 2π
type NLL struct {
	Exact     bool
	FitWeight float64 // paper only
	SigmaY    float64 // exact only, in the units of the (standardised) observation
}

// evalNLL evaluates the terms of T(x_pad), without the reverse one: out = (ẑ, ŷ), whose last y.Cols columns are ŷ.
// It adds gradients to dout and dlogdet.
func evalNLL[T nn.Float](l NLL, out nn.Matrix[T], logdet []T, y, dout nn.Matrix[T], dlogdet []T) (fit, latent float64) {
	nz := out.Cols - y.Cols
	yhat, dyhat := out.Columns(nz, out.Cols), dout.Columns(nz, out.Cols)
	z, dz := out.Columns(0, nz), dout.Columns(0, nz)
	if !l.Exact {
		return RMSE(l.FitWeight, yhat, y, dyhat), LatentTerm(1, z, logdet, dz, dlogdet)
	}
	if !(l.SigmaY > 0) {
		panic("train: the exact likelihood needs a positive sigma_y")
	}
	ny := float64(y.Cols)
	fit = MSE(0.5*ny/(l.SigmaY*l.SigmaY), yhat, y, dyhat) + ny*math.Log(l.SigmaY)
	latent = LatentTerm(0.5, z, logdet, dz, dlogdet) + 0.5*float64(out.Cols)*math.Log(2*math.Pi)
	return fit, latent
}
