//go:build cgo && !purego

package nn

/*
#cgo CFLAGS: -O3
#cgo noescape oi_exp
#cgo noescape oi_log
#cgo noescape oi_tanh
#cgo noescape oi_atan
#cgo noescape oi_erf
#cgo noescape oi_sigmoid
#cgo noescape oi_gelu_value
#cgo noescape oi_gelu
#cgo noescape oi_softplus
#cgo noescape oi_bias_gelu
#cgo noescape oi_bias_tanh
#cgo noescape oi_bias_relu
#cgo noescape oi_bias_gelu_value
#cgo noescape oi_bias_tanh_value
#cgo noescape oi_bias_relu_value
#cgo noescape oi_clamp_softplus
#cgo noescape oi_spline_inverse
#cgo noescape oi_clamp_atan
#cgo noescape oi_clamp_tanh
#cgo noescape oi_add_bias
#cgo noescape oi_mul_colsum
#cgo noescape oi_colsum
#cgo noescape oi_mul
#cgo noescape oi_add
#cgo noescape oi_axpy
#cgo noescape oi_sumsq
#cgo noescape oi_adam
#cgo noescape oi_lse_rows
#cgo noescape oi_gibbs_rows
#cgo noescape oi_half_dist_rows
#cgo nocallback oi_exp
#cgo nocallback oi_log
#cgo nocallback oi_tanh
#cgo nocallback oi_atan
#cgo nocallback oi_erf
#cgo nocallback oi_sigmoid
#cgo nocallback oi_gelu_value
#cgo nocallback oi_gelu
#cgo nocallback oi_softplus
#cgo nocallback oi_bias_gelu
#cgo nocallback oi_bias_tanh
#cgo nocallback oi_bias_relu
#cgo nocallback oi_bias_gelu_value
#cgo nocallback oi_bias_tanh_value
#cgo nocallback oi_bias_relu_value
#cgo nocallback oi_clamp_softplus
#cgo nocallback oi_spline_inverse
#cgo nocallback oi_clamp_atan
#cgo nocallback oi_clamp_tanh
#cgo nocallback oi_add_bias
#cgo nocallback oi_mul_colsum
#cgo nocallback oi_colsum
#cgo nocallback oi_mul
#cgo nocallback oi_add
#cgo nocallback oi_axpy
#cgo nocallback oi_sumsq
#cgo nocallback oi_adam
#cgo nocallback oi_lse_rows
#cgo nocallback oi_gibbs_rows
#cgo nocallback oi_half_dist_rows
#include "vecmath.h"
*/
import "C"

import "unsafe"

