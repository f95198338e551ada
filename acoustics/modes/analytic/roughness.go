package analytic

import (
	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// scatter adds the loss of coherent energy at rough interfaces to the modes. A
// solid scatters like a fluid of its density and compressional speed, as in
// KRAKENC.
func (m *Modes) scatter(env *acoustics.Environment) {
	s := m.stack
	sigma := roughnesses(env)
	for i := range m.K {
		t := &m.traces[i]
		var change complex128
		for j, rms := range sigma {
			if rms == 0 || j == 0 && s.top.table != nil || j == len(s.layers) && (s.bottom.table != nil || s.bottom.impedance != nil) {
				continue
			}
			at := t.interfaceState(s, j)
			change += modes.KupermanIngenito(rms, t.x, s.side(j-1, true), s.side(j, false), at.p, at.w)
		}
		if change != 0 {
			m.K[i] = outgoing(m.K[i]*m.K[i] + change)
		}
	}
}

// roughnesses are the rms roughnesses of the interfaces, the surface first.
func roughnesses(env *acoustics.Environment) []float64 {
	sigma := []float64{env.Surface.Roughness}
	for _, l := range env.Cover {
		sigma = append(sigma, l.BottomRoughness)
	}
	sigma = append(sigma, env.Water.BottomRoughness)
	for _, l := range env.Layers {
		sigma = append(sigma, l.BottomRoughness)
	}
	if last := &sigma[len(sigma)-1]; *last == 0 {
		*last = env.Bottom.Roughness
	}
	return sigma
}

// side is the medium beside interface i, its lower end or its upper; -1 and the
// number of layers are the ends of the stack.
func (s *stack) side(i int, lower bool) modes.Side {
	var e *end
	switch {
	case i < 0:
		e = &s.top
	case i == len(s.layers):
		e = &s.bottom
	default:
		segments := s.layers[i].segments
		w := segments[0].at(0)
		if lower {
			last := &segments[len(segments)-1]
			w = last.at(last.thickness)
		}
		return modes.Side{K2: w.kp2, Density: w.density}
	}
	switch e.kind {
	case acoustics.PressureRelease: // a very light medium
		return modes.Side{K2: 1, Density: 1e-9}
	case acoustics.Rigid: // a very dense one
		return modes.Side{K2: 1, Density: 1e9}
	}
	return modes.Side{K2: e.wave.kp2, Density: e.wave.density}
}

// interfaceState is the mode's pressure and derivative at interface i, taken from
// the fluid side where there is one.
func (t *trace) interfaceState(s *stack, i int) motion {
	if i > 0 && (i == len(s.layers) || s.layers[i].elastic) {
		states := t.states[i-1]
		return states[len(states)-1].fluid(s.layers[i-1].elastic, s.kappa)
	}
	return t.states[i][0].fluid(s.layers[i].elastic, s.kappa)
}

// fluid is a state as pressure and (1/ρ)dp/dz.
func (m motion) fluid(elastic bool, kappa float64) motion {
	if !elastic {
		return m
	}
	return motion{p: -m.r[3], w: complex(kappa, 0) * m.r[1]}
}
