package analytic

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"os"
	"testing"

	"oceaninv/acoustics"
)

// krakenCase is an ocean with KRAKENC's answers; see testdata/README.md.
type krakenCase struct {
	Environment acoustics.Environment
	Frequency   float64
	PhaseSpeeds [2]float64 `json:"phase_speeds"`
	KReal       []float64  `json:"k_real"`
	KImag       []float64  `json:"k_imag"`
	GroupSpeed  []float64  `json:"group_speed"`
	Depths      []float64
	Phi         [][]float64
}

func krakenCases(t testing.TB) map[string]*krakenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/krakenc.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]*krakenCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func optionsFor(low, high float64) Options {
	o := DefaultOptions()
	o.MinPhaseSpeed, o.MaxPhaseSpeed = low, high
	return o
}

func mustSolve(t testing.TB, env acoustics.Environment, f float64, o Options) *Modes {
	t.Helper()
	if err := env.Validate(); err != nil {
		t.Fatal(err)
	}
	m, err := Solve(&env, f, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The same modes as KRAKENC's, none missing, none more: Re k to 2e-9, Im k to
// 1e-6, shapes to single precision where KRAKENC's elastic layers allow.
func TestKRAKENC(t *testing.T) {
	for name, c := range krakenCases(t) {
		t.Run(name, func(t *testing.T) {
			m := mustSolve(t, c.Environment, c.Frequency, optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1]))
			if len(m.K) != len(c.KReal) {
				t.Fatalf("%d modes, KRAKENC has %d", len(m.K), len(c.KReal))
			}
			for i, k := range m.K {
				if d := math.Abs(real(k)/c.KReal[i] - 1); d > 2e-9 {
					t.Errorf("mode %d: Re k off by %.1e", i+1, d)
				}
				if c.KImag[i] < -1e-7 {
					if d := math.Abs(imag(k)/c.KImag[i] - 1); d > 1e-6 {
						t.Errorf("mode %d: Im k off by %.1e", i+1, d)
					}
				}
				compareShape(t, i, m.Shapes(c.Depths)[i], c.Phi[i])
			}
			if !solid(c.Environment) {
				compareGroupSpeeds(t, m, c.GroupSpeed)
			}
		})
	}
}

func solid(e acoustics.Environment) bool {
	s := e.Bottom.Material.ShearSpeed > 0
	for _, l := range append(append([]acoustics.Layer{}, e.Cover...), e.Layers...) {
		s = s || l.Knots[0].ShearSpeed > 0
	}
	return s
}

// compareShape allows 2 % of the largest value: KRAKENC differentiates the
// impedance of elastic layers by differences in its norm.
func compareShape(t *testing.T, mode int, phi []complex128, want []float64) {
	t.Helper()
	peak, sign := 0.0, 1.0
	for i, w := range want {
		if math.Abs(w) > peak {
			peak = math.Abs(w)
			sign = math.Copysign(1, w*real(phi[i]))
		}
	}
	for i, w := range want {
		if d := math.Abs(sign*real(phi[i]) - w); d > 2e-2*peak {
			t.Errorf("mode %d: shape off by %.1e at depth %d", mode+1, d/peak, i)
		}
	}
}

func compareGroupSpeeds(t *testing.T, m *Modes, want []float64) {
	t.Helper()
	for i, v := range m.GroupSpeed {
		if d := math.Abs(v/want[i] - 1); d > 1e-4 {
			t.Errorf("mode %d: group speed off by %.1e", i+1, d)
		}
	}
}

