package analytic

import (
	"fmt"
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// impedance is a tabulated impedance continued to complex squared wavenumbers x: a
// rational function fitted to b = (f - iqg)/(f + iqg), the reflection of a wave of
// vertical wavenumber q in a medium of density 1. It is bounded for what absorbs,
// and has no branch of its own.
type impedance struct {
	rational
	q float64
}

// setImpedance gives an end its table.
func (e *end) setImpedance(t *acoustics.ImpedanceTable, path string) error {
	last := t.Rows[len(t.Rows)-1]
	m := &impedance{q: math.Sqrt(max(math.Abs(last.Kr2), math.Abs(t.Rows[0].Kr2)))}
	x := evenly(t.Rows)
	b := make([]complex128, len(x))
	for i, r := range t.Rows {
		// The size of (f, g), which a power of ten may scale, divides out.
		f, g := r.F(), complex(0, m.q)*r.G()
		b[i] = (f - g) / (f + g)
		if size := cmplx.Abs(f) + cmplx.Abs(g); cmplx.Abs(f+g) < 1e-6*size {
			return modes.ErrUnsupported{Path: path + ".impedance", What: fmt.Sprintf("row %d reflects more than a million times what comes in", i+1)}
		}
	}
	if err := m.fit(x, b); err != nil {
		return modes.ErrUnsupported{Path: path + ".impedance", What: err.Error()}
	}
	e.impedance = m
	return nil
}

// evenly are the table's squared wavenumbers; where their roots are even to within
// the rounding of seven digits they are taken as even, which BOUNCE's are.
func evenly(rows []acoustics.ImpedanceRow) []float64 {
	n := len(rows)
	x := make([]float64, n)
	var mean, slope float64
	middle := float64(n-1) / 2
	for i, r := range rows {
		x[i] = r.Kr2
		if r.Kr2 < 0 {
			x = x[:0]
			break
		}
		k := math.Sqrt(r.Kr2)
		mean += k / float64(n)
		slope += k * (float64(i) - middle) * 12 / (float64(n) * (float64(n)*float64(n) - 1))
	}
	even := make([]float64, n)
	for i, r := range rows {
		k := mean + slope*(float64(i)-middle)
		even[i] = k * k
		if len(x) < n || math.Abs(even[i]-r.Kr2) > 5.5e-7*math.Abs(r.Kr2) {
			for j, r := range rows {
				even[j] = r.Kr2
			}
			return even
		}
	}
	return even
}

// start is the solution above the table, p = g and dp/dz / ρ = -f, times the
// interpolant's denominator and Π(x-x_j), which makes it analytic.
func (m *impedance) start(x complex128) fluidState {
	denominator, numerator, scale := m.parts(x)
	return fluidState{p: denominator - numerator, w: complex(0, -m.q) * (denominator + numerator), scale: scale}
}

// checkFrequency tells of a table that holds at another frequency.
func checkFrequency(env *acoustics.Environment, hz float64) error {
	if t := env.Bottom.Impedance; env.Bottom.Kind == acoustics.Impedance && math.Abs(t.Frequency-hz) > 1e-6*hz {
		return modes.ErrUnsupported{Path: "bottom.impedance.frequency",
			What: fmt.Sprintf("the impedances hold at %v Hz, modes are wanted at %v Hz", t.Frequency, hz)}
	}
	if env.Surface.Kind == acoustics.Impedance {
		return modes.ErrUnsupported{Path: "surface.kind", What: "a tabulated impedance closes the bottom only"}
	}
	return nil
}
