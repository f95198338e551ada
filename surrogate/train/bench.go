package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// BenchResult is the speed of one configuration of the paper's geoacoustic training.
type BenchResult struct {
	Name             string  `json:"name"`               // loss_hidden_latent_blocks
	MSPerStep        float64 `json:"ms_per_step"`        // median
	SamplesPerSecond float64 `json:"samples_per_second"` // at the median step
	GFLOPS           float64 `json:"gflops"`             // of the step's dense products over its whole time
	SgemmGFLOPS      float64 `json:"sgemm_gflops"`       // of the same products alone by the BLAS ([nn.BLASGemm]), on as many workers
	SgemmCore        string  `json:"sgemm_core"`         // the processor OpenBLAS takes this one for
	Fraction         float64 `json:"fraction"`           // GFLOPS/SgemmGFLOPS
}

// BenchOptions sets up [Bench].
type BenchOptions struct {
	Workers int           // 0 is one per processor
	Chunks  int           // 0 is the default of [DefaultOptions]
	Time    time.Duration // spent on each configuration, half on steps and half on products; 0 is 3 s
	Only    []string      // names to run; nil is all
}

// benchCase is a configuration: batch 512, 72 columns of x and 70 of y, as the paper's geoacoustic inversion
// (2 columns of x for the divergences, where noise is not inferred).
type benchCase struct {
	loss                   Loss
	hidden, latent, blocks int
}

func (c benchCase) name() string {
	return fmt.Sprintf("%s_%d_%d_%d", c.loss, c.hidden, c.latent, c.blocks)
}

func benchCases() []benchCase {
	var list []benchCase
	for _, s := range [][3]int{{64, 18, 3}, {403, 2, 4}} {
		for _, l := range []Loss{LossNLL, "kld", LossWasserstein} {
			list = append(list, benchCase{l, s[0], s[1], s[2]})
		}
	}
	return list
}

// BenchNames lists what [Bench] can run.
func BenchNames() []string {
	var names []string
	for _, c := range benchCases() {
		names = append(names, c.name())
	}
	return names
}

// Bench times training steps on random data: the whole step, from a batch in memory to updated weights, noise
// and optimiser included. Steps and bare products are timed in turns, so that both see the same machine.
func Bench(ctx context.Context, o BenchOptions) ([]BenchResult, error) {
	for _, n := range o.Only {
		if !slices.Contains(BenchNames(), n) {
			return nil, &OptionError{Path: "only", Problem: fmt.Sprintf("%q is not one of %v", n, BenchNames())}
		}
	}
	if o.Workers < 0 || o.Chunks < 0 || o.Time < 0 {
		return nil, &OptionError{Path: "bench", Problem: "workers, chunks and time must not be negative"}
	}
	if o.Time == 0 {
		o.Time = 3 * time.Second
	}
	var results []BenchResult
	for _, c := range benchCases() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, c.name()) {
			continue
		}
		r, err := benchOne(ctx, c, o)
		if err != nil {
			return nil, fmt.Errorf("bench %s: %w", c.name(), err)
		}
		results = append(results, r)
	}
	return results, nil
}

const benchRows, benchX, benchY = 512, 72, 70

func benchOne(ctx context.Context, c benchCase, o BenchOptions) (BenchResult, error) {
	opt := DefaultOptions(c.loss)
	opt.Workers, opt.BatchSize, opt.Epochs = o.Workers, benchRows, 1<<20
	if o.Chunks > 0 {
		opt.Chunks = o.Chunks
	}
	if err := opt.Validate(); err != nil {
		return BenchResult{}, err
	}
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.Hidden, spec.Blocks = benchY+c.latent, c.hidden, c.blocks
	f, err := surrogate.NewFlow[float32](spec)
	if err != nil {
		return BenchResult{}, err
	}
	pool := NewPool(opt.Workers)
	defer pool.Close()
	s := shape{nx: benchX, ny: benchY, dim: spec.Dim}
	if _, ok := c.loss.Divergence(); ok {
		s.nx = 2
	}
	t := newTrainer(f, s, opt, pool, 0)
	t.perEpoch = 1 << 20
	b := benchBatch(s)
	products := newProducts(c, opt, pool, s)
	var steps, bare []float64
	for began := time.Now(); time.Since(began) < o.Time || len(steps) < 5; {
		if err := ctx.Err(); err != nil {
			return BenchResult{}, err
		}
		at := time.Now()
		if err := t.step(b); err != nil {
			return BenchResult{}, err
		}
		steps = append(steps, time.Since(at).Seconds())
		at = time.Now()
		products.run()
		bare = append(bare, time.Since(at).Seconds())
	}
	return benchFigures(c, steps, bare, products.flops), nil
}

