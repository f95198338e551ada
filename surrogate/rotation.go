package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

// rotation is y = x R with R in SO(D), so its log-determinant is zero. R is a random rotation R0, uniformly
// distributed, and if it is learned, R = R0 H(v_1) ... H(v_2m) with Householder reflections
// H(v) = I - 2 v v^T/(v^T v). The vectors start in equal pairs, so that R starts as R0.
type rotation[T Float] struct {
	dim         int
	base, whole nn.Tensor // state: R0 and R
	vectors     nn.Tensor // params: 2m × D
	start       []float64
}

// newRotation reserves a rotation. Pairs of reflections generate SO(D); D/2 pairs, rounded up, reach all of it.
func newRotation[T Float](l, fixed *nn.Layout, prefix string, dim int, learned bool, rng *stream) *rotation[T] {
	r := &rotation[T]{dim: dim, start: make([]float64, dim*dim)}
	nn.Orthogonal(r.start, dim, dim, 1, rng.NormFloat64)
	if determinantSign(r.start, dim) < 0 {
		for j := range dim {
			r.start[j] = -r.start[j]
		}
	}
	r.base = fixed.Add(prefix+".rotation_start", dim, dim)
	r.whole = fixed.Add(prefix+".rotation", dim, dim)
	if learned {
		r.vectors = l.Add(prefix+".householder", 2*((dim+1)/2), dim)
	} else {
		r.vectors = nn.Tensor{Shape: []int{0, dim}}
	}
	return r
}

func (r *rotation[T]) initialise(params, state []T, rng *stream) {
	base := nn.View(r.base, state)
	for i, v := range r.start {
		base[i] = T(v)
	}
	v := nn.View(r.vectors, params)
	for k := 0; k < len(v); k += 2 * r.dim {
		for j := range r.dim {
			v[k+j] = T(rng.NormFloat64())
		}
		copy(v[k+r.dim:k+2*r.dim], v[k:k+r.dim])
	}
}

func (r *rotation[T]) refresh(params, state []T) {
	whole := nn.View(r.whole, state)
	copy(whole, nn.View(r.base, state))
	for k := range r.vectors.Shape[0] {
		reflect(whole, nn.View(r.vectors, params)[k*r.dim:(k+1)*r.dim])
	}
}

// reflect replaces each row m of a matrix by m H(v).
func reflect[T Float](rows, v []T) {
	n := len(v)
	norm := dot(v, v)
	for i := 0; i < len(rows); i += n {
		row := rows[i : i+n]
		f := T(2 * dot(row, v) / norm)
		for j := range row {
			row[j] -= f * v[j]
		}
	}
}

func dot[T Float](a, b []T) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

func (r *rotation[T]) newPass(int, *scratch[T]) blockPass[T] {
	n := r.dim * r.dim
	return &rotationPass[T]{r: r, gradient: make([]T, n), product: make([]T, n)}
}

type rotationPass[T Float] struct {
	r                 *rotation[T]
	gradient, product []T
}

func (p *rotationPass[T]) apply(state []T, x, y nn.Matrix[T], transpose bool) {
	d := p.r.dim
	nn.Gemm(false, transpose, x.Rows, d, d, 1, x.Data, d, nn.View(p.r.whole, state), d, 0, y.Data, d)
}

func (p *rotationPass[T]) forward(a *blockIO[T]) error { p.apply(a.state, a.x, a.y, false); return nil }
func (p *rotationPass[T]) inverse(a *blockIO[T]) error { p.apply(a.state, a.x, a.y, true); return nil }

func (p *rotationPass[T]) forwardBackward(a *blockIO[T], d *blockGrad[T]) {
	p.apply(a.state, d.dy, d.dx, true)
	p.vectorGradient(a, d, a.x, d.dy) // y = x R: dR = x^T dy
}

func (p *rotationPass[T]) inverseBackward(a *blockIO[T], d *blockGrad[T]) {
	p.apply(a.state, d.dy, d.dx, false)
	p.vectorGradient(a, d, d.dy, a.x) // y = x R^T: dR = dy^T x
}

// vectorGradient pulls dR = left^T right back to the reflections, last first: with R = A H(v) and f = 2/(v^T v),
//
//	dA = dR H(v),  dv = -f (A^T dR + dR^T A) v + f^2 (v^T A^T dR v) v
func (p *rotationPass[T]) vectorGradient(a *blockIO[T], d *blockGrad[T], left, right nn.Matrix[T]) {
	n, count := p.r.dim, p.r.vectors.Shape[0]
	if d.params == nil || count == 0 {
		return
	}
	nn.Gemm(true, false, n, n, left.Rows, 1, left.Data, left.Stride, right.Data, right.Stride, 0, p.gradient, n)
	copy(p.product, nn.View(p.r.whole, a.state))
	for k := count - 1; k >= 0; k-- {
		v := nn.View(p.r.vectors, a.params)[k*n : (k+1)*n]
		dv := nn.View(p.r.vectors, d.params)[k*n : (k+1)*n]
		reflect(p.product, v) // A = R H(v), a reflection being its own inverse
		f := 2 / dot(v, v)
		inner := 0.0
		for i := range n {
			ai, gi := p.product[i*n:(i+1)*n], p.gradient[i*n:(i+1)*n]
			av, gv := dot(ai, v), dot(gi, v)
			inner += av * gv
			for j := range dv {
				dv[j] -= T(f * (float64(ai[j])*gv + float64(gi[j])*av))
			}
		}
		for j := range dv {
			dv[j] += T(f * f * inner * float64(v[j]))
		}
		reflect(p.gradient, v)
	}
}

// determinantSign returns the sign of the determinant of the n×n matrix m by elimination with pivoting.
func determinantSign(m []float64, n int) float64 {
	a := append([]float64(nil), m...)
	sign := 1.0
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[pivot*n+k]) {
				pivot = i
			}
		}
		if pivot != k {
			sign = -sign
			for j := range n {
				a[k*n+j], a[pivot*n+j] = a[pivot*n+j], a[k*n+j]
			}
		}
		if a[k*n+k] < 0 {
			sign = -sign
		}
		for i := k + 1; i < n; i++ {
			f := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= f * a[k*n+j]
			}
		}
	}
	return sign
}
