package inversion

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomField(rng *rand.Rand, n int) []complex128 {
	v := make([]complex128, n)
	for i := range v {
		v[i] = complex(rng.NormFloat64(), rng.NormFloat64())
	}
	return v
}

func resolve(t *testing.T, p *Problem, forward Forward) *Noise {
	t.Helper()
	n, err := p.ResolveNoise(forward, 1)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// linear is a forward model of two tones and three phones: p = θ·g with |g_f|²
// averaging 4 and 1 over the phones.
var linear = ForwardFunc(func(dst []complex128, theta []float64) error {
	for r := range 3 {
		dst[2*r] = complex(0, 2*theta[0])
		dst[2*r+1] = complex(theta[0], 0)
	}
	return nil
})

func linearProblem() *Problem {
	return shelfProblem(Parameter{Name: "source_depth", Prior: uniform(1, 4)})
}

func TestNoiseConventions(t *testing.T) {
	// E θ² = 7 over U(1, 4).
	field := make([]complex128, 6)
	_ = linear(field, []float64{3})
	for _, c := range []struct {
		convention NoiseConvention
		want       [2]float64
	}{
		{PerTonePriorMean, [2]float64{28, 7}},
		{PooledPriorMean, [2]float64{17.5, 17.5}},
		{PerToneSample, [2]float64{36, 9}},
		{PooledSample, [2]float64{22.5, 22.5}},
		{GivenVariance, [2]float64{20, 50}},
	} {
		p := linearProblem()
		p.Noise.SNR, p.Noise.Convention, p.Noise.Variance = 10, c.convention, []float64{2, 5}
		n := resolve(t, p, linear)
		var got [2]float64
		n.VarianceOf(got[:], field)
		for f := range got {
			if math.Abs(got[f]-c.want[f]/10) > 1e-4*c.want[f] {
				t.Errorf("%s: variances %v, want %v / 10", c.convention, got, c.want)
			}
		}
		var power [2]float64
		noise := make([]complex128, 6)
		const draws = 20000
		rng := Rand(1, NoiseStream, 0)
		var pseudo complex128
		for range draws {
			n.Sample(noise, field, rng)
			addPower(power[:], noise)
			pseudo += noise[0] * noise[0]
		}
		for f := range power {
			if v := power[f] / draws; math.Abs(v-got[f]) > 0.03*got[f] {
				t.Errorf("%s: tone %d drawn with variance %g, not %g", c.convention, f, v, got[f])
			}
		}
		if cmplx.Abs(pseudo)/draws > 0.05*got[0] {
			t.Errorf("%s: noise is not circular: E n² = %v", c.convention, pseudo/draws)
		}
	}
}

func TestCorrelatedNoise(t *testing.T) {
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance, p.Noise.CorrelationLength = GivenVariance, []float64{2, 5}, 10
	n := resolve(t, p, linear)
	field := make([]complex128, 6)
	rng := Rand(3, NoiseStream, 0)
	var sum complex128
	const draws = 40000
	var residuals [][]complex128
	for range draws {
		noise := make([]complex128, 6)
		n.Sample(noise, field, rng)
		sum += noise[1] * cmplx.Conj(noise[5])
		residuals = append(residuals, noise)
	}
	want := 5 * math.Exp(-(116.62-94.125)/10)
	if d := cmplx.Abs(sum/draws - complex(want, 0)); d > 0.1 {
		t.Errorf("covariance of phones 0 and 2 at tone 1 is %v, want %g", sum/draws, want)
	}
	// Estimated from the draws, it is the same noise again.
	variance, correlation := EstimateCovariance(residuals, 3, 2, 0)
	if math.Abs(variance[1]-5) > 0.1 || cmplx.Abs(correlation[1][2]-complex(want/5, 0)) > 0.02 {
		t.Errorf("estimated variance %g, correlation %v", variance[1], correlation[1][2])
	}
	q := linearProblem()
	q.Noise.Convention, q.Noise.Variance, q.Noise.Covariance = GivenVariance, variance, PhoneCovariances(q.Frequencies, correlation)
	m := resolve(t, q, linear)
	a := NewLikelihood(KnownSource, n).LogDensity(field, residuals[0])
	b := NewLikelihood(KnownSource, m).LogDensity(field, residuals[0])
	if math.Abs(a-b) > 0.3 {
		t.Errorf("log likelihoods %g and %g", a, b)
	}
}

func TestKnownSourceIsTheDensityOfTheNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	field, data := randomField(rng, 6), randomField(rng, 6)
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	var want float64
	for i := range data {
		nu := p.Noise.Variance[i%2]
		d := cmplx.Abs(data[i] - field[i])
		want += -math.Log(math.Pi*nu) - d*d/nu
	}
	if got := NewLikelihood(KnownSource, resolve(t, p, linear)).LogDensity(field, data); math.Abs(got-want) > 1e-10 {
		t.Errorf("log likelihood %g, want %g", got, want)
	}
	// Correlated: against an explicit inverse of the 3 by 3 correlation.
	p.Noise.CorrelationLength = 10
	got := NewLikelihood(KnownSource, resolve(t, p, linear)).LogDensity(field, data)
	z := p.Array.Depths
	a, b := math.Exp(-(z[1]-z[0])/10), math.Exp(-(z[2]-z[1])/10)
	want = 0
	for f := range 2 { // an exponential correlation is a Markov chain down the array
		nu := p.Noise.Variance[f]
		e := [3]complex128{data[f] - field[f], data[2+f] - field[2+f], data[4+f] - field[4+f]}
		term := func(r complex128, v float64) {
			want += -math.Log(math.Pi*v) - real(r*cmplx.Conj(r))/v
		}
		term(e[0], nu)
		term(e[1]-complex(a, 0)*e[0], nu*(1-a*a))
		term(e[2]-complex(b, 0)*e[1], nu*(1-b*b))
	}
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("correlated log likelihood %g, want %g", got, want)
	}
}

func TestUnknownSourceDropsOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	field, data := randomField(rng, 6), randomField(rng, 6)
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	noise := resolve(t, p, linear)
	for _, form := range []LikelihoodForm{UnknownAmplitude, UnknownVariance} {
		l := NewLikelihood(form, noise)
		want := l.LogDensity(field, data)
		scaled := make([]complex128, 6)
		for i, v := range field {
			scaled[i] = v * []complex128{3i, 0.2 - 0.1i}[i%2]
		}
		if got := l.LogDensity(scaled, data); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s depends on the replica's amplitude: %g, %g", form, got, want)
		}
		if form == UnknownAmplitude { // the best amplitude under KnownSource
			best := math.Inf(-1)
			known := NewLikelihood(KnownSource, noise)
			b := make([]float64, 2)
			Bartlett(b, field, data)
			for i, v := range field {
				var dot complex128
				var norm float64
				for r := i % 2; r < 6; r += 2 {
					dot += cmplx.Conj(field[r]) * data[r]
					norm += real(field[r])*real(field[r]) + imag(field[r])*imag(field[r])
				}
				scaled[i] = v * dot / complex(norm, 0)
			}
			best = known.LogDensity(scaled, data)
			if math.Abs(best-want) > 1e-9 {
				t.Errorf("profile likelihood %g, at the best amplitude %g", want, best)
			}
		}
	}
	b := make([]float64, 2)
	Bartlett(b, field, field)
	if math.Abs(b[0]-1) > 1e-12 || math.Abs(b[1]-1) > 1e-12 {
		t.Errorf("Bartlett of a field with itself %v", b)
	}
}

func TestSnapshotsOfOneAreUnknownAmplitude(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	data := randomField(rng, 6)
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	l := NewLikelihood(UnknownAmplitude, resolve(t, p, linear))
	s := SnapshotLikelihood{Snapshots: 1, Variance: p.Noise.Variance}
	for f := range 2 {
		c := make([]complex128, 9)
		for i := range 3 {
			for j := range 3 {
				c[3*i+j] = data[2*i+f] * cmplx.Conj(data[2*j+f])
			}
		}
		s.Covariance = append(s.Covariance, c)
	}
	for range 3 {
		field := randomField(rng, 6)
		if a, b := s.LogDensity(field), l.LogDensity(field, data); math.Abs(a-b) > 1e-9 {
			t.Errorf("one snapshot gives %g, the data itself %g", a, b)
		}
	}
}

