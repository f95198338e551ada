package stages

import (
	"math"

	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// draw makes the figures, of the first observation and of the calibration over
// all.
func (s *evaluate) draw(ws *stage.Workspace, c *comparison, k *calibrated) error {
	var exact *dataset.Density
	if ws.HasInput("density") {
		d, err := dataset.ReadDensity(ws.Input("density"))
		if err != nil {
			return stage.BadInput(err)
		}
		exact = &d
	}
	if c.first > 0 {
		exact = nil // that of the first observation of the file
	}
	panels := c.panels(exact, s.Limits)
	if err := save(ws, "marginals", figure.Marginals{Panels: panels, DrawsLabel: s.Label}); err != nil {
		return err
	}
	if len(panels) == 1 { // nothing is joint
		if err := save(ws, "joint", figure.Marginals{Panels: panels, DrawsLabel: s.Label}); err != nil {
			return err
		}
		return k.draw(ws, c)
	}
	joint := figure.Joint{X: panels[0], Y: panels[1], Detail: true, DrawsLabel: s.Label}
	if exact != nil && len(exact.Axes) == 2 {
		joint.XAt, joint.YAt, joint.Density = exact.Axes[0], exact.Axes[1], transposed(exact)
	}
	if err := save(ws, "joint", joint); err != nil {
		return err
	}
	return k.draw(ws, c)
}

// panels are the marginals of the first observation, over the range of the prior
// or the limits given.
func (c *comparison) panels(exact *dataset.Density, limits map[string][]float64) []figure.Marginal {
	var out []figure.Marginal
	for j, p := range c.parameters {
		m := figure.Marginal{Label: p.LongName, Unit: p.Unit, Min: p.Lower, Max: p.Upper,
			Draws: c.approx[0].Column(j), Weights: c.approx[0].Weights()}
		if r, ok := limits[p.Name]; ok {
			m.Min, m.Max = r[0], r[1]
		}
		if c.truth != nil {
			m.Truth = figure.At(c.truth[0][j])
		}
		if exact != nil {
			m.ExactX, m.Exact = exact.Axes[j], marginalOf(exact, j)
		}
		out = append(out, m)
	}
	return out
}

// marginalOf integrates a density of one or two parameters over the other one, by
// the trapezoidal rule.
func marginalOf(d *dataset.Density, j int) []float64 {
	out := make([]float64, len(d.Axes[j]))
	if len(d.Axes) == 1 {
		for i, l := range d.LogDensity {
			out[i] = math.Exp(l)
		}
		return out
	}
	other := d.Axes[1-j]
	step := (other[len(other)-1] - other[0]) / float64(len(other)-1)
	for i := range out {
		for k := range other {
			at := i*len(other) + k
			if j == 1 {
				at = k*len(out) + i
			}
			w := step
			if k == 0 || k == len(other)-1 {
				w /= 2
			}
			out[i] += w * math.Exp(d.LogDensity[at])
		}
	}
	return out
}

// transposed is a two-parameter density as a figure wants it, [second][first].
func transposed(d *dataset.Density) []float64 {
	nx, ny := len(d.Axes[0]), len(d.Axes[1])
	out := make([]float64, nx*ny)
	for i := range nx {
		for j := range ny {
			out[j*nx+i] = math.Exp(d.LogDensity[i*ny+j])
		}
	}
	return out
}

// draw makes the calibration figures.
func (k *calibrated) draw(ws *stage.Workspace, c *comparison) error {
	cover, ranks := figure.Coverage{}, figure.RankDifference{}
	if k == nil {
		// Of one observation, or of recordings without truth, calibration cannot be
		// seen: the figures say so.
		const why = "not measured: needs two known truths"
		cover.Title, ranks.Title = why, why
		cover.Curves = []figure.Series{{Label: "calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Thin: true}}
		ranks.Curves = []figure.Series{{Label: "calibrated", X: []float64{0, 1}, Y: []float64{0, 0}, Thin: true}}
	} else {
		for j, p := range c.parameters {
			r := k.coverage[j]
			cover.Curves = append(cover.Curves, figure.Series{Label: p.LongName, X: r.Nominal, Y: r.Observed})
			b := k.sbc[j]
			ranks.Curves = append(ranks.Curves, figure.Series{Label: p.LongName, X: b.Z, Y: b.Difference})
			ranks.At, ranks.Lower, ranks.Upper = b.Z, b.Low, b.High
		}
		cover.At = k.coverage[0].Nominal
		cover.Lower, cover.Upper = binomialBand(cover.At, c.n)
	}
	if err := save(ws, "coverage", cover); err != nil {
		return err
	}
	return save(ws, "ranks", ranks)
}

// binomialBand is two standard deviations of a calibrated posterior's coverage
// about each level, for n observations.
func binomialBand(levels []float64, n int) (lower, upper []float64) {
	for _, q := range levels {
		s := 2 * math.Sqrt(q*(1-q)/float64(n))
		lower, upper = append(lower, max(0, q-s)), append(upper, min(1, q+s))
	}
	return lower, upper
}
