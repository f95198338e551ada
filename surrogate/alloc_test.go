package surrogate

import (
	"math/rand/v2"
	"testing"
)

// TestNoAllocation: a step allocates nothing, in any layer and direction.
func TestNoAllocation(t *testing.T) {
	for _, l := range layers {
		f := Convert[float32](testFlow(t, 6, 3, l.edit))
		p := f.NewPass(8)
		p.WantConditionGradient()
		rng := rand.New(rand.NewPCG(1, 2))
		single := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(rng.NormFloat64())
			}
			return v
		}
		x, cond, gl, grad := single(48), single(24), single(8), single(len(f.params))
		for name, run := range map[string]func(x, cond []float32) ([]float32, []float32, error){
			"forward": p.Forward, "inverse": p.Inverse,
		} {
			n := testing.AllocsPerRun(5, func() {
				y, _, err := run(x, cond)
				if err != nil {
					t.Fatal(err)
				}
				p.Backward(y, gl, grad)
				f.Refresh()
			})
			if n != 0 {
				t.Errorf("%s %s: %g allocations per step", l.name, name, n)
			}
		}
	}
}
