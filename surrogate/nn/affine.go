package nn

import (
	"math"
	"unsafe"
)

// Clamp is the function that bounds the log-scales of an affine coupling.
type Clamp int

// The clamps of FrEIA's coupling blocks. With c the bound: s = 0.636 c·arctan(u) (0.636 is FrEIA's number, not
// 2/π), s = c·tanh(u), s = 2c(σ(u) - 1/2).
const (
	AtanClamp Clamp = iota
	TanhClamp
	SigmoidClamp
)

// AffineCache keeps, for rows×cols elements, what the backward pass of an affine map needs: the factor exp(±s) and
// the slope ds/du of the clamp.
type AffineCache[T Float] struct{ factor, slope, s []T }

// NewAffineCache allocates for batches of up to batch rows of cols columns.
func NewAffineCache[T Float](batch, cols int) *AffineCache[T] {
	return &AffineCache[T]{factor: make([]T, batch*cols), slope: make([]T, batch*cols), s: make([]T, batch*cols)}
}

// AffineClamp is a clamp and its bound; Center subtracts the mean over the columns from the log-scales (GIN), which
// makes the map volume preserving.
type AffineClamp struct {
	Kind   Clamp
	Bound  float64
	Center bool
}

// Forward computes y = x·exp(s) + t with s = clamp(u), element by element, and adds each row's Σ s to logdet.
// All matrices are rows×cols.
func (c *AffineCache[T]) Forward(clamp AffineClamp, u, t, x, y Matrix[T], logdet []T) {
	checkAffine(u, t, x, y)
	if fused[T](clamp) {
		affine32(clamp, 1, c.single(), asSingle(u), asSingle(t), asSingle(x), asSingle(y), single(logdet))
		return
	}
	c.forwardGo(clamp, u, t, x, y, logdet)
}

func (c *AffineCache[T]) forwardGo(clamp AffineClamp, u, t, x, y Matrix[T], logdet []T) {
	c.clampRows(clamp, u, 1)
	for i := range x.Rows {
		e, s := c.factor[i*x.Cols:(i+1)*x.Cols], c.s[i*x.Cols:(i+1)*x.Cols]
		xi, ti, yi := x.Row(i), t.Row(i), y.Row(i)
		sum := T(0)
		for j, f := range e {
			yi[j] = xi[j]*f + ti[j]
			sum += s[j]
		}
		logdet[i] += sum
	}
}

// Inverse computes y = (x - t)·exp(-s) with s = clamp(u) and adds each row's -Σ s to logdet.
func (c *AffineCache[T]) Inverse(clamp AffineClamp, u, t, x, y Matrix[T], logdet []T) {
	checkAffine(u, t, x, y)
	if fused[T](clamp) {
		affine32(clamp, -1, c.single(), asSingle(u), asSingle(t), asSingle(x), asSingle(y), single(logdet))
		return
	}
	c.inverseGo(clamp, u, t, x, y, logdet)
}

func (c *AffineCache[T]) inverseGo(clamp AffineClamp, u, t, x, y Matrix[T], logdet []T) {
	c.clampRows(clamp, u, -1)
	for i := range x.Rows {
		e, s := c.factor[i*x.Cols:(i+1)*x.Cols], c.s[i*x.Cols:(i+1)*x.Cols]
		xi, ti, yi := x.Row(i), t.Row(i), y.Row(i)
		sum := T(0)
		for j, f := range e {
			yi[j] = (xi[j] - ti[j]) * f
			sum += s[j]
		}
		logdet[i] += sum
	}
}

// clampRows fills the cache with sign·clamp(u), its exponential, and the slope of sign·clamp.
func (c *AffineCache[T]) clampRows(clamp AffineClamp, u Matrix[T], sign T) {
	n := u.Cols
	for i := range u.Rows {
		row := u.Row(i)
		e, s, d := c.factor[i*n:(i+1)*n], c.s[i*n:(i+1)*n], c.slope[i*n:(i+1)*n]
		clampRow(clamp, s, e, d, row, sign)
		if clamp.Center {
			mean := T(0)
			for _, v := range s {
				mean += v
			}
			mean /= T(max(n, 1))
			for j := range s {
				s[j] -= mean
			}
			Exp(e, s)
		}
	}
}

func clampRow[T Float](clamp AffineClamp, s, e, d, u []T, sign T) {
	bound := sign * T(clamp.Bound)
	switch clamp.Kind {
	case AtanClamp:
		ClampAtan(s, e, d, u, T(0.636)*bound)
	case TanhClamp:
		ClampTanh(s, e, d, u, bound)
	case SigmoidClamp:
		for j, v := range u { // 2c(σ(u) - 1/2) = c tanh(u/2)
			t := T(math.Tanh(float64(v) / 2))
			s[j], d[j] = bound*t, bound*(1-t*t)/2
		}
		Exp(e, s)
	}
}