// Group speeds are the slope of the dispersion curve, in elastic oceans too,
// where KRAKENC's are those of the fluid part only: wavenumbers solved at two
// frequencies say so, and that KRAKENC's are off by more than a thousandth.
func TestGroupSpeedIsSlope(t *testing.T) {
	const df = 0.01
	for name, c := range krakenCases(t) {
		o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
		at := mustSolve(t, c.Environment, c.Frequency, o)
		// The limits move with frequency, so that no mode enters or leaves.
		o.MinPhaseSpeed, o.MaxPhaseSpeed = o.MinPhaseSpeed*(1-1e-3), o.MaxPhaseSpeed*(1+1e-3)
		below, above := mustSolve(t, c.Environment, c.Frequency-df, o), mustSolve(t, c.Environment, c.Frequency+df, o)
		worst := 0.0
		for i, k := range at.K {
			slope := real(complex(4*math.Pi*df, 0) / (nearest(above.K, k) - nearest(below.K, k)))
			if d := math.Abs(at.GroupSpeed[i]/slope - 1); d > 2e-5 {
				t.Errorf("%s: mode %d: group speed %.4f m/s, slope %.4f", name, i+1, at.GroupSpeed[i], slope)
			}
			worst = max(worst, math.Abs(c.GroupSpeed[i]/slope-1))
		}
		if solid(c.Environment) && worst < 1e-3 {
			t.Errorf("%s: KRAKENC's group speeds are right to %.1e: compare with them", name, worst)
		}
		t.Logf("%s: KRAKENC's group speeds differ from the slope by up to %.1e", name, worst)
	}
}

func nearest(list []complex128, k complex128) complex128 {
	best := list[0]
	for _, v := range list {
		if cmplx.Abs(v-k) < cmplx.Abs(best-k) {
			best = v
		}
	}
	return best
}

func water(depth, c float64) acoustics.Water {
	return acoustics.Water{Depth: depth, Density: 1000, Profile: acoustics.SoundSpeedProfile{
		Depth: []float64{0, depth}, Speed: []float64{c, c}, Interpolation: acoustics.CLinear}}
}

// A waveguide between a free surface and a rigid bottom has kz = (n-1/2)π/H, one
// between two free surfaces nπ/H.
func TestIdealWaveguides(t *testing.T) {
	const depth, c, f = 100.0, 1500.0, 61.0
	for _, test := range []struct {
		kind  acoustics.BoundaryKind
		shift float64
	}{{acoustics.Rigid, -0.5}, {acoustics.PressureRelease, 0}} {
		env := acoustics.Environment{Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}, Water: water(depth, c), Bottom: acoustics.Boundary{Kind: test.kind}}
		m := mustSolve(t, env, f, optionsFor(1000, 1e6))
		k0 := 2 * math.Pi * f / c
		n := 0
		for kz := (1 + test.shift) * math.Pi / depth; kz < k0; kz += math.Pi / depth {
			if n >= len(m.K) {
				t.Fatalf("%s: %d modes", test.kind, len(m.K))
			}
			if want := math.Sqrt(k0*k0 - kz*kz); math.Abs(real(m.K[n])/want-1) > 1e-12 {
				t.Errorf("%s: mode %d is %v, want %v", test.kind, n+1, m.K[n], want)
			}
			n++
		}
		if n != len(m.K) {
			t.Errorf("%s: %d modes, want %d", test.kind, len(m.K), n)
		}
	}
}

// scholte is the Scholte wave of deep water over a solid half-space, from its
// secular equation (Brekhovskikh & Godin, Acoustics of Layered Media I, eq. 4.4.20),
// by bisection in slowness.
func scholte(cw, rw, cp, cs, rs, omega float64) float64 {
	f := func(k float64) float64 {
		gw, gp, gs := math.Sqrt(k*k-sq(omega/cw)), math.Sqrt(k*k-sq(omega/cp)), math.Sqrt(k*k-sq(omega/cs))
		ks := omega / cs
		return sq(2*k*k-ks*ks) - 4*k*k*gp*gs + rw/rs*sq(sq(ks))*gp/gw
	}
	low, high := omega/min(cw, cs)*(1+1e-9), omega/min(cw, cs)*4
	for range 200 {
		if mid := (low + high) / 2; f(mid)*f(low) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

func sq(x float64) float64 { return x * x }

// The slowest mode of deep water over a solid is the Scholte wave.
func TestScholteWave(t *testing.T) {
	const f = 50.0
	omega := 2 * math.Pi * f
	for _, cs := range []float64{400, 1100, 2000} {
		env := acoustics.Environment{
			Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}, Water: water(600, 1500),
			Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 2 * cs, ShearSpeed: cs, Density: 2000}},
		}
		m := mustSolve(t, env, f, optionsFor(0, 1450))
		want := scholte(1500, 1, 2*cs, cs, 2, omega)
		if len(m.K) == 0 || math.Abs(real(m.K[0])/want-1) > 1e-6 {
			t.Errorf("shear speed %v: slowest modes %v, Scholte wave %v", cs, m.K[:min(2, len(m.K))], want)
		}
	}
}

