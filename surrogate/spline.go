package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

// spline is the monotone rational-quadratic spline of Durkan et al. 2019 (equations 4 to 8; inverse 29) with K bins.
// Outputs of zero give the identity. Per coordinate the network gives, in this order:
//
//	affine tails (as FrEIA): left, bottom, K widths, K heights, K-1 inner slopes;
//	    width = min + softplus(raw + shift), the first knot is (left - bound, bottom - bound), and outside the
//	    knots the map is the line through the first and the last, whose slope is also that of both edges
//	identity tails: K widths, K heights, K-1 inner slopes on the square [-bound, bound]²;
//	    width = 2 bound/K (m + (1-m) K softmax(raw)), edges of slope 1
//
// Inner slopes are softplus(raw + ln(e-1)).
type spline[T Float] struct {
	bins     int
	bound    float64
	minBin   float64
	identity bool
	shift    float64 // makes a raw width of zero an equal bin (affine tails)
}

func newSpline[T Float](s *FlowSpec) *spline[T] {
	equal := 2 * s.SplineBound / float64(s.SplineBins)
	return &spline[T]{bins: s.SplineBins, bound: s.SplineBound, minBin: s.SplineMinBin, identity: s.SplineIdentity,
		shift: math.Log(math.Expm1(equal - s.SplineMinBin))}
}

func (s *spline[T]) perCoordinate() int {
	if s.identity {
		return 3*s.bins - 1
	}
	return 3*s.bins + 1
}

func (s *spline[T]) outputs() []int { return []int{s.perCoordinate()} }

func (s *spline[T]) newPass(batch, width int) elementwisePass[T] {
	n := batch * width * s.perCoordinate()
	return &splinePass[T]{s: s, value: make([]T, n), slope: make([]T, n), knots: newKnots(s.bins)}
}

// splinePass keeps the constrained parameters of every element (value) and their derivatives by the raw ones
// (slope; for a softmax its probabilities).
type splinePass[T Float] struct {
	s            *spline[T]
	value, slope []T
	knots        knots
}

// knots is one element's spline and, after pullBack, the gradient of a loss with respect to it.
type knots struct {
	x, y, d        []float64 // K+1 knots and slopes
	dw, dh, dd     []float64 // gradients: K widths, K heights, K+1 slopes
	dleft, dbottom float64
}

func newKnots(bins int) knots {
	n := bins + 1
	return knots{x: make([]float64, n), y: make([]float64, n), d: make([]float64, n),
		dw: make([]float64, bins), dh: make([]float64, bins), dd: make([]float64, n)}
}

// constrain turns the raw outputs of all elements into widths, heights and slopes.
func (p *splinePass[T]) constrain(theta nn.Matrix[T]) {
	s, per := p.s, p.s.perCoordinate()
	n := theta.Rows * theta.Cols
	raw := theta.Data
	value, slope := p.value[:n], p.slope[:n]
	unit := T(math.Log(math.E - 1))
	if s.identity {
		p.constrainIdentity(raw, value, slope, unit)
		return
	}
	// slope doubles as room for the shifted arguments; Softplus needs its input apart from its slopes.
	shift := T(s.shift)
	k := 2 * s.bins
	for e := 0; e < n; e += per {
		r, v := raw[e:e+per], value[e:e+per]
		for j := 2; j < 2+k; j++ {
			v[j] = r[j] + shift
		}
		for j := 2 + k; j < per; j++ {
			v[j] = r[j] + unit
		}
		v[0], v[1] = 0, 0
	}
	nn.Softplus(value, slope, value)
	least := T(s.minBin)
	for e := 0; e < n; e += per {
		v := value[e : e+per]
		for j := 2; j < 2+k; j++ {
			v[j] += least
		}
		v[0], v[1] = raw[e]-T(s.bound), raw[e+1]-T(s.bound)
	}
}

func (p *splinePass[T]) constrainIdentity(raw, value, slope []T, unit T) {
	s, per := p.s, p.s.perCoordinate()
	k := s.bins
	for e := 0; e < len(raw); e += per {
		for part := range 2 {
			r, v, q := raw[e+part*k:e+(part+1)*k], value[e+part*k:e+(part+1)*k], slope[e+part*k:e+(part+1)*k]
			softmax(q, r)
			for j := range v {
				v[j] = T(2 * s.bound / float64(k) * (s.minBin + (1-s.minBin)*float64(k)*float64(q[j])))
			}
		}
		for j := 2 * k; j < per; j++ {
			value[e+j] = raw[e+j] + unit
		}
		nn.Softplus(value[e+2*k:e+per], slope[e+2*k:e+per], value[e+2*k:e+per])
	}
}

func softmax[T Float](q, r []T) {
	top := r[0]
	for _, v := range r {
		top = max(top, v)
	}
	sum := 0.0
	for j, v := range r {
		e := math.Exp(float64(v - top))
		q[j] = T(e)
		sum += e
	}
	for j := range q {
		q[j] = T(float64(q[j]) / sum)
	}
}

// load reads the knots of the element whose constrained parameters are v.
func (p *splinePass[T]) load(v []T) *knots {
	s, k := p.s, &p.knots
	n := s.bins
	k.x[0], k.y[0] = -s.bound, -s.bound
	if !s.identity {
		k.x[0], k.y[0] = float64(v[0]), float64(v[1])
		v = v[2:]
	}
	for i := range n {
		k.x[i+1] = k.x[i] + float64(v[i])
		k.y[i+1] = k.y[i] + float64(v[n+i])
	}
	edge := 1.0
	if !s.identity {
		edge = (k.y[n] - k.y[0]) / (k.x[n] - k.x[0])
	}
	k.d[0], k.d[n] = edge, edge
	for i := 1; i < n; i++ {
		k.d[i] = float64(v[2*n+i-1])
	}
	return k
}

