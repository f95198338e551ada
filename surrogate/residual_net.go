package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

// eluNet runs the branch g of a residual block: its values, products with its Jacobian J from either side, and
// gradients of u^T J v, which need the second derivative of ELU.
type eluNet[T Float] struct {
	r                    *residual[T]
	value, slope, curve  [][]T // of the hidden layers: h, h', h''
	tangent, moved       [][]T // J v on its way: before and after each activation
	out, product         []T
	lambda, mu, spareA   []T
	spareB               []T
	weights              [][]T // gradients with respect to s W, before the spectral norm is differentiated
	params, scales, grad []T
	cond, dcond          nn.Matrix[T]
	x                    []T
	rows                 int
}

func newELU[T Float](r *residual[T], batch int) *eluNet[T] {
	e := &eluNet[T]{r: r, out: make([]T, batch*r.dim), product: make([]T, batch*r.dim)}
	widest := r.dim
	for k, d := range r.layers {
		widest = max(widest, d.Out)
		e.weights = append(e.weights, make([]T, d.In*d.Out))
		if k == len(r.layers)-1 {
			break
		}
		for _, part := range []*[][]T{&e.value, &e.slope, &e.curve, &e.tangent, &e.moved} {
			*part = append(*part, make([]T, batch*d.Out))
		}
	}
	n := batch * widest
	e.lambda, e.mu, e.spareA, e.spareB = make([]T, n), make([]T, n), make([]T, n), make([]T, n)
	return e
}

func (e *eluNet[T]) bind(a *blockIO[T]) {
	e.params, e.scales, e.cond, e.rows = a.params, nn.View(e.r.scales, a.state), a.cond, a.x.Rows
}

// times sets y = s x W for layer k, or adds to it.
func (e *eluNet[T]) times(k int, x []T, beta T, y []T) {
	d := e.r.layers[k]
	nn.Gemm(false, false, e.rows, d.Out, d.In, e.scales[2*k+1], x, d.In, nn.View(d.W, e.params), d.Out, beta, y, d.Out)
}

// timesT sets x = s y W^T for layer k.
func (e *eluNet[T]) timesT(k int, y, x []T) {
	d := e.r.layers[k]
	nn.Gemm(false, true, e.rows, d.In, d.Out, e.scales[2*k+1], y, d.Out, nn.View(d.W, e.params), d.Out, 0, x, d.In)
}

// forward returns g(x), which belongs to the network, and keeps what the other methods need.
func (e *eluNet[T]) forward(x []T) []T {
	e.x = x
	in, last := x, len(e.r.layers)-1
	for k, d := range e.r.layers {
		n := e.rows * d.Out
		y := e.out
		if k < last {
			y = e.value[k]
		}
		y = y[:n]
		e.times(k, in, 0, y)
		if k == 0 && e.r.cond > 0 {
			c := nn.View(e.r.condition, e.params)
			nn.Gemm(false, false, e.rows, d.Out, e.r.cond, 1, e.cond.Data, e.cond.Stride, c, d.Out, 1, y, d.Out)
		}
		nn.AddBiasActivate(nn.Linear, y, nil, nn.View(d.B, e.params), e.rows, d.Out)
		if k < last {
			elu(y, e.slope[k][:n], e.curve[k][:n])
		}
		in = y
	}
	return in
}

// elu replaces a by ELU(a) = a for a > 0, exp(a) - 1 otherwise, and gives its first two derivatives.
func elu[T Float](a, slope, curve []T) {
	for i, v := range a {
		slope[i], curve[i] = 1, 0
		if v <= 0 {
			x := math.Expm1(float64(v))
			a[i], slope[i], curve[i] = T(x), T(x+1), T(x+1)
		}
	}
}

// jvp returns J v, which belongs to the network.
func (e *eluNet[T]) jvp(v []T) []T {
	in, last := v, len(e.r.layers)-1
	for k, d := range e.r.layers {
		n := e.rows * d.Out
		if k == last {
			e.times(k, in, 0, e.product[:n])
			return e.product[:n]
		}
		e.times(k, in, 0, e.tangent[k][:n])
		nn.Mul(e.moved[k][:n], e.tangent[k][:n], e.slope[k][:n])
		in = e.moved[k][:n]
	}
	return in
}

// vjp returns J^T u, which belongs to the network.
func (e *eluNet[T]) vjp(u []T) []T {
	here, next := e.spareA, e.spareB
	for k := len(e.r.layers) - 1; k > 0; k-- {
		d := e.r.layers[k]
		h := here[:e.rows*d.In]
		e.timesT(k, u, h)
		nn.Mul(h, h, e.slope[k-1][:len(h)])
		u = h
		here, next = next, here
	}
	e.timesT(0, u, e.product[:e.rows*e.r.dim])
	return e.product[:e.rows*e.r.dim]
}

// begin clears the gradients of one backward pass.
func (e *eluNet[T]) begin(d *blockGrad[T]) {
	e.grad, e.dcond = d.params, d.cond
	for _, w := range e.weights {
		clear(w)
	}
}

