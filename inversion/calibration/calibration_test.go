package calibration

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oceaninv/inversion"
)

// conjugate is a problem whose posterior is known: θ ~ N(0, I) in two dimensions,
// y = θ + N(0, s²). Its posterior is normal with variance s²/(1+s²) about y/(1+s²).
// A width other than 1 multiplies the posterior's standard deviation.
type conjugate struct {
	truths   [][]float64
	draws    []*inversion.Draws
	logTruth []float64
}

func newConjugate(n, draws int, width float64, seed uint64) *conjugate {
	const s2 = 0.04
	sd := math.Sqrt(s2/(1+s2)) * width
	c := &conjugate{}
	for i := range n {
		rng := inversion.Rand(seed, inversion.DesignStream, i)
		theta, mean := make([]float64, 2), make([]float64, 2)
		logp := func(x []float64) (l float64) {
			for j := range x {
				z := (x[j] - mean[j]) / sd
				l -= z*z/2 + math.Log(sd)
			}
			return l
		}
		for j := range theta {
			theta[j] = rng.NormFloat64()
			mean[j] = (theta[j] + math.Sqrt(s2)*rng.NormFloat64()) / (1 + s2)
		}
		d := inversion.NewDraws(draws, 2)
		d.LogProb = make([]float64, draws)
		for k := range draws {
			for j := range 2 {
				d.Row(k)[j] = mean[j] + sd*rng.NormFloat64()
			}
			d.LogProb[k] = logp(d.Row(k))
		}
		c.truths, c.draws, c.logTruth = append(c.truths, theta), append(c.draws, d), append(c.logTruth, logp(theta))
	}
	return c
}

func (c *conjugate) sbc(seed uint64) SBCResult {
	ranks := make([]int, len(c.truths))
	for i, d := range c.draws {
		ranks[i] = Rank(d.Column(0), c.truths[i][0], inversion.Rand(seed, inversion.DrawStream, i))
	}
	return SBC(ranks, c.draws[0].N(), 0.95, seed)
}

func (c *conjugate) coverage() CoverageResult {
	levels := make([]float64, len(c.truths))
	for i, d := range c.draws {
		levels[i] = HighestDensityLevel(d, c.logTruth[i], inversion.Rand(2, inversion.DrawStream, i))
	}
	return Coverage(levels, 20, 1)
}

func (c *conjugate) central() CalibrationError {
	levels, widths := make([]float64, len(c.truths)), make([]float64, len(c.truths))
	for i, d := range c.draws {
		levels[i] = CentralLevel(d.Column(0), nil, c.truths[i][0], inversion.Rand(3, inversion.DrawStream, i))
		q := d.Quantiles(0, 0.16, 0.84)
		widths[i] = q[1] - q[0]
	}
	return ArdizzoneError(levels, widths)
}

func TestExactPosteriorPasses(t *testing.T) {
	// By construction one seed in twenty leaves a band; this one does not.
	c := newConjugate(2000, 200, 1, 100)
	if r := c.sbc(1); !r.Inside || r.Excess.Value > 1 || r.PValue < 0.005 || r.ExcessP.Value < 0.03 {
		t.Errorf("SBC of an exact posterior: excess %v, p %.3g", r.Excess, r.PValue)
	}
	if r := c.coverage(); !r.Inside || r.Worst.Value > 0.035 || r.KolmogorovSmirnov.Value < 0.005 {
		t.Errorf("coverage of an exact posterior: worst %v, p %v", r.Worst, r.KolmogorovSmirnov)
	}
	if r := TARP(c.draws, c.truths, 20, 1); !r.Inside || math.Abs(r.Bias.Value) > 4*r.Bias.StdError || r.KolmogorovSmirnov.Value < 0.005 {
		t.Errorf("TARP of an exact posterior: worst %v, bias %v, p %v", r.Worst, r.Bias, r.KolmogorovSmirnov)
	}
	if e := c.central(); e.Median.Value > 0.03 || math.Abs(e.At68.Value) > 0.04 {
		t.Errorf("calibration error of an exact posterior: %+v", e)
	} else if want := 2 * 0.9945 * math.Sqrt(0.04/1.04); math.Abs(e.Width68.Value-want) > 0.03*want {
		t.Errorf("68 %% width %v, want %g", e.Width68, want)
	}
}

