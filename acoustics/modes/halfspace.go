package modes

import "math/cmplx"

// rootOf returns γ = √(E - k²) with Re γ >= 0, and dγ/dE. At the branch point
// itself γ is kept from 0, where the derivative would be infinite.
func rootOf(e float64, k2 complex128) (g, dg complex128) {
	d := complex(e, 0) - k2
	if least := 1e-14 * e; cmplx.Abs(d) < least {
		d = complex(least, 0)
	}
	g = cmplx.Sqrt(d)
	return g, 0.5 / g
}
