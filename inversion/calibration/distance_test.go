package calibration

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"oceaninv/inversion"
)

func TestC2STKnownPairs(t *testing.T) {
	cdf := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	const n = 2000
	sd := []float64{0.05, 2}
	exact := normalDraws(n, []float64{216.5, 1572}, sd, 1)
	for _, c := range []struct {
		name string
		b    *inversion.Draws
		want float64 // accuracy of the best classifier there is
	}{
		{"equal", normalDraws(n, []float64{216.5, 1572}, sd, 2), 0.5},
		{"shifted by a sd", normalDraws(n, []float64{216.55, 1572}, sd, 3), cdf(0.5)},
		{"shifted by three", normalDraws(n, []float64{216.5, 1578}, sd, 4), cdf(1.5)},
		{"far away", normalDraws(n, []float64{230, 1540}, sd, 5), 1},
		// Radii in two dimensions, s = 2: densities cross at r² = 2 ln s²·s²/(s²-1).
		{"twice as wide", normalDraws(n, []float64{216.5, 1572}, []float64{0.1, 4}, 6), func() float64 {
			r2 := 2 * math.Log(4) * 4 / 3
			return 0.5 * ((1 - math.Exp(-r2/2)) + math.Exp(-r2/8))
		}()},
	} {
		r := C2ST(exact, c.b, DefaultC2STOptions())
		t.Logf("%s: %v (neighbours %.3f, quadratic %.3f, p %.2g), best possible %.3f", c.name, r.Accuracy, r.Neighbours, r.Quadratic, r.PValue, c.want)
		if math.Abs(r.Accuracy.Value-c.want) > 4*0.5/math.Sqrt(2*n)+0.01 {
			t.Errorf("%s: accuracy %v, the best classifier's is %.3f", c.name, r.Accuracy, c.want)
		}
		if (r.PValue < 0.01) != (c.want > 0.5) {
			t.Errorf("%s: p value %g", c.name, r.PValue)
		}
	}
}

func TestC2STSeesShape(t *testing.T) {
	// A ring and a normal of the same mean and covariance: no quadratic tells them
	// apart but by the radius; two blobs against a normal along one axis need the
	// neighbours.
	const n = 2000
	rng := rand.New(rand.NewPCG(1, 4))
	blobs := inversion.NewDraws(n, 2)
	for i := range n {
		blobs.Row(i)[0] = float64(1-2*(i%2))*0.95 + 0.3122*rng.NormFloat64()
		blobs.Row(i)[1] = rng.NormFloat64()
	}
	r := C2ST(blobs, normalDraws(n, []float64{0, 0}, []float64{1, 1}, 2), DefaultC2STOptions())
	if r.Neighbours < 0.62 {
		t.Errorf("two blobs against a normal: neighbours %.3f, quadratic %.3f", r.Neighbours, r.Quadratic)
	}
}

func TestC2STIsFairOnEqualSamples(t *testing.T) {
	// The p value is at most what it says, over repetitions.
	low := 0
	const runs = 60
	for s := range uint64(runs) {
		r := C2ST(normalDraws(300, []float64{0, 0}, []float64{1, 1}, 2*s), normalDraws(300, []float64{0, 0}, []float64{1, 1}, 2*s+1), DefaultC2STOptions())
		if r.PValue < 0.05 {
			low++
		}
	}
	if low > 10 {
		t.Errorf("equal samples are told apart at 5 %% in %d of %d runs", low, runs)
	}
}

func TestNearestAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	var train [][]float64
	var label []float64
	for range 300 {
		train = append(train, []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()})
		label = append(label, float64(rng.IntN(2)))
	}
	test := train[:40]
	got := nearest(train, label, test)
	k := int(math.Sqrt(300)) | 1
	for i, x := range test {
		type pair struct{ d, l float64 }
		var all []pair
		for j, y := range train {
			var d float64
			for q := range x {
				d += (x[q] - y[q]) * (x[q] - y[q])
			}
			all = append(all, pair{d, label[j]})
		}
		for a := range all { // selection of the k smallest
			for b := a + 1; b < len(all); b++ {
				if all[b].d < all[a].d {
					all[a], all[b] = all[b], all[a]
				}
			}
			if a == k {
				break
			}
		}
		var votes float64
		for _, p := range all[:k] {
			votes += p.l
		}
		if got[i] != votes/float64(k) {
			t.Fatalf("point %d: %g, by brute force %g", i, got[i], votes/float64(k))
		}
	}
}

