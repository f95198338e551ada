package modes

import "math"

// lanes is how many modes a sweep carries side by side.
const lanes = 8

// lane is one number per mode of a batch.
type lane = [lanes]float64

// maxZ bounds |Z| of an ordinary cell: below π², so that no cell holds two zeros
// of a solution, and inside the range of the polynomials eta5 and eta6.
const maxZ = 9.5

// propagator carries (u, u') across a cell of thickness h on which u″ = (E-q) u:
// with x in [0, 1] across the cell, Z = (E-q0) h² and q = q0 + Σ q_n P_n(2x-1),
//
//	u1   = (ξ+e+o) u + (η0+b) h u'
//	h u1' = (Zη0+c) u + (ξ+e-o) h u'
//
// where ξ = cosh √Z, η0 = sinh √Z/√Z, η_m = (η_{m-2} - (2m-1) η_{m-1})/Z (η_{-1} = ξ)
// are Ixaru's functions and o, e, b, c are sums of η_m with coefficients that do
// not depend on E: the perturbation series in v_n = -h² q_n, complete to second
// order through v4 (without v3², v2 v4, v3 v4, v4²) and with the leading third-order
// terms. Its first order is exact for the moments it carries.
//
// L. Ixaru, H. De Meyer & G. Vanden Berghe, J. Comput. Appl. Math. 88 (1997) 289;
// the coefficients were derived anew in exact rational arithmetic.
type propagator struct {
	h, q0 float64
	o     [4]float64 // of η1..η4
	e     [3]float64 // of η2..η4
	b     [4]float64 // of η2..η5
	c     [5]float64 // of η0..η4
}

// set computes the coefficients from the moments q1..q4.
func (p *propagator) set(h float64, q *[moments]float64) {
	p.h, p.q0 = h, q[0]
	h2 := -h * h
	p.o, p.e, p.b, p.c = Perturbation(h2*q[1], h2*q[2], h2*q[3], h2*q[4])
}

// Perturbation returns the coefficients of a cell's propagator for the scaled
// moments v_n = -h² q_n: o of η1..η4, e of η2..η4, b of η2..η5, c of η0..η4, where
// (ξ+e+o, η0+b; Zη0+c, ξ+e-o) carries (u, h u') downward. Complex moments are those
// of a lossy medium.
func Perturbation[T float64 | complex128](v1, v2, v3, v4 T) (o [4]T, e [3]T, b [4]T, c [5]T) {
	v11, v12, v22, v13 := v1*v1, v1*v2, v2*v2, v1*v3
	v112 := v11 * v2
	o = [4]T{
		-0.5 * (v1 + v3),
		2.5 * v3,
		0.5 * (v12 + v1*v4 + v2*v3),
		v1*v11/48 - 5.25*v1*v4 - 3.75*v2*v3,
	}
	e = [3]T{
		-v11/24 - v22/40,
		-3*v22/40 + 0.25*v13,
		v112 / 40,
	}
	b = [4]T{
		-0.5 * (v2 + v4),
		3.5*v4 - v11/24 - v22/40,
		9*v22/40 + 0.5*v13,
		11 * v112 / 240,
	}
	c = [5]T{
		0.5 * (v2 + v4),
		-1.5*v2 - 5*v4 - v11/24 - v22/40,
		17.5*v4 - 7*v11/24 - 3*v22/20 - 0.5*v13,
		57*v22/40 + 4*v13 + v112/240,
		37 * v112 / 80,
	}
	return o, e, b, c
}

// mirror is the propagator seen from below.
func (p *propagator) mirror() {
	for i := range p.o {
		p.o[i] = -p.o[i]
	}
}

// setDerivative computes the coefficients' derivative along a change dv of the
// v_n (n = 1..4) at v: what set would, differentiated.
func (p *propagator) setDerivative(v, dv *[moments]float64) {
	v1, v2, v3, v4 := v[1], v[2], v[3], v[4]
	d1, d2, d3, d4 := dv[1], dv[2], dv[3], dv[4]
	d11, d12, d22, d13 := 2*v1*d1, d1*v2+v1*d2, 2*v2*d2, d1*v3+v1*d3
	d14, d23 := d1*v4+v1*d4, d2*v3+v2*d3
	d111 := 3 * v1 * v1 * d1
	d112 := d11*v2 + v1*v1*d2
	p.o = [4]float64{
		-0.5 * (d1 + d3),
		2.5 * d3,
		0.5 * (d12 + d14 + d23),
		d111/48 - 5.25*d14 - 3.75*d23,
	}
	p.e = [3]float64{
		-d11/24 - d22/40,
		-3*d22/40 + 0.25*d13,
		d112 / 40,
	}
	p.b = [4]float64{
		-0.5 * (d2 + d4),
		3.5*d4 - d11/24 - d22/40,
		9*d22/40 + 0.5*d13,
		11 * d112 / 240,
	}
	p.c = [5]float64{
		0.5 * (d2 + d4),
		-1.5*d2 - 5*d4 - d11/24 - d22/40,
		17.5*d4 - 7*d11/24 - 3*d22/20 - 0.5*d13,
		57*d22/40 + 4*d13 + d112/240,
		37 * d112 / 80,
	}
}

