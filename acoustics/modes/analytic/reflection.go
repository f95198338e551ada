package analytic

import (
	"fmt"
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// table is a tabulated reflection coefficient continued to complex angles by a
// rational function of sin θ. R has the phase of the time factor exp(+iωt): at
// grazing incidence on a penetrable bottom it is +180° and falls.
type table struct {
	rational
	grazing complex128 // R at the smallest angle
	toZero  bool       // that angle is 0
	k2      complex128 // squared wavenumber of the medium in front
	density float64
}

func newTable(list []acoustics.ReflectionCoefficient, front wave) (*table, error) {
	var s []float64
	var r []complex128
	for _, c := range list {
		if c.GrazingAngle >= 0 && c.GrazingAngle <= 90 {
			s = append(s, math.Sin(c.GrazingAngle*math.Pi/180))
			r = append(r, cmplx.Rect(c.Magnitude, c.Phase*math.Pi/180))
		}
	}
	if len(s) < 2 {
		return nil, fmt.Errorf("a table needs at least two angles from 0° to 90°, not %d", len(s))
	}
	t := &table{grazing: r[0], toZero: s[0] == 0, k2: front.kp2, density: front.density}
	return t, t.fit(s, r)
}

// start is the solution in front of the table, both parts multiplied by the
// interpolant's denominator and by Π(s-s_j), which makes them analytic:
// p = 1+R, w = ∓ik_z(1-R)/ρ. Where the wave in front is evanescent the table says
// nothing; R at grazing incidence holds.
func (t *table) start(x complex128, evanescent, down bool) fluidState {
	kz := cmplx.Sqrt(t.k2 - x)
	var denominator, numerator complex128 = 1, t.grazing
	scale := 0.0
	if evanescent {
		kz = -1i * cmplx.Sqrt(x-t.k2)
	} else {
		denominator, numerator, scale = t.parts(kz / cmplx.Sqrt(t.k2))
	}
	p, w := denominator+numerator, -1i*kz*(denominator-numerator)/complex(t.density, 0)
	if cmplx.Abs(1+t.grazing) < 1e-9 && t.toZero {
		// R(0) = -1: both vanish with k_z, which is no mode.
		small := math.Sqrt(cmplx.Abs(t.k2)) * 1e-7
		switch {
		case evanescent:
			p, kz = 0, 1
		case cmplx.Abs(kz) < small:
			denominator, numerator, scale = t.parts(1e-7)
			p, kz = denominator+numerator, complex(small, 0)
		}
		p, w = p/kz, -1i*(denominator-numerator)/complex(t.density, 0)
	}
	if down {
		w = -w
	}
	return fluidState{p: p, w: w, scale: scale}
}

// addTables gives ends their tables.
func (s *stack) addTables(env *acoustics.Environment) error {
	ends := []struct {
		e     *end
		b     acoustics.Boundary
		layer int
		lower bool
		path  string
	}{{&s.top, env.Surface, 0, false, "surface"}, {&s.bottom, env.Bottom, len(s.layers) - 1, true, "bottom"}}
	for _, x := range ends {
		if x.b.Kind != acoustics.Reflection && x.b.Kind != acoustics.Impedance {
			continue
		}
		l := &s.layers[x.layer]
		if l.elastic {
			return modes.ErrUnsupported{Path: x.path + ".kind", What: "a tabulated reflection coefficient or impedance must border on a fluid"}
		}
		if x.b.Kind == acoustics.Impedance {
			if err := x.e.setImpedance(x.b.Impedance, x.path); err != nil {
				return err
			}
			continue
		}
		front := l.segments[0].at(0)
		if x.lower {
			last := &l.segments[len(l.segments)-1]
			front = last.at(last.thickness)
		}
		var err error
		if x.e.table, err = newTable(x.b.Reflections, front); err != nil {
			return modes.ErrUnsupported{Path: x.path + ".reflections", What: err.Error()}
		}
	}
	return nil
}
