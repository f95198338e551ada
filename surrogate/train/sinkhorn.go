package train

import (
	"math"

	"oceaninv/surrogate/nn"
)

// Sinkhorn is the debiased entropic transport divergence between two samples of equal weights
// (Feydy et al., AISTATS 2019, eq. 3), with cost ½‖x-y‖² and ε = Blur²:
//
//	S_ε(X, Y) = OT_ε(X, Y) - ½ OT_ε(X, X) - ½ OT_ε(Y, Y)
//
// The potentials come from symmetric, averaged Sinkhorn iterations in the log domain while ε falls from the
// squared diameter of the points to Blur² by the factor Scaling² per iteration (ε scaling), then one full
// iteration at the final ε. The gradient is the envelope theorem's: that of the last iteration with the
// potentials it started from held fixed. As ε→0, S tends to half the squared 2-Wasserstein distance; as ε→∞, to
// half the squared distance of the means, so a blur beyond the data's spread matches means only.
type Sinkhorn struct {
	Blur    float64 `hcl:"blur,optional" json:"blur"`       // sqrt(ε), in the units of the data
	Scaling float64 `hcl:"scaling,optional" json:"scaling"` // ratio of successive sqrt(ε), in (0, 0.999]
}

// DefaultSinkhorn is what the authors' Wasserstein runs use: blur 0.01, scaling ½.
func DefaultSinkhorn() Sinkhorn { return Sinkhorn{Blur: 0.01, Scaling: 0.5} }

// maxScaling bounds the number of iterations: at 0.999 there are 1151 per decade of sqrt(ε).
const maxScaling = 0.999

// sinkhornPieces is the number of row blocks the work is cut in; it does not depend on the machine.
const sinkhornPieces = 8

// SinkhornWorkspace evaluates [Sinkhorn] for samples of fixed sizes without allocating.
type SinkhornWorkspace[T nn.Float] struct {
	pool      *Pool
	opt       Sinkhorn
	n, m, dim int
	x, y      []T // centred copies
	hx, hy    []T // half squared norms
	lo, hi    []T // box of all points
	sum       []float64
	sides     [4]transportSide[T]
	eps       []float64
	polish    int // more iterations at the final ε, for tests that need converged potentials

	run, stage func(piece int)
	costs      func(piece int)
	softmins   func(piece int)
	gradients  func(piece int)
	scale      T // 1/ε of the iteration under way
	weight     T
	dx         nn.Matrix[T]
}

// The four problems of a divergence; each gives one potential over its rows.
const (
	sideXY = iota // rows X, columns Y
	sideYX
	sideXX
	sideYY
)

// transportSide is one problem: for each row the soft minimum over the columns of cost less potential.
type transportSide[T nn.Float] struct {
	a, ha, b, hb []T // row and column points with their half norms
	cost         []T
	potential    []T // by row
	fresh        []T // by row, the soft minimum just computed
	exponent     []T // by column: ln weight + column potential/ε
	lse          []T // by row: -fresh/ε
}

func newTransportSide[T nn.Float](a, ha, b, hb []T) transportSide[T] {
	r, c := len(ha), len(hb)
	return transportSide[T]{a: a, ha: ha, b: b, hb: hb, cost: make([]T, r*c), potential: make([]T, r),
		fresh: make([]T, r), lse: make([]T, r), exponent: make([]T, c)}
}

