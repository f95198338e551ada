package calibration

import (
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/inversion"
)

// TestInverseMultiquadricIsItsFormula holds the kernel against the sum it stands for.
func TestInverseMultiquadricIsItsFormula(t *testing.T) {
	for _, squared := range []float64{0, 1e-9, 0.3, 1, 7, 1e6} {
		want := 0.0
		for _, a := range []float64{0.1, 0.5, 2} {
			want += math.Pow(0.2, a) * math.Pow((0.2+squared)/a, -a)
		}
		if got := InverseMultiquadric(squared); math.Abs(got/want-1) > 1e-13 {
			t.Errorf("kernel of %g is %g, its formula %g", squared, got, want)
		}
	}
}

// pair is two samples of which the second is shifted.
func pair(n int, shift float64) (a, b *inversion.Draws) {
	rng := rand.New(rand.NewPCG(1, 1))
	a, b = inversion.NewDraws(n, 2), inversion.NewDraws(n, 2)
	for i := range a.Theta {
		a.Theta[i], b.Theta[i] = rng.NormFloat64(), shift+rng.NormFloat64()
	}
	return a, b
}

func BenchmarkC2ST(b *testing.B) {
	for name, shift := range map[string]float64{"near": 0.1, "far": 30} {
		b.Run(name, func(b *testing.B) {
			x, y := pair(1000, shift)
			for range b.N {
				C2ST(x, y, DefaultC2STOptions())
			}
		})
	}
}

func BenchmarkMMD(b *testing.B) {
	x, y := pair(300, 0.1)
	for range b.N {
		MMD(x, y, []float64{1, 1}, InverseMultiquadric, 0, 1)
	}
}

func BenchmarkSlicedWasserstein(b *testing.B) {
	x, y := pair(1000, 0.1)
	for range b.N {
		SlicedWasserstein(x, y, []float64{1, 1}, 2, 64, 1)
	}
}
