package modes

import (
	"math"

	"oceaninv/acoustics"
)

// Solver finds the modes of fluid layered oceans. It owns all memory it needs, so
// that a solve allocates nothing once it has seen a problem of the size. A Solver
// is not safe for concurrent use: give every goroutine its own. A result does not
// depend on what the Solver solved before.
type Solver struct {
	options  Options
	stack    stack
	mesher   mesher
	column   column
	window   window
	samples  []sample
	batches  []batch
	probe    batch
	homes    []home
	readings [][lanes]reading
	twins    twinSolver
	modes    Modes
	jacobian jacobian
}

// NewSolver returns a Solver, or what is wrong with the options.
func NewSolver(o Options) (*Solver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Solver{options: o}, nil
}

// Solve finds every mode of env at a frequency (Hz) whose phase speed lies within
// the options' bounds and which the half-spaces trap, with attenuation and the
// loss at rough interfaces by first-order perturbation. The result belongs to the
// Solver and holds until its next Solve; see [Modes.Clone].
//
// Errors: [acoustics.ValidationErrors], [ErrUnsupported], [ErrNoModes],
// [ErrNotConverged], [ErrDegenerate], [ErrTooManyCells].
func (s *Solver) Solve(env *acoustics.Environment, frequency float64) (*Modes, error) {
	if err := s.prepare(env, frequency); err != nil {
		return nil, err
	}
	s.mesher.kinks = s.mesher.kinks[:0]
	return s.solve()
}

// prepare checks and flattens the environment.
func (s *Solver) prepare(env *acoustics.Environment, frequency float64) error {
	if err := check(env, frequency); err != nil {
		return err
	}
	s.stack.build(env, frequency)
	return s.setWindow()
}

// solve finds the modes of what has been prepared.
func (s *Solver) solve() (*Modes, error) {
	s.mesher.build(&s.stack, s.window, s.options.Tolerance)
	if s.mesher.overflow {
		return nil, ErrTooManyCells{s.stack.frequency, maxCells}
	}
	s.column.set(&s.stack, &s.mesher, s.window)
	if err := s.findModes(); err != nil {
		return nil, err
	}
	return &s.modes, nil
}

// setWindow bounds E = kr²: below by the half-spaces' wavenumbers and the largest
// phase speed, above by the slowest medium and the smallest phase speed.
func (s *Solver) setWindow() error {
	st := &s.stack
	w2 := st.omega * st.omega
	hi := 0.0
	for i := range st.pieces {
		_, most := st.pieces[i].extremes(st.pieces[i].top, st.pieces[i].bottom)
		hi = math.Max(hi, w2*most)
	}
	// With no other bound, modes whose phase speed is 1e4 times that of sound:
	// their contribution has long lost its meaning as a travelling wave.
	lo := 1e-8 * hi
	for _, b := range [2]boundary{st.surface, st.bottom} {
		if b.kind == acoustics.Halfspace {
			lo = math.Max(lo, real(b.k2))
		}
	}
	if c := s.options.MaxPhaseSpeed; c > 0 {
		lo = math.Max(lo, w2/(c*c))
	}
	if c := s.options.MinPhaseSpeed; c > 0 {
		hi = math.Min(hi, w2/(c*c))
	}
	s.window = window{lo, hi}
	if !(lo < hi) {
		return s.noModes()
	}
	return nil
}

func (s *Solver) noModes() error {
	return ErrNoModes{s.stack.frequency, s.stack.omega / math.Sqrt(s.window.hi), s.stack.omega / math.Sqrt(s.window.lo)}
}

// set packs the cells and finds the ducts.
func (k *column) set(s *stack, m *mesher, w window) {
	k.stack, k.cells, k.cut = s, m.cells, m.cut
	k.sweeps = grow(k.sweeps, len(k.cells))
	for c := range k.cells {
		k.sweeps[c].set(&k.cells[c], w)
	}
	k.total = k.cells[len(k.cells)-1].bottom() - k.cells[0].top
	k.findDucts()
}

