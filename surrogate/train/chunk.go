package train

import (
	"fmt"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// chunk is the share of a batch that one piece of work handles, with activations and a gradient of its own.
type chunk[T nn.Float] struct {
	forward, inverse *surrogate.Pass[T]
	grad             []T
	rng              stream
	err              error
}

// shape is how the columns of a problem line up. An invertible network maps [x, padding] to [z, y], both of
// width dim; a conditional flow maps x to z of the same width given y.
type shape struct {
	nx, ny, dim int
	conditional bool
	base        BaseLaw
}

// nz is the width of the latent part.
func (s shape) nz() int {
	if s.conditional {
		return s.dim
	}
	return s.dim - s.ny
}

// table holds a batch as it passes through a flow, row-major; chunks own blocks of rows.
type table[T nn.Float] struct {
	shape
	rows            int
	x, y            []T // data, rows×nx and rows×ny
	xpad, out, dout []T // rows×dim: input of T, its output and the loss's gradient
	u, back, dback  []T // rows×dim: input of the inverse, its output and the loss's gradient
	logdet, dlogdet []T
}

func newTable[T nn.Float](s shape, rows int, inverse bool) *table[T] {
	n := rows * s.dim
	t := &table[T]{shape: s, rows: rows, xpad: make([]T, n), out: make([]T, n), dout: make([]T, n),
		logdet: make([]T, rows), dlogdet: make([]T, rows)}
	if inverse {
		t.u, t.back, t.dback = make([]T, n), make([]T, n), make([]T, n)
	}
	return t
}

func (t *table[T]) matrix(v []T) nn.Matrix[T] { return nn.NewMatrix(v, t.rows, t.dim) }

// pad writes [x, sigma·noise] into the rows [from, to) of xpad.
func (t *table[T]) pad(g *stream, sigma float64, from, to int) {
	for i := from; i < to; i++ {
		row := t.xpad[i*t.dim : (i+1)*t.dim]
		copy(row, t.x[i*t.nx:(i+1)*t.nx])
		if sigma > 0 {
			fillNormal(g, row[t.nx:], sigma)
		} else {
			clear(row[t.nx:])
		}
	}
}

// latent writes [z, y + sigma·noise] into the rows [from, to) of dst: the order the network is trained in and, so
// that what is drawn is what was trained, the only one used here.
func (t *table[T]) latent(dst []T, g *stream, sigma float64, from, to int) {
	nz := t.nz()
	for i := from; i < to; i++ {
		row := dst[i*t.dim : (i+1)*t.dim]
		drawBase(t.base, g, row[:nz])
		copy(row[nz:], t.y[i*t.ny:(i+1)*t.ny])
		if sigma > 0 {
			for j := nz; j < t.dim; j++ {
				row[j] += T(sigma * g.NormFloat64())
			}
		}
	}
}

// runForward maps rows [from, to) of xpad to out.
func (t *table[T]) runForward(p *surrogate.Pass[T], from, to int) error {
	var cond []T
	if t.conditional {
		cond = t.y[from*t.ny : to*t.ny]
	}
	z, logdet, err := p.Forward(t.xpad[from*t.dim:to*t.dim], cond)
	if err != nil {
		return fmt.Errorf("forward pass: %w", err)
	}
	copy(t.out[from*t.dim:], z)
	copy(t.logdet[from:], logdet)
	return nil
}

// runInverse maps rows [from, to) of u to back.
func (t *table[T]) runInverse(p *surrogate.Pass[T], from, to int) error {
	x, _, err := p.Inverse(t.u[from*t.dim:to*t.dim], nil)
	if err != nil {
		return fmt.Errorf("inverse pass: %w", err)
	}
	copy(t.back[from*t.dim:], x)
	return nil
}
