package inversion

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics/modes"
)

// modal is the forward model by normal modes.
type modal struct {
	model       *Parameterization
	experiment  *Experiment
	solver      *modes.Solver
	frequencies []float64
	depths      []float64 // of the source, then the phones
	ranges      []float64
	shapes      []float64
}

// Forward returns the problem's forward model: the pressure of a point source on
// the array, by normal modes,
//
//	p(r, z) = i √(2π/r) e^{iπ/4} / ρ(z_s) Σ_m φ_m(z_s) φ_m(z) e^{-i k_m r} / √k_m
//
// relative to 1 m from the source, with ρ in g/cm³ (Jensen, Kuperman, Porter &
// Schmidt, Computational Ocean Acoustics, 2nd ed., eq. 5.14, with the sign of
// package acoustics). Each goroutine takes a Forward of its own.
func (p *Problem) Forward() (Forward, error) {
	model, err := NewParameterization(p)
	if err != nil {
		return nil, err
	}
	solver, err := modes.NewSolver(*p.Modes)
	if err != nil {
		return nil, invalid("modes", "%v", err)
	}
	return &modal{model: model, experiment: model.NewExperiment(), solver: solver, frequencies: p.Frequencies}, nil
}

// Predict sets dst to the field of parameters theta.
func (f *modal) Predict(dst []complex128, theta []float64) error {
	e := f.experiment
	if err := f.model.Apply(e, theta); err != nil {
		return err
	}
	f.depths, f.ranges = e.Array.Positions(append(f.depths[:0], e.Source.Depth), f.ranges[:0])
	for k, hz := range f.frequencies {
		m, err := f.solver.Solve(&e.Environment, hz)
		if err != nil {
			return err
		}
		n := m.Len()
		if len(f.shapes) < n*len(f.depths) {
			f.shapes = make([]float64, 2*n*len(f.depths))
		}
		shapes := m.Shapes(f.shapes, f.depths)
		for i, r := range f.ranges {
			dst[i*len(f.frequencies)+k] = f.pressure(m.Kr, shapes[:n], shapes[(i+1)*n:(i+2)*n], r)
		}
	}
	return nil
}

// pressure sums the modes at one phone.
func (f *modal) pressure(kr []complex128, source, phone []float64, r float64) complex128 {
	var sum complex128
	for i, k := range kr {
		sum += complex(source[i]*phone[i], 0) * cmplx.Exp(complex(0, -r)*k) / cmplx.Sqrt(k)
	}
	rho := f.experiment.Environment.Water.Density / 1000
	return sum * cmplx.Rect(math.Sqrt(2*math.Pi/r)/rho, 3*math.Pi/4)
}
