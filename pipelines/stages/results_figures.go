package stages

import (
	"cmp"
	"slices"

	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// marginals draws the posteriors of all rows below one another.
func (s *resultsStage) marginals(ws *stage.Workspace) error {
	var exact *dataset.Density
	if ws.HasInput("density") {
		d, err := dataset.ReadDensity(ws.Input("density"))
		if err != nil {
			return stage.BadInput(err)
		}
		exact = &d
	}
	var out figure.MarginalRows
	for i, r := range s.Rows {
		if !r.Posterior {
			continue
		}
		c, err := loadComparison(ws.Input(posteriorInput(i)), "")
		if err != nil {
			return stage.BadInput(err)
		}
		out.Rows = append(out.Rows, figure.MarginalRow{Label: r.Label, Panels: c.panels(exact, s.Limits)})
	}
	return save(ws, "marginals", out)
}

// scatter puts every row at its two figures, those that have both.
func (t *resultsTable) scatter() figure.Scatter {
	at := func(name string) int {
		return slices.IndexFunc(t.columns, func(c resultColumn) bool { return c.Name == name })
	}
	x, y := at(t.Scatter.X), at(t.Scatter.Y)
	out := figure.Scatter{Title: t.Scatter.Title, X: figure.Axis{Label: t.columns[x].Label, Log: true}, Y: figure.Axis{Label: t.columns[y].Label, Log: true}}
	clouds := map[string]int{}
	for i, r := range t.Rows {
		a, b := t.cells[i][x].mean, t.cells[i][y].mean
		if !(a > 0 && b > 0 && finite(a) && finite(b)) {
			continue
		}
		name := cmp.Or(r.Group, r.Label)
		k, ok := clouds[name]
		if !ok {
			k, clouds[name] = len(out.Clouds), len(out.Clouds)
			out.Clouds = append(out.Clouds, figure.Series{Label: name})
		}
		out.Clouds[k].X, out.Clouds[k].Y = append(out.Clouds[k].X, a), append(out.Clouds[k].Y, b)
		if r.Mark != "" {
			out.Notes = append(out.Notes, figure.Note{X: a, Y: b, Text: r.Mark})
		}
	}
	return out
}
