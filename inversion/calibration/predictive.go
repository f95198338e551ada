package calibration

import (
	"math"
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
// draws.
type PredictiveResult struct {
	// ChiSquare is the mean over draws, per tone, of 2‖d - p‖²/ν over its 2N degrees
	// of freedom: 1 when residuals are noise of the stated variance.
	ChiSquare []float64
	// ChiSquareP is the posterior predictive p value per tone, and Total over all
	// tones: the mean over draws of P(χ² above the draw's). Near 0 the model does
	// not explain the data, near 1 it explains the noise.
	ChiSquareP []float64
	TotalP     float64
	// Bartlett is the mean correlator per tone, BartlettLow and BartlettHigh the
	// 2.5 and 97.5 % quantiles over replicated data of the same draws.
	Bartlett, BartlettLow, BartlettHigh []float64
	// WhitenessP is, per tone, the p value of the residuals of neighbouring phones
	// being uncorrelated, at the draw of best fit.
	WhitenessP []float64
	// Resimulation is the mean over draws of ‖p(θ) - d‖/‖d‖ over all data.
	Resimulation Estimate
}

// PredictiveChecks re-simulates draws and compares them with the data (data
// layout). Draws count alike: resample weighted ones first.
func PredictiveChecks(draws *inversion.Draws, forward inversion.Forward, noise *inversion.Noise, data []complex128, seed uint64) (PredictiveResult, error) {
	tones, n := noise.Tones, draws.N()
	res := PredictiveResult{ChiSquare: make([]float64, tones), ChiSquareP: make([]float64, tones), Bartlett: make([]float64, tones)}
	field, replica := make([]complex128, len(data)), make([]complex128, len(data))
	chi, correlator := make([]float64, tones), make([]float64, tones)
	replicated := make([][]float64, tones)
	errors := make([]float64, n)
	best := math.Inf(1)
	for i := range n {
		if err := forward.Predict(field, draws.Row(i)); err != nil {
			return res, err
		}
		noise.ChiSquare(chi, field, data)
		var total float64
		for f, c := range chi {
			total += c
			res.ChiSquare[f] += c / float64(2*noise.Receivers) / float64(n)
			res.ChiSquareP[f] += chiSquareSurvival(c, 2*noise.Receivers) / float64(n)
		}
		res.TotalP += chiSquareSurvival(total, 2*len(data)) / float64(n)
		inversion.Bartlett(correlator, field, data)
		for f, b := range correlator {
			res.Bartlett[f] += b / float64(n)
		}
		noise.Sample(replica, field, inversion.Rand(seed, inversion.NoiseStream, i))
		for k := range replica {
			replica[k] += field[k]
		}
		inversion.Bartlett(correlator, field, replica)
		for f, b := range correlator {
			replicated[f] = append(replicated[f], b)
		}
		errors[i] = relativeError(field, data)
		if total < best {
			best = total
			res.WhitenessP = whiteness(field, data, tones)
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

// whiteness tests, per tone, the coherence of residuals of neighbouring phones:
// under independence |Σ r_i r*_{i+1}|² over its variance is exponential.
func whiteness(field, data []complex128, tones int) []float64 {
	p := make([]float64, tones)
	receivers := len(data) / tones
	for f := range tones {
		var cross complex128
		var power float64
		for r := range receivers {
			a := data[r*tones+f] - field[r*tones+f]
			power += (real(a)*real(a) + imag(a)*imag(a)) / float64(receivers)
			if r+1 < receivers {
				b := data[(r+1)*tones+f] - field[(r+1)*tones+f]
				cross += a * complex(real(b), -imag(b))
			}
		}
		if receivers < 2 || power == 0 {
			p[f] = 1
			continue
		}
		s := (real(cross)*real(cross) + imag(cross)*imag(cross)) / (float64(receivers-1) * power * power)
		p[f] = math.Exp(-s)
	}
	return p
}

func quantile(v []float64, p float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[min(len(s)-1, int(p*float64(len(s))))]
}
