package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oceaninv/surrogate/internal/gradcheck"
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

// The worst relative error of every loss's gradients.
func TestLossGradients(t *testing.T) {
	const rows, dim = 9, 5
	pool := NewPool(2)
	defer pool.Close()
	x, y := normals(1, rows, dim), normals(2, rows, dim)
	m := normals(3, 7, dim)
	logdet, dlogdet := normals(4, rows, 1).Data, make([]float64, rows)
	dx := newMatrix[float64](rows, dim)
	sigma, mean := []float64{.3, .5, 1, 2, .7}, []float64{.1, -.2, 0, .4, 1}
	lo, hi := []float64{-.5, -.5, -.5, -.5, -.5}, []float64{.5, .6, .7, .8, .9}
	sinkhorn := NewSinkhornWorkspace[float64](Sinkhorn{Blur: 1.5, Scaling: 0.7}, pool, rows, 7, dim)
	sinkhorn.polish = 100
	mmd := NewMMDWorkspace[float64](DefaultMMD(), pool, rows, 7, dim)
	yy := y.Columns(0, 2)
	cases := []struct {
		name string
		tol  float64
		f    func() float64
	}{
		{"rmse", 1e-8, func() float64 { return RMSE(25, x, y, dx) }},
		{"mse", 1e-8, func() float64 { return MSE(0.01, x, y, dx) }},
		{"maximum likelihood", 1e-8, func() float64 { return MaximumLikelihood(x, logdet, dx, dlogdet) }},
		{"nll paper", 1e-8, func() float64 {
			a, b := evalNLL(NLL{FitWeight: 25}, x, logdet, yy, dx, dlogdet)
			return a + b
		}},
		{"nll exact", 1e-8, func() float64 {
			a, b := evalNLL(NLL{Exact: true, SigmaY: 0.3}, x, logdet, yy, dx, dlogdet)
			return a + b
		}},
		{"paired normal", 1e-8, func() float64 { return PairedNormalTerm(3, x, y, sigma, dx) }},
		{"normal prior", 1e-8, func() float64 { return NormalPriorTerm(3, x, mean, sigma, dx) }},
		{"uniform prior", 1e-8, func() float64 { return UniformPriorTerm(Box{3, false, lo, hi, nil}, x, dx) }},
		{"uniform prior, summed", 1e-8, func() float64 { return UniformPriorTerm(Box{3, true, lo, hi, sigma}, x, dx) }},
		// The envelope theorem holds at converged potentials.
		{"sinkhorn", 1e-6, func() float64 { return sinkhorn.Eval(100, x, m, dx) }},
		{"mmd", 1e-6, func() float64 { return mmd.Eval(50, x, m, dx) }},
	}
	for _, c := range cases {
		clear(dx.Data)
		clear(dlogdet)
		c.f()
		grad, gradLogdet := slices.Clone(dx.Data), slices.Clone(dlogdet)
		parts := []gradcheck.Part{{Name: "x", Value: x.Data, Grad: grad}}
		if slices.ContainsFunc(gradLogdet, func(v float64) bool { return v != 0 }) {
			parts = append(parts, gradcheck.Part{Name: "logdet", Value: logdet, Grad: gradLogdet})
		}
		worst, where := gradcheck.Worst(c.f, 200, parts...)
		t.Logf("%-24s %.2e", c.name, worst)
		if !(worst <= c.tol) {
			t.Errorf("%s: relative error %.3g at %s", c.name, worst, where)
		}
	}
}

func divergences() []Divergence { return []Divergence{KLD, RKL, CHI, SQH, JSD, GAN} }

func TestDivergenceGradients(t *testing.T) {
	for _, d := range divergences() {
		for _, clamp := range []Clamp{{}, {Limit: 1, Real: true}, {Limit: 1, Real: true, Fake: true}, {Limit: 1, Real: true, Fake: true, Tangent: true}} {
			real, fake := normals(5, 11, 1).Data, normals(6, 8, 1).Data
			dr, df := make([]float64, 11), make([]float64, 8)
			f := func() float64 { return CriticLoss(d, clamp, real, fake, dr, df) }
			f()
			worst, where := gradcheck.Worst(f, 100, gradcheck.Part{Name: "real", Value: real, Grad: slices.Clone(dr)},
				gradcheck.Part{Name: "fake", Value: fake, Grad: slices.Clone(df)})
			if !(worst < 1e-8) {
				t.Errorf("%v critic: %g at %s", d, worst, where)
			}
			for _, o := range []GeneratorObjective{Trick, Saddle} {
				g := func() float64 { return GeneratorLoss(d, o, clamp, fake, df) }
				g()
				worst, where := gradcheck.Worst(g, 100, gradcheck.Part{Name: "fake", Value: fake, Grad: slices.Clone(df)})
				if !(worst < 1e-8) {
					t.Errorf("%v generator %v: %g at %s", d, o, worst, where)
				}
			}
		}
	}
}

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

