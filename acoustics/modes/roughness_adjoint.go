package modes

import "math/cmplx"

// adjointRough is adjoint.h's adjoint_rough: scattering at one interface as a form in the
// state (u, s) there, for one batch.
type adjointRough struct {
	cell, up                  int64
	pp, ps, ss, ppe, pse, sse [2]lane
}

// scatterer is an interface of rms roughness sigma between two media, seen by a sweep
// from above or, up, from below.
type scatterer struct {
	sigma        float64
	above, below Side
	up           bool
}

// form returns the factors of u², u s and s² in the change of kr² = e, where ∫u² = 1:
// [KupermanIngenito] with p = √ρ u and p'/ρ = ±s/√ρ, ρ that of the side the sweep has
// reached.
func (c *scatterer) form(e float64) (uu, us, ss complex128) {
	pp, pv, vv := scattering(c.sigma, complex(e, 0), c.above, c.below)
	rho := complex(c.below.Density, 0)
	if c.up {
		rho, pv = complex(c.above.Density, 0), -pv
	}
	return pp * rho, pv, vv / rho
}

// scatterer is interface i of the stack.
func (s *stack) scatterer(i int, up bool) scatterer {
	above, below := s.sides(i)
	return scatterer{s.roughness(i), above, below, up}
}

// roughness appends the rough interfaces that a batch reaches, at wavenumbers² e.
func (m *Modes) roughness(dst []adjointRough, b *batch, e *lane) []adjointRough {
	k := &m.column
	for i := 0; i <= len(k.stack.media); i++ {
		if k.stack.roughness(i) == 0 {
			continue
		}
		ci, ok := k.reached(b, i)
		if !ok {
			continue
		}
		r := adjointRough{cell: int64(ci)}
		if ci > b.match {
			r.cell, r.up = int64(ci-1), 1
		}
		c := k.stack.scatterer(i, r.up == 1)
		for l := range e {
			r.set(&c, l, e[l])
		}
		dst = append(dst, r)
	}
	return dst
}

// set evaluates the form for a lane; in E it is differenced over a millionth, which is
// exact to ten digits.
func (r *adjointRough) set(c *scatterer, l int, e float64) {
	step := 1e-6 * e
	uu, us, ss := c.form(e)
	uuPlus, usPlus, ssPlus := c.form(e + step)
	uuMinus, usMinus, ssMinus := c.form(e - step)
	half := complex(0.5/step, 0)
	for i, v := range [6]complex128{uu, us, ss, (uuPlus - uuMinus) * half, (usPlus - usMinus) * half, (ssPlus - ssMinus) * half} {
		to := [6]*[2]lane{&r.pp, &r.ps, &r.ss, &r.ppe, &r.pse, &r.sse}[i]
		to[0][l], to[1][l] = real(v), imag(v)
	}
}

// along returns how interface i changes along the direction, as a pair of interfaces
// that lie either side of it and the inverse of their distance; false if it does not.
func (d *direction) along(s *stack, i int, up bool) (plus, minus scatterer, inverse float64, changes bool) {
	if !d.local {
		plus, minus = d.plus.scatterer(i, up), d.minus.scatterer(i, up)
		return plus, minus, d.inverse, plus != minus
	}
	plus = s.scatterer(i, up)
	minus = plus
	above, below := complex128(0), complex128(0)
	if i > 0 {
		above = d.edgeChange(s, s.media[i-1].last-1, s.media[i-1].bottom)
	}
	if i < len(s.media) {
		below = d.edgeChange(s, s.media[i].first, s.media[i].top)
	}
	if above == 0 && below == 0 {
		return plus, minus, 0, false
	}
	step := complex(1e-6/max(cmplx.Abs(above/plus.above.K2), cmplx.Abs(below/plus.below.K2)), 0)
	plus.above.K2, plus.below.K2 = plus.above.K2+step*above, plus.below.K2+step*below
	minus.above.K2, minus.below.K2 = minus.above.K2-step*above, minus.below.K2-step*below
	return plus, minus, 0.5 / real(step), true
}

// edgeChange is the change of edgeK2 along a local direction.
func (d *direction) edgeChange(s *stack, piece int, z float64) complex128 {
	for i := range d.pieces {
		if d.pieces[i].index == piece {
			return complex(s.omega*s.omega*real(s.pieces[piece].slowness2Change(z, &d.pieces[i].coef)), 0)
		}
	}
	return 0
}

// scatter adds what the directions do to the rough interfaces themselves, the modes held.
func (j *jacobian) scatter(jac []complex128, m *Modes) {
	st, phones := m.column.stack, len(j.depths)-1
	for i := 0; i <= len(st.media); i++ {
		if st.roughness(i) == 0 {
			continue
		}
		for d := range j.directions {
			for b := range m.sweeps.batches {
				j.scatterBatch(jac[d*phones:(d+1)*phones], m, b, i, &j.directions[d])
			}
		}
	}
}

// scatterBatch is the share of one batch, interface and direction.
func (j *jacobian) scatterBatch(out []complex128, m *Modes, index, i int, dir *direction) {
	b, t := &m.sweeps.batches[index], &m.sweeps.joins[index]
	ci, ok := m.column.reached(b, i)
	if !ok {
		return
	}
	plus, minus, inverse, changes := dir.along(m.column.stack, i, ci > b.match)
	if !changes {
		return
	}
	for l, mode := range b.modes {
		if mode < 0 {
			continue
		}
		u, s := m.entering(b, t, ci, l)
		e := b.e[l] + t.step[l]
		uuPlus, usPlus, ssPlus := plus.form(e)
		uuMinus, usMinus, ssMinus := minus.form(e)
		change := (uuPlus-uuMinus)*complex(u*u, 0) + (usPlus-usMinus)*complex(u*s, 0) + (ssPlus-ssMinus)*complex(s*s, 0)
		j.adjoint.shift(out, m, int(mode), change*complex(inverse, 0))
	}
}

// entering is the normalised state of a lane at the interface above cell ci, as
// [Modes.atEdge] finds it, at the lane's own E.
func (m *Modes) entering(b *batch, t *join, ci, l int) (u, s float64) {
	y, amplitude := &b.down, t.above[l]
	switch {
	case ci < b.match:
		y = &b.states[ci]
	case ci > b.match:
		y, amplitude = &b.states[ci-1], t.below[l]
	}
	return amplitude * (y.u[l] + t.step[l]*y.ue[l]), amplitude * (y.s[l] + t.step[l]*y.se[l])
}

// shift adds the pressure's change at every phone when a mode's kr² changes.
func (a *adjoint) shift(out []complex128, m *Modes, mode int, change complex128) {
	n, w := m.Len(), &m.field
	k := m.Kr[mode]
	for r := range out {
		p := a.factors[r*n+mode] * complex(w.source[mode]*w.receiver[r*n+mode], 0)
		out[r] -= p * (complex(0, w.ranges[r]) + complex(a.batch.power, 0)/k) / (2 * k) * change
	}
}
