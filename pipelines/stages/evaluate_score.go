package stages

import (
	"math"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
)

// scores are errors against the truth, and what was learned of each parameter.
type scores struct {
	sd          [][]float64 // [parameter][observation]
	mse         [][]float64 // mean squared distance of draws to the truth; nil without truths, as z
	z           [][]float64 // (posterior mean − truth) / standard deviation
	contraction [][]float64 // 1 − posterior variance / prior variance; nil without a prior
	outside     []float64   // [observation]: weight of the draws outside the prior; nil without a prior
}

// score measures every observation against its truth and the prior.
func (c *comparison) score() *scores {
	d := len(c.parameters)
	s := &scores{sd: table(d, c.n)}
	if c.truth != nil {
		s.mse, s.z = table(d, c.n), table(d, c.n)
	}
	if c.prior != nil {
		s.contraction, s.outside = table(d, c.n), make([]float64, c.n)
	}
	for i, a := range c.approx {
		if s.outside != nil {
			s.outside[i] = outside(c.prior, a)
		}
		for j := range d {
			truth, priorSD := math.NaN(), math.NaN()
			if c.truth != nil {
				truth = c.truth[i][j]
			}
			if c.prior != nil {
				priorSD = c.prior.Marginals[j].SDev()
			}
			v := calibration.ScoreOf(a, j, truth, priorSD)
			s.sd[j][i] = v.SD
			if s.mse != nil {
				s.mse[j][i], s.z[j][i] = v.SquaredError.Value, v.ZScore
			}
			if s.contraction != nil {
				s.contraction[j][i] = v.Contraction
			}
		}
	}
	return s
}

// outside is the weight of the draws that the prior excludes.
func outside(prior *inversion.Prior, a *inversion.Draws) float64 {
	sum, w := 0.0, a.Weights()
	for i := range a.N() {
		if !prior.Inside(a.Row(i)) {
			sum += w[i]
		}
	}
	return sum
}

func table(rows, columns int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, columns)
	}
	return out
}

// calibrated is the agreement of the posterior with the truth over observations.
type calibrated struct {
	coverage []calibration.CoverageResult // per parameter
	errors   []calibration.CalibrationError
	sbc      []calibration.SBCResult
	tarp     calibration.CoverageResult
}

// coverageLevels is the number of nominal levels of a coverage curve.
const coverageLevels = 20

// calibrate checks the posterior against the truths; nil without truths.
func (c *comparison) calibrate(seed uint64) *calibrated {
	if c.truth == nil || c.n < 2 {
		return nil
	}
	out := new(calibrated)
	rng := inversion.Rand(seed, inversion.DrawStream, 0)
	equal := make([]*inversion.Draws, c.n) // with equal weights, for ranks
	for i, a := range c.approx {
		equal[i] = a
		if a.LogWeight != nil {
			equal[i] = a.Resample(a.N(), rng)
		}
	}
	for j := range c.parameters {
		levels, ranks, widths := make([]float64, c.n), make([]int, c.n), make([]float64, c.n)
		for i, a := range equal {
			column := a.Column(j)
			levels[i] = calibration.CentralLevel(column, nil, c.truth[i][j], rng)
			ranks[i] = calibration.Rank(column, c.truth[i][j], rng)
			q := a.Quantiles(j, 0.16, 0.84)
			widths[i] = q[1] - q[0]
		}
		out.errors = append(out.errors, calibration.ArdizzoneError(levels, widths))
		out.coverage = append(out.coverage, calibration.Coverage(levels, coverageLevels, seed))
		out.sbc = append(out.sbc, calibration.SBC(ranks, equal[0].N(), 0.95, seed))
	}
	out.tarp = calibration.TARP(equal, c.truth, coverageLevels, seed)
	return out
}
