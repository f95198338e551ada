package figure

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// MarginalRow is the posterior of every parameter by one method.
type MarginalRow struct {
	Label  string
	Panels []Marginal
}

// MarginalRows are the marginals of several methods below one another, each panel
// as high as its histogram.
type MarginalRows struct {
	Title string
	Rows  []MarginalRow
	// DrawsLabel and ExactLabel name the histogram and the curve in the legend;
	// empty takes "draws" and "exact".
	DrawsLabel, ExactLabel string
}

// Draw makes the figure.
func (m MarginalRows) Draw() (*Figure, error) {
	if len(m.Rows) == 0 {
		return nil, fmt.Errorf("figure: no rows of marginals")
	}
	names := [2]string{"draws", "exact"}
	if m.DrawsLabel != "" {
		names[0] = m.DrawsLabel
	}
	if m.ExactLabel != "" {
		names[1] = m.ExactLabel
	}
	f := &Figure{title: m.Title, width: pageWidth, height: vg.Length(1.2+3.6*float64(len(m.Rows))) * vg.Centimeter}
	for i, r := range m.Rows {
		if len(r.Panels) == 0 || len(r.Panels) != len(m.Rows[0].Panels) {
			return nil, fmt.Errorf("figure: %q has %d marginals, the first row %d", r.Label, len(r.Panels), len(m.Rows[0].Panels))
		}
		var plots []*plot.Plot
		for k, q := range r.Panels {
			if err := q.check(); err != nil {
				return nil, err
			}
			q.HistogramHigh = true
			p := q.panel(q.Min, q.Max, names, &f.legend)
			if i < len(m.Rows)-1 {
				p.X.Label.Text = "" // the last row's stands for all
			}
			p.Title.Text = " " // makes room for the heading
			if k == 0 {
				p.Add(heading(r.Label))
			}
			plots = append(plots, p)
		}
		f.panels = append(f.panels, plots)
	}
	return f, nil
}
