package inversion

import (
	"math"
	"slices"
)

// PhoneCovariance is the covariance E n nᴴ of the noise between the phones at one
// tone, Hermitian and positive definite. With the convention [GivenCovariance] it is
// the covariance itself; with the others its scale does not count, which is that of
// the tone's variance: the matrix over its mean diagonal is the phones' correlation.
type PhoneCovariance struct {
	// Frequency in Hz of the tone; 0 is every tone that no other block names.
	Frequency float64 `json:"frequency,omitempty" hcl:"frequency,optional"`
	// Real and imaginary parts, [receiver][receiver]. Without Imag it is real.
	Real [][]float64 `json:"real" hcl:"real"`
	Imag [][]float64 `json:"imag,omitempty" hcl:"imag,optional"`
}

// PhoneCovariances describes matrices, one for each tone and row-major, such as
// [EstimateCovariance] returns.
func PhoneCovariances(frequencies []float64, matrices [][]complex128) []PhoneCovariance {
	out := make([]PhoneCovariance, len(matrices))
	for f, c := range matrices {
		size := int(math.Round(math.Sqrt(float64(len(c)))))
		p := PhoneCovariance{Frequency: frequencies[f]}
		for row := range slices.Chunk(c, size) {
			re, im := make([]float64, size), make([]float64, size)
			for j, v := range row {
				re[j], im[j] = real(v), imag(v)
			}
			p.Real, p.Imag = append(p.Real, re), append(p.Imag, im)
		}
		out[f] = p
	}
	return out
}

// covariances are the matrices of all tones, row-major; nil without any.
func (m *NoiseModel) covariances(frequencies []float64, receivers int) ([][]complex128, error) {
	if len(m.Covariance) == 0 {
		return nil, nil
	}
	out := make([][]complex128, len(frequencies))
	var others []complex128
	for i := range m.Covariance {
		c := &m.Covariance[i]
		matrix, err := c.matrix(receivers)
		if err != nil {
			return nil, err
		}
		if c.Frequency == 0 {
			others = matrix
			continue
		}
		f := slices.Index(frequencies, c.Frequency)
		if f < 0 {
			return nil, invalid("noise.covariance.frequency", "%g Hz is none of the tones %v", c.Frequency, frequencies)
		}
		if out[f] != nil {
			return nil, invalid("noise.covariance.frequency", "%g Hz has two covariances", c.Frequency)
		}
		out[f] = matrix
	}
	for f := range out {
		if out[f] == nil {
			out[f] = others
		}
		if out[f] == nil {
			return nil, invalid("noise.covariance", "the tone of %g Hz has none; add a block for it, or one without a frequency for all others", frequencies[f])
		}
	}
	return out, nil
}

// matrix is the block's matrix, checked to be Hermitian.
func (c *PhoneCovariance) matrix(receivers int) ([]complex128, error) {
	out := make([]complex128, 0, receivers*receivers)
	for _, part := range [][][]float64{c.Real, c.Imag} {
		if part == nil {
			continue
		}
		if len(part) != receivers || slices.ContainsFunc(part, func(row []float64) bool { return len(row) != receivers }) {
			return nil, invalid("noise.covariance", "is not a matrix of %d by %d, one row for each phone", receivers, receivers)
		}
	}
	for i, row := range c.Real {
		for j, v := range row {
			im := 0.0
			if c.Imag != nil {
				im = c.Imag[i][j]
			}
			out = append(out, complex(v, im))
		}
	}
	if len(out) == 0 {
		return nil, invalid("noise.covariance", "real is empty; give one row for each phone")
	}
	for i := range receivers {
		if d := real(out[i*receivers+i]); !(d > 0) || math.IsInf(d, 0) {
			return nil, invalid("noise.covariance", "the variance of phone %d is %g, not positive", i, d)
		}
		for j := range i + 1 {
			a, b := out[i*receivers+j], out[j*receivers+i]
			scale := math.Sqrt(real(out[i*receivers+i]) * real(out[j*receivers+j]))
			if !(math.Hypot(real(a)-real(b), imag(a)+imag(b)) <= 1e-9*scale) {
				return nil, invalid("noise.covariance", "is not Hermitian: element (%d, %d) is %v, element (%d, %d) is %v", i, j, a, j, i, b)
			}
		}
	}
	return out, nil
}

// unitMeanDiagonal divides a matrix by the mean of its diagonal, which it returns.
func unitMeanDiagonal(c []complex128, size int) float64 {
	var mean float64
	for i := range size {
		mean += real(c[i*size+i]) / float64(size)
	}
	for i := range c {
		c[i] /= complex(mean, 0)
	}
	return mean
}
