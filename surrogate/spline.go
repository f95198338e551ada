package surrogate

import (
	"math"
	"slices"

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
// All but left and bottom first go through c·tanh(raw/c) with c the spline's clamp, if it is not zero: far outside the
// data, where networks return large numbers, the map stays one that can be inverted in floating point.
//
// Inner slopes are m + softplus(raw + ln(exp(1-m) - 1)) with m = 1e-3, as in Durkan et al.'s code (FrEIA has m = 0).
type spline[T Float] struct {
	bins         int
	bound        float64
	minBin       float64
	rawBound     float64 // 0 for none
	identity     bool
	shift, least []T // per raw output: added before softplus, and after
}

const minSlope = 1e-3

func newSpline[T Float](s *FlowSpec) *spline[T] {
	p := &spline[T]{bins: s.SplineBins, bound: s.SplineBound, minBin: s.SplineMinBin, rawBound: s.SplineClamp, identity: s.SplineIdentity}
	equal := 2 * s.SplineBound / float64(s.SplineBins)
	p.shift, p.least = make([]T, p.perCoordinate()), make([]T, p.perCoordinate())
	for j := range p.shift {
		switch {
		case j >= len(p.shift)-(p.bins-1):
			p.shift[j], p.least[j] = T(math.Log(math.Expm1(1-minSlope))), minSlope
		case !p.identity && j >= 2:
			p.shift[j], p.least[j] = T(math.Log(math.Expm1(equal-p.minBin))), T(p.minBin)
		}
	}
	return p
}

func (s *spline[T]) perCoordinate() int {
	if s.identity {
		return 3*s.bins - 1
	}
	return 3*s.bins + 1
}

func (s *spline[T]) outputs() []int { return []int{s.perCoordinate()} }

func (s *spline[T]) newPass(batch, width int, evaluate bool) elementwisePass[T] {
	n := batch * width * s.perCoordinate()
	p := &splinePass[T]{s: s, value: make([]T, n), evaluate: evaluate, knots: newKnots(s.bins)}
	if evaluate && !s.identity {
		p.shift, p.least = slices.Repeat(s.shift, batch*width), slices.Repeat(s.least, batch*width)
		p.in, p.out, p.logSlope = make([]T, batch*width), make([]T, batch*width), make([]T, batch*width)
		return p
	}
	p.slope = make([]T, n)
	if s.rawBound != 0 {
		p.raw, p.gain = make([]T, n), make([]T, n)
	}
	return p
}

// splinePass keeps the constrained parameters of every element (value), their derivatives by the raw ones (slope; for
// a softmax its probabilities) and, with a clamp, the clamped raw ones and the clamp's derivative (raw, gain).
type splinePass[T Float] struct {
	s                       *spline[T]
	value, slope, raw, gain []T
	evaluate                bool // no backward pass
	shift, least            []T  // of every element, for evaluation, as the following
	in, out, logSlope       []T
	knots                   knots
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
	if p.evaluate && !s.identity {
		n := len(theta.Data)
		value := p.value[:n]
		nn.ClampSoftplus(value, theta.Data, p.shift[:n], p.least[:n], T(s.rawBound))
		for e := 0; e < n; e += per {
			value[e], value[e+1] = theta.Data[e]-T(s.bound), theta.Data[e+1]-T(s.bound)
		}
		return
	}
	raw := p.clamp(theta.Data)
	n := len(raw)
	value, slope := p.value[:n], p.slope[:n]
	for e := 0; e < n; e += per {
		r, v := raw[e:e+per], value[e:e+per]
		for j, c := range s.shift {
			v[j] = r[j] + c
		}
	}
	if s.identity {
		p.constrainIdentity(raw, value, slope)
		return
	}
	nn.Softplus(value, slope, value)
	for e := 0; e < n; e += per {
		v := value[e : e+per]
		for j, c := range s.least {
			v[j] += c
		}
		v[0], v[1] = theta.Data[e]-T(s.bound), theta.Data[e+1]-T(s.bound)
	}
}

// clamp bounds raw outputs by c·tanh(raw/c). Left and bottom use the outputs as they are, see constrain and store.
func (p *splinePass[T]) clamp(theta []T) []T {
	c := T(p.s.rawBound)
	if c == 0 {
		return theta
	}
	raw, gain := p.raw[:len(theta)], p.gain[:len(theta)]
	for i, v := range theta {
		raw[i] = v / c
	}
	nn.Tanh(raw, raw)
	for i, v := range raw {
		raw[i], gain[i] = c*v, 1-v*v
	}
	return raw
}

func (p *splinePass[T]) constrainIdentity(raw, value, slope []T) {
	s, per, k := p.s, p.s.perCoordinate(), p.s.bins
	for e := 0; e < len(raw); e += per {
		for at := e; at < e+2*k; at += k {
			softmax(slope[at:at+k], raw[at:at+k])
			for j, q := range slope[at : at+k] {
				value[at+j] = T(2 * s.bound * (s.minBin/float64(k) + (1-s.minBin)*float64(q)))
			}
		}
		v := value[e+2*k : e+per]
		nn.Softplus(v, slope[e+2*k:e+per], v)
		for j := range v {
			v[j] += minSlope
		}
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
	return x, math.Log(q.s * q.s * q.rise / (q.den * q.den))
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
