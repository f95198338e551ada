package modes

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/acoustics"
)

// randomDucts is an ocean of two or three ducts that differ by anything from nothing
// to a percent, so that modes agree in kr to anything from a percent to all digits.
func randomDucts(r *rand.Rand) (acoustics.Environment, float64) {
	w := acoustics.Water{Density: 1000, Profile: acoustics.SoundSpeedProfile{
		Interpolation: []acoustics.Interpolation{acoustics.CLinear, acoustics.N2Linear}[r.IntN(2)]}}
	half := 150 + 400*r.Float64()
	wall := 1520 + 40*r.Float64()
	differ := 0.0
	if r.IntN(3) > 0 {
		differ = math.Pow(10, -14*r.Float64())
	}
	add := func(z, c float64) {
		w.Profile.Depth, w.Profile.Speed = append(w.Profile.Depth, z), append(w.Profile.Speed, c)
	}
	add(0, wall)
	for range 2 + r.IntN(2) {
		c := 1500 + differ*(r.Float64()-0.5)
		add(w.Depth+half*(1+0.1*differ*r.Float64()), c)
		w.Depth += 2 * half
		add(w.Depth, wall)
	}
	edge := acoustics.Boundary{Kind: []acoustics.BoundaryKind{acoustics.Rigid, acoustics.PressureRelease}[r.IntN(2)]}
	return acoustics.Environment{Surface: edge, Bottom: edge, Water: w}, 30 + 200*r.Float64()
}

// ductSeeds are sixty, and more with modes that are hard to tell apart.
func ductSeeds() []uint64 {
	seeds := []uint64{1024, 1046, 1056, 1092, 1093, 1108, 1112}
	for i := range uint64(60) {
		seeds = append(seeds, i)
	}
	return seeds
}

// However alike the ducts, modes are as many as converged ones, as far off as the
// tolerance says, and orthonormal.
func TestRandomDucts(t *testing.T) {
	solver, err := NewSolver(Options{Tolerance: 1e-11, MaxPhaseSpeed: 1540})
	if err != nil {
		t.Fatal(err)
	}
	fine, err := NewSolver(Options{Tolerance: 1e-13, MaxPhaseSpeed: 1540})
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range ductSeeds() {
		env, f := randomDucts(rand.New(rand.NewPCG(seed, 41)))
		m, err := solver.Solve(&env, f)
		var none ErrNoModes
		if errors.As(err, &none) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want, err := fine.Solve(&env, f)
		if err != nil || want.Len() != m.Len() {
			t.Fatalf("seed %d: %d modes, converged %d, %v", seed, m.Len(), want.Len(), err)
		}
		for i, k := range m.Kr {
			if e := math.Abs(real(k)/real(want.Kr[i]) - 1); !(e <= 1e-10) {
				t.Errorf("seed %d, mode %d: kr off by %.1e", seed, i+1, e)
			}
		}
		z, w, density := fineDepths(m)
		phi := m.Shapes(make([]float64, len(z)*m.Len()), z)
		for i := range m.Len() {
			for j := max(0, i-3); j <= i; j++ {
				unit := 0.0
				if i == j {
					unit = 1
				}
				if e := math.Abs(overlap(m, phi, z, w, density, i, j) - unit); !(e <= 1e-6) {
					t.Errorf("seed %d: overlap of modes %d and %d off by %.1e; kr %.1e apart, %d ducts", seed, i+1, j+1, e,
						1-real(m.Kr[i])/real(m.Kr[j]), len(m.column.ducts))
				}
			}
		}
	}
}

// Where modes of several ducts are alike, the derivative is that of whole solves to 1e-6,
// or it is refused.
func TestJacobianOfRandomDucts(t *testing.T) {
	solver, err := NewSolver(Options{Tolerance: 1e-12, MaxPhaseSpeed: 1540})
	if err != nil {
		t.Fatal(err)
	}
	certain, alike := 0, 0
	for _, seed := range ductSeeds() {
		env, f := randomDucts(rand.New(rand.NewPCG(seed, 41)))
		d := env.Water.Depth
		at := Case{&env, acoustics.Source{Depth: 0.3 * d}, acoustics.ReceiverArray{Depths: []float64{0.1 * d, 0.45 * d, 0.8 * d}, Range: 20000}}
		e := edit{"", 1e-3, 2e-4, func(c *Case, x float64) { c.Environment.Water.Profile.Speed[1] += x }}
		p, jac := make([]complex128, 3), make([]complex128, 3)
		_, err := solver.Jacobian(p, jac, directionsOf(t, at, directionOf(at, e.step, e.apply)), f)
		var none ErrNoDerivative
		if errors.As(err, &none) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		certain++
		if solver.modes.sweeps.twins {
			alike++
		}
		checkDerivative(t, &krakenCase{Environment: env, Frequency: f, PhaseSpeeds: [2]float64{0, 1540}}, at, e)
	}
	if certain < 10 || alike < 5 {
		t.Errorf("only %d oceans have a certain derivative, %d of them modes that are alike", certain, alike)
	}
}
