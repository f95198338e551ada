package stages

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

// resultsStage gathers metrics of many runs in tables: a line for each method, the
// mean and the spread over its runs.
type resultsStage struct {
	Title    string               `json:"title"`
	Notes    []string             `json:"notes,omitempty"`
	Sections []resultSection      `json:"sections"`
	Rows     []resultRow          `json:"rows"`
	Scatter  *resultScatter       `json:"scatter,omitempty"`
	Limits   map[string][]float64 `json:"limits,omitempty"` // of the axes of marginals, by parameter
	density  stage.Input
	in       []stage.Input
}

// resultSection is one table: the same lines as the others, its own columns.
type resultSection struct {
	Name    string         `hcl:"name,label" json:"name"`
	Title   string         `hcl:"title" json:"title"`
	Columns []resultColumn `hcl:"column,block" json:"columns"`
}

// resultColumn is one metric of one source.
type resultColumn struct {
	Name   string `hcl:"name,label" json:"name"`
	Label  string `hcl:"label" json:"label"`
	From   string `hcl:"from" json:"from"`     // name of the source in the rows' runs
	Metric string `hcl:"metric" json:"metric"` // there
	// AtMost makes a verdict of the figure: met or not.
	AtMost *float64 `hcl:"at_most,optional" json:"at_most,omitempty"`
	// Published leaves room beside the column for figures that others published.
	Published bool `hcl:"published,optional" json:"published,omitempty"`
}

// resultRow is one method.
type resultRow struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Group string `json:"group,omitempty"` // its cloud in the scatter, label by default
	Mark  string `json:"mark,omitempty"`  // beside its point there
	Note  string `json:"note,omitempty"`
	// Runs are the names of the sources that each run has.
	Runs      [][]string         `json:"runs"`
	Published map[string]float64 `json:"published,omitempty"` // by column
	Posterior bool               `json:"posterior,omitempty"` // has marginals to draw
}

// resultScatter puts the rows in a figure, one column against another.
type resultScatter struct {
	Title string `hcl:"title,optional" json:"title"`
	X     string `hcl:"x" json:"x"`
	Y     string `hcl:"y" json:"y"`
}

func resultsKind() stage.Kind {
	return stage.Kind{
		Name: "results", Version: 4,
		Doc:    "metrics of many runs as tables, a line for each method, with the mean and spread over its runs",
		Decode: decodeResults,
		Load:   stage.LoadJSON[resultsStage],
	}
}

// resultRowBlock is a row as it is written.
type resultRowBlock struct {
	Name      string         `hcl:"name,label"`
	Label     string         `hcl:"label"`
	Group     string         `hcl:"group,optional"`
	Mark      string         `hcl:"mark,optional"`
	Note      string         `hcl:"note,optional"`
	Runs      hcl.Expression `hcl:"runs"`
	Posterior hcl.Expression `hcl:"posterior,optional"`
	Published hcl.Expression `hcl:"published,optional"`
}

func decodeResults(d *stage.Decoder) stage.Spec {
	var block struct {
		Title    string           `hcl:"title"`
		Notes    []string         `hcl:"notes,optional"`
		Density  hcl.Expression   `hcl:"density,optional"`
		Limits   hcl.Expression   `hcl:"limits,optional"`
		Sections []resultSection  `hcl:"section,block"`
		Rows     []resultRowBlock `hcl:"row,block"`
		Scatter  *resultScatter   `hcl:"scatter,block"`
	}
	d.Decode(&block)
	s := &resultsStage{Title: block.Title, Notes: block.Notes, Sections: block.Sections, Scatter: block.Scatter}
	if d.HasErrors() {
		return s
	}
	d.Convert(block.Limits, &s.Limits)
	s.density = d.Artifact("density", block.Density, typeDensity)
	seen := map[string]bool{}
	for i, r := range block.Rows {
		if seen[r.Name] {
			d.Errorf("row."+r.Name, "Row named twice", "Two rows are named %q.", r.Name)
		}
		seen[r.Name] = true
		s.Rows = append(s.Rows, s.row(d, i, r))
	}
	if len(s.Rows) == 0 || len(s.Sections) == 0 {
		d.Errorf("", "Nothing to table", "Give at least one section with a column, and one row.")
	}
	if !d.HasErrors() {
		s.validate(d)
	}
	return s
}

