package analytic

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/integrate/quad"

	"oceaninv/acoustics/modes"
)

// propagator carries u = p/√ρ and h u' across a cell of a fluid, where
// u″ = (x - q) u with q = k² - ¾(ρ'/ρ)²: density runs linearly.
type propagator struct {
	q0           complex128 // mean of q
	o            [4]complex128
	e            [3]complex128
	b            [4]complex128
	c            [5]complex128
	upper, lower face
	neglected    float64 // what the series leaves out, divided by 2h²q0
}

// face is density at an end of a cell: √ρ and hρ'/2ρ.
type face struct{ root, bend float64 }

// moments is how many Legendre coefficients of q a cell looks at.
const moments = 7

// gauss are the nodes on [0, 1] of the six-point rule and, for each node and
// Legendre polynomial, what a value contributes to the coefficient (2n+1) ∫ q P_n.
var gauss = func() (g struct {
	at   [6]float64
	take [6][moments]float64
}) {
	var w [6]float64
	quad.Legendre{}.FixedLocations(g.at[:], w[:], 0, 1)
	for j, t := range g.at {
		y := 2*t - 1
		p := [moments]float64{1, y}
		for n := 2; n < moments; n++ {
			p[n] = (float64(2*n-1)*y*p[n-1] - float64(n-1)*p[n-2]) / float64(n)
		}
		for n := range p {
			g.take[j][n] = float64(2*n+1) * w[j] * p[n]
		}
	}
	return g
}()

// set prepares the stretch of a segment from z over h.
func (p *propagator) set(s segment, z, h float64) {
	if s.uniform {
		w := s.at(0)
		root := math.Sqrt(w.density)
		*p = propagator{q0: w.kp2, upper: face{root: root}, lower: face{root: root}}
		return
	}
	first, last := s.at(z).density, s.at(z+h).density
	var q [moments]complex128
	for j, t := range gauss.at {
		w := s.at(z + t*h)
		bend := (last - first) / (h * w.density)
		v := w.kp2 - complex(0.75*bend*bend, 0)
		for n, share := range gauss.take[j] {
			q[n] += by(share, v)
		}
	}
	*p = propagator{q0: q[0]}
	p.upper = face{math.Sqrt(first), (last - first) / (2 * first)}
	p.lower = face{math.Sqrt(last), (last - first) / (2 * last)}
	var sizes [moments]float64
	for n := range q {
		q[n] = by(-h*h, q[n])
		sizes[n] = cmplx.Abs(q[n])
	}
	p.o, p.e, p.b, p.c = modes.Perturbation(q[1], q[2], q[3], q[4])
	p.neglected = modes.Neglected(&sizes, min(sizes[0], largestZ)) / (2 * sizes[0])
}

// largestZ is where the functions of the series stop growing.
const largestZ = 9.5

// matrix carries (u, h u').
type matrix struct{ m11, m12, m21, m22 complex128 }

// transfer is the cell's matrix at x, over exp(scale).
func (p *propagator) transfer(h float64, x complex128, uniform bool) (m matrix, scale float64) {
	z := by(h*h, x-p.q0)
	var t etas
	if uniform {
		t.xi, t.e[0], scale = coshSinhc(z)
		return matrix{t.xi, t.e[0], z * t.e[0], t.xi}, scale
	}
	scale = t.set(z)
	odd := p.o[0]*t.e[1] + p.o[1]*t.e[2] + p.o[2]*t.e[3] + p.o[3]*t.e[4]
	even := t.xi + p.e[0]*t.e[2] + p.e[1]*t.e[3] + p.e[2]*t.e[4]
	m.m11, m.m22 = even+odd, even-odd
	m.m12 = t.e[0] + p.b[0]*t.e[2] + p.b[1]*t.e[3] + p.b[2]*t.e[4] + p.b[3]*t.e[5]
	m.m21 = (z+p.c[0])*t.e[0] + p.c[1]*t.e[1] + p.c[2]*t.e[2] + p.c[3]*t.e[3] + p.c[4]*t.e[4]
	return m, scale
}

// etas are Ixaru's functions ξ and η0 .. η6.
type etas struct {
	xi complex128
	e  [7]complex128
}

// etaTaylor are the coefficients of η5 and η6: 2^m (q+m)!/(q! (2q+2m+1)!).
var etaTaylor = func() (c [2][9]float64) {
	for i := range c {
		m := 5 + i
		v := 1.0 // 2^m m!/(2m+1)! = 1/(1·3·…·(2m+1))
		for n := 1; n <= m; n++ {
			v /= float64(2*n + 1)
		}
		for q := range c[i] {
			c[i][q] = v
			v *= float64(q+1+m) / float64(q+1) / float64((2*q+2*m+2)*(2*q+2*m+3))
		}
	}
	return c
}()

// set computes the functions at Z, over exp(scale): near 0 from the series of the
// last two and the recurrence downwards, elsewhere from the first two upwards.
func (t *etas) set(z complex128) (scale float64) {
	if math.Abs(real(z))+math.Abs(imag(z)) < 4 {
		a, b := &etaTaylor[0], &etaTaylor[1]
		e5, e6 := complex(a[8], 0), complex(b[8], 0)
		for q := 7; q >= 0; q-- {
			e5 = e5*z + complex(a[q], 0)
			e6 = e6*z + complex(b[q], 0)
		}
		t.e[5], t.e[6] = e5, e6
		for m := 4; m >= 0; m-- {
			t.e[m] = z*t.e[m+2] + by(float64(2*m+3), t.e[m+1])
		}
		t.xi = z*t.e[1] + t.e[0]
		return 0
	}
	t.xi, t.e[0], scale = coshSinhc(z)
	r := 1 / z
	t.e[1] = (t.xi - t.e[0]) * r
	for m := 2; m < len(t.e); m++ {
		t.e[m] = (t.e[m-2] - by(float64(2*m-1), t.e[m-1])) * r
	}
	return scale
}
