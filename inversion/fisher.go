package inversion

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// Resolution is what an experiment can tell of its parameters at one point.
type Resolution struct {
	// Fisher is the information matrix of the data, D×D.
	Fisher *mat.SymDense
	// CramerRao is the lower bound on each unbiased estimate's standard deviation,
	// +Inf where the data do not determine it; Posterior the same with the prior's
	// precision added, what a Gaussian posterior would have.
	CramerRao, Posterior []float64
	// PriorSD is the prior's standard deviation, Gain = PriorSD/Posterior.
	PriorSD, Gain []float64
	// Correlation of the Gaussian posterior.
	Correlation *mat.SymDense
	// ByTone is Posterior from each tone alone, [tone][parameter].
	ByTone [][]float64
}

// Fisher is the information of an experiment at theta for circular complex Gaussian
// noise of known covariance C_f = ν_f R_f:
//
//	F_ij = 2 Re Σ_f (∂p_f/∂θ_i)ᴴ C_f⁻¹ (∂p_f/∂θ_j)
//
// (Kay, Fundamentals of Statistical Signal Processing I, eq 15.52). With an unknown
// source, derivatives along p_f itself are projected out, as they cannot be told from
// a change of amplitude or phase. An unknown variance carries no information on the
// other parameters and costs none, to first order; one that the noise model ties to
// the sample is taken at theta, and what its change would tell is left out. The
// information of so many independent snapshots, each with amplitudes of its own, is the sum
// of theirs.
func (p *Problem) Fisher(model Differentiable, noise *Noise, theta []float64, snapshots int) (*Resolution, error) {
	prior, err := p.Prior()
	if err != nil {
		return nil, err
	}
	tones, err := p.informations(model, noise, theta)
	if err != nil {
		return nil, err
	}
	total := mat.NewSymDense(prior.Dim(), nil)
	for _, f := range tones {
		f.ScaleSym(float64(snapshots), f)
		total.AddSym(total, f)
	}
	r := resolution(total, prior)
	for _, f := range tones {
		r.ByTone = append(r.ByTone, resolution(f, prior).Posterior)
	}
	return r, nil
}

// informations is the information of each tone.
func (p *Problem) informations(model Differentiable, noise *Noise, theta []float64) ([]*mat.SymDense, error) {
	d, data := len(theta), p.DataSize()
	field, jac := make([]complex128, data), make([]complex128, data*d)
	if err := model.Jacobian(field, jac, theta); err != nil {
		return nil, err
	}
	variance := make([]float64, noise.Tones)
	noise.VarianceOf(variance, field)
	noise.whiten(field)
	columns := make([][]complex128, d)
	for j := range columns {
		columns[j] = make([]complex128, data)
		for i := range data {
			columns[j][i] = jac[i*d+j]
		}
		noise.whiten(columns[j])
		if p.Likelihood != KnownSource {
			projectOut(columns[j], field, noise.Tones)
		}
	}
	out := make([]*mat.SymDense, noise.Tones)
	for f := range out {
		out[f] = mat.NewSymDense(d, nil)
		for i := range d {
			for j := i; j < d; j++ {
				var sum float64
				for k := f; k < data; k += noise.Tones {
					sum += 2 * real(cmplx.Conj(columns[i][k])*columns[j][k]) / variance[f]
				}
				out[f].SetSym(i, j, sum)
			}
		}
	}
	return out, nil
}

// projectOut removes from v, tone by tone, its part along p.
func projectOut(v, p []complex128, tones int) {
	for f := range tones {
		var dot complex128
		for i := f; i < len(v); i += tones {
			dot += cmplx.Conj(p[i]) * v[i]
		}
		dot /= complex(toneNorm2(p, f, tones), 0)
		for i := f; i < len(v); i += tones {
			v[i] -= dot * p[i]
		}
	}
}

// resolution turns information into bounds. Matrices are scaled by the prior's
// standard deviations first, so that units do not decide what is singular.
func resolution(fisher *mat.SymDense, prior *Prior) *Resolution {
	d := prior.Dim()
	r := &Resolution{Fisher: fisher, Correlation: mat.NewSymDense(d, nil)}
	scaled, with := mat.NewSymDense(d, nil), mat.NewSymDense(d, nil)
	for j := range d {
		r.PriorSD = append(r.PriorSD, prior.Marginals[j].SDev())
	}
	precision := mat.NewSymDense(d, nil)
	for j := range d {
		precision.SetSym(j, j, 1)
	}
	if prior.chol != nil {
		_ = prior.chol.InverseTo(precision) // of a correlation matrix already factored
	}
	for i := range d {
		for j := i; j < d; j++ {
			v := fisher.At(i, j) * r.PriorSD[i] * r.PriorSD[j]
			scaled.SetSym(i, j, v)
			with.SetSym(i, j, v+precision.At(i, j))
		}
	}
	r.CramerRao = bounds(scaled, r.PriorSD, nil)
	r.Posterior = bounds(with, r.PriorSD, r.Correlation)
	for j := range d {
		r.Gain = append(r.Gain, r.PriorSD[j]/r.Posterior[j])
	}
	return r
}

// bounds are the roots of the inverse's diagonal in units of scale, +Inf when it
// does not exist; correlation, if given, is filled in.
func bounds(information *mat.SymDense, scale []float64, correlation *mat.SymDense) []float64 {
	d := len(scale)
	out := make([]float64, d)
	var chol mat.Cholesky
	var inverse mat.SymDense
	if !chol.Factorize(information) || chol.Cond() > 1e14 || chol.InverseTo(&inverse) != nil {
		for j := range out {
			out[j] = math.Inf(1)
		}
		return out
	}
	for i := range d {
		out[i] = scale[i] * math.Sqrt(inverse.At(i, i))
		for j := range d {
			if correlation != nil {
				correlation.SetSym(i, j, inverse.At(i, j)/math.Sqrt(inverse.At(i, i)*inverse.At(j, j)))
			}
		}
	}
	return out
}
