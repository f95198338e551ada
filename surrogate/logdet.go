package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

// rouletteCap bounds the terms that roulette adds to those it always keeps. Each further term is kept with
// probability 1/2, so the cap changes the estimate's mean by less than 2^-rouletteCap of a converging remainder.
const rouletteCap = 40

// logDet gives ln|det(I + J)| of a residual block and its gradient.
//
//	exact      the determinant of the whole Jacobian: D products J v and an elimination per row
//	truncated  Σ_{k=1..n} (-1)^(k+1) v^T J^k v / k with one Rademacher vector v (the released code; biased by the
//	           missing terms)
//	roulette   the same with a random number of terms N >= n and each term divided by P(N >= k), which makes it
//	           unbiased (Chen et al. 2019, equation 6); P(N >= n+j) = 2^-j, one N per run
//
// With r < 1 the contraction factor of g, the variance due to v is at most 2 D ln²(1-r); roulette adds at most
// D² Σ_j 2^j (r^(n+j)/(n+j))² over j >= 1, up to a constant of order one, which is finite for r < 1/√2.
// [Flow.EstimateLogDet] measures both.
//
// The gradients of the estimates are those of the numbers reported, term by term:
// d(v^T J^k v) = Σ_i ((J^T)^i v)^T dJ (J^(k-1-i) v).
type logDet[T Float] struct {
	r            *residual[T]
	mode         string
	jacobian     []float64 // exact: per row the inverse of I + J
	row          []float64
	probe        []T
	left, right  [][]T // (J^T)^i v, J^i v
	coefficients []float64
	terms        int
	u, v         []T
}

func newLogDet[T Float](r *residual[T], batch int) *logDet[T] {
	d := r.dim
	l := &logDet[T]{r: r, mode: r.spec.LogDet, u: make([]T, batch*d), v: make([]T, batch*d)}
	if l.mode == "exact" {
		l.jacobian, l.row = make([]float64, batch*d*d), make([]float64, 2*d*d)
		return l
	}
	n := r.spec.LogDetTerms
	if l.mode == "roulette" {
		n += rouletteCap
	}
	l.coefficients = make([]float64, n+1)
	for range n {
		l.left, l.right = append(l.left, make([]T, batch*d)), append(l.right, make([]T, batch*d))
	}
	return l
}

// add adds sign times the log-determinants at the network's last input to those of the run.
func (l *logDet[T]) add(e *eluNet[T], a *blockIO[T], sign T) {
	if l.mode == "exact" {
		l.addExact(e, a, sign)
		return
	}
	l.drawTerms(a.rng)
	d, n := l.r.dim, e.rows*l.r.dim
	v := l.right[0][:n]
	for i := range v {
		v[i] = T(2*int(a.rng.Uint64()>>63) - 1)
	}
	for k := 1; k <= l.terms; k++ {
		jv := e.jvp(l.right[k-1][:n])
		if k < l.terms {
			copy(l.right[k], jv)
		}
		for i := range a.logdet {
			a.logdet[i] += sign * T(l.coefficients[k]*dot(v[i*d:(i+1)*d], jv[i*d:(i+1)*d]))
		}
	}
}

// drawTerms chooses the number of terms and their coefficients.
func (l *logDet[T]) drawTerms(rng *stream) {
	keep := l.r.spec.LogDetTerms
	l.terms = keep
	if l.mode == "roulette" {
		for l.terms < keep+rouletteCap && rng.Uint64()>>63 == 1 {
			l.terms++
		}
	}
	for k := 1; k <= l.terms; k++ {
		c := 1 / float64(k)
		if k%2 == 0 {
			c = -c
		}
		l.coefficients[k] = math.Ldexp(c, max(k-keep, 0))
	}
}

func (l *logDet[T]) addExact(e *eluNet[T], a *blockIO[T], sign T) {
	d := l.r.dim
	n := e.rows * d
	for j := range d {
		l.basis(e.rows, j)
		jv := e.jvp(l.v[:n])
		for i := range e.rows {
			for k := range d {
				l.jacobian[(i*d+k)*d+j] = float64(jv[i*d+k])
			}
			l.jacobian[(i*d+j)*d+j]++
		}
	}
	for i := range e.rows {
		a.logdet[i] += sign * T(invert(l.jacobian[i*d*d:(i+1)*d*d], l.row, d))
	}
}

// basis fills v with the unit vector j in every row.
func (l *logDet[T]) basis(rows, j int) {
	clear(l.v)
	for i := range rows {
		l.v[i*l.r.dim+j] = 1
	}
}

// backward adds the gradient of sign·Σ dlogdet·logdet at the network's last input to dx and the parameters.
func (l *logDet[T]) backward(e *eluNet[T], dlogdet []T, sign float64, dx []T) {
	d := l.r.dim
	n := e.rows * d
	if l.mode == "exact" { // d ln det = tr((I+J)^-1 dJ) = Σ_j (row j of the inverse) dJ e_j
		for j := range d {
			l.basis(e.rows, j)
			for i := range e.rows {
				f := sign * float64(dlogdet[i])
				for k := range d {
					l.u[i*d+k] = T(f * l.jacobian[(i*d+j)*d+k])
				}
			}
			e.bilinear(l.u[:n], l.v[:n], dx)
		}
		return
	}
	copy(l.left[0][:n], l.right[0][:n])
	for i := 0; i < l.terms; i++ {
		if i > 0 {
			copy(l.left[i][:n], e.vjp(l.left[i-1][:n]))
		}
		clear(l.v[:n])
		for j := 0; i+j < l.terms; j++ {
			nn.Axpy(l.v[:n], T(l.coefficients[i+j+1]), l.right[j][:n])
		}
		for row := range e.rows {
			f := T(sign) * dlogdet[row]
			for k := row * d; k < (row+1)*d; k++ {
				l.u[k] = f * l.left[i][k]
			}
		}
		e.bilinear(l.u[:n], l.v[:n], dx)
	}
}

// invert replaces the n×n matrix m by its inverse (Gauss-Jordan with row pivoting; room holds 2n² numbers) and
// returns ln|det m|.
func invert(m, room []float64, n int) (logdet float64) {
	a, inv := room[:n*n], room[n*n:2*n*n]
	copy(a, m)
	clear(inv)
	for i := range n {
		inv[i*n+i] = 1
	}
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		for j := range n {
			a[k*n+j], a[p*n+j] = a[p*n+j], a[k*n+j]
			inv[k*n+j], inv[p*n+j] = inv[p*n+j], inv[k*n+j]
		}
		f := a[k*n+k]
		logdet += math.Log(math.Abs(f))
		for j := range n {
			a[k*n+j] /= f
			inv[k*n+j] /= f
		}
		for i := range n {
			if f := a[i*n+k]; i != k && f != 0 {
				for j := range n {
					a[i*n+j] -= f * a[k*n+j]
					inv[i*n+j] -= f * inv[k*n+j]
				}
			}
		}
	}
	copy(m, inv)
	return logdet
}
