package modes

import "math"

// adjoint is the memory of the derivative taken backwards. For one mode and one
// phone, with p = w φs φr, N = ∫u² = N₁ + ϱ²N₂ over the sweeps above (1) and below (2)
// the match, ϱ the ratio of the two, and Λ = Im kr² by absorption,
//
//	dp = K (dE + i dΛ) + Ps du(zs) + Pr du(zr) + p (b dϱ/ϱ - dN/N)
//
// where b counts source and phone below the match, K = -p (i r + ½/kr)/(2 kr),
// Ps = w φr a √ρ and a the amplitude. A parameter of a cell, a jump or a boundary
// kicks the solution there by κ. With the Wronskian W, y the solution, y_E and y_a its
// changes with E and along the absorption, w a second solution with W(y, w) = 1 at the
// match, and sums over the kicks on a side
//
//	A = Σ W(y, κ),  B = Σ W(w, κ),  A_E = ∂A/∂E,  A_a = ∂A/∂a,
//
// the mode changes by dE = -(A₁ + ϱ²A₂)/N and dϱ/ϱ = B₂ - B₁ + dE (W(w₂, y_E) - W(w₁, y_E)),
// and at held E
//
//	dN = A_E - 2 B N + 2 A W(w, y_E),  dL = -A_a - 2 B L - 2 A W(w, y_a),  du(z) = w(z) A - u(z) B,
//
// L = -W(y, y_a) = ∫ Im(k0²) u², the last with the kicks before z. So each kick counts
// with four numbers per mode and phone, and the sums over modes are taken before any
// direction is looked at: Lagrange's identity for the sweeps and a reverse pass for
// the rest. Parameters that no direction changes are passed over.
//
// Scattering at rough interfaces adds to kr² forms in (u, s) there over N, by which dp has
// K times their change too.
type adjoint struct {
	cells      []adjointCell
	parts      []adjointPart
	boundaries [2]adjointBoundary
	rough      []adjointRough
	batch      adjointBatch
	slots      int          // parameters of cells that a direction changes
	factors    []complex128 // w, [phone][mode]
	weights    []float64    // of one batch, [phone][re, im][lane]
	scratch    []float64

	cellSums, placeSums, boundarySums, rangeSums []float64
}

// The layout of sums and structs is that of adjoint.h.
const (
	adjointCellSize     = 12
	adjointPartSize     = 6
	adjointBoundarySize = 3
	adjointSum          = 4
)

type adjointCell struct {
	p                  propagator
	by                 [4]propagator // along v1..v4; where lossy or changed
	loss               propagator    // along the absorption
	lossBy             [4]propagator // both; only where a direction changes v1..v4
	qi0                float64
	vi                 [4]float64
	jump               float64
	edge, thick, lossy int64
	slot               [adjointCellSize]int64 // in the sums; -1 where no direction changes the parameter
}

type adjointPart struct {
	p            propagator
	by           [4]propagator
	root         float64
	index, thick int64
}

type adjointBoundary struct {
	ratio                              float64
	reached                            int64
	gRe, gIm, geRe, geIm, geeRe, geeIm lane
}

type adjointBatch struct {
	cells, first, match, last, phones, rough int64
	power, spreads                           float64
	scale, krRe, krIm, e, step               lane
}

// setBy differentiates a cell's propagator along v_n.
func setBy(by *propagator, c *cell, n int) {
	v := c.powers()
	var unit [moments]float64
	unit[n] = 1
	by.setDerivative(&v, &unit)
}

