package reference

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"

	"oceaninv/inversion"
)

// MaxDim is the largest number of parameters of a grid.
const MaxDim = 3

// GridOptions control the adaptive grid.
type GridOptions struct {
	// Cells per parameter of the first, regular division of the box. It must be
	// fine enough that the log density varies between a mode and its neighbouring
	// cells as smoothly as it varies at all; Interpolant.Cells knows.
	Cells []int `json:"cells,omitempty" hcl:"cells,optional"`
	// Nodes of Gauss-Legendre quadrature per parameter and cell.
	Nodes int `json:"nodes" hcl:"nodes,optional"`
	// Range of the log density within a cell, in nats, above which it is cut.
	Range float64 `json:"range" hcl:"range,optional"`
	// Tolerance of the interpolated log density at a cell's centre, in nats.
	Tolerance float64 `json:"tolerance" hcl:"tolerance,optional"`
	// Negligible is the fraction of the total mass below which a cell is left
	// alone, whatever it may hide.
	Negligible float64 `json:"negligible" hcl:"negligible,optional"`
	// MaxEvaluations of the density.
	MaxEvaluations int `json:"max_evaluations" hcl:"max_evaluations,optional"`
}

// DefaultGridOptions finds evidence and marginals to about 1e-4.
func DefaultGridOptions() GridOptions {
	return GridOptions{Nodes: 4, Range: 3, Tolerance: 0.01, Negligible: 1e-7, MaxEvaluations: 4_000_000}
}

// Grid is the exact posterior on adaptive cells: each holds the log density at
// Gauss-Legendre nodes, which integrate it and, by polynomial interpolation of
// the log density, represent it in between.
type Grid struct {
	Low, High []float64
	// LogEvidence is ln ∫ target; LogEvidenceError estimates its error, from the
	// interpolation error at cell centres and the mass that was cut off.
	LogEvidence, LogEvidenceError float64
	Evaluations                   int
	// Exhausted is true when MaxEvaluations stopped the refinement.
	Exhausted bool

	cells  []cell
	rule   *rule
	cumul  []float64 // cumulative mass of cells
	top    float64   // highest log density at a node
	nodesN int       // nodes per cell
}

// cell is a box with the log density at its nodes, later normalised.
type cell struct {
	low, width []float64
	logp       []float64
	errCentre  float64 // of the interpolated log density at the centre
	mass       float64
}

// NewGrid refines a grid over the box [low, high] until it represents the target.
func NewGrid(ctx context.Context, target inversion.Target, low, high []float64, opt GridOptions) (*Grid, error) {
	d := len(low)
	if d < 1 || d > MaxDim || target.Dim() != d || len(high) != d {
		return nil, fmt.Errorf("reference: a grid over %d parameters for a target of %d; 1 to %d are possible", d, target.Dim(), MaxDim)
	}
	if opt.Nodes < 3 || opt.Range <= 0 || opt.Negligible <= 0 {
		return nil, errors.New("reference: a grid needs at least 3 nodes, a positive range and a positive negligible mass")
	}
	g := &Grid{Low: low, High: high, rule: newRule(opt.Nodes), top: math.Inf(-1)}
	g.nodesN = pow(opt.Nodes, d)
	return g, g.refine(ctx, target, g.firstCells(opt), opt)
}

// refine evaluates the pending cells, cuts those that do not represent the target,
// and so on until all do; then it normalises.
func (g *Grid) refine(ctx context.Context, target inversion.Target, pending []cell, opt GridOptions) error {
	for len(pending) > 0 {
		for i := range pending {
			if i%16 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			g.evaluate(target, &pending[i])
		}
		// All cells are looked at again: what a coarse grid took for the total may
		// have been too much.
		pending = g.split(append(g.cells, pending...), opt)
	}
	if math.IsInf(g.top, -1) {
		return errors.New("reference: the target is zero at every node of the grid")
	}
	g.normalise(opt)
	return nil
}