func TestNarrowPosteriorIsFlagged(t *testing.T) {
	c := newConjugate(2000, 200, 0.8, 12)
	if r := c.sbc(1); r.Inside || r.PValue > 1e-3 {
		t.Errorf("SBC passes a posterior 20 %% too narrow: excess %v, p %.3g", r.Excess, r.PValue)
	}
	if r := c.coverage(); r.Inside || r.Bias.Value > -4*r.Bias.StdError || r.Worst.Value < 0.05 {
		t.Errorf("coverage passes a posterior 20 %% too narrow: worst %v, bias %v", r.Worst, r.Bias)
	}
	if r := TARP(c.draws, c.truths, 20, 1); r.Inside || r.Bias.Value > -3*r.Bias.StdError {
		t.Errorf("TARP passes a posterior 20 %% too narrow: worst %v, bias %v", r.Worst, r.Bias)
	}
	// ∫|erf| of a normal 0.8 wide: coverage at 0.68 is that within 0.8·0.9945 sd.
	want := math.Erf(0.8*0.99446/math.Sqrt2) - 0.68
	if e := c.central(); math.Abs(e.At68.Value-want) > 4*e.At68.StdError {
		t.Errorf("calibration error at 0.68 is %v, want %.3f", e.At68, want)
	}
}

func TestWidePosteriorIsFlagged(t *testing.T) {
	c := newConjugate(2000, 200, 1.25, 13)
	if r := c.sbc(1); r.Inside {
		t.Error("SBC passes a posterior 25 % too wide")
	}
	if r := c.coverage(); r.Inside || r.Bias.Value < 4*r.Bias.StdError {
		t.Errorf("coverage passes a posterior 25 %% too wide: bias %v", r.Bias)
	}
	if r := TARP(c.draws, c.truths, 20, 1); r.Inside || r.Bias.Value < 3*r.Bias.StdError {
		t.Errorf("TARP passes a posterior 25 %% too wide: bias %v", r.Bias)
	}
}

func TestBandHoldsSimultaneously(t *testing.T) {
	// Uniform ranks leave a 95 % band in about one run of twenty.
	out := 0
	const runs, n = 2000, 300
	z := make([]float64, 99)
	for k := range z {
		z[k] = float64(k+1) / 100
	}
	band := newBand(z, n, 0.95, 3)
	count := make([]int, len(z))
	for run := range runs {
		simulateCounts(count, z, n, inversion.Rand(5, inversion.DesignStream, run))
		if !band.holds(count) {
			out++
		}
	}
	if f := float64(out) / runs; f < 0.03 || f > 0.07 {
		t.Errorf("a calibrated posterior leaves the 95 %% band in %.1f %% of runs", 100*f)
	}
}

func TestRankBreaksTies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	counts := make([]int, 4)
	for range 4000 {
		counts[Rank([]float64{1, 1, 1}, 1, rng)]++
	}
	for _, c := range counts {
		if c < 850 || c > 1150 {
			t.Fatalf("ranks among three ties fall %v", counts)
		}
	}
}

func normalDraws(n int, mean, sd []float64, seed uint64) *inversion.Draws {
	rng := rand.New(rand.NewPCG(seed, 9))
	d := inversion.NewDraws(n, len(mean))
	for i := range n {
		for j := range mean {
			d.Row(i)[j] = mean[j] + sd[j]*rng.NormFloat64()
		}
	}
	return d
}

func TestWasserstein1(t *testing.T) {
	for _, c := range []struct {
		a, wa, b, wb []float64
		want         float64
	}{
		{[]float64{0}, nil, []float64{3}, nil, 3},
		{[]float64{0, 1}, nil, []float64{1, 0}, nil, 0},
		{[]float64{0, 1}, nil, []float64{5, 6}, nil, 5},
		{[]float64{0, 2}, nil, []float64{1}, nil, 1},
		{[]float64{0, 1}, []float64{3, 1}, []float64{0}, nil, 0.25},
		{[]float64{0, 0, 0, 1}, nil, []float64{0, 1}, []float64{6, 2}, 0},
	} {
		if got := Wasserstein1(c.a, c.wa, c.b, c.wb); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("W1(%v %v, %v %v) = %g, want %g", c.a, c.wa, c.b, c.wb, got, c.want)
		}
	}
	// W1 of two normals with the same mean is |s1-s2|·√(2/π).
	a, b := normalDraws(40000, []float64{0}, []float64{1}, 1), normalDraws(40000, []float64{0}, []float64{1.5}, 2)
	want := 0.5 * math.Sqrt(2/math.Pi)
	if got := Wasserstein1(a.Theta, nil, b.Theta, nil); math.Abs(got-want) > 0.02 {
		t.Errorf("W1 of two normals = %g, want %g", got, want)
	}
}