func TestMMD(t *testing.T) {
	one := []float64{1, 1}
	a := normalDraws(400, []float64{0, 0}, one, 1)
	same := MMD(a, normalDraws(400, []float64{0, 0}, one, 2), one, Gaussian(1), 200, 1)
	if same.PValue < 0.01 || math.Abs(same.Squared.Value) > 4*same.Squared.StdError+0.003 {
		t.Errorf("equal samples: %+v", same)
	}
	// Gaussian kernel of bandwidth h, unit normals a distance m apart, in d
	// dimensions: MMD² = 2 (h²/(h²+2))^(d/2) (1 - exp(-m²/(2(h²+2)))).
	shifted := MMD(a, normalDraws(400, []float64{1, 0}, one, 3), one, Gaussian(1), 200, 1)
	want := 2.0 / 3 * (1 - math.Exp(-1.0/6))
	if math.Abs(shifted.Squared.Value-want) > 4*shifted.Squared.StdError || shifted.PValue > 0.01 {
		t.Errorf("shifted: %+v, want %g", shifted, want)
	}
	if k := InverseMultiquadric(0); math.Abs(k-(math.Pow(0.2, 0.1)*math.Pow(2, -0.1)+math.Sqrt(0.2)*math.Pow(0.4, -0.5)+0.04*100)) > 1e-12 {
		t.Errorf("kernel at zero %g", k)
	}
}

func TestLC2ST(t *testing.T) {
	// Posterior N(y/2, ½·width²) of θ ~ N(0,1), y = θ + N(0,1); wrong by shift only
	// for y > 0.
	test := func(shift float64, at float64) LC2STResult {
		rng := rand.New(rand.NewPCG(7, 7))
		draw := func(y float64) float64 {
			return y/2 + shift*math.Max(0, y) + math.Sqrt(0.5)*rng.NormFloat64()
		}
		var p, q, o [][]float64
		for range 1500 {
			theta := rng.NormFloat64()
			y := theta + rng.NormFloat64()
			p, q = append(p, []float64{theta, y}), append(q, []float64{draw(y), y})
		}
		for range 300 {
			o = append(o, []float64{draw(at), at})
		}
		return LC2ST(p, q, o, 60, 1)
	}
	if r := test(0, 1); r.Rejected {
		t.Errorf("a right posterior is rejected: %+v", r)
	}
	if r := test(0.4, 2); !r.Rejected {
		t.Errorf("a wrong posterior passes: %+v", r)
	}
}

func TestScore(t *testing.T) {
	d := normalDraws(20000, []float64{5}, []float64{2}, 1)
	s := ScoreOf(d, 0, 4, 10)
	if math.Abs(s.Contraction-0.96) > 0.002 || math.Abs(s.ZScore-0.5) > 0.03 || math.Abs(s.SquaredError.Value-5) > 4*s.SquaredError.StdError {
		t.Errorf("score %+v", s)
	}
}

func TestOutOfDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	draw := func() []float64 { a := rng.NormFloat64(); return []float64{a, 0.9*a + 0.1*rng.NormFloat64()} }
	var train [][]float64
	for range 2000 {
		train = append(train, draw())
	}
	o, err := NewOutOfDistribution(train)
	if err != nil {
		t.Fatal(err)
	}
	var mean float64
	for range 1000 {
		mean += o.PValue(draw()) / 1000
	}
	if math.Abs(mean-0.5) > 0.04 {
		t.Errorf("p values of the training distribution average %g", mean)
	}
	if p := o.PValue([]float64{1, -1}); p > 0.002 {
		t.Errorf("a summary off the correlation has p = %g", p)
	}
	if _, err := NewOutOfDistribution(train[:3]); err == nil {
		t.Error("three summaries are enough")
	}
	same := []*inversion.Draws{normalDraws(500, []float64{0}, []float64{1}, 1), normalDraws(500, []float64{0}, []float64{1}, 2)}
	apart := []*inversion.Draws{same[0], normalDraws(500, []float64{5}, []float64{1}, 2)}
	if EnsembleSpread(same) > 0.2 || EnsembleSpread(apart) < 3 {
		t.Errorf("spreads %g, %g", EnsembleSpread(same), EnsembleSpread(apart))
	}
}

// plane is a linear forward model: five phones and two tones.
var plane = inversion.ForwardFunc(func(dst []complex128, theta []float64) error {
	for i := range dst {
		dst[i] = complex(theta[0]*float64(1+i%3), theta[0]*float64(i%4)-1)
	}
	return nil
})

// predictiveMeans are means over runs of what is checked of data a·plane(2) + noise.
type predictiveMeans struct{ total, first, white, inside, resimulation float64 }

