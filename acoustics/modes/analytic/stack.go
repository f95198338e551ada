package analytic

import (
	"math"

	"oceaninv/acoustics"
)

// stack is an ocean at one frequency, in the solver's units: densities relative
// to 1000 kg/m³, speeds complex.
type stack struct {
	omega  float64
	kappa  float64 // reference wavenumber that scales stresses and displacements
	layers []slab
	top    end
	bottom end
	water  int // index of the water column
}

// slab is one layer between interfaces.
type slab struct {
	top, thickness float64
	elastic        bool
	cells          []cell
	counts         []int // cells of each segment
	segments       []segment
}

// segment is a stretch of a slab over which the material runs smoothly.
type segment struct {
	thickness  float64
	uniform    bool
	at         func(z float64) wave // z from the segment's top
	wavenumber float64              // largest, rad/m
	k2         [2]complex128        // squared wavenumbers of P and S in the middle
}

// wave is the material at one depth: squared wavenumbers and relative density.
type wave struct {
	kp2, ks2 complex128 // ks2 is 0 in fluids
	density  float64
}

// end closes the stack.
type end struct {
	kind    acoustics.BoundaryKind
	wave    wave
	elastic bool
	table   *table // of a Reflection
}

const referenceDensity = 1000 // kg/m³

// mesh says how finely gradients are cut: refine multiplies the smallest number of
// cells; phase, where not 0, bounds the phase (rad) that any wave turns in a cell.
type mesh struct {
	refine int
	phase  float64
}

// newStack prepares an environment at angular frequency omega.
func newStack(env *acoustics.Environment, omega float64, fine mesh) (*stack, error) {
	s := &stack{omega: omega, kappa: omega / 1500, water: len(env.Cover)}
	z := 0.0
	add := func(b slab) {
		b.top = z
		z += b.thickness
		b.cut(fine)
		s.layers = append(s.layers, b)
	}
	m := mediumReader{omega: omega, volume: env.Water.VolumeAttenuation}
	for _, l := range env.Cover {
		b, err := m.layer(l, false)
		if err != nil {
			return nil, err
		}
		add(b)
	}
	b, err := m.layer(waterLayer(&env.Water), true)
	if err != nil {
		return nil, err
	}
	add(b)
	for _, l := range env.Layers {
		b, err := m.layer(l, false)
		if err != nil {
			return nil, err
		}
		add(b)
	}
	s.top, s.bottom = m.end(env.Surface), m.end(env.Bottom)
	return s, s.addTables(env)
}

// waterLayer is the water column as a layer.
func waterLayer(w *acoustics.Water) acoustics.Layer {
	l := acoustics.Layer{Thickness: w.Depth, Interpolation: w.Profile.Interpolation}
	for i, z := range w.Profile.Depth {
		m := acoustics.Material{SoundSpeed: w.Profile.Speed[i], Density: w.Density, Attenuation: w.Attenuation}
		l.Knots = append(l.Knots, acoustics.Knot{Depth: z, Material: m})
	}
	return l
}

// cellTolerance is the relative error of a fluid cell in q that the coarsest mesh
// may have.
const cellTolerance = 1e-9

// cut divides the slab's segments into cells. A uniform segment is one exact cell,
// a gradient in a fluid has as many as its propagator needs and one in a solid so
// many that its phase per cell is small.
func (b *slab) cut(fine mesh) {
	for _, s := range b.segments {
		n := 1
		switch {
		case s.uniform:
		case b.elastic:
			n = fine.refine * max(2, int(math.Ceil(s.wavenumber*s.thickness)))
		default:
			n = fine.refine * s.fluidCells()
		}
		if fine.phase > 0 {
			n = max(n, int(math.Ceil(s.wavenumber*s.thickness/fine.phase)))
		}
		b.divide(s, n)
	}
}

// divide appends n even cells of a segment.
func (b *slab) divide(s segment, n int) {
	h := s.thickness / float64(n)
	for i := range n {
		b.cells = append(b.cells, b.cell(s, float64(i)*h, h))
	}
	b.counts = append(b.counts, n)
}

// fluidCells is the smallest number of cells whose propagators are accurate enough.
func (s *segment) fluidCells() int {
	const most = 1 << 14
	for n := 1; n < most; n += (n + 2) / 3 {
		if s.neglected(n) <= cellTolerance {
			return n
		}
	}
	return most
}

// neglected is the largest error of n cells.
func (s *segment) neglected(n int) (worst float64) {
	var p propagator
	h := s.thickness / float64(n)
	for i := 0; i < n && worst <= cellTolerance; i++ {
		p.set(*s, float64(i)*h, h)
		worst = max(worst, p.neglected)
	}
	return worst
}

// locate finds the cell that holds z (m below the slab's top), its segment and
// the tops of both.
func (b *slab) locate(z float64) (index, segment int, top, segmentTop float64) {
	for i, n := range b.counts {
		h := b.segments[i].thickness / float64(n)
		if z <= segmentTop+b.segments[i].thickness || i == len(b.counts)-1 {
			j := min(max(int((z-segmentTop)/h), 0), n-1)
			return index + j, i, segmentTop + float64(j)*h, segmentTop
		}
		index += n
		segmentTop += b.segments[i].thickness
	}
	panic("modes: a layer without segments")
}

// recut divides every slab as another stack of the same ocean is divided.
func (s *stack) recut(like *stack) {
	for i := range s.layers {
		b := &s.layers[i]
		b.cells, b.counts = b.cells[:0], nil
		for j, n := range like.layers[i].counts {
			b.divide(b.segments[j], n)
		}
	}
}

// cell is a step in depth: its thickness, and what carries solutions over it.
type cell struct {
	h       float64
	uniform bool
	fluid   propagator
	a, b    wave // of a solid, at the two Gauss points of the Magnus method
}

// cell is the stretch of a segment from z over h.
func (b *slab) cell(s segment, z, h float64) cell {
	c := cell{h: h, uniform: s.uniform}
	switch {
	case !b.elastic:
		c.fluid.set(s, z, h)
	case s.uniform:
		c.a = s.at(0)
		c.b = c.a
	default:
		g := math.Sqrt(3) / 6
		c.a, c.b = s.at(z+h*(0.5-g)), s.at(z+h*(0.5+g))
	}
	return c
}
