package reference

import (
	"math"
	"math/rand/v2"
	"slices"

	"oceaninv/inversion"
)

// Mean is the posterior mean.
func (g *Grid) Mean() []float64 {
	mean := make([]float64, len(g.Low))
	g.each(func(theta []float64, mass, _ float64) {
		for j, v := range theta {
			mean[j] += mass * v
		}
	})
	return mean
}

// Covariance is the posterior covariance, row-major.
func (g *Grid) Covariance() []float64 {
	d := len(g.Low)
	mean := g.Mean()
	cov := make([]float64, d*d)
	g.each(func(theta []float64, mass, _ float64) {
		for i := range d {
			for j := range d {
				cov[i*d+j] += mass * (theta[i] - mean[i]) * (theta[j] - mean[j])
			}
		}
	})
	return cov
}

// SD is the posterior standard deviation of each parameter.
func (g *Grid) SD() []float64 {
	d := len(g.Low)
	cov := g.Covariance()
	sd := make([]float64, d)
	for j := range sd {
		sd[j] = math.Sqrt(cov[j*d+j])
	}
	return sd
}

// Entropy is -∫ p ln p, in nats: minus the mean log density of the exact
// posterior at its own draws, what a perfect amortised density would score.
func (g *Grid) Entropy() float64 {
	var h float64
	g.each(func(_ []float64, mass, logp float64) { h -= mass * logp })
	return h
}

// Level is the posterior probability of densities above that at theta, whose log
// is given: 0 at the mode, 1 outside. Over many observations it is uniform at the
// truth.
func (g *Grid) Level(logDensity float64) float64 {
	var p float64
	g.each(func(_ []float64, mass, logp float64) {
		if logp > logDensity {
			p += mass
		}
	})
	return math.Min(1, p)
}

// Mode is the node of highest density.
func (g *Grid) Mode() []float64 {
	best := math.Inf(-1)
	mode := make([]float64, len(g.Low))
	g.each(func(theta []float64, _, logp float64) {
		if logp > best {
			best = logp
			copy(mode, theta)
		}
	})
	return mode
}

// each visits every node with its posterior mass and log density.
func (g *Grid) each(visit func(theta []float64, mass, logp float64)) {
	d := len(g.Low)
	theta := make([]float64, d)
	for k := range g.cells {
		c := &g.cells[k]
		volume := c.volume()
		for i, l := range c.logp {
			if math.IsInf(l, -1) {
				continue
			}
			g.node(theta, c, i)
			visit(theta, volume*g.rule.weight(i, d)*math.Exp(l), l)
		}
	}
}

// LogDensity is the interpolated log density at theta: -Inf outside the cells that
// carry mass.
func (g *Grid) LogDensity(theta []float64) float64 {
	for k := range g.cells {
		if c := &g.cells[k]; c.holds(theta) {
			return g.interpolate(c, theta)
		}
	}
	return math.Inf(-1)
}

func (c *cell) holds(theta []float64) bool {
	for j, v := range theta {
		if v < c.low[j] || v > c.low[j]+c.width[j] {
			return false
		}
	}
	return true
}

// Sample draws n parameters from the posterior, with their log densities.
func (g *Grid) Sample(n int, rng *rand.Rand) *inversion.Draws {
	out := inversion.NewDraws(n, len(g.Low))
	out.LogProb = make([]float64, n)
	total := g.cumul[len(g.cumul)-1]
	for i := range n {
		k, _ := slices.BinarySearch(g.cumul, rng.Float64()*total)
		out.LogProb[i] = g.sampleCell(out.Row(i), &g.cells[min(k, len(g.cells)-1)], rng)
	}
	return out
}

// sampleCell draws from a cell by rejection from the uniform. The polynomial may
// rise above the nodes' highest value towards the cell's edges by a fraction of
// their range.
func (g *Grid) sampleCell(theta []float64, c *cell, rng *rand.Rand) float64 {
	lo, hi := extremes(c.logp)
	if math.IsInf(lo, -1) {
		lo = hi - 2
	}
	envelope := hi + 0.5*(hi-lo) + 0.05
	for {
		for j := range theta {
			theta[j] = c.low[j] + rng.Float64()*c.width[j]
		}
		l := g.interpolate(c, theta)
		if math.IsNaN(l) { // the edge of the target's support crosses the cell
			l = hi
		}
		if math.Log(rng.Float64()) < l-envelope {
			return l
		}
	}
}

// Marginal is one parameter's posterior distribution.
type Marginal struct {
	grid *Grid
	axis int
	// line[k] is, for cell k, the mass per Lagrange polynomial along the axis.
	line [][]float64
}

// Marginal returns the marginal of parameter j.
func (g *Grid) Marginal(j int) *Marginal {
	d, n := len(g.Low), len(g.rule.x)
	m := &Marginal{grid: g, axis: j, line: make([][]float64, len(g.cells))}
	stride := pow(n, d-1-j)
	for k := range g.cells {
		c := &g.cells[k]
		line := make([]float64, n)
		volume := c.volume()
		for i, l := range c.logp {
			at := i / stride % n
			line[at] += volume * g.rule.weight(i, d) / g.rule.w[at] * math.Exp(l)
		}
		m.line[k] = line
	}
	return m
}

