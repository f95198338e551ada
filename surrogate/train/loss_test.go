package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oceaninv/surrogate/nn"
)

func normals(seed uint64, rows, cols int) nn.Matrix[float64] {
	rng := rand.New(rand.NewPCG(seed, 99))
	m := newMatrix[float64](rows, cols)
	for i := range m.Data {
		m.Data[i] = rng.NormFloat64()
	}
	return m
}

func divergences() []Divergence { return []Divergence{KLD, RKL, CHI, SQH, JSD, GAN} }

// At the optimal critic the bound equals the divergence; between N(0,1) and N(mu, s²) both are integrals with
// known values.
func TestBoundIsTightBetweenGaussians(t *testing.T) {
	const mu, s = 0.4, 1.2
	logp := func(x float64) float64 { return -0.5 * x * x }
	logq := func(x float64) float64 { return -0.5*(x-mu)*(x-mu)/(s*s) - math.Log(s) }
	generator := map[Divergence]func(u float64) float64{
		KLD: func(u float64) float64 { return u * math.Log(u) },
		RKL: func(u float64) float64 { return -math.Log(u) },
		CHI: func(u float64) float64 { return (u - 1) * (u - 1) },
		SQH: func(u float64) float64 { return (math.Sqrt(u) - 1) * (math.Sqrt(u) - 1) },
		JSD: func(u float64) float64 { return u*math.Log(u) - (u+1)*math.Log((u+1)/2) },
		GAN: func(u float64) float64 { return u*math.Log(u) - (u+1)*math.Log(u+1) },
	}
	closed := map[Divergence]float64{
		KLD: math.Log(s) + (1+mu*mu)/(2*s*s) - 0.5,
		RKL: -math.Log(s) + (s*s+mu*mu)/2 - 0.5,
		SQH: 2 - 2*math.Sqrt(2*s/(1+s*s))*math.Exp(-mu*mu/(4*(1+s*s))),
		// ∫p²/q - 1
		CHI: s*s/math.Sqrt(2*s*s-1)*math.Exp(mu*mu/(2*s*s-1)) - 1,
	}
	for _, d := range divergences() {
		bound, direct, shifted := 0.0, 0.0, 0.0
		const h = 1e-3
		for x := -14.0; x < 14; x += h {
			p, q := math.Exp(logp(x))/math.Sqrt(2*math.Pi), math.Exp(logq(x))/math.Sqrt(2*math.Pi)
			l := logp(x) - logq(x)
			v := d.Optimum(l)
			g, _ := d.Real(v)
			f, _ := d.Fake(v)
			bound += h * (p*g - q*f)
			g, _ = d.Real(v + 0.1)
			f, _ = d.Fake(v + 0.1)
			shifted += h * (p*g - q*f)
			direct += h * q * generator[d](math.Exp(l))
		}
		if math.Abs(bound-direct) > 1e-6 {
			t.Errorf("%v: bound %.8f, divergence %.8f", d, bound, direct)
		}
		if want, ok := closed[d]; ok && math.Abs(direct-want) > 1e-6 {
			t.Errorf("%v: integral %.8f, closed form %.8f", d, direct, want)
		}
		if shifted >= bound {
			t.Errorf("%v: another critic exceeds the bound", d)
		}
	}
}

// fGAN is the table of Nowozin, Cseke & Tomioka (2016, tables 1, 2 and 6): generators, activations and conjugates as
// printed, in forms that overflow.
var fGAN = map[Divergence]struct{ f, activation, conjugate func(float64) float64 }{
	KLD: {func(u float64) float64 { return u * math.Log(u) }, func(v float64) float64 { return v },
		func(t float64) float64 { return math.Exp(t - 1) }},
	RKL: {func(u float64) float64 { return -math.Log(u) }, func(v float64) float64 { return -math.Exp(-v) },
		func(t float64) float64 { return -1 - math.Log(-t) }},
	CHI: {func(u float64) float64 { return (u - 1) * (u - 1) }, func(v float64) float64 { return v },
		func(t float64) float64 { return t*t/4 + t }},
	SQH: {func(u float64) float64 { return (math.Sqrt(u) - 1) * (math.Sqrt(u) - 1) }, func(v float64) float64 { return 1 - math.Exp(-v) },
		func(t float64) float64 { return t / (1 - t) }},
	JSD: {func(u float64) float64 { return u*math.Log(u) - (u+1)*math.Log((u+1)/2) },
		func(v float64) float64 { return math.Ln2 - math.Log(1+math.Exp(-v)) }, func(t float64) float64 { return -math.Log(2 - math.Exp(t)) }},
	GAN: {func(u float64) float64 { return u*math.Log(u) - (u+1)*math.Log(u+1) },
		func(v float64) float64 { return -math.Log(1 + math.Exp(-v)) }, func(t float64) float64 { return -math.Log(1 - math.Exp(t)) }},
}

