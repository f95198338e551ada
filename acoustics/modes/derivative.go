package modes

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// jacobian is the memory of one [Solver.Jacobian].
type jacobian struct {
	directions []direction
	of         *Directions // they are, as of its set number sets
	sets       int
	crossings  []crossing    // of one lane
	inside     []crossing    // of the lane, up to each place
	change     []change      // of the state entering each cell, E held
	loss       []lossTangent // [direction][cell], where lossy and active
	absorbers  []absorber
	dwave      []float64    // of φ, [direction][mode][place]
	dkr        []complex128 // [direction][mode]
	depths     []float64    // source, then phones
	subs       [][2]subCell // from above and from below
	adjoint    adjoint
	swept      []complex128 // pressure
	varied     bool         // dwave and dkr belong to the last Jacobian
}

// change is the change of (u, s).
type change struct{ u, s float64 }

// subCell is the part of a cell between its entrance and a depth.
type subCell struct {
	index   int // of the cell
	cell    cell
	tangent []cellTangent // per direction
	root    float64       // √ρ
	droot   []float64
}

// Jacobian sets p[i] to the pressure at phone i, as [Modes.Pressure], and
// jac[d*len(p)+i] to its derivative along direction d, by the exact derivative of
// the discrete problem at a frequency in Hz. The derivative with respect to what the cells
// are made of is found for all of them at once, backwards from the pressure, so that a further
// knot of a profile costs less than a hundredth of a solve; without cgo, each direction is
// followed through the cells instead. The modes returned hold until the next Solve or Jacobian.
//
// Errors: those of Solve, [ErrNoDerivative], and directions that change the number of media.
func (s *Solver) Jacobian(p, jac []complex128, directions *Directions, frequency float64) (*Modes, error) {
	at := directions.at
	phones := len(at.Array.Depths)
	if len(p) < phones || len(jac) < phones*directions.Len() {
		panic("modes: Jacobian: p or jac is too short")
	}
	if err := s.prepare(at.Environment, frequency); err != nil {
		return nil, err
	}
	j := &s.jacobian
	if err := j.set(s, directions); err != nil {
		return nil, err
	}
	m, err := s.solve()
	if err != nil {
		return nil, err
	}
	for d := range j.directions {
		if dir := &j.directions[d]; dir.local {
			dir.touchCells(&m.column)
		} else {
			dir.differenceCells(&m.column)
		}
	}
	m.Pressure(p, at.Source, at.Array)
	if err := j.certify(p, m, at); err != nil {
		return nil, err
	}
	if err := j.locate(m, at); err != nil {
		return nil, err
	}
	j.varied = false
	if haveAdjoint {
		j.backward(jac, p, m, at, &s.column)
		return m, nil
	}
	j.vary(m)
	j.assemble(jac, m, at)
	return m, nil
}

// certify refuses what sweeps one by one do not tell: the derivative of each of two modes
// that a barrier joins goes with their distance in E to the power -2, and only their sum is
// the pressure's. Where thick barriers part the modes, the sweeps, each of one duct, must
// make the pressure that the modes make.
func (j *jacobian) certify(p []complex128, m *Modes, at Case) error {
	if m.sweeps.gap < leastGap {
		return ErrNoDerivative{m.Frequency, 0.5 * m.sweeps.gap}
	}
	if !m.sweeps.twins {
		return nil
	}
	j.swept = grow(j.swept, len(at.Array.Depths))
	batches, joins := m.batches, m.joins
	m.batches, m.joins = m.sweeps.batches, m.sweeps.joins
	m.Pressure(j.swept, at.Source, at.Array)
	m.batches, m.joins = batches, joins
	var off, size float64
	for i, v := range j.swept {
		off = math.Max(off, cmplx.Abs(v-p[i]))
		size = math.Max(size, cmplx.Abs(p[i]))
	}
	if !(off <= certified*size) {
		return ErrNoDerivative{m.Frequency, 0}
	}
	return nil
}

