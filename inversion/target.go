package inversion

import "math"

// PosteriorTarget is the unnormalised posterior of one observation: prior times
// likelihood through the forward model.
type PosteriorTarget struct {
	Prior      *Prior
	Forward    Forward
	Likelihood *Likelihood
	Data       []complex128
	// Calls counts the forward solves.
	Calls int
	field []complex128
}

// NewPosteriorTarget returns the target; forward and likelihood are its own from
// here on.
func NewPosteriorTarget(prior *Prior, forward Forward, likelihood *Likelihood, data []complex128) *PosteriorTarget {
	return &PosteriorTarget{Prior: prior, Forward: forward, Likelihood: likelihood, Data: data, field: make([]complex128, len(likelihood.residual))}
}

// Dim is the number of parameters.
func (t *PosteriorTarget) Dim() int { return t.Prior.Dim() }

// LogDensity is ln p(θ) + ln L(θ).
func (t *PosteriorTarget) LogDensity(theta []float64) float64 {
	lp := t.Prior.LogDensity(theta)
	if math.IsInf(lp, -1) {
		return lp
	}
	return lp + t.LogLikelihood(theta)
}

// LogPrior is ln p(θ).
func (t *PosteriorTarget) LogPrior(theta []float64) float64 { return t.Prior.LogDensity(theta) }

// LogLikelihood is ln L(θ). Parameters at which the physics fails (no propagating
// mode, a phone below the sea floor) cannot have made the data: -Inf.
func (t *PosteriorTarget) LogLikelihood(theta []float64) float64 {
	t.Calls++
	if err := t.Forward.Predict(t.field, theta); err != nil {
		return math.Inf(-1)
	}
	return t.Likelihood.LogDensity(t.field, t.Data)
}

// UnboundedTarget is a target in the unbounded coordinates of a prior, where
// gradients never meet an edge: ln π(θ(u)) + ln|dθ/du|.
type UnboundedTarget struct {
	prior  *Prior
	target Target
	theta  []float64
	grad   []float64
}

// NewUnboundedTarget wraps a target. LogDensityGradient needs a [Gradient].
func NewUnboundedTarget(prior *Prior, target Target) *UnboundedTarget {
	d := prior.Dim()
	return &UnboundedTarget{prior, target, make([]float64, d), make([]float64, d)}
}

// Dim is the number of parameters.
func (t *UnboundedTarget) Dim() int { return t.prior.Dim() }

// LogDensity is the log density at unbounded coordinates u.
func (t *UnboundedTarget) LogDensity(u []float64) float64 {
	logJacobian := t.prior.Bounded(t.theta, u)
	return t.target.LogDensity(t.theta) + logJacobian
}

// LogDensityGradient also sets grad to the gradient with respect to u.
func (t *UnboundedTarget) LogDensityGradient(grad, u []float64) float64 {
	g, ok := t.target.(Gradient)
	if !ok {
		panic("inversion: gradient of a target that has none")
	}
	logJacobian := t.prior.Bounded(t.theta, u)
	l := g.LogDensityGradient(t.grad, t.theta)
	for j := range grad {
		slope, curl := t.prior.Marginals[j].slope(u[j])
		grad[j] = t.grad[j]*slope + curl
	}
	return l + logJacobian
}
