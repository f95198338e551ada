package inversion

import (
	"math"
	"math/cmplx"
	"testing"
)

// differentiable is a problem's forward model, and its prior.
func differentiable(t *testing.T, p *Problem) (Differentiable, *Prior) {
	t.Helper()
	model, err := p.Differentiable()
	if err != nil {
		t.Fatal(err)
	}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	return model, prior
}

// The forward model's derivative by each quantity agrees with differences of whole
// solves.
func TestModalJacobian(t *testing.T) {
	near := func(x, sd float64) Marginal { return Marginal{Kind: Normal, Mean: x, SD: sd} }
	p := shelfProblem(
		Parameter{Name: "water_depth", Prior: near(216.5, 0.5)},
		Parameter{Name: "source_depth", Prior: near(60, 0.5)},
		Parameter{Name: "range", Prior: near(3000, 0.5)},
		Parameter{Name: "tilt", Prior: near(1, 0.5)},
		Parameter{Name: "array_depth_offset", Prior: near(0.5, 0.5)},
		Parameter{Name: "profile_offset", Prior: near(0.2, 0.5)},
		Parameter{Name: "top", Quantity: SoundSpeedTop, Layer: "sediment", Prior: near(1572, 5)},
		Parameter{Name: "thick", Quantity: Thickness, Layer: "sediment", Prior: near(23.5, 0.5)},
		Parameter{Name: "heavy", Quantity: Density, Layer: "sediment", Prior: near(1760, 20)},
		Parameter{Name: "lossy", Quantity: AttenuationP, Layer: "sediment", Prior: near(0.2, 0.01)},
		Parameter{Name: "deep", Quantity: SoundSpeed, Layer: BottomHalfspace, Prior: near(shelf().Bottom.Material.SoundSpeed, 50)},
	)
	p.Modes.Tolerance = 1e-12
	p.Modes.MaxPhaseSpeed = 1750
	model, prior := differentiable(t, p)
	d, n := prior.Dim(), p.DataSize()
	theta := make([]float64, d)
	for j := range theta {
		theta[j] = p.Parameters[j].Prior.Quantile(0.5)
	}
	field, jac := make([]complex128, n), make([]complex128, n*d)
	if err := model.Jacobian(field, jac, theta); err != nil {
		t.Fatal(err)
	}
	other, want := make([]complex128, n), make([]complex128, n*d)
	differences := NewFiniteDifferences(model, prior, n)
	if err := differences.Jacobian(other, want, theta); err != nil {
		t.Fatal(err)
	}
	for j := range d {
		var worst, size float64
		for i := range n {
			worst = math.Max(worst, cmplx.Abs(jac[i*d+j]-want[i*d+j]))
			size = math.Max(size, cmplx.Abs(want[i*d+j]))
		}
		// What rounding leaves of a difference of fields.
		floor := 1e-12 * cmplx.Abs(field[0]) / differences.Step[j]
		if !(worst <= 1e-5*size+floor) {
			t.Errorf("%s: derivative off by %.1e of %.1e", p.Parameters[j].Name, worst, size)
		}
	}
}

// At the edge of what is possible the derivative is one-sided, and still there.
func TestModalJacobianAtAnEdge(t *testing.T) {
	p := shelfProblem(Parameter{Name: "lossy", Quantity: AttenuationP, Layer: "sediment", Prior: uniform(0, 0.4)})
	p.Modes.MaxPhaseSpeed = 1750
	model, err := p.Differentiable()
	if err != nil {
		t.Fatal(err)
	}
	n := p.DataSize()
	field, at, inside := make([]complex128, n), make([]complex128, n), make([]complex128, n)
	if err := model.Jacobian(field, at, []float64{0}); err != nil {
		t.Fatal(err)
	}
	if err := model.Jacobian(field, inside, []float64{1e-5}); err != nil {
		t.Fatal(err)
	}
	for i := range at {
		if cmplx.Abs(at[i]-inside[i]) > 1e-3*cmplx.Abs(inside[i]) {
			t.Errorf("datum %d: %v at the edge, %v beside it", i, at[i], inside[i])
		}
	}
}
