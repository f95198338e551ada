package inversion

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/integrate/quad"
)

var marginals = map[string]Marginal{
	"uniform":                    {Kind: Uniform, Low: 200.5, High: 236.5},
	"normal":                     {Kind: Normal, Mean: 3, SD: 2},
	"truncated normal":           {Kind: TruncatedNormal, Mean: 3, SD: 2, Low: 1, High: 9},
	"truncated in a tail":        {Kind: TruncatedNormal, Mean: 0, SD: 1, Low: 6, High: 8},
	"truncated in the other one": {Kind: TruncatedNormal, Mean: 0, SD: 1, Low: -8, High: -6},
	"log-uniform":                {Kind: LogUniform, Low: 0.01, High: 2},
	"log-normal":                 {Kind: LogNormal, Median: 0.3, SD: 0.5},
}

func TestMarginals(t *testing.T) {
	for name, m := range marginals {
		if err := m.validate("prior"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		low, high := m.Extent()
		density := func(x float64) float64 { return math.Exp(m.LogDensity(x)) }
		at := func(u float64) float64 { return m.Quantile(u) }
		if got := quad.Fixed(density, low, high, 400, nil, 0); math.Abs(got-1) > 1e-4 {
			t.Errorf("%s: the density integrates to %g", name, got)
		}
		var mean, square float64
		mean = quad.Fixed(func(x float64) float64 { return x * density(x) }, low, high, 400, nil, 0)
		square = quad.Fixed(func(x float64) float64 { return (x - mean) * (x - mean) * density(x) }, low, high, 400, nil, 0)
		if got := m.SDev(); math.Abs(got-math.Sqrt(square)) > 1e-3*got {
			t.Errorf("%s: standard deviation %g, by quadrature %g", name, got, math.Sqrt(square))
		}
		for _, u := range []float64{0.001, 0.2, 0.5, 0.9, 0.999} {
			x := at(u)
			if got := m.CDF(x); math.Abs(got-u) > 1e-9 {
				t.Errorf("%s: CDF(Quantile(%g)) = %g", name, u, got)
			}
			if got := fd.Derivative(m.CDF, x, &fd.Settings{Formula: fd.Central, Step: 1e-5 * (high - low)}); math.Abs(got-density(x)) > 1e-4*density(x) {
				t.Errorf("%s: slope of the CDF %g, density %g", name, got, density(x))
			}
			z := m.Unbounded(x)
			back, logJacobian := m.Bounded(z)
			if math.Abs(back-x) > 1e-9*math.Abs(x) {
				t.Errorf("%s: %g comes back as %g", name, x, back)
			}
			slope := fd.Derivative(func(z float64) float64 { y, _ := m.Bounded(z); return y }, z, &fd.Settings{Formula: fd.Central})
			if math.Abs(math.Log(slope)-logJacobian) > 1e-5 {
				t.Errorf("%s: log slope %g, log Jacobian %g", name, math.Log(slope), logJacobian)
			}
			dx, dlog := m.slope(z)
			wantLog := fd.Derivative(func(z float64) float64 { _, l := m.Bounded(z); return l }, z, &fd.Settings{Formula: fd.Central})
			if math.Abs(dx-slope) > 1e-4*slope || math.Abs(dlog-wantLog) > 1e-5 {
				t.Errorf("%s: slope %g and %g, want %g and %g", name, dx, dlog, slope, wantLog)
			}
			want := fd.Derivative(m.LogDensity, x, &fd.Settings{Formula: fd.Central, Step: 1e-6 * (high - low)})
			if got := m.logDensitySlope(x); math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("%s: slope of the log density %g, want %g", name, got, want)
			}
		}
		if lo, _ := m.Bounds(); !math.IsInf(lo, -1) && !math.IsInf(m.LogDensity(lo-1), -1) {
			t.Errorf("%s: density below the bound", name)
		}
	}
	// Far out, the logistic map must not overflow.
	m := marginals["uniform"]
	for _, z := range []float64{-800, 800} {
		if x, l := m.Bounded(z); math.IsNaN(x) || math.Abs(l+800-math.Log(36)) > 1e-9 {
			t.Errorf("Bounded(%g) = %g, %g", z, x, l)
		}
	}
}

func TestCorrelatedPriorIsTheMultivariateNormal(t *testing.T) {
	p := shelfProblem(
		Parameter{Name: "range", Prior: Marginal{Kind: Normal, Mean: 3000, SD: 20}},
		Parameter{Name: "tilt", Prior: Marginal{Kind: Normal, Mean: 0, SD: 1}},
		Parameter{Name: "source_depth", Prior: uniform(40, 80)})
	p.Correlations = []Correlation{{[]string{"range", "tilt"}, -0.7}}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	a, b := 0.8, -1.3
	want := -(a*a+2*0.7*a*b+b*b)/(2*0.51) - math.Log(2*math.Pi*20*math.Sqrt(0.51)) - math.Log(40)
	if got := prior.LogDensity([]float64{3000 + 20*a, b, 55}); math.Abs(got-want) > 1e-9 {
		t.Errorf("log density %g, want %g", got, want)
	}
	const n = 40000
	var xy, xx, yy float64
	theta := make([]float64, 3)
	for i := range n {
		prior.Sample(theta, Rand(1, DesignStream, i))
		x, y := (theta[0]-3000)/20, theta[1]
		xy, xx, yy = xy+x*y/n, xx+x*x/n, yy+y*y/n
	}
	if math.Abs(xy+0.7) > 0.03 || math.Abs(xx-1) > 0.03 || math.Abs(yy-1) > 0.03 {
		t.Errorf("sample covariance %g %g %g", xx, xy, yy)
	}
}

