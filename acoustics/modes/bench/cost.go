package bench

import (
	"errors"
	"math"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// Cost is what one solve costs at a frequency in water of a depth; only Hz, Depth and
// Reason are set where there was none.
type Cost struct {
	Hz    float64 `json:"hz"`
	Depth float64 `json:"depth"` // m
	Modes int     `json:"modes"`
	Cells int     `json:"cells"`
	MS    float64 `json:"ms"` // processor time of the quickest solve
	// NSPerCellMode is MS over modes × cells.
	NSPerCellMode        float64 `json:"ns_per_cell_mode"`
	WorstRelativeErrorKr float64 `json:"worst_relative_error_kr"`
	// Reason says why there is no solve: no mode propagates, or memory is bounded.
	Reason string `json:"reason,omitempty"`
}

// CostFrequencies (Hz) and CostDepths (m) span what the solver is for.
func CostFrequencies() []float64 { return []float64{10, 30, 100, 300, 1000, 2000, 5000} }

// CostDepths returns the depths of the water in m.
func CostDepths() []float64 { return []float64{30, 100, 300, 1000, 5000} }

// Costs times one solve for every frequency and depth and compares each with a
// converged one; where no mode propagates, or the modes do not fit the solver's
// memory, the Reason says so. done is called after each.
func Costs(tolerance float64, done func(Cost)) ([]Cost, error) {
	s, err := costSolver(tolerance)
	if err != nil {
		return nil, err
	}
	reference, err := costSolver(convergedTolerance)
	if err != nil {
		return nil, err
	}
	var out []Cost
	for _, depth := range CostDepths() {
		env := Ocean(depth)
		for _, hz := range CostFrequencies() {
			c, err := costOrReason(s, reference, &env, hz)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
			done(c)
		}
	}
	return out, nil
}

// costOrReason is the cost, or why there is none.
func costOrReason(s, reference *modes.Solver, env *acoustics.Environment, hz float64) (Cost, error) {
	c, err := cost(s, reference, env, hz)
	var none modes.ErrNoModes
	var large modes.ErrTooManyCells
	if errors.As(err, &none) || errors.As(err, &large) {
		return Cost{Hz: hz, Depth: env.Water.Depth, Reason: err.Error()}, nil
	}
	return c, err
}

func costSolver(tolerance float64) (*modes.Solver, error) {
	o := modes.DefaultOptions()
	o.Tolerance = tolerance
	return modes.NewSolver(o)
}

// cost times solves until they have taken a tenth of a second, twice at least.
func cost(s, reference *modes.Solver, env *acoustics.Environment, hz float64) (Cost, error) {
	c := Cost{Hz: hz, Depth: env.Water.Depth, MS: math.Inf(1)}
	var m *modes.Modes
	for total, n := 0.0, 0; n < 2 || total < 100 && n < 1000; n++ {
		start := processorTime()
		var err error
		if m, err = s.Solve(env, hz); err != nil {
			return c, err
		}
		spent := 1000 * (processorTime() - start).Seconds()
		total += spent
		if n > 0 { // the first makes the memory
			c.MS = math.Min(c.MS, spent)
		}
	}
	c.Modes, c.Cells = m.Len(), m.Cells()
	c.NSPerCellMode = 1e6 * c.MS / float64(c.Modes*c.Cells)
	want, err := reference.Solve(env, hz)
	if err != nil {
		return c, err
	}
	if m.Len() != want.Len() {
		return c, errCount(hz, m.Len(), want.Len())
	}
	for i, k := range m.Kr {
		c.WorstRelativeErrorKr = math.Max(c.WorstRelativeErrorKr, math.Abs(real(k)/real(want.Kr[i])-1))
	}
	return c, nil
}

// Ocean returns water of a depth (m) over a fast sandy half-space: a mixed layer, a
// thermocline and the rise of sound speed with pressure, in 30 knots.
func Ocean(depth float64) acoustics.Environment {
	const n = 30
	p := acoustics.SoundSpeedProfile{Interpolation: acoustics.CLinear}
	for i := range n {
		// Knots stand closer near the surface.
		x := float64(i) / (n - 1)
		z := depth * x * x
		p.Depth = append(p.Depth, z)
		p.Speed = append(p.Speed, 1490+25/(1+math.Exp((z-0.15*depth)/(0.05*depth)))+0.016*z)
	}
	return acoustics.Environment{
		Name: "bench", Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{Depth: depth, Density: 1024, Profile: p},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 1700, Density: 1900,
			Attenuation: acoustics.Attenuation{Value: 0.5, Unit: acoustics.DBPerWavelength}}},
	}
}
