package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// ulps is |got - want| in units of the last place of want rounded to float32.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case math.IsNaN(want):
		if got != got {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		if got == w {
			return 0
		}
		// The largest finite number next to an infinite answer is one place away.
		if math.Abs(float64(got)) == math.MaxFloat32 || math.Abs(float64(w)) == math.MaxFloat32 {
			return 1
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(math.Abs(float64(w)))
	unit := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-want) / unit
}

// sweep visits every 4001st float32 bit pattern (a million numbers: all exponents, denormals, infinities,
// NaN, both signs) and a fine grid where the functions bend.
func sweep() []float32 {
	var x []float32
	for u := uint64(0); u <= math.MaxUint32; u += 4001 {
		x = append(x, math.Float32frombits(uint32(u)))
	}
	for i := -1 << 17; i <= 1<<17; i++ {
		x = append(x, float32(i)/4096)
	}
	inf := float32(math.Inf(1))
	return append(x, 0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()),
		math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32,
		88.72283, 88.72284, -87.33655, -103.97208, -103.97209, 0.41421356, 2.4142137, 0.625, -0.625)
}

// instructionSets runs f on every instruction set the machine has.
func instructionSets(t *testing.T, f func(t *testing.T)) {
	best := useInstructionSet(-1)
	defer useInstructionSet(-1)
	for level := 0; level <= best; level++ {
		t.Run(fmt.Sprintf("set%d", level), func(t *testing.T) {
			useInstructionSet(level)
			f(t)
		})
	}
}

func TestVectorFunctionsWithinUlps(t *testing.T) {
	x := sweep()
	y := make([]float32, len(x))
	cases := []struct {
		name  string
		f     func(dst, x []float32)
		want  func(float64) float64
		bound float64
	}{
		{"exp", Exp[float32], math.Exp, 2},
		{"log", Log[float32], math.Log, 2},
		{"tanh", Tanh[float32], math.Tanh, 2},
		{"atan", Atan[float32], math.Atan, 2},
		{"erf", Erf[float32], math.Erf, 2},
		{"sigmoid", Sigmoid[float32], sigmoid, 3},
	}
	instructionSets(t, func(t *testing.T) {
		for _, c := range cases {
			c.f(y, x)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if u := ulps(y[i], c.want(float64(v))); u > worst {
					worst, at = u, v
				}
			}
			t.Logf("%-8s worst %.2f ulp at %g", c.name, worst, at)
			if worst > c.bound {
				t.Errorf("%s: %.2f ulp at %g, bound %g", c.name, worst, at, c.bound)
			}
		}
	})
}

func TestValueAndSlope(t *testing.T) {
	x := sweep()
	y, d := make([]float32, len(x)), make([]float32, len(x))
	cases := []struct {
		name              string
		f                 func(dst, slope, x []float32)
		want              func(float64) (float64, float64)
		bound             float64
		floor, slopeFloor float64 // absolute errors too small to count
	}{
		{"softplus", Softplus[float32], softplus, 3, 0, 0},
		{"gelu", GELU[float32], gelu, 6, 1e-43, 1e-7},
		{"gelu value", func(dst, slope, x []float32) { GELUValue(dst, x); GELU(make([]float32, len(x)), slope, x) }, gelu, 6, 1e-43, 1e-7},
	}
	instructionSets(t, func(t *testing.T) {
		for _, c := range cases {
			c.f(y, d, x)
			worst, worstSlope := 0.0, 0.0
			for i, v := range x {
				wy, wd := c.want(float64(v))
				if !(math.Abs(float64(y[i])-wy) <= c.floor) {
					worst = max(worst, ulps(y[i], wy))
				}
				if !(math.Abs(float64(d[i])-wd) <= c.slopeFloor) {
					worstSlope = max(worstSlope, ulps(d[i], wd))
				}
			}
			t.Logf("%-8s worst %.2f ulp, slope %.2f ulp", c.name, worst, worstSlope)
			if worst > c.bound || worstSlope > c.bound {
				t.Errorf("%s: %.2f ulp, slope %.2f ulp, bound %g", c.name, worst, worstSlope, c.bound)
			}
		}
	})
}

