package train

import (
	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// randomness says where a step's noise comes from: one stream per chunk of (seed, purpose, index).
type randomness struct {
	seed, purpose uint64
	index         int
}

func (r randomness) of(chunk int) uint64 { return uint64(r.index)<<16 | uint64(chunk) }

func (r randomness) seek(g *stream, chunk int) { g.seek(r.seed, r.purpose, r.of(chunk)) }

// objective turns a batch into a loss and, in training, into gradients in the chunks' arenas.
type objective[T nn.Float] interface {
	// step computes the loss of b and leaves its gradient in the chunks.
	step(b *batch[T], r randomness, rate float64) (Terms, error)
	// evaluate computes the loss only.
	evaluate(b *batch[T], r randomness) (Terms, error)
	// fit shows the flow a batch, from which data-dependent layers start.
	fit(b *batch[T], r randomness) error
	// arenas lists what a step changes besides the flow's parameters, for checkpoints.
	arenas() []arena[T]
}

// arena is a named slice of numbers that belongs in a checkpoint.
type arena[T nn.Float] struct {
	name string
	v    []T
}

// machine is what the objectives share: a flow, the chunks and the pool that runs them.
type machine[T nn.Float] struct {
	shape
	flow   *surrogate.Flow[T]
	opt    Options
	pool   *Pool
	chunks []*chunk[T]
	seed   randomness
	table  *table[T] // of the batch under way
	train  *table[T]
	held   *table[T]
}

// newMachine makes room for batches of rows in training and heldRows (0 for none) in evaluation.
func newMachine[T nn.Float](f *surrogate.Flow[T], s shape, o Options, pool *Pool, rows, heldRows int, forward, inverse bool) *machine[T] {
	m := &machine[T]{shape: s, flow: f, opt: o, pool: pool, train: newTable[T](s, rows, inverse)}
	if heldRows > 0 {
		m.held = newTable[T](s, heldRows, inverse)
	}
	share := (max(rows, heldRows) + o.Chunks - 1) / o.Chunks
	for range o.Chunks {
		c := &chunk[T]{grad: make([]T, len(f.Params()))}
		if forward {
			c.forward = f.NewPass(share)
		}
		if inverse {
			c.inverse = f.NewPass(share)
		}
		c.rng.init()
		m.chunks = append(m.chunks, c)
	}
	return m
}

func (m *machine[T]) grads() [][]T {
	g := make([][]T, len(m.chunks))
	for i, c := range m.chunks {
		g[i] = c.grad
	}
	return g
}

// load points the machine at a batch.
func (m *machine[T]) load(b *batch[T], r randomness) {
	m.table = m.train
	if m.held != nil && len(b.rows) == m.held.rows && r.purpose == streamHeldOut {
		m.table = m.held
	}
	m.table.x, m.table.y, m.seed = b.x, b.y, r
}

// fit shows the flow a batch as T sees it.
func (m *machine[T]) fit(b *batch[T], r randomness) error {
	m.load(b, r)
	c, t := m.chunks[0], m.table
	r.seek(&c.rng, 0)
	t.pad(&c.rng, m.opt.PadNoise, 0, t.rows)
	var cond []T
	if m.conditional {
		cond = t.y
	}
	return m.flow.FitActNorm(t.xpad, cond)
}

// draw sets the random numbers of a chunk, its passes' included, to those of the step under way.
func (m *machine[T]) draw(c *chunk[T], r randomness, piece int) {
	r.seek(&c.rng, piece)
	for _, p := range [...]*surrogate.Pass[T]{c.forward, c.inverse} {
		if p != nil {
			p.SetStream(mix(r.seed^r.purpose), r.of(piece))
		}
	}
}

// each runs task over the chunks and returns the first chunk's error.
func (m *machine[T]) each(task func(piece int)) error {
	m.pool.Run(len(m.chunks), task)
	for _, c := range m.chunks {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// begin returns a chunk and its rows, with its stream at the start, and clears its error.
func (m *machine[T]) begin(piece int) (c *chunk[T], from, to int) {
	c = m.chunks[piece]
	c.err = nil
	from, to = pieceRange(m.table.rows, len(m.chunks), piece)
	return c, from, to
}

// supervised is the objective of likelihoods and transport: T forward on data and, where a term asks for it, T⁻¹
// on base noise with the observation.
type supervised[T nn.Float] struct {
	*machine[T]
	needForward, needInverse  bool
	sinkhorn, heldSinkhorn    *SinkhornWorkspace[T]
	mmd, heldMMD              *MMDWorkspace[T]
	forwardTask, backwardTask func(piece int)
}

func newSupervised[T nn.Float](f *surrogate.Flow[T], s shape, o Options, pool *Pool, rows, heldRows int) *supervised[T] {
	transport := o.Loss == LossWasserstein || o.Loss == LossMMD
	p := &supervised[T]{needForward: !transport || (s.ny > 0 && o.FitWeight > 0),
		needInverse: !s.conditional && (transport || o.ReverseWeight > 0)}
	p.machine = newMachine(f, s, o, pool, rows, heldRows, p.needForward, p.needInverse)
	if transport {
		p.sinkhorn, p.mmd = newTransport[T](o, pool, rows, s.dim)
	}
	if transport && heldRows > 0 {
		p.heldSinkhorn, p.heldMMD = newTransport[T](o, pool, heldRows, s.dim)
	}
	p.forwardTask, p.backwardTask = p.forwardPiece, p.backwardPiece
	return p
}

func newTransport[T nn.Float](o Options, pool *Pool, rows, dim int) (*SinkhornWorkspace[T], *MMDWorkspace[T]) {
	if o.Loss == LossMMD {
		return nil, NewMMDWorkspace[T](MMD{o.KernelScales, o.KernelExponents}, pool, rows, rows, dim)
	}
	return NewSinkhornWorkspace[T](Sinkhorn{o.Blur, o.Scaling}, pool, rows, rows, dim), nil
}

func (p *supervised[T]) arenas() []arena[T] { return nil }

func (p *supervised[T]) step(b *batch[T], r randomness, _ float64) (Terms, error) {
	terms, err := p.evaluate(b, r)
	if err != nil {
		return terms, err
	}
	return terms, p.each(p.backwardTask)
}

func (p *supervised[T]) evaluate(b *batch[T], r randomness) (Terms, error) {
	p.load(b, r)
	if err := p.each(p.forwardTask); err != nil {
		return Terms{}, err
	}
	return p.loss(), nil
}

func (p *supervised[T]) forwardPiece(piece int) {
	c, from, to := p.begin(piece)
	if from == to {
		return
	}
	p.draw(c, p.seed, piece)
	t := p.table
	t.pad(&c.rng, p.opt.PadNoise, from, to)
	if p.needForward {
		if c.err = t.runForward(c.forward, from, to); c.err != nil {
			return
		}
	}
	if p.needInverse {
		t.latent(t.u, &c.rng, p.opt.ReverseNoise, from, to)
		c.err = t.runInverse(c.inverse, from, to)
	}
	clear(t.dout[from*t.dim : to*t.dim])
	clear(t.dlogdet[from:to])
	if p.needInverse {
		clear(t.dback[from*t.dim : to*t.dim])
	}
}

func (p *supervised[T]) backwardPiece(piece int) {
	c, from, to := p.begin(piece)
	if from == to {
		return
	}
	t := p.table
	if p.needForward {
		c.forward.Backward(t.dout[from*t.dim:to*t.dim], t.dlogdet[from:to], c.grad)
	}
	if p.needInverse {
		c.inverse.Backward(t.dback[from*t.dim:to*t.dim], nil, c.grad)
	}
}

// loss evaluates all terms on the whole batch.
func (p *supervised[T]) loss() Terms {
	var terms Terms
	t, o := p.table, p.opt
	out, dout := t.matrix(t.out), t.matrix(t.dout)
	y := nn.NewMatrix(t.y, t.rows, t.ny)
	switch o.Loss {
	case LossMaximumLikelihood:
		terms.Latent = MaximumLikelihood(out, t.logdet, dout, t.dlogdet)
	case LossNLL, LossNLLExact:
		l := NLL{Exact: o.Loss == LossNLLExact, FitWeight: o.FitWeight, SigmaY: o.SigmaY}
		terms.Fit, terms.Latent = evalNLL(l, out, t.logdet, y, dout, t.dlogdet)
	default:
		if p.needForward {
			terms.Fit = RMSE(o.FitWeight, out.Columns(t.nz(), t.dim), y, dout.Columns(t.nz(), t.dim))
		}
	}
	if p.needInverse {
		p.inverseTerms(&terms)
	}
	terms.sum()
	return terms
}

// inverseTerms adds what T⁻¹ is asked for: to be near x (all of [x, padding] for the likelihoods, x alone for the
// transport losses, as the authors do), to have its law, to respect the prior.
func (p *supervised[T]) inverseTerms(terms *Terms) {
	t, o := p.table, p.opt
	back, dback, xpad := t.matrix(t.back), t.matrix(t.dback), t.matrix(t.xpad)
	width := t.dim
	sinkhorn, mmd := p.sinkhorn, p.mmd
	if t == p.held {
		sinkhorn, mmd = p.heldSinkhorn, p.heldMMD
	}
	if sinkhorn != nil || mmd != nil {
		width = t.nx
	}
	if o.ReverseWeight > 0 {
		terms.Reverse = RMSE(o.ReverseWeight, back.Columns(0, width), xpad.Columns(0, width), dback.Columns(0, width))
	}
	switch {
	case sinkhorn != nil:
		terms.Transport = sinkhorn.Eval(o.TransportWeight, back, xpad, dback)
	case mmd != nil:
		terms.Transport = mmd.Eval(o.TransportWeight, back, xpad, dback)
	}
	terms.Prior = priorTerm(o, back.Columns(0, t.nx), xpad.Columns(0, t.nx), dback.Columns(0, t.nx))
}

func priorTerm[T nn.Float](o Options, xhat, x, dxhat nn.Matrix[T]) float64 {
	if o.PriorWeight == 0 {
		return 0
	}
	first := func(n int) (a, b, c nn.Matrix[T]) { return xhat.Columns(0, n), x.Columns(0, n), dxhat.Columns(0, n) }
	switch o.PriorTerm {
	case "paired_normal":
		xhat, x, dxhat = first(len(o.PriorSigma))
		return PairedNormalTerm(o.PriorWeight, xhat, x, o.PriorSigma, dxhat)
	case "normal":
		xhat, _, dxhat = first(len(o.PriorSigma))
		return NormalPriorTerm(o.PriorWeight, xhat, o.PriorMean, o.PriorSigma, dxhat)
	case "uniform", "uniform_sum":
		xhat, _, dxhat = first(len(o.PriorLow))
		return UniformPriorTerm(Box{o.PriorWeight, o.PriorTerm == "uniform_sum", o.PriorLow, o.PriorHigh, o.PriorUnit}, xhat, dxhat)
	}
	return 0
}