func (g *Grid) firstCells(opt GridOptions) []cell {
	d := len(g.Low)
	per := make([]int, d)
	total := 1
	for j := range per {
		per[j] = 32
		if opt.Cells != nil {
			per[j] = opt.Cells[j]
		}
		total *= per[j]
	}
	cells := make([]cell, total)
	for k := range cells {
		c := cell{low: make([]float64, d), width: make([]float64, d)}
		i := k
		for j := d - 1; j >= 0; j-- {
			c.width[j] = (g.High[j] - g.Low[j]) / float64(per[j])
			c.low[j] = g.Low[j] + float64(i%per[j])*c.width[j]
			i /= per[j]
		}
		cells[k] = c
	}
	return cells
}

// evaluate computes the log density at the cell's nodes and centre.
func (g *Grid) evaluate(target inversion.Target, c *cell) {
	d := len(c.low)
	theta := make([]float64, d)
	c.logp = make([]float64, g.nodesN)
	for i := range c.logp {
		g.node(theta, c, i)
		c.logp[i] = target.LogDensity(theta)
		g.top = math.Max(g.top, c.logp[i])
	}
	for j := range theta {
		theta[j] = c.low[j] + c.width[j]/2
	}
	centre := target.LogDensity(theta)
	g.top = math.Max(g.top, centre)
	c.errCentre = math.Abs(centre - g.interpolate(c, theta))
	if math.IsNaN(c.errCentre) { // -Inf at a node or at the centre
		c.errCentre = math.Inf(1)
	}
	g.Evaluations += g.nodesN + 1
}

// node sets theta to node i of the cell; the last parameter runs fastest.
func (g *Grid) node(theta []float64, c *cell, i int) {
	n := len(g.rule.x)
	for j := len(theta) - 1; j >= 0; j-- {
		theta[j] = c.low[j] + c.width[j]*g.rule.x[i%n]
		i /= n
	}
}

// split keeps the cells that are done and halves the others.
func (g *Grid) split(cells []cell, opt GridOptions) (pending []cell) {
	g.cells = nil
	total := math.Log(g.total(cells))
	for i := range cells {
		c := &cells[i]
		if g.done(c, total, opt) {
			g.cells = append(g.cells, *c)
			continue
		}
		if g.Evaluations+(len(pending)+2)*(g.nodesN+1) > opt.MaxEvaluations {
			g.Exhausted = true
			g.cells = append(g.cells, *c)
			continue
		}
		axis := g.steepest(c)
		for side := range 2 {
			h := cell{low: append([]float64(nil), c.low...), width: append([]float64(nil), c.width...)}
			h.width[axis] /= 2
			h.low[axis] += float64(side) * h.width[axis]
			pending = append(pending, h)
		}
	}
	return pending
}

// total is the mass of cells, relative to exp(top).
func (g *Grid) total(cells []cell) (sum float64) {
	for i := range cells {
		cells[i].mass = g.quadrature(&cells[i])
		sum += cells[i].mass
	}
	return sum
}

// quadrature is the mass of a cell, relative to exp(top).
func (g *Grid) quadrature(c *cell) (sum float64) {
	for i, l := range c.logp {
		sum += g.rule.weight(i, len(c.low)) * math.Exp(l-g.top)
	}
	return c.volume() * sum
}

func (c *cell) volume() float64 {
	v := 1.0
	for _, w := range c.width {
		v *= w
	}
	return v
}

// done reports whether a cell represents the target, or cannot hold more than a
// negligible part of the total mass, whose logarithm relative to exp(top) is given.
func (g *Grid) done(c *cell, total float64, opt GridOptions) bool {
	lo, hi := extremes(c.logp)
	if math.IsInf(hi, -1) || c.width[0] < 1e-12*(g.High[0]-g.Low[0]) {
		return true
	}
	// Between its nodes a density may rise by as much as it is seen to vary: the
	// more it varies, the less a low value says.
	spread := hi - lo
	if math.IsInf(lo, -1) {
		spread = 2 * opt.Range
	}
	if spread <= opt.Range && c.errCentre <= opt.Tolerance {
		return true
	}
	return hi+spread-g.top+math.Log(c.volume()) < total+math.Log(opt.Negligible)
}

