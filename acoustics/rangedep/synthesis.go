package rangedep

import (
	"fmt"
	"math"
	"math/cmplx"
)

// TimeSeries says when a received signal is wanted.
type TimeSeries struct {
	Start   float64 `json:"start" hcl:"start,optional"` // s after the source's time 0
	Step    float64 `json:"step" hcl:"step"`            // s
	Samples int     `json:"samples" hcl:"samples"`
}

// Band is evenly spaced frequencies (Hz), both ends included.
func Band(low, high, step float64) []float64 {
	n := int(math.Round((high-low)/step)) + 1
	f := make([]float64, max(n, 1))
	for i := range f {
		f[i] = low + step*float64(i)
	}
	return f
}

// Hann is the spectrum of a pulse that vanishes at the ends of a band.
func Hann(frequencies []float64) []complex128 {
	s := make([]complex128, len(frequencies))
	for i := range s {
		w := math.Sin(math.Pi * float64(i) / float64(max(len(s)-1, 1)))
		s[i] = complex(w*w, 0)
	}
	return s
}

// Synthesize is the signal received at one place: Fourier synthesis
// x(t) = -2 Re Σ S(f) p(f) exp(i2πft) Δf of the pressures p that [Track.Field] gives at
// evenly spaced frequencies, and the source's spectrum S; nil is an impulse within the
// band. The minus undoes the sign of the Toolbox's FIELD, so that the wave straight
// from a positive source is positive. The signal repeats after 1/Δf, so that it must
// not be asked for longer.
func (t TimeSeries) Synthesize(frequencies []float64, p, spectrum []complex128) ([]float64, error) {
	n := len(frequencies)
	if len(p) != n || spectrum != nil && len(spectrum) != n {
		panic(fmt.Sprintf("rangedep: %d pressures and %d spectral values for %d frequencies", len(p), len(spectrum), n))
	}
	if n < 2 || !(t.Step > 0) || t.Samples < 1 {
		return nil, fmt.Errorf("a time series needs at least two frequencies, a positive step and a sample")
	}
	df := (frequencies[n-1] - frequencies[0]) / float64(n-1)
	for i, f := range frequencies {
		if math.Abs(f-frequencies[0]-df*float64(i)) > 1e-6*df {
			return nil, fmt.Errorf("a time series needs evenly spaced frequencies; %v Hz is out of step", f)
		}
	}
	if length := t.Step * float64(t.Samples-1); length > 1/df {
		return nil, fmt.Errorf("a time series of %v s: frequencies %v Hz apart repeat after %v s; take them closer", length, df, 1/df)
	}
	x := make([]float64, t.Samples)
	for i := range x {
		at := t.Start + t.Step*float64(i)
		// The phase advances by the same factor from frequency to frequency.
		turn, advance := cmplx.Rect(1, 2*math.Pi*frequencies[0]*at), cmplx.Rect(1, 2*math.Pi*df*at)
		var sum complex128
		for j := range p {
			v := p[j]
			if spectrum != nil {
				v *= spectrum[j]
			}
			sum += v * turn
			turn *= advance
		}
		x[i] = -2 * df * real(sum)
	}
	return x, nil
}
