package inversion

import (
	"oceaninv/acoustics/modes"
)

// modal is the forward model by normal modes.
type modal struct {
	model       *Parameterization
	experiment  *Experiment
	solver      *modes.Solver
	frequencies []float64
	tone        []complex128 // the field of one tone
}

// Forward returns the problem's forward model: the pressure of the source on the
// array by normal modes, see [modes.Modes.Pressure]. Each goroutine takes a
// Forward of its own.
func (p *Problem) Forward() (Forward, error) {
	model, err := NewParameterization(p)
	if err != nil {
		return nil, err
	}
	solver, err := modes.NewSolver(*p.Modes)
	if err != nil {
		return nil, invalid("modes", "%v", err)
	}
	return &modal{
		model: model, experiment: model.NewExperiment(), solver: solver,
		frequencies: p.Frequencies, tone: make([]complex128, len(p.Array.Depths)),
	}, nil
}

// Predict sets dst to the field of parameters theta.
func (f *modal) Predict(dst []complex128, theta []float64) error {
	e := f.experiment
	if err := f.model.Apply(e, theta); err != nil {
		return err
	}
	for k, hz := range f.frequencies {
		m, err := f.solver.Solve(&e.Environment, hz)
		if err != nil {
			return err
		}
		m.Pressure(f.tone, e.Source, e.Array)
		for i, p := range f.tone {
			dst[i*len(f.frequencies)+k] = p
		}
	}
	return nil
}
