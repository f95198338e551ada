package nn

import "math"

// The element-wise functions below are vectorised for float32 (C kernels compiled for AVX-512, AVX2 or the
// architecture's baseline, chosen at load time) and use package math for float64. Worst errors in float32,
// measured against float64's answer over the whole range of finite numbers, denormals included, and fixed by
// the tests: [Exp], [Log], [Tanh], [Atan], [Erf] 2 ulp; [Sigmoid], [Softplus] 3 ulp; [GELU] 6 ulp or 1e-43
// absolute (where its tail is denormal), its slope 6 ulp or 1e-7 absolute (near its zero). Infinities and NaN
// are treated as package math treats them.
//
// dst must be as long as x and may be x itself. All panic if lengths differ.

// Exp sets dst[i] = exp(x[i]).
func Exp[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vexp(single(dst), single(x))
		return
	}
	apply(dst, x, math.Exp)
}

// Log sets dst[i] = ln(x[i]).
func Log[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vlog(single(dst), single(x))
		return
	}
	apply(dst, x, math.Log)
}

// Tanh sets dst[i] = tanh(x[i]).
func Tanh[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vtanh(single(dst), single(x))
		return
	}
	apply(dst, x, math.Tanh)
}

// Atan sets dst[i] = arctan(x[i]).
func Atan[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vatan(single(dst), single(x))
		return
	}
	apply(dst, x, math.Atan)
}

// Erf sets dst[i] = erf(x[i]).
func Erf[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		verf(single(dst), single(x))
		return
	}
	apply(dst, x, math.Erf)
}

// Sigmoid sets dst[i] = 1/(1+exp(-x[i])).
func Sigmoid[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vsigmoid(single(dst), single(x))
		return
	}
	apply(dst, x, sigmoid)
}

// Softplus sets dst[i] = ln(1+exp(x[i])) and slope[i] to its derivative, the logistic function. slope must not
// overlap dst or x.
func Softplus[T Float](dst, slope, x []T) {
	sameLength(len(dst), len(x))
	sameLength(len(slope), len(x))
	if isSingle[T]() {
		vsoftplus(single(dst), single(slope), single(x))
		return
	}
	applySlope(dst, slope, x, softplus)
}

// GELU sets dst[i] = x Φ(x) and slope[i] = Φ(x) + x φ(x), with Φ and φ the distribution and density of the
// standard normal law (Hendrycks & Gimpel 2016, the exact form). slope must not overlap dst or x.
func GELU[T Float](dst, slope, x []T) {
	sameLength(len(dst), len(x))
	sameLength(len(slope), len(x))
	if isSingle[T]() {
		vgelu(single(dst), single(slope), single(x))
		return
	}
	applySlope(dst, slope, x, gelu)
}

// GELUValue sets dst[i] = x Φ(x), for evaluation without a backward pass.
func GELUValue[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		vgeluValue(single(dst), single(x))
		return
	}
	apply(dst, x, func(v float64) float64 { y, _ := gelu(v); return y })
}

func sameLength(a, b int) {
	if a != b {
		panic("nn: slices of different lengths")
	}
}

func apply[T Float](dst, x []T, f func(float64) float64) {
	for i, v := range x {
		dst[i] = T(f(float64(v)))
	}
}

func applySlope[T Float](dst, slope, x []T, f func(float64) (value, slope float64)) {
	for i, v := range x {
		y, d := f(float64(v))
		dst[i], slope[i] = T(y), T(d)
	}
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

func softplus(x float64) (value, slope float64) {
	return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))), sigmoid(x)
}

func gelu(x float64) (value, slope float64) {
	cdf := 0.5 * math.Erfc(-x/math.Sqrt2)
	if math.IsInf(x, 0) {
		return math.Max(x, 0), cdf // Inf*0 would be NaN
	}
	return x * cdf, cdf + x*math.Exp(-0.5*x*x)/math.Sqrt(2*math.Pi)
}
