package modes

import "fmt"

// ErrNoModes says that no mode propagates.
type ErrNoModes struct {
	Frequency                    float64 // Hz
	MinPhaseSpeed, MaxPhaseSpeed float64 // m/s, the bounds that were searched
}

// Error names the frequency, the bounds and the remedy.
func (e ErrNoModes) Error() string {
	return fmt.Sprintf("no mode propagates at %g Hz with a phase speed between %.6g and %.6g m/s: raise the frequency or max_phase_speed",
		e.Frequency, e.MinPhaseSpeed, e.MaxPhaseSpeed)
}

// ErrUnsupported says that an environment has something this solver does not
// model.
type ErrUnsupported struct {
	Path string // the field, by its JSON names
	What string
}

// Error names the field and what is not modelled.
func (e ErrUnsupported) Error() string { return e.Path + ": " + e.What }

// ErrNotConverged says that a mode's wavenumber was not found to the tolerance,
// so that the list of modes would not be certain.
type ErrNotConverged struct {
	Frequency float64 // Hz
	Mode      int     // from 1, as KRAKEN counts
	Residual  float64 // in units of the distance between modes
}

// Error names the frequency and the mode.
func (e ErrNotConverged) Error() string {
	return fmt.Sprintf("mode %d at %g Hz was not found to the tolerance (residual %.2g of the distance to the next)",
		e.Mode, e.Frequency, e.Residual)
}

// ErrTooManyCells says that a problem is beyond the solver's bound on memory.
type ErrTooManyCells struct {
	Frequency float64 // Hz
	Limit     int
}

// Error names the frequency and the bound.
func (e ErrTooManyCells) Error() string {
	return fmt.Sprintf("at %g Hz the environment needs more than %d cells, modes, or modes times cells: lower the frequency, the depth or max_phase_speed",
		e.Frequency, e.Limit)
}

// ErrDegenerate says that modes agree in their wavenumbers so closely that they could not
// be told apart.
type ErrDegenerate struct {
	Frequency   float64 // Hz
	First, Last int     // modes, from 1
}

// Error names the frequency and the modes.
func (e ErrDegenerate) Error() string {
	return fmt.Sprintf("modes %d to %d at %g Hz agree in their wavenumbers to rounding and could not be told apart", e.First, e.Last, e.Frequency)
}

// ErrNoDerivative says that modes of different ducts agree in their wavenumbers so closely
// that the derivative of the pressure is not certain to 1e-6.
type ErrNoDerivative struct {
	Frequency float64 // Hz
	// Gap is the least relative distance of wavenumbers; 0 where that is not what counts.
	Gap float64
}

// Error names the frequency and the distance.
func (e ErrNoDerivative) Error() string {
	if e.Gap == 0 {
		return fmt.Sprintf("no derivative at %g Hz: modes of different ducts agree in their wavenumbers too closely; make the ducts less alike", e.Frequency)
	}
	return fmt.Sprintf("no derivative at %g Hz: modes of different ducts agree in their wavenumbers to %.1g; make the ducts less alike", e.Frequency, e.Gap)
}
