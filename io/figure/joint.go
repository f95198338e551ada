package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
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
	s := scale{colours: blues, min: 0, max: slices.Max(shown.z)}
	if s.max < math.SmallestNonzeroFloat64*1e20 { // nothing in sight: no draw is within the axes
		s.max = 1
	}
	p.Add(raster{outside{shown}.padded(x, y), s})
	if j.Density != nil {
		l.add(names[1], steps{histogram{}, hue(0)})
	}
	if levels := drawn.levels(); len(levels) > 0 {
		line := stroke(hue(1), vg.Points(1), Solid)
		p.Add(contours{drawn, levels, line})
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
// Gaussian of Scott's width, sigma sqrt(1 - rho^2) n^(-1/6) (Scott 1992, section
// 6.3, for d = 2 and correlation rho), in each direction, at least one cell. n is
// the effective number of draws.
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
	sx, sy, rho := moments(x, y, weights)
	factor := math.Sqrt(1-rho*rho) * math.Pow(total*total/squares, -1.0/6)
	blur(s.z, 1, cells, kernel(factor*sx/dx))
	blur(s.z, cells, 1, kernel(factor*sy/dy))
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

// moments are the weighted standard deviations and the correlation, by gonum; equal
// draws have correlation 0.
func moments(x, y, weights []float64) (sx, sy, rho float64) {
	sx, sy = math.Sqrt(stat.PopVariance(x, weights)), math.Sqrt(stat.PopVariance(y, weights))
	if sx > 0 && sy > 0 {
		rho = min(max(stat.Correlation(x, y, weights), -1), 1)
	}
	return sx, sy, rho
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
