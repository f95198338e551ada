package matchedfield

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// linear is a linear-Gaussian problem: data = A θ + noise, whose posterior over
// a wide prior is known in closed form.
var linear = []float64{ // [4][2]
	1.0, 0.2,
	-0.5, 0.8,
	0.3, -0.4,
	0.9, 0.6,
}

func predictLinear(data, theta []float64) error {
	for i := range data {
		data[i] = linear[2*i]*theta[0] + linear[2*i+1]*theta[1]
	}
	return nil
}

func lattice(points ...int) Lattice {
	return Lattice{
		Points: points,
		Theta: func(theta, unit []float64) {
			for i, u := range unit {
				theta[i] = -4 + 8*u
			}
		},
		Zeta: func(zeta, theta []float64) { copy(zeta, theta) },
	}
}

var variances = []float64{0.04, 0.09, 0.04, 0.16}

func build(t *testing.T, workers int, points ...int) *Table {
	t.Helper()
	table, err := Build(context.Background(), lattice(points...), variances, workers,
		func() (Predictor, error) { return predictLinear, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// posterior returns mean and covariance (AᵀV⁻¹A)⁻¹ of the linear problem under
// a flat prior.
func posterior(y []float64) (mean [2]float64, cov [3]float64) {
	var h [3]float64
	var g [2]float64
	for i, v := range variances {
		a, b := linear[2*i], linear[2*i+1]
		h[0] += a * a / v
		h[1] += a * b / v
		h[2] += b * b / v
		g[0] += a * y[i] / v
		g[1] += b * y[i] / v
	}
	det := h[0]*h[2] - h[1]*h[1]
	cov = [3]float64{h[2] / det, -h[1] / det, h[0] / det}
	mean = [2]float64{cov[0]*g[0] + cov[1]*g[1], cov[1]*g[0] + cov[2]*g[1]}
	return mean, cov
}

// A lattice finer than the posterior has its moments to spectral accuracy: the
// trapezoidal rule on a Gaussian.
func TestSummaryIsTheLinearGaussianPosterior(t *testing.T) {
	table := build(t, 2, 120, 120)
	s := NewSummarizer(table, DefaultTemperatures())
	rng := rand.New(rand.NewPCG(1, 2))
	const rows = 50 // more than one block
	y, out := make([]float64, rows*4), make([]float64, rows*s.Size())
	for b := range rows {
		theta := []float64{rng.Float64() - 0.5, rng.Float64() - 0.5} // well inside the lattice
		_ = predictLinear(y[b*4:b*4+4], theta)
		for i, v := range variances {
			y[b*4+i] += math.Sqrt(v) * rng.NormFloat64()
		}
	}
	s.Summarize(out, y, rows)
	for b := range rows {
		mean, cov := posterior(y[b*4 : b*4+4])
		got := out[b*s.Size():]
		l00, l10, l11 := math.Exp(got[2]), got[3], math.Exp(got[4])
		for _, c := range []struct{ got, want float64 }{
			{got[0], mean[0]}, {got[1], mean[1]},
			{l00 * l00, cov[0]}, {l00 * l10, cov[1]}, {l10*l10 + l11*l11, cov[2]},
		} {
			if math.Abs(c.got-c.want) > 1e-4*math.Sqrt(cov[0]) { // single-precision products
				t.Fatalf("observation %d: moment %g, want %g", b, c.got, c.want)
			}
		}
		// At temperature 10 the variance is ten times as large.
		if hot := math.Exp(2 * got[5+2]); math.Abs(hot/(10*cov[0])-1) > 1e-3 {
			t.Fatalf("variance at temperature 10 is %g, want %g", hot, 10*cov[0])
		}
	}
}

func TestStandardizeRoundTrip(t *testing.T) {
	table := build(t, 1, 20, 20)
	s := NewSummarizer(table, DefaultTemperatures())
	sum := make([]float64, s.Size())
	s.Summarize(sum, []float64{0.3, -0.2, 0.5, 0.9}, 1)
	zeta, u, back := []float64{0.4, -1.7}, make([]float64, 2), make([]float64, 2)
	logDet := s.Standardize(u, zeta, sum)
	s.Unstandardize(back, u, sum)
	for i := range zeta {
		if math.Abs(back[i]-zeta[i]) > 1e-13 {
			t.Errorf("round trip %v, want %v", back, zeta)
		}
	}
	// ln|det| against the numeric Jacobian.
	var jac [4]float64
	for k := range 2 {
		const h = 1e-6
		up, down := slices.Clone(zeta), slices.Clone(zeta)
		up[k] += h
		down[k] -= h
		a, b := make([]float64, 2), make([]float64, 2)
		s.Standardize(a, up, sum)
		s.Standardize(b, down, sum)
		jac[k], jac[2+k] = (a[0]-b[0])/(2*h), (a[1]-b[1])/(2*h)
	}
	if want := math.Log(math.Abs(jac[0]*jac[3] - jac[1]*jac[2])); math.Abs(logDet-want) > 1e-7 {
		t.Errorf("log-determinant %g, want %g", logDet, want)
	}
}

// A lattice coarser than the posterior must not report a width it cannot see.
func TestFloor(t *testing.T) {
	table := build(t, 1, 9, 9)
	s := NewSummarizer(table, []float64{1e-6}) // all weight on one replica
	sum := make([]float64, s.Size())
	s.Summarize(sum, []float64{0.1, 0.1, 0.1, 0.1}, 1)
	want := math.Log(8.0 / 9 / math.Sqrt(12))
	if math.Abs(sum[2]-want) > 1e-12 || math.Abs(sum[4]-want) > 1e-12 {
		t.Errorf("log standard deviations %g, %g; want the floor %g", sum[2], sum[4], want)
	}
}

func TestTableDoesNotDependOnWorkers(t *testing.T) {
	a, b := build(t, 1, 30, 7), build(t, 4, 30, 7)
	if !slices.Equal(a.Replicas, b.Replicas) || !slices.Equal(a.Zeta, b.Zeta) || !slices.Equal(a.HalfEnergy, b.HalfEnergy) {
		t.Error("tables of 1 and 4 workers differ")
	}
}

func TestMisfitSeesAForeignObservation(t *testing.T) {
	s := NewSummarizer(build(t, 1, 80, 80), DefaultTemperatures())
	sum := make([]float64, 2*s.Size())
	good := make([]float64, 4)
	_ = predictLinear(good, []float64{0.5, -0.5})
	s.Summarize(sum, append(good, 9, -9, 9, 9), 2)
	fits, foreign := sum[s.Size()-1], sum[2*s.Size()-1]
	if !(fits < 0.1) || !(foreign > 3) {
		t.Errorf("misfit of a fitting observation %g, of a foreign one %g", fits, foreign)
	}
}

func TestBuildReportsFailure(t *testing.T) {
	boom := errors.New("no propagating modes")
	_, err := Build(context.Background(), lattice(3, 3), variances, 2, func() (Predictor, error) {
		return func([]float64, []float64) error { return boom }, nil
	}, nil)
	if !errors.Is(err, boom) {
		t.Errorf("error %v, want %v", err, boom)
	}
	if _, err := Build(context.Background(), lattice(3, 1), variances, 1, nil, nil); err == nil {
		t.Error("a lattice with one point along a parameter was accepted")
	}
	if _, err := Build(context.Background(), lattice(3, 3), []float64{1, 0, 1, 1}, 1, nil, nil); err == nil {
		t.Error("a zero variance was accepted")
	}
}

func BenchmarkSummarize(b *testing.B) {
	table, err := Build(context.Background(), lattice(140, 140), variances, 2,
		func() (Predictor, error) { return predictLinear, nil }, nil)
	if err != nil {
		b.Fatal(err)
	}
	s := NewSummarizer(table, DefaultTemperatures())
	y, out := make([]float64, blockRows*4), make([]float64, blockRows*s.Size())
	for b.Loop() {
		s.Summarize(out, y, blockRows)
	}
}