// bin returns the interval of the ascending knots that holds v, -1 below all and len-1 above.
func bin(at []float64, v float64) int {
	lo, hi := -1, len(at)-1
	if v > at[hi] {
		return hi
	}
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) >> 1); v >= at[mid] {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// eval returns y(x) and ln dy/dx.
func (k *knots) eval(x float64) (y, logSlope float64) {
	i := bin(k.x, x)
	if i < 0 || i == len(k.dw) {
		return k.y[0] + (x-k.x[0])*k.d[0] + k.tail(i), math.Log(k.d[0])
	}
	c := k.cell(i, x)
	return k.y[i] + c.h*c.top/c.den, 2*math.Log(c.s) + math.Log(c.rise) - 2*math.Log(c.den)
}

// tail is what the line of the upper tail differs by from that of the lower: nothing up to rounding for affine
// tails, where both are one line, and for identity tails.
func (k *knots) tail(i int) float64 {
	if i < 0 {
		return 0
	}
	n := len(k.dw)
	return k.y[n] - k.y[0] - (k.x[n]-k.x[0])*k.d[0]
}

// solve returns x with y(x) = y and ln dy/dx there (Durkan et al., equations 6 to 8 of the appendix: the root of a
// quadratic in the form without cancellation).
func (k *knots) solve(y float64) (x, logSlope float64) {
	i := bin(k.y, y)
	if i < 0 || i == len(k.dw) {
		return k.x[0] + (y-k.y[0]-k.tail(i))/k.d[0], math.Log(k.d[0])
	}
	w, h := k.x[i+1]-k.x[i], k.y[i+1]-k.y[i]
	s, r := h/w, y-k.y[i]
	m := k.d[i] + k.d[i+1] - 2*s
	a := h*(s-k.d[i]) + r*m
	b := h*k.d[i] - r*m
	c := -s * r
	xi := 2 * c / (-b - math.Sqrt(math.Max(b*b-4*a*c, 0)))
	x = k.x[i] + math.Min(math.Max(xi, 0), 1)*w
	q := k.cell(i, x)
	return x, 2*math.Log(q.s) + math.Log(q.rise) - 2*math.Log(q.den)
}

// cell is the spline inside one bin: with xi the position in [0, 1] and q = xi(1-xi),
// y = y_i + h top/den and dy/dx = s² rise/den².
type cell struct {
	w, h, s, xi, q, d0, d1 float64
	top, den, rise         float64
}

func (k *knots) cell(i int, x float64) cell {
	c := cell{w: k.x[i+1] - k.x[i], h: k.y[i+1] - k.y[i], d0: k.d[i], d1: k.d[i+1]}
	c.s, c.xi = c.h/c.w, (x-k.x[i])/c.w
	c.q = c.xi * (1 - c.xi)
	c.top = c.s*c.xi*c.xi + c.d0*c.q
	c.den = c.s + (c.d0+c.d1-2*c.s)*c.q
	c.rise = c.d1*c.xi*c.xi + 2*c.s*c.q + c.d0*(1-c.xi)*(1-c.xi)
	return c
}

// pullBack takes the gradients gy and gl of a loss with respect to y(x) and ln dy/dx, leaves those with respect to
// the knots in k and returns that with respect to x.
func (k *knots) pullBack(x, gy, gl float64, identity bool) (gx float64) {
	clear(k.dw)
	clear(k.dh)
	clear(k.dd)
	n := len(k.dw)
	i := bin(k.x, x)
	inside := i >= 0 && i < n
	if !inside {
		gx = gy * k.d[0]
		k.dleft, k.dbottom = -gx, gy
		k.dd[0] = gl / k.d[0]
		if !identity {
			k.dd[0] += gy * (x - k.x[0])
		}
	} else {
		gx = k.pullBackCell(i, x, gy, gl)
	}
	if !identity { // both edges have the slope H/W
		width := k.x[n] - k.x[0]
		e := (k.dd[0] + k.dd[n]) / width
		for j := range n {
			k.dh[j] += e
			k.dw[j] -= e * k.d[0]
		}
	}
	return gx
}

func (k *knots) pullBackCell(i int, x, gy, gl float64) (gx float64) {
	c := k.cell(i, x)
	topXi, denXi := 2*c.s*c.xi+c.d0*(1-2*c.xi), (c.d0+c.d1-2*c.s)*(1-2*c.xi)
	riseXi := 2*c.d1*c.xi + 2*c.s*(1-2*c.xi) - 2*c.d0*(1-c.xi)
	f := gy * c.h / (c.den * c.den)
	gxi := f*(topXi*c.den-c.top*denXi) + gl*(riseXi/c.rise-2*denXi/c.den)
	denS := 1 - 2*c.q
	gs := f*(c.xi*c.xi*c.den-c.top*denS) + gl*(2/c.s+2*c.q/c.rise-2*denS/c.den)
	k.dd[i] += f*(c.q*c.den-c.top*c.q) + gl*((1-c.xi)*(1-c.xi)/c.rise-2*c.q/c.den)
	k.dd[i+1] += -f*c.top*c.q + gl*(c.xi*c.xi/c.rise-2*c.q/c.den)
	gx = gxi / c.w
	k.dw[i] = -(gxi*c.xi + gs*c.s) / c.w
	k.dh[i] = gy*c.top/c.den + gs/c.w
	for j := range i { // the bin's corner moves with all widths and heights before it
		k.dw[j] -= gx
		k.dh[j] += gy
	}
	k.dleft, k.dbottom = -gx, gy
	return gx
}
