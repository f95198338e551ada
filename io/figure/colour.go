package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colourMap is a list of colours at equal steps, joined linearly.
type colourMap []color.NRGBA

// viridis (Smith and van der Walt, 2015, CC0) at ten points: perceptually uniform,
// monotone in lightness, readable by the colour-blind.
var viridis = colourMap{
	{0x44, 0x01, 0x54, 0xff}, {0x48, 0x28, 0x78, 0xff}, {0x3e, 0x49, 0x89, 0xff}, {0x31, 0x68, 0x8e, 0xff}, {0x26, 0x82, 0x8e, 0xff},
	{0x1f, 0x9e, 0x89, 0xff}, {0x35, 0xb7, 0x79, 0xff}, {0x6e, 0xce, 0x58, 0xff}, {0xb5, 0xde, 0x2b, 0xff}, {0xfd, 0xe7, 0x25, 0xff},
}

// blues run from paper to dark blue, for densities: nothing is white.
var blues = colourMap{
	{0xff, 0xff, 0xff, 0xff}, {0xde, 0xeb, 0xf7, 0xff}, {0xc6, 0xdb, 0xef, 0xff}, {0x9e, 0xca, 0xe1, 0xff}, {0x6b, 0xae, 0xd6, 0xff},
	{0x42, 0x92, 0xc6, 0xff}, {0x21, 0x71, 0xb5, 0xff}, {0x08, 0x51, 0x9c, 0xff}, {0x08, 0x30, 0x6b, 0xff},
}

// at is the colour at t in [0, 1]; values outside take the ends.
func (m colourMap) at(t float64) color.NRGBA {
	t = min(max(t, 0), 1) * float64(len(m)-1)
	i := min(int(t), len(m)-2)
	f := t - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	a, b := m[i], m[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// scale maps values to colours.
type scale struct {
	colours  colourMap
	min, max float64
	reversed bool // small values take the end of the map
}

func (s scale) at(v float64) color.NRGBA {
	if math.IsNaN(v) {
		return missing
	}
	t := (v - s.min) / (s.max - s.min)
	if s.reversed {
		t = 1 - t
	}
	return s.colours.at(t)
}

// colourBar shows a scale beside a map, ticks at its right. A reversed scale has
// its small values at the top, so that bright is up on every bar.
type colourBar struct {
	scale
	title string
}

const barWidth = vg.Length(10)

func (b *colourBar) ticks() (labels []string, at []float64) {
	for _, t := range (ticks{about: 6}).Ticks(b.min, b.max) {
		labels, at = append(labels, t.Label), append(at, t.Value)
	}
	return labels, at
}

// width is the room that bar, ticks and title take.
func (b *colourBar) width() vg.Length {
	style := sans(tickSize)
	var widest vg.Length
	labels, _ := b.ticks()
	for _, l := range labels {
		widest = max(widest, style.Width(l))
	}
	return barWidth + 6 + widest + 6 + sans(labelSize).Height("Ag")
}

// draw draws the bar at the left of c between two heights.
func (b *colourBar) draw(c draw.Canvas, low, high vg.Length) {
	const steps = 128
	up := func(v float64) vg.Length { // height of a value
		t := (v - b.min) / (b.max - b.min)
		if b.reversed {
			t = 1 - t
		}
		return low + vg.Length(t)*(high-low)
	}
	for i := range steps {
		y0 := low + (high-low)*vg.Length(i)/steps
		y1 := min(y0+(high-low)/steps+0.3, high) // overlap, against hairlines
		c.FillPolygon(b.colours.at((float64(i)+0.5)/steps), []vg.Point{{X: c.Min.X, Y: y0}, {X: c.Min.X + barWidth, Y: y0},
			{X: c.Min.X + barWidth, Y: y1}, {X: c.Min.X, Y: y1}})
	}
	x := c.Min.X + barWidth
	c.StrokeLines(stroke(ink, thinLine, Solid), []vg.Point{{X: c.Min.X, Y: low}, {X: x, Y: low}, {X: x, Y: high}, {X: c.Min.X, Y: high}, {X: c.Min.X, Y: low}})
	style := sans(tickSize)
	style.YAlign = text.YCenter
	labels, at := b.ticks()
	for i, v := range at {
		c.StrokeLine2(stroke(ink, thinLine, Solid), x, up(v), x+3, up(v))
		c.FillText(style, vg.Point{X: x + 6, Y: up(v) + 1}, labels[i])
	}
	title := sans(labelSize)
	title.Rotation = math.Pi / 2
	title.XAlign, title.YAlign = text.XCenter, text.YBottom
	c.FillText(title, vg.Point{X: c.Max.X, Y: (low + high) / 2}, b.title)
}
