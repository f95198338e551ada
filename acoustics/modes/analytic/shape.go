package analytic

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// Shapes returns the modes' pressures at the depths (m below the surface),
// [mode][depth], with ∫ φ²/ρ dz = 1 over the ocean and its half-spaces, ρ in g/cm³:
// KRAKENC's normalization. In solids it is minus the normal stress.
func (m *Modes) Shapes(depths []float64) [][]complex128 {
	stations := make([]station, len(depths))
	for d, z := range depths {
		stations[d] = m.mesh.station(z)
	}
	phi := make([][]complex128, len(m.traces))
	for i := range m.traces {
		phi[i] = make([]complex128, len(depths))
		for d := range stations {
			phi[i][d] = m.traces[i].pressure(m.mesh, &stations[d])
		}
	}
	return phi
}

// station is a depth at which shapes are wanted: a distance above or below the
// stack, or a part of a cell.
type station struct {
	above, below float64
	layer, index int
	part         cell // from the cell's upper end to the depth
}

func (s *stack) station(z float64) station {
	if z < 0 {
		return station{above: -z}
	}
	if z > s.depth() {
		return station{below: z - s.depth()}
	}
	i := 0
	for i < len(s.layers)-1 && z > s.layers[i].top+s.layers[i].thickness {
		i++
	}
	b := &s.layers[i]
	j, segment, top, segmentTop := b.locate(z - b.top)
	at := station{layer: i, index: j}
	if h := z - b.top - top; h > 0 {
		at.part = b.cell(b.segments[segment], top-segmentTop, h)
	}
	return at
}

// pressure evaluates the shape at a depth.
func (t *trace) pressure(s *stack, at *station) complex128 {
	switch {
	case at.above > 0:
		return s.top.decay(t.states[0][0], t.x, s.kappa, t.sh.topP, t.sh.topS, at.above, -1)
	case at.below > 0:
		last := t.states[len(s.layers)-1]
		return s.bottom.decay(last[len(last)-1], t.x, s.kappa, t.sh.bottomP, t.sh.bottomS, at.below, 1)
	}
	m := t.states[at.layer][at.index]
	if s.layers[at.layer].elastic {
		if at.part.h > 0 {
			m.crossElastic(&at.part, cmplx.Sqrt(t.x), t.x, s.kappa, false)
		}
		return -m.r[3]
	}
	f := fluidState{p: m.p, w: m.w}
	f.crossFluid(&at.part, t.x, false)
	return f.p * complex(math.Exp(f.scale), 0)
}

// decay continues a shape into a half-space, by a distance from the interface.
func (e *end) decay(m motion, x complex128, kappa float64, leakyP, leakyS bool, distance, sign float64) complex128 {
	if e.kind != acoustics.Halfspace {
		return 0
	}
	fall := func(gamma complex128) complex128 { return cmplx.Exp(-gamma * complex(distance, 0)) }
	gp := vertical(x, e.wave.kp2, leakyP)
	if !e.elastic {
		return m.p * fall(gp)
	}
	// Normal displacement and shear stress fix the two waves; τ = 0 below a fluid.
	k, gs := cmplx.Sqrt(x), vertical(x, e.wave.ks2, leakyS)
	rk := complex(e.wave.density*kappa, 0)
	normal := rk * (1 - 2*x/e.wave.ks2)
	sg := complex(sign, 0)
	uz, tau := m.w/complex(kappa, 0), complex128(0)
	if m.r != ([4]complex128{}) {
		uz, tau = m.r[1], m.r[2]
	}
	p1, p2 := sg*gp, -2*sg*gp*k*rk/e.wave.ks2
	s1, s2 := k, normal
	det := p1*s2 - s1*p2
	a, b := (uz*s2-tau*s1)/det, (p1*tau-p2*uz)/det
	return -(a*normal*fall(gp) - b*2*sg*gs*k*rk/e.wave.ks2*fall(gs))
}
