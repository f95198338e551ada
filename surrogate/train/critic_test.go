package train

import (
	"math"
	"testing"

	"oceaninv/surrogate/nn"
)

// Initial weights are those of the authors' scripts: N(0, 0.02²), or PyTorch's default; biases are PyTorch's
// default, uniform on ±1/√In, in either.
func TestCriticStart(t *testing.T) {
	o := DefaultOptions("kld")
	o.CriticWidths = []int{512, 256, 128}
	for _, init := range []string{criticNormal, criticTorch} {
		o.CriticInit = init
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		c := NewCritic[float64](o.criticSpec(9), 1, 4, 3)
		layers := c.mlp.Layers()
		if len(layers) != 4 || layers[0].In != 9 || layers[1].In != 512 || layers[2].In != 256 || layers[3].In != 128 || layers[3].Out != 1 {
			t.Fatalf("layers %+v", layers)
		}
		for k, d := range layers {
			bound := 1 / math.Sqrt(float64(d.In))
			w, b := nn.View(d.W, c.raw), nn.View(d.B, c.raw)
			sd, most := deviation(w), 0.0
			for _, v := range b {
				most = max(most, math.Abs(v))
			}
			want := 0.02
			if init == criticTorch {
				want = bound / math.Sqrt(3)
			}
			if math.Abs(sd/want-1) > 5/math.Sqrt(2*float64(len(w))) {
				t.Errorf("%s: weights of layer %d deviate by %g, want %g", init, k, sd, want)
			}
			if most > bound || most == 0 {
				t.Errorf("%s: biases of layer %d up to %g, want within %g", init, k, most, bound)
			}
			if s := deviation(b) * math.Sqrt(3) / bound; len(b) > 100 && math.Abs(s-1) > 5/math.Sqrt(2*float64(len(b))) {
				t.Errorf("%s: biases of layer %d deviate by %g of what uniform ones do", init, k, s)
			}
		}
	}
}

// deviation is about zero.
func deviation(x []float64) float64 { return math.Sqrt(nn.SumSquares(x) / float64(len(x))) }

// A critic of layers that differ in width learns, with spectral normalisation.
func TestUnequalCriticTrains(t *testing.T) {
	o := DefaultOptions("jsd")
	o.CriticWidths, o.SpectralNorm = []int{16, 8, 4}, true
	o.CriticWidths[1] = 0
	if o.Validate() == nil {
		t.Error("a layer of no width was accepted")
	}
	o.CriticWidths[1] = 8
	c := NewCritic[float64](o.criticSpec(2), 1, 64, 1)
	pool := NewPool(1)
	defer pool.Close()
	adam := NewOptimiser(AdamOptions{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon}, pool, c.raw, c.grads(), 0)
	d, _ := o.Loss.Divergence()
	real, fake := normals(31, 64, 2), normals(32, 64, 2)
	for i := range fake.Data {
		fake.Data[i] += 3
	}
	first, last := 0.0, 0.0
	for step := range 200 {
		last = c.learn(0, d, Clamp{}, real, fake, 64)
		if step == 0 {
			first = last
		}
		c.pullBack(c.chunks[0].grad)
		adam.Step(1e-2)
		c.refresh()
	}
	if last > first-0.3 {
		t.Errorf("the critic's loss went from %g to %g", first, last)
	}
}