// leastGap is the distance in E, relative, at which derivatives of two modes still add up
// to a millionth; certified is how far the pressure of sweeps may be from that of the modes.
const (
	leastGap  = 1e-6
	certified = 1e-6
)

// set differences what the case is made of along the directions, and asks for cells
// that resolve the differences.
func (j *jacobian) set(s *Solver, directions *Directions) error {
	for len(j.directions) < directions.Len() {
		j.directions = append(j.directions, direction{})
	}
	j.directions = j.directions[:directions.Len()]
	j.of, j.sets = directions, directions.sets
	kinks := s.mesher.kinks[:0]
	for d := range j.directions {
		dir := &j.directions[d]
		dir.way = &directions.ways[d]
		if dir.local {
			dir.setPieces(&s.stack)
		} else if err := dir.set(&s.stack); err != nil {
			return fmt.Errorf("direction %d: %w", d, err)
		}
		kinks = dir.kinks(&s.stack, kinks)
	}
	slices.Sort(kinks)
	s.mesher.kinks = slices.Compact(kinks)
	return nil
}

// WavenumberDerivative returns d kr/dθ of mode i along direction d of the last
// Jacobian, whose directions must be as they were.
func (s *Solver) WavenumberDerivative(d, i int) complex128 {
	s.jacobian.forward(&s.modes)
	return s.jacobian.dkr[d*s.modes.Len()+i]
}

// ShapeDerivative returns dφ/dθ of mode i along direction d of the last Jacobian, at
// the source (place 0) or at a phone (place 1, 2, ...), the place moving as the
// direction says.
func (s *Solver) ShapeDerivative(d, i, place int) float64 {
	j := &s.jacobian
	j.forward(&s.modes)
	return j.dwave[(d*s.modes.Len()+i)*len(j.depths)+place]
}

// locate measures the cells' parts before the source and the phones.
func (j *jacobian) locate(m *Modes, at Case) error {
	k := &m.column
	j.depths = append(j.depths[:0], at.Source.Depth)
	j.depths, m.field.ranges = at.Array.Positions(j.depths, m.field.ranges[:0])
	for len(j.subs) < len(j.depths) {
		j.subs = append(j.subs, [2]subCell{})
	}
	for i, z := range j.depths {
		ci := k.find(z)
		if ci < 0 || ci >= len(k.cells) {
			return ErrUnsupported{"depths", fmt.Sprintf("no derivative of the field at %v m, outside the layers", z)}
		}
		for side := range j.subs[i] {
			j.subs[i][side].index = ci
			j.measurePart(k, i, side, z)
		}
	}
	for d := range j.directions {
		if dir := &j.directions[d]; dir.local {
			dir.touchPlaces(j, m)
		}
	}
	return nil
}

// measurePart measures the part of a cell between a place and where the sweep from
// above (side 0) or below (side 1) enters, and differences it.
func (j *jacobian) measurePart(k *column, place, side int, z float64) {
	sub := &j.subs[place][side]
	c := &k.cells[sub.index]
	a, b := c.top, z
	if side == 1 {
		a, b = z, c.bottom()
	}
	sub.tangent, sub.droot = grow(sub.tangent, len(j.directions)), grow(sub.droot, len(j.directions))
	sub.root = math.Sqrt(k.stack.media[c.medium].density)
	sub.cell = cell{}
	if b-a > 1e-9*c.h {
		k.stack.measure(&sub.cell, c.medium, a, b)
	}
	for d := range j.directions {
		if !j.directions[d].local {
			j.locateAlong(k, sub, d, place, side, c, a, b)
		}
	}
}

