package reference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
)

// InterpolantOptions control the interpolation of a field over the prior.
type InterpolantOptions struct {
	// Tolerance is the largest error of any datum in units of its noise standard
	// deviation, as bounded by the expansion's last coefficients. The log
	// likelihood is then off by about Tolerance·√(2·data).
	Tolerance float64 `json:"tolerance" hcl:"tolerance,optional"`
	// Nodes per parameter and panel.
	Nodes int `json:"nodes" hcl:"nodes,optional"`
	// MaxSolves bounds the forward solves; the panels that are still too coarse
	// stay so, and the measured error says what that costs.
	MaxSolves int `json:"max_solves" hcl:"max_solves,optional"`
	// Checks is the number of points at which the error is measured afterwards
	// against direct solves.
	Checks int `json:"checks" hcl:"checks,optional"`
	// Workers solve at the same time; 0 is one per processor. Results do not
	// depend on it.
	Workers int `json:"-"`
}

// DefaultInterpolantOptions bounds the tail of every datum by a twentieth of its
// noise; the error of a smooth field is then some tenfold smaller still.
func DefaultInterpolantOptions() InterpolantOptions {
	return InterpolantOptions{Tolerance: 0.05, Nodes: 10, MaxSolves: 40000, Checks: 200}
}

// Interpolant is a forward model replaced by piecewise Chebyshev expansions over
// the prior's extent: panels, bisected where the expansion's tail is too large.
// It costs microseconds where a solve costs milliseconds, and serves any number
// of observations. It is immutable; NewForward gives each goroutine a Forward.
type Interpolant struct {
	low, high []float64
	edges     [][]float64 // of the first, regular division
	panels    []panel
	nodes     int
	data      int
	scale     []float64
	Solves    int
	// Error is the largest error found at the check points, RMSError the root
	// mean square over check points and data, both in noise standard deviations.
	Error, RMSError float64
	// Unresolved counts the panels left too coarse by MaxSolves, Rough those on
	// which the field jumps or bends, so that no bisection helps.
	Unresolved, Rough int
}

// panel is a node of a binary tree: a leaf has coefficients, a branch has two
// children across its cut.
type panel struct {
	low, high []float64
	coef      []complex128 // [node]...[node][datum]
	axis      int          // -1 for a leaf
	cut       float64
	child     [2]int
	// tail is the parent's along the axis of its cut, across.
	tail   float64
	across int
}

// NewInterpolant builds the interpolant of forward models made by newForward.
// scale is the noise standard deviation of every datum, in the data layout.
func NewInterpolant(ctx context.Context, newForward func() (inversion.Forward, error), prior *inversion.Prior, scale []float64, opt InterpolantOptions) (*Interpolant, error) {
	d := prior.Dim()
	if d > MaxDim {
		return nil, fmt.Errorf("reference: interpolation over %d parameters; at most %d", d, MaxDim)
	}
	if opt.Nodes < 4 || opt.Tolerance <= 0 {
		return nil, errors.New("reference: interpolation needs at least 4 nodes and a positive tolerance")
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	b := &builder{
		it:  &Interpolant{nodes: opt.Nodes, data: len(scale), scale: scale},
		opt: opt, ctx: ctx,
	}
	for j := range d {
		lo, hi := prior.Marginals[j].Extent()
		b.it.low, b.it.high = append(b.it.low, lo), append(b.it.high, hi)
	}
	for range opt.Workers {
		f, err := newForward()
		if err != nil {
			return nil, err
		}
		b.forwards = append(b.forwards, f)
	}
	if err := b.divide(); err != nil {
		return nil, err
	}
	if err := b.refine(); err != nil {
		return nil, err
	}
	return b.it, b.check()
}

// Bounds is the box over which the interpolant is defined.
func (it *Interpolant) Bounds() (low, high []float64) { return it.low, it.high }

// Cells is a division of the box, per parameter, fine enough that a posterior's
// modes show between neighbouring cells: two to a panel, of the width that all
// but a twentieth of the box's volume exceeds. (Along a discontinuity of the field
// panels are as narrow as MaxSolves lets them be; that says nothing of its scale.)
func (it *Interpolant) Cells() []int {
	cells := make([]int, len(it.low))
	for j := range cells {
		width := it.typicalWidth(j)
		cells[j] = max(4, int(math.Ceil(2*(it.high[j]-it.low[j])/width)))
	}
	return cells
}

// typicalWidth is the 5 % quantile, by volume, of the panels' widths along axis j.
func (it *Interpolant) typicalWidth(j int) float64 {
	type part struct{ width, volume float64 }
	var parts []part
	total := 0.0
	for i := range it.panels {
		p := &it.panels[i]
		if p.axis >= 0 {
			continue
		}
		v := 1.0
		for k := range p.low {
			v *= p.high[k] - p.low[k]
		}
		parts = append(parts, part{p.high[j] - p.low[j], v})
		total += v
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.width, b.width) })
	sum := 0.0
	for _, p := range parts {
		if sum += p.volume; sum >= 0.05*total {
			return p.width
		}
	}
	return parts[len(parts)-1].width
}