// An element's result must not depend on where in a slice it sits: chunks of a batch may end anywhere.
func TestTailsAgreeWithBodies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 67)
	for i := range x {
		x[i] = float32(3 * rng.NormFloat64())
	}
	fs := map[string]func(dst, x []float32){"exp": Exp[float32], "tanh": Tanh[float32], "atan": Atan[float32],
		"erf": Erf[float32], "gelu": GELUValue[float32], "log": Log[float32], "sigmoid": Sigmoid[float32]}
	for name, f := range fs {
		whole, part := make([]float32, len(x)), make([]float32, len(x))
		f(whole, x)
		for n := 1; n <= len(x); n++ {
			f(part[:n], x[len(x)-n:])
			for i := range n {
				if a, b := part[i], whole[len(x)-n+i]; a != b && a == a {
					t.Fatalf("%s: element differs between a slice of %d and of %d: %g %g", name, n, len(x), a, b)
				}
			}
		}
	}
}

func TestFusedInstructionSetsAgree(t *testing.T) {
	best := useInstructionSet(-1)
	if best < 2 {
		t.Skip("needs AVX2 and AVX-512 to compare")
	}
	defer useInstructionSet(-1)
	x := sweep()
	a, b, da, db := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
	GELU(a, da, x)
	useInstructionSet(1)
	GELU(b, db, x)
	for i := range x {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && a[i] == a[i] {
			t.Fatalf("gelu(%g): %g with AVX-512, %g with AVX2", x[i], a[i], b[i])
		}
	}
}

func randoms(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func near(t *testing.T, name string, got, want []float32, tol float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= tol*(1+math.Abs(float64(want[i])))) {
			t.Fatalf("%s[%d] = %g, the plain twin gives %g", name, i, got[i], want[i])
		}
	}
}

func TestFusedKernelsAgainstPlainTwins(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	clone := func(x []float32) []float32 { return append([]float32(nil), x...) }
	instructionSets(t, func(t *testing.T) {
		for _, shape := range [][2]int{{1, 1}, {3, 17}, {7, 64}, {5, 403}} {
			r, c := shape[0], shape[1]
			x, b := randoms(rng, r*c), randoms(rng, c)
			for _, act := range []Activation{Linear, ActGELU, ActTanh, ActReLU} {
				y, d, y2, d2 := clone(x), make([]float32, r*c), clone(x), make([]float32, r*c)
				AddBiasActivate(act, y, d, b, r, c)
				addBiasActivateGo(act, y2, d2, b, r, c)
				near(t, "activation", y, y2, 1e-6)
				near(t, "slope", d, d2, 1e-6)
				alone := clone(x)
				AddBiasActivate(act, alone, nil, b, r, c)
				near(t, "activation without its slope", alone, y2, 1e-6)
			}
			d, db, db2 := randoms(rng, r*c), clone(b), clone(b)
			g, g2 := clone(x), clone(x)
			MulColSum(g, d, db, r, c)
			mulColSumGo(g2, d, db2, r, c)
			near(t, "g", g, g2, 1e-6)
			near(t, "db", db, db2, 1e-6)
			ColSum(x, db, r, c)
			colSumGo(x, db2, r, c)
			near(t, "colsum", db, db2, 1e-6)
			testClamps(t, x)
			testTransportRows(t, rng, r, c)
		}
	})
}

