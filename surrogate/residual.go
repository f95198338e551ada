package surrogate

import (
	"fmt"
	"math"

	"oceaninv/surrogate/nn"
)

// residual is the i-ResNet block y = x + g(x; c) (Behrmann et al. 2019). g is a perceptron with ELU,
//
//	h_0 = x,  a_1 = s_1 h_0 W_1 + c C + b_1,  h_l = ELU(a_l),  a_l = s_l h_{l-1} W_l + b_l,  g = a_n
//
// where s_l = min(1, Lipschitz/σ(W_l)) with σ the largest singular value, so that g contracts x with a factor of at
// most Lipschitz^n and the block is a bijection. σ comes from power iterations that start from the vectors of the
// last refresh. Without spectral normalisation all s_l are 1 and nothing is guaranteed.
type residual[T Float] struct {
	dim, cond int
	layers    []nn.Dense
	condition nn.Tensor // C
	left      []nn.Tensor
	right     []nn.Tensor // state: singular vectors of W_l, then σ and s
	scales    nn.Tensor
	room      []T // for refresh
	spec      *FlowSpec
}

func newResidual[T Float](l, fixed *nn.Layout, prefix string, s *FlowSpec) *residual[T] {
	r := &residual[T]{dim: s.Dim, cond: s.condWidth(), spec: s}
	in := s.Dim
	for k := range s.HiddenLayers + 1 {
		out := s.Hidden
		if k == s.HiddenLayers {
			out = s.Dim
		}
		r.layers = append(r.layers, nn.NewDense(l, fmt.Sprintf("%s.%d", prefix, k), in, out))
		r.left = append(r.left, fixed.Add(fmt.Sprintf("%s.%d.left_singular", prefix, k), in))
		r.right = append(r.right, fixed.Add(fmt.Sprintf("%s.%d.right_singular", prefix, k), out))
		in = out
	}
	r.room = make([]T, max(s.Dim, s.Hidden))
	r.condition = l.Add(prefix+".0.cond_weight", r.cond, r.layers[0].Out)
	r.scales = fixed.Add(prefix+".spectral", len(r.layers), 2)
	return r
}

func (r *residual[T]) initialise(params, state []T, rng *stream) {
	how := r.spec.initialisation()
	fill := func(t nn.Tensor) {
		w := nn.View(t, params)
		if how.Orthogonal {
			nn.Orthogonal(w, t.Shape[0], t.Shape[1], how.Scale, rng.NormFloat64)
			return
		}
		for i := range w {
			w[i] = T(how.Scale * rng.NormFloat64())
		}
	}
	for k, d := range r.layers {
		if how.ZeroLast && k == len(r.layers)-1 {
			clear(nn.View(d.W, params))
		} else {
			fill(d.W)
		}
		for _, t := range []nn.Tensor{r.left[k], r.right[k]} {
			v := nn.View(t, state)
			for i := range v {
				v[i] = T(rng.NormFloat64())
			}
		}
	}
	fill(r.condition)
}

// refresh finds the spectral norms.
func (r *residual[T]) refresh(params, state []T) {
	scales := nn.View(r.scales, state)
	for k, d := range r.layers {
		s := 1.0
		sigma := spectralNorm(nn.View(d.W, params), nn.View(r.left[k], state), nn.View(r.right[k], state), r.room[:d.In])
		if r.spec.SpectralNorm && sigma > r.spec.Lipschitz {
			s = r.spec.Lipschitz / sigma
		}
		scales[2*k], scales[2*k+1] = T(sigma), T(s)
	}
}

// spectralNorm returns the largest singular value of the matrix w, len(left)×len(right), by power iterations on the
// unit vectors left and right, which it improves; room is as long as left. It stops when left has settled: the value
// has then converged to twice as many digits. Where two singular values are too close for that, the value still lies
// between them.
func spectralNorm[T Float](w, left, right, room []T) (sigma float64) {
	settled, steps := 1e-13, 4000
	if _, single := any(T(0)).(float32); single {
		settled, steps = 1e-5, 200
	}
	for range steps {
		copy(room, left)
		mulVec(right, w, left, true)
		if normalise(right) == 0 {
			return 0
		}
		mulVec(left, w, right, false)
		if sigma = normalise(left); sigma == 0 {
			return 0
		}
		moved := 0.0
		for i, v := range left {
			moved = math.Max(moved, math.Abs(float64(v-room[i])))
		}
		if moved <= settled {
			break
		}
	}
	return sigma
}

// mulVec sets out = w v, or out = w^T v.
func mulVec[T Float](out, w, v []T, transpose bool) {
	if transpose {
		nn.Gemm(false, false, 1, len(out), len(v), 1, v, len(v), w, len(out), 0, out, len(out))
		return
	}
	nn.Gemm(false, false, len(out), 1, len(v), 1, w, len(v), v, 1, 0, out, 1)
}

