package nn

import "math"

// Activation is the non-linearity of a dense layer.
type Activation int

// The activations a dense layer may have.
const (
	Linear Activation = iota
	ActGELU
	ActTanh
	ActReLU
)

// AddBiasActivate turns the product y = X W (rows×cols) into act(y + b) in place and stores the derivative with
// respect to the pre-activation in slope, which the backward pass multiplies by ([MulColSum]). For Linear slope
// is not touched. A nil slope leaves the derivatives out: evaluation without a backward pass. The derivative of ReLU
// at 0 is taken as 0.
func AddBiasActivate[T Float](act Activation, y, slope, b []T, rows, cols int) {
	checkRows(len(y), rows, cols)
	sameLength(len(b), cols)
	if act != Linear && slope != nil {
		checkRows(len(slope), rows, cols)
	}
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		if slope == nil {
			addBiasActivateValue32(act, single(y), single(b), rows, cols)
			return
		}
		addBiasActivate32(act, single(y), single(slope), single(b), rows, cols)
		return
	}
	addBiasActivateGo(act, y, slope, b, rows, cols)
}

func addBiasActivateGo[T Float](act Activation, y, slope, b []T, rows, cols int) {
	for i := range rows {
		row := y[i*cols : (i+1)*cols]
		if act == Linear {
			for j := range row {
				row[j] += b[j]
			}
			continue
		}
		if slope == nil {
			for j := range row {
				v, _ := activate(act, float64(row[j]+b[j]))
				row[j] = T(v)
			}
			continue
		}
		d := slope[i*cols : (i+1)*cols]
		for j := range row {
			v, g := activate(act, float64(row[j]+b[j]))
			row[j], d[j] = T(v), T(g)
		}
	}
}

func activate(act Activation, x float64) (value, slope float64) {
	switch act {
	case ActGELU:
		return gelu(x)
	case ActTanh:
		y := math.Tanh(x)
		return y, 1 - y*y
	case ActReLU:
		if x > 0 {
			return x, 1
		}
		if x <= 0 {
			return 0, 0
		}
		return x, 0 // NaN
	}
	return x, 1
}

// MulColSum multiplies g by slope element by element and adds the column sums of the product to db: the
// backward pass of an activation and of the bias in front of it. g and slope are rows×cols, db is cols.
func MulColSum[T Float](g, slope, db []T, rows, cols int) {
	checkRows(len(g), rows, cols)
	checkRows(len(slope), rows, cols)
	sameLength(len(db), cols)
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		mulColSum32(single(g), single(slope), single(db), rows, cols)
		return
	}
	mulColSumGo(g, slope, db, rows, cols)
}

func mulColSumGo[T Float](g, slope, db []T, rows, cols int) {
	for i := range rows {
		for j := range cols {
			g[i*cols+j] *= slope[i*cols+j]
			db[j] += g[i*cols+j]
		}
	}
}

// ColSum adds the column sums of the rows×cols matrix g to db.
func ColSum[T Float](g, db []T, rows, cols int) {
	checkRows(len(g), rows, cols)
	sameLength(len(db), cols)
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		colSum32(single(g), single(db), rows, cols)
		return
	}
	colSumGo(g, db, rows, cols)
}

func colSumGo[T Float](g, db []T, rows, cols int) {
	for i := range rows {
		for j := range cols {
			db[j] += g[i*cols+j]
		}
	}
}

// ClampAtan is the soft clamp of a coupling block, fused with what its forward and backward passes need:
// s = scale·arctan(u), e = exp(s), ds = ds/du = scale/(1+u²). FrEIA's clamp c is scale = 0.636 c. None of s, e,
// ds may overlap each other or u.
func ClampAtan[T Float](s, e, ds, u []T, scale T) {
	sameLength(len(s), len(u))
	sameLength(len(e), len(u))
	sameLength(len(ds), len(u))
	if isSingle[T]() {
		clampAtan32(single(s), single(e), single(ds), single(u), float32(scale))
		return
	}
	clampAtanGo(s, e, ds, u, scale)
}

func clampAtanGo[T Float](s, e, ds, u []T, scale T) {
	for i, v := range u {
		x, c := float64(v), float64(scale)
		y := c * math.Atan(x)
		s[i], e[i], ds[i] = T(y), T(math.Exp(y)), T(c/(1+x*x))
	}
}

// ClampTanh is [ClampAtan] with s = scale·tanh(u).
func ClampTanh[T Float](s, e, ds, u []T, scale T) {
	sameLength(len(s), len(u))
	sameLength(len(e), len(u))
	sameLength(len(ds), len(u))
	if isSingle[T]() {
		clampTanh32(single(s), single(e), single(ds), single(u), float32(scale))
		return
	}
	clampTanhGo(s, e, ds, u, scale)
}

func clampTanhGo[T Float](s, e, ds, u []T, scale T) {
	for i, v := range u {
		c, t := float64(scale), math.Tanh(float64(v))
		s[i], e[i], ds[i] = T(c*t), T(math.Exp(c*t)), T(c*(1-t*t))
	}
}