func benchFigures(c benchCase, steps, bare []float64, flops float64) BenchResult {
	median := func(v []float64) float64 {
		v = slices.Sorted(slices.Values(v[min(len(v)-1, 3):])) // the first warm caches and clocks
		return v[len(v)/2]
	}
	step, product := median(steps), median(bare)
	return BenchResult{Name: c.name(), MSPerStep: 1e3 * step, SamplesPerSecond: benchRows / step,
		GFLOPS: flops / step / 1e9, SgemmGFLOPS: flops / product / 1e9, SgemmCore: nn.BLASCore(), Fraction: product / step}
}

func benchBatch(s shape) *batch[float32] {
	rng := rand.New(rand.NewPCG(1, 2))
	b := &batch[float32]{rows: make([]int, benchRows), x: make([]float32, benchRows*s.nx), y: make([]float32, benchRows*s.ny)}
	for _, v := range [][]float32{b.x, b.y} {
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
	}
	return b
}

// product is one dense product C (m×n) = op(A) op(B) with inner length k.
type product struct {
	transA, transB bool
	m, n, k        int
}

// products are the dense products of one step, done for their own sake: per chunk and pass and network the
// forward product, the weights' gradient and the input's, of each layer; the critic's; and Sinkhorn's.
type products struct {
	pool  *Pool
	jobs  [][]product // by chunk
	a, b  []float32   // operands, read by all
	out   [][]float32 // by chunk
	flops float64
	task  func(piece int)
}

func newProducts(c benchCase, o Options, pool *Pool, s shape) *products {
	p := &products{pool: pool}
	for k := range o.Chunks {
		from, to := pieceRange(benchRows, o.Chunks, k)
		p.jobs = append(p.jobs, stepProducts(c, o, s, to-from))
	}
	largest := 0
	for _, jobs := range p.jobs {
		for _, j := range jobs {
			p.flops += 2 * float64(j.m) * float64(j.n) * float64(j.k)
			largest = max(largest, j.m*j.n, j.m*j.k, j.n*j.k)
		}
	}
	p.a, p.b = make([]float32, largest), make([]float32, largest)
	for i := range largest {
		p.a[i], p.b[i] = float32(i%7)-3, float32(i%5)-2
	}
	for range p.jobs {
		p.out = append(p.out, make([]float32, largest))
	}
	p.task = p.chunk
	return p
}

// stepProducts lists the products of one chunk of rows rows.
func stepProducts(c benchCase, o Options, s shape, rows int) []product {
	var list []product
	forward := func(in, out int) { list = append(list, product{false, false, rows, out, in}) }
	weights := func(in, out int) { list = append(list, product{true, false, in, out, rows}) }
	inputs := func(in, out int) { list = append(list, product{false, true, rows, in, out}) }
	passes := 2 // T and T⁻¹
	if _, ok := c.loss.Divergence(); ok {
		passes = 1
		layers := [][2]int{{s.nx + s.ny, o.CriticHidden}, {o.CriticHidden, o.CriticHidden}, {o.CriticHidden, 1}}
		for i, l := range layers {
			forward(l[0], l[1]) // real
			forward(l[0], l[1]) // fake
			forward(l[0], l[1]) // for the generator
			weights(l[0], l[1])
			weights(l[0], l[1])
			inputs(l[0], l[1])
			if i > 0 {
				inputs(l[0], l[1])
				inputs(l[0], l[1])
			}
		}
	}
	if c.loss == LossWasserstein {
		for range 4 { // costs
			list = append(list, product{false, true, rows, benchRows, s.dim})
		}
		for range 2 { // gradient
			list = append(list, product{false, false, rows, s.dim, benchRows})
		}
	}
	half := s.dim / 2
	for range passes * c.blocks * 2 {
		for _, l := range [][2]int{{half, c.hidden}, {c.hidden, c.hidden}, {c.hidden, 2 * (s.dim - half)}} {
			forward(l[0], l[1])
			weights(l[0], l[1])
			inputs(l[0], l[1])
		}
	}
	return list
}

func (p *products) run() { p.pool.Run(len(p.jobs), p.task) }

func (p *products) chunk(k int) {
	for _, j := range p.jobs[k] {
		lda, ldb := j.k, j.n
		if j.transA {
			lda = j.m
		}
		if j.transB {
			ldb = j.k
		}
		nn.BLASGemm(j.transA, j.transB, j.m, j.n, j.k, 1, p.a, lda, p.b, ldb, 0, p.out[k], j.n)
	}
}
