package analytic

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// rational continues tabulated values to the complex plane: a rational function in
// barycentric form, N(s)/D(s) with N = Σ w_j r_j/(s-s_j), D = Σ w_j/(s-s_j), fitted
// to the whole table by the AAA algorithm (Nakatsukasa, Sète & Trefethen, SIAM J.
// Sci. Comput. 40 (2018) A1494).
type rational struct {
	nodes   []float64 // s
	values  []complex128
	weights []complex128
}

// A fit stops at fitTolerance or the table's own noise, or at maxNodes; worse than
// fitLimit it is refused. It weighs maxRows rows at most.
const (
	fitTolerance = 1e-9
	fitLimit     = 1e-3
	maxNodes     = 40
	maxRows      = 400
	patience     = 6 // nodes that do not halve the misfit: what is left is noise
)

// fit is the AAA algorithm: the worst-fitted angle becomes a node, the weights are
// the right singular vector of the Loewner matrix with the smallest singular value.
func (t *rational) fit(s []float64, r []complex128) error {
	free := make(map[int]bool, len(s))
	var mean complex128
	for i := range s {
		free[i] = true
		mean += r[i] / complex(float64(len(s)), 0)
	}
	misfit := func(i int) float64 { return cmplx.Abs(mean - r[i]) }
	best, bestWorst := rational{}, math.Inf(1)
	tolerance := max(fitTolerance, 20*noise(r))
	for {
		worst, at := -1.0, -1
		for i := range s {
			if free[i] && misfit(i) > worst {
				worst, at = misfit(i), i
			}
		}
		if len(t.nodes) > 0 && worst < bestWorst/2 {
			best, bestWorst = rational{slices.Clone(t.nodes), slices.Clone(t.values), t.weights}, worst
		}
		if at < 0 || len(t.nodes) > 0 && (worst <= tolerance || len(t.nodes) == maxNodes || 2*len(t.nodes) >= len(s) ||
			len(t.nodes) >= len(best.nodes)+patience) {
			if bestWorst > fitLimit {
				return fmt.Errorf("the table bends too sharply between its points or is too noisy: a rational function of %d nodes misses it by %.1g", len(t.nodes), bestWorst)
			}
			*t = best
			return nil
		}
		delete(free, at)
		t.nodes, t.values = append(t.nodes, s[at]), append(t.values, r[at])
		t.weigh(s, r, free)
		misfit = func(i int) float64 {
			d, n, _ := t.parts(complex(s[i], 0))
			return cmplx.Abs(n/d - r[i])
		}
	}
}

// noise estimates the rounding of a table: the median of its sixth differences,
// which leave nothing of a smooth function, over the root of the sum of their
// squared coefficients (924). Fitting noise would make poles and false modes.
func noise(r []complex128) float64 {
	d := slices.Clone(r)
	for order := 0; order < 6 && len(d) > 1; order++ {
		for i := range len(d) - 1 {
			d[i] = d[i+1] - d[i]
		}
		d = d[:len(d)-1]
	}
	sizes := make([]float64, len(d))
	for i := range d {
		sizes[i] = cmplx.Abs(d[i])
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2] / math.Sqrt(924)
}

// weigh sets the weights. A complex matrix is the real one [[Re, -Im], [Im, Re]].
func (t *rational) weigh(s []float64, r []complex128, free map[int]bool) {
	m := len(t.nodes)
	rows := make([]int, 0, len(free))
	for i := range s {
		if free[i] {
			rows = append(rows, i)
		}
	}
	if n := len(rows); n > maxRows { // evenly, which leaves more than enough
		for i := range maxRows {
			rows[i] = rows[i*n/maxRows]
		}
		rows = rows[:maxRows]
	}
	n := max(len(rows), m)
	a := mat.NewDense(2*n, 2*m, nil)
	for i, row := range rows {
		for j := range t.nodes {
			v := (r[row] - t.values[j]) / complex(s[row]-t.nodes[j], 0)
			a.Set(i, j, real(v))
			a.Set(i, m+j, -imag(v))
			a.Set(n+i, j, imag(v))
			a.Set(n+i, m+j, real(v))
		}
	}
	var svd mat.SVD
	t.weights = make([]complex128, m)
	if !svd.Factorize(a, mat.SVDThinV) {
		panic("modes: the singular values of a table of reflection coefficients do not converge")
	}
	var v mat.Dense
	svd.VTo(&v)
	for j := range t.weights {
		t.weights[j] = complex(v.At(j, 2*m-1), v.At(m+j, 2*m-1))
	}
}

// parts are denominator and numerator of the interpolant times Π(s-s_j), over
// exp(scale).
func (t *rational) parts(s complex128) (denominator, numerator complex128, scale float64) {
	product := complex128(1)
	for j, node := range t.nodes {
		distance := s - complex(node, 0)
		if cmplx.Abs(distance) < 1e-13 {
			distance = 1e-13
		}
		term := t.weights[j] / distance
		denominator += term
		numerator += term * t.values[j]
		product *= distance
		if size := cmplx.Abs(product); size < 1e-100 || size > 1e100 {
			scale += math.Log(size)
			product /= complex(size, 0)
		}
	}
	return denominator * product, numerator * product, scale
}
