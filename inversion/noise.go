package inversion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// NoiseModel is the additive noise: circular complex Gaussian, independent from
// tone to tone.
type NoiseModel struct {
	// SNR is the signal-to-noise ratio in dB; what it refers to is the
	// Convention's business. Unused by GivenVariance and GivenCovariance; with the others
	// a problem block must give it.
	SNR        float64         `json:"snr" hcl:"snr,optional"`
	Convention NoiseConvention `json:"convention" hcl:"convention,optional"`
	// Variance is E|n|² of each tone (re 1 m, squared), for GivenVariance.
	Variance []float64 `json:"variance,omitempty" hcl:"variance,optional"`
	// Draws from the prior over which the prior-mean conventions average.
	Draws int `json:"draws" hcl:"draws,optional"`
	// CorrelationLength ℓ in m makes the noise of two phones a distance d apart
	// correlate as exp(-d/ℓ); 0 is independent phones.
	CorrelationLength float64 `json:"correlation_length,omitempty" hcl:"correlation_length,optional"`
	// Covariance is that of the noise between phones, tone by tone; see
	// [PhoneCovariance]. It overrides CorrelationLength.
	Covariance []PhoneCovariance `json:"covariance,omitempty" hcl:"covariance,block"`
}

// NoiseConvention says what a signal-to-noise ratio means. Over N phones:
type NoiseConvention string

const (
	// PerTonePriorMean: ν_f = E_prior[‖p_f‖²/N] / 10^(SNR/10), the same for all
	// samples. The default: the likelihood is exact and simple.
	PerTonePriorMean NoiseConvention = "per_tone_prior_mean"
	// PooledPriorMean: one variance for all tones, from the mean over them.
	PooledPriorMean NoiseConvention = "pooled_prior_mean"
	// PerToneSample: ν_f = ‖p_f‖²/N / 10^(SNR/10) of the sample itself. The
	// variance depends on the parameters, and the likelihood knows it.
	PerToneSample NoiseConvention = "per_tone_sample"
	// PooledSample: one variance for all tones of the sample, from their mean.
	PooledSample NoiseConvention = "pooled_sample"
	// GivenVariance takes Variance.
	GivenVariance NoiseConvention = "given_variance"
	// GivenCovariance takes the variances too from Covariance: the full covariance of
	// the noise.
	GivenCovariance NoiseConvention = "given_covariance"
)

// DefaultNoiseModel is 15 dB by PerTonePriorMean over 4096 prior draws.
func DefaultNoiseModel() NoiseModel {
	return NoiseModel{SNR: 15, Convention: PerTonePriorMean, Draws: 4096}
}

// maxSNR in dB is far beyond what any recording has, and below what rounding makes of pressures.
const maxSNR = 300

func (m *NoiseModel) validate(frequencies []float64, receivers int) error {
	tones := len(frequencies)
	switch m.Convention {
	case PerTonePriorMean, PooledPriorMean:
		if m.Draws < 1 {
			return invalid("noise.draws", "%d prior draws cannot make a mean; give at least 1", m.Draws)
		}
	case PerToneSample, PooledSample:
	case GivenVariance:
		if len(m.Variance) != tones {
			return invalid("noise.variance", "has %d values for %d tones", len(m.Variance), tones)
		}
		for i, v := range m.Variance {
			if !(v > 0) || math.IsInf(v, 0) {
				return invalid("noise.variance", "%g of tone %d is not positive", v, i)
			}
		}
	case GivenCovariance:
		if len(m.Covariance) == 0 {
			return invalid("noise.convention", "%q needs covariance blocks", m.Convention)
		}
	default:
		return invalid("noise.convention", "unknown convention %q; choose one of %q", m.Convention,
			[]NoiseConvention{PerTonePriorMean, PooledPriorMean, PerToneSample, PooledSample, GivenVariance, GivenCovariance})
	}
	if !(math.Abs(m.SNR) <= maxSNR) {
		return invalid("noise.snr", "%g dB is no ratio of powers that can be computed with; give one from %d to %d dB", m.SNR, -maxSNR, maxSNR)
	}
	if m.CorrelationLength < 0 {
		return invalid("noise.correlation_length", "%g m is negative", m.CorrelationLength)
	}
	matrices, err := m.covariances(frequencies, receivers)
	for f, c := range matrices {
		if _, ok := choleskyComplex(slices.Clone(c), receivers); !ok {
			return invalid("noise.covariance", "of the tone of %g Hz is not positive definite", frequencies[f])
		}
	}
	return err
}

