//go:build cgo && !purego

package nn

/*
#cgo noescape oi_affine_atan
#cgo noescape oi_affine_tanh
#cgo noescape oi_affine_atan_inverse
#cgo noescape oi_affine_tanh_inverse
#cgo noescape oi_affine_back
#cgo noescape oi_affine_back_inverse
#cgo nocallback oi_affine_atan
#cgo nocallback oi_affine_tanh
#cgo nocallback oi_affine_atan_inverse
#cgo nocallback oi_affine_tanh_inverse
#cgo nocallback oi_affine_back
#cgo nocallback oi_affine_back_inverse
#include "vecmath.h"
*/
import "C"

// affine32 runs the fused kernel of [AffineCache.Forward] (sign 1) or [AffineCache.Inverse] (sign -1).
func affine32(clamp AffineClamp, sign float32, c *AffineCache[float32], u, t, x, y Matrix[float32], logdet []float32) {
	if x.Rows == 0 || x.Cols == 0 {
		return
	}
	shape := [6]C.long{C.long(x.Rows), C.long(x.Cols), C.long(u.Stride), C.long(t.Stride), C.long(x.Stride), C.long(y.Stride)}
	py, pe, pd, pl := ptr(y.Data), ptr(c.factor), ptr(c.slope), ptr(logdet)
	pu, pt, px, s := ptr(u.Data), ptr(t.Data), ptr(x.Data), C.float(sign*clamp.scale())
	switch {
	case clamp.Kind == AtanClamp && sign > 0:
		C.oi_affine_atan(py, pe, pd, pl, pu, pt, px, &shape[0], s)
	case clamp.Kind == AtanClamp:
		C.oi_affine_atan_inverse(py, pe, pd, pl, pu, pt, px, &shape[0], s)
	case sign > 0:
		C.oi_affine_tanh(py, pe, pd, pl, pu, pt, px, &shape[0], s)
	default:
		C.oi_affine_tanh_inverse(py, pe, pd, pl, pu, pt, px, &shape[0], s)
	}
}

// affineBack32 runs the fused kernel of [AffineCache.ForwardBackward] or, with sign -1, of
// [AffineCache.InverseBackward].
func affineBack32(sign float32, c *AffineCache[float32], v, dy, dx, du, dt Matrix[float32], dlogdet []float32) {
	if v.Rows == 0 || v.Cols == 0 {
		return
	}
	shape := [7]C.long{C.long(v.Rows), C.long(v.Cols), C.long(v.Stride), C.long(dy.Stride), C.long(dx.Stride), C.long(du.Stride), C.long(dt.Stride)}
	pdx, pdu, pdt, pe, ps := ptr(dx.Data), ptr(du.Data), ptr(dt.Data), ptr(c.factor), ptr(c.slope)
	pv, pdy, pl := ptr(v.Data), ptr(dy.Data), ptr(dlogdet)
	if sign > 0 {
		C.oi_affine_back(pdx, pdu, pdt, pe, ps, pv, pdy, pl, &shape[0])
	} else {
		C.oi_affine_back_inverse(pdx, pdu, pdt, pe, ps, pv, pdy, pl, &shape[0])
	}
}
