package calibration

import (
	"math"
	"math/cmplx"
	"slices"

	"oceaninv/inversion"
)

// Score is how one observation's posterior stands to the truth and to the prior,
// for one parameter.
type Score struct {
	// Contraction is 1 - Var(posterior)/Var(prior), ZScore (mean - truth)/sd.
	Contraction, ZScore float64
	// SquaredError is the mean over draws of (θ - truth)²: bias² + variance. It is
	// VINA's figure of merit, and it rewards a posterior that collapses; read it
	// beside the calibration.
	SquaredError Estimate
	Bias, SD     float64
}

// ScoreOf computes the score of parameter j.
func ScoreOf(draws *inversion.Draws, j int, truth, priorSD float64) Score {
	s := draws.Summarize(j)
	w := draws.Weights()
	var square, fourth, w2 float64
	for i, x := range draws.Column(j) {
		e := (x - truth) * (x - truth)
		square += w[i] * e
		fourth += w[i] * e * e
		w2 += w[i] * w[i]
	}
	return Score{
		Contraction:  1 - s.SD*s.SD/(priorSD*priorSD),
		ZScore:       (s.Mean - truth) / s.SD,
		SquaredError: Estimate{square, math.Sqrt(math.Max(0, fourth-square*square) * w2)},
		Bias:         s.Mean - truth, SD: s.SD,
	}
}

// PredictiveResult compares an observation with fields re-simulated at posterior
// draws. Where the source is unknown, fields are taken with the amplitude that explains the
// data best, tone by tone.
type PredictiveResult struct {
	// ChiSquare is the mean over draws, per tone, of the residuals' chi-square over its
	// degrees of freedom ([inversion.Likelihood.ChiSquare]): 1 when residuals are noise
	// of the stated variance, NaN where the likelihood states none.
	ChiSquare []float64
	// ChiSquareP is the posterior predictive p value per tone, and Total over all
	// tones: the mean over draws of P(χ² above the draw's). Near 0 the model does
	// not explain the data, near 1 it explains the noise.
	ChiSquareP []float64
	TotalP     float64
	// Bartlett is the mean correlator per tone, BartlettLow and BartlettHigh the
	// 2.5 and 97.5 % quantiles over replicated data of the same draws
	// ([inversion.Likelihood.Replicate]).
	Bartlett, BartlettLow, BartlettHigh []float64
	// WhitenessP is, per tone, the p value of the residuals of neighbouring phones
	// being uncorrelated but for what the noise model says, at the draw of best fit.
	WhitenessP []float64
	// Resimulation is the mean over draws of ‖a p(θ) - d‖/‖d‖ over all data.
	Resimulation Estimate
}

// Predictive is what re-simulates draws of a problem: its forward model, and what is known
// of source and noise.
type Predictive struct {
	Forward    inversion.Forward
	Likelihood *inversion.Likelihood
}

// Check re-simulates draws and compares them with the data of one snapshot (data
// layout). Draws count alike: resample weighted ones first.
func (p Predictive) Check(draws *inversion.Draws, data []complex128, seed uint64) (PredictiveResult, error) {
	tones, n := p.Likelihood.Noise.Tones, draws.N()
	res := PredictiveResult{ChiSquare: make([]float64, tones), ChiSquareP: make([]float64, tones), Bartlett: make([]float64, tones)}
	field, replica := make([]complex128, len(data)), make([]complex128, len(data))
	chi, correlator := make([]float64, tones), make([]float64, tones)
	replicated := make([][]float64, tones)
	errors := make([]float64, n)
	degrees, best := p.Likelihood.Degrees(), math.Inf(1)
	for i := range n {
		if err := p.Forward.Predict(field, draws.Row(i)); err != nil {
			return res, err
		}
		p.Likelihood.ChiSquare(chi, field, data)
		var total float64
		for f, c := range chi {
			total += c
			res.ChiSquare[f] += c / float64(degrees) / float64(n)
			res.ChiSquareP[f] += chiSquareSurvival(c, degrees) / float64(n)
		}
		res.TotalP += chiSquareSurvival(total, degrees*tones) / float64(n)
		inversion.Bartlett(correlator, field, data)
		for f, b := range correlator {
			res.Bartlett[f] += b / float64(n)
		}
		p.Likelihood.Replicate(replica, field, data, inversion.Rand(seed, inversion.NoiseStream, i))
		inversion.Bartlett(correlator, field, replica)
		for f, b := range correlator {
			replicated[f] = append(replicated[f], b)
		}
		misfit := -p.Likelihood.LogDensity(field, data)
		residual, whitened := p.Likelihood.Explain(field, data)
		errors[i] = relativeError(field, data)
		if misfit < best {
			best = misfit
			res.WhitenessP = whiteness(residual, whitened, tones, p.Likelihood.Form != inversion.KnownSource)
		}
	}
	for f := range tones {
		res.BartlettLow = append(res.BartlettLow, quantile(replicated[f], 0.025))
		res.BartlettHigh = append(res.BartlettHigh, quantile(replicated[f], 0.975))
	}
	res.Resimulation = Mean(errors)
	return res, nil
}

