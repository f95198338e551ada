package train

import (
	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// adversarial is the objective of the f-divergences.
//
// Inverse direction, what the released scripts run: x̂ is the x part of T⁻¹([z, y]); the critic tells (x, y) from
// (x̂, y); the generator adds ReverseWeight·mean (x̂-x)². Forward direction, what the paper describes: the critic
// tells (z, y) from T([x, padding]), and the generator adds the supervised error FitWeight·RMSE(ŷ, y) and, as
// released, ReverseWeight·mean (T - [z, y])² with an independent z. With several critic steps, each draws fresh noise for the same batch and the last one's samples are the
// generator's.
type adversarial[T nn.Float] struct {
	*machine[T]
	div      Divergence
	clamp    Clamp
	goal     GeneratorObjective
	fromBase bool // inverse direction
	critic   *Critic[T]
	adam     *Optimiser[T]

	real, fake, dfake []T // critic inputs, rows×width
	width             int
	shares            []float64 // of the chunks in a sum
	round             int

	drawTask, learnTask, judgeTask, backTask, boundTask func(piece int)
}

func newAdversarial[T nn.Float](f *surrogate.Flow[T], s shape, o Options, pool *Pool, rows, heldRows int) *adversarial[T] {
	d, _ := o.Loss.Divergence()
	a := &adversarial[T]{div: d, fromBase: o.Direction == "inverse", shares: make([]float64, o.Chunks)}
	a.goal, _ = ParseGeneratorObjective(o.Generator)
	switch o.Clamp {
	case "paper":
		a.clamp = PaperClamp()
	case "hard":
		a.clamp = HardClamp()
	case "corrected":
		a.clamp = TangentClamp()
	}
	a.machine = newMachine(f, s, o, pool, rows, heldRows, !a.fromBase, a.fromBase)
	if !a.fromBase {
		for _, t := range []*table[T]{a.train, a.held} {
			if t != nil {
				t.u = make([]T, t.rows*t.dim)
			}
		}
	}
	a.width = s.dim
	if a.fromBase {
		a.width = s.nx + s.ny
	}
	most := max(rows, heldRows)
	n := most * a.width
	a.real, a.fake, a.dfake = make([]T, n), make([]T, n), make([]T, n)
	a.critic = NewCritic[T](o.criticSpec(a.width), o.Chunks, (most+o.Chunks-1)/o.Chunks, o.Seed)
	a.adam = NewOptimiser(AdamOptions{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon}, pool, a.critic.raw, a.critic.grads(), 0)
	a.drawTask, a.learnTask, a.judgeTask = a.drawPiece, a.learnPiece, a.judgePiece
	a.backTask, a.boundTask = a.backPiece, a.boundPiece
	return a
}

func (a *adversarial[T]) arenas() []arena[T] {
	list := []arena[T]{{"critic.weights", a.critic.raw}, {"critic.m", a.adam.m}, {"critic.v", a.adam.v}}
	if a.critic.spec.SpectralNorm {
		list = append(list, arena[T]{"critic.normalised", a.critic.params}, arena[T]{"critic.sigma", a.critic.sigma})
	}
	for k := range a.critic.u {
		list = append(list, arena[T]{"critic.u", a.critic.u[k]}, arena[T]{"critic.v_singular", a.critic.v[k]})
	}
	return list
}

func (a *adversarial[T]) step(b *batch[T], r randomness, rate float64) (Terms, error) {
	a.load(b, r)
	var terms Terms
	a.adam.steps = r.index * a.opt.CriticSteps // resumes where it stopped
	for a.round = range a.opt.CriticSteps {
		if err := a.each(a.drawTask); err != nil {
			return terms, err
		}
		if err := a.each(a.learnTask); err != nil {
			return terms, err
		}
		terms.Critic = a.total()
		for _, g := range a.adam.grads {
			a.critic.pullBack(g)
		}
		if norm, ok := a.adam.Step(a.opt.CriticRate * rate / a.opt.LearningRate); !ok {
			return terms, &gradientError{norm}
		}
		a.critic.refresh()
	}
	if err := a.each(a.judgeTask); err != nil {
		return terms, err
	}
	terms.Generator = a.total()
	a.pairTerms(&terms)
	terms.sum()
	return terms, a.each(a.backTask)
}

// evaluate reports the unclamped bound on held-out data as the generator's term.
func (a *adversarial[T]) evaluate(b *batch[T], r randomness) (Terms, error) {
	a.load(b, r)
	var terms Terms
	a.round = 0
	if err := a.each(a.drawTask); err != nil {
		return terms, err
	}
	if err := a.each(a.boundTask); err != nil {
		return terms, err
	}
	terms.Generator = a.total()
	terms.Critic = -terms.Generator
	a.pairTerms(&terms)
	terms.sum()
	return terms, nil
}

// pairTerms adds the regression and prior terms to the loss and to dout or dback.
func (a *adversarial[T]) pairTerms(terms *Terms) {
	t, o := a.table, a.opt
	if !a.fromBase {
		out, dout := t.matrix(t.out), t.matrix(t.dout)
		terms.Reverse = MSE(o.ReverseWeight, out, t.matrix(t.u), dout)
		if t.ny > 0 && o.FitWeight > 0 {
			terms.Fit = RMSE(o.FitWeight, out.Columns(t.nz(), t.dim), nn.NewMatrix(t.y, t.rows, t.ny), dout.Columns(t.nz(), t.dim))
		}
		return
	}
	xhat, dxhat := t.matrix(t.back).Columns(0, t.nx), t.matrix(t.dback).Columns(0, t.nx)
	x := nn.NewMatrix(t.x, t.rows, t.nx)
	terms.Reverse = MSE(o.ReverseWeight, xhat, x, dxhat)
	terms.Prior = priorTerm(o, xhat, x, dxhat)
}

// total adds the chunks' shares in their order.
func (a *adversarial[T]) total() float64 {
	s := 0.0
	for _, v := range a.shares {
		s += v
	}
	return s
}

// drawPiece makes the model's samples and lines up what the critic sees.
func (a *adversarial[T]) drawPiece(piece int) {
	c, from, to := a.begin(piece)
	if from == to {
		return
	}
	t := a.table
	r := a.seed
	r.index = r.index*a.opt.CriticSteps + a.round
	a.draw(c, r, piece)
	t.latent(t.u, &c.rng, a.opt.ReverseNoise, from, to)
	if !a.fromBase {
		t.pad(&c.rng, a.opt.PadNoise, from, to)
		if c.err = t.runForward(c.forward, from, to); c.err != nil {
			return
		}
		n, m := from*t.dim, to*t.dim
		copy(a.real[n:m], t.u[n:m])
		copy(a.fake[n:m], t.out[n:m])
		clear(t.dout[n:m])
		return
	}
	if c.err = t.runInverse(c.inverse, from, to); c.err != nil {
		return
	}
	for i := from; i < to; i++ {
		real, fake := a.real[i*a.width:(i+1)*a.width], a.fake[i*a.width:(i+1)*a.width]
		y := t.y[i*t.ny : (i+1)*t.ny]
		copy(real, t.x[i*t.nx:(i+1)*t.nx])
		copy(fake, t.back[i*t.dim:i*t.dim+t.nx])
		copy(real[t.nx:], y)
		copy(fake[t.nx:], y)
	}
	clear(t.dback[from*t.dim : to*t.dim])
}

func (a *adversarial[T]) inputs(v []T, from, to int) nn.Matrix[T] {
	return nn.NewMatrix(v[from*a.width:to*a.width], to-from, a.width)
}

func (a *adversarial[T]) learnPiece(piece int) {
	_, from, to := a.begin(piece)
	a.shares[piece] = 0
	if from < to {
		a.shares[piece] = a.critic.learn(piece, a.div, a.clamp, a.inputs(a.real, from, to), a.inputs(a.fake, from, to), a.table.rows)
	}
}

func (a *adversarial[T]) judgePiece(piece int) {
	_, from, to := a.begin(piece)
	a.shares[piece] = 0
	if from == to {
		return
	}
	d := a.inputs(a.dfake, from, to)
	clear(d.Data)
	a.shares[piece] = a.critic.judge(piece, a.div, a.goal, a.clamp, a.inputs(a.fake, from, to), d, a.table.rows)
}

// boundPiece is a chunk's share of the unclamped bound.
func (a *adversarial[T]) boundPiece(piece int) {
	_, from, to := a.begin(piece)
	a.shares[piece] = 0
	if from == to {
		return
	}
	h := &a.critic.chunks[piece]
	a.critic.Score(piece, a.inputs(a.real, from, to), h.dreal)
	a.critic.Score(piece, a.inputs(a.fake, from, to), h.dfake)
	n := to - from
	a.shares[piece] = Bound(a.div, h.dreal[:n], h.dfake[:n]) * float64(n) / float64(a.table.rows)
}

// backPiece sends the generator's gradient through the flow.
func (a *adversarial[T]) backPiece(piece int) {
	c, from, to := a.begin(piece)
	if from == to {
		return
	}
	t := a.table
	if !a.fromBase {
		d := t.dout[from*t.dim : to*t.dim]
		nn.Add(d, a.dfake[from*t.dim:to*t.dim])
		c.forward.Backward(d, nil, c.grad)
		return
	}
	for i := from; i < to; i++ {
		nn.Add(t.dback[i*t.dim:i*t.dim+t.nx], a.dfake[i*a.width:i*a.width+t.nx])
	}
	c.inverse.Backward(t.dback[from*t.dim:to*t.dim], nil, c.grad)
}
