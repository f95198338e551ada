package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"oceaninv/inversion"
)

// C2STOptions control the classifier two-sample test.
type C2STOptions struct {
	// Folds of cross-validation.
	Folds int `json:"folds" hcl:"folds,optional"`
	// Seed of the split into folds.
	Seed uint64 `json:"seed" hcl:"seed,optional"`
}

// DefaultC2STOptions is five-fold cross-validation.
func DefaultC2STOptions() C2STOptions { return C2STOptions{Folds: 5} }

// C2STResult is the outcome of a classifier two-sample test.
type C2STResult struct {
	// Accuracy of the better of the two classifiers on held-out draws: 0.5 when
	// they cannot tell the samples apart, 1 when they always can. The standard
	// error is binomial.
	Accuracy Estimate
	// Neighbours and Quadratic are the accuracies of each.
	Neighbours, Quadratic float64
	// PValue of Accuracy being chance, one-sided, corrected for taking the better.
	PValue float64
}

// C2ST is the classifier two-sample test (Lopez-Paz & Oquab, arXiv 1610.06545) of
// two equally weighted samples of the same size. Two classifiers are held against
// each other, both deterministic given the folds: a vote of the ⌊√n⌋ nearest
// neighbours in standardised and decorrelated parameters, which sees differences
// of shape, and a logistic regression on all monomials to the second degree, which
// is the best there is between normal distributions and sees small differences of
// location, width and correlation. A larger sample is thinned to the size of the
// smaller.
//
// Draws that repeat give themselves away to the neighbours: thin chains and part
// copies first.
func C2ST(a, b *inversion.Draws, opt C2STOptions) C2STResult {
	n := min(a.N(), b.N())
	if opt.Folds < 2 || n < 4*opt.Folds {
		panic(fmt.Sprintf("calibration: C2ST of %d draws in %d folds", n, opt.Folds))
	}
	rng := inversion.Rand(opt.Seed, inversion.DrawStream, 3)
	x, label := pool(a, b, n, rng)
	fold := make([]int, len(x))
	for i := range fold { // pairs, so that each fold holds as many of each sample
		fold[i] = i / 2 % opt.Folds
	}
	neighbours, quadratic := 0, 0
	for k := range opt.Folds {
		var train, test [][]float64
		var want, held []float64
		for i := range x {
			if fold[i] == k {
				test, held = append(test, x[i]), append(held, label[i])
			} else {
				train, want = append(train, x[i]), append(want, label[i])
			}
		}
		neighbours += correct(nearest(train, want, test), held)
		w := logistic(monomials(train), want)
		quadratic += correct(predict(w, monomials(test)), held)
	}
	size := float64(len(x))
	res := C2STResult{Neighbours: float64(neighbours) / size, Quadratic: float64(quadratic) / size}
	best := math.Max(res.Neighbours, res.Quadratic)
	res.Accuracy = Estimate{best, math.Sqrt(best * (1 - best) / size)}
	z := (best - 0.5) / (0.5 / math.Sqrt(size))
	res.PValue = math.Min(1, 2*math.Erfc(z/math.Sqrt2)/2)
	return res
}

// pool interleaves n draws of each sample, decorrelated by the pooled mean and
// covariance.
func pool(a, b *inversion.Draws, n int, rng *rand.Rand) (x [][]float64, label []float64) {
	pa, pb := rng.Perm(a.N())[:n], rng.Perm(b.N())[:n]
	for i := range n {
		x = append(x, slices.Clone(a.Row(pa[i])), slices.Clone(b.Row(pb[i])))
		label = append(label, 0, 1)
	}
	whiten(x)
	return x, label
}

// whiten standardises points in place: location and the inverse Cholesky factor
// of their covariance, robustly by the median and clipped points, so that a few
// outliers do not shrink all others to a dot.
func whiten(x [][]float64) {
	d := len(x[0])
	for j := range d {
		column := make([]float64, len(x))
		for i := range x {
			column[i] = x[i][j]
		}
		slices.Sort(column)
		centre := column[len(column)/2]
		spread := (column[len(column)*84/100] - column[len(column)*16/100]) / 2
		if spread == 0 {
			spread = math.Max(column[len(column)-1]-column[0], 1)
		}
		for i := range x {
			x[i][j] = (x[i][j] - centre) / spread
		}
	}
	cov := mat.NewSymDense(d, nil)
	clip := func(v float64) float64 { return math.Max(-4, math.Min(4, v)) }
	for i := range x {
		for j := range d {
			for k := j; k < d; k++ {
				cov.SetSym(j, k, cov.At(j, k)+clip(x[i][j])*clip(x[i][k])/float64(len(x)))
			}
		}
	}
	for j := range d {
		cov.SetSym(j, j, cov.At(j, j)*(1+1e-9)+1e-12)
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return
	}
	var l mat.TriDense
	chol.LTo(&l)
	for i := range x {
		for j := range d {
			for k := range j {
				x[i][j] -= l.At(j, k) * x[i][k]
			}
			x[i][j] /= l.At(j, j)
		}
	}
}

