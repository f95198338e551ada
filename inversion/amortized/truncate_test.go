package amortized

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"oceaninv/inversion"
)

// The region holds 1 - ε of the model's own draws, all of it in its box.
func TestRegionHoldsItsProbability(t *testing.T) {
	c := model(t, true)
	const epsilon = 0.05
	r, err := c.Region(observation(), epsilon, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	const n = 4000
	draws, err := c.NewSession().Sample(n, observation(), inversion.Rand(9, inversion.DrawStream, 0))
	if err != nil {
		t.Fatal(err)
	}
	outside := 0
	for i, l := range draws.LogProb {
		if l < r.Threshold {
			outside++
		} else if !r.holds(draws.Row(i)) {
			t.Errorf("draw %v of the region lies outside its box %v to %v", draws.Row(i), r.Low, r.High)
		}
	}
	// Two binomial errors: of these draws, and of the 2,000 that set the threshold.
	if share := float64(outside) / n; math.Abs(share-epsilon) > 4*math.Sqrt(epsilon*(1-epsilon)*(1.0/n+1.0/2000)) {
		t.Errorf("%.4f of the draws lie outside the region, want %g", share, epsilon)
	}
}

// Draws of the truncated prior are the prior's own within the region, whatever the cores: the
// share of the whole prior that they say it is agrees with one counted, and so does their mean.
func TestDrawsOfATruncatedPrior(t *testing.T) {
	uniform, logNormal := model(t, true), modelOf(t, withLogNormal(t), false)
	logNormal.Zeta.Scale = []float64{0.25, 0.7} // a box that holds a part of the log-normal's mass
	t.Run("uniform", func(t *testing.T) { drawsOfATruncatedPrior(t, uniform) })
	t.Run("log-normal", func(t *testing.T) { drawsOfATruncatedPrior(t, logNormal) })
}

// withLogNormal is the problem of box with a parameter whose prior no box restricts.
func withLogNormal(t *testing.T) *inversion.Prior {
	t.Helper()
	p := inversion.DefaultProblem()
	p.Parameters = []inversion.Parameter{
		{Name: "range", Prior: inversion.Marginal{Kind: inversion.LogNormal, Median: 3, SD: 0.2}},
		{Name: "source_depth", Prior: inversion.Marginal{Kind: inversion.Uniform, Low: -3, High: 1}},
	}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	return prior
}

func drawsOfATruncatedPrior(t *testing.T, c *Conditional) {
	r, err := c.Region(observation(), 0.01, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3000
	draw := func(cores int) []float64 {
		design, err := inversion.NewDesign(inversion.Independent, c.Prior.Within(r.Low, r.High), 3)
		if err != nil {
			t.Fatal(err)
		}
		theta, err := r.Draw(t.Context(), Drawing{N: n, Design: design, Prior: c.Prior, Cores: cores})
		if err != nil {
			t.Fatal(err)
		}
		return theta
	}
	theta := draw(1)
	if !slices.Equal(theta, draw(3)) {
		t.Error("draws on three cores differ from those on one")
	}
	density := make([]float64, n)
	if err := c.NewSession().LogDensity(density, theta, observation()); err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for i, l := range density {
		mean += theta[2*i] / n
		if l < r.Threshold {
			t.Fatalf("draw %v has the log density %g, below %g", theta[2*i:2*i+2], l, r.Threshold)
		}
	}
	const tries = 20000
	whole, l := make([]float64, 2*tries), make([]float64, tries)
	for i := range tries {
		c.Prior.Sample(whole[2*i:2*i+2], inversion.Rand(5, inversion.DesignStream, i))
	}
	if err := c.NewSession().LogDensity(l, whole, observation()); err != nil {
		t.Fatal(err)
	}
	var inside, sum, square float64
	for i := range tries {
		if l[i] >= r.Threshold {
			inside++
			sum += whole[2*i]
			square += whole[2*i] * whole[2*i]
		}
	}
	// Two binomial errors: of the n draws found, relative to the share, and of the whole prior's.
	if share := inside / tries; math.Abs(share-r.Mass) > 4*math.Sqrt(share*share/n+share/tries) {
		t.Errorf("the region is %.4f of the prior, draws say %.4f", share, r.Mass)
	}
	sd := math.Sqrt(square/inside - sum*sum/inside/inside)
	if want := sum / inside; math.Abs(mean-want) > 4*sd*math.Sqrt(1.0/n+1/inside) {
		t.Errorf("draws have the mean %.4f, the prior in the region %.4f", mean, want)
	}
}

// Drawing ends with the batch of candidates in which its context does.
func TestDrawingCanBeCancelled(t *testing.T) {
	c := model(t, false)
	r, err := c.Region(observation(), 0.01, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	design, err := inversion.NewDesign(inversion.Independent, c.Prior.Within(r.Low, r.High), 3)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var told []int
	_, err = r.Draw(ctx, Drawing{N: 10 * candidates, Design: design, Prior: c.Prior, Cores: 2, Progress: func(points int) {
		told = append(told, points)
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || len(told) != 1 || told[0] < 1 || told[0] > candidates {
		t.Errorf("cancelled after the first batch: %v, after %d points", err, told)
	}
}

func TestRegionKnowsItsObservation(t *testing.T) {
	r, err := model(t, false).Region(observation(), 0.05, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	read := new(Region)
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	single, other := observation(), observation()
	for i, v := range single {
		single[i] = complex128(complex64(v))
	}
	other[1] += 1e-4
	if !read.SameObservation(observation()) || !read.SameObservation(single) || read.SameObservation(other) || read.SameObservation(other[:1]) {
		t.Errorf("the region's observation is not told from others")
	}
}
