package inversion

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
)

// curved is a field of two tones and three phones that is not linear in its two
// parameters.
var curved = ForwardFunc(func(dst []complex128, theta []float64) error {
	for i := range dst {
		k := float64(i + 1)
		dst[i] = cmplx.Exp(complex(-0.1*k, k*theta[0])) + complex(theta[1]*k, theta[1]*theta[0]/k)
	}
	return nil
})

func curvedProblem() *Problem {
	p := shelfProblem(
		Parameter{Name: "source_depth", Prior: Marginal{Kind: Normal, Mean: 1, SD: 1}},
		Parameter{Name: "range", Prior: Marginal{Kind: LogNormal, Median: 1, SD: 0.5}})
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	return p
}

func TestGradientAgainstFiniteDifferences(t *testing.T) {
	p := curvedProblem()
	p.Noise.CorrelationLength = 10
	prior, _ := p.Prior()
	noise := resolve(t, p, curved)
	data := randomField(rand.New(rand.NewPCG(1, 9)), 6)
	several := append(randomField(rand.New(rand.NewPCG(2, 9)), 12), data...)
	for _, form := range LikelihoodForms() {
		observed := data
		if form == SnapshotCovariance {
			observed = several
		}
		target, err := NewGradientTarget(prior, NewFiniteDifferences(curved, prior, 6), NewLikelihood(form, noise), observed)
		if err != nil {
			t.Fatal(err)
		}
		unbounded := NewUnboundedTarget(prior, target)
		for _, u := range [][]float64{{0.3, -0.2}, {1.7, 0.4}} {
			grad := make([]float64, 2)
			value := unbounded.LogDensityGradient(grad, u)
			if v := unbounded.LogDensity(u); math.Abs(v-value) > 1e-9 {
				t.Errorf("%s: value %g with the gradient, %g without", form, value, v)
			}
			want := fd.Gradient(nil, unbounded.LogDensity, u, &fd.Settings{Formula: fd.Central})
			for j := range want {
				if math.Abs(grad[j]-want[j]) > 1e-5*(1+math.Abs(want[j])) {
					t.Errorf("%s at %v: gradient %v, want %v", form, u, grad, want)
				}
			}
		}
	}
}

func TestFisherIsTheVarianceOfTheScore(t *testing.T) {
	p := curvedProblem()
	p.Noise.CorrelationLength = 10
	prior, _ := p.Prior()
	noise := resolve(t, p, curved)
	theta := []float64{0.7, 1.2}
	model := NewFiniteDifferences(curved, prior, 6)
	for _, form := range []LikelihoodForm{KnownSource, UnknownAmplitude} {
		p.Likelihood = form
		r, err := p.Fisher(model, noise, theta, 1)
		if err != nil {
			t.Fatal(err)
		}
		field, jac, n := make([]complex128, 6), make([]complex128, 12), make([]complex128, 6)
		if err := model.Jacobian(field, jac, theta); err != nil {
			t.Fatal(err)
		}
		l := NewLikelihood(form, noise)
		const draws = 20000
		var f [3]float64
		for i := range draws {
			noise.Sample(n, field, Rand(4, NoiseStream, i))
			for k := range n {
				n[k] += field[k]
			}
			grad := make([]float64, 2)
			l.scores(grad, field, jac, n)
			f[0] += grad[0] * grad[0] / draws
			f[1] += grad[0] * grad[1] / draws
			f[2] += grad[1] * grad[1] / draws
		}
		// With an unknown amplitude the score carries a part of second order in the
		// noise as well: compare what is of first order by the bound.
		if form != KnownSource {
			if r.Fisher.At(0, 0) > f[0]*1.05 || r.Fisher.At(0, 0) <= 0 {
				t.Errorf("information %g, mean square score %g", r.Fisher.At(0, 0), f[0])
			}
			continue
		}
		for k, ij := range [][2]int{{0, 0}, {0, 1}, {1, 1}} {
			want := r.Fisher.At(ij[0], ij[1])
			tolerance := 5 * math.Sqrt(2*r.Fisher.At(ij[0], ij[0])*r.Fisher.At(ij[1], ij[1])/draws)
			if math.Abs(f[k]-want) > tolerance {
				t.Errorf("%s: information %v is %g, the score's covariance %g ± %.2g", form, ij, want, f[k], tolerance)
			}
		}
		if r.Posterior[0] >= r.CramerRao[0] || r.Gain[0] <= 1 {
			t.Errorf("bounds %+v", r)
		}
	}
}

func TestFisherOfWhatTheDataDoNotTell(t *testing.T) {
	// Under an unknown source, a parameter that only scales the field is not
	// determined at all.
	p := shelfProblem(Parameter{Name: "source_depth", Prior: Marginal{Kind: Normal, Mean: 2, SD: 1}})
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	p.Likelihood = UnknownAmplitude
	prior, _ := p.Prior()
	r, err := p.Fisher(NewFiniteDifferences(linear, prior, 6), resolve(t, p, linear), []float64{2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.CramerRao[0] < 1e5 || math.Abs(r.Posterior[0]-1) > 1e-6 {
		t.Errorf("bounds %v, %v", r.CramerRao, r.Posterior)
	}
	p.Likelihood = KnownSource
	for _, snapshots := range []int{1, 9} {
		r, err = p.Fisher(NewFiniteDifferences(linear, prior, 6), resolve(t, p, linear), []float64{2}, snapshots)
		if err != nil {
			t.Fatal(err)
		}
		// |∂p|² summed: 3·4/0.5 + 3/2, twice; each snapshot tells as much.
		if want := 1 / math.Sqrt(2*(24+1.5)*float64(snapshots)); math.Abs(r.CramerRao[0]-want) > 1e-6 {
			t.Errorf("bound of %d snapshots %g, want %g", snapshots, r.CramerRao[0], want)
		}
	}
}

// The gradient of a correlated prior, against differences, for marginals of every kind
// of support.
func TestScoreOfACorrelatedPrior(t *testing.T) {
	p := shelfProblem(
		Parameter{Name: "source_depth", Prior: Marginal{Kind: Normal, Mean: 2, SD: 1.5}},
		Parameter{Name: "range", Prior: Marginal{Kind: Uniform, Low: -1, High: 3}},
		Parameter{Name: "tilt", Prior: Marginal{Kind: LogNormal, Median: 2, SD: 0.4}},
	)
	p.Correlations = []Correlation{{Between: []string{"source_depth", "range"}, Value: 0.7}, {Between: []string{"range", "tilt"}, Value: -0.4}}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	for _, theta := range [][]float64{{1.2, 0.3, 1.7}, {-1, 2.8, 4}, {4.5, -0.9, 1}} {
		grad := []float64{1, 2, 3} // it is added to
		prior.addScore(grad, theta)
		for j := range theta {
			const h = 1e-5
			a, b := slices.Clone(theta), slices.Clone(theta)
			a[j], b[j] = a[j]-h, b[j]+h
			want := (prior.LogDensity(b)-prior.LogDensity(a))/(2*h) + float64(j+1)
			if math.Abs(grad[j]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("at %v: derivative %d is %g, by differences %g", theta, j, grad[j], want)
			}
		}
	}
}
