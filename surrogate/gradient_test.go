package surrogate

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"oceaninv/surrogate/internal/gradcheck"
)

var gradients gradcheck.Table

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(gradients.Finish(m.Run(), "Gradients of the layers", gradientTolerance))
}

// gradientTolerance is on the relative error, in float64.
const gradientTolerance = 1e-6

// layers are the flows under test: every coupling, permutation and clamp at least once.
var layers = []struct {
	name string
	edit func(*FlowSpec)
}{
	{"glow", func(s *FlowSpec) {}},
	{"glow tanh", func(s *FlowSpec) { s.ClampFunction = "tanh"; s.Activation = "tanh" }},
	{"glow sigmoid", func(s *FlowSpec) { s.ClampFunction = "sigmoid"; s.Permutation = "numpy" }},
	{"glow one-sided", func(s *FlowSpec) { s.OneSided = true; s.Permutation = "reverse" }},
	{"glow affine net", func(s *FlowSpec) { s.HiddenLayers = 0 }},
	{"rnvp", func(s *FlowSpec) { s.Coupling = "rnvp" }},
	{"rnvp one-sided", func(s *FlowSpec) { s.Coupling = "rnvp"; s.OneSided = true }},
	{"nice", func(s *FlowSpec) { s.Coupling = "nice" }},
	{"gin", func(s *FlowSpec) { s.Coupling = "gin" }},
	{"spline", func(s *FlowSpec) { s.Coupling = "spline" }},
	{"spline identity tails", func(s *FlowSpec) { s.Coupling = "spline"; s.SplineIdentity = true }},
	{"spline, no clamp", func(s *FlowSpec) { s.Coupling = "spline"; s.SplineClamp = 0; s.OneSided = true }},
	{"elementwise affine", func(s *FlowSpec) { s.Coupling = "elementwise_affine" }},
	{"elementwise spline", func(s *FlowSpec) { s.Coupling = "elementwise_spline" }},
	{"act norm", func(s *FlowSpec) { s.ActNorm = true }},
	{"rotation", func(s *FlowSpec) { s.Permutation = "rotation" }},
	{"householder", func(s *FlowSpec) { s.Permutation = "householder" }},
	{"i-resnet exact", func(s *FlowSpec) { s.Coupling = "iresnet"; s.LogDet = "exact" }},
	{"i-resnet roulette", func(s *FlowSpec) { s.Coupling = "iresnet" }},
	{"i-resnet truncated", func(s *FlowSpec) { s.Coupling = "iresnet"; s.LogDet = "truncated"; s.LogDetTerms = 20 }},
	{"i-resnet released", func(s *FlowSpec) {
		s.Coupling, s.LogDet, s.LogDetTerms = "iresnet", "truncated", 20
		s.SpectralNorm, s.ReleasedInverse, s.InverseSteps, s.InitGain = false, true, 50, 0.3
	}},
	{"summary", func(s *FlowSpec) {
		if s.CondDim > 0 {
			s.SummaryDim, s.SummaryHidden, s.SummaryLayers = 2, 5, 1
		}
	}},
}

// estimates says whether the layer's log-determinant is a random estimate.
func estimates(layer string) bool {
	return layer == "i-resnet roulette" || layer == "i-resnet truncated" || layer == "i-resnet released"
}

func testFlow(t testing.TB, dim, cond int, edit func(*FlowSpec)) *Flow[float64] {
	t.Helper()
	s := DefaultFlow()
	s.Dim, s.CondDim, s.Blocks, s.Hidden, s.Seed = dim, cond, 2, 6, 7
	edit(&s)
	f, err := NewFlow[float64](s)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, uint64(dim)))
	for i := range f.params { // biases too, and away from symmetric points
		f.params[i] += 0.2 * rng.NormFloat64()
	}
	f.Refresh()
	return f
}

