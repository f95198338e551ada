package modes

import (
	"math/cmplx"
	"testing"

	"oceaninv/acoustics"
)

// directionsOf compares directions with their case.
func directionsOf(t testing.TB, at Case, list ...Direction) *Directions {
	t.Helper()
	var d Directions
	if err := d.Set(at, list); err != nil {
		t.Fatal(err)
	}
	return &d
}

// directionOf steps a case by an edit.
func directionOf(at Case, step float64, edit func(*Case, float64)) Direction {
	move := func(x float64) Case {
		env := at.Environment.Clone()
		c := at
		c.Environment = &env
		c.Array.Depths = append([]float64(nil), at.Array.Depths...)
		edit(&c, x)
		return c
	}
	return Direction{Plus: move(step), Minus: move(-step), Step: step}
}

type edit struct {
	name  string
	step  float64 // of the Direction
	wide  float64 // of the finite difference of whole solves
	apply func(*Case, float64)
}

func edits() []edit {
	return []edit{
		{"water depth", 1e-4, 2e-3, func(c *Case, x float64) {
			w := &c.Environment.Water
			n := len(w.Profile.Depth)
			w.Depth += x
			w.Profile.Depth[n-1] += x
		}},
		{"sediment top speed", 1e-3, 2e-2, func(c *Case, x float64) { c.Environment.Layers[0].Knots[0].SoundSpeed += x }},
		{"sediment thickness", 1e-5, 1e-3, func(c *Case, x float64) {
			c.Environment.Layers[0].Thickness += x
			c.Environment.Layers[0].Knots[1].Depth += x
		}},
		{"sediment density", 1e-3, 2e-1, func(c *Case, x float64) {
			for i := range c.Environment.Layers[0].Knots {
				c.Environment.Layers[0].Knots[i].Density += x
			}
		}},
		{"sediment attenuation", 1e-6, 1e-4, func(c *Case, x float64) {
			for i := range c.Environment.Layers[0].Knots {
				c.Environment.Layers[0].Knots[i].Attenuation.Value += x
			}
		}},
		{"profile offset", 1e-3, 2e-3, func(c *Case, x float64) {
			for i := range c.Environment.Water.Profile.Speed {
				c.Environment.Water.Profile.Speed[i] += x
			}
		}},
		{"one knot", 1e-3, 2e-2, func(c *Case, x float64) { c.Environment.Water.Profile.Speed[10] += x }},
		{"source depth", 1e-4, 1e-3, func(c *Case, x float64) { c.Source.Depth += x }},
		{"range", 1e-3, 1e-3, func(c *Case, x float64) { c.Array.Range += x }},
		{"tilt", 1e-5, 1e-3, func(c *Case, x float64) { c.Array.Tilt += x }},
		{"roughness", 1e-6, 1e-3, func(c *Case, x float64) { c.Environment.Water.BottomRoughness += x }},
		{"half-space speed", 1e-3, 1e-1, func(c *Case, x float64) { c.Environment.Bottom.Material.SoundSpeed += x }},
		{"half-space density", 1e-3, 1e-1, func(c *Case, x float64) { c.Environment.Bottom.Material.Density += x }},
		{"half-space attenuation", 1e-6, 1e-4, func(c *Case, x float64) { c.Environment.Bottom.Material.Attenuation.Value += x }},
	}
}

// Every derivative agrees with a fourth-order finite difference of whole solves.
func TestJacobian(t *testing.T) {
	cases := krakenCases(t)
	for _, name := range []string{"swellex_nominal_148hz", "two_sediments_100m_150hz", "interp_S_100m_150hz", "pekeris_lossy_100m_150hz", "rough_bottom_100m_150hz"} {
		c := cases[name]
		at := Case{&c.Environment, acoustics.Source{Depth: 36}, acoustics.ReceiverArray{Depths: []float64{20, 55.5, 90}, Range: 2000, Tilt: 1}}
		for _, e := range edits() {
			if len(at.Environment.Layers) == 0 && len(e.name) > 8 && e.name[:8] == "sediment" || e.name == "roughness" && at.Environment.Water.BottomRoughness == 0 || e.name == "one knot" && len(at.Environment.Water.Profile.Speed) < 11 {
				continue
			}
			t.Run(name+"/"+e.name, func(t *testing.T) { checkDerivative(t, c, at, e) })
		}
	}
}

func checkDerivative(t *testing.T, c *krakenCase, at Case, e edit) {
	o := c.options()
	o.Tolerance = 1e-12
	solver, err := NewSolver(o)
	if err != nil {
		t.Fatal(err)
	}
	n := len(at.Array.Depths)
	field := func(x float64) []complex128 {
		d := directionOf(at, x, e.apply)
		m, err := solver.Solve(d.Plus.Environment, c.Frequency)
		if err != nil {
			t.Fatal(err)
		}
		m.settle() // so that differences have digits left
		return m.Pressure(make([]complex128, n), d.Plus.Source, d.Plus.Array)
	}
	a, b, p, q := field(-2*e.wide), field(-e.wide), field(e.wide), field(2*e.wide)
	jac, here := make([]complex128, n), make([]complex128, n)
	if _, err := solver.Jacobian(here, jac, directionsOf(t, at, directionOf(at, e.step, e.apply)), c.Frequency); err != nil {
		t.Fatal(err)
	}
	var worst, size float64
	for i := range n {
		want := (8*(p[i]-b[i]) - (q[i] - a[i])) / complex(12*e.wide, 0)
		worst = max(worst, cmplx.Abs(jac[i]-want))
		size = max(size, cmplx.Abs(want))
	}
	// A derivative far below what a unit of rounding in p makes of the difference
	// cannot be resolved by differences.
	floor := 1e-13 * cmplx.Abs(here[0]) / e.wide
	t.Logf("relative difference %.1e (size %.1e, floor %.1e)", worst/size, size, floor)
	if !(worst <= 1e-6*size+floor) {
		t.Errorf("derivative differs from finite differences by %.2e of %.2e: %v", worst, size, jac)
	}
}

// The pressure's derivative by each of 40 knots of sound speed, beside a sediment's,
// is that of whole solves to 1e-6.
func TestJacobianByKnots(t *testing.T) {
	const knots = 40
	for _, kind := range []acoustics.Interpolation{acoustics.CLinear, acoustics.N2Linear} {
		c := *krakenCases(t)["swellex_nominal_148hz"]
		c.Environment = c.Environment.Clone()
		fineProfile(&c.Environment, knots).Interpolation = kind
		at := Case{&c.Environment, acoustics.Source{Depth: 60}, acoustics.ReceiverArray{Depths: []float64{20, 94.125, 116.62}, Range: 3000, Tilt: 1}}
		for i := range knots {
			e := edit{"", 1e-3, 2e-2, func(c *Case, x float64) { c.Environment.Water.Profile.Speed[i] += x }}
			t.Run(string(kind), func(t *testing.T) { checkDerivative(t, &c, at, e) })
		}
	}
}