func (a *adjointCell) set(k *column, index int) {
	c := &k.cells[index]
	a.p, a.jump = c.propagator, k.sweeps[index].jump
	for n := range a.by {
		if c.lossy || a.slot[n+1] >= 0 {
			setBy(&a.by[n], c, n+1)
		}
	}
	a.edge, a.thick, a.lossy = 0, 0, 0
	if index > 0 && k.cells[index-1].medium != c.medium {
		a.edge = 1
	}
	if c.long {
		a.thick = 1
	}
	if !c.lossy {
		return
	}
	a.lossy, a.qi0 = 1, c.qi[0]
	v := c.powers()
	var g [moments]float64
	for n := 1; n <= 4; n++ {
		g[n] = -c.h * c.h * c.qi[n]
		a.vi[n-1] = g[n]
	}
	a.loss.setDerivative(&v, &g)
	if !a.anySlot(1, 4) {
		return
	}
	// The coefficients are cubic in v: a central difference over any step is exact.
	for n := range a.lossBy {
		plus, minus := v, v
		plus[n+1]++
		minus[n+1]--
		var low propagator
		a.lossBy[n].setDerivative(&plus, &g)
		low.setDerivative(&minus, &g)
		a.lossBy[n].plus(-1, &low)
		a.lossBy[n].scale(0.5)
	}
}

// anySlot reports whether a direction changes one of some parameters.
func (a *adjointCell) anySlot(from, to int) bool {
	for _, slot := range a.slot[from : to+1] {
		if slot >= 0 {
			return true
		}
	}
	return false
}

func (p *propagator) scale(x float64) {
	q := *p
	p.plus(x-1, &q)
}

func (a *adjointBoundary) set(bd boundary, density float64, reached bool, e *lane) {
	a.reached = 0
	if !reached || bd.density == 0 {
		return
	}
	a.reached, a.ratio = 1, density/bd.density
	for i, x := range e {
		g, ge := rootOf(x, bd.k2)
		gee := -0.5 * ge / (g * g)
		a.gRe[i], a.gIm[i] = real(g), imag(g)
		a.geRe[i], a.geIm[i] = real(ge), imag(ge)
		a.geeRe[i], a.geeIm[i] = real(gee), imag(gee)
	}
}

// backward sets jac from the derivative of the pressure p at the phones with respect
// to the parameters of all cells; k is the solver's own column.
func (j *jacobian) backward(jac, p []complex128, m *Modes, at Case, k *column) {
	a := &j.adjoint
	phones := len(j.depths) - 1
	a.assign(j, m)
	a.prepare(j, m, phones)
	a.factor(m, at)
	for i := range m.sweeps.batches {
		a.one(m, i, at)
		// There and back, and what is kept of it: some of the sweep's crossings.
		k.breathe(4 * (m.sweeps.batches[i].last - m.sweeps.batches[i].first))
	}
	a.reduce()
	for d := range j.directions {
		out := jac[d*phones : (d+1)*phones]
		clear(out)
		if dir := &j.directions[d]; dir.local {
			j.contractLocal(out, m, dir)
			continue
		}
		j.contract(out, p, m, d)
	}
	j.scatter(jac, m)
}

// assign gives each parameter of a cell that a direction changes its slot in the sums.
func (a *adjoint) assign(j *jacobian, m *Modes) {
	k := &m.column
	a.cells = grow(a.cells, len(k.cells))
	for c := range a.cells {
		for n := range a.cells[c].slot {
			a.cells[c].slot[n] = -1
		}
	}
	a.slots = 0
	for d := range j.directions {
		dir := &j.directions[d]
		if dir.local {
			for i := range dir.active {
				c := dir.active[i].index
				a.want(&k.cells[c], &dir.active[i].tangent, c)
			}
			continue
		}
		for c := range dir.cells {
			a.want(&k.cells[c], &dir.cells[c], c)
		}
	}
}

// want gives slots to the parameters that a direction changes.
func (a *adjoint) want(c *cell, t *cellTangent, index int) {
	if !t.active && t.jump == 0 {
		return
	}
	rates, n := t.rates(c)
	for n, x := range rates[:n] {
		if slot := &a.cells[index].slot[n]; x != 0 && *slot < 0 {
			*slot = int64(a.slots)
			a.slots++
		}
	}
}