// The form of a problem, of the snapshots themselves, against that of their covariance.
func TestSnapshotsAreTheirCovariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	const snapshots = 5
	p := linearProblem()
	p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{0.5, 2}
	l := NewLikelihood(SnapshotCovariance, resolve(t, p, linear))
	s := SnapshotLikelihood{Snapshots: snapshots, Variance: p.Noise.Variance, Covariance: [][]complex128{make([]complex128, 9), make([]complex128, 9)}}
	var data []complex128
	for range snapshots {
		d := randomField(rng, 6)
		data = append(data, d...)
		for f := range 2 {
			for i := range 9 {
				s.Covariance[f][i] += d[2*(i/3)+f] * cmplx.Conj(d[2*(i%3)+f]) / snapshots
			}
		}
	}
	for range 3 {
		field := randomField(rng, 6)
		if a, b := s.LogDensity(field), l.LogDensity(field, data); math.Abs(a-b) > 1e-9 {
			t.Errorf("the covariance gives %g, its snapshots %g", a, b)
		}
		turned := slices.Clone(data)
		for i := range turned[:6] {
			turned[i] *= 1i
		}
		if a, b := l.LogDensity(field, turned), l.LogDensity(field, data); math.Abs(a-b) > 1e-9 {
			t.Errorf("a snapshot's phase changes its likelihood from %g to %g", b, a)
		}
	}
}

func TestFeatures(t *testing.T) {
	data := []complex128{1 + 2i, 3 + 4i, 5 + 6i, 7 + 8i} // 2 phones, 2 tones
	y := make([]float64, 8)
	Features(y, AbsoluteField, data, 2)
	for i, want := range []float64{1, 3, 2, 4, 5, 7, 6, 8} {
		if y[i] != want {
			t.Fatalf("features %v", y)
		}
	}
	rng := rand.New(rand.NewPCG(4, 1))
	data = randomField(rng, 6)
	scaled := make([]complex128, 6)
	for i, v := range data {
		scaled[i] = v * []complex128{3i, 0.2 - 0.1i}[i%2]
	}
	for _, form := range []FeatureForm{NormalizedField, NormalizedCovariance} {
		a, b := make([]float64, FeatureSize(form, 3, 2)), make([]float64, FeatureSize(form, 3, 2))
		Features(a, form, data, 2)
		Features(b, form, scaled, 2)
		var norm float64
		for i := range a {
			if math.Abs(a[i]-b[i]) > 1e-12 {
				t.Errorf("%s: feature %d depends on the source: %g, %g", form, i, a[i], b[i])
			}
			norm += a[i] * a[i]
		}
		if norm == 0 {
			t.Errorf("%s: no features", form)
		}
	}
}

func TestSimulatorIsReproducible(t *testing.T) {
	p := linearProblem()
	noise := resolve(t, p, linear)
	a, _ := NewSimulator(p, SobolDesign, noise, linear, 5)
	b, _ := NewSimulator(p, SobolDesign, noise, linear, 5)
	theta, other := make([]float64, 1), make([]float64, 1)
	x, nx, y, ny := make([]complex128, 6), make([]complex128, 6), make([]complex128, 6), make([]complex128, 6)
	for i := range 10 {
		if err := a.Sample(i, theta, x, nx); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Sample(9, other, y, ny); err != nil {
		t.Fatal(err)
	}
	if theta[0] != other[0] || x[3] != y[3] || nx[3] != ny[3] {
		t.Error("sample 9 depends on what was drawn before it")
	}
}

func TestWeightedDraws(t *testing.T) {
	d := &Draws{D: 1, Theta: []float64{3, 1, 2}, LogWeight: []float64{math.Log(2), math.Log(1), math.Log(1)}}
	s := d.Summarize(0)
	if s.Mean != 2.25 || s.Median != 2 || s.Q975 != 3 {
		t.Errorf("summary %+v", s)
	}
	count := map[float64]int{}
	for _, v := range d.Resample(4000, Rand(1, DrawStream, 0)).Theta {
		count[v]++
	}
	if count[3] != 2000 || count[1] != 1000 {
		t.Errorf("resampled %v", count)
	}
}
