package analytic

import "math/cmplx"

// sheet says, per branch point, whether the function is continued to the left of
// its Pekeris cut, where the wave leaks.
type sheet struct {
	bottomP, bottomS bool
	topP, topS       bool
}

// up carries the solution that satisfies the bottom's condition up to the bottom
// of layer index, seen from within that layer.
func (s *stack) up(x complex128, sh sheet, index int) state {
	k := cmplx.Sqrt(x)
	last := len(s.layers) - 1
	st := s.bottom.start(k, x, s.kappa, sh.bottomP, sh.bottomS, false, s.layers[last].elastic)
	for i := last; i > index; i-- {
		b := &s.layers[i]
		st.into(b.elastic, s.kappa)
		for j := len(b.cells) - 1; j >= 0; j-- {
			st.cross(&b.cells[j], k, x, s.kappa, true)
		}
	}
	st.into(s.layers[index].elastic, s.kappa)
	return st
}

// down carries the solution that satisfies the top's condition down to the top of
// layer index, seen from within that layer.
func (s *stack) down(x complex128, sh sheet, index int) state {
	k := cmplx.Sqrt(x)
	st := s.top.start(k, x, s.kappa, sh.topP, sh.topS, true, s.layers[0].elastic)
	for i := range index {
		b := &s.layers[i]
		st.into(b.elastic, s.kappa)
		for j := range b.cells {
			st.cross(&b.cells[j], k, x, s.kappa, false)
		}
	}
	st.into(s.layers[index].elastic, s.kappa)
	return st
}

func (s *state) cross(c *cell, k, x complex128, kappa float64, up bool) {
	if s.elastic {
		s.minors.crossElastic(c, k, x, kappa, up)
	} else {
		s.fluid.crossFluid(c, x, up)
	}
}

// meet are the two solutions at a place in a fluid.
func (s *stack) meet(x complex128, sh sheet, at place) (above, below fluidState) {
	l := &s.layers[at.layer]
	below = s.up(x, sh, at.layer).fluid
	for j := len(l.cells) - 1; j >= at.cell; j-- {
		below.crossFluid(&l.cells[j], x, true)
	}
	above = s.down(x, sh, at.layer).fluid
	for j := range at.cell {
		above.crossFluid(&l.cells[j], x, false)
	}
	return above, below
}

// value is the characteristic function as mantissa times exp(scale): the
// Wronskian p₁w₂ - w₁p₂ of the solutions from above and from below, zero where
// they are one. It does not depend on the cell where they meet, and is analytic
// in x on the sheet.
func (s *stack) value(x complex128, sh sheet) (mantissa complex128, scale float64) {
	above, below := s.meet(x, sh, place{s.water, len(s.layers[s.water].cells) / 2})
	return above.p*below.w - above.w*below.p, above.scale + below.scale
}
