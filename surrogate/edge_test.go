package surrogate

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"oceaninv/surrogate/nn"
)

// TestExtremeInput: numbers from denormal to 1e6 go there and back in both precisions with finite gradients;
// infinities and NaN, in the input or the condition, are errors.
func TestExtremeInput(t *testing.T) {
	for _, l := range layers {
		if l.name == "spline, no clamp" {
			continue // what the clamp is for
		}
		f := testFlow(t, 4, 2, l.edit)
		extremes(t, l.name, f, 1e-7, 5e-324)
		extremes(t, l.name, Convert[float32](f), 2e-2, math.SmallestNonzeroFloat32)
	}
}

func extremes[T Float](t *testing.T, name string, f *Flow[T], tol float64, denormal float64) {
	t.Helper()
	there, back := f.NewPass(1), f.NewPass(1)
	cond := []T{1, -2}
	for _, size := range []float64{0, denormal, 1e-6, 1, 1e3, 1e6} {
		x := []T{T(size), T(-size), T(size), T(-size)}
		z, logdet, err := there.Forward(x, cond)
		if err != nil {
			t.Fatalf("%s at %g: %v", name, size, err)
		}
		y, _, err := back.Inverse(slices.Clone(z), cond)
		if err != nil {
			t.Fatalf("%s, inverse at %g: %v", name, size, err)
		}
		if firstNonFinite(z) >= 0 || firstNonFinite(logdet) >= 0 {
			t.Errorf("%s at %g: %v, log-determinant %v", name, size, z, logdet)
		}
		for i := range x {
			if e := math.Abs(float64(y[i] - x[i])); !(e <= tol*(1+size)) {
				t.Errorf("%s at %g: round trip gives %v", name, size, y)
			}
		}
		for _, p := range []*Pass[T]{there, back} {
			grad := make([]T, len(f.Params()))
			dx, _ := p.Backward([]T{1, 1, 1, 1}, []T{1}, grad)
			if firstNonFinite(dx) >= 0 || firstNonFinite(grad) >= 0 {
				t.Errorf("%s at %g: gradient not finite", name, size)
			}
		}
	}
	good := []T{1, 2, 3, 4}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x, c := slices.Clone(good), slices.Clone(cond)
		x[2], c[1] = T(bad), T(bad)
		for _, run := range []func(x, c []T) ([]T, []T, error){there.Forward, there.Inverse, f.Transform, f.InverseTransform} {
			if _, _, err := run(x, cond); err == nil || !strings.Contains(err.Error(), "column 2") {
				t.Errorf("%s: input %g gives error %v", name, bad, err)
			}
			if _, _, err := run(good, c); err == nil || !strings.Contains(err.Error(), "condition row 0, column 1") {
				t.Errorf("%s: condition %g gives error %v", name, bad, err)
			}
		}
		if _, err := f.LogProb(x, cond); err == nil {
			t.Errorf("%s: LogProb accepts %g", name, bad)
		}
		if _, err := f.Sample(2, c, 1); err == nil {
			t.Errorf("%s: Sample accepts %g", name, bad)
		}
	}
}

func TestMisuse(t *testing.T) {
	f := testFlow(t, 3, 2, func(*FlowSpec) {})
	p := f.NewPass(2)
	for name, misuse := range map[string]func(){
		"ragged rows":     func() { _, _, _ = p.Forward(make([]float64, 4), make([]float64, 2)) },
		"too many rows":   func() { _, _, _ = p.Forward(make([]float64, 9), make([]float64, 6)) },
		"short condition": func() { _, _, _ = p.Forward(make([]float64, 6), make([]float64, 2)) },
		"backward first":  func() { f.NewPass(1).Backward(make([]float64, 3), nil, nil) },
		"empty pass":      func() { f.NewPass(0) },
		"foreign gradient": func() {
			_, _, _ = p.Forward(make([]float64, 3), make([]float64, 2))
			p.Backward(make([]float64, 3), nil, make([]float64, 1))
		},
	} {
		func() {
			defer func() {
				if m, ok := recover().(string); !ok || !strings.HasPrefix(m, "surrogate: ") {
					t.Errorf("%s: panic %q", name, m)
				}
			}()
			misuse()
		}()
	}
	if _, err := f.LogProb(make([]float64, 4), make([]float64, 2)); err == nil {
		t.Error("LogProb accepts ragged rows")
	}
	if err := f.Load(make([]float64, 3), nil); err == nil {
		t.Error("Load accepts the wrong number of parameters")
	}
	bad := slices.Clone(f.Params())
	bad[1] = math.NaN()
	if err := f.Load(bad, f.State()); err == nil {
		t.Error("Load accepts NaN")
	}
}

