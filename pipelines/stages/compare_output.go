package stages

import (
	"fmt"
	"math"
	"strings"

	"oceaninv/io/figure"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

var modeTitles = map[train.Mode]string{
	train.ModeConditional: "Conditional flows q(x | y)",
	train.ModeINN:         "Invertible networks T(x, padding) = (z, y)",
	train.ModeNF:          "Flows of x alone (no posterior: distances are to the prior)",
}

// markdown is the table for readers.
func (t *comparisonTable) markdown(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", title)
	b.WriteString("W1 (sliced) and MMD² are distances of a flow's draws to rejection samples of the exact posterior, means over targets.\n")
	fmt.Fprintf(&b, "Two sets of rejection samples of that size are W1 = %s and MMD² = %s apart, and their hand misses by %s.\n", cell(t.wassersteinFloor), cell(t.mmd0), cell(t.missFloor))
	fmt.Fprintf(&b, "The targets are from a set A of observations that has the probability %s. p = %s.\n", cell(t.probability), cell(t.order()))
	for _, mode := range modeOrder {
		first := true
		for _, r := range t.rows {
			if r.Header.Mode != mode {
				continue
			}
			if first {
				first = false
				fmt.Fprintf(&b, "\n## %s\n\n| flow | loss | variant |", modeTitles[mode])
				for _, c := range figureColumns {
					fmt.Fprintf(&b, " %s |", c.head)
				}
				b.WriteString("\n|" + strings.Repeat("---|", 3) + strings.Repeat("---:|", len(figureColumns)) + "\n")
			}
			fmt.Fprintf(&b, "| %s | %s | %s |", r.Header.Flow.Coupling, r.Header.Loss, r.Header.Variant)
			for _, c := range figureColumns {
				fmt.Fprintf(&b, " %s |", cell(c.get(r)))
			}
			b.WriteString("\n")
		}
	}
	for _, m := range t.metrics() {
		if !m.Headline {
			fmt.Fprintf(&b, "\n%.2f: %s\n", m.Value, m.Sentence)
		}
	}
	return b.String()
}

// order is p of the moments, the same in all rows unless somebody compares what cannot be.
func (t *comparisonTable) order() float64 { return t.rows[0].Guarantee.Order }

func cell(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3g", v)
}

// family groups losses in the figures.
func family(r row) string {
	_, divergence := r.Header.Loss.Divergence()
	switch {
	case r.Header.Mode == train.ModeConditional:
		return "conditional, maximum likelihood"
	case divergence:
		return "divergences, " + r.Header.Variant
	case r.Header.Loss == train.LossNLLExact, r.Header.Loss == train.LossNLL:
		return "nll and nll_exact" // one family: there are seven colours
	}
	return string(r.Header.Loss)
}

// clouds are the runs with a posterior, a cloud for each family.
func (t *comparisonTable) clouds(x, y func(r row) float64) []figure.Series {
	var out []figure.Series
	at := map[string]int{}
	for _, r := range t.rows {
		if r.Header.Mode == train.ModeNF || !(x(r) > 0) || !(y(r) > 0) || !finite(x(r)) || !finite(y(r)) {
			continue
		}
		name := family(r)
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, figure.Series{Label: name, Points: true})
		}
		out[i].X, out[i].Y = append(out[i].X, x(r)), append(out[i].Y, y(r))
	}
	return out
}

func (t *comparisonTable) draw(ws *stage.Workspace) error {
	miss, distance := func(r row) float64 { return r.miss }, func(r row) float64 { return r.wasserstein }
	label := "W1 to rejection samples"
	errs := figure.Scatter{Title: "Posteriors of the arm", X: figure.Axis{Label: "hand misses the target by", Log: true},
		Y: figure.Axis{Label: label, Unit: "prior sd", Log: true}, Clouds: t.clouds(miss, distance)}
	if finite(t.wassersteinFloor) && t.wassersteinFloor > 0 {
		errs.References = []figure.Reference{{Label: "rejection samples", Y: figure.At(t.wassersteinFloor)}}
	}
	if err := save(ws, "errors", errs); err != nil {
		return err
	}
	title := "Does the left side follow the right?"
	if left, right := t.sides(true); len(left) > 2 {
		title = fmt.Sprintf("Rank correlation %.2f over the %d trainings it covers", rankCorrelation(left, right), len(left))
	}
	return save(ws, "bound", figure.Scatter{Title: title,
		X: figure.Axis{Label: "right side of the guarantee, as measured", Log: true}, Y: figure.Axis{Label: label, Unit: "prior sd", Log: true},
		Clouds: t.clouds(func(r row) float64 { return r.RightSide }, distance)})
}