func TestWassersteinToDistribution(t *testing.T) {
	cdf := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	// A point mass at the mean of a standard normal: E|x| = √(2/π).
	if got := Wasserstein1CDF([]float64{0}, nil, cdf, -9, 9, 4); math.Abs(got-math.Sqrt(2/math.Pi)) > 1e-4 {
		t.Errorf("W1 of a point = %g", got)
	}
	var xs, fs []float64
	for x := -6.0; x <= 6; x += 0.01 {
		xs, fs = append(xs, x), append(fs, cdf(x))
	}
	floor := WassersteinNoise(xs, fs, 1000)
	var mean float64
	for s := range 100 {
		mean += Wasserstein1CDF(normalDraws(1000, []float64{0}, []float64{1}, uint64(s)).Theta, nil, cdf, -7, 7, 1) / 100
	}
	if math.Abs(mean-floor) > 0.1*floor {
		t.Errorf("1000 draws are %g from their own distribution on average, expected %g", mean, floor)
	}
}

func TestSlicedWasserstein(t *testing.T) {
	scale := []float64{2, 0.5}
	a := normalDraws(4000, []float64{0, 0}, scale, 1)
	b := normalDraws(4000, []float64{6, 0}, scale, 2)
	// A shift by m: SW2² = E (u·m)² = |m|²/2 in two dimensions; here |m| = 3.
	got := SlicedWasserstein(a, b, scale, 2, 400, 1)
	if want := 3 / math.Sqrt2; math.Abs(got.Value-want) > 4*got.StdError+0.05 {
		t.Errorf("sliced W2 = %v, want %g", got, want)
	}
	// and SW1 = |m| E|cos| = 3·2/π.
	got = SlicedWasserstein(a, b, scale, 1, 400, 1)
	if want := 6 / math.Pi; math.Abs(got.Value-want) > 4*got.StdError+0.05 {
		t.Errorf("sliced W1 = %v, want %g", got, want)
	}
	if got := SlicedWasserstein(a, a, scale, 1, 20, 1); got.Value != 0 {
		t.Errorf("distance to itself %v", got)
	}
}

// A p value is uniform under the null, and small where SBC fails.
func TestExcessHasItsProbability(t *testing.T) {
	const repeats, n, draws = 60, 200, 99
	rng := rand.New(rand.NewPCG(8, 8))
	mean := 0.0
	for range repeats {
		ranks := make([]int, n)
		for i := range ranks {
			ranks[i] = rng.IntN(draws + 1)
		}
		r := SBC(ranks, draws, 0.95, 3)
		mean += r.ExcessP.Value / repeats
		// Outside the band with a probability of 5 %, up to the simulation of either.
		if (r.Excess.Value > 1) != (r.ExcessP.Value < 0.05) && math.Abs(r.ExcessP.Value-0.05) > 0.03 {
			t.Errorf("excess %v has the p value %v", r.Excess, r.ExcessP)
		}
	}
	if math.Abs(mean-0.5) > 4*math.Sqrt(1.0/12/repeats) {
		t.Errorf("p values under the null have the mean %.2f", mean)
	}
	narrow := make([]int, n)
	for i := range narrow {
		narrow[i] = (i % 2) * draws // all truths outside the draws
	}
	if r := SBC(narrow, draws, 0.95, 3); r.ExcessP.Value > 0.01 {
		t.Errorf("ranks at the ends have the p value %v", r.ExcessP)
	}
}

func TestErrorsOfMedianAndMaximum(t *testing.T) {
	const n, repeats = 400, 300
	rng := rand.New(rand.NewPCG(5, 6))
	medians, claimed := make([]float64, repeats), 0.0
	for k := range medians {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		slices.Sort(v)
		medians[k] = median(v)
		claimed += medianError(v) / repeats
	}
	if scatter := Mean(medians).StdError * math.Sqrt(repeats); math.Abs(claimed/scatter-1) > 0.2 {
		t.Errorf("medians scatter by %.4f, their errors say %.4f", scatter, claimed)
	}
	if e := Largest([]float64{3, 3, 3}, 1); e.Value != 3 || e.StdError > 1e-9 {
		t.Errorf("the largest of equal values is %v", e)
	}
	// Of two values the larger is missed with probability 1/4: a standard deviation of √3/4.
	if e := Largest([]float64{0, 1}, 1); e.Value != 1 || math.Abs(e.StdError-math.Sqrt(3)/4) > 0.06 {
		t.Errorf("the largest of 0 and 1 is %v, want 1 ± 0.43", e)
	}
}
