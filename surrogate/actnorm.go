package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

// actNorm is y = (x·exp(log_scale)) + bias per coordinate, with log-determinant Σ log_scale. [Flow.FitActNorm]
// chooses both so that a batch of data comes out with mean 0 and standard deviation 1 (Kingma & Dhariwal 2018,
// section 3.1); before that it is the identity.
type actNorm[T Float] struct {
	dim                   int
	logScale, bias, ready nn.Tensor
}

func newActNorm[T Float](l, fixed *nn.Layout, prefix string, dim int) *actNorm[T] {
	return &actNorm[T]{dim: dim, logScale: l.Add(prefix+".log_scale", dim), bias: l.Add(prefix+".bias", dim),
		ready: fixed.Add(prefix+".initialised", 1)}
}

func (n *actNorm[T]) initialise(_, _ []T, _ *stream) {}
func (n *actNorm[T]) refresh(_, _ []T)               {}

// fit sets scale and bias from the batch x. A coordinate that does not vary is only shifted.
func (n *actNorm[T]) fit(params, state []T, x nn.Matrix[T]) {
	logScale, bias := nn.View(n.logScale, params), nn.View(n.bias, params)
	for j := range n.dim {
		mean, square := 0.0, 0.0
		for i := range x.Rows {
			mean += float64(x.Row(i)[j])
		}
		mean /= float64(x.Rows)
		for i := range x.Rows {
			d := float64(x.Row(i)[j]) - mean
			square += d * d
		}
		scale := 1 / math.Sqrt(square/float64(x.Rows))
		if math.IsInf(scale, 0) {
			scale = 1
		}
		logScale[j], bias[j] = T(math.Log(scale)), T(-mean*scale)
	}
	nn.View(n.ready, state)[0] = 1
}

func (n *actNorm[T]) newPass(int, *scratch[T]) blockPass[T] {
	return &actNormPass[T]{n: n, factor: make([]T, n.dim)}
}

type actNormPass[T Float] struct {
	n      *actNorm[T]
	factor []T
}

// begin fills factor with exp(±log_scale), adds to the log-determinants and returns the biases.
func (p *actNormPass[T]) begin(a *blockIO[T], sign T) []T {
	sum := T(0)
	for j, v := range nn.View(p.n.logScale, a.params) {
		p.factor[j] = T(math.Exp(float64(sign * v)))
		sum += sign * v
	}
	for i := range a.logdet {
		a.logdet[i] += sum
	}
	return nn.View(p.n.bias, a.params)
}

func (p *actNormPass[T]) forward(a *blockIO[T]) error {
	bias := p.begin(a, 1)
	for i := range a.x.Rows {
		x, y := a.x.Row(i), a.y.Row(i)
		for j, f := range p.factor {
			y[j] = x[j]*f + bias[j]
		}
	}
	return nil
}

func (p *actNormPass[T]) inverse(a *blockIO[T]) error {
	bias := p.begin(a, -1)
	for i := range a.x.Rows {
		x, y := a.x.Row(i), a.y.Row(i)
		for j, f := range p.factor {
			y[j] = (x[j] - bias[j]) * f
		}
	}
	return nil
}

func (p *actNormPass[T]) forwardBackward(a *blockIO[T], d *blockGrad[T]) {
	for i := range a.x.Rows {
		dy, dx := d.dy.Row(i), d.dx.Row(i)
		for j, f := range p.factor {
			dx[j] = dy[j] * f
		}
	}
	if d.params == nil {
		return
	}
	ds, db := nn.View(p.n.logScale, d.params), nn.View(p.n.bias, d.params)
	for i := range a.x.Rows {
		x, dy, dx := a.x.Row(i), d.dy.Row(i), d.dx.Row(i)
		for j := range db {
			db[j] += dy[j]
			ds[j] += dx[j]*x[j] + d.dlogdet[i]
		}
	}
}

func (p *actNormPass[T]) inverseBackward(a *blockIO[T], d *blockGrad[T]) {
	for i := range a.x.Rows {
		dy, dx := d.dy.Row(i), d.dx.Row(i)
		for j, f := range p.factor {
			dx[j] = dy[j] * f
		}
	}
	if d.params == nil {
		return
	}
	ds, db := nn.View(p.n.logScale, d.params), nn.View(p.n.bias, d.params)
	for i := range a.x.Rows {
		y, dy, dx := a.y.Row(i), d.dy.Row(i), d.dx.Row(i)
		for j := range db {
			db[j] -= dx[j]
			ds[j] -= dy[j]*y[j] + d.dlogdet[i]
		}
	}
}

// NeedsFit reports whether the flow has ActNorm layers that have not seen data.
func (f *Flow[T]) NeedsFit() bool {
	for _, b := range f.blocks {
		if n, ok := b.(*actNorm[T]); ok && nn.View(n.ready, f.state)[0] == 0 {
			return true
		}
	}
	return false
}

// FitActNorm sets every ActNorm layer, first to last, so that the batch (x, cond) leaves it with mean 0 and standard
// deviation 1 in each coordinate. Without ActNorm layers it does nothing. The errors are those of [Pass.Forward].
func (f *Flow[T]) FitActNorm(x, cond []T) error {
	rows := len(x) / f.spec.Dim
	for k, b := range f.blocks {
		n, ok := b.(*actNorm[T])
		if !ok {
			continue
		}
		p := f.NewPass(rows)
		if _, _, err := p.Forward(x, cond); err != nil {
			return err
		}
		n.fit(f.params, f.state, nn.NewMatrix(p.values[k][:rows*f.spec.Dim], rows, f.spec.Dim))
	}
	f.Refresh()
	return nil
}
