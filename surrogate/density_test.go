package surrogate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDensitiesIntegrate integrates every layer's density over the plane by the trapezoidal rule, which for a smooth
// integrand that vanishes at the ends is limited by its kinks only.
func TestDensitiesIntegrate(t *testing.T) {
	plane := func(n int) (x []float64, h float64) {
		const half = 11.0
		h = 2 * half / float64(n-1)
		for i := range n {
			for j := range n {
				x = append(x, -half+float64(i)*h, -half+float64(j)*h)
			}
		}
		return x, h
	}
	smooth, wide := plane(161)
	kinked, narrow := plane(321)
	if len(testDims) < 12 { // under the race detector
		t.Skip("quadrature is arithmetic of one goroutine: nothing for the race detector")
	}
	for _, l := range layers {
		if estimates(l.name) {
			continue
		}
		x, h := smooth, wide
		if strings.Contains(l.name, "spline") { // the density has kinks at the knots
			x, h = kinked, narrow
		}
		for _, cond := range []int{0, 3} {
			if cond == 0 && l.name != "glow" && l.name != "spline" && l.name != "i-resnet exact" {
				continue // a condition includes the case without
			}
			f := testFlow(t, 2, cond, func(s *FlowSpec) { l.edit(s); s.Clamp = 0.7 })
			p, err := f.LogProb(x, []float64{0.3, -0.5, 1}[:cond])
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, v := range p {
				sum += math.Exp(v) * h * h
			}
			if math.Abs(sum-1) > 2e-3 {
				t.Errorf("%s, cond %d: the density integrates to %.6f", l.name, cond, sum)
			}
		}
	}
}

