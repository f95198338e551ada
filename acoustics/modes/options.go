package modes

import (
	"fmt"
	"math"
)

// Options are the settings of a [Solver].
type Options struct {
	// Tolerance is the largest acceptable relative error of the real part of a
	// wavenumber. The solver chooses its cells from it.
	Tolerance float64 `hcl:"tolerance,optional" json:"tolerance"`
	// MinPhaseSpeed and MaxPhaseSpeed (m/s) bound the modes that are kept. Zero is
	// no bound: then all modes that the half-spaces trap are kept.
	MinPhaseSpeed float64 `hcl:"min_phase_speed,optional" json:"min_phase_speed"`
	MaxPhaseSpeed float64 `hcl:"max_phase_speed,optional" json:"max_phase_speed"`
	// Solver names the solver for callers that have both: "real", this package's;
	// "complex", package analytic's; "auto" or nothing, whichever the ocean needs. A
	// [Solver] is the real one, whatever it says.
	Solver string `hcl:"solver,optional" json:"solver,omitempty"`
	// MaxLoss (dB per wavelength) leaves out modes that lose more, for the complex
	// solver; 0 is its default.
	MaxLoss float64 `hcl:"max_loss,optional" json:"max_loss,omitempty"`
}

// DefaultOptions is a tolerance of 1e-9 and no bound on phase speed.
func DefaultOptions() Options { return Options{Tolerance: 1e-9} }

// minTolerance is the smallest tolerance that rounding errors leave reachable.
const minTolerance = 1e-13

// Validate says what is wrong with the options, or nil.
func (o Options) Validate() error {
	switch {
	case !(o.Tolerance >= minTolerance && o.Tolerance <= 1e-2):
		return fmt.Errorf("tolerance must lie between %g and 0.01, not %v", minTolerance, o.Tolerance)
	case !(o.MinPhaseSpeed >= 0) || math.IsInf(o.MinPhaseSpeed, 0):
		return fmt.Errorf("min_phase_speed must be 0 or positive, not %v", o.MinPhaseSpeed)
	case !(o.MaxPhaseSpeed >= 0) || math.IsInf(o.MaxPhaseSpeed, 0):
		return fmt.Errorf("max_phase_speed must be 0 or positive, not %v", o.MaxPhaseSpeed)
	case o.MaxPhaseSpeed > 0 && o.MaxPhaseSpeed <= o.MinPhaseSpeed:
		return fmt.Errorf("max_phase_speed (%v m/s) must exceed min_phase_speed (%v m/s)", o.MaxPhaseSpeed, o.MinPhaseSpeed)
	case o.Solver != "" && o.Solver != "auto" && o.Solver != "real" && o.Solver != "complex":
		return fmt.Errorf("solver must be auto, real or complex, not %q", o.Solver)
	case !(o.MaxLoss >= 0) || math.IsInf(o.MaxLoss, 0):
		return fmt.Errorf("max_loss must be 0 or positive, not %v", o.MaxLoss)
	}
	return nil
}