// setScale sets Prüfer's scale at the match: the local vertical wavenumber, with a
// floor of a quarter wave in the whole depth.
func (k *column) setScale(b *batch) {
	q := 0.0
	if b.match > 0 {
		q = k.cells[b.match-1].hi
	}
	if b.match < len(k.cells) {
		q = math.Max(q, k.cells[b.match].hi)
	}
	floor := math.Pi / (2 * k.total)
	for i, e := range b.e {
		square := floor * floor
		b.slope[i] = 0
		if e < q {
			square += q - e
			b.slope[i] = -0.5
		}
		b.scale[i] = math.Sqrt(square)
		b.slope[i] /= b.scale[i]
	}
}

// sample is the phase and its derivative at one E.
type sample struct{ e, phase, dphase float64 }

// maxModes bounds the memory of one solve, and maxStates that of all modes in all
// cells, 32 bytes each: 4 GB.
const (
	maxModes  = 1 << 17
	maxStates = 1 << 27
)

// findModes samples the phase over the window, which counts the modes and brackets
// each, and then solves for all of them.
func (s *Solver) findModes() error {
	if err := s.sampleWindow(); err != nil {
		return err
	}
	top, bottom := s.samples[0], s.samples[len(s.samples)-1]
	first := int(math.Max(0, math.Ceil(top.phase)))
	count := int(math.Floor(bottom.phase)) - first + 1
	if count <= 0 {
		return s.noModes()
	}
	if count > maxModes {
		return ErrTooManyCells{s.stack.frequency, maxModes}
	}
	copies := 1
	if len(s.column.ducts) > 1 {
		copies = 2 // see rematch
	}
	if copies*count > maxStates/len(s.column.cells) {
		return ErrTooManyCells{s.stack.frequency, maxStates}
	}
	n := (count + lanes - 1) / lanes
	s.reserve(n)
	for j := range n {
		b := &s.batches[j]
		b.match, b.barrier = s.column.ducts[0].match, 0
		for i := range lanes {
			b.modes[i] = -1
			if j*lanes+i < count {
				b.modes[i] = int32(j*lanes + i)
			}
		}
		if err := s.solveBatch(b, first+j*lanes, min(lanes, count-j*lanes)); err != nil {
			return err
		}
	}
	from, to := s.rematch(n)
	swept := s.batches[from:to]
	batches, err := s.separate(swept, count)
	if err != nil {
		return err
	}
	s.modes.collect(s, batches, swept, count)
	return nil
}

// reserve gives n batches their memory; what is there stays.
func (s *Solver) reserve(n int) {
	cells := len(s.column.cells)
	for len(s.batches) < n {
		s.batches = append(s.batches, batch{})
	}
	for j := range n {
		// Most of a solve's memory: little more than is asked for.
		if b := &s.batches[j]; cap(b.states) < cells {
			b.states = make([]state, cells, cells+cells/16)
		} else {
			b.states = b.states[:cells]
		}
	}
}

// sampleWindow evaluates the phase at even steps of √(hi-E), about one a mode.
func (s *Solver) sampleWindow() error {
	k := &s.column
	estimate := 1.0
	for c := range k.cells {
		cl := &k.cells[c]
		estimate += math.Sqrt(math.Max(0, cl.q0-s.window.lo)) * cl.h / math.Pi
	}
	if estimate > maxModes {
		return ErrTooManyCells{s.stack.frequency, maxModes}
	}
	n := lanes * (1 + int(estimate*samplesPerMode)/lanes)
	s.samples = grow(s.samples, n)
	s.probe.states = grow(s.probe.states, len(k.cells))
	s.probe.match = k.ducts[0].match
	width := s.window.hi - s.window.lo
	for j := 0; j < n; j += lanes {
		for i := range lanes {
			x := float64(j+i) / float64(n-1)
			s.probe.e[i] = s.window.hi - width*x*x
		}
		if j+lanes == n {
			s.probe.e[lanes-1] = s.window.lo
		}
		k.setScale(&s.probe)
		k.shoot(&s.probe)
		for i := range lanes {
			s.samples[j+i] = sample{s.probe.e[i], s.probe.phase[i], s.probe.dphase[i]}
		}
	}
	return nil
}