// Cutting layers in two changes nothing, whether fluid or solid.
func TestSplitLayers(t *testing.T) {
	for _, name := range []string{"elastic_sediment_100m_150hz", "ice_cover_10hz"} {
		c := krakenCases(t)[name]
		env := c.Environment.Clone()
		// A homogeneous solid layer makes the comparison exact.
		if len(env.Layers) > 0 {
			env.Layers[0].Knots = env.Layers[0].Knots[:1]
		}
		o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
		whole := mustSolve(t, env, c.Frequency, o)
		split := env.Clone()
		split.Cover, split.Layers = halve(split.Cover), halve(split.Layers)
		parts := mustSolve(t, split, c.Frequency, o)
		if len(parts.K) != len(whole.K) {
			t.Fatalf("%s: %d modes, split %d", name, len(whole.K), len(parts.K))
		}
		for i, k := range whole.K {
			if d := cmplx.Abs(parts.K[i]/k - 1); d > 1e-11 {
				t.Errorf("%s: mode %d moves by %.1e", name, i+1, d)
			}
		}
	}
}

// A profile that reaches deeper than the water is cut at the sea floor.
func TestProfileBelowTheWater(t *testing.T) {
	c := krakenCases(t)["ice_cover_10hz"]
	o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
	env := c.Environment.Clone()
	p := &env.Water.Profile
	p.Interpolation = acoustics.CLinear
	n := len(p.Depth)
	slope := (p.Speed[n-1] - p.Speed[n-2]) / (p.Depth[n-1] - p.Depth[n-2])
	whole := mustSolve(t, env, c.Frequency, o)
	p.Depth[n-1] += 40
	p.Speed[n-1] += 40 * slope
	p.Depth, p.Speed = append(p.Depth, 1e4), append(p.Speed, 1600)
	cut := mustSolve(t, env, c.Frequency, o)
	if len(cut.K) != len(whole.K) {
		t.Fatalf("%d modes, cut %d", len(whole.K), len(cut.K))
	}
	for i, k := range whole.K {
		if d := cmplx.Abs(cut.K[i]/k - 1); d > 1e-10 {
			t.Errorf("mode %d moves by %.1e", i+1, d)
		}
	}
}

func halve(layers []acoustics.Layer) []acoustics.Layer {
	var out []acoustics.Layer
	for _, l := range layers {
		l.Thickness /= 2
		out = append(out, l, l)
	}
	return out
}

// As its shear speed falls to 0 a solid becomes a fluid.
func TestShearVanishes(t *testing.T) {
	env := acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}, Water: water(100, 1500),
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 1700, Density: 1800}},
	}
	o := optionsFor(1460, 1690)
	fluid := mustSolve(t, env, 100, o)
	last := math.Inf(1)
	for _, cs := range []float64{60, 30, 15} {
		env.Bottom.Material.ShearSpeed = cs
		solid := mustSolve(t, env, 100, o)
		if len(solid.K) != len(fluid.K) {
			t.Fatalf("shear speed %v: %d modes, fluid %d", cs, len(solid.K), len(fluid.K))
		}
		worst := 0.0
		for i, k := range fluid.K {
			worst = max(worst, cmplx.Abs(solid.K[i]-k))
		}
		if worst > last/2 {
			t.Errorf("shear speed %v: modes differ by %.1e, before %.1e", cs, worst, last)
		}
		last = worst
	}
	if last > 1e-5 {
		t.Errorf("at 15 m/s the modes still differ by %.1e rad/m", last)
	}
}