// CDF is the probability of a value at most x.
func (m *Marginal) CDF(x float64) float64 {
	r := m.grid.rule
	var buffer [16]float64
	var p float64
	for k := range m.grid.cells {
		c := &m.grid.cells[k]
		t := (x - c.low[m.axis]) / c.width[m.axis]
		switch {
		case t <= 0:
		case t >= 1:
			p += c.mass
		default:
			for i, v := range r.integrate(buffer[:0], t) {
				p += v * m.line[k][i]
			}
		}
	}
	return math.Min(1, math.Max(0, p/m.grid.cumul[len(m.grid.cumul)-1]))
}

// PDF is the density at x, in reciprocal units of the parameter.
func (m *Marginal) PDF(x float64) float64 {
	g := m.grid
	d, n := len(g.Low), len(g.rule.x)
	stride := pow(n, d-1-m.axis)
	var buffer [16]float64
	var p float64
	for k := range g.cells {
		c := &g.cells[k]
		t := (x - c.low[m.axis]) / c.width[m.axis]
		if t < 0 || t >= 1 {
			continue
		}
		basis := g.rule.lagrange(buffer[:0], t)
		across := c.volume() / c.width[m.axis]
		for i := range c.logp {
			if i/stride%n == 0 { // one line of nodes along the axis
				p += across * g.rule.weight(i, d) / g.rule.w[0] * math.Exp(along(c.logp[i:], basis, stride))
			}
		}
	}
	return p / g.cumul[len(g.cumul)-1]
}

// along interpolates the log density on a line of nodes a stride apart.
func along(logp, basis []float64, stride int) float64 {
	var l float64
	for a, b := range basis {
		l += b * logp[a*stride]
	}
	if math.IsNaN(l) { // the edge of the support crosses the line
		return math.Inf(-1)
	}
	return l
}

// Quantile is the value at probability p, by bisection of the CDF.
func (m *Marginal) Quantile(p float64) float64 {
	lo, hi := m.grid.Low[m.axis], m.grid.High[m.axis]
	for range 60 {
		mid := (lo + hi) / 2
		if m.CDF(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// Extent is the interval outside of which the parameter has no cell with mass.
func (m *Marginal) Extent() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for k := range m.grid.cells {
		c := &m.grid.cells[k]
		low = math.Min(low, c.low[m.axis])
		high = math.Max(high, c.low[m.axis]+c.width[m.axis])
	}
	return low, high
}

// Density is the density of parameters i and j, the others integrated out, on
// the points xs × ys, [y][x]: for figures.
func (g *Grid) Density(i, j int, xs, ys []float64) []float64 {
	d, n := len(g.Low), len(g.rule.x)
	out := make([]float64, len(xs)*len(ys))
	strideI, strideJ := pow(n, d-1-i), pow(n, d-1-j)
	var bx, by, line [16]float64
	for k := range g.cells {
		c := &g.cells[k]
		across := c.volume() / (c.width[i] * c.width[j] * g.rule.w[0] * g.rule.w[0])
		for iy, y := range ys {
			ty := (y - c.low[j]) / c.width[j]
			if ty < 0 || ty >= 1 {
				continue
			}
			ly := g.rule.lagrange(by[:0], ty)
			for ix, x := range xs {
				tx := (x - c.low[i]) / c.width[i]
				if tx < 0 || tx >= 1 {
					continue
				}
				lx := g.rule.lagrange(bx[:0], tx)
				for node := range c.logp {
					if node/strideI%n != 0 || node/strideJ%n != 0 {
						continue
					}
					for a := range n {
						line[a] = along(c.logp[node+a*strideI:], ly, strideJ)
					}
					out[iy*len(xs)+ix] += across * g.rule.weight(node, d) * math.Exp(along(line[:n], lx, 1))
				}
			}
		}
	}
	return out
}

// Deviation compares the grid with another target, such as the direct forward
// model behind an interpolated one, at draws of the grid's posterior: the
// standard deviation and the largest of ln target - ln grid about their mean, and
// the Kullback-Leibler divergence grid‖target they imply (half the variance, to
// second order), in nats.
type Deviation struct {
	SD, Max, KL float64
}

// Deviation measures it over n draws.
func (g *Grid) Deviation(target inversion.Target, n int, rng *rand.Rand) Deviation {
	draws := g.Sample(n, rng)
	diff := make([]float64, n)
	var mean float64
	for i := range diff {
		diff[i] = target.LogDensity(draws.Row(i)) - draws.LogProb[i]
		mean += diff[i] / float64(n)
	}
	var out Deviation
	for _, v := range diff {
		e := v - mean
		out.SD += e * e / float64(n)
		out.Max = math.Max(out.Max, math.Abs(e))
	}
	out.KL = out.SD / 2
	out.SD = math.Sqrt(out.SD)
	return out
}
