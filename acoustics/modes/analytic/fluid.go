package analytic

import (
	"math"
	"math/cmplx"
)

// fluidState is pressure and scaled derivative (1/ρ) dp/dz, times exp(scale).
type fluidState struct {
	p, w  complex128
	scale float64
}

// normalize moves the magnitude into the scale.
func (s *fluidState) normalize() {
	m := max(math.Abs(real(s.p)), math.Abs(imag(s.p)), math.Abs(real(s.w)), math.Abs(imag(s.w)))
	if m > 1e-30 && m < 1e30 || m == 0 || math.IsNaN(m) || math.IsInf(m, 0) {
		return
	}
	s.p, s.w = by(1/m, s.p), by(1/m, s.w)
	s.scale += math.Log(m)
}

// crossFluid carries a state over a cell, downward or upward, by the
// piecewise-perturbation propagator of package modes with complex moments.
// Exact where the cell is uniform.
func (s *fluidState) crossFluid(c *cell, x complex128, up bool) {
	if c.h == 0 {
		return
	}
	f := &c.fluid
	t, scale := f.transfer(c.h, x, c.uniform)
	near, far := &f.upper, &f.lower
	if up {
		near, far = far, near
		t.m11, t.m12, t.m21, t.m22 = t.m22, -t.m12, -t.m21, t.m11
	}
	// u = p/√ρ, h u' = h √ρ w - (hρ'/2ρ) u.
	u := by(1/near.root, s.p)
	v := by(c.h*near.root, s.w) - by(near.bend, u)
	u, v = t.m11*u+t.m12*v, t.m21*u+t.m22*v
	s.p = by(far.root, u)
	s.w = by(1/(c.h*far.root), v+by(far.bend, u))
	s.scale += scale
	s.normalize()
}

// by is a real number times a complex one.
func by(a float64, z complex128) complex128 { return complex(a*real(z), a*imag(z)) }

// coshSinhc is cosh d and sinh(d)/d of d², both divided by exp(scale).
func coshSinhc(d2 complex128) (ch, sh complex128, scale float64) {
	if cmplx.Abs(d2) < 1e-2 {
		ch = 1 + d2/2*(1+d2/12*(1+d2/30*(1+d2/56*(1+d2/90))))
		sh = 1 + d2/6*(1+d2/20*(1+d2/42*(1+d2/72*(1+d2/110))))
		return ch, sh, 0
	}
	d := cmplx.Sqrt(d2) // Re d ≥ 0
	scale = real(d)
	sin, cos := math.Sincos(imag(d))
	grow := complex(cos, sin) / 2
	decay := complex(math.Exp(-2*scale)/2, 0) * complex(cos, -sin)
	return grow + decay, (grow - decay) / d, scale
}