// Each divergence is f-GAN's: g and f*(g) at any score, their slopes, and f* the conjugate sup_u (ut - f(u)). For
// chi-square that holds where the supremum is at a ratio u >= 0, which scores above -2 are.
func TestDivergencesAreThoseOfFGAN(t *testing.T) {
	for _, d := range divergences() {
		table := fGAN[d]
		for v := -3.0; v <= 3; v += 0.25 {
			g, dg := d.Real(v)
			f, df := d.Fake(v)
			at := table.activation(v)
			if math.Abs(g-at) > 1e-13*(1+math.Abs(at)) {
				t.Errorf("%v: g(%g) = %.17g, f-GAN has %.17g", d, v, g, at)
			}
			if want := table.conjugate(at); math.Abs(f-want) > 1e-12*(1+math.Abs(want)) {
				t.Errorf("%v: f*(g(%g)) = %.17g, f-GAN has %.17g", d, v, f, want)
			}
			const h = 1e-5
			up, _ := d.Real(v + h)
			down, _ := d.Real(v - h)
			if want := (up - down) / (2 * h); math.Abs(dg-want) > 1e-8*(1+math.Abs(want)) {
				t.Errorf("%v: slope of g at %g is %.12g, differences give %.12g", d, v, dg, want)
			}
			up, _ = d.Fake(v + h)
			down, _ = d.Fake(v - h)
			if want := (up - down) / (2 * h); math.Abs(df-want) > 1e-8*(1+math.Abs(want)) {
				t.Errorf("%v: slope of f*(g) at %g is %.12g, differences give %.12g", d, v, df, want)
			}
			if d == CHI && v <= -2 {
				continue
			}
			// The supremum is where f'(u) = t: at the ratio of which v is the best score.
			sup, best := math.Inf(-1), 0.0
			for l := -12.0; l <= 12; l += 1e-3 {
				if y := math.Exp(l)*at - table.f(math.Exp(l)); y > sup {
					sup, best = y, l
				}
			}
			if !(math.Abs(f-sup) <= 1e-5*(1+math.Abs(sup))) {
				t.Errorf("%v: f*(%g) = %.9g, the supremum is %.9g", d, at, f, sup)
			}
			if back := d.Optimum(best); math.Abs(back-v) > 1e-2*(1+math.Abs(v)) {
				t.Errorf("%v: at ln u = %.3f the best score is %.4f, the supremum of %.4f is there", d, best, back, v)
			}
		}
	}
}

// What a model minimises: -g of its scores (trick), or its share -f*(g) of the bound itself (saddle).
func TestGeneratorObjectives(t *testing.T) {
	scores, slopes := []float64{-1.5, 0.25, 2}, make([]float64, 3)
	for _, d := range divergences() {
		for _, o := range []GeneratorObjective{Trick, Saddle} {
			want := 0.0
			for _, v := range scores {
				y := fGAN[d].activation(v)
				if o == Saddle {
					y = fGAN[d].conjugate(y)
				}
				want -= y / 3
			}
			if got := GeneratorLoss(d, o, Clamp{}, scores, slopes); math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
				t.Errorf("%v, objective %d: %v, want %v", d, o, got, want)
			}
		}
	}
}

func TestDivergenceFormsAreStable(t *testing.T) {
	for _, d := range []Divergence{JSD, GAN} {
		for _, v := range []float64{-1e4, -100, 0, 100, 1e4} {
			for _, f := range []func(float64) (float64, float64){d.Real, d.Fake} {
				if g, dg := f(v); g-g != 0 || dg-dg != 0 {
					t.Errorf("%v at %g: %g, %g", d, v, g, dg)
				}
			}
		}
	}
	if _, err := ParseDivergence("KLD"); err != nil {
		t.Error(err)
	}
	if _, err := ParseDivergence("tv"); err == nil {
		t.Error("tv accepted")
	}
}

// In one dimension transport sorts: as ε→0 the divergence is half the mean squared difference of sorted points.
func TestSinkhornSmallBlur(t *testing.T) {
	pool := NewPool(1)
	defer pool.Close()
	const n = 40
	x, y := normals(7, n, 1), normals(8, n, 1)
	for i := range y.Data {
		y.Data[i] = 2*y.Data[i] + 1
	}
	w := NewSinkhornWorkspace[float64](Sinkhorn{Blur: 1e-3, Scaling: 0.98}, pool, n, n, 1)
	got := w.Eval(1, x, y, newMatrix[float64](n, 1))
	sx, sy := slices.Clone(x.Data), slices.Clone(y.Data)
	slices.Sort(sx)
	slices.Sort(sy)
	want := 0.0
	for i := range sx {
		want += 0.5 * (sx[i] - sy[i]) * (sx[i] - sy[i]) / n
	}
	if math.Abs(got-want) > 2e-3*want {
		t.Errorf("blur 1e-3: %v, sorted transport %v", got, want)
	}
}

