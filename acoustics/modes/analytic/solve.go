package analytic

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"oceaninv/acoustics"
)

// Options say which modes are wanted.
type Options struct {
	// MinPhaseSpeed and MaxPhaseSpeed bound ω/Re k in m/s. MinPhaseSpeed 0 admits
	// every slow interface wave; MaxPhaseSpeed must be positive.
	MinPhaseSpeed float64 `json:"min_phase_speed" hcl:"min_phase_speed,optional"`
	MaxPhaseSpeed float64 `json:"max_phase_speed" hcl:"max_phase_speed,optional"`
	// MaxLoss leaves out modes that lose more than this, in dB per wavelength of
	// the mode.
	MaxLoss float64 `json:"max_loss" hcl:"max_loss,optional"`
	// Tolerance is the relative error aimed at in k.
	Tolerance float64 `json:"tolerance" hcl:"tolerance,optional"`
}

// DefaultOptions are modes up to 5 dB per wavelength, to 1e-10 in k. The phase
// speeds are the caller's to choose.
func DefaultOptions() Options { return Options{MaxLoss: 5, Tolerance: 1e-10} }

// Modes are the modes of an ocean at one frequency, in falling Re k.
type Modes struct {
	Frequency float64      // Hz
	K         []complex128 // horizontal wavenumbers, rad/m, Im k ≤ 0
	// GroupSpeed is Re(dω/dk) in m/s, without the effect of roughness.
	GroupSpeed []float64
	// Error estimates the relative error of each wavenumber.
	Error []float64

	stack  *stack // on which the wavenumbers were found
	mesh   *stack // finer, for the shapes
	traces []trace
	counts mesh // of stack
}

const decibelsPerNeper = 20 * math.Log10E

// maxRefinement bounds the refinement of gradients.
const maxRefinement = 256

// Solve finds every mode within the options' limits. The ocean must be valid.
func Solve(env *acoustics.Environment, frequency float64, o Options) (*Modes, error) {
	if !(o.MaxPhaseSpeed > o.MinPhaseSpeed && o.MinPhaseSpeed >= 0 && o.MaxLoss > 0 && o.Tolerance > 0) {
		panic(fmt.Sprintf("modes: options %+v", o))
	}
	omega := 2 * math.Pi * frequency
	if err := checkFrequency(env, frequency); err != nil {
		return nil, err
	}
	bare, err := newStack(env, omega)
	if err != nil {
		return nil, err
	}
	counts := bare.coarse()
	coarse := counts.on(bare)
	l := coarse.limits(o)
	zeros, err := coarse.search(l)
	if err != nil {
		return nil, err
	}
	m := &Modes{Frequency: frequency}
	if err := m.refine(coarse, counts, zeros, o.Tolerance); err != nil {
		return nil, err
	}
	m.keep(l, o)
	m.mesh = m.counts.within(bare, shapePhase).on(bare)
	m.fill()
	if err := m.groupSpeeds(env); err != nil {
		return nil, err
	}
	m.scatter(env)
	return m, nil
}

// slowest is the share of the slowest speed of the stack down to which waves
// along interfaces (Rayleigh, Stoneley, Scholte, plate waves) are looked for when
// no lower limit is given.
const slowest = 0.25

// limits turns phase speeds and losses into wavenumbers. The search reaches a
// little further than what is kept, so that none is lost at the rim.
func (s *stack) limits(o Options) limits {
	fastest := 0.0
	for _, l := range s.layers {
		for _, seg := range l.segments {
			fastest = max(fastest, seg.wavenumber)
		}
	}
	for _, e := range []*end{&s.top, &s.bottom} {
		fastest = max(fastest, math.Sqrt(max(0, real(e.wave.kp2), real(e.wave.ks2))))
	}
	l := limits{low: s.omega / o.MaxPhaseSpeed, high: fastest / slowest}
	if o.MinPhaseSpeed > 0 {
		l.high = min(l.high, s.omega/o.MinPhaseSpeed)
	}
	l.ratio = o.MaxLoss / (2 * math.Pi * decibelsPerNeper)
	l.loss = l.high * l.ratio
	return l
}

// refine polishes the zeros on ever finer cells until Richardson's estimate of
// the sixth-order error falls below the tolerance.
func (m *Modes) refine(coarse *stack, counts mesh, zeros []zero, tolerance float64) error {
	slices.SortFunc(zeros, func(a, b zero) int {
		switch ka, kb := real(cmplx.Sqrt(a.x)), real(cmplx.Sqrt(b.x)); {
		case ka > kb:
			return -1
		case ka < kb:
			return 1
		}
		return 0
	})
	m.stack, m.counts = coarse, counts
	m.traces = make([]trace, len(zeros))
	m.K, m.Error = make([]complex128, len(zeros)), make([]float64, len(zeros))
	for i, z := range zeros {
		m.traces[i].zero = z
		m.K[i] = outgoing(z.x)
		m.Error[i] = 1e-14
	}
	if coarse.exact() {
		return nil
	}
	for refinement := 2; ; refinement *= 2 {
		m.counts = counts.refined(coarse, refinement)
		worst, err := m.polish(m.counts.on(coarse))
		if err != nil {
			return err
		}
		if worst <= tolerance {
			return nil
		}
		if refinement == maxRefinement {
			return &UncertifiedError{m.Frequency, len(zeros), len(zeros), fmt.Errorf("wavenumbers are off by %.1e at the finest mesh, %.1e was asked for", worst, tolerance)}
		}
	}
}