// rates are the changes of a cell's parameters in the order of adjoint.h, of which those from
// n on are 0; that of the jump, whose parameter is its logarithm, is not yet over the jump.
func (t *cellTangent) rates(c *cell) (r [adjointCellSize]float64, n int) {
	r[0], r[5], r[6] = t.q[0], t.h, t.jump
	copy(r[1:5], t.v[1:5])
	switch {
	case c.lossy:
		r[7] = t.qi[0]
		for n := 1; n <= 4; n++ {
			r[7+n] = -c.h*c.h*t.qi[n] - 2*c.h*t.h*c.qi[n]
		}
		return r, adjointCellSize
	case t.h != 0 || t.jump != 0:
		return r, 7
	}
	return r, 5
}

// prepare differentiates cells and parts, and clears the sums.
func (a *adjoint) prepare(j *jacobian, m *Modes, phones int) {
	k := &m.column
	n := len(k.cells)
	for c := range k.cells {
		a.cells[c].set(k, c)
	}
	a.parts = grow(a.parts, 2*len(j.depths))
	for i := range j.depths {
		for side := range j.subs[i] {
			sub, part := &j.subs[i][side], &a.parts[2*i+side]
			*part = adjointPart{p: sub.cell.propagator, root: sub.root, index: int64(sub.index)}
			if sub.cell.h > 0 {
				for n := range part.by {
					setBy(&part.by[n], &sub.cell, n+1)
				}
			}
			if k.cells[sub.index].long {
				part.thick = 1
			}
		}
	}
	row := phones * adjointSum
	a.cellSums = cleared(a.cellSums, a.slots*row)
	a.placeSums = cleared(a.placeSums, len(a.parts)*adjointPartSize*row)
	a.boundarySums = cleared(a.boundarySums, 2*adjointBoundarySize*row)
	a.rangeSums = cleared(a.rangeSums, row)
	a.weights = grow(a.weights, phones*2*lanes)
	a.scratch = grow(a.scratch, adjointScratch(n, phones))
}

func cleared(s []float64, n int) []float64 {
	s = grow(s, n)
	clear(s)
	return s
}

// factor sets w of every phone and mode: what multiplies φs φr in the pressure.
func (a *adjoint) factor(m *Modes, at Case) {
	w := &m.field
	n := m.Len()
	scale := m.weights(at.Source.Depth, at.Source.Line)
	if at.Source.Level != 0 {
		scale *= complex(math.Pow(10, at.Source.Level/20), 0)
	}
	for i := range w.weight[:n] {
		w.weight[i] *= scale
	}
	a.factors = grow(a.factors, n*len(w.ranges))
	for r, x := range w.ranges {
		if r > 0 && x == w.ranges[r-1] {
			copy(a.factors[r*n:(r+1)*n], a.factors[(r-1)*n:r*n])
			continue
		}
		spread := 1.0
		if !at.Source.Line {
			spread = 1 / math.Sqrt(x)
		}
		m.propagate(x, spread)
		copy(a.factors[r*n:(r+1)*n], w.weight[n:2*n])
	}
	a.batch.power, a.batch.spreads = 0.5, 1
	if at.Source.Line {
		a.batch.power, a.batch.spreads = 1, 0
	}
}

// one adds a batch to the sums.
func (a *adjoint) one(m *Modes, i int, at Case) {
	k, b := &m.column, &m.sweeps.batches[i]
	phones, n := len(m.field.ranges), m.Len()
	to := &a.batch
	to.cells, to.first, to.match, to.last, to.phones = int64(len(k.cells)), int64(b.first), int64(b.match), int64(b.last), int64(phones)
	to.scale, to.e, to.step = b.scale, b.e, m.sweeps.joins[i].step
	for l, mode := range b.modes {
		to.e[l] += to.step[l]
		// Lanes without a mode weigh nothing.
		to.krRe[l], to.krIm[l] = math.Sqrt(b.e[l]), 0
		if mode >= 0 {
			to.krRe[l], to.krIm[l] = real(m.Kr[mode]), imag(m.Kr[mode])
		}
		for r := range phones {
			w := complex128(0)
			if mode >= 0 {
				w = a.factors[r*n+int(mode)]
			}
			a.weights[2*lanes*r+l], a.weights[2*lanes*r+lanes+l] = real(w), imag(w)
		}
	}
	st := k.stack
	a.boundaries[0].set(st.surface, st.media[0].density, b.first == 0, &to.e)
	a.boundaries[1].set(st.bottom, st.media[len(st.media)-1].density, b.last == len(k.cells) && !k.cut, &to.e)
	a.rough = m.roughness(a.rough[:0], b, &to.e)
	to.rough = int64(len(a.rough))
	a.run(b, m.field.ranges)
}