func TestValidate(t *testing.T) {
	for want, edit := range map[string]func(*FlowSpec){
		"dim = 0":                  func(s *FlowSpec) { s.Dim = 0 },
		"coupling = \"real\"":      func(s *FlowSpec) { s.Coupling = "real" },
		"blocks = 0":               func(s *FlowSpec) { s.Blocks = 0 },
		"clamp = NaN":              func(s *FlowSpec) { s.Clamp = math.NaN() },
		"summary_dim = 3 without":  func(s *FlowSpec) { s.SummaryDim = 3 },
		"lipschitz = 1, want less": func(s *FlowSpec) { s.Lipschitz = 1 },
		"spline_min_bin = 0.6":     func(s *FlowSpec) { s.SplineMinBin = 0.6 },
		"hidden = 0":               func(s *FlowSpec) { s.Hidden = 0 },
		"permutation = \"soft\"":   func(s *FlowSpec) { s.Permutation = "soft" },
	} {
		s := DefaultFlow()
		s.Dim = 2
		edit(&s)
		if _, err := NewFlow[float64](s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %s", err, want)
		}
	}
}

// TestLegacyPermutation holds numpy 1.24.2's answers: numpy.random.RandomState(seed).permutation(n).
func TestLegacyPermutation(t *testing.T) {
	for _, c := range []struct {
		seed uint32
		want []int
	}{
		{0, []int{2, 0, 1, 3, 4}},
		{1, []int{7, 2, 1, 6, 0, 4, 3, 5}},
		{2, []int{0}},
		{42, []int{10, 9, 0, 8, 5, 2, 1, 11, 4, 7, 3, 6}},
		{3, []int{67, 73, 9, 69, 35, 81, 86, 49, 70, 6, 52, 25, 85, 12, 8, 34, 4, 68, 17, 36, 45, 62, 13, 58, 23, 11, 76, 57, 64,
			54, 32, 31, 16, 27, 78, 47, 65, 53, 61, 55, 50, 18, 79, 80, 83, 28, 84, 77, 30, 75, 37, 48, 15, 59, 43, 7, 87, 42,
			29, 33, 46, 40, 5, 71, 51, 1, 60, 63, 2, 66, 22, 26, 14, 39, 44, 20, 38, 82, 10, 41, 74, 19, 21, 0, 72, 56, 3, 24}},
	} {
		if got := LegacyPermutation(c.seed, len(c.want)); !slices.Equal(got, c.want) {
			t.Errorf("seed %d: %v, want %v", c.seed, got, c.want)
		}
	}
}

