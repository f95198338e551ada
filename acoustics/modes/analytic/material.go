package analytic

import (
	"fmt"
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// mediumReader turns materials into complex wavenumbers at one frequency.
type mediumReader struct {
	omega  float64
	volume acoustics.VolumeAttenuation
}

// speeds are the complex speeds (m/s) and relative density of a material.
type speeds struct {
	p, s    complex128
	density float64
}

func (m *mediumReader) speeds(x acoustics.Material, water bool) speeds {
	f := m.omega / (2 * math.Pi)
	s := speeds{p: x.ComplexSoundSpeed(f), s: x.ComplexShearSpeed(f), density: x.Density / referenceDensity}
	if water {
		s.p += complex(0, m.volume.NepersPerMetre(f)*x.SoundSpeed*x.SoundSpeed/m.omega)
	}
	return s
}

// wave is the squared wavenumbers of speeds.
func (m *mediumReader) wave(s speeds) wave {
	w2 := complex(m.omega*m.omega, 0)
	w := wave{kp2: w2 / (s.p * s.p), density: s.density}
	if s.s != 0 {
		w.ks2 = w2 / (s.s * s.s)
	}
	return w
}

// layer makes a slab of a layer, of the knots' profile what lies inside it.
func (m *mediumReader) layer(l acoustics.Layer, water bool) (slab, error) {
	b := slab{thickness: l.Thickness, elastic: l.Knots[0].ShearSpeed > 0}
	values := make([]speeds, len(l.Knots))
	for i, k := range l.Knots {
		if (k.ShearSpeed > 0) != b.elastic {
			return b, fmt.Errorf("modes: layer %q is fluid at one depth and elastic at another: make two layers of it", l.Name)
		}
		values[i] = m.speeds(k.Material, water)
	}
	if len(values) == 1 {
		b.segments = []segment{m.segment(l.Thickness, true, func(float64) speeds { return values[0] })}
		return b, nil
	}
	slopeP, slopeS := slopes(l, values, func(v speeds) complex128 { return v.p }), slopes(l, values, func(v speeds) complex128 { return v.s })
	for i := range len(values) - 1 {
		if l.Knots[i].Depth >= l.Thickness {
			break
		}
		h := l.Knots[i+1].Depth - l.Knots[i].Depth
		a, b2 := values[i], values[i+1]
		flat := a == b2 && (slopeP == nil || slopeP[i] == 0 && slopeP[i+1] == 0 && slopeS[i] == 0 && slopeS[i+1] == 0)
		at := func(z float64) speeds {
			t := z / h
			v := speeds{density: a.density + t*(b2.density-a.density)}
			if slopeP != nil {
				v.p = hermite(a.p, b2.p, slopeP[i], slopeP[i+1], h, t)
				v.s = hermite(a.s, b2.s, slopeS[i], slopeS[i+1], h, t)
				return v
			}
			v.p, v.s = between(a.p, b2.p, t, l.Interpolation), between(a.s, b2.s, t, l.Interpolation)
			return v
		}
		top, bottom := max(0, -l.Knots[i].Depth), min(h, l.Thickness-l.Knots[i].Depth)
		if i == len(values)-2 {
			bottom = l.Thickness - l.Knots[i].Depth // rounding of the knots apart
		}
		if bottom-top > 1e-12*l.Thickness {
			b.segments = append(b.segments, m.segment(bottom-top, flat, func(z float64) speeds { return at(top + z) }))
		}
	}
	return b, nil
}

// segment wraps a function of speeds as one of wavenumbers.
func (m *mediumReader) segment(h float64, uniform bool, at func(float64) speeds) segment {
	s := segment{thickness: h, uniform: uniform, at: func(z float64) wave { return m.wave(at(z)) }}
	for _, z := range []float64{0, h / 2, h} {
		w := s.at(z)
		s.wavenumber = max(s.wavenumber, math.Sqrt(max(real(w.kp2), real(w.ks2))))
	}
	mid := s.at(h / 2)
	s.k2 = [2]complex128{mid.kp2, mid.ks2}
	for i := range s.k2 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, z := range []float64{0, h / 2, h} {
			w := s.at(z)
			re := real([2]complex128{w.kp2, w.ks2}[i])
			low, high = min(low, re), max(high, re)
		}
		s.span[i] = [2]float64{low, high}
	}
	return s
}

// between interpolates linearly in c, or in 1/c².
func between(a, b complex128, t float64, kind acoustics.Interpolation) complex128 {
	u := complex(t, 0)
	if kind == acoustics.N2Linear && a != 0 {
		return 1 / cmplx.Sqrt((1-u)/(a*a)+u/(b*b))
	}
	return (1-u)*a + u*b
}

// slopes are the knots' derivatives of a smooth interpolation, real and imaginary
// parts by themselves; nil for piecewise-linear rules.
func slopes(l acoustics.Layer, values []speeds, pick func(speeds) complex128) []complex128 {
	if l.Interpolation != acoustics.PCHIP && l.Interpolation != acoustics.Spline {
		return nil
	}
	n := len(values)
	x, y := make([]float64, n), make([]float64, n)
	re, im, work := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, k := range l.Knots {
		x[i], y[i] = k.Depth, real(pick(values[i]))
	}
	acoustics.Slopes(l.Interpolation, x, y, re, work)
	for i := range y {
		y[i] = imag(pick(values[i]))
	}
	acoustics.Slopes(l.Interpolation, x, y, im, work)
	out := make([]complex128, n)
	for i := range out {
		out[i] = complex(re[i], im[i])
	}
	return out
}

func hermite(a, b, da, db complex128, h, t float64) complex128 {
	re := acoustics.Hermite(real(a), real(b), real(da)*h, real(db)*h, t)
	return complex(re, acoustics.Hermite(imag(a), imag(b), imag(da)*h, imag(db)*h, t))
}

// end turns a boundary into the stack's end.
func (m *mediumReader) end(b acoustics.Boundary) end {
	e := end{kind: b.Kind}
	if b.Kind == acoustics.Halfspace {
		v := m.speeds(b.Material, false)
		e.wave, e.elastic = m.wave(v), v.s != 0
	}
	return e
}
