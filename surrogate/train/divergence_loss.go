package train

import "oceaninv/surrogate/nn"

// CriticLoss is what a critic minimises, minus the variational bound: -mean g(V(real)) + mean f*(g(V(fake))).
// It writes the gradients with respect to the scores into dreal and dfake.
func CriticLoss[T nn.Float](d Divergence, c Clamp, real, fake, dreal, dfake []T) float64 {
	checkScores(real, dreal)
	checkScores(fake, dfake)
	r, f := 0.0, 0.0
	for i, s := range real {
		g, dg := c.apply(c.Real, -1, float64(s), d.Real)
		r += g
		dreal[i] = T(-dg / float64(len(real)))
	}
	for i, s := range fake {
		g, dg := c.apply(c.Fake, +1, float64(s), d.Fake)
		f += g
		dfake[i] = T(dg / float64(len(fake)))
	}
	return f/float64(len(fake)) - r/float64(len(real))
}

// GeneratorLoss is what a model minimises against a critic's scores of its samples; see [GeneratorObjective]. It
// writes the gradient with respect to the scores into dfake.
func GeneratorLoss[T nn.Float](d Divergence, o GeneratorObjective, c Clamp, fake, dfake []T) float64 {
	checkScores(fake, dfake)
	term := d.Real
	if o == Saddle {
		term = d.Fake
	}
	s := 0.0
	for i, x := range fake {
		g, dg := c.apply(c.Fake && !c.CriticOnly, -1, float64(x), term)
		s -= g
		dfake[i] = T(-dg / float64(len(fake)))
	}
	return s / float64(len(fake))
}

// Bound is the unclamped variational bound E_P[g(v)] - E_Q[f*(g(v))] at given scores: an estimate from below of
// the divergence, up to sampling error, when the scores come from held-out data.
func Bound[T nn.Float](d Divergence, real, fake []T) float64 {
	r, f := 0.0, 0.0
	for _, v := range real {
		g, _ := d.Real(float64(v))
		r += g
	}
	for _, v := range fake {
		g, _ := d.Fake(float64(v))
		f += g
	}
	return r/float64(len(real)) - f/float64(len(fake))
}

func checkScores[T nn.Float](v, dv []T) {
	if len(v) == 0 || len(v) != len(dv) {
		panic("train: one gradient per score, and at least one score")
	}
}