// etas holds ξ, η0 .. η6 at one Z.
type etas struct{ xi, e0, e1, e2, e3, e4, e5, e6 float64 }

// etaCoef5 and etaCoef6 are Chebyshev economisations over |Z| <= 10 of the series
// η_m(Z) = 2^m Σ (q+m)!/(q! (2q+2m+1)!) Z^q, to 4e-16 relative.
var (
	etaCoef5 = [10]float64{0.0000962000962000962275, 3.70000370000370021e-6, 6.1666728333381299e-8,
		6.0457576797441927e-10, 3.97747215882276746e-12, 1.89403436105472355e-14, 6.86244026750590691e-17,
		1.96069756473046684e-19, 4.54215989146850561e-22, 8.7000507479253413e-25}
	etaCoef6 = [10]float64{7.40000740000740084e-6, 2.46666913333580006e-7, 3.62745460784634955e-9,
		3.18197772618125394e-11, 1.89403436115436789e-13, 8.23493200423918111e-16, 2.74497640461987093e-18,
		7.26184328220817187e-21, 1.56611542193093025e-23, 2.80627207071855113e-26}
)

// small computes the functions for |Z| <= 10: two polynomials, then the recurrence
// downwards, without a branch, a division or a call.
func (t *etas) small(z float64) {
	a, b := &etaCoef5, &etaCoef6
	e5 := a[0] + z*(a[1]+z*(a[2]+z*(a[3]+z*(a[4]+z*(a[5]+z*(a[6]+z*(a[7]+z*(a[8]+z*a[9]))))))))
	e6 := b[0] + z*(b[1]+z*(b[2]+z*(b[3]+z*(b[4]+z*(b[5]+z*(b[6]+z*(b[7]+z*(b[8]+z*b[9]))))))))
	e4 := z*e6 + 11*e5
	e3 := z*e5 + 9*e4
	e2 := z*e4 + 7*e3
	e1 := z*e3 + 5*e2
	e0 := z*e2 + 3*e1
	t.e6, t.e5, t.e4, t.e3, t.e2, t.e1, t.e0, t.xi = e6, e5, e4, e3, e2, e1, e0, z*e1+e0
}

// any computes the functions for any Z.
func (t *etas) any(z float64) {
	if math.Abs(z) <= 10 {
		t.small(z)
		return
	}
	if z < 0 {
		s := math.Sqrt(-z)
		sin, cos := math.Sincos(s)
		t.xi, t.e0 = cos, sin/s
	} else {
		s := math.Sqrt(z)
		up := math.Exp(s)
		down := 1 / up
		t.xi, t.e0 = 0.5*(up+down), 0.5*(up-down)/s
	}
	r := 1 / z
	t.e1 = (t.xi - t.e0) * r
	t.e2 = (t.e0 - 3*t.e1) * r
	t.e3 = (t.e1 - 5*t.e2) * r
	t.e4 = (t.e2 - 7*t.e3) * r
	t.e5 = (t.e3 - 9*t.e4) * r
	t.e6 = (t.e4 - 11*t.e5) * r
}

// transfer is a cell's matrix for (u, h u') and its derivative in Z.
type transfer struct{ t11, t12, t21, t22, d11, d12, d21, d22 float64 }

// of evaluates the propagator at Z, whose functions are t.
func (m *transfer) of(p *propagator, z float64, t *etas) {
	o := p.o[0]*t.e1 + p.o[1]*t.e2 + p.o[2]*t.e3 + p.o[3]*t.e4
	e := p.e[0]*t.e2 + p.e[1]*t.e3 + p.e[2]*t.e4
	m.t11 = t.xi + e + o
	m.t22 = t.xi + e - o
	m.t12 = t.e0 + p.b[0]*t.e2 + p.b[1]*t.e3 + p.b[2]*t.e4 + p.b[3]*t.e5
	m.t21 = z*t.e0 + p.c[0]*t.e0 + p.c[1]*t.e1 + p.c[2]*t.e2 + p.c[3]*t.e3 + p.c[4]*t.e4
	// dη_m/dZ = η_{m+1}/2, dξ/dZ = η0/2.
	do := p.o[0]*t.e2 + p.o[1]*t.e3 + p.o[2]*t.e4 + p.o[3]*t.e5
	de := p.e[0]*t.e3 + p.e[1]*t.e4 + p.e[2]*t.e5
	m.d11 = 0.5 * (t.e0 + de + do)
	m.d22 = 0.5 * (t.e0 + de - do)
	m.d12 = 0.5 * (t.e1 + p.b[0]*t.e3 + p.b[1]*t.e4 + p.b[2]*t.e5 + p.b[3]*t.e6)
	m.d21 = t.e0 + 0.5*(z*t.e1+p.c[0]*t.e1+p.c[1]*t.e2+p.c[2]*t.e3+p.c[3]*t.e4+p.c[4]*t.e5)
}
