package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var paper = color.White

// legend is drawn above the panels, in rows, so that it never covers data.
type legend []entry

type entry struct {
	label string
	marks []plot.Thumbnailer
}

// add appends an entry, once per label.
func (l *legend) add(label string, marks ...plot.Thumbnailer) {
	if label == "" {
		return
	}
	for _, e := range *l {
		if e.label == label {
			return
		}
	}
	*l = append(*l, entry{label, marks})
}

const (
	thumbnail = vg.Length(22)
	entryGap  = vg.Length(14)
)

// draw draws the rows at the top of c and returns their height.
func (l legend) draw(c draw.Canvas) vg.Length {
	if len(l) == 0 {
		return 0
	}
	style := sans(tickSize)
	style.YAlign = text.YCenter
	row := style.Height("Ag") * 1.5
	var height vg.Length
	for start := 0; start < len(l); {
		end, width := start, -entryGap
		for end < len(l) {
			w := thumbnail + 4 + style.Width(l[end].label) + entryGap
			if end > start && width+w > c.Size().X {
				break
			}
			width += w
			end++
		}
		x, y := c.Center().X-width/2, c.Max.Y-height-row/2
		for _, e := range l[start:end] {
			box := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: y - row/3}, Max: vg.Point{X: x + thumbnail, Y: y + row/3}}}
			for _, m := range e.marks {
				m.Thumbnail(&box)
			}
			c.FillText(style, vg.Point{X: x + thumbnail + 4, Y: y + 1}, e.label)
			x += thumbnail + 4 + style.Width(e.label) + entryGap
		}
		height += row
		start = end
	}
	return height + 2
}
