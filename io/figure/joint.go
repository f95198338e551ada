package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Joint is the posterior of two parameters: an exact density as an image (or the
// smoothed density of the draws, without one), the draws' highest-density regions
// as contours, the truth as a cross.
type Joint struct {
	Title string
	X, Y  Marginal // ranges, draws (pairwise), truths
	// Density is an exact density on a grid, [y][x] row-major; nil without.
	XAt, YAt, Density []float64
	// Detail shows the range that holds the posterior rather than the prior's.
	Detail                 bool
	DrawsLabel, ExactLabel string
}

// masses are the probabilities of the regions that contours enclose.
var masses = []float64{0.5, 0.9}

// Draw makes the figure.
func (j Joint) Draw() (*Figure, error) {
	if err := checked(j.X.check(), j.Y.check(), alike("joint draws", j.X.Draws, j.Y.Draws)); err != nil {
		return nil, err
	}
	if j.Density != nil {
		err := checked(finite("density", j.Density), increasing("X", j.XAt), increasing("Y", j.YAt))
		if err == nil && len(j.Density) != len(j.XAt)*len(j.YAt) {
			err = fmt.Errorf("figure: density of %d values on a grid of %d by %d", len(j.Density), len(j.YAt), len(j.XAt))
		}
		if err != nil {
			return nil, err
		}
	}
	x, y := j.X.axis(), j.Y.axis()
	if j.Detail {
		x.Min, x.Max = j.X.support()
		y.Min, y.Max = j.Y.support()
	}
	var l legend
	p, s := j.panel(x, y, &l)
	f := one(j.Title, p, l)
	f.width, f.height = 13*vg.Centimeter, 11*vg.Centimeter
	title := "density"
	if unit := inverse(productUnit(j.X.Unit, j.Y.Unit)); unit != "" {
		title += " (" + unit + ")"
	}
	f.bar = &colourBar{s, title}
	return f, nil
}

func productUnit(a, b string) string {
	switch {
	case a == "" || a == "1":
		return b
	case b == "" || b == "1":
		return a
	}
	return a + " · " + b
}

// panel draws the densities in the given ranges.
func (j Joint) panel(x, y Axis, l *legend) (*plot.Plot, scale) {
	names := [2]string{"draws: 50 % and 90 % regions", "exact density"}
	if j.DrawsLabel != "" {
		names[0] = j.DrawsLabel
	}
	if j.ExactLabel != "" {
		names[1] = j.ExactLabel
	}
	p := newPlot(x, y)
	drawn := smoothed(j.X.Draws, j.Y.Draws, j.X.Weights, x, y)
	shown := drawn
	if j.Density != nil {
		shown = surface{j.XAt, j.YAt, j.Density}
	}
	s := scale{colours: blues, min: 0, max: max(slices.Max(shown.z), math.SmallestNonzeroFloat64)}
	p.Add(raster{outside{shown}.padded(x, y), s})
	if j.Density != nil {
		l.add(names[1], steps{histogram{}, hue(0)})
	}
	if levels := drawn.levels(); len(levels) > 0 {
		line := stroke(hue(1), vg.Points(1), Solid)
		p.Add(contours(drawn, levels, line))
		l.add(names[0], rule{style: line})
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = x.Min, x.Max, y.Min, y.Max
	if j.X.Truth != nil && j.Y.Truth != nil {
		Mark{Label: "truth", X: *j.X.Truth, Y: *j.Y.Truth, Truth: true}.add(p, l)
	}
	return p, s
}

// outside extends a density by 0 beyond its grid.
type outside struct{ surface }

// padded adds a frame of zeros that reaches the ends of the axes.
func (o outside) padded(x, y Axis) surface {
	pad := func(at []float64, low, high float64) (out []float64, before int) {
		eps := 1e-9 * (high - low)
		if low < at[0]-2*eps {
			out, before = append(out, low, at[0]-eps), 2
		}
		out = append(out, at...)
		if last := at[len(at)-1]; high > last+2*eps {
			out = append(out, last+eps, high)
		}
		return out, before
	}
	xs, left := pad(o.x, x.Min, x.Max)
	ys, below := pad(o.y, y.Min, y.Max)
	z := make([]float64, len(xs)*len(ys))
	for r := range o.y {
		copy(z[(r+below)*len(xs)+left:], o.z[r*len(o.x):(r+1)*len(o.x)])
	}
	return surface{xs, ys, z}
}

// cells is the resolution of smoothed densities.
const cells = 96

// smoothed is the density of weighted draws on a grid: a histogram convolved with a
// Gaussian of Scott's width, sigma n^(-1/6) (Scott 1992, eq. 6.42 for d = 2), in
// each direction, at least one cell. n is the effective number of draws.
func smoothed(x, y, weights []float64, xa, ya Axis) surface {
	dx, dy := (xa.Max-xa.Min)/cells, (ya.Max-ya.Min)/cells
	s := surface{centres(xa.Min, dx), centres(ya.Min, dy), make([]float64, cells*cells)}
	var total, squares float64
	for i := range x {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		total += w
		squares += w * w
		c, r := int(math.Floor((x[i]-xa.Min)/dx)), int(math.Floor((y[i]-ya.Min)/dy))
		if c >= 0 && c < cells && r >= 0 && r < cells {
			s.z[r*cells+c] += w
		}
	}
	factor := math.Pow(total*total/squares, -1.0/6)
	blur(s.z, 1, cells, kernel(factor*deviation(x, weights)/dx))
	blur(s.z, cells, 1, kernel(factor*deviation(y, weights)/dy))
	for i := range s.z {
		s.z[i] /= total * dx * dy
	}
	return s
}

func centres(low, step float64) []float64 {
	out := make([]float64, cells)
	for i := range out {
		out[i] = low + (float64(i)+0.5)*step
	}
	return out
}

// deviation is the weighted standard deviation.
func deviation(x, weights []float64) float64 {
	var n, mean, m2 float64
	for i, v := range x {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		if w > 0 {
			n += w
			d := v - mean
			mean += d * w / n
			m2 += w * d * (v - mean)
		}
	}
	return math.Sqrt(m2 / n)
}

// kernel is one half of a normalised Gaussian of a width in cells.
func kernel(sigma float64) []float64 {
	sigma = min(max(sigma, 1), cells/4)
	k := make([]float64, int(4*sigma)+1)
	sum := 0.0
	for i := range k {
		k[i] = math.Exp(-0.5 * float64(i*i) / (sigma * sigma))
		sum += k[i]
		if i > 0 {
			sum += k[i]
		}
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// blur convolves every line of the grid along one direction: step between its
// cells, stride between lines. What would leave the grid is reflected, so that a
// posterior against a prior's bound is not pushed off it.
func blur(z []float64, step, stride int, k []float64) {
	line := make([]float64, cells)
	for i := range cells {
		base := i * stride
		for j := range cells {
			line[j] = z[base+j*step]
		}
		for j := range cells {
			sum := k[0] * line[j]
			for d := 1; d < len(k); d++ {
				sum += k[d] * (line[reflect(j-d)] + line[reflect(j+d)])
			}
			z[base+j*step] = sum
		}
	}
}

func reflect(i int) int {
	if i < 0 {
		i = -1 - i
	}
	if i >= cells {
		i = 2*cells - 1 - i
	}
	return i
}

// levels are the heights of the contours that enclose the masses.
func (s surface) levels() []float64 {
	sorted := slices.Clone(s.z)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	var total float64
	for _, v := range sorted {
		total += v
	}
	var out []float64
	sum, next := 0.0, 0
	for _, v := range sorted {
		if sum += v; next < len(masses) && sum >= masses[next]*total {
			if v > 0 {
				out = append(out, v)
			}
			next++
		}
	}
	return slices.Compact(out)
}

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
			if row < n-1 {
				p.X.Label.Text, p.X.Tick.Marker = "", unlabelled{}
			}
			if col > 0 && row != col {
				p.Y.Label.Text, p.Y.Tick.Marker = "", unlabelled{}
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

// unlabelled are ticks without labels, for inner axes; none is no ticks.
type (
	unlabelled struct{}
	none       struct{}
)

// Ticks implements plot.Ticker.
func (unlabelled) Ticks(low, high float64) []plot.Tick {
	list := ticks{}.Ticks(low, high)
	for i := range list {
		list[i].Label = " "
	}
	return list
}

// Ticks implements plot.Ticker.
func (none) Ticks(low, high float64) []plot.Tick { return nil }
