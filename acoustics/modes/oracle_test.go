package modes

import (
	"errors"
	"math"
	"math/cmplx"
	"testing"

	"oceaninv/acoustics"
)

func water(depth float64, c ...float64) acoustics.Water {
	p := acoustics.SoundSpeedProfile{Interpolation: acoustics.CLinear}
	for i, v := range c {
		p.Depth = append(p.Depth, depth*float64(i)/float64(max(1, len(c)-1)))
		p.Speed = append(p.Speed, v)
	}
	return acoustics.Water{Depth: depth, Density: 1000, Profile: p}
}

func solve(t testing.TB, o Options, env acoustics.Environment, f float64) *Modes {
	t.Helper()
	s, err := NewSolver(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Solve(&env, f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// bisect finds the root of an f that changes sign on [a, b].
func bisect(f func(float64) float64, a, b float64) float64 {
	fa := f(a)
	for range 200 {
		m := 0.5 * (a + b)
		if (f(m) < 0) == (fa < 0) {
			a = m
		} else {
			b = m
		}
	}
	return 0.5 * (a + b)
}

// Isovelocity water between perfect walls: kz D = nπ or (n-½)π, and every shape.
func TestIdealWaveguide(t *testing.T) {
	free, rigid := acoustics.Boundary{Kind: acoustics.PressureRelease}, acoustics.Boundary{Kind: acoustics.Rigid}
	const depth, c, f = 100.0, 1500.0, 152.0
	k := 2 * math.Pi * f / c
	for _, w := range []struct {
		top, bottom acoustics.Boundary
		first       float64 // kz D/π of the first mode
	}{{free, free, 1}, {free, rigid, 0.5}, {rigid, free, 0.5}, {rigid, rigid, 0}} {
		m := solve(t, DefaultOptions(), acoustics.Environment{Surface: w.top, Bottom: w.bottom, Water: water(depth, c, c)}, f)
		want := int(math.Floor(k*depth/math.Pi-w.first)) + 1
		if m.Len() != want {
			t.Fatalf("%s over %s: %d modes, want %d", w.top.Kind, w.bottom.Kind, m.Len(), want)
		}
		phi := m.Shapes(make([]float64, m.Len()), []float64{37})
		for i, kr := range m.Kr {
			kz := (w.first + float64(i)) * math.Pi / depth
			if e := math.Abs(real(kr)/math.Sqrt(k*k-kz*kz) - 1); e > 1e-11 {
				t.Errorf("%s over %s, mode %d: kr off by %.1e", w.top.Kind, w.bottom.Kind, i+1, e)
			}
			shape := math.Sqrt(2/depth) * math.Sin(kz*37)
			if w.top.Kind == acoustics.Rigid {
				shape = math.Sqrt(2/depth) * math.Cos(kz*37)
			}
			if kz == 0 {
				shape = math.Sqrt(1 / depth)
			}
			if math.Abs(phi[i]-shape) > 1e-7 {
				t.Errorf("%s over %s, mode %d: shape %v, want %v", w.top.Kind, w.bottom.Kind, i+1, phi[i], shape)
			}
		}
	}
}

// Pekeris' waveguide: kz D = nπ - atan(ρ kz/γ).
func TestPekerisRoots(t *testing.T) {
	const depth, c, cb, rho = 100.0, 1500.0, 1700.0, 1.8
	for _, f := range []float64{11, 20, 150, 1000, 4000} {
		w := 2 * math.Pi * f
		k, kb := w/c, w/cb
		env := acoustics.Environment{Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}, Water: water(depth, c, c),
			Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: cb, Density: 1000 * rho}}}
		m := solve(t, DefaultOptions(), env, f)
		n := 0
		for {
			equation := func(kz float64) float64 {
				g2 := k*k - kz*kz - kb*kb
				return kz*depth - float64(n+1)*math.Pi + math.Atan(rho*kz/math.Sqrt(math.Max(g2, 0)))
			}
			most := math.Sqrt(k*k - kb*kb)
			if equation(most*(1-1e-15)) < 0 {
				break
			}
			kz := bisect(equation, 0, most)
			if n >= m.Len() {
				t.Fatalf("%g Hz: mode %d is missing", f, n+1)
			}
			if e := math.Abs(real(m.Kr[n])/math.Sqrt(k*k-kz*kz) - 1); e > 1e-12 {
				t.Errorf("%g Hz, mode %d: off by %.1e", f, n+1, e)
			}
			n++
		}
		if n != m.Len() {
			t.Errorf("%g Hz: %d modes, the equation has %d roots", f, m.Len(), n)
		}
	}
}

