package figure

import (
	"fmt"
)

// Training is the history of a training run.
type Training struct {
	Title  string
	Curves []Series // X in epochs or steps
	X      string   // what X counts; empty takes "epoch"
	Y      Axis     // Label empty takes "loss"; Log for a logarithmic axis
	Best   *float64 // where the kept weights come from; nil without
}

// Draw makes the figure.
func (t Training) Draw() (*Figure, error) {
	x, y := Axis{Label: t.X}, t.Y
	if x.Label == "" {
		x.Label = "epoch"
	}
	if y.Label == "" {
		y.Label = "loss"
	}
	c := Chart{Title: t.Title, X: x, Y: y, Series: t.Curves}
	if t.Best != nil {
		c.References = []Reference{{Label: "weights kept", X: t.Best}}
	}
	return c.Draw()
}

// RankDifference is the check of simulation-based calibration: the difference
// between the distribution of normalised ranks and the uniform one, with the band
// that holds it everywhere at the stated probability if calibration is right.
type RankDifference struct {
	Title        string
	Curves       []Series // X in [0, 1], Y the difference
	At           []float64
	Lower, Upper []float64
	BandLabel    string // empty takes "95 % simultaneous band"
}

// Draw makes the figure.
func (d RankDifference) Draw() (*Figure, error) {
	label := d.BandLabel
	if label == "" {
		label = "95 % simultaneous band"
	}
	return Chart{Title: d.Title, X: Axis{Label: "normalised rank", Min: 0, Max: 1}, Y: Axis{Label: "ECDF minus uniform"},
		Bands: []Band{{Label: label, At: d.At, Lower: d.Lower, Upper: d.Upper, Hue: 7}}, Series: d.Curves,
		References: []Reference{{Y: At(0)}}}.Draw()
}

// Coverage is the fraction of truths inside credible regions, over their nominal
// probability.
type Coverage struct {
	Title        string
	Curves       []Series // X nominal, Y empirical, both in [0, 1]
	At           []float64
	Lower, Upper []float64 // band of a calibrated posterior; nil without
	BandLabel    string    // empty takes "95 % band"
}

// Draw makes the figure.
func (v Coverage) Draw() (*Figure, error) {
	c := Chart{Title: v.Title, X: Axis{Label: "nominal coverage", Min: 0, Max: 1}, Y: Axis{Label: "empirical coverage", Min: 0, Max: 1},
		Series: v.Curves, References: []Reference{{Label: "calibrated", Diagonal: true}}}
	if v.At != nil {
		label := v.BandLabel
		if label == "" {
			label = "95 % band"
		}
		c.Bands = []Band{{Label: label, At: v.At, Lower: v.Lower, Upper: v.Upper, Hue: 7}}
	}
	f, err := c.Draw()
	if err != nil {
		return nil, err
	}
	f.width, f.height = f.height*1.1, f.height*1.1 // equal axes ask for a square
	return f, nil
}

// Traces are the paths of Markov chains, a panel for each parameter.
type Traces struct {
	Title      string
	Parameters []Trace
}

// Trace is one parameter along the chains.
type Trace struct {
	Label, Unit string
	Chains      [][]float64
	Truth       *float64
}

// Draw makes the figure.
func (t Traces) Draw() (*Figure, error) {
	g := Panels{Title: t.Title, Height: 1.8 + 4.4*float64(len(t.Parameters))}
	for i, p := range t.Parameters {
		y := Axis{Label: p.Label}
		if p.Unit != "" && p.Unit != "1" { // labels as long as the panels are high would run into each other
			y.Label += "\n(" + p.Unit + ")"
		}
		c := Chart{Y: y}
		if i == len(t.Parameters)-1 {
			c.X.Label = "iteration"
		}
		for k, chain := range p.Chains {
			x := make([]float64, len(chain))
			for n := range x {
				x[n] = float64(n + 1)
			}
			c.Series = append(c.Series, Series{Label: fmt.Sprintf("chain %d", k+1), X: x, Y: chain, Thin: true})
		}
		if p.Truth != nil {
			c.References = []Reference{{Label: "truth", Y: p.Truth, Truth: true}}
		}
		g.Charts = append(g.Charts, []Chart{c})
	}
	return g.Draw()
}

// Profile is a quantity against depth with its credible bands.
type Profile struct {
	Title                string
	Quantity             Axis
	Depths               []float64 // m, increasing
	Median               []float64
	Lower50, Upper50     []float64 // nil without
	Lower95, Upper95     []float64 // nil without
	TruthDepth, Truth    []float64 // nil where not known
	Floor                *float64  // depth of the sea floor
	MinDepth, MaxDepth   float64   // both 0 fit the data
	PriorLower, PriorTop []float64 // the prior's band over Depths; nil without
}

// Draw makes the figure.
func (p Profile) Draw() (*Figure, error) {
	c := Chart{Title: p.Title, X: p.Quantity, Y: depthAxis(p.MinDepth, p.MaxDepth)}
	if !c.Y.fixed() && len(p.Depths) > 0 {
		c.Y.Min, c.Y.Max = p.Depths[0], p.Depths[len(p.Depths)-1]
	}
	band := func(label string, lower, upper []float64, hue int, strong bool) {
		if lower != nil {
			c.Bands = append(c.Bands, Band{Label: label, At: p.Depths, Lower: lower, Upper: upper, Upright: true, Hue: hue, Strong: strong})
		}
	}
	band("prior", p.PriorLower, p.PriorTop, 7, false)
	band("95 % credible", p.Lower95, p.Upper95, 1, false)
	band("50 % credible", p.Lower50, p.Upper50, 1, true)
	c.Series = []Series{{Label: "median", X: p.Median, Y: p.Depths, Hue: 1}}
	if p.Truth != nil {
		c.Series = append(c.Series, Series{Label: "truth", X: p.Truth, Y: p.TruthDepth, Truth: true})
	}
	if p.Floor != nil {
		c.References = []Reference{{Label: "sea floor", Y: p.Floor}}
	}
	f, err := c.Draw()
	if err != nil {
		return nil, err
	}
	f.width, f.height = f.height, f.height*1.15
	return f, nil
}

// Scatter is clouds of points, such as a Pareto front or truth against estimate.
type Scatter struct {
	Title      string
	X, Y       Axis
	Clouds     []Series
	Front      *Series // joined by a line; nil without
	References []Reference
	Notes      []Note
}

// Draw makes the figure.
func (s Scatter) Draw() (*Figure, error) {
	c := Chart{Title: s.Title, X: s.X, Y: s.Y, References: s.References, Notes: s.Notes}
	for _, k := range s.Clouds {
		k.Points = true
		c.Series = append(c.Series, k)
	}
	if s.Front != nil {
		front := *s.Front
		front.Points, front.Joined = true, true
		c.Series = append(c.Series, front)
	}
	return c.Draw()
}
