package modes

import (
	"math"

	"oceaninv/acoustics"
)

// pieceTangent is how the coefficients of a piece change.
type pieceTangent struct {
	index int
	coef  [4]complex128
}

// touched is the change of a cell, or of the part of one before a place.
type touched struct {
	index, side int // of the cell, or of the place
	tangent     cellTangent
}

// kinks adds the depths where the change of the medium has a kink: inside a cell,
// moments up to the fourth do not tell where it is.
func (d *direction) kinks(s *stack, at []float64) []float64 {
	if !d.local {
		for i, same := range d.same {
			if p := &s.pieces[i]; !same {
				at = append(at, p.top, p.bottom)
			}
		}
		return at
	}
	const straight = 1e-9
	for i := range d.pieces {
		p, change := &s.pieces[d.pieces[i].index], &d.pieces[i].coef
		size := straight * (magnitude(change[0]) + magnitude(change[1])) / (p.bottom - p.top)
		before, after := complex128(0), complex128(0)
		if i > 0 && d.pieces[i-1].index == d.pieces[i].index-1 {
			before = d.slope(s, i-1)
		}
		if i+1 < len(d.pieces) && d.pieces[i+1].index == d.pieces[i].index+1 {
			after = d.slope(s, i+1)
		}
		here := d.slope(s, i)
		if magnitude(here-before) > size {
			at = append(at, p.top)
		}
		if magnitude(here-after) > size {
			at = append(at, p.bottom)
		}
	}
	return at
}

// magnitude is |Re| + |Im|.
func magnitude(x complex128) float64 { return math.Abs(real(x)) + math.Abs(imag(x)) }

// slope is the slope in depth of a changed piece's change.
func (d *direction) slope(s *stack, i int) complex128 {
	p := &s.pieces[d.pieces[i].index]
	return d.pieces[i].coef[1] / complex(p.bottom-p.top, 0)
}

// setPieces makes the intervals that change pieces of a stack.
func (d *direction) setPieces(s *stack) {
	d.pieces, d.active, d.parts, d.sourceDensity = d.pieces[:0], d.active[:0], d.parts[:0], 0
	for i := range d.intervals {
		v := &d.intervals[i]
		var dc [2]complex128
		for n := range dc {
			switch plus, minus := &v.plus[n], &v.minus[n]; {
			case plus.attenuation.Value == 0 && minus.attenuation.Value == 0 && s.volume == 0:
				dc[n] = complex((plus.speed-minus.speed)*d.inverse, 0)
			case *plus != *minus:
				dc[n] = (s.complexSpeed(plus.speed, plus.attenuation) - s.complexSpeed(minus.speed, minus.attenuation)) * complex(d.inverse, 0)
			}
		}
		if v.all {
			d.pieces = append(d.pieces, pieceTangent{s.media[v.medium].first, [4]complex128{dc[0]}})
			continue
		}
		d.straight(s, v, dc)
	}
}

// straight adds the piece of an interval whose complex speeds change by dc.
func (d *direction) straight(s *stack, v *interval, dc [2]complex128) {
	m := &s.media[v.medium]
	index := m.first + v.at - m.knot
	if index < m.first || index >= m.last {
		return // beyond the medium
	}
	if v.kind == acoustics.N2Linear {
		for n, k := range v.from {
			c := s.complexSpeed(k.speed, k.attenuation)
			dc[n] *= -2 / (c * c * c)
		}
	}
	p := piece{top: m.top + v.z[0], bottom: m.top + v.z[1], coef: [4]complex128{dc[0], dc[1] - dc[0]}}
	p.cut(m.top, m.bottom)
	if index == m.last-1 {
		p.reach(m.bottom)
	}
	d.pieces = append(d.pieces, pieceTangent{index, p.coef})
}

// touchCells measures the cells that the changed pieces reach into.
func (d *direction) touchCells(k *column) {
	next := 0
	for i := range d.pieces {
		p := &k.stack.pieces[d.pieces[i].index]
		for c := max(next, k.find(p.top)); c < len(k.cells) && k.cells[c].top < p.bottom; c++ {
			cl := &k.cells[c]
			if cl.bottom() <= p.top || cl.medium >= len(k.stack.media) {
				continue
			}
			d.active = append(d.active, touched{index: c})
			t := &d.active[len(d.active)-1].tangent
			d.perturb(t, k.stack, cl.top, cl.bottom())
			// What does not absorb yet may begin to along the direction.
			cl.lossy = cl.lossy || t.qi != [moments]float64{}
			next = c + 1
		}
	}
}

// perturb sets the change of the moments over [top, bottom], whose ends do not move:
// to first order that of 1/c² is -2 dc/c³.
func (d *direction) perturb(t *cellTangent, s *stack, top, bottom float64) {
	h := bottom - top
	w2 := s.omega * s.omega
	var re, im powerSums
	for i := range d.pieces {
		change := &d.pieces[i]
		p := &s.pieces[change.index]
		a, b := max(p.top, top), min(p.bottom, bottom)
		if a >= b {
			continue
		}
		half, middle := 0.5*(b-a), 0.5*(a+b)
		y0, y1 := (2*middle-top-bottom)/h, 2*half/h
		for j, x := range gaussX {
			w := w2 * gaussW[j] * half / h
			g := p.slowness2Change(middle+half*x, &change.coef)
			re.add(y0+y1*x, w*real(g))
			if imag(g) != 0 {
				im.add(y0+y1*x, w*imag(g))
			}
		}
	}
	*t = cellTangent{active: true, q: re.moments(), qi: im.moments()}
	size := 0.0
	for _, q := range t.q[:5] {
		size = max(size, math.Abs(q))
	}
	for n := 1; n <= 4; n++ {
		// What is not worth a pass over the modes: of a knot's, often the fourth moment.
		t.q[n] = denoise(t.q[n], 1e-11*size)
		t.v[n] = -h * h * t.q[n]
	}
}