// airy returns Ai, Ai', Bi, Bi' by integrating y” = x y with Taylor series from 0.
func airy(x float64) (a, da, b, db float64) {
	const ai0, dai0 = 0.355028053887817239, -0.258819403792806798
	a, da, b, db = ai0, dai0, ai0*math.Sqrt(3), -dai0*math.Sqrt(3)
	steps := 1 + int(math.Abs(x)*20)
	h := x / float64(steps)
	for i := range steps {
		z := h * float64(i)
		a, da = airyStep(z, h, a, da)
		b, db = airyStep(z, h, b, db)
	}
	return a, da, b, db
}

func airyStep(x, h, y, dy float64) (float64, float64) {
	var c [24]float64
	c[0], c[1] = y, dy
	c[2] = 0.5 * x * y
	for n := 1; n+2 < len(c); n++ {
		c[n+2] = (x*c[n] + c[n-1]) / float64((n+1)*(n+2))
	}
	var v, d float64
	for n := len(c) - 1; n >= 0; n-- {
		v = v*h + c[n]
		if n > 0 {
			d = d*h + float64(n)*c[n]
		}
	}
	return v, d
}

// Water with 1/c² linear in depth between a free surface and a rigid floor has Airy
// functions for modes: Ai(s0) Bi'(s1) = Bi(s0) Ai'(s1).
func TestAiryModes(t *testing.T) {
	const depth, c0, c1, f = 200.0, 1480.0, 1530.0, 100.0
	w := 2 * math.Pi * f
	env := acoustics.Environment{Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Bottom: acoustics.Boundary{Kind: acoustics.Rigid}, Water: water(depth, c0, c1)}
	env.Water.Profile.Interpolation = acoustics.N2Linear
	m := solve(t, DefaultOptions(), env, f)
	// k0² = a - b z; with l = b^(1/3), s = (kr² - a + b z)/l² makes y'' = s y.
	a, b := w*w/(c0*c0), (w*w/(c0*c0)-w*w/(c1*c1))/depth
	l := math.Cbrt(b)
	equation := func(kr float64) float64 {
		a0, _, b0, _ := airy((kr*kr - a) / (l * l))
		_, a1, _, b1 := airy((kr*kr - a + b*depth) / (l * l))
		return a0*b1 - b0*a1
	}
	for i, kr := range m.Kr {
		if real(kr) < 0.1 {
			continue
		}
		k := real(kr)
		root := bisect(equation, k*(1-1e-7), k*(1+1e-7))
		if e := math.Abs(k/root - 1); e > 1e-9 {
			t.Errorf("mode %d: off by %.1e", i+1, e)
		}
	}
}

// A naive second-order finite-difference twin: u” + (k0² - E) u = 0 on an even mesh,
// eigenvalues by Sturm counts, two meshes and Richardson's extrapolation.
func TestFiniteDifferenceTwin(t *testing.T) {
	env := acoustics.Environment{Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Bottom: acoustics.Boundary{Kind: acoustics.PressureRelease}, Water: water(150, 1520, 1490, 1500, 1485, 1510, 1530)}
	env.Water.Profile.Interpolation = acoustics.Spline
	const f = 60
	m := solve(t, DefaultOptions(), env, f)
	coarse, fine := differences(env, f, 1500, m.Len()), differences(env, f, 3000, m.Len())
	if len(coarse) != m.Len() {
		t.Fatalf("%d modes, finite differences have %d", m.Len(), len(coarse))
	}
	for i := range coarse {
		e := (4*fine[i] - coarse[i]) / 3
		if off := math.Abs(real(m.Kr[i])*real(m.Kr[i])/e - 1); off > 1e-7 {
			t.Errorf("mode %d: kr² off by %.1e", i+1, off)
		}
	}
}

func differences(env acoustics.Environment, f float64, n, most int) (e []float64) {
	h := env.Water.Depth / float64(n)
	q := make([]float64, n-1)
	for i := range q {
		k := 2 * math.Pi * f / env.Water.Profile.SoundSpeedAt(h*float64(i+1))
		q[i] = k * k
	}
	// Eigenvalues above x: positive pivots of the tridiagonal matrix less x.
	above := func(x float64) int {
		count, d := 0, 1.0
		for i, v := range q {
			d = v - 2/(h*h) - x - func() float64 {
				if i == 0 {
					return 0
				}
				return 1 / (h * h * h * h * d)
			}()
			if d > 0 {
				count++
			}
		}
		return count
	}
	for i := range most + 1 {
		lo, hi := 0.0, q[0]*2
		if above(lo) <= i {
			break
		}
		for range 100 {
			if mid := 0.5 * (lo + hi); above(mid) > i {
				lo = mid
			} else {
				hi = mid
			}
		}
		e = append(e, lo)
	}
	return e
}

