package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"oceaninv/acoustics/modes/bench"
	"oceaninv/io/figure"
)

// costFlags are the flags of bench forward's other table.
type costFlags struct {
	wanted bool
	plot   string
}

func (f *costFlags) run(tolerance float64, asJSON bool, stdout, stderr io.Writer) error {
	costs, err := bench.Costs(tolerance, func(c bench.Cost) {
		if c.Reason != "" {
			fmt.Fprintf(stderr, "%g Hz in %g m: %s\n", c.Hz, c.Depth, c.Reason)
			return
		}
		fmt.Fprintf(stderr, "%g Hz in %g m: %d modes\n", c.Hz, c.Depth, c.Modes)
	})
	if err != nil {
		return failed(err)
	}
	if f.plot != "" {
		drawing, err := costFigure(costs)
		if err != nil {
			return failed(err)
		}
		if err := drawing.Save(f.plot); err != nil {
			return failed(err)
		}
	}
	if asJSON {
		return writeJSON(stdout, struct {
			Costs []bench.Cost `json:"costs"`
		}{costs})
	}
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "depth (m)\tfrequency (Hz)\tmodes\tcells\tms\tns per mode and cell\tworst error of kr\t")
	for _, c := range costs {
		if c.Reason != "" {
			fmt.Fprintf(t, "%g\t%g\t-\t-\t-\t-\t-\t\n", c.Depth, c.Hz)
			continue
		}
		fmt.Fprintf(t, "%g\t%g\t%d\t%d\t%.3g\t%.0f\t%.1e\t\n", c.Depth, c.Hz, c.Modes, c.Cells, c.MS, c.NSPerCellMode, c.WorstRelativeErrorKr)
	}
	if err := t.Flush(); err != nil {
		return failed(err)
	}
	for _, c := range costs {
		if c.Reason != "" {
			fmt.Fprintf(stdout, "%g Hz in %g m: %s\n", c.Hz, c.Depth, c.Reason)
		}
	}
	return nil
}

// costFigure draws the time of a solve over modes times cells: a straight line of
// slope one where the cost is theirs.
func costFigure(costs []bench.Cost) (*figure.Figure, error) {
	c := figure.Chart{Title: "Time of one solve, 10 Hz to 5 kHz",
		X: figure.Axis{Label: "modes × cells", Log: true}, Y: figure.Axis{Label: "time", Unit: "ms", Log: true}}
	series := map[float64]*figure.Series{}
	for _, depth := range bench.CostDepths() {
		series[depth] = &figure.Series{Label: fmt.Sprintf("%g m of water", depth), Points: true, Joined: true}
	}
	costs = slices.DeleteFunc(slices.Clone(costs), func(k bench.Cost) bool { return k.Reason != "" })
	if len(costs) == 0 {
		return nil, errors.New("there is no cost to draw: nothing was solved")
	}
	low, high := costs[0], costs[0]
	for _, k := range costs {
		s := series[k.Depth]
		s.X, s.Y = append(s.X, float64(k.Modes*k.Cells)), append(s.Y, k.MS)
		if k.Modes*k.Cells < low.Modes*low.Cells {
			low = k
		}
		if k.Modes*k.Cells > high.Modes*high.Cells {
			high = k
		}
	}
	for _, depth := range bench.CostDepths() {
		if len(series[depth].X) > 0 {
			c.Series = append(c.Series, *series[depth])
		}
	}
	x := []float64{float64(low.Modes * low.Cells), float64(high.Modes * high.Cells)}
	c.Series = append(c.Series, figure.Series{Label: fmt.Sprintf("%.0f ns a mode and cell", high.NSPerCellMode), X: x,
		Y: []float64{1e-6 * x[0] * high.NSPerCellMode, 1e-6 * x[1] * high.NSPerCellMode}, Dash: figure.Dashed, Thin: true})
	return c.Draw()
}
