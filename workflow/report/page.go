package report

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"oceaninv/workflow/stage"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"seconds": seconds, "bytes": bytesText, "number": number, "short": shortName, "metric": metricText,
	"value": valueText, "error": errorText, "unit": unitText,
	"format": func(file string) string { return strings.ToUpper(strings.TrimPrefix(path.Ext(file), ".")) },
	"uri": func(f Figure) template.URL {
		return template.URL("data:" + f.MediaType + ";base64," + base64.StdEncoding.EncodeToString(f.Content))
	},
}).Parse(pageText))

// Page writes the report as one HTML file: styles, drawings and pictures are inside it.
func Page(w io.Writer, d Data) error {
	spans := slices.Clone(d.Spans)
	if len(spans) > maxSpans {
		slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Compare(b.End-b.Start, a.End-a.Start) })
		spans = spans[:maxSpans]
	}
	slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return pageTemplate.Execute(w, struct {
		Data
		Graph, Timeline template.HTML
		Headlines       []stage.Metric
	}{d, template.HTML(drawGraph(d.Stages)), template.HTML(drawTimeline(spans)), Headlines(d.Metrics)})
}

// Headlines are the metrics marked as such.
func Headlines(groups []Group) []stage.Metric {
	var all []stage.Metric
	for _, g := range groups {
		for _, m := range g.Metrics {
			if m.Headline {
				all = append(all, m)
			}
		}
	}
	return all
}

// number writes four digits, and whole numbers in full.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// unitText writes a unit as people do: (m)^2 as m².
func unitText(unit string) string {
	base, square := strings.CutSuffix(unit, "^2")
	if !square {
		return unit
	}
	if inner := strings.TrimSuffix(strings.TrimPrefix(base, "("), ")"); !strings.ContainsAny(inner, " /·*^") {
		base = inner
	}
	return base + "²"
}

// metricText is a metric's value and its error.
func metricText(m stage.Metric) string {
	if e := errorText(m); e != "" {
		return valueText(m) + " " + e
	}
	return valueText(m)
}

// valueText is a metric's value to the place where its error ends.
func valueText(m stage.Metric) string {
	if d, ok := decimals(m); ok {
		return fmt.Sprintf("%.*f", d, m.Value)
	}
	return number(m.Value)
}

// errorText is a metric's error to two digits; "" if it has none.
func errorText(m stage.Metric) string {
	if !(m.Error > 0) {
		return ""
	}
	if d, ok := decimals(m); ok {
		return fmt.Sprintf("± %.*f", d, m.Error)
	}
	return fmt.Sprintf("± %.2g", m.Error)
}

// decimals is how many places the two leading digits of a metric's error take; not ok for what is better written with a
// power of ten.
func decimals(m stage.Metric) (n int, ok bool) {
	if !(m.Error > 0) || math.IsInf(m.Error, 0) {
		return 0, false
	}
	n = max(0, 1-int(math.Floor(math.Log10(m.Error))))
	return n, n <= 6 && math.Abs(m.Value) < 1e6 && m.Error < 1e6
}

func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}
