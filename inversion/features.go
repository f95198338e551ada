package inversion

import (
	"fmt"
	"math"
	"math/cmplx"
)

// FeatureForm is how an observation becomes the input of a network.
type FeatureForm string

const (
	// AbsoluteField: for each phone the real parts of all tones, then the
	// imaginary parts, phone after phone (2·receivers·tones values): the input of
	// VINA. It presumes that the source's amplitude and phase are known.
	AbsoluteField FeatureForm = "absolute"
	// NormalizedField: the same of d_f/‖d_f‖ with the phase that makes the
	// phone of index 0 real and positive, so that the source's amplitude and phase
	// at each tone drop out.
	NormalizedField FeatureForm = "normalized"
	// NormalizedCovariance: the upper triangle of d_f d_fᴴ/‖d_f‖² of each tone,
	// diagonal first (N real values), then Re, Im of the elements above it row by
	// row: N² values a tone. Invariant as NormalizedField is, without a
	// reference phone.
	NormalizedCovariance FeatureForm = "covariance"
)

// FeatureForms lists the forms.
func FeatureForms() []FeatureForm {
	return []FeatureForm{AbsoluteField, NormalizedField, NormalizedCovariance}
}

// FeatureSize is the number of features of an observation.
func FeatureSize(form FeatureForm, receivers, tones int) int {
	if form == NormalizedCovariance {
		return receivers * receivers * tones
	}
	return 2 * receivers * tones
}

// Features sets dst to the features of data (data layout).
func Features(dst []float64, form FeatureForm, data []complex128, tones int) {
	receivers := len(data) / tones
	if len(dst) != FeatureSize(form, receivers, tones) || len(data) != receivers*tones {
		panic(fmt.Sprintf("inversion: %d features of %d data", len(dst), len(data)))
	}
	switch form {
	case AbsoluteField:
		for r := range receivers {
			for f := range tones {
				v := data[r*tones+f]
				dst[2*r*tones+f] = real(v)
				dst[(2*r+1)*tones+f] = imag(v)
			}
		}
	case NormalizedField:
		normalizedField(dst, data, tones)
	case NormalizedCovariance:
		normalizedCovariance(dst, data, tones)
	default:
		panic(fmt.Sprintf("inversion: unknown features %q", form))
	}
}

func normalizedField(dst []float64, data []complex128, tones int) {
	for f := range tones {
		scale := complex(1/math.Sqrt(toneNorm2(data, f, tones)), 0)
		if a := cmplx.Abs(data[f]); a > 0 {
			scale *= cmplx.Conj(data[f]) / complex(a, 0)
		}
		for r := 0; r*tones < len(data); r++ {
			v := data[r*tones+f] * scale
			dst[2*r*tones+f] = real(v)
			dst[(2*r+1)*tones+f] = imag(v)
		}
	}
}

func normalizedCovariance(dst []float64, data []complex128, tones int) {
	receivers := len(data) / tones
	k := 0
	for f := range tones {
		scale := 1 / toneNorm2(data, f, tones)
		for i := range receivers {
			v := data[i*tones+f]
			dst[k] = scale * (real(v)*real(v) + imag(v)*imag(v))
			k++
		}
		for i := range receivers {
			for j := i + 1; j < receivers; j++ {
				v := data[i*tones+f] * cmplx.Conj(data[j*tones+f])
				dst[k], dst[k+1] = scale*real(v), scale*imag(v)
				k += 2
			}
		}
	}
}