// backward adds the gradient of u·g(x): to the parameters, the condition and, if it is not nil, dx.
func (e *eluNet[T]) backward(u, dx []T) {
	n := copy(e.mu, u)
	e.pullBack(e.mu[:n], nil, nil, dx)
}

// bilinear adds the gradient of u^T J(x) v with u and v held fixed: to the parameters, the condition and dx.
func (e *eluNet[T]) bilinear(u, v, dx []T) {
	e.jvp(v)
	n := copy(e.lambda, u)
	e.pullBack(nil, e.lambda[:n], v, dx)
}

// pullBack goes from the last layer to the first with mu, the gradient with respect to the layer's output, and
// lambda, that with respect to the output's tangent along v. Either may be nil for zero. They are overwritten.
func (e *eluNet[T]) pullBack(mu, lambda, v, dx []T) {
	for k := len(e.r.layers) - 1; ; k-- {
		d := e.r.layers[k]
		in, inTangent := e.x, v
		if k > 0 {
			in = e.value[k-1][:e.rows*d.In]
			if lambda != nil {
				inTangent = e.moved[k-1][:e.rows*d.In]
			}
		}
		e.weightGradient(k, in, mu)
		e.weightGradient(k, inTangent, lambda)
		if mu != nil && e.grad != nil {
			nn.ColSum(mu, nn.View(d.B, e.grad), e.rows, d.Out)
		}
		if k == 0 {
			e.inputGradient(mu, dx)
			return
		}
		mu, lambda = e.throughActivation(k, mu, lambda)
	}
}

// throughActivation moves the gradients over layer k and the activation before it:
// lambda' = s lambda W^T h',  mu' = s mu W^T h' + s lambda W^T h” · tangent.
func (e *eluNet[T]) throughActivation(k int, mu, lambda []T) (muNext, lambdaNext []T) {
	n := e.rows * e.r.layers[k].In
	slope := e.slope[k-1][:n]
	var m []T
	if mu != nil {
		m = e.spareA[:n]
		e.timesT(k, mu, m)
		nn.Mul(m, m, slope)
		e.mu, e.spareA = e.spareA, e.mu
	}
	if lambda == nil {
		return m, nil
	}
	l := e.spareB[:n]
	e.timesT(k, lambda, l)
	if m == nil {
		m = e.mu[:n]
		clear(m)
	}
	for i, c := range e.curve[k-1][:n] {
		m[i] += l[i] * c * e.tangent[k-1][i]
	}
	nn.Mul(l, l, slope)
	e.lambda, e.spareB = e.spareB, e.lambda
	return m, l
}

func (e *eluNet[T]) weightGradient(k int, in, out []T) {
	if e.grad == nil || out == nil {
		return
	}
	d := e.r.layers[k]
	nn.Gemm(true, false, d.In, d.Out, e.rows, 1, in, d.In, out, d.Out, 1, e.weights[k], d.Out)
}

// inputGradient ends a pull-back at the block's input and condition.
func (e *eluNet[T]) inputGradient(mu, dx []T) {
	if mu == nil {
		return
	}
	if dx != nil {
		d := e.spareA[:e.rows*e.r.dim]
		e.timesT(0, mu, d)
		nn.Add(dx, d)
	}
	if e.r.cond == 0 {
		return
	}
	out := e.r.layers[0].Out
	if e.grad != nil {
		g := nn.View(e.r.condition, e.grad)
		nn.Gemm(true, false, e.r.cond, out, e.rows, 1, e.cond.Data, e.cond.Stride, mu, out, 1, g, out)
	}
	if e.dcond.Data != nil {
		c := nn.View(e.r.condition, e.params)
		nn.Gemm(false, true, e.rows, e.r.cond, out, 1, mu, out, c, out, 1, e.dcond.Data, e.dcond.Stride)
	}
}

// finish turns the gradients G with respect to s W into those of W: s G where the norm σ is below its bound, and
// s (G - <G, W>/σ · left right^T) where it is normalised, since ∂σ/∂W = left right^T.
func (e *eluNet[T]) finish(a *blockIO[T], d *blockGrad[T]) {
	if d.params == nil {
		return
	}
	for k, layer := range e.r.layers {
		w, dw, g := nn.View(layer.W, a.params), nn.View(layer.W, d.params), e.weights[k]
		sigma, s := e.scales[2*k], e.scales[2*k+1]
		nn.Axpy(dw, s, g)
		if !e.r.spec.SpectralNorm || float64(sigma) <= e.r.spec.Lipschitz {
			continue
		}
		f := -s / sigma * T(dot(g, w))
		left, right := nn.View(e.r.left[k], a.state), nn.View(e.r.right[k], a.state)
		for i, u := range left {
			nn.Axpy(dw[i*layer.Out:(i+1)*layer.Out], f*u, right)
		}
	}
}