// row reads one row; what it refers to becomes inputs.
func (s *resultsStage) row(d *stage.Decoder, i int, b resultRowBlock) resultRow {
	r := resultRow{Name: b.Name, Label: b.Label, Group: b.Group, Mark: b.Mark, Note: b.Note}
	d.Convert(b.Published, &r.Published)
	if in := d.Artifact(posteriorInput(i), b.Posterior, typePosterior); in.Present() {
		r.Posterior = true
		s.in = append(s.in, in)
	}
	v, diags := b.Runs.Value(d.Context)
	d.Report(diags...)
	if diags.HasErrors() {
		return r
	}
	if t := v.Type(); !v.IsKnown() || v.IsNull() || !t.IsTupleType() && !t.IsListType() {
		d.Errorf("row."+b.Name, "Not a list of runs", "runs of row %q must be a list of objects that name the metrics of each run, such as [{ check = stage.check.metrics }].", b.Name)
		return r
	}
	for it := v.ElementIterator(); it.Next(); {
		_, run := it.Element()
		r.Runs = append(r.Runs, s.run(d, b, i, len(r.Runs), run))
	}
	if len(r.Runs) == 0 {
		d.Errorf("row."+b.Name, "No runs", "Row %q has no runs.", b.Name)
	}
	return r
}

// run reads the sources of one run and returns their names; null is a source that
// the run does not have.
func (s *resultsStage) run(d *stage.Decoder, b resultRowBlock, row, run int, v cty.Value) []string {
	if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		d.Errorf("row."+b.Name, "Not a run", "Each run of row %q is an object that names its metrics, such as { check = stage.check.metrics }.", b.Name)
		return nil
	}
	names := []string{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			continue
		}
		if in := d.Artifact(runInput(row, run, k.AsString()), hcl.StaticExpr(e, b.Runs.Range()), stage.Metrics); in.Present() {
			s.in = append(s.in, in)
			names = append(names, k.AsString())
		}
	}
	return names
}

func posteriorInput(row int) string { return fmt.Sprintf("posterior_%d", row) }

func runInput(row, run int, source string) string {
	return fmt.Sprintf("row_%d_run_%d_%s", row, run, source)
}

// validate reports names that lead nowhere.
func (s *resultsStage) validate(d *stage.Decoder) {
	columns := map[string]bool{}
	for _, t := range s.Sections {
		for _, c := range t.Columns {
			if columns[c.Name] {
				d.Errorf("section."+t.Name, "Column named twice", "Two columns are named %q.", c.Name)
			}
			columns[c.Name] = true
			if !slices.ContainsFunc(s.Rows, func(r resultRow) bool {
				return slices.ContainsFunc(r.Runs, func(run []string) bool { return slices.Contains(run, c.From) })
			}) {
				d.Errorf("section."+t.Name, "Unknown source", "Column %q takes its figures from %q, which no run has.", c.Name, c.From)
			}
		}
	}
	for _, r := range s.Rows {
		for name := range r.Published {
			if !columns[name] {
				d.Errorf("row."+r.Name, "Unknown column", "Row %q has a published figure for %q, which is no column.", r.Name, name)
			}
		}
	}
	if c := s.Scatter; c != nil && (!columns[c.X] || !columns[c.Y]) {
		d.Errorf("scatter", "Unknown column", "scatter needs two columns; there is none named %q or none named %q.", c.X, c.Y)
	}
}

func (s *resultsStage) Inputs() []stage.Input {
	if s.density.Present() {
		return append([]stage.Input{s.density}, s.in...)
	}
	return s.in
}

func (s *resultsStage) drawsMarginals() bool {
	return slices.ContainsFunc(s.Rows, func(r resultRow) bool { return r.Posterior })
}

func (s *resultsStage) Outputs() []stage.Output {
	out := []stage.Output{
		{Name: "table", Type: stage.File, File: "table.md", Principal: true},
		{Name: "data", Type: stage.File, File: "table.nc"},
	}
	if s.drawsMarginals() {
		out = append(out, lineFigure("marginals",
			"Marginal posteriors of the one observation by every method: histogram of the draws, exact posterior (line, cut off where it is higher than the histogram), truth (dashed)."))
	}
	if s.Scatter != nil {
		out = append(out, lineFigure("scatter",
			"Every method in two columns of the table, the mean over its runs."))
	}
	return out
}

func (s *resultsStage) Run(_ context.Context, ws *stage.Workspace) error {
	t, err := s.gather(ws)
	if err != nil {
		return stage.BadInput(err)
	}
	if err := os.WriteFile(ws.Output("table"), []byte(t.markdown()), 0o666); err != nil {
		return err
	}
	if err := t.write(ws.Output("data")); err != nil {
		return err
	}
	if s.drawsMarginals() {
		if err := s.marginals(ws); err != nil {
			return err
		}
	}
	if s.Scatter == nil {
		return nil
	}
	return save(ws, "scatter", t.scatter())
}
