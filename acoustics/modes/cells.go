package modes

import (
	"math"
	"slices"

	"oceaninv/acoustics"
)

// moments is how many Legendre coefficients of q = k0² a cell carries.
const moments = 7

// maxCells bounds the memory of one solve.
const maxCells = 1 << 20

// cell is a stretch of depth inside one medium with the Legendre coefficients of
// Re k0² and Im k0² over it.
type cell struct {
	propagator
	top    float64
	medium int
	// long marks a homogeneous cell of any thickness.
	long  bool
	lossy bool
	jump  float64 // √(density above/density here), 1 inside a medium
	q     [moments]float64
	qi    [moments]float64
	lo    float64 // smallest and largest Re k0²
	hi    float64
}

func (c *cell) bottom() float64 { return c.top + c.h }

// Six-point Gauss-Legendre rule on [-1, 1]: exact for the product of P6 and a
// quintic.
var (
	gaussX = [6]float64{-0.932469514203152, -0.661209386466265, -0.238619186083197,
		0.238619186083197, 0.661209386466265, 0.932469514203152}
	gaussW = [6]float64{0.171324492379170, 0.360761573048139, 0.467913934572691,
		0.467913934572691, 0.360761573048139, 0.171324492379170}
)

// measure fills the cell [top, bottom] of medium m with the moments of k0²:
// q_n = (2n+1)/2 ∫ k0² P_n dy over y in [-1, 1]. The integral runs over each piece
// inside the cell apart, so kinks at knots cost no accuracy.
func (s *stack) measure(c *cell, m int, top, bottom float64) {
	*c = cell{top: top, medium: m, jump: 1, lo: math.Inf(1), hi: math.Inf(-1)}
	h := bottom - top
	w2 := s.omega * s.omega
	med := &s.media[m]
	for i := s.pieceAt(med, top); i < med.last && s.pieces[i].top < bottom; i++ {
		p := &s.pieces[i]
		a, b := max(p.top, top), min(p.bottom, bottom)
		if a >= b {
			continue
		}
		c.lossy = c.lossy || p.lossy
		if p.constant && p.top <= top && p.bottom >= bottom {
			k2 := p.slowness2(a)
			c.q[0], c.qi[0] = w2*real(k2), w2*imag(k2)
			c.lo, c.hi = c.q[0], c.q[0]
			break
		}
		lo, hi := p.extremes(a, b)
		c.lo, c.hi = min(c.lo, w2*lo), max(c.hi, w2*hi)
		half := 0.5 * (b - a)
		for j, x := range gaussX {
			z := a + half*(1+x)
			w := w2 * gaussW[j] * half / h
			y := (2*z - top - bottom) / h
			if p.lossy {
				k2 := p.slowness2(z)
				c.accumulate(y, w*real(k2))
				c.accumulateLoss(y, w*imag(k2))
			} else {
				c.accumulate(y, w*p.real2(z))
			}
		}
	}
	c.propagator.set(h, &c.q)
}

