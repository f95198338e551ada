package analytic

import (
	"math"
	"math/cmplx"
)

// maxTogether is how many zeros are sought in one box.
const maxTogether = 4

// together finds the n zeros of a box from the moments of its contour.
func (c *counter) together(k *contour, n int) ([]complex128, bool) {
	zeros := make([]complex128, 0, n)
	for _, u := range roots(k.moments(n)) {
		start := k.middle() + by(k.size(), u)
		x, ok := muller(c.counted(), k.box, start, 0.02*k.size()/float64(n))
		if !ok {
			return nil, false
		}
		for _, y := range zeros {
			if cmplx.Abs(x-y) < 1e-6*k.size() {
				return nil, false
			}
		}
		zeros = append(zeros, x)
	}
	return zeros, true
}

// counted is the function, with its evaluations counted.
func (c *counter) counted() func(x complex128) (complex128, float64) {
	return func(x complex128) (complex128, float64) {
		c.left--
		return c.f(x)
	}
}

// moments are the sums over the n zeros inside of u, u² .. uⁿ, u the distance from
// the middle over the box's size: 1/2πi ∮ u^j d log f by the trapezoidal rule
// (Delves & Lyness, Math. Comp. 21 (1967) 543).
func (k *contour) moments(n int) []complex128 {
	sums := make([]complex128, n)
	middle, size := k.middle(), k.size()
	k.each(func(a, b *sample) {
		change := complex(b.log-a.log, turn(a, b)) / complex(0, 4*math.Pi)
		ua, ub := by(1/size, a.x-middle), by(1/size, b.x-middle)
		pa, pb := ua, ub
		for j := range sums {
			sums[j] += change * (pa + pb)
			pa, pb = pa*ua, pb*ub
		}
	})
	return sums
}

// roots are the numbers with these sums of powers: Newton's identities make them a
// polynomial, Weierstrass' iteration its roots.
func roots(sums []complex128) []complex128 {
	n := len(sums)
	coef := make([]complex128, n+1) // of u^(n-j)
	coef[0] = 1
	for j := 1; j <= n; j++ {
		for i := 1; i <= j; i++ {
			coef[j] -= coef[j-i] * sums[i-1]
		}
		coef[j] /= complex(float64(j), 0)
	}
	u := make([]complex128, n)
	for i := range u {
		u[i] = cmplx.Rect(0.4, 0.7+2*math.Pi*float64(i)/float64(n))
	}
	for range 60 {
		step := 0.0
		for i := range u {
			p, d := coef[0], complex128(1)
			for j := 1; j <= n; j++ {
				p = p*u[i] + coef[j]
			}
			for j := range u {
				if j != i {
					d *= u[i] - u[j]
				}
			}
			if d == 0 {
				d = 1e-12
			}
			u[i] -= p / d
			step = max(step, cmplx.Abs(p/d))
		}
		if step < 1e-6 {
			break
		}
	}
	return u
}

// value is a function's value as mantissa and exponent.
type value struct {
	m     complex128
	scale float64
}

// relative are values divided by a common exponential.
func relative(v [3]value) (y [3]complex128) {
	top := max(v[0].scale, v[1].scale, v[2].scale)
	for i := range v {
		y[i] = v[i].m * complex(math.Exp(v[i].scale-top), 0)
	}
	return y
}

// muller polishes a zero of f in a box, from a point about d from it; it fails where
// the iteration leaves the box or ends where f does not vanish.
func muller(f func(x complex128) (complex128, float64), b box, mid complex128, d float64) (complex128, bool) {
	reach := b.size()
	wide := box{b.left - reach, b.right + reach, b.low - reach, b.high + reach}
	at := func(x complex128) value {
		m, scale := f(x)
		return value{m, scale}
	}
	x := [3]complex128{mid - complex(d, 0), mid + complex(d, 0), mid}
	v := [3]value{at(x[0]), at(x[1]), at(x[2])}
	for range 60 {
		next, ok := mullerStep(x, relative(v))
		if !ok || !wide.holds(next) {
			return 0, false
		}
		step := cmplx.Abs(next - x[2])
		x = [3]complex128{x[1], x[2], next}
		v = [3]value{v[1], v[2], at(next)}
		y := relative(v)
		if step <= 1e-15*cmplx.Abs(next) || y[2] == 0 || step <= 4e-14*cmplx.Abs(next) && cmplx.Abs(y[2]) >= cmplx.Abs(y[1]) {
			return next, b.holds(next) && vanishes(at, next, v[2])
		}
	}
	return 0, false
}

// vanishes says that f is far smaller at a point than a little beside it.
func vanishes(at func(complex128) value, x complex128, v value) bool {
	beside := at(x * (1 + 1e-7))
	return cmplx.Abs(v.m)*math.Exp(v.scale-beside.scale) <= 1e-3*cmplx.Abs(beside.m)
}

// mullerStep is the zero, nearest to x[2], of the parabola through three points.
func mullerStep(x, y [3]complex128) (complex128, bool) {
	h1, h2 := x[1]-x[0], x[2]-x[1]
	if h1 == 0 || h2 == 0 || h1+h2 == 0 {
		return 0, false
	}
	d1, d2 := (y[1]-y[0])/h1, (y[2]-y[1])/h2
	a := (d2 - d1) / (h2 + h1)
	b := a*h2 + d2
	root := cmplx.Sqrt(b*b - 4*y[2]*a)
	den := b + root
	if cmplx.Abs(b-root) > cmplx.Abs(den) {
		den = b - root
	}
	if den == 0 {
		return 0, false
	}
	next := x[2] - 2*y[2]/den
	return next, !cmplx.IsNaN(next) && !cmplx.IsInf(next)
}