func testClamps(t *testing.T, x []float32) {
	n := len(x)
	shift, least, y, y2 := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range shift {
		shift[i], least[i] = float32(i%5)-2, float32(i%3)/8
	}
	for _, c := range []float32{0, 3} {
		ClampSoftplus(y, x, shift, least, c)
		clampSoftplusGo(y2, x, shift, least, c)
		near(t, "clamped softplus", y, y2, 1e-6)
	}
	var got, want [3][]float32
	for i := range got {
		got[i], want[i] = make([]float32, n), make([]float32, n)
	}
	ClampAtan(got[0], got[1], got[2], x, 1.272)
	clampAtanGo(want[0], want[1], want[2], x, 1.272)
	for i := range got {
		near(t, "clamp atan", got[i], want[i], 1e-6)
	}
	ClampTanh(got[0], got[1], got[2], x, 1.9)
	clampTanhGo(want[0], want[1], want[2], x, 1.9)
	for i := range got {
		near(t, "clamp tanh", got[i], want[i], 1e-6)
	}
}

func testTransportRows(t *testing.T, rng *rand.Rand, r, c int) {
	cost, h := randoms(rng, r*c), randoms(rng, c)
	out, out2 := make([]float32, r), make([]float32, r)
	p, p2 := make([]float32, r*c), make([]float32, r*c)
	for _, scale := range []float32{0.01, 30, 3000} { // sums of equals, of few, and of one: most exponents far below -87
		LogSumExpRows(out, cost, h, scale, r, c)
		lseRowsGo(out2, cost, h, scale, r, c)
		near(t, "logsumexp", out, out2, 1e-6)
		GibbsRows(p, cost, h, out2, scale, r, c)
		gibbsRowsGo(p2, cost, h, out2, scale, r, c)
		near(t, "plan", p, p2, 1e-6*(1+3*float64(scale))) // exponents reach three scales in float32
	}
	a := randoms(rng, r)
	copy(p, p2)
	HalfDistRows(p, a, h, r, c)
	halfDistRowsGo(p2, a, h, r, c)
	near(t, "half distances", p, p2, 1e-4)
}

func TestAdamAgainstPlainTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const n = 1003
	w, m, v := randoms(rng, n), make([]float32, n), make([]float32, n)
	w2, m2, v2 := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range w {
		w2[i] = float64(w[i])
	}
	for step := 1; step <= 50; step++ {
		g := randoms(rng, n)
		g2 := make([]float64, n)
		for i := range g {
			g[i] *= float32(math.Pow(10, float64(i%9)-6))
			g2[i] = float64(g[i])
		}
		s := AdamStep{GradScale: 0.7, L2: 2e-5, Beta1: 0.8, Beta2: 0.9, Eps: 1e-6, Keep: 0.999,
			Rate: 3e-4 / (1 - math.Pow(0.8, float64(step))), RootScale: 1 / math.Sqrt(1-math.Pow(0.9, float64(step)))}
		Adam(w, g, m, v, s)
		Adam(w2, g2, m2, v2, s)
	}
	for i := range w {
		if math.Abs(float64(w[i])-w2[i]) > 2e-5*(1+math.Abs(w2[i])) {
			t.Fatalf("weight %d: %g in float32, %g in float64", i, w[i], w2[i])
		}
	}
}

func TestSumSquares(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 15, 16, 17, 1000} {
		x := randoms(rng, n)
		want := 0.0
		for _, v := range x {
			want += float64(v) * float64(v)
		}
		if got := SumSquares(x); math.Abs(got-want) > 1e-12*(1+want) {
			t.Errorf("n=%d: %g, want %g", n, got, want)
		}
	}
}

func BenchmarkVector(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	x := randoms(rng, 64*403)
	y, d := make([]float32, len(x)), make([]float32, len(x))
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"exp", func() { Exp(y, x) }}, {"tanh", func() { Tanh(y, x) }}, {"atan", func() { Atan(y, x) }},
		{"gelu", func() { GELU(y, d, x) }}, {"softplus", func() { Softplus(y, d, x) }}, {"log", func() { Log(y, d) }},
		{"adam", func() { Adam(y, d, x, x, AdamStep{GradScale: 1, Keep: 1, Eps: 1e-8}) }},
		{"lse", func() { LogSumExpRows(y[:64], x, d[:403], 3, 64, 403) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				c.f()
			}
		})
	}
}
