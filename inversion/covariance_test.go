package inversion

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// covarianceProblem has three phones, two tones and a given covariance: at the second
// tone a complex one, elsewhere a real one.
func covarianceProblem() *Problem {
	p := linearProblem()
	p.Noise.Convention = GivenCovariance
	p.Noise.Covariance = []PhoneCovariance{
		{Real: [][]float64{{2, 1, 0}, {1, 3, 0.5}, {0, 0.5, 1}}},
		{Frequency: p.Frequencies[1], Real: [][]float64{{1, 0, 0}, {0, 2, 0.3}, {0, 0.3, 1}}, Imag: [][]float64{{0, 0.4, 0}, {-0.4, 0, 0}, {0, 0, 0}}},
	}
	return p
}

// The likelihood under a given covariance is the density of a complex normal with
// that covariance, and its noise has it.
func TestGivenCovariance(t *testing.T) {
	p := covarianceProblem()
	n := resolve(t, p, linear)
	matrices, err := p.Noise.covariances(p.Frequencies, 3)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 1))
	field, data := randomField(rng, 6), randomField(rng, 6)
	want := 0.0
	for f, c := range matrices {
		l := append([]complex128(nil), c...)
		logDet, ok := choleskyComplex(l, 3)
		if !ok {
			t.Fatal("not positive definite")
		}
		want -= 3*math.Log(math.Pi) + logDet
		var x [3]complex128
		for i := range 3 { // forward substitution with the factor
			x[i] = data[i*2+f] - field[i*2+f]
			for k := range i {
				x[i] -= l[i*3+k] * x[k]
			}
			x[i] /= l[i*3+i]
			want -= real(x[i])*real(x[i]) + imag(x[i])*imag(x[i])
		}
	}
	if got := NewLikelihood(KnownSource, n).LogDensity(field, data); math.Abs(got-want) > 1e-10 {
		t.Errorf("log density %g, want %g", got, want)
	}
	const draws = 40000
	var cross complex128
	for range draws {
		n.Sample(data, field, rng)
		cross += data[0*2+1] * complex(real(data[1*2+1]), -imag(data[1*2+1])) / draws
	}
	if math.Hypot(real(cross), imag(cross)-0.4) > 0.04 { // four standard errors
		t.Errorf("covariance of phones 0 and 1 at the second tone is %v, want 0.4i", cross)
	}
}

func TestCovarianceMistakes(t *testing.T) {
	for want, change := range map[string]func(*NoiseModel){
		"is not a matrix of 3 by 3":      func(m *NoiseModel) { m.Covariance[0].Real = m.Covariance[0].Real[:2] },
		"not positive":                   func(m *NoiseModel) { m.Covariance[0].Real[1][1] = 0 },
		"is not Hermitian":               func(m *NoiseModel) { m.Covariance[1].Imag[0][1] = 0.3 },
		"is none of the tones":           func(m *NoiseModel) { m.Covariance[1].Frequency = 1 },
		"has two covariances":            func(m *NoiseModel) { m.Covariance = append(m.Covariance, m.Covariance[1]) },
		"add a block for it":             func(m *NoiseModel) { m.Covariance = m.Covariance[1:] },
		"needs covariance blocks":        func(m *NoiseModel) { m.Covariance = nil },
		"unknown convention":             func(m *NoiseModel) { m.Convention = "loud" },
		"is not positive definite":       func(m *NoiseModel) { m.Covariance[0].Real = [][]float64{{1, 2, 0}, {2, 1, 0}, {0, 0, 1}} },
		"of the tone of":                 func(m *NoiseModel) { m.Covariance[0].Real = [][]float64{{1, 2, 0}, {2, 1, 0}, {0, 0, 1}} },
		"real is empty; give one row":    func(m *NoiseModel) { m.Covariance[0].Real = nil },
		"the variance of phone 2 is NaN": func(m *NoiseModel) { m.Covariance[0].Real[2][2] = math.NaN() },
	} {
		p := covarianceProblem()
		change(&p.Noise)
		_, err := p.ResolveNoise(linear, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