// The norm found by differentiation is the integral ∫ φ²/ρ dz with its tail.
func TestNorm(t *testing.T) {
	c := krakenCases(t)["pekeris_lossy_complex_100m_150hz"]
	m := mustSolve(t, c.Environment, c.Frequency, optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1]))
	const n = 4000
	depths := make([]float64, n)
	for i := range depths {
		depths[i] = (float64(i) + 0.5) * 100 / n
	}
	kb := m.stack.bottom.wave.kp2
	for i, k := range m.K {
		var sum complex128
		for _, p := range m.Shapes(depths)[i] {
			sum += p * p * complex(100.0/n, 0)
		}
		p := m.Shapes([]float64{100})[i][0]
		sum += p * p / (2 * 1.8 * cmplx.Sqrt(k*k-kb))
		if cmplx.Abs(sum-1) > 1e-5 {
			t.Errorf("mode %d: norm %v", i+1, sum)
		}
	}
}

// The characteristic function does not depend on where the solutions meet.
func TestWronskianIsConstant(t *testing.T) {
	c := krakenCases(t)["ice_cover_10hz"]
	s, err := newStack(&c.Environment, 2*math.Pi*c.Frequency)
	if err != nil {
		t.Fatal(err)
	}
	s = s.coarse().within(s, 1).on(s)
	x := complex(0.0016, -3e-5)
	cells := len(s.layers[s.water].cells)
	first := complex128(0)
	for cell := 0; cell < cells; cell += 7 {
		above, below := s.meet(x, sheet{}, place{s.water, cell})
		v := (above.p*below.w - above.w*below.p) * complex(math.Exp(above.scale+below.scale), 0)
		if first == 0 {
			first = v
		}
		if cmplx.Abs(v/first-1) > 1e-10 {
			t.Fatalf("cell %d: %v, at the top %v", cell, v, first)
		}
	}
}

// Gradients converge with the sixth power of the number of cells, in fluids at least.
func TestOrderOfConvergence(t *testing.T) {
	for _, test := range []struct {
		name     string
		low, top float64
	}{{"ice_cover_10hz", 6, math.Inf(1)}, {"elastic_sediment_100m_150hz", 5.7, 6.5}} {
		c := krakenCases(t)[test.name]
		at := func(refine int) complex128 {
			s, err := newStack(&c.Environment, 2*math.Pi*c.Frequency)
			if err != nil {
				t.Fatal(err)
			}
			s = s.coarse().refined(s, refine).on(s)
			k := complex(c.KReal[4], c.KImag[4])
			x, ok := s.secant(zero{x: k * k}, 1e-4)
			if !ok {
				t.Fatal("no zero")
			}
			return x
		}
		a, b, d := at(1), at(2), at(8)
		if order := math.Log2(cmplx.Abs(a-b) / cmplx.Abs(b-d)); order < test.low || order > test.top {
			t.Errorf("%s: order %.2f", test.name, order)
		}
	}
}

// A solid's shape satisfies its interface: shear stress 0 at the water, normal
// stress and displacement continuous, also through layers where waves decay.
func TestShapeInSolids(t *testing.T) {
	c := krakenCases(t)["elastic_sediment_100m_150hz"]
	m := mustSolve(t, c.Environment, c.Frequency, optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1]))
	for i := range m.K {
		p := m.Shapes([]float64{100 - 1e-9, 100 + 1e-9, 120 - 1e-9, 120 + 1e-9})[i]
		peak := cmplx.Abs(m.Shapes([]float64{50})[i][0]) + cmplx.Abs(p[0])
		if cmplx.Abs(p[0]-p[1]) > 1e-6*peak || cmplx.Abs(p[2]-p[3]) > 1e-6*peak {
			t.Errorf("mode %d: normal stress jumps %v", i+1, p)
		}
		tr := &m.traces[i]
		if tau := tr.states[1][0].r[2]; cmplx.Abs(tau) > 1e-9*peak {
			t.Errorf("mode %d: shear stress %v at the sea floor", i+1, tau)
		}
	}
}