// NeedsSNR reports whether the convention takes the variances from SNR.
func (m *NoiseModel) NeedsSNR() bool {
	return m.Convention != GivenVariance && m.Convention != GivenCovariance
}

// ofSample reports whether the variance depends on the sample.
func (m *NoiseModel) ofSample() bool {
	return m.Convention == PerToneSample || m.Convention == PooledSample
}

// Noise is a resolved noise model: it draws noise and knows its variances. It is
// safe for concurrent use.
type Noise struct {
	Receivers, Tones int
	// Variance per tone, the same for all samples; nil when it depends on the
	// sample.
	Variance []float64
	snr      float64 // linear, for variances of the sample
	pooled   bool
	// factor[f] is the lower Cholesky factor of tone f's correlation matrix,
	// row-major; nil for independent phones.
	factor [][]complex128
	logDet []float64 // ln det of each correlation matrix
}

// ResolveNoise fixes the noise of a problem. The prior-mean conventions run the
// forward model on the first Draws points of a Sobol design over the prior
// (independent draws above MaxSobol parameters), from the seed.
func (p *Problem) ResolveNoise(forward Forward, seed uint64) (*Noise, error) {
	m := &p.Noise
	tones, receivers := len(p.Frequencies), len(p.Array.Depths)
	if err := m.validate(p.Frequencies, receivers); err != nil {
		return nil, err
	}
	n := &Noise{Receivers: receivers, Tones: tones, snr: math.Pow(10, m.SNR/10)}
	n.pooled = m.Convention == PooledPriorMean || m.Convention == PooledSample
	given, err := n.correlate(m, p)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Convention == GivenCovariance:
		n.Variance = given
	case m.Convention == GivenVariance:
		n.Variance = slices.Clone(m.Variance)
	case !m.ofSample():
		power, err := p.priorPower(forward, m.Draws, seed)
		if err != nil {
			return nil, err
		}
		n.Variance = make([]float64, tones)
		n.scale(n.Variance, power)
	}
	return n, nil
}

// priorPower is the mean over the prior and the phones of |p_f|².
func (p *Problem) priorPower(forward Forward, draws int, seed uint64) ([]float64, error) {
	prior, err := p.Prior()
	if err != nil {
		return nil, err
	}
	kind := SobolDesign
	if prior.Dim() > MaxSobol {
		kind = Independent
	}
	design, err := NewDesign(kind, prior, seed)
	if err != nil {
		return nil, err
	}
	theta := make([]float64, prior.Dim())
	field := make([]complex128, p.DataSize())
	power := make([]float64, len(p.Frequencies))
	for i := range draws {
		design.Theta(theta, i)
		if err := forward.Predict(field, theta); err != nil {
			return nil, fmt.Errorf("noise from the prior's mean power, draw %d at %v: %w", i, theta, err)
		}
		addPower(power, field)
	}
	for f := range power {
		power[f] /= float64(draws)
	}
	return power, nil
}

// addPower adds each tone's mean |p|² over the phones.
func addPower(power []float64, field []complex128) {
	tones := len(power)
	receivers := len(field) / tones
	for i, v := range field {
		power[i%tones] += (real(v)*real(v) + imag(v)*imag(v)) / float64(receivers)
	}
}

// scale turns mean powers into variances.
func (n *Noise) scale(variance, power []float64) {
	var mean float64
	for _, v := range power {
		mean += v / float64(len(power))
	}
	for f, v := range power {
		if n.pooled {
			v = mean
		}
		variance[f] = v / n.snr
	}
}

// VarianceOf sets dst to the variance of each tone, for the noise-free field
// where it depends on it.
func (n *Noise) VarianceOf(dst []float64, field []complex128) {
	if n.Variance != nil {
		copy(dst, n.Variance)
		return
	}
	power := make([]float64, n.Tones)
	addPower(power, field)
	n.scale(dst, power)
}

