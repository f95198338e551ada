package modes

import (
	"math"
	"math/cmplx"
	"slices"
)

// Modes are the normal modes of an ocean at one frequency, by falling real part
// of the wavenumber. Shapes are normalised as KRAKEN's: ∫ φ²/ρ dz = 1 with ρ in
// g/cm³, over the stack and its half-spaces, and φ starts positive at the surface.
type Modes struct {
	Frequency float64      // Hz
	Kr        []complex128 // rad/m; Im <= 0

	column   column
	batches  []batch
	joins    []join
	sweeps   sweeps
	group    []float64
	integral lane // scratch of integrals
	measures []weight
	parts    []part // of cells, before depths
	inside   []float64
	places   []int // the cells of the depths
	piece    cell  // scratch of a part
	field    fieldScratch
}

// sweeps are the batches as swept, before twins were told apart, and their joins: of these
// derivatives are taken.
type sweeps struct {
	batches []batch
	joins   []join
	twins   bool // they are others than those of the modes
	// gap is the least distance in E, relative, of modes whose ducts no thick barrier
	// parts.
	gap float64
}

// join is how the two sweeps of a batch make modes: amplitudes above and below
// the match, and the last step in E, to first order.
type join struct{ above, below, step lane }

// Len returns how many modes there are.
func (m *Modes) Len() int { return len(m.Kr) }

// Cells returns how many cells the ocean was cut into.
func (m *Modes) Cells() int { return len(m.column.cells) }

// PhaseSpeed returns ω / Re kr of mode i (from 0) in m/s.
func (m *Modes) PhaseSpeed(i int) float64 { return 2 * math.Pi * m.Frequency / real(m.Kr[i]) }

// collect makes the modes from the batches.
func (m *Modes) collect(s *Solver, batches, swept []batch, count int) {
	m.Frequency = s.stack.frequency
	m.column = s.column
	m.batches = batches
	m.sweeps.batches, m.sweeps.twins = swept, s.twins.given > 0
	m.sweeps.gap = s.gap()
	m.joins = grow(m.joins, len(batches))
	m.sweeps.joins = m.joins
	if m.sweeps.twins {
		m.sweeps.joins = make([]join, len(swept))
		for j := range swept {
			m.sweeps.joins[j].of(&swept[j])
		}
	}
	m.Kr = grow(m.Kr, count)
	m.group = m.group[:0]
	m.absorbers()
	for j := range m.batches {
		m.join(j)
	}
}

// join makes the modes of a batch.
func (m *Modes) join(j int) {
	b, t := &m.batches[j], &m.joins[j]
	t.of(b)
	var loss [lanes]complex128
	m.losses(b, t, &loss)
	for i, mode := range b.modes {
		if mode >= 0 {
			m.Kr[mode] = cmplx.Sqrt(complex(b.e[i]+t.step[i], 0) + loss[i])
		}
	}
}

// of joins the sweeps: equal (S u, u') at the match in the least-squares sense,
// unit norm, positive slope at the surface.
func (t *join) of(b *batch) {
	if b.given {
		for i := range lanes {
			t.above[i], t.below[i], t.step[i] = 1, 1, 0
		}
		return
	}
	for i := range lanes {
		d, u := &b.down, &b.up
		s2 := b.scale[i] * b.scale[i]
		ratio := (s2*d.u[i]*u.u[i] - d.s[i]*u.s[i]) / (s2*u.u[i]*u.u[i] + u.s[i]*u.s[i])
		norm := d.norm(i) + ratio*ratio*u.norm(i)
		t.above[i] = 1 / math.Sqrt(norm)
		t.below[i] = ratio * t.above[i]
		t.step[i] = (math.Round(b.phase[i]) - b.phase[i]) / b.dphase[i]
	}
}

// settle shoots every swept batch again where its last Newton steps have led, so that its
// states are those of the modes to rounding.
func (m *Modes) settle() {
	for j := range m.sweeps.batches {
		b, t := &m.sweeps.batches[j], &m.sweeps.joins[j]
		for l, step := range t.step {
			b.e[l] += step
		}
		m.column.setScale(b)
		m.column.shoot(b)
		t.of(b)
	}
	if m.sweeps.twins {
		return
	}
	m.absorbers()
	for j := range m.batches {
		m.join(j)
	}
}

// Clone returns modes that stay when the Solver solves again.
func (m *Modes) Clone() *Modes {
	c := *m
	stack := *m.column.stack
	c.column.stack = &stack
	stack.media = slices.Clone(stack.media)
	stack.pieces = slices.Clone(stack.pieces)
	stack.x, stack.re, stack.im, stack.slope, stack.work = nil, nil, nil, nil, nil
	c.Kr = slices.Clone(m.Kr)
	c.column.cells, c.column.sweeps = slices.Clone(m.column.cells), nil
	c.joins = slices.Clone(m.joins)
	c.group = slices.Clone(m.group)
	c.column.ducts, c.column.maxima, c.column.centres = nil, nil, nil
	c.sweeps = sweeps{}
	c.measures, c.parts, c.inside, c.places = nil, nil, nil, nil
	c.field = fieldScratch{}
	c.batches = slices.Clone(m.batches)
	for i := range c.batches {
		c.batches[i].states = slices.Clone(c.batches[i].states)
	}
	return &c
}