// NewForward returns a forward model that evaluates the interpolant; outside the
// box it reports an error.
func (it *Interpolant) NewForward() inversion.Forward {
	return &interpolated{it: it, t: make([]float64, len(it.low)*it.nodes)}
}

type interpolated struct {
	it *Interpolant
	t  []float64
}

// Predict sums the panel's expansion.
func (f *interpolated) Predict(dst []complex128, theta []float64) error {
	it := f.it
	for j, v := range theta {
		if !(v >= it.low[j] && v <= it.high[j]) {
			return fmt.Errorf("reference: parameter %d = %g is outside the interpolated box [%g, %g]", j, v, it.low[j], it.high[j])
		}
	}
	p := it.find(theta)
	for j, v := range theta {
		chebyshev(f.t[j*it.nodes:(j+1)*it.nodes], (2*v-p.low[j]-p.high[j])/(p.high[j]-p.low[j]))
	}
	clear(dst)
	sumExpansion(dst, p.coef, f.t, it.nodes, len(theta), 1)
	return nil
}

// sumExpansion adds weight·Σ coef·ΠT over the remaining d dimensions to dst and
// returns what is left of coef.
func sumExpansion(dst, coef []complex128, t []float64, nodes, d int, weight float64) []complex128 {
	if d == 0 {
		w := weight
		for i, c := range coef[:len(dst)] {
			dst[i] += complex(w*real(c), w*imag(c))
		}
		return coef[len(dst):]
	}
	for _, v := range t[:nodes] {
		coef = sumExpansion(dst, coef, t[nodes:], nodes, d-1, weight*v)
	}
	return coef
}

// chebyshev sets t to T_0(x) ... T_{n-1}(x).
func chebyshev(t []float64, x float64) {
	t[0], t[1] = 1, x
	for k := 2; k < len(t); k++ {
		t[k] = 2*x*t[k-1] - t[k-2]
	}
}

// find is the leaf that holds theta.
func (it *Interpolant) find(theta []float64) *panel {
	k := 0
	for j, v := range theta {
		e := it.edges[j]
		i, found := slices.BinarySearch(e, v)
		if !found {
			i--
		}
		k = k*(len(e)-1) + min(max(i, 0), len(e)-2)
	}
	p := &it.panels[k]
	for p.axis >= 0 {
		side := 0
		if theta[p.axis] > p.cut {
			side = 1
		}
		p = &it.panels[p.child[side]]
	}
	return p
}

// builder holds what building needs and the interpolant does not.
type builder struct {
	it       *Interpolant
	opt      InterpolantOptions
	ctx      context.Context
	forwards []inversion.Forward
}

// solve runs the forward model at n points: point sets theta of point i, use
// takes its field. Points are spread over the workers.
func (b *builder) solve(n int, point func(i int, theta []float64), use func(i int, field []complex128)) error {
	b.it.Solves += n
	g, ctx := errgroup.WithContext(b.ctx)
	w := len(b.forwards)
	for k := range w {
		g.Go(func() error {
			theta := make([]float64, len(b.it.low))
			field := make([]complex128, b.it.data)
			for i := k; i < n; i += w {
				if err := ctx.Err(); err != nil {
					return err
				}
				point(i, theta)
				if err := b.forwards[k].Predict(field, theta); err != nil {
					return fmt.Errorf("reference: forward model at %v: %w", theta, err)
				}
				use(i, field)
			}
			return nil
		})
	}
	return g.Wait()
}

// divide makes the first, regular panels: along each axis, through a few places
// of the box, the number of equal parts that resolves the field; fewer if they would
// take more than MaxSolves.
func (b *builder) divide() error {
	d := len(b.it.low)
	parts := make([]int, d)
	panels := 1
	for j := range d {
		for parts[j] = 1; parts[j] < 64; parts[j] *= 2 {
			tail, err := b.lineTail(j, parts[j])
			if err != nil {
				return err
			}
			if tail <= b.opt.Tolerance {
				break
			}
		}
		panels *= parts[j]
	}
	for panels > 1 && b.it.Solves+panels*pow(b.it.nodes, d) > b.opt.MaxSolves {
		j := slices.Index(parts, slices.Max(parts))
		parts[j] /= 2
		panels /= 2
	}
	b.it.edges = make([][]float64, d)
	for j, n := range parts {
		b.it.edges[j] = divided(b.it.low[j], b.it.high[j], n)
	}
	return nil
}

