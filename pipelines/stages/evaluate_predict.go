package stages

import (
	"context"
	"fmt"
	"math"
	"slices"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/workflow/stage"
)

// predicted compares the data with fields re-simulated at draws.
type predicted struct {
	frequencies  []float64
	chiSquare    [][]float64 // [tone][observation], over its degrees of freedom
	bartlett     [][]float64 // [tone][observation]
	inBand       [][]float64 // [tone][observation]: 1 where the correlation is that of replicated data
	whiteness    [][]float64 // [tone][observation]: p value of uncorrelated residuals
	resimulation []float64   // [observation]
	totalP       []float64   // [observation]: predictive p value over all tones
}

const (
	// predictiveTail on either side of a predictive p value is said not to fit.
	predictiveTail = 0.005
	// whitenessLevel is the level of the test of residuals for whiteness.
	whitenessLevel = 0.05
)

// predict re-simulates so many draws of every observation, at most, with the
// forward model itself. Draws that left the prior, where there may be no physics,
// stay out; an observation without others has NaNs.
func (c *comparison) predict(ctx context.Context, ws *stage.Workspace, p *inversion.Problem, most int, seed uint64) (*predicted, error) {
	o, err := loadObserved(p, ws.Input("observation"))
	if err != nil {
		return nil, err
	}
	if o.obs.Len() < c.first+c.n || o.prior.Dim() != len(c.parameters) {
		return nil, stage.BadInput(fmt.Errorf("the observations or the problem are not those of the posterior"))
	}
	tones := len(p.Frequencies)
	out := &predicted{frequencies: p.Frequencies, chiSquare: table(tones, c.n), bartlett: table(tones, c.n),
		inBand: table(tones, c.n), whiteness: table(tones, c.n),
		resimulation: make([]float64, c.n), totalP: make([]float64, c.n)}
	err = forEach(ctx, ws.Cores, c.n, func() (func(context.Context, int) error, error) {
		forward, err := o.forward()
		check := calibration.Predictive{Forward: forward, Likelihood: inversion.NewLikelihood(p.Likelihood, o.noise)}
		return func(_ context.Context, i int) error {
			rng := inversion.Rand(itemSeed(seed, i), inversion.DrawStream, 1)
			draws := inside(o.prior, c.approx[i].Resample(min(most, c.approx[i].N()), rng))
			if draws.N() == 0 {
				out.leaveOut(i)
				return nil
			}
			r, err := check.Check(draws, o.data(c.first+i), itemSeed(seed, i))
			if err != nil {
				return fmt.Errorf("observation %d: %w", i, err)
			}
			for f := range tones {
				out.chiSquare[f][i], out.bartlett[f][i], out.whiteness[f][i] = r.ChiSquare[f], r.Bartlett[f], r.WhitenessP[f]
				if r.BartlettLow[f] <= r.Bartlett[f] && r.Bartlett[f] <= r.BartlettHigh[f] {
					out.inBand[f][i] = 1
				}
			}
			out.resimulation[i], out.totalP[i] = r.Resimulation.Value, r.TotalP
			return nil
		}, err
	})
	return out, err
}

// inside are the draws that the prior allows.
func inside(prior *inversion.Prior, draws *inversion.Draws) *inversion.Draws {
	out := &inversion.Draws{D: draws.D}
	for i := range draws.N() {
		if row := draws.Row(i); prior.Inside(row) {
			out.Theta = append(out.Theta, row...)
		}
	}
	return out
}

func (r *predicted) leaveOut(i int) {
	for f := range r.frequencies {
		r.chiSquare[f][i], r.bartlett[f][i], r.inBand[f][i], r.whiteness[f][i] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	r.resimulation[i], r.totalP[i] = math.NaN(), math.NaN()
}

// known leaves NaNs out.
func known(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}

// metrics sums the predictive checks up.
func (r *predicted) metrics() []stage.Metric {
	if r == nil || len(known(r.resimulation)) == 0 {
		return nil
	}
	var out []stage.Metric
	add := func(name string, e func([]float64) calibration.Estimate, values []float64, sentence string) {
		if values = known(values); len(values) > 0 { // else the likelihood has nothing to measure it by
			out = append(out, estimated(name, "", e(values), false, sentence))
		}
	}
	add("resimulation_error", calibration.Mean, r.resimulation,
		"Mean distance of the field at a draw inside the prior to the data, over the data's norm, with the source's amplitude estimated where it is unknown; noise alone keeps it above 0.")
	add("predictive_misfit", shareOf(func(p float64) bool { return math.Min(p, 1-p) < predictiveTail }), r.totalP,
		"Share of observations whose chi-square over all tones has a posterior predictive p value within 0.005 of 0 or 1: well above 0.01, draws do not explain the data.")
	for f, hz := range r.frequencies {
		name := toneName(hz)
		add("chi_square_"+name, calibration.Mean, r.chiSquare[f],
			fmt.Sprintf("Mean chi-square of the residuals at %g Hz per degree of freedom: a little above 1 where draws explain the data.", hz))
		add("bartlett_"+name, calibration.Mean, r.bartlett[f],
			fmt.Sprintf("Mean Bartlett correlation of data and replica at %g Hz: 1 is a perfect match.", hz))
		add("bartlett_in_band_"+name, calibration.Mean, r.inBand[f],
			fmt.Sprintf("Share of observations whose Bartlett correlation at %g Hz lies in the central 95 %% of data replicated from the posterior.", hz))
		add("correlated_residuals_"+name, shareOf(func(p float64) bool { return p < whitenessLevel }), r.whiteness[f],
			fmt.Sprintf("Share of observations whose residuals at %g Hz correlate between neighbouring phones at the 5 %% level: well above 0.05, errors are not independent.", hz))
	}
	return out
}

// shareOf is share as a function of the values alone.
func shareOf(f func(float64) bool) func([]float64) calibration.Estimate {
	return func(values []float64) calibration.Estimate { return share(values, f) }
}

// toneName is a frequency as part of a name, such as 49hz or 49p5hz.
func toneName(hz float64) string {
	name := []byte(fmt.Sprintf("%ghz", hz))
	for i, b := range name {
		if b == '.' {
			name[i] = 'p'
		}
	}
	return string(name)
}