// samplesPerMode trades samples for Newton steps.
const samplesPerMode = 1.0

// search is one lane's bracket: phase(lo) >= mode > phase(hi), and what the samples
// say of d²E/dphase² there.
type search struct {
	mode   float64
	lo, hi float64
	curve  float64
	done   bool

	steps int
	width float64 // of the bracket, three steps ago
}

// patience is how many Newton steps in a row may fail to halve a bracket that is
// still wide (a part in wideBracket of E): where
// the phase climbs in steps, beside a duct that a mode hardly reaches, Newton's
// steps from either side can miss the mode for ever.
const (
	patience    = 6
	wideBracket = 1e-9
)

// stuck reports, every few steps, whether the bracket has hardly shrunk since.
func (l *search) stuck() bool {
	if l.steps++; l.steps%patience != 0 {
		return false
	}
	was := l.width
	l.width = l.hi - l.lo
	return l.steps > patience && l.width > 0.5*was && l.width > wideBracket*l.hi
}

// phaseTolerance is the distance from a whole number, in units of π, at which one
// last Newton step, whose error is its square, ends the search.
const phaseTolerance = 1e-7

// maxSteps is more than bisection to the last bit takes.
const maxSteps = 120

// solveBatch finds modes first .. first+n-1 side by side.
func (s *Solver) solveBatch(b *batch, first, n int) error {
	var lane [lanes]search
	for i := range lanes {
		mode := first + min(i, n-1)
		b.e[i] = s.guess(&lane[i], float64(mode))
	}
	for range maxSteps {
		s.column.setScale(b)
		s.column.shoot(b)
		left := 0
		for i := range n {
			if !lane[i].done && !b.step(&lane[i], i) {
				left++
			}
		}
		if left == 0 {
			b.padding(n)
			return nil
		}
	}
	for i := range n {
		if !lane[i].done {
			return ErrNotConverged{s.stack.frequency, first + i + 1, b.phase[i] - lane[i].mode}
		}
	}
	return nil
}

// padding makes unused lanes copies of the last used one.
func (b *batch) padding(n int) {
	for i := n; i < lanes; i++ {
		b.e[i] = b.e[n-1]
	}
}

// guess brackets mode m by the samples and interpolates E as a cubic in phase.
func (s *Solver) guess(l *search, m float64) float64 {
	lo, hi := 0, len(s.samples)-1
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; s.samples[mid].phase < m {
			lo = mid
		} else {
			hi = mid
		}
	}
	a, b := &s.samples[lo], &s.samples[hi]
	*l = search{mode: m, hi: a.e, lo: b.e}
	d := b.phase - a.phase
	x := (m - a.phase) / d
	da, db := d/a.dphase, d/b.dphase
	c2 := 3*(b.e-a.e) - 2*da - db
	c3 := da + db - 2*(b.e-a.e)
	l.curve = (2*c2 + 6*c3*x) / (d * d)
	return l.inside(a.e + x*(da+x*(c2+x*c3)))
}

// inside returns e if it lies inside the bracket, else the bracket's middle.
func (l *search) inside(e float64) float64 {
	if e > l.lo && e < l.hi {
		return e
	}
	return 0.5 * (l.lo + l.hi)
}

// step moves lane i by Newton, kept in its bracket; it reports whether the search
// has ended.
func (b *batch) step(l *search, i int) bool {
	e := b.e[i]
	r := l.mode - b.phase[i]
	if r < 0 {
		l.lo = e
	} else {
		l.hi = e
	}
	if math.Abs(r) <= phaseTolerance || l.hi-l.lo <= 4e-16*e {
		l.done = true
		return true
	}
	if l.stuck() {
		b.e[i] = 0.5 * (l.lo + l.hi)
		return false
	}
	b.e[i] = l.inside(e + r/b.dphase[i] + 0.5*l.curve*r*r)
	return false
}
