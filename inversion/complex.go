package inversion

import (
	"slices"

	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
)

// supportTail is the probability beyond the ends of a prior's support, as far as the
// choice of a solver goes.
const supportTail = 1e-9

// Solver is the kind of modes that the problem's forward model computes, one for all
// of the prior: complex modes if any ocean that it allows asks for them, such as one
// whose bottom is slower than the phase speeds wanted.
func (p *Problem) Solver() rangedep.Method {
	options := rangedep.SolverOptionsOf(*p.Modes)
	shear := slices.ContainsFunc(p.Parameters, func(q Parameter) bool { return q.quantity() == ShearSpeed || q.quantity() == AttenuationS })
	if shear && options.Method != rangedep.Real {
		return rangedep.Complex
	}
	method := options.Choose(&p.Environment)
	if method != rangedep.Real || options.Method == rangedep.Real || p.realThroughout(options) {
		return method
	}
	return rangedep.Complex
}

// realThroughout says whether real modes do at both ends of every parameter, the
// others at their medians. Oceans that cannot be are no reason.
func (p *Problem) realThroughout(options rangedep.SolverOptions) bool {
	model, err := NewParameterization(p)
	if err != nil {
		return true
	}
	e := model.NewExperiment()
	theta := make([]float64, len(p.Parameters))
	for i := range theta {
		theta[i] = p.Parameters[i].Prior.Quantile(0.5)
	}
	for i, median := range theta {
		for _, u := range []float64{supportTail, 1 - supportTail} {
			theta[i] = p.Parameters[i].Prior.Quantile(u)
			if model.Apply(e, theta) == nil && options.Choose(&e.Environment) != rangedep.Real {
				return false
			}
		}
		theta[i] = median
	}
	return true
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
