package inversion

import (
	"fmt"
	"math"
	"slices"
)

// LikelihoodForm is what the likelihood knows of source and noise. With data d_f
// and replica p_f of N phones at tone f, and Bartlett's correlator
// B_f = |p_fᴴ d_f|²/(‖p_f‖²‖d_f‖²):
type LikelihoodForm string

const (
	// KnownSource: amplitude, phase and variances known,
	//	ln L = -Σ_f [N ln(πν_f) + ln det R_f + (d_f-p_f)ᴴ R_f⁻¹ (d_f-p_f)/ν_f],
	// with the phones' correlation R_f (identity by default).
	KnownSource LikelihoodForm = "known_source"
	// UnknownAmplitude: variances known, complex source amplitude of each tone at
	// its maximum-likelihood value pᴴR⁻¹d/pᴴR⁻¹p,
	//	ln L = -Σ_f [N ln(πν_f) + ln det R_f + ‖d_f‖²(1-B_f)/ν_f].
	UnknownAmplitude LikelihoodForm = "unknown_amplitude"
	// UnknownVariance: amplitude and variance of each tone at their
	// maximum-likelihood values (Mecklenbräuker & Gerstoft, J. Comput. Acoust. 8,
	// 259-270 (2000)),
	//	ln L = -N Σ_f [ln(π‖d_f‖²(1-B_f)/N) + 1].
	UnknownVariance LikelihoodForm = "unknown_variance"
	// SnapshotCovariance: of K snapshots d_fk, independent but for the field,
	// variances known, the complex amplitude of each tone in each snapshot at its
	// maximum-likelihood value. With the sample covariance R̂_f = Σ_k d_fk d_fkᴴ/K,
	//	ln L = -K Σ_f [N ln(πν_f) + (tr R̂_f - p_fᴴ R̂_f p_f/‖p_f‖²)/ν_f],
	// or the same of whitened data and replicas where the phones' noise correlates.
	// Its data are [snapshot][receiver][frequency].
	SnapshotCovariance LikelihoodForm = "snapshot_covariance"
)

// LikelihoodForms lists the forms a problem can name. For covariances without their
// snapshots see [SnapshotLikelihood].
func LikelihoodForms() []LikelihoodForm {
	return []LikelihoodForm{KnownSource, UnknownAmplitude, UnknownVariance, SnapshotCovariance}
}

func (f LikelihoodForm) known() bool { return slices.Contains(LikelihoodForms(), f) }

// Likelihood is ln p(data | field) for one form and noise. It holds workspace and
// is not safe for concurrent use; Clone gives another goroutine its own.
type Likelihood struct {
	Form     LikelihoodForm
	Noise    *Noise
	residual []complex128
	replica  []complex128
	variance []float64
}

// NewLikelihood returns the likelihood of a form.
func NewLikelihood(form LikelihoodForm, noise *Noise) *Likelihood {
	if !form.known() {
		panic(fmt.Sprintf("inversion: unknown likelihood %q", form))
	}
	size := noise.Receivers * noise.Tones
	return &Likelihood{
		Form: form, Noise: noise,
		residual: make([]complex128, size), replica: make([]complex128, size),
		variance: make([]float64, noise.Tones),
	}
}

// Clone returns a likelihood with workspace of its own.
func (l *Likelihood) Clone() *Likelihood { return NewLikelihood(l.Form, l.Noise) }

// snapshots is how many snapshots data are; only SnapshotCovariance takes more than one.
func (l *Likelihood) snapshots(field, data []complex128) int {
	size := len(l.residual)
	k := len(data) / size
	if len(field) != size || k < 1 || len(data) != k*size || (k > 1 && l.Form != SnapshotCovariance) {
		panic(fmt.Sprintf("inversion: likelihood %s of %d data for %d predictions, not %d", l.Form, len(data), len(field), size))
	}
	return k
}

