package surrogate

import "oceaninv/surrogate/nn"

// block is one invertible layer of a flow. It holds offsets and sizes; the numbers are in the flow's arenas.
type block[T Float] interface {
	// initialise sets the parameters and the state from the generator.
	initialise(params, state []T, rng *stream)
	// refresh brings derived state up to date with the parameters.
	refresh(params, state []T)
	// newPass allocates what one pass over at most batch rows needs. scratch is shared by the blocks of a pass.
	newPass(batch int, scratch *scratch[T]) blockPass[T]
}

// blockPass runs a block in either direction and remembers what its backward passes need.
type blockPass[T Float] interface {
	forward(a *blockIO[T]) error
	inverse(a *blockIO[T]) error
	forwardBackward(a *blockIO[T], d *blockGrad[T])
	inverseBackward(a *blockIO[T], d *blockGrad[T])
}

// blockIO is what a block reads and writes. In both directions x is the input (read) and y the output
// (overwritten); the log-determinant of the map that was run is added to logdet. A backward pass gets the values
// its forward pass had.
type blockIO[T Float] struct {
	params, state []T
	x, y          nn.Matrix[T]
	cond          nn.Matrix[T]
	logdet        []T
	rng           *stream // for blocks that estimate their log-determinant
}

// blockGrad holds gradients of a loss: dy and dlogdet are given, dx is overwritten, params (may be nil) and cond
// (Data may be nil) are added to. A block may use dy as scratch.
type blockGrad[T Float] struct {
	params  []T
	dy, dx  nn.Matrix[T]
	cond    nn.Matrix[T]
	dlogdet []T
}

// scratch is room that the blocks of a pass share, since only one runs at a time. mlp.Evaluate says that the pass
// will not be differentiated.
type scratch[T Float] struct {
	mlp   nn.MLPScratch[T]
	theta [2][]T // gradients of the outputs of conditioner networks
}

// reserve makes theta large enough.
func (s *scratch[T]) reserve(n0, n1 int) {
	for i, n := range [2]int{n0, n1} {
		if n > len(s.theta[i]) {
			s.theta[i] = make([]T, n)
		}
	}
}
