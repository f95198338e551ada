package train

import (
	"math"
	"testing"
)

// TestSchedules holds the learning rates against their closed forms at the places where they are known.
func TestSchedules(t *testing.T) {
	const perEpoch, epochs, warmup, rate = 10, 6, 12, 3e-4
	total := perEpoch * epochs
	base := Options{LearningRate: rate, Epochs: epochs, Decay: 0.5, FinalRate: 0.1, WarmupSteps: warmup}
	with := func(schedule string, warmup int) Options {
		o := base
		o.Schedule, o.WarmupSteps = schedule, warmup
		return o
	}
	for _, c := range []struct {
		name string
		o    Options
		step int
		want float64
	}{
		{"constant, first", with("constant", 0), 0, rate},
		{"constant, last", with("constant", 0), total - 1, rate},
		{"exponential, first epoch", with("exponential", 0), perEpoch - 1, rate},
		{"exponential, second epoch", with("exponential", 0), perEpoch, rate / 2},
		{"exponential, last step", with("exponential", 0), total - 1, rate / 32},
		{"cosine, first", with("cosine", 0), 0, rate},
		{"cosine, middle", with("cosine", 0), total / 2, rate * (0.1 + 0.9/2)},
		{"cosine, a third", with("cosine", 0), total / 3, rate * (0.1 + 0.9*0.75)},
		{"cosine, end", with("cosine", 0), total, rate * 0.1},
		{"warm-up, first", with("constant", warmup), 0, rate / warmup},
		{"warm-up, half", with("constant", warmup), warmup/2 - 1, rate / 2},
		{"warm-up, over", with("constant", warmup), warmup - 1, rate},
		{"cosine after warm-up, highest", with("cosine", warmup), warmup, rate},
		{"cosine after warm-up, middle", with("cosine", warmup), (warmup + total) / 2, rate * (0.1 + 0.9/2)},
		{"cosine after warm-up, end", with("cosine", warmup), total, rate * 0.1},
	} {
		if got := rateAt(c.o, c.step, perEpoch); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: rate %g, want %g", c.name, got, c.want)
		}
	}
}

// TestClipping: a gradient longer than the bound acts as the same one shortened to it, a shorter one as it is, and
// what is reported is the length before.
func TestClipping(t *testing.T) {
	pool := NewPool(1)
	defer pool.Close()
	adam := AdamOptions{Beta1: 0.8, Beta2: 0.9, Epsilon: 1e-6}
	for _, c := range []struct{ clip, shrink float64 }{{0, 1}, {1, 0.2}, {2.5, 0.5}, {5, 1}, {100, 1}} {
		adam.ClipNorm = c.clip
		w := []float64{1, 2, 3}
		o := NewOptimiser(adam, pool, w, [][]float64{{3, 1, 0}, {0, 3, 0}}, 0) // together (3, 4, 0), of length 5
		if norm, ok := o.Step(0.01); !ok || math.Abs(norm-5) > 1e-14 {
			t.Errorf("clip %g: norm %g, want 5", c.clip, norm)
		}
		for i, g := range []float64{3, 4, 0} {
			g *= c.shrink
			if m, v := 0.2*g, 0.1*g*g; math.Abs(o.m[i]-m) > 1e-14 || math.Abs(o.v[i]-v) > 1e-13 {
				t.Errorf("clip %g: moments %g and %g of coordinate %d, want %g and %g", c.clip, o.m[i], o.v[i], i, m, v)
			}
			// The first step of Adam with its bias corrected is rate·g/(|g| + ε).
			if want := []float64{1, 2, 3}[i] - 0.01*g/(math.Abs(g)+1e-6); math.Abs(w[i]-want) > 1e-13 {
				t.Errorf("clip %g: weight %g, want %g", c.clip, w[i], want)
			}
		}
		for k, g := range o.grads {
			for i, v := range g {
				if v != 0 {
					t.Errorf("gradient %d of chunk %d is %g after the step", i, k, v)
				}
			}
		}
	}
}

// TestMovingAverage holds the averaged weights against their recursion over the weights seen.
func TestMovingAverage(t *testing.T) {
	pool := NewPool(1)
	defer pool.Close()
	const decay = 0.6
	w := []float64{1, -2}
	o := NewOptimiser(AdamOptions{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, pool, w, [][]float64{{0, 0}}, decay)
	want := []float64{1, -2}
	for step := 1; step <= 40; step++ {
		o.grads[0][0], o.grads[0][1] = math.Sin(float64(step)), 1
		o.Step(0.1)
		d := min(decay, float64(1+step)/float64(10+step))
		for i := range want {
			want[i] = d*want[i] + (1-d)*w[i]
			if got := o.Average()[i]; math.Abs(got-want[i]) > 1e-12 {
				t.Fatalf("step %d: average %g, want %g", step, got, want[i])
			}
		}
	}
	if plain := NewOptimiser(AdamOptions{}, pool, w, [][]float64{{0, 0}}, 0); &plain.Average()[0] != &w[0] {
		t.Error("without averaging the weights are their own average")
	}
}

// A gradient whose square no longer fits is refused, and leaves the weights; clipped it fits.
func TestGradientsTooLarge(t *testing.T) {
	pool := NewPool(1)
	defer pool.Close()
	for _, c := range []struct {
		gradient float32
		clip     float64
		ok       bool
	}{{1e18, 0, true}, {1e20, 0, false}, {1e20, 1, true}, {float32(math.Inf(1)), 1, false}, {float32(math.NaN()), 1, false}} {
		w := []float32{1}
		o := NewOptimiser(AdamOptions{Beta1: 0.5, Beta2: 0.9, Epsilon: 1e-8, ClipNorm: c.clip}, pool, w, [][]float32{{c.gradient}}, 0)
		_, ok := o.Step(0.01)
		if ok != c.ok || (w[0] != 1) != c.ok || w[0]-w[0] != 0 {
			t.Errorf("gradient %g, clip %g: ok %v, weight %v", c.gradient, c.clip, ok, w[0])
		}
	}
}