// TestGLOWFormula compares a block with FrEIA's formulas written out: the half-to-even split, the networks' inputs
// and the 0.636 of the clamp.
func TestGLOWFormula(t *testing.T) {
	for dim, n1 := range map[int]int{1: 0, 2: 1, 3: 2, 5: 2, 7: 4, 9: 4} {
		f := testFlow(t, dim, 2, func(s *FlowSpec) { s.Blocks, s.Permutation, s.Clamp = 1, "none", 1.7 })
		rng := rand.New(rand.NewPCG(4, uint64(dim)))
		x, cond := normals(rng, dim), normals(rng, 2)
		weights := map[string][]float64{}
		for _, tensor := range f.Tensors() {
			weights[tensor.Name] = nn.View(tensor, f.Params())
		}
		x1, x2 := x[:n1], x[n1:]
		logdet := 0.0
		affine := func(net string, x, passive []float64) []float64 {
			st := naiveMLP(weights, net, append(slices.Clone(passive), cond...))
			y := make([]float64, len(x))
			for j := range x {
				s := 1.7 * 0.636 * math.Atan(st[j])
				y[j] = x[j]*math.Exp(s) + st[len(x)+j]
				logdet += s
			}
			return y
		}
		y1 := affine("block.0.net2", x1, x2)
		y2 := affine("block.0.net1", x2, y1)
		got, l, err := f.Transform(x, cond)
		if err != nil {
			t.Fatal(err)
		}
		for j, want := range append(y1, y2...) {
			if math.Abs(got[j]-want) > 1e-12 {
				t.Errorf("D=%d: output %d is %g, want %g", dim, j, got[j], want)
			}
		}
		if math.Abs(l[0]-logdet) > 1e-12 {
			t.Errorf("D=%d: log-determinant %g, want %g", dim, l[0], logdet)
		}
	}
}

// naiveMLP evaluates Linear-GELU-Linear-GELU-Linear one number at a time.
func naiveMLP(weights map[string][]float64, name string, x []float64) []float64 {
	for k := range 3 {
		layer := name + "." + string(rune('0'+k))
		w, y := weights[layer+".weight"], slices.Clone(weights[layer+".bias"])
		for j := range y {
			for i, v := range x {
				y[j] += v * w[i*len(y)+j]
			}
			if k < 2 {
				y[j] *= 0.5 * (1 + math.Erf(y[j]/math.Sqrt2))
			}
		}
		x = y
	}
	return x
}

