package surrogate

import (
	"math/rand/v2"
	"slices"
	"sync"
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

// TestPassesAtOnce: passes of one flow run side by side and give what they give one after the other.
func TestPassesAtOnce(t *testing.T) {
	for _, l := range layers {
		f := testFlow(t, 5, 2, l.edit)
		const passes, rows = 3, 4
		results := make([][]float64, 2*passes)
		run := func(at, k int) {
			rng := rand.New(rand.NewPCG(5, uint64(k)))
			x, cond, gl := normals(rng, rows*5), normals(rng, rows*2), normals(rng, rows)
			p, grad := f.NewPass(rows), make([]float64, len(f.params))
			p.SetStream(9, uint64(k))
			y, _, err := p.Forward(x, cond)
			if err != nil {
				t.Error(err)
				return
			}
			dx, _ := p.Backward(y, gl, grad)
			y, _, err = p.Inverse(dx, cond)
			if err != nil {
				t.Error(err)
				return
			}
			p.Backward(y, gl, grad)
			results[at] = append(append(results[at], y...), grad...)
		}
		var all sync.WaitGroup
		for k := range passes {
			run(k, k)
			all.Add(1)
			go func() { defer all.Done(); run(passes+k, k) }()
		}
		all.Wait()
		for k := range passes {
			if !slices.Equal(results[k], results[passes+k]) {
				t.Errorf("%s: pass %d depends on the others", l.name, k)
			}
		}
	}
}
