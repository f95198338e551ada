package amortized

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"oceaninv/inversion/matchedfield"
	"oceaninv/surrogate"
)

// recommended is a model of the size that the pipelines train for SWellEx-96: 480
// by 24 replicas of 70 values and four spline blocks.
func recommended(tb testing.TB) *Conditional {
	prior := box(tb)
	const replicas, size = 480 * 24, 70
	t := &matchedfield.Table{Zeta: make([]float64, 2*replicas), Floor: []float64{1e-3, 1e-2}, Replicas: make([]float32, replicas*size),
		HalfEnergy: make([]float64, replicas), Whitening: make([]float64, size)}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range t.Replicas {
		t.Replicas[i] = float32(rng.NormFloat64())
		t.HalfEnergy[i/size] += float64(t.Replicas[i]*t.Replicas[i]) / 2
	}
	for i := range t.Zeta {
		t.Zeta[i] = rng.NormFloat64()
	}
	for i := range t.Whitening {
		t.Whitening[i] = 1
	}
	c := &Conditional{Prior: prior, Form: "absolute", Receivers: 5, Tones: 7, Match: t, Temperatures: matchedfield.DefaultTemperatures()}
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.CondDim, spec.Coupling, spec.Blocks, spec.SplineBound, spec.Permutation = 2, c.ConditionSize(), "spline", 4, 4, "rotation"
	flow, err := surrogate.NewFlow[float64](spec)
	if err != nil {
		tb.Fatal(err)
	}
	c.Flow = flow
	c.Condition = surrogate.Standardizer{Mean: make([]float64, spec.CondDim), Scale: make([]float64, spec.CondDim)}
	for i := range c.Condition.Scale {
		c.Condition.Scale[i] = 1
	}
	return c
}

// BenchmarkDraws takes 1,000 draws for one observation, warm, on one core and on all.
func BenchmarkDraws(b *testing.B) {
	for _, cores := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("cores=%d", cores), func(b *testing.B) { benchmarkDraws(b, cores) })
	}
}

func benchmarkDraws(b *testing.B, cores int) {
	c := recommended(b)
	s := c.NewSampler(cores)
	data := make([]complex128, 35)
	for i := range data {
		data[i] = complex(float64(c.Match.Replicas[i]), float64(c.Match.Replicas[i+35]))
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for b.Loop() {
		if _, err := s.Sample(1000, data, rng); err != nil {
			b.Fatal(err)
		}
	}
}
