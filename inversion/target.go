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
	return &PosteriorTarget{Prior: prior, Forward: forward, Likelihood: likelihood, Data: data, field: make([]complex128, len(data))}
}

// Dim is the number of parameters.
func (t *PosteriorTarget) Dim() int { return t.Prior.Dim() }

// LogDensity is ln p(θ) + ln L(θ). Parameters at which the physics fails (no
// propagating mode, a phone below the sea floor) cannot have made the data: -Inf.
func (t *PosteriorTarget) LogDensity(theta []float64) float64 {
	lp := t.Prior.LogDensity(theta)
	if math.IsInf(lp, -1) {
		return lp
	}
	t.Calls++
	if err := t.Forward.Predict(t.field, theta); err != nil {
		return math.Inf(-1)
	}
	return lp + t.Likelihood.LogDensity(t.field, t.Data)
}
