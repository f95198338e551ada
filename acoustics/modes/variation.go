package modes

import (
	"math"

	"oceaninv/acoustics"
)

// crossing is a cell of one lane: Ixaru's functions, the matrix for (u, h u') and
// its first two derivatives in Z, along the sweep.
type crossing struct {
	f        etas
	t, d, dd matrix
	up       bool // entered from below
	e        float64
	ua, sa   float64 // (u, h s) entering
	ub, sb   float64 // and leaving
	p1, p2   float64 // d (ua, sa)
	g1, g2   float64 // the same for the absorption, where there is any
	norm     value   // ∫u², and its derivative in E
	loss     value   // ∫ Im(k0²) u², likewise
}

// value is a number and its change.
type value struct{ value, change float64 }

type matrix struct{ a11, a12, a21, a22 float64 }

func (m *matrix) times(u, s float64) (float64, float64) {
	return m.a11*u + m.a12*s, m.a21*u + m.a22*s
}

func (m *matrix) add(x float64, n *matrix) {
	m.a11 += x * n.a11
	m.a12 += x * n.a12
	m.a21 += x * n.a21
	m.a22 += x * n.a22
}

// series is the propagator's sums; from below, odd moments change sign.
func (x *crossing) series(p *propagator, f *etas) matrix {
	o := p.o[0]*f.e1 + p.o[1]*f.e2 + p.o[2]*f.e3 + p.o[3]*f.e4
	e := p.e[0]*f.e2 + p.e[1]*f.e3 + p.e[2]*f.e4
	b := p.b[0]*f.e2 + p.b[1]*f.e3 + p.b[2]*f.e4 + p.b[3]*f.e5
	c := p.c[0]*f.e0 + p.c[1]*f.e1 + p.c[2]*f.e2 + p.c[3]*f.e3 + p.c[4]*f.e4
	if x.up {
		o = -o
	}
	return matrix{e + o, b, c, e - o}
}

// raise gives the functions of the derivative in Z: dη_m/dZ = η_{m+1}/2. The
// seventh, which only a third-order term needs, follows from the recurrence.
func (f *etas) raise(z float64) (g etas) {
	e7 := 0.0
	if math.Abs(z) > 10 {
		e7 = (f.e5 - 13*f.e6) / z
	} else {
		// η7 at 0 and its first terms; the term it enters is of third order.
		e7 = f.e6 / 15 * (1 - z/255)
	}
	return etas{xi: 0.5 * f.e0, e0: 0.5 * f.e1, e1: 0.5 * f.e2, e2: 0.5 * f.e3, e3: 0.5 * f.e4, e4: 0.5 * f.e5, e5: 0.5 * f.e6, e6: 0.5 * e7}
}

// set evaluates the cell for a lane at E.
func (x *crossing) set(p *propagator, e, u, s float64, up bool) {
	x.e, x.up = e, up
	h := p.h
	z := (e - p.q0) * h * h
	x.f.any(z)
	f1 := x.f.raise(z)
	f2 := f1.raise(z)
	x.t = x.series(p, &x.f)
	x.t.add(1, &matrix{x.f.xi, x.f.e0, z * x.f.e0, x.f.xi})
	x.d = x.series(p, &f1)
	x.d.add(1, &matrix{f1.xi, f1.e0, x.f.e0 + z*f1.e0, f1.xi})
	x.dd = x.series(p, &f2)
	x.dd.add(1, &matrix{f2.xi, f2.e0, 2*f1.e0 + z*f2.e0, f2.xi})
	x.ua, x.sa = u, h*s
	x.ub, x.sb = x.t.times(x.ua, x.sa)
	x.p1, x.p2 = x.d.times(x.ua, x.sa)
}

