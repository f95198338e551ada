package acoustics

import "math"

// SoundSpeedAt returns the sound speed (m/s) at a depth (m), by the profile's
// interpolation; above the first knot and below the last their speeds hold. The
// profile must be valid. Evaluating many depths is cheaper through [Slopes].
func (p SoundSpeedProfile) SoundSpeedAt(depth float64) float64 {
	n := len(p.Depth)
	if n == 1 || depth <= p.Depth[0] {
		return p.Speed[0]
	}
	if depth >= p.Depth[n-1] {
		return p.Speed[n-1]
	}
	i := 0
	for i < n-2 && depth > p.Depth[i+1] {
		i++
	}
	h := p.Depth[i+1] - p.Depth[i]
	x := (depth - p.Depth[i]) / h
	a, b := p.Speed[i], p.Speed[i+1]
	switch p.Interpolation {
	case N2Linear:
		return 1 / math.Sqrt((1-x)/(a*a)+x/(b*b))
	case PCHIP, Spline:
		slope, work := make([]float64, n), make([]float64, n)
		Slopes(p.Interpolation, p.Depth, p.Speed, slope, work)
		return Hermite(a, b, slope[i]*h, slope[i+1]*h, x)
	}
	return (1-x)*a + x*b
}

// Hermite evaluates at x in [0, 1] the cubic with values a, b and derivatives
// da, db (with respect to x) at 0 and 1.
func Hermite(a, b, da, db, x float64) float64 {
	c2 := 3*(b-a) - 2*da - db
	c3 := da + db - 2*(b-a)
	return a + x*(da+x*(c2+x*c3))
}

// Slopes sets slope[i] to the derivative at x[i] of the cubic interpolant of
// (x, y): for [Spline] the cubic spline with not-a-knot ends (de Boor, A
// Practical Guide to Splines, 1978, CUBSPL); for [PCHIP] the same spline's slopes
// moved into the region where the interpolant is monotone between knots (Fritsch
// & Carlson, SIAM J. Numer. Anal. 17 (1980) 238, as the Acoustics Toolbox does).
// x must increase; all slices have the length of x; work is scratch.
func Slopes(kind Interpolation, x, y, slope, work []float64) {
	n := len(x)
	switch n {
	case 0, 1:
		clear(slope)
		return
	case 2:
		slope[0] = (y[1] - y[0]) / (x[1] - x[0])
		slope[1] = slope[0]
		return
	case 3:
		parabolaSlopes(x, y, slope)
	default:
		splineSlopes(x, y, slope, work)
	}
	if kind == PCHIP {
		monotoneSlopes(x, y, slope)
	}
}

// parabolaSlopes is the not-a-knot spline through three points: one parabola.
func parabolaSlopes(x, y, slope []float64) {
	h0, h1 := x[1]-x[0], x[2]-x[1]
	d0, d1 := (y[1]-y[0])/h0, (y[2]-y[1])/h1
	curve := (d1 - d0) / (h0 + h1)
	slope[0] = d0 - curve*h0
	slope[1] = d0 + curve*h0
	slope[2] = d1 + curve*h1
}

// splineSlopes solves the tridiagonal system of the not-a-knot spline's slopes
// by elimination; work holds the eliminated diagonal.
func splineSlopes(x, y, slope, work []float64) {
	n := len(x)
	h := func(i int) float64 { return x[i+1] - x[i] }
	d := func(i int) float64 { return (y[i+1] - y[i]) / h(i) }

	// First row: h1 s0 + (h0+h1) s1 = known.
	sum := h(0) + h(1)
	upper := sum
	work[0] = h(1)
	slope[0] = ((h(0)+2*sum)*h(1)*d(0) + h(0)*h(0)*d(1)) / sum
	for i := 1; i < n-1; i++ {
		// h(i) s[i-1] + 2(h(i-1)+h(i)) s[i] + h(i-1) s[i+1] = known.
		m := h(i) / work[i-1]
		work[i] = 2*(h(i-1)+h(i)) - m*upper
		slope[i] = 3*(h(i)*d(i-1)+h(i-1)*d(i)) - m*slope[i-1]
		upper = h(i - 1)
	}
	// Last row: (h(n-3)+h(n-2)) s[n-2] + h(n-3) s[n-1] = known.
	a, b := h(n-3), h(n-2)
	sum = a + b
	last := (b*b*d(n-3) + (2*sum+b)*a*d(n-2)) / sum
	m := sum / work[n-2]
	slope[n-1] = (last - m*slope[n-2]) / (a - m*upper)
	for i := n - 2; i >= 1; i-- {
		slope[i] = (slope[i] - h(i-1)*slope[i+1]) / work[i]
	}
	slope[0] = (slope[0] - (h(0)+h(1))*slope[1]) / work[0]
}

// monotoneSlopes moves every slope into the region where each cubic piece is
// monotone: of the sign of its neighbouring chords, at most three times the
// flatter of them.
func monotoneSlopes(x, y, slope []float64) {
	n := len(x)
	limit := func(s, bound float64) float64 {
		if bound >= 0 {
			return math.Min(math.Max(s, 0), bound)
		}
		return math.Max(math.Min(s, 0), bound)
	}
	before := (y[1] - y[0]) / (x[1] - x[0])
	slope[0] = limit(slope[0], 3*before)
	for i := 1; i < n-1; i++ {
		after := (y[i+1] - y[i]) / (x[i+1] - x[i])
		switch {
		case before*after <= 0:
			slope[i] = 0
		case math.Abs(before) < math.Abs(after):
			slope[i] = limit(slope[i], 3*before)
		default:
			slope[i] = limit(slope[i], 3*after)
		}
		before = after
	}
	slope[n-1] = limit(slope[n-1], 3*before)
}
