package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line or a cloud of points.
type Series struct {
	Label  string
	X, Y   []float64
	Points bool // draw points, not a line
	Joined bool // with Points: join them by a line as well
	Dash   Dash
	Thin   bool
	Hue    int  // 0 takes the next colour; i takes colour i, from 1
	Truth  bool // draw it as the truth is drawn: dashed red
}

// Band is the region between two curves. Along Y (Upright) it runs over Y with its
// ends in X, as a band over depth does.
type Band struct {
	Label        string
	At           []float64 // positions along the axis
	Lower, Upper []float64
	Upright      bool
	Hue          int // as in Series
	Strong       bool
}

// Reference is a straight line to compare with: at a value of X, at a value of Y,
// or, with Diagonal, y = x.
type Reference struct {
	Label    string
	X, Y     *float64
	Diagonal bool
	Truth    bool // draw it as the truth is drawn: dashed red
}

// At makes the pointer that Reference's fields take.
func At(v float64) *float64 { return &v }

// Note is text at a point of the data.
type Note struct {
	X, Y float64
	Text string
}

// Chart is a line chart.
type Chart struct {
	Title      string
	X, Y       Axis
	Bands      []Band
	Series     []Series
	References []Reference
	Notes      []Note
}

// Draw makes the figure. All values must be finite, and positive on a logarithmic
// axis.
func (c Chart) Draw() (*Figure, error) {
	p, l, err := c.panel()
	if err != nil {
		return nil, err
	}
	return one(c.Title, p, l), nil
}

// panel draws the chart into a plot and collects its legend.
func (c Chart) panel() (*plot.Plot, legend, error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	p := newPlot(c.X, c.Y)
	var l legend
	grid(p)
	next := 0
	pick := func(h int) color.NRGBA {
		if h > 0 {
			return hue(h - 1)
		}
		next++
		return hue(next - 1)
	}
	for _, b := range c.Bands {
		b.add(p, &l, pick(b.Hue))
	}
	for _, s := range c.Series {
		if s.Truth {
			s.add(p, &l, truth)
			continue
		}
		s.add(p, &l, pick(s.Hue))
	}
	c.limits(p)
	for _, r := range c.References {
		r.add(p, &l)
	}
	if len(c.Notes) > 0 {
		p.Add(notes{c.Notes, c.Series})
	}
	return p, l, nil
}

func (c Chart) check() error {
	if len(c.Series)+len(c.Bands) == 0 {
		return fmt.Errorf("figure: chart %q has nothing to draw", c.Title)
	}
	for _, s := range c.Series {
		err := checked(alike(s.Label, s.X, s.Y), finite(s.Label, s.X), finite(s.Label, s.Y),
			positive(c.X.Log, s.Label, s.X), positive(c.Y.Log, s.Label, s.Y))
		if err != nil {
			return err
		}
	}
	for _, b := range c.Bands {
		if err := checked(alike(b.Label, b.At, b.Lower, b.Upper), finite(b.Label, b.At), finite(b.Label, b.Lower), finite(b.Label, b.Upper)); err != nil {
			return err
		}
	}
	for _, r := range c.References {
		for _, v := range []*float64{r.X, r.Y} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				return fmt.Errorf("figure: reference line %q at %v", r.Label, *v)
			}
		}
	}
	return nil
}

// positive refuses what a logarithmic axis cannot show.
func positive(log bool, name string, values []float64) error {
	for i, v := range values {
		if log && v <= 0 {
			return fmt.Errorf("figure: %s: value number %d is %g on a logarithmic axis", name, i+1, v)
		}
	}
	return nil
}

// limits sets the ends of the axes: those given, or those of the data with a little
// room.
func (c Chart) limits(p *plot.Plot) {
	set := func(axis *plot.Axis, a Axis, room float64) {
		switch {
		case a.fixed():
			axis.Min, axis.Max = a.Min, a.Max
		case a.Log:
			axis.Min, axis.Max = axis.Min/1.2, axis.Max*1.2
		default:
			d := axis.Max - axis.Min
			if d == 0 {
				d = max(math.Abs(axis.Min), 1)
				axis.Min, axis.Max = axis.Min-d/2, axis.Max+d/2
			}
			axis.Min, axis.Max = axis.Min-room*d, axis.Max+room*d
		}
	}
	set(&p.X, c.X, 0.01)
	set(&p.Y, c.Y, 0.04)
}

// grid draws faint lines at the ticks.
func grid(p *plot.Plot) {
	g := plotter.NewGrid()
	g.Vertical, g.Horizontal = stroke(faint, thinLine, Solid), stroke(faint, thinLine, Solid)
	p.Add(g)
}

// points adapts two lists.
type points struct{ x, y []float64 }

func (p points) Len() int                    { return len(p.x) }
func (p points) XY(i int) (float64, float64) { return p.x[i], p.y[i] }

