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
	ua, sa   float64 // (u, h s) entering
	ub, sb   float64 // and leaving
}

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

// series is Σ coefficients η_{m+shift}, the propagator's sums.
func (p *propagator) series(f *etas) (m matrix) {
	o := p.o[0]*f.e1 + p.o[1]*f.e2 + p.o[2]*f.e3 + p.o[3]*f.e4
	e := p.e[0]*f.e2 + p.e[1]*f.e3 + p.e[2]*f.e4
	b := p.b[0]*f.e2 + p.b[1]*f.e3 + p.b[2]*f.e4 + p.b[3]*f.e5
	c := p.c[0]*f.e0 + p.c[1]*f.e1 + p.c[2]*f.e2 + p.c[3]*f.e3 + p.c[4]*f.e4
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
func (x *crossing) set(p *propagator, h, e float64, u, s float64) {
	z := (e - p.q0) * h * h
	x.f.any(z)
	f1 := x.f.raise(z)
	f2 := f1.raise(z)
	x.t = p.series(&x.f)
	x.t.add(1, &matrix{x.f.xi, x.f.e0, z * x.f.e0, x.f.xi})
	x.d = p.series(&f1)
	x.d.add(1, &matrix{f1.xi, f1.e0, x.f.e0 + z*f1.e0, f1.xi})
	x.dd = p.series(&f2)
	x.dd.add(1, &matrix{f2.xi, f2.e0, 2*f1.e0 + z*f2.e0, f2.xi})
	x.ua, x.sa = u, h*s
	x.ub, x.sb = x.t.times(x.ua, x.sa)
}

// vary carries a change (du, ds) of (u, s) over the cell, E held.
func (x *crossing) vary(c *cell, t *cellTangent, e, du, ds float64) (float64, float64) {
	ds *= c.h
	if !t.active {
		u, s := x.t.times(du, ds)
		return u, s / c.h
	}
	ds += t.h / c.h * x.sa
	dt := t.d.series(&x.f)
	dt.add(-c.h*c.h*t.q[0]+2*(e-c.q0)*c.h*t.h, &x.d)
	u, s := x.t.times(du, ds)
	u2, s2 := dt.times(x.ua, x.sa)
	return u + u2, (s+s2)/c.h - x.sb*t.h/(c.h*c.h)
}

// norm returns ∫u² over the cell and its change, when the entering state changes by
// (du, ds) and E by de.
func (x *crossing) norm(c *cell, t *cellTangent, e, du, ds, de float64) (float64, float64) {
	dz, dt, dd := x.change(c, t, e, de)
	_ = dz
	ds = c.h*ds + t.h/c.h*x.sa
	dub, dsb := x.leaving(&dt, du, ds)
	p1, p2 := x.d.times(x.ua, x.sa)
	a1, a2 := dd.times(x.ua, x.sa)
	b1, b2 := x.d.times(du, ds)
	whole := x.ub*p2 - x.sb*p1
	change := dub*p2 + x.ub*(a2+b2) - dsb*p1 - x.sb*(a1+b1)
	return c.h * whole, t.h*whole + c.h*change
}

// change returns dZ, and the changes of the matrix and of its derivative.
func (x *crossing) change(c *cell, t *cellTangent, e, de float64) (dz float64, dt, dd matrix) {
	dz = c.h*c.h*(de-t.q[0]) + 2*(e-c.q0)*c.h*t.h
	if t.active {
		f1 := x.f.raise((e - c.q0) * c.h * c.h)
		dt, dd = t.d.series(&x.f), t.d.series(&f1)
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

// absorb returns ∫ Im(k0²) u² over the cell and its change.
func (x *crossing) absorb(c *cell, t *cellTangent, l *lossTangent, e, du, ds, de float64) (float64, float64) {
	dz, dt, dd := x.change(c, t, e, de)
	ds = c.h*ds + t.h/c.h*x.sa
	dub, dsb := x.leaving(&dt, du, ds)
	f1 := x.f.raise((e - c.q0) * c.h * c.h)
	g := l.g.series(&x.f)
	g.add(-c.h*c.h*c.qi[0], &x.d)
	dg := l.dg.series(&x.f)
	slope := l.g.series(&f1)
	dg.add(dz, &slope)
	dg.add(-2*c.h*t.h*c.qi[0]-c.h*c.h*t.qi[0], &x.d)
	dg.add(-c.h*c.h*c.qi[0], &dd)
	p1, p2 := g.times(x.ua, x.sa)
	a1, a2 := dg.times(x.ua, x.sa)
	b1, b2 := g.times(du, ds)
	whole := x.ub*p2 - x.sb*p1
	change := dub*p2 + x.ub*(a2+b2) - dsb*p1 - x.sb*(a1+b1)
	return -whole / c.h, t.h/(c.h*c.h)*whole - change/c.h
}

// lossTangent holds the propagator's derivative along the absorption of a cell,
// and how that changes.
type lossTangent struct{ g, dg propagator }

// set uses that the coefficients are cubic in v at most, so that a central
// difference over any step is their exact second derivative.
func (l *lossTangent) set(c *cell, t *cellTangent, up bool) {
	var v, plus, minus, g, dg [moments]float64
	for n := 1; n <= 4; n++ {
		v[n] = -c.h * c.h * c.q[n]
		plus[n], minus[n] = v[n]+t.v[n], v[n]-t.v[n]
		g[n] = -c.h * c.h * c.qi[n]
		dg[n] = -c.h*c.h*t.qi[n] - 2*c.h*t.h*c.qi[n]
	}
	var a, b propagator
	l.g.setDerivative(&v, &g)
	l.dg.setDerivative(&v, &dg)
	a.setDerivative(&plus, &g)
	b.setDerivative(&minus, &g)
	l.dg.plus(0.5, &a)
	l.dg.plus(-0.5, &b)
	if up {
		l.g.mirror()
		l.dg.mirror()
	}
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