// richardson is what halving cells divides a sixth-order error by, less 1.
const richardson = 63

// polish moves every zero to the finer stack and extrapolates; it returns the
// largest estimate of error.
func (m *Modes) polish(fine *stack) (worst float64, err error) {
	n := len(m.traces)
	moved := make([]complex128, n)
	for i := range m.traces {
		z := m.traces[i].zero
		near := m.distance(i)
		x, ok := fine.secant(z, min(near/4, cmplx.Abs(z.x)/100))
		if !ok {
			return 0, &UncertifiedError{m.Frequency, n, i, errors.New("a mode moves too far between meshes")}
		}
		moved[i] = x
	}
	for i, x := range moved {
		old := m.traces[i].zero.x
		m.traces[i].zero.x = x
		m.K[i] = outgoing(x + (x-old)/complex(richardson, 0))
		m.Error[i] = max(cmplx.Abs(x-old)/complex(richardson, 0)/cmplx.Abs(2*x), 1e-14)
		worst = max(worst, m.Error[i])
	}
	m.stack = fine
	return worst, nil
}

// secant polishes a zero that must not move further than reach.
func (s *stack) secant(z zero, reach float64) (complex128, bool) {
	_, reference := s.value(z.x, z.sh)
	f := func(x complex128) complex128 {
		m, scale := s.value(x, z.sh)
		return m * complex(math.Exp(scale-reference), 0)
	}
	a, b := z.x, z.x*(1+1e-7)
	fa, fb := f(a), f(b)
	for range 40 {
		if fb == 0 || fb == fa {
			return b, true
		}
		next := b - fb*(b-a)/(fb-fa)
		if cmplx.Abs(next-z.x) > reach {
			return 0, false
		}
		if cmplx.Abs(next-b) <= 2e-15*cmplx.Abs(next) || cmplx.Abs(next-b) <= 1e-12*cmplx.Abs(next) && cmplx.Abs(fb) >= cmplx.Abs(fa) {
			return next, true
		}
		a, fa = b, fb
		b, fb = next, f(next)
	}
	return b, cmplx.Abs(b-a) <= 1e-11*cmplx.Abs(b)
}

// exact says that no cell holds a gradient.
func (s *stack) exact() bool {
	for _, l := range s.layers {
		for i := range l.cells {
			if !l.cells[i].uniform {
				return false
			}
		}
	}
	return true
}

// outgoing is the root of x whose wave exp(-ikr) decays outward; rounding of a
// lossless mode's imaginary part is taken off.
func outgoing(x complex128) complex128 {
	k := cmplx.Sqrt(x)
	if im := imag(k); im > 0 || -im < 1e-15*real(k) {
		k = complex(real(k), 0)
	}
	return k
}

// keep leaves the modes within the options' limits.
func (m *Modes) keep(l limits, o Options) {
	n := 0
	for i, k := range m.K {
		loss := -imag(k) / real(k) * 2 * math.Pi * decibelsPerNeper
		if real(k) < l.low || real(k) > l.high || loss > o.MaxLoss {
			continue
		}
		m.K[n], m.Error[n], m.traces[n] = k, m.Error[i], m.traces[i]
		n++
	}
	m.K, m.Error, m.traces = m.K[:n], m.Error[:n], m.traces[:n]
}

// shapePhase is the largest phase (rad) of a cell of the mesh for shapes.
const shapePhase = 1.5

// distance is that of a mode's x to the nearest other on its sheet.
func (m *Modes) distance(i int) float64 {
	z, near := m.traces[i].zero, math.Inf(1)
	for j := range m.traces {
		if j != i && m.traces[j].sh == z.sh {
			near = min(near, cmplx.Abs(m.traces[j].x-z.x))
		}
	}
	return near
}

// fill computes the modes' slopes, norms and shapes.
func (m *Modes) fill() {
	for i := range m.traces {
		t := &m.traces[i]
		t.slope = m.stack.slope(t.zero, m.distance(i))
		t.fill(m.mesh)
	}
}

// groupSpeeds differentiates the dispersion relation f(x, ω) = 0:
// dx/dω = -f_ω/f_x, dk/dω = dx/dω / 2k, by central differences of the
// characteristic function.
func (m *Modes) groupSpeeds(env *acoustics.Environment) error {
	const step = 1e-5
	omega := m.stack.omega
	var stacks [4]*stack
	for i, shift := range []float64{-2, -1, 1, 2} {
		s, err := newStack(env, omega*(1+shift*step))
		if err != nil {
			return err
		}
		stacks[i] = m.counts.on(s)
	}
	m.GroupSpeed = make([]float64, len(m.K))
	for i := range m.traces {
		t := &m.traces[i]
		var f [4]complex128
		for j, s := range stacks {
			v, scale := s.value(t.x, t.sh)
			f[j] = v * complex(math.Exp(scale-t.slope.scale), 0)
		}
		dw := (f[0] - f[3] + 8*(f[2]-f[1])) / complex(12*step*omega, 0)
		dk := -dw / t.slope.m / (2 * m.K[i])
		m.GroupSpeed[i] = real(1 / dk)
	}
	return nil
}