func normalise[T Float](v []T) float64 {
	n := math.Sqrt(dot(v, v))
	if n > 0 {
		for i := range v {
			v[i] = T(float64(v[i]) / n)
		}
	}
	return n
}

// NotInvertedError reports that the fixed-point iteration of an i-ResNet did not converge, which happens only if its
// residual branch is no contraction (spectral_norm = false) or inverse_steps is too small for its factor.
type NotInvertedError struct {
	Steps  int     // done
	Change float64 // largest relative change in the last step
}

func (e *NotInvertedError) Error() string {
	return fmt.Sprintf("fixed-point inverse did not converge in %d steps (last relative change %.2g): use spectral_norm = true, a smaller lipschitz or more inverse_steps",
		e.Steps, e.Change)
}

func (r *residual[T]) newPass(batch int, room *scratch[T]) blockPass[T] {
	p := &residualPass[T]{r: r, elu: newELU[T](r, batch), y: make([]T, batch*r.dim), w: make([]T, batch*r.dim)}
	p.logdet = newLogDet(r, batch)
	return p
}

type residualPass[T Float] struct {
	r      *residual[T]
	elu    *eluNet[T]
	logdet *logDet[T]
	y, w   []T // fixed-point iterates
}

func (p *residualPass[T]) forward(a *blockIO[T]) error {
	p.elu.bind(a)
	g := p.elu.forward(a.x.Data)
	for i, v := range a.x.Data {
		a.y.Data[i] = v + g[i]
	}
	p.logdet.add(p.elu, a, 1)
	return nil
}

// inverse iterates x <- y - g(x). The log-determinant is that of the forward map at the solution, negated.
func (p *residualPass[T]) inverse(a *blockIO[T]) error {
	p.elu.bind(a)
	if p.r.spec.ReleasedInverse {
		return p.inverseReleased(a)
	}
	x := a.y.Data
	copy(x, a.x.Data)
	change := p.iterate(func() {
		g := p.elu.forward(x)
		for i, v := range a.x.Data {
			p.y[i] = v - g[i]
		}
	}, x, a.x.Data, 1)
	if change > 0 {
		return &NotInvertedError{Steps: p.r.spec.InverseSteps, Change: change}
	}
	p.elu.forward(x)
	p.logdet.add(p.elu, a, -1)
	return nil
}

// iterate calls step, which computes the next iterate in p.y from x, until no row moves by more than a few units in
// the last place of the largest number of the row, of right (the equation's right-hand side), or of least. It returns
// 0 then, and else the last relative change.
func (p *residualPass[T]) iterate(step func(), x, right []T, least float64) (change float64) {
	tiny := 4e-15
	if _, single := any(T(0)).(float32); single {
		tiny = 1.5e-6
	}
	d := p.r.dim
	for range p.r.spec.InverseSteps {
		step()
		change = 0
		for i := 0; i < len(x); i += d {
			moved, size := 0.0, least
			for j := i; j < i+d; j++ {
				moved = math.Max(moved, math.Abs(float64(p.y[j]-x[j])))
				size = math.Max(size, math.Max(math.Abs(float64(p.y[j])), math.Abs(float64(right[j]))))
			}
			if moved > 0 {
				change = math.Max(change, moved/size)
			}
			if math.IsNaN(moved) {
				return math.Inf(1)
			}
		}
		copy(x, p.y)
		if change <= tiny {
			return 0
		}
	}
	return change
}

func (p *residualPass[T]) forwardBackward(a *blockIO[T], d *blockGrad[T]) {
	p.elu.begin(d)
	copy(d.dx.Data, d.dy.Data)
	p.logdet.backward(p.elu, d.dlogdet, 1, d.dx.Data)
	p.elu.backward(d.dy.Data, d.dx.Data)
	p.elu.finish(a, d)
}

// inverseBackward uses the implicit function theorem: with q the gradient with respect to the solution x, including
// that of its log-determinant, the gradient with respect to y solves w = q - J^T w, and the parameters get that of
// -w·g(x).
func (p *residualPass[T]) inverseBackward(a *blockIO[T], d *blockGrad[T]) {
	if p.r.spec.ReleasedInverse {
		p.inverseReleasedBackward(a, d)
		return
	}
	p.elu.begin(d)
	q, w := d.dy.Data, d.dx.Data
	p.logdet.backward(p.elu, d.dlogdet, -1, q)
	copy(w, q)
	p.iterate(func() { // the same contraction as that of the inverse, which converged
		jw := p.elu.vjp(w)
		for i, v := range q {
			p.y[i] = v - jw[i]
		}
	}, w, q, math.SmallestNonzeroFloat64)
	for i, v := range w {
		p.w[i] = -v
	}
	p.elu.backward(p.w[:len(w)], nil)
	p.elu.finish(a, d)
}