// ptr is the address of a slice's first element, nil for an empty one.
func ptr(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

func vexp(y, x []float32)       { C.oi_exp(ptr(y), ptr(x), C.long(len(x))) }
func vlog(y, x []float32)       { C.oi_log(ptr(y), ptr(x), C.long(len(x))) }
func vtanh(y, x []float32)      { C.oi_tanh(ptr(y), ptr(x), C.long(len(x))) }
func vatan(y, x []float32)      { C.oi_atan(ptr(y), ptr(x), C.long(len(x))) }
func verf(y, x []float32)       { C.oi_erf(ptr(y), ptr(x), C.long(len(x))) }
func vsigmoid(y, x []float32)   { C.oi_sigmoid(ptr(y), ptr(x), C.long(len(x))) }
func vgeluValue(y, x []float32) { C.oi_gelu_value(ptr(y), ptr(x), C.long(len(x))) }
func vgelu(y, d, x []float32)   { C.oi_gelu(ptr(y), ptr(d), ptr(x), C.long(len(x))) }
func vsoftplus(y, d, x []float32) {
	C.oi_softplus(ptr(y), ptr(d), ptr(x), C.long(len(x)))
}

func addBiasActivate32(act Activation, y, slope, b []float32, rows, cols int) {
	r, c := C.long(rows), C.long(cols)
	switch act {
	case Linear:
		C.oi_add_bias(ptr(y), ptr(b), r, c)
	case ActGELU:
		C.oi_bias_gelu(ptr(y), ptr(slope), ptr(b), r, c)
	case ActTanh:
		C.oi_bias_tanh(ptr(y), ptr(slope), ptr(b), r, c)
	case ActReLU:
		C.oi_bias_relu(ptr(y), ptr(slope), ptr(b), r, c)
	default:
		panic("nn: unknown activation")
	}
}

// addBiasActivateValue32 is addBiasActivate32 without the slopes.
func addBiasActivateValue32(act Activation, y, b []float32, rows, cols int) {
	r, c := C.long(rows), C.long(cols)
	switch act {
	case Linear:
		C.oi_add_bias(ptr(y), ptr(b), r, c)
	case ActGELU:
		C.oi_bias_gelu_value(ptr(y), ptr(b), r, c)
	case ActTanh:
		C.oi_bias_tanh_value(ptr(y), ptr(b), r, c)
	case ActReLU:
		C.oi_bias_relu_value(ptr(y), ptr(b), r, c)
	default:
		panic("nn: unknown activation")
	}
}

func clampSoftplus32(y, x, shift, least []float32, clamp float32) {
	C.oi_clamp_softplus(ptr(y), ptr(x), ptr(shift), ptr(least), C.float(clamp), C.long(len(y)))
}

func splineInverse32(x, logSlope, y, value []float32, bins int) bool {
	C.oi_spline_inverse(ptr(x), ptr(logSlope), ptr(y), ptr(value), C.long(bins), C.long(len(y)))
	return true
}

func mulColSum32(g, slope, db []float32, rows, cols int) {
	C.oi_mul_colsum(ptr(g), ptr(slope), ptr(db), C.long(rows), C.long(cols))
}

func colSum32(g, db []float32, rows, cols int) {
	C.oi_colsum(ptr(g), ptr(db), C.long(rows), C.long(cols))
}

func clampAtan32(s, e, ds, u []float32, scale float32) {
	C.oi_clamp_atan(ptr(s), ptr(e), ptr(ds), ptr(u), C.float(scale), C.long(len(u)))
}

func clampTanh32(s, e, ds, u []float32, scale float32) {
	C.oi_clamp_tanh(ptr(s), ptr(e), ptr(ds), ptr(u), C.float(scale), C.long(len(u)))
}

func mul32(dst, a, b []float32) { C.oi_mul(ptr(dst), ptr(a), ptr(b), C.long(len(dst))) }
func add32(dst, x []float32)    { C.oi_add(ptr(dst), ptr(x), C.long(len(dst))) }
func axpy32(dst []float32, a float32, x []float32) {
	C.oi_axpy(ptr(dst), C.float(a), ptr(x), C.long(len(dst)))
}
func sumSquares32(x []float32) float64 { return float64(C.oi_sumsq(ptr(x), C.long(len(x)))) }

func adam32(w, g, m, v []float32, s AdamStep) {
	h := [8]float32{float32(s.GradScale), float32(s.L2), float32(s.Beta1), float32(s.Beta2),
		float32(s.Rate), float32(s.RootScale), float32(s.Eps), float32(s.Keep)}
	C.oi_adam(ptr(w), ptr(g), ptr(m), ptr(v), ptr(h[:]), C.long(len(w)))
}

func lseRows32(out, c, h []float32, scale float32, rows, cols int) {
	C.oi_lse_rows(ptr(out), ptr(c), ptr(h), C.float(scale), C.long(rows), C.long(cols))
}

func gibbsRows32(p, c, h, lse []float32, scale float32, rows, cols int) {
	C.oi_gibbs_rows(ptr(p), ptr(c), ptr(h), ptr(lse), C.float(scale), C.long(rows), C.long(cols))
}

func halfDistRows32(c, a, b []float32, rows, cols int) {
	C.oi_half_dist_rows(ptr(c), ptr(a), ptr(b), C.long(rows), C.long(cols))
}

// useInstructionSet lowers the kernels to an instruction set (0 baseline, 1 AVX2, 2 AVX-512), -1 restores the
// best, and returns the best this machine has. For tests.
func useInstructionSet(level int) int { return int(C.oi_set_level(C.int(level))) }
