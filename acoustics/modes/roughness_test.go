package modes

import (
	"math/cmplx"
	"testing"
)

// A loss that goes to zero leaves the scattering of the lossless medium, where waves
// beside the interface propagate and where they are evanescent.
func TestScatteringWithoutLoss(t *testing.T) {
	const k2 = 0.5
	for _, kr2 := range []complex128{0.3, 0.49, 0.6, 0.7} {
		at := func(loss float64) complex128 {
			return KupermanIngenito(0.3, kr2, Side{complex(k2, -loss), 1}, Side{complex(0.55, -loss), 1.6}, 0.1, 0.02)
		}
		if d := cmplx.Abs(at(1e-12)/at(0) - 1); d > 1e-9 {
			t.Errorf("kr² = %v: a loss of 1e-12 changes the scattering by %.1e", real(kr2), d)
		}
	}
}
