package analytic

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// series adds up exp(C) v term by term over equal parts of C: the naive twin of
// apply.
func (m *minors) series(c [6][6]complex128) {
	norm := 0.0
	for i := range c {
		row := 0.0
		for _, v := range c[i] {
			row += cmplx.Abs(v)
		}
		norm = max(norm, row)
	}
	parts := math.Ceil(norm + 1)
	for range int(parts) {
		term := m.m
		for n := 1.0; n < 40; n++ {
			var next [6]complex128
			for i := range c {
				for j, v := range c[i] {
					next[i] += v * term[j] / complex(n*parts, 0)
				}
			}
			for i, v := range next {
				m.m[i] += v
			}
			term = next
		}
		m.normalize()
	}
}

// The closed form of the minors' exponential is the series, in thin and thick
// layers, where waves oscillate and where they decay, in uniform solids and in
// gradients.
func TestCompoundExponential(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for range 2000 {
		cs := math.Exp(random.Float64()*3) * 100
		cp := cs * (1.5 + random.Float64()*8)
		w := wave{kp2: complex(1/(cp*cp), -1e-3*random.Float64()/(cp*cp)), ks2: complex(1/(cs*cs), -1e-3*random.Float64()/(cs*cs)), density: 1 + random.Float64()}
		omega2 := complex(math.Pow(2*math.Pi*50, 2), 0)
		w.kp2, w.ks2 = w.kp2*omega2, w.ks2*omega2
		kappa := 2 * math.Pi * 50 / 1500.0
		x := by(math.Exp(4*random.Float64()-3), w.ks2) * complex(1, -0.2*random.Float64())
		c := cell{h: math.Exp(8*random.Float64()-5) / cmplx.Abs(cmplx.Sqrt(w.ks2)), uniform: true, solid: [3]wave{w, w, w}}
		if random.IntN(2) == 0 {
			c.uniform = false
			for i := range c.solid {
				c.solid[i].kp2 *= complex(1+0.2*random.Float64(), 0)
				c.solid[i].ks2 *= complex(1+0.2*random.Float64(), 0)
			}
		}
		var m minors
		for i := range m.m {
			m.m[i] = complex(random.NormFloat64(), random.NormFloat64())
		}
		m.m[5] *= complex(kappa*kappa, 0)
		twin := m
		k := cmplx.Sqrt(x)
		o := magnus(&c, k, x, kappa)
		m.crossElastic(&c, k, x, kappa, false)
		twin.series(compound(&o))
		worst := 0.0
		for i := range m.m {
			worst = max(worst, cmplx.Abs(m.m[i]*complex(math.Exp(m.scale-twin.scale), 0)-twin.m[i]))
		}
		if !(worst < 1e-9) {
			t.Fatalf("cs %.0f, cp %.0f, x/ks² %.3g, h %.3g wavelengths, uniform %v: off by %.1e", cs, cp, x/w.ks2, c.h*cmplx.Abs(cmplx.Sqrt(w.ks2))/2/math.Pi, c.uniform, worst)
		}
	}
}
