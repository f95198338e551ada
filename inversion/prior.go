package inversion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// Prior is the joint prior of a problem's parameters: its marginals, tied by a
// Gaussian copula where correlations are given. With u_i = F_i(θ_i) and
// z = Φ⁻¹(u), the density is
//
//	p(θ) = Π f_i(θ_i) · N(z; 0, R) / Π N(z_i; 0, 1),
//
// the multivariate normal itself when all marginals are normal.
type Prior struct {
	Marginals []Marginal
	chol      *mat.Cholesky // of R; nil when independent
	lower     *mat.TriDense
}

// Prior returns the problem's prior.
func (p *Problem) Prior() (*Prior, error) {
	n := len(p.Parameters)
	prior := &Prior{Marginals: make([]Marginal, n)}
	for i := range p.Parameters {
		prior.Marginals[i] = p.Parameters[i].Prior
	}
	if len(p.Correlations) == 0 {
		return prior, nil
	}
	names := p.ParameterNames()
	r := mat.NewSymDense(n, nil)
	for i := range n {
		r.SetSym(i, i, 1)
	}
	for _, c := range p.Correlations {
		if len(c.Between) != 2 || c.Between[0] == c.Between[1] {
			return nil, invalid("correlation.between", "needs the names of two parameters, has %q", c.Between)
		}
		i, j := slices.Index(names, c.Between[0]), slices.Index(names, c.Between[1])
		if i < 0 || j < 0 {
			return nil, invalid("correlation.between", "%q are not two of the parameters %q", c.Between, names)
		}
		if !(math.Abs(c.Value) < 1) {
			return nil, invalid("correlation.value", "%g is not between -1 and 1", c.Value)
		}
		r.SetSym(i, j, c.Value)
	}
	prior.chol = new(mat.Cholesky)
	if !prior.chol.Factorize(r) {
		return nil, invalid("correlation", "the correlations contradict one another: their matrix is not positive definite")
	}
	prior.lower = mat.NewTriDense(n, mat.Lower, nil)
	prior.chol.LTo(prior.lower)
	return prior, nil
}

// Within is the prior restricted to the box [low, high] and normalised again, see
// [Marginal.Within]. Correlated parameters keep their whole prior: a copula of restricted
// marginals is not a restricted copula.
func (p *Prior) Within(low, high []float64) *Prior {
	p.check(low)
	p.check(high)
	if p.chol != nil {
		return p
	}
	out := &Prior{Marginals: slices.Clone(p.Marginals)}
	for i := range out.Marginals {
		out.Marginals[i] = out.Marginals[i].Within(low[i], high[i])
	}
	return out
}

// MassWithin is the probability, under the prior, of what [Prior.Within] restricts it to: the
// product of F_j(high_j) − F_j(low_j) over the marginals that it restricts, 1 if it leaves all
// as they are.
func (p *Prior) MassWithin(low, high []float64) float64 {
	mass := 1.0
	for j, m := range p.Within(low, high).Marginals {
		if whole := &p.Marginals[j]; m != *whole {
			mass *= whole.CDF(high[j]) - whole.CDF(low[j])
		}
	}
	return mass
}

// Correlated reports whether a copula ties parameters together.
func (p *Prior) Correlated() bool { return p.chol != nil }

// Dim is the number of parameters.
func (p *Prior) Dim() int { return len(p.Marginals) }

// LogDensity is ln p(θ), -Inf outside the support.
func (p *Prior) LogDensity(theta []float64) float64 {
	p.check(theta)
	var sum float64
	for i := range p.Marginals {
		sum += p.Marginals[i].LogDensity(theta[i])
	}
	if p.chol == nil || math.IsInf(sum, -1) {
		return sum
	}
	n := len(theta)
	z := mat.NewVecDense(n, nil)
	var norm2 float64
	for i := range theta {
		v := mathext.NormalQuantile(p.Marginals[i].CDF(theta[i]))
		if math.IsInf(v, 0) { // the edge of the support, where the copula vanishes or explodes
			return math.Inf(-1)
		}
		z.SetVec(i, v)
		norm2 += v * v
	}
	var solved mat.VecDense
	if err := p.chol.SolveVecTo(&solved, z); err != nil {
		panic(fmt.Sprintf("inversion: correlation matrix: %v", err))
	}
	return sum - 0.5*(mat.Dot(z, &solved)-norm2+p.chol.LogDet())
}

// addScore adds the gradient of the log density, inside the support, to grad: of the
// copula, with z_i = Φ⁻¹(F_i(θ_i)),
//
//	∂/∂θ_i = -[(R⁻¹z)_i - z_i] f_i(θ_i)/φ(z_i).
func (p *Prior) addScore(grad, theta []float64) {
	for j := range p.Marginals {
		grad[j] += p.Marginals[j].logDensitySlope(theta[j])
	}
	if p.chol == nil {
		return
	}
	z := mat.NewVecDense(len(theta), nil)
	for i := range theta {
		z.SetVec(i, mathext.NormalQuantile(p.Marginals[i].CDF(theta[i])))
	}
	var solved mat.VecDense
	if err := p.chol.SolveVecTo(&solved, z); err != nil {
		panic(fmt.Sprintf("inversion: correlation matrix: %v", err))
	}
	for i := range theta {
		v := z.AtVec(i)
		logSlope := p.Marginals[i].LogDensity(theta[i]) + v*v/2 + math.Log(2*math.Pi)/2
		grad[i] -= (solved.AtVec(i) - v) * math.Exp(logSlope)
	}
}

// Quantile maps a point u of the unit cube to parameters, such that uniform u
// gives draws from the prior: the design's way in (Rosenblatt's map).
func (p *Prior) Quantile(dst, u []float64) {
	p.check(dst)
	p.check(u)
	if p.lower == nil {
		for i := range dst {
			dst[i] = p.Marginals[i].Quantile(u[i])
		}
		return
	}
	// From the last row up, so that dst may be u.
	for i := len(dst) - 1; i >= 0; i-- {
		var z float64
		for j := range i + 1 {
			z += p.lower.At(i, j) * mathext.NormalQuantile(u[j])
		}
		dst[i] = p.Marginals[i].Quantile(normalCDF(z))
	}
}

// Sample draws parameters from the prior.
func (p *Prior) Sample(dst []float64, rng *rand.Rand) {
	for i := range dst {
		dst[i] = rng.Float64()
	}
	p.Quantile(dst, dst)
}

// Inside reports whether theta is within the support.
func (p *Prior) Inside(theta []float64) bool {
	for i := range p.Marginals {
		low, high := p.Marginals[i].Bounds()
		if !(theta[i] >= low && theta[i] <= high) {
			return false
		}
	}
	return true
}

// Unbounded maps parameters onto the whole space; see [Marginal.Unbounded].
func (p *Prior) Unbounded(dst, theta []float64) {
	for i := range p.Marginals {
		dst[i] = p.Marginals[i].Unbounded(theta[i])
	}
}

// Bounded is the inverse of Unbounded; it returns ln|det dθ/du|.
func (p *Prior) Bounded(dst, u []float64) (logJacobian float64) {
	for i := range p.Marginals {
		x, l := p.Marginals[i].Bounded(u[i])
		dst[i] = x
		logJacobian += l
	}
	return logJacobian
}

func (p *Prior) check(theta []float64) {
	if len(theta) != len(p.Marginals) {
		panic(fmt.Sprintf("inversion: %d values for a prior of %d parameters", len(theta), len(p.Marginals)))
	}
}