// contract adds up one direction.
func (j *jacobian) contract(out, p []complex128, m *Modes, d int) {
	a, dir := &j.adjoint, &j.directions[d]
	phones := len(out)
	for c := range dir.cells {
		if t := &dir.cells[c]; t.active || t.jump != 0 {
			a.contractCell(out, &m.column.cells[c], t, c)
		}
	}
	for place := range j.depths {
		for side := range j.subs[place] {
			sub := &j.subs[place][side]
			a.contractPart(out, &sub.tangent[d], 2*place+side)
			if side == 0 {
				contractDensity(out, p, sub.droot[d]/sub.root, place)
			}
		}
	}
	a.contractBoundaries(out, m.column.stack, dir)
	rho := j.subs[0][0].root * j.subs[0][0].root
	for r := range phones {
		out[r] += complex(dir.ranges[r], 0)*complex(a.rangeSums[2*r], a.rangeSums[2*r+1]) - complex(dir.sourceDensity/rho, 0)*p[r]
	}
}

// along adds x times sum number at of sums.
func along(out []complex128, sums []float64, at int, x float64) {
	if x == 0 {
		return
	}
	row := sums[2*len(out)*at : 2*len(out)*(at+1)]
	for r := range out {
		out[r] += complex(x*row[2*r], x*row[2*r+1])
	}
}

func (a *adjoint) contractCell(out []complex128, c *cell, t *cellTangent, index int) {
	rates, n := t.rates(c)
	rates[6] /= a.cells[index].jump
	for n, slot := range a.cells[index].slot[:n] {
		if slot >= 0 {
			along(out, a.cellSums, int(slot), rates[n])
		}
	}
}

// contractPart adds what the part before a place does.
func (a *adjoint) contractPart(out []complex128, t *cellTangent, part int) {
	at := adjointPartSize * part
	along(out, a.placeSums, at, t.q[0])
	along(out, a.placeSums, at+5, t.h)
	for n := 1; n <= 4; n++ {
		along(out, a.placeSums, at+n, t.v[n])
	}
}

// contractDensity adds what the density at a place does, by x = d ln √ρ.
func contractDensity(out, p []complex128, x float64, place int) {
	if x == 0 {
		return
	}
	for r := range out {
		if place == 0 || place == r+1 {
			out[r] += complex(x, 0) * p[r]
		}
	}
}

func (a *adjoint) contractBoundaries(out []complex128, st *stack, dir *direction) {
	n := len(st.media) - 1
	ends := [2]struct {
		plus, minus   boundary
		rPlus, rMinus float64
	}{
		{dir.plus.surface, dir.minus.surface, dir.plus.media[0].density, dir.minus.media[0].density},
		{dir.plus.bottom, dir.minus.bottom, dir.plus.media[n].density, dir.minus.media[n].density},
	}
	for i, e := range ends {
		if e.plus.density == 0 || e.minus.density == 0 {
			continue
		}
		dk := (e.plus.k2 - e.minus.k2) * complex(dir.inverse, 0)
		at := adjointBoundarySize * i
		along(out, a.boundarySums, at, (e.rPlus/e.plus.density-e.rMinus/e.minus.density)*dir.inverse)
		along(out, a.boundarySums, at+1, real(dk))
		along(out, a.boundarySums, at+2, imag(dk))
	}
}