func normals(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func dotVec(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// TestGradients checks both directions of every layer against central differences, for the parameters, the input
// and the condition, under a random linear loss of the output and the log-determinant.
func TestGradients(t *testing.T) {
	for _, l := range layers {
		for _, dim := range testDims {
			for _, cond := range []int{0, 3} {
				for _, inverse := range []bool{false, true} {
					if inverse && l.name == "i-resnet released" {
						continue // wrong on purpose: see TestReleasedInverse
					}
					checkGradient(t, l.name, testFlow(t, dim, cond, l.edit), inverse)
				}
			}
		}
	}
}

func checkGradient(t *testing.T, name string, f *Flow[float64], inverse bool) {
	t.Helper()
	const rows = 3
	d, c := f.Dim(), f.CondDim()
	rng := rand.New(rand.NewPCG(2, uint64(d)))
	x, cond := normals(rng, rows*d), normals(rng, rows*c)
	gy, gl := normals(rng, rows*d), normals(rng, rows)
	p := f.NewPass(rows)
	p.WantConditionGradient()
	loss := func() float64 {
		f.Refresh()
		y, l, err := p.Forward(x, cond)
		if inverse {
			y, l, err = p.Inverse(x, cond)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dotVec(y, gy) + dotVec(l, gl)
	}
	loss()
	grad := make([]float64, len(f.Params()))
	dx, dcond := p.Backward(gy, gl, grad)
	parts := []gradcheck.Part{
		{Name: "x", Value: x, Grad: append([]float64(nil), dx...)},
		{Name: "cond", Value: cond, Grad: append([]float64(nil), dcond...)},
	}
	for _, tensor := range f.Tensors() {
		from, to := tensor.Offset, tensor.Offset+tensor.Len()
		parts = append(parts, gradcheck.Part{Name: tensor.Name, Value: f.params[from:to], Grad: grad[from:to]})
	}
	worst, where := gradcheck.Worst(loss, 3, parts...)
	gradients.Add(name, d, worst)
	if !(worst <= gradientTolerance) {
		t.Errorf("%s, D=%d, cond %d, inverse %v: relative error %.2g at %s", name, d, c, inverse, worst, where)
	}
}

// TestRoundTrip checks T⁻¹(T(x)) = x, opposite log-determinants, and the log-determinant against the determinant of
// a numeric Jacobian.
func TestRoundTrip(t *testing.T) {
	for _, l := range layers {
		for _, dim := range testDims {
			for _, cond := range []int{0, 3} {
				f := testFlow(t, dim, cond, l.edit)
				rng := rand.New(rand.NewPCG(3, uint64(dim)))
				const rows = 4
				x, c := normals(rng, rows*dim), normals(rng, rows*cond)
				for i := range x {
					x[i] *= 3 // tails of splines too
				}
				there, back := f.NewPass(rows), f.NewPass(rows)
				z, up, err := there.Forward(x, c)
				if err != nil {
					t.Fatal(err)
				}
				y, down, err := back.Inverse(z, c)
				if err != nil {
					t.Fatal(err)
				}
				for i := range x {
					if e := math.Abs(y[i] - x[i]); e > 1e-9*(1+math.Abs(x[i])) {
						t.Fatalf("%s, D=%d, cond %d: round trip of %g is off by %g", l.name, dim, cond, x[i], e)
					}
				}
				if estimates(l.name) {
					continue // see TestLogDetEstimates
				}
				for i := range rows {
					if e := math.Abs(up[i] + down[i]); e > 1e-9 {
						t.Fatalf("%s, D=%d: log-determinants %g and %g", l.name, dim, up[i], down[i])
					}
				}
				want := numericLogDet(t, f, x[:dim], c[:cond])
				if e := math.Abs(up[0] - want); e > 1e-6*(1+math.Abs(want)) {
					t.Fatalf("%s, D=%d, cond %d: log-determinant %.10g, numeric Jacobian gives %.10g", l.name, dim, cond, up[0], want)
				}
			}
		}
	}
}

func numericLogDet(t *testing.T, f *Flow[float64], x, cond []float64) float64 {
	t.Helper()
	d := len(x)
	p := f.NewPass(1)
	at := func(j int, h float64) []float64 {
		v := append([]float64(nil), x...)
		v[j] += h
		z, _, err := p.Forward(v, cond)
		if err != nil {
			t.Fatal(err)
		}
		return append([]float64(nil), z...)
	}
	jac := make([]float64, d*d)
	for j := range d {
		const h = 1e-4
		a, b, c, e := at(j, h), at(j, -h), at(j, h/2), at(j, -h/2)
		for i := range d {
			jac[i*d+j] = (4*(c[i]-e[i])/h - (a[i]-b[i])/(2*h)) / 3
		}
	}
	return logAbsDet(jac, d)
}

// logAbsDet is Gaussian elimination with pivoting.
func logAbsDet(a []float64, n int) float64 {
	l := 0.0
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		for j := range n {
			a[k*n+j], a[p*n+j] = a[p*n+j], a[k*n+j]
		}
		l += math.Log(math.Abs(a[k*n+k]))
		for i := k + 1; i < n; i++ {
			r := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= r * a[k*n+j]
			}
		}
	}
	return l
}