// locateAlong differences one part: its inner end moves with the cell, its outer
// end with the source or phone.
func (j *jacobian) locateAlong(k *column, sub *subCell, d, place, side int, c *cell, a, b float64) {
	dir := &j.directions[d]
	plus, minus := dir.zPlus, dir.zMinus
	if place > 0 {
		plus, minus = dir.plusZ[place-1], dir.minusZ[place-1]
	}
	aPlus, bPlus, aMinus, bMinus := k.moved(&dir.plus, c.medium, a), plus, k.moved(&dir.minus, c.medium, a), minus
	if side == 1 {
		aPlus, bPlus, aMinus, bMinus = plus, k.moved(&dir.plus, c.medium, b), minus, k.moved(&dir.minus, c.medium, b)
	}
	t := &sub.tangent[d]
	switch {
	case sub.cell.h == 0:
		*t = cellTangent{h: ((bPlus - aPlus) - (bMinus - aMinus)) * dir.inverse, active: true}
	case !dir.cells[sub.index].active && bPlus-aPlus == bMinus-aMinus:
		*t = cellTangent{}
	default:
		dir.difference(t, &sub.cell, &dir.plus, &dir.minus, [4]float64{aPlus, bPlus, aMinus, bMinus})
	}
	sub.droot[d] = (math.Sqrt(dir.plus.media[c.medium].density) - math.Sqrt(dir.minus.media[c.medium].density)) * dir.inverse
	if place == 0 {
		dir.sourceDensity = (dir.plus.media[c.medium].density - dir.minus.media[c.medium].density) * dir.inverse
	}
}

// forward differentiates the modes along the directions unless that has been done.
func (j *jacobian) forward(m *Modes) {
	if j.of.sets != j.sets {
		panic("modes: the directions have been set anew since their Jacobian")
	}
	if !j.varied {
		j.vary(m)
	}
}

// vary differentiates every mode along every direction: wavenumbers by the
// Wronskian, shapes and norms by the variation of both sweeps, absorption by the
// variation of its integral.
func (j *jacobian) vary(m *Modes) {
	j.varied = true
	m.settle()
	for d := range j.directions {
		if j.directions[d].local {
			j.complete(&m.column, d)
		}
	}
	j.differentiate(&m.column)
	n, cells := m.Len(), len(m.column.cells)
	j.dkr = grow(j.dkr, n*len(j.directions))
	j.dwave = grow(j.dwave, n*len(j.directions)*len(j.depths))
	j.crossings = grow(j.crossings, cells)
	j.change = grow(j.change, cells)
	j.inside = grow(j.inside, len(j.depths))
	j.loss = grow(j.loss, cells*len(j.directions))
	j.absorbers = grow(j.absorbers, cells)
	k := &m.column
	for c := range k.cells {
		if k.cells[c].lossy {
			j.absorbers[c].set(&k.cells[c])
		}
	}
	for d := range j.directions {
		for c := range k.cells {
			if k.cells[c].lossy && j.directions[d].cells[c].active {
				j.loss[d*cells+c].set(&k.cells[c], &j.directions[d].cells[c])
			}
		}
	}
	for i := range m.sweeps.batches {
		for lane, mode := range m.sweeps.batches[i].modes {
			if mode < 0 {
				continue
			}
			v := variation{modes: m, jacobian: j, batch: &m.sweeps.batches[i], lane: lane, mode: int(mode)}
			v.prepare()
			v.prepareInside()
			for d := range j.directions {
				v.along(d)
			}
		}
	}
}

// differentiate sets the propagators' derivatives along each direction.
func (j *jacobian) differentiate(k *column) {
	for d := range j.directions {
		for c := range k.cells {
			if t := &j.directions[d].cells[c]; t.active {
				t.differentiate(&k.cells[c])
			}
		}
		for place := range j.depths {
			for side := range j.subs[place] {
				if sub := &j.subs[place][side]; sub.cell.h > 0 {
					sub.tangent[d].differentiate(&sub.cell)
				}
			}
		}
	}
}

// variation differentiates one mode.
type variation struct {
	modes    *Modes
	jacobian *jacobian
	batch    *batch
	lane     int
	mode     int
	e        float64
	down     change // at the match, in all
	// Sums over the cells above and below the match.
	norm, loss [2]value
}

