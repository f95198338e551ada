package train

import (
	"cmp"
	"math"

	"oceaninv/surrogate/nn"
)

// CriticSpec is the shape of a critic V: a perceptron with ReLU onto one score.
type CriticSpec struct {
	In, Hidden, Layers int
	Widths             []int             // of the hidden layers, where they differ: instead of Hidden and Layers
	SpectralNorm       bool              // divide every matrix by its largest singular value (Miyato et al. 2018)
	Init               nn.Initialisation // the zero value is orthogonal of gain √2
}

// Initial weights of a critic, by their names in [Options].
const (
	criticNormal = "normal" // weights N(0, 0.02²), biases PyTorch's default: train_fdiv.py and pareto_exp.py
	criticTorch  = "torch"  // weights and biases PyTorch's default
)

var criticInits = map[string]nn.Initialisation{
	criticNormal: {Scale: 0.02, Biases: true},
	criticTorch:  {Uniform: true, Biases: true},
}

// criticSpec is the critic that the options ask for, of inputs of the given width.
func (o Options) criticSpec(in int) CriticSpec {
	return CriticSpec{In: in, Hidden: o.CriticHidden, Layers: o.CriticLayers, Widths: o.CriticWidths,
		SpectralNorm: o.SpectralNorm, Init: criticInits[cmp.Or(o.CriticInit, criticNormal)]}
}

// Critic is the network that tells data from samples of a model. It keeps a gradient and activations per chunk,
// so that chunks may run at once.
type Critic[T nn.Float] struct {
	spec   CriticSpec
	mlp    *nn.MLP
	raw    []T   // the trained numbers
	params []T   // what passes use: raw, or its spectrally normalised copy
	sigma  []T   // largest singular values
	u, v   [][]T // leading singular vectors of each matrix
	chunks []criticChunk[T]
}

// criticChunk is one chunk's share of a critic's work.
type criticChunk[T nn.Float] struct {
	real, fake   *nn.MLPCache[T]
	grad         []T
	dreal, dfake []T
}

// NewCritic makes a critic for batches of which each of chunks chunks has at most rows rows.
func NewCritic[T nn.Float](spec CriticSpec, chunks, rows int, seed uint64) *Critic[T] {
	var layout nn.Layout
	c := &Critic[T]{spec: spec, mlp: nn.NewMLP(&layout, "critic", nn.MLPSpec{In: spec.In, Out: 1,
		Hidden: spec.Hidden, Layers: spec.Layers, Widths: spec.Widths, Activation: nn.ActReLU})}
	var g stream
	g.init()
	g.seek(seed, streamCritic, 0)
	c.raw = make([]T, layout.Size())
	how := spec.Init
	if how == (nn.Initialisation{}) {
		how = nn.Initialisation{Orthogonal: true, Scale: math.Sqrt2}
	}
	nn.Initialise(c.mlp, c.raw, how, g.NormFloat64)
	c.params = c.raw
	if spec.SpectralNorm {
		c.startSpectral(&g)
	}
	for range chunks {
		var scratch nn.MLPScratch[T]
		c.chunks = append(c.chunks, criticChunk[T]{real: nn.NewCache(c.mlp, rows, &scratch),
			fake: nn.NewCache(c.mlp, rows, &scratch), grad: make([]T, len(c.raw)),
			dreal: make([]T, rows), dfake: make([]T, rows)})
	}
	return c
}

func (c *Critic[T]) startSpectral(g *stream) {
	c.params = make([]T, len(c.raw))
	for _, d := range c.mlp.Layers() {
		u, v := make([]T, d.In), make([]T, d.Out)
		fillNormal(g, u, 1)
		fillNormal(g, v, 1)
		c.u, c.v, c.sigma = append(c.u, u), append(c.v, v), append(c.sigma, 1)
	}
	for range 30 {
		c.refresh()
	}
}

