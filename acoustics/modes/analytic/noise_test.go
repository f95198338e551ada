package analytic

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// noisyImpedance is the impedance of a half-space at n wavenumbers, its parts off by a
// relative noise.
func noisyImpedance(m *Modes, hz, top float64, n int, noise float64, random *rand.Rand) *acoustics.ImpedanceTable {
	k2, density := m.stack.bottom.wave.kp2, complex(m.stack.bottom.wave.density, 0)
	spoil := func(x float64) float64 { return x * (1 + noise*(2*random.Float64()-1)) }
	t := &acoustics.ImpedanceTable{Frequency: hz}
	for i := range n {
		kr := top * (float64(i) + 0.5) / float64(n)
		x := complex(kr*kr, 0)
		f := vertical(x, k2, real(x) < real(k2)) / density
		t.Rows = append(t.Rows, acoustics.ImpedanceRow{Kr2: kr * kr, FReal: spoil(real(f)), FImag: spoil(imag(f)), GReal: spoil(1), GImag: 0})
	}
	return t
}

// A fit that follows noise has pairs of a pole and a zero next to each other, and a mode
// at each pair. None may come out: what a noisy table gives beside the half-space's
// modes lies along its branch cut, or the table is refused.
func TestNoiseMakesNoModes(t *testing.T) {
	c := krakenCases(t)["pekeris_leaky_100m_150hz"]
	o := optionsFor(c.PhaseSpeeds[0], c.PhaseSpeeds[1])
	want := mustSolve(t, c.Environment, c.Frequency, o)
	cut := real(cmplx.Sqrt(want.stack.bottom.wave.kp2))
	for _, noise := range []float64{1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9} {
		t.Run(fmt.Sprint(noise), func(t *testing.T) {
			for seed := range uint64(12) {
				env := c.Environment.Clone()
				env.Bottom = acoustics.Boundary{Kind: acoustics.Impedance,
					Impedance: noisyImpedance(want, c.Frequency, 1.1*real(want.K[0]), 300, noise, rand.New(rand.NewPCG(seed, 1)))}
				got, err := Solve(&env, c.Frequency, o)
				var refused modes.ErrUnsupported
				if errors.As(err, &refused) && noise > 5e-5 {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				for i, k := range want.K {
					if d := cmplx.Abs(nearest(got.K, k)/k - 1); d > math.Max(30*noise, 1e-7) {
						t.Errorf("seed %d: mode %d is %.1e from any over the noisy table", seed, i+1, d)
					}
				}
				for _, k := range got.K {
					if cmplx.Abs(nearest(want.K, k)/k-1) > math.Max(30*noise, 1e-7) && math.Abs(real(k)/cut-1) > 0.02 {
						t.Errorf("seed %d: %v is no mode of the half-space and not near its cut at %.4f", seed, k, cut)
					}
				}
			}
		})
	}
}