// A table of a half-space's own reflection coefficient gives the half-space's
// modes, leaky ones too, and along the branch cut the modes that carry the lateral
// wave.
func TestReflectionTable(t *testing.T) {
	c := krakenCases(t)["pekeris_leaky_100m_150hz"]
	env := c.Environment.Clone()
	o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
	want := mustSolve(t, env, c.Frequency, o)
	k1, k2 := want.stack.layers[0].segments[0].at(0).kp2, want.stack.bottom.wave.kp2
	var list []acoustics.ReflectionCoefficient
	for angle := 0.0; angle <= 90; angle += 0.1 {
		x := k1 * complex(sq(math.Cos(angle*math.Pi/180)), 0)
		z1, z2 := 1/(1i*cmplx.Sqrt(k1-x)), complex(1.8, 0)/vertical(x, k2, real(x) < real(k2))
		r := complex128(-1)
		if angle > 0 {
			r = (z2 - z1) / (z2 + z1)
		}
		list = append(list, acoustics.ReflectionCoefficient{GrazingAngle: angle, Magnitude: cmplx.Abs(r), Phase: cmplx.Phase(r) * 180 / math.Pi})
	}
	env.Bottom = acoustics.Boundary{Kind: acoustics.Reflection, Reflections: list}
	got := mustSolve(t, env, c.Frequency, o)
	compareWithCut(t, got, want, real(cmplx.Sqrt(k2)), 1e-8)
	// A table as programs write it, rounded and coarser: noise makes no modes.
	var rounded []acoustics.ReflectionCoefficient
	for i := 0; i < len(list); i += 5 {
		r := list[i]
		r.Magnitude, r.Phase = math.Round(r.Magnitude*1e6)/1e6, math.Round(r.Phase*1e4)/1e4
		rounded = append(rounded, r)
	}
	env.Bottom.Reflections = rounded
	compareWithCut(t, mustSolve(t, env, c.Frequency, o), want, real(cmplx.Sqrt(k2)), 1e-6)
}

// compareWithCut asks for all modes of want, and for others near the cut only.
func compareWithCut(t *testing.T, got, want *Modes, cut, tolerance float64) {
	t.Helper()
	n := 0
	for i, k := range got.K {
		if n < len(want.K) && cmplx.Abs(k/want.K[n]-1) < tolerance {
			a, b := got.Shapes([]float64{36})[i][0], want.Shapes([]float64{36})[n][0]
			if d := math.Abs(cmplx.Abs(a)/cmplx.Abs(b) - 1); d > 1e-3 {
				t.Errorf("mode %d: shape off by %.1e", n+1, d)
			}
			n++
		} else if math.Abs(real(k)/cut-1) > 0.02 {
			t.Errorf("%v is no mode of the half-space and not near its branch cut", k)
		}
	}
	if n != len(want.K) {
		t.Errorf("%d of the half-space's %d modes", n, len(want.K))
	}
}

// Roughness takes energy, more from steeper modes, and grows as its square.
func TestRoughness(t *testing.T) {
	c := krakenCases(t)["pekeris_lossy_complex_100m_150hz"]
	env := c.Environment.Clone()
	o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
	flat := mustSolve(t, env, c.Frequency, o)
	env.Water.BottomRoughness = 0.2
	rough := mustSolve(t, env, c.Frequency, o)
	env.Water.BottomRoughness = 0.4
	rougher := mustSolve(t, env, c.Frequency, o)
	for i, k := range flat.K {
		one, two := imag(rough.K[i]-k), imag(rougher.K[i]-k)
		if one >= 0 || math.Abs(two/one-4) > 1e-3 {
			t.Errorf("mode %d: roughness changes Im k by %.2e, twice as much by %.2e", i+1, one, two)
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	for name, c := range krakenCases(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Solve(&c.Environment, c.Frequency, optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
