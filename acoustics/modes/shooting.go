package modes

import (
	"math"

	"oceaninv/acoustics"
)

// state is a solution of u″ = (E-q) u and its derivative in E, for every lane, at
// one depth. Here u = p/√ρ, so that u″ has no first derivative, and s = du/dζ with
// ζ pointing the way the sweep goes: down above the matching depth, up below it.
type state struct{ u, s, ue, se lane }

// batch is up to [lanes] trial values of E carried through the cells together.
type batch struct {
	e     lane
	scale lane // Prüfer's scale at the matching depth
	slope lane // its derivative in E

	// states[c] is the state entering cell c: at its top for a cell above the match,
	// at its bottom for one below; valid for first <= c < last.
	states      []state
	first, last int
	down, up    state // at the match, from above and from below

	zerosDown, zerosUp [lanes]int32
	phase, dphase      lane // total phase in units of π, and its derivative in E
}

// column is what a sweep runs through.
type column struct {
	stack *stack
	cells []cell
	cut   bool // the last cell ends where no mode reaches
	match int  // cells[:match] are swept from above, the others from below
	total float64
}

// shoot carries the batch's solutions from both ends to the match and sets their
// phase: an increasing count of half-waves as E falls, equal to m at mode m.
func (k *column) shoot(b *batch) {
	k.limits(b)
	b.zerosDown, b.zerosUp = [lanes]int32{}, [lanes]int32{}
	b.down = k.above(b)
	for c := b.first; c < k.match; c++ {
		cl := &k.cells[c]
		if c > b.first && cl.jump != 1 {
			b.down.jump(cl.jump)
		}
		b.states[c] = b.down
		k.cross(b, cl, &b.down, &b.zerosDown, 1)
		if c&7 == 7 {
			rescale(&b.down, b.states[b.first:c+1])
		}
	}
	rescale(&b.down, b.states[b.first:max(b.first, k.match)])
	if j := k.jumpAt(k.match); j != 1 && k.match > b.first {
		b.down.jump(j)
	}
	b.up = k.below(b)
	for c := b.last - 1; c >= k.match; c-- {
		cl := &k.cells[c]
		b.states[c] = b.up
		k.cross(b, cl, &b.up, &b.zerosUp, -1)
		if c > k.match && cl.jump != 1 {
			b.up.jump(1 / cl.jump)
		}
		if c&7 == 7 {
			rescale(&b.up, b.states[c:b.last])
		}
	}
	rescale(&b.up, b.states[k.match:max(k.match, b.last)])
	b.setPhase()
}

func (k *column) jumpAt(c int) float64 {
	if c <= 0 || c >= len(k.cells) {
		return 1
	}
	return k.cells[c].jump
}

// jump crosses an interface: p and p'/ρ are continuous.
func (y *state) jump(r float64) {
	inverse := 1 / r
	for i := range lanes {
		y.u[i] *= r
		y.ue[i] *= r
		y.s[i] *= inverse
		y.se[i] *= inverse
	}
}

// limits finds the cells that the batch needs: where every lane has decayed by
// deepDecay beyond its outermost turning points, the sweep starts.
func (k *column) limits(b *batch) {
	e := b.e[0]
	for _, v := range b.e {
		e = math.Min(e, v)
	}
	n := len(k.cells)
	b.first, b.last = 0, n
	decay, c := 0.0, 0
	for c < k.match && k.cells[c].hi < e {
		c++
	}
	for c--; c >= 0; c-- {
		cl := &k.cells[c]
		decay += math.Sqrt(math.Max(0, e-cl.hi)) * cl.h
		if decay > deepDecay {
			b.first = c
			break
		}
	}
	decay, c = 0, n-1
	for c >= k.match && k.cells[c].hi < e {
		c--
	}
	for c++; c < n; c++ {
		cl := &k.cells[c]
		decay += math.Sqrt(math.Max(0, e-cl.hi)) * cl.h
		if decay > deepDecay {
			b.last = c + 1
			break
		}
	}
}

// above is the state at the top of the sweep.
func (k *column) above(b *batch) state {
	if b.first > 0 {
		return decaying(b, k.cells[b.first].q0)
	}
	return closed(b, k.stack.surface, k.stack.media[0].density)
}

// below is the state at the bottom of the sweep.
func (k *column) below(b *batch) state {
	n := len(k.cells)
	if b.last < n || k.cut {
		return decaying(b, k.cells[b.last-1].q0)
	}
	return closed(b, k.stack.bottom, k.stack.media[len(k.stack.media)-1].density)
}

// decaying is the solution that decays outwards into a medium with q below E.
func decaying(b *batch, q float64) (y state) {
	for i, e := range b.e {
		g := math.Sqrt(math.Max(e-q, 1e-12*e))
		y.u[i], y.s[i], y.se[i] = 1, g, 0.5/g
	}
	return y
}