func correct(p, want []float64) (n int) {
	for i := range p {
		if (p[i] > 0.5) == (want[i] > 0.5) {
			n++
		}
	}
	return n
}

// nearest is the share of label 1 among the nearest training points, ties in the
// vote broken by the nearest of all.
func nearest(train [][]float64, label []float64, test [][]float64) []float64 {
	k := int(math.Sqrt(float64(len(train)))) | 1
	order := make([]int, len(train))
	slices.SortFunc(indices(order), func(a, b int) int { return compare(train[a][0], train[b][0]) })
	out := make([]float64, len(test))
	best := make([]neighbour, 0, k+1)
	for i, x := range test {
		best = nearestOf(best[:0], k, x, train, order)
		var votes float64
		for _, b := range best {
			votes += label[b.index]
		}
		out[i] = votes / float64(len(best))
	}
	return out
}

type neighbour struct {
	distance float64
	index    int
}

// nearestOf scans outward along the first coordinate until it alone is farther than
// the k-th neighbour found.
func nearestOf(best []neighbour, k int, x []float64, train [][]float64, order []int) []neighbour {
	at, _ := slices.BinarySearchFunc(order, x[0], func(i int, v float64) int { return compare(train[i][0], v) })
	left, right := at-1, at
	for left >= 0 || right < len(order) {
		gapLeft, gapRight := math.Inf(1), math.Inf(1)
		if left >= 0 {
			gapLeft = x[0] - train[order[left]][0]
		}
		if right < len(order) {
			gapRight = train[order[right]][0] - x[0]
		}
		gap := math.Min(gapLeft, gapRight)
		if len(best) == k && gap*gap > best[k-1].distance {
			break
		}
		i := right
		if gapLeft < gapRight {
			i = left
			left--
		} else {
			right++
		}
		var d float64
		for j, v := range train[order[i]] {
			d += (v - x[j]) * (v - x[j])
		}
		if len(best) == k && d >= best[k-1].distance {
			continue
		}
		pos, _ := slices.BinarySearchFunc(best, d, func(b neighbour, v float64) int { return compare(b.distance, v) })
		best = slices.Insert(best, pos, neighbour{d, order[i]})
		if len(best) > k {
			best = best[:k]
		}
	}
	return best
}

func indices(order []int) []int {
	for i := range order {
		order[i] = i
	}
	return order
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// monomials are 1, x_i and x_i x_j of each point, clipped to a range in which they
// cannot run away.
func monomials(x [][]float64) *mat.Dense {
	d := len(x[0])
	width := 1 + d + d*(d+1)/2
	out := mat.NewDense(len(x), width, nil)
	for i, p := range x {
		row := out.RawRowView(i)
		row[0] = 1
		k := 1
		for j := range d {
			row[k] = math.Max(-8, math.Min(8, p[j]))
			k++
		}
		for j := range d {
			for q := j; q < d; q++ {
				row[k] = row[1+j] * row[1+q]
				k++
			}
		}
	}
	return out
}

// logistic fits a logistic regression by Newton's method with a small ridge.
func logistic(x *mat.Dense, label []float64) []float64 {
	n, d := x.Dims()
	w := make([]float64, d)
	ridge := 1e-3 * float64(n) / 100
	hessian := make([]float64, d*d) // its upper triangle, all that is read
	for range 30 {
		clear(hessian)
		g := mat.NewVecDense(d, nil)
		for j := range d {
			hessian[j*d+j] = ridge
			g.SetVec(j, -ridge*w[j])
		}
		p := predict(w, x)
		for i := range n {
			accumulate(hessian, g.RawVector().Data, x.RawRowView(i), math.Max(p[i]*(1-p[i]), 1e-10), label[i]-p[i])
		}
		h := mat.NewSymDense(d, hessian)
		var chol mat.Cholesky
		var step mat.VecDense
		if !chol.Factorize(h) || chol.SolveVecTo(&step, g) != nil {
			break
		}
		size := mat.Norm(&step, 2)
		shrink := math.Min(1, 5/size) // far from the optimum Newton overshoots
		for j := range w {
			w[j] += shrink * step.AtVec(j)
		}
		if size < 1e-8 {
			break
		}
	}
	return w
}

// accumulate adds weight·row·rowᵀ to the upper triangle of h and residual·row to g.
func accumulate(h, g, row []float64, weight, residual float64) {
	d := len(row)
	for j, r := range row {
		g[j] += residual * r
		r *= weight
		upper := h[j*d+j : (j+1)*d]
		for k, q := range row[j:] {
			upper[k] += r * q
		}
	}
}

func predict(w []float64, x *mat.Dense) []float64 {
	n, _ := x.Dims()
	out := make([]float64, n)
	for i := range out {
		var s float64
		for j, v := range x.RawRowView(i) {
			s += w[j] * v
		}
		out[i] = 1 / (1 + math.Exp(-s))
	}
	return out
}