// inE sets the integrals over the cell and their derivatives in E, where the
// entering state changes by (ue, se).
func (x *crossing) inE(c *cell, l *absorber, ue, se float64) {
	se *= c.h
	h2 := c.h * c.h
	ub, sb := x.t.times(ue, se)
	ub += h2 * x.p1
	sb += h2 * x.p2
	a1, a2 := x.dd.times(x.ua, x.sa)
	b1, b2 := x.d.times(ue, se)
	x.norm.value = c.h * (x.ub*x.p2 - x.sb*x.p1)
	x.norm.change = c.h * (ub*x.p2 + x.ub*(h2*a2+b2) - sb*x.p1 - x.sb*(h2*a1+b1))
	if !c.lossy {
		return
	}
	f1 := x.f.raise((x.e - c.q0) * h2)
	g, dg := x.series(&l.g, &x.f), x.series(&l.g, &f1)
	g.add(-h2*c.qi[0], &x.d)
	dg.add(-h2*c.qi[0], &x.dd)
	x.g1, x.g2 = g.times(x.ua, x.sa)
	a1, a2 = dg.times(x.ua, x.sa)
	b1, b2 = g.times(ue, se)
	x.loss.value = -(x.ub*x.g2 - x.sb*x.g1) / c.h
	x.loss.change = -(ub*x.g2 + x.ub*(h2*a2+b2) - sb*x.g1 - x.sb*(h2*a1+b1)) / c.h
}

// vary carries a change (du, ds) of (u, s) over the cell, E held.
func (x *crossing) vary(c *cell, t *cellTangent, e, du, ds float64) (float64, float64) {
	ds *= c.h
	if !t.active {
		u, s := x.t.times(du, ds)
		return u, s / c.h
	}
	ds += t.h / c.h * x.sa
	dt := x.series(&t.d, &x.f)
	dt.add(-c.h*c.h*t.q[0]+2*(e-c.q0)*c.h*t.h, &x.d)
	u, s := x.t.times(du, ds)
	u2, s2 := dt.times(x.ua, x.sa)
	return u + u2, (s+s2)/c.h - x.sb*t.h/(c.h*c.h)
}

// held returns the changes of ∫u² and of ∫ Im(k0²) u² over the cell when the
// entering state changes by (du, ds) and the cell as t says, E held.
func (x *crossing) held(c *cell, t *cellTangent, l *lossTangent, a *absorber, du, ds float64) (norm, loss float64) {
	if t.active {
		norm = x.normHeld(c, t, du, ds)
		if c.lossy {
			loss = x.lossHeld(c, t, l, a, du, ds)
		}
		return norm, loss
	}
	ds *= c.h
	ub, sb := x.t.times(du, ds)
	b1, b2 := x.d.times(du, ds)
	norm = c.h * (ub*x.p2 + x.ub*b2 - sb*x.p1 - x.sb*b1)
	if c.lossy {
		g := x.series(&a.g, &x.f)
		g.add(-c.h*c.h*c.qi[0], &x.d)
		b1, b2 = g.times(du, ds)
		loss = -(ub*x.g2 + x.ub*b2 - sb*x.g1 - x.sb*b1) / c.h
	}
	return norm, loss
}

func (x *crossing) normHeld(c *cell, t *cellTangent, du, ds float64) float64 {
	_, dt, dd := x.change(c, t, x.e, 0)
	ds = c.h*ds + t.h/c.h*x.sa
	ub, sb := x.leaving(&dt, du, ds)
	a1, a2 := dd.times(x.ua, x.sa)
	b1, b2 := x.d.times(du, ds)
	return t.h*(x.ub*x.p2-x.sb*x.p1) + c.h*(ub*x.p2+x.ub*(a2+b2)-sb*x.p1-x.sb*(a1+b1))
}

// change returns dZ, and the changes of the matrix and of its derivative.
func (x *crossing) change(c *cell, t *cellTangent, e, de float64) (dz float64, dt, dd matrix) {
	dz = c.h*c.h*(de-t.q[0]) + 2*(e-c.q0)*c.h*t.h
	if t.active {
		f1 := x.f.raise((e - c.q0) * c.h * c.h)
		dt, dd = x.series(&t.d, &x.f), x.series(&t.d, &f1)
	}
	dt.add(dz, &x.d)
	dd.add(dz, &x.dd)
	return dz, dt, dd
}

