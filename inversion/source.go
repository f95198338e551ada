package inversion

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
)

// Amplitudes sets dst, one for each tone, to the complex source amplitude that the
// likelihood gives the field: 1 where the source is known, otherwise the most likely one,
// pᴴR⁻¹d/pᴴR⁻¹p with R the phones' correlation. The data are of one snapshot.
func (l *Likelihood) Amplitudes(dst, field, data []complex128) {
	if l.Form == KnownSource {
		for f := range dst {
			dst[f] = 1
		}
		return
	}
	l.whitened(field, data)
	for f := range dst {
		dst[f] = amplitude(l.replica, l.residual, f, l.Noise.Tones)
	}
}

// whitened sets l.replica and l.residual to field and data with the phones' correlation
// taken out.
func (l *Likelihood) whitened(field, data []complex128) {
	if l.snapshots(field, data) > 1 {
		panic("inversion: source amplitudes of several snapshots")
	}
	copy(l.residual, data)
	copy(l.replica, field)
	l.Noise.whiten(l.residual)
	l.Noise.whiten(l.replica)
}

// Explain sets field to a_f p_f, the field with the amplitudes of [Likelihood.Amplitudes],
// and returns the whitened residual L⁻¹(d - a p) and replica L⁻¹ p, with L Lᴴ the phones'
// correlation. They are the likelihood's own and hold until its next use.
func (l *Likelihood) Explain(field, data []complex128) (residual, replica []complex128) {
	tones := l.Noise.Tones
	a := make([]complex128, tones)
	l.Amplitudes(a, field, data)
	l.whitened(field, data)
	for i := range field {
		l.residual[i] -= a[i%tones] * l.replica[i]
		field[i] *= a[i%tones]
	}
	return l.residual, l.replica
}

// Degrees is the number of degrees of freedom of each tone's residual: two for each phone,
// less two where the amplitude is estimated from the same data.
func (l *Likelihood) Degrees() int {
	if l.Form == KnownSource {
		return 2 * l.Noise.Receivers
	}
	return 2 * (l.Noise.Receivers - 1)
}

// ChiSquare sets dst, per tone, to 2 (d-ap)ᴴ C⁻¹ (d-ap), with C the covariance of the noise
// and a the amplitude: chi-square with Degrees degrees of freedom at the truth. Where the
// variance is unknown, or no degree of freedom left, there is nothing to measure residuals
// by, and it is NaN.
func (l *Likelihood) ChiSquare(dst []float64, field, data []complex128) {
	l.Noise.VarianceOf(l.variance, field)
	a := make([]complex128, len(dst))
	l.Amplitudes(a, field, data)
	l.whitened(field, data)
	for f, nu := range l.variance {
		dst[f] = math.NaN()
		if l.Form != UnknownVariance && l.Degrees() > 0 {
			dst[f] = 2 * toneDistance2(l.residual, l.replica, a[f], f, l.Noise.Tones) / nu
		}
	}
}

// Replicate sets dst to other data that the same parameters could have given, whose field
// is given: a p + n. What the likelihood does not know is drawn from its law given the data,
// under flat priors of the amplitude and of ln ν, with misfit m = min_a (d-ap)ᴴR⁻¹(d-ap):
//
//	ν ~ m/Gamma(N-1) where it is unknown,  a ~ CN(pᴴR⁻¹d/pᴴR⁻¹p, ν/pᴴR⁻¹p).
func (l *Likelihood) Replicate(dst, field, data []complex128, rng *rand.Rand) {
	n := l.Noise
	if l.Form == KnownSource {
		n.Sample(dst, field, rng)
		for k, v := range field {
			dst[k] += v
		}
		return
	}
	variance, a := make([]float64, n.Tones), make([]complex128, n.Tones)
	n.VarianceOf(variance, field)
	l.whitened(field, data)
	for f := range a {
		mean := amplitude(l.replica, l.residual, f, n.Tones)
		if l.Form == UnknownVariance && n.Receivers > 1 {
			variance[f] = toneDistance2(l.residual, l.replica, mean, f, n.Tones) / gammaInteger(n.Receivers-1, rng)
		}
		s := math.Sqrt(variance[f] / 2 / toneNorm2(l.replica, f, n.Tones))
		a[f] = mean + complex(s*rng.NormFloat64(), s*rng.NormFloat64())
	}
	n.sample(dst, variance, rng)
	for k, v := range field {
		dst[k] += a[k%n.Tones] * v
	}
}

// gammaInteger draws from the gamma law of a whole shape and unit scale.
func gammaInteger(shape int, rng *rand.Rand) float64 {
	sum := 0.0
	for range shape {
		sum += rng.ExpFloat64()
	}
	return sum
}

// amplitude is pᴴd/pᴴp of tone f.
func amplitude(p, d []complex128, f, tones int) complex128 {
	var dot complex128
	for i := f; i < len(p); i += tones {
		dot += cmplx.Conj(p[i]) * d[i]
	}
	return dot / complex(toneNorm2(p, f, tones), 0)
}

// toneDistance2 is ‖d_f - a p_f‖².
func toneDistance2(d, p []complex128, a complex128, f, tones int) float64 {
	var sum float64
	for i := f; i < len(p); i += tones {
		r := d[i] - a*p[i]
		sum += real(r)*real(r) + imag(r)*imag(r)
	}
	return sum
}
