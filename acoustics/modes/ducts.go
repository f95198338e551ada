package modes

import (
	"cmp"
	"math"
	"slices"
)

// duct is a stretch of depth where k0² has a maximum, and the match beside it.
type duct struct {
	match int
	peak  float64 // k0² there
}

// Ducts are told apart by barriers: between neighbours, ∫√(E-q)dz exceeds
// barrierDecay at the E of the shallower duct's peak. Below it one match serves
// the modes of both, losing e^barrierDecay in precision at most.
const barrierDecay = 3

// maxDucts bounds how many are told apart.
const maxDucts = 64

// findDucts lists the ducts, that of the largest k0² first: of the local maxima of
// k0² by falling size, each that barriers divide from those before it on both sides.
func (k *column) findDucts() {
	k.maxima = k.maxima[:0]
	for c := range k.cells {
		if k.maximum(c) {
			k.maxima = append(k.maxima, c)
		}
	}
	slices.SortStableFunc(k.maxima, func(a, b int) int { return cmp.Compare(k.cells[b].hi, k.cells[a].hi) })
	k.ducts, k.centres = k.ducts[:0], k.centres[:0]
	for _, c := range k.maxima {
		if len(k.ducts) < maxDucts && k.walled(c, -1) && k.walled(c, 1) {
			k.ducts, k.centres = append(k.ducts, k.ductAt(c)), append(k.centres, c)
		}
	}
}

// maximum reports whether k0² rises to cell c and falls behind it, or behind the
// cells as high that follow.
func (k *column) maximum(c int) bool {
	if c > 0 && k.cells[c-1].hi >= k.cells[c].hi {
		return false
	}
	last := c
	for last+1 < len(k.cells) && k.cells[last+1].hi == k.cells[c].hi {
		last++
	}
	return last+1 == len(k.cells) || k.cells[last+1].hi < k.cells[c].hi
}

// walled reports whether a barrier divides the peak of cell c from the next duct
// found so far, in steps of step.
func (k *column) walled(c, step int) bool {
	next := -1
	for _, at := range k.centres {
		if (at-c)*step > 0 && (next < 0 || (next-at)*step > 0) {
			next = at
		}
	}
	if next < 0 {
		return true
	}
	e, decay := k.cells[c].hi, 0.0
	for i := c; i != next; i += step {
		decay += math.Sqrt(math.Max(0, e-k.cells[i].hi)) * k.cells[i].h
		if decay > barrierDecay {
			return true
		}
	}
	return false
}

// ductAt is the duct around a peak's cell, matched on the side of the larger k0².
func (k *column) ductAt(c int) duct {
	match := c + 1
	if c > 0 && (c+1 == len(k.cells) || k.cells[c-1].hi > k.cells[c+1].hi) {
		match = c
	}
	return duct{min(max(match, 1), len(k.cells)-1), k.cells[c].hi}
}

// rematch gives every mode the match of the duct it lives in: at another match it
// may be e^(-decay) of its size, and its shape would be noise. The best match is
// where the phase is whole and least steep, which is where the mode is largest.
// Where barriers are too thick, a mode is confined to its duct: of two modes that
// agree to the last digits each gets its own. It returns which batches hold the
// modes.
func (s *Solver) rematch(n int) (from, to int) {
	k := &s.column
	if len(k.ducts) == 1 {
		return 0, n
	}
	s.neighbours(n)
	var before home
	for j := range n {
		b := &s.batches[j]
		s.read(b)
		for i, mode := range b.modes {
			if mode >= 0 {
				h := &s.homes[mode]
				s.findHome(h, i, before)
				before = *h
			}
		}
	}
	to = n
	for d := range k.ducts {
		for kind := range 8 {
			to = s.settle(to, home{duct: d, near: kind&1 > 0, confined: [2]bool{kind&2 > 0, kind&4 > 0}})
		}
	}
	return n, to
}

// neighbours lists the modes and marks those that have another close by in E.
func (s *Solver) neighbours(n int) {
	s.homes = s.homes[:0]
	for j := range n {
		for i, mode := range s.batches[j].modes {
			if mode >= 0 {
				s.homes = append(s.homes, home{mode: int(mode), e: s.batches[j].e[i]})
			}
		}
	}
	for i := 1; i < len(s.homes); i++ {
		if s.homes[i-1].e-s.homes[i].e <= neighbourhood*s.homes[i].e {
			s.homes[i-1].near, s.homes[i].near = true, true
		}
	}
}

// home is the duct where a mode lives, and whether a barrier confines it there,
// above and below.
type home struct {
	duct, mode int
	e          float64
	near       bool // another mode is close by in E
	confined   [2]bool
	taken      uint64 // ducts of this mode and its twins before it
}

