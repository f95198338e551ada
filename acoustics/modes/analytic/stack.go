package analytic

import "oceaninv/acoustics"

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
	span       [2][2]float64        // smallest and largest real parts of them
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

	impedance *impedance // of an Impedance
}

const referenceDensity = 1000 // kg/m³

// newStack prepares an environment at angular frequency omega, without cells.
func newStack(env *acoustics.Environment, omega float64) (*stack, error) {
	s := &stack{omega: omega, kappa: omega / 1500, water: len(env.Cover)}
	z := 0.0
	add := func(b slab) {
		b.top = z
		z += b.thickness
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
		m := acoustics.Material{SoundSpeed: w.Profile.Speed[i], Density: w.Density, Attenuation: w.AttenuationAt(i)}
		l.Knots = append(l.Knots, acoustics.Knot{Depth: z, Material: m})
	}
	return l
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