// ClampSoftplus sets y[i] = least[i] + ln(1 + exp(c tanh(x[i]/c) + shift[i])); c = 0 leaves out the clamp. It is what a
// spline's parameters go through, for evaluation without a backward pass. y must not overlap the others.
func ClampSoftplus[T Float](y, x, shift, least []T, c T) {
	sameLength(len(y), len(x))
	sameLength(len(y), len(shift))
	sameLength(len(y), len(least))
	if isSingle[T]() {
		clampSoftplus32(single(y), single(x), single(shift), single(least), float32(c))
		return
	}
	clampSoftplusGo(y, x, shift, least, c)
}

func clampSoftplusGo[T Float](y, x, shift, least []T, c T) {
	for i, v := range x {
		if c != 0 {
			v = c * T(math.Tanh(float64(v/c)))
		}
		s, _ := softplus(float64(v + shift[i]))
		y[i] = T(s) + least[i]
	}
}

// SplineInverse sets x[i] to the solution of s_i(x) = y[i] and logSlope[i] to ln s_i'(x), with s_i the monotone
// rational-quadratic spline with affine tails (Durkan et al. 2019, equations 4 to 8 and 29) that value[i (3 bins + 1)] and
// those that follow describe: left, bottom, widths, heights and inner slopes. It reports whether there is a kernel for it,
// which there is in single precision with cgo; its errors are those of rounding x and y to single precision. x must not
// overlap the others.
func SplineInverse[T Float](x, logSlope, y, value []T, bins int) bool {
	sameLength(len(x), len(y))
	sameLength(len(logSlope), len(y))
	sameLength(len(value), len(y)*(3*bins+1))
	return isSingle[T]() && splineInverse32(single(x), single(logSlope), single(y), single(value), bins)
}

// Mul sets dst[i] = a[i] b[i]; dst may be a or b.
func Mul[T Float](dst, a, b []T) {
	sameLength(len(dst), len(a))
	sameLength(len(dst), len(b))
	if isSingle[T]() {
		mul32(single(dst), single(a), single(b))
		return
	}
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// Add sets dst[i] += x[i]; the slices must not overlap.
func Add[T Float](dst, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		add32(single(dst), single(x))
		return
	}
	for i := range dst {
		dst[i] += x[i]
	}
}

// Axpy sets dst[i] += a x[i]; the slices must not overlap.
func Axpy[T Float](dst []T, a T, x []T) {
	sameLength(len(dst), len(x))
	if isSingle[T]() {
		axpy32(single(dst), float32(a), single(x))
		return
	}
	for i := range dst {
		dst[i] += a * x[i]
	}
}

// SumSquares returns Σ x[i]², accumulated in double precision over sixteen interleaved partial sums.
func SumSquares[T Float](x []T) float64 {
	if isSingle[T]() {
		return sumSquares32(single(x))
	}
	return sumSquaresGo(x)
}

func sumSquaresGo[T Float](x []T) float64 {
	var acc [16]float64
	for i, v := range x {
		acc[i&15] += float64(v) * float64(v)
	}
	s := 0.0
	for _, a := range acc {
		s += a
	}
	return s
}

// AdamStep holds the scalars of one Adam update (Kingma & Ba 2015, algorithm 1).
type AdamStep struct {
	GradScale    float64 // multiplies the gradient first (clipping)
	L2           float64 // coupled decay: adds L2·w to the gradient
	Beta1, Beta2 float64
	Rate         float64 // lr/(1-β1^t)
	RootScale    float64 // 1/sqrt(1-β2^t)
	Eps          float64
	Keep         float64 // decoupled decay: w is first multiplied by Keep; 1 is none
}

// Adam applies one update to w given the gradient g and the moments m, v, all of one length:
//
//	g' = GradScale g + L2 w;  m = β1 m + (1-β1) g';  v = β2 v + (1-β2) g'²
//	w = Keep w - Rate m / (sqrt(v) RootScale + Eps)
func Adam[T Float](w, g, m, v []T, s AdamStep) {
	sameLength(len(w), len(g))
	sameLength(len(w), len(m))
	sameLength(len(w), len(v))
	if isSingle[T]() {
		adam32(single(w), single(g), single(m), single(v), s)
		return
	}
	adamGo(w, g, m, v, s)
}

func adamGo[T Float](w, g, m, v []T, s AdamStep) {
	for i := range w {
		gi := s.GradScale*float64(g[i]) + s.L2*float64(w[i])
		mi := s.Beta1*float64(m[i]) + (1-s.Beta1)*gi
		vi := s.Beta2*float64(v[i]) + (1-s.Beta2)*gi*gi
		m[i], v[i] = T(mi), T(vi)
		w[i] = T(s.Keep*float64(w[i]) - s.Rate*mi/(math.Sqrt(vi)*s.RootScale+s.Eps))
	}
}

func checkRows(length, rows, cols int) {
	if rows < 0 || cols < 0 || length != rows*cols {
		panic("nn: slice is not rows×cols")
	}
}