// correlate factors the correlation of the phones, if any, and returns the variances
// that covariances came with.
func (n *Noise) correlate(m *NoiseModel, p *Problem) (variance []float64, err error) {
	depths := p.Array.Depths
	matrices, err := m.covariances(p.Frequencies, n.Receivers)
	if err != nil || (matrices == nil && m.CorrelationLength == 0) {
		return nil, err
	}
	size := n.Receivers
	for f := range n.Tones {
		c := make([]complex128, size*size)
		if matrices != nil {
			copy(c, matrices[f])
		} else {
			for i := range size {
				for j := range size {
					c[i*size+j] = complex(math.Exp(-math.Abs(depths[i]-depths[j])/m.CorrelationLength), 0)
				}
			}
		}
		variance = append(variance, unitMeanDiagonal(c, size))
		logDet, ok := choleskyComplex(c, size)
		if !ok {
			return nil, invalid("noise.covariance", "of the tone of %g Hz is not positive definite", p.Frequencies[f])
		}
		n.factor = append(n.factor, c)
		n.logDet = append(n.logDet, logDet)
	}
	return variance, nil
}

// choleskyComplex overwrites the Hermitian matrix a with its lower Cholesky
// factor and returns ln det a. (gonum factors real matrices only.)
func choleskyComplex(a []complex128, n int) (logDet float64, ok bool) {
	for j := range n {
		d := real(a[j*n+j])
		for k := range j {
			d -= real(a[j*n+k])*real(a[j*n+k]) + imag(a[j*n+k])*imag(a[j*n+k])
		}
		if !(d > 0) {
			return 0, false
		}
		logDet += math.Log(d)
		root := math.Sqrt(d)
		a[j*n+j] = complex(root, 0)
		for i := j + 1; i < n; i++ {
			s := a[i*n+j]
			for k := range j {
				s -= a[i*n+k] * complex(real(a[j*n+k]), -imag(a[j*n+k]))
			}
			a[i*n+j] = s / complex(root, 0)
			a[j*n+i] = 0
		}
	}
	return logDet, true
}

// Sample sets dst to noise for the noise-free field.
func (n *Noise) Sample(dst, field []complex128, rng *rand.Rand) {
	variance := make([]float64, n.Tones)
	n.VarianceOf(variance, field)
	n.sample(dst, variance, rng)
}

// sample sets dst to noise of these variances.
func (n *Noise) sample(dst []complex128, variance []float64, rng *rand.Rand) {
	for i := range dst {
		s := math.Sqrt(variance[i%n.Tones] / 2)
		dst[i] = complex(s*rng.NormFloat64(), s*rng.NormFloat64())
	}
	if n.factor == nil {
		return
	}
	size := n.Receivers
	for f, l := range n.factor {
		for i := size - 1; i >= 0; i-- { // from the last row, in place
			var v complex128
			for k := range i + 1 {
				v += l[i*size+k] * dst[k*n.Tones+f]
			}
			dst[i*n.Tones+f] = v
		}
	}
}

// whiten replaces residual by L⁻¹ residual, whose elements have the tone's
// variance and are independent.
func (n *Noise) whiten(residual []complex128) {
	if n.factor == nil {
		return
	}
	size := n.Receivers
	for f, l := range n.factor {
		for i := range size {
			v := residual[i*n.Tones+f]
			for k := range i {
				v -= l[i*size+k] * residual[k*n.Tones+f]
			}
			residual[i*n.Tones+f] = v / l[i*size+i]
		}
	}
}

// EstimateCovariance is the sample covariance of residuals (each in the data
// layout) over the phones of every tone, shrunk towards its diagonal by the
// weight shrink in [0, 1], as a pair of variance per tone and correlation matrices
// for NoiseModel: the two-step treatment of correlated errors (Dosso, Nielsen &
// Wilmut, JASA 119, 208-219 (2006)).
func EstimateCovariance(residuals [][]complex128, receivers, tones int, shrink float64) (variance []float64, correlation [][]complex128) {
	if len(residuals) == 0 {
		panic("inversion: covariance of no residuals")
	}
	variance = make([]float64, tones)
	for f := range tones {
		c := make([]complex128, receivers*receivers)
		for _, r := range residuals {
			for i := range receivers {
				for j := range receivers {
					a, b := r[i*tones+f], r[j*tones+f]
					c[i*receivers+j] += a * complex(real(b), -imag(b))
				}
			}
		}
		var trace float64
		for i := range receivers {
			trace += real(c[i*receivers+i])
		}
		scale := float64(receivers) / trace
		for i := range c {
			w := scale
			if i/receivers != i%receivers {
				w *= 1 - shrink
			}
			c[i] *= complex(w, 0)
		}
		variance[f] = trace / float64(receivers*len(residuals))
		correlation = append(correlation, c)
	}
	return variance, correlation
}
