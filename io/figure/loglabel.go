package figure

import (
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gonum draws an axis's label at the middle of the axis but keeps room for it around the
// arithmetic mean of the axis's ends, which on a logarithmic axis of some decades stands
// near the far end: the panel shrinks to have the label "fit" there, under a blank strip. So
// labels of logarithmic axes are blanks to gonum, of the same height, and drawn here.

// logLabel is a label that gonum does not see.
type logLabel struct {
	axis *plot.Axis
	text string
}

// hideLogLabels blanks the labels of a figure's logarithmic axes until show is called.
func (f *Figure) hideLogLabels() (hidden map[*plot.Plot][]logLabel, show func()) {
	hidden = map[*plot.Plot][]logLabel{}
	for _, row := range f.panels {
		for _, p := range row {
			if p == nil {
				continue
			}
			for _, a := range []*plot.Axis{&p.X, &p.Y} {
				if text := a.Label.Text; text != "" && logarithmic(a.Scale) {
					hidden[p] = append(hidden[p], logLabel{a, text})
					a.Label.Text = " " + strings.Repeat("\n ", strings.Count(text, "\n"))
				}
			}
		}
	}
	return hidden, func() {
		for _, labels := range hidden {
			for _, l := range labels {
				l.axis.Label.Text = l.text
			}
		}
	}
}

func logarithmic(s plot.Normalizer) bool {
	if inverted, ok := s.(plot.InvertedScale); ok {
		s = inverted.Normalizer
	}
	_, ok := s.(plot.LogScale)
	return ok
}

// draw draws the label of a panel's axis where gonum draws it: beside the middle of the data,
// at the panel's edge.
func (l logLabel) draw(panel, data draw.Canvas, p *plot.Plot) {
	style := l.axis.Label.TextStyle
	descent := style.FontExtents().Descent
	if l.axis == &p.X {
		panel.FillText(style, vg.Point{X: data.Center().X, Y: panel.Min.Y + descent}, l.text)
		return
	}
	at := vg.Point{X: panel.Min.X + style.Height(l.text) - descent, Y: data.Center().Y}
	style.Rotation += math.Pi / 2
	panel.FillText(style, at, l.text)
}
