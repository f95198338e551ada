package modes

import "math"

// sweepCell is a cell as a sweep reads it, densely; sweep.h has the same layout.
type sweepCell struct {
	h, h2, inverse, q0 float64
	o                  [4]float64
	e                  [3]float64
	b                  [4]float64
	c                  [5]float64
	jump               float64
	doublings          int64 // -1 for an ordinary cell
}

// set packs a cell. A homogeneous cell is crossed as a 2^-doublings-th of itself,
// thin enough for the polynomials at every E of the window, and doubled.
func (s *sweepCell) set(c *cell, w window) {
	*s = sweepCell{h: c.h, h2: c.h * c.h, inverse: 1 / c.h, q0: c.q0,
		o: c.o, e: c.e, b: c.b, c: c.c, jump: c.jump, doublings: -1}
	if !c.long {
		return
	}
	s.doublings = 0
	z := s.h2 * math.Max(math.Abs(w.hi-c.q0), math.Abs(w.lo-c.q0))
	for ; z > maxZ; z /= 4 {
		s.doublings++
	}
}

// sweepPlain is sweep in Go: it carries y through count cells from cells[start] in
// steps of direction, stores the state entering each cell and counts the zeros of u.
func sweepPlain(cells []sweepCell, start, count, direction int, e *lane, y *state, states []state, zeros *[lanes]int64) {
	for i := range count {
		at := start + direction*i
		c := &cells[at]
		if direction > 0 && i > 0 && c.jump != 1 {
			y.jump(c.jump)
		}
		states[at] = *y
		if c.doublings < 0 {
			c.cross(e, y, zeros, float64(direction))
		} else {
			c.crossLong(e, y, zeros)
		}
		if i%8 == 7 || i == count-1 {
			rescale(y, states[min(start, at):max(start, at)+1])
		}
		if direction < 0 && i < count-1 && c.jump != 1 {
			y.jump(1 / c.jump)
		}
	}
}

// cross carries y over an ordinary cell. Going up, the cell is seen mirrored: its
// odd moments change sign.
func (c *sweepCell) cross(e *lane, y *state, zeros *[lanes]int64, odd float64) {
	p := propagator{h: c.h, q0: c.q0, o: c.o, e: c.e, b: c.b, c: c.c}
	if odd < 0 {
		p.mirror()
	}
	var t etas
	var m transfer
	for i := range lanes {
		z := (e[i] - c.q0) * c.h2
		t.small(z)
		m.of(&p, z, &t)
		u, s := y.u[i], c.h*y.s[i]
		ue, se := y.ue[i], c.h*y.se[i]
		u1 := m.t11*u + m.t12*s
		s1 := m.t21*u + m.t22*s
		y.ue[i] = m.t11*ue + m.t12*se + c.h2*(m.d11*u+m.d12*s)
		y.se[i] = (m.t21*ue + m.t22*se + c.h2*(m.d21*u+m.d22*s)) * c.inverse
		y.u[i], y.s[i] = u1, s1*c.inverse
		if negative(u, s) != negative(u1, s1) {
			zeros[i]++
		}
	}
}

// negative is the sign of u, at a zero that of what follows.
func negative(u, s float64) bool { return u < 0 || u == 0 && s < 0 }

// crossLong carries y over a homogeneous cell of any thickness, doubling by
//
//	ξ(4Z) = ξ² + Zη0²,  η0(4Z) = ξη0,  η1(4Z) = (ξη1 + η0²)/4.
func (c *sweepCell) crossLong(e *lane, y *state, zeros *[lanes]int64) {
	var t etas
	for i := range lanes {
		z := (e[i] - c.q0) * c.h2
		part := math.Ldexp(z, -2*int(c.doublings))
		t.small(part)
		for range c.doublings {
			square := t.e0 * t.e0
			t.e1 = 0.25 * (t.xi*t.e1 + square)
			t.e0 *= t.xi
			t.xi = t.xi*t.xi + part*square
			part *= 4
		}
		u, s := y.u[i], c.h*y.s[i]
		ue, se := y.ue[i], c.h*y.se[i]
		u1 := t.xi*u + t.e0*s
		s1 := z*t.e0*u + t.xi*s
		y.ue[i] = t.xi*ue + t.e0*se + c.h2*0.5*(t.e0*u+t.e1*s)
		y.se[i] = (z*t.e0*ue + t.xi*se + c.h2*0.5*((t.e0+t.xi)*u+t.e0*s)) * c.inverse
		y.u[i], y.s[i] = u1, s1*c.inverse
		// Each half-wave turns the sign once; one zero more where that does not
		// account for the sign that came out.
		waves := int64(0)
		if z < 0 {
			waves = int64(math.Sqrt(-z) / math.Pi)
		}
		if (negative(u, s) != negative(u1, s1)) != (waves&1 == 1) {
			waves++
		}
		zeros[i] += waves
	}
}

// huge is when a solution is scaled down: far below overflow, even after eight
// more cells and in products.
const huge = 1e100

// rescale scales down lanes that have grown too large, with all their states.
func rescale(y *state, before []state) {
	for i := range lanes {
		size := math.Max(math.Max(math.Abs(y.u[i]), math.Abs(y.s[i])), math.Max(math.Abs(y.ue[i]), math.Abs(y.se[i])))
		if !(size > huge) {
			continue
		}
		f := 1 / size
		y.scale(i, f)
		for j := range before {
			before[j].scale(i, f)
		}
	}
}

func (y *state) scale(i int, f float64) {
	y.u[i] *= f
	y.s[i] *= f
	y.ue[i] *= f
	y.se[i] *= f
}
