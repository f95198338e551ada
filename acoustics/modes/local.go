package modes

import (
	"math"
	"math/cmplx"
	"slices"

	"oceaninv/acoustics"
)

// A local direction changes neither geometry nor densities nor boundaries, but the
// speeds and attenuations at knots joined by straight lines, the source or the array.
// There may be one for every knot of a profile: only what it touches is looked at.

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

// setLocal differences what the case is made of, and reports whether the direction is
// a local one.
func (d *direction) setLocal(s *stack, at *Case, given *Direction) bool {
	from, plus, minus := at.Environment, given.Plus.Environment, given.Minus.Environment
	d.pieces, d.active, d.parts = d.pieces[:0], d.active[:0], d.parts[:0]
	d.local = given.Step > 0 && alike(from, plus) && alike(from, minus)
	if !d.local {
		return false
	}
	d.inverse, d.given, d.from, d.sourceDensity = 0.5/given.Step, *given, from, 0
	media := 0
	for i := range from.Cover {
		d.layer(s, media, &from.Cover[i], &plus.Cover[i], &minus.Cover[i])
		media++
	}
	d.local = d.water(s, media, &from.Water, &plus.Water, &minus.Water)
	for i := range from.Layers {
		media++
		d.layer(s, media, &from.Layers[i], &plus.Layers[i], &minus.Layers[i])
	}
	return d.local
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
		size := straight * (cmplx.Abs(change[0]) + cmplx.Abs(change[1])) / (p.bottom - p.top)
		before, after := complex128(0), complex128(0)
		if i > 0 && d.pieces[i-1].index == d.pieces[i].index-1 {
			before = d.slope(s, i-1)
		}
		if i+1 < len(d.pieces) && d.pieces[i+1].index == d.pieces[i].index+1 {
			after = d.slope(s, i+1)
		}
		here := d.slope(s, i)
		if cmplx.Abs(here-before) > size {
			at = append(at, p.top)
		}
		if cmplx.Abs(here-after) > size {
			at = append(at, p.bottom)
		}
	}
	return at
}

// slope is the slope in depth of a changed piece's change.
func (d *direction) slope(s *stack, i int) complex128 {
	p := &s.pieces[d.pieces[i].index]
	return d.pieces[i].coef[1] / complex(p.bottom-p.top, 0)
}

// alike reports whether two oceans differ in speeds and attenuations of the media at
// most.
func alike(a, b *acoustics.Environment) bool {
	v, w := &a.Water, &b.Water
	return a == b || v.Depth == w.Depth && v.Density == w.Density && v.VolumeAttenuation == w.VolumeAttenuation &&
		v.BottomRoughness == w.BottomRoughness && len(v.Attenuations) == len(w.Attenuations) &&
		v.Profile.Interpolation == w.Profile.Interpolation && len(v.Profile.Speed) == len(w.Profile.Speed) &&
		slices.Equal(v.Profile.Depth, w.Profile.Depth) && sameBoundary(&a.Surface, &b.Surface) && sameBoundary(&a.Bottom, &b.Bottom) &&
		slices.EqualFunc(a.Cover, b.Cover, alikeLayers) && slices.EqualFunc(a.Layers, b.Layers, alikeLayers)
}

func sameBoundary(a, b *acoustics.Boundary) bool {
	return a.Kind == b.Kind && a.Material == b.Material && a.Roughness == b.Roughness
}

func alikeLayers(a, b acoustics.Layer) bool {
	same := a.Thickness == b.Thickness && a.BottomRoughness == b.BottomRoughness && a.Interpolation == b.Interpolation && len(a.Knots) == len(b.Knots)
	for i := 0; same && i < len(a.Knots); i++ {
		v, w := &a.Knots[i], &b.Knots[i]
		same = v.Depth == w.Depth && v.Density == w.Density && v.ShearSpeed == w.ShearSpeed
	}
	return same
}

// knot is a speed and an attenuation.
type knot struct {
	speed       float64
	attenuation acoustics.Attenuation
}

// water adds the pieces of the water that change; false if they are not straight.
func (d *direction) water(s *stack, medium int, w, plus, minus *acoustics.Water) bool {
	from, p, m := w.Profile.Speed, plus.Profile.Speed, minus.Profile.Speed
	kind, last := w.Profile.Interpolation, complex128(0)
	absorb := w.Attenuations != nil || plus.Attenuation != w.Attenuation || minus.Attenuation != w.Attenuation
	first, end := 0, len(from)
	if !absorb {
		first, end = changed(from, p, m)
	}
	for i := first; i < end; i++ {
		c, change := from[i], complex128(0)
		if p[i] != c || m[i] != c || absorb && (plus.AttenuationAt(i) != w.AttenuationAt(i) || minus.AttenuationAt(i) != w.AttenuationAt(i)) {
			if kind != acoustics.CLinear && kind != acoustics.N2Linear {
				return false
			}
			change = d.knot(s, knot{p[i], plus.AttenuationAt(i)}, knot{m[i], minus.AttenuationAt(i)})
		}
		if i > 0 && (last != 0 || change != 0) {
			a, b := s.complexSpeed(from[i-1], w.AttenuationAt(i-1)), s.complexSpeed(c, w.AttenuationAt(i))
			d.straight(s, medium, kind, i-1, [2]float64{w.Profile.Depth[i-1], w.Profile.Depth[i]}, [2]complex128{a, b}, [2]complex128{last, change})
		}
		last = change
	}
	if len(from) == 1 && last != 0 {
		d.pieces = append(d.pieces, pieceTangent{s.media[medium].first, [4]complex128{last}})
	}
	return true
}