// ForwardBackward differentiates Forward: dx = dy·exp(s), du = (dy·x·exp(s) + dlogdet)·ds/du, dt = dy. dx, du and
// dt are overwritten.
func (c *AffineCache[T]) ForwardBackward(clamp AffineClamp, x, dy Matrix[T], dlogdet []T, dx, du, dt Matrix[T]) {
	checkAffine(x, dy, dx, du, dt)
	if fused[T](clamp) {
		affineBack32(1, c.single(), asSingle(x), asSingle(dy), asSingle(dx), asSingle(du), asSingle(dt), single(dlogdet))
		return
	}
	c.forwardBackwardGo(clamp, x, dy, dlogdet, dx, du, dt)
}

func (c *AffineCache[T]) forwardBackwardGo(clamp AffineClamp, x, dy Matrix[T], dlogdet []T, dx, du, dt Matrix[T]) {
	n := x.Cols
	for i := range x.Rows {
		e, d := c.factor[i*n:(i+1)*n], c.slope[i*n:(i+1)*n]
		xi, gi, dxi, dui, dti := x.Row(i), dy.Row(i), dx.Row(i), du.Row(i), dt.Row(i)
		for j, f := range e {
			g := gi[j]
			dxi[j], dti[j] = g*f, g
			dui[j] = g*f*xi[j] + dlogdet[i]
		}
		finishLogScale(clamp, dui, d)
	}
}

// InverseBackward differentiates Inverse, whose output was y: dx = dy·exp(-s), du = -(dy·y + dlogdet)·ds/du,
// dt = -dx. The slope in the cache carries the sign.
func (c *AffineCache[T]) InverseBackward(clamp AffineClamp, y, dy Matrix[T], dlogdet []T, dx, du, dt Matrix[T]) {
	checkAffine(y, dy, dx, du, dt)
	if fused[T](clamp) {
		affineBack32(-1, c.single(), asSingle(y), asSingle(dy), asSingle(dx), asSingle(du), asSingle(dt), single(dlogdet))
		return
	}
	c.inverseBackwardGo(clamp, y, dy, dlogdet, dx, du, dt)
}

func (c *AffineCache[T]) inverseBackwardGo(clamp AffineClamp, y, dy Matrix[T], dlogdet []T, dx, du, dt Matrix[T]) {
	n := y.Cols
	for i := range y.Rows {
		e, d := c.factor[i*n:(i+1)*n], c.slope[i*n:(i+1)*n]
		yi, gi, dxi, dui, dti := y.Row(i), dy.Row(i), dx.Row(i), du.Row(i), dt.Row(i)
		for j, f := range e {
			g := gi[j]
			dxi[j], dti[j] = g*f, -g*f
			dui[j] = g*yi[j] + dlogdet[i]
		}
		finishLogScale(clamp, dui, d)
	}
}

// finishLogScale turns the gradient with respect to the centred log-scales into that of the clamp's input.
func finishLogScale[T Float](clamp AffineClamp, du, slope []T) {
	if clamp.Center {
		mean := T(0)
		for _, v := range du {
			mean += v
		}
		mean /= T(max(len(du), 1))
		for j := range du {
			du[j] -= mean
		}
	}
	Mul(du, du, slope)
}

// fused reports whether one kernel does the whole map. GIN's mean and the sigmoid clamp take the general path.
func fused[T Float](c AffineClamp) bool {
	return isSingle[T]() && !c.Center && c.Kind != SigmoidClamp
}

// scale is the factor of the clamp's function.
func (c AffineClamp) scale() float32 {
	if c.Kind == AtanClamp {
		return 0.636 * float32(c.Bound)
	}
	return float32(c.Bound)
}

func (c *AffineCache[T]) single() *AffineCache[float32] {
	return (*AffineCache[float32])(unsafe.Pointer(c)) // T is float32: the same type
}

func asSingle[T Float](m Matrix[T]) Matrix[float32] {
	return Matrix[float32]{Data: single(m.Data), Rows: m.Rows, Cols: m.Cols, Stride: m.Stride}
}

func checkAffine[T Float](matrices ...Matrix[T]) {
	first := &matrices[0]
	for i := range matrices {
		m := &matrices[i]
		if m.Rows != first.Rows || m.Cols != first.Cols {
			panic("nn: matrices of an affine map differ in shape")
		}
		if m.Rows > 0 && m.Cols > 0 && (m.Stride < m.Cols || len(m.Data) < (m.Rows-1)*m.Stride+m.Cols) {
			panic("nn: slice of an affine map too short")
		}
	}
}