// prepare evaluates the cells for the mode.
func (v *variation) prepare() {
	k, b := &v.modes.column, v.batch
	v.e = b.e[v.lane]
	for c := b.first; c < b.last; c++ {
		y := &b.states[c]
		x := &v.jacobian.crossings[c]
		x.set(&k.cells[c].propagator, v.e, y.u[v.lane], y.s[v.lane], c >= b.match)
		x.inE(&k.cells[c], &v.jacobian.absorbers[c], y.ue[v.lane], y.se[v.lane])
		half := 0
		if c >= b.match {
			half = 1
		}
		v.norm[half].value += x.norm.value
		v.norm[half].change += x.norm.change
		if k.cells[c].lossy {
			v.loss[half].value += x.loss.value
			v.loss[half].change += x.loss.change
		}
	}
}

// prepareInside evaluates the parts of cells before the source and the phones.
func (v *variation) prepareInside() {
	j, b, i := v.jacobian, v.batch, v.lane
	for place := range j.depths {
		sub, up := v.part(place)
		if sub.cell.h > 0 && sub.index >= b.first && sub.index < b.last {
			y := &b.states[sub.index]
			j.inside[place].set(&sub.cell.propagator, v.e, y.u[i], y.s[i], up)
		}
	}
}

// part is the part of a cell before a place, as this mode's sweep enters it.
func (v *variation) part(place int) (sub *subCell, up bool) {
	subs := &v.jacobian.subs[place]
	if subs[0].index >= v.batch.match {
		return &subs[1], true
	}
	return &subs[0], false
}

// along differentiates the mode along direction d.
func (v *variation) along(d int) {
	k, b, i := &v.modes.column, v.batch, v.lane
	down := v.sweep(d, b.first, b.match, 1)
	if k.sweeps[b.match].jump != 1 || v.jacobian.directions[d].cells[b.match].jump != 0 {
		r := k.sweeps[b.match].jump
		dr := v.jacobian.directions[d].cells[b.match].jump
		down = down.across(r, dr, b.down.u[i]/r, b.down.s[i]*r)
	}
	up := v.sweep(d, b.last-1, b.match-1, -1)

	// u s_up + s u_up = 0 makes the mode.
	y, x := &b.down, &b.up
	w := down.u*x.s[i] + y.u[i]*up.s + down.s*x.u[i] + y.s[i]*up.u
	we := y.ue[i]*x.s[i] + y.u[i]*x.se[i] + y.se[i]*x.u[i] + y.s[i]*x.ue[i]
	de := -w / we
	down.u += y.ue[i] * de
	down.s += y.se[i] * de
	v.down = down
	up.u += x.ue[i] * de
	up.s += x.se[i] * de
	ratio, dratio := v.ratio(down, up)
	v.finish(d, de, ratio, dratio)
}

// ratio is that of the upper to the lower solution at the match, and its change.
func (v *variation) ratio(down, up change) (ratio, dratio float64) {
	b, i := v.batch, v.lane
	s2 := b.scale[i] * b.scale[i]
	y, x := &b.down, &b.up
	a := s2*y.u[i]*x.u[i] - y.s[i]*x.s[i]
	n := s2*x.u[i]*x.u[i] + x.s[i]*x.s[i]
	da := s2*(down.u*x.u[i]+y.u[i]*up.u) - down.s*x.s[i] - y.s[i]*up.s
	dn := 2 * (s2*x.u[i]*up.u + x.s[i]*up.s)
	ratio = a / n
	return ratio, (da - ratio*dn) / n
}

// across is a change beyond an interface, from the state before it.
func (c change) across(r, dr, u, s float64) change {
	return change{r*c.u + dr*u, c.s/r - dr/(r*r)*s}
}

