package rangedep

import (
	"fmt"
	"math"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/modes/analytic"
)

// Method chooses the mode solver.
type Method string

// Auto takes the complex solver where an ocean has elastic media or gradients of
// density, or modes are wanted that leak into a half-space, the real one otherwise. Real treats
// attenuation as a perturbation (KRAKEN); Complex does not (KRAKENC).
const (
	Auto    Method = "auto"
	Real    Method = "real"
	Complex Method = "complex"
)

// SolverOptions say which modes are wanted and how they are found.
type SolverOptions struct {
	Method        Method  `json:"method" hcl:"method,optional"`
	MinPhaseSpeed float64 `json:"min_phase_speed" hcl:"min_phase_speed,optional"` // m/s; 0: no limit
	// MaxPhaseSpeed (m/s) 0 is the sound speed of the slower half-space: the modes
	// that it traps, but for shear waves.
	MaxPhaseSpeed float64 `json:"max_phase_speed" hcl:"max_phase_speed,optional"`
	// Tolerance is the relative error aimed at in K; 0 is the solver's default.
	Tolerance float64 `json:"tolerance,omitempty" hcl:"tolerance,optional"`
	// MaxLoss leaves out leaky modes above this loss (dB per wavelength).
	MaxLoss float64 `json:"max_loss" hcl:"max_loss,optional"`
}

// DefaultSolverOptions choose the solver by the ocean.
func DefaultSolverOptions() SolverOptions {
	return SolverOptions{Method: Auto, MaxLoss: analytic.DefaultOptions().MaxLoss}
}

// SolverOptionsOf are those that the options of package modes ask for.
func SolverOptionsOf(o modes.Options) SolverOptions {
	s := SolverOptions{Method: Method(o.Solver), MinPhaseSpeed: o.MinPhaseSpeed, MaxPhaseSpeed: o.MaxPhaseSpeed, MaxLoss: o.MaxLoss, Tolerance: o.Tolerance}
	if s.MaxLoss == 0 {
		s.MaxLoss = DefaultSolverOptions().MaxLoss
	}
	return s
}

// Section is an ocean and its modes at one frequency, in falling Re K.
type Section struct {
	Environment *acoustics.Environment
	Frequency   float64      // Hz
	K           []complex128 // rad/m
	GroupSpeed  []float64    // m/s
	// Method tells which solver made the modes.
	Method Method

	shapes func(depths []float64) [][]complex128
}

// Shapes are the modes' pressures at depths (m), [mode][depth], with
// ∫ φ²/ρ dz = 1, ρ in g/cm³.
func (s *Section) Shapes(depths []float64) [][]complex128 { return s.shapes(depths) }

// PhaseSpeed is ω/Re k of a mode in m/s.
func (s *Section) PhaseSpeed(mode int) float64 {
	return 2 * math.Pi * s.Frequency / real(s.K[mode])
}

// Silent is a section in which no mode propagates: a band may begin below the
// cutoff.
func Silent(env *acoustics.Environment, frequency float64) *Section {
	return &Section{Environment: env, Frequency: frequency, Method: Real, shapes: func([]float64) [][]complex128 { return nil }}
}

// Choose resolves Auto for an ocean.
func (o SolverOptions) Choose(env *acoustics.Environment) Method {
	if o.Method != Auto && o.Method != "" {
		return o.Method
	}
	for _, layers := range [][]acoustics.Layer{env.Cover, env.Layers} {
		for _, l := range layers {
			for _, k := range l.Knots {
				if k.ShearSpeed > 0 || k.Density != l.Knots[0].Density {
					return Complex
				}
			}
		}
	}
	for _, b := range []acoustics.Boundary{env.Surface, env.Bottom} {
		if b.Kind == acoustics.Reflection || b.Kind == acoustics.Impedance || b.Kind == acoustics.Halfspace && (b.Material.ShearSpeed > 0 || o.MaxPhaseSpeed > b.Material.SoundSpeed) {
			return Complex
		}
	}
	return Real
}

// Solve finds the modes of an ocean at one frequency (Hz).
func Solve(env *acoustics.Environment, frequency float64, o SolverOptions) (*Section, error) {
	if err := env.Solvable(); err != nil {
		return nil, err
	}
	switch method := o.Choose(env); method {
	case Complex:
		return solveComplex(env, frequency, o)
	case Real:
		return solveReal(env, frequency, o)
	default:
		return nil, fmt.Errorf("modes: method %q; use auto, real or complex", method)
	}
}

