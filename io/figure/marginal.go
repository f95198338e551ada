package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Marginal is the posterior of one parameter.
type Marginal struct {
	Label, Unit string
	Min, Max    float64   // the prior's range
	Draws       []float64 // histogram
	Weights     []float64 // of the draws; nil is equal
	Truth       *float64  // dashed line; nil where not known
	// Exact is a density to compare with, at increasing X; nil without.
	ExactX, Exact []float64
	// HistogramHigh makes the panel as high as the histogram, and cuts the exact
	// density off above it: of a posterior much wider than the exact one something
	// can then be seen.
	HistogramHigh bool
}

func (m Marginal) axis() Axis { return Axis{Label: m.Label, Unit: m.Unit, Min: m.Min, Max: m.Max} }

func (m Marginal) check() error {
	switch {
	case len(m.Draws) == 0:
		return fmt.Errorf("figure: %s: no draws", m.Label)
	case !(m.Min < m.Max):
		return fmt.Errorf("figure: %s: range from %g to %g", m.Label, m.Min, m.Max)
	case m.Weights != nil && len(m.Weights) != len(m.Draws):
		return fmt.Errorf("figure: %s: %d weights for %d draws", m.Label, len(m.Weights), len(m.Draws))
	}
	if m.Truth != nil && math.IsNaN(*m.Truth) {
		return fmt.Errorf("figure: %s: the truth is NaN", m.Label)
	}
	return checked(finite(m.Label, m.Draws), finite(m.Label+", weights", m.Weights), finite(m.Label+", exact", m.ExactX),
		finite(m.Label+", exact", m.Exact), alike(m.Label+", exact", m.ExactX, m.Exact))
}

// Marginals are posteriors of several parameters side by side, over the full range
// of their priors; where a posterior fills little of it, a second row shows the
// range that holds it.
type Marginals struct {
	Title  string
	Panels []Marginal
	// DrawsLabel and ExactLabel name the histogram and the curve in the legend;
	// empty takes "draws" and "exact".
	DrawsLabel, ExactLabel string
}

// crowded is the part of the prior's range below which a posterior gets a panel of
// its own: narrower ones cannot be told from a line.
const crowded = 0.25

// Draw makes the figure.
func (m Marginals) Draw() (*Figure, error) {
	if len(m.Panels) == 0 {
		return nil, fmt.Errorf("figure: no marginals")
	}
	names := [2]string{"draws", "exact"}
	if m.DrawsLabel != "" {
		names[0] = m.DrawsLabel
	}
	if m.ExactLabel != "" {
		names[1] = m.ExactLabel
	}
	var l legend
	rows := [][]*plot.Plot{nil, nil}
	detailed := false
	for _, q := range m.Panels {
		if err := q.check(); err != nil {
			return nil, err
		}
		low, high := q.support()
		detailed = detailed || high-low < crowded*(q.Max-q.Min)
		rows[0] = append(rows[0], q.panel(q.Min, q.Max, names, &l))
		q.Label += ", detail"
		rows[1] = append(rows[1], q.panel(low, high, names, &l))
	}
	if !detailed {
		rows = rows[:1]
	}
	return &Figure{title: m.Title, width: pageWidth, height: vg.Length(1+6.2*float64(len(rows))) * vg.Centimeter, panels: rows, legend: l}, nil
}

// support is the range that holds nearly all of the posterior, its exact density
// and the truth, with some room.
func (m Marginal) support() (low, high float64) {
	sorted := slices.Clone(m.Draws)
	sort.Float64s(sorted)
	n := len(sorted) - 1
	low, high = sorted[n/200], sorted[n-n/200]
	if len(m.Exact) > 0 {
		peak := slices.Max(m.Exact)
		for i, x := range m.ExactX {
			if m.Exact[i] > peak*1e-3 {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	if m.Truth != nil {
		low, high = min(low, *m.Truth), max(high, *m.Truth)
	}
	room := 0.12*(high-low) + 1e-6*(m.Max-m.Min)
	return max(low-room, m.Min), min(high+room, m.Max)
}

// panel draws one marginal between two values.
func (m Marginal) panel(low, high float64, names [2]string, l *legend) *plot.Plot {
	p := newPlot(Axis{Label: m.Label, Unit: m.Unit}, Axis{Label: "density", Unit: inverse(m.Unit)})
	h := newHistogram(m.Draws, m.Weights, low, high)
	bars := steps{h, hue(0)}
	p.Add(bars)
	l.add(names[0], bars)
	top := slices.Max(h.density)
	if len(m.Exact) > 0 {
		line := &plotter.Line{XYs: copyPoints(m.ExactX, m.Exact), LineStyle: stroke(hue(1), lineWidth, Solid)}
		p.Add(clipped{line})
		l.add(names[1], line)
		for i, x := range m.ExactX {
			if x >= low && x <= high && (!m.HistogramHigh || top == 0) {
				top = max(top, m.Exact[i])
			}
		}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, 0, top*1.06
	if top == 0 {
		p.Y.Max = 1
	}
	if m.Truth != nil {
		Reference{Label: "truth", X: m.Truth, Truth: true}.add(p, l)
	}
	return p
}

// inverse is the unit of a density.
func inverse(unit string) string {
	if unit == "" || unit == "1" {
		return ""
	}
	if strings.ContainsAny(unit, "/ ") {
		unit = "(" + unit + ")"
	}
	return "1/" + unit
}

// histogram is a density in equal bins.
type histogram struct {
	low, width float64
	density    []float64
}

// newHistogram counts draws between two values in bins of the Freedman-Diaconis
// width 2 IQR n^(-1/3), at least 12 and at most 120 of them. The density is that
// of all draws, also those outside.
func newHistogram(draws, weights []float64, low, high float64) histogram {
	sorted := slices.Clone(draws)
	sort.Float64s(sorted)
	n := len(sorted)
	bin := 2 * (sorted[3*(n-1)/4] - sorted[(n-1)/4]) / math.Cbrt(float64(n))
	bins := 60
	if bin > 0 {
		bins = int(min(max((high-low)/bin, 12), 120))
	}
	h := histogram{low: low, width: (high - low) / float64(bins), density: make([]float64, bins)}
	var total float64
	for i, x := range draws {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		total += w
		if k := int((x - low) / h.width); x >= low && x <= high {
			h.density[min(k, bins-1)] += w
		}
	}
	for i := range h.density {
		h.density[i] /= total * h.width
	}
	return h
}

// steps draws a histogram as one filled outline.
type steps struct {
	histogram
	colour color.NRGBA
}

// Plot implements plot.Plotter.
func (s steps) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	path := []vg.Point{{X: x(s.low), Y: y(0)}}
	for i, d := range s.density {
		a, b := s.low+float64(i)*s.width, s.low+float64(i+1)*s.width
		path = append(path, vg.Point{X: x(a), Y: y(d)}, vg.Point{X: x(b), Y: y(d)})
	}
	path = append(path, vg.Point{X: x(s.low + float64(len(s.density))*s.width), Y: y(0)})
	c.FillPolygon(translucent(s.colour, 0.35), path)
	c.StrokeLines(stroke(s.colour, vg.Points(0.8), Solid), path)
}

// Thumbnail implements plot.Thumbnailer.
func (s steps) Thumbnail(c *draw.Canvas) {
	box := []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}, c.Min}
	c.FillPolygon(translucent(s.colour, 0.35), box)
	c.StrokeLines(stroke(s.colour, vg.Points(0.8), Solid), box)
}
