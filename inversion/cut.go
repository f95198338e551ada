package inversion

import (
	"math"
	"slices"
)

// Cut is how the objective changes with one parameter, the others held.
type Cut struct {
	// At are the parameter's values; those where the physics fails are left out.
	At []float64
	// Mismatch is 1 less the Bartlett power, the mean over the tones of the correlators:
	// 0 is a field of the data's shape. It knows neither amplitudes nor phases of tones.
	Mismatch []float64
	// LogLikelihood is ln L.
	LogLikelihood []float64
}

// Cut evaluates the objective at theta with parameter j at each of the values, for data of
// one snapshot.
func (t *PosteriorTarget) Cut(theta []float64, j int, values []float64) Cut {
	theta = slices.Clone(theta)
	correlator := make([]float64, t.Likelihood.Noise.Tones)
	var out Cut
	for _, v := range values {
		theta[j] = v
		l := t.LogLikelihood(theta)
		if math.IsInf(l, 0) || math.IsNaN(l) {
			continue
		}
		Bartlett(correlator, t.field, t.Data)
		mismatch := 1.0
		for _, b := range correlator {
			mismatch -= b / float64(len(correlator))
		}
		out.At, out.Mismatch, out.LogLikelihood = append(out.At, v), append(out.Mismatch, mismatch), append(out.LogLikelihood, l)
	}
	return out
}
