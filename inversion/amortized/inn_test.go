package amortized

import (
	"math"
	"testing"

	"oceaninv/inversion"
	"oceaninv/surrogate"
)

// network is an INN with a randomly initialised flow.
func network(t *testing.T, coupling string, slips SamplingSlips) *INN {
	t.Helper()
	m := &INN{
		Prior: box(t), Form: inversion.AbsoluteField, Receivers: 1, Tones: 2, Bounded: true, SamplingSlips: slips,
		X: surrogate.Standardizer{Mean: []float64{0.1, -0.2}, Scale: []float64{1.5, 0.7}},
		Y: surrogate.Standardizer{Mean: []float64{0.1, 0.2, 0.3, 0.4}, Scale: []float64{2, 3, 4, 5}},
	}
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.Coupling, spec.Hidden, spec.InitGain = 7, coupling, 16, 0.5
	flow, err := surrogate.NewFlow[float64](spec)
	if err != nil {
		t.Fatal(err)
	}
	m.Flow = flow
	return m
}

// TestINNSamplesItsInverse holds draws in single precision against the inverse in
// double, composed by hand from the same random numbers: z before y, or after it
// where the released order is asked for, y standardised or not.
func TestINNSamplesItsInverse(t *testing.T) {
	data := []complex128{complex(1.2, -0.7), complex(0.4, 2.5)}
	y := make([]float64, 4)
	inversion.Features(y, inversion.AbsoluteField, data, 2)
	const n, latent, dim = 300, 3, 7 // more than a batch
	for _, coupling := range []string{"glow", "iresnet"} {
		for _, slips := range []SamplingSlips{{}, {ReleasedOrder: true}, {RawObservation: true}} {
			m := network(t, coupling, slips)
			got, err := m.NewSampler(1).Sample(n, data, inversion.Rand(5, inversion.DrawStream, 0))
			if err != nil {
				t.Fatal(err)
			}
			rng := inversion.Rand(5, inversion.DrawStream, 0)
			in := make([]float64, 0, n*dim)
			for range n {
				z := make([]float64, latent)
				for k := range z {
					z[k] = rng.NormFloat64()
				}
				right := make([]float64, len(y))
				for k, v := range y {
					right[k] = v
					if !slips.RawObservation {
						right[k] = (v - m.Y.Mean[k]) / m.Y.Scale[k]
					}
				}
				if slips.ReleasedOrder {
					in = append(append(in, right...), z...)
				} else {
					in = append(append(in, z...), right...)
				}
			}
			x, _, err := m.Flow.NewEvaluation(n).Inverse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				zeta, theta := make([]float64, 2), make([]float64, 2)
				for k := range zeta {
					zeta[k] = x[i*dim+k]*m.X.Scale[k] + m.X.Mean[k]
				}
				Bounded(m.Prior, theta, zeta)
				for k, want := range theta {
					if d := math.Abs(got.Row(i)[k] - want); d > 1e-5 { // of ranges 2 and 4
						t.Errorf("%s %+v: draw %d of parameter %d differs by %.2g", coupling, slips, i, k, d)
					}
				}
			}
		}
	}
}
