package figure

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panels are charts in rows, with one legend.
type Panels struct {
	Title  string
	Charts [][]Chart // rows of equal length
	// Width and Height of the whole, in centimetres; 0 takes 17 by 5.5 a row.
	Width, Height float64
}

// Draw makes the figure. Titles of the charts stand above them.
func (g Panels) Draw() (*Figure, error) {
	f := &Figure{title: g.Title, width: pageWidth, height: vg.Length(1.2+5.5*float64(len(g.Charts))) * vg.Centimeter}
	if g.Width > 0 {
		f.width = vg.Length(g.Width) * vg.Centimeter
	}
	if g.Height > 0 {
		f.height = vg.Length(g.Height) * vg.Centimeter
	}
	for _, row := range g.Charts {
		if len(row) == 0 || len(row) != len(g.Charts[0]) {
			return nil, fmt.Errorf("figure: rows of %d and %d charts", len(g.Charts[0]), len(row))
		}
		var plots []*plot.Plot
		for _, c := range row {
			p, l, err := c.panel()
			if err != nil {
				return nil, err
			}
			if c.Title != "" {
				p.Title.Text = " " // makes room for the heading
				p.Add(heading(c.Title))
			}
			plots = append(plots, p)
			for _, e := range l {
				f.legend.add(e.label, e.marks...)
			}
		}
		f.panels = append(f.panels, plots)
	}
	if len(f.panels) == 0 {
		return nil, fmt.Errorf("figure: no charts")
	}
	return f, nil
}

// heading is a panel's title, centred over its data rather than over the panel with
// its labels.
type heading string

// Plot implements plot.Plotter.
func (h heading) Plot(c draw.Canvas, p *plot.Plot) {
	style := sans(labelSize)
	style.XAlign, style.YAlign = text.XCenter, text.YBottom
	c.FillText(style, vg.Point{X: c.Center().X, Y: c.Max.Y + 4}, string(h))
}
