package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes in print: a figure across a journal's page, and text that stays readable
// when it is reduced to one column.
const (
	pageWidth  = 17 * vg.Centimeter
	pageHeight = 10 * vg.Centimeter
	labelSize  = font.Length(9)
	tickSize   = font.Length(8)
	titleSize  = font.Length(10)
	lineWidth  = vg.Length(1.2)
	thinLine   = vg.Length(0.5)
	dotsPerIn  = 200
)

// hues are those of Okabe and Ito (2008), which colour-blind readers can tell
// apart, in an order whose first members also differ in lightness.
var hues = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x50, 0x50, 0x50, 0xff}, // grey
}

var (
	ink     = color.NRGBA{0x20, 0x20, 0x20, 0xff}
	faint   = color.NRGBA{0xe2, 0xe2, 0xe2, 0xff}
	missing = color.NRGBA{0xd0, 0xd0, 0xd0, 0xff} // cells of a map without a value
	truth   = color.NRGBA{0xc0, 0x10, 0x10, 0xff}
)

func hue(i int) color.NRGBA { return hues[i%len(hues)] }

// translucent is a colour through which others show.
func translucent(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(math.Round(255 * alpha))
	return c
}

// dashes tell lines apart without colour. Index 0 is solid.
var dashes = [][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {6, 2, 1.5, 2}}

// Dash is the pattern of a line.
type Dash int

// Patterns of lines.
const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDotted
)

func stroke(c color.Color, width vg.Length, d Dash) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: dashes[d]}
}

// sans is the style of all text.
func sans(size font.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

// Axis names what an axis shows. Min and Max are its ends; both 0 fit it to the
// data.
type Axis struct {
	Label    string
	Unit     string // none for a pure number
	Min, Max float64
	Log      bool
	Inverted bool // values increase downwards (depth), or to the left
}

// title is the label with its unit, as journals print it.
func (a Axis) title() string {
	if a.Unit == "" || a.Unit == "1" {
		return a.Label
	}
	return a.Label + " (" + a.Unit + ")"
}

// fixed reports whether the axis has given ends.
func (a Axis) fixed() bool { return a.Min != 0 || a.Max != 0 }

// newPlot is an empty plot in the style of the package.
func newPlot(x, y Axis) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.TextStyle = sans(labelSize)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = text.XCenter, text.YTop
	p.Title.Padding = vg.Points(3)
	apply(&p.X, x)
	apply(&p.Y, y)
	p.Y.Label.TextStyle.Rotation = math.Pi / 2
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = text.XRight, text.YCenter
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XCenter, text.YTop
	p.X.Label.TextStyle.XAlign, p.X.Label.TextStyle.YAlign = text.XCenter, text.YBottom
	p.Y.Label.TextStyle.XAlign, p.Y.Label.TextStyle.YAlign = text.XCenter, text.YBottom
	return p
}

// apply styles one axis of a plot.
func apply(to *plot.Axis, a Axis) {
	to.Label.Text = a.title()
	to.Label.TextStyle = sans(labelSize)
	to.Label.Position = 0.5
	to.Label.Padding = vg.Points(3)
	to.Tick.Label = sans(tickSize)
	to.Tick.LineStyle = stroke(ink, thinLine, Solid)
	to.Tick.Length = vg.Points(3)
	to.LineStyle = stroke(ink, thinLine, Solid)
	to.Padding = 0
	to.Scale = plot.LinearScale{}
	to.Tick.Marker = ticks{}
	if a.Log {
		to.Scale = plot.LogScale{}
		to.Tick.Marker = plot.LogTicks{Prec: -1}
	}
	if a.Inverted {
		to.Scale = plot.InvertedScale{Normalizer: to.Scale}
	}
}

// ticks are gonum's, with the labels freed of trailing digits and of "-0".
type ticks struct{}

// Ticks implements plot.Ticker with steps of 1, 2 or 5 times a power of ten, about
// six to an axis.
func (ticks) Ticks(low, high float64) []plot.Tick {
	step := niceStep((high - low) / 6)
	var list []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		list = append(list, plot.Tick{Value: i * step, Label: label(i*step, step)})
	}
	return list
}

// niceStep is the least of 1, 2, 5 times a power of ten that is not below x.
func niceStep(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*base >= x*(1-1e-9) {
			return m * base
		}
	}
	return 10 * base
}
