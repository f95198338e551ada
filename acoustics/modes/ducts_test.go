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

// However alike the ducts, modes are as many as converged ones, right within what
// settling a mode in its duct may move it, and orthonormal, but for modes of three
// ducts that agree to 1e-8.
func TestRandomDucts(t *testing.T) {
	solver, err := NewSolver(Options{Tolerance: 1e-11, MaxPhaseSpeed: 1540})
	if err != nil {
		t.Fatal(err)
	}
	fine, err := NewSolver(Options{Tolerance: 1e-13, MaxPhaseSpeed: 1540})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
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
			if e := math.Abs(real(k)/real(want.Kr[i]) - 1); !(e <= polishSteps*0.5e-9) {
				t.Errorf("seed %d, mode %d: kr off by %.1e", seed, i+1, e)
			}
		}
		z, w, density := fineDepths(m)
		phi := m.Shapes(make([]float64, len(z)*m.Len()), z)
		for i := range m.Len() {
			if len(m.column.ducts) > 2 && crowded(m, i) {
				continue // see the package's limitations
			}
			for j := max(0, i-3); j <= i; j++ {
				if len(m.column.ducts) > 2 && crowded(m, j) {
					continue
				}
				unit := 0.0
				if i == j {
					unit = 1
				}
				if e := math.Abs(overlap(m, phi, z, w, density, i, j) - unit); !(e <= 1e-5) {
					t.Errorf("seed %d: overlap of modes %d and %d off by %.1e; kr %.1e apart, %d ducts", seed, i+1, j+1, e,
						1-real(m.Kr[i])/real(m.Kr[j]), len(m.column.ducts))
				}
			}
		}
	}
}

// crowded reports whether another mode agrees with mode i in kr to 1e-8.
func crowded(m *Modes, i int) bool {
	near := func(j int) bool {
		return j >= 0 && j < m.Len() && math.Abs(real(m.Kr[i])/real(m.Kr[j])-1) < 1e-8
	}
	return near(i-1) || near(i+1)
}
