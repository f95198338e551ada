package inversion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Draws is a sample of a posterior: N draws of D parameters.
type Draws struct {
	D     int
	Theta []float64 // [draw][parameter], row-major
	// LogProb is the log density of each draw under the model that made it, where
	// it has one; LogWeight is the unnormalised log importance weight, where draws
	// are weighted. Either may be nil.
	LogProb, LogWeight []float64
}

// NewDraws returns n draws of d parameters, all zero.
func NewDraws(n, d int) *Draws { return &Draws{D: d, Theta: make([]float64, n*d)} }

// N is the number of draws.
func (s *Draws) N() int { return len(s.Theta) / s.D }

// Row is draw i, not a copy.
func (s *Draws) Row(i int) []float64 { return s.Theta[i*s.D : (i+1)*s.D] }

// Column copies the values of one parameter.
func (s *Draws) Column(j int) []float64 {
	out := make([]float64, s.N())
	for i := range out {
		out[i] = s.Theta[i*s.D+j]
	}
	return out
}

// Weights are the normalised weights, equal without LogWeight.
func (s *Draws) Weights() []float64 {
	w := make([]float64, s.N())
	if s.LogWeight == nil {
		for i := range w {
			w[i] = 1 / float64(len(w))
		}
		return w
	}
	if len(s.LogWeight) != len(w) {
		panic(fmt.Sprintf("inversion: %d weights for %d draws", len(s.LogWeight), len(w)))
	}
	top := slices.Max(s.LogWeight)
	var sum float64
	for i, l := range s.LogWeight {
		w[i] = math.Exp(l - top)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// Summary is a parameter's posterior in numbers.
type Summary struct {
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"`
	Q025   float64 `json:"q025"`
	Q160   float64 `json:"q160"`
	Median float64 `json:"median"`
	Q840   float64 `json:"q840"`
	Q975   float64 `json:"q975"`
}

// Summarize is the weighted mean, standard deviation and quantiles of parameter j.
func (s *Draws) Summarize(j int) Summary {
	w := s.Weights()
	var out Summary
	for i, v := range w {
		out.Mean += v * s.Theta[i*s.D+j]
	}
	for i, v := range w {
		d := s.Theta[i*s.D+j] - out.Mean
		out.SD += v * d * d
	}
	out.SD = math.Sqrt(out.SD)
	q := s.Quantiles(j, 0.025, 0.16, 0.5, 0.84, 0.975)
	out.Q025, out.Q160, out.Median, out.Q840, out.Q975 = q[0], q[1], q[2], q[3], q[4]
	return out
}

// Quantiles are weighted quantiles of parameter j: each the smallest draw at which
// the weight reaches the probability.
func (s *Draws) Quantiles(j int, p ...float64) []float64 {
	w := s.Weights()
	order := make([]int, len(w))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := s.Theta[a*s.D+j], s.Theta[b*s.D+j]
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	for k, target := range p {
		var sum float64
		out[k] = s.Theta[order[len(order)-1]*s.D+j]
		for _, i := range order {
			sum += w[i]
			if sum >= target-1e-12 {
				out[k] = s.Theta[i*s.D+j]
				break
			}
		}
	}
	return out
}

// Resample draws n of the draws in proportion to their weights (systematic
// resampling): equal weights come out.
func (s *Draws) Resample(n int, rng *rand.Rand) *Draws {
	w := s.Weights()
	out := NewDraws(n, s.D)
	if s.LogProb != nil {
		out.LogProb = make([]float64, n)
	}
	u := rng.Float64() / float64(n)
	i, sum := 0, w[0]
	for k := range n {
		for sum < u+float64(k)/float64(n) && i+1 < len(w) {
			i++
			sum += w[i]
		}
		copy(out.Row(k), s.Row(i))
		if s.LogProb != nil {
			out.LogProb[k] = s.LogProb[i]
		}
	}
	// Systematic resampling leaves copies next to each other: shuffle, so that
	// any stretch of the draws is a fair sample.
	rng.Shuffle(n, func(a, b int) {
		ra, rb := out.Row(a), out.Row(b)
		for j := range ra {
			ra[j], rb[j] = rb[j], ra[j]
		}
		if out.LogProb != nil {
			out.LogProb[a], out.LogProb[b] = out.LogProb[b], out.LogProb[a]
		}
	})
	return out
}

// Target is an unnormalised posterior density to sample or to refine towards. It
// is not safe for concurrent use.
type Target interface {
	Dim() int
	// LogDensity is ln p(θ)L(θ) up to a constant, -Inf outside the support.
	LogDensity(theta []float64) float64
}

// Tempered is a Target in its two parts, so that the likelihood can be tempered. It
// is not safe for concurrent use.
type Tempered interface {
	Dim() int
	// LogPrior is the normalised ln p(θ), -Inf outside the support.
	LogPrior(theta []float64) float64
	// LogLikelihood is ln L(θ), within the support only.
	LogLikelihood(theta []float64) float64
}

// Gradient is a Target with a gradient.
type Gradient interface {
	Target
	// LogDensityGradient also sets grad to ∂ ln(pL)/∂θ.
	LogDensityGradient(grad, theta []float64) float64
}