// changed are the knots, first up to end, that may change or follow one that does.
func changed(from, plus, minus []float64) (first, end int) {
	plus, minus, end = plus[:len(from)], minus[:len(from)], len(from)
	for first < end && plus[first] == from[first] && minus[first] == from[first] {
		first++
	}
	for end > first && plus[end-1] == from[end-1] && minus[end-1] == from[end-1] {
		end--
	}
	if first < end {
		end = min(end+1, len(from))
	}
	return first, end
}

// knot is the change of the complex speed at a knot.
func (d *direction) knot(s *stack, plus, minus knot) complex128 {
	return (s.complexSpeed(plus.speed, plus.attenuation) - s.complexSpeed(minus.speed, minus.attenuation)) * complex(d.inverse, 0)
}

// layer adds the pieces of a layer that change. Layers are straight between knots.
func (d *direction) layer(s *stack, medium int, l, plus, minus *acoustics.Layer) {
	last := complex128(0)
	for i := range l.Knots {
		k, p, m := &l.Knots[i], &plus.Knots[i], &minus.Knots[i]
		change := complex128(0)
		if p.SoundSpeed != k.SoundSpeed || m.SoundSpeed != k.SoundSpeed || p.Attenuation != k.Attenuation || m.Attenuation != k.Attenuation {
			change = d.knot(s, knot{p.SoundSpeed, p.Attenuation}, knot{m.SoundSpeed, m.Attenuation})
		}
		if i > 0 && (last != 0 || change != 0) {
			before := &l.Knots[i-1]
			a, b := s.complexSpeed(before.SoundSpeed, before.Attenuation), s.complexSpeed(k.SoundSpeed, k.Attenuation)
			d.straight(s, medium, l.Interpolation, i-1, [2]float64{before.Depth, k.Depth}, [2]complex128{a, b}, [2]complex128{last, change})
		}
		last = change
	}
	if len(l.Knots) == 1 && last != 0 {
		d.pieces = append(d.pieces, pieceTangent{s.media[medium].first, [4]complex128{last}})
	}
}

// straight adds the piece between two knots, at depths z below the top of the medium,
// with complex speeds c that change by dc.
func (d *direction) straight(s *stack, medium int, kind acoustics.Interpolation, at int, z [2]float64, c, dc [2]complex128) {
	m := &s.media[medium]
	index := m.first + at - m.knot
	if index < m.first || index >= m.last {
		return // beyond the medium
	}
	a, b := dc[0], dc[1]
	if kind == acoustics.N2Linear {
		a, b = -2*a/(c[0]*c[0]*c[0]), -2*b/(c[1]*c[1]*c[1])
	}
	p := piece{top: m.top + z[0], bottom: m.top + z[1], coef: [4]complex128{a, b - a}}
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
// whose ends move. The places of the case are those of j.
func (d *direction) touchPlaces(j *jacobian, m *Modes, at *Case) {
	d.place(j, m, at)
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

// place differences source and array.
func (d *direction) place(j *jacobian, m *Modes, at *Case) {
	plus, minus := &d.given.Plus, &d.given.Minus
	d.zPlus, d.zMinus = plus.Source.Depth, minus.Source.Depth
	d.sourceDepth = (d.zPlus - d.zMinus) * d.inverse
	n := len(j.depths) - 1
	d.depths, d.ranges = cleared(d.depths, n), cleared(d.ranges, n)
	if sameArray(&plus.Array, &at.Array) && sameArray(&minus.Array, &at.Array) {
		return
	}
	d.differenceArrays(plus, minus)
}

func (d *direction) differenceArrays(plus, minus *Case) {
	d.plusZ, d.plusR = plus.Array.Positions(d.plusZ[:0], d.plusR[:0])
	d.minusZ, d.minusR = minus.Array.Positions(d.minusZ[:0], d.minusR[:0])
	d.depths, d.ranges = grow(d.depths, len(d.plusZ)), grow(d.ranges, len(d.plusZ))
	for i := range d.plusZ {
		d.depths[i] = (d.plusZ[i] - d.minusZ[i]) * d.inverse
		d.ranges[i] = (d.plusR[i] - d.minusR[i]) * d.inverse
	}
}

func sameArray(a, b *acoustics.ReceiverArray) bool {
	return a.Range == b.Range && a.Tilt == b.Tilt && a.DepthOffset == b.DepthOffset && slices.Equal(a.Depths, b.Depths)
}

// complete prepares a local direction as all others are, for the forward derivative.
func (j *jacobian) complete(k *column, d int) {
	dir := &j.directions[d]
	if err := dir.set(k.stack, dir.from, &dir.given); err != nil {
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
