package modes

import (
	"fmt"
	"math"
	"slices"

	"oceaninv/acoustics"
)

// cellTangent is how a cell changes with a parameter.
type cellTangent struct {
	active bool
	h      float64
	q, qi  [moments]float64
	v      [moments]float64 // of the propagator's v_n
	d      propagator       // of its coefficients, seen along the sweep
	jump   float64
}

// direction is a Direction made ready for one solve.
type direction struct {
	*way
	sourceDensity float64

	// Of one that is not local.
	plus, minus       stack
	cells             []cellTangent
	same              []bool  // per piece
	highest, lowest   float64 // depths between which pieces change
	plusCell, lowCell cell

	// Of a local one.
	pieces []pieceTangent
	active []touched // cells
	parts  []touched // before places
}

// set flattens the direction's cases and differences their geometry.
func (d *direction) set(s *stack) error {
	plus, minus := d.given.Plus.Environment, d.given.Minus.Environment
	for _, env := range [2]*acoustics.Environment{plus, minus} {
		if err := checkFluid(env); err != nil {
			return err
		}
	}
	d.plus.buildBeside(plus, s, d.from)
	d.minus.buildBeside(minus, s, d.from)
	if len(d.plus.media) != len(s.media) || len(d.minus.media) != len(s.media) {
		return fmt.Errorf("modes: a direction changes the number of media")
	}
	d.compare(s)
	return nil
}

// buildBeside flattens env where another ocean has been: water that is the same is
// copied.
func (s *stack) buildBeside(env *acoustics.Environment, other *stack, from *acoustics.Environment) {
	if m := len(from.Cover); len(env.Cover) == m && env.Top() == from.Top() && sameWater(&env.Water, &from.Water) {
		s.known = other
	}
	s.build(env, other.frequency)
	s.known = nil
}

// sameWater reports whether two waters have the same pieces.
func sameWater(a, b *acoustics.Water) bool {
	return a.Depth == b.Depth && a.Attenuation == b.Attenuation && a.Attenuations == nil && b.Attenuations == nil &&
		a.VolumeAttenuation == b.VolumeAttenuation && a.Profile.Interpolation == b.Profile.Interpolation &&
		slices.Equal(a.Profile.Speed, b.Profile.Speed) && slices.Equal(a.Profile.Depth, b.Profile.Depth)
}

// differenceCells differences the cells.
func (d *direction) differenceCells(k *column) {
	d.cells = grow(d.cells, len(k.cells))
	for c := range k.cells {
		cl := &k.cells[c]
		top, bottom := cl.top, cl.bottom()
		if d.still(k, cl) {
			d.cells[c] = cellTangent{}
			d.jumpAt(k, c)
			continue
		}
		d.difference(&d.cells[c], cl, &d.plus, &d.minus, [4]float64{
			k.moved(&d.plus, cl.medium, top), k.moved(&d.plus, cl.medium, bottom),
			k.moved(&d.minus, cl.medium, top), k.moved(&d.minus, cl.medium, bottom)})
		// What does not absorb yet may begin to along the direction.
		cl.lossy = cl.lossy || d.cells[c].qi != [moments]float64{}
		d.jumpAt(k, c)
	}
}

func (d *direction) jumpAt(k *column, c int) {
	if m := k.cells[c].medium; c > 0 && m != k.cells[c-1].medium {
		d.cells[c].jump = (d.plus.jump(m) - d.minus.jump(m)) * d.inverse
	}
}

// compare marks the pieces that the direction at most moves as a whole.
func (d *direction) compare(s *stack) {
	n := len(s.pieces)
	d.same = grow(d.same, n)
	d.highest, d.lowest = math.Inf(1), math.Inf(-1)
	alike := len(d.plus.pieces) == n && len(d.minus.pieces) == n
	for i := range d.same {
		d.same[i] = alike && d.plus.pieces[i].like(&d.minus.pieces[i])
		if p := &s.pieces[i]; !d.same[i] {
			d.highest, d.lowest = math.Min(d.highest, p.top), math.Max(d.lowest, p.bottom)
		}
	}
}

// like reports whether two pieces differ in depth alone, but for rounding.
func (p *piece) like(q *piece) bool {
	change := (p.bottom - p.top) - (q.bottom - q.top)
	return p.coef == q.coef && math.Abs(change) <= 4e-16*(math.Abs(p.bottom)+math.Abs(q.bottom))
}

// still reports whether none of the pieces in a cell changes.
func (d *direction) still(k *column, c *cell) bool {
	bottom := c.bottom()
	if c.top >= d.lowest || bottom <= d.highest {
		return true
	}
	med := &k.stack.media[c.medium]
	for i := k.stack.pieceAt(med, c.top); i < med.last && k.stack.pieces[i].top < bottom; i++ {
		if !d.same[i] && k.stack.pieces[i].bottom > c.top {
			return false
		}
	}
	return true
}

// jump is √(density above/density below) of the top of medium m.
func (s *stack) jump(m int) float64 { return math.Sqrt(s.media[m-1].density / s.media[m].density) }

// moved is where depth z of medium m goes in another stack: to the same share of
// the same piece, or, where that has other pieces, of the medium.
func (k *column) moved(other *stack, m int, z float64) float64 {
	a, b := &k.stack.media[m], &other.media[m]
	if a.last-a.first != b.last-b.first {
		return b.top + (z-a.top)/(a.bottom-a.top)*(b.bottom-b.top)
	}
	i := k.stack.pieceAt(a, z)
	p, q := &k.stack.pieces[i], &other.pieces[b.first+i-a.first]
	switch z {
	case p.top:
		return q.top
	case p.bottom:
		return q.bottom
	}
	return q.top + (z-p.top)/(p.bottom-p.top)*(q.bottom-q.top)
}

// difference differences one cell between two stacks. Its ends have moved: top and
// bottom in the one, top and bottom in the other.
func (d *direction) difference(t *cellTangent, c *cell, plus, minus *stack, ends [4]float64) {
	plus.measure(&d.plusCell, c.medium, ends[0], ends[1])
	minus.measure(&d.lowCell, c.medium, ends[2], ends[3])
	*t = cellTangent{h: ((ends[1] - ends[0]) - (ends[3] - ends[2])) * d.inverse}
	// Rounding alone makes differences up to this size.
	noise := 1e-14 * d.inverse
	t.h = denoise(t.h, noise*(c.bottom()))
	t.active = t.h != 0
	for n := range t.q {
		t.q[n] = denoise((d.plusCell.q[n]-d.lowCell.q[n])*d.inverse, noise*c.q[0])
		t.qi[n] = denoise((d.plusCell.qi[n]-d.lowCell.qi[n])*d.inverse, noise*math.Abs(c.qi[0]))
		t.active = t.active || t.q[n] != 0 || t.qi[n] != 0
	}
	if !t.active {
		return
	}
	for n := 1; n <= 4; n++ {
		t.v[n] = -c.h*c.h*t.q[n] - 2*c.h*t.h*c.q[n]
	}
}

// differentiate sets the derivative of the propagator's coefficients.
func (t *cellTangent) differentiate(c *cell) {
	v := c.powers()
	t.d.setDerivative(&v, &t.v)
}

// powers are the v_n = -h² q_n of the propagator.
func (c *cell) powers() (v [moments]float64) {
	for n := 1; n <= 4; n++ {
		v[n] = -c.h * c.h * c.q[n]
	}
	return v
}

func denoise(x, noise float64) float64 {
	if math.Abs(x) <= noise {
		return 0
	}
	return x
}
