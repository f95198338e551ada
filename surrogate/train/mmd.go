package train

import (
	"math"

	"oceaninv/surrogate/nn"
)

// MMD is the squared maximum mean discrepancy between two samples with a sum of inverse multiquadric kernels
//
//	k(d²) = Σ_i C_i^{a_i} ((C_i + d²)/a_i)^{-a_i},
//
// all pairs included (the biased V-statistic, never negative). C is Scales, a is Exponents.
type MMD struct {
	Scales    []float64 `hcl:"scales,optional" json:"scales"`
	Exponents []float64 `hcl:"exponents,optional" json:"exponents"`
}

// DefaultMMD is the kernel of the authors' displaced-latent notebook: C = 0.2 and a = 0.1, 0.5, 2.
func DefaultMMD() MMD { return MMD{Scales: []float64{.2, .2, .2}, Exponents: []float64{.1, .5, 2}} }

// Kernel returns k(d²) and its derivative with respect to d².
func (o MMD) Kernel(sq float64) (k, slope float64) {
	for i, c := range o.Scales {
		a := o.Exponents[i]
		v := math.Pow(c, a) * math.Pow((c+sq)/a, -a)
		k += v
		slope -= a * v / (c + sq)
	}
	return k, slope
}

// MMDWorkspace evaluates [MMD] for samples of fixed sizes without allocating.
type MMDWorkspace[T nn.Float] struct {
	pool      *Pool
	opt       MMD
	n, m, dim int
	x, y, dx  nn.Matrix[T]
	weight    float64
	logc      []float64
	hx, hy    []T
	sums      [3 * sinkhornPieces]float64 // XX, XY, YY by piece
	scratch   [sinkhornPieces]mmdScratch[T]
	task      func(piece int)
}

// mmdScratch holds, for one block of rows, squared distances, their logarithms, one term and the total slope.
type mmdScratch[T nn.Float] struct {
	dist, log, term, slope []T
	rowSum                 []T
}

// NewMMDWorkspace prepares for n points against m points in dim dimensions, the work shared by pool.
func NewMMDWorkspace[T nn.Float](opt MMD, pool *Pool, n, m, dim int) *MMDWorkspace[T] {
	if n < 1 || m < 1 || dim < 1 || len(opt.Scales) == 0 || len(opt.Scales) != len(opt.Exponents) {
		panic("train: MMD needs points and as many kernel scales as exponents")
	}
	w := &MMDWorkspace[T]{pool: pool, opt: opt, n: n, m: m, dim: dim, hx: make([]T, n), hy: make([]T, m)}
	rows := (max(n, m) + sinkhornPieces - 1) / sinkhornPieces
	for i := range w.scratch {
		size := rows * max(n, m)
		w.scratch[i] = mmdScratch[T]{make([]T, size), make([]T, size), make([]T, size), make([]T, size), make([]T, rows)}
	}
	w.task = w.piece
	return w
}

// Eval returns weight·MMD²(X, Y) and adds weight·∂MMD²/∂X to dx. x and dx are n×dim, y is m×dim.
func (w *MMDWorkspace[T]) Eval(weight float64, x, y, dx nn.Matrix[T]) float64 {
	sameShape(x, dx)
	if x.Rows != w.n || y.Rows != w.m || x.Cols != w.dim || y.Cols != w.dim {
		panic("train: samples do not fit the MMD workspace")
	}
	w.x, w.y, w.dx, w.weight = x, y, dx, weight
	rowHalfNorms(w.hx, x)
	rowHalfNorms(w.hy, y)
	w.pool.Run(sinkhornPieces, w.task)
	n, m := float64(w.n), float64(w.m)
	total := 0.0
	for i := range sinkhornPieces {
		total += w.sums[3*i]/(n*n) - 2*w.sums[3*i+1]/(n*m) + w.sums[3*i+2]/(m*m)
	}
	return weight * total
}

func rowHalfNorms[T nn.Float](h []T, x nn.Matrix[T]) {
	for i := range h {
		s := 0.0
		for _, v := range x.Row(i) {
			s += float64(v) * float64(v)
		}
		h[i] = T(s / 2)
	}
}

func (w *MMDWorkspace[T]) piece(k int) {
	n, m := float64(w.n), float64(w.m)
	from, to := pieceRange(w.n, sinkhornPieces, k)
	w.sums[3*k] = w.pairs(k, w.x, w.hx, w.x, w.hx, from, to, 4*w.weight/(n*n))
	w.sums[3*k+1] = w.pairs(k, w.x, w.hx, w.y, w.hy, from, to, -4*w.weight/(n*m))
	from, to = pieceRange(w.m, sinkhornPieces, k)
	w.sums[3*k+2] = w.pairs(k, w.y, w.hy, w.y, w.hy, from, to, 0)
}

// pairs returns Σ k over the rows [from, to) of a against all of b and, if scale is not zero, adds
// scale·Σ_j k'(d²)(a_i - b_j) to the rows of dx. The scale of ∂(Σ k)/∂x is 2, doubled within one sample because
// each pair occurs twice.
func (w *MMDWorkspace[T]) pairs(k int, a nn.Matrix[T], ha []T, b nn.Matrix[T], hb []T, from, to int, scale float64) float64 {
	rows, cols := to-from, len(hb)
	if rows == 0 {
		return 0
	}
	s := &w.scratch[k]
	d, l, t, g := s.dist[:rows*cols], s.log[:rows*cols], s.term[:rows*cols], s.slope[:rows*cols]
	nn.Gemm(false, true, rows, cols, w.dim, 1, a.Data[from*a.Stride:], a.Stride, b.Data, b.Stride, 0, d, cols)
	nn.HalfDistRows(d, ha[from:to], hb, rows, cols)
	clear(g)
	total := 0.0
	for q, c := range w.opt.Scales {
		total += w.term(d, l, t, g, c, w.opt.Exponents[q])
	}
	if scale != 0 {
		w.pullBack(s.rowSum[:rows], g, b, from, rows, cols, T(scale))
	}
	return total
}

// term adds one kernel's slopes to g and returns the sum of its values: with u = C + d²,
// k = exp(a ln(aC) - a ln u) and k' = -a k/u.
func (w *MMDWorkspace[T]) term(half, l, t, g []T, c, a float64) float64 {
	for i, v := range half {
		l[i] = T(c) + 2*v
	}
	nn.Log(t, l)
	shift := T(a * math.Log(a*c))
	for i, v := range t {
		t[i] = shift - T(a)*v
	}
	nn.Exp(t, t)
	s := 0.0
	for i, v := range t {
		s += float64(v)
		g[i] -= T(a) * v / l[i]
	}
	return s
}

func (w *MMDWorkspace[T]) pullBack(rowSum, g []T, b nn.Matrix[T], from, rows, cols int, scale T) {
	for i := range rows {
		sum := 0.0
		for _, v := range g[i*cols : (i+1)*cols] {
			sum += float64(v)
		}
		rowSum[i] = T(sum)
	}
	nn.Gemm(false, false, rows, w.dim, cols, -scale, g, cols, b.Data, b.Stride, 1, w.dx.Data[from*w.dx.Stride:], w.dx.Stride)
	for i := range rows {
		nn.Axpy(w.dx.Row(from+i), scale*rowSum[i], w.x.Row(from+i))
	}
}
