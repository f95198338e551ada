package modes

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// side is the medium on one side of an interface.
type side struct {
	k2      complex128 // squared wavenumber
	density float64    // g/cm³
}

// kupermanIngenito returns the change of kr² by scattering at an interface of rms
// roughness sigma, where the mode has pressure p and p'/ρ = v:
//
//	-σ² (-a21 p² + 2 a11 p v + a12 v²)
//
// Kuperman & Ingenito, J. Acoust. Soc. Am. 61 (1977) 1178, as KRAKEN applies it:
// coherent loss in the limit of long correlation.
func kupermanIngenito(sigma, e float64, above, below side, p, v float64) complex128 {
	sq1, sq2 := above.k2-complex(e, 0), below.k2-complex(e, 0)
	eta1, eta2 := cmplx.Sqrt(sq1), cmplx.Sqrt(sq2)
	r1, r2 := complex(above.density, 0), complex(below.density, 0)
	delta := r1*eta2 + r2*eta1
	if delta == 0 {
		return 0
	}
	cross := r2*sq1 - r1*sq2
	a11 := 0.5*(sq1-sq2) - cross*(eta1+eta2)/delta
	a12 := 1i * (r2 - r1) * (r2 - r1) * eta1 * eta2 / delta
	a21 := -1i * cross * cross / (r1 * r2 * delta)
	pp, pv, vv := complex(p*p, 0), complex(p*v, 0), complex(v*v, 0)
	return complex(-sigma*sigma, 0) * (-a21*pp + 2*a11*pv + a12*vv)
}

// scatter adds the loss of coherent energy at rough interfaces.
func (m *Modes) scatter(b *batch, t *join, loss *[lanes]complex128) {
	k := &m.column
	st := k.stack
	n := len(st.media)
	if st.roughSurface > 0 && b.first == 0 {
		below := side{k.edgeK2(0, k.cells[0].top), st.media[0].density}
		m.scatterAt(b, t, 0, st.roughSurface, outer(st.surface), below, loss)
	}
	for i := range st.media {
		med := &st.media[i]
		sigma := med.roughness
		if i == n-1 && st.roughBottom > 0 {
			sigma = st.roughBottom
		}
		// The cell below this medium, or the number of cells at the bottom.
		ci := k.firstCell(i + 1)
		if sigma == 0 || ci < b.first || ci > b.last || ci > len(k.cells) || i == n-1 && k.cut {
			continue
		}
		above := side{k.edgeK2(i, med.bottom), med.density}
		below := outer(st.bottom)
		if i < n-1 {
			below = side{k.edgeK2(i+1, med.bottom), st.media[i+1].density}
		}
		m.scatterAt(b, t, ci, sigma, above, below, loss)
	}
}

// outer is the side beyond a boundary: a vacuum and a rigid body are a very light
// and a very dense medium.
func outer(b boundary) side {
	switch b.kind {
	case acoustics.PressureRelease:
		return side{1, 1e-9}
	case acoustics.Rigid:
		return side{1, 1e9}
	}
	return side{b.k2, b.density}
}

// edgeK2 is the squared wavenumber of medium i at a depth.
func (k *column) edgeK2(i int, z float64) complex128 {
	s := k.stack
	med := &s.media[i]
	p := &s.pieces[med.last-1]
	if z <= med.top {
		p = &s.pieces[med.first]
	}
	return complex(s.omega*s.omega, 0) * p.slowness2(z)
}

// firstCell is the first cell of medium i or deeper; len(cells)+1 where the cells
// end above it.
func (k *column) firstCell(i int) int {
	for c := range k.cells {
		if k.cells[c].medium >= i {
			return c
		}
	}
	if i == len(k.stack.media) {
		return len(k.cells)
	}
	return len(k.cells) + 1
}

// scatterAt adds the loss at the top of cell ci (the bottom of the last cell for
// ci = len(cells)).
func (m *Modes) scatterAt(b *batch, t *join, ci int, sigma float64, above, below side, loss *[lanes]complex128) {
	for i := range lanes {
		p, v := m.atEdge(b, t, ci, i)
		loss[i] += kupermanIngenito(sigma, b.e[i], above, below, p, v)
	}
}

// atEdge returns p and p'/ρ of lane i at the top of cell ci.
func (m *Modes) atEdge(b *batch, t *join, ci, i int) (p, v float64) {
	k := &m.column
	med := func(c int) float64 { return k.stack.media[k.cells[c].medium].density }
	var y *state
	var density, amplitude, sign float64
	switch {
	case ci < k.match:
		y, density, amplitude, sign = &b.states[ci], med(ci), t.above[i], 1
	case ci == k.match:
		y, density, amplitude, sign = &b.down, med(ci), t.above[i], 1
	default:
		y, density, amplitude, sign = &b.states[ci-1], med(ci-1), t.below[i], -1
	}
	root := math.Sqrt(density)
	return y.u[i] * amplitude * root, sign * y.s[i] * amplitude / root
}