func relativeError(field, data []complex128) float64 {
	var e, d float64
	for i := range data {
		r := field[i] - data[i]
		e += real(r)*real(r) + imag(r)*imag(r)
		d += real(data[i])*real(data[i]) + imag(data[i])*imag(data[i])
	}
	return math.Sqrt(e / d)
}

// whiteness tests, per tone, the coherence of whitened residuals r of neighbouring phones,
// x = Σ r_i r*_{i+1} = rᴴSr with S the shift by one phone. Independent noise of variance ν
// has E x = 0, E|x|² = ν²(N-1). Residuals of a field p whose amplitude was estimated are Pn,
// P = 1 - uuᴴ, u = p/‖p‖, of N - 1 degrees of freedom:
//
//	E x = νm, m = tr PS = -uᴴSu,  Var x = ν²‖PSP‖² = ν² [N - 1 - (1-|u_1|²) - (1-|u_N|²) + |m|²].
//
// Taking off m‖r‖²/(N-1), for ν is estimated, also takes off what x shares with ‖r‖²,
// Cov(x, ‖r‖²) = ν² tr PSP = ν²m (as P² = P), of which Var ‖r‖² = ν²(N-1):
//
//	y = x - m‖r‖²/(N-1),  E y = 0,  E|y|² = ν² [‖PSP‖² - |m|²/(N-1)].
//
// P = exp(-|y|²/E|y|²), as |y|² is nearly exponential, with ν² without bias from ‖r‖⁴; the mean
// of the exponent is 1 exactly, since y/‖r‖² does not depend on ‖r‖².
func whiteness(residual, field []complex128, tones int, estimated bool) []float64 {
	p := make([]float64, tones)
	receivers := len(residual) / tones
	for f := range tones {
		cross, power, _ := neighbours(residual, f, tones)
		free, spread := float64(receivers), float64(receivers-1)
		var mean complex128 // over ν
		if estimated {
			along, norm, ends := neighbours(field, f, tones)
			mean = -along / complex(norm, 0)
			free--
			square := real(mean)*real(mean) + imag(mean)*imag(mean)
			spread += ends/norm - 2 + square - square/free
		}
		if receivers < 2 || power == 0 || spread < 1e-9 {
			p[f] = 1
			continue
		}
		cross -= mean * complex(power/free, 0)
		nu2 := power * power / (free * (free + 1))
		p[f] = math.Exp(-(real(cross)*real(cross) + imag(cross)*imag(cross)) / (spread * nu2))
	}
	return p
}

// neighbours is Σ v_i v*_{i+1} over the phones of tone f, ‖v‖² and |v_1|² + |v_N|².
func neighbours(v []complex128, f, tones int) (cross complex128, norm, ends float64) {
	for i := f; i < len(v); i += tones {
		square := real(v[i])*real(v[i]) + imag(v[i])*imag(v[i])
		norm += square
		if i == f || i+tones >= len(v) {
			ends += square
		}
		if i+tones < len(v) {
			cross += v[i] * cmplx.Conj(v[i+tones])
		}
	}
	return cross, norm, ends
}

func quantile(v []float64, p float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[min(len(s)-1, int(p*float64(len(s))))]
}
