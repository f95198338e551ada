package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// affineCase holds matrices of one shape as blocks of wider ones, in double precision.
type affineCase struct {
	rows, cols    int
	u, t, x, dy   Matrix[float64]
	dlogdet       []float64
	clamp         AffineClamp
	inverse       bool
	y, dx, du, dt Matrix[float64]
	logdet        []float64
}

func newAffineCase(rows, cols int, clamp AffineClamp, inverse bool) *affineCase {
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	wide := func(scale float64) Matrix[float64] {
		m := NewMatrix(make([]float64, rows*(2*cols+3)), rows, 2*cols+3)
		for i := range m.Data {
			m.Data[i] = float64(float32(scale * rng.NormFloat64()))
		}
		return m.Columns(2, cols+2)
	}
	c := &affineCase{rows: rows, cols: cols, clamp: clamp, inverse: inverse}
	c.u, c.t, c.x, c.dy = wide(2), wide(1), wide(1), wide(1)
	c.y, c.dx, c.du, c.dt = wide(0), wide(0), wide(0), wide(0)
	c.dlogdet, c.logdet = make([]float64, rows), make([]float64, rows)
	for i := range c.dlogdet {
		c.dlogdet[i] = float64(float32(rng.NormFloat64()))
	}
	return c
}

// run evaluates the map and its gradient in precision T and returns everything in one slice.
func runAffine[T Float](c *affineCase) []float64 {
	convert := func(m Matrix[float64]) Matrix[T] {
		out := Matrix[T]{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: make([]T, len(m.Data))}
		for i, v := range m.Data {
			out.Data[i] = T(v)
		}
		return out
	}
	u, t, x, dy := convert(c.u), convert(c.t), convert(c.x), convert(c.dy)
	y, dx, du, dt := convert(c.y), convert(c.dx), convert(c.du), convert(c.dt)
	logdet, dlogdet := make([]T, c.rows), make([]T, c.rows)
	for i, v := range c.dlogdet {
		logdet[i], dlogdet[i] = 0.5, T(v)
	}
	cache := NewAffineCache[T](c.rows, c.cols)
	if c.inverse {
		cache.Inverse(c.clamp, u, t, x, y, logdet)
		cache.InverseBackward(c.clamp, y, dy, dlogdet, dx, du, dt)
	} else {
		cache.Forward(c.clamp, u, t, x, y, logdet)
		cache.ForwardBackward(c.clamp, x, dy, dlogdet, dx, du, dt)
	}
	var all []float64
	for _, m := range []Matrix[T]{y, dx, du, dt} {
		for i := range m.Rows {
			for _, v := range m.Row(i) {
				all = append(all, float64(v))
			}
		}
		for i, v := range m.Data { // nothing beside the block is touched
			if j := i % m.Stride; m.Cols > 0 && j >= m.Cols && v != 0 {
				all = append(all, math.Inf(1))
			}
		}
	}
	for _, v := range logdet {
		all = append(all, float64(v))
	}
	return all
}

// TestAffineKernels compares the fused single-precision kernels with the plain code in double precision, and their
// instruction sets with each other.
func TestAffineKernels(t *testing.T) {
	best := useInstructionSet(-1)
	defer useInstructionSet(-1)
	for _, kind := range []Clamp{AtanClamp, TanhClamp, SigmoidClamp} {
		for _, center := range []bool{false, true} {
			for _, inverse := range []bool{false, true} {
				for _, shape := range [][2]int{{3, 0}, {1, 1}, {5, 7}, {4, 16}, {3, 44}, {2, 65}} {
					c := newAffineCase(shape[0], shape[1], AffineClamp{Kind: kind, Bound: 1.9, Center: center}, inverse)
					want := runAffine[float64](c)
					var fusedBits []float64
					for level := best; level >= 0; level-- {
						useInstructionSet(level)
						got := runAffine[float32](c)
						for i := range want {
							if e := math.Abs(got[i] - want[i]); !(e <= 4e-6*(1+math.Abs(want[i]))) {
								t.Fatalf("clamp %d, centred %v, inverse %v, %v, level %d: element %d is %g, want %g", kind, center, inverse, shape, level, i, got[i], want[i])
							}
						}
						if level > 0 && fusedBits != nil && !slices.Equal(got, fusedBits) {
							t.Errorf("clamp %d, %v: instruction sets disagree", kind, shape)
						}
						fusedBits = got
					}
				}
			}
		}
	}
}

func BenchmarkAffine(b *testing.B) {
	c := newAffineCase(256, 44, AffineClamp{Bound: 2}, false)
	convert := func(m Matrix[float64]) Matrix[float32] {
		return Matrix[float32]{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: make([]float32, len(m.Data))}
	}
	u, t, x, y := convert(c.u), convert(c.t), convert(c.x), convert(c.y)
	cache, logdet := NewAffineCache[float32](256, 44), make([]float32, 256)
	b.Run("fused", func(b *testing.B) {
		for b.Loop() {
			cache.Forward(c.clamp, u, t, x, y, logdet)
		}
	})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			cache.forwardGo(c.clamp, u, t, x, y, logdet)
		}
	})
}
