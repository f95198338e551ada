package figure

import (
	"image/color"
	"math"
	"strconv"
	"strings"

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
	Ticks    []float64 // where the ticks stand; nil chooses round numbers
	Inverted bool      // values increase downwards (depth), or to the left
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
	to.Label.Padding = vg.Points(3)
	to.Tick.Label = sans(tickSize)
	to.Tick.LineStyle = stroke(ink, thinLine, Solid)
	to.Tick.Length = vg.Points(3)
	to.LineStyle = stroke(ink, thinLine, Solid)
	to.Padding = 0
	to.Scale = plot.LinearScale{}
	to.Tick.Marker = ticks{about: 6, at: a.Ticks}
	if a.Log {
		to.Scale = plot.LogScale{}
		to.Tick.Marker = logTicks{}
	}
	if a.Inverted {
		to.Scale = plot.InvertedScale{Normalizer: to.Scale}
	}
}

// ticks stand at round numbers, about as many as said, or at those given.
type ticks struct {
	about int
	at    []float64
	blank bool // ticks without labels, for inner axes
}

// Ticks implements plot.Ticker with steps of 1, 2 or 5 times a power of ten.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	list := t.labelled(low, high)
	for i := range list {
		if t.blank {
			list[i].Label = " " // a tick without any label is a short one
		}
	}
	return list
}

func (t ticks) labelled(low, high float64) []plot.Tick {
	var list []plot.Tick
	for _, v := range t.at {
		list = append(list, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', -1, 64)})
	}
	if t.at != nil {
		return list
	}
	count := func(step float64) float64 { return math.Floor(high/step+1e-9) - math.Ceil(low/step-1e-9) + 1 }
	step := niceStep((high - low) / float64(max(t.about, 1)))
	for high > low && count(step) < 2 { // one tick tells no scale
		step = niceStep(step / 2.5)
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		list = append(list, plot.Tick{Value: i * step, Label: label(i*step, step)})
	}
	return list
}

// logTicks stand at powers of ten; over less than two decades also at 2 and 5 times
// them. The other multiples have short ticks.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	narrow := high < 100*low
	var list []plot.Tick
	for decade := math.Pow(10, math.Floor(math.Log10(low))); decade <= high; decade *= 10 {
		for m := 1.0; m < 10; m++ {
			v := m * decade
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			tick := plot.Tick{Value: v}
			if m == 1 || (narrow && (m == 2 || m == 5)) {
				tick.Label = strconv.FormatFloat(v, 'g', 3, 64)
			}
			list = append(list, tick)
		}
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

// fitTicks gives the axes of a panel of the given size as many ticks as have room.
func fitTicks(p *plot.Plot, width, height vg.Length) {
	set := func(m plot.Ticker, n vg.Length) plot.Ticker {
		if t, ok := m.(ticks); ok {
			t.about = int(min(max(n, 2), 7))
			return t
		}
		return m
	}
	p.X.Tick.Marker = set(p.X.Tick.Marker, width/46)
	p.Y.Tick.Marker = set(p.Y.Tick.Marker, height/22)
}

// fitLabel breaks the label of an axis between words into lines of the given length,
// and makes it smaller where a word alone is longer.
func fitLabel(a *plot.Axis, room vg.Length) {
	style := a.Label.TextStyle
	var lines []string
	for _, line := range strings.Split(a.Label.Text, "\n") {
		start := len(lines)
		for _, word := range strings.Fields(line) {
			if last := len(lines) - 1; last >= start && style.Width(lines[last]+" "+word) <= room {
				lines[last] += " " + word
				continue
			}
			lines = append(lines, word)
		}
	}
	a.Label.Text = strings.Join(lines, "\n")
	if width := style.Width(a.Label.Text); width > room {
		a.Label.TextStyle.Font.Size *= room / width
	}
}
