package modes

import "math"

// Shapes sets dst[d*Len()+i] to the shape φ of mode i at depths[d] (m, from the
// surface); above the surface and below the layers, where a half-space goes on,
// it decays with the half-space, else it is 0. dst must hold len(depths)*Len()
// numbers; it is returned.
func (m *Modes) Shapes(dst []float64, depths []float64) []float64 {
	n := m.Len()
	if len(dst) < n*len(depths) {
		panic("modes: Shapes: dst is too short")
	}
	m.locate(depths)
	for j := range m.batches {
		m.shapes(dst, &m.batches[j], &m.joins[j], depths)
	}
	for d, z := range depths {
		if m.places[d] < 0 || m.places[d] >= len(m.column.cells) {
			m.outside(dst[d*n:(d+1)*n], z)
		}
	}
	return dst
}

// part is what lies between a depth and where a sweep enters the depth's cell;
// integrals.h has the same layout.
type part struct {
	p                propagator
	index, thick, up int64
}

// locate measures the parts before the depths that the batches need, from above
// and from below.
func (m *Modes) locate(depths []float64) {
	k := &m.column
	m.parts, m.places = grow(m.parts, 2*len(depths)), grow(m.places, len(depths))
	for d, z := range depths {
		ci := k.find(z)
		m.places[d] = ci
		above, below := &m.parts[2*d], &m.parts[2*d+1]
		above.index, below.index = -1, -1
		if ci < 0 || ci >= len(k.cells) {
			continue
		}
		for j := range m.batches {
			switch match := m.batches[j].match; {
			case ci < match && above.index < 0:
				m.measurePart(above, ci, k.cells[ci].top, z)
			case ci >= match && below.index < 0:
				m.measurePart(below, ci, z, k.cells[ci].bottom())
				below.up = 1
			}
		}
	}
}

// measurePart measures the part [a, b] of a cell.
func (m *Modes) measurePart(p *part, ci int, a, b float64) {
	c := &m.column.cells[ci]
	*p = part{index: int64(ci)}
	if c.long {
		p.thick = 1
	}
	// A sliver too thin to measure is no distance at all.
	if b-a > 1e-12*c.h {
		m.column.stack.measure(&m.piece, c.medium, a, b)
		p.p = m.piece.propagator
	}
}

// shapes evaluates one batch at all depths: the states entering the depths' cells
// carried through the parts before them.
func (m *Modes) shapes(dst []float64, b *batch, t *join, depths []float64) {
	n, k := m.Len(), &m.column
	m.inside = grow(m.inside, 2*lanes*len(depths))
	shape(m.inside, m.parts[:2*len(depths)], b, t)
	for d := range depths {
		ci := m.places[d]
		if ci < 0 || ci >= len(k.cells) {
			continue
		}
		u, amplitude := m.inside[2*lanes*d:], &t.above
		if ci >= b.match {
			u, amplitude = u[lanes:], &t.below
		}
		root := math.Sqrt(k.stack.media[k.cells[ci].medium].density)
		for i, mode := range b.modes {
			if mode >= 0 {
				dst[d*n+int(mode)] = root * amplitude[i] * u[i]
			}
		}
	}
}

// shapePlain sets u[8 i ..] to the batch's solution behind part i.
func shapePlain(u []float64, parts []part, b *batch, t *join) {
	clear(u)
	var f etas
	var tr transfer
	for i := range parts {
		w := &parts[i]
		if w.index < int64(b.first) || w.index >= int64(b.last) || w.index < 0 {
			continue
		}
		p := w.p
		if w.up == 1 {
			p.mirror()
		}
		y := &b.states[w.index]
		for l := range lanes {
			v, s := y.u[l]+t.step[l]*y.ue[l], y.s[l]+t.step[l]*y.se[l]
			if p.h > 0 {
				z := (b.e[l] + t.step[l] - p.q0) * p.h * p.h
				f.any(z)
				tr.of(&p, z, &f)
				v = tr.t11*v + tr.t12*p.h*s
			}
			u[lanes*i+l] = v
		}
	}
}

// find returns the cell that holds depth z, -1 above all and len(cells) below all.
func (k *column) find(z float64) int {
	n := len(k.cells)
	if z < k.cells[0].top {
		return -1
	}
	if z > k.cells[n-1].bottom() {
		return n
	}
	lo, hi := 0, n-1
	for lo < hi {
		if mid := (lo + hi) / 2; z <= k.cells[mid].bottom() {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// outside evaluates the modes in a half-space.
func (m *Modes) outside(dst []float64, z float64) {
	clear(dst)
	k := &m.column
	n := len(k.cells)
	for j := range m.batches {
		b, t := &m.batches[j], &m.joins[j]
		switch above := z < k.cells[0].top; {
		case above && k.stack.surface.density > 0 && b.first == 0:
			tail(dst, &b.states[0], &t.above, b, k.stack.surface, k.stack.media[0].density, k.cells[0].top-z)
		case !above && k.stack.bottom.density > 0 && b.last == n && !k.cut:
			last := k.stack.media[len(k.stack.media)-1]
			tail(dst, &b.states[n-1], &t.below, b, k.stack.bottom, last.density, z-last.bottom)
		}
	}
}

// tail is φ = p exp(-γ·distance).
func tail(dst []float64, y *state, amplitude *lane, b *batch, bd boundary, density, distance float64) {
	for i, mode := range b.modes {
		if mode < 0 {
			continue
		}
		g, _ := rootOf(b.e[i], bd.k2)
		dst[mode] = math.Sqrt(density) * y.u[i] * amplitude[i] * math.Exp(-real(g)*distance)
	}
}
