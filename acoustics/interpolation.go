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
// (x, y): for [Spline] the cubic spline with not-a-knot ends (de Boor, A Practical
// Guide to Splines, 1978, CUBSPL); for [PCHIP] the monotone interpolant of the
// Acoustics Toolbox: one-sided three-point slopes at the ends, kept from
// overshooting (Fritsch & Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300), the
// slopes of the cubic spline clamped to them inside, moved into the region where
// the interpolant is monotone (Fritsch & Carlson, SIAM J. Numer. Anal. 17 (1980)
// 238). x must increase; all slices have the length of x; work is scratch.
func Slopes(kind Interpolation, x, y, slope, work []float64) {
	n := len(x)
	switch {
	case n < 2:
		clear(slope)
	case n == 2:
		slope[0] = chord(x, y, 0)
		slope[1] = slope[0]
	case kind == PCHIP:
		clampedSlopes(x, y, slope, work)
	case n == 3:
		parabolaSlopes(x, y, slope)
	default:
		splineSlopes(x, y, slope, work)
	}
}

func chord(x, y []float64, i int) float64 { return (y[i+1] - y[i]) / (x[i+1] - x[i]) }

// parabolaSlopes is the not-a-knot spline through three points: one parabola.
func parabolaSlopes(x, y, slope []float64) {
	h0, h1 := x[1]-x[0], x[2]-x[1]
	d0, d1 := chord(x, y, 0), chord(x, y, 1)
	curve := (d1 - d0) / (h0 + h1)
	slope[0] = d0 - curve*h0
	slope[1] = d0 + curve*h0
	slope[2] = d1 + curve*h1
}

// splineSlopes solves the tridiagonal system of the not-a-knot spline's slopes.
func splineSlopes(x, y, slope, work []float64) {
	n := len(x)
	// The third derivative is continuous at the second and the last but one knot.
	h0, h1 := x[1]-x[0], x[2]-x[1]
	sum := h0 + h1
	first := ((h0+2*sum)*h1*chord(x, y, 0) + h0*h0*chord(x, y, 1)) / sum
	a, b := x[n-2]-x[n-3], x[n-1]-x[n-2]
	total := a + b
	last := (b*b*chord(x, y, n-3) + (2*total+b)*a*chord(x, y, n-2)) / total
	solveSlopes(x, y, slope, work, [3]float64{h1, sum, first}, [3]float64{total, a, last})
}

// clampedSlopes is the Toolbox's monotone interpolant.
func clampedSlopes(x, y, slope, work []float64) {
	n := len(x)
	h := func(i int) float64 { return x[i+1] - x[i] }
	first := endSlope(h(0), h(1), chord(x, y, 0), chord(x, y, 1))
	last := endSlope(h(n-2), h(n-3), chord(x, y, n-2), chord(x, y, n-3))
	solveSlopes(x, y, slope, work, [3]float64{1, 0, first}, [3]float64{0, 1, last})
	for i := 1; i < n-1; i++ {
		slope[i] = monotone(slope[i], chord(x, y, i-1), chord(x, y, i))
	}
}

// endSlope is the slope at an end from the two chords next to it, of the first
// chord's sign and at most three times as steep.
func endSlope(h0, h1, d0, d1 float64) float64 {
	slope := ((2*h0+h1)*d0 - h0*d1) / (h0 + h1)
	if slope*d0 <= 0 {
		return 0
	}
	if d0*d1 <= 0 && math.Abs(slope) > 3*math.Abs(d0) {
		return 3 * d0
	}
	return slope
}

// monotone moves a slope to where the interpolant is monotone on both sides: of
// the chords' sign, at most three times the flatter of them.
func monotone(slope, before, after float64) float64 {
	switch {
	case before*after <= 0:
		return 0
	case before > 0:
		return math.Min(math.Max(slope, 0), 3*math.Min(before, after))
	}
	return math.Max(math.Min(slope, 0), 3*math.Max(before, after))
}

// solveSlopes makes the second derivative continuous at the inner knots, with the
// first row {s0, s1, known} and the last {s[n-2], s[n-1], known}, by elimination;
// work holds the diagonal.
func solveSlopes(x, y, slope, work []float64, first, last [3]float64) {
	n := len(x)
	upper := first[1]
	work[0], slope[0] = first[0], first[2]
	for i := 1; i < n-1; i++ {
		before, after := x[i]-x[i-1], x[i+1]-x[i]
		m := after / work[i-1]
		work[i] = 2*(before+after) - m*upper
		slope[i] = 3*(after*chord(x, y, i-1)+before*chord(x, y, i)) - m*slope[i-1]
		upper = before
	}
	m := last[0] / work[n-2]
	slope[n-1] = (last[2] - m*slope[n-2]) / (last[1] - m*upper)
	for i := n - 2; i >= 1; i-- {
		slope[i] = (slope[i] - (x[i]-x[i-1])*slope[i+1]) / work[i]
	}
	slope[0] = (slope[0] - first[1]*slope[1]) / work[0]
}
