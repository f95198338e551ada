package modes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomSweep is a stack of ordinary and homogeneous cells, some behind interfaces,
// and a batch of E that oscillates and decays in them.
func randomSweep(seed uint64, n int) ([]sweepCell, lane) {
	r := rand.New(rand.NewPCG(seed, 7))
	cells := make([]sweepCell, n)
	for i := range cells {
		c := cell{jump: 1}
		c.q[0] = 0.5 + r.Float64()
		for m := 1; m <= 4; m++ {
			c.q[m] = 0.05 * r.NormFloat64() / float64(m*m)
		}
		c.h = 0.5 + 2*r.Float64()
		if i%7 == 3 {
			c.long = true
			c.q = [moments]float64{c.q[0]}
			c.h = 30 * r.Float64()
		}
		if i%10 == 5 {
			c.jump = 0.5 + r.Float64()
		}
		c.propagator.set(c.h, &c.q)
		cells[i].set(&c, window{0.4, 1.6})
	}
	var e lane
	for i := range e {
		e[i] = 0.4 + 1.2*r.Float64()
	}
	return cells, e
}

// The sweep in C and in Go agree to rounding, zeros and states included.
func TestSweepTwins(t *testing.T) {
	for seed := range uint64(50) {
		cells, e := randomSweep(seed, 60)
		for _, direction := range []int{1, -1} {
			start := 0
			if direction < 0 {
				start = len(cells) - 1
			}
			y := state{}
			for i := range lanes {
				y.u[i], y.s[i], y.se[i] = 0.3, 1, 0.2
			}
			z := y
			var a, b [lanes]int64
			p, q := make([]state, len(cells)), make([]state, len(cells))
			sweep(cells, start, len(cells), direction, &e, &y, p, &a)
			sweepPlain(cells, start, len(cells), direction, &e, &z, q, &b)
			if a != b {
				t.Fatalf("seed %d: zeros %v and %v", seed, a, b)
			}
			compareStates(t, &y, &z)
			for c := range p {
				compareStates(t, &p[c], &q[c])
			}
		}
	}
}

func compareStates(t *testing.T, a, b *state) {
	t.Helper()
	for i := range lanes {
		size := math.Hypot(b.u[i], b.s[i])
		slope := math.Hypot(b.ue[i], b.se[i])
		if math.Abs(a.u[i]-b.u[i]) > 1e-10*size || math.Abs(a.s[i]-b.s[i]) > 1e-10*size ||
			math.Abs(a.ue[i]-b.ue[i]) > 1e-9*slope || math.Abs(a.se[i]-b.se[i]) > 1e-9*slope {
			t.Fatalf("lane %d: (%v %v %v %v) and (%v %v %v %v)", i, a.u[i], a.s[i], a.ue[i], a.se[i], b.u[i], b.s[i], b.ue[i], b.se[i])
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	cells, e := randomSweep(1, 100)
	for i := range cells {
		cells[i].doublings = -1
		cells[i].h2 = 2
	}
	states := make([]state, 100)
	for _, k := range []struct {
		name string
		run  func([]sweepCell, int, int, int, *lane, *state, []state, *[lanes]int64)
	}{{"plain", sweepPlain}, {"fast", sweep}} {
		b.Run(k.name, func(b *testing.B) {
			var zeros [lanes]int64
			start := cpuSeconds()
			for b.Loop() {
				var y state
				for i := range lanes {
					y.s[i] = 1
				}
				k.run(cells, 0, 100, 1, &e, &y, states, &zeros)
			}
			b.ReportMetric(1e9*(cpuSeconds()-start)/float64(b.N)/800, "cpu-ns/cell/mode")
		})
	}
}
