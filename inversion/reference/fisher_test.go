package reference

import (
	"context"
	"math"
	"math/cmplx"
	"testing"

	"gonum.org/v1/gonum/mat"

	"oceaninv/acoustics/modes/bench"
	"oceaninv/inversion"
)

// sharp is SWellEx-96 at two tones with so little noise that the field is straight
// over the posterior: 80 dB below it.
func sharp(t *testing.T, form inversion.LikelihoodForm) (*inversion.Problem, inversion.Differentiable, []float64, []complex128) {
	t.Helper()
	uniform := func(low, high float64) inversion.Marginal {
		return inversion.Marginal{Kind: inversion.Uniform, Low: low, High: high}
	}
	p := inversion.DefaultProblem()
	p.Environment = bench.SWellEx96(216.5, 1572.368)
	p.Frequencies = []float64{49, 112}
	p.Source, p.Array = bench.Source(), bench.Array()
	p.Modes.MinPhaseSpeed, p.Modes.MaxPhaseSpeed = bench.MinPhaseSpeed, bench.MaxPhaseSpeed
	p.Parameters = []inversion.Parameter{
		{Name: "water_depth", Prior: uniform(200.5, 236.5)},
		{Name: "speed", Quantity: inversion.SoundSpeedTop, Layer: "sediment", Prior: uniform(1532, 1592)},
	}
	p.Likelihood = form
	model, err := p.Differentiable()
	if err != nil {
		t.Fatal(err)
	}
	theta := []float64{216.5, 1572.368}
	field := make([]complex128, p.DataSize())
	if err := model.Predict(field, theta); err != nil {
		t.Fatal(err)
	}
	p.Noise.Convention, p.Noise.Variance = inversion.GivenVariance, make([]float64, len(p.Frequencies))
	for i, v := range field {
		p.Noise.Variance[i%len(p.Frequencies)] += 1e-8 * cmplx.Abs(v) * cmplx.Abs(v) / float64(p.Receivers())
	}
	return &p, model, theta, field
}

// At high SNR the exact posterior has the covariance that the Cramér-Rao bound allows:
// widths and correlation within a percent.
func TestPosteriorAttainsTheCramerRaoBound(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector; run without -short")
	}
	for _, form := range []inversion.LikelihoodForm{inversion.KnownSource, inversion.UnknownAmplitude} {
		p, model, theta, data := sharp(t, form)
		noise, err := p.ResolveNoise(model, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Fisher(model, noise, theta, 1)
		if err != nil {
			t.Fatal(err)
		}
		prior, err := p.Prior()
		if err != nil {
			t.Fatal(err)
		}
		target := inversion.NewPosteriorTarget(prior, model, inversion.NewLikelihood(form, noise), data)
		low, high := make([]float64, 2), make([]float64, 2)
		for j, sd := range r.CramerRao {
			low[j], high[j] = theta[j]-7*sd, theta[j]+7*sd
		}
		options := DefaultGridOptions()
		options.Range, options.Tolerance = 6, 0.05 // moments to a thousandth are enough
		g, err := NewGrid(context.Background(), target, low, high, options)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: bounds %.3g, posterior %.3g, %d evaluations", form, r.CramerRao, g.SD(), g.Evaluations)
		var inverse mat.Dense
		if err := inverse.Inverse(r.Fisher); err != nil {
			t.Fatal(err)
		}
		for j, sd := range g.SD() {
			near(t, "width", sd, r.CramerRao[j], 0.01*r.CramerRao[j])
		}
		cov := g.Covariance()
		near(t, "correlation", cov[1]/math.Sqrt(cov[0]*cov[3]), inverse.At(0, 1)/(r.CramerRao[0]*r.CramerRao[1]), 0.01)
	}
}