// unboundedSpeed (m/s) stands for no limit where nothing carries waves away.
const unboundedSpeed = 1e9

// Limit is the upper limit of phase speed in an ocean, in m/s.
func (o SolverOptions) Limit(env *acoustics.Environment) float64 {
	if o.MaxPhaseSpeed != 0 {
		return o.MaxPhaseSpeed
	}
	slowest := unboundedSpeed
	for _, b := range []acoustics.Boundary{env.Surface, env.Bottom} {
		if b.Kind == acoustics.Halfspace {
			slowest = min(slowest, b.Material.SoundSpeed)
		}
	}
	return slowest
}

func solveComplex(env *acoustics.Environment, frequency float64, o SolverOptions) (*Section, error) {
	options := analytic.DefaultOptions()
	options.MinPhaseSpeed, options.MaxPhaseSpeed, options.MaxLoss = o.MinPhaseSpeed, o.Limit(env), o.MaxLoss
	if o.Tolerance > 0 {
		options.Tolerance = o.Tolerance
	}
	m, err := analytic.Solve(env, frequency, options)
	if err != nil {
		return nil, err
	}
	return &Section{Environment: env, Frequency: frequency, K: m.K, GroupSpeed: m.GroupSpeed, Method: Complex, shapes: m.Shapes}, nil
}

func solveReal(env *acoustics.Environment, frequency float64, o SolverOptions) (*Section, error) {
	options := modes.DefaultOptions()
	options.MinPhaseSpeed, options.MaxPhaseSpeed = o.MinPhaseSpeed, o.MaxPhaseSpeed
	if o.Tolerance > 0 {
		options.Tolerance = o.Tolerance
	}
	solver, err := modes.NewSolver(options)
	if err != nil {
		return nil, err
	}
	m, err := solver.Solve(env, frequency)
	if err != nil {
		return nil, err
	}
	s := &Section{Environment: env, Frequency: frequency, K: m.Kr, Method: Real}
	for i := range m.Len() {
		s.GroupSpeed = append(s.GroupSpeed, m.GroupSpeed(i))
	}
	s.shapes = func(depths []float64) [][]complex128 {
		n := m.Len()
		flat := m.Shapes(make([]float64, n*len(depths)), depths)
		phi := make([][]complex128, n)
		for i := range phi {
			phi[i] = make([]complex128, len(depths))
			for d := range depths {
				phi[i][d] = complex(flat[d*n+i], 0)
			}
		}
		return phi
	}
	return s, nil
}

// densityAt is the density at a depth in g/cm³; below an interface where the depth
// is one.
func (s *Section) densityAt(z float64) float64 {
	list := media(s.Environment)
	for _, l := range list {
		if z < l.bottom {
			return l.density(z - l.top)
		}
	}
	if s.Environment.Bottom.Kind == acoustics.Halfspace {
		return s.Environment.Bottom.Material.Density / 1000
	}
	last := list[len(list)-1]
	return last.density(last.bottom - last.top)
}

// medium is a stretch of depth with its density.
type medium struct {
	top, bottom float64
	knots       []acoustics.Knot
}

// density is that at a depth below the medium's top, in g/cm³, linear between
// knots.
func (m medium) density(z float64) float64 {
	for i := 1; i < len(m.knots); i++ {
		a, b := m.knots[i-1], m.knots[i]
		if z <= b.Depth {
			return (a.Density + (b.Density-a.Density)*(z-a.Depth)/(b.Depth-a.Depth)) / 1000
		}
	}
	return m.knots[len(m.knots)-1].Density / 1000
}

// media are the layers of an ocean from the surface down.
func media(env *acoustics.Environment) []medium {
	var list []medium
	z := 0.0
	add := func(thickness float64, knots []acoustics.Knot) {
		list = append(list, medium{z, z + thickness, knots})
		z += thickness
	}
	for _, l := range env.Cover {
		add(l.Thickness, l.Knots)
	}
	add(env.Water.Depth, []acoustics.Knot{{Material: acoustics.Material{Density: env.Water.Density}}})
	for _, l := range env.Layers {
		add(l.Thickness, l.Knots)
	}
	return list
}
