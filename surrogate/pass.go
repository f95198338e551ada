package surrogate

import (
	"fmt"
	"math"

	"oceaninv/surrogate/nn"
)

// Pass runs a flow over batches of up to a fixed number of rows, in one direction at a time, and differentiates the
// last run. It owns all its memory: a step allocates nothing. A loss that uses both T and T⁻¹ in one step needs
// two passes. A pass must not be shared between goroutines; several passes of one flow may run at once.
type Pass[T Float] struct {
	flow     *Flow[T]
	max      int
	inverse  bool
	blocks   []blockPass[T]
	values   [][]T // input of block 0, ..., output of the last block, in forward order
	io       []blockIO[T]
	logdet   []T
	zeros    []T
	cond     nn.Matrix[T]
	summary  *nn.MLPCache[T]
	wantCond bool
	gradient [2][]T
	grad     blockGrad[T] // here, since an interface call would send a local one to the heap
	dsummary []T
	dcond    []T
	rows     int
	evaluate bool // no Backward
	repeated []T  // one condition for all rows, where a block needs it repeated
	rng      *stream
	seed     uint64
	index    uint64
}

// NewPass allocates a pass for batches of up to maxBatch rows.
func (f *Flow[T]) NewPass(maxBatch int) *Pass[T] { return f.newPass(maxBatch, false) }

// NewEvaluation allocates a pass that cannot be differentiated: it computes no slopes and needs a fraction of the memory
// of [Flow.NewPass]. Its runs also take one condition for all rows (cond of length CondDim), whose share in the first
// layers is then computed once.
func (f *Flow[T]) NewEvaluation(maxBatch int) *Pass[T] { return f.newPass(maxBatch, true) }

func (f *Flow[T]) newPass(maxBatch int, evaluate bool) *Pass[T] {
	if maxBatch < 1 {
		panic("surrogate: a pass needs room for at least one row")
	}
	p := &Pass[T]{flow: f, max: maxBatch, evaluate: evaluate, rng: newStream(f.spec.Seed, streamDraws), seed: f.spec.Seed, index: streamDraws}
	var room scratch[T]
	room.mlp.Evaluate = evaluate
	if evaluate && f.spec.Coupling == "iresnet" {
		p.repeated = make([]T, maxBatch*f.spec.condWidth())
	}
	if f.summary != nil {
		p.summary = nn.NewCache(f.summary, maxBatch, &room.mlp)
		p.dsummary = make([]T, maxBatch*f.spec.SummaryDim)
	}
	n := maxBatch * f.spec.Dim
	p.values = append(p.values, make([]T, n))
	for _, b := range f.blocks {
		p.blocks = append(p.blocks, b.newPass(maxBatch, &room))
		p.values = append(p.values, make([]T, n))
	}
	p.io = make([]blockIO[T], len(f.blocks))
	p.logdet, p.zeros = make([]T, maxBatch), make([]T, maxBatch)
	p.gradient = [2][]T{make([]T, n), make([]T, n)}
	return p
}

// WantConditionGradient makes Backward return the gradient with respect to the condition, which otherwise is not
// computed.
func (p *Pass[T]) WantConditionGradient() {
	p.wantCond = true
	p.dcond = make([]T, p.max*p.flow.spec.CondDim)
}

// SetStream chooses the random numbers of blocks that estimate their log-determinant (i-ResNet). Runs with equal
// (seed, index) use equal numbers.
func (p *Pass[T]) SetStream(seed, index uint64) { p.seed, p.index = seed, index }

// Forward computes z = T(x; cond) and ln|det ∂z/∂x| for the rows×D matrix x and, for a conditional flow, the
// rows×CondDim matrix cond (nil otherwise). The results belong to the pass and hold until its next run. x may be
// changed afterwards, cond not before Backward.
//
// Input that is not finite is an error. Lengths that do not fit panic.
func (p *Pass[T]) Forward(x, cond []T) (z, logdet []T, err error) {
	n, err := p.begin(x, cond, false)
	if err != nil {
		return nil, nil, err
	}
	copy(p.values[0], x)
	for k, b := range p.blocks {
		io := p.bind(k, n)
		if err := b.forward(io); err != nil {
			return nil, nil, fmt.Errorf("surrogate: layer %d: %w", k, err)
		}
	}
	return p.values[len(p.blocks)][:n*p.flow.spec.Dim], p.logdet[:n], nil
}

// Inverse computes x = T⁻¹(z; cond) and ln|det ∂x/∂z|; otherwise it is like [Pass.Forward]. An i-ResNet whose
// fixed-point iteration does not converge is an error.
func (p *Pass[T]) Inverse(z, cond []T) (x, logdet []T, err error) {
	n, err := p.begin(z, cond, true)
	if err != nil {
		return nil, nil, err
	}
	copy(p.values[len(p.blocks)], z)
	for k := len(p.blocks) - 1; k >= 0; k-- {
		io := p.bind(k, n)
		if err := p.blocks[k].inverse(io); err != nil {
			return nil, nil, fmt.Errorf("surrogate: layer %d: %w", k, err)
		}
	}
	return p.values[0][:n*p.flow.spec.Dim], p.logdet[:n], nil
}

