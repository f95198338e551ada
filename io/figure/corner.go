package figure

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Corner is all marginals and pairs of a posterior.
type Corner struct {
	Title string
	// Parameters with draws of equal length, pairwise.
	Parameters []Marginal
	// Detail shows the ranges that hold the posterior rather than the priors'.
	Detail     bool
	DrawsLabel string
	ExactLabel string
}

// Draw makes the figure.
func (k Corner) Draw() (*Figure, error) {
	n := len(k.Parameters)
	if n == 0 {
		return nil, fmt.Errorf("figure: no parameters")
	}
	names := [2]string{"draws", "exact"}
	if k.DrawsLabel != "" {
		names[0] = k.DrawsLabel
	}
	if k.ExactLabel != "" {
		names[1] = k.ExactLabel
	}
	axes := make([]Axis, n)
	for i, m := range k.Parameters {
		if err := checked(m.check(), alike(m.Label, k.Parameters[0].Draws, m.Draws)); err != nil {
			return nil, err
		}
		axes[i] = m.axis()
		if k.Detail {
			axes[i].Min, axes[i].Max = m.support()
		}
	}
	side := min(vg.Length(5.2), vg.Length(17/float64(n))) * vg.Centimeter * vg.Length(n)
	f := &Figure{title: k.Title, width: max(side, 9*vg.Centimeter), height: max(side, 9*vg.Centimeter) + vg.Centimeter}
	for row := range n {
		f.panels = append(f.panels, make([]*plot.Plot, n))
		for col := range row + 1 {
			p := k.panel(row, col, axes, names, &f.legend)
			for _, a := range []*plot.Axis{&p.X, &p.Y} {
				// Narrow panels: the unit stands on a line of its own.
				a.Label.Text = strings.Replace(a.Label.Text, " (", "\n(", 1)
			}
			if row < n-1 {
				p.X.Label.Text, p.X.Tick.Marker = "", ticks{blank: true}
			}
			if col > 0 && row != col {
				p.Y.Label.Text, p.Y.Tick.Marker = "", ticks{blank: true}
			}
			if n > 4 {
				shrink(p, 0.8)
			}
			f.panels[row][col] = p
		}
	}
	return f, nil
}

func (k Corner) panel(row, col int, axes []Axis, names [2]string, l *legend) *plot.Plot {
	if row == col {
		p := k.Parameters[row].panel(axes[row].Min, axes[row].Max, names, l)
		p.Y.Label.Text, p.Y.Tick.Marker = "", none{}
		return p
	}
	j := Joint{X: k.Parameters[col], Y: k.Parameters[row]}
	p, _ := j.panel(axes[col], axes[row], l)
	return p
}

// shrink makes the text at the axes smaller, where there are many panels.
func shrink(p *plot.Plot, factor vg.Length) {
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font.Size *= factor
		a.Tick.Label.Font.Size *= factor
	}
}

// none is no ticks.
type none struct{}

// Ticks implements plot.Ticker.
func (none) Ticks(low, high float64) []plot.Tick { return nil }