// Source and receiver may change places.
func TestReciprocity(t *testing.T) {
	c := krakenCases(t)["two_sediments_100m_150hz"]
	m := solve(t, c.options(), c.Environment, c.Frequency)
	p := m.Pressure(make([]complex128, 1), acoustics.Source{Depth: 20}, acoustics.ReceiverArray{Depths: []float64{77}, Range: 1500})[0]
	q := m.Pressure(make([]complex128, 1), acoustics.Source{Depth: 77}, acoustics.ReceiverArray{Depths: []float64{20}, Range: 1500})[0]
	if cmplx.Abs(p-q) > 1e-14*cmplx.Abs(p) {
		t.Fatalf("%v one way, %v the other", p, q)
	}
}

// A layer divided in two of the same material is the same layer.
func TestSplittingALayerChangesNothing(t *testing.T) {
	c := krakenCases(t)["swellex_nominal_148hz"]
	// Lossless, because absorption is interpolated with the complex sound speed, and
	// a knot more changes that in its fifth digit.
	env := lossless(c.Environment)
	whole := solve(t, c.options(), env, c.Frequency)
	sediment := env.Layers[0]
	a, b := sediment.Knots[0], sediment.Knots[1]
	middle := a
	middle.Depth = 9
	middle.SoundSpeed += (b.SoundSpeed - a.SoundSpeed) * 9 / b.Depth
	upper, lower := sediment, sediment
	upper.Thickness, upper.Knots = 9, []acoustics.Knot{a, middle}
	middle.Depth, b.Depth = 0, b.Depth-9
	lower.Thickness, lower.Knots = sediment.Thickness-9, []acoustics.Knot{middle, b}
	env.Layers = append([]acoustics.Layer{upper, lower}, env.Layers[1:]...)
	split := solve(t, c.options(), env, c.Frequency)
	if whole.Len() != split.Len() {
		t.Fatalf("%d and %d modes", whole.Len(), split.Len())
	}
	for i := range whole.Kr {
		if math.Abs(real(split.Kr[i])/real(whole.Kr[i])-1) > 1e-9 {
			t.Errorf("mode %d: %v and %v", i+1, whole.Kr[i], split.Kr[i])
		}
	}
}

// The error stays below the tolerance over seven decades of it.
func TestErrorFollowsTolerance(t *testing.T) {
	for name, c := range krakenCases(t) {
		o := c.options()
		o.Tolerance = minTolerance
		want := solve(t, o, c.Environment, c.Frequency).Clone()
		for tolerance := 1e-5; tolerance > 1e-12; tolerance /= 10 {
			o.Tolerance = tolerance
			m := solve(t, o, c.Environment, c.Frequency)
			for i := range want.Kr {
				if e := math.Abs(real(m.Kr[i])/real(want.Kr[i]) - 1); e > tolerance {
					t.Errorf("%s, tolerance %.0e, mode %d: off by %.1e", name, tolerance, i+1, e)
				}
			}
		}
	}
}