// Backward differentiates the last run. Given the gradients of a loss with respect to that run's output (dy) and
// log-determinants (dlogdet; nil means zero), it adds the gradient of the parameters to grad, an arena as long as
// [Flow.Params] (nil skips it), and returns the gradients with respect to the input and, after
// [Pass.WantConditionGradient], the condition. The results belong to the pass. A run may be differentiated more
// than once.
func (p *Pass[T]) Backward(dy, dlogdet, grad []T) (dx, dcond []T) {
	n, d := p.rows, p.flow.spec.Dim
	if p.evaluate {
		panic("surrogate: a pass for evaluation has no gradients")
	}
	if n == 0 {
		panic("surrogate: Backward before Forward or Inverse")
	}
	if len(dy) != n*d || (dlogdet != nil && len(dlogdet) != n) || (grad != nil && len(grad) != len(p.flow.params)) {
		panic("surrogate: gradients do not fit the batch or the flow")
	}
	if dlogdet == nil {
		dlogdet = p.zeros[:n]
	}
	g := &p.grad
	*g = blockGrad[T]{params: grad, dlogdet: dlogdet, cond: p.condGradient(n)}
	here, spare := p.gradient[0][:n*d], p.gradient[1][:n*d]
	copy(here, dy)
	for i := range p.blocks {
		g.dy, g.dx = nn.NewMatrix(here, n, d), nn.NewMatrix(spare, n, d)
		if p.inverse {
			p.blocks[i].inverseBackward(&p.io[i], g)
		} else {
			k := len(p.blocks) - 1 - i
			p.blocks[k].forwardBackward(&p.io[k], g)
		}
		here, spare = spare, here
	}
	return here, p.finishCondition(grad, n)
}

// begin checks a run's input and prepares the condition.
func (p *Pass[T]) begin(in, cond []T, inverse bool) (rows int, err error) {
	s := &p.flow.spec
	n := len(in) / s.Dim
	if n < 1 || n > p.max || len(in) != n*s.Dim {
		panic(fmt.Sprintf("surrogate: a batch of %d numbers is not 1 to %d rows of %d", len(in), p.max, s.Dim))
	}
	shared := p.evaluate && len(cond) == s.CondDim
	if len(cond) != n*s.CondDim && !shared {
		panic(fmt.Sprintf("surrogate: %d condition numbers for %d rows of %d", len(cond), n, s.CondDim))
	}
	p.rows = 0 // until the run is whole, Backward must not use it
	if i := firstNonFinite(in); i >= 0 {
		return 0, fmt.Errorf("surrogate: input row %d, column %d is %v", i/s.Dim, i%s.Dim, in[i])
	}
	if i := firstNonFinite(cond); i >= 0 {
		return 0, fmt.Errorf("surrogate: condition row %d, column %d is %v", i/s.CondDim, i%s.CondDim, cond[i])
	}
	p.rows, p.inverse = n, inverse
	p.rng.seek(p.seed, p.index)
	clear(p.logdet[:n])
	p.setCondition(cond, n, shared)
	return n, nil
}

// setCondition brings the condition to what the blocks see; shared says that it is one for all n rows.
func (p *Pass[T]) setCondition(cond []T, n int, shared bool) {
	s := &p.flow.spec
	rows := n
	if shared {
		rows = 1
	}
	p.cond = nn.NewMatrix(cond, rows, s.CondDim)
	if p.summary != nil {
		h := p.summary.Forward(p.flow.summary, p.flow.params, p.cond, nn.Matrix[T]{Rows: rows})
		p.cond = nn.NewMatrix(h, rows, s.SummaryDim)
	}
	if !shared || p.repeated == nil {
		return
	}
	one, width := p.cond.Data, s.condWidth()
	for i := range n {
		copy(p.repeated[i*width:(i+1)*width], one)
	}
	p.cond = nn.NewMatrix(p.repeated, n, width)
}

// bind fills in what block k reads and writes in this run.
func (p *Pass[T]) bind(k, n int) *blockIO[T] {
	f, d := p.flow, p.flow.spec.Dim
	x, y := nn.NewMatrix(p.values[k], n, d), nn.NewMatrix(p.values[k+1], n, d)
	if p.inverse {
		x, y = y, x
	}
	p.io[k] = blockIO[T]{params: f.params, state: f.state, x: x, y: y, cond: p.cond, logdet: p.logdet[:n], rng: p.rng}
	return &p.io[k]
}

// condGradient returns cleared room for the gradient of what the blocks see as their condition, or nothing if
// nobody needs it.
func (p *Pass[T]) condGradient(n int) nn.Matrix[T] {
	s := &p.flow.spec
	room := p.dcond
	if p.summary != nil {
		room = p.dsummary
	} else if !p.wantCond {
		return nn.Matrix[T]{}
	}
	m := nn.NewMatrix(room, n, s.condWidth())
	clear(m.Data)
	return m
}

func (p *Pass[T]) finishCondition(grad []T, n int) (dcond []T) {
	s := &p.flow.spec
	if p.wantCond {
		dcond = p.dcond[:n*s.CondDim]
	}
	if p.summary == nil {
		return dcond
	}
	var dc nn.Matrix[T]
	if p.wantCond {
		clear(dcond)
		dc = nn.NewMatrix(dcond, n, s.CondDim)
	}
	p.summary.Backward(p.flow.summary, p.flow.params, grad, p.dsummary[:n*s.SummaryDim], dc, nn.Matrix[T]{})
	return dcond
}

// firstNonFinite returns the index of the first infinity or NaN in x, or -1. The sum of squares is fast and finite
// unless something is not or squares overflow; only then is it worth looking at each number.
func firstNonFinite[T Float](x []T) int {
	if s := nn.SumSquares(x); !math.IsInf(s, 0) && !math.IsNaN(s) {
		return -1
	}
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}
