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
	for d, z := range depths {
		m.shape(dst[d*n:(d+1)*n], z)
	}
	return dst
}

// shape evaluates all modes at one depth: the states entering the depth's cell
// carried through the part of the cell before it.
func (m *Modes) shape(dst []float64, z float64) {
	k := &m.column
	ci := k.find(z)
	if ci < 0 || ci >= len(k.cells) {
		m.outside(dst, z)
		return
	}
	c := &k.cells[ci]
	var known [2]bool
	var near [2]float64
	root := math.Sqrt(k.stack.media[c.medium].density)
	for j := range m.batches {
		side := 0
		if ci >= m.batches[j].match {
			side = 1
		}
		if !known[side] {
			known[side] = true
			near[side] = m.measurePart(c, z, side)
		}
		m.shapeBatch(dst, j, ci, near[side], root, side)
	}
}

// measurePart measures the part of a cell between depth z and where a sweep from
// above (side 0) or below (side 1) enters, and returns its thickness.
func (m *Modes) measurePart(c *cell, z float64, side int) float64 {
	a, b := c.top, z
	if side == 1 {
		a, b = z, c.bottom()
	}
	// A sliver too thin to measure is no distance at all.
	if b-a <= 1e-12*c.h {
		return 0
	}
	m.column.stack.measure(&m.part[side], c.medium, a, b)
	if side == 1 {
		m.part[side].mirror()
	}
	return b - a
}

// shapeBatch evaluates one batch inside cell ci, near metres from where its sweep
// enters.
func (m *Modes) shapeBatch(dst []float64, j, ci int, near, root float64, side int) {
	b, t := &m.batches[j], &m.joins[j]
	inside := ci >= b.first && ci < b.last
	amplitude := &t.above
	if side == 1 {
		amplitude = &t.below
	}
	part := &m.part[side].propagator
	var f etas
	var tr transfer
	for i, mode := range b.modes {
		if mode < 0 {
			continue
		}
		if !inside {
			dst[mode] = 0
			continue
		}
		y := &b.states[ci]
		u, s := y.u[i]+t.step[i]*y.ue[i], y.s[i]+t.step[i]*y.se[i]
		if near > 0 {
			z := (b.e[i] + t.step[i] - part.q0) * near * near
			f.any(z)
			tr.of(part, z, &f)
			u = tr.t11*u + tr.t12*near*s
		}
		dst[mode] = root * amplitude[i] * u
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
