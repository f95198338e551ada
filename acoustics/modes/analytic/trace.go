package analytic

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// place is a cell's upper end.
type place struct{ layer, cell int }

// trace is the shape of a mode: its state at every end of a cell.
type trace struct {
	zero
	slope value // of the characteristic function at the zero
	// states[layer][cell] at the upper end of each cell, and at the lower end of
	// the last.
	states [][]motion
}

// motion is the state of a mode at one depth: pressure and (1/ρ)dp/dz in fluids,
// the scaled displacements and stresses in solids.
type motion struct {
	p, w complex128
	r    [4]complex128
}

// fill computes the shape of a polished zero.
func (t *trace) fill(s *stack) {
	ups, downs := s.sweep(t.x, t.sh)
	at := s.strongest(ups, downs)
	t.states = make([][]motion, len(s.layers))
	for i, l := range s.layers {
		t.states[i] = make([]motion, len(l.cells)+1)
	}
	// ∫ p²/ρ dz over the ocean and its half-spaces, with p = 1 at that place, is
	// minus the slope over the pressures there.
	above, below := &downs[at.layer][at.cell].fluid, &ups[at.layer][at.cell].fluid
	norm := -t.slope.m / above.p / below.p * complex(math.Exp(t.slope.scale-above.scale-below.scale), 0)
	scale := 1 / cmplx.Sqrt(norm)
	start := motion{p: scale, w: scale * below.w / below.p}
	if cmplx.Abs(above.p) > 0 && at.cell > 0 {
		start.w = scale * above.w / above.p
	}
	t.trace(s, ups, at, start, 1)
	t.trace(s, downs, at, start, -1)
}

// sweep keeps the solutions from below and from above at every end of a cell.
func (s *stack) sweep(x complex128, sh sheet) (ups, downs [][]state) {
	k := cmplx.Sqrt(x)
	n := len(s.layers)
	ups, downs = make([][]state, n), make([][]state, n)
	st := s.bottom.start(k, x, s.kappa, sh.bottomP, sh.bottomS, false, s.layers[n-1].elastic)
	for i := n - 1; i >= 0; i-- {
		b := &s.layers[i]
		st.into(b.elastic, s.kappa)
		ups[i] = make([]state, len(b.cells)+1)
		ups[i][len(b.cells)] = st
		for j := len(b.cells) - 1; j >= 0; j-- {
			st.cross(&b.cells[j], k, x, s.kappa, true)
			ups[i][j] = st
		}
	}
	st = s.top.start(k, x, s.kappa, sh.topP, sh.topS, true, s.layers[0].elastic)
	for i := range s.layers {
		b := &s.layers[i]
		st.into(b.elastic, s.kappa)
		downs[i] = make([]state, len(b.cells)+1)
		downs[i][0] = st
		for j := range b.cells {
			st.cross(&b.cells[j], k, x, s.kappa, false)
			downs[i][j+1] = st
		}
	}
	return ups, downs
}

// strongest is the place in a fluid where the mode is strongest: p² is
// proportional to the product of the solutions from above and below.
func (s *stack) strongest(ups, downs [][]state) place {
	best, at := math.Inf(-1), place{s.water, 0}
	for i, l := range s.layers {
		if l.elastic {
			continue
		}
		for j := range ups[i] {
			u, d := &ups[i][j].fluid, &downs[i][j].fluid
			size := math.Log(cmplx.Abs(u.p)) + u.scale + math.Log(cmplx.Abs(d.p)) + d.scale
			if size > best && j < len(l.cells) {
				best, at = size, place{i, j}
			}
		}
	}
	return at
}

// slope is the derivative of the characteristic function at a zero: the
// trapezoidal rule of Cauchy's formula on a circle, small against the distance to
// other zeros, to branch points and to where the function turns.
func (s *stack) slope(z zero, near float64) value {
	for _, e := range []*end{&s.top, &s.bottom} {
		for _, k2 := range e.branchPoints() {
			near = min(near, cmplx.Abs(z.x-k2))
		}
	}
	radius := min(near/30, 0.03/s.rate(z.x, math.Inf(-1)))
	_, scale := s.value(z.x, z.sh)
	var sum complex128
	const points = 8
	for i := range points {
		u := cmplx.Rect(1, 2*math.Pi*float64(i)/points)
		v, e := s.value(z.x+by(radius, u), z.sh)
		sum += v / u * complex(math.Exp(e-scale), 0)
	}
	return value{sum / points / complex(radius, 0), scale}
}

// branchPoints are the squared wavenumbers at which a half-space or table begins to
// carry waves away.
func (e *end) branchPoints() []complex128 {
	switch {
	case e.table != nil:
		return []complex128{e.table.k2}
	case e.kind != acoustics.Halfspace:
		return nil
	case e.elastic:
		return []complex128{e.wave.kp2, e.wave.ks2}
	}
	return []complex128{e.wave.kp2}
}