// Halving the cells of a smooth profile divides the error by 2^8: the order that is
// claimed.
func TestOrderOfConvergence(t *testing.T) {
	env := acoustics.Environment{Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Bottom: acoustics.Boundary{Kind: acoustics.Rigid}, Water: water(100, 1450, 1650)}
	s, err := NewSolver(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	errorOf := func(cells int) float64 {
		s.stack.build(&env, 40)
		if err := s.setWindow(); err != nil {
			t.Fatal(err)
		}
		s.mesher.build(&s.stack, s.window, 1e-3)
		s.mesher.cells = s.mesher.cells[:0]
		for i := range cells {
			var c cell
			s.stack.measure(&c, 0, mix(0, 100, i, cells), mix(0, 100, i+1, cells))
			s.mesher.cells = append(s.mesher.cells, c)
		}
		s.column.set(&s.stack, &s.mesher, s.window)
		if err := s.findModes(); err != nil {
			t.Fatal(err)
		}
		s.modes.settle()
		return real(s.modes.Kr[1])
	}
	want := errorOf(200)
	a, b := math.Abs(errorOf(4)-want), math.Abs(errorOf(8)-want)
	order := math.Log2(a / b)
	t.Logf("errors %.1e %.1e: order %.1f", a/want, b/want, order)
	if order < 7 {
		t.Errorf("order %.1f", order)
	}
}

// dω/dkr is the difference quotient, also where KRAKEN's group speed is not.
func TestGroupSpeed(t *testing.T) {
	for _, name := range []string{"rigid_bottom_100m_150hz", "pekeris_lossy_100m_150hz", "munk_50hz"} {
		c := krakenCases(t)[name]
		m := solve(t, c.options(), c.Environment, c.Frequency)
		const h = 0.005
		a := solve(t, c.options(), c.Environment, c.Frequency-h).Clone()
		b := solve(t, c.options(), c.Environment, c.Frequency+h)
		for i := range m.Kr {
			want := 4 * math.Pi * h / real(b.Kr[i]-a.Kr[i])
			if e := math.Abs(m.DispersionSpeed(i)/want - 1); e > 2e-6 {
				t.Errorf("%s, mode %d: off by %.1e", name, i+1, e)
			}
		}
	}
}

// A solve leaves no trace in the next, to the last bit.
func TestNoHistory(t *testing.T) {
	cases := krakenCases(t)
	a, b := cases["swellex_nominal_112hz"], cases["double_duct_10hz"]
	s, err := NewSolver(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Solve(&a.Environment, a.Frequency)
	if err != nil {
		t.Fatal(err)
	}
	want := first.Clone()
	if _, err := s.Solve(&b.Environment, 40); err != nil {
		t.Fatal(err)
	}
	again, err := s.Solve(&a.Environment, a.Frequency)
	if err != nil {
		t.Fatal(err)
	}
	z := []float64{10, 120, 230}
	p, q := want.Shapes(make([]float64, 3*want.Len()), z), again.Shapes(make([]float64, 3*want.Len()), z)
	for i := range want.Kr {
		if want.Kr[i] != again.Kr[i] {
			t.Fatalf("mode %d: %v, then %v", i+1, want.Kr[i], again.Kr[i])
		}
	}
	for i := range p {
		if p[i] != q[i] {
			t.Fatalf("shape %d: %v, then %v", i, p[i], q[i])
		}
	}
}

func TestWarmSolveAllocatesNothing(t *testing.T) {
	c := krakenCases(t)["swellex_nominal_148hz"]
	s, err := NewSolver(c.options())
	if err != nil {
		t.Fatal(err)
	}
	array := acoustics.ReceiverArray{Depths: []float64{94, 99, 105}, Range: 3000, Tilt: 1}
	p := make([]complex128, 3)
	n := testing.AllocsPerRun(20, func() {
		m, err := s.Solve(&c.Environment, c.Frequency)
		if err != nil {
			t.Fatal(err)
		}
		m.Pressure(p, acoustics.Source{Depth: 60}, array)
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestErrors(t *testing.T) {
	pekeris := krakenCases(t)["pekeris_lossless_100m_150hz"].Environment
	s, err := NewSolver(DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	var none ErrNoModes
	if _, err := s.Solve(&pekeris, 5); !errors.As(err, &none) || none.Frequency != 5 {
		t.Errorf("below cut-off: %v", err)
	}
	var invalid acoustics.ValidationErrors
	if _, err := s.Solve(&pekeris, math.NaN()); !errors.As(err, &invalid) {
		t.Errorf("frequency NaN: %v", err)
	}
	bad := pekeris.Clone()
	bad.Bottom.Material.ShearSpeed = 400
	var unsupported ErrUnsupported
	if _, err := s.Solve(&bad, 150); !errors.As(err, &unsupported) || unsupported.Path != "bottom.material.shear_speed" {
		t.Errorf("elastic: %v", err)
	}
	var many ErrTooManyCells
	if _, err := s.Solve(&pekeris, 1e12); !errors.As(err, &many) {
		t.Errorf("1 THz: %v", err)
	}
	for _, o := range []Options{{}, {Tolerance: 1}, {Tolerance: 1e-9, MinPhaseSpeed: 1500, MaxPhaseSpeed: 1400}, {Tolerance: math.NaN()}} {
		if _, err := NewSolver(o); err == nil {
			t.Errorf("options %+v were accepted", o)
		}
	}
}
