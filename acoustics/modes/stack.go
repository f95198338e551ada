package modes

import (
	"math"

	"oceaninv/acoustics"
)

// piece is a stretch of depth between two knots on which the sound speed is
// smooth: complex speed a cubic in x = (z-top)/(bottom-top), or, with n2 set, its
// inverse square linear in x. A lossy medium has speed c + i α c²/ω (α in Np/m).
type piece struct {
	top, bottom float64
	n2          bool
	constant    bool
	lossy       bool
	coef        [4]complex128
}

// medium is a run of pieces of one density (g/cm³).
type medium struct {
	top, bottom float64
	density     float64
	roughness   float64 // rms, of the lower interface
	first, last int     // pieces[first:last]
	knot        int     // that the first piece begins at
}

// boundary closes the stack above or below.
type boundary struct {
	kind    acoustics.BoundaryKind
	k2      complex128 // squared wavenumber of a half-space
	density float64    // g/cm³
	// lossless is (ω/c)² with the real sound speed, which KRAKEN's group speed uses.
	lossless float64
}

// stack is an environment at one frequency, flattened to smooth pieces.
type stack struct {
	frequency, omega float64
	media            []medium
	pieces           []piece
	surface, bottom  boundary
	roughSurface     float64
	roughBottom      float64
	volume           float64 // absorption of sea water, Np/m

	x, re, im, slope, work []float64 // scratch of one medium's knots
	known                  *stack    // whose water to copy
}

// build flattens env at a frequency. The environment must be valid and fluid.
func (s *stack) build(env *acoustics.Environment, frequency float64) {
	s.frequency, s.omega = frequency, 2*math.Pi*frequency
	s.media, s.pieces = s.media[:0], s.pieces[:0]
	s.volume = env.Water.VolumeAttenuation.NepersPerMetre(frequency)
	s.surface = s.boundary(&env.Surface)
	s.bottom = s.boundary(&env.Bottom)
	s.roughSurface = env.Surface.Roughness
	s.roughBottom = env.Bottom.Roughness

	depth := 0.0
	for i := range env.Cover {
		depth = s.layer(depth, &env.Cover[i])
	}
	depth = s.water(depth, &env.Water)
	for i := range env.Layers {
		depth = s.layer(depth, &env.Layers[i])
	}
}

func (s *stack) boundary(b *acoustics.Boundary) boundary {
	if b.Kind != acoustics.Halfspace {
		return boundary{kind: b.Kind}
	}
	m := &b.Material
	c := s.complexSpeed(m.SoundSpeed, m.Attenuation)
	k := complex(s.omega, 0) / c
	k0 := s.omega / m.SoundSpeed
	return boundary{kind: b.Kind, k2: k * k, density: m.Density / 1000, lossless: k0 * k0}
}

// complexSpeed is c + i α c²/ω, whose ω/c is k - iα to first order: the Acoustics
// Toolbox's way to write absorption, kept to second order too. The absorption of
// sea water is added in every medium, as the Toolbox does: sediments are mostly
// water, and beside theirs it is negligible.
func (s *stack) complexSpeed(c float64, a acoustics.Attenuation) complex128 {
	alpha := a.NepersPerMetre(s.frequency, c) + s.volume
	return complex(c, alpha*c*c/s.omega)
}

func (s *stack) water(top float64, w *acoustics.Water) float64 {
	if s.known != nil {
		m := s.known.media[len(s.media)]
		first := len(s.pieces)
		s.pieces = append(s.pieces, s.known.pieces[m.first:m.last]...)
		m.first, m.last = first, len(s.pieces)
		m.density, m.roughness = w.Density/1000, w.BottomRoughness
		s.media = append(s.media, m)
		return top + w.Depth
	}
	s.startKnots()
	for i, z := range w.Profile.Depth {
		s.addKnot(z, s.complexSpeed(w.Profile.Speed[i], w.AttenuationAt(i)))
	}
	s.addMedium(top, w.Depth, w.Density/1000, w.BottomRoughness, w.Profile.Interpolation)
	return top + w.Depth
}

func (s *stack) layer(top float64, l *acoustics.Layer) float64 {
	s.startKnots()
	for i := range l.Knots {
		k := &l.Knots[i]
		s.addKnot(k.Depth, s.complexSpeed(k.SoundSpeed, k.Attenuation))
	}
	s.addMedium(top, l.Thickness, l.Knots[0].Density/1000, l.BottomRoughness, l.Interpolation)
	return top + l.Thickness
}

func (s *stack) startKnots() {
	s.x, s.re, s.im = s.x[:0], s.re[:0], s.im[:0]
}

func (s *stack) addKnot(x float64, c complex128) {
	s.x = append(s.x, x)
	s.re = append(s.re, real(c))
	s.im = append(s.im, imag(c))
}

