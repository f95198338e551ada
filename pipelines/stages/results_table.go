package stages

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// resultsTable is the figures of a results stage, by row and column.
type resultsTable struct {
	*resultsStage
	columns []resultColumn // of all sections
	cells   [][]resultCell // [row][column]
}

// resultCell is one figure: the mean over the runs that have it, and their standard
// deviation, NaN for a single one.
type resultCell struct {
	mean, sd float64
	runs     int
	unit     string
}

// gather reads all metrics. A row that lacks a figure has none; a column that all
// rows lack is a mistake.
func (s *resultsStage) gather(ws *stage.Workspace) (*resultsTable, error) {
	t := &resultsTable{resultsStage: s}
	for _, section := range s.Sections {
		t.columns = append(t.columns, section.Columns...)
	}
	found := make([]bool, len(t.columns))
	for i, r := range s.Rows {
		values := make([][]stage.Metric, len(t.columns))
		for k, sources := range r.Runs {
			for _, source := range sources {
				list, err := stage.ReadMetrics(ws.Input(runInput(i, k, source)))
				if err != nil {
					return nil, err
				}
				for j, c := range t.columns {
					at := slices.IndexFunc(list, func(m stage.Metric) bool { return m.Name == c.Metric })
					if c.From == source && at >= 0 {
						values[j], found[j] = append(values[j], list[at]), true
					}
				}
			}
		}
		cells := make([]resultCell, len(t.columns))
		for j := range cells {
			cells[j] = cellOf(values[j])
		}
		t.cells = append(t.cells, cells)
	}
	if at := slices.Index(found, false); at >= 0 {
		return nil, fmt.Errorf("column %q: no run has the metric %q in its source %q", t.columns[at].Name, t.columns[at].Metric, t.columns[at].From)
	}
	return t, nil
}

func cellOf(values []stage.Metric) resultCell {
	c := resultCell{mean: math.NaN(), sd: math.NaN(), runs: len(values)}
	if c.runs == 0 {
		return c
	}
	c.unit, c.mean = values[0].Unit, 0
	for _, m := range values {
		c.mean += m.Value / float64(c.runs)
	}
	if c.runs > 1 {
		sum := 0.0
		for _, m := range values {
			sum += (m.Value - c.mean) * (m.Value - c.mean)
		}
		c.sd = math.Sqrt(sum / float64(c.runs-1))
	}
	return c
}

// markdown is all sections for readers, with the rows' notes below them.
func (t *resultsTable) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n", t.Title)
	labels, notes := t.numbered()
	from := 0
	for _, section := range t.Sections {
		fmt.Fprintf(&b, "\n### %s\n\n| method |", section.Title)
		for _, c := range section.Columns {
			fmt.Fprintf(&b, " %s |", c.Label)
			if c.Published {
				b.WriteString(" published |")
			}
		}
		b.WriteString("\n|---|")
		for _, c := range section.Columns {
			b.WriteString("---:|")
			if c.Published {
				b.WriteString("---:|")
			}
		}
		for i, r := range t.Rows {
			if !slices.ContainsFunc(t.cells[i][from:from+len(section.Columns)], func(v resultCell) bool { return v.runs > 0 }) {
				continue // nothing to say of it here
			}
			fmt.Fprintf(&b, "\n| %s |", labels[i])
			for j, c := range section.Columns {
				fmt.Fprintf(&b, " %s |", c.text(t.cells[i][from+j]))
				if c.Published {
					fmt.Fprintf(&b, " %s |", theirs(r, c.Name))
				}
			}
		}
		b.WriteString("\n")
		from += len(section.Columns)
	}
	for i, n := range notes {
		fmt.Fprintf(&b, "\n%d. %s", i+1, n)
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	return b.String()
}

// numbered are the rows' labels with the numbers of their notes, and the notes.
func (t *resultsTable) numbered() (labels, notes []string) {
	for _, r := range t.Rows {
		label := r.Label
		if r.Note != "" {
			if !slices.Contains(notes, r.Note) {
				notes = append(notes, r.Note)
			}
			label += fmt.Sprintf(" <sup>%d</sup>", slices.Index(notes, r.Note)+1)
		}
		labels = append(labels, label)
	}
	return labels, notes
}

// text is a cell as readers see it.
func (c resultColumn) text(v resultCell) string {
	if v.runs == 0 {
		return "–"
	}
	text := significant(v.mean)
	if v.runs > 1 {
		text += " ± " + fmt.Sprintf("%.2g", v.sd)
	}
	if c.AtMost == nil {
		return text
	}
	if v.mean <= *c.AtMost {
		return "yes (" + text + ")"
	}
	return "no (" + text + ")"
}

// significant writes three digits, without an exponent where that is readable.
func significant(v float64) string {
	if a := math.Abs(v); a >= 1000 && a < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// theirs is a figure that others published for a row, where there is one.
func theirs(r resultRow, column string) string {
	if v, ok := r.Published[column]; ok {
		return significant(v)
	}
	return "not available"
}

// write stores the figures.
func (t *resultsTable) write(path string) error {
	out := dataset.Table{Title: t.Title, Index: dataset.Column{Name: "row", LongName: "number of the row", Unit: "1"}}
	labels := make([]string, len(t.Rows))
	for i, r := range t.Rows {
		out.Index.Values = append(out.Index.Values, float64(i))
		labels[i] = r.Label
	}
	for j, c := range t.columns {
		mean := dataset.Column{Name: c.Name, LongName: c.Label, Unit: t.unit(j)}
		spread := dataset.Column{Name: c.Name + "_sd", LongName: "standard deviation over runs of " + c.Label, Unit: mean.Unit}
		runs := dataset.Column{Name: c.Name + "_runs", LongName: "number of runs of " + c.Label, Unit: "1"}
		for i := range t.Rows {
			v := t.cells[i][j]
			mean.Values, spread.Values, runs.Values = append(mean.Values, v.mean), append(spread.Values, v.sd), append(runs.Values, float64(v.runs))
		}
		out.Columns = append(out.Columns, mean, spread, runs)
	}
	out.Attributes = []netcdf.Attribute{{Name: "labels", Value: labels}}
	return dataset.WriteTable(path, out)
}

// unit is that of column j, of the first row that has it.
func (t *resultsTable) unit(j int) string {
	for i := range t.Rows {
		if u := t.cells[i][j].unit; u != "" {
			return u
		}
	}
	return "1"
}
