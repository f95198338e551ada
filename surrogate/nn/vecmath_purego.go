//go:build purego || !cgo

package nn

import "math"

func vexp(y, x []float32)         { apply(y, x, math.Exp) }
func vlog(y, x []float32)         { apply(y, x, math.Log) }
func vtanh(y, x []float32)        { apply(y, x, math.Tanh) }
func vatan(y, x []float32)        { apply(y, x, math.Atan) }
func verf(y, x []float32)         { apply(y, x, math.Erf) }
func vsigmoid(y, x []float32)     { apply(y, x, sigmoid) }
func vgelu(y, d, x []float32)     { applySlope(y, d, x, gelu) }
func vsoftplus(y, d, x []float32) { applySlope(y, d, x, softplus) }
func vgeluValue(y, x []float32) {
	apply(y, x, func(v float64) float64 { r, _ := gelu(v); return r })
}

func addBiasActivate32(act Activation, y, slope, b []float32, rows, cols int) {
	addBiasActivateGo(act, y, slope, b, rows, cols)
}
func addBiasActivateValue32(act Activation, y, b []float32, rows, cols int) {
	addBiasActivateGo(act, y, nil, b, rows, cols)
}
func clampSoftplus32(y, x, shift, least []float32, clamp float32) {
	clampSoftplusGo(y, x, shift, least, clamp)
}
func splineInverse32(_, _, _, _ []float32, _ int) bool   { return false }
func mulColSum32(g, slope, db []float32, rows, cols int) { mulColSumGo(g, slope, db, rows, cols) }
func colSum32(g, db []float32, rows, cols int)           { colSumGo(g, db, rows, cols) }
func clampAtan32(s, e, ds, u []float32, scale float32)   { clampAtanGo(s, e, ds, u, scale) }
func clampTanh32(s, e, ds, u []float32, scale float32)   { clampTanhGo(s, e, ds, u, scale) }
func sumSquares32(x []float32) float64                   { return sumSquaresGo(x) }
func adam32(w, g, m, v []float32, s AdamStep)            { adamGo(w, g, m, v, s) }
func halfDistRows32(c, a, b []float32, rows, cols int)   { halfDistRowsGo(c, a, b, rows, cols) }
func lseRows32(out, c, h []float32, scale float32, rows, cols int) {
	lseRowsGo(out, c, h, scale, rows, cols)
}
func gibbsRows32(p, c, h, lse []float32, scale float32, rows, cols int) {
	gibbsRowsGo(p, c, h, lse, scale, rows, cols)
}

func mul32(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func add32(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}

func axpy32(dst []float32, a float32, x []float32) {
	for i := range dst {
		dst[i] += a * x[i]
	}
}

// useInstructionSet has nothing to choose from in pure Go.
func useInstructionSet(int) int { return 0 }