// refresh brings the spectrally normalised weights up to date: one power iteration per matrix, started from the
// last vectors.
func (c *Critic[T]) refresh() {
	if !c.spec.SpectralNorm {
		return
	}
	copy(c.params, c.raw)
	for k, d := range c.mlp.Layers() {
		w := nn.View(d.W, c.raw)
		u, v := c.u[k], c.v[k]
		nn.Gemm(true, false, d.Out, 1, d.In, 1, w, d.Out, u, 1, 0, v, 1)
		normalise(v)
		nn.Gemm(false, false, d.In, 1, d.Out, 1, w, d.Out, v, 1, 0, u, 1)
		c.sigma[k] = T(normalise(u))
		if c.sigma[k] == 0 {
			c.sigma[k] = 1
		}
		for i, x := range w {
			nn.View(d.W, c.params)[i] = x / c.sigma[k]
		}
	}
}

func normalise[T nn.Float](x []T) float64 {
	n := math.Sqrt(nn.SumSquares(x))
	if n > 0 {
		for i := range x {
			x[i] /= T(n)
		}
	}
	return n
}

// pullBack turns a gradient with respect to the normalised weights W/σ into one with respect to W, with the
// singular vectors held fixed: G ← (G - <G, W/σ> u vᵀ)/σ.
func (c *Critic[T]) pullBack(grad []T) {
	if !c.spec.SpectralNorm {
		return
	}
	for k, d := range c.mlp.Layers() {
		g, w := nn.View(d.W, grad), nn.View(d.W, c.params)
		dot := 0.0
		for i := range g {
			dot += float64(g[i]) * float64(w[i])
		}
		for i := range d.In {
			for j := range d.Out {
				q := i*d.Out + j
				g[q] = (g[q] - T(dot)*c.u[k][i]*c.v[k][j]) / c.sigma[k]
			}
		}
	}
}

// Score writes V's value for each row of x, with the activations of chunk k, which Score may use for up to the
// rows it was made for.
func (c *Critic[T]) Score(k int, x nn.Matrix[T], scores []T) {
	copy(scores, c.chunks[k].fake.Forward(c.mlp, c.params, x, nn.Matrix[T]{Rows: x.Rows}))
}

// learn computes chunk k's share of the critic's loss and adds its gradient to the chunk's arena. total is the
// number of rows of the whole batch.
func (c *Critic[T]) learn(k int, d Divergence, clamp Clamp, real, fake nn.Matrix[T], total int) float64 {
	h := &c.chunks[k]
	none := nn.Matrix[T]{Rows: real.Rows}
	sr := h.real.Forward(c.mlp, c.params, real, none)
	sf := h.fake.Forward(c.mlp, c.params, fake, none)
	dr, df := h.dreal[:len(sr)], h.dfake[:len(sf)]
	share := T(real.Rows) / T(total)
	loss := CriticLoss(d, clamp, sr, sf, dr, df)
	for i := range dr {
		dr[i] *= share
		df[i] *= share
	}
	h.real.Backward(c.mlp, c.params, h.grad, dr, nn.Matrix[T]{}, nn.Matrix[T]{})
	h.fake.Backward(c.mlp, c.params, h.grad, df, nn.Matrix[T]{}, nn.Matrix[T]{})
	return loss * float64(share)
}

// judge computes chunk k's share of the generator's loss and adds its gradient with respect to fake to dfake.
func (c *Critic[T]) judge(k int, d Divergence, o GeneratorObjective, clamp Clamp, fake, dfake nn.Matrix[T], total int) float64 {
	h := &c.chunks[k]
	s := h.fake.Forward(c.mlp, c.params, fake, nn.Matrix[T]{Rows: fake.Rows})
	ds := h.dfake[:len(s)]
	share := T(fake.Rows) / T(total)
	loss := GeneratorLoss(d, o, clamp, s, ds)
	for i := range ds {
		ds[i] *= share
	}
	h.fake.Backward(c.mlp, c.params, nil, ds, dfake, nn.Matrix[T]{})
	return loss * float64(share)
}

func (c *Critic[T]) grads() [][]T {
	g := make([][]T, len(c.chunks))
	for i := range c.chunks {
		g[i] = c.chunks[i].grad
	}
	return g
}
