package surrogate

import (
	"fmt"

	"oceaninv/surrogate/nn"
)

// newPermutation returns what the spec puts after the coupling of block k, or nil for nothing.
func newPermutation[T Float](l, fixed *nn.Layout, prefix string, s *FlowSpec, k int) block[T] {
	rng := newStream(s.Seed, streamPermutation+uint64(k))
	hard := func(order []int) block[T] {
		return &permutation[T]{order: order, at: fixed.Add(prefix+".permutation", s.Dim)}
	}
	switch s.Permutation {
	case "hard":
		return hard(rng.Perm(s.Dim))
	case "numpy":
		return hard(LegacyPermutation(uint32(k), s.Dim))
	case "reverse":
		order := make([]int, s.Dim)
		for i := range order {
			order[i] = s.Dim - 1 - i
		}
		return hard(order)
	case "rotation", "householder":
		return newRotation[T](l, fixed, prefix, s.Dim, s.Permutation == "householder", rng)
	case "none":
		return nil
	}
	panic("surrogate: unknown permutation " + s.Permutation)
}

// permutation is y[:, j] = x[:, order[j]]; its log-determinant is zero. The order is kept in the state, as
// numbers, so that a stored flow needs no random generator to be rebuilt.
type permutation[T Float] struct {
	order []int
	at    nn.Tensor
}

func (p *permutation[T]) initialise(_, state []T, _ *stream) {
	v := nn.View(p.at, state)
	for j, i := range p.order {
		v[j] = T(i)
	}
}

func (p *permutation[T]) refresh(_, state []T) {
	for j, v := range nn.View(p.at, state) {
		p.order[j] = int(v)
	}
}

// check reports a state, as read from a file, that is no permutation.
func (p *permutation[T]) check(state []T) error {
	seen := make([]bool, len(p.order))
	for j, v := range nn.View(p.at, state) {
		if !(v >= 0) || int(v) >= len(seen) || T(int(v)) != v || seen[int(v)] {
			return fmt.Errorf("surrogate: array %s is not a permutation: element %d is %v", p.at.Name, j, v)
		}
		seen[int(v)] = true
	}
	return nil
}

func (p *permutation[T]) newPass(int, *scratch[T]) blockPass[T] { return p }

func (p *permutation[T]) forward(a *blockIO[T]) error { p.gather(a.y, a.x); return nil }
func (p *permutation[T]) inverse(a *blockIO[T]) error { p.scatter(a.y, a.x); return nil }

func (p *permutation[T]) forwardBackward(_ *blockIO[T], d *blockGrad[T]) { p.scatter(d.dx, d.dy) }
func (p *permutation[T]) inverseBackward(_ *blockIO[T], d *blockGrad[T]) { p.gather(d.dx, d.dy) }

func (p *permutation[T]) gather(y, x nn.Matrix[T]) {
	for i := range x.Rows {
		yi, xi := y.Row(i), x.Row(i)
		for j, k := range p.order {
			yi[j] = xi[k]
		}
	}
}

func (p *permutation[T]) scatter(y, x nn.Matrix[T]) {
	for i := range x.Rows {
		yi, xi := y.Row(i), x.Row(i)
		for j, k := range p.order {
			yi[k] = xi[j]
		}
	}
}