// NewSinkhornWorkspace prepares for n points against m points in dim dimensions, the work shared by pool.
func NewSinkhornWorkspace[T nn.Float](opt Sinkhorn, pool *Pool, n, m, dim int) *SinkhornWorkspace[T] {
	if n < 1 || m < 1 || dim < 1 || !(opt.Blur > 0) || !(opt.Scaling > 0 && opt.Scaling <= maxScaling) {
		panic("train: sinkhorn needs points, a positive blur and a scaling in (0, 0.999]")
	}
	w := &SinkhornWorkspace[T]{pool: pool, opt: opt, n: n, m: m, dim: dim,
		x: make([]T, n*dim), y: make([]T, m*dim), hx: make([]T, n), hy: make([]T, m),
		lo: make([]T, dim), hi: make([]T, dim), sum: make([]float64, dim), eps: make([]float64, 0, 256)}
	w.sides[sideXY] = newTransportSide(w.x, w.hx, w.y, w.hy)
	w.sides[sideYX] = newTransportSide(w.y, w.hy, w.x, w.hx)
	w.sides[sideXX] = newTransportSide(w.x, w.hx, w.x, w.hx)
	w.sides[sideYY] = newTransportSide(w.y, w.hy, w.y, w.hy)
	w.run = func(piece int) { w.stage(piece) }
	w.costs, w.softmins, w.gradients = w.costPiece, w.softminPiece, w.gradientPiece
	return w
}

// Eval returns weight·S_ε(X, Y) and adds weight·∂S_ε/∂X to dx. x and dx are n×dim, y is m×dim.
func (w *SinkhornWorkspace[T]) Eval(weight float64, x, y, dx nn.Matrix[T]) float64 {
	sameShape(x, dx)
	if x.Rows != w.n || y.Rows != w.m || x.Cols != w.dim || y.Cols != w.dim {
		panic("train: samples do not fit the sinkhorn workspace")
	}
	w.schedule(w.load(x, y))
	w.parallel(w.costs)
	w.solve()
	s := 0.0
	for i, v := range w.sides[sideXY].potential {
		s += float64(v-w.sides[sideXX].potential[i]) / float64(w.n)
	}
	for j, v := range w.sides[sideYX].potential {
		s += float64(v-w.sides[sideYY].potential[j]) / float64(w.m)
	}
	w.weight, w.dx = T(weight/float64(w.n)), dx
	w.parallel(w.gradients)
	return weight * s
}

// parallel runs one stage over all pieces of all four sides.
func (w *SinkhornWorkspace[T]) parallel(stage func(piece int)) {
	w.stage = stage
	w.pool.Run(4*sinkhornPieces, w.run)
}

// load copies the points, centred on the mean of both samples so that half norms lose as few digits as they can,
// and returns the diameter of their bounding box.
func (w *SinkhornWorkspace[T]) load(x, y nn.Matrix[T]) float64 {
	lo, hi, sum := w.lo, w.hi, w.sum
	for j := range w.dim {
		lo[j], hi[j], sum[j] = T(math.Inf(1)), T(math.Inf(-1)), 0
	}
	for _, m := range [...]nn.Matrix[T]{x, y} {
		for i := range m.Rows {
			for j, v := range m.Row(i) {
				lo[j], hi[j] = min(lo[j], v), max(hi[j], v)
				sum[j] += float64(v)
			}
		}
	}
	sq := 0.0
	for j := range w.dim {
		side := float64(hi[j]) - float64(lo[j])
		sq += side * side
		sum[j] /= float64(w.n + w.m)
	}
	w.centre(w.x, x)
	w.centre(w.y, y)
	halfNorms(w.hx, w.x, w.dim)
	halfNorms(w.hy, w.y, w.dim)
	return math.Sqrt(sq)
}

// centre copies points less the mean of all.
func (w *SinkhornWorkspace[T]) centre(dst []T, x nn.Matrix[T]) {
	for i := range x.Rows {
		to := dst[i*w.dim : (i+1)*w.dim]
		for j, v := range x.Row(i) {
			to[j] = v - T(w.sum[j])
		}
	}
}

func halfNorms[T nn.Float](h, x []T, dim int) {
	for i := range h {
		h[i] = T(nn.SumSquares(x[i*dim:(i+1)*dim]) / 2)
	}
}

