package stages

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/workflow/stage"
)

// bounds holds metrics of other stages to bounds and prints the table of them.
type bounds struct {
	Rows []boundRow `json:"rows"`
	in   []stage.Input
}

// boundRow is one line of the table.
type boundRow struct {
	Name   string   `json:"name"`
	Metric string   `json:"metric"`
	Label  string   `json:"label"`
	Most   *float64 `json:"at_most,omitempty"`
	Least  *float64 `json:"at_least,omitempty"`
	// Strict stops the run where the bound is not met.
	Strict bool `json:"strict,omitempty"`
}

func boundsKind() stage.Kind {
	return stage.Kind{
		Name: "bounds", Version: 1,
		Doc:    "metrics of other stages held to bounds, as a table",
		Decode: decodeBounds,
		Load:   stage.LoadJSON[bounds],
	}
}

func decodeBounds(d *stage.Decoder) stage.Spec {
	var block struct {
		Rows []struct {
			Name    string         `hcl:"name,label"`
			Metrics hcl.Expression `hcl:"metrics"`
			Metric  string         `hcl:"metric"`
			Label   string         `hcl:"label"`
			Most    *float64       `hcl:"at_most,optional"`
			Least   *float64       `hcl:"at_least,optional"`
			Strict  bool           `hcl:"strict,optional"`
		} `hcl:"row,block"`
	}
	d.Decode(&block)
	s := new(bounds)
	seen := map[string]bool{}
	for i, r := range block.Rows {
		if seen[r.Name] {
			d.Errorf("row."+r.Name, "Row named twice", "Two rows are named %q; metrics.json needs a name for each.", r.Name)
		}
		if seen[r.Name] = true; r.Most == nil && r.Least == nil {
			d.Errorf("row."+r.Name, "No bound", "Row %q needs at_most, at_least or both.", r.Name)
		}
		in := d.Artifact("row."+r.Name+".metrics", r.Metrics, stage.Metrics)
		in.Name = rowInput(i)
		s.in = append(s.in, in)
		s.Rows = append(s.Rows, boundRow{r.Name, r.Metric, r.Label, r.Most, r.Least, r.Strict})
	}
	if len(s.Rows) == 0 {
		d.Errorf("", "Nothing to bound", "Give at least one row.")
	}
	return s
}

func rowInput(i int) string { return fmt.Sprintf("row_%d", i) }

func (s *bounds) Inputs() []stage.Input { return s.in }

func (s *bounds) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		{Name: "table", Type: stage.File, File: "table.md"},
	}
}

func (s *bounds) Run(_ context.Context, ws *stage.Workspace) error {
	var table strings.Builder
	table.WriteString("| what | value | bound | met |\n|---|---|---|---|\n")
	var out []stage.Metric
	failed := 0
	for i, r := range s.Rows {
		m, err := r.find(ws.Input(rowInput(i)))
		if err != nil {
			return stage.BadInput(err)
		}
		met, verdict := r.met(m.Value), "met"
		if !met {
			verdict = "not met"
			if r.Strict {
				failed++
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", r.Label, quantity(m), r.bound(), verdict)
		out = append(out, stage.Metric{Name: r.Name, Value: m.Value, Error: m.Error, Unit: m.Unit, Headline: true,
			Sentence: fmt.Sprintf("%s. Bound: %s, %s.", r.Label, r.bound(), verdict)})
	}
	ws.Log.Info("\n" + table.String())
	if failed > 0 {
		return fmt.Errorf("%d bounds are not met:\n%s", failed, table.String())
	}
	if err := os.WriteFile(ws.Output("table"), []byte(table.String()), 0o666); err != nil {
		return err
	}
	return stage.WriteMetrics(ws.Output("metrics"), out)
}

// find reads the row's metric.
func (r boundRow) find(path string) (stage.Metric, error) {
	list, err := stage.ReadMetrics(path)
	if err != nil {
		return stage.Metric{}, err
	}
	var names []string
	for _, m := range list {
		if m.Name == r.Metric {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return stage.Metric{}, fmt.Errorf("row %q wants the metric %q; the metrics there are %q", r.Name, r.Metric, names)
}

func (r boundRow) met(v float64) bool {
	return (r.Most == nil || v <= *r.Most) && (r.Least == nil || v >= *r.Least) && !math.IsNaN(v)
}

func (r boundRow) bound() string {
	var parts []string
	if r.Least != nil {
		parts = append(parts, fmt.Sprintf("at least %g", *r.Least))
	}
	if r.Most != nil {
		parts = append(parts, fmt.Sprintf("at most %g", *r.Most))
	}
	return strings.Join(parts, ", ")
}

func quantity(m stage.Metric) string {
	text := fmt.Sprintf("%.3g", m.Value)
	if m.Error > 0 {
		text += fmt.Sprintf(" ± %.1g", m.Error)
	}
	return strings.TrimSpace(text + " " + m.Unit)
}
