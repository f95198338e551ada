package modes

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/acoustics"
)

// randomOcean has everything the solver models, at random.
func randomOcean(r *rand.Rand) (acoustics.Environment, float64) {
	pick := func(kinds ...acoustics.BoundaryKind) acoustics.Boundary {
		return acoustics.Boundary{Kind: kinds[r.IntN(len(kinds))], Material: randomMaterial(r, 1550, 2500)}
	}
	rules := []acoustics.Interpolation{acoustics.CLinear, acoustics.N2Linear, acoustics.PCHIP, acoustics.Spline}
	depth := math.Exp(math.Log(30) + r.Float64()*math.Log(100))
	w := acoustics.Water{Depth: depth, Density: 1000 + 50*r.Float64(),
		Profile: acoustics.SoundSpeedProfile{Interpolation: rules[r.IntN(4)]}}
	n := 1 + r.IntN(12)
	for i := range n {
		z := 0.0
		if n > 1 {
			z = depth * float64(i) / float64(n-1)
		}
		w.Profile.Depth = append(w.Profile.Depth, z)
		w.Profile.Speed = append(w.Profile.Speed, 1460+80*r.Float64())
	}
	env := acoustics.Environment{Surface: pick(acoustics.PressureRelease, acoustics.Rigid), Water: w,
		Bottom: pick(acoustics.PressureRelease, acoustics.Rigid, acoustics.Halfspace, acoustics.Halfspace)}
	for range r.IntN(4) {
		h := depth * 0.5 * r.Float64()
		a, b := randomMaterial(r, 1420, 2000), randomMaterial(r, 1420, 2000)
		b.Density = a.Density
		env.Layers = append(env.Layers, acoustics.Layer{Thickness: h, Interpolation: rules[r.IntN(2)],
			Knots: []acoustics.Knot{{Depth: 0, Material: a}, {Depth: h, Material: b}}})
	}
	return env, (2 + 40*r.Float64()) * 1500 / depth / 2
}

func randomMaterial(r *rand.Rand, slow, fast float64) acoustics.Material {
	return acoustics.Material{SoundSpeed: slow + (fast-slow)*r.Float64(), Density: 1200 + 1000*r.Float64(),
		Attenuation: acoustics.Attenuation{Value: 0.3 * r.Float64(), Unit: acoustics.DBPerWavelength}}
}

// Whatever the ocean: the solver counts the modes right on a coarse mesh as on a
// fine one, keeps its tolerance, and normalises.
func TestRandomOceans(t *testing.T) {
	const tolerance = 1e-8
	coarse, err := NewSolver(Options{Tolerance: tolerance})
	if err != nil {
		t.Fatal(err)
	}
	fine, err := NewSolver(Options{Tolerance: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(300) {
		env, f := randomOcean(rand.New(rand.NewPCG(seed, 11)))
		m, err := coarse.Solve(&env, f)
		want, err2 := fine.Solve(&env, f)
		var none ErrNoModes
		if errors.As(err, &none) && errors.As(err2, &none) {
			continue
		}
		if err != nil || err2 != nil {
			t.Errorf("seed %d: %v, %v", seed, err, err2)
			continue
		}
		if m.Len() != want.Len() {
			t.Errorf("seed %d: %d modes, converged %d", seed, m.Len(), want.Len())
			continue
		}
		for i := range m.Kr {
			k := real(want.Kr[i])
			// Tolerances are relative to the smallest wavenumber kept.
			if e := math.Abs(real(m.Kr[i])-k) / k; !(e <= tolerance) || imag(m.Kr[i]) > 0 {
				t.Errorf("seed %d, mode %d of %d: %v, converged %v", seed, i+1, m.Len(), m.Kr[i], want.Kr[i])
			}
		}
		z, w, density := fineDepths(want)
		phi := want.Shapes(make([]float64, len(z)*want.Len()), z)
		for _, i := range []int{0, want.Len() / 2, want.Len() - 1} {
			// A lossy half-space's tail is not that of a real γ: its share is left out.
			if n := overlap(want, phi, z, w, density, i, i); env.Bottom.Kind != acoustics.Halfspace && math.Abs(n-1) > 1e-6 {
				t.Errorf("seed %d, mode %d: norm %v", seed, i+1, n)
			}
		}
	}
}
