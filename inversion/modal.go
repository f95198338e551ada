package inversion

import (
	"math"

	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
)

// modal is the forward model by normal modes.
type modal struct {
	model       *Parameterization
	experiment  *Experiment
	solver      *modes.Solver
	frequencies []float64
	tone        []complex128 // the field of one tone

	// Of the derivatives.
	steps      []float64
	theta      []float64
	moved      []*Experiment // at θ+step and θ-step of each parameter
	moves      []modes.Direction
	directions modes.Directions
	slopes     []complex128
}

// Forward returns the problem's forward model: the pressure of the source on the
// array by normal modes, see [modes.Modes.Pressure]. Oceans that real modes do not
// know, and those whose options say so, are the complex solver's: elastic layers,
// gradients of density, tables of reflection coefficients, leaky modes. Each
// goroutine takes a Forward of its own.
func (p *Problem) Forward() (Forward, error) {
	if p.Solver() == rangedep.Complex {
		return newComplexModal(p)
	}
	return p.Differentiable()
}

// Differentiable returns the problem's forward model with its derivatives by
// [modes.Solver.Jacobian], exact but for geometry and material, which are
// differenced over a step of 1e-5 prior standard deviations. Fields of complex modes
// are differenced as a whole.
func (p *Problem) Differentiable() (Differentiable, error) {
	if p.Solver() == rangedep.Complex {
		forward, err := newComplexModal(p)
		if err != nil {
			return nil, err
		}
		prior, err := p.Prior()
		if err != nil {
			return nil, err
		}
		return NewFiniteDifferences(forward, prior, p.DataSize()), nil
	}
	model, err := NewParameterization(p)
	if err != nil {
		return nil, err
	}
	solver, err := modes.NewSolver(*p.Modes)
	if err != nil {
		return nil, invalid("modes", "%v", err)
	}
	f := &modal{
		model: model, experiment: model.NewExperiment(), solver: solver,
		frequencies: p.Frequencies, tone: make([]complex128, len(p.Array.Depths)),
	}
	for i := range p.Parameters {
		f.steps = append(f.steps, directionStep*p.Parameters[i].Prior.SDev())
	}
	return f, nil
}

// directionStep is the step of a direction in prior standard deviations.
const directionStep = 1e-5

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

// Jacobian sets dst to the field of parameters theta and jac[i·D+j] to ∂p_i/∂θ_j.
func (f *modal) Jacobian(dst, jac []complex128, theta []float64) error {
	e := f.experiment
	if err := f.model.Apply(e, theta); err != nil {
		return err
	}
	if err := f.move(theta); err != nil {
		return err
	}
	if err := f.directions.Set(caseOf(e), f.moves); err != nil {
		return err
	}
	n, d := len(f.tone), len(theta)
	f.slopes = append(f.slopes[:0], make([]complex128, n*d)...)
	for k, hz := range f.frequencies {
		if _, err := f.solver.Jacobian(f.tone, f.slopes, &f.directions, hz); err != nil {
			return err
		}
		for i, p := range f.tone {
			at := i*len(f.frequencies) + k
			dst[at] = p
			for j := range d {
				jac[at*d+j] = f.slopes[j*n+i]
			}
		}
	}
	return nil
}

// move sets the moves along the parameters.
func (f *modal) move(theta []float64) error {
	for len(f.moved) < 2*len(theta) {
		f.moved = append(f.moved, f.model.NewExperiment())
	}
	f.theta = append(f.theta[:0], theta...)
	f.moves = f.moves[:0]
	for j, x := range theta {
		// A step that rounding of θ does not blur.
		step := math.Max(f.steps[j], 1e-9*math.Abs(x))
		plus, minus := f.moved[2*j], f.moved[2*j+1]
		f.theta[j] = x + step
		high := f.model.Apply(plus, f.theta)
		f.theta[j] = x - step
		low := f.model.Apply(minus, f.theta)
		f.theta[j] = x
		// At the edge of what is possible the step goes one way.
		if high != nil && low != nil {
			return high
		}
		if high != nil || low != nil {
			edge := plus
			if low != nil {
				edge = minus
			}
			if err := f.model.Apply(edge, theta); err != nil {
				return err
			}
			step /= 2
		}
		f.moves = append(f.moves, modes.Direction{Plus: caseOf(plus), Minus: caseOf(minus), Step: step})
	}
	return nil
}

func caseOf(e *Experiment) modes.Case {
	return modes.Case{Environment: &e.Environment, Source: e.Source, Array: e.Array}
}
