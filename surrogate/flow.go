package surrogate

import (
	"fmt"

	"oceaninv/surrogate/nn"
)

// Flow is an invertible map T of R^D, conditional or not, built from a [FlowSpec].
type Flow[T Float] struct {
	spec    FlowSpec
	layout  nn.Layout // of params
	fixed   nn.Layout // of state
	params  []T
	state   []T
	blocks  []block[T]
	summary *nn.MLP // nil without a summary network
}

// Indices of the random streams that a flow draws from, all with the seed of its spec.
const (
	streamParams      = 0
	streamPermutation = 1 << 20 // + block
	streamDraws       = 1 << 32
)

// NewFlow builds the flow and initialises its parameters from spec.Seed. The error is that of [FlowSpec.Validate].
func NewFlow[T Float](spec FlowSpec) (*Flow[T], error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	f := &Flow[T]{spec: spec}
	if spec.SummaryDim > 0 {
		f.summary = nn.NewMLP(&f.layout, "summary", nn.MLPSpec{
			In: spec.CondDim, Out: spec.SummaryDim,
			Hidden: spec.SummaryHidden, Layers: spec.SummaryLayers, Activation: activationNamed(spec.Activation),
		})
	}
	for k := range spec.Blocks {
		f.addBlock(k)
	}
	f.params, f.state = make([]T, f.layout.Size()), make([]T, f.fixed.Size())
	rng := newStream(spec.Seed, streamParams)
	if f.summary != nil {
		how := spec.initialisation()
		how.ZeroLast = false
		nn.Initialise(f.summary, f.params, how, rng.NormFloat64)
	}
	for _, b := range f.blocks {
		b.initialise(f.params, f.state, rng)
	}
	f.Refresh()
	return f, nil
}

// addBlock appends what spec puts into block k: ActNorm, coupling, permutation.
func (f *Flow[T]) addBlock(k int) {
	s := &f.spec
	name := fmt.Sprintf("block.%d", k)
	if s.ActNorm {
		f.blocks = append(f.blocks, newActNorm[T](&f.layout, &f.fixed, name+".act_norm", s.Dim))
	}
	if s.Coupling == "iresnet" {
		f.blocks = append(f.blocks, newResidual[T](&f.layout, &f.fixed, name+".residual", s))
	} else {
		f.blocks = append(f.blocks, newCoupling[T](&f.layout, name, s))
	}
	if p := newPermutation[T](&f.layout, &f.fixed, name, s, k); p != nil {
		f.blocks = append(f.blocks, p)
	}
}

// Spec returns the architecture.
func (f *Flow[T]) Spec() FlowSpec { return f.spec }

// Dim returns D.
func (f *Flow[T]) Dim() int { return f.spec.Dim }

// CondDim returns the length of a condition, 0 for an unconditional flow.
func (f *Flow[T]) CondDim() int { return f.spec.CondDim }

// Params returns the arena of trainable numbers itself: writing to it changes the flow, and [Flow.Refresh] must
// follow before the next pass. A gradient arena is a slice of the same length.
func (f *Flow[T]) Params() []T { return f.params }

// Tensors names the parts of the parameter arena.
func (f *Flow[T]) Tensors() []nn.Tensor { return f.layout.Tensors() }

// State returns the arena of numbers that belong to the flow but are not trained: permutations, fixed rotations,
// singular vectors of spectral normalisation, whether ActNorm has seen data. Checkpoints keep it next to Params.
func (f *Flow[T]) State() []T { return f.state }

// StateTensors names the parts of the state arena.
func (f *Flow[T]) StateTensors() []nn.Tensor { return f.fixed.Tensors() }

// Refresh recomputes what follows from the parameters (learned rotations, spectral norms). Call it once after each
// change of the parameters, while no pass is running.
func (f *Flow[T]) Refresh() {
	for _, b := range f.blocks {
		b.refresh(f.params, f.state)
	}
}

// Load replaces parameters and state, as read from a file, and refreshes. It fails if the lengths do not fit, if a
// number is not finite or if a permutation is none.
func (f *Flow[T]) Load(params, state []T) error {
	if len(params) != len(f.params) || len(state) != len(f.state) {
		return fmt.Errorf("surrogate: the flow has %d parameters and %d state numbers, got %d and %d",
			len(f.params), len(f.state), len(params), len(state))
	}
	for _, part := range [][]T{params, state} {
		if i := firstNonFinite(part); i >= 0 {
			return fmt.Errorf("surrogate: number %d of the flow's parameters or state is not finite", i)
		}
	}
	if err := f.checkState(state); err != nil {
		return err
	}
	copy(f.params, params)
	copy(f.state, state)
	f.Refresh()
	return nil
}

// checkState reports a state that would make the flow something else than a bijection.
func (f *Flow[T]) checkState(state []T) error {
	for _, b := range f.blocks {
		if p, ok := b.(*permutation[T]); ok {
			if err := p.check(state); err != nil {
				return err
			}
		}
	}
	return nil
}

// Convert returns the same flow in another precision.
func Convert[To, From Float](f *Flow[From]) *Flow[To] {
	g, err := NewFlow[To](f.spec)
	if err != nil {
		panic(err) // the spec built f
	}
	for i, v := range f.params {
		g.params[i] = To(v)
	}
	for i, v := range f.state {
		g.state[i] = To(v)
	}
	g.Refresh()
	return g
}