// TestIdentityStart: with the conditioners' last layers at zero, coupling flows start as the identity.
func TestIdentityStart(t *testing.T) {
	for _, coupling := range []string{"glow", "rnvp", "nice", "gin", "spline", "elementwise_affine", "elementwise_spline", "iresnet"} {
		for _, identity := range []bool{false, true} {
			s := DefaultFlow()
			s.Dim, s.Coupling, s.ZeroLast, s.Permutation, s.SplineIdentity = 5, coupling, true, "none", identity
			f, err := NewFlow[float64](s)
			if err != nil {
				t.Fatal(err)
			}
			x := []float64{-50, -2.9, 0, 1.3, 7}
			z, l, err := f.Transform(x, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range x {
				if math.Abs(z[i]-x[i]) > 1e-12*(1+math.Abs(x[i])) || math.Abs(l[0]) > 1e-12 {
					t.Errorf("%s: T(%g) = %g, log-determinant %g", coupling, x[i], z[i], l[0])
				}
			}
		}
	}
}

// TestInitialWeights: the paper's initialisation is orthogonal with gain 0.8 and zero biases; its alternative is
// normal with deviation 0.02; equal seeds give equal flows.
func TestInitialWeights(t *testing.T) {
	s := DefaultFlow()
	s.Dim, s.Seed = 9, 5
	f, err := NewFlow[float64](s)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range f.Tensors() {
		w := nn.View(tensor, f.Params())
		if len(tensor.Shape) == 1 {
			if slices.ContainsFunc(w, func(v float64) bool { return v != 0 }) {
				t.Errorf("%s does not start at zero", tensor.Name)
			}
			continue
		}
		rows, cols := tensor.Shape[0], tensor.Shape[1]
		n := min(rows, cols)
		g := make([]float64, n*n)
		if rows <= cols {
			nn.Gemm(false, true, n, n, cols, 1, w, cols, w, cols, 0, g, n)
		} else {
			nn.Gemm(true, false, n, n, rows, 1, w, cols, w, cols, 0, g, n)
		}
		for i, v := range g {
			want := 0.0
			if i%(n+1) == 0 {
				want = 0.64
			}
			if math.Abs(v-want) > 1e-12 {
				t.Fatalf("%s is not 0.8 times orthogonal", tensor.Name)
			}
		}
	}
	again, err := NewFlow[float64](s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Params(), again.Params()) || !slices.Equal(f.State(), again.State()) {
		t.Error("equal specs give different flows")
	}
	s.Init, s.Hidden = "normal", 200
	g, err := NewFlow[float64](s)
	if err != nil {
		t.Fatal(err)
	}
	square, n := 0.0, 0
	for _, tensor := range g.Tensors() {
		if len(tensor.Shape) == 2 {
			for _, v := range nn.View(tensor, g.Params()) {
				square += v * v
				n++
			}
		}
	}
	if sd := math.Sqrt(square / float64(n)); math.Abs(sd/0.02-1) > 0.01 {
		t.Errorf("deviation of %d normal weights is %g, want 0.02", n, sd)
	}
}

// TestActNormFit: after fitting, the data leaves every ActNorm with mean 0 and deviation 1, here seen through a flow
// of nothing else.
func TestActNormFit(t *testing.T) {
	f := testFlow(t, 3, 0, func(s *FlowSpec) { s.ActNorm, s.Blocks, s.ZeroLast, s.Permutation = true, 1, true, "none" })
	for _, tensor := range f.Tensors() { // back to the identity coupling
		if strings.Contains(tensor.Name, "net") {
			clear(nn.View(tensor, f.Params()))
		}
	}
	rng := rand.New(rand.NewPCG(9, 9))
	var x []float64
	for range 400 {
		x = append(x, 5+2*rng.NormFloat64(), -100+0.1*rng.NormFloat64(), 8)
	}
	if !f.NeedsFit() {
		t.Error("fresh ActNorm claims to have seen data")
	}
	if err := f.FitActNorm(x, nil); err != nil {
		t.Fatal(err)
	}
	if f.NeedsFit() {
		t.Error("fitted ActNorm claims to need data")
	}
	z, _, err := f.Transform(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := FitStandardizer(z, 3)
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{1, 1, 1} { // the constant column keeps scale 1 by convention
		if math.Abs(s.Mean[j]) > 1e-9 || math.Abs(s.Scale[j]-want) > 1e-9 {
			t.Errorf("column %d leaves with mean %g and deviation %g", j, s.Mean[j], s.Scale[j])
		}
	}
}

// TestNamed: a flow rebuilt from its arrays, in any order, is the same function; damage is reported by name.
func TestNamed(t *testing.T) {
	for _, l := range layers {
		f := testFlow(t, 5, 2, l.edit)
		stored := f.Named()
		slices.Reverse(stored)
		g, err := FromNamed(f.Spec(), stored)
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		x, cond := []float64{1, -2, 0.5, 3, 0}, []float64{0.1, 0.2}
		a, _, errA := f.Transform(x, cond)
		b, _, errB := g.Transform(x, cond)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		for i := range a {
			if math.Abs(a[i]-b[i]) > 1e-12 {
				t.Errorf("%s: rebuilt flow gives %v, want %v", l.name, b, a)
			}
		}
	}
	f := testFlow(t, 3, 0, func(*FlowSpec) {})
	last := len(f.Named()) - 1
	for want, damage := range map[string]func(list []NamedTensor[float64]) []NamedTensor[float64]{
		"is missing": func(l []NamedTensor[float64]) []NamedTensor[float64] { return l[1:] },
		"has shape":  func(l []NamedTensor[float64]) []NamedTensor[float64] { l[0].Shape = []int{1}; return l },
		"does not belong": func(l []NamedTensor[float64]) []NamedTensor[float64] {
			return append(l, NamedTensor[float64]{Name: "x"})
		},
		"not a permutation": func(l []NamedTensor[float64]) []NamedTensor[float64] {
			l[last].Data = []float64{0, 2, 2}
			return l
		},
		"element 0 of": func(l []NamedTensor[float64]) []NamedTensor[float64] {
			l[2].Data = slices.Clone(l[2].Data)
			l[2].Data[0] = math.NaN()
			return l
		},
	} {
		if _, err := FromNamed(f.Spec(), damage(f.Named())); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}