// lineTail is the median of the expansion tails on three lines along axis
// j cut in parts, sampled on at most four of the parts of each. (The largest would
// let jumps of the field set the scale of the whole.)
func (b *builder) lineTail(j, parts int) (float64, error) {
	n, d := b.it.nodes, len(b.it.low)
	lines := []float64{0.15, 0.5, 0.85}
	var picks []int
	for i := range min(parts, 4) {
		picks = append(picks, i*(parts-1)/max(1, min(parts, 4)-1))
	}
	values := make([][]complex128, len(lines)*len(picks))
	for i := range values {
		values[i] = make([]complex128, n*b.it.data)
	}
	err := b.solve(len(values)*n, func(i int, theta []float64) {
		line, part := lines[i/n/len(picks)], picks[i/n%len(picks)]
		for k := range d {
			theta[k] = b.it.low[k] + line*(b.it.high[k]-b.it.low[k])
		}
		x := (1 + chebyshevNode(i%n, n)) / 2
		theta[j] = b.it.low[j] + (float64(part)+x)/float64(parts)*(b.it.high[j]-b.it.low[j])
	}, func(i int, field []complex128) {
		copy(values[i/n][i%n*b.it.data:], field)
	})
	if err != nil {
		return 0, err
	}
	tail := make([]float64, len(values))
	for i, v := range values {
		transform(v, n, 1, b.it.data)
		tail[i] = tails(v, n, 1, b.it.scale)[0]
	}
	slices.Sort(tail)
	return tail[len(tail)/2], nil
}

// refine fills the regular panels and bisects those whose tail is too large.
func (b *builder) refine() error {
	it := b.it
	regular := 1
	for _, e := range it.edges {
		regular *= len(e) - 1
	}
	for k := range regular {
		p := panel{axis: -1}
		p.low, p.high = make([]float64, len(it.edges)), make([]float64, len(it.edges))
		for j := len(it.edges) - 1; j >= 0; j-- {
			parts := len(it.edges[j]) - 1
			p.low[j], p.high[j] = it.edges[j][k%parts], it.edges[j][k%parts+1]
			k /= parts
		}
		it.panels = append(it.panels, p)
	}
	first := 0
	for first < len(it.panels) {
		level := len(it.panels)
		if err := b.fill(first, level); err != nil {
			return err
		}
		for k := first; k < level; k++ {
			b.bisect(k)
		}
		first = level
	}
	return nil
}

// fill computes the expansions of panels first to last.
func (b *builder) fill(first, last int) error {
	it := b.it
	d := len(it.low)
	per := pow(it.nodes, d)
	for k := first; k < last; k++ {
		it.panels[k].coef = make([]complex128, per*it.data)
	}
	err := b.solve((last-first)*per, func(i int, theta []float64) {
		p := &it.panels[first+i/per]
		node := i % per
		for j := d - 1; j >= 0; j-- {
			x := chebyshevNode(node%it.nodes, it.nodes)
			theta[j] = (p.low[j] + p.high[j] + x*(p.high[j]-p.low[j])) / 2
			node /= it.nodes
		}
	}, func(i int, field []complex128) {
		copy(it.panels[first+i/per].coef[i%per*it.data:], field)
	})
	if err != nil {
		return err
	}
	for k := first; k < last; k++ {
		transform(it.panels[k].coef, it.nodes, d, it.data)
	}
	return nil
}

// bisect cuts panel k across the axis with the largest tail if that is too large.
func (b *builder) bisect(k int) {
	it := b.it
	d := len(it.low)
	tail := tails(it.panels[k].coef, it.nodes, d, it.scale)
	axis := 0
	for j := range tail {
		if tail[j] > tail[axis] {
			axis = j
		}
	}
	if tail[axis] <= b.opt.Tolerance {
		return
	}
	if b.rough(&it.panels[k], tail) {
		it.Rough++
		return
	}
	per := pow(it.nodes, d)
	planned := it.Solves
	for i := len(it.panels) - 1; i >= 0 && it.panels[i].coef == nil; i-- {
		planned += per
	}
	if planned+2*per > b.opt.MaxSolves {
		it.Unresolved++
		return
	}
	p := &it.panels[k]
	p.axis, p.cut = axis, (p.low[axis]+p.high[axis])/2
	p.coef = []complex128{} // filled once: a branch, not a panel yet to fill
	p.child = [2]int{len(it.panels), len(it.panels) + 1}
	for side := range 2 {
		c := panel{low: slices.Clone(p.low), high: slices.Clone(p.high), axis: -1,
			tail: tail[axis], across: axis}
		if side == 0 {
			c.high[axis] = p.cut
		} else {
			c.low[axis] = p.cut
		}
		it.panels = append(it.panels, c)
		p = &it.panels[k] // append may have moved it
	}
}

