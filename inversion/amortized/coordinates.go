package amortized

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"oceaninv/inversion"
)

// farthest is the normal score beyond which a coordinate is held: Φ(8) differs
// from 1 by 6e-16.
const farthest = 8

// Unbounded maps parameters to the coordinates ζ that flows work in, the normal
// scores of their marginal priors, ζ_j = Φ⁻¹(F_j(θ_j)). Under the prior every ζ_j
// is standard normal; a posterior that the edge of a bounded prior cuts off keeps
// Gaussian tails, where the logit would give it exponential ones that a flow has
// to learn.
func Unbounded(p *inversion.Prior, zeta, theta []float64) {
	for j := range p.Marginals {
		z := distuv.UnitNormal.Quantile(p.Marginals[j].CDF(theta[j]))
		zeta[j] = math.Max(-farthest, math.Min(farthest, z))
	}
}

// Bounded is the inverse of [Unbounded], with ln|det ∂θ/∂ζ| = Σ ln φ(ζ_j) − ln
// f_j(θ_j).
func Bounded(p *inversion.Prior, theta, zeta []float64) (logJacobian float64) {
	for j := range p.Marginals {
		m := &p.Marginals[j]
		theta[j] = m.Quantile(distuv.UnitNormal.CDF(zeta[j]))
		logJacobian += distuv.UnitNormal.LogProb(zeta[j]) - m.LogDensity(theta[j])
	}
	return logJacobian
}