// As ε→∞ the plan is uniform and only the means are compared.
func TestSinkhornLargeBlur(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	const n, m, dim = 50, 37, 3
	x, y := normals(9, n, dim), normals(10, m, dim)
	w := NewSinkhornWorkspace[float64](Sinkhorn{Blur: 1e3, Scaling: 0.5}, pool, n, m, dim)
	dx := newMatrix[float64](n, dim)
	got := w.Eval(1, x, y, dx)
	want := 0.0
	for j := range dim {
		a, b := 0.0, 0.0
		for i := range n {
			a += x.Row(i)[j] / n
		}
		for i := range m {
			b += y.Row(i)[j] / m
		}
		want += 0.5 * (a - b) * (a - b)
		for i := range n {
			if math.Abs(dx.Row(i)[j]-(a-b)/n) > 1e-5 {
				t.Fatalf("gradient %v, want %v", dx.Row(i)[j], (a-b)/n)
			}
		}
	}
	if math.Abs(got-want) > 1e-5 {
		t.Errorf("%v, half squared difference of means %v", got, want)
	}
}

func TestSinkhornOfEqualSamplesIsZero(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	x := normals(11, 30, 4)
	for _, blur := range []float64{0.01, 1, 10} {
		w := NewSinkhornWorkspace[float64](Sinkhorn{Blur: blur, Scaling: 0.5}, pool, 30, 30, 4)
		dx := newMatrix[float64](30, 4)
		if v := w.Eval(1, x, x, dx); math.Abs(v) > 1e-9 {
			t.Errorf("blur %g: %g", blur, v)
		}
		if g := nn.SumSquares(dx.Data); g > 1e-18 {
			t.Errorf("blur %g: gradient %g", blur, math.Sqrt(g))
		}
	}
}

func TestSinkhornSingleAgreesWithDouble(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	x, y := normals(12, 64, 20), normals(13, 64, 20)
	x32, y32 := newMatrix[float32](64, 20), newMatrix[float32](64, 20)
	for i := range x.Data {
		y.Data[i] = 1.5*y.Data[i] + 0.3
		x32.Data[i], y32.Data[i] = float32(x.Data[i]), float32(y.Data[i])
	}
	opt := DefaultSinkhorn()
	dx, dx32 := newMatrix[float64](64, 20), newMatrix[float32](64, 20)
	want := NewSinkhornWorkspace[float64](opt, pool, 64, 64, 20).Eval(1, x, y, dx)
	got := NewSinkhornWorkspace[float32](opt, pool, 64, 64, 20).Eval(1, x32, y32, dx32)
	if math.Abs(got-want) > 1e-4*want {
		t.Errorf("float32 %v, float64 %v", got, want)
	}
}

// sinkhornNaive is geomloss's algorithm written from its definition, without a workspace.
func sinkhornNaive(opt Sinkhorn, x, y nn.Matrix[float64]) float64 {
	cost := func(a, b nn.Matrix[float64], i, j int) float64 {
		s := 0.0
		for k := range a.Cols {
			d := a.Row(i)[k] - b.Row(j)[k]
			s += d * d / 2
		}
		return s
	}
	softmin := func(eps float64, a, b nn.Matrix[float64], pot []float64) []float64 {
		out := make([]float64, a.Rows)
		for i := range out {
			top, v := math.Inf(-1), make([]float64, b.Rows)
			for j := range v {
				v[j] = -math.Log(float64(b.Rows)) + (pot[j]-cost(a, b, i, j))/eps
				top = max(top, v[j])
			}
			s := 0.0
			for _, e := range v {
				s += math.Exp(e - top)
			}
			out[i] = -eps * (top + math.Log(s))
		}
		return out
	}
	sq := 0.0
	for k := range x.Cols {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, m := range []nn.Matrix[float64]{x, y} {
			for i := range m.Rows {
				lo, hi = min(lo, m.Row(i)[k]), max(hi, m.Row(i)[k])
			}
		}
		sq += (hi - lo) * (hi - lo)
	}
	eps := []float64{sq}
	for e := 2 * math.Log(math.Sqrt(sq)); e > 2*math.Log(opt.Blur); e += 2 * math.Log(opt.Scaling) {
		eps = append(eps, math.Exp(e))
	}
	eps = append(eps, opt.Blur*opt.Blur)
	f, g := softmin(sq, x, y, make([]float64, y.Rows)), softmin(sq, y, x, make([]float64, x.Rows))
	a, b := softmin(sq, x, x, make([]float64, x.Rows)), softmin(sq, y, y, make([]float64, y.Rows))
	mean := func(p, q []float64) []float64 {
		for i := range q {
			q[i] = (p[i] + q[i]) / 2
		}
		return q
	}
	for _, e := range eps {
		f2, g2 := softmin(e, x, y, g), softmin(e, y, x, f)
		a2, b2 := softmin(e, x, x, a), softmin(e, y, y, b)
		f, g, a, b = mean(f, f2), mean(g, g2), mean(a, a2), mean(b, b2)
	}
	e := eps[len(eps)-1]
	f, g = softmin(e, x, y, g), softmin(e, y, x, f)
	a, b = softmin(e, x, x, a), softmin(e, y, y, b)
	s := 0.0
	for i := range f {
		s += (f[i] - a[i]) / float64(len(f))
	}
	for i := range g {
		s += (g[i] - b[i]) / float64(len(g))
	}
	return s
}