// addMedium appends the medium whose knots have been added: its pieces between 0
// and thickness, moved to start at depth top.
func (s *stack) addMedium(top, thickness, density, roughness float64, kind acoustics.Interpolation) {
	first, knot := len(s.pieces), 0
	n := len(s.x)
	for knot+2 < n && s.x[knot+1] <= 0 {
		knot++
	}
	if n == 1 {
		c := complex(s.re[0], s.im[0])
		s.pieces = append(s.pieces, piece{top: top, bottom: top + thickness, constant: true, lossy: s.im[0] != 0, coef: [4]complex128{c}})
	} else {
		s.betweenKnots(top, thickness, kind)
	}
	s.media = append(s.media, medium{top, top + thickness, density, roughness, first, len(s.pieces), knot})
}

// betweenKnots appends the pieces between the knots, cut to [0, thickness].
func (s *stack) betweenKnots(top, thickness float64, kind acoustics.Interpolation) {
	n := len(s.x)
	cubic := kind == acoustics.PCHIP || kind == acoustics.Spline
	var slopeRe, slopeIm []float64
	if cubic {
		s.slope, s.work = grow(s.slope, 2*n), grow(s.work, n)
		slopeRe, slopeIm = s.slope[:n], s.slope[n:2*n]
		acoustics.Slopes(kind, s.x, s.re, slopeRe, s.work[:n])
		acoustics.Slopes(kind, s.x, s.im, slopeIm, s.work[:n])
	}
	for i := 0; i+1 < n; i++ {
		z0, z1 := s.x[i], s.x[i+1]
		if z1 <= 0 || z0 >= thickness*(1-1e-12) {
			continue
		}
		a, b := complex(s.re[i], s.im[i]), complex(s.re[i+1], s.im[i+1])
		p := piece{top: top + z0, bottom: top + z1, constant: a == b && !cubic, lossy: imag(a) != 0 || imag(b) != 0}
		switch {
		case kind == acoustics.N2Linear:
			p.n2 = true
			p.coef = [4]complex128{1 / (a * a), 1/(b*b) - 1/(a*a)}
		case cubic:
			h := complex(z1-z0, 0)
			da, db := h*complex(slopeRe[i], slopeIm[i]), h*complex(slopeRe[i+1], slopeIm[i+1])
			p.coef = [4]complex128{a, da, 3*(b-a) - 2*da - db, da + db - 2*(b-a)}
			p.constant = a == b && da == 0 && db == 0
		default:
			p.coef = [4]complex128{a, b - a}
		}
		p.cut(top, top+thickness)
		if i+2 == n {
			p.reach(top + thickness)
		}
		s.pieces = append(s.pieces, p)
	}
}

// cut moves the piece's ends inside [top, bottom].
func (p *piece) cut(top, bottom float64) {
	if p.top < top || p.bottom > bottom {
		h := p.bottom - p.top
		p.rescale((math.Max(p.top, top)-p.top)/h, (math.Min(p.bottom, bottom)-p.top)/h)
		p.top, p.bottom = math.Max(p.top, top), math.Min(p.bottom, bottom)
	}
}

// reach lets the last piece end exactly where its medium ends, which rounding of
// the knots' depths may have missed.
func (p *piece) reach(bottom float64) {
	if p.bottom != bottom {
		p.rescale(0, (bottom-p.top)/(p.bottom-p.top))
		p.bottom = bottom
	}
}

// rescale makes x run over what was [a, b].
func (p *piece) rescale(a, b float64) {
	if a == 0 && b == 1 {
		return
	}
	x, w := complex(a, 0), complex(b-a, 0)
	c := p.coef
	p.coef[0] = c[0] + x*(c[1]+x*(c[2]+x*c[3]))
	p.coef[1] = w * (c[1] + x*(2*c[2]+x*3*c[3]))
	p.coef[2] = w * w * (c[2] + 3*x*c[3])
	p.coef[3] = w * w * w * c[3]
}

// slowness2 returns 1/c² at a depth.
func (p *piece) slowness2(z float64) complex128 {
	x := (z - p.top) / (p.bottom - p.top)
	if p.n2 {
		return p.coef[0] + complex(x, 0)*p.coef[1]
	}
	w := complex(x, 0)
	c := p.coef[0] + w*(p.coef[1]+w*(p.coef[2]+w*p.coef[3]))
	return 1 / (c * c)
}

// real2 returns Re 1/c² of a lossless piece at a depth.
func (p *piece) real2(z float64) float64 {
	x := (z - p.top) / (p.bottom - p.top)
	if p.n2 {
		return real(p.coef[0]) + x*real(p.coef[1])
	}
	c := real(p.coef[0]) + x*(real(p.coef[1])+x*(real(p.coef[2])+x*real(p.coef[3])))
	return 1 / (c * c)
}

// extremes returns the smallest and largest Re 1/c² of the piece on [a, b]. A
// cubic is sampled: the cells' error control needs no more.
func (p *piece) extremes(a, b float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	steps := 1
	if p.coef[2] != 0 || p.coef[3] != 0 {
		steps = 8
	}
	for i := 0; i <= steps; i++ {
		z := a + (b-a)*float64(i)/float64(steps)
		v := 0.0
		if p.lossy {
			v = real(p.slowness2(z))
		} else {
			v = p.real2(z)
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// grow returns a slice of length n, with s's memory if it is large enough. Its
// values are arbitrary.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