// The gradient a critic learns from, spectral normalisation included, with the singular vectors held where the
// power iteration has converged.
func TestCriticGradients(t *testing.T) {
	for _, spectral := range []bool{false, true} {
		c := NewCritic[float64](CriticSpec{In: 3, Hidden: 8, Layers: 2, SpectralNorm: spectral, InitStd: 0.5}, 1, 12, 5)
		real, fake := normals(19, 12, 3), normals(20, 12, 3)
		settle := func() {
			for range 60 {
				c.refresh()
			}
		}
		for _, d := range divergences() {
			settle()
			f := func() float64 {
				if spectral {
					settle()
				}
				clear(c.chunks[0].grad)
				return c.learn(0, d, Clamp{}, real, fake, 12)
			}
			f()
			c.pullBack(c.chunks[0].grad)
			grad := slices.Clone(c.chunks[0].grad)
			worst, where := gradcheck.Worst(f, 20, gradcheck.Part{Name: "weights", Value: c.raw, Grad: grad})
			if !(worst < 1e-5) {
				t.Errorf("spectral %v, %v: %g at %s", spectral, d, worst, where)
			}
			dfake := newMatrix[float64](12, 3)
			g := func() float64 {
				clear(dfake.Data)
				return c.judge(0, d, Trick, Clamp{}, fake, dfake, 12)
			}
			g()
			worst, where = gradcheck.Worst(g, 40, gradcheck.Part{Name: "fake", Value: fake.Data, Grad: slices.Clone(dfake.Data)})
			if !(worst < 1e-6) {
				t.Errorf("judge %v: %g at %s", d, worst, where)
			}
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

// The gradient of a whole step, through losses, flow and critic, against central differences of its total.
func TestStepGradients(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	data := linearData[float64](24, 5)
	b := &batch[float64]{rows: make([]int, 24), x: data.X, y: data.Y}
	for _, loss := range Losses() {
		for _, direction := range []string{"inverse", "forward"} {
			if _, ok := loss.Divergence(); !ok && direction == "forward" {
				continue
			}
			o := smallOptions(loss)
			o.BatchSize, o.Direction, o.Blur, o.Scaling = 24, direction, 2, 0.7
			o.PriorTerm, o.PriorWeight, o.PriorSigma = "paired_normal", 0.5, []float64{0.5, 2}
			if direction == "forward" {
				o.FitWeight, o.PadNoise = 3, 0.1
			}
			s := shape{nx: 2, ny: 2, dim: 4}
			f := testFlow[float64](t, 4, 0, nil)
			if loss == LossMaximumLikelihood {
				s, f = shape{nx: 2, ny: 2, dim: 2, conditional: true}, testFlow[float64](t, 2, 2, nil)
			}
			tr := newTrainer(f, s, o, pool, 0)
			if p, ok := tr.objective.(*supervised[float64]); ok && p.sinkhorn != nil {
				p.sinkhorn.polish = 60
			}
			r := randomness{seed: 1, purpose: streamNoise, index: 3}
			total := func() float64 {
				terms, err := tr.objective.step(b, r, 0) // a rate of zero leaves the critic alone
				if err != nil {
					t.Fatal(err)
				}
				return terms.Total
			}
			total()
			grad := make([]float64, len(f.Params()))
			for _, g := range tr.adam.grads {
				nn.Add(grad, g)
			}
			worst, where := gradcheck.Worst(total, 16, gradcheck.Part{Name: "weights", Value: f.Params(), Grad: grad})
			t.Logf("%-20s %-8s %.2e", loss, direction, worst)
			if !(worst < 2e-6) {
				t.Errorf("%s %s: %g at %s", loss, direction, worst, where)
			}
		}
	}
}