func testConditional(t *testing.T, link string) *Conditional[float64] {
	t.Helper()
	s := DefaultFlow()
	s.Blocks, s.Hidden, s.Seed, s.Coupling = 2, 8, 3, "spline"
	inf := math.Inf(1)
	b := Bounds{Lower: []float64{200, 1532, 0, -inf}, Upper: []float64{236, 1592, inf, inf}, Link: link}
	y := Standardizer{Mean: []float64{1, 2, 3}, Scale: []float64{1, 0.1, 10}}
	c, err := NewConditional[float64](s, b, y)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	var theta []float64
	for range 500 {
		theta = append(theta, 200+36*rng.Float64(), 1532+60*rng.Float64(), rng.ExpFloat64(), 5+rng.NormFloat64())
	}
	if err := c.FitTheta(theta); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestConditionalUnits: draws stay in the box, and the log-density in physical units is the change of variables of
// the flow's, checked against a numeric Jacobian of θ -> v.
func TestConditionalUnits(t *testing.T) {
	for _, link := range []string{"logit", "probit"} {
		c := testConditional(t, link)
		y := []float64{1.5, 2.05, -4}
		theta, err := c.Sample(3000, y, 9)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range theta {
			if j := i % 4; !(v >= c.Bounds.Lower[j] && v <= c.Bounds.Upper[j]) {
				t.Fatalf("%s: draw %g outside [%g, %g]", link, v, c.Bounds.Lower[j], c.Bounds.Upper[j])
			}
		}
		for i := range 20 {
			row := theta[4*i : 4*i+4]
			got, err := c.LogProb(row, y)
			if err != nil {
				t.Fatal(err)
			}
			v, cond, err := c.Encode(row, y)
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.Flow.LogProb(v, cond)
			if err != nil {
				t.Fatal(err)
			}
			for j := range row {
				h := 1e-6 * math.Abs(row[j])
				up, down := append([]float64(nil), row...), append([]float64(nil), row...)
				up[j] += h
				down[j] -= h
				a, _, errUp := c.Encode(up, y)
				b, _, errDown := c.Encode(down, y)
				if errUp != nil || errDown != nil {
					t.Fatal(errUp, errDown)
				}
				want[0] += math.Log((a[j] - b[j]) / (2 * h))
			}
			if math.Abs(got[0]-want[0]) > 1e-5*(1+math.Abs(want[0])) {
				t.Fatalf("%s: log-density %.9g, change of variables %.9g", link, got[0], want[0])
			}
		}
	}
}

func TestConditionalEdges(t *testing.T) {
	c := testConditional(t, "logit")
	y := []float64{1, 2, 3}
	l, err := c.LogProb([]float64{199, 1550, 1, 5, 210, 1550, 1, 5}, y)
	if err != nil || !math.IsInf(l[0], -1) || math.IsInf(l[1], 0) {
		t.Errorf("log-densities outside and inside the box: %v, %v", l, err)
	}
	if l, err := c.LogProb([]float64{200, 1592, 0, 5}, y); err != nil || math.IsNaN(l[0]) {
		t.Errorf("at a corner: %v, %v", l, err)
	}
	nan := math.NaN()
	if _, err := c.LogProb([]float64{nan, 1550, 1, 5}, y); err == nil {
		t.Error("NaN parameter accepted")
	}
	if _, err := c.LogProb([]float64{210, 1550, 1, 5}, []float64{1, nan, 3}); err == nil {
		t.Error("NaN observation accepted")
	}
	if _, err := c.Sample(3, []float64{1, 2, math.Inf(1)}, 0); err == nil {
		t.Error("infinite observation accepted")
	}
	if _, err := c.Sample(3, []float64{1, 2}, 0); err == nil {
		t.Error("short observation accepted")
	}
	if err := c.FitTheta([]float64{100, 1550, 1, 5}); err == nil {
		t.Error("training parameter outside the box accepted")
	}
}

// TestProbitUniform: under the probit link a uniform law is standard normal, so the identity flow is exact.
func TestProbitUniform(t *testing.T) {
	b := Bounds{Lower: []float64{-3}, Upper: []float64{5}, Link: "probit"}
	for _, v := range []float64{-2.9999, -1, 0, 4.2, 4.99999} {
		u := []float64{0}
		l := b.Apply(u, []float64{v}) + LogBase(u)
		if math.Abs(l+math.Log(8)) > 1e-9 {
			t.Errorf("density of %g is exp(%g), want 1/8", v, l)
		}
	}
}

// TestChunking: densities and draws do not depend on how rows are divided, nor a shared condition on being repeated.
func TestChunking(t *testing.T) {
	f := testFlow(t, 3, 2, func(*FlowSpec) {})
	const rows = evalRows + 37
	cond := []float64{0.2, -1}
	x, err := f.Sample(rows, cond, 4)
	if err != nil {
		t.Fatal(err)
	}
	head, err := f.Sample(5, cond, 4)
	if err != nil {
		t.Fatal(err)
	}
	tail := make([]float64, 3*10)
	p := f.NewPass(10)
	var tiled []float64
	for range rows {
		tiled = append(tiled, cond...)
	}
	if err := p.Sample(4, rows-10, tiled[:20], tail); err != nil {
		t.Fatal(err)
	}
	for i := range head {
		if math.Abs(head[i]-x[i]) > 1e-13 {
			t.Fatal("the first draws depend on how many follow")
		}
	}
	for i := range tail {
		if math.Abs(tail[i]-x[len(x)-len(tail)+i]) > 1e-13 {
			t.Fatal("the last draws depend on those before")
		}
	}
	a, err := f.LogProb(x, cond)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.LogProb(x, tiled)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-12 {
			t.Fatal("one condition for all differs from the same one per row")
		}
	}
}

func TestStandardizer(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	var x []float64
	for range 1000 {
		x = append(x, 1e6+rng.NormFloat64(), 7, 3*rng.NormFloat64())
	}
	s, err := FitStandardizer(x, 3)
	if err != nil {
		t.Fatal(err)
	}
	u := make([]float64, len(x))
	s.Apply(u, x)
	for j := range 3 {
		mean, square := 0.0, 0.0
		for i := j; i < len(u); i += 3 {
			mean += u[i] / 1000
			square += u[i] * u[i] / 1000
		}
		want := 1.0
		if j == 1 {
			want = 0 // constant
		}
		if math.Abs(mean) > 1e-6 || math.Abs(square-want) > 1e-6 {
			t.Errorf("column %d: mean %g, mean square %g", j, mean, square)
		}
	}
	s.Invert(u, u)
	for i := range x {
		if math.Abs(u[i]-x[i]) > 1e-9 {
			t.Fatal("round trip")
		}
	}
	if _, err := FitStandardizer([]float64{1, math.NaN()}, 1); err == nil {
		t.Error("NaN accepted")
	}
	if _, err := FitStandardizer(nil, 1); err == nil {
		t.Error("no rows accepted")
	}
}