// sweep carries the change at fixed E from an end to the match, and stores what
// enters each cell.
func (v *variation) sweep(d, from, to, step int) change {
	j, k, i := v.jacobian, &v.modes.column, v.lane
	dir := &j.directions[d]
	y := v.start(dir, step)
	for c := from; c != to; c += step {
		cl := &k.cells[c]
		if c != from {
			y = v.interfaceTo(dir, c, step, y, i)
		}
		j.change[c] = y
		if y.u != 0 || y.s != 0 || dir.cells[c].active {
			y.u, y.s = j.crossings[c].vary(cl, &dir.cells[c], v.e, y.u, y.s)
		}
	}
	return y
}

// interfaceTo takes a change into cell c from the cell before it in the sweep.
func (v *variation) interfaceTo(dir *direction, c, step int, y change, i int) change {
	k := &v.modes.column
	at := c
	if step < 0 {
		at = c + 1
	}
	r, dr := k.sweeps[at].jump, dir.cells[at].jump
	if step < 0 && (r != 1 || dr != 0) {
		r, dr = 1/r, -dr/(r*r)
	}
	if r == 1 && dr == 0 {
		return y
	}
	state := &v.batch.states[c]
	return y.across(r, dr, state.u[i]/r, state.s[i]*r)
}

// start is the change of the state that starts a sweep.
func (v *variation) start(dir *direction, step int) (y change) {
	k, b := &v.modes.column, v.batch
	st := k.stack
	n := len(st.media) - 1
	switch {
	case step > 0 && b.first == 0:
		y.s = closedTangent(v.e, st.surface, dir.plus.surface, dir.minus.surface,
			st.media[0].density, dir.plus.media[0].density, dir.minus.media[0].density, dir.inverse)
	case step < 0 && b.last == len(k.cells) && !k.cut:
		y.s = closedTangent(v.e, st.bottom, dir.plus.bottom, dir.minus.bottom,
			st.media[n].density, dir.plus.media[n].density, dir.minus.media[n].density, dir.inverse)
	}
	return y
}

// finish adds the change of E to the states, and differentiates norm, absorption
// and shapes.
func (v *variation) finish(d int, de, ratio, dratio float64) {
	j, k, b, i := v.jacobian, &v.modes.column, v.batch, v.lane
	dir := &j.directions[d]
	n := v.tailNorm(dir, de, ratio, dratio)
	// Sums over the unnormalised wave, that below the match times ratio².
	weight := [2]value{{1, 0}, {ratio * ratio, 2 * ratio * dratio}}
	norm, absorbed := v.norm, v.loss
	for half := range norm {
		norm[half].change *= de
		absorbed[half].change *= de
	}
	for c := b.first; c < b.last; c++ {
		held, t := &j.change[c], &dir.cells[c]
		if t.active || held.u != 0 || held.s != 0 {
			half := 0
			if c >= b.match {
				half = 1
			}
			a, l := j.crossings[c].held(&k.cells[c], t, &j.loss[d*len(k.cells)+c], &j.absorbers[c], held.u, held.s)
			norm[half].change += a
			absorbed[half].change += l
		}
		held.u += b.states[c].ue[i] * de
		held.s += b.states[c].se[i] * de
	}
	var loss, dloss float64
	for half, w := range weight {
		n.value += w.value * norm[half].value
		n.change += w.value*norm[half].change + w.change*norm[half].value
		loss += w.value * absorbed[half].value
		dloss += w.value*absorbed[half].change + w.change*absorbed[half].value
	}
	above := 1 / math.Sqrt(n.value)
	dabove := -0.5 * above * n.change / n.value
	below, dbelow := ratio*above, dratio*above+ratio*dabove
	im := dloss/n.value - loss/(n.value*n.value)*n.change
	outer := v.tailLoss(dir, de, above, dabove, below, dbelow)
	rough := v.roughLoss(dir, de, above, dabove, below, dbelow)
	at := d*v.modes.Len() + v.mode
	j.dkr[at] = (complex(de, im) + outer + rough) / (2 * v.modes.Kr[v.mode])
	for place := range j.depths {
		j.dwave[at*len(j.depths)+place] = v.shape(d, place, de, above, dabove, below, dbelow)
	}
}

