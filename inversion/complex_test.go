package inversion

import (
	"errors"
	"math"
	"math/cmplx"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
)

// predict is the field at the middle of the prior.
func predict(t *testing.T, p *Problem) []complex128 {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	forward, err := p.Forward()
	if err != nil {
		t.Fatal(err)
	}
	theta := make([]float64, len(p.Parameters))
	for i := range theta {
		theta[i] = p.Parameters[i].Prior.Quantile(0.5)
	}
	dst := make([]complex128, p.DataSize())
	if err := forward.Predict(dst, theta); err != nil {
		t.Fatal(err)
	}
	return dst
}

func distance(a, b []complex128) float64 {
	d, n := 0.0, 0.0
	for i := range a {
		d += math.Pow(cmplx.Abs(a[i]-b[i]), 2)
		n += math.Pow(cmplx.Abs(b[i]), 2)
	}
	return math.Sqrt(d / n)
}

// Without losses real and complex modes are the same, and so are their fields on a
// tilted, displaced array of a source with a level.
func TestSolversAgreeWithoutLosses(t *testing.T) {
	p := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(210, 220)})
	for i := range p.Environment.Layers {
		for k := range p.Environment.Layers[i].Knots {
			p.Environment.Layers[i].Knots[k].Attenuation = acoustics.Attenuation{}
		}
	}
	p.Environment.Bottom.Material.Attenuation = acoustics.Attenuation{}
	p.Environment.Layers[1].Thickness = 30
	p.Frequencies = []float64{49}
	p.Source.Level, p.Array.Tilt, p.Array.DepthOffset = 120, 5, 1.5
	if p.Solver() != rangedep.Real {
		t.Fatal("a fluid ocean asks for complex modes")
	}
	want := predict(t, p)
	p.Modes.Solver = "complex"
	if d := distance(predict(t, p), want); d > 1e-6 {
		t.Errorf("fields differ by %.1e", d)
	}
}

// A prior that lets the bottom be slower than the phase speeds wanted makes the whole
// problem the complex solver's: no ocean of it loses its leaky modes.
func TestSolverSuitsTheWholePrior(t *testing.T) {
	bottom := func(low, high float64) *Problem {
		p := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(210, 220)},
			Parameter{Name: "sound_speed", Layer: BottomHalfspace, Prior: uniform(low, high)})
		p.Environment.Bottom.Material.SoundSpeed = 1800
		p.Modes.MaxPhaseSpeed = 1700
		p.Frequencies = []float64{49}
		return p
	}
	if got := bottom(1750, 1900).Solver(); got != rangedep.Real {
		t.Errorf("bottoms above max_phase_speed: %v", got)
	}
	p := bottom(1600, 1900)
	if got := p.Solver(); got != rangedep.Complex {
		t.Fatalf("bottoms from 1600 m/s, phase speeds to 1700: %v", got)
	}
	p.Modes.Solver = "real"
	if got := p.Solver(); got != rangedep.Real {
		t.Errorf("forced real modes: %v", got)
	}
}

// A solid whose shear speed goes to 0 is heard as the fluid; a stiffer one is not,
// and unknown shear speeds make the problem the complex solver's.
func TestElasticProblem(t *testing.T) {
	p := shelfProblem(Parameter{Name: "shear_speed", Layer: BottomHalfspace, Prior: uniform(9, 11)})
	p.Environment.Layers, p.Frequencies = nil, []float64{49}
	p.Environment.Bottom.Material = acoustics.Material{SoundSpeed: 1700, ShearSpeed: 10, Density: 1800}
	if p.Solver() != rangedep.Complex {
		t.Fatal("an elastic ocean asks for real modes")
	}
	slow := predict(t, p)
	fluid := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(216, 217)})
	fluid.Environment, fluid.Frequencies = p.Environment.Clone(), p.Frequencies
	fluid.Environment.Bottom.Material.ShearSpeed = 0
	want := predict(t, fluid)
	if d := distance(slow, want); d > 1e-3 {
		t.Errorf("a shear speed of 10 m/s changes the field by %.1e", d)
	}
	p.Parameters[0].Prior = uniform(500, 700)
	p.Environment.Bottom.Material.ShearSpeed = 600
	if d := distance(predict(t, p), want); d < 0.05 {
		t.Errorf("a shear speed of 600 m/s changes the field by %.1e only", d)
	}
}

// Forced real modes refuse what they do not know; where no complex mode propagates
// the error is that of real modes.
func TestSolverErrors(t *testing.T) {
	p := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(210, 220)})
	p.Environment.Bottom.Material.ShearSpeed = 2500
	p.Modes.Solver = "real"
	forward, err := p.Forward()
	if err != nil {
		t.Fatal(err)
	}
	var unsupported modes.ErrUnsupported
	if err := forward.Predict(make([]complex128, p.DataSize()), []float64{215}); !errors.As(err, &unsupported) {
		t.Errorf("real modes of an elastic ocean: %v", err)
	}
	p.Modes.Solver, p.Modes.MinPhaseSpeed, p.Modes.MaxPhaseSpeed = "complex", 1400, 1450
	p.Environment.Bottom.Material.ShearSpeed = 0
	if forward, err = p.Forward(); err != nil {
		t.Fatal(err)
	}
	var none modes.ErrNoModes
	if err := forward.Predict(make([]complex128, p.DataSize()), []float64{215}); !errors.As(err, &none) || none.MaxPhaseSpeed != 1450 {
		t.Errorf("no modes: %v", err)
	}
	p.Modes.Solver = "fast"
	var invalid *InvalidError
	if _, err := p.Forward(); !errors.As(err, &invalid) {
		t.Errorf("solver \"fast\": %v", err)
	}
}