// powerSums are ∫ f yⁿ dy, n = 0 .. 4, of a change: all that the propagator asks of it.
type powerSums [5]float64

func (s *powerSums) add(y, f float64) {
	y2 := y * y
	s[0] += f
	s[1] += y * f
	s[2] += y2 * f
	s[3] += y2 * y * f
	s[4] += y2 * y2 * f
}

// moments are (2n+1) ∫ f P_n dy.
func (s *powerSums) moments() (q [moments]float64) {
	q[0] = s[0]
	q[1] = 3 * s[1]
	q[2] = 5 * (1.5*s[2] - 0.5*s[0])
	q[3] = 7 * (2.5*s[3] - 1.5*s[1])
	q[4] = 9 * (4.375*s[4] - 3.75*s[2] + 0.375*s[0])
	return q
}

// slowness2Change is the change of 1/c² at a depth when the coefficients of a
// straight piece change.
func (p *piece) slowness2Change(z float64, coef *[4]complex128) complex128 {
	x := complex((z-p.top)/(p.bottom-p.top), 0)
	change := coef[0] + x*coef[1]
	if p.n2 {
		return change
	}
	if !p.lossy && imag(change) == 0 {
		c := real(p.coef[0]) + real(x)*real(p.coef[1])
		return complex(-2*real(change)/(c*c*c), 0)
	}
	c := p.coef[0] + x*p.coef[1]
	size := 1 / (real(c)*real(c) + imag(c)*imag(c))
	inverse := complex(real(c)*size, -imag(c)*size)
	return -2 * change * inverse * inverse * inverse
}

// touchPlaces measures the parts before the source and the phones that change or
// whose ends move.
func (d *direction) touchPlaces(j *jacobian, m *Modes) {
	still := d.sourceDepth == 0
	for _, x := range d.depths {
		still = still && x == 0
	}
	if still && len(d.active) == 0 {
		return
	}
	for i, z := range j.depths {
		moves := d.sourceDepth
		if i > 0 {
			moves = d.depths[i-1]
		}
		for side := range j.subs[i] {
			sub := &j.subs[i][side]
			if moves != 0 || d.touches(sub.index) {
				d.parts = append(d.parts, touched{index: i, side: side})
				d.touchPart(&d.parts[len(d.parts)-1].tangent, &m.column, sub, i, side, z, moves)
			}
		}
	}
}

func (d *direction) touches(cell int) bool {
	for i := range d.active {
		if d.active[i].index == cell {
			return true
		}
	}
	return false
}

// touchPart adds what the move of a place and what the change of the medium do to the
// part of a cell before it.
func (d *direction) touchPart(t *cellTangent, k *column, sub *subCell, place, side int, z, moves float64) {
	c := &k.cells[sub.index]
	a, b := c.top, z
	if side == 1 {
		a, b = z, c.bottom()
		moves = -moves
	}
	if sub.cell.h == 0 {
		*t = cellTangent{h: moves, active: true}
		return
	}
	d.perturb(t, k.stack, a, b)
	if moves == 0 {
		return
	}
	plus, minus := d.zPlus, d.zMinus
	if place > 0 {
		plus, minus = d.plusZ[place-1], d.minusZ[place-1]
	}
	var moved cellTangent
	if side == 0 {
		d.difference(&moved, &sub.cell, k.stack, k.stack, [4]float64{a, plus, a, minus})
	} else {
		d.difference(&moved, &sub.cell, k.stack, k.stack, [4]float64{plus, b, minus, b})
	}
	t.h = moved.h
	for n := range t.q {
		t.q[n] += moved.q[n]
		t.qi[n] += moved.qi[n]
		t.v[n] += moved.v[n]
	}
}

// complete prepares a local direction as all others are, for the forward derivative.
func (j *jacobian) complete(k *column, d int) {
	dir := &j.directions[d]
	if err := dir.set(k.stack); err != nil {
		panic("modes: a direction has changed since its Jacobian: " + err.Error())
	}
	dir.differenceCells(k)
	for i, z := range j.depths {
		for side := range j.subs[i] {
			sub := &j.subs[i][side]
			c := &k.cells[sub.index]
			a, b := c.top, z
			if side == 1 {
				a, b = z, c.bottom()
			}
			j.locateAlong(k, sub, d, i, side, c, a, b)
		}
	}
}

// contractLocal adds up one local direction.
func (j *jacobian) contractLocal(out []complex128, m *Modes, dir *direction) {
	a := &j.adjoint
	for i := range dir.active {
		c := dir.active[i].index
		a.contractCell(out, &m.column.cells[c], &dir.active[i].tangent, c)
	}
	for i := range dir.parts {
		a.contractPart(out, &dir.parts[i].tangent, 2*dir.parts[i].index+dir.parts[i].side)
	}
	for r, x := range dir.ranges {
		if x != 0 {
			out[r] += complex(x, 0) * complex(a.rangeSums[2*r], a.rangeSums[2*r+1])
		}
	}
}