// LogDensity is ln p(data | field), both in the data layout.
func (l *Likelihood) LogDensity(field, data []complex128) float64 {
	n := l.Noise
	snapshots := l.snapshots(field, data)
	variance := n.Variance
	if variance == nil {
		n.VarianceOf(l.variance, field)
		variance = l.variance
	}
	if l.Form != KnownSource {
		var sum float64
		for k := range snapshots {
			sum += l.bartlett(field, data[k*len(field):(k+1)*len(field)], variance)
		}
		return sum
	}
	for i := range data {
		l.residual[i] = data[i] - field[i]
	}
	n.whiten(l.residual)
	var sum float64
	for f, nu := range variance {
		sum -= float64(n.Receivers)*math.Log(math.Pi*nu) + n.logDeterminant(f) + toneNorm2(l.residual, f, n.Tones)/nu
	}
	return sum
}

// bartlett is the likelihood of the forms with an unknown amplitude.
func (l *Likelihood) bartlett(field, data []complex128, variance []float64) float64 {
	n := l.Noise
	copy(l.residual, data)
	copy(l.replica, field)
	n.whiten(l.residual)
	n.whiten(l.replica)
	receivers := float64(n.Receivers)
	var sum float64
	for f, nu := range variance {
		misfit := toneMisfit(l.replica, l.residual, f, n.Tones)
		if l.Form != UnknownVariance {
			sum -= receivers*math.Log(math.Pi*nu) + n.logDeterminant(f) + misfit/nu
			continue
		}
		// A misfit of rounding size would make the estimate of the variance
		// vanish and the likelihood infinite.
		misfit = math.Max(misfit, 1e-14*toneNorm2(l.residual, f, n.Tones))
		sum -= receivers*(math.Log(math.Pi*misfit/receivers)+1) + n.logDeterminant(f)
	}
	return sum
}

func (n *Noise) logDeterminant(f int) float64 {
	if n.logDet == nil {
		return 0
	}
	return n.logDet[f]
}

func toneNorm2(v []complex128, f, tones int) float64 {
	var sum float64
	for i := f; i < len(v); i += tones {
		sum += real(v[i])*real(v[i]) + imag(v[i])*imag(v[i])
	}
	return sum
}

// toneMisfit is min over a of ‖d_f - a p_f‖² = ‖d_f‖²(1-B_f).
func toneMisfit(p, d []complex128, f, tones int) float64 {
	return toneDistance2(d, p, amplitude(p, d, f, tones), f, tones)
}

// Bartlett is B_f of each tone, in [0, 1].
func Bartlett(dst []float64, field, data []complex128) {
	tones := len(dst)
	for f := range dst {
		d2 := toneNorm2(data, f, tones)
		dst[f] = 1 - toneMisfit(field, data, f, tones)/d2
	}
}

// SnapshotLikelihood is the likelihood of sample covariances R̂_f of K snapshots
// with unknown source amplitudes and variance ν_f (form 4 of Mecklenbräuker &
// Gerstoft's family):
//
//	ln L = -K Σ_f [N ln(πν_f) + (tr R̂_f - p_fᴴ R̂_f p_f/‖p_f‖²)/ν_f].
type SnapshotLikelihood struct {
	Snapshots  int
	Variance   []float64      // ν_f
	Covariance [][]complex128 // R̂_f, [frequency][receiver·receiver] row-major
}

// LogDensity is ln L of a field in the data layout.
func (s *SnapshotLikelihood) LogDensity(field []complex128) float64 {
	tones := len(s.Variance)
	n := len(field) / tones
	var sum float64
	for f, nu := range s.Variance {
		r := s.Covariance[f]
		var trace float64
		var power complex128
		for i := range n {
			trace += real(r[i*n+i])
			pi := field[i*tones+f]
			for j := range n {
				power += complex(real(pi), -imag(pi)) * r[i*n+j] * field[j*tones+f]
			}
		}
		misfit := trace - real(power)/toneNorm2(field, f, tones)
		sum -= float64(s.Snapshots) * (float64(n)*math.Log(math.Pi*nu) + misfit/nu)
	}
	return sum
}