func (s *stack) depth() float64 {
	last := &s.layers[len(s.layers)-1]
	return last.top + last.thickness
}

// trace follows the mode from its strongest place downward (direction 1, along
// the solutions from below) or upward (-1).
func (t *trace) trace(s *stack, solutions [][]state, at place, m motion, direction int) {
	k := cmplx.Sqrt(t.x)
	for i, j := at.layer, at.cell; i >= 0 && i < len(s.layers); i += direction {
		b := &s.layers[i]
		if i != at.layer {
			j = 0
			if direction < 0 {
				j = len(b.cells)
			}
			m.pass(b.elastic, s.layers[i-direction].elastic, &solutions[i][j], s.kappa)
		}
		if !b.elastic {
			m = t.traceFluid(solutions[i], i, j, m, direction)
			continue
		}
		t.states[i][j] = m
		for end := (len(b.cells)) * (1 + direction) / 2; j != end; j += direction {
			c := &b.cells[min(j, j+direction)]
			m.crossElastic(c, k, t.x, s.kappa, direction < 0)
			m.project(&solutions[i][j+direction].minors)
			t.states[i][j+direction] = m
		}
	}
}

// traceFluid scales the solutions of a fluid layer to the state at its entry, and
// returns the state at the exit.
func (t *trace) traceFluid(solutions []state, layer, j int, m motion, direction int) motion {
	entry := &solutions[j].fluid
	var a complex128
	if cmplx.Abs(entry.p*m.p) > 0 && cmplx.Abs(entry.p) >= 1e-6*cmplx.Abs(entry.w) {
		a = m.p / entry.p
	} else {
		a = m.w / entry.w
	}
	for ; j >= 0 && j < len(solutions); j += direction {
		f := &solutions[j].fluid
		g := a * complex(math.Exp(f.scale-entry.scale), 0)
		m = motion{p: g * f.p, w: g * f.w}
		t.states[layer][j] = m
	}
	return m
}

// pass carries a state over an interface; slip along a solid's face follows from
// the solid's solutions.
func (m *motion) pass(elastic, from bool, solution *state, kappa float64) {
	switch {
	case elastic && !from:
		m.r = [4]complex128{0, m.w / complex(kappa, 0), 0, -m.p}
		m.slip(&solution.minors)
	case !elastic && from:
		m.p, m.w = -m.r[3], complex(kappa, 0)*m.r[1]
	}
}

// minor is the minor of rows i and j.
func (m *minors) minor(i, j int) complex128 { return m.m[pairIndex[i][j]] * pairSign[i][j] }

// slip sets u_x from the other components: y lies in the plane of the minors when
// y_i M_jk - y_j M_ik + y_k M_ij = 0.
func (m *motion) slip(plane *minors) {
	best, j, k := -1.0, 1, 2
	for _, p := range pairs[3:] {
		if size := cmplx.Abs(plane.minor(p[0], p[1])); size > best {
			best, j, k = size, p[0], p[1]
		}
	}
	m.r[0] = (m.r[j]*plane.minor(0, k) - m.r[k]*plane.minor(0, j)) / plane.minor(j, k)
}

// project returns a state into the plane of the minors, keeping the two
// components that determine it best; otherwise growing waves would creep in.
func (m *motion) project(plane *minors) {
	best, j, k := -1.0, 0, 1
	for _, p := range pairs {
		if size := cmplx.Abs(plane.minor(p[0], p[1])); size > best {
			best, j, k = size, p[0], p[1]
		}
	}
	for i := range m.r {
		if i != j && i != k {
			m.r[i] = (m.r[j]*plane.minor(i, k) - m.r[k]*plane.minor(i, j)) / plane.minor(j, k)
		}
	}
}

// crossElastic carries a solid's state over a cell.
func (m *motion) crossElastic(c *cell, k, x complex128, kappa float64, up bool) {
	omega := magnus(c, k, x, kappa)
	sign, norm := complex128(1), 0.0
	if up {
		sign = -1
	}
	for i := range omega {
		row := 0.0
		for j := range omega[i] {
			row += cmplx.Abs(omega[i][j])
		}
		norm = max(norm, row)
	}
	parts := max(1, math.Ceil(norm/4))
	for range int(parts) {
		term := m.r
		for n := 1.0; n < 80; n++ {
			var next [4]complex128
			size, total := 0.0, 0.0
			for i := range next {
				for j := range term {
					next[i] += omega[i][j] * term[j]
				}
				next[i] *= sign / complex(n*parts, 0)
				m.r[i] += next[i]
				size += cmplx.Abs(next[i])
				total += cmplx.Abs(m.r[i])
			}
			if size <= 1e-17*total {
				break
			}
			term = next
		}
	}
}