// tailNorm is ∫u² over the half-spaces and its change.
func (v *variation) tailNorm(dir *direction, de, ratio, dratio float64) (n value) {
	v.tails(dir, func(bd, plus, minus boundary, r, dr, u2, du2 float64, below bool) {
		_, dg := rootOf(v.e, bd.k2)
		gp, gm := half(v.e, de, plus.k2, dir.inverse, 1), half(v.e, de, minus.k2, dir.inverse, -1)
		a := r * real(dg) * u2
		da := dr*real(dg)*u2 + r*(gp-gm)*dir.inverse*u2 + r*real(dg)*du2
		w, dw := 1.0, 0.0
		if below {
			w, dw = ratio*ratio, 2*ratio*dratio
		}
		n.value += w * a
		n.change += w*da + dw*a
	}, de)
	return n
}

// half is Re dγ/dE with E moved by sign·Step·dE.
func half(e, de float64, k2 complex128, inverse, sign float64) float64 {
	_, dg := rootOf(e+sign*0.5/inverse*de, k2)
	return real(dg)
}

// tails calls f for each half-space the mode reaches with the ratio of densities,
// u² at the boundary and their changes.
func (v *variation) tails(dir *direction, f func(bd, plus, minus boundary, r, dr, u2, du2 float64, below bool), de float64) {
	k, b, i := &v.modes.column, v.batch, v.lane
	st := k.stack
	call := func(c, medium int, bd, plus, minus boundary, below bool) {
		if bd.density == 0 {
			return
		}
		// The state starts at u = 1, which no direction changes.
		y := &b.states[c]
		r := st.media[medium].density / bd.density
		dr := (dir.plus.media[medium].density/plus.density - dir.minus.media[medium].density/minus.density) * dir.inverse
		scale := y.u[i]
		f(bd, plus, minus, r, dr, scale*scale, 0, below)
	}
	if b.first == 0 {
		call(0, 0, st.surface, dir.plus.surface, dir.minus.surface, false)
	}
	if b.last == len(k.cells) && !k.cut {
		call(len(k.cells)-1, len(st.media)-1, st.bottom, dir.plus.bottom, dir.minus.bottom, true)
	}
}

// tailLoss is the change of the half-spaces' absorption.
func (v *variation) tailLoss(dir *direction, de, above, dabove, below, dbelow float64) (d complex128) {
	v.tails(dir, func(bd, plus, minus boundary, r, dr, u2, _ float64, lower bool) {
		g, _ := rootOf(v.e, bd.k2)
		gp, _ := rootOf(v.e+0.5/dir.inverse*de, plus.k2)
		gm, _ := rootOf(v.e-0.5/dir.inverse*de, minus.k2)
		dg := imag(gp-gm) * dir.inverse
		a, da := above, dabove
		if lower {
			a, da = below, dbelow
		}
		d += complex(0, -u2*(dg*r*a*a+imag(g)*dr*a*a+imag(g)*r*2*a*da))
	}, de)
	return d
}

// shape is the change of φ at one place.
func (v *variation) shape(d, place int, de, above, dabove, below, dbelow float64) float64 {
	j, b, i := v.jacobian, v.batch, v.lane
	sub, up := v.part(place)
	if sub.index < b.first || sub.index >= b.last {
		return 0
	}
	y := &b.states[sub.index]
	entering := j.change[sub.index]
	t := &sub.tangent[d]
	u, du := y.u[i], entering.u+y.s[i]*t.h
	if sub.cell.h > 0 {
		x := &j.inside[place]
		_, dt, _ := x.change(&sub.cell, t, v.e, de)
		u = x.ub
		du, _ = x.leaving(&dt, entering.u, sub.cell.h*entering.s+t.h*y.s[i])
	}
	a, da := above, dabove
	if up {
		a, da = below, dbelow
	}
	return sub.root*(a*du+da*u) + sub.droot[d]*a*u
}

