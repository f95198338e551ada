package modes

import (
	"oceaninv/acoustics"
)

// entry is the wave (u, h u') of one mode at both ends of a cell, in the sense of
// the sweep.
type entry struct{ ua, sa, ub, sb float64 }

// integral returns ∫ g u² dz over a cell where g has the Legendre moments g_n and
// d the propagator's derivative along v_n = -h² g_n: by Lagrange's identity it is
// -1/h (u_b δ(hu')_b - (hu')_b δu_b), with the propagator's own derivative, so that
// it is the exact derivative of the discrete problem.
func (y *entry) integral(d *propagator, g0 float64, h float64, m *transfer, t *etas) float64 {
	o := d.o[0]*t.e1 + d.o[1]*t.e2 + d.o[2]*t.e3 + d.o[3]*t.e4
	e := d.e[0]*t.e2 + d.e[1]*t.e3 + d.e[2]*t.e4
	b := d.b[0]*t.e2 + d.b[1]*t.e3 + d.b[2]*t.e4 + d.b[3]*t.e5
	c := d.c[0]*t.e0 + d.c[1]*t.e1 + d.c[2]*t.e2 + d.c[3]*t.e3 + d.c[4]*t.e4
	z := -h * h * g0
	t11, t22 := e+o+z*m.d11, e-o+z*m.d22
	t12, t21 := b+z*m.d12, c+z*m.d21
	return -(y.ub*(t21*y.ua+t22*y.sa) - y.sb*(t11*y.ua+t12*y.sa)) / h
}

// along returns the derivative of cell c's propagator when k0² changes by moments
// g, seen in the direction of the cell's sweep.
func (c *cell) along(g *[moments]float64, up bool) (d propagator) {
	h2 := -c.h * c.h
	var v, dv [moments]float64
	for n := 1; n <= 4; n++ {
		v[n], dv[n] = h2*c.q[n], h2*g[n]
	}
	d.setDerivative(&v, &dv)
	d.h, d.q0 = c.h, g[0]
	if up {
		d.mirror()
	}
	return d
}

// weight is a function's Legendre moments over a cell, made ready to integrate
// against u²; integrals.h has the same layout.
type weight struct {
	p, along     propagator // along.q0 is the zeroth moment
	index, thick int64
}

func (w *weight) set(c *cell, index int, g *[moments]float64) {
	w.p, w.along, w.index, w.thick = c.propagator, c.along(g, false), int64(index), 0
	if c.long {
		w.thick = 1
	}
}

// integratePlain adds to sum, for every lane, ∫ g u² dz over the weights' cells.
func integratePlain(sum *lane, weights []weight, b *batch, t *join) {
	for i := range weights {
		w := &weights[i]
		if w.index < int64(b.first) || w.index >= int64(b.last) {
			continue
		}
		p, d, amplitude := w.p, w.along, &t.above
		if w.index >= int64(b.match) {
			p.mirror()
			d.mirror()
			amplitude = &t.below
		}
		y := &b.states[w.index]
		var f etas
		var tr transfer
		for l := range lanes {
			z := (b.e[l] - p.q0) * p.h * p.h
			f.any(z)
			tr.of(&p, z, &f)
			u, s := y.u[l]*amplitude[l], y.s[l]*amplitude[l]*p.h
			in := entry{u, s, tr.t11*u + tr.t12*s, tr.t21*u + tr.t22*s}
			sum[l] += in.integral(&d, d.q0, p.h, &tr, &f)
		}
	}
}

// absorbers lists the cells that absorb.
func (m *Modes) absorbers() {
	m.measures = m.measures[:0]
	for i := range m.column.cells {
		if c := &m.column.cells[i]; c.lossy {
			m.measures = append(m.measures, weight{})
			m.measures[len(m.measures)-1].set(c, i, &c.qi)
		}
	}
}

// losses sets, for every lane, the first-order change of kr² by absorption in the
// layers and half-spaces and by scattering at rough interfaces.
func (m *Modes) losses(b *batch, t *join, loss *[lanes]complex128) {
	m.integral = lane{}
	integrate(&m.integral, m.measures, b, t)
	for i := range lanes {
		loss[i] = complex(0, m.integral[i])
	}
	m.tails(b, t, loss)
	m.scatter(b, t, loss)
}

// tails adds the absorption in half-spaces: -i Im γ (ρ/ρh) u² at the boundary,
// with the complex γ.
func (m *Modes) tails(b *batch, t *join, loss *[lanes]complex128) {
	k := &m.column
	st := k.stack
	if st.surface.kind == acoustics.Halfspace && b.first == 0 {
		y := &b.states[0]
		addTail(y, &t.above, b, st.surface, st.media[0].density, loss)
	}
	n := len(k.cells)
	if st.bottom.kind == acoustics.Halfspace && b.last == n && !k.cut {
		y := &b.states[n-1]
		addTail(y, &t.below, b, st.bottom, st.media[len(st.media)-1].density, loss)
	}
}

func addTail(y *state, amplitude *lane, b *batch, bd boundary, density float64, loss *[lanes]complex128) {
	for i := range lanes {
		g, _ := rootOf(b.e[i], bd.k2)
		u := y.u[i] * amplitude[i]
		loss[i] += complex(0, -imag(g)*density/bd.density*u*u)
	}
}
