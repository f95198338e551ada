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
	s.homes = s.homes[:0]
	var before home
	for j := range n {
		b := &s.batches[j]
		s.read(b)
		for i, mode := range b.modes {
			if mode >= 0 {
				before = s.homeOf(b.e[i], i, int(mode), before)
				s.homes = append(s.homes, before)
			}
		}
	}
	to = n
	for d := range k.ducts {
		for _, confined := range [4][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			to = s.settle(to, d, confined)
		}
	}
	return n, to
}

// home is the duct where a mode lives, and whether a barrier confines it there,
// above and below.
type home struct {
	duct, mode int
	e          float64
	confined   [2]bool
	taken      uint64 // ducts of this mode and its twins before it
}

// read shoots the batch's E at every duct's match.
func (s *Solver) read(b *batch) {
	k := &s.column
	s.readings = grow(s.readings, len(k.ducts))
	s.probe.e, s.probe.local = b.e, true
	for d := range k.ducts {
		s.probe.match = k.ducts[d].match
		k.setScale(&s.probe)
		k.shoot(&s.probe)
		for i := range lanes {
			off := s.probe.phase[i] - math.Round(s.probe.phase[i])
			s.readings[d][i] = reading{math.Abs(off / s.probe.dphase[i]), math.Abs(s.probe.dphase[i])}
		}
	}
	s.probe.local = false
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
const twins = 1e-7

// homeOf picks the duct for lane i at E.
func (s *Solver) homeOf(e float64, i, mode int, before home) home {
	k := &s.column
	var taken uint64
	if math.Abs(before.e-e) <= twins*e {
		taken = before.taken
	}
	best := -1
	for d := range k.ducts {
		if e >= k.ducts[d].peak || taken>>d&1 == 1 {
			continue
		}
		if best < 0 || s.readings[d][i].better(s.readings[best][i], e) {
			best = d
		}
	}
	h := home{duct: max(best, 0), mode: mode, e: e}
	h.taken = taken | 1<<h.duct
	match := k.ducts[h.duct].match
	_, h.confined[0] = k.reach(match-1, -1, e, true)
	_, h.confined[1] = k.reach(match, 1, e, true)
	return h
}

// settle puts the modes of one kind into batches of their own, from the n-th on.
func (s *Solver) settle(n, d int, confined [2]bool) int {
	used := 0
	for _, h := range s.homes {
		if h.duct != d || h.confined != confined {
			continue
		}
		if used == 0 {
			n++
			s.reserve(n)
			b := &s.batches[n-1]
			b.match, b.local = s.column.ducts[d].match, confined[0] || confined[1]
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
