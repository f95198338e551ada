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