// pieceAt is the first piece of a medium that reaches below depth z.
func (s *stack) pieceAt(med *medium, z float64) int {
	lo, hi := med.first, med.last
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; s.pieces[mid].top <= z {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// accumulate adds a weighted value of Re k0² at y in [-1, 1] to the moments.
func (c *cell) accumulate(y, re float64) {
	y2 := y * y
	p2 := 1.5*y2 - 0.5
	p3 := y * (2.5*y2 - 1.5)
	p4 := (4.375*y2-3.75)*y2 + 0.375
	p5 := y * ((7.875*y2-8.75)*y2 + 1.875)
	p6 := ((14.4375*y2-19.6875)*y2+6.5625)*y2 - 0.3125
	c.q[0] += re
	c.q[1] += 3 * y * re
	c.q[2] += 5 * p2 * re
	c.q[3] += 7 * p3 * re
	c.q[4] += 9 * p4 * re
	c.q[5] += 11 * p5 * re
	c.q[6] += 13 * p6 * re
}

// accumulateLoss adds a weighted value of Im k0², of which the first-order loss
// needs the moments that the propagator has.
func (c *cell) accumulateLoss(y, im float64) {
	y2 := y * y
	c.qi[0] += im
	c.qi[1] += 3 * y * im
	c.qi[2] += 5 * (1.5*y2 - 0.5) * im
	c.qi[3] += 7 * y * (2.5*y2 - 1.5) * im
	c.qi[4] += 9 * ((4.375*y2-3.75)*y2 + 0.375) * im
}

// window is the range of squared wavenumbers E that is searched.
type window struct{ lo, hi float64 }

// neglected estimates the largest entry that the propagator leaves out, over the
// window: the moments v5 and v6, and products of moments beyond its order.
func (c *cell) neglected(w window) float64 {
	h2 := c.h * c.h
	z := h2 * math.Max(math.Abs(w.hi-c.q[0]), math.Abs(w.lo-c.q[0]))
	z = math.Min(z, maxZ)
	var v [moments]float64
	for n := range v {
		v[n] = math.Abs(h2 * c.q[n])
	}
	return Neglected(&v, z)
}

// Neglected estimates the largest entry of a cell's matrix that [Perturbation]
// leaves out, from the magnitudes of the scaled moments v1 .. v6 (v[0] is unused)
// and of Z, up to 9.5: beyond, the entries' functions no longer grow.
func Neglected(v *[moments]float64, z float64) float64 {
	v1, v2, v3, v4, v5, v6 := v[1], v[2], v[3], v[4], v[5], v[6]
	high := v5*z*z/20790 + v6*z*z/40000
	return high + 4e-6*v1*v1*v1*v1 + 5e-5*v1*v2*v2 + 3e-6*v1*v1*v1*v2 +
		1e-3*v3*v3 + 5e-4*v2*v4 + 5e-5*v1*v1*v3 + 2e-4*v3*v4 + 5e-4*v1*v5
}

// mesher cuts a stack into cells.
type mesher struct {
	stack     *stack
	window    window
	tolerance float64
	cells     []cell
	kinks     []float64 // depths at which cells must end, increasing
	// decay is ∫√(E-q) dz since the last turning point of the steepest mode: what
	// lies deeper than some decay no mode feels.
	decay    float64
	allowed  float64 // depth below which q < window.lo everywhere
	cut      bool    // the cells end at a depth that no mode reaches
	overflow bool
}

// deepDecay is the ∫√(E-q)dz after which a mode is cut off: e^(-2·deepDecay) is
// the relative error of its wavenumber.
const deepDecay = 17

// build makes the cells for a stack.
func (b *mesher) build(s *stack, w window, tolerance float64) {
	b.stack, b.window, b.tolerance = s, w, tolerance
	b.cells, b.decay, b.cut, b.overflow = b.cells[:0], 0, false, false
	b.allowed = s.lastAllowed(w.lo)
	for m := range s.media {
		first := len(b.cells)
		b.medium(m)
		if m > 0 && first < len(b.cells) {
			b.cells[first].jump = math.Sqrt(s.media[m-1].density / s.media[m].density)
		}
		if b.cut || b.overflow {
			break
		}
	}
	if len(b.cells) == 1 {
		b.halve()
	}
}

// halve makes two cells of the only one, so that the match has one on each side.
func (b *mesher) halve() {
	c := b.cells[0]
	middle := c.top + 0.5*c.h
	b.cells = append(b.cells, cell{})
	b.stack.measure(&b.cells[0], c.medium, c.top, middle)
	b.stack.measure(&b.cells[1], c.medium, middle, c.bottom())
	b.cells[0].long, b.cells[1].long = c.long, c.long
}

// lastAllowed is the depth below which q < e holds throughout: +Inf where the
// half-space itself is not below.
func (s *stack) lastAllowed(e float64) float64 {
	if s.bottom.kind == acoustics.Halfspace && real(s.bottom.k2) >= e {
		return math.Inf(1)
	}
	w2 := s.omega * s.omega
	for i := len(s.pieces) - 1; i >= 0; i-- {
		p := &s.pieces[i]
		if _, hi := p.extremes(p.top, p.bottom); w2*hi >= e {
			return p.bottom
		}
	}
	return 0
}

// medium cuts one medium: constant pieces that are long for the window become one
// cell each, the runs between them are cut evenly, then where needed.
func (b *mesher) medium(m int) {
	s := b.stack
	med := &s.media[m]
	w2 := s.omega * s.omega
	start := med.top
	for i := med.first; i < med.last && !b.cut; i++ {
		p := &s.pieces[i]
		if !p.constant {
			continue
		}
		q := w2 * real(p.slowness2(p.top))
		h := p.bottom - p.top
		if h*h*math.Max(math.Abs(q-b.window.lo), math.Abs(b.window.hi-q)) <= maxZ {
			continue
		}
		b.run(m, start, p.top)
		b.homogeneous(m, p.top, p.bottom, q)
		start = p.bottom
	}
	b.run(m, start, med.bottom)
}

// homogeneous appends cells of a constant piece: one, or several where a mode
// would decay too much for one.
func (b *mesher) homogeneous(m int, top, bottom, q float64) {
	if b.cut {
		return
	}
	n := 1 + int((bottom-top)*math.Sqrt(math.Max(0, b.window.hi-q))/40)
	n = min(n, maxCells+1)
	for i := 0; i < n && !b.cut && !b.overflow; i++ {
		var c cell
		b.stack.measure(&c, m, mix(top, bottom, i, n), mix(top, bottom, i+1, n))
		c.long = true
		b.append(&c)
	}
}

func mix(a, b float64, i, n int) float64 {
	if i == n {
		return b
	}
	return a + (b-a)*float64(i)/float64(n)
}

// run cuts [top, bottom] at the kinks inside it.
func (b *mesher) run(m int, top, bottom float64) {
	at, _ := slices.BinarySearch(b.kinks, top)
	for ; at < len(b.kinks) && b.kinks[at] < bottom; at++ {
		if b.kinks[at] > top {
			b.even(m, top, b.kinks[at])
			top = b.kinks[at]
		}
	}
	b.even(m, top, bottom)
}

// even cuts [top, bottom] into the fewest even cells within the bound on |Z|, then
// each further by its error.
func (b *mesher) even(m int, top, bottom float64) {
	if b.cut || bottom-top <= 0 {
		return
	}
	lo, hi := b.stack.span(m, top, bottom)
	z := math.Max(hi-b.window.lo, b.window.hi-lo)
	cells := math.Ceil((bottom - top) * math.Sqrt(math.Max(z, 0)/maxZ))
	if cells > maxCells {
		b.overflow = true
		return
	}
	n := max(1, int(cells))
	for i := 0; i < n && !b.cut && !b.overflow; i++ {
		b.refine(m, mix(top, bottom, i, n), mix(top, bottom, i+1, n), 0)
	}
}

// span is the smallest and the largest Re k0² of a medium on [top, bottom].
func (s *stack) span(m int, top, bottom float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	w2 := s.omega * s.omega
	med := &s.media[m]
	for i := s.pieceAt(med, top); i < med.last && s.pieces[i].top < bottom; i++ {
		p := &s.pieces[i]
		if a, b := max(p.top, top), min(p.bottom, bottom); a < b {
			l, h := p.extremes(a, b)
			lo, hi = min(lo, w2*l), max(hi, w2*h)
		}
	}
	return lo, hi
}

// refine appends [top, bottom] as one cell if it is accurate enough, else in two
// parts, divided at a knot if one is inside.
func (b *mesher) refine(m int, top, bottom float64, depth int) {
	var c cell
	b.stack.measure(&c, m, top, bottom)
	// An error ε of the propagator acts like an error 2ε/h² of q, in few cells at a
	// time and in both directions; where modes have decayed it matters less.
	bound := 2 * b.tolerance * b.window.lo * c.h * c.h
	if b.decay > 0 {
		bound *= math.Exp(math.Min(2*b.decay, 60))
	}
	if depth >= 40 || c.neglected(b.window) <= math.Max(bound, 1e-15) {
		b.append(&c)
		return
	}
	middle := b.stack.division(m, top, bottom)
	b.refine(m, top, middle, depth+1)
	if !b.cut {
		b.refine(m, middle, bottom, depth+1)
	}
}

// division is where to divide a cell: the knot nearest its middle, or the middle.
func (s *stack) division(m int, top, bottom float64) float64 {
	middle := 0.5 * (top + bottom)
	best, distance := middle, math.Inf(1)
	med := &s.media[m]
	for i := med.first; i+1 < med.last; i++ {
		z := s.pieces[i].bottom
		if z > top && z < bottom && math.Abs(z-middle) < distance {
			best, distance = z, math.Abs(z-middle)
		}
	}
	return best
}

// append adds a cell and follows the decay of the steepest mode.
func (b *mesher) append(c *cell) {
	if len(b.cells) >= maxCells {
		b.overflow = true
		return
	}
	b.cells = append(b.cells, *c)
	if c.top < b.allowed {
		b.decay = 0
		return
	}
	b.decay += math.Sqrt(math.Max(0, b.window.lo-c.hi)) * c.h
	b.cut = b.decay > deepDecay
}