func predictive(t *testing.T, form inversion.LikelihoodForm, source complex128) (predictiveMeans, Predictive) {
	t.Helper()
	p := inversion.DefaultProblem()
	p.Frequencies, p.Array.Depths = []float64{50, 60}, []float64{1, 2, 3, 4, 5}
	p.Noise.Convention, p.Noise.Variance = inversion.GivenVariance, []float64{0.5, 0.2}
	noise, err := p.ResolveNoise(plane, 1)
	if err != nil {
		t.Fatal(err)
	}
	check := Predictive{Forward: plane, Likelihood: inversion.NewLikelihood(form, noise)}
	draws := normalDraws(200, []float64{2}, []float64{1e-3}, 1)
	var m predictiveMeans
	const runs = 200
	for run := range runs {
		data, n := make([]complex128, 10), make([]complex128, 10)
		_ = plane(data, []float64{2})
		noise.Sample(n, data, inversion.Rand(1, inversion.NoiseStream, run))
		for i := range data {
			data[i] = source*data[i] + n[i]
		}
		r, err := check.Check(draws, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		m.total, m.first, m.white = m.total+r.TotalP/runs, m.first+r.ChiSquare[0]/runs, m.white+r.WhitenessP[0]/runs
		m.resimulation += r.Resimulation.Value / runs
		if r.Bartlett[0] >= r.BartlettLow[0] && r.Bartlett[0] <= r.BartlettHigh[0] {
			m.inside += 1.0 / runs
		}
	}
	return m, check
}

func TestPredictiveChecks(t *testing.T) {
	m, check := predictive(t, inversion.KnownSource, 1)
	if math.Abs(m.total-0.5) > 0.09 || math.Abs(m.first-1) > 0.1 || math.Abs(m.white-0.5) > 0.12 || m.inside < 0.88 {
		t.Errorf("of right data: %+v", m)
	}
	wrong := make([]complex128, 10)
	_ = plane(wrong, []float64{3})
	r, err := check.Check(normalDraws(200, []float64{2}, []float64{1e-3}, 1), wrong, 2)
	if err != nil {
		t.Fatal(err)
	}
	if r.TotalP > 1e-3 || r.ChiSquare[1] < 3 || r.WhitenessP[1] > 0.1 {
		t.Errorf("of wrong data: %+v", r)
	}
}

// A source three times as loud and of another phase is no misfit where neither is known, and
// a large one where both are.
func TestPredictiveChecksOfAnUnknownSource(t *testing.T) {
	const source = 2 - 2.2i
	m, check := predictive(t, inversion.UnknownAmplitude, source)
	if math.Abs(m.total-0.5) > 0.09 || math.Abs(m.first-1) > 0.1 || math.Abs(m.white-0.5) > 0.12 || m.inside < 0.88 || m.resimulation > 0.2 {
		t.Errorf("of right data: %+v", m)
	}
	wrong, draws := make([]complex128, 10), normalDraws(200, []float64{2}, []float64{1e-3}, 1)
	for i := range wrong { // a field of another shape
		wrong[i] = complex(float64(i%5)-2, float64(i%2))
	}
	r, err := check.Check(draws, wrong, 2)
	if err != nil {
		t.Fatal(err)
	}
	if r.TotalP > 1e-3 || r.ChiSquare[1] < 3 {
		t.Errorf("of wrong data: %+v", r)
	}
	if m, _ := predictive(t, inversion.KnownSource, source); m.total > 1e-3 || m.inside > 0.9 {
		t.Errorf("taken for a known source: %+v", m)
	}
	m, check = predictive(t, inversion.UnknownVariance, source)
	if !math.IsNaN(m.total) || !math.IsNaN(m.first) || math.Abs(m.white-0.5) > 0.12 || m.inside < 0.88 {
		t.Errorf("with the variance unknown: %+v", m)
	}
	if r, err = check.Check(draws, wrong, 2); err != nil || r.Bartlett[1] >= r.BartlettLow[1] && r.Bartlett[1] <= r.BartlettHigh[1] && r.Resimulation.Value < 0.5 {
		t.Errorf("of wrong data, with the variance unknown: %+v, %v", r, err)
	}
}

// The exponent of the test for whiteness has mean 1 over noise, whatever the field whose
// amplitude was estimated: to five standard errors of as many exponentials.
func TestWhitenessOfNoise(t *testing.T) {
	const replicas = 200_000
	flat := []complex128{1, 1, 1, 1, 1, 1, 1, 1}
	wave, uneven := make([]complex128, 8), []complex128{3, 1i, -2, 0.5 + 1i}
	for i := range wave {
		wave[i] = cmplx.Exp(complex(0, 0.4*float64(i)))
	}
	for _, c := range []struct {
		name      string
		field     []complex128
		estimated bool
	}{
		{"three phones alike", flat[:3], true}, {"five phones alike", flat[:5], true}, {"eight phones alike", flat, true},
		{"a plane wave", wave[:5], true}, {"an uneven field", uneven, true}, {"a known source", flat[:5], false},
	} {
		rng := rand.New(rand.NewPCG(6, 7))
		r := make([]complex128, len(c.field))
		var mean float64
		for range replicas {
			var along, norm complex128
			for i, p := range c.field {
				r[i] = complex(3*rng.NormFloat64(), 3*rng.NormFloat64())
				along, norm = along+cmplx.Conj(p)*r[i], norm+cmplx.Conj(p)*p
			}
			for i, p := range c.field {
				if c.estimated {
					r[i] -= along / norm * p
				}
			}
			mean -= math.Log(whiteness(r, c.field, 1, c.estimated)[0]) / replicas
		}
		if math.Abs(mean-1) > 5/math.Sqrt(replicas) {
			t.Errorf("%s: the exponent's mean is %.4f", c.name, mean)
		}
	}
	// Two phones leave one residual: nothing to correlate.
	if p := whiteness([]complex128{1, -1}, flat[:2], 1, true)[0]; p != 1 {
		t.Errorf("two phones: p = %g", p)
	}
}