// schedule lists the values of ε as geomloss does: the squared diameter, then from it down by Scaling² as long as
// that exceeds Blur², then Blur².
func (w *SinkhornWorkspace[T]) schedule(diameter float64) {
	target := w.opt.Blur * w.opt.Blur
	w.eps = w.eps[:0]
	if e := diameter * diameter; e > 0 && !math.IsInf(e, 0) {
		w.eps = append(w.eps, e)
		for ; e > target; e *= w.opt.Scaling * w.opt.Scaling {
			w.eps = append(w.eps, e)
		}
	}
	w.eps = append(w.eps, target)
}

// block is the side and the rows of a piece.
func (w *SinkhornWorkspace[T]) block(piece int) (s *transportSide[T], from, to int) {
	k := piece % sinkhornPieces
	s = &w.sides[piece/sinkhornPieces]
	from, to = pieceRange(len(s.ha), sinkhornPieces, k)
	return s, from, to
}

func (w *SinkhornWorkspace[T]) costPiece(piece int) {
	s, from, to := w.block(piece)
	c := len(s.hb)
	cost := s.cost[from*c : to*c]
	nn.Gemm(false, true, to-from, c, w.dim, 1, s.a[from*w.dim:], w.dim, s.b, w.dim, 0, cost, c)
	nn.HalfDistRows(cost, s.ha[from:to], s.hb, to-from, c)
}

func (w *SinkhornWorkspace[T]) softminPiece(piece int) {
	s, from, to := w.block(piece)
	c := len(s.hb)
	nn.LogSumExpRows(s.lse[from:to], s.cost[from*c:to*c], s.exponent, w.scale, to-from, c)
	for i := from; i < to; i++ {
		s.fresh[i] = -s.lse[i] / w.scale
	}
}

// solve runs the iterations. It leaves the final potentials, and in exponent and lse the last iteration's, from
// which its plans follow.
func (w *SinkhornWorkspace[T]) solve() {
	for i := range w.sides {
		clear(w.sides[i].potential)
	}
	for k, e := range w.eps {
		if k == 0 {
			w.iterate(e, 0) // start: the soft minimum of the bare cost
		}
		w.iterate(e, 0.5)
	}
	last := w.eps[len(w.eps)-1]
	for range w.polish {
		w.iterate(last, 0.5)
	}
	w.iterate(last, 0)
}

// iterate makes potential = keep·potential + (1-keep)·softmin on all four sides at once.
func (w *SinkhornWorkspace[T]) iterate(eps float64, keep T) {
	w.scale = T(1 / eps)
	columns := [4]int{sideXY: sideYX, sideYX: sideXY, sideXX: sideXX, sideYY: sideYY}
	for i := range w.sides {
		s := &w.sides[i]
		logw := T(-math.Log(float64(len(s.hb))))
		for j, v := range w.sides[columns[i]].potential {
			s.exponent[j] = logw + v*w.scale
		}
	}
	w.parallel(w.softmins)
	for i := range w.sides {
		s := &w.sides[i]
		for j, v := range s.fresh {
			s.potential[j] = keep*s.potential[j] + (1-keep)*v
		}
	}
}

// gradientPiece adds weight/n (Σ_k P_xx x_k - Σ_j P_xy y_j) to rows of dx: the rows of a plan sum to one, so the
// terms in x_i cancel. The plans overwrite the costs.
func (w *SinkhornWorkspace[T]) gradientPiece(piece int) {
	if piece >= sinkhornPieces {
		return
	}
	from, to := pieceRange(w.n, sinkhornPieces, piece)
	if from == to {
		return
	}
	for i, sign := range [...]T{sideXY: -1, sideXX: 1} {
		if sign == 0 {
			continue
		}
		s := &w.sides[i]
		c := len(s.hb)
		p := s.cost[from*c : to*c]
		nn.GibbsRows(p, p, s.exponent, s.lse[from:to], w.scale, to-from, c)
		nn.Gemm(false, false, to-from, w.dim, c, sign*w.weight, p, c, s.b, w.dim, 1, w.dx.Data[from*w.dx.Stride:], w.dx.Stride)
	}
}
