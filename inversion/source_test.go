package inversion

import (
	"math"
	"math/cmplx"
	"slices"
	"testing"
)

// Data of a source a times as loud are explained by a, and leave no residual.
func TestSourceAmplitudes(t *testing.T) {
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance, p.Noise.CorrelationLength = GivenVariance, []float64{2, 5}, 20
	noise := resolve(t, p, linear)
	field, data, a := make([]complex128, 6), make([]complex128, 6), []complex128{2 - 1i, 0.5i}
	_ = linear(field, []float64{3})
	for i := range data {
		data[i] = a[i%2] * field[i]
	}
	chi, got := make([]float64, 2), make([]complex128, 2)
	l := NewLikelihood(UnknownAmplitude, noise)
	l.Amplitudes(got, field, data)
	l.ChiSquare(chi, field, data)
	for f := range a {
		if cmplx.Abs(got[f]-a[f]) > 1e-12 || chi[f] > 1e-20 {
			t.Errorf("tone %d: amplitude %v, want %v; chi-square %g", f, got[f], a[f], chi[f])
		}
	}
	l.Explain(field, data)
	for i := range data {
		if cmplx.Abs(field[i]-data[i]) > 1e-12 {
			t.Errorf("value %d is explained as %v, want %v", i, field[i], data[i])
		}
	}
	if l.Degrees() != 4 || NewLikelihood(KnownSource, noise).Degrees() != 6 {
		t.Errorf("degrees of freedom %d, want 4 of three phones less an amplitude", l.Degrees())
	}
	NewLikelihood(UnknownVariance, noise).ChiSquare(chi, field, data)
	if !math.IsNaN(chi[0]) {
		t.Errorf("chi-square %g without a variance", chi[0])
	}
}

// Chi-square of noise about a·p has the mean of its degrees of freedom, and replicated data
// scatter about the data's own best fit by the noise and once more along the field:
// E‖d' - âp‖² = (N+1)ν.
func TestChiSquareAndReplicasOfAnUnknownSource(t *testing.T) {
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{2, 5}
	noise := resolve(t, p, linear)
	field, data, replica := make([]complex128, 6), make([]complex128, 6), make([]complex128, 6)
	l := NewLikelihood(UnknownAmplitude, noise)
	chi, a := make([]float64, 2), make([]complex128, 2)
	var mean, spread float64
	const runs = 20000
	for i := range runs {
		_ = linear(field, []float64{3})
		noise.Sample(data, field, Rand(1, NoiseStream, i))
		for k := range data {
			data[k] += (1 - 2i) * field[k]
		}
		l.ChiSquare(chi, field, data)
		mean += chi[1] / runs
		l.Amplitudes(a, field, data)
		l.Replicate(replica, field, data, Rand(2, NoiseStream, i))
		spread += toneDistance2(replica, field, a[1], 1, 2) / runs
	}
	// Chi-square with 4 degrees has the variance 8; the sum of 8 squares, each ν/2 = 2.5 on average, 8·2·2.5².
	if math.Abs(mean-4) > 4*math.Sqrt(8.0/runs) {
		t.Errorf("chi-square has the mean %.3f, want 4", mean)
	}
	if math.Abs(spread-20) > 5*math.Sqrt(2*100.0/runs)+0.05 {
		t.Errorf("replicas scatter by %.2f, want 20", spread)
	}
}

// Of a field linear in θ the log-likelihood is a parabola, -(θ-θ₀)² Σ ‖g_f‖²/ν_f below its top,
// and the shape of the field does not change.
func TestCutOfALinearField(t *testing.T) {
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{2, 5}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	data := make([]complex128, 6)
	_ = linear(data, []float64{2.5})
	target := NewPosteriorTarget(prior, linear, NewLikelihood(KnownSource, resolve(t, p, linear)), data)
	cut := target.Cut([]float64{3}, 0, []float64{1.5, 2.5, 4})
	if !slices.Equal(cut.At, []float64{1.5, 2.5, 4}) {
		t.Fatalf("values %v", cut.At)
	}
	curvature := 3 * (4/2.0 + 1/5.0)
	for i, x := range cut.At {
		if got, want := cut.LogLikelihood[i]-cut.LogLikelihood[1], -(x-2.5)*(x-2.5)*curvature; math.Abs(got-want) > 1e-9 {
			t.Errorf("ln L at %g is %g below the top, want %g", x, got, want)
		}
		if math.Abs(cut.Mismatch[i]) > 1e-12 {
			t.Errorf("mismatch %g at %g", cut.Mismatch[i], x)
		}
	}
}
