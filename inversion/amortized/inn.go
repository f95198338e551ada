package amortized

import (
	"fmt"
	"math"
	"math/rand/v2"

	"oceaninv/inversion"
	"oceaninv/surrogate"
)

// INN is a trained invertible network T(x, padding) = (z, y) in the manner of
// VINA: a posterior draw is the parameter part of T⁻¹(z, y) with z ~ N(0, I). It
// has no density of the parameters alone, for x may also hold the noise and the
// padding.
type INN struct {
	Prior            *inversion.Prior
	Form             inversion.FeatureForm
	Receivers, Tones int
	// Bounded takes the parameters in unbounded coordinates, so that no draw
	// leaves the prior. The released code standardises them as they are.
	Bounded bool
	SamplingSlips
	// X standardises x, parameters first; Y the features.
	X, Y surrogate.Standardizer
	// Flow is sampled in single precision, that of its training, several times as
	// fast as in double: a draw moves by a rounding error of its coordinates.
	Flow *surrogate.Flow[float64]
}

// SamplingSlips are mistakes of the released code that are of sampling alone: a
// network is trained without them, and the zero value samples it as it should be.
type SamplingSlips struct {
	// ReleasedOrder feeds T⁻¹ with (y, z), as the released geoacoustic sampling
	// does, although it was trained on (z, y): not a posterior, but what was
	// published.
	ReleasedOrder bool `json:"released_order,omitempty"`
	// RawObservation feeds T⁻¹ with features that are not standardised, as the
	// released script of the divergences does to a network that was trained on
	// standardised ones.
	RawObservation bool `json:"raw_observation,omitempty"`
}

// Coordinates writes the parameters as the network sees them before
// standardisation.
func (m *INN) Coordinates(x, theta []float64) {
	if m.Bounded {
		Unbounded(m.Prior, x, theta)
		return
	}
	copy(x, theta)
}

// NewSampler returns a sampler, which draws on one core.
func (m *INN) NewSampler(int) Sampler {
	ny := inversion.FeatureSize(m.Form, m.Receivers, m.Tones)
	if m.Flow.Dim() <= ny {
		panic(fmt.Sprintf("amortized: a network of dimension %d leaves no latent part beside %d features", m.Flow.Dim(), ny))
	}
	return &innSampler{
		model: m, pass: surrogate.Convert[float32](m.Flow).NewEvaluation(batch), features: make([]float64, ny),
		in: make([]float32, batch*m.Flow.Dim()), zeta: make([]float64, m.Prior.Dim()),
	}
}

type innSampler struct {
	model          *INN
	pass           *surrogate.Pass[float32]
	in             []float32
	features, zeta []float64
}

func (s *innSampler) Misfit() float64 { return math.NaN() }

func (s *innSampler) Sample(n int, data []complex128, rng *rand.Rand) (*inversion.Draws, error) {
	m := s.model
	if len(data) != m.Receivers*m.Tones {
		panic(fmt.Sprintf("amortized: observation of %d values, the model has %d", len(data), m.Receivers*m.Tones))
	}
	inversion.Features(s.features, m.Form, data, m.Tones)
	if !m.RawObservation {
		m.Y.Apply(s.features, s.features)
	}
	out, dim := inversion.NewDraws(n, m.Prior.Dim()), m.Flow.Dim()
	for lo := 0; lo < n; lo += batch {
		rows := min(batch, n-lo)
		s.fill(rows, rng)
		x, _, err := s.pass.Inverse(s.in[:rows*dim], nil)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			s.parameters(out.Row(lo+i), x[i*dim:])
		}
	}
	return out, nil
}

// fill writes (z, y) into the rows, or (y, z) in the released order.
func (s *innSampler) fill(rows int, rng *rand.Rand) {
	dim, ny := s.model.Flow.Dim(), len(s.features)
	z, y := 0, dim-ny
	if s.model.ReleasedOrder {
		z, y = ny, 0
	}
	for i := range rows {
		row := s.in[i*dim : (i+1)*dim]
		for k := range dim - ny {
			row[z+k] = float32(rng.NormFloat64())
		}
		for k, v := range s.features {
			row[y+k] = float32(v)
		}
	}
}

// parameters takes θ from a standardised x.
func (s *innSampler) parameters(theta []float64, x []float32) {
	m := s.model
	for k := range theta {
		s.zeta[k] = float64(x[k])*m.X.Scale[k] + m.X.Mean[k]
	}
	if m.Bounded {
		Bounded(m.Prior, theta, s.zeta)
		return
	}
	copy(theta, s.zeta)
}
