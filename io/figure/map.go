package figure

import (
	"fmt"
	"image"
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Mark is a point of interest on a map.
type Mark struct {
	Label string
	X, Y  float64
	Truth bool // a red cross; otherwise a white-edged dot
}

// Map is an image of a quantity over two axes, with a colour bar. With
// Value.Inverted small values are the bright ones, as for losses.
type Map struct {
	Title string
	X, Y  Axis // ends default to the first and last grid lines
	Value Axis // what the colours show; ends default to those of the values
	// XAt and YAt are the grid lines, increasing; Z is [y][x], row-major, NaN for
	// missing.
	XAt, YAt, Z []float64
	Marks       []Mark
	Lines       []Series // drawn over the map, such as the sea floor
}

// Draw makes the figure. The map joins the grid's values linearly.
func (m Map) Draw() (*Figure, error) {
	if err := checked(finite("X", m.XAt), finite("Y", m.YAt), increasing("X", m.XAt), increasing("Y", m.YAt)); err != nil {
		return nil, err
	}
	if len(m.Z) != len(m.XAt)*len(m.YAt) {
		return nil, fmt.Errorf("figure: map of %d values on a grid of %d by %d", len(m.Z), len(m.YAt), len(m.XAt))
	}
	s, err := m.scale()
	if err != nil {
		return nil, err
	}
	p := newPlot(m.X, m.Y)
	p.Add(raster{surface{m.XAt, m.YAt, m.Z}, s})
	var l legend
	for i, line := range m.Lines {
		if err := checked(alike(line.Label, line.X, line.Y), finite(line.Label, line.X), finite(line.Label, line.Y)); err != nil {
			return nil, err
		}
		line.add(p, &l, hue(max(line.Hue-1, i)))
	}
	fit(&p.X, m.X, m.XAt)
	fit(&p.Y, m.Y, m.YAt)
	for _, k := range m.Marks {
		k.add(p, &l)
	}
	f := one(m.Title, p, l)
	f.bar = &colourBar{s, m.Value.title()}
	return f, nil
}

// scale spans the values, or the ends given.
func (m Map) scale() (scale, error) {
	s := scale{colours: viridis, min: m.Value.Min, max: m.Value.Max, reversed: m.Value.Inverted}
	if m.Value.fixed() {
		return s, nil
	}
	s.min, s.max = math.Inf(1), math.Inf(-1)
	for i, v := range m.Z {
		if math.IsInf(v, 0) {
			return s, fmt.Errorf("figure: map: value number %d is %v", i+1, v)
		}
		if !math.IsNaN(v) {
			s.min, s.max = min(s.min, v), max(s.max, v)
		}
	}
	if s.min > s.max {
		return s, fmt.Errorf("figure: map %q has no value", m.Title)
	}
	if s.min == s.max {
		s.max++
	}
	return s, nil
}

// fit gives an axis the ends of its grid unless it has its own.
func fit(to *plot.Axis, a Axis, at []float64) {
	to.Min, to.Max = at[0], at[len(at)-1]
	if a.fixed() {
		to.Min, to.Max = a.Min, a.Max
	}
}

func increasing(name string, at []float64) error {
	if len(at) < 2 {
		return fmt.Errorf("figure: %s: a map needs at least two grid lines", name)
	}
	for i := 1; i < len(at); i++ {
		if at[i] <= at[i-1] {
			return fmt.Errorf("figure: %s: grid line number %d does not increase", name, i+1)
		}
	}
	return nil
}

// surface is a function on a grid, row-major by y.
type surface struct{ x, y, z []float64 }

// Dims, X, Y and Z implement plotter.GridXYZ.
func (s surface) Dims() (c, r int)   { return len(s.x), len(s.y) }
func (s surface) X(c int) float64    { return s.x[c] }
func (s surface) Y(r int) float64    { return s.y[r] }
func (s surface) Z(c, r int) float64 { return s.z[r*len(s.x)+c] }

// at joins the grid's values linearly; NaN outside it and next to a missing value.
func (s surface) at(x, y float64) float64 {
	return s.between(places(s.x, []float64{x})[0], places(s.y, []float64{y})[0])
}

// place is a position between two grid lines: the first, and the fraction of the
// way to the second. cell is -1 outside the grid.
type place struct {
	cell     int
	fraction float64
}

// places finds where values lie in a grid.
func places(at, values []float64) []place {
	out := make([]place, len(values))
	n := len(at)
	for k, v := range values {
		if v < at[0] || v > at[n-1] {
			out[k].cell = -1
			continue
		}
		i := min(max(sort.SearchFloat64s(at, v)-1, 0), n-2)
		out[k] = place{i, (v - at[i]) / (at[i+1] - at[i])}
	}
	return out
}

// between joins the four values around a position.
func (s surface) between(x, y place) float64 {
	if x.cell < 0 || y.cell < 0 {
		return math.NaN()
	}
	low := s.z[y.cell*len(s.x)+x.cell:]
	high := s.z[(y.cell+1)*len(s.x)+x.cell:]
	return (low[0]*(1-x.fraction)+low[1]*x.fraction)*(1-y.fraction) + (high[0]*(1-x.fraction)+high[1]*x.fraction)*y.fraction
}

// raster draws a surface as an image as large as the page prints it.
type raster struct {
	surface
	scale scale
}

// Resolution of the image: about 150 dots per inch across the page.
const rasterWidth, rasterHeight = 900, 480

// Plot implements plot.Plotter.
func (r raster) Plot(c draw.Canvas, p *plot.Plot) {
	img := image.NewNRGBA(image.Rect(0, 0, rasterWidth, rasterHeight))
	columns, rows := places(r.x, invert(p.X, rasterWidth)), places(r.y, invert(p.Y, rasterHeight))
	for row, y := range rows {
		for col, x := range columns {
			img.SetNRGBA(col, rasterHeight-1-row, r.scale.at(r.between(x, y)))
		}
	}
	c.DrawImage(c.Rectangle, img)
	corners := []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}, c.Min}
	c.StrokeLines(stroke(ink, thinLine, Solid), corners)
}

