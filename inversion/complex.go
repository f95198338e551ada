package inversion

import (
	"slices"

	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
)

// Solver is the kind of modes that the problem's forward model computes.
func (p *Problem) Solver() rangedep.Method {
	options := rangedep.SolverOptionsOf(*p.Modes)
	shear := slices.ContainsFunc(p.Parameters, func(q Parameter) bool { return q.quantity() == ShearSpeed || q.quantity() == AttenuationS })
	if shear && options.Method != rangedep.Real {
		return rangedep.Complex
	}
	return options.Choose(&p.Environment)
}

// newComplexModal makes the forward model by complex modes.
func newComplexModal(p *Problem) (*complexModal, error) {
	model, err := NewParameterization(p)
	if err != nil {
		return nil, err
	}
	if err := p.Modes.Validate(); err != nil {
		return nil, invalid("modes", "%v", err)
	}
	return &complexModal{
		model: model, experiment: model.NewExperiment(), options: rangedep.SolverOptionsOf(*p.Modes),
		frequencies: p.Frequencies, tone: make([]complex128, len(p.Array.Depths)),
	}, nil
}

// complexModal is the forward model by complex modes.
type complexModal struct {
	model       *Parameterization
	experiment  *Experiment
	options     rangedep.SolverOptions
	frequencies []float64
	tone        []complex128
}

// Predict sets dst to the field of parameters theta.
func (f *complexModal) Predict(dst []complex128, theta []float64) error {
	e := f.experiment
	if err := f.model.Apply(e, theta); err != nil {
		return err
	}
	options := f.options
	options.Method = rangedep.Complex
	for k, hz := range f.frequencies {
		section, err := rangedep.Solve(&e.Environment, hz, options)
		if err != nil {
			return err
		}
		if len(section.K) == 0 {
			return modes.ErrNoModes{Frequency: hz, MinPhaseSpeed: options.MinPhaseSpeed, MaxPhaseSpeed: options.Limit(&e.Environment)}
		}
		if err := section.Pressure(f.tone, e.Source, e.Array); err != nil {
			return err
		}
		for i, p := range f.tone {
			dst[i*len(f.frequencies)+k] = p
		}
	}
	return nil
}