// assemble sums the modes:
//
//	dp = Σ w [dφs φr + φs dφr - φs φr ((i r + 1/(2kr)) dkr + (i kr + 1/(2r)) dr + dρs/ρs)]
//
// where w is the factor of φs φr in the pressure; for a line source 1/kr instead of
// 1/(2kr), and no 1/(2r).
func (j *jacobian) assemble(jac []complex128, m *Modes, at Case) {
	n := m.Len()
	places := len(j.depths)
	phones := places - 1
	w := &m.field
	scale := m.weights(at.Source.Depth, at.Source.Line)
	if at.Source.Level != 0 {
		scale *= complex(math.Pow(10, at.Source.Level/20), 0)
	}
	rho := m.densityAt(at.Source.Depth)
	power := complex(0.5, 0)
	if at.Source.Line {
		power = 1
	}
	for i := range w.weight[:n] {
		w.weight[i] *= scale
	}
	for r := range phones {
		x := w.ranges[r]
		spread := 1.0
		if !at.Source.Line {
			spread = 1 / math.Sqrt(x)
		}
		m.propagate(x, spread)
		phi := w.receiver[r*n : (r+1)*n]
		for d := range j.directions {
			dir := &j.directions[d]
			var sum complex128
			for i := range n {
				ds, dr := j.dwave[(d*n+i)*places], j.dwave[(d*n+i)*places+r+1]
				both := complex(w.source[i]*phi[i], 0)
				dk := j.dkr[d*n+i]
				change := complex(ds*phi[i]+w.source[i]*dr, 0)
				change -= both * (complex(0, x) + power/m.Kr[i]) * dk
				change -= both * complex(0, dir.ranges[r]) * m.Kr[i]
				sum += w.weight[n+i] * (change - both*complex(dir.sourceDensity/rho, 0))
				if !at.Source.Line {
					sum -= w.weight[n+i] * both * complex(0.5*dir.ranges[r]/x, 0)
				}
			}
			jac[d*phones+r] = sum
		}
	}
}

// roughLoss is the change of the scattering at rough interfaces: a central
// difference of Kuperman and Ingenito's formula along the change of its arguments.
func (v *variation) roughLoss(dir *direction, de, above, dabove, below, dbelow float64) (d complex128) {
	k := &v.modes.column
	st := k.stack
	step := 0.5 / dir.inverse
	for i := 0; i <= len(st.media); i++ {
		if st.roughness(i) == 0 && dir.plus.roughness(i) == 0 {
			continue
		}
		ci, ok := k.reached(v.batch, i)
		if !ok {
			continue
		}
		p, dp := v.atInterface(ci, above, dabove, below, dbelow)
		at := func(s *stack, x float64) complex128 {
			upper, lower := s.sides(i)
			root := math.Sqrt(lower.Density)
			if ci > v.batch.match {
				root = math.Sqrt(upper.Density)
			}
			return KupermanIngenito(s.roughness(i), complex(v.e+x*de, 0), upper, lower, complex((p.u+x*dp.u)*root, 0), complex((p.s+x*dp.s)/root, 0))
		}
		d += (at(&dir.plus, step) - at(&dir.minus, -step)) * complex(dir.inverse, 0)
	}
	return d
}

// atInterface returns the normalised (u, u') at the top of cell ci and its change:
// below the match on the interface's upper side, else on its lower side.
func (v *variation) atInterface(ci int, above, dabove, below, dbelow float64) (y, dy change) {
	b, i, j := v.batch, v.lane, v.jacobian
	if ci > b.match {
		// The state that enters the cell above, from below.
		s, ds := &b.states[ci-1], j.change[ci-1]
		return change{below * s.u[i], -below * s.s[i]},
			change{below*ds.u + dbelow*s.u[i], -below*ds.s - dbelow*s.s[i]}
	}
	s, ds := &b.down, v.down
	if ci < b.match {
		s, ds = &b.states[ci], j.change[ci]
	}
	return change{above * s.u[i], above * s.s[i]}, change{above*ds.u + dabove*s.u[i], above*ds.s + dabove*s.s[i]}
}