// steepest is the axis along which the log density varies most.
func (g *Grid) steepest(c *cell) int {
	n := len(g.rule.x)
	best, axis := -1.0, 0
	stride := 1
	for j := len(c.low) - 1; j >= 0; j-- {
		var vary float64
		for i := range c.logp {
			if i/stride%n == n-1 {
				continue
			}
			step := math.Abs(c.logp[i+stride] - c.logp[i])
			if math.IsNaN(step) {
				step = 0
			}
			vary += math.Min(step, 1e6)
		}
		if vary > best {
			best, axis = vary, j
		}
		stride *= n
	}
	return axis
}

func extremes(v []float64) (lo, hi float64) {
	lo, hi = v[0], v[0]
	for _, x := range v {
		lo, hi = math.Min(lo, x), math.Max(hi, x)
	}
	return lo, hi
}

// normalise turns log densities into those of the posterior and drops the cells
// with negligible mass.
func (g *Grid) normalise(opt GridOptions) {
	total := g.total(g.cells)
	var wrong, sum float64
	kept := g.cells[:0]
	for _, c := range g.cells {
		c.mass /= total
		if c.mass < opt.Negligible/100 {
			wrong += c.mass
			continue
		}
		wrong += c.mass * math.Min(1, c.errCentre)
		kept = append(kept, c)
	}
	g.cells = kept
	g.LogEvidence = g.top + math.Log(total)
	g.LogEvidenceError = wrong
	g.cumul = make([]float64, len(g.cells))
	for i := range g.cells {
		c := &g.cells[i]
		for k := range c.logp {
			c.logp[k] -= g.LogEvidence
		}
		sum += c.mass
		g.cumul[i] = sum
	}
}

// interpolate is the log density in a cell, by the polynomial through its nodes.
func (g *Grid) interpolate(c *cell, theta []float64) float64 {
	var basis [MaxDim][]float64
	var buffer [MaxDim * 16]float64
	n := len(g.rule.x)
	for j := range theta {
		b := buffer[j*n : j*n : (j+1)*n]
		basis[j] = g.rule.lagrange(b, (theta[j]-c.low[j])/c.width[j])
	}
	var sum float64
	for i, l := range c.logp {
		w, k := 1.0, i
		for j := len(theta) - 1; j >= 0; j-- {
			w *= basis[j][k%n]
			k /= n
		}
		sum += w * l
	}
	return sum
}

// rule is Gauss-Legendre quadrature on [0, 1] with the Lagrange polynomials of
// its nodes.
type rule struct {
	x, w []float64
	bary []float64
	// integral[i] are the coefficients, by rising power from 1, of the integral
	// from 0 to t of Lagrange polynomial i.
	integral [][]float64
}

func newRule(n int) *rule {
	if n > 16 {
		panic(fmt.Sprintf("reference: %d nodes per cell; at most 16", n))
	}
	r := &rule{x: make([]float64, n), w: make([]float64, n), bary: make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.x, r.w, 0, 1)
	for i := range n {
		r.bary[i] = 1
		poly := []float64{1}
		for k := range n {
			if k == i {
				continue
			}
			r.bary[i] /= r.x[i] - r.x[k]
			next := make([]float64, len(poly)+1)
			for p, c := range poly {
				next[p+1] += c
				next[p] -= c * r.x[k]
			}
			poly = next
		}
		for p := range poly {
			poly[p] *= r.bary[i] / float64(p+1)
		}
		r.integral = append(r.integral, poly)
	}
	return r
}

// lagrange appends the values at t of the polynomials to b.
func (r *rule) lagrange(b []float64, t float64) []float64 {
	for i := range r.x {
		v := r.bary[i]
		for k := range r.x {
			if k != i {
				v *= t - r.x[k]
			}
		}
		b = append(b, v)
	}
	return b
}

// integrate appends the integrals from 0 to t of the polynomials to b.
func (r *rule) integrate(b []float64, t float64) []float64 {
	for _, poly := range r.integral {
		var v float64
		for p := len(poly) - 1; p >= 0; p-- {
			v = (v + poly[p]) * t
		}
		b = append(b, v)
	}
	return b
}

// weight is the product weight of node i in d dimensions.
func (r *rule) weight(i, d int) float64 {
	w := 1.0
	for range d {
		w *= r.w[i%len(r.w)]
		i /= len(r.w)
	}
	return w
}

func pow(n, d int) int {
	out := 1
	for range d {
		out *= n
	}
	return out
}
