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

// newStack prepares an environment at angular frequency omega. refine multiplies
// the number of cells of gradients.
func newStack(env *acoustics.Environment, omega float64, refine int) (*stack, error) {
	s := &stack{omega: omega, kappa: omega / 1500, water: len(env.Cover)}
	z := 0.0
	add := func(b slab) {
		b.top = z
		z += b.thickness
		b.cut(refine)
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

// cut divides the slab's segments into cells. A uniform fluid segment is one
// exact cell, or several of the same where shapes are wanted (refine > 1); a
// uniform elastic one is cut so that the exponential's series converges quickly, a
// gradient so that its phase per cell is small.
func (b *slab) cut(refine int) {
	for _, s := range b.segments {
		phase := s.wavenumber * s.thickness
		n := 1
		switch {
		case b.elastic && s.uniform:
			n = max(1, int(math.Ceil(phase)))
		case s.uniform && refine > 1:
			n = 1 + int(math.Ceil(phase/1.5))
		case !s.uniform:
			n = refine * max(2, int(math.Ceil(phase)))
		}
		h := s.thickness / float64(n)
		for i := range n {
			b.cells = append(b.cells, newCell(s, float64(i)*h, h))
		}
		b.counts = append(b.counts, n)
	}
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
		b.cells, b.counts = b.cells[:0], like.layers[i].counts
		for j, n := range b.counts {
			h := b.segments[j].thickness / float64(n)
			for c := range n {
				b.cells = append(b.cells, newCell(b.segments[j], float64(c)*h, h))
			}
		}
	}
}

// cell is a step of the Magnus method: thickness and material at its two Gauss
// points.
type cell struct {
	h       float64
	uniform bool
	a, b    wave
}

func newCell(s segment, z, h float64) cell {
	if s.uniform {
		w := s.at(0)
		return cell{h, true, w, w}
	}
	g := math.Sqrt(3) / 6
	return cell{h, false, s.at(z + h*(0.5-g)), s.at(z + h*(0.5+g))}
}
