package modes

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// Side is the medium on one side of an interface.
type Side struct {
	K2      complex128 // squared wavenumber
	Density float64    // g/cm³
}

// KupermanIngenito returns the change of kr2, a mode's squared horizontal
// wavenumber, by scattering at an interface of rms roughness sigma (m), where the
// mode has pressure p and p'/ρ = v:
//
//	-σ² (-a21 p² + 2 a11 p v + a12 v²)
//
// Kuperman & Ingenito, J. Acoust. Soc. Am. 61 (1977) 1178, as KRAKEN applies it:
// coherent loss in the limit of long correlation.
func KupermanIngenito(sigma float64, kr2 complex128, above, below Side, p, v complex128) complex128 {
	pp, pv, vv := scattering(sigma, kr2, above, below)
	return pp*p*p + pv*p*v + vv*v*v
}

// scattering returns the factors of p², p v and v² in [KupermanIngenito].
func scattering(sigma float64, kr2 complex128, above, below Side) (pp, pv, vv complex128) {
	sq1, sq2 := above.K2-kr2, below.K2-kr2
	eta1, eta2 := downgoing(sq1), downgoing(sq2)
	r1, r2 := complex(above.Density, 0), complex(below.Density, 0)
	delta := r1*eta2 + r2*eta1
	if delta == 0 {
		return 0, 0, 0
	}
	cross := r2*sq1 - r1*sq2
	a11 := 0.5*(sq1-sq2) - cross*(eta1+eta2)/delta
	a12 := 1i * (r2 - r1) * (r2 - r1) * eta1 * eta2 / delta
	a21 := -1i * cross * cross / (r1 * r2 * delta)
	square := complex(sigma*sigma, 0)
	return square * a21, -2 * square * a11, -square * a12
}

// downgoing is the vertical wavenumber of a wave exp(-iηz): where it is evanescent
// it decays, η = -i|η|, also in a medium without loss.
func downgoing(square complex128) complex128 {
	if real(square) < 0 {
		return -1i * cmplx.Sqrt(-square)
	}
	return cmplx.Sqrt(square)
}

// scatter adds the loss of coherent energy at rough interfaces.
func (m *Modes) scatter(b *batch, t *join, loss *[lanes]complex128) {
	k := &m.column
	for i := 0; i <= len(k.stack.media); i++ {
		if r := k.stack.roughness(i); r > 0 {
			if ci, ok := k.reached(b, i); ok {
				above, below := k.stack.sides(i)
				m.scatterAt(b, t, ci, r, above, below, loss)
			}
		}
	}
}

// roughness is that of interface i: the top of medium i, or the bottom of the last.
func (s *stack) roughness(i int) float64 {
	switch {
	case i == 0:
		return s.roughSurface
	case i == len(s.media) && s.roughBottom > 0:
		return s.roughBottom
	}
	return s.media[i-1].roughness
}

// sides are the media that meet at interface i.
func (s *stack) sides(i int) (above, below Side) {
	above, below = outer(s.surface), outer(s.bottom)
	if i > 0 {
		med := &s.media[i-1]
		above = Side{s.edgeK2(med.last-1, med.bottom), med.density}
	}
	if i < len(s.media) {
		med := &s.media[i]
		below = Side{s.edgeK2(med.first, med.top), med.density}
	}
	return above, below
}

// reached returns the first cell below interface i (the number of cells for the
// last interface), and whether the batch's modes reach it.
func (k *column) reached(b *batch, i int) (int, bool) {
	ci := len(k.cells)
	for c := range k.cells {
		if k.cells[c].medium >= i {
			ci = c
			break
		}
	}
	if ci == len(k.cells) && (k.cut || i < len(k.stack.media)) {
		return ci, false
	}
	return ci, ci >= b.first && ci <= b.last && (ci > 0 || b.first == 0)
}

// outer is the side beyond a boundary: a vacuum and a rigid body are a very light
// and a very dense medium.
func outer(b boundary) Side {
	switch b.kind {
	case acoustics.PressureRelease:
		return Side{1, 1e-9}
	case acoustics.Rigid:
		return Side{1, 1e9}
	}
	return Side{b.k2, b.density}
}

// edgeK2 is the squared wavenumber of a piece at a depth, without its loss, as in
// KRAKEN: scattering is the perturbation of lossless modes.
func (s *stack) edgeK2(piece int, z float64) complex128 {
	return complex(s.omega*s.omega*real(s.pieces[piece].slowness2(z)), 0)
}

// scatterAt adds the loss at the top of cell ci (the bottom of the last cell for
// ci = len(cells)).
func (m *Modes) scatterAt(b *batch, t *join, ci int, sigma float64, above, below Side, loss *[lanes]complex128) {
	for i := range lanes {
		p, v := m.atEdge(b, t, ci, i)
		loss[i] += KupermanIngenito(sigma, complex(b.e[i], 0), above, below, complex(p, 0), complex(v, 0))
	}
}

// atEdge returns p and p'/ρ of lane i at the top of cell ci.
func (m *Modes) atEdge(b *batch, t *join, ci, i int) (p, v float64) {
	k := &m.column
	med := func(c int) float64 { return k.stack.media[k.cells[c].medium].density }
	var y *state
	var density, amplitude, sign float64
	switch {
	case ci < b.match:
		y, density, amplitude, sign = &b.states[ci], med(ci), t.above[i], 1
	case ci == b.match:
		y, density, amplitude, sign = &b.down, med(ci), t.above[i], 1
	default:
		y, density, amplitude, sign = &b.states[ci-1], med(ci-1), t.below[i], -1
	}
	root := math.Sqrt(density)
	return y.u[i] * amplitude * root, sign * y.s[i] * amplitude / root
}
