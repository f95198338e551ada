package inversion

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/diff/fd"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// refusing has no derivative where refused says so.
type refusing struct {
	*FiniteDifferences
	refused func(theta []float64) bool
}

func (r refusing) Jacobian(dst, jac []complex128, theta []float64) error {
	if r.refused(theta) {
		return modes.ErrNoDerivative{Frequency: 50}
	}
	return r.FiniteDifferences.Jacobian(dst, jac, theta)
}

// curvedTarget is the posterior of the curved field under a model of one's choice.
func curvedTarget(t *testing.T, forward Forward, refused func(theta []float64) bool) *GradientTarget {
	t.Helper()
	p := curvedProblem()
	prior, _ := p.Prior()
	data := randomField(rand.New(rand.NewPCG(1, 9)), 6)
	target, err := NewGradientTarget(prior, refusing{NewFiniteDifferences(forward, prior, 6), refused}, NewLikelihood(KnownSource, resolve(t, p, curved)), data)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// checkGradient compares value and gradient with the density and its differences, to a part
// of the gradient's size.
func checkGradient(t *testing.T, target Gradient, theta []float64, step, part float64) {
	t.Helper()
	grad := make([]float64, len(theta))
	value, want := target.LogDensityGradient(grad, theta), target.LogDensity(theta)
	if math.IsInf(want, 0) || !(math.Abs(value-want) <= 1e-9*(1+math.Abs(want))) {
		t.Errorf("at %v: log density %g with the gradient, %g without", theta, value, want)
	}
	size := 1.0
	slope := fd.Gradient(nil, target.LogDensity, theta, &fd.Settings{Formula: fd.Central, Step: step})
	for _, g := range slope {
		size = math.Max(size, math.Abs(g))
	}
	for j := range slope {
		if !(math.Abs(grad[j]-slope[j]) <= part*size) {
			t.Errorf("at %v: gradient %v, by differences of the density %v", theta, grad, slope)
		}
	}
}

// A derivative that is refused is no wall: density and gradient are those of the field.
func TestGradientWhereTheModelRefusesIt(t *testing.T) {
	target := curvedTarget(t, curved, func(theta []float64) bool { return theta[0] > 0.5 })
	for _, theta := range [][]float64{{0.3, 1.2}, {0.7, 1.2}, {1.7, 0.8}} {
		checkGradient(t, target, theta, 1e-5, 1e-5)
	}
}

// Beside what is impossible the slope is one-sided; where nothing beside is possible it
// counts as 0, and the density is still the likelihood's. What is impossible stays so.
func TestGradientAtTheEdgeOfThePossible(t *testing.T) {
	impossible := errors.New("below the sea floor")
	within := func(possible func(x float64) bool) Forward {
		return ForwardFunc(func(dst []complex128, theta []float64) error {
			if !possible(theta[0]) {
				return impossible
			}
			return curved(dst, theta)
		})
	}
	never, always := func([]float64) bool { return false }, func([]float64) bool { return true }
	whole, grad, want := curvedTarget(t, curved, never), make([]float64, 2), make([]float64, 2)
	at := []float64{1, 1.2}
	value := whole.LogDensityGradient(want, at)
	for _, refused := range []func([]float64) bool{never, always} {
		edge := curvedTarget(t, within(func(x float64) bool { return x <= 1 }), refused)
		// One-sided differences are as wrong as their step of 1e-4 times the curvature.
		if v := edge.LogDensityGradient(grad, at); v != value || math.Abs(grad[0]-want[0]) > 0.01*(1+math.Abs(want[0])) {
			t.Errorf("at an edge: %g and %v, without it %g and %v", v, grad, value, want)
		}
		if v := edge.LogDensityGradient(grad, []float64{1.00001, 1.2}); !math.IsInf(v, -1) {
			t.Errorf("an impossible field has log density %g", v)
		}
	}
	alone := curvedTarget(t, within(func(x float64) bool { return x == 1 }), always)
	score := make([]float64, 2)
	alone.Prior.addScore(score, at)
	if v := alone.LogDensityGradient(grad, at); v != value || grad[0] != score[0] {
		t.Errorf("alone: %g and %v, want %g and the prior's %v", v, grad, value, score)
	}
}

// Two ducts that are alike: modes refuse the derivative, the posterior has its gradient.
func TestGradientOfTwinDucts(t *testing.T) {
	p := shelfProblem(Parameter{Name: "profile_offset", Prior: Marginal{Kind: Normal, Mean: 0, SD: 0.1}})
	edge := acoustics.Boundary{Kind: acoustics.PressureRelease}
	p.Environment = acoustics.Environment{Surface: edge, Bottom: edge, Water: acoustics.Water{Depth: 1200, Density: 1000,
		Profile: acoustics.SoundSpeedProfile{Interpolation: acoustics.CLinear, Depth: []float64{0, 300, 600, 900, 1200}, Speed: []float64{1540, 1500, 1540, 1500, 1540}}}}
	p.Source.Depth, p.Array = 320, acoustics.ReceiverArray{Depths: []float64{280, 560, 930}, Range: 5000}
	p.Frequencies = nil
	for hz := 40.0; hz <= 240; hz += 10 {
		p.Frequencies = append(p.Frequencies, hz)
	}
	p.Modes.MaxPhaseSpeed, p.Modes.Tolerance = 1538, 1e-12
	p.Likelihood = UnknownAmplitude
	model, prior := differentiable(t, p)
	n := p.DataSize()
	data, jac := make([]complex128, n), make([]complex128, n)
	var none modes.ErrNoDerivative
	if err := model.Jacobian(data, jac, []float64{0.02}); !errors.As(err, &none) {
		t.Fatalf("these ducts are to have no derivative: %v", err)
	}
	if err := model.Predict(data, []float64{0.02}); err != nil {
		t.Fatal(err)
	}
	p.Noise.Convention = GivenVariance
	for f := range p.Frequencies {
		p.Noise.Variance = append(p.Noise.Variance, 1e-6*toneNorm2(data, f, len(p.Frequencies)))
	}
	target, err := NewGradientTarget(prior, model, NewLikelihood(p.Likelihood, resolve(t, p, model)), data)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{-0.1, 0.05} {
		checkGradient(t, target, []float64{x}, 2e-5, 0.01)
		grad, score := make([]float64, 1), make([]float64, 1)
		target.LogDensityGradient(grad, []float64{x})
		prior.addScore(score, []float64{x})
		if math.Abs(grad[0]-score[0]) < math.Abs(score[0]) {
			t.Errorf("at %g the data say less than the prior: %g of %g", x, grad[0]-score[0], grad[0])
		}
	}
}