func TestSinkhornAgainstDefinition(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	x, y := normals(14, 23, 4), normals(15, 31, 4)
	for _, opt := range []Sinkhorn{{0.01, 0.5}, {0.3, 0.7}, {5, 0.5}, {100, 0.5}} {
		got := NewSinkhornWorkspace[float64](opt, pool, 23, 31, 4).Eval(1, x, y, newMatrix[float64](23, 4))
		if want := sinkhornNaive(opt, x, y); math.Abs(got-want) > 1e-9*(1+want) {
			t.Errorf("%+v: %.12g, by definition %.12g", opt, got, want)
		}
	}
}

func TestMMDAgainstDefinition(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	x, y := normals(16, 13, 3), normals(17, 21, 3)
	opt := DefaultMMD()
	mean := func(a, b nn.Matrix[float64]) float64 {
		s := 0.0
		for i := range a.Rows {
			for j := range b.Rows {
				sq := 0.0
				for k := range a.Cols {
					d := a.Row(i)[k] - b.Row(j)[k]
					sq += d * d
				}
				for q, c := range opt.Scales {
					e := opt.Exponents[q]
					s += math.Pow(c, e) * math.Pow((c+sq)/e, -e)
				}
			}
		}
		return s / float64(a.Rows*b.Rows)
	}
	want := mean(x, x) + mean(y, y) - 2*mean(x, y)
	got := NewMMDWorkspace[float64](opt, pool, 13, 21, 3).Eval(1, x, y, newMatrix[float64](13, 3))
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	k, slope := opt.Kernel(0.7)
	k2, _ := opt.Kernel(0.7 + 1e-6)
	if math.Abs((k2-k)/1e-6-slope) > 1e-5 {
		t.Errorf("kernel slope %v, difference %v", slope, (k2-k)/1e-6)
	}
}

func TestSpectralNormCriticIsLipschitz(t *testing.T) {
	c := NewCritic[float64](CriticSpec{In: 3, Hidden: 16, Layers: 2, SpectralNorm: true}, 1, 2, 1)
	for range 50 {
		c.refresh()
	}
	x := normals(18, 2, 3)
	for trial := range 50 {
		a, b := normals(uint64(100+trial), 2, 3), make([]float64, 2)
		copy(x.Data, a.Data)
		c.Score(0, x, b)
		d := 0.0
		for k := range 3 {
			d += math.Pow(x.Row(0)[k]-x.Row(1)[k], 2)
		}
		if math.Abs(b[0]-b[1]) > math.Sqrt(d)*(1+1e-6) {
			t.Fatalf("slope %v exceeds 1", math.Abs(b[0]-b[1])/math.Sqrt(d))
		}
	}
}

func BenchmarkSinkhorn(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers%d", workers), func(b *testing.B) {
			pool := NewPool(workers)
			defer pool.Close()
			x, y, dx := newMatrix[float32](512, 88), newMatrix[float32](512, 88), newMatrix[float32](512, 88)
			for i, v := range normals(1, 512, 88).Data {
				x.Data[i], y.Data[(i+77)%len(x.Data)] = float32(v), float32(v)
			}
			w := NewSinkhornWorkspace[float32](DefaultSinkhorn(), pool, 512, 512, 88)
			for b.Loop() {
				w.Eval(100, x, y, dx)
			}
		})
	}
}
