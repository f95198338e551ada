package analytic

import (
	"math/cmplx"

	"oceaninv/acoustics"
)

// vertical is γ of exp(-γz) in a half-space: √(x-k²) right of the cut, i√(k²-x)
// left of it, where the wave radiates downward.
func vertical(x, k2 complex128, leaky bool) complex128 {
	if leaky {
		return 1i * cmplx.Sqrt(k2-x)
	}
	return cmplx.Sqrt(x - k2)
}

// state is a solution on its way: fluid or elastic.
type state struct {
	fluid   fluidState
	minors  minors
	elastic bool
}

// start is the solution that satisfies an end's condition. At the top (down
// true) the half-space's waves decay upward, which turns the sign of u_x-like
// against u_z-like components.
func (e *end) start(k, x complex128, kappa float64, leakyP, leakyS, down bool, intoElastic bool) state {
	sign := complex128(1)
	if down {
		sign = -1
	}
	switch e.kind {
	case acoustics.PressureRelease:
		if intoElastic { // no stress: u_x, u_z free
			return state{elastic: true, minors: minors{m: [6]complex128{1}}}
		}
		return state{fluid: fluidState{p: 0, w: 1}}
	case acoustics.Rigid:
		if intoElastic { // no displacement: stresses free
			return state{elastic: true, minors: minors{m: [6]complex128{5: 1}}}
		}
		return state{fluid: fluidState{p: 1, w: 0}}
	}
	if e.impedance != nil {
		return state{fluid: e.impedance.start(x)}
	}
	if e.table != nil {
		return state{fluid: e.table.start(x, !leakyP, down)}
	}
	gp := sign * vertical(x, e.wave.kp2, leakyP)
	if !e.elastic {
		return state{fluid: fluidState{p: 1, w: -gp / complex(e.wave.density, 0)}}
	}
	gs := sign * vertical(x, e.wave.ks2, leakyS)
	rk := complex(e.wave.density*kappa, 0)
	normal := rk * (1 - 2*x/e.wave.ks2)
	p := [4]complex128{k, gp, -2 * gp * k * rk / e.wave.ks2, normal}
	s := [4]complex128{gs, k, normal, -2 * gs * k * rk / e.wave.ks2}
	var m minors
	for n, pair := range pairs {
		i, j := pair[0], pair[1]
		m.m[n] = p[i]*s[j] - p[j]*s[i]
	}
	return state{elastic: true, minors: m}
}

// into converts a solution at an interface to the medium on the other side.
func (s *state) into(elastic bool, kappa float64) {
	switch {
	case s.elastic && !elastic:
		s.fluid = s.minors.toFluid(kappa)
	case !s.elastic && elastic:
		s.minors = s.fluid.toElastic(kappa)
	}
	s.elastic = elastic
}