// gap is the least distance in E, relative, of neighbours whose ducts no thick barrier
// parts.
func (s *Solver) gap() float64 {
	least := math.Inf(1)
	if len(s.column.ducts) == 1 {
		return least
	}
	for i := 1; i < len(s.homes); i++ {
		a, b := &s.homes[i-1], &s.homes[i]
		if !s.parted(a, b) {
			least = math.Min(least, (a.e-b.e)/a.e)
		}
	}
	return least
}

// parted reports whether the sweeps of both modes end in a barrier between them.
func (s *Solver) parted(a, b *home) bool {
	x, y := s.column.ducts[a.duct].match, s.column.ducts[b.duct].match
	switch {
	case x < y:
		return a.confined[1] && b.confined[0]
	case x > y:
		return a.confined[0] && b.confined[1]
	}
	return false
}

// read shoots the batch's E at every duct's match.
func (s *Solver) read(b *batch) {
	k := &s.column
	s.readings = grow(s.readings, len(k.ducts))
	s.probe.e, s.probe.barrier = b.e, barrierCut
	for d := range k.ducts {
		s.probe.match = k.ducts[d].match
		k.setScale(&s.probe)
		k.shoot(&s.probe)
		for i := range lanes {
			off := s.probe.phase[i] - math.Round(s.probe.phase[i])
			s.readings[d][i] = reading{math.Abs(off / s.probe.dphase[i]), math.Abs(s.probe.dphase[i])}
		}
	}
	s.probe.barrier = 0
}

// reading is what a match says of a trial E: the distance in E to where its phase
// is whole, and the phase's steepness.
type reading struct{ distance, steepness float64 }

// better prefers the match whose phase is whole at E to rounding, and of two such
// the one where the phase is less steep.
func (r reading) better(o reading, e float64) bool {
	at, other := r.distance < 1e-12*e, o.distance < 1e-12*e
	switch {
	case at != other:
		return at
	case at:
		return r.steepness < 0.5*o.steepness
	}
	return r.distance < o.distance
}

// twins is the relative distance in E of modes that cannot share a duct: one duct
// alone keeps its modes far farther apart. Where a barrier mixes such modes, any
// duct's match serves.
const twins = 1e-6

// findHome picks the duct for a mode, in lane i of the readings.
func (s *Solver) findHome(h *home, i int, before home) {
	k := &s.column
	var taken uint64
	if math.Abs(before.e-h.e) <= twins*h.e {
		taken = before.taken
	}
	best := -1
	for d := range k.ducts {
		if h.e >= k.ducts[d].peak || taken>>d&1 == 1 {
			continue
		}
		if best < 0 || s.readings[d][i].better(s.readings[best][i], h.e) {
			best = d
		}
	}
	h.duct = max(best, 0)
	h.taken = taken | 1<<h.duct
	match := k.ducts[h.duct].match
	_, h.confined[0] = k.reach(match-1, -1, h.e, h.barrier())
	_, h.confined[1] = k.reach(match, 1, h.e, h.barrier())
}

// barrier is how much of one the mode's sweeps go through.
func (h *home) barrier() float64 {
	if h.near {
		return barrierCut
	}
	return thickBarrier
}

// settle puts the modes of one kind into batches of their own, from the n-th on.
func (s *Solver) settle(n int, kind home) int {
	used := 0
	for _, h := range s.homes {
		if h.duct != kind.duct || h.confined != kind.confined || h.near != kind.near {
			continue
		}
		if used == 0 {
			n++
			s.reserve(n)
			b := &s.batches[n-1]
			b.match, b.barrier = s.column.ducts[kind.duct].match, 0
			if kind.confined[0] || kind.confined[1] {
				b.barrier = kind.barrier()
			}
			b.modes = [lanes]int32{-1, -1, -1, -1, -1, -1, -1, -1}
		}
		b := &s.batches[n-1]
		b.e[used], b.modes[used] = h.e, int32(h.mode)
		if used++; used == lanes {
			s.polish(b, used)
			used = 0
		}
	}
	if used > 0 {
		s.polish(&s.batches[n-1], used)
	}
	return n
}

// polish ends the search at the better match by Newton steps, kept close to the E
// that the bracket has already given.
func (s *Solver) polish(b *batch, n int) {
	b.padding(n)
	for step := range polishSteps {
		s.column.setScale(b)
		s.column.shoot(b)
		if step == polishSteps-1 {
			return
		}
		for i := range lanes {
			// What the duct alone holds is fewer half-waves than the mode's number.
			r := math.Round(b.phase[i]) - b.phase[i]
			limit := 1e-9 * b.e[i]
			b.e[i] += math.Max(-limit, math.Min(limit, r/b.dphase[i]))
		}
	}
}

const polishSteps = 4