func (x *crossing) leaving(dt *matrix, du, ds float64) (float64, float64) {
	u, s := x.t.times(du, ds)
	u2, s2 := dt.times(x.ua, x.sa)
	return u + u2, s + s2
}

func (x *crossing) lossHeld(c *cell, t *cellTangent, l *lossTangent, a *absorber, du, ds float64) float64 {
	dz, dt, dd := x.change(c, t, x.e, 0)
	ds = c.h*ds + t.h/c.h*x.sa
	ub, sb := x.leaving(&dt, du, ds)
	f1 := x.f.raise((x.e - c.q0) * c.h * c.h)
	g := x.series(&a.g, &x.f)
	g.add(-c.h*c.h*c.qi[0], &x.d)
	dg := x.series(&l.dg, &x.f)
	slope := x.series(&a.g, &f1)
	dg.add(dz, &slope)
	dg.add(-2*c.h*t.h*c.qi[0]-c.h*c.h*t.qi[0], &x.d)
	dg.add(-c.h*c.h*c.qi[0], &dd)
	a1, a2 := dg.times(x.ua, x.sa)
	b1, b2 := g.times(du, ds)
	change := ub*x.g2 + x.ub*(a2+b2) - sb*x.g1 - x.sb*(a1+b1)
	return t.h/(c.h*c.h)*(x.ub*x.g2-x.sb*x.g1) - change/c.h
}

// absorber is the propagator's derivative along the absorption of a cell.
type absorber struct{ g propagator }

func (l *absorber) set(c *cell) {
	var v, g [moments]float64
	for n := 1; n <= 4; n++ {
		v[n] = -c.h * c.h * c.q[n]
		g[n] = -c.h * c.h * c.qi[n]
	}
	l.g.setDerivative(&v, &g)
}

// lossTangent is how an absorber changes along a direction.
type lossTangent struct{ dg propagator }

// set uses that the coefficients are cubic in v at most, so that a central
// difference over any step is their exact second derivative.
func (l *lossTangent) set(c *cell, t *cellTangent) {
	var v, plus, minus, g, dg [moments]float64
	for n := 1; n <= 4; n++ {
		v[n] = -c.h * c.h * c.q[n]
		plus[n], minus[n] = v[n]+t.v[n], v[n]-t.v[n]
		g[n] = -c.h * c.h * c.qi[n]
		dg[n] = -c.h*c.h*t.qi[n] - 2*c.h*t.h*c.qi[n]
	}
	var a, b propagator
	l.dg.setDerivative(&v, &dg)
	a.setDerivative(&plus, &g)
	b.setDerivative(&minus, &g)
	l.dg.plus(0.5, &a)
	l.dg.plus(-0.5, &b)
}

func (p *propagator) plus(x float64, q *propagator) {
	for i := range p.o {
		p.o[i] += x * q.o[i]
	}
	for i := range p.e {
		p.e[i] += x * q.e[i]
	}
	for i := range p.b {
		p.b[i] += x * q.b[i]
	}
	for i := range p.c {
		p.c[i] += x * q.c[i]
	}
}

// closedTangent is how the state at a boundary changes with the half-space.
func closedTangent(e float64, b, plus, minus boundary, density, densityPlus, densityMinus, inverse float64) (ds float64) {
	if b.kind != acoustics.Halfspace {
		return 0
	}
	g, dg := rootOf(e, b.k2)
	dr := (densityPlus/plus.density - densityMinus/minus.density) * inverse
	dk := (plus.k2 - minus.k2) * complex(inverse, 0)
	return dr*real(g) - density/b.density*real(dg*dk)
}