// closed is the solution that meets a boundary condition; ζ points inwards. A
// half-space has u' = γ (ρ/ρh) u with γ = Re √(E - kh²): for a lossy half-space
// the real part of the complex root, as KRAKEN takes it.
func closed(b *batch, bd boundary, density float64) (y state) {
	for i, e := range b.e {
		switch bd.kind {
		case acoustics.PressureRelease:
			y.s[i] = 1
		case acoustics.Rigid:
			y.u[i] = 1
		default:
			g, dg := rootOf(e, bd.k2)
			r := density / bd.density
			y.u[i], y.s[i], y.se[i] = 1, r*real(g), r*real(dg)
		}
	}
	return y
}

// cross carries y over a cell and adds the zeros of u inside it. Going up, the
// cell is seen mirrored: its odd moments change sign.
func (k *column) cross(b *batch, c *cell, y *state, zeros *[lanes]int32, direction float64) {
	if c.long {
		crossLong(c, &b.e, y, zeros)
		return
	}
	p := &c.propagator
	h, q0 := p.h, p.q0
	h2, inverse := h*h, 1/h
	var t etas
	var m transfer
	mirrored := *p
	if direction < 0 {
		for i := range mirrored.o {
			mirrored.o[i] = -mirrored.o[i]
		}
	}
	for i := range lanes {
		z := (b.e[i] - q0) * h2
		t.small(z)
		m.of(&mirrored, z, &t)
		u, s := y.u[i], h*y.s[i]
		ue, se := y.ue[i], h*y.se[i]
		u1 := m.t11*u + m.t12*s
		s1 := m.t21*u + m.t22*s
		y.ue[i] = m.t11*ue + m.t12*se + h2*(m.d11*u+m.d12*s)
		y.se[i] = (m.t21*ue + m.t22*se + h2*(m.d21*u+m.d22*s)) * inverse
		y.u[i], y.s[i] = u1, s1*inverse
		if negative(u, s) != negative(u1, s1) {
			zeros[i]++
		}
	}
}

// negative is the sign of u, at a zero that of what follows.
func negative(u, s float64) bool { return u < 0 || u == 0 && s < 0 }

// crossLong carries y over a homogeneous cell of any thickness.
func crossLong(c *cell, e *lane, y *state, zeros *[lanes]int32) {
	h := c.h
	h2, inverse := h*h, 1/h
	var t etas
	for i := range lanes {
		z := (e[i] - c.q0) * h2
		half := t.long(z)
		u, s := y.u[i], h*y.s[i]
		ue, se := y.ue[i], h*y.se[i]
		u1 := t.xi*u + t.e0*s
		s1 := z*t.e0*u + t.xi*s
		d21 := t.e0 + 0.5*z*t.e1
		y.ue[i] = t.xi*ue + t.e0*se + h2*0.5*(t.e0*u+t.e1*s)
		y.se[i] = (z*t.e0*ue + t.xi*se + h2*(d21*u+0.5*t.e0*s)) * inverse
		y.u[i], y.s[i] = u1, s1*inverse
		// Each half-wave turns the sign once; one zero more where that does not
		// account for the sign that came out.
		odd := half&1 == 1
		if (negative(u, s) != negative(u1, s1)) != odd {
			half++
		}
		zeros[i] += half
	}
}

// long computes ξ, η0 and η1 for any Z, and the number of half-waves in √-Z.
func (t *etas) long(z float64) int32 {
	if math.Abs(z) < 1 {
		t.small(z)
		return 0
	}
	var half int32
	if z < 0 {
		s := math.Sqrt(-z)
		sin, cos := math.Sincos(s)
		t.xi, t.e0 = cos, sin/s
		half = int32(s / math.Pi)
	} else {
		s := math.Sqrt(z)
		up := math.Exp(s)
		down := 1 / up
		t.xi, t.e0 = 0.5*(up+down), 0.5*(up-down)/s
	}
	t.e1 = (t.xi - t.e0) / z
	return half
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

// setPhase sets the total phase in units of π, less one: zeros above and below
// the match, and the two Prüfer angles there, α = atan(S u/s) in [0, π). By the
// Wronskian u s_E - s u_E = ∫u², its derivative is -Σ S ∫u²/(s² + S²u²)/π, and
// that of the scale S.
func (b *batch) setPhase() {
	for i := range lanes {
		a, da := pruefer(&b.down, i, b.scale[i], b.slope[i])
		c, dc := pruefer(&b.up, i, b.scale[i], b.slope[i])
		b.phase[i] = float64(b.zerosDown[i]+b.zerosUp[i]) + (a+c)/math.Pi - 1
		b.dphase[i] = (da + dc) / math.Pi
	}
}

func pruefer(y *state, i int, scale, slope float64) (angle, derivative float64) {
	u, s := y.u[i], y.s[i]
	if negative(u, s) {
		u, s = -u, -s
	}
	angle = math.Atan2(scale*u, s)
	squared := s*s + scale*scale*u*u
	derivative = (slope*u*s - scale*y.norm(i)) / squared
	return angle, derivative
}

// norm is ∫u² dz from where the sweep started, the half-space beyond included.
func (y *state) norm(i int) float64 { return y.u[i]*y.se[i] - y.s[i]*y.ue[i] }