// What a box leaves of a prior is counted for the marginals that it restricts, and for no others.
func TestMassWithin(t *testing.T) {
	p := shelfProblem(
		Parameter{Name: "range", Prior: Marginal{Kind: Normal, Mean: 3000, SD: 20}},
		Parameter{Name: "source_depth", Prior: uniform(40, 80)},
		Parameter{Name: "density", Layer: "sediment", Prior: Marginal{Kind: LogNormal, Median: 1700, SD: 0.1}})
	low, high := []float64{2980, 50, 1700}, []float64{3020, 60, 2000}
	for want, correlations := range map[float64][]Correlation{
		math.Erf(1/math.Sqrt2) / 4: nil,
		1:                          {{[]string{"range", "source_depth"}, 0.5}},
	} {
		p.Correlations = correlations
		prior, err := p.Prior()
		if err != nil {
			t.Fatal(err)
		}
		if got := prior.MassWithin(low, high); math.Abs(got-want) > 1e-12 {
			t.Errorf("with %d correlations the box leaves %g of the prior, want %g", len(correlations), got, want)
		}
	}
}

func TestSobolFirstPoints(t *testing.T) {
	// The sequence's definition gives its first points before scrambling.
	q := newSobol(3, 0)
	want := [][]float64{{0, 0, 0}, {0.5, 0.5, 0.5}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.25}, {0.125, 0.625, 0.375}}
	for i, w := range want {
		for d := range w {
			if got := float64(q.raw(d, uint32(i))) / (1 << 32); got != w[d] {
				t.Errorf("point %d coordinate %d = %g, want %g", i, d, got, w[d])
			}
		}
	}
}

func TestSobolTable(t *testing.T) {
	for i, p := range joeKuo {
		// The polynomial x^s + a_1 x^(s-1) + ... + 1 must be primitive: x has order
		// 2^s - 1 modulo it.
		poly := uint32(1)<<p.s | p.a<<1 | 1
		x, order := uint32(1), 0
		for {
			x <<= 1
			if x>>p.s&1 == 1 {
				x ^= poly
			}
			order++
			if x == 1 || order > 1<<p.s {
				break
			}
		}
		if order != 1<<p.s-1 {
			t.Errorf("dimension %d: x has order %d modulo its polynomial", i+2, order)
		}
		for k, m := range p.m[:p.s] {
			if m%2 == 0 || m >= 2<<k {
				t.Errorf("dimension %d: m_%d = %d", i+2, k+1, m)
			}
		}
	}
}

func TestSobolStratifies(t *testing.T) {
	// In every coordinate each of 256 equal intervals holds exactly one of the
	// first 256 scrambled points, and dimensions 1 and 2 are a (0, 8, 2)-net.
	q := newSobol(MaxSobol, 42)
	u := make([]float64, MaxSobol)
	var seen [MaxSobol][256]int
	var net [9][256]int
	for i := range uint32(256) {
		q.point(u, i)
		for d, v := range u {
			if !(v > 0 && v < 1) {
				t.Fatalf("point %d coordinate %d = %g", i, d, v)
			}
			seen[d][int(v*256)]++
		}
		for k := range net {
			a, b := int(u[0]*float64(int(1)<<k)), int(u[1]*float64(int(1)<<(8-k)))
			net[k][a<<(8-k)|b]++
		}
	}
	for d := range seen {
		for _, n := range seen[d] {
			if n != 1 {
				t.Fatalf("coordinate %d is not stratified", d)
			}
		}
	}
	for k := range net {
		for _, n := range net[k] {
			if n != 1 {
				t.Fatalf("boxes of 2^-%d by 2^-%d are not filled evenly", k, 8-k)
			}
		}
	}
	if v := newSobol(1, 43); true {
		other := make([]float64, 1)
		v.point(other, 5)
		q.point(u, 5)
		if other[0] == u[0] {
			t.Error("the scrambling does not depend on the seed")
		}
	}
}

func TestDesignCoversThePrior(t *testing.T) {
	p := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(200.5, 236.5)}, Parameter{Name: "source_depth", Prior: Marginal{Kind: Normal, Mean: 60, SD: 2}})
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	for kind, tolerance := range map[DesignKind]float64{Independent: 0.05, SobolDesign: 0.002} {
		d, err := NewDesign(kind, prior, 9)
		if err != nil {
			t.Fatal(err)
		}
		theta := make([]float64, 2)
		var mean0, mean1 float64
		for i := range 4096 {
			d.Theta(theta, i)
			mean0 += (theta[0] - 218.5) / 36 / 4096
			mean1 += (theta[1] - 60) / 2 / 4096
		}
		if math.Abs(mean0) > tolerance || math.Abs(mean1) > tolerance {
			t.Errorf("%s design: means off by %g and %g", kind, mean0, mean1)
		}
	}
	if _, err := NewDesign("grid", prior, 1); err == nil {
		t.Error("an unknown design is accepted")
	}
}
