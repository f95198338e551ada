package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Schematic draws an ocean: its sound speed against depth beside the experiment,
// to one scale of depth.
type Schematic struct {
	Title          string
	Depth, Speed   []float64 // m, m/s: the water's profile
	Layers         []SchematicLayer
	SourceDepth    *float64 // m
	ReceiverDepths []float64
	Range          float64 // m, from source to receivers
	// MaxDepth ends the drawing, m; 0 takes a fifth below the sea floor, or the
	// first layer's lower edge if that is deeper.
	MaxDepth float64
}

// SchematicLayer is a layer of the sea bed, or the half-space (Bottom +Inf).
type SchematicLayer struct {
	Name                  string
	Top, Bottom           float64 // m below the surface
	SpeedTop, SpeedBottom float64 // m/s
	Note                  string  // what else to say, such as density and attenuation
}

// Draw makes the figure.
func (s Schematic) Draw() (*Figure, error) {
	if len(s.Depth) < 2 {
		return nil, fmt.Errorf("figure: a profile needs at least two depths")
	}
	if err := checked(alike("profile", s.Depth, s.Speed), finite("depth", s.Depth), finite("speed", s.Speed), finite("receivers", s.ReceiverDepths)); err != nil {
		return nil, err
	}
	floor := s.Depth[len(s.Depth)-1]
	deepest := s.MaxDepth
	if deepest == 0 {
		deepest = 1.2 * floor
		if len(s.Layers) > 0 && !math.IsInf(s.Layers[0].Bottom, 0) {
			deepest = max(deepest, min(s.Layers[0].Bottom+0.1*floor, 2*floor))
		}
	}
	left, err := s.profile(floor, deepest)
	if err != nil {
		return nil, err
	}
	right := s.section(floor, deepest)
	return &Figure{title: s.Title, width: pageWidth, height: pageHeight, panels: [][]*plot.Plot{{left, right}}}, nil
}

// profile draws sound speed through water and layers.
func (s Schematic) profile(floor, deepest float64) (*plot.Plot, error) {
	depth, speed := slices.Clone(s.Depth), slices.Clone(s.Speed)
	for _, l := range s.Layers {
		if l.Top >= deepest {
			continue
		}
		bottom, at := l.Bottom, l.SpeedBottom
		if bottom > deepest {
			at = l.SpeedTop + (at-l.SpeedTop)*(deepest-l.Top)/(bottom-l.Top)
			if math.IsInf(bottom, 0) {
				at = l.SpeedTop
			}
			bottom = deepest
		}
		depth, speed = append(depth, l.Top, bottom), append(speed, l.SpeedTop, at)
	}
	c := Chart{X: Axis{Label: "sound speed", Unit: "m/s"}, Y: depthAxis(0, deepest),
		Series: []Series{{X: speed, Y: depth, Hue: 1}}, References: []Reference{{Y: At(floor)}}}
	p, _, err := c.panel()
	return p, err
}

// section draws the layers, the source and the array over range.
func (s Schematic) section(floor, deepest float64) *plot.Plot {
	reach := s.Range
	if reach <= 0 {
		reach = 1000
	}
	at, axis := rangesOf([]float64{reach})
	p := newPlot(axis, Axis{Inverted: true})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.06*at[0], 1.12*at[0], 0, deepest
	p.X.Tick.Marker = nonNegative{}
	p.Add(slab{0, floor, color.NRGBA{0xe3, 0xf0, 0xf9, 0xff}, "water"})
	for i, l := range s.Layers {
		if l.Top < deepest {
			p.Add(slab{l.Top, min(l.Bottom, deepest), sand(i, len(s.Layers)), describeLayer(l)})
		}
	}
	if s.SourceDepth != nil {
		p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: 0, Y: *s.SourceDepth}}, GlyphStyle: draw.GlyphStyle{Color: hue(1), Radius: 4, Shape: draw.CircleGlyph{}}},
			note{Note{0, *s.SourceDepth, " source"}})
	}
	if n := len(s.ReceiverDepths); n > 0 {
		x := make([]float64, n)
		for i := range x {
			x[i] = at[0]
		}
		p.Add(&plotter.Line{XYs: copyPoints(x, s.ReceiverDepths), LineStyle: stroke(ink, thinLine, Solid)},
			&plotter.Scatter{XYs: copyPoints(x, s.ReceiverDepths), GlyphStyle: draw.GlyphStyle{Color: ink, Radius: 1.8, Shape: draw.CircleGlyph{}}},
			note{Note{0.86 * at[0], s.ReceiverDepths[0], "array"}})
	}
	return p
}

// sand colours the layers, darker downwards.
func sand(i, n int) color.NRGBA {
	return colourMap{{0xf3, 0xe4, 0xc4, 0xff}, {0xb8, 0xa0, 0x7a, 0xff}}.at(float64(i) / float64(max(n-1, 1)))
}

func describeLayer(l SchematicLayer) string {
	speed := fmt.Sprintf("%.0f m/s", l.SpeedTop)
	if l.SpeedBottom != l.SpeedTop && !math.IsInf(l.Bottom, 0) {
		speed = fmt.Sprintf("%.0f to %.0f m/s", l.SpeedTop, l.SpeedBottom)
	}
	out := speed
	if l.Name != "" {
		out = l.Name + ": " + speed
	}
	if l.Note != "" {
		out += ", " + l.Note
	}
	return out
}

// slab is a horizontal layer with its description.
type slab struct {
	top, bottom float64
	colour      color.NRGBA
	text        string
}

// Plot implements plot.Plotter.
func (s slab) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	a, b := y(s.top), y(s.bottom)
	c.FillPolygon(s.colour, []vg.Point{{X: c.Min.X, Y: a}, {X: c.Max.X, Y: a}, {X: c.Max.X, Y: b}, {X: c.Min.X, Y: b}})
	c.StrokeLine2(stroke(ink, thinLine, Solid), c.Min.X, b, c.Max.X, b)
	style := sans(tickSize)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	if a-b > style.Height(s.text)*1.1 {
		c.FillText(style, vg.Point{X: c.Center().X, Y: (a + b) / 2}, s.text)
	}
}

// nonNegative are ticks from 0 up.
type nonNegative struct{}

// Ticks implements plot.Ticker.
func (nonNegative) Ticks(low, high float64) []plot.Tick {
	return ticks{about: 4}.Ticks(max(low, 0), high)
}