func (s Series) add(p *plot.Plot, l *legend, c color.NRGBA) {
	width := lineWidth
	if s.Truth {
		s.Dash = Dashed
	}
	if s.Thin {
		width = thinLine
	}
	var marks []plot.Thumbnailer
	if !s.Points || s.Joined {
		line := &plotter.Line{XYs: copyPoints(s.X, s.Y), LineStyle: stroke(c, width, s.Dash)}
		p.Add(clipped{line})
		marks = append(marks, line)
	}
	if s.Points {
		radius := vg.Points(2.2)
		if len(s.X) > 400 {
			radius = vg.Points(1)
		}
		dots := &plotter.Scatter{XYs: copyPoints(s.X, s.Y), GlyphStyle: draw.GlyphStyle{Color: c, Radius: radius, Shape: draw.CircleGlyph{}}}
		p.Add(clipped{dots})
		legendDot := *dots
		legendDot.Radius = vg.Points(2.2)
		marks = append(marks, &legendDot)
	}
	l.add(s.Label, marks...)
}

func copyPoints(x, y []float64) plotter.XYs {
	out := make(plotter.XYs, len(x))
	for i := range x {
		out[i].X, out[i].Y = x[i], y[i]
	}
	return out
}

func (b Band) add(p *plot.Plot, l *legend, c color.NRGBA) {
	alpha := 0.25
	if b.Strong {
		alpha = 0.45
	}
	outline := make(plotter.XYs, 0, 2*len(b.At))
	put := func(at, v float64) {
		if b.Upright {
			at, v = v, at
		}
		outline = append(outline, plotter.XY{X: at, Y: v})
	}
	for i := range b.At {
		put(b.At[i], b.Lower[i])
	}
	for i := len(b.At) - 1; i >= 0; i-- {
		put(b.At[i], b.Upper[i])
	}
	area := &plotter.Polygon{XYs: []plotter.XYs{outline}, Color: translucent(c, alpha)}
	p.Add(clipped{area})
	l.add(b.Label, area)
}

func (r Reference) add(p *plot.Plot, l *legend) {
	style := stroke(ink, vg.Points(0.9), Dashed)
	if r.Truth {
		style = stroke(truth, vg.Points(1.1), Dashed)
	}
	line := rule{r, style}
	p.Add(line)
	l.add(r.Label, line)
}

// rule draws a reference line across the whole plot.
type rule struct {
	Reference
	style draw.LineStyle
}

// Plot implements plot.Plotter.
func (r rule) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var from, to vg.Point
	switch {
	case r.Diagonal:
		low, high := max(p.X.Min, p.Y.Min), min(p.X.Max, p.Y.Max)
		from, to = vg.Point{X: x(low), Y: y(low)}, vg.Point{X: x(high), Y: y(high)}
	case r.X != nil:
		if *r.X < p.X.Min || *r.X > p.X.Max {
			return
		}
		from, to = vg.Point{X: x(*r.X), Y: c.Min.Y}, vg.Point{X: x(*r.X), Y: c.Max.Y}
	case r.Y != nil:
		if *r.Y < p.Y.Min || *r.Y > p.Y.Max {
			return
		}
		from, to = vg.Point{X: c.Min.X, Y: y(*r.Y)}, vg.Point{X: c.Max.X, Y: y(*r.Y)}
	}
	c.StrokeLines(r.style, []vg.Point{from, to})
}

// Thumbnail implements plot.Thumbnailer.
func (r rule) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(r.style, c.Min.X, y, c.Max.X, y)
}

// note draws text at a point.
type note struct{ Note }

// Plot implements plot.Plotter.
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.FillText(sans(tickSize), vg.Point{X: x(n.X) + 3, Y: y(n.Y) + 3}, n.Text)
}

// clipped keeps a plotter inside the axes, which gonum does not do for all.
type clipped struct{ plot.Plotter }

// Plot implements plot.Plotter.
func (k clipped) Plot(c draw.Canvas, p *plot.Plot) {
	switch t := k.Plotter.(type) {
	case *plotter.Line:
		k.line(t, c, p)
	case *plotter.Scatter:
		k.scatter(t, c, p)
	case *plotter.Polygon:
		k.polygon(t, c, p)
	default:
		k.Plotter.Plot(c, p)
	}
}

// DataRange implements plot.DataRanger.
func (k clipped) DataRange() (xmin, xmax, ymin, ymax float64) {
	return k.Plotter.(plot.DataRanger).DataRange()
}

func (k clipped) line(t *plotter.Line, c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	path := make([]vg.Point, len(t.XYs))
	for i, q := range t.XYs {
		path[i] = vg.Point{X: x(q.X), Y: y(q.Y)}
	}
	c.StrokeLines(t.LineStyle, c.ClipLinesXY(path)...)
}

func (k clipped) scatter(t *plotter.Scatter, c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, q := range t.XYs {
		if q.X >= p.X.Min && q.X <= p.X.Max && q.Y >= p.Y.Min && q.Y <= p.Y.Max {
			c.DrawGlyphNoClip(t.GlyphStyle, vg.Point{X: x(q.X), Y: y(q.Y)})
		}
	}
}

func (k clipped) polygon(t *plotter.Polygon, c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, ring := range t.XYs {
		path := make([]vg.Point, len(ring))
		for i, q := range ring {
			path[i] = vg.Point{X: x(q.X), Y: y(q.Y)}
		}
		c.FillPolygon(t.Color, c.ClipPolygonXY(path))
	}
}