// DataRange implements plot.DataRanger.
func (r raster) DataRange() (xmin, xmax, ymin, ymax float64) {
	return r.x[0], r.x[len(r.x)-1], r.y[0], r.y[len(r.y)-1]
}

// invert lists the values at the centres of n equal parts of an axis.
func invert(a plot.Axis, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		t := (float64(i) + 0.5) / float64(n)
		scale := a.Scale
		if inverted, ok := scale.(plot.InvertedScale); ok {
			t, scale = 1-t, inverted.Normalizer
		}
		if _, log := scale.(plot.LogScale); log {
			out[i] = a.Min * math.Pow(a.Max/a.Min, t)
		} else {
			out[i] = a.Min + t*(a.Max-a.Min)
		}
	}
	return out
}

func (k Mark) add(p *plot.Plot, l *legend) {
	g := markGlyph{k}
	p.Add(g)
	l.add(k.Label, g)
}

// markGlyph draws a mark so that it shows on any background: white under colour.
type markGlyph struct{ Mark }

// Plot implements plot.Plotter.
func (g markGlyph) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if g.X >= p.X.Min && g.X <= p.X.Max && g.Y >= p.Y.Min && g.Y <= p.Y.Max {
		g.draw(&c, vg.Point{X: x(g.X), Y: y(g.Y)}, min(max(c.Size().X/40, 2.5), 5))
	}
}

// Thumbnail implements plot.Thumbnailer.
func (g markGlyph) Thumbnail(c *draw.Canvas) { g.draw(c, c.Center(), 4.5) }

// draw draws the mark with the given half width.
func (g markGlyph) draw(c *draw.Canvas, at vg.Point, r vg.Length) {
	if g.Truth {
		for _, s := range []draw.LineStyle{stroke(paper, 0.64*r, Solid), stroke(truth, 0.32*r, Solid)} {
			c.StrokeLine2(s, at.X-r, at.Y-r, at.X+r, at.Y+r)
			c.StrokeLine2(s, at.X-r, at.Y+r, at.X+r, at.Y-r)
		}
		return
	}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: paper, Radius: 0.8 * r, Shape: draw.CircleGlyph{}}, at)
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: 0.55 * r, Shape: draw.CircleGlyph{}}, at)
}