// rough reports whether the last halving did not help. The tail of a smooth field
// falls by about 2^Nodes when a panel is halved across its axis; that it does not
// fall fourfold is the mark of a discontinuity, which could swallow any number of
// solves.
func (b *builder) rough(p *panel, tail []float64) bool {
	return p.tail > 0 && tail[p.across] > p.tail/4
}

// chebyshevNode is the i-th zero of T_n.
func chebyshevNode(i, n int) float64 {
	return math.Cos(math.Pi * (float64(i) + 0.5) / float64(n))
}

// transform turns values at the Chebyshev nodes into coefficients of T_k, along
// each of d axes of n nodes, in place: c_k = (2-δ_k0)/n Σ_i v_i cos(πk(i+½)/n).
func transform(v []complex128, n, d, data int) {
	table := make([]float64, n*n)
	for k := range n {
		for i := range n {
			w := 2 / float64(n)
			if k == 0 {
				w = 1 / float64(n)
			}
			table[k*n+i] = w * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n))
		}
	}
	line := make([]complex128, n)
	stride := data
	for range d {
		for start := range len(v) {
			if start/stride%n != 0 {
				continue
			}
			for k := range n {
				var sum complex128
				for i := range n {
					c := v[start+i*stride]
					w := table[k*n+i]
					sum += complex(w*real(c), w*imag(c))
				}
				line[k] = sum
			}
			for k := range n {
				v[start+k*stride] = line[k]
			}
		}
		stride *= n
	}
}

// tails estimates, per axis, the truncation error of an expansion in units of
// scale: the root sum of squares, over the other axes, of the last two
// coefficients along it, at the worst datum.
func tails(coef []complex128, n, d int, scale []float64) []float64 {
	data := len(scale)
	out := make([]float64, d)
	sum := make([]float64, data)
	stride := 1 // in nodes; the last axis runs fastest
	for j := d - 1; j >= 0; j-- {
		clear(sum)
		for node := range len(coef) / data {
			if node/stride%n < n-2 {
				continue
			}
			for i, c := range coef[node*data : (node+1)*data] {
				sum[i] += real(c)*real(c) + imag(c)*imag(c)
			}
		}
		for i, s := range sum {
			out[j] = math.Max(out[j], math.Sqrt(s)/scale[i])
		}
		stride *= n
	}
	return out
}

// check measures the error against direct solves at points of a Sobol design.
func (b *builder) check() error {
	it := b.it
	if b.opt.Checks == 0 {
		return nil
	}
	box := &inversion.Prior{}
	for j := range it.low {
		box.Marginals = append(box.Marginals, inversion.Marginal{Kind: inversion.Uniform, Low: it.low[j], High: it.high[j]})
	}
	design, err := inversion.NewDesign(inversion.SobolDesign, box, 0)
	if err != nil {
		return err
	}
	worst := make([]float64, b.opt.Checks)
	square := make([]float64, b.opt.Checks)
	solves := it.Solves
	err = b.solve(b.opt.Checks, func(i int, theta []float64) { design.Theta(theta, i) },
		func(i int, field []complex128) {
			theta := make([]float64, len(it.low))
			design.Theta(theta, i)
			approx := make([]complex128, it.data)
			if it.NewForward().Predict(approx, theta) != nil {
				worst[i] = math.Inf(1)
				return
			}
			for k := range field {
				e := approx[k] - field[k]
				r := math.Hypot(real(e), imag(e)) / it.scale[k]
				worst[i] = math.Max(worst[i], r)
				square[i] += r * r / float64(it.data)
			}
		})
	it.Solves = solves // checks are not part of the cost bounded by MaxSolves
	if err != nil {
		return err
	}
	it.Error = slices.Max(worst)
	var sum float64
	for _, s := range square {
		sum += s
	}
	it.RMSError = math.Sqrt(sum / float64(len(square)))
	return nil
}
