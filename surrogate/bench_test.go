package surrogate

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// BenchmarkStep times what a training step with the paper's NLL asks of the flow: T and T⁻¹ over a batch of 512,
// both differentiated, the batch split into two chunks that run at once.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct{ hidden, latent, blocks int }{{64, 18, 3}, {403, 2, 4}} {
		b.Run(fmt.Sprintf("%d_%d_%d", c.hidden, c.latent, c.blocks), func(b *testing.B) {
			s := DefaultFlow()
			s.Dim, s.Hidden, s.Blocks = 70+c.latent, c.hidden, c.blocks
			benchmarkStep(b, s, 512)
		})
	}
}

// BenchmarkPosterior times a maximum-likelihood step of a conditional flow of the recommended kind.
func BenchmarkPosterior(b *testing.B) {
	for _, coupling := range []string{"glow", "spline"} {
		b.Run(coupling, func(b *testing.B) {
			s := DefaultFlow()
			s.Dim, s.CondDim, s.Hidden, s.Blocks, s.Coupling = 4, 70, 128, 6, coupling
			benchmarkStep(b, s, 512)
		})
	}
}

func benchmarkStep(b *testing.B, s FlowSpec, batch int) {
	f, err := NewFlow[float32](s)
	if err != nil {
		b.Fatal(err)
	}
	const chunks = 2
	rows := batch / chunks
	rng := rand.New(rand.NewPCG(1, 1))
	single := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	var work [chunks]func()
	for k := range work {
		there, back := f.NewPass(rows), f.NewPass(rows)
		x, cond, g, gl := single(rows*s.Dim), single(rows*s.CondDim), single(rows*s.Dim), single(rows)
		grad := make([]float32, len(f.Params()))
		work[k] = func() {
			if _, _, err := there.Forward(x, cond); err != nil {
				b.Error(err)
			}
			there.Backward(g, gl, grad)
			if s.CondDim > 0 {
				return
			}
			if _, _, err := back.Inverse(x, cond); err != nil {
				b.Error(err)
			}
			back.Backward(g, nil, grad)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		var wg sync.WaitGroup
		for _, w := range work {
			wg.Add(1)
			go func() { defer wg.Done(); w() }()
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/step")
}
